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

static PyObject *
or_none(PyObject *part)
{
    return part ? part : Py_None;
}

static int
check_alive(const Matches *matches)
{
    if (matches->places)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "these matches are being collected");
    return -1;
}

/* What a signal is looked up by, or a match stands under; owned, None for a part that is not. */
typedef struct Parts {
    PyObject *path, *interface, *member, *arg0;
} Parts;

static Parts
parts_of(const SignalMatch *match)
{
    return (Parts){.path = Py_NewRef(or_none(match->path)),
                   .interface = Py_NewRef(or_none(match->interface)),
                   .member = Py_NewRef(or_none(match->member)),
                   .arg0 = Py_NewRef(or_none(match->arg0))};
}

static void
cleanup_parts(Parts *parts)
{
    Py_XDECREF(parts->path);
    Py_XDECREF(parts->interface);
    Py_XDECREF(parts->member);
    Py_XDECREF(parts->arg0);
}

#define _cleanup_parts_ _cleanup_(cleanup_parts)

/* Notes that there is one match more, or one less. */
static void
count(Matches *matches, const Parts *parts, Py_ssize_t change)
{
    matches->n_open[(parts->interface == Py_None) * 2 + (parts->member == Py_None)] += change;
    if (parts->arg0 != Py_None)
        matches->n_arg0 += change;
}

