/* SPDX-License-Identifier: MIT */
/*
 * The class Message: its life, its arguments in and out.
 */
#include "message.h"

#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "commit.h"
#include "compat.h"
#include "decode.h"
#include "encode.h"
#include "errors.h"
#include "fdwalk.h"
#include "guess.h"
#include "message_bytes.h"
#include "message_fields.h"
#include "message_kinds.h"
#include "program.h"
#include "signature.h"
#include "validate.h"

DBusMessage *
message_get(PyObject *self)
{
    DBusMessage *message = ((Message *)self)->msg;

    if (!message)
        error_raise_named(state_of(self), NULL,
                          "Message object is uninitialized: the __init__ of its class has not "
                          "been called");
    return message;
}

DBusMessage *
message_open(PyObject *self)
{
    DBusMessage *message = message_get(self);

    if (message && ((Message *)self)->sent) {
        PyErr_SetString(PyExc_ValueError, "the message has been sent and can no longer be changed");
        return NULL;
    }
    return message;
}

void
message_replace_steal(PyObject *self, DBusMessage *message)
{
    Message *m = (Message *)self;
    DBusMessage *old = NULL;

    Py_BEGIN_CRITICAL_SECTION(self);
    old = m->msg;
    m->msg = message;
    m->sent = false;
    Py_END_CRITICAL_SECTION();
    if (old)
        dbus_message_unref(old);
}

DBusMessage *
message_borrow(State *st, PyObject *object)
{
    if (!PyObject_TypeCheck(object, st->message)) {
        PyErr_Format(PyExc_TypeError, "A dbus.lowlevel.Message instance is required, not %s",
                     Py_TYPE(object)->tp_name);
        return NULL;
    }
    return message_get(object);
}

int
message_check_sendable(DBusMessage *message)
{
    const char *field = commit_missing_field(message);

    if (field) {
        PyErr_Format(PyExc_ValueError, "a %s message cannot be sent without its field %s",
                     dbus_message_type_to_string(dbus_message_get_type(message)), field);
        return -1;
    }
    if (commit_is_local(message)) {
        PyErr_SetString(PyExc_ValueError, "the path /org/freedesktop/DBus/Local and the interface "
                                          "org.freedesktop.DBus.Local are reserved and may not "
                                          "be sent");
        return -1;
    }
    if (dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_INVALID) {
        PyErr_SetString(PyExc_ValueError, "a message of type 0 may not be sent");
        return -1;
    }
    return 0;
}

DBusMessage *
message_borrow_for_send(State *st, PyObject *object)
{
    DBusMessage *message = message_borrow(st, object);

    if (!message || (!((Message *)object)->complete && message_check_sendable(message) < 0))
        return NULL;
    ((Message *)object)->sent = true;
    return message;
}

PyObject *
message_new_steal(State *st, DBusMessage *message)
{
    PyTypeObject *type = message_kind_borrow(st, dbus_message_get_type(message));
    PyObject *self = type->tp_alloc(type, 0);

    if (self)
        ((Message *)self)->msg = message;
    else
        dbus_message_unref(message);
    return self;
}

/* Arguments are for __init__. */
static PyObject *
message_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return type->tp_alloc(type, 0);
}

static void
message_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    DBusMessage *message = ((Message *)self)->msg;

    if (message)
        dbus_message_unref(message);
    type->tp_free(self);
    Py_DECREF(type);
}

/* The value of the one keyword of a vectorcall, borrowed; *ret_value is NULL without it. */
static int
parse_keyword(const char *function, const char *keyword, PyObject *const *values, PyObject *names,
              PyObject **ret_value)
{
    Py_ssize_t n = names ? PyTuple_GET_SIZE(names) : 0;

    if (n > 1) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most 1 keyword argument (%zd given)", function,
                     n);
        return -1;
    }
    if (n == 1 && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), keyword) != 0) {
        PyErr_Format(PyExc_TypeError, "'%U' is an invalid keyword argument for %s()",
                     PyTuple_GET_ITEM(names, 0), function);
        return -1;
    }
    *ret_value = n ? values[0] : NULL;
    return 0;
}

static Program *
guessed_program(State *st, PyObject *const *args, Py_ssize_t n)
{
    Guess guess = {0};

    for (Py_ssize_t i = 0; i < n; i++)
        if (guess_value(st, args[i], &guess) < 0)
            return NULL;
    return program_get(st, guess.text, guess.len);
}

static Program *
given_program(State *st, PyObject *signature)
{
    Py_ssize_t n;
    const char *text = check_text(signature, "append() argument 'signature'", &n);

    return text ? program_get(st, text, (size_t)n) : NULL;
}

