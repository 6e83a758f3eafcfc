/* SPDX-License-Identifier: MIT */
/*
 * The constructor of dbus.aio's Message, for arguments that need no second look (plain.h).
 *
 * What a Message is, and what it refuses, is written in Python.  Its __init__ is called for
 * everything that is not the usual case here: for other classes of arguments, and for all that
 * cannot be sent.
 */
#include "plain.h"

#include "cleanup.h"
#include "compat.h"
#include "program.h"

#define PARAMETERS 14
#define VALIDATE 13 /* the last one; the others are fields */

static const char *const parameter_names[PARAMETERS] = {
    "destination",  "path",   "interface", "member",    "message_type", "flags",  "error_name",
    "reply_serial", "sender", "unix_fds",  "signature", "body",         "serial", "validate",
};

static const enum PlainField parameter_fields[VALIDATE] = {
    DESTINATION,  PATH,   INTERFACE, MEMBER,    MESSAGE_TYPE, FLAGS,  ERROR_NAME,
    REPLY_SERIAL, SENDER, UNIX_FDS,  SIGNATURE, BODY,         SERIAL,
};

int
plain_init_setup(State *st)
{
    _cleanup_object_ PyObject *names = PyTuple_New(PARAMETERS);

    for (int i = 0; names && i < PARAMETERS; i++) {
        PyObject *name = PyUnicode_InternFromString(parameter_names[i]);
        if (!name)
            return -1;
        PyTuple_SET_ITEM(names, i, name);
    }
    st->plain_parameters = TAKE(names);
    return st->plain_parameters ? 0 : -1;
}

/* The arguments by parameter, borrowed, NULL where there is none.  False: not the usual case. */
static bool
bind_arguments(State *st, PyObject *args, PyObject *kwargs, PyObject *values[PARAMETERS])
{
    Py_ssize_t n = PyTuple_GET_SIZE(args), pos = 0;
    PyObject *name, *value;

    if (n > PARAMETERS)
        return false;
    for (Py_ssize_t i = 0; i < n; i++)
        values[i] = PyTuple_GET_ITEM(args, i);
    while (kwargs && PyDict_Next(kwargs, &pos, &name, &value)) {
        int i = 0;

        while (i < PARAMETERS && PyTuple_GET_ITEM(st->plain_parameters, i) != name)
            i++;
        if (i == PARAMETERS || values[i])
            return false;
        values[i] = value;
    }
    return true;
}

static bool
is_none(PyObject *value)
{
    return !value || value == Py_None;
}

static bool
is_serial(PyObject *value)
{
    int overflow;

    if (is_none(value))
        return true;
    if (!PyLong_CheckExact(value))
        return false;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    return !overflow && number >= 0 && number <= UINT32_MAX;
}

static bool
is_signature(State *st, PyObject *value)
{
    Py_ssize_t len;
    const char *text;

    if (is_none(value))
        return true;
    if (!PyUnicode_CheckExact(value) || !(text = PyUnicode_AsUTF8AndSize(value, &len)))
        return false;
    _cleanup_program_ Program *program = program_get(st, text, (size_t)len);
    return program != NULL;
}

static bool
is_known_type(State *st, PyObject *value)
{
    for (int i = 1; value && i < PLAIN_TYPES; i++)
        if (value == PyTuple_GET_ITEM(st->plain_types, i))
            return true;
    return !value;
}

static bool
is_usual(State *st, PyObject *const *values)
{
    PyObject *flags = values[5], *error_name = values[6], *validate = values[VALIDATE];

    return is_known_type(st, values[4]) &&
           (!flags || Py_TYPE(flags) == Py_TYPE(PyTuple_GET_ITEM(st->plain_flags, 0))) &&
           (is_none(error_name) || PyUnicode_CheckExact(error_name)) && is_serial(values[7]) &&
           (is_none(values[9]) || PyList_Check(values[9])) && is_signature(st, values[10]) &&
           (is_none(values[11]) || PyList_Check(values[11])) && is_serial(values[12]) &&
           (!validate || PyBool_Check(validate));
}

/* What a field is where nothing, or None, was given; a new reference. */
static PyObject *
default_new(State *st, enum PlainField field)
{
    switch (field) {
    case MESSAGE_TYPE:
        return Py_NewRef(PyTuple_GET_ITEM(st->plain_types, DBUS_MESSAGE_TYPE_METHOD_CALL));
    case FLAGS:
        return Py_NewRef(PyTuple_GET_ITEM(st->plain_flags, 0));
    case REPLY_SERIAL:
    case SERIAL:
        return PyLong_FromLong(0);
    case SIGNATURE:
        return PyUnicode_FromStringAndSize(NULL, 0);
    case UNIX_FDS:
    case BODY:
        return PyList_New(0);
    default:
        return Py_NewRef(Py_None);
    }
}

static int
fill_in(State *st, Plain *self, PyObject *const *values)
{
    for (int i = 0; i < VALIDATE; i++) {
        enum PlainField field = parameter_fields[i];
        PyObject *value = is_none(values[i]) ? default_new(st, field) : Py_NewRef(values[i]);

        if (!value)
            return -1;
        Py_XSETREF(self->fields[field], value);
    }
    return 0;
}

int
plain_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    State *st = state_of(self);
    PyObject *values[PARAMETERS] = {NULL};

    if (bind_arguments(st, args, kwargs, values) && is_usual(st, values)) {
        if (fill_in(st, (Plain *)self, values) < 0)
            return -1;
        if (values[VALIDATE] == Py_False || plain_is_valid(st, self))
            return 0;
    }
    PyErr_Clear();
    return st->plain_slow_init(self, args, kwargs);
}
