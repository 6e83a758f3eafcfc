/* SPDX-License-Identifier: MIT */
/*
 * ByteArray, bytes with a variant_level.
 */
#ifndef DBUS_SHIM_TYPES_BYTES_H
#define DBUS_SHIM_TYPES_BYTES_H

#include <Python.h>

#include "../state.h"

int bytes_setup(PyObject *module, State *st);

/* A dbus.ByteArray with a copy of n bytes. */
PyObject *byte_array_new(State *st, const void *data, size_t n, long level);

#endif
