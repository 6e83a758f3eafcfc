/* SPDX-License-Identifier: MIT */
/*
 * Struct: a tuple with the signature of its items and a variant_level, both behind the items.
 */
#include "struct.h"

#include "../cleanup.h"
#include "../compat.h"
#include "container.h"
#include "level.h"
#include "value.h"

PyObject *
struct_new(State *st, Py_ssize_t n, PyObject *signature, long level)
{
    PyObject *self = st->structure->tp_alloc(st->structure, n);

    if (!self)
        return NULL;
#if PY_VERSION_HEX >= 0x030E0000
    ((PyTupleObject *)self)->ob_hash = -1; /* not hashed yet */
#endif
    struct_tail(self)->signature = Py_NewRef(signature ? signature : Py_None);
    struct_tail(self)->level = level;
    return self;
}

PyObject *
struct_signature_borrow(PyObject *structure)
{
    return container_signature_borrow(struct_tail(structure));
}

static PyObject *
struct_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    _cleanup_object_ PyObject *signature = NULL;
    State *st = state_of_type(type);
    long level;

    if (!st)
        return NULL;
    if (PyTuple_GET_SIZE(args) != 1) {
        PyErr_SetString(PyExc_TypeError, "__new__ takes exactly one positional parameter");
        return NULL;
    }
    if (container_parse(st, kwargs, &signature, &level) < 0)
        return NULL;
    _cleanup_object_ PyObject *items = PySequence_Tuple(PyTuple_GET_ITEM(args, 0));
    if (!items)
        return NULL;
    if (PyTuple_GET_SIZE(items) == 0) {
        PyErr_SetString(PyExc_ValueError, "D-Bus structs may not be empty");
        return NULL;
    }
    _cleanup_object_ PyObject *tuple_args = PyTuple_Pack(1, items);
    PyObject *self = tuple_args ? PyTuple_Type.tp_new(type, tuple_args, NULL) : NULL;
    if (!self)
        return NULL;
    struct_tail(self)->signature = TAKE(signature);
    struct_tail(self)->level = level;
    return self;
}

static PyObject *
struct_repr(PyObject *self)
{
    return container_repr(self, &PyTuple_Type, struct_tail(self));
}

static PyObject *
struct_reduce(PyObject *self, PyObject *unused)
{
    ContainerTail *tail = struct_tail(self);

    (void)unused;
    return value_reduce_steal(
        self, &(ValueParts){.arg = PyTuple_GetSlice(self, 0, PyTuple_GET_SIZE(self)),
                            .signature = Py_XNewRef(tail->signature),
                            .level = tail->level});
}

static PyObject *
struct_get_signature(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef(struct_signature_borrow(self));
}

static PyObject *
struct_get_level(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(struct_tail(self)->level);
}

static int
struct_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(struct_tail(self)->signature);
    return PyTuple_Type.tp_traverse(self, visit, arg);
}

/* No tp_clear: a tuple has none either, a cycle is broken at one of its mutable members. */
static void
struct_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, struct_dealloc) /* structs within structs */
        Py_CLEAR(struct_tail(self)->signature);
    PyTuple_Type.tp_dealloc(self);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

int
struct_setup(PyObject *module, State *st)
{
    static PyGetSetDef attributes[] = {
        {"signature", struct_get_signature, NULL,
         "The Signature of the items one after another, or None if it is to be guessed.", NULL},
        {"variant_level", struct_get_level, NULL, LEVEL_MEMBER_DOC, NULL},
        {0},
    };
    static PyMethodDef methods[] = {
        VALUE_COPY_ROW,
        {"__reduce__", struct_reduce, METH_NOARGS,
         "Copies and pickles keep the signature and the variant_level."},
        {0},
    };
    PyType_Slot slots[] = {
        {Py_tp_doc, "Struct(iterable, *, signature=None, variant_level=0)\n\n"
                    "Items that may differ in type, a subtype of tuple. ValueError if there are "
                    "none.\n\n"
                    "``signature`` (str or None) is that of all items one after another, without "
                    "parentheses. Items are\nconverted when the struct is put into a message; if "
                    "the signature is None it is then guessed from\nthem." LEVEL_DOC},
        {Py_tp_new, struct_tp_new},
        {Py_tp_dealloc, struct_dealloc},
        {Py_tp_traverse, struct_traverse},
        {Py_tp_repr, struct_repr},
        {Py_tp_setattro, value_refuse_setattr},
        {Py_tp_getset, attributes},
        {Py_tp_methods, methods},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "dbus.Struct",
        .basicsize = STRUCT_BASICSIZE,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE |
                 Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };

    return value_add_type(module, &st->structure, &spec, &PyTuple_Type, "Struct");
}
