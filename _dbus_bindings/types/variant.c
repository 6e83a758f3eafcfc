/* SPDX-License-Identifier: MIT */
/*
 * Contract: variant.h.
 */
#include "variant.h"

#include <stdbool.h>
#include <stddef.h>
#include <structmember.h>

#include "../cleanup.h"
#include "../compat.h"

typedef struct Variant {
    PyObject_HEAD
    PyObject *signature;
    PyObject *value;
} Variant;

/* The collector visits what may be part of a cycle.  Most contents never can, and a message brings
 * variants by the thousand, so those are taken off its list. */
static bool
is_atomic(PyObject *value)
{
    return !PyObject_IS_GC(value);
}

PyObject *
variant_new_steal(State *st, PyObject *signature, PyObject *value)
{
    _cleanup_object_ PyObject *owned_signature = signature;
    _cleanup_object_ PyObject *owned_value = value;

    if (!signature || !value)
        return NULL;
    PyTypeObject *type = st->plain_variant ? (PyTypeObject *)st->plain_variant : st->variant;
    PyObject *self = type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    ((Variant *)self)->signature = TAKE(owned_signature);
    if (is_atomic(owned_value))
        PyObject_GC_UnTrack(self);
    ((Variant *)self)->value = TAKE(owned_value);
    return self;
}

int
variant_parts(State *st, PyObject *object, PyObject **ret_signature, PyObject **ret_value)
{
    if ((PyObject *)Py_TYPE(object) != st->plain_variant &&
        !PyObject_TypeCheck(object, st->variant)) {
        PyErr_Format(PyExc_TypeError, "type 'v' needs a Variant, not %s", Py_TYPE(object)->tp_name);
        return -1;
    }
    Variant *self = (Variant *)object;
    if (!self->value || !self->signature || !PyUnicode_Check(self->signature)) {
        PyErr_SetString(PyExc_TypeError, "a Variant without its signature or value");
        return -1;
    }
    *ret_signature = self->signature;
    *ret_value = self->value;
    return 0;
}

static int
variant_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Variant *)self)->signature);
    Py_VISIT(((Variant *)self)->value);
    return 0;
}

static int
variant_clear(PyObject *self)
{
    Py_CLEAR(((Variant *)self)->signature);
    Py_CLEAR(((Variant *)self)->value);
    return 0;
}

static void
variant_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, variant_dealloc);
    variant_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

static PyObject *
get_value(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *value = ((Variant *)self)->value;

    if (!value)
        PyErr_SetString(PyExc_AttributeError, "value");
    return Py_XNewRef(value);
}

static int
set_value(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (value && !is_atomic(value) && !PyObject_GC_IsTracked(self))
        PyObject_GC_Track(self);
    Py_XSETREF(((Variant *)self)->value, Py_XNewRef(value));
    return 0;
}

static PyMemberDef members[] = {
    {"signature", T_OBJECT_EX, offsetof(Variant, signature), 0, "The signature, a str."},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"value", get_value, set_value, "The value.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The base of dbus.aio.Variant."},
    {Py_tp_members, members},
    {Py_tp_getset, getset},
    {Py_tp_traverse, variant_traverse},
    {Py_tp_clear, variant_clear},
    {Py_tp_dealloc, variant_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "_dbus_bindings._Variant",
    .basicsize = sizeof(Variant),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int
variant_setup(PyObject *module, State *st)
{
    return state_add_type(module, &st->variant, &spec, NULL, "_Variant");
}
