/* SPDX-License-Identifier: MIT */
/*
 * Double, a float with a variant_level.
 */
#ifndef DBUS_SHIM_TYPES_FLOAT_H
#define DBUS_SHIM_TYPES_FLOAT_H

#include <Python.h>

#include "../state.h"

int float_setup(PyObject *module, State *st);

/* A dbus.Double, made directly. */
PyObject *double_new(State *st, double value, long level);

#endif
