/* SPDX-License-Identifier: MIT */
/*
 * The four kinds of message: their constructors, which check every field, and their repr.
 */
#include "message_kinds.h"

#include <stdbool.h>
#include <string.h>

#include "cleanup.h"
#include "compat.h"
#include "limits.h"
#include "message.h"
#include "validate.h"

/* What __init__ made of checked fields, NULL for want of memory, becomes the content of `self`.
 * `complete`: it may be sent as it is; `fresh`: it has no arguments. */
static int
kind_init_steal(PyObject *self, DBusMessage *message, bool complete, bool fresh)
{
    if (!message) {
        PyErr_NoMemory();
        return -1;
    }
    message_replace_steal(self, message);
    ((Message *)self)->complete = complete;
    ((Message *)self)->fresh = fresh;
    return 0;
}

static bool
is_reserved(const char *path, const char *interface)
{
    return strcmp(path, DBUS_PATH_LOCAL) == 0 ||
           (interface && strcmp(interface, DBUS_INTERFACE_LOCAL) == 0);
}

static int
method_call_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"destination", "path", "interface", "method", NULL};
    const char *destination, *path, *interface, *method;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "zszs:__init__", names, &destination, &path,
                                     &interface, &method) ||
        (destination && check_bus_name(destination, NAME_ANY) < 0) || check_path(path) < 0 ||
        (interface && check_interface(interface) < 0) || check_member(method) < 0)
        return -1;
    return kind_init_steal(self, dbus_message_new_method_call(destination, path, interface, method),
                           !is_reserved(path, interface), true);
}

static int
signal_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "interface", "name", NULL};
    const char *path, *interface, *name;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "sss:__init__", names, &path, &interface,
                                     &name) ||
        check_path(path) < 0 || check_interface(interface) < 0 || check_member(name) < 0)
        return -1;
    return kind_init_steal(self, dbus_message_new_signal(path, interface, name),
                           !is_reserved(path, interface), true);
}

/* The message that is replied to, borrowed.  One that was never sent has no serial to refer to. */
static DBusMessage *
replied_to(State *st, PyObject *object)
{
    DBusMessage *message = message_borrow(st, object);

    if (message && dbus_message_get_serial(message) == 0) {
        PyErr_SetString(PyExc_ValueError,
                        "a message that was never sent cannot be replied to: it has no serial");
        return NULL;
    }
    return message;
}

static int
method_return_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"method_call", NULL};
    State *st = state_of(self);
    PyObject *call;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!:__init__", names, st->message, &call))
        return -1;
    DBusMessage *message = replied_to(st, call);
    return message ? kind_init_steal(self, dbus_message_new_method_return(message), true, true)
                   : -1;
}

static int
error_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"reply_to", "error_name", "error_message", NULL};
    State *st = state_of(self);
    const char *name, *text;
    PyObject *call;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!sz:__init__", names, st->message, &call,
                                     &name, &text) ||
        check_error_name(name) < 0)
        return -1;
    if (text && strlen(text) > LIMIT_MESSAGE - LIMIT_NAMES) {
        PyErr_SetString(PyExc_ValueError, "a message may not be longer than 128 MiB");
        return -1;
    }
    DBusMessage *message = replied_to(st, call);
    return message ? kind_init_steal(self, dbus_message_new_error(message, name, text), true, !text)
                   : -1;
}

static const char *
shown(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

static PyObject *
call_or_signal_repr(PyObject *self, const char *comma, const char *nowhere)
{
    PyObject *result = NULL;

    Py_BEGIN_CRITICAL_SECTION(self);
    DBusMessage *m = ((Message *)self)->msg;
    if (!m)
        result = PyBaseObject_Type.tp_repr(self);
    else
        result = PyUnicode_FromFormat(
            "<%s path: %s, iface: %s, member: %s%s dest: %s>", Py_TYPE(self)->tp_name,
            shown(dbus_message_get_path(m), "n/a"), shown(dbus_message_get_interface(m), "n/a"),
            shown(dbus_message_get_member(m), "n/a"), comma,
            shown(dbus_message_get_destination(m), nowhere));
    Py_END_CRITICAL_SECTION();
    return result;
}

/* Programs parse these texts: a call has no comma before its destination, a signal has one. */
static PyObject *
method_call_repr(PyObject *self)
{
    return call_or_signal_repr(self, "", "n/a");
}

static PyObject *
signal_repr(PyObject *self)
{
    return call_or_signal_repr(self, ",", "(broadcast)");
}

static PyType_Slot method_call_slots[] = {
    {Py_tp_doc, "dbus.lowlevel.MethodCallMessage(destination: str or None, path: str,\n"
                "                                interface: str or None, method: str)\n\n"
                "A call of a method.  The destination is a bus name, None on a connection without\n"
                "a bus; the interface may be None where the method's name is unambiguous."},
    {Py_tp_init, method_call_init},
    {Py_tp_repr, method_call_repr},
    {0, NULL},
};

static PyType_Slot method_return_slots[] = {
    {Py_tp_doc, "dbus.lowlevel.MethodReturnMessage(method_call: Message)\n\n"
                "The reply to a call that succeeded."},
    {Py_tp_init, method_return_init},
    {0, NULL},
};

static PyType_Slot error_slots[] = {
    {Py_tp_doc, "dbus.lowlevel.ErrorMessage(reply_to: Message, error_name: str,\n"
                "                           error_message: str or None)\n\n"
                "The reply to a call that failed.  The text, if any, is its first argument."},
    {Py_tp_init, error_init},
    {0, NULL},
};

static PyType_Slot signal_slots[] = {
    {Py_tp_doc, "dbus.lowlevel.SignalMessage(path: str, interface: str, name: str)\n\n"
                "A signal, sent to all who listen unless it is given a destination."},
    {Py_tp_init, signal_init},
    {Py_tp_repr, signal_repr},
    {0, NULL},
};

#define KIND_SPEC(NAME, SLOTS)                                                                     \
    {                                                                                              \
        .name = "dbus.lowlevel." NAME, .basicsize = sizeof(Message),                               \
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, .slots = (SLOTS)                        \
    }

PyTypeObject *
message_kind_borrow(const State *st, int type)
{
    switch (type) {
    case DBUS_MESSAGE_TYPE_METHOD_CALL:
        return st->method_call;
    case DBUS_MESSAGE_TYPE_METHOD_RETURN:
        return st->method_return;
    case DBUS_MESSAGE_TYPE_ERROR:
        return st->error_message;
    case DBUS_MESSAGE_TYPE_SIGNAL:
        return st->signal_message;
    default:
        return st->message;
    }
}

int
message_kinds_setup(PyObject *module, State *st)
{
    PyType_Spec call = KIND_SPEC("MethodCallMessage", method_call_slots);
    PyType_Spec reply = KIND_SPEC("MethodReturnMessage", method_return_slots);
    PyType_Spec error = KIND_SPEC("ErrorMessage", error_slots);
    PyType_Spec signal = KIND_SPEC("SignalMessage", signal_slots);
    _cleanup_object_ PyObject *bases = PyTuple_Pack(1, st->message);

    if (!bases || state_add_type(module, &st->method_call, &call, bases, "MethodCallMessage") < 0 ||
        state_add_type(module, &st->method_return, &reply, bases, "MethodReturnMessage") < 0 ||
        state_add_type(module, &st->error_message, &error, bases, "ErrorMessage") < 0 ||
        state_add_type(module, &st->signal_message, &signal, bases, "SignalMessage") < 0)
        return -1;
    return 0;
}
