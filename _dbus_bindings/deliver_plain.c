/* SPDX-License-Identifier: MIT */
/*
 * Contract: deliver_plain.h.
 *
 * Handlers run over a snapshot, but for matches that are removed meanwhile.  Python is entered for
 * the handlers themselves and for what is unusual: an exception, a result that says something, a
 * signal that is not as described, descriptors.  What is no Exception ends the delivery.
 */
#include "deliver_plain.h"

#include "compat.h"
#include "errors.h"
#include "message.h"
#include "plain.h"
#include "signalmatch.h"

PyObject *
delivery_message(PlainDelivery *delivery)
{
    if (!delivery->message)
        delivery->message = plain_new(delivery->st, delivery->dbus);
    return delivery->message;
}

/* --- Message handlers */

/* A handler has raised, if `result` is NULL, or has perhaps dealt with the message: as offer(). */
static int
settle(Connection *self, PyObject *message, PyObject *result)
{
    _cleanup_object_ PyObject *error = NULL;

    if (!result && !PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    if (!result)
        error = error_take();
    int is_true = result ? PyObject_IsTrue(result) : 1;
    if (is_true <= 0)
        return is_true;
    _cleanup_object_ PyObject *function = Py_NewRef(self->plain.settle);
    _cleanup_object_ PyObject *dealt_with = PyObject_CallFunctionObjArgs(
        function, message, result ? result : Py_None, error ? error : Py_None, NULL);
    return dealt_with ? PyObject_IsTrue(dealt_with) : -1;
}

/* 1 if a message handler has dealt with the message, 0 if none has, -1 with an exception. */
static int
offer(Connection *self, PlainDelivery *delivery)
{
    PyObject *list = self->futures.handlers;
    bool single = PyList_GET_SIZE(list) == 1;

    if (PyList_GET_SIZE(list) == 0)
        return 0;
    /* Of a single handler, the snapshot is that. */
    _cleanup_object_ PyObject *handlers =
        single ? Py_NewRef(PyList_GET_ITEM(list, 0)) : PyList_AsTuple(list);
    PyObject *message = handlers ? delivery_message(delivery) : NULL;
    if (!message)
        return -1;
    Py_ssize_t n = single ? 1 : PyTuple_GET_SIZE(handlers);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *handler = single ? handlers : PyTuple_GET_ITEM(handlers, i);
        _cleanup_object_ PyObject *result = PyObject_CallOneArg(handler, message);
        int dealt_with = result == Py_None ? 0 : settle(self, message, result);

        if (dealt_with)
            return dealt_with;
    }
    return 0;
}

/* --- Signals */

/* A name that somebody watches may have another owner. */
static int
note_owner(PyObject *owners, DBusMessage *message)
{
    const char *name, *before, *owner;

    if (owners == Py_None || PyDict_GET_SIZE(owners) == 0 ||
        !dbus_message_is_signal(message, DBUS_INTERFACE_DBUS, "NameOwnerChanged") ||
        !dbus_message_has_sender(message, DBUS_SERVICE_DBUS) ||
        !dbus_message_has_signature(message, "sss") ||
        !dbus_message_get_args(message, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &before,
                               DBUS_TYPE_STRING, &owner, DBUS_TYPE_INVALID))
        return 0;
    _cleanup_object_ PyObject *key = PyUnicode_FromString(name);
    int watched = key ? PyDict_Contains(owners, key) : -1;
    if (watched <= 0)
        return watched;
    _cleanup_object_ PyObject *value = PyUnicode_FromString(owner);
    return value ? PyDict_SetItem(owners, key, value) : -1;
}

static bool
is_wanted_from(PyObject *owners, const SignalMatch *match, const char *sender)
{
    if (owners == Py_None || signalmatch_is_from(match, sender))
        return true;
    PyObject *owner = PyDict_GetItemWithError(owners, match->owner);
    if (!owner)
        PyErr_Clear();
    return owner && signalmatch_is_name(owner, sender);
}

static PyObject *
arguments_borrow(PlainDelivery *delivery)
{
    if (!delivery->arguments) {
        _cleanup_object_ PyObject *list =
            message_decode(delivery->st, delivery->dbus, DECODE_PLAIN);
        delivery->arguments = list ? PyList_AsTuple(list) : NULL;
    }
    return delivery->arguments;
}

/* 1 if the match has taken the signal, 0 if not, -1 with an exception. */
static int
call_match(PlainDelivery *delivery, SignalMatch *match)
{
    PyObject *object = (PyObject *)match;
    _cleanup_object_ PyObject *handler = Py_XNewRef(match->handler);
    _cleanup_object_ PyObject *result = NULL;

    if (handler && !PyTuple_CheckExact(handler) && match->arguments && !delivery->has_fds &&
        signalmatch_is_name(match->arguments, dbus_message_get_signature(delivery->dbus))) {
        PyObject *arguments = arguments_borrow(delivery);
        result = arguments ? PyObject_Call(handler, arguments, NULL) : NULL;
        if (result && PyCoro_CheckExact(result))
            Py_SETREF(result, PyObject_CallMethod(object, "_run", "O", result));
    } else {
        PyObject *message = delivery_message(delivery);
        result = message ? PyObject_CallMethod(object, "_deliver", "O", message) : NULL;
    }
    return result ? result != Py_False : -1;
}

/* 0, or -1 with an exception that is not the match's own affair. */
static int
report_failure(SignalMatch *match)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    _cleanup_object_ PyObject *error = error_take();
    _cleanup_object_ PyObject *result =
        PyObject_CallMethod((PyObject *)match, "_failed", "O", error);
    return result ? 0 : -1;
}

/* 1 if a match has taken the signal, 0 if none has, -1 with an exception. */
static int
deliver(Connection *self, PlainDelivery *delivery)
{
    _cleanup_object_ PyObject *found = matches_find(delivery->st, self->matches, delivery->dbus);
    if (!found)
        return PyErr_Occurred() ? -1 : 0;
    _cleanup_object_ PyObject *owners = Py_NewRef(self->plain.owners);
    const char *sender = dbus_message_get_sender(delivery->dbus);
    int taken = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(found); i++) {
        SignalMatch *match = (SignalMatch *)PyList_GET_ITEM(found, i);

        if (!match->number || !is_wanted_from(owners, match, sender))
            continue;
        int result = call_match(delivery, match);
        if (result < 0 && report_failure(match) < 0)
            return -1;
        if (result > 0)
            taken = 1;
    }
    return taken;
}

int
deliver_plain(Connection *self, PlainDelivery *delivery)
{
    DBusMessage *message = delivery->dbus;
    bool is_signal = dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_SIGNAL;

    delivery->has_fds = dbus_message_contains_unix_fds(message);
    if (!self->plain.settle || (delivery->has_fds && !self->plain.takes_fds) ||
        (is_signal && link_is_own_word(message)))
        return 0;
    if (is_signal && note_owner(self->plain.owners, message) < 0)
        return -1;
    int dealt_with = offer(self, delivery);
    if (dealt_with || !is_signal)
        return dealt_with;
    int taken = deliver(self, delivery);
    /* Descriptors of a signal that nobody has taken are the receiver's to close. */
    return taken == 0 && !delivery->has_fds ? 1 : taken;
}
