/* SPDX-License-Identifier: MIT */
/*
 * Calls of the interfaces that dbus.aio exports, for the usual case: a method of a program's own
 * interface is found at once, and returns a value that its signature takes.
 *
 * dbus.aio._exports is the truth about exported interfaces.  Everything else is left to it: before
 * the method is called, by saying so; afterwards, by handing on what came of it.
 */
#ifndef DBUS_SHIM_SERVEDCALL_H
#define DBUS_SHIM_SERVEDCALL_H

#include <Python.h>

#include <dbus/dbus.h>
#include <stdbool.h>

#include "connection.h"

int servedcall_setup(PyObject *module, State *st);

/* Serves the call of a connection that has a receiver.  False: nothing has been done. */
bool servedcall_serve(State *st, Connection *self, DBusMessage *call);

#endif
