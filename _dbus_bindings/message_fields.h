/* SPDX-License-Identifier: MIT */
/*
 * The methods of Message that read and write one header field or flag each, and the table of
 * all methods.
 */
#ifndef DBUS_SHIM_MESSAGE_FIELDS_H
#define DBUS_SHIM_MESSAGE_FIELDS_H

#include <Python.h>

/* All methods of the class: those of message_fields.c, the three below, and marshal(). */
extern PyMethodDef message_methods[];

/* PyArg_Parse converter ("O&", dbus_uint32_t *): an int that a message can have as its serial. */
int message_serial_converter(PyObject *value, void *ret_serial);

PyObject *message_append(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names);
PyObject *message_get_args_list(PyObject *self, PyObject *const *args, Py_ssize_t n,
                                PyObject *names);
PyObject *message_copy(PyObject *self, PyObject *none);

#endif
