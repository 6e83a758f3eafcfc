/* SPDX-License-Identifier: MIT */
/*
 * Every check on names and strings that keeps libdbus from aborting.
 *
 * The rule_* functions look at UTF-8 of the given length and return NULL where all is well, else
 * the rule that was broken (D-Bus Specification, "Valid Names", "Valid Object Paths").  The
 * check_* functions raise ValueError and return -1.
 */
#ifndef DBUS_SHIM_VALIDATE_H
#define DBUS_SHIM_VALIDATE_H

#include <Python.h>

#include <stdbool.h>

#include "state.h"

int validate_setup(PyObject *module, State *st);

enum {
    NAME_UNIQUE = 1,     /* unique names are accepted */
    NAME_WELL_KNOWN = 2, /* well-known names are accepted */
    NAME_ANY = 3,
};

int check_bus_name(const char *name, int kinds);
int check_interface(const char *name);
int check_error_name(const char *name);
int check_member(const char *name);
int check_path(const char *path);

/* As check_path for `len` bytes that need not end with NUL, without an exception. */
bool path_is_valid(const char *path, size_t len);

/* The string's UTF-8, without NUL inside; NULL with TypeError, ValueError or UnicodeEncodeError.
 * `what` names the argument in the text.  It lives as long as the object. */
const char *check_text(PyObject *text, const char *what, Py_ssize_t *ret_len);

/* PyArg_Parse converters ("O&", PyObject ** -> const char **): str, or str or None (NULL). */
int text_converter(PyObject *value, void *ret_text);
int text_or_none_converter(PyObject *value, void *ret_text);

/* Seconds (float; negative: the default) as milliseconds for libdbus; -1 with ValueError where
 * it is out of range or not a number. */
int check_timeout(double seconds, int *ret_ms);

#endif
