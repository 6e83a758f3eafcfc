/* SPDX-License-Identifier: MIT */
/*
 * Contract: pendingcall.h.
 */
#include "pendingcall.h"

#include <string.h>

#include "blocking.h"
#include "cleanup.h"
#include "compat.h"
#include "errors.h"
#include "forks.h"
#include "future.h"
#include "limits.h"
#include "message.h"
#include "plain.h"

static const char no_reply_text[] =
    "Did not receive a reply. Possible causes include: the remote application did not send a "
    "reply, the message bus security policy blocked the reply, the reply timeout expired, or the "
    "network connection was broken.";

DBusMessage *
pendingcall_failure_new(uint32_t serial)
{
    _cleanup_message_ DBusMessage *message = dbus_message_new(DBUS_MESSAGE_TYPE_ERROR);
    const char *text = no_reply_text;

    if (!message || !dbus_message_set_error_name(message, DBUS_ERROR_NO_REPLY) ||
        !dbus_message_append_args(message, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID))
        return NULL;
    dbus_message_set_no_reply(message, TRUE);
    if (serial && !dbus_message_set_reply_serial(message, serial))
        return NULL;
    return TAKE(message);
}

PyObject *
pendingcall_raise(State *st, int call_state)
{
    if (call_state == CALL_DISCONNECTED)
        return error_raise_named(st, DBUS_ERROR_DISCONNECTED,
                                 "Connection was disconnected before a reply was received");
    return error_raise_named(st, DBUS_ERROR_NO_REPLY, no_reply_text);
}

PendingCall *
pendingcall_of(Call *call)
{
    return (PendingCall *)(void *)((char *)call - offsetof(PendingCall, call));
}

static void
list_add(PendingCall **list, PendingCall *pending)
{
    Py_INCREF(pending);
    pending->list = list;
    pending->prev = NULL;
    pending->next = *list;
    if (*list)
        (*list)->prev = pending;
    *list = pending;
}

/* Out of the list: the reference that the list had is the caller's. */
static void
list_remove(PendingCall *pending)
{
    if (pending->prev)
        pending->prev->next = pending->next;
    else
        *pending->list = pending->next;
    if (pending->next)
        pending->next->prev = pending->prev;
    pending->list = NULL;
    pending->prev = pending->next = NULL;
}

int
pendingcall_list_traverse(PendingCall *list, visitproc visit, void *arg)
{
    for (PendingCall *pending = list; pending; pending = pending->next)
        Py_VISIT(pending);
    return 0;
}

/* The call is over, however: out of table, inbox and list, and without its references. */
static void
release(PendingCall *pending, enum CallState how)
{
    bool listed = pending->list != NULL;

    if (listed)
        list_remove(pending);
    if (pending->foreign) {
        DBusPendingCall *foreign = TAKE(pending->foreign);

        if (!pending->link->watches.inherited) {
            dbus_pending_call_cancel(foreign);
            dbus_pending_call_unref(foreign);
        }
    }
    if (pending->link) {
        link_cancel(pending->link, &pending->call, how);
        watchset_unref(&pending->link->watches);
        pending->link = NULL;
    }
    if (pending->call.reply)
        dbus_message_unref(TAKE(pending->call.reply));
    Py_CLEAR(pending->handler);
    Py_CLEAR(pending->on_error);
    Py_CLEAR(pending->connection);
    if (listed)
        Py_DECREF(pending);
}

void
pendingcall_list_clear(PendingCall **list)
{
    while (*list)
        release(*list, CALL_CANCELLED);
}

/* The three ways of telling how a call ended; `reply` NULL: without a reply.  The handler's result,
 * or NULL with an exception. */
static PyObject *
tell_plain(State *st, PyObject *handler, DBusMessage *reply, int state, enum CallTold how)
{
    PyObject *timed_out = state == CALL_TIMED_OUT ? Py_True : Py_False;
    _cleanup_object_ PyObject *outcome = reply ? plain_new(st, reply) : Py_NewRef(Py_None);

    if (!outcome)
        outcome = error_take();
    if (how == TELL_FUTURE)
        return future_end(st, handler, outcome, timed_out) < 0 ? NULL : Py_NewRef(Py_None);
    return PyObject_CallFunctionObjArgs(handler, outcome, timed_out, NULL);
}

static PyObject *
tell_message(State *st, PyObject *handler, DBusMessage *reply)
{
    _cleanup_object_ PyObject *message = message_new_steal(st, dbus_message_ref(reply));

    if (!message)
        return NULL;
    return handler == Py_None ? Py_NewRef(Py_None) : PyObject_CallOneArg(handler, message);
}

/* The exception that is set, which kept a reply from being told, goes to the error handler; where
 * there is none it stays. */
static PyObject *
tell_failure(PyObject *on_error)
{
    if (!on_error || on_error == Py_None || !PyErr_ExceptionMatches(PyExc_Exception))
        return NULL;
    _cleanup_object_ PyObject *exception = error_take();
    return PyObject_CallOneArg(on_error, exception);
}

