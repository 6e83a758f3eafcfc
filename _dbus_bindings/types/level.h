/* SPDX-License-Identifier: MIT */
/*
 * Where variant_level lives.
 *
 * Every value of ours keeps the number of variants around it in a C field, never in a table
 * beside the objects.  For str, float, list and dict that is a trailing field.  An int of ours
 * fits in 64 bits, so room for the digits of any such number is reserved in basicsize and the
 * field follows at a constant offset.  bytes and tuple end with their items, so the field goes
 * behind those and is found through Py_SIZE.
 *
 * CPython puts the __dict__ of a Python subclass behind basicsize and the items, out of our way
 * in all cases.  level_self_test() makes sure at import that the interpreter which runs is the
 * one whose headers we were compiled with, as far as these layouts go.
 */
#ifndef DBUS_SHIM_TYPES_LEVEL_H
#define DBUS_SHIM_TYPES_LEVEL_H

#include <Python.h>

#include "../state.h"
#include "digits.h"

typedef struct IntValue {
    PyLongObject head;          /* with the first digit */
    digit rest[INT_DIGITS - 1]; /* never named: digits.h counts on from the first */
    long level;
} IntValue;

typedef struct FloatValue {
    PyFloatObject head;
    long level;
} FloatValue;

typedef struct StringValue {
    PyUnicodeObject head;
    long level;
} StringValue;

/* Of all containers; that of a tuple is behind its items. */
typedef struct ContainerTail {
    PyObject *signature; /* Signature or None; NULL only while being made or cleared */
    long level;
} ContainerTail;

typedef struct ArrayValue {
    PyListObject head;
    ContainerTail tail;
} ArrayValue;

typedef struct DictionaryValue {
    PyDictObject head;
    ContainerTail tail;
} DictionaryValue;

typedef struct UnixFdValue {
    PyObject_HEAD
    int fd; /* -1 once taken */
    long level;
} UnixFdValue;

#define BYTES_ITEMS ((Py_ssize_t)offsetof(PyBytesObject, ob_sval))
#define STRUCT_ITEMS ((Py_ssize_t)offsetof(PyTupleObject, ob_item))

/* For help(): the last paragraph about a class, and the attribute. */
#define LEVEL_DOC                                                                                  \
    "\n\n``variant_level`` (an int, 0 or more) says in how many nested variants the value "        \
    "travels."
#define LEVEL_MEMBER_DOC "The number of nested variants that the value travels in (int)."

/* Sizes for the type specs.  bytes: the NUL, and up to a word lost on aligning the field. */
#define BYTES_BASICSIZE ((int)(BYTES_ITEMS + 1 + 7 + (Py_ssize_t)sizeof(long)))
#define STRUCT_BASICSIZE ((int)(STRUCT_ITEMS + (Py_ssize_t)sizeof(ContainerTail)))

static inline long *
bytes_level(PyObject *value)
{
    Py_ssize_t end = BYTES_ITEMS + 1 + Py_SIZE(value);

    return (long *)(void *)((char *)value + ((end + 7) & ~(Py_ssize_t)7));
}

static inline ContainerTail *
struct_tail(PyObject *value)
{
    return (ContainerTail *)(void *)((char *)value + STRUCT_ITEMS +
                                     Py_SIZE(value) * (Py_ssize_t)sizeof(PyObject *));
}

/* The variant_level of any object; 0 for those that are not of our types.  Never fails. */
long level_of(State *st, PyObject *value);

/* The value of a variant_level keyword, NULL meaning 0.  -1 with TypeError, OverflowError or
 * ValueError. */
int level_convert(PyObject *value, long *ret_level);

/* 0 if the running interpreter has the layouts assumed here, else -1 with ImportError. */
int level_self_test(void);

#endif
