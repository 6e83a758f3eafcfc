/* SPDX-License-Identifier: MIT */
/*
 * Contract: plain.h.
 */
#include "plain.h"

#include <stddef.h>
#include <string.h>
#include <structmember.h>

#include "cleanup.h"
#include "compat.h"
#include "message.h"
#include "program.h"

#define N_FLAGS 8 /* three flags, in all combinations */

/* --- Received */

static PyObject *
flags_of(State *st, DBusMessage *message)
{
    int flags = (dbus_message_get_no_reply(message) ? 1 : 0) |
                (dbus_message_get_auto_start(message) ? 0 : 2) |
                (dbus_message_get_allow_interactive_authorization(message) ? 4 : 0);

    return Py_NewRef(PyTuple_GET_ITEM(st->plain_flags, flags));
}

static PyObject *
type_of(State *st, DBusMessage *message)
{
    int type = dbus_message_get_type(message);

    if (type > 0 && type < PLAIN_TYPES)
        return Py_NewRef(PyTuple_GET_ITEM(st->plain_types, type));
    return PyErr_Format(PyExc_ValueError, "%d is no type of message that is known", type);
}

static int
fill_header(State *st, PyObject **fields, DBusMessage *message)
{
    fields[MESSAGE_TYPE] = type_of(st, message);
    fields[FLAGS] = flags_of(st, message);
    fields[SERIAL] = PyLong_FromUnsignedLong(dbus_message_get_serial(message));
    fields[REPLY_SERIAL] = PyLong_FromUnsignedLong(dbus_message_get_reply_serial(message));
    fields[SENDER] = program_header_text(st, TEXT_SENDER, dbus_message_get_sender(message));
    fields[DESTINATION] =
        program_header_text(st, TEXT_DESTINATION, dbus_message_get_destination(message));
    fields[PATH] = program_header_text(st, TEXT_PATH, dbus_message_get_path(message));
    fields[INTERFACE] =
        program_header_text(st, TEXT_INTERFACE, dbus_message_get_interface(message));
    fields[MEMBER] = program_header_text(st, TEXT_MEMBER, dbus_message_get_member(message));
    fields[ERROR_NAME] =
        program_header_text(st, TEXT_ERROR_NAME, dbus_message_get_error_name(message));
    for (int i = 0; i <= REPLY_SERIAL; i++)
        if (!fields[i])
            return -1;
    return fields[SERIAL] ? 0 : -1;
}

int
plain_check_classes(State *st)
{
    if (st->plain_message)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "dbus.aio has not been imported");
    return -1;
}

PyObject *
plain_new(State *st, DBusMessage *message)
{
    if (plain_check_classes(st) < 0)
        return NULL;
    PyTypeObject *type = (PyTypeObject *)st->plain_message;
    _cleanup_object_ PyObject *self = type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    PyObject **fields = ((Plain *)self)->fields;
    if (fill_header(st, fields, message) < 0)
        return NULL;
    /* Last, since the descriptors are nobody's if something fails afterwards. */
    fields[BODY] = message_decode_plain(st, message, &fields[SIGNATURE], &fields[UNIX_FDS]);
    return fields[BODY] ? TAKE(self) : NULL;
}

/* --- The class */

static PyObject *
plain_to_bindings(PyObject *self, PyObject *unused)
{
    State *st = state_of(self);
    uint32_t serial;
    DBusMessage *message = plain_to_dbus(st, self, &serial);

    (void)unused;
    return message ? message_new_steal(st, message) : NULL;
}

static PyObject *
plain_from_bindings(PyObject *cls, PyObject *object)
{
    State *st = state_of_type((PyTypeObject *)cls);
    DBusMessage *message = message_borrow(st, object);

    return message ? plain_new(st, message) : NULL;
}

static int
plain_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    for (int i = 0; i < PLAIN_FIELDS; i++)
        Py_VISIT(((Plain *)self)->fields[i]);
    return 0;
}

static int
plain_clear(PyObject *self)
{
    for (int i = 0; i < PLAIN_FIELDS; i++)
        Py_CLEAR(((Plain *)self)->fields[i]);
    return 0;
}

