/* SPDX-License-Identifier: MIT */
/*
 * ByteArray and its base class: bytes with a variant_level behind the items.
 */
#include "bytes.h"

#include <string.h>

#include "../cleanup.h"
#include "../compat.h"
#include "level.h"
#include "value.h"

PyObject *
byte_array_new(State *st, const void *data, size_t n, long level)
{
    if (n > (size_t)PY_SSIZE_T_MAX - (size_t)BYTES_BASICSIZE)
        return PyErr_NoMemory();
    PyBytesObject *value = PyObject_Malloc((size_t)BYTES_BASICSIZE + n);
    if (!value)
        return PyErr_NoMemory();

    PyObject *self =
        (PyObject *)PyObject_InitVar((PyVarObject *)value, st->byte_array, (Py_ssize_t)n);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    value->ob_shash = -1; /* not hashed yet; deprecated for others, but bytes still reads it */
#pragma GCC diagnostic pop
    if (n)
        memcpy(value->ob_sval, data, n);
    value->ob_sval[n] = '\0';
    *bytes_level(self) = level;
    return self;
}

static PyObject *
bytes_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg;
    long level;

    if (value_parse_positional(args, &arg) < 0 || value_parse_level(kwargs, &level) < 0)
        return NULL;
    PyObject *self = PyBytes_Type.tp_new(type, args, NULL);
    if (self)
        *bytes_level(self) = level;
    return self;
}

static PyObject *
bytes_repr(PyObject *self)
{
    return value_repr_steal(self, PyBytes_Type.tp_repr(self), *bytes_level(self));
}

static PyObject *
bytes_reduce(PyObject *self, PyObject *unused)
{
    (void)unused;
    return value_reduce_steal(
        self, &(ValueParts){
                  .arg = PyBytes_FromStringAndSize(PyBytes_AS_STRING(self), PyBytes_GET_SIZE(self)),
                  .level = *bytes_level(self)});
}

static PyObject *
bytes_get_level(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(*bytes_level(self));
}

int
bytes_setup(PyObject *module, State *st)
{
    static PyGetSetDef attributes[] = {
        {"variant_level", bytes_get_level, NULL, LEVEL_MEMBER_DOC, NULL},
        {0},
    };
    static PyMethodDef methods[] = {
        VALUE_COPY_ROW,
        {"__reduce__", bytes_reduce, METH_NOARGS,
         "Deep copies and pickles keep the variant_level."},
        {0},
    };
    PyType_Slot base_slots[] = {
        {Py_tp_doc, "What ByteArray is made of: bytes with a ``variant_level``.\n"
                    "Programs should not count on this class."},
        {Py_tp_new, bytes_tp_new},
        {Py_tp_dealloc, value_dealloc},
        {Py_tp_repr, bytes_repr},
        {Py_tp_setattro, value_refuse_setattr},
        {Py_tp_getset, attributes},
        {Py_tp_methods, methods},
        {0, NULL},
    };
    PyType_Spec base_spec = {
        .name = "_dbus_bindings._BytesBase",
        .basicsize = BYTES_BASICSIZE,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = base_slots,
    };
    PyType_Slot slots[] = {
        {Py_tp_doc, "ByteArray(value=b'', *, variant_level=0)\n\n"
                    "An array of bytes (signature 'ay') as a subtype of bytes.\n\n"
                    "Arrays of bytes arrive as Array of Byte unless ``byte_arrays=True`` is "
                    "passed to the method call\nor the signal receiver; then they are ByteArray, "
                    "which is smaller and faster. The argument is\nwhatever bytes() takes "
                    "alone." LEVEL_DOC},
        {Py_tp_dealloc, value_dealloc},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "dbus.ByteArray",
        .basicsize = BYTES_BASICSIZE,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };

    if (value_add_type(module, &st->bytes_base, &base_spec, &PyBytes_Type, "_BytesBase") < 0)
        return -1;
    return value_add_type(module, &st->byte_array, &spec, st->bytes_base, "ByteArray");
}
