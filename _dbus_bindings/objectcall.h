/* SPDX-License-Identifier: MIT */
/*
 * Calls of the objects of dbus.service, for the usual case: the method is found at once, wants
 * nothing but its arguments, and returns what its signature says.
 *
 * dbus.service is the truth about exported objects.  Programs replace three of its functions, so
 * everything is left to it unless they are the originals, and so is every fault.
 */
#ifndef DBUS_SHIM_OBJECTCALL_H
#define DBUS_SHIM_OBJECTCALL_H

#include <Python.h>

#include "connection.h"
#include "deliver.h"

int objectcall_setup(PyObject *module, State *st);

/* Serves the call if `handler` is that of an exported object.  False: it is not, or needs
 * dbus.service, and nothing has been done. */
bool objectcall_serve(Connection *self, PyObject *handler, LazyMessage *message);

#endif
