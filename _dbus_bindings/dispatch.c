/* SPDX-License-Identifier: MIT */
/*
 * Contract: dispatch.h.
 *
 * Handlers run with the GIL and no lock, outside libdbus' dispatch, over a snapshot: a handler
 * may add or remove handlers, call, block, run a loop, close the connection, or raise.  A strong
 * reference to the Connection is held meanwhile.
 */
#include "dispatch.h"

#include <Python.h>
#include <unistd.h>

#include "answer.h"
#include "blocking.h"
#include "cleanup.h"
#include "compat.h"
#include "connection.h"
#include "deliver.h"
#include "deliver_plain.h"
#include "message.h"
#include "objectcall.h"
#include "servedcall.h"

#define DISPATCH_BATCH 64 /* messages a turn of the loop */

enum Outcome { HANDLED, NOT_HANDLED };

/* Tells the loop of the exception that is set. */
static enum Outcome
failed(Connection *self, LazyMessage *message)
{
    message->no_memory |= PyErr_ExceptionMatches(PyExc_MemoryError) != 0;
    mainloop_handler_failed(&self->loop);
    return NOT_HANDLED;
}

/* None and 0 say handled, NotImplemented and 1 say not; whatever else is a fault of the handler,
 * and so is 2, which would ask libdbus for the same message again without end. */
static enum Outcome
outcome_of(Connection *self, LazyMessage *message, PyObject *result)
{
    long number;

    if (!result)
        return failed(self, message);
    if (result == Py_None)
        return HANDLED;
    if (result == Py_NotImplemented)
        return NOT_HANDLED;
    number = PyLong_Check(result) ? PyLong_AsLong(result) : -1;
    if (number == DBUS_HANDLER_RESULT_HANDLED)
        return HANDLED;
    if (number == DBUS_HANDLER_RESULT_NOT_YET_HANDLED)
        return NOT_HANDLED;
    PyErr_Clear();
    PyErr_Format(PyLong_Check(result) ? PyExc_ValueError : PyExc_TypeError,
                 "a D-Bus message handler must return None, NotImplemented, "
                 "HANDLER_RESULT_HANDLED or HANDLER_RESULT_NOT_YET_HANDLED, not %R",
                 result);
    return failed(self, message);
}

static enum Outcome
call_handler(PyObject *handler, Connection *self, LazyMessage *message)
{
    _cleanup_object_ PyObject *result =
        PyObject_CallFunctionObjArgs(handler, (PyObject *)self, message->object, NULL);

    return outcome_of(self, message, result);
}

static enum Outcome
run_filters(Connection *self, LazyMessage *message)
{
    _cleanup_object_ PyObject *filters = Py_XNewRef(self->filters);
    Py_ssize_t n = filters ? PyTuple_GET_SIZE(filters) : 0;
    PyObject *object = n ? lazymessage_borrow(message) : NULL;

    if (n && !object)
        failed(self, message);
    for (Py_ssize_t i = 0; object && i < n; i++)
        if (call_handler(PyTuple_GET_ITEM(filters, i), self, message) == HANDLED)
            return HANDLED;
    return NOT_HANDLED;
}

static enum Outcome
run_object_paths(Connection *self, const char *path, LazyMessage *message)
{
    State *st = message->st;
    _cleanup_object_ PyObject *first = Py_XNewRef(paths_first_borrow(st, &self->paths, path));

    if (first && dbus_message_get_type(message->dbus) == DBUS_MESSAGE_TYPE_METHOD_CALL &&
        objectcall_serve(self, first, message))
        return HANDLED;
    _cleanup_object_ PyObject *handlers = first ? paths_find(st, &self->paths, path) : NULL;
    PyObject *object = handlers ? lazymessage_borrow(message) : NULL;
    if (!object)
        return PyErr_Occurred() ? failed(self, message) : NOT_HANDLED;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(handlers); i++)
        if (call_handler(PyList_GET_ITEM(handlers, i), self, message) == HANDLED)
            return HANDLED;
    return NOT_HANDLED;
}

