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
#include "container.h"
#include "level.h"
#include "value.h"

static ContainerTail *
array_tail(PyObject *self)
{
    return &((ArrayValue *)(void *)self)->tail;
}

static int
check_item_signature(const char *text)
{
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
    array_tail(self)->signature = Py_NewRef(signature);
    array_tail(self)->level = level;
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
    PyListObject *list = &((ArrayValue *)(void *)self)->head;
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
    return container_signature_borrow(array_tail(array));
}

static PyObject *
array_tp_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *kwargs)
{
    PyObject *signature;
    long level;

    if (container_parse_new(type, kwargs, check_item_signature, &signature, &level) < 0)
        return NULL;
    return array_make(type, signature, level);
}

static int
array_tp_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return container_init(self, args, kwargs, "iterable", &PyList_Type, check_item_signature,
                          array_tail(self));
}

static PyObject *
array_repr(PyObject *self)
{
    return container_repr(self, &PyList_Type, array_tail(self));
}

static PyObject *
array_reduce(PyObject *self, PyObject *Py_UNUSED(none))
{
    return value_reduce_steal(self,
                              &(ValueParts){.signature = Py_XNewRef(array_tail(self)->signature),
                                            .level = array_tail(self)->level,
                                            .items = PyObject_GetIter(self)});
}

static int
array_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(array_tail(self)->signature);
    return PyList_Type.tp_traverse(self, visit, arg);
}

static int
array_clear(PyObject *self)
{
    Py_CLEAR(array_tail(self)->signature);
    return PyList_Type.tp_clear(self);
}

static void
array_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, array_dealloc) /* arrays within arrays within arrays ... */
        Py_CLEAR(array_tail(self)->signature);
    PyList_Type.tp_dealloc(self);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

int
array_setup(PyObject *module, State *st)
{
    static PyMemberDef members[] = {
        {"signature", T_OBJECT, offsetof(ArrayValue, tail.signature), READONLY,
         "The Signature of one item, or None if it is to be guessed from the first one."},
        {"variant_level", T_LONG, offsetof(ArrayValue, tail.level), READONLY, LEVEL_MEMBER_DOC},
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
                    "so an empty array needs one." LEVEL_DOC},
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
