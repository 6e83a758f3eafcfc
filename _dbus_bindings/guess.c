/* SPDX-License-Identifier: MIT */
/*
 * Contract: guess.h.
 */
#include "guess.h"

#include <stdbool.h>
#include <string.h>

#include "cleanup.h"
#include "compat.h"
#include "types/array.h"
#include "types/dict.h"
#include "types/int.h"
#include "types/level.h"

static int guess_bare(State *st, PyObject *value, Guess *guess);

static int
guess_add(Guess *guess, const char *text, size_t n)
{
    if (n > LIMIT_SIGNATURE - guess->len) {
        PyErr_SetString(PyExc_ValueError, "Corrupt type signature: the values need one of more "
                                          "than 255 bytes (does a container contain itself?)");
        return -1;
    }
    memcpy(guess->text + guess->len, text, n);
    guess->len += n;
    guess->text[guess->len] = '\0';
    return 0;
}

static inline int
guess_char(Guess *guess, char code)
{
    return guess_add(guess, &code, 1);
}

static int
guess_text(Guess *guess, PyObject *signature)
{
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(signature, &n);

    return text ? guess_add(guess, text, (size_t)n) : -1;
}

int
guess_object_path(State *st, PyObject *value, PyObject **ret_path)
{
    PyObject *path = PyObject_GetAttr(value, st->str_object_path);

    if (!path) {
        /* An attribute that cannot be read is as good as none, but Ctrl-C stays Ctrl-C. */
        if (!PyErr_ExceptionMatches(PyExc_Exception))
            return -1;
        PyErr_Clear();
        return 0;
    }
    if (!PyUnicode_Check(path) && !PyBytes_Check(path)) {
        Py_DECREF(path);
        PyErr_SetString(PyExc_TypeError, "__dbus_object_path__ must be a string");
        return -1;
    }
    *ret_path = path;
    return 1;
}

/* Borrowed references do not survive the reading of an attribute, so first items are owned. */
static PyObject *
first_item(PyObject *list)
{
    PyObject *item = PyList_GET_SIZE(list) > 0 ? PyList_GET_ITEM(list, 0) : NULL;

    return Py_XNewRef(item);
}

static int
guess_list(State *st, PyObject *list, Guess *guess)
{
    PyObject *signature =
        PyObject_TypeCheck(list, st->array) ? array_signature_borrow(list) : Py_None;

    if (guess_char(guess, 'a') < 0)
        return -1;
    if (signature && signature != Py_None)
        return guess_text(guess, signature);

    _cleanup_object_ PyObject *item = NULL;
    Py_BEGIN_CRITICAL_SECTION(list);
    item = first_item(list);
    Py_END_CRITICAL_SECTION();
    if (!item) {
        PyErr_SetString(PyExc_ValueError, "Unable to guess signature from an empty list");
        return -1;
    }
    return guess_value(st, item, guess);
}

static int
guess_dict(State *st, PyObject *dict, Guess *guess)
{
    PyObject *signature =
        PyObject_TypeCheck(dict, st->dictionary) ? dictionary_signature_borrow(dict) : Py_None;

    if (guess_add(guess, "a{", 2) < 0)
        return -1;
    if (signature && signature != Py_None)
        return guess_text(guess, signature) < 0 ? -1 : guess_char(guess, '}');

    PyObject *borrowed_key = NULL, *borrowed_value = NULL;
    _cleanup_object_ PyObject *key = NULL;
    _cleanup_object_ PyObject *value = NULL;
    Py_BEGIN_CRITICAL_SECTION(dict);
    Py_ssize_t pos = 0;
    if (PyDict_Next(dict, &pos, &borrowed_key, &borrowed_value)) {
        key = Py_NewRef(borrowed_key);
        value = Py_NewRef(borrowed_value);
    }
    Py_END_CRITICAL_SECTION();
    if (!key) {
        PyErr_SetString(PyExc_ValueError, "Unable to guess signature from an empty dict");
        return -1;
    }
    if (guess_value(st, key, guess) < 0 || guess_value(st, value, guess) < 0)
        return -1;
    return guess_char(guess, '}');
}

