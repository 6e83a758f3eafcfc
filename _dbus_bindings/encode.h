/* SPDX-License-Identifier: MIT */
/*
 * Python values to the bytes of a message body.
 *
 * Everything that libdbus would check, and a good deal that it would not, is checked here, so what
 * comes out is a valid body in the machine's byte order.  Converting a value may run Python code
 * (__int__, iterators, __getitem__ ...) which may do anything, also change the containers that
 * are being read: items are owned while in use and sizes are looked at again at every step.
 */
#ifndef DBUS_SHIM_ENCODE_H
#define DBUS_SHIM_ENCODE_H

#include <Python.h>

#include <stdbool.h>

#include "program.h"
#include "state.h"

#define ENCODE_ROOM 512u /* free space before the body, where most headers fit; multiple of 8 */
#define ENCODE_SMALL 1536u
#define HELD_LEAST 32768u /* bytes; what is shorter is as quickly copied */

/* Bytes of the body that are not copied: those of an object that cannot change. */
typedef struct Held {
    size_t at; /* where they belong in the body */
    size_t n;
    const void *bytes;
    PyObject *owner; /* a bytes or str, owned */
} Held;

typedef struct Encoder {
    State *st;
    unsigned char *data; /* the body starts at data + ENCODE_ROOM */
    size_t len;          /* of all that is in `data`, ENCODE_ROOM included */
    size_t cap;
    Held *held; /* in the order of the body */
    size_t n_held;
    size_t left_out; /* bytes that are held and not in `data` */
    size_t steps;    /* calls of libdbus that it would take to append the body piece by piece */
    unsigned depth;  /* containers around the value at hand */
    int *fds;        /* duplicates, closed by encoder_clear() */
    size_t n_fds;
    bool plain;         /* a variant is a Variant, and h an index into: */
    PyObject *unix_fds; /* borrowed list of int */
    _Alignas(8) unsigned char small[ENCODE_SMALL];
} Encoder;

/* Never fails; encoder_clear() may be called on it from here on. */
void encoder_init(Encoder *e, State *st);
void encoder_clear(Encoder *e);

/* Appends one value for each complete type of the program.  -1 with an exception: of the kinds
 * that the conversions raise, TypeError where the numbers of types and values differ, ValueError
 * for what the protocol forbids. */
int encode_args(Encoder *e, const Program *program, PyObject *const *args, Py_ssize_t n);

/* The length of the body as it will be on the wire. */
static inline size_t
encoder_size(const Encoder *e)
{
    return e->len - ENCODE_ROOM + e->left_out;
}

/* How many of the bytes that are held are not in the flat body.  The rest are bytes without a
 * meaning there, so that what follows is aligned as it will be on the wire. */
static inline size_t
held_left_out(const Held *held)
{
    return held->n & ~(size_t)7;
}

/* For the files that share the work. */

/* Makes room for `needed` bytes in all. -1 with MemoryError, or ValueError beyond 128 MiB. */
int encoder_grow(Encoder *e, size_t needed);

/* Appends n bytes of `owner`, which cannot change if it is a bytes or a str and is then held
 * instead where that saves much. */
int encode_bytes(Encoder *e, PyObject *owner, const void *bytes, size_t n);

/* Appends n bytes, not set yet, behind padding of zeros up to a multiple of `align`; NULL with an
 * exception.  The pointer holds until the next call that appends. */
static inline unsigned char *
encode_put(Encoder *e, size_t align, size_t n)
{
    size_t start = (e->len + align - 1) & ~(align - 1);

    if (start + n > e->cap && encoder_grow(e, start + n) < 0)
        return NULL;
    while (e->len < start)
        e->data[e->len++] = 0;
    e->len = start + n;
    return e->data + start;
}

int encode_value(Encoder *e, const Node *node, PyObject *value);
int encode_basic(Encoder *e, const Node *node, PyObject *value);
int encode_enter(Encoder *e, unsigned levels);

/* ValueError: there would be more than LIMIT_FDS, or LIMIT_MESSAGE.  They return -1. */
int encode_refuse_fds(void);
int encode_refuse_size(void);

#define _cleanup_encoder_ _cleanup_(encoder_clear)

#endif
