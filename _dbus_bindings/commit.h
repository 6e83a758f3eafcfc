/* SPDX-License-Identifier: MIT */
/*
 * An encoded body and a message become one.
 */
#ifndef DBUS_SHIM_COMMIT_H
#define DBUS_SHIM_COMMIT_H

#include <Python.h>

#include <dbus/dbus.h>
#include <stdbool.h>

#include "encode.h"
#include "program.h"
#include "state.h"

/* What a body is added to.  A fresh message was made here, with all fields that its type requires,
 * none of them reserved, and without a body. */
enum CommitTo {
    COMMIT_TO_ANY,
    COMMIT_TO_FRESH, /* somebody has it already */
    COMMIT_TO_NEW,   /* fresh, and nobody is to have it if this fails */
};

/* Adds the encoder's body to *message, which may be replaced by another DBusMessage of the same
 * header; the encoder's buffer is used up.  -1 with an exception: *message is as it was, but a new
 * one is a ruin, good for nothing but its end. */
int commit_body(State *st, DBusMessage **message, enum CommitTo to, const Program *program,
                Encoder *e);

/* 0 if the message, with this path in the place of its own and as many bytes more of body, is not
 * too long.  The names count as if they were set: they may be still, and the bus adds one. */
int commit_check_size(DBusMessage *message, const char *path, size_t more);

/* An independent copy; NULL with MemoryError, or OSError where descriptors ran out. */
DBusMessage *commit_copy_new(DBusMessage *message);

/* The name of a header field without which a message of this type is invalid and which this one
 * has not ("path", "interface" ...); NULL if there is none. */
const char *commit_missing_field(DBusMessage *message);

/* Whether the message uses the path or the interface that is reserved for libdbus itself. */
bool commit_is_local(DBusMessage *message);

#endif
