/* SPDX-License-Identifier: MIT */
/*
 * A call of a method in the classic interface: the message for it, and what a caller gets for its
 * reply.
 */
#ifndef DBUS_SHIM_METHODCALL_H
#define DBUS_SHIM_METHODCALL_H

#include <Python.h>

#include <dbus/dbus.h>
#include <stdbool.h>

#include "state.h"

enum MethodCallPart { CALL_BUS_NAME, CALL_PATH, CALL_INTERFACE, CALL_MEMBER, CALL_HEADER_PARTS };

int methodcall_setup(PyObject *module, State *st);

/* The message that calls the method of the header's `parts`, str or None each, with the values
 * that the iterable `args` gives; owned.  `signature` None: guessed.  NULL with DBusException for
 * what is reserved for libdbus, ValueError for an invalid name, TypeError for what is no str, and
 * whatever does not fit in the arguments, which is also logged. */
DBusMessage *methodcall_new(State *st, PyObject *const parts[CALL_HEADER_PARTS],
                            PyObject *signature, PyObject *args);

/* What a caller gets for a reply: None, the only value, or a tuple of all. */
PyObject *methodcall_value(State *st, DBusMessage *reply, bool byte_arrays);

#endif
