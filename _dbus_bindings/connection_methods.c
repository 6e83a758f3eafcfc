/* SPDX-License-Identifier: MIT */
/*
 * The methods of Connection (connection.h).
 */
#include "connection.h"

#include "blocking.h"
#include "cleanup.h"
#include "compat.h"
#include "errors.h"
#include "limits.h"
#include "message.h"
#include "validate.h"

static Connection *
connection_of(PyObject *self)
{
    return (Connection *)self;
}

static DBusConnection *
dbus_of(PyObject *self)
{
    return connection_borrow_dbus(self);
}

static PyObject *
conn_close(PyObject *self, PyObject *unused)
{
    Link *link = connection_of(self)->link;

    (void)unused;
    /* libdbus warns of a second close, and the first one says everything. */
    if (!link->watches.inherited && dbus_connection_get_is_connected(link->connection))
        WITH_LINK(link, link_close(link));
    Py_RETURN_NONE;
}

static PyObject *
conn_flush(PyObject *self, PyObject *unused)
{
    Link *link = connection_link(self);
    Waiter *waiter;
    bool ok;

    (void)unused;
    if (!link)
        return NULL;
    if (link_is(link, LINK_FOREIGN)) {
        Py_BEGIN_ALLOW_THREADS dbus_connection_flush(link->connection);
        Py_END_ALLOW_THREADS Py_RETURN_NONE;
    }
    waiter = waiter_begin(link);
    if (!waiter)
        return error_raise_errno();
    ok = wait_interruptibly(link, waiter, NULL, NEVER);
    waiter_end(link, waiter);
    if (!ok)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
conn_get_is_connected(PyObject *self, PyObject *unused)
{
    Link *link = connection_of(self)->link;

    (void)unused;
    return PyBool_FromLong(!link->watches.inherited &&
                           dbus_connection_get_is_connected(link->connection));
}

static PyObject *
conn_get_is_authenticated(PyObject *self, PyObject *unused)
{
    Link *link = connection_of(self)->link;

    (void)unused;
    return PyBool_FromLong(!link->watches.inherited &&
                           dbus_connection_get_is_authenticated(link->connection));
}

static PyObject *
conn_set_exit_on_disconnect(PyObject *self, PyObject *args)
{
    int exit_on_disconnect;

    if (!PyArg_ParseTuple(args, "p:set_exit_on_disconnect", &exit_on_disconnect))
        return NULL;
    connection_of(self)->exit_on_disconnect = exit_on_disconnect;
    Py_RETURN_NONE;
}

static PyObject *
conn_set_allow_anonymous(PyObject *self, PyObject *args)
{
    int allow;

    if (!PyArg_ParseTuple(args, "p:set_allow_anonymous", &allow))
        return NULL;
    DBusConnection *connection = dbus_of(self);
    if (!connection)
        return NULL;
    dbus_connection_set_allow_anonymous(connection, (dbus_bool_t)allow);
    Py_RETURN_NONE;
}

static PyObject *
conn_limit_authentication(PyObject *self, PyObject *seconds)
{
    double number = PyFloat_AsDouble(seconds);
    int ms;

    if ((number == -1.0 && PyErr_Occurred()) || check_timeout(number < 0 ? 0.0 : number, &ms) < 0)
        return NULL;
    link_limit_authentication(connection_of(self)->link, monotonic_ns() + (int64_t)ms * 1000000);
    Py_RETURN_NONE;
}

static PyObject *
conn_get_unique_name(PyObject *self, PyObject *unused)
{
    DBusConnection *connection = dbus_of(self);
    const char *name = connection ? dbus_bus_get_unique_name(connection) : NULL;

    (void)unused;
    if (!connection)
        return NULL;
    if (!name)
        return error_raise_named(state_of(self), NULL, "This connection has no unique name yet");
    return PyUnicode_FromString(name);
}

static PyObject *
conn_set_unique_name(PyObject *self, PyObject *args)
{
    DBusConnection *connection = dbus_of(self);
    const char *name, *old;

    if (!connection || !PyArg_ParseTuple(args, "s:set_unique_name", &name))
        return NULL;
    old = dbus_bus_get_unique_name(connection);
    if (old)
        return PyErr_Format(PyExc_ValueError, "This connection already has a unique name: '%s'",
                            old);
    if (!dbus_bus_set_unique_name(connection, name))
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *
conn_get_unix_fd(PyObject *self, PyObject *unused)
{
    int fd;
    DBusConnection *connection = dbus_of(self);

    (void)unused;
    if (!connection)
        return NULL;
    if (!dbus_connection_get_unix_fd(connection, &fd))
        Py_RETURN_NONE;
    return PyLong_FromLong(fd);
}

static PyObject *
conn_get_peer_unix_user(PyObject *self, PyObject *unused)
{
    unsigned long uid;
    DBusConnection *connection = dbus_of(self);

    (void)unused;
    if (!connection)
        return NULL;
    if (!dbus_connection_get_unix_user(connection, &uid))
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLong(uid);
}

static PyObject *
conn_get_peer_unix_process_id(PyObject *self, PyObject *unused)
{
    unsigned long pid;
    DBusConnection *connection = dbus_of(self);

    (void)unused;
    if (!connection)
        return NULL;
    if (!dbus_connection_get_unix_process_id(connection, &pid))
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLong(pid);
}

static int
require_main_loop(Connection *self)
{
    if (self->loop.main_loop)
        return 0;
    PyErr_SetString(PyExc_RuntimeError,
                    "To make asynchronous calls, receive signals or export objects, D-Bus "
                    "connections must be attached to a main loop by passing mainloop=... to the "
                    "constructor or calling dbus.set_default_main_loop(...)");
    return -1;
}

static PyObject *
conn_require_main_loop(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (require_main_loop(connection_of(self)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
conn_send_message(PyObject *self, PyObject *args)
{
    Link *link = connection_link(self);
    enum LinkResult result;
    dbus_uint32_t serial;
    PyObject *object;

    if (!link || !PyArg_ParseTuple(args, "O:send_message", &object))
        return NULL;
    DBusMessage *borrowed = message_borrow_for_send(state_of(self), object);
    if (!borrowed)
        return NULL;
    /* Without the GIL another thread may give the Message another content. */
    _cleanup_message_ DBusMessage *message = dbus_message_ref(borrowed);
    WITH_LINK(link, result = link_send(link, message, &serial));
    return result == LINK_OK ? PyLong_FromUnsignedLong(serial) : PyErr_NoMemory();
}

/* A message that is sent as a call gets a serial of ours, so one that has a serial already, being
 * sent or received before, is copied.  An owned reference. */
static DBusMessage *
message_for_call(State *st, Link *link, PyObject *object)
{
    DBusMessage *message = message_borrow_for_send(st, object);

    if (!message)
        return NULL;
    if (link_is(link, LINK_FOREIGN) || !dbus_message_get_serial(message))
        return dbus_message_ref(message);
    message = dbus_message_copy(message);
    if (!message)
        PyErr_NoMemory();
    return message;
}

static PyObject *
conn_send_message_with_reply(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"msg", "reply_handler", "timeout_s", "require_main_loop", NULL};
    Connection *self = connection_of(object);
    State *st = state_of(object);
    PyObject *msg, *handler;
    double timeout = -1.0;
    int needs_loop = 0, ms;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|dp:send_message_with_reply", names, &msg,
                                     &handler, &timeout, &needs_loop))
        return NULL;
    if (handler != Py_None && !PyCallable_Check(handler))
        return PyErr_Format(PyExc_TypeError, "reply_handler must be callable or None, not %s",
                            Py_TYPE(handler)->tp_name);
    if ((needs_loop && require_main_loop(self) < 0) || check_timeout(timeout, &ms) < 0)
        return NULL;
    _cleanup_message_ DBusMessage *message = message_for_call(st, self->link, msg);
    if (!message)
        return NULL;
    return pendingcall_start(st, object, self->link, &self->loop, &self->pending, message,
                             &(CallWish){.handler = handler, .timeout_ms = ms});
}

static PyObject *
conn_send_message_with_reply_and_block(PyObject *object, PyObject *args)
{
    Link *link = connection_of(object)->link;
    State *st = state_of(object);
    PyObject *msg;
    double timeout = -1.0;
    int ms;

    if (!PyArg_ParseTuple(args, "O|d:send_message_with_reply_and_block", &msg, &timeout) ||
        check_timeout(timeout, &ms) < 0)
        return NULL;
    _cleanup_message_ DBusMessage *message = message_for_call(st, link, msg);
    if (!message)
        return NULL;
    DBusMessage *reply = connection_call(object, message, ms);
    return reply ? message_new_steal(st, reply) : NULL;
}

/* For what needs the containers, which the garbage collector takes before the object. */
static int
check_alive(Connection *self)
{
    if (self->filters && self->paths.handlers && self->paths.children)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "the connection is being collected");
    return -1;
}

static PyObject *
conn_add_message_filter(PyObject *object, PyObject *callable)
{
    Connection *self = connection_of(object);

    if (check_alive(self) < 0)
        return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(self->filters);
    if (!PyCallable_Check(callable))
        return PyErr_Format(PyExc_TypeError, "a message filter must be callable, not %s",
                            Py_TYPE(callable)->tp_name);
    _cleanup_object_ PyObject *filters = PyTuple_New(n + 1);
    if (!filters)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(filters, i, Py_NewRef(PyTuple_GET_ITEM(self->filters, i)));
    PyTuple_SET_ITEM(filters, n, Py_NewRef(callable));
    Py_SETREF(self->filters, TAKE(filters));
    Py_RETURN_NONE;
}

/* The last index of an equal item, -1 where there is none, -2 with an exception. */
static Py_ssize_t
last_index(PyObject *tuple, PyObject *value)
{
    for (Py_ssize_t i = PyTuple_GET_SIZE(tuple) - 1; i >= 0; i--) {
        int equal = PyObject_RichCompareBool(PyTuple_GET_ITEM(tuple, i), value, Py_EQ);

        if (equal)
            return equal < 0 ? -2 : i;
    }
    return -1;
}

static PyObject *
conn_remove_message_filter(PyObject *object, PyObject *callable)
{
    Connection *self = connection_of(object);

    if (check_alive(self) < 0)
        return NULL;
    _cleanup_object_ PyObject *filters = Py_NewRef(self->filters);
    Py_ssize_t n = PyTuple_GET_SIZE(filters), at = last_index(filters, callable);

    if (at == -1)
        PyErr_Format(PyExc_ValueError, "%R is not among the message filters", callable);
    if (at < 0)
        return NULL;
    _cleanup_object_ PyObject *rest = PyTuple_New(n - 1);
    if (!rest)
        return NULL;
    for (Py_ssize_t i = 0; i < n - 1; i++)
        PyTuple_SET_ITEM(rest, i, Py_NewRef(PyTuple_GET_ITEM(filters, i < at ? i : i + 1)));
    Py_SETREF(self->filters, TAKE(rest));
    Py_RETURN_NONE;
}

/* The object path, str or bytes, as a plain str. An owned reference. */
static PyObject *
path_argument(PyObject *argument)
{
    _cleanup_object_ PyObject *decoded =
        PyBytes_Check(argument) ? PyUnicode_FromEncodedObject(argument, "utf-8", "strict")
                                : Py_NewRef(argument);
    const char *text = decoded ? check_text(decoded, "path", NULL) : NULL;

    if (!text)
        return NULL;
    return PyUnicode_CheckExact(decoded) ? TAKE(decoded) : PyUnicode_FromString(text);
}

static PyObject *
conn_register_object_path(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "on_message", "on_unregister", "fallback", NULL};
    Connection *self = connection_of(object);
    PyObject *path, *on_message, *on_unregister = Py_None;
    int fallback = 0;

    if (check_alive(self) < 0 || require_main_loop(self) < 0 ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "OO|Op:_register_object_path", names, &path,
                                     &on_message, &on_unregister, &fallback))
        return NULL;
    if (!PyCallable_Check(on_message))
        return PyErr_Format(PyExc_TypeError, "on_message must be callable, not %s",
                            Py_TYPE(on_message)->tp_name);
    _cleanup_object_ PyObject *key = path_argument(path);
    const char *text = key ? PyUnicode_AsUTF8(key) : NULL;
    if (!text || check_path(text) < 0 || paths_add(&self->paths, key, on_message, fallback) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
conn_unregister_object_path(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", NULL};
    Connection *self = connection_of(object);
    PyObject *path;

    if (check_alive(self) < 0 ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "O:_unregister_object_path", names, &path))
        return NULL;
    _cleanup_object_ PyObject *key = path_argument(path);
    if (!key || paths_remove(&self->paths, key) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
conn_list_exported_child_objects(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", NULL};
    const char *path;

    if (check_alive(connection_of(object)) < 0 ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "s:list_exported_child_objects", names, &path) ||
        check_path(path) < 0)
        return NULL;
    return paths_children(&connection_of(object)->paths, path);
}

#define KEYWORDS(f) (PyCFunction)(void (*)(void))(f), METH_VARARGS | METH_KEYWORDS

PyMethodDef connection_methods[] = {
    {"_new_for_bus", (PyCFunction)(void (*)(void))connection_new_for_bus,
     METH_VARARGS | METH_KEYWORDS | METH_CLASS,
     "_new_for_bus(address=BUS_SESSION, mainloop=None) -> Connection\n\n"
     "Connect to a message bus and get a unique name from it.  `address` is a D-Bus address\n"
     "(str) or BUS_SESSION, BUS_SYSTEM or BUS_STARTER; `mainloop` a NativeMainLoop or None for\n"
     "the default one.  Raises DBusException when the bus cannot be reached, ValueError for\n"
     "other numbers."},
    {"close", conn_close, METH_NOARGS,
     "close()\n\nClose the connection; closing again does nothing."},
    {"flush", conn_flush, METH_NOARGS,
     "flush()\n\nBlock until all messages sent so far are written or the connection is closed."},
    {"get_is_connected", conn_get_is_connected, METH_NOARGS,
     "get_is_connected() -> bool\n\nTrue while the connection is open at both ends."},
    {"get_is_authenticated", conn_get_is_authenticated, METH_NOARGS,
     "get_is_authenticated() -> bool\n\nTrue once the peers have authenticated, ever after."},
    {"set_exit_on_disconnect", conn_set_exit_on_disconnect, METH_VARARGS,
     "set_exit_on_disconnect(flag)\n\n"
     "Whether the process ends, with status 1 and no clean-up, once the connection has ended and\n"
     "the handlers have seen it.  True at first for connections to the session, system or starter\n"
     "bus, False for others."},
    {"set_allow_anonymous", conn_set_allow_anonymous, METH_VARARGS,
     "set_allow_anonymous(flag)\n\n"
     "Whether this connection, on the side of a server, accepts a client that does not say who\n"
     "it is.  For use in Server.connection_added()."},
    {"_limit_authentication", conn_limit_authentication, METH_O,
     "_limit_authentication(seconds)\n\n"
     "Have the loop close the connection after that time, unless the peer has authenticated."},
    {"get_unique_name", conn_get_unique_name, METH_NOARGS,
     "get_unique_name() -> str\n\n"
     "The connection's unique name on its bus.  Raises DBusException where it has none."},
    {"set_unique_name", conn_set_unique_name, METH_VARARGS,
     "set_unique_name(name)\n\n"
     "Set the unique name (str) of a connection that is not to a bus.  Raises ValueError where\n"
     "it has one."},
    {"get_unix_fd", conn_get_unix_fd, METH_NOARGS,
     "get_unix_fd() -> int or None\n\n"
     "The connection's socket, to ask the kernel about the peer; never read, write or poll it.\n"
     "None where there is none, or the connection is closed."},
    {"get_peer_unix_user", conn_get_peer_unix_user, METH_NOARGS,
     "get_peer_unix_user() -> int or None\n\n"
     "The user ID of the peer; None where it is not known or the connection is closed."},
    {"get_peer_unix_process_id", conn_get_peer_unix_process_id, METH_NOARGS,
     "get_peer_unix_process_id() -> int or None\n\n"
     "The process ID of the peer; None where it is not known or the connection is closed."},
    {"_require_main_loop", conn_require_main_loop, METH_NOARGS,
     "_require_main_loop()\n\n"
     "Raise RuntimeError if the connection has no main loop, so that nothing would ever be\n"
     "delivered.  NULL_MAIN_LOOP counts as one."},
    {"send_message", conn_send_message, METH_VARARGS,
     "send_message(msg) -> int\n\n"
     "Queue the dbus.lowlevel.Message for sending and return its serial.  Raises ValueError for\n"
     "a message that misses a header field its type requires."},
    {"send_message_with_reply", KEYWORDS(conn_send_message_with_reply),
     "send_message_with_reply(msg, reply_handler, timeout_s=-1, require_main_loop=False)"
     " -> PendingCall\n\n"
     "Queue the message for sending; `reply_handler` is called with the reply, a\n"
     "dbus.lowlevel.Message, from the main loop or from PendingCall.block().  After `timeout_s`\n"
     "seconds (negative: 25) it gets an ErrorMessage that says NoReply.  Raises DBusException on\n"
     "a closed connection, ValueError for a time-out out of range, RuntimeError where\n"
     "`require_main_loop` is true and there is none."},
    {"send_message_with_reply_and_block", conn_send_message_with_reply_and_block, METH_VARARGS,
     "send_message_with_reply_and_block(msg, timeout_s=-1) -> Message\n\n"
     "Send the message and wait for its reply, at most `timeout_s` seconds (negative: 25).  No\n"
     "handler runs meanwhile, so a call to a method of the same program never ends.  Raises\n"
     "DBusException for an error reply, a time-out or a lost connection."},
    {"add_message_filter", conn_add_message_filter, METH_O,
     "add_message_filter(callable)\n\n"
     "Call `callable(connection, message)` for every incoming message but replies to calls of\n"
     "this connection, before object paths are looked at.  Filters run in the order of their\n"
     "addition; a filter that is added twice runs twice.  One that returns NotImplemented or\n"
     "HANDLER_RESULT_NOT_YET_HANDLED lets the message go on, None or HANDLER_RESULT_HANDLED\n"
     "ends its way."},
    {"remove_message_filter", conn_remove_message_filter, METH_O,
     "remove_message_filter(callable)\n\n"
     "Undo one add_message_filter().  Raises ValueError where it is not a filter."},
    {"_register_object_path", KEYWORDS(conn_register_object_path),
     "_register_object_path(path, on_message, on_unregister=None, fallback=False)\n\n"
     "Call `on_message(connection, message)` for messages to the object path `path`, and for\n"
     "those to paths below it that nobody else handles where `fallback`.  Its result means what\n"
     "a filter's does.  `on_unregister` is accepted for the sake of old programs and never\n"
     "called.\n"
     "Raises KeyError where the path is taken, RuntimeError without a main loop."},
    {"_unregister_object_path", KEYWORDS(conn_unregister_object_path),
     "_unregister_object_path(path)\n\n"
     "Undo _register_object_path().  Raises KeyError where the path is not registered."},
    {"list_exported_child_objects", KEYWORDS(conn_list_exported_child_objects),
     "list_exported_child_objects(path) -> list of str\n\n"
     "The names of the direct children of `path` that are registered or have registered\n"
     "descendants."},
    {"_call_blocking", (PyCFunction)(void (*)(void))conn_call_blocking, METH_FASTCALL,
     "_call_blocking(bus_name, object_path, dbus_interface, method, signature, args, timeout,\n"
     "               byte_arrays)\n\n"
     "What dbus.connection.Connection.call_blocking() does."},
    {"_call_async", (PyCFunction)(void (*)(void))conn_call_async, METH_FASTCALL,
     "_call_async(bus_name, object_path, dbus_interface, method, signature, args, reply_handler,\n"
     "            error_handler, timeout, byte_arrays) -> PendingCall\n\n"
     "What dbus.connection.Connection.call_async() does where there is a handler, or None, for\n"
     "either case."},
    {"_open", conn_open, METH_O | METH_CLASS,
     "_open(address) -> _LibDBusConnection\n\n"
     "Connect to `address` (str), for whoever makes a Connection of it, in any thread.  Blocks as\n"
     "long as the transport takes; the authentication is left to the loop.  Raises DBusException."},
    {"_receive_plain", conn_receive_plain, METH_VARARGS,
     "_receive_plain(receiver, loop, handlers, ended)\n\n"
     "Call `receiver(message)` for incoming messages that no call waits for, with a Message\n"
     "of dbus.aio, in the place of filters and object paths; and `receiver(None)` once everything\n"
     "is written of which _send_plain() has said that it is not.  `loop` is asyncio's, for\n"
     "_await_plain(); a reply is its result if the list `handlers` is empty and there are no\n"
     "descriptors, else `ended(future, outcome, timed_out)` is called to complete it, as the\n"
     "handler of _call_plain() is."},
    {"_serve_plain", conn_serve_plain, METH_VARARGS,
     "_serve_plain(exported, serving, finish)\n\n"
     "Serve the usual calls of interfaces before the receiver hears of them, while the list\n"
     "`handlers` is empty.  `exported` is a dict: path -> dict: name -> interface.  `serving` is\n"
     "the ContextVar that holds the call meanwhile, an object whose method `message()` makes a\n"
     "Message of it; `finish(message, method, result, exception)` is called for what was not "
     "usual\n"
     "afterwards."},
    {"_deliver_plain", conn_deliver_plain, METH_VARARGS,
     "_deliver_plain(settle, matches, owners, takes_fds)\n\n"
     "Show messages to others before they come to the receiver: to the handlers, and signals then\n"
     "to the `matches`, a _Matches.  The receiver gets what nobody has dealt with, but for "
     "signals\n"
     "without descriptors; at once it gets the signals of libdbus itself and, unless `takes_fds`,\n"
     "what has descriptors.  `settle(message, result, error)` is called for a handler whose "
     "result\n"
     "is true or that has raised, and says whether the message is dealt with.  A well-known name\n"
     "as the sender of a match stands for its owner in the dict `owners`, which is kept up to "
     "date\n"
     "for the names in it; None where there is no bus, and every sender is the right one."},
    {"_send_plain", conn_send_plain, METH_O,
     "_send_plain(message) -> bool\n\n"
     "Queue a Message of dbus.aio and set its serial.  True if everything is written; if not, the\n"
     "receiver hears of it.  Raises TypeError, ValueError or OverflowError for a message that\n"
     "cannot be sent, DBusException on a closed connection."},
    {"_call_plain", (PyCFunction)(void (*)(void))conn_call_plain, METH_FASTCALL,
     "_call_plain(message, handler, timeout_s) -> PendingCall\n\n"
     "Send a Message of dbus.aio as a call, setting its serial, for at most `timeout_s` seconds,\n"
     "None for no limit.  `handler(outcome, timed_out)` is called with the reply, a Message too; "
     "or\n"
     "with None, and whether it was the time that ended the call or the connection; or with an\n"
     "exception that kept the reply from being made.  Raises what _send_plain() raises, "
     "ValueError\n"
     "also for a serial that a call in flight has."},
    {"_await_plain", (PyCFunction)(void (*)(void))conn_await_plain, METH_FASTCALL,
     "_await_plain(message, timeout_s) -> awaitable or None\n\n"
     "As _call_plain(), with a future that is done when the call has ended.  None, with nothing\n"
     "sent, for a message that nobody answers."},
    {NULL, NULL, 0, NULL},
};
