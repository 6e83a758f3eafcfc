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

typedef struct Encoder {
    State *st;
    unsigned char *data; /* the body starts at data + ENCODE_ROOM */
    size_t len;          /* of all, ENCODE_ROOM included */
    size_t cap;
    unsigned depth; /* containers around the value at hand */
    int *fds;       /* duplicates, closed by encoder_clear() */
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

/* For the files that share the work. */

/* Makes room for `needed` bytes in all. -1 with MemoryError, or ValueError beyond 128 MiB. */
int encoder_grow(Encoder *e, size_t needed);

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

/* ValueError: there would be more than LIMIT_FDS. */
int encode_refuse_fds(void);

#define _cleanup_encoder_ _cleanup_(encoder_clear)

#endif
