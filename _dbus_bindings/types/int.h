/* SPDX-License-Identifier: MIT */
/*
 * The integer types of D-Bus, all of them rows of one table, and their direct constructor.
 */
#ifndef DBUS_SHIM_TYPES_INT_H
#define DBUS_SHIM_TYPES_INT_H

#include <Python.h>

#include <stdint.h>

#include "../state.h"

enum IntKind {
    INT_BYTE,
    INT_BOOLEAN,
    INT_INT16,
    INT_UINT16,
    INT_INT32,
    INT_UINT32,
    INT_INT64,
    INT_UINT64,
    INT_KINDS
};

typedef struct IntRow {
    const char *name; /* "Int32" */
    const char *spec; /* "dbus.Int32" */
    const char *doc;
    Py_ssize_t field; /* offset of the type in State */
    int64_t min;
    uint64_t max;
    char code;          /* the type's letter in a signature */
    unsigned char size; /* bytes on the wire, also the alignment */
} IntRow;

extern const IntRow int_rows[INT_KINDS];

int int_setup(PyObject *module, State *st);

static inline PyTypeObject *
int_type_borrow(const State *st, enum IntKind kind)
{
    return *(PyTypeObject *const *)(const void *)((const char *)st + int_rows[kind].field);
}

/* A value of the exact type.  `bits` is the number itself, for UINT64 its two's complement; it
 * must be in the range of `kind`, as every decoded one is by its size.  Small values at level 0
 * are shared. */
PyObject *int_new(State *st, enum IntKind kind, int64_t bits, long level);

/* The kind of a value of ours (Python subclasses included), -1 for all else.  Never fails. */
int int_kind_of(const State *st, PyObject *value);

/* The number that `value` stands for where a message wants `kind`, sign-extended to 64 bits.
 * Any Python object may come.  -1 with OverflowError (ValueError for a byte) if it is out of
 * range, TypeError or ValueError if it is no number; also whatever __index__, __int__ or
 * __bool__ raise. */
int int_to_wire(const State *st, PyObject *value, enum IntKind kind, uint64_t *ret_bits);

#endif
