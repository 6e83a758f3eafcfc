/* SPDX-License-Identifier: MIT */
/*
 * Contract: methodcall.h.
 */
#include "methodcall.h"

#include <string.h>

#include "cleanup.h"
#include "commit.h"
#include "compat.h"
#include "decode.h"
#include "encode.h"
#include "errors.h"
#include "message.h"
#include "program.h"
#include "template.h"
#include "validate.h"

static int
check_any_name(const char *name)
{
    return check_bus_name(name, NAME_ANY);
}

/* The UTF-8 of a part that was checked; NULL for None. -1 with an exception. */
static int
read_part(PyObject *value, const char *name, int (*check)(const char *), bool optional,
          const char **ret_text)
{
    if (optional && value == Py_None) {
        *ret_text = NULL;
        return 0;
    }
    const char *text = check_text(value, name, NULL);
    if (!text || check(text) < 0)
        return -1;
    *ret_text = text;
    return 0;
}

static DBusMessage *
header_new(State *st, const void *source)
{
    PyObject *const *parts = source;
    const char *bus_name, *path, *interface, *member;

    if (read_part(parts[CALL_BUS_NAME], "bus_name", check_any_name, true, &bus_name) < 0 ||
        read_part(parts[CALL_PATH], "object_path", check_path, false, &path) < 0 ||
        read_part(parts[CALL_INTERFACE], "dbus_interface", check_interface, true, &interface) < 0 ||
        read_part(parts[CALL_MEMBER], "method", check_member, false, &member) < 0)
        return NULL;
    if (strcmp(path, DBUS_PATH_LOCAL) == 0)
        return (DBusMessage *)(void *)error_raise_named(
            st, NULL, "Methods may not be called on the reserved path " DBUS_PATH_LOCAL);
    if (interface && strcmp(interface, DBUS_INTERFACE_LOCAL) == 0)
        return (DBusMessage *)(void *)error_raise_named(
            st, NULL, "Methods may not be called on the reserved interface " DBUS_INTERFACE_LOCAL);
    DBusMessage *message = dbus_message_new_method_call(bus_name, path, interface, member);
    return message ? message : (DBusMessage *)(void *)PyErr_NoMemory();
}

static int
add_arguments(State *st, DBusMessage **message, PyObject *signature, PyObject *args)
{
    PyObject *const *values = PySequence_Fast_ITEMS(args);
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    _cleanup_program_ Program *program = message_program(st, signature, values, n);
    _cleanup_encoder_ Encoder encoder;

    encoder_init(&encoder, st);
    if (!program || encode_args(&encoder, program, values, n) < 0)
        return -1;
    return commit_body(st, message, COMMIT_TO_NEW, program, &encoder);
}

/* Tells the log of arguments that do not fit, with the exception that says why, which stays. */
static void
report_refusal(PyObject *signature, PyObject *args)
{
    _cleanup_object_ PyObject *exception = error_take();
    _cleanup_object_ PyObject *module = PyImport_ImportModule("dbus._core.call");
    _cleanup_object_ PyObject *result =
        module ? PyObject_CallMethod(module, "report_refusal", "OOO", args, signature, exception)
               : NULL;
    if (!result)
        PyErr_WriteUnraisable(NULL);
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
}

DBusMessage *
methodcall_new(State *st, PyObject *const parts[CALL_HEADER_PARTS], PyObject *signature,
               PyObject *args)
{
    TemplateKey key = {
        {parts[CALL_BUS_NAME], parts[CALL_PATH], parts[CALL_INTERFACE], parts[CALL_MEMBER]}};
    _cleanup_message_ DBusMessage *message = template_copy_new(st, &key, header_new, parts);
    if (!message)
        return NULL;
    _cleanup_object_ PyObject *values = PySequence_Tuple(args);
    if (!values) {
        report_refusal(signature, args);
        return NULL;
    }
    if (PyTuple_GET_SIZE(values) == 0) {
        int given = PyObject_IsTrue(signature);

        if (given <= 0)
            return given < 0 ? NULL : TAKE(message);
    }
    if (add_arguments(st, &message, signature, values) < 0) {
        report_refusal(signature, values);
        return NULL;
    }
    return TAKE(message);
}

PyObject *
methodcall_value(State *st, DBusMessage *reply, bool byte_arrays)
{
    PyObject *values =
        message_decode(st, reply, byte_arrays ? DECODE_TYPED_BYTE_ARRAYS : DECODE_TYPED);
    _cleanup_object_ PyObject *list = values;

    if (!list)
        return NULL;
    if (PyList_GET_SIZE(list) == 1)
        return Py_NewRef(PyList_GET_ITEM(list, 0));
    return PyList_GET_SIZE(list) == 0 ? Py_NewRef(Py_None) : PyList_AsTuple(list);
}

static PyObject *
method_call(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    State *st = state_of_module(module);

    if (n != CALL_HEADER_PARTS + 2) {
        PyErr_SetString(PyExc_TypeError, "_method_call() takes 6 arguments");
        return NULL;
    }
    DBusMessage *message =
        methodcall_new(st, args, args[CALL_HEADER_PARTS], args[CALL_HEADER_PARTS + 1]);
    return message ? message_new_steal(st, message) : NULL;
}

static PyMethodDef functions[] = {
    {"_method_call", (PyCFunction)(void (*)(void))method_call, METH_FASTCALL,
     "_method_call(bus_name, object_path, interface, member, signature, args) -> "
     "MethodCallMessage\n\n"
     "The message that calls a method.  DBusException for libdbus' own path and interface, which\n"
     "no peer may be called by; ValueError for an invalid name; and what Message.append() raises\n"
     "for arguments that do not fit, which is logged."},
    {NULL, NULL, 0, NULL},
};

int
methodcall_setup(PyObject *module, State *st)
{
    (void)st;
    return PyModule_AddFunctions(module, functions);
}
