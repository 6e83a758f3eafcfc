/* SPDX-License-Identifier: MIT */
/*
 * MethodCallMessage, MethodReturnMessage, ErrorMessage and SignalMessage: constructors and repr.
 */
#ifndef DBUS_SHIM_MESSAGE_KINDS_H
#define DBUS_SHIM_MESSAGE_KINDS_H

#include <Python.h>

#include "state.h"

/* Makes the four classes; st->message exists. */
int message_kinds_setup(PyObject *module, State *st);

/* The class for messages of this type, borrowed. */
PyTypeObject *message_kind_borrow(const State *st, int type);

#endif