/* An answer that the protocol owes; one that cannot be made for want of memory is not sent, and
 * the caller hears the time-out. */
static void
send_answer(Connection *self, DBusMessage *answer)
{
    Link *link = self->link;

    if (answer && link && !link->watches.inherited)
        WITH_LINK(link, link_send(link, answer, NULL));
}

/* Where nobody answers Introspect, the tree of registered paths does. */
static DBusMessage *
default_introspection_new(Connection *self, DBusMessage *call)
{
    _cleanup_message_ DBusMessage *answer = dbus_message_new_method_return(call);
    _cleanup_object_ PyObject *names = paths_children(&self->paths, dbus_message_get_path(call));
    _cleanup_object_ PyObject *text =
        names ? PyUnicode_FromString(DBUS_INTROSPECT_1_0_XML_DOCTYPE_DECL_NODE "<node>\n") : NULL;
    const char *xml;

    for (Py_ssize_t i = 0; text && i < PyList_GET_SIZE(names); i++)
        Py_SETREF(text, PyUnicode_FromFormat("%U  <node name=\"%U\"/>\n", text,
                                             PyList_GET_ITEM(names, i)));
    if (text)
        Py_SETREF(text, PyUnicode_FromFormat("%U</node>\n", text));
    xml = text ? PyUnicode_AsUTF8(text) : NULL;
    if (!xml) {
        mainloop_handler_failed(&self->loop);
        return NULL;
    }
    if (!answer || !dbus_message_append_args(answer, DBUS_TYPE_STRING, &xml, DBUS_TYPE_INVALID))
        return NULL;
    return TAKE(answer);
}

static DBusMessage *
unknown_method_new(Connection *self, DBusMessage *call)
{
    const char *interface = dbus_message_get_interface(call);
    int known =
        paths_has_object(state_of((PyObject *)self), &self->paths, dbus_message_get_path(call));

    if (known < 0)
        mainloop_handler_failed(&self->loop);
    return dbus_message_new_error_printf(
        call, known ? DBUS_ERROR_UNKNOWN_METHOD : DBUS_ERROR_UNKNOWN_OBJECT,
        "Method \"%s\" with signature \"%s\" on interface \"%s\" doesn't exist\n",
        dbus_message_get_member(call), dbus_message_get_signature(call),
        interface ? interface : "(null)");
}

/* What was not dealt with for want of memory may well be a known method. */
static void
answer_unhandled(Connection *self, DBusMessage *call, bool no_memory)
{
    _cleanup_message_ DBusMessage *answer = NULL;

    if (dbus_message_get_no_reply(call))
        return;
    if (no_memory)
        answer = dbus_message_new_error(call, DBUS_ERROR_NO_MEMORY, "there is no memory for it");
    else if (dbus_message_is_method_call(call, DBUS_INTERFACE_INTROSPECTABLE, "Introspect"))
        answer = default_introspection_new(self, call);
    else
        answer = unknown_method_new(self, call);
    send_answer(self, answer);
}

/* One message to whoever deals with it, or else to the receiver.  A call that cannot be shown to
 * them, for want of memory or descriptors, is answered here. */
static void
dispatch_plain(State *st, Connection *self, DBusMessage *dbus)
{
    int type = dbus_message_get_type(dbus);
    _cleanup_object_ PyObject *receiver = Py_NewRef(self->receiver);
    _cleanup_delivery_ PlainDelivery delivery = {.st = st, .dbus = dbus};

    if (type < DBUS_MESSAGE_TYPE_METHOD_CALL || type > DBUS_MESSAGE_TYPE_SIGNAL)
        return; /* of a later version of the protocol: to be ignored (Message Format) */
    if (type == DBUS_MESSAGE_TYPE_METHOD_CALL && servedcall_serve(st, self, dbus))
        return;
    int dealt_with = deliver_plain(self, &delivery);
    PyObject *message = dealt_with == 0 ? delivery_message(&delivery) : NULL;
    _cleanup_object_ PyObject *result = message ? PyObject_CallOneArg(receiver, message) : NULL;
    if (result || dealt_with > 0)
        return;
    mainloop_handler_failed(&self->loop);
    if (!delivery.message && type == DBUS_MESSAGE_TYPE_METHOD_CALL)
        answer_refuse(self, dbus);
}

