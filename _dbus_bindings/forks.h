/* SPDX-License-Identifier: MIT */
/*
 * The child of a fork: what its parent has connected is not its own.
 *
 * Two processes on one socket would take each other's messages, and locks may be held by threads
 * that the child does not have.  So in the child every connection and server of before is
 * *inherited*: using it is an error, loops find nothing to do for it, and its end is the end of
 * the object alone, so that the parent notices nothing.  All functions are called with the GIL.
 */
#ifndef DBUS_SHIM_FORKS_H
#define DBUS_SHIM_FORKS_H

#include <Python.h>

#include "state.h"
#include "watchset.h"

int forks_setup(PyObject *module, State *st);

/* The set of a connection or server comes and goes. */
void forks_enter(State *st, Watchset *set);
void forks_leave(Watchset *set);

/* Raises the DBusException of those who use what is inherited. Returns NULL. */
PyObject *forks_refuse(State *st);

#endif
