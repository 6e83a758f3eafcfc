/* SPDX-License-Identifier: MIT */
/*
 * Contract: servedcall.h.
 *
 * Methods ask for their call by a context variable, as tasks that they start do.  The Message is
 * made for those who ask.
 */
#include "servedcall.h"

#include <string.h>

#include "answer.h"
#include "cleanup.h"
#include "compat.h"
#include "errors.h"
#include "limits.h"
#include "message.h"
#include "plain.h"
#include "program.h"
#include "types/variant.h"

/* The interfaces that every object has. */
#define STANDARD "org.freedesktop.DBus."

/* --- The call that is being served */

typedef struct ServedCall {
    PyObject_HEAD
    DBusMessage *dbus;
    PyObject *message; /* NULL until somebody asks */
} ServedCall;

static PyObject *
servedcall_message(PyObject *object, PyObject *unused)
{
    ServedCall *self = (ServedCall *)object;

    (void)unused;
    if (!self->message)
        self->message = plain_new(state_of(object), self->dbus);
    return Py_XNewRef(self->message);
}

static PyObject *
servedcall_new(State *st, DBusMessage *dbus)
{
    PyObject *object = st->served_call->tp_alloc(st->served_call, 0);

    if (object)
        ((ServedCall *)object)->dbus = dbus_message_ref(dbus);
    return object;
}

static int
servedcall_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((ServedCall *)object)->message);
    return 0;
}

static int
servedcall_clear(PyObject *object)
{
    Py_CLEAR(((ServedCall *)object)->message);
    return 0;
}

static void
servedcall_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    servedcall_clear(object);
    dbus_message_unref(((ServedCall *)object)->dbus);
    type->tp_free(object);
    Py_DECREF(type);
}

/* --- Serving */

/* A method that was found; all owned. */
typedef struct Found {
    PyObject *object;
    PyObject *method;        /* the record */
    PyObject *function;      /* called with the object and the values */
    PyObject *out_signature; /* str */
    PyObject *arguments;     /* list */
} Found;

static void
cleanup_found(Found *found)
{
    Py_XDECREF(found->object);
    Py_XDECREF(found->method);
    Py_XDECREF(found->function);
    Py_XDECREF(found->out_signature);
    Py_XDECREF(found->arguments);
}

#define _cleanup_found_ _cleanup_(cleanup_found)

/* What the dict has for a text, a new reference; NULL with an exception, or without. */
static PyObject *
entry_new(State *st, PyObject *dict, const char *text)
{
    if (!PyDict_CheckExact(dict))
        return NULL;
    _cleanup_object_ PyObject *key = program_shared_text(st, text, strlen(text), false);
    return Py_XNewRef(key ? PyDict_GetItemWithError(dict, key) : NULL);
}

/* The record of the method, and the object; false: with an exception, or without. */
static bool
find_method(State *st, PyObject *exported, DBusMessage *call, Found *found)
{
    const char *path = dbus_message_get_path(call);
    const char *interface = dbus_message_get_interface(call);
    const char *member = dbus_message_get_member(call);

    if (!path || !interface || !member || strncmp(interface, STANDARD, strlen(STANDARD)) == 0)
        return false;
    _cleanup_object_ PyObject *at_path = entry_new(st, exported, path);
    if (!at_path || !(found->object = entry_new(st, at_path, interface)))
        return false;
    _cleanup_object_ PyObject *members = PyObject_GetAttr(found->object, st->str_dbus_members);
    _cleanup_object_ PyObject *methods =
        members ? PyObject_GetAttr(members, st->str_methods) : NULL;
    return methods && (found->method = entry_new(st, methods, member));
}

/* The same with all that is needed to call it, if the signature fits too. */
static bool
find(State *st, PyObject *exported, DBusMessage *call, Found *found)
{
    if (!find_method(st, exported, call, found))
        return false;
    _cleanup_object_ PyObject *served = PyObject_GetAttr(found->method, st->str_served);
    if (!served || !PyTuple_CheckExact(served) || PyTuple_GET_SIZE(served) != 3)
        return false;
    const char *signature = PyUnicode_AsUTF8(PyTuple_GET_ITEM(served, 1));
    if (!signature || strcmp(signature, dbus_message_get_signature(call)) != 0)
        return false;
    found->function = Py_NewRef(PyTuple_GET_ITEM(served, 0));
    found->out_signature = Py_NewRef(PyTuple_GET_ITEM(served, 2));
    found->arguments = message_decode(st, call, DECODE_PLAIN);
    return found->arguments != NULL;
}

static bool is_settled(State *st, PyObject *value, unsigned depth);

static bool
are_settled(State *st, PyObject *const *values, Py_ssize_t n, unsigned depth)
{
    for (Py_ssize_t i = 0; i < n; i++)
        if (!is_settled(st, values[i], depth))
            return false;
    return true;
}

/* Made of the built-in classes and of Variant alone: no code of the program runs when it is encoded,
 * so that can be done again; and nothing in it is awaited. */
