/* SPDX-License-Identifier: MIT */
/*
 * Contract: objectcall.h.
 */
#include "objectcall.h"

#include <string.h>

#include "answer.h"
#include "cleanup.h"
#include "compat.h"
#include "errors.h"
#include "message.h"
#include "program.h"
#include "validate.h"

/* The functions of dbus.service that programs replace. */
#define HOOKS 3
static const char *const hook_names[HOOKS] = {"_method_lookup", "_method_reply_return",
                                              "_method_reply_error"};

/* The notes that decorators make. */
enum {
    IS_METHOD,
    INTERFACE_NOTE,
    OUT_SIGNATURE,
    GET_ARGS_OPTIONS,
    BYTE_ARRAYS, /* in the options */
    FIRST_EXTRA, /* those with which a method is more than its arguments */
    FIRST_OTHER = FIRST_EXTRA + 7,
    NOTES = FIRST_OTHER + 2
};
static const char *const note_names[NOTES] = {
    "_dbus_is_method",
    "_dbus_interface",
    "_dbus_out_signature",
    "_dbus_get_args_options",
    "byte_arrays",
    "_dbus_async_callbacks",
    "_dbus_sender_keyword",
    "_dbus_path_keyword",
    "_dbus_rel_path_keyword",
    "_dbus_destination_keyword",
    "_dbus_message_keyword",
    "_dbus_connection_keyword",
    "_dbus_in_signature",
    "_dbus_args",
};

/* One call on its way. */
typedef struct ObjectCall {
    State *st;
    Connection *connection;
    LazyMessage *message;
    PyObject *object; /* borrowed */
    const char *member;
    PyObject *function;      /* owned */
    PyObject *out_signature; /* borrowed from the function; a str */
    enum DecodeFlavour flavour;
} ObjectCall;

static bool
hooks_are_original(State *st)
{
    for (int i = 0; i < HOOKS; i++)
        if (PyDict_GetItemWithError(st->service_globals,
                                    PyTuple_GET_ITEM(st->service_hook_names, i)) !=
            PyTuple_GET_ITEM(st->service_hooks, i))
            return false;
    return true;
}

static PyObject *
type_dict_borrow(PyTypeObject *type)
{
    return PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) ? type->tp_dict : NULL;
}

/* What the first class in method resolution order that knows the name has there; borrowed. */
static PyObject *
first_attribute(PyTypeObject *type, PyObject *name)
{
    PyObject *order = type->tp_mro;

    for (Py_ssize_t i = 0; order && i < PyTuple_GET_SIZE(order); i++) {
        PyObject *dict = type_dict_borrow((PyTypeObject *)PyTuple_GET_ITEM(order, i));
        PyObject *found = dict ? PyDict_GetItemWithError(dict, name) : NULL;

        if (found || PyErr_Occurred())
            return found;
    }
    return NULL;
}

/* The number of the note, NOTES if it is none of them. */
static int
note_number(State *st, PyObject *name)
{
    for (int i = 0; i < NOTES; i++)
        if (PyTuple_GET_ITEM(st->service_note_names, i) == name)
            return i;
    /* The decorators' own names are interned. */
    for (int i = 0; i < NOTES && PyUnicode_Check(name); i++)
        if (PyUnicode_Compare(PyTuple_GET_ITEM(st->service_note_names, i), name) == 0)
            return i;
    return NOTES;
}

/* The notes that are not None, borrowed, by their numbers: one walk is quicker than a look-up each. */
static void
read_notes(State *st, PyObject *notes, PyObject *values[NOTES + 1])
{
    PyObject *name, *value;
    Py_ssize_t pos = 0;

    while (PyDict_Next(notes, &pos, &name, &value))
        if (value != Py_None)
            values[note_number(st, name)] = value;
}

/* Does the method get nothing but its arguments? */
static bool
wants_arguments_only(ObjectCall *call, PyObject *const *notes)
{
    PyObject *options = notes[GET_ARGS_OPTIONS];

    for (int i = FIRST_EXTRA; i < FIRST_OTHER; i++)
        if (notes[i])
            return false;
    call->flavour = DECODE_TYPED;
    if (!options)
        return true;
    if (!PyDict_CheckExact(options) || PyDict_GET_SIZE(options) > 1)
        return false;
    if (PyDict_GET_SIZE(options) == 0)
        return true;
    PyObject *byte_arrays = PyDict_GetItemWithError(
        options, PyTuple_GET_ITEM(call->st->service_note_names, BYTE_ARRAYS));
    if (byte_arrays == Py_True)
        call->flavour = DECODE_TYPED_BYTE_ARRAYS;
    return byte_arrays == Py_True || byte_arrays == Py_False;
}

/* Is it a decorated function of the interface, with an out signature? */
static bool
is_simple_method(ObjectCall *call, PyObject *function, const char *interface)
{
    PyObject *dict = PyFunction_Check(function) ? ((PyFunctionObject *)function)->func_dict : NULL;
    PyObject *notes[NOTES + 1] = {NULL};

    if (!dict)
        return false;
    read_notes(call->st, dict, notes);
    PyObject *own = notes[INTERFACE_NOTE];
    if (notes[IS_METHOD] != Py_True ||
        (interface &&
         !(own && PyUnicode_Check(own) && PyUnicode_CompareWithASCIIString(own, interface) == 0)))
        return false;
    call->out_signature = notes[OUT_SIGNATURE];
    return call->out_signature && PyUnicode_Check(call->out_signature) &&
           wants_arguments_only(call, notes);
}

