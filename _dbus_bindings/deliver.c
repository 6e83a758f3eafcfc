/* SPDX-License-Identifier: MIT */
/*
 * Contract: deliver.h.  Handlers run over a snapshot: one that adds or removes receivers does so
 * from the next signal on.
 */
#include "deliver.h"

#include "cleanup.h"
#include "compat.h"
#include "errors.h"
#include "message.h"
#include "signalmatch.h"

PyObject *
lazymessage_borrow(LazyMessage *message)
{
    if (!message->object)
        message->object = message_new_steal(message->st, dbus_message_ref(message->dbus));
    return message->object;
}

/* The arguments for one handler; another one must not see what it changes. */
static PyObject *
arguments_new(const SignalMatch *match, LazyMessage *message)
{
    if (!*dbus_message_get_signature(message->dbus) && !match->asks_arguments)
        return PyTuple_New(0); /* needs no memory, so that Disconnected is told in any case */
    _cleanup_object_ PyObject *list = message_decode(
        message->st, message->dbus, match->byte_arrays ? DECODE_TYPED_BYTE_ARRAYS : DECODE_TYPED);

    if (!list)
        return NULL;
    if (match->asks_arguments) {
        _cleanup_object_ PyObject *accepted =
            PyObject_CallMethod(match->arguments, "accepts", "O", list);
        int yes = accepted ? PyObject_IsTrue(accepted) : -1;
        if (yes <= 0)
            return NULL;
    }
    return PyList_AsTuple(list);
}

/* The result of the handler; NULL with an exception, or without one where it is not meant. */
static PyObject *
call_match(SignalMatch *match, LazyMessage *message)
{
    bool by_keyword =
        match->keywords && PyTuple_Check(match->keywords) && PyTuple_GET_SIZE(match->keywords) > 0;

    if (by_keyword) {
        PyObject *object = lazymessage_borrow(message);
        return object ? PyObject_CallMethod((PyObject *)match, "_deliver", "O", object) : NULL;
    }
    _cleanup_object_ PyObject *arguments = arguments_new(match, message);
    _cleanup_object_ PyObject *handler = Py_XNewRef(match->handler);
    return arguments && handler ? PyObject_Call(handler, arguments, NULL) : NULL;
}

/* Into the log, SystemExit and KeyboardInterrupt too. */
static void
report_failure(void)
{
    _cleanup_object_ PyObject *exception = error_take();
    _cleanup_object_ PyObject *module = PyImport_ImportModule("dbus._core.report");
    _cleanup_object_ PyObject *result =
        module ? PyObject_CallMethod(module, "signal_handler_failed", "O", exception) : NULL;
    if (!result)
        PyErr_WriteUnraisable(NULL);
}

bool
deliver_signal(Connection *self, LazyMessage *message)
{
    const char *sender = dbus_message_get_sender(message->dbus);
    _cleanup_object_ PyObject *found = matches_find(message->st, self->matches, message->dbus);

    if (!found && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_MemoryError)) {
            PyErr_Clear();
            return false;
        }
        mainloop_handler_failed(&self->loop);
    }
    for (Py_ssize_t i = 0; found && i < PyList_GET_SIZE(found); i++) {
        SignalMatch *match = (SignalMatch *)PyList_GET_ITEM(found, i);

        if (!signalmatch_is_from(match, sender))
            continue;
        _cleanup_object_ PyObject *result = call_match(match, message);
        if (!result && PyErr_Occurred())
            report_failure();
    }
    return true;
}
