/* SPDX-License-Identifier: MIT */
/*
 * One table a sort of field: names and texts, flags, serials.  A row gives libdbus' getter and
 * setter, our check and the words for help(); the methods are made of the rows.
 */
#include "message_fields.h"

#include <string.h>

#include "cleanup.h"
#include "commit.h"
#include "compat.h"
#include "message.h"
#include "message_bytes.h"
#include "signature.h"
#include "types/string.h"
#include "validate.h"

static int
check_any_bus_name(const char *name)
{
    return check_bus_name(name, NAME_ANY);
}

/* X(field, check, whether has_FIELD(None) asks "is it absent?", what it is) */
#define TEXT_FIELDS(X)                                                                             \
    X(path, check_path, true, "object path that a call goes to or a signal comes from")            \
    X(interface, check_interface, true, "interface of the method or signal")                       \
    X(member, check_member, true, "name of the method or signal")                                  \
    X(error_name, check_error_name, false, "D-Bus name of the error")                              \
    X(destination, check_any_bus_name, false, "bus name that the message goes to")                 \
    X(sender, check_any_bus_name, false, "bus name that the message comes from")

/* X(field, what True means) */
#define FLAG_FIELDS(X)                                                                             \
    X(no_reply, "nobody waits for a reply to this message")                                        \
    X(auto_start, "the bus may start the owner of the destination name")                           \
    X(allow_interactive_authorization, "the receiver may ask the user for authorization")

typedef struct TextField {
    const char *setter; /* for error texts */
    const char *asker;
    const char *(*get)(DBusMessage *);
    dbus_bool_t (*set)(DBusMessage *, const char *);
    int (*check)(const char *);
    bool none;
} TextField;

typedef struct FlagField {
    dbus_bool_t (*get)(DBusMessage *);
    void (*set)(DBusMessage *, dbus_bool_t);
} FlagField;

#define X(field, CHECK, NONE, words)                                                               \
    static const TextField field##_field = {                                                       \
        .setter = "the argument of set_" #field "()",                                              \
        .asker = "the argument of has_" #field "()",                                               \
        .get = dbus_message_get_##field,                                                           \
        .set = dbus_message_set_##field,                                                           \
        .check = (CHECK),                                                                          \
        .none = (NONE),                                                                            \
    };
TEXT_FIELDS(X)
#undef X

#define X(field, words)                                                                            \
    static const FlagField field##_field = {                                                       \
        .get = dbus_message_get_##field,                                                           \
        .set = dbus_message_set_##field,                                                           \
    };
FLAG_FIELDS(X)
#undef X

/* What a method does with its message: `a` and `b` are whatever it is told about. */
typedef PyObject *(*Action)(PyObject *self, DBusMessage *message, const void *a, const void *b);

