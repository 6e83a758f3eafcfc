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
    bool no_memory;    /* somebody could not deal with it for want of that */
} LazyMessage;

/* The Message, borrowed; NULL with an exception. */
PyObject *lazymessage_borrow(LazyMessage *message);

/* Calls the handlers of all matches that the signal fits.  What they raise is logged and goes no
 * further.  False, without an exception: there is no memory to find them, and nobody was called. */
bool deliver_signal(Connection *self, LazyMessage *message);

#endif
