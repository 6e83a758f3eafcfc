/* SPDX-License-Identifier: MIT */
/*
 * Array, a list with the signature of its items and a variant_level.
 */
#ifndef DBUS_SHIM_TYPES_ARRAY_H
#define DBUS_SHIM_TYPES_ARRAY_H

#include <Python.h>

#include "../state.h"

int array_setup(PyObject *module, State *st);

/* A dbus.Array of n items that are still NULL: the caller fills all of them with PyList_SET_ITEM
 * before anyone else sees it, or drops it.  With n == 0 PyList_Append serves too.  The signature
 * is that of an item, a Signature or None; it is not checked. */
PyObject *array_new(State *st, Py_ssize_t n, PyObject *signature, long level);

/* Borrows the Signature, or None, of an Array or of an instance of a Python subclass. */
PyObject *array_signature_borrow(PyObject *array);

#endif
