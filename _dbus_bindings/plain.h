/* SPDX-License-Identifier: MIT */
/*
 * dbus.aio's Message: header fields and body as plain Python values, made from a DBusMessage and
 * turned into one in a single step each.
 *
 * The base class here has the fields and nothing else; the class in Python, and the enumerations
 * that its fields hold, are named once by _plain_classes().
 */
#ifndef DBUS_SHIM_PLAIN_H
#define DBUS_SHIM_PLAIN_H

#include <Python.h>

#include <dbus/dbus.h>
#include <stdbool.h>
#include <stdint.h>

#include "state.h"

#define PLAIN_TYPES 5 /* the invalid one is 0 */

/* The first TEMPLATE_KEY of them are all that a header is made of, but for serials. */
enum PlainField {
    DESTINATION,
    PATH,
    INTERFACE,
    MEMBER,
    MESSAGE_TYPE,
    FLAGS,
    ERROR_NAME,
    SENDER,
    REPLY_SERIAL,
    UNIX_FDS,
    SIGNATURE,
    BODY,
    SERIAL,
    PLAIN_FIELDS
};

typedef struct Plain {
    PyObject_HEAD
    PyObject *fields[PLAIN_FIELDS];
} Plain;

int plain_setup(PyObject *module, State *st);

/* The quick way through the constructor of the class in Python, put in its place by
 * _plain_classes(). */
int plain_init(PyObject *self, PyObject *args, PyObject *kwargs);
int plain_init_setup(State *st);

/* RuntimeError before _plain_classes() was called, which the import of dbus.aio does. */
int plain_check_classes(State *st);

/* Whether the header can be sent, without an exception. */
bool plain_is_valid(State *st, PyObject *plain);

/* A new Message with what was received.  The descriptors belong to whoever has it and are not
 * closed with it. */
PyObject *plain_new(State *st, DBusMessage *message);

/* A new DBusMessage that can be sent, or NULL with TypeError, ValueError or OverflowError for what
 * cannot be; the descriptors of the body are duplicates.  The serial, 0 for none yet, goes to
 * *ret_serial and not into the message. */
DBusMessage *plain_to_dbus(State *st, PyObject *plain, uint32_t *ret_serial);

/* 1 for a call whose sender waits for the outcome, else 0; -1 with TypeError for what is no plain
 * Message, or has no such flags. */
int plain_wants_reply(State *st, PyObject *plain);

/* Notes the serial that the message was sent with. */
int plain_set_serial(PyObject *plain, uint32_t serial);

#endif
