/* SPDX-License-Identifier: MIT */
/*
 * Writing the digits of an int in place.
 *
 * CPython has no public way to make an instance of an int subclass without a temporary int, and
 * a message of numbers is mostly that work.  This is the only file that knows how a PyLongObject
 * looks inside: a count with a sign up to 3.11, a tag from 3.12 on.
 */
#ifndef DBUS_SHIM_TYPES_DIGITS_H
#define DBUS_SHIM_TYPES_DIGITS_H

#include <Python.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most digits that a number of 64 bits takes. */
#define INT_DIGITS ((64 + PyLong_SHIFT - 1) / PyLong_SHIFT)

#if PY_VERSION_HEX >= 0x030C0000
#define DIGITS_OFFSET offsetof(PyLongObject, long_value.ob_digit)
#define DIGITS_TAG_SHIFT 3 /* the two lower bits are the sign, the third is CPython's */
#else
#define DIGITS_OFFSET offsetof(PyLongObject, ob_digit)
#endif

static inline Py_ssize_t
digits_count(uint64_t magnitude)
{
    Py_ssize_t n = 0;

    for (; magnitude; magnitude >>= PyLong_SHIFT)
        n++;
    return n;
}

/* `value` has room for INT_DIGITS digits. */
static inline void
digits_write(PyObject *value, uint64_t magnitude, bool negative)
{
    digit *digits = (digit *)(void *)((char *)value + DIGITS_OFFSET);
    Py_ssize_t n = 0;

    digits[0] = 0; /* read for the number zero too */
    for (; magnitude; magnitude >>= PyLong_SHIFT)
        digits[n++] = (digit)(magnitude & PyLong_MASK);
#if PY_VERSION_HEX >= 0x030C0000
    uintptr_t sign = n == 0 ? 1 : negative ? 2 : 0;

    ((PyLongObject *)(void *)value)->long_value.lv_tag = ((uintptr_t)n << DIGITS_TAG_SHIFT) | sign;
#else
    Py_SET_SIZE((PyVarObject *)(void *)value, negative ? -n : n);
#endif
}

#endif