/* `get` is message_get to read, message_open to write. */
static PyObject *
act(PyObject *self, DBusMessage *(*get)(PyObject *), Action action, const void *a, const void *b)
{
    PyObject *result = NULL;

    Py_BEGIN_CRITICAL_SECTION(self);
    DBusMessage *message = get(self);
    if (message)
        result = action(self, message, a, b);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *
none_or_no_memory(dbus_bool_t done)
{
    return done ? Py_NewRef(Py_None) : PyErr_NoMemory();
}

static PyObject *
read_text(PyObject *self, DBusMessage *message, const void *field, const void *Py_UNUSED(b))
{
    const char *text = ((const TextField *)field)->get(message);

    if (!text)
        return Py_NewRef(Py_None);
    return field == &path_field ? object_path_new(state_of(self), text, strlen(text), 0)
                                : PyUnicode_FromString(text);
}

/* `text` may be NULL: the field is cleared. */
static PyObject *
write_text(PyObject *self, DBusMessage *message, const void *field, const void *text)
{
    if (field == &path_field && commit_check_size(message, text, 0) < 0)
        return NULL;
    ((Message *)self)->complete = false; /* looked at again before it is sent */
    return none_or_no_memory(((const TextField *)field)->set(message, text));
}

static PyObject *
text_set(PyObject *self, PyObject *value, const TextField *field)
{
    const char *text = NULL;

    if (value != Py_None &&
        (!(text = check_text(value, field->setter, NULL)) || field->check(text) < 0))
        return NULL;
    return act(self, message_open, write_text, field, text);
}

static bool
text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static PyObject *
compare_text(PyObject *Py_UNUSED(self), DBusMessage *message, const void *field, const void *text)
{
    return PyBool_FromLong(text_equal(((const TextField *)field)->get(message), text));
}

static PyObject *
text_has(PyObject *self, PyObject *value, const TextField *field)
{
    const char *text = NULL;

    if ((value != Py_None || !field->none) && !(text = check_text(value, field->asker, NULL)))
        return NULL;
    return act(self, message_get, compare_text, field, text);
}

static PyObject *
read_flag(PyObject *Py_UNUSED(self), DBusMessage *message, const void *field,
          const void *Py_UNUSED(b))
{
    return PyBool_FromLong(((const FlagField *)field)->get(message) != FALSE);
}

static PyObject *
write_flag(PyObject *Py_UNUSED(self), DBusMessage *message, const void *field, const void *flag)
{
    ((const FlagField *)field)->set(message, *(const int *)flag != 0);
    return Py_NewRef(Py_None);
}

static PyObject *
flag_set(PyObject *self, PyObject *value, const FlagField *field)
{
    int flag;

    if (!PyArg_Parse(value, "i", &flag))
        return NULL;
    return act(self, message_open, write_flag, field, &flag);
}

#define X(field, CHECK, NONE, words)                                                               \
    static PyObject *get_##field(PyObject *self, PyObject *Py_UNUSED(none))                        \
    {                                                                                              \
        return act(self, message_get, read_text, &field##_field, NULL);                            \
    }                                                                                              \
    static PyObject *set_##field(PyObject *self, PyObject *value)                                  \
    {                                                                                              \
        return text_set(self, value, &field##_field);                                              \
    }
TEXT_FIELDS(X)
#undef X

#define HAS(field)                                                                                 \
    static PyObject *has_##field(PyObject *self, PyObject *value)                                  \
    {                                                                                              \
        return text_has(self, value, &field##_field);                                              \
    }
HAS(path)
HAS(interface)
HAS(member)
HAS(destination)
HAS(sender)

#define X(field, words)                                                                            \
    static PyObject *get_##field(PyObject *self, PyObject *Py_UNUSED(none))                        \
    {                                                                                              \
        return act(self, message_get, read_flag, &field##_field, NULL);                            \
    }                                                                                              \
    static PyObject *set_##field(PyObject *self, PyObject *value)                                  \
    {                                                                                              \
        return flag_set(self, value, &field##_field);                                              \
    }
FLAG_FIELDS(X)
#undef X

#define NUMBER_GETTER(name, getter)                                                                \
    static PyObject *name(PyObject *self, PyObject *Py_UNUSED(none))                               \
    {                                                                                              \
        DBusMessage *message = message_get(self);                                                  \
        return message ? PyLong_FromUnsignedLong((unsigned long)getter(message)) : NULL;           \
    }
NUMBER_GETTER(get_type, dbus_message_get_type)
NUMBER_GETTER(get_serial, dbus_message_get_serial)
NUMBER_GETTER(get_reply_serial, dbus_message_get_reply_serial)

static PyObject *
write_reply_serial(PyObject *Py_UNUSED(self), DBusMessage *message, const void *serial,
                   const void *Py_UNUSED(b))
{
    return none_or_no_memory(
        dbus_message_set_reply_serial(message, *(const dbus_uint32_t *)serial));
}

int
message_serial_converter(PyObject *value, void *ret_serial)
{
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "a serial must be int, not %s", Py_TYPE(value)->tp_name);
        return 0;
    }
    unsigned long serial = PyLong_AsUnsignedLong(value);
    if (serial == (unsigned long)-1 && PyErr_Occurred())
        return 0;
    if (serial > UINT32_MAX) {
        PyErr_Format(PyExc_OverflowError, "a serial is a 32-bit number, %lu is too big", serial);
        return 0;
    }
    if (serial == 0) {
        PyErr_SetString(PyExc_ValueError, "no message has the serial 0");
        return 0;
    }
    *(dbus_uint32_t *)ret_serial = (dbus_uint32_t)serial;
    return 1;
}

static PyObject *
set_reply_serial(PyObject *self, PyObject *value)
{
    dbus_uint32_t serial;

    if (!message_serial_converter(value, &serial))
        return NULL;
    return act(self, message_open, write_reply_serial, &serial, NULL);
}

static PyObject *
read_signature(PyObject *self, DBusMessage *message, const void *Py_UNUSED(a),
               const void *Py_UNUSED(b))
{
    const char *text = dbus_message_get_signature(message);

    return signature_new(state_of(self), text, strlen(text), 0);
}

static PyObject *
get_signature(PyObject *self, PyObject *Py_UNUSED(none))
{
    return act(self, message_get, read_signature, NULL, NULL);
}

static PyObject *
compare_signature(PyObject *Py_UNUSED(self), DBusMessage *message, const void *text,
                  const void *Py_UNUSED(b))
{
    return PyBool_FromLong(text_equal(dbus_message_get_signature(message), text));
}

static PyObject *
has_signature(PyObject *self, PyObject *value)
{
    const char *text = check_text(value, "the argument of has_signature()", NULL);

    return text ? act(self, message_get, compare_signature, text, NULL) : NULL;
}

/* Appends the elements of the path, which is valid, to the list. */
static PyObject *
split_path(PyObject *Py_UNUSED(self), DBusMessage *message, const void *Py_UNUSED(a),
           const void *list)
{
    const char *path = dbus_message_get_path(message);

    if (!path)
        return Py_NewRef(Py_None);
    while (path[0] && path[1]) {
        const char *start = path + 1;
        size_t n = strcspn(start, "/");
        _cleanup_object_ PyObject *element = PyUnicode_FromStringAndSize(start, (Py_ssize_t)n);
        if (!element || PyList_Append(*(PyObject *const *)list, element) < 0)
            return NULL;
        path = start + n;
    }
    return Py_NewRef(*(PyObject *const *)list);
}

static PyObject *
get_path_decomposed(PyObject *self, PyObject *Py_UNUSED(none))
{
    /* Made first: that may run the garbage collector, and so code that changes the path. */
    _cleanup_object_ PyObject *list = PyList_New(0);

    return list ? act(self, message_get, split_path, NULL, &list) : NULL;
}

typedef struct Description {
    int type;
    const TextField *fields[2]; /* the second may be NULL */
    const char *texts[2];
} Description;

static PyObject *
compare_description(PyObject *Py_UNUSED(self), DBusMessage *message, const void *description,
                    const void *Py_UNUSED(b))
{
    const Description *d = description;
    bool same = dbus_message_get_type(message) == d->type;

    for (int i = 0; i < 2 && d->fields[i]; i++)
        same = same && text_equal(d->fields[i]->get(message), d->texts[i]);
    return PyBool_FromLong(same);
}

static PyObject *
is_described(PyObject *self, PyObject *args, const char *format, Description *d)
{
    if (!PyArg_ParseTuple(args, format, &d->texts[0], &d->texts[1]))
        return NULL;
    return act(self, message_get, compare_description, d, NULL);
}

static PyObject *
is_method_call(PyObject *self, PyObject *args)
{
    Description d = {DBUS_MESSAGE_TYPE_METHOD_CALL, {&interface_field, &member_field}, {NULL}};

    return is_described(self, args, "ss:is_method_call", &d);
}

static PyObject *
is_signal(PyObject *self, PyObject *args)
{
    Description d = {DBUS_MESSAGE_TYPE_SIGNAL, {&interface_field, &member_field}, {NULL}};

    return is_described(self, args, "ss:is_signal", &d);
}

static PyObject *
is_error(PyObject *self, PyObject *args)
{
    Description d = {DBUS_MESSAGE_TYPE_ERROR, {&error_name_field}, {NULL}};

    return is_described(self, args, "s:is_error", &d);
}

#define FAST(f) (PyCFunction)(void (*)(void))(f), METH_FASTCALL | METH_KEYWORDS

PyMethodDef message_methods[] = {
    {"append", FAST(message_append),
     "append(*args, signature=None)\n\n"
     "Add arguments to the message, of the types that the str `signature` lists; without one the\n"
     "types are what guess_signature(*args) says.\n\n"
     "  b          anything, by its truth\n"
     "  y          an int, or bytes of length 1\n"
     "  n q i      an int\n"
     "  u x t      anything that int() takes\n"
     "  d          a float or an int\n"
     "  s g        str, or bytes that are UTF-8\n"
     "  o          str, or an object with a __dbus_object_path__\n"
     "  h          a UnixFd or the int of an open file descriptor\n"
     "  a{..}      a mapping\n"
     "  a. (..)    an iterable; ay also takes bytes\n"
     "  v          a value of any of these types, which is guessed\n\n"
     "TypeError, ValueError or OverflowError if a value does not fit its type, or whatever the\n"
     "value itself raises when it is looked at; the message is then as it was.  ValueError if it\n"
     "has been sent already."},
    {"get_args_list", FAST(message_get_args_list),
     "get_args_list(byte_arrays=False) -> list\n\n"
     "The arguments as dbus.Int32, dbus.String, dbus.Array and so on; what came in a variant has "
     "a\n"
     "variant_level above 0.  An array of bytes (ay) is an Array of Byte, or a ByteArray if\n"
     "`byte_arrays` is true.  Each file descriptor is a UnixFd that owns a duplicate."},
    {"marshal", (PyCFunction)(void (*)(void))message_marshal, METH_VARARGS | METH_KEYWORDS,
     "marshal(serial=None) -> bytes\n\n"
     "The message as it travels, which Message.demarshal() reads.  `serial` is an int from 1 to\n"
     "2**32 - 1; without one it is the message's own, or 1 if that was never sent.  The message\n"
     "itself stays as it is.\n\n"
     "ValueError for a message that could not be sent, or that carries file descriptors: they\n"
     "have no form as bytes."},
    {"copy", message_copy, METH_NOARGS,
     "copy() -> Message\n\n"
     "An independent message of the same kind, fields and arguments, without a serial."},
#define X(field, CHECK, NONE, words)                                                               \
    {"get_" #field, get_##field, METH_NOARGS, "The " words ", or None if the field is not set."},  \
        {"set_" #field, set_##field, METH_O,                                                       \
         "Set the " words ", a str, or clear the field with None.\n\n"                             \
         "ValueError if the text is not a valid one or the message has been sent."},
    TEXT_FIELDS(X)
#undef X
#define X(field, words)                                                                            \
    {"get_" #field, get_##field, METH_NOARGS, "True if " words "."},                               \
        {"set_" #field, set_##field, METH_O,                                                       \
         "Set (True) or clear (False) the flag which says that " words "."},
        FLAG_FIELDS(X)
#undef X
            {"has_path", has_path, METH_O,
             "True if this is the message's path; None: if it has none."},
    {"has_interface", has_interface, METH_O,
     "True if this is the message's interface; None: if it has none."},
    {"has_member", has_member, METH_O,
     "True if this is the message's member; None: if it has none."},
    {"has_destination", has_destination, METH_O, "True if the message goes to this bus name."},
    {"has_sender", has_sender, METH_O, "True if the message comes from this bus name."},
    {"has_signature", has_signature, METH_O, "True if the arguments have exactly this signature."},
    {"get_signature", get_signature, METH_NOARGS,
     "The Signature of the arguments, empty if there are none."},
    {"get_path_decomposed", get_path_decomposed, METH_NOARGS,
     "The elements of the path as a list of str ('/a/b' gives ['a', 'b'], '/' gives []), or\n"
     "None if the message has no path."},
    {"get_type", get_type, METH_NOARGS,
     "The type of the message as an int, one of the MESSAGE_TYPE constants."},
    {"get_serial", get_serial, METH_NOARGS,
     "The number that the sender gave to the message when it was sent; 0 before that."},
    {"get_reply_serial", get_reply_serial, METH_NOARGS,
     "The serial of the message that this one replies to; 0 if it is no reply."},
    {"set_reply_serial", set_reply_serial, METH_O,
     "Set the serial of the message that this one replies to, an int from 1 to 2**32 - 1."},
    {"is_method_call", is_method_call, METH_VARARGS,
     "True if the message is a call of this (interface, member)."},
    {"is_signal", is_signal, METH_VARARGS,
     "True if the message is the signal of this (interface, member)."},
    {"is_error", is_error, METH_VARARGS, "True if the message is an error of this name."},
    {NULL, NULL, 0, NULL},
};
