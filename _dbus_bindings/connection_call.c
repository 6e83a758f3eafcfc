/* SPDX-License-Identifier: MIT */
/*
 * Calls in one step (connection.h): from the values of the arguments to those of the reply.
 */
#include "connection.h"

#include "blocking.h"
#include "cleanup.h"
#include "compat.h"
#include "errors.h"
#include "limits.h"
#include "methodcall.h"
#include "validate.h"

/* Under a foreign loop libdbus waits itself; replies reach it in no other way. */
static DBusMessage *
call_foreign(State *st, Link *link, DBusMessage *message, int ms)
{
    DBusError error = DBUS_ERROR_INIT;
    DBusMessage *reply;

    Py_BEGIN_ALLOW_THREADS reply =
        dbus_connection_send_with_reply_and_block(link->connection, message, ms, &error);
    Py_END_ALLOW_THREADS if (!reply) error_raise(st, &error);
    return reply;
}

/* How the call ended, as its reply (owned) or an exception. */
static DBusMessage *
reply_of(State *st, enum LinkResult sent, Call *call)
{
    if (sent == LINK_NO_MEMORY)
        PyErr_NoMemory();
    else if (sent == LINK_CLOSED)
        error_raise_named(st, DBUS_ERROR_DISCONNECTED, "Connection is closed");
    else if (!call->reply)
        pendingcall_raise(st, atomic_load(&call->state));
    else if (dbus_message_get_type(call->reply) == DBUS_MESSAGE_TYPE_ERROR)
        error_raise_reply(st, call->reply);
    else
        return dbus_message_ref(call->reply);
    return NULL;
}

static DBusMessage *
call_and_wait(State *st, Link *link, DBusMessage *message, int ms)
{
    Waiter *waiter = waiter_begin(link);
    Call call = {.waiter = waiter};
    enum LinkResult sent;
    bool interrupted = false;
    DBusMessage *reply;

    if (!waiter) {
        error_raise_errno();
        return NULL;
    }
    call.deadline = ms == LIMIT_TIMEOUT_MS ? NEVER : monotonic_ns() + (int64_t)ms * 1000000;
    WITH_LINK(link, sent = link_start(link, &call, message, false));
    if (sent == LINK_OK) {
        interrupted = !wait_interruptibly(link, waiter, &call, call.deadline);
        if (atomic_load(&call.state) == CALL_WAITING)
            link_cancel(link, &call, CALL_TIMED_OUT);
    }
    waiter_end(link, waiter);
    reply = interrupted ? NULL : reply_of(st, sent, &call);
    if (call.reply)
        dbus_message_unref(call.reply);
    return reply;
}

DBusMessage *
connection_call(PyObject *object, DBusMessage *message, int ms)
{
    Link *link = connection_link(object);
    State *st = state_of(object);
    DBusMessage *reply;

    if (!link)
        return NULL;
    /* A handler of Python's signals may close the connection and drop it meanwhile. */
    watchset_ref(&link->watches);
    reply = link_is(link, LINK_FOREIGN) ? call_foreign(st, link, message, ms)
                                        : call_and_wait(st, link, message, ms);
    watchset_unref(&link->watches);
    return reply;
}

static int
timeout_of(PyObject *argument, int *ret_ms)
{
    double seconds = PyFloat_AsDouble(argument);

    if (seconds == -1.0 && PyErr_Occurred())
        return -1;
    return check_timeout(seconds, ret_ms);
}

PyObject *
conn_call_blocking(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    State *st = state_of(self);
    int ms, byte_arrays;

    if (n != 8) {
        PyErr_SetString(PyExc_TypeError, "_call_blocking() takes 8 arguments");
        return NULL;
    }
    byte_arrays = PyObject_IsTrue(args[7]);
    if (byte_arrays < 0 || timeout_of(args[6], &ms) < 0)
        return NULL;
    _cleanup_message_ DBusMessage *message = methodcall_new(st, args, args[4], args[5]);
    if (!message)
        return NULL;
    _cleanup_message_ DBusMessage *reply = connection_call(self, message, ms);
    return reply ? methodcall_value(st, reply, byte_arrays) : NULL;
}

PyObject *
conn_call_async(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    Connection *connection = (Connection *)self;
    State *st = state_of(self);
    int ms, byte_arrays;

    if (n != 10) {
        PyErr_SetString(PyExc_TypeError, "_call_async() takes 10 arguments");
        return NULL;
    }
    byte_arrays = PyObject_IsTrue(args[9]);
    if (byte_arrays < 0 || timeout_of(args[8], &ms) < 0)
        return NULL;
    _cleanup_message_ DBusMessage *message = methodcall_new(st, args, args[4], args[5]);
    if (!message)
        return NULL;
    return pendingcall_start(st, self, connection->link, &connection->loop, &connection->pending,
                             message,
                             &(CallWish){.handler = args[6],
                                         .on_error = args[7],
                                         .timeout_ms = ms,
                                         .tell = byte_arrays ? TELL_BYTE_ARRAYS : TELL_VALUES});
}
