/* SPDX-License-Identifier: MIT */
/*
 * Contract: matches.h.
 */
#include "matches.h"

#include <string.h>

#include "cleanup.h"
#include "compat.h"
#include "program.h"
#include "signalmatch.h"

int
matches_init(Matches *matches)
{
    matches->by_key = PyDict_New();
    return matches->by_key ? 0 : -1;
}

int
matches_traverse(Matches *matches, visitproc visit, void *arg)
{
    Py_VISIT(matches->by_key);
    return 0;
}

void
matches_clear(Matches *matches)
{
    Py_CLEAR(matches->by_key);
}

static PyObject *
or_none(PyObject *part)
{
    return part ? part : Py_None;
}

static unsigned
place_of(const SignalMatch *match)
{
    return (or_none(match->path) != Py_None ? 4u : 0) |
           (or_none(match->interface) != Py_None ? 2u : 0) |
           (or_none(match->member) != Py_None ? 1u : 0);
}

static PyObject *
key_of(const SignalMatch *match)
{
    return PyTuple_Pack(4, or_none(match->path), or_none(match->interface), or_none(match->member),
                        or_none(match->arg0));
}

/* The connection is being collected, or was never whole. */
static int
check_alive(const Matches *matches)
{
    if (matches->by_key)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "the connection is being collected");
    return -1;
}

/* An entry of the index is one match, or a list of several: most places have one. */
static Py_ssize_t
entry_size(PyObject *entry)
{
    return !entry ? 0 : PyList_CheckExact(entry) ? PyList_GET_SIZE(entry) : 1;
}

static PyObject *
entry_item(PyObject *entry, Py_ssize_t i)
{
    return PyList_CheckExact(entry) ? PyList_GET_ITEM(entry, i) : entry;
}

static int
entry_add(PyObject *by_key, PyObject *key, PyObject *object)
{
    PyObject *entry = PyDict_GetItemWithError(by_key, key);

    if (!entry)
        return PyErr_Occurred() ? -1 : PyDict_SetItem(by_key, key, object);
    if (PyList_CheckExact(entry))
        return PyList_Append(entry, object);
    _cleanup_object_ PyObject *list = PyList_New(2);
    if (!list)
        return -1;
    PyList_SET_ITEM(list, 0, Py_NewRef(entry));
    PyList_SET_ITEM(list, 1, Py_NewRef(object));
    return PyDict_SetItem(by_key, key, list);
}

int
matches_add(State *st, Matches *matches, PyObject *object)
{
    SignalMatch *match = signalmatch_borrow(st, object);
    _cleanup_object_ PyObject *key = match && check_alive(matches) == 0 ? key_of(match) : NULL;

    if (!key || entry_add(matches->by_key, key, object) < 0)
        return -1;
    match->number = ++matches->last_number;
    matches->places[place_of(match)]++;
    matches->n_arg0 += or_none(match->arg0) != Py_None;
    return 0;
}

/* 1, or 0 if it is not there, or -1. */
static int
entry_remove(PyObject *by_key, PyObject *key, PyObject *object)
{
    PyObject *entry = PyDict_GetItemWithError(by_key, key);
    Py_ssize_t n = entry_size(entry), i = 0;

    while (i < n && entry_item(entry, i) != object)
        i++;
    if (i == n)
        return PyErr_Occurred() ? -1 : 0;
    if (n == 1)
        return PyDict_DelItem(by_key, key) < 0 ? -1 : 1;
    return PyList_SetSlice(entry, i, i + 1, NULL) < 0 ? -1 : 1;
}

int
matches_remove(State *st, Matches *matches, PyObject *object)
{
    SignalMatch *match = signalmatch_borrow(st, object);
    _cleanup_object_ PyObject *key = match && check_alive(matches) == 0 ? key_of(match) : NULL;
    _keep_object_ PyObject *keep = Py_NewRef(object);
    int removed = key ? entry_remove(matches->by_key, key, object) : -1;

    if (removed == 1) {
        matches->places[place_of(match)]--;
        matches->n_arg0 -= or_none(match->arg0) != Py_None;
    }
    return removed;
}

PyObject *
matches_at(Matches *matches, PyObject *key)
{
    _cleanup_object_ PyObject *found = check_alive(matches) == 0 ? PyList_New(0) : NULL;
    PyObject *entry = found ? PyDict_GetItemWithError(matches->by_key, key) : NULL;

    if (PyErr_Occurred())
        return NULL;
    for (Py_ssize_t i = 0; i < entry_size(entry); i++)
        if (PyList_Append(found, entry_item(entry, i)) < 0)
            return NULL;
    return TAKE(found);
}

