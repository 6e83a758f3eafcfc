/* SPDX-License-Identifier: MIT */
/*
 * dbus.lowlevel.Message and its four kinds: a DBusMessage with a Python face.
 */
#ifndef DBUS_SHIM_MESSAGE_H
#define DBUS_SHIM_MESSAGE_H

#include <Python.h>

#include <dbus/dbus.h>
#include <stdbool.h>

#include "decode.h"
#include "program.h"
#include "state.h"

typedef struct Message {
    PyObject_HEAD
    DBusMessage *msg; /* NULL until __init__ has run, and after memory ran out in append() */
    bool sent;        /* handed to libdbus, which forbids changes and would abort on them */
    bool complete;    /* the header is known to be fit for sending */
    bool fresh;       /* made here, not received, and nothing has been appended */
} Message;

int message_setup(PyObject *module, State *st);

/* Wraps a message, consumed in any case, in the class for its type; plain Message for types that
 * D-Bus does not define (yet). */
PyObject *message_new_steal(State *st, DBusMessage *message);

/* The DBusMessage of a Message, borrowed.  NULL with TypeError if `object` is not a Message, with
 * DBusException if its __init__ was never called. */
DBusMessage *message_borrow(State *st, PyObject *object);

/* As message_borrow for a message that is about to be sent, which from now on refuses to be
 * changed.  NULL with ValueError if it lacks a header field that its type requires or uses what
 * is reserved for libdbus: the bus would disconnect its sender. */
DBusMessage *message_borrow_for_send(State *st, PyObject *object);

/* Whether its header may be sent: else -1 with ValueError. */
int message_check_sendable(DBusMessage *message);

/* For the methods, whose `self` is known to be a Message.  message_open() asks for leave to
 * change it: DBusException or, once it has been sent, ValueError. */
DBusMessage *message_get(PyObject *self);
DBusMessage *message_open(PyObject *self);

/* The types that values are to be sent as: of the str `signature`, guessed where that is NULL or
 * None.  The caller owns one reference. */
Program *message_program(State *st, PyObject *signature, PyObject *const *args, Py_ssize_t n);

/* The body as a new list; in the plain flavour for a message without descriptors. */
PyObject *message_decode(State *st, DBusMessage *message, enum DecodeFlavour flavour);

/* The same for any message in the plain flavour, with the signature, and the descriptors as a list
 * of int: duplicates that are the caller's. */
PyObject *message_decode_plain(State *st, DBusMessage *message, PyObject **ret_signature,
                               PyObject **ret_fds);

/* Puts `message` (consumed) in the place of what `self` holds. */
void message_replace_steal(PyObject *self, DBusMessage *message);

#endif
