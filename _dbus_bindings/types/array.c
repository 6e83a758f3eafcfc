/* SPDX-License-Identifier: MIT */
/*
 * Array: a list with the signature of an item and a variant_level.
 *
 * As with list, __new__ makes it empty and __init__ fills it; the level belongs to __new__ and the
 * signature to __init__.  __new__ also takes a ready Signature, for copying and unpickling, which
 * do not call __init__.
 */
#include "array.h"

#include <structmember.h>

#include "../cleanup.h"
#include "../compat.h"
#include "../signature.h"
#include "level.h"
#include "value.h"

static ArrayValue *
array_of(PyObject *self)
{
    return (ArrayValue *)(void *)self;
}

static int
check_item_signature(PyObject *signature)
{
    if (signature == Py_None)
        return 0;
    const char *text = PyUnicode_AsUTF8(signature);
    if (!text)
        return -1;
    if (!*text || *signature_next(text)) {
        PyErr_SetString(PyExc_ValueError, "There must be exactly one complete type in an Array's "
                                          "signature parameter");
        return -1;
    }
    return 0;
}

static PyObject *
array_make(PyTypeObject *type, PyObject *signature, long level)
{
    PyObject *self = type->tp_alloc(type, 0);

    if (!self)
        return NULL;
    array_of(self)->signature = Py_NewRef(signature);
    array_of(self)->level = level;
    return self;
}

PyObject *
array_new(State *st, Py_ssize_t n, PyObject *signature, long level)
{
    _cleanup_object_ PyObject *self = array_make(st->array, signature, level);

    if (!self || n == 0)
        return TAKE(self);
#ifdef Py_GIL_DISABLED
    /* There the items have a header that only CPython knows; None is immortal and may be lost. */
    _cleanup_object_ PyObject *items = PyList_New(n);
    for (Py_ssize_t i = 0; items && i < n; i++)
        PyList_SET_ITEM(items, i, Py_NewRef(Py_None));
    if (!items || PyList_SetSlice(self, 0, 0, items) < 0)
        return NULL;
#else
    PyListObject *list = &array_of(self)->head;
    list->ob_item = PyMem_Calloc((size_t)n, sizeof(PyObject *));
    if (!list->ob_item)
        return PyErr_NoMemory();
    list->allocated = n;
    Py_SET_SIZE((PyVarObject *)list, n);
#endif
    return TAKE(self);
}

PyObject *
array_signature_borrow(PyObject *array)
{
    PyObject *signature = array_of(array)->signature;

    return signature ? signature : Py_None;
}

static PyObject *
array_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    State *st = state_of_type(type);
    PyObject *signature = value_keyword_borrow(kwargs, "signature");
    long level;

    (void)args;
    if (!st || level_convert(value_keyword_borrow(kwargs, "variant_level"), &level) < 0)
        return NULL;
    if (!signature || !PyObject_TypeCheck(signature, st->signature))
        signature = Py_None;
    else if (check_item_signature(signature) < 0)
        return NULL;
    return array_make(type, signature, level);
}

static int
array_tp_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *items = NULL, *given = NULL, *level = NULL;
    char *names[] = {"iterable", "signature", "variant_level", NULL};
    State *st = state_of(self);

    if (!st ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "|OOO:__init__", names, &items, &given, &level))
        return -1;
    _cleanup_object_ PyObject *signature = signature_from_keyword(st, given);
    if (!signature || check_item_signature(signature) < 0)
        return -1;
    _cleanup_object_ PyObject *list_args = items ? PyTuple_Pack(1, items) : PyTuple_New(0);
    if (!list_args || PyList_Type.tp_init(self, list_args, NULL) < 0)
        return -1;
    Py_XSETREF(array_of(self)->signature, TAKE(signature));
    return 0;
}

static PyObject *
array_repr(PyObject *self)
{
    return value_repr_container_steal(self, PyList_Type.tp_repr(self), array_of(self)->signature,
                                      array_of(self)->level);
}

static PyObject *
array_reduce(PyObject *self, PyObject *unused)
{
    (void)unused;
    return value_reduce_steal(self, &(ValueParts){.signature = array_of(self)->signature,
                                                  .level = array_of(self)->level,
                                                  .items = PyObject_GetIter(self)});
}

static int
array_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(array_of(self)->signature);
    return PyList_Type.tp_traverse(self, visit, arg);
}

static int
array_clear(PyObject *self)
{
    Py_CLEAR(array_of(self)->signature);
    return PyList_Type.tp_clear(self);
}

static void
array_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, array_dealloc) /* arrays within arrays within arrays ... */
        Py_CLEAR(array_of(self)->signature);
    PyList_Type.tp_dealloc(self);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

int
array_setup(PyObject *module, State *st)
{
    static PyMemberDef members[] = {
        {"signature", T_OBJECT, offsetof(ArrayValue, signature), READONLY,
         "The Signature of one item, or None if it is to be guessed from the first one."},
        {"variant_level", T_LONG, offsetof(ArrayValue, level), READONLY,
         "The number of nested variants that the value travels in (int)."},
        {0},
    };
    static PyMethodDef methods[] = {
        {"__reduce__", array_reduce, METH_NOARGS,
         "Copies and pickles keep the signature and the variant_level."},
        {0},
    };
    PyType_Slot slots[] = {
        {Py_tp_doc, "Array(iterable=(), signature=None, *, variant_level=0)\n\n"
                    "Items of one type, a subtype of list.\n\n"
                    "``signature`` (str or None) is that of one item, exactly one complete type "
                    "(else ValueError). Items\nare converted when the array is put into a "
                    "message; if the signature is None it is then guessed\nfrom the first item, "
                    "so an empty array needs one.\n\n"
                    "``variant_level`` (an int, 0 or more) says in how many nested variants the "
                    "value travels."},
        {Py_tp_new, array_tp_new},
        {Py_tp_init, array_tp_init},
        {Py_tp_dealloc, array_dealloc},
        {Py_tp_traverse, array_traverse},
        {Py_tp_clear, array_clear},
        {Py_tp_repr, array_repr},
        {Py_tp_members, members},
        {Py_tp_methods, methods},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "dbus.Array",
        .basicsize = sizeof(ArrayValue),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE |
                 Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };

    return value_add_type(module, &st->array, &spec, &PyList_Type, "Array");
}
