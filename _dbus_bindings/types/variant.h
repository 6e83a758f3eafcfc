/* SPDX-License-Identifier: MIT */
/*
 * The base of dbus.aio's Variant: a value with the signature it travels with.
 *
 * Here are only the two fields; what a Variant does is the business of the class in Python, which
 * is named once to the module (plain.h) and of which the values of messages are then made.
 */
#ifndef DBUS_SHIM_TYPES_VARIANT_H
#define DBUS_SHIM_TYPES_VARIANT_H

#include <Python.h>

#include "../state.h"

int variant_setup(PyObject *module, State *st);

/* A new Variant; both parts are consumed, also on failure.  NULL parts are failures before. */
PyObject *variant_new_steal(State *st, PyObject *signature, PyObject *value);

/* The parts of a Variant, borrowed; -1 with TypeError if `object` is none, or half-made. */
int variant_parts(State *st, PyObject *object, PyObject **ret_signature, PyObject **ret_value);

#endif
