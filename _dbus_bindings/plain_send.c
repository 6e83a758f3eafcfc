/* SPDX-License-Identifier: MIT */
/*
 * From a Message of dbus.aio to a DBusMessage (plain.h).
 */
#include "plain.h"

#include <string.h>

#include "cleanup.h"
#include "commit.h"
#include "compat.h"
#include "encode.h"
#include "program.h"
#include "template.h"
#include "validate.h"

/* --- The header */

typedef struct Texts {
    const char *destination, *path, *interface, *member, *error_name, *sender;
} Texts;

/* The text of a field that was checked, NULL for None; -1 with an exception. */
static int
read_text(const Plain *self, enum PlainField field, const char *name, int (*check)(const char *),
          const char **ret_text)
{
    PyObject *value = self->fields[field];
    const char *text;

    if (!value || value == Py_None) {
        *ret_text = NULL;
        return 0;
    }
    text = check_text(value, name, NULL);
    if (!text || check(text) < 0)
        return -1;
    *ret_text = text;
    return 0;
}

static int
check_any_name(const char *name)
{
    return check_bus_name(name, NAME_ANY);
}

static int
read_texts(const Plain *self, Texts *t)
{
    if (read_text(self, DESTINATION, "destination", check_any_name, &t->destination) < 0 ||
        read_text(self, PATH, "path", check_path, &t->path) < 0 ||
        read_text(self, INTERFACE, "interface", check_interface, &t->interface) < 0 ||
        read_text(self, MEMBER, "member", check_member, &t->member) < 0 ||
        read_text(self, ERROR_NAME, "error_name", check_error_name, &t->error_name) < 0 ||
        read_text(self, SENDER, "sender", check_any_name, &t->sender) < 0)
        return -1;
    return 0;
}

/* A number of 32 bits without a sign; -1 with an exception. */
static int
read_number(const Plain *self, enum PlainField field, const char *name, uint32_t *ret_number)
{
    PyObject *value = self->fields[field];

    if (!value || value == Py_None) {
        *ret_number = 0;
        return 0;
    }
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s is an int, not %s", name, Py_TYPE(value)->tp_name);
        return -1;
    }
    unsigned long number = PyLong_AsUnsignedLong(value);
    if (number == (unsigned long)-1 && PyErr_Occurred())
        return -1;
    if (number > UINT32_MAX) {
        PyErr_Format(PyExc_OverflowError, "%s is at most 2**32 - 1", name);
        return -1;
    }
    *ret_number = (uint32_t)number;
    return 0;
}

/* The number of the type, 0 with TypeError. */
static int
read_type(State *st, const Plain *self)
{
    for (int type = 1; type < PLAIN_TYPES; type++)
        if (PyTuple_GET_ITEM(st->plain_types, type) == self->fields[MESSAGE_TYPE])
            return type;
    PyErr_SetString(PyExc_TypeError, "message_type is not a MessageType");
    return 0;
}

static bool
set_texts(DBusMessage *message, const Texts *t)
{
    return (!t->destination || dbus_message_set_destination(message, t->destination)) &&
           (!t->path || dbus_message_set_path(message, t->path)) &&
           (!t->interface || dbus_message_set_interface(message, t->interface)) &&
           (!t->member || dbus_message_set_member(message, t->member)) &&
           (!t->error_name || dbus_message_set_error_name(message, t->error_name)) &&
           (!t->sender || dbus_message_set_sender(message, t->sender));
}

static int
check_sendable(DBusMessage *message)
{
    const char *missing = commit_missing_field(message);

    if (missing) {
        PyErr_Format(PyExc_ValueError, "a %s message cannot be sent without its field %s",
                     dbus_message_type_to_string(dbus_message_get_type(message)), missing);
        return -1;
    }
    if (commit_is_local(message)) {
        PyErr_SetString(PyExc_ValueError, "the path /org/freedesktop/DBus/Local and the interface "
                                          "org.freedesktop.DBus.Local are reserved and may not "
                                          "be sent");
        return -1;
    }
    return 0;
}

static DBusMessage *
header_new(State *st, const void *source)
{
    const Plain *self = source;
    uint32_t flags, reply_serial;
    Texts texts;
    int type = read_type(st, self);

    if (!type || read_texts(self, &texts) < 0 || read_number(self, FLAGS, "flags", &flags) < 0 ||
        read_number(self, REPLY_SERIAL, "reply_serial", &reply_serial) < 0)
        return NULL;
    _cleanup_message_ DBusMessage *message = dbus_message_new(type);
    /* The serial first: libdbus looks for the field from the first one on. */
    if (!message || (reply_serial && !dbus_message_set_reply_serial(message, reply_serial)) ||
        !set_texts(message, &texts))
        return (DBusMessage *)(void *)PyErr_NoMemory();
    dbus_message_set_no_reply(message, flags & 1);
    dbus_message_set_auto_start(message, !(flags & 2));
    dbus_message_set_allow_interactive_authorization(message, !!(flags & 4));
    return check_sendable(message) < 0 ? NULL : TAKE(message);
}

