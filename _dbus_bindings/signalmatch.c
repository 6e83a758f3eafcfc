/* SPDX-License-Identifier: MIT */
/*
 * Contract: signalmatch.h.
 */
#include "signalmatch.h"

#include <stddef.h>
#include <string.h>
#include <structmember.h>

#include "compat.h"

#define OBJECTS(X)                                                                                 \
    X(path)                                                                                        \
    X(interface)                                                                                   \
    X(member)                                                                                      \
    X(arg0)                                                                                        \
    X(owner)                                                                                       \
    X(handler)                                                                                     \
    X(keywords)                                                                                    \
    X(arguments)

SignalMatch *
signalmatch_borrow(State *st, PyObject *object)
{
    if (PyObject_TypeCheck(object, st->signal_match))
        return (SignalMatch *)object;
    PyErr_Format(PyExc_TypeError, "a SignalMatch is needed, not %s", Py_TYPE(object)->tp_name);
    return NULL;
}

bool
signalmatch_is_name(PyObject *name, const char *text)
{
    const char *found = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;

    if (!found)
        PyErr_Clear();
    return found && text && strcmp(found, text) == 0;
}

bool
signalmatch_is_from(const SignalMatch *match, const char *sender)
{
    PyObject *owner = match->owner;

    return !owner || owner == Py_None || signalmatch_is_name(owner, sender);
}

static int
match_traverse(PyObject *self, visitproc visit, void *arg)
{
    SignalMatch *match = (SignalMatch *)self;

    Py_VISIT(Py_TYPE(self));
#define X(name) Py_VISIT(match->name);
    OBJECTS(X)
#undef X
    return 0;
}

static int
match_clear(PyObject *self)
{
    SignalMatch *match = (SignalMatch *)self;

#define X(name) Py_CLEAR(match->name);
    OBJECTS(X)
#undef X
    return 0;
}

static void
match_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    match_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef members[] = {
    {"_path", T_OBJECT, offsetof(SignalMatch, path), 0, NULL},
    {"_interface", T_OBJECT, offsetof(SignalMatch, interface), 0, NULL},
    {"_member", T_OBJECT, offsetof(SignalMatch, member), 0, NULL},
    {"_arg0", T_OBJECT, offsetof(SignalMatch, arg0), 0, NULL},
    {"_sender_name_owner", T_OBJECT, offsetof(SignalMatch, owner), 0, NULL},
    {"_handler", T_OBJECT, offsetof(SignalMatch, handler), 0, NULL},
    {"_keywords", T_OBJECT, offsetof(SignalMatch, keywords), 0, NULL},
    {"_arguments", T_OBJECT, offsetof(SignalMatch, arguments), 0, NULL},
    {"_asks_arguments", T_BOOL, offsetof(SignalMatch, asks_arguments), 0, NULL},
    {"_byte_arrays", T_BOOL, offsetof(SignalMatch, byte_arrays), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The base of dbus.connection.SignalMatch and of dbus.aio's subscriptions."},
    {Py_tp_members, members},
    {Py_tp_traverse, match_traverse},
    {Py_tp_clear, match_clear},
    {Py_tp_dealloc, match_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "_dbus_bindings._SignalMatch",
    .basicsize = sizeof(SignalMatch),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int
signalmatch_setup(PyObject *module, State *st)
{
    return state_add_type(module, &st->signal_match, &spec, NULL, "_SignalMatch");
}
