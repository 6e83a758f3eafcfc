/* SPDX-License-Identifier: MIT */
/*
 * Double and its base class: float with a trailing variant_level.
 *
 * Unlike the other values, instances of a Python subclass may be given attributes.
 */
#include "float.h"

#include <structmember.h>

#include "../compat.h"
#include "level.h"
#include "value.h"

static PyObject *
float_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg;
    long level;

    if (value_parse_positional(args, &arg) < 0 || value_parse_level(kwargs, &level) < 0)
        return NULL;
    PyObject *self = PyFloat_Type.tp_new(type, args, NULL);
    if (self)
        ((FloatValue *)self)->level = level;
    return self;
}

PyObject *
double_new(State *st, double value, long level)
{
    FloatValue *self = PyObject_Malloc(sizeof *self);

    if (!self)
        return PyErr_NoMemory();
    self->head.ob_fval = value;
    self->level = level;
    return PyObject_Init((PyObject *)self, st->dbl);
}

static PyObject *
float_repr(PyObject *self)
{
    return value_repr_steal(self, PyFloat_Type.tp_repr(self), ((FloatValue *)self)->level);
}

static PyObject *
float_str(PyObject *self)
{
    return PyFloat_Type.tp_repr(self);
}

static PyObject *
float_reduce(PyObject *self, PyObject *unused)
{
    (void)unused;
    return value_reduce_steal(self,
                              &(ValueParts){.arg = PyFloat_FromDouble(PyFloat_AS_DOUBLE(self)),
                                            .level = ((FloatValue *)self)->level});
}

static PyMemberDef float_members[] = {
    {"variant_level", T_LONG, offsetof(FloatValue, level), READONLY, LEVEL_MEMBER_DOC},
    {0},
};

static PyMethodDef float_methods[] = {
    VALUE_COPY_ROW,
    {"__reduce__", float_reduce, METH_NOARGS, "Deep copies and pickles keep the variant_level."},
    {0},
};

int
float_setup(PyObject *module, State *st)
{
    PyType_Slot base_slots[] = {
        {Py_tp_doc, "What Double is made of: a float with a ``variant_level``.\n"
                    "Programs should not count on this class."},
        {Py_tp_new, float_tp_new},
        {Py_tp_dealloc, value_dealloc},
        {Py_tp_repr, float_repr},
        {Py_tp_str, float_str},
        {Py_tp_members, float_members},
        {Py_tp_methods, float_methods},
        {0, NULL},
    };
    PyType_Spec base_spec = {
        .name = "_dbus_bindings._FloatBase",
        .basicsize = sizeof(FloatValue),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = base_slots,
    };
    PyType_Slot slots[] = {
        {Py_tp_doc, "Double(value=0.0, *, variant_level=0)\n\n"
                    "A floating-point number of 64 bits, a subtype of float." LEVEL_DOC},
        {Py_tp_dealloc, value_dealloc},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "dbus.Double",
        .basicsize = sizeof(FloatValue),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };

    if (value_add_type(module, &st->float_base, &base_spec, &PyFloat_Type, "_FloatBase") < 0)
        return -1;
    return value_add_type(module, &st->dbl, &spec, st->float_base, "Double");
}
