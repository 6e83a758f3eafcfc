/* SPDX-License-Identifier: MIT */
/*
 * Dictionary, a dict with the signature of its entries and a variant_level.
 */
#ifndef DBUS_SHIM_TYPES_DICT_H
#define DBUS_SHIM_TYPES_DICT_H

#include <Python.h>

#include "../state.h"

int dict_setup(PyObject *module, State *st);

/* An empty dbus.Dictionary.  The signature is that of key and value, a Signature or None; it is
 * not checked. */
PyObject *dictionary_new(State *st, PyObject *signature, long level);

/* Borrows the Signature, or None, of a Dictionary or of an instance of a Python subclass. */
PyObject *dictionary_signature_borrow(PyObject *dictionary);

#endif
