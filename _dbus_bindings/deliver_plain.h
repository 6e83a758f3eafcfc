/* SPDX-License-Identifier: MIT */
/*
 * A message on its way to those who want it on a Connection of dbus.aio: the message handlers, and
 * for a signal the subscriptions.
 */
#ifndef DBUS_SHIM_DELIVER_PLAIN_H
#define DBUS_SHIM_DELIVER_PLAIN_H

#include "cleanup.h"
#include "connection.h"

typedef struct PlainDelivery {
    State *st;
    DBusMessage *dbus;   /* borrowed */
    PyObject *message;   /* the Message, owned; NULL until somebody wants it */
    PyObject *arguments; /* tuple, owned; NULL until somebody wants them */
    bool has_fds;
} PlainDelivery;

/* The Message, borrowed; NULL with an exception. */
PyObject *delivery_message(PlainDelivery *delivery);

/* 1 if the message is dealt with, 0 if the receiver is to have it, -1 with an exception that
 * concerns the loop. */
int deliver_plain(Connection *self, PlainDelivery *delivery);

static inline void
cleanup_delivery(PlainDelivery *delivery)
{
    Py_XDECREF(delivery->message);
    Py_XDECREF(delivery->arguments);
}

#define _cleanup_delivery_ _cleanup_(cleanup_delivery)

#endif
