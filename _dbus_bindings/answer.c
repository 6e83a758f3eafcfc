/* SPDX-License-Identifier: MIT */
/*
 * Contract: answer.h.
 */
#include "answer.h"

#include <string.h>

#include "blocking.h"
#include "cleanup.h"
#include "commit.h"
#include "compat.h"
#include "encode.h"
#include "program.h"
#include "template.h"

#define FEW 6 /* arguments, the object among them, that need no tuple */

PyObject *
answer_call(PyObject *function, PyObject *object, PyObject *values)
{
    Py_ssize_t n = PyList_GET_SIZE(values);
    PyObject *few[1 + FEW];

    if (n < FEW) {
        few[1] = object;
        for (Py_ssize_t i = 0; i < n; i++)
            few[2 + i] = PyList_GET_ITEM(values, i);
        return PyObject_Vectorcall(function, few + 1,
                                   (size_t)(n + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    }
    _cleanup_object_ PyObject *args = PyTuple_New(n + 1);
    if (!args)
        return NULL;
    PyTuple_SET_ITEM(args, 0, Py_NewRef(object));
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(args, i + 1, Py_NewRef(PyList_GET_ITEM(values, i)));
    return PyObject_Call(function, args, NULL);
}

/* libdbus looks for a field from the first one on, so the one that will change is that. */
static DBusMessage *
header_new(State *Py_UNUSED(st), const void *sender)
{
    _cleanup_message_ DBusMessage *reply = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);

    if (!reply || !dbus_message_set_reply_serial(reply, 1) ||
        (sender && !dbus_message_set_destination(reply, sender)))
        return (DBusMessage *)(void *)PyErr_NoMemory();
    dbus_message_set_no_reply(reply, TRUE);
    return TAKE(reply);
}

/* A reply without values: most callers call again. */
static DBusMessage *
reply_new(State *st, DBusMessage *call)
{
    const char *sender = dbus_message_get_sender(call);
    _cleanup_object_ PyObject *name =
        sender ? program_shared_text(st, sender, strlen(sender), false) : Py_NewRef(Py_None);
    TemplateKey key = {{name}};

    return name ? template_reply_new(st, &key, header_new, sender, dbus_message_get_serial(call))
                : NULL;
}

int
answer_send(Connection *self, DBusMessage *call, const Program *program, PyObject *values,
            bool plain)
{
    State *st = state_of((PyObject *)self);
    Link *link = self->link;
    enum LinkResult sent = LINK_OK;
    _cleanup_encoder_ Encoder encoder;

    encoder_init(&encoder, st);
    encoder.plain = plain;
    if (dbus_message_get_no_reply(call))
        return 0;
    _cleanup_message_ DBusMessage *reply = reply_new(st, call);
    if (!reply ||
        encode_args(&encoder, program, PySequence_Fast_ITEMS(values), PyTuple_GET_SIZE(values)) <
            0 ||
        commit_body(st, &reply, COMMIT_TO_NEW, program, &encoder) < 0)
        return -1;
    if (link && !link->watches.inherited)
        WITH_LINK(link, sent = link_send(link, reply, NULL));
    if (sent == LINK_OK)
        return 0;
    PyErr_NoMemory(); /* so that an error is told at least */
    return -1;
}

void
answer_refuse(Connection *self, DBusMessage *call)
{
    Link *link = self->link;
    _cleanup_message_ DBusMessage *answer =
        dbus_message_new_error(call, DBUS_ERROR_LIMITS_EXCEEDED, "the call could not be taken in");

    if (answer && link && !link->watches.inherited && !dbus_message_get_no_reply(call))
        WITH_LINK(link, link_send(link, answer, NULL));
}
