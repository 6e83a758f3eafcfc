/* SPDX-License-Identifier: MIT */
/*
 * Numbers out of Python objects: for the constructors, which begin with an int, and for messages,
 * which take more.
 */
#include "number.h"

#include "../cleanup.h"

/* Reads an int: 0, or -1 without an exception if it is too big, -2 with one. */
static int
read_int(PyObject *value, Number *ret_number)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);

    if (number == -1 && PyErr_Occurred())
        return -2;
    if (overflow < 0)
        return -1;
    if (overflow == 0) {
        *ret_number = number_of_bits(INT_INT64, number);
        return 0;
    }
    unsigned long long large = PyLong_AsUnsignedLongLong(value);
    if (large == (unsigned long long)-1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError))
            return -2;
        PyErr_Clear();
        return -1;
    }
    *ret_number = (Number){large, false};
    return 0;
}

static bool
number_fits(Number number, const IntRow *row)
{
    return number.negative ? number.magnitude <= 0 - (uint64_t)row->min
                           : number.magnitude <= row->max;
}

static int
refuse_range(Number number, const IntRow *row)
{
    PyErr_Format(PyExc_OverflowError, "Value %s%llu out of range for %s",
                 number.negative ? "-" : "", (unsigned long long)number.magnitude, row->name);
    return -1;
}

static int
refuse_size(const IntRow *row)
{
    /* Without the number: to write out one of a million digits would be an error of its own. */
    PyErr_Format(PyExc_OverflowError, "Value of more than 64 bits out of range for %s",
                 row ? row->name : "an integer");
    return -1;
}

int
number_of_int(PyObject *value, const IntRow *row, Number *ret_number)
{
    Number number = {0, false};
    int err = read_int(value, &number);

    if (err < 0)
        return err == -1 ? refuse_size(row) : -1;
    if (row && !number_fits(number, row))
        return refuse_range(number, row);
    *ret_number = number;
    return 0;
}

/* For 'y' in a message. */
static int
byte_to_wire(PyObject *value, uint64_t *ret_bits)
{
    if (PyBytes_Check(value)) {
        if (PyBytes_GET_SIZE(value) != 1) {
            PyErr_Format(PyExc_ValueError, "Expected a length-1 bytes but found %zd bytes",
                         PyBytes_GET_SIZE(value));
            return -1;
        }
        *ret_bits = (unsigned char)PyBytes_AS_STRING(value)[0];
        return 0;
    }
    _cleanup_object_ PyObject *number = PyNumber_Index(value);
    if (!number)
        return -1;
    long byte = PyLong_AsLong(number);
    if (byte == -1 && PyErr_Occurred())
        return -1;
    if (byte < 0 || byte > UINT8_MAX) {
        PyErr_Format(PyExc_ValueError, "%ld outside range for a byte value", byte);
        return -1;
    }
    *ret_bits = (uint64_t)byte;
    return 0;
}

static int
boolean_to_wire(PyObject *value, uint64_t *ret_bits)
{
    int truth = PyObject_IsTrue(value);

    if (truth < 0)
        return -1;
    *ret_bits = (uint64_t)truth;
    return 0;
}

int
int_to_wire(const State *st, PyObject *value, enum IntKind kind, uint64_t *ret_bits)
{
    Number number;

    (void)st;
    if (kind == INT_BYTE)
        return byte_to_wire(value, ret_bits);
    if (kind == INT_BOOLEAN)
        return boolean_to_wire(value, ret_bits);
    _cleanup_object_ PyObject *made = NULL;
    if (!PyLong_Check(value)) {
        /* The three types that are wider than a C int on 32 bits take whatever int() does. */
        made = kind >= INT_UINT32 ? PyNumber_Long(value) : PyNumber_Index(value);
        if (!made)
            return -1;
        value = made;
    }
    if (number_of_int(value, &int_rows[kind], &number) < 0)
        return -1;
    *ret_bits = number.negative ? 0 - number.magnitude : number.magnitude;
    return 0;
}