static int
guess_tuple(State *st, PyObject *tuple, Guess *guess)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);

    if (n == 0) {
        PyErr_SetString(PyExc_ValueError, "D-Bus structs cannot be empty");
        return -1;
    }
    if (guess_char(guess, '(') < 0)
        return -1;
    for (Py_ssize_t i = 0; i < n; i++)
        if (guess_value(st, PyTuple_GET_ITEM(tuple, i), guess) < 0)
            return -1;
    return guess_char(guess, ')');
}

/* The letter of a value's type where one letter says it all; 0 for containers and the rest. */
static char
guess_letter(State *st, PyObject *value)
{
    if (PyBool_Check(value))
        return 'b';
    if (PyLong_Check(value)) {
        int kind = PyLong_CheckExact(value) ? -1 : int_kind_of(st, value);
        return kind < 0 ? 'i' : int_rows[kind].code;
    }
    if (PyUnicode_Check(value)) {
        if (PyObject_TypeCheck(value, st->object_path))
            return 'o';
        return PyObject_TypeCheck(value, st->signature) ? 'g' : 's';
    }
    if (PyFloat_Check(value))
        return 'd';
    if (PyBytes_Check(value) && !PyObject_TypeCheck(value, st->byte_array))
        return 's';
    return PyObject_TypeCheck(value, st->unix_fd) ? 'h' : '\0';
}

/* The types that have no attributes but their own, so that __dbus_object_path__ need not be
 * looked for. */
static bool
is_plain(const State *st, PyTypeObject *type)
{
    return type == &PyUnicode_Type || type == &PyLong_Type || type == st->string ||
           type == st->dictionary || type == st->array || type == st->int32 || type == st->uint32 ||
           type == st->boolean || type == st->structure || type == &PyBool_Type ||
           type == &PyDict_Type || type == &PyList_Type || type == &PyFloat_Type ||
           type == &PyTuple_Type || type == &PyBytes_Type || type == st->object_path ||
           type == st->dbl || type == st->byte || type == st->byte_array || type == st->int64 ||
           type == st->uint64 || type == st->int16 || type == st->uint16 || type == st->signature ||
           type == st->unix_fd;
}

/* The type of `value`, whatever its variant_level. */
static int
guess_bare(State *st, PyObject *value, Guess *guess)
{
    if (!is_plain(st, Py_TYPE(value))) {
        PyObject *path = NULL;
        int found = guess_object_path(st, value, &path);

        Py_XDECREF(path);
        if (found != 0)
            return found < 0 ? -1 : guess_char(guess, 'o');
    }

    char letter = guess_letter(st, value);
    if (letter)
        return guess_char(guess, letter);
    if (PyBytes_Check(value))
        return guess_add(guess, "ay", 2);
    if (PyTuple_Check(value))
        return guess_tuple(st, value, guess);
    if (PyList_Check(value))
        return guess_list(st, value, guess);
    if (PyDict_Check(value))
        return guess_dict(st, value, guess);
    PyErr_Format(PyExc_TypeError, "Don't know which D-Bus type to use to encode type \"%s\"",
                 Py_TYPE(value)->tp_name);
    return -1;
}

/* A UnixFd is never wrapped by its level: programs pass it as h whatever it came in. */
static long
guess_level(State *st, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);

    if (type == &PyUnicode_Type || type == &PyLong_Type || type == st->unix_fd)
        return 0;
    return level_of(st, value);
}

int
guess_value(State *st, PyObject *value, Guess *guess)
{
    return guess_level(st, value) > 0 ? guess_char(guess, 'v') : guess_bare(st, value, guess);
}

int
guess_content(State *st, PyObject *value, Guess *guess, long *ret_level)
{
    long level = guess_level(st, value);

    if (guess_bare(st, value, guess) < 0)
        return -1;
    *ret_level = level;
    return 0;
}
