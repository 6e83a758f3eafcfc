/* SPDX-License-Identifier: MIT */
/*
 * Future: what a task of asyncio awaits while a call is in flight.
 *
 * It has the methods of asyncio's futures that tasks use, and one advantage: whoever completes it
 * where no task runs continues the task at once, without a turn of the loop.
 */
#ifndef DBUS_SHIM_FUTURE_H
#define DBUS_SHIM_FUTURE_H

#include <Python.h>

#include "state.h"

int future_setup(PyObject *module, State *st);

/* What the futures of one bus share, each owned: the loop of asyncio; the list of its message
 * handlers; and who sees to all ends but the usual one: `ended(future, outcome, timed_out)`. */
typedef struct FutureTerms {
    PyObject *loop, *handlers, *ended;
} FutureTerms;

PyObject *future_new(State *st, const FutureTerms *terms);

/* What cancelling it cancels too, by its method cancel(); let go when it is done. */
void future_set_call(PyObject *future, PyObject *call);

/* The call has ended: `outcome` is the reply, a plain Message; or an exception that kept it from
 * being made; or None.  To be called in the loop's turn and by no task.  -1 with an exception. */
int future_end(State *st, PyObject *future, PyObject *outcome, PyObject *timed_out);

#endif