static PyObject *
tell_error(State *st, PyObject *on_error, DBusMessage *reply)
{
    if (on_error == Py_None)
        return Py_NewRef(Py_None);
    _cleanup_object_ PyObject *message = message_new_steal(st, dbus_message_ref(reply));
    _cleanup_object_ PyObject *module = message ? PyImport_ImportModule("dbus._core.call") : NULL;
    _cleanup_object_ PyObject *exception =
        module ? PyObject_CallMethod(module, "reply_error", "O", message) : NULL;
    return exception ? PyObject_CallOneArg(on_error, exception) : tell_failure(on_error);
}

static PyObject *
tell_values(State *st, PyObject *handler, PyObject *on_error, DBusMessage *reply,
            enum DecodeFlavour flavour)
{
    if (dbus_message_get_type(reply) != DBUS_MESSAGE_TYPE_METHOD_RETURN)
        return tell_error(st, on_error, reply);
    if (handler == Py_None)
        return Py_NewRef(Py_None);
    _cleanup_object_ PyObject *list = message_decode(st, reply, flavour);
    _cleanup_object_ PyObject *values = list ? PyList_AsTuple(list) : NULL;
    return values ? PyObject_Call(handler, values, NULL) : tell_failure(on_error);
}

static PyObject *
tell(State *st, const PendingCall *pending, PyObject *handler, PyObject *on_error,
     DBusMessage *reply)
{
    _cleanup_message_ DBusMessage *made = NULL;

    if (pending->tell == TELL_PLAIN || pending->tell == TELL_FUTURE)
        return tell_plain(st, handler, reply, atomic_load(&pending->call.state), pending->tell);
    if (!reply && !(reply = made = pendingcall_failure_new(pending->call.serial))) {
        PyErr_NoMemory();
        return tell_failure(on_error);
    }
    if (pending->tell == TELL_MESSAGE)
        return tell_message(st, handler, reply);
    return tell_values(st, handler, on_error, reply,
                       pending->tell == TELL_VALUES ? DECODE_TYPED : DECODE_TYPED_BYTE_ARRAYS);
}

void
pendingcall_deliver(State *st, PendingCall *pending)
{
    if (pending->completed || !pending->handler)
        return;
    _keep_object_ PyObject *keep = Py_NewRef(pending);
    _keep_object_ PyObject *connection = Py_NewRef(pending->connection); /* `loop` is in it */
    _cleanup_object_ PyObject *handler = Py_NewRef(pending->handler);
    _cleanup_object_ PyObject *on_error = Py_XNewRef(pending->on_error);
    _cleanup_message_ DBusMessage *reply = TAKE(pending->call.reply);

    pending->completed = true;
    release(pending, CALL_CANCELLED);
    _cleanup_object_ PyObject *result = tell(st, pending, handler, on_error, reply);
    if (!result)
        mainloop_handler_failed(pending->loop);
}

/* libdbus tells the end of a call under a foreign loop; called without its lock. */
static void
on_foreign_notify(DBusPendingCall *foreign, void *data)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PendingCall *pending = data;

    if (!pending->completed && pending->handler) {
        pending->call.reply = dbus_pending_call_steal_reply(foreign);
        pendingcall_deliver(state_of((PyObject *)pending), pending);
    }
    PyGILState_Release(gil);
}

static void
drop_reference(void *object)
{
    PyGILState_STATE gil = PyGILState_Ensure();

    Py_DECREF((PyObject *)object);
    PyGILState_Release(gil);
}

static enum LinkResult
start_foreign(PendingCall *pending, DBusMessage *message, int timeout_ms)
{
    DBusConnection *connection = pending->link->connection;
    dbus_bool_t ok;

    Py_BEGIN_ALLOW_THREADS ok =
        dbus_connection_send_with_reply(connection, message, &pending->foreign, timeout_ms);
    Py_END_ALLOW_THREADS if (!ok) return LINK_NO_MEMORY;
    if (!pending->foreign)
        return LINK_CLOSED;
    pending->call.serial = dbus_message_get_serial(message);
    /* A thread may be on its way into the notification while release() cancels. */
    if (!dbus_pending_call_set_notify(pending->foreign, on_foreign_notify, Py_NewRef(pending),
                                      drop_reference)) {
        Py_DECREF(pending);
        return LINK_NO_MEMORY;
    }
    return LINK_OK;
}

static enum LinkResult
start(PendingCall *pending, DBusMessage *message, int timeout_ms)
{
    Link *link = pending->link;
    enum LinkResult result;

    if (link_is(link, LINK_FOREIGN))
        return start_foreign(pending, message, timeout_ms);
    pending->call.deadline =
        timeout_ms == LIMIT_TIMEOUT_MS ? NEVER : monotonic_ns() + (int64_t)timeout_ms * 1000000;
    WITH_LINK(link, result = link_start(link, &pending->call, message, link_is(link, LINK_LOOP)));
    return result;
}

