/* SPDX-License-Identifier: MIT */
/*
 * The index of a connection's signal matches.
 *
 * A look-up costs one step for each combination of conditions in use (path, interface, member,
 * first argument), however many matches there are.
 */
#ifndef DBUS_SHIM_MATCHES_H
#define DBUS_SHIM_MATCHES_H

#include <Python.h>

#include <dbus/dbus.h>
#include <stdint.h>

#include "state.h"

#define MATCH_PLACES 8 /* with and without path, interface, member */

typedef struct Matches {
    PyObject *by_key; /* dict: (path, interface, member, arg0) -> SignalMatch or a list; or NULL */
    Py_ssize_t places[MATCH_PLACES]; /* how many matches there are of each sort */
    Py_ssize_t n_arg0;               /* how many have a condition on the first argument */
    uint64_t last_number;
} Matches;

int matches_init(Matches *matches);
int matches_traverse(Matches *matches, visitproc visit, void *arg);
void matches_clear(Matches *matches);

int matches_add(State *st, Matches *matches, PyObject *match);

/* 1, or 0 if it was not there, or -1 with an exception. */
int matches_remove(State *st, Matches *matches, PyObject *match);

/* The matches with exactly these conditions, (path, interface, member, arg0): a new list. */
PyObject *matches_at(Matches *matches, PyObject *key);

/* All matches: a new list. */
PyObject *matches_all(Matches *matches);

/* The matches that a signal could be meant for, by these four conditions: a new list.  Those for
 * any path come before those for this one, and so on inward; of one place, in the order in which
 * they were added.  NULL with an exception, or without one where there is none. */
PyObject *matches_find(State *st, Matches *matches, DBusMessage *message);

#endif
