/* SPDX-License-Identifier: MIT */
/*
 * Connection: a link with its Python side: filters, object paths and calls in flight.
 *
 * Every callable that a message may reach is in a container of the Connection, which the garbage
 * collector traverses; the link, and libdbus below it, know the Connection by a weak reference,
 * which the collector takes away before anything else, and any other end before the containers.
 */
#ifndef DBUS_SHIM_CONNECTION_H
#define DBUS_SHIM_CONNECTION_H

#include <Python.h>

#include "future.h"
#include "link.h"
#include "mainloop.h"
#include "matches.h"
#include "paths.h"
#include "pendingcall.h"

/* How messages come to a bus of dbus.aio before they come to its receiver, see _deliver_plain(). */
typedef struct PlainTerms {
    PyObject *settle; /* callable: a message handler has raised, or returned what is true */
    PyObject *owners; /* dict: well-known name to its owner; or None, where there is no bus */
    bool takes_fds;
} PlainTerms;

typedef struct Connection {
    PyObject_HEAD
    Link *link;     /* NULL only when half-made or cleared */
    PyObject *weak; /* to itself: what the link knows of it */
    Attachment loop;
    PyObject *filters;   /* tuple of callables, replaced as a whole */
    PyObject *receiver;  /* of plain messages, instead of filters and paths; or NULL */
    FutureTerms futures; /* of its calls; NULL without a receiver */
    PyObject *served;    /* what _serve_plain() was given, a tuple; or NULL */
    PlainTerms plain;    /* of what comes in; NULL without a receiver */
    Matches *matches;    /* NULL only when half-made or cleared */
    Paths paths;
    PendingCall *pending; /* the calls in flight, owned */
    PyObject *weakrefs;
    bool exit_on_disconnect;
} Connection;

extern PyMethodDef connection_methods[]; /* connection_methods.c */

/* Sends a call, which has no serial yet, and waits for its reply, which is owned; NULL with
 * DBusException for an error, for no reply in time and for a lost connection. */
DBusMessage *connection_call(PyObject *self, DBusMessage *message, int timeout_ms);

/* Those of connection_call.c. */
PyObject *conn_call_blocking(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *conn_call_async(PyObject *self, PyObject *const *args, Py_ssize_t n);

/* Those of connection_plain.c. */
PyObject *conn_open(PyObject *cls, PyObject *address);
PyObject *conn_receive_plain(PyObject *self, PyObject *args);
PyObject *conn_serve_plain(PyObject *self, PyObject *args);
PyObject *conn_deliver_plain(PyObject *self, PyObject *args);
PyObject *conn_send_plain(PyObject *self, PyObject *message);
PyObject *conn_call_plain(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *conn_await_plain(PyObject *self, PyObject *const *args, Py_ssize_t n);

/* Connection._new_for_bus() */
PyObject *connection_new_for_bus(PyObject *cls, PyObject *args, PyObject *kwargs);

int connection_setup(PyObject *module, State *st);

/* Raises what those get who use it in the child of a fork (forks.h).  Returns NULL. */
Link *connection_refuse(PyObject *self);

/* Its link, to be used; NULL with DBusException in the child of a fork. */
static inline Link *
connection_link(PyObject *self)
{
    Link *link = ((Connection *)self)->link;

    return link->watches.inherited ? connection_refuse(self) : link;
}

/* The DBusConnection, for as long as the object lives, closed or not; NULL as above. */
DBusConnection *connection_borrow_dbus(PyObject *self);

/* A Connection of `type` on a DBusConnection, which it takes over.  `main_loop` as mainloop= . */
PyObject *connection_new_steal(State *st, PyTypeObject *type, DBusConnection *connection,
                               PyObject *main_loop);

/* Wraps a DBusConnection, which it takes over, for connection_new(): a _LibDBusConnection. */
PyObject *libdbus_connection_new_steal(State *st, DBusConnection *connection);

#endif
