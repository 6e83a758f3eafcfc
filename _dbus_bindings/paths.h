/* SPDX-License-Identifier: MIT */
/*
 * The index of object paths that a connection serves.
 *
 * A node exists for every registered path and every ancestor of one, and counts what hangs below
 * it, so that a look-up, a registration and a list of children cost the same whatever else there
 * is.
 */
#ifndef DBUS_SHIM_PATHS_H
#define DBUS_SHIM_PATHS_H

#include <Python.h>

#include <stdbool.h>

#include "state.h"

typedef struct Paths {
    PyObject *handlers;  /* dict: path -> on_message, or NULL */
    PyObject *fallbacks; /* dict: the same for those that serve what is below, too */
    PyObject *children;  /* dict: path -> dict: name -> number of registered paths below */
    bool root_is_plain;  /* "/" was last registered, if ever, as no fallback */
} Paths;

int paths_init(Paths *paths);
int paths_traverse(Paths *paths, visitproc visit, void *arg);
void paths_clear(Paths *paths);

/* KeyError where the path is taken. */
int paths_add(Paths *paths, PyObject *path, PyObject *on_message, bool fallback);

/* KeyError where the path is not registered. */
int paths_remove(Paths *paths, PyObject *path);

/* The on_message callables for a message to `path`: its own, then those of ancestors registered
 * as fallback, nearest first.  A new list, or NULL with an exception. */
PyObject *paths_find(State *st, const Paths *paths, const char *path);

/* The first of them, borrowed; NULL with an exception, or without one where there is none. */
PyObject *paths_first_borrow(State *st, const Paths *paths, const char *path);

/* Is there an object at the path, as libdbus sees it: a registered one, an ancestor of one, or
 * anything below a fallback?  The root is a fallback until it is registered as none. -1 with an
 * exception. */
int paths_has_object(State *st, const Paths *paths, const char *path);

/* A new sorted list of str: the names of the children of `path`. */
PyObject *paths_children(Paths *paths, const char *path);

#endif