PyObject *
matches_all(Matches *matches)
{
    _cleanup_object_ PyObject *found = check_alive(matches) == 0 ? PyList_New(0) : NULL;
    PyObject *key, *entry;
    Py_ssize_t pos = 0;

    while (found && PyDict_Next(matches->by_key, &pos, &key, &entry))
        for (Py_ssize_t i = 0; i < entry_size(entry); i++)
            if (PyList_Append(found, entry_item(entry, i)) < 0)
                return NULL;
    return TAKE(found);
}

/* The first argument of the message where it is a string; None else.  A new reference. */
static PyObject *
first_argument(State *st, DBusMessage *message)
{
    DBusMessageIter iter;
    const char *text;

    if (!dbus_message_iter_init(message, &iter) ||
        dbus_message_iter_get_arg_type(&iter) != DBUS_TYPE_STRING)
        return Py_NewRef(Py_None);
    dbus_message_iter_get_basic(&iter, &text);
    return program_shared_text(st, text, strlen(text), false);
}

static PyObject *
text_or_none(State *st, const char *text)
{
    return text ? program_shared_text(st, text, strlen(text), false) : Py_NewRef(Py_None);
}

static int
compare(const PyObject *one, const PyObject *other)
{
    uint64_t a = ((const SignalMatch *)one)->number, b = ((const SignalMatch *)other)->number;

    return a < b ? -1 : a > b;
}

/* Appends two entries (borrowed, or NULL), each in order, to `found`, in one order. */
static int
merge(PyObject *found, PyObject *one, PyObject *other)
{
    Py_ssize_t n = entry_size(one), m = entry_size(other);
    Py_ssize_t i = 0, j = 0;

    while (i < n || j < m) {
        bool first = j == m || (i < n && compare(entry_item(one, i), entry_item(other, j)) < 0);
        PyObject *next = first ? entry_item(one, i++) : entry_item(other, j++);

        if (PyList_Append(found, next) < 0)
            return -1;
    }
    return 0;
}

/* What a signal is looked up by; owned. */
typedef struct Parts {
    PyObject *path, *interface, *member, *arg0;
} Parts;

static void
cleanup_parts(Parts *parts)
{
    Py_XDECREF(parts->path);
    Py_XDECREF(parts->interface);
    Py_XDECREF(parts->member);
    Py_XDECREF(parts->arg0);
}

/* The entry at one place, borrowed; NULL with an exception, or without one. */
static PyObject *
entry_at(const Matches *matches, const Parts *parts, unsigned place, PyObject *arg0)
{
    _cleanup_object_ PyObject *key =
        PyTuple_Pack(4, place & 4 ? parts->path : Py_None, place & 2 ? parts->interface : Py_None,
                     place & 1 ? parts->member : Py_None, arg0);

    return key ? PyDict_GetItemWithError(matches->by_key, key) : NULL;
}

static int
find_at(const Matches *matches, const Parts *parts, unsigned place, PyObject *found)
{
    PyObject *any = entry_at(matches, parts, place, Py_None), *these = NULL;

    if (!any && PyErr_Occurred())
        return -1;
    if (parts->arg0 != Py_None)
        these = entry_at(matches, parts, place, parts->arg0);
    if (!these && PyErr_Occurred())
        return -1;
    return merge(found, any, these);
}

PyObject *
matches_find(State *st, Matches *matches, DBusMessage *message)
{
    if (!matches->by_key || PyDict_GET_SIZE(matches->by_key) == 0)
        return NULL;
    _cleanup_(cleanup_parts) Parts parts = {
        .path = text_or_none(st, dbus_message_get_path(message)),
        .interface = text_or_none(st, dbus_message_get_interface(message)),
        .member = text_or_none(st, dbus_message_get_member(message)),
        .arg0 = matches->n_arg0 ? first_argument(st, message) : Py_NewRef(Py_None),
    };
    _cleanup_object_ PyObject *found = PyList_New(0);

    if (!found || !parts.path || !parts.interface || !parts.member || !parts.arg0)
        return NULL;
    for (unsigned place = 0; place < MATCH_PLACES; place++)
        if (matches->places[place] && find_at(matches, &parts, place, found) < 0)
            return NULL;
    return PyList_GET_SIZE(found) ? TAKE(found) : NULL;
}
