/* SPDX-License-Identifier: MIT */
/*
 * String and ObjectPath, and the base of ObjectPath and Signature: str with a variant_level.
 */
#ifndef DBUS_SHIM_TYPES_STRING_H
#define DBUS_SHIM_TYPES_STRING_H

#include <Python.h>

#include "../state.h"

int string_setup(PyObject *module, State *st);

/* A value of exactly `type` (String, ObjectPath or Signature) from n bytes of UTF-8, copied once.
 * NULL with UnicodeDecodeError or MemoryError.  The text is not checked otherwise. */
PyObject *string_type_new(PyTypeObject *type, const char *utf8, Py_ssize_t n, long level);

/* For the constructors of this family.  string_make() takes any str as the text and any class
 * derived from one of ours; string_parse_text() parses the arguments of ObjectPath and Signature:
 * the UTF-8 of the text, without NUL inside, and the level as it was given, or NULL. */
PyObject *string_make(PyTypeObject *type, PyObject *text, long level);
void string_dealloc(PyObject *self);
const char *string_parse_text(PyObject *args, PyObject *kwargs, PyObject **ret_text,
                              PyObject **ret_level);

static inline PyObject *
string_new(State *st, const char *utf8, size_t n, long level)
{
    return string_type_new(st->string, utf8, (Py_ssize_t)n, level);
}

/* The caller knows the path to be valid, as those of a received message are. */
static inline PyObject *
object_path_new(State *st, const char *utf8, size_t n, long level)
{
    return string_type_new(st->object_path, utf8, (Py_ssize_t)n, level);
}

#endif