static void
plain_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    plain_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
plain_classes(PyObject *module, PyObject *args)
{
    State *st = state_of_module(module);
    PyObject *message, *variant, *types, *flags;

    if (!PyArg_ParseTuple(args, "O!O!O!O!:_plain_classes", &PyType_Type, &message, &PyType_Type,
                          &variant, &PyTuple_Type, &types, &PyTuple_Type, &flags))
        return NULL;
    if (!PyType_IsSubtype((PyTypeObject *)message, st->plain) ||
        !PyType_IsSubtype((PyTypeObject *)variant, st->variant) ||
        PyTuple_GET_SIZE(types) != PLAIN_TYPES || PyTuple_GET_SIZE(flags) != N_FLAGS) {
        PyErr_SetString(PyExc_TypeError, "these are not the classes of dbus.aio");
        return NULL;
    }
    /* Introspection and subclasses go on seeing the constructor in Python. */
    if (((PyTypeObject *)message)->tp_init != plain_init)
        st->plain_slow_init = ((PyTypeObject *)message)->tp_init;
    ((PyTypeObject *)message)->tp_init = plain_init;
    Py_XSETREF(st->plain_message, Py_NewRef(message));
    Py_XSETREF(st->plain_variant, Py_NewRef(variant));
    Py_XSETREF(st->plain_types, Py_NewRef(types));
    Py_XSETREF(st->plain_flags, Py_NewRef(flags));
    Py_RETURN_NONE;
}

#define MEMBER_ROW(name, field)                                                                    \
    {                                                                                              \
        (name), T_OBJECT_EX, offsetof(Plain, fields) + (field) * sizeof(PyObject *), 0, NULL       \
    }

static PyMemberDef members[] = {
    MEMBER_ROW("destination", DESTINATION),
    MEMBER_ROW("path", PATH),
    MEMBER_ROW("interface", INTERFACE),
    MEMBER_ROW("member", MEMBER),
    MEMBER_ROW("message_type", MESSAGE_TYPE),
    MEMBER_ROW("flags", FLAGS),
    MEMBER_ROW("error_name", ERROR_NAME),
    MEMBER_ROW("reply_serial", REPLY_SERIAL),
    MEMBER_ROW("sender", SENDER),
    MEMBER_ROW("unix_fds", UNIX_FDS),
    MEMBER_ROW("signature", SIGNATURE),
    MEMBER_ROW("body", BODY),
    MEMBER_ROW("serial", SERIAL),
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef methods[] = {
    {"_to_bindings", plain_to_bindings, METH_NOARGS,
     "_to_bindings() -> _dbus_bindings.Message\n\n"
     "The message as it would be sent, but for its serial.  TypeError, ValueError or\n"
     "OverflowError for one that cannot be."},
    {"_from_bindings", plain_from_bindings, METH_O | METH_CLASS,
     "_from_bindings(message) -> Message\n\n"
     "What a message of the classic interface says.  ValueError if its type is none that is "
     "known."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The base of dbus.aio.Message."},
    {Py_tp_members, members},
    {Py_tp_methods, methods},
    {Py_tp_traverse, plain_traverse},
    {Py_tp_clear, plain_clear},
    {Py_tp_dealloc, plain_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "_dbus_bindings._PlainMessage",
    .basicsize = sizeof(Plain),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

static PyMethodDef functions[] = {
    {"_plain_classes", plain_classes, METH_VARARGS,
     "_plain_classes(message, variant, types, flags)\n\n"
     "Name the classes that received messages and their variants are made of, subclasses of\n"
     "_PlainMessage and _Variant, and what stands for the types 0 to 4 and the flags 0 to 7."},
    {NULL, NULL, 0, NULL},
};

int
plain_setup(PyObject *module, State *st)
{
    if (state_add_type(module, &st->plain, &spec, NULL, "_PlainMessage") < 0 ||
        plain_init_setup(st) < 0)
        return -1;
    return PyModule_AddFunctions(module, functions);
}
