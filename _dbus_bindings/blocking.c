/* SPDX-License-Identifier: MIT */
/*
 * Contract: blocking.h.
 */
#include "blocking.h"

/* A signal that arrives between the release of the GIL and poll() interrupts nothing: Python hears
 * of it after this time at the latest. */
#define SIGNAL_CHECK_NS 500000000

bool
wait_interruptibly(Link *link, Waiter *waiter, Call *call, int64_t until)
{
    for (;;) {
        int64_t slice = monotonic_ns() + SIGNAL_CHECK_NS;
        enum WaitResult result;

        Py_BEGIN_ALLOW_THREADS result =
            link_wait(link, waiter, call, until < slice ? until : slice);
        Py_END_ALLOW_THREADS if (result == WAIT_DONE) return true;
        if (PyErr_CheckSignals() < 0)
            return false;
        if (result == WAIT_DEADLINE && until < slice)
            return true;
    }
}