/* All that was sent is written. */
static void
dispatch_written(Connection *self)
{
    _cleanup_object_ PyObject *receiver = Py_XNewRef(self->receiver);
    _cleanup_object_ PyObject *result =
        receiver ? PyObject_CallOneArg(receiver, Py_None) : Py_NewRef(Py_None);

    if (!result)
        mainloop_handler_failed(&self->loop);
}

/* One message, through all rooms.  False: it has not come into the first one, and is to come again. */
static bool
dispatch_message(State *st, Connection *self, DBusMessage *dbus)
{
    const char *path = dbus_message_get_path(dbus);
    int type = dbus_message_get_type(dbus);
    LazyMessage message = {.st = st, .dbus = dbus};

    if (type == DBUS_MESSAGE_TYPE_SIGNAL && !deliver_signal(self, &message))
        return false;
    if (run_filters(self, &message) == NOT_HANDLED &&
        !(path && self->link && run_object_paths(self, path, &message) == HANDLED) &&
        type == DBUS_MESSAGE_TYPE_METHOD_CALL && self->link)
        answer_unhandled(self, dbus, message.no_memory);
    Py_XDECREF(message.object);
    return true;
}

/* The connection is over, its last handlers have run. */
static void
after_disconnection(Connection *self, DBusMessage *message)
{
    if (self->exit_on_disconnect &&
        dbus_message_is_signal(message, DBUS_INTERFACE_LOCAL, "Disconnected"))
        _exit(1); /* what set_exit_on_disconnect() promises: no clean-up, no exit handlers */
}

static bool
dispatch_either(State *st, Connection *self, DBusMessage *message)
{
    if (self->receiver)
        dispatch_plain(st, self, message);
    else if (!dispatch_message(st, self, message))
        return false;
    after_disconnection(self, message);
    return true;
}

/* False: there is no memory for it now, and it is the next one again. */
static bool
dispatch_entry(State *st, Connection *self, Link *link, Entry *entry)
{
    if (entry->call) {
        pendingcall_deliver(st, pendingcall_of(entry->call));
    } else if (entry->message) {
        if (!dispatch_either(st, self, entry->message)) {
            link_put_back(link, entry);
            return false;
        }
        entry_free(entry);
    } else {
        dispatch_written(self);
    }
    return true;
}

void
dispatch_inbox(Link *link)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    State *st = NULL;

    /* A bounded number: other sources of the loop want their turn.  A handler may run the loop
     * itself, and may drop the last reference to the Connection. */
    for (int n = 0; n < DISPATCH_BATCH; n++) {
        _cleanup_object_ PyObject *self = mainloop_target(link->owner);
        Entry *entry = self ? link_take(link) : NULL;

        if (!self)
            link_drop_inbox(link);
        if (!entry)
            break;
        if (!st)
            st = state_of(self);
        if (!dispatch_entry(st, (Connection *)self, link, entry))
            break;
    }
    PyGILState_Release(gil);
}

DBusHandlerResult
dispatch_at_once(Link *link, DBusMessage *message)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    _cleanup_object_ PyObject *self = mainloop_target(link->owner);

    if (self) {
        if (!dispatch_either(state_of(self), (Connection *)self, message)) {
            PyErr_NoMemory(); /* libdbus' queue is not ours to put it back into */
            mainloop_handler_failed(&((Connection *)self)->loop);
        }
        Py_CLEAR(self);
    }
    PyGILState_Release(gil);
    return DBUS_HANDLER_RESULT_HANDLED;
}
