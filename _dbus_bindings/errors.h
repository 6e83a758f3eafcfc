/* SPDX-License-Identifier: MIT */
/*
 * DBusError to Python exception: the only place where the one becomes the other.
 */
#ifndef DBUS_SHIM_ERRORS_H
#define DBUS_SHIM_ERRORS_H

#include <Python.h>

#include <dbus/dbus.h>

#include "state.h"

int errors_setup(PyObject *module, State *st);

/* Raises DBusException with the name and the message of `error`, which must be set, and frees
 * it; MemoryError where it says NoMemory.  Returns NULL. */
PyObject *error_raise(State *st, DBusError *error);

/* Raises DBusException with this message and this D-Bus error name (NULL: none).  Returns NULL. */
PyObject *error_raise_named(State *st, const char *name, const char *message);

/* Raises ValueError with `what` and the message of `error`, for bytes that libdbus has refused;
 * MemoryError where it says NoMemory.  The error stays the caller's.  Returns -1. */
int error_raise_value(const DBusError *error, const char *what);

/* Raises DBusException out of an error message that a peer sent. Returns NULL. */
PyObject *error_raise_reply(State *st, DBusMessage *reply);

/* Raises what errno says: MemoryError, or OSError.  Returns NULL. */
PyObject *error_raise_errno(void);

/* The exception that is set, with its traceback, taken off: owned. */
PyObject *error_take(void);

#endif
