/* SPDX-License-Identifier: MIT */
/*
 * DBusError to Python exception.
 *
 * DBusException lives in the Python package (dbus.exceptions), so it is imported when first
 * needed; a failing import leaves its own exception.
 */
#include "errors.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "compat.h"

int
errors_setup(PyObject *module, State *st)
{
    (void)module;
    (void)st;
    return 0;
}

static PyObject *
exception_borrow(State *st)
{
    if (!st->dbus_exception) {
        _cleanup_object_ PyObject *module = PyImport_ImportModule("dbus.exceptions");

        if (module)
            st->dbus_exception = PyObject_GetAttrString(module, "DBusException");
    }
    return st->dbus_exception;
}

PyObject *
error_raise_named(State *st, const char *name, const char *message)
{
    PyObject *cls = exception_borrow(st);

    if (!cls)
        return NULL;
    _cleanup_object_ PyObject *text =
        PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace");
    if (!text)
        return NULL;
    _cleanup_object_ PyObject *exception = PyObject_CallOneArg(cls, text);
    if (!exception)
        return NULL;
    if (name) {
        _cleanup_object_ PyObject *value = PyUnicode_FromString(name);

        if (!value || PyObject_SetAttrString(exception, "_dbus_error_name", value) < 0)
            return NULL;
    }
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    return NULL;
}

PyObject *
error_raise(State *st, DBusError *error)
{
    if (dbus_error_has_name(error, DBUS_ERROR_NO_MEMORY))
        PyErr_NoMemory();
    else
        error_raise_named(st, error->name, error->message ? error->message : "");
    dbus_error_free(error);
    return NULL;
}

int
error_raise_value(const DBusError *error, const char *what)
{
    if (dbus_error_has_name(error, DBUS_ERROR_NO_MEMORY))
        PyErr_NoMemory();
    else
        PyErr_Format(PyExc_ValueError, "%s: %s", what, error->message);
    return -1;
}

PyObject *
error_raise_reply(State *st, DBusMessage *reply)
{
    DBusError error = DBUS_ERROR_INIT;

    if (!dbus_set_error_from_message(&error, reply))
        return error_raise_named(st, NULL, "the reply is not an error message");
    return error_raise(st, &error);
}

PyObject *
error_raise_errno(void)
{
    return errno == ENOMEM ? PyErr_NoMemory() : PyErr_SetFromErrno(PyExc_OSError);
}

PyObject *
error_take(void)
{
    PyObject *type, *value, *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}
