/* SPDX-License-Identifier: MIT */
/*
 * Which D-Bus type a Python value without a signature is sent as.
 */
#ifndef DBUS_SHIM_GUESS_H
#define DBUS_SHIM_GUESS_H

#include <Python.h>

#include "limits.h"
#include "state.h"

/* A signature under construction; `text` always ends with NUL. */
typedef struct Guess {
    size_t len;
    char text[LIMIT_SIGNATURE + 1];
} Guess;

/* Appends the type of `value`, which is v where it has a variant_level.  -1 with TypeError for
 * values without a D-Bus type, ValueError for an empty container and a text that grows too long,
 * as that of a list that contains itself does.  What comes out is not always valid: a dictionary
 * keyed by tuples is caught by whoever parses the text. */
int guess_value(State *st, PyObject *value, Guess *guess);

/* As guess_value, but the type inside the variants, whose number goes to *ret_level. */
int guess_content(State *st, PyObject *value, Guess *guess, long *ret_level);

/* The path that an object with the attribute __dbus_object_path__ stands for: 1 and a new str or
 * bytes object, 0 if it has none, -1 with TypeError if the attribute is no string. */
int guess_object_path(State *st, PyObject *value, PyObject **ret_path);

#endif
