/* SPDX-License-Identifier: MIT */
/*
 * The number in a value, apart from its type.
 */
#ifndef DBUS_SHIM_TYPES_NUMBER_H
#define DBUS_SHIM_TYPES_NUMBER_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#include "int.h"

/* Between -2^63 and 2^64 - 1. */
typedef struct Number {
    uint64_t magnitude;
    bool negative;
} Number;

static inline Number
number_of_bits(enum IntKind kind, int64_t bits)
{
    bool negative = bits < 0 && kind != INT_UINT64;

    return (Number){negative ? 0 - (uint64_t)bits : (uint64_t)bits, negative};
}

/* Reads an int (or an instance of a subclass).  -1 with OverflowError if it is out of the range of
 * `row`, or of 64 bits where that is NULL. */
int number_of_int(PyObject *value, const IntRow *row, Number *ret_number);

#endif
