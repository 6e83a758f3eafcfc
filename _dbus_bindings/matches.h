/* SPDX-License-Identifier: MIT */
/*
 * An index of signal matches: that of a Connection, or of a bus of dbus.aio, which outlives its
 * Connections.
 *
 * A look-up costs a few steps for each combination of conditions in use, however many matches there
 * are.
 */
#ifndef DBUS_SHIM_MATCHES_H
#define DBUS_SHIM_MATCHES_H

#include <Python.h>

#include <dbus/dbus.h>
#include <stdint.h>

#include "state.h"

typedef struct Matches {
    PyObject_HEAD
    /* dict: (interface, member) -> dict: path -> SignalMatch or a list of them, with None where there
     * is no such condition; or NULL.  Where there is one on the first argument, (path, arg0) stands
     * in the place of path. */
    PyObject *places;     /* NULL once it is being collected */
    Py_ssize_t n_open[4]; /* how many match any interface (2), any member (1): by the sum */
    Py_ssize_t n_arg0;    /* how many have a condition on the first argument */
    uint64_t last_number;
} Matches;

int matches_setup(PyObject *module, State *st);

Matches *matches_new(State *st);

/* The matches that a signal could be meant for, by these four conditions: a new list.  Those for
 * any path come before those for this one, and so on inward; of one place, in the order in which
 * they were added.  NULL with an exception, or without one where there is none. */
PyObject *matches_find(State *st, Matches *matches, DBusMessage *message);

#endif