/* Finds the method; false: dbus.service is to do it. */
static bool
find(ObjectCall *call, PyObject *handler)
{
    State *st = call->st;
    DBusMessage *dbus = call->message->dbus;

    if (!st->service_message_cb || !PyMethod_Check(handler) ||
        PyMethod_GET_FUNCTION(handler) != st->service_message_cb || !hooks_are_original(st))
        return false;
    call->object = PyMethod_GET_SELF(handler);
    call->member = dbus_message_get_member(dbus);
    _cleanup_object_ PyObject *name =
        program_shared_text(st, call->member, strlen(call->member), false);
    PyObject *function = name ? first_attribute(Py_TYPE(call->object), name) : NULL;
    if (!function || !is_simple_method(call, function, dbus_message_get_interface(dbus)))
        return false;
    call->function = Py_NewRef(function);
    return true;
}

/* A method of the object in Python sees to the rest: the member's name with these arguments after
 * connection and message. */
static void
leave_to(const ObjectCall *call, const char *method, PyObject *first, PyObject *second)
{
    PyObject *message = lazymessage_borrow(call->message);
    _cleanup_object_ PyObject *result =
        message ? PyObject_CallMethod(call->object, method, "OOOO", (PyObject *)call->connection,
                                      message, first, second ? second : Py_None)
                : NULL;

    if (!result)
        mainloop_handler_failed(&call->connection->loop);
}

/* The caller gets the exception, unless it is one that ends programs. */
static void
fail(const ObjectCall *call, PyObject *values)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        mainloop_handler_failed(&call->connection->loop);
        return;
    }
    _cleanup_object_ PyObject *exception = error_take();
    leave_to(call, "_call_failed", exception, values);
}

/* The values to send for what the method returned, a tuple. */
static PyObject *
values_new(const ObjectCall *call, const Program *program, PyObject *result)
{
    if (program->count == 1)
        return PyTuple_Pack(1, result);
    if (program->count == 0 && result == Py_None)
        return PyTuple_New(0);
    _cleanup_object_ PyObject *module = PyImport_ImportModule("dbus._core.export");
    return module ? PyObject_CallMethod(module, "returned_values", "sOO", call->member,
                                        call->out_signature, result)
                  : NULL;
}

/* -1 with an exception, and *ret_values set if it was they that did not fit. */
static int
reply(const ObjectCall *call, PyObject *result, PyObject **ret_values)
{
    Py_ssize_t len;
    const char *text = check_text(call->out_signature, "out_signature", &len);
    _cleanup_program_ Program *program = text ? program_get(call->st, text, (size_t)len) : NULL;
    _cleanup_object_ PyObject *values = program ? values_new(call, program, result) : NULL;

    if (!values)
        return -1;
    if (answer_send(call->connection, call->message->dbus, program, values, false) < 0) {
        *ret_values = TAKE(values);
        return -1;
    }
    return 0;
}

bool
objectcall_serve(Connection *self, PyObject *handler, LazyMessage *message)
{
    ObjectCall call = {.st = message->st, .connection = self, .message = message};

    if (!find(&call, handler)) {
        PyErr_Clear();
        return false;
    }
    _keep_object_ PyObject *function = call.function;
    _keep_object_ PyObject *object = Py_NewRef(call.object);
    _cleanup_object_ PyObject *signature = Py_NewRef(call.out_signature);
    _cleanup_object_ PyObject *arguments = message_decode(call.st, message->dbus, call.flavour);
    _cleanup_object_ PyObject *result = arguments ? answer_call(function, object, arguments) : NULL;
    _cleanup_object_ PyObject *values = NULL;

    if (result && PyCoro_CheckExact(result))
        leave_to(&call, "_serve_later", result, signature);
    else if (!result || reply(&call, result, &values) < 0)
        fail(&call, values);
    return true;
}

static PyObject *
serve_objects(PyObject *module, PyObject *args)
{
    State *st = state_of_module(module);
    PyObject *globals, *message_cb;

    if (!PyArg_ParseTuple(args, "O!O!:_serve_objects", &PyDict_Type, &globals, &PyFunction_Type,
                          &message_cb))
        return NULL;
    _cleanup_object_ PyObject *hooks = PyTuple_New(HOOKS);
    for (int i = 0; hooks && i < HOOKS; i++) {
        PyObject *hook = PyDict_GetItemString(globals, hook_names[i]);
        if (!hook)
            return PyErr_Format(PyExc_KeyError, "%s", hook_names[i]);
        PyTuple_SET_ITEM(hooks, i, Py_NewRef(hook));
    }
    if (!hooks)
        return NULL;
    Py_XSETREF(st->service_globals, Py_NewRef(globals));
    Py_XSETREF(st->service_message_cb, Py_NewRef(message_cb));
    Py_XSETREF(st->service_hooks, TAKE(hooks));
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"_serve_objects", serve_objects, METH_VARARGS,
     "_serve_objects(globals, message_cb)\n\n"
     "Name the namespace of dbus.service, in which the replaceable functions are now, and the\n"
     "function Object._message_cb, whose usual case is served here from now on."},
    {NULL, NULL, 0, NULL},
};

static PyObject *
names_new(const char *const *texts, int n)
{
    _cleanup_object_ PyObject *names = PyTuple_New(n);

    for (int i = 0; names && i < n; i++) {
        PyObject *name = PyUnicode_InternFromString(texts[i]);
        if (!name)
            return NULL;
        PyTuple_SET_ITEM(names, i, name);
    }
    return TAKE(names);
}

int
objectcall_setup(PyObject *module, State *st)
{
    st->service_hook_names = names_new(hook_names, HOOKS);
    st->service_note_names = names_new(note_names, NOTES);
    if (!st->service_hook_names || !st->service_note_names)
        return -1;
    return PyModule_AddFunctions(module, functions);
}