Program *
message_program(State *st, PyObject *signature, PyObject *const *args, Py_ssize_t n)
{
    return signature && signature != Py_None ? given_program(st, signature)
                                             : guessed_program(st, args, n);
}

/* What commit_body() wants to know of a message. */
static bool
is_fresh(const Message *m)
{
    return m->fresh && (m->complete || (!commit_missing_field(m->msg) && !commit_is_local(m->msg)));
}

/* Conversion may run any code, so the message is looked at again when it is over. */
static int
append_values(PyObject *self, const Program *program, PyObject *const *args, Py_ssize_t n)
{
    State *st = state_of(self);
    Message *m = (Message *)self;
    _cleanup_encoder_ Encoder encoder;
    int result = -1;

    encoder_init(&encoder, st);
    if (encode_args(&encoder, program, args, n) < 0)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (message_open(self)) {
        result = commit_body(st, &m->msg, is_fresh(m) ? COMMIT_TO_FRESH : COMMIT_TO_ANY, program,
                             &encoder);
        if (result == 0)
            m->fresh &= program->count == 0;
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

PyObject *
message_append(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    State *st = state_of(self);
    PyObject *signature;

    if (!message_open(self) ||
        parse_keyword("append", "signature", args + n, names, &signature) < 0)
        return NULL;
    _cleanup_program_ Program *program = message_program(st, signature, args, n);
    if (!program || append_values(self, program, args, n) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* Where the body starts in the bytes of a message (D-Bus Specification, "Message Format"). */
static int
find_body(const unsigned char *bytes, size_t len, DecodeBody *ret_body)
{
    uint32_t fields = 0;
    bool little = len > 0 && bytes[0] == DBUS_LITTLE_ENDIAN;
    bool swap = little != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

    if (len >= 16) {
        memcpy(&fields, bytes + 12, sizeof fields);
        if (swap)
            fields = __builtin_bswap32(fields);
    }
    size_t start = (16 + (size_t)fields + 7) & ~(size_t)7;
    if (len < start) {
        PyErr_SetString(PyExc_ValueError, "the message is malformed: its header is cut off");
        return -1;
    }
    ret_body->data = bytes + start;
    ret_body->len = len - start;
    ret_body->swap = swap;
    return 0;
}

/* The descriptors as a list of int; they are no longer in `fds` then. */
static PyObject *
fds_list(FdList *fds)
{
    _cleanup_object_ PyObject *list = PyList_New((Py_ssize_t)fds->n);

    if (!list)
        return NULL;
    for (size_t i = 0; i < fds->n; i++) {
        PyObject *number = PyLong_FromLong(fds->fds[i]);
        if (!number)
            return NULL;
        PyList_SET_ITEM(list, (Py_ssize_t)i, number);
    }
    fds->n = 0;
    return TAKE(list);
}

static Program *
program_of(State *st, DBusMessage *message)
{
    const char *signature = dbus_message_get_signature(message);

    return program_get(st, signature, strlen(signature));
}

static PyObject *
decode_with_fds(State *st, const Program *program, DBusMessage *message, enum DecodeFlavour flavour,
                FdList *fds)
{
    bool with_fds = dbus_message_contains_unix_fds(message);
    _cleanup_dbus_free_ char *bytes = NULL;
    DecodeBody body = {0};
    int len;

    if (program->count == 0)
        return PyList_New(0);
    if (program->flat && !with_fds)
        return decode_flat(st, program, message, flavour);
    /* Before marshalling: the iterators bring a foreign byte order into ours in place. */
    if (with_fds && fdwalk(message, fds) < 0)
        return NULL;
    if (!dbus_message_marshal(message, &bytes, &len))
        return PyErr_NoMemory();
    if (find_body((const unsigned char *)bytes, (size_t)len, &body) < 0)
        return NULL;
    body.fds = fds->fds;
    body.n_fds = fds->n;
    return decode_body(st, program, &body, flavour);
}

PyObject *
message_decode(State *st, DBusMessage *message, enum DecodeFlavour flavour)
{
    _cleanup_program_ Program *program = program_of(st, message);
    _cleanup_fds_ FdList fds = {0};

    return program ? decode_with_fds(st, program, message, flavour, &fds) : NULL;
}

PyObject *
message_decode_plain(State *st, DBusMessage *message, PyObject **ret_signature, PyObject **ret_fds)
{
    _cleanup_program_ Program *program = program_of(st, message);
    _cleanup_fds_ FdList fds = {0};
    _cleanup_object_ PyObject *list =
        program ? decode_with_fds(st, program, message, DECODE_PLAIN, &fds) : NULL;
    PyObject *numbers = list ? fds_list(&fds) : NULL;

    if (!numbers)
        return NULL;
    *ret_fds = numbers;
    *ret_signature = Py_NewRef(program->str);
    return TAKE(list);
}

static PyObject *
args_list(PyObject *self, enum DecodeFlavour flavour)
{
    PyObject *result = NULL;

    Py_BEGIN_CRITICAL_SECTION(self);
    DBusMessage *message = message_get(self);
    if (message)
        result = message_decode(state_of(self), message, flavour);
    Py_END_CRITICAL_SECTION();
    return result;
}

PyObject *
message_get_args_list(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    PyObject *byte_arrays;
    int blocks = 0;

    if (n > 0) {
        PyErr_SetString(PyExc_TypeError, "get_args_list takes no positional arguments");
        return NULL;
    }
    if (parse_keyword("get_args_list", "byte_arrays", args, names, &byte_arrays) < 0 ||
        (byte_arrays && !PyArg_Parse(byte_arrays, "i", &blocks)))
        return NULL;
    return args_list(self, blocks ? DECODE_TYPED_BYTE_ARRAYS : DECODE_TYPED);
}

static PyObject *
message_guess_signature(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    State *st = state_of_module(module);

    _cleanup_program_ Program *program = guessed_program(st, args, n);
    return program ? signature_new(st, program->text, program->text_len, 0) : NULL;
}

PyObject *
message_copy(PyObject *self, PyObject *Py_UNUSED(none))
{
    DBusMessage *copy = NULL;

    Py_BEGIN_CRITICAL_SECTION(self);
    DBusMessage *message = message_get(self);
    if (message)
        copy = commit_copy_new(message);
    Py_END_CRITICAL_SECTION();
    PyObject *made = copy ? message_new_steal(state_of(self), copy) : NULL;
    if (made)
        ((Message *)made)->fresh = ((Message *)self)->fresh;
    return made;
}

static PyMethodDef static_methods[] = {
    {"guess_signature", (PyCFunction)(void (*)(void))message_guess_signature, METH_FASTCALL,
     "guess_signature(*args) -> Signature\n\n"
     "The types that append() gives to these values where it is given no signature:\n\n"
     "  values of dbus types              v if their variant_level is not 0, else their type\n"
     "  a __dbus_object_path__ attribute  o\n"
     "  bool, int, float, str, bytes      b, i, d, s, s\n"
     "  tuple                             a struct of the types of its items\n"
     "  list                              an array of the type of its first item\n"
     "  dict                              a dictionary of the types of its first entry\n\n"
     "TypeError for all else, ValueError for a list or dict that is empty."},
    {"demarshal", message_demarshal, METH_O,
     "demarshal(data) -> Message\n\n"
     "The message that the bytes say, of the class for its type.  They are checked as those of a\n"
     "peer are: ValueError, with what is wrong, for bytes that are no message, too few or too\n"
     "many, and for a message that needs file descriptors."},
};

static PyType_Slot message_slots[] = {
    {Py_tp_doc, "A message that is sent or received over a connection.\n\n"
                "Use one of its four kinds, dbus.lowlevel.MethodCallMessage, MethodReturnMessage,\n"
                "ErrorMessage and SignalMessage; an instance of this class itself has no content."},
    {Py_tp_new, message_new},
    {Py_tp_dealloc, message_dealloc},
    {Py_tp_methods, message_methods},
    {0, NULL},
};

/* A static method of a C class does not learn where it comes from, so it is bound to the module
 * and put into the class afterwards. */
static int
add_static_method(PyObject *module, State *st, PyMethodDef *definition)
{
    _cleanup_object_ PyObject *function = PyCFunction_NewEx(definition, module, NULL);
    _cleanup_object_ PyObject *method = function ? PyStaticMethod_New(function) : NULL;

    return method ? PyObject_SetAttrString((PyObject *)st->message, definition->ml_name, method)
                  : -1;
}

int
message_setup(PyObject *module, State *st)
{
    PyType_Spec spec = {
        .name = "dbus.lowlevel.Message",
        .basicsize = sizeof(Message),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
        .slots = message_slots,
    };

    if (state_add_type(module, &st->message, &spec, NULL, "Message") < 0)
        return -1;
    for (size_t i = 0; i < sizeof static_methods / sizeof *static_methods; i++)
        if (add_static_method(module, st, &static_methods[i]) < 0)
            return -1;
    return message_kinds_setup(module, st);
}
