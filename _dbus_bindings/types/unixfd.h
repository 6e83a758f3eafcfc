/* SPDX-License-Identifier: MIT */
/*
 * UnixFd, which owns a file descriptor until it is taken from it.
 */
#ifndef DBUS_SHIM_TYPES_UNIXFD_H
#define DBUS_SHIM_TYPES_UNIXFD_H

#include <Python.h>

#include "../state.h"

int unixfd_setup(PyObject *module, State *st);

/* A dbus.UnixFd that owns `fd`; the descriptor is closed on failure too. */
PyObject *unixfd_new_steal(State *st, int fd, long level);

/* The descriptor of a dbus.UnixFd, still owned by it; -1 if it has been taken.  Never fails. */
int unixfd_fd(PyObject *unixfd);

#endif
