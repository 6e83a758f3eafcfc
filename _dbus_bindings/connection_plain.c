/* SPDX-License-Identifier: MIT */
/*
 * The methods of Connection (connection.h) for dbus.aio: messages go out and come in as plain
 * values, each in one step, and nothing blocks.
 */
#include "connection.h"

#include "blocking.h"
#include "bus.h"
#include "cleanup.h"
#include "compat.h"
#include "errors.h"
#include "limits.h"
#include "plain.h"
#include "validate.h"

/* Opening without a greeting: what a thread may do while the loop goes on. */
PyObject *
conn_open(PyObject *cls, PyObject *argument)
{
    State *st = state_of_type((PyTypeObject *)cls);
    const char *address = check_text(argument, "address", NULL);
    DBusConnection *connection = address ? bus_open_peer(st, address) : NULL;

    return connection ? libdbus_connection_new_steal(st, connection) : NULL;
}

PyObject *
conn_receive_plain(PyObject *object, PyObject *args)
{
    Connection *self = (Connection *)object;
    PyObject *receiver, *loop, *handlers, *ended;

    if (!PyArg_ParseTuple(args, "OOO!O:_receive_plain", &receiver, &loop, &PyList_Type, &handlers,
                          &ended))
        return NULL;
    Py_XSETREF(self->receiver, Py_NewRef(receiver));
    Py_XSETREF(self->futures.loop, Py_NewRef(loop));
    Py_XSETREF(self->futures.handlers, Py_NewRef(handlers));
    Py_XSETREF(self->futures.ended, Py_NewRef(ended));
    Py_RETURN_NONE;
}

PyObject *
conn_serve_plain(PyObject *self, PyObject *args)
{
    PyObject *exported, *serving, *finish;

    if (!PyArg_ParseTuple(args, "O!O!O:_serve_plain", &PyDict_Type, &exported, &PyContextVar_Type,
                          &serving, &finish))
        return NULL;
    Py_XSETREF(((Connection *)self)->served, Py_NewRef(args));
    Py_RETURN_NONE;
}

PyObject *
conn_deliver_plain(PyObject *object, PyObject *args)
{
    Connection *self = (Connection *)object;
    PyObject *settle, *matches, *owners;
    int takes_fds;

    if (!PyArg_ParseTuple(args, "OO!Op:_deliver_plain", &settle, state_of(object)->matches,
                          &matches, &owners, &takes_fds))
        return NULL;
    if (owners != Py_None && !PyDict_CheckExact(owners))
        return PyErr_Format(PyExc_TypeError, "the owners are a dict or None, not %s",
                            Py_TYPE(owners)->tp_name);
    Py_XSETREF(self->plain.settle, Py_NewRef(settle));
    Py_XSETREF(self->plain.owners, Py_NewRef(owners));
    Py_XSETREF(self->matches, (Matches *)Py_NewRef(matches));
    self->plain.takes_fds = takes_fds;
    Py_RETURN_NONE;
}

PyObject *
conn_send_plain(PyObject *object, PyObject *plain)
{
    Link *link = connection_link(object);
    State *st = state_of(object);
    enum LinkResult result;
    dbus_uint32_t serial;
    bool written = false;

    if (!link)
        return NULL;
    _cleanup_message_ DBusMessage *message = plain_to_dbus(st, plain, &serial);
    if (!message)
        return NULL;
    if (!dbus_connection_get_is_connected(link->connection))
        return error_raise_named(st, DBUS_ERROR_DISCONNECTED, "Connection is closed");
    if (serial)
        dbus_message_set_serial(message, serial);
    WITH_LINK(link, result = link_send(link, message, &serial); written = link_is_written(link));
    if (result != LINK_OK)
        return PyErr_NoMemory();
    return plain_set_serial(plain, serial) < 0 ? NULL : PyBool_FromLong(written);
}

/* Seconds or None, for no limit, as milliseconds. */
static int
timeout_of(PyObject *argument, int *ret_ms)
{
    double seconds;

    if (argument == Py_None) {
        *ret_ms = LIMIT_TIMEOUT_MS;
        return 0;
    }
    seconds = PyFloat_AsDouble(argument);
    if (seconds == -1.0 && PyErr_Occurred())
        return -1;
    return check_timeout(seconds < 0 ? 0.0 : seconds, ret_ms);
}

/* The pending call of a message that is sent, owned; `handler` as `tell` says. */
static PyObject *
start_call(PyObject *object, PyObject *plain, PyObject *timeout, PyObject *handler,
           enum CallTold tell)
{
    Connection *self = (Connection *)object;
    State *st = state_of(object);
    uint32_t serial;
    int ms;

    if (timeout_of(timeout, &ms) < 0)
        return NULL;
    _cleanup_message_ DBusMessage *message = plain_to_dbus(st, plain, &serial);
    if (!message)
        return NULL;
    _cleanup_object_ PyObject *pending = pendingcall_start(
        st, object, self->link, &self->loop, &self->pending, message,
        &(CallWish){.handler = handler, .timeout_ms = ms, .serial = serial, .tell = tell});
    if (!pending)
        return NULL;
    if (plain_set_serial(plain, dbus_message_get_serial(message)) < 0) {
        pendingcall_forget(pending); /* a call that failed is never answered */
        return NULL;
    }
    return TAKE(pending);
}

PyObject *
conn_call_plain(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n == 3)
        return start_call(self, args[0], args[2], args[1], TELL_PLAIN);
    PyErr_SetString(PyExc_TypeError, "_call_plain() takes 3 arguments");
    return NULL;
}

PyObject *
conn_await_plain(PyObject *object, PyObject *const *args, Py_ssize_t n)
{
    Connection *self = (Connection *)object;
    State *st = state_of(object);

    if (n != 2 || !self->futures.loop) {
        PyErr_SetString(PyExc_TypeError,
                        "_await_plain() takes 2 arguments, on a served connection");
        return NULL;
    }
    int answered = plain_wants_reply(st, args[0]);
    if (answered <= 0)
        return answered < 0 ? NULL : Py_NewRef(Py_None);
    _cleanup_object_ PyObject *future = future_new(st, &self->futures);
    _cleanup_object_ PyObject *pending =
        future ? start_call(object, args[0], args[1], future, TELL_FUTURE) : NULL;
    if (!pending)
        return NULL;
    future_set_call(future, pending);
    return TAKE(future);
}
