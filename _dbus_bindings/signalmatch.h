/* SPDX-License-Identifier: MIT */
/*
 * The base of dbus.connection.SignalMatch, and of the subscriptions of dbus.aio: what the delivery
 * of a signal looks at.
 *
 * The classes in Python make, compare and show matches.  Their method `_deliver(message)` is called
 * where more is to be done than to call a handler with the arguments.
 */
#ifndef DBUS_SHIM_SIGNALMATCH_H
#define DBUS_SHIM_SIGNALMATCH_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#include "state.h"

typedef struct SignalMatch {
    PyObject_HEAD
    /* str, or None for any; NULL counts as None: which signals are wanted */
    PyObject *path, *interface, *member, *arg0;
    PyObject *owner;     /* unique name of the sender; None for any; in dbus.aio any bus name */
    PyObject *handler;   /* callable; in dbus.aio also a tuple, which only _deliver() knows */
    PyObject *keywords;  /* tuple: what the handler wants by keyword */
    PyObject *arguments; /* the conditions on arguments, or None; in dbus.aio their signature */
    char asks_arguments; /* there are more of these than `arg0` */
    char byte_arrays;
    uint64_t number : 48; /* in the order in which they were added; 0: in no index */
} SignalMatch;

int signalmatch_setup(PyObject *module, State *st);

/* TypeError if `object` is none. */
SignalMatch *signalmatch_borrow(State *st, PyObject *object);

/* Whether `name`, a str or anything else, is this text, which may be NULL. */
bool signalmatch_is_name(PyObject *name, const char *text);

/* Whether `sender`, which may be NULL, is what the match asks for. */
bool signalmatch_is_from(const SignalMatch *match, const char *sender);

#endif
