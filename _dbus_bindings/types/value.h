/* SPDX-License-Identifier: MIT */
/*
 * What all value types have in common: keywords, repr, immutability, copying and pickling.
 */
#ifndef DBUS_SHIM_TYPES_VALUE_H
#define DBUS_SHIM_TYPES_VALUE_H

#include <Python.h>

#include "../state.h"

/* Makes and keeps a type that has one base, and adds it to the module as `name`. */
int value_add_type(PyObject *module, PyTypeObject **field, PyType_Spec *spec, PyTypeObject *base,
                   const char *name);

/* The level of a constructor that knows no other keyword; `kwargs` may be NULL. */
int value_parse_level(PyObject *kwargs, long *ret_level);

/* TypeError and -1 unless there is at most one positional argument.  ret_arg borrows it, or is
 * set to NULL. */
int value_parse_positional(PyObject *args, PyObject **ret_arg);

/* Borrows the value of one keyword, or NULL without an exception. */
PyObject *value_keyword_borrow(PyObject *kwargs, const char *name);

/* "dbus.Int32(5, variant_level=1)" around the inner "5", which is consumed and may be NULL with
 * an exception set. */
PyObject *value_repr_steal(PyObject *self, PyObject *inner, long level);

/* tp_setattro of immutable types. */
int value_refuse_setattr(PyObject *self, PyObject *name, PyObject *value);

/* tp_dealloc of types whose instances own nothing. */
void value_dealloc(PyObject *self);

/* What __reduce__ returns: the class, its one positional argument (consumed; NULL: none), the
 * keywords that differ from their defaults, the state that a Python subclass added, and for
 * containers the iterators over items and over pairs (consumed, NULL: none). */
typedef struct ValueParts {
    PyObject *arg;
    PyObject *signature; /* consumed, NULL for None */
    long level;
    PyObject *items;
    PyObject *pairs;
} ValueParts;

PyObject *value_reduce_steal(PyObject *self, ValueParts *parts);

/* __copy__ of the values without items of their own: the same value outside of all variants.
 * Programs rely on that (python-dbusmock does); deepcopy() and pickle keep the level. */
PyObject *value_copy(PyObject *self, PyObject *none);

#define VALUE_COPY_ROW                                                                             \
    {                                                                                              \
        "__copy__", value_copy, METH_NOARGS, "copy.copy() gives the value at variant_level 0."     \
    }

#endif