static TemplateKey
key_of(const Plain *self)
{
    TemplateKey key;

    memcpy(&key, self->fields, sizeof key); /* all that the header is made of stands in front */
    return key;
}

/* Whether the header is one for many messages, which the key tells from others, but for the serial
 * that each of them answers: a reply has one, and nothing else has. */
static bool
is_regular(State *st, const Plain *self, uint32_t reply_serial)
{
    PyObject *type = self->fields[MESSAGE_TYPE];
    bool reply = type == PyTuple_GET_ITEM(st->plain_types, DBUS_MESSAGE_TYPE_METHOD_RETURN) ||
                 type == PyTuple_GET_ITEM(st->plain_types, DBUS_MESSAGE_TYPE_ERROR);

    return reply == (reply_serial != 0);
}

static DBusMessage *
header_of(State *st, const Plain *self)
{
    TemplateKey key = key_of(self);
    uint32_t reply_serial;

    if (read_number(self, REPLY_SERIAL, "reply_serial", &reply_serial) < 0)
        return NULL;
    if (!is_regular(st, self, reply_serial))
        return header_new(st, self);
    return reply_serial ? template_reply_new(st, &key, header_new, self, reply_serial)
                        : template_copy_new(st, &key, header_new, self);
}

bool
plain_is_valid(State *st, PyObject *plain)
{
    const Plain *self = (const Plain *)plain;
    TemplateKey key = key_of(self);
    _cleanup_message_ DBusMessage *made = NULL;
    uint32_t reply_serial;
    bool valid =
        plain_check_classes(st) == 0 &&
        read_number(self, REPLY_SERIAL, "reply_serial", &reply_serial) == 0 &&
        (is_regular(st, self, reply_serial) ? template_borrow(st, &key, header_new, self) != NULL
                                            : (made = header_new(st, self)) != NULL);

    if (!valid)
        PyErr_Clear();
    return valid;
}

/* --- The whole */

static int
add_body(State *st, DBusMessage **message, const Plain *self)
{
    _cleanup_object_ PyObject *body = Py_XNewRef(self->fields[BODY]);
    _cleanup_object_ PyObject *unix_fds = Py_XNewRef(self->fields[UNIX_FDS]);
    PyObject *signature = self->fields[SIGNATURE];
    Py_ssize_t len;
    const char *text =
        signature && signature != Py_None ? check_text(signature, "signature", &len) : "";

    if (!text || !*text)
        return text ? 0 : -1;
    if (!body || !PyList_Check(body)) {
        PyErr_SetString(PyExc_TypeError, "body is not a list");
        return -1;
    }
    _cleanup_program_ Program *program = program_get(st, text, (size_t)len);
    /* A tuple: converting a value may run code that changes the list. */
    _cleanup_object_ PyObject *args = program ? PyList_AsTuple(body) : NULL;
    if (!args)
        return -1;
    _cleanup_encoder_ Encoder encoder;
    encoder_init(&encoder, st);
    encoder.plain = true;
    encoder.unix_fds = unix_fds;
    if (encode_args(&encoder, program, PySequence_Fast_ITEMS(args), PyTuple_GET_SIZE(args)) < 0)
        return -1;
    return commit_body(st, message, COMMIT_TO_NEW, program, &encoder);
}

static int
check_plain(State *st, PyObject *object)
{
    if (PyObject_TypeCheck(object, st->plain))
        return plain_check_classes(st);
    PyErr_Format(PyExc_TypeError, "a Message is sent, not %s", Py_TYPE(object)->tp_name);
    return -1;
}

int
plain_wants_reply(State *st, PyObject *object)
{
    const Plain *self = (const Plain *)object;
    uint32_t flags;

    if (check_plain(st, object) < 0 || read_number(self, FLAGS, "flags", &flags) < 0)
        return -1;
    return !(flags & 1) && self->fields[MESSAGE_TYPE] ==
                               PyTuple_GET_ITEM(st->plain_types, DBUS_MESSAGE_TYPE_METHOD_CALL);
}

DBusMessage *
plain_to_dbus(State *st, PyObject *object, uint32_t *ret_serial)
{
    const Plain *self = (const Plain *)object;
    uint32_t serial;

    if (check_plain(st, object) < 0 || read_number(self, SERIAL, "serial", &serial) < 0)
        return NULL;
    _cleanup_message_ DBusMessage *message = header_of(st, self);
    if (!message || add_body(st, &message, self) < 0)
        return NULL;
    *ret_serial = serial;
    return TAKE(message);
}

int
plain_set_serial(PyObject *object, uint32_t serial)
{
    PyObject *number = PyLong_FromUnsignedLong(serial);

    if (!number)
        return -1;
    Py_XSETREF(((Plain *)object)->fields[SERIAL], number);
    return 0;
}
