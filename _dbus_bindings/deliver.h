/* SPDX-License-Identifier: MIT */
/*
 * A signal on its way to the receivers of a connection.
 */
#ifndef DBUS_SHIM_DELIVER_H
#define DBUS_SHIM_DELIVER_H

#include "connection.h"

/* A message whose Python object is made when somebody wants it. */
typedef struct LazyMessage {
    State *st;
    DBusMessage *dbus; /* borrowed */
    PyObject *object;  /* owned, or NULL */
} LazyMessage;

/* The Message, borrowed; NULL with an exception. */
PyObject *lazymessage_borrow(LazyMessage *message);

/* Calls the handlers of all matches that the signal fits.  What they raise is logged and goes no
 * further. */
void deliver_signal(Connection *self, LazyMessage *message);

#endif
