/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a message body to Python values.
 *
 * libdbus has validated what arrives, yet every read is checked against the bytes that are there:
 * a fault on either side becomes a ValueError.  Decoding runs no Python code but what the garbage
 * collector may run.
 */
#ifndef DBUS_SHIM_DECODE_H
#define DBUS_SHIM_DECODE_H

#include <Python.h>

#include <dbus/dbus.h>
#include <stdbool.h>

#include "program.h"
#include "state.h"

enum DecodeFlavour {
    DECODE_TYPED,             /* dbus.Int32, dbus.Array ...; ay is an Array of Byte */
    DECODE_TYPED_BYTE_ARRAYS, /* the same, but ay is a ByteArray */
    DECODE_PLAIN,             /* int, str, list, dict, tuple, bytes, Variant; h is an index */
};

/* A body.  `fds` are its descriptors in the order in which the values occur; those that became
 * part of a result are set to -1, the rest stay the caller's.  In the plain flavour all do: the
 * values are their indexes. */
typedef struct DecodeBody {
    const unsigned char *data;
    size_t len;
    bool swap; /* not in the machine's byte order */
    int *fds;
    size_t n_fds;
} DecodeBody;

/* The same list out of a message itself: for a program that is flat (program.h), of a message without
 * descriptors.  libdbus' iterators are slow on containers, but here they spare a copy of the body. */
PyObject *decode_flat(State *st, const Program *program, DBusMessage *message,
                      enum DecodeFlavour flavour);

/* A new list with one value for each complete type of the program. */
PyObject *decode_body(State *st, const Program *program, const DecodeBody *body,
                      enum DecodeFlavour flavour);

#endif
