/* SPDX-License-Identifier: MIT */
/*
 * The base of dbus.connection.SignalMatch: what the delivery of a signal looks at.
 *
 * The class in Python makes, compares and shows matches, and delivers where a handler wants
 * keyword arguments.
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
    PyObject *owner;     /* unique name of the sender; None for any */
    PyObject *handler;   /* callable */
    PyObject *keywords;  /* tuple: what the handler wants by keyword */
    PyObject *arguments; /* the conditions on arguments, or None */
    char asks_arguments; /* there are more of these than `arg0` */
    char byte_arrays;
    uint64_t number; /* in the order in which they were added */
} SignalMatch;

int signalmatch_setup(PyObject *module, State *st);

/* TypeError if `object` is none. */
SignalMatch *signalmatch_borrow(State *st, PyObject *object);

#endif