static bool
is_settled(State *st, PyObject *value, unsigned depth)
{
    PyObject *key, *part;
    Py_ssize_t pos = 0;

    if (PyUnicode_CheckExact(value) || PyLong_CheckExact(value) || PyBool_Check(value) ||
        PyFloat_CheckExact(value) || PyBytes_CheckExact(value))
        return true;
    if (depth == LIMIT_VALUE_DEPTH)
        return false;
    if (PyList_CheckExact(value) || PyTuple_CheckExact(value))
        return are_settled(st, PySequence_Fast_ITEMS(value), PySequence_Fast_GET_SIZE(value),
                           depth + 1);
    if (PyDict_CheckExact(value)) {
        while (PyDict_Next(value, &pos, &key, &part))
            if (!is_settled(st, key, depth + 1) || !is_settled(st, part, depth + 1))
                return false;
        return true;
    }
    return (PyObject *)Py_TYPE(value) == st->plain_variant &&
           variant_parts(st, value, &key, &part) == 0 && is_settled(st, part, depth + 1);
}

/* The values to send, a tuple; NULL with an exception, or without where their number is wrong. */
static PyObject *
values_new(const Program *program, PyObject *result)
{
    if (program->count == 1)
        return PyTuple_Pack(1, result);
    if (program->count == 0 && result == Py_None)
        return PyTuple_New(0);
    if (PyTuple_CheckExact(result) && PyTuple_GET_SIZE(result) == program->count)
        return Py_NewRef(result);
    if (PyList_CheckExact(result) && PyList_GET_SIZE(result) == program->count)
        return PyList_AsTuple(result);
    return NULL;
}

/* False, without an exception: it needs a second look. */
static bool
reply(State *st, Connection *self, DBusMessage *call, const Found *found, PyObject *result)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(found->out_signature, &len);
    _cleanup_program_ Program *program = text ? program_get(st, text, (size_t)len) : NULL;
    _cleanup_object_ PyObject *values = program ? values_new(program, result) : NULL;

    if (values && are_settled(st, PySequence_Fast_ITEMS(values), PyTuple_GET_SIZE(values), 0) &&
        answer_send(self, call, program, values, true) == 0)
        return true;
    PyErr_Clear();
    return false;
}

/* Python sees to the rest: a result that was not sent, or (NULL) the exception that is set. */
static void
leave(Connection *self, ServedCall *call, PyObject *finish, const Found *found, PyObject *result)
{
    _cleanup_object_ PyObject *exception = result ? Py_NewRef(Py_None) : error_take();
    _cleanup_object_ PyObject *message = servedcall_message((PyObject *)call, NULL);
    _cleanup_object_ PyObject *done =
        message ? PyObject_CallFunctionObjArgs(finish, message, found->method,
                                               result ? result : Py_None, exception, NULL)
                : NULL;

    if (done)
        return;
    mainloop_handler_failed(&self->loop);
    answer_refuse(self, call->dbus);
}

static void
serve(State *st, Connection *self, ServedCall *call, PyObject *finish, const Found *found)
{
    _cleanup_object_ PyObject *result =
        answer_call(found->function, found->object, found->arguments);

    if (!result || !reply(st, self, call->dbus, found, result))
        leave(self, call, finish, found, result);
}

bool
servedcall_serve(State *st, Connection *self, DBusMessage *dbus)
{
    _cleanup_object_ PyObject *served = Py_XNewRef(self->served);
    _cleanup_found_ Found found = {0};

    if (!served || PyList_GET_SIZE(self->futures.handlers) || dbus_message_get_no_reply(dbus) ||
        dbus_message_contains_unix_fds(dbus))
        return false;
    PyObject *serving = PyTuple_GET_ITEM(served, 1);
    _cleanup_object_ PyObject *call = NULL;
    _cleanup_object_ PyObject *token = NULL;
    if (!find(st, PyTuple_GET_ITEM(served, 0), dbus, &found) ||
        !(call = servedcall_new(st, dbus)) || !(token = PyContextVar_Set(serving, call))) {
        PyErr_Clear();
        return false;
    }
    serve(st, self, (ServedCall *)call, PyTuple_GET_ITEM(served, 2), &found);
    if (PyContextVar_Reset(serving, token) < 0)
        mainloop_handler_failed(&self->loop);
    return true;
}

/* --- Setting up */

static PyMethodDef methods[] = {
    {"message", servedcall_message, METH_NOARGS, "message() -> Message\n\nThe same one each time."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A call of an interface of dbus.aio that is being served."},
    {Py_tp_methods, methods},
    {Py_tp_traverse, servedcall_traverse},
    {Py_tp_clear, servedcall_clear},
    {Py_tp_dealloc, servedcall_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "_dbus_bindings._ServedCall",
    .basicsize = sizeof(ServedCall),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int
servedcall_setup(PyObject *module, State *st)
{
    st->str_dbus_members = PyUnicode_InternFromString("_dbus_members");
    st->str_methods = PyUnicode_InternFromString("methods");
    st->str_served = PyUnicode_InternFromString("served");
    if (!st->str_dbus_members || !st->str_methods || !st->str_served)
        return -1;
    return state_add_type(module, &st->served_call, &spec, NULL, NULL);
}
