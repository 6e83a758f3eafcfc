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

typedef struct Paths {
    PyObject *handlers; /* dict: path -> (on_message, fallback), or NULL */
    PyObject *children; /* dict: path -> dict: name -> number of registered paths below */
    Py_ssize_t n_fallbacks;
} Paths;

int paths_init(Paths *paths);
int paths_traverse(Paths *paths, visitproc visit, void *arg);
void paths_clear(Paths *paths);

/* KeyError where the path is taken. */
int paths_add(Paths *paths, PyObject *path, PyObject *on_message, bool fallback);

/* KeyError where the path is not registered. */
int paths_remove(Paths *paths, PyObject *path);

/* The on_message callables for a message to `path`: its own, then those of ancestors registered
 * as fallback, nearest first.  A new list, NULL with *ret_none where there is none (no exception),
 * NULL with an exception. */
PyObject *paths_find(Paths *paths, const char *path, bool *ret_none);

/* A new sorted list of str: the names of the children of `path`. */
PyObject *paths_children(Paths *paths, const char *path);

#endif
