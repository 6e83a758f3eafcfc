/* SPDX-License-Identifier: MIT */
/*
 * A Message as bytes, and bytes as a Message (D-Bus Specification, "Message Format").
 *
 * Bytes of any origin may come in: libdbus validates them as it does those of a peer, and what it
 * cannot tell apart from want of memory is found out before.  File descriptors have no form as
 * bytes, so a message that carries some is refused both ways.
 */
#ifndef DBUS_SHIM_MESSAGE_BYTES_H
#define DBUS_SHIM_MESSAGE_BYTES_H

#include <Python.h>

PyObject *message_marshal(PyObject *self, PyObject *args, PyObject *kwargs);

/* A function of the module, which the class has as a static method. */
PyObject *message_demarshal(PyObject *module, PyObject *data);

#endif
