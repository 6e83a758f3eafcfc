/* SPDX-License-Identifier: MIT */
/*
 * Struct, a tuple with the signature of its items and a variant_level.
 */
#ifndef DBUS_SHIM_TYPES_STRUCT_H
#define DBUS_SHIM_TYPES_STRUCT_H

#include <Python.h>

#include "../state.h"

int struct_setup(PyObject *module, State *st);

/* A dbus.Struct of n items that are still NULL: the caller fills them with PyTuple_SET_ITEM
 * before anyone else sees it, or drops it.  The signature is that of the items one after another,
 * a Signature, None, or NULL for None; it is not checked. */
PyObject *struct_new(State *st, Py_ssize_t n, PyObject *signature, long level);

/* Borrows the Signature, or None, of a Struct or of an instance of a Python subclass. */
PyObject *struct_signature_borrow(PyObject *structure);

#endif
