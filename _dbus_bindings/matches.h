/* SPDX-License-Identifier: MIT */
/*
 * The index of a connection's signal matches.
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
    /* dict: (interface, member) -> dict: path -> SignalMatch or a list of them, with None where there
     * is no such condition; or NULL.  Where there is one on the first argument, (path, arg0) stands
     * in the place of path. */
    PyObject *places;
    Py_ssize_t n_open[4]; /* how many match any interface (2), any member (1): by the sum */
    Py_ssize_t n_arg0;    /* how many have a condition on the first argument */
    uint64_t last_number;
} Matches;

int matches_init(Matches *matches);
int matches_traverse(Matches *matches, visitproc visit, void *arg);
void matches_clear(Matches *matches);

int matches_add(State *st, Matches *matches, PyObject *match);

/* 1, or 0 if it was not there, or -1 with an exception. */
int matches_remove(State *st, Matches *matches, PyObject *match);

/* The matches with exactly these conditions, each a str or None: a new list. */
PyObject *matches_at(Matches *matches, PyObject *path, PyObject *interface, PyObject *member,
                     PyObject *arg0);

/* All matches: a new list. */
PyObject *matches_all(Matches *matches);

/* The matches that a signal could be meant for, by these four conditions: a new list.  Those for
 * any path come before those for this one, and so on inward; of one place, in the order in which
 * they were added.  NULL with an exception, or without one where there is none. */
PyObject *matches_find(State *st, Matches *matches, DBusMessage *message);

#endif
