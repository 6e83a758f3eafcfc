/* SPDX-License-Identifier: MIT */
/*
 * Where variant_level lives: reading it from any object, and the proof that the layouts hold.
 */
#include "level.h"

#include "../cleanup.h"
#include "../compat.h"

_Static_assert(sizeof(IntValue) >= DIGITS_OFFSET + INT_DIGITS * sizeof(digit) + sizeof(long),
               "the digits of 64 bits end before the level");
_Static_assert(offsetof(IntValue, level) >= DIGITS_OFFSET + INT_DIGITS * sizeof(digit),
               "the level is behind the digits");
_Static_assert(STRUCT_ITEMS % (Py_ssize_t)sizeof(PyObject *) == 0, "items are aligned");

/* The level field of an instance of one of our types, else NULL. */
static const long *
level_field(State *st, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    unsigned long flags = type->tp_flags;

    if (!(flags & Py_TPFLAGS_HEAPTYPE))
        return NULL;
    if (flags & Py_TPFLAGS_UNICODE_SUBCLASS)
        return PyType_IsSubtype(type, st->string) || PyType_IsSubtype(type, st->str_base)
                   ? &((StringValue *)(void *)value)->level
                   : NULL;
    if (flags & Py_TPFLAGS_LONG_SUBCLASS)
        return PyType_IsSubtype(type, st->long_base) ? &((IntValue *)(void *)value)->level : NULL;
    if (flags & Py_TPFLAGS_DICT_SUBCLASS)
        return PyType_IsSubtype(type, st->dictionary)
                   ? &((DictionaryValue *)(void *)value)->tail.level
                   : NULL;
    if (flags & Py_TPFLAGS_LIST_SUBCLASS)
        return PyType_IsSubtype(type, st->array) ? &((ArrayValue *)(void *)value)->tail.level
                                                 : NULL;
    if (flags & Py_TPFLAGS_TUPLE_SUBCLASS)
        return PyType_IsSubtype(type, st->structure) ? &struct_tail(value)->level : NULL;
    if (flags & Py_TPFLAGS_BYTES_SUBCLASS)
        return PyType_IsSubtype(type, st->bytes_base) ? bytes_level(value) : NULL;
    if (PyType_IsSubtype(type, st->float_base))
        return &((FloatValue *)(void *)value)->level;
    if (type == st->unix_fd)
        return &((UnixFdValue *)(void *)value)->level;
    return NULL;
}

long
level_of(State *st, PyObject *value)
{
    const long *level = level_field(st, value);

    return level && *level > 0 ? *level : 0;
}

int
level_convert(PyObject *value, long *ret_level)
{
    long level = 0;

    if (value) {
        _cleanup_object_ PyObject *number = PyNumber_Index(value); /* 3.9 would take a float too */
        if (!number)
            return -1;
        level = PyLong_AsLong(number);
        if (level == -1 && PyErr_Occurred())
            return -1;
        if (level < 0) {
            PyErr_SetString(PyExc_ValueError, "variant_level must be non-negative");
            return -1;
        }
    }
    *ret_level = level;
    return 0;
}

int
level_self_test(void)
{
    const struct {
        PyTypeObject *type;
        size_t size;
    } bases[] = {
        {&PyLong_Type, DIGITS_OFFSET},
        {&PyFloat_Type, sizeof(PyFloatObject)},
        {&PyUnicode_Type, sizeof(PyUnicodeObject)},
        {&PyBytes_Type, (size_t)BYTES_ITEMS + 1},
        {&PyList_Type, sizeof(PyListObject)},
        {&PyDict_Type, sizeof(PyDictObject)},
        {&PyTuple_Type, (size_t)STRUCT_ITEMS},
    };

    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        if (bases[i].type->tp_basicsize != (Py_ssize_t)bases[i].size) {
            PyErr_Format(PyExc_ImportError,
                         "_dbus_bindings was compiled for another Python: an instance of %s has "
                         "%zd bytes here and %zu there",
                         bases[i].type->tp_name, bases[i].type->tp_basicsize, bases[i].size);
            return -1;
        }
    }
    return 0;
}
