/* SPDX-License-Identifier: MIT */
/*
 * The usual call from outside, whoever it is for: a function is called with the values of the
 * message, and what it returns is sent.
 */
#ifndef DBUS_SHIM_ANSWER_H
#define DBUS_SHIM_ANSWER_H

#include <Python.h>

#include <dbus/dbus.h>
#include <stdbool.h>

#include "connection.h"
#include "program.h"

/* What the function returns for the object and the values in a list; NULL with an exception. */
PyObject *answer_call(PyObject *function, PyObject *object, PyObject *values);

/* Sends the values, a tuple, as the program says; `plain` as in encode.h.  Nothing is sent where no
 * reply is wanted, or where nobody is left to send to.  -1 with an exception. */
int answer_send(Connection *self, DBusMessage *call, const Program *program, PyObject *values,
                bool plain);

/* Answers a call that could not be taken in, or not be dealt with to the end, with an error. */
void answer_refuse(Connection *self, DBusMessage *call);

#endif