static PyObject *
key_new(PyObject *path, PyObject *arg0)
{
    return arg0 == Py_None ? Py_NewRef(path) : PyTuple_Pack(2, path, arg0);
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
entry_add(PyObject *place, PyObject *key, PyObject *object)
{
    PyObject *entry = PyDict_GetItemWithError(place, key);

    if (!entry)
        return PyErr_Occurred() ? -1 : PyDict_SetItem(place, key, object);
    if (PyList_CheckExact(entry))
        return PyList_Append(entry, object);
    _cleanup_object_ PyObject *list = PyList_New(2);
    if (!list)
        return -1;
    PyList_SET_ITEM(list, 0, Py_NewRef(entry));
    PyList_SET_ITEM(list, 1, Py_NewRef(object));
    return PyDict_SetItem(place, key, list);
}

/* The inner dict of the parts, borrowed, made if it is to be; NULL with an exception, or without. */
static PyObject *
place_of(const Matches *matches, PyObject *interface, PyObject *member, bool make)
{
    _cleanup_object_ PyObject *pair = PyTuple_Pack(2, interface, member);
    PyObject *place = pair ? PyDict_GetItemWithError(matches->places, pair) : NULL;

    if (place || !make || PyErr_Occurred())
        return place;
    _cleanup_object_ PyObject *fresh = PyDict_New();
    return fresh ? PyDict_SetDefault(matches->places, pair, fresh) : NULL;
}

static PyObject *
add(PyObject *self, PyObject *object)
{
    Matches *matches = (Matches *)self;
    SignalMatch *match = signalmatch_borrow(state_of(self), object);

    if (!match || check_alive(matches) < 0)
        return NULL;
    _cleanup_parts_ Parts parts = parts_of(match);
    PyObject *place = place_of(matches, parts.interface, parts.member, true);
    _cleanup_object_ PyObject *key = place ? key_new(parts.path, parts.arg0) : NULL;
    if (!key || entry_add(place, key, object) < 0)
        return NULL;
    match->number = ++matches->last_number & UINT64_C(0xffffffffffff);
    count(matches, &parts, 1);
    Py_RETURN_NONE;
}

/* 1, or 0 if it is not there, or -1. */
static int
entry_remove(PyObject *place, PyObject *key, PyObject *object)
{
    PyObject *entry = PyDict_GetItemWithError(place, key);
    Py_ssize_t n = entry_size(entry), i = 0;

    while (i < n && entry_item(entry, i) != object)
        i++;
    if (i == n)
        return PyErr_Occurred() ? -1 : 0;
    if (n == 1)
        return PyDict_DelItem(place, key) < 0 ? -1 : 1;
    return PyList_SetSlice(entry, i, i + 1, NULL) < 0 ? -1 : 1;
}

/* 1, or 0 if it was not there, or -1 with an exception. */
static int
remove_match(Matches *matches, SignalMatch *match)
{
    PyObject *object = (PyObject *)match;
    _cleanup_parts_ Parts parts = parts_of(match);
    PyObject *place = place_of(matches, parts.interface, parts.member, false);
    _cleanup_object_ PyObject *key = place ? key_new(parts.path, parts.arg0) : NULL;
    _cleanup_object_ PyObject *pair = key ? PyTuple_Pack(2, parts.interface, parts.member) : NULL;
    int removed = pair ? entry_remove(place, key, object) : PyErr_Occurred() ? -1 : 0;
    if (removed < 1)
        return removed;
    match->number = 0;
    count(matches, &parts, -1);
    if (PyDict_GET_SIZE(place) == 0 && PyDict_DelItem(matches->places, pair) < 0)
        return -1;
    return 1;
}

static PyObject *
remove_object(PyObject *self, PyObject *object)
{
    Matches *matches = (Matches *)self;
    SignalMatch *match = signalmatch_borrow(state_of(self), object);
    _keep_object_ PyObject *keep = Py_NewRef(object);

    if (!match || check_alive(matches) < 0)
        return NULL;
    int removed = remove_match(matches, match);
    return removed < 0 ? NULL : PyBool_FromLong(removed);
}

/* Appends the matches of an entry (borrowed, or NULL). */
static int
append_entry(PyObject *found, PyObject *entry)
{
    for (Py_ssize_t i = 0; i < entry_size(entry); i++)
        if (PyList_Append(found, entry_item(entry, i)) < 0)
            return -1;
    return 0;
}

static int
append_at(PyObject *found, PyObject *place, PyObject *path, PyObject *arg0)
{
    _cleanup_object_ PyObject *key = key_new(path, arg0);
    PyObject *entry = key ? PyDict_GetItemWithError(place, key) : NULL;

    return PyErr_Occurred() ? -1 : append_entry(found, entry);
}

static PyObject *
at(PyObject *self, PyObject *args)
{
    Matches *matches = (Matches *)self;
    PyObject *path, *interface, *member, *arg0;

    if (!PyArg_ParseTuple(args, "OOOO:at", &path, &interface, &member, &arg0))
        return NULL;
    _cleanup_object_ PyObject *found = check_alive(matches) == 0 ? PyList_New(0) : NULL;
    PyObject *place = found ? place_of(matches, interface, member, false) : NULL;
    if (PyErr_Occurred() || (place && append_at(found, place, path, arg0) < 0))
        return NULL;
    return TAKE(found);
}

/* Whether a match has the same sender as `match`; -1 with an exception. */
static int
entry_has_like(PyObject *entry, const SignalMatch *match)
{
    for (Py_ssize_t i = 0; i < entry_size(entry); i++) {
        const SignalMatch *other = (SignalMatch *)entry_item(entry, i);
        int same = PyObject_RichCompareBool(or_none(other->owner), or_none(match->owner), Py_EQ);

        if (same)
            return same;
    }
    return 0;
}

static PyObject *
has_like(PyObject *self, PyObject *object)
{
    Matches *matches = (Matches *)self;
    SignalMatch *match = signalmatch_borrow(state_of(self), object);

    if (!match || check_alive(matches) < 0)
        return NULL;
    _cleanup_parts_ Parts parts = parts_of(match);
    PyObject *place = place_of(matches, parts.interface, parts.member, false);
    _cleanup_object_ PyObject *key = place ? key_new(parts.path, parts.arg0) : NULL;
    _cleanup_object_ PyObject *entry = key ? Py_XNewRef(PyDict_GetItemWithError(place, key)) : NULL;
    int has = PyErr_Occurred() ? -1 : entry_has_like(entry, match);
    return has < 0 ? NULL : PyBool_FromLong(has);
}

static PyObject *
all(PyObject *self, PyObject *unused)
{
    Matches *matches = (Matches *)self;
    _cleanup_object_ PyObject *found = check_alive(matches) == 0 ? PyList_New(0) : NULL;
    PyObject *key, *place, *entry;
    Py_ssize_t outer = 0, inner;

    (void)unused;
    while (found && PyDict_Next(matches->places, &outer, &key, &place))
        for (inner = 0; PyDict_Next(place, &inner, &key, &entry);)
            if (append_entry(found, entry) < 0)
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

/* Those for any path come before those for this one, and so on inward. */
static unsigned
rank_of(const SignalMatch *match)
{
    return (or_none(match->path) != Py_None ? 4u : 0) |
           (or_none(match->interface) != Py_None ? 2u : 0) |
           (or_none(match->member) != Py_None ? 1u : 0);
}

static bool
is_before(PyObject *one, PyObject *other)
{
    const SignalMatch *a = (SignalMatch *)one, *b = (SignalMatch *)other;

    return rank_of(a) != rank_of(b) ? rank_of(a) < rank_of(b) : a->number < b->number;
}

/* By insertion: most often there is one, and what one entry gives is in order. */
static void
sort(PyObject *found)
{
    PyObject **items = PySequence_Fast_ITEMS(found);

    for (Py_ssize_t i = 1; i < PyList_GET_SIZE(found); i++) {
        PyObject *item = items[i];
        Py_ssize_t at = i;

        for (; at > 0 && is_before(item, items[at - 1]); at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

static int
find_at(const Matches *matches, const Parts *parts, PyObject *interface, PyObject *member,
        PyObject *found)
{
    PyObject *place = place_of(matches, interface, member, false);

    if (!place)
        return PyErr_Occurred() ? -1 : 0;
    if (append_at(found, place, parts->path, Py_None) < 0 ||
        append_at(found, place, Py_None, Py_None) < 0)
        return -1;
    if (parts->arg0 == Py_None)
        return 0;
    return append_at(found, place, parts->path, parts->arg0) < 0 ||
                   append_at(found, place, Py_None, parts->arg0) < 0
               ? -1
               : 0;
}

PyObject *
matches_find(State *st, Matches *matches, DBusMessage *message)
{
    if (!matches || !matches->places || PyDict_GET_SIZE(matches->places) == 0)
        return NULL;
    _cleanup_parts_ Parts parts = {
        .path = program_header_text(st, TEXT_PATH, dbus_message_get_path(message)),
        .interface = program_header_text(st, TEXT_INTERFACE, dbus_message_get_interface(message)),
        .member = program_header_text(st, TEXT_MEMBER, dbus_message_get_member(message)),
        .arg0 = matches->n_arg0 ? first_argument(st, message) : Py_NewRef(Py_None),
    };
    _cleanup_object_ PyObject *found = PyList_New(0);

    if (!found || !parts.path || !parts.interface || !parts.member || !parts.arg0)
        return NULL;
    for (int open = 0; open < 4; open++)
        if (matches->n_open[open] && find_at(matches, &parts, open & 2 ? Py_None : parts.interface,
                                             open & 1 ? Py_None : parts.member, found) < 0)
            return NULL;
    sort(found);
    return PyList_GET_SIZE(found) ? TAKE(found) : NULL;
}

/* --- The type */

Matches *
matches_new(State *st)
{
    return (Matches *)PyObject_CallNoArgs((PyObject *)st->matches);
}

static PyObject *new (PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    _cleanup_object_ PyObject *self = NULL;

    if (PyTuple_GET_SIZE(args) || (kwargs && PyDict_GET_SIZE(kwargs)))
        return PyErr_Format(PyExc_TypeError, "%s() takes no arguments", type->tp_name);
    self = type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    ((Matches *)self)->places = PyDict_New();
    return ((Matches *)self)->places ? TAKE(self) : NULL;
}

static int
traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Matches *)self)->places);
    return 0;
}

static int
clear(PyObject *self)
{
    Py_CLEAR(((Matches *)self)->places);
    return 0;
}

static void
dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"add", add, METH_O, "add(match)\n\nHave a _SignalMatch found from now on."},
    {"remove", remove_object, METH_O, "remove(match) -> bool\n\nFalse where it is not in here."},
    {"at", at, METH_VARARGS,
     "at(path, interface, member, arg0) -> list\n\n"
     "The matches with exactly these conditions, each a str or None."},
    {"has_like", has_like, METH_O,
     "has_like(match) -> bool\n\n"
     "Whether a match in here has the conditions of `match`, which may be another, and its "
     "sender."},
    {"all", all, METH_NOARGS, "all() -> list"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "An index of signal matches."},
    {Py_tp_new, new},
    {Py_tp_methods, methods},
    {Py_tp_traverse, traverse},
    {Py_tp_clear, clear},
    {Py_tp_dealloc, dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "_dbus_bindings._Matches",
    .basicsize = sizeof(Matches),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int
matches_setup(PyObject *module, State *st)
{
    return state_add_type(module, &st->matches, &spec, NULL, "_Matches");
}
