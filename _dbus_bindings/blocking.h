/* SPDX-License-Identifier: MIT */
/*
 * The GIL and a link's locks: who has the GIL never waits for `lib`, and who waits for a reply has
 * no GIL.
 */
#ifndef DBUS_SHIM_BLOCKING_H
#define DBUS_SHIM_BLOCKING_H

#include <Python.h>

#include <stdbool.h>

#include "link.h"

/* Runs one plain C statement with `lib` held.  The GIL is released only where another thread has
 * the lock, and then for the statement too: `lib` is never held while the GIL is waited for. */
#define WITH_LINK(link, statement)                                                                 \
    do {                                                                                           \
        if (link_try_lock(link)) {                                                                 \
            statement;                                                                             \
            link_unlock(link);                                                                     \
        } else {                                                                                   \
            Py_BEGIN_ALLOW_THREADS link_lock(link);                                                \
            statement;                                                                             \
            link_unlock(link);                                                                     \
            Py_END_ALLOW_THREADS                                                                   \
        }                                                                                          \
    } while (0)

/* Waits, without the GIL, until `call` has ended (NULL: everything is written) or until `until`.
 * False, with an exception: a signal handler of Python's raised. */
bool wait_interruptibly(Link *link, Waiter *waiter, Call *call, int64_t until);

#endif