PyObject *
pendingcall_start(State *st, PyObject *connection, Link *link, const Attachment *loop,
                  PendingCall **list, DBusMessage *message, const CallWish *wish)
{
    enum LinkResult result;

    if (link->watches.inherited)
        return forks_refuse(st);
    PendingCall *pending = PyObject_GC_New(PendingCall, st->pending_call);
    if (!pending)
        return NULL;
    memset((char *)pending + sizeof(PyObject), 0, sizeof *pending - sizeof(PyObject));
    pending->link = (Link *)watchset_ref(&link->watches);
    pending->connection = Py_NewRef(connection);
    pending->handler = Py_NewRef(wish->handler);
    pending->on_error = Py_XNewRef(wish->on_error);
    pending->tell = wish->tell;
    pending->call.serial = wish->serial;
    pending->loop = loop;
    list_add(list, pending);
    PyObject_GC_Track(pending);
    result = start(pending, message, wish->timeout_ms);
    if (result == LINK_OK) {
        /* The reply may have come before the notify was set. */
        if (pending->foreign && dbus_pending_call_get_completed(pending->foreign))
            on_foreign_notify(pending->foreign, pending);
        return (PyObject *)pending;
    }
    release(pending, CALL_CANCELLED);
    Py_DECREF(pending);
    if (result == LINK_NO_MEMORY)
        return PyErr_NoMemory();
    if (result == LINK_SERIAL_TAKEN)
        return PyErr_Format(PyExc_ValueError, "a call in flight has the serial %lu already",
                            (unsigned long)wish->serial);
    return error_raise_named(st, NULL, "Connection is disconnected - unable to make method call");
}

void
pendingcall_forget(PyObject *self)
{
    release((PendingCall *)self, CALL_CANCELLED);
}

static PyObject *
pending_cancel(PyObject *self, PyObject *unused)
{
    (void)unused;
    pendingcall_forget(self);
    Py_RETURN_NONE;
}

static PyObject *
pending_get_completed(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(((PendingCall *)self)->completed);
}

static PyObject *
block_foreign(PendingCall *pending)
{
    DBusPendingCall *foreign = dbus_pending_call_ref(pending->foreign);

    Py_BEGIN_ALLOW_THREADS dbus_pending_call_block(foreign);
    Py_END_ALLOW_THREADS dbus_pending_call_unref(foreign);
    Py_RETURN_NONE;
}

/* Waits with this thread as the one that the reply goes to. */
static PyObject *
block(State *st, PendingCall *pending)
{
    Link *link = (Link *)watchset_ref(&pending->link->watches);
    int64_t until = pending->call.deadline;
    Waiter *waiter = waiter_begin(link);
    bool failed = !waiter;

    if (failed)
        error_raise_errno();
    else
        link_set_waiter(link, &pending->call, waiter);
    if (!failed && !wait_interruptibly(link, waiter, &pending->call, until)) {
        failed = true;
        if (pending->link)
            link_set_waiter(link, &pending->call, NULL);
    }
    if (waiter)
        waiter_end(link, waiter);
    watchset_unref(&link->watches);
    if (failed)
        return NULL;
    if (pending->link)
        link_cancel(pending->link, &pending->call, CALL_TIMED_OUT);
    pendingcall_deliver(st, pending);
    Py_RETURN_NONE;
}

static PyObject *
pending_block(PyObject *self, PyObject *unused)
{
    PendingCall *pending = (PendingCall *)self;

    (void)unused;
    if (!pending->link)
        Py_RETURN_NONE; /* completed or cancelled */
    if (pending->link->watches.inherited)
        return forks_refuse(state_of(self));
    _keep_object_ PyObject *keep = Py_NewRef(self);
    return pending->foreign ? block_foreign(pending) : block(state_of(self), pending);
}

static int
pending_traverse(PyObject *self, visitproc visit, void *arg)
{
    PendingCall *pending = (PendingCall *)self;

    Py_VISIT(Py_TYPE(self));
    Py_VISIT(pending->connection);
    Py_VISIT(pending->handler);
    Py_VISIT(pending->on_error);
    return 0;
}

static int
pending_clear(PyObject *self)
{
    release((PendingCall *)self, CALL_CANCELLED);
    return 0;
}

static void
pending_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    release((PendingCall *)self, CALL_CANCELLED);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"block", pending_block, METH_NOARGS,
     "block()\n\n"
     "Wait until the call has ended and its reply handler has been called.  No other handler\n"
     "runs meanwhile, so a call to a method of the same program never ends."},
    {"cancel", pending_cancel, METH_NOARGS,
     "cancel()\n\nForget the call: its reply is ignored and its handler never called."},
    {"get_completed", pending_get_completed, METH_NOARGS,
     "get_completed() -> bool\n\n"
     "True once the call has ended and its reply handler was called."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A method call whose reply is still to come, as\n"
                "Connection.send_message_with_reply() returns it."},
    {Py_tp_methods, methods},
    {Py_tp_traverse, pending_traverse},
    {Py_tp_clear, pending_clear},
    {Py_tp_dealloc, pending_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "dbus.lowlevel.PendingCall",
    .basicsize = sizeof(PendingCall),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int
pendingcall_setup(PyObject *module, State *st)
{
    if (state_add_type(module, &st->pending_call, &spec, NULL, "PendingCall") < 0)
        return -1;
    st->pending_call->tp_new = NULL; /* Python 3.9 knows no flag for it */
    return 0;
}
