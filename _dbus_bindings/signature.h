/* SPDX-License-Identifier: MIT */
/*
 * Signatures: their rules (D-Bus Specification, "Type System"), dbus.Signature and its iterator.
 */
#ifndef DBUS_SHIM_SIGNATURE_H
#define DBUS_SHIM_SIGNATURE_H

#include <Python.h>

#include "state.h"

int signature_setup(PyObject *module, State *st);

/* NULL if the n bytes are a valid signature (zero or more complete types), else the rule that
 * they break, as words for an exception. */
const char *signature_rule(const char *s, size_t n);

/* The end of the complete type that starts at p, in a valid signature; p itself at its end. */
const char *signature_next(const char *p);

/* A dbus.Signature of a text that is known to be valid. */
PyObject *signature_new(State *st, const char *s, size_t n, long level);

/* A new reference to the dbus.Signature that a `signature` keyword gives: `value` itself if it is
 * a Signature, a new one from another str (ValueError if invalid), None for None and NULL. */
PyObject *signature_from_keyword(State *st, PyObject *value);

#endif
