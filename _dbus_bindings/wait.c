/* SPDX-License-Identifier: MIT */
/*
 * Threads that block on a connection (link.h).
 *
 * A waiter polls the connection's socket and an eventfd of its own.  Whoever reads its reply from
 * the socket, this thread, another waiter or the loop, ends its call and writes the eventfd.  A
 * waiter dispatches for all: what is not for a waiting thread goes to the inbox, and no handler
 * runs here.
 */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"

static Waiter *
waiter_new(void)
{
    _cleanup_malloc_ Waiter *waiter = calloc(1, sizeof *waiter);

    if (!waiter)
        return NULL;
    waiter->fd = wakeup_new();
    return waiter->fd < 0 ? NULL : TAKE(waiter);
}

Waiter *
waiter_begin(Link *link)
{
    Waiter *waiter;

    pthread_mutex_lock(&link->leaf);
    waiter = link->idle_waiters;
    if (waiter)
        link->idle_waiters = waiter->next;
    else
        waiter = waiter_new();
    if (waiter) {
        waiter->next = link->waiters;
        link->waiters = waiter;
    }
    pthread_mutex_unlock(&link->leaf);
    return waiter;
}

void
waiter_end(Link *link, Waiter *waiter)
{
    pthread_mutex_lock(&link->leaf);
    for (Waiter **at = &link->waiters; *at; at = &(*at)->next)
        if (*at == waiter) {
            *at = waiter->next;
            break;
        }
    waiter->next = link->idle_waiters;
    link->idle_waiters = waiter;
    pthread_mutex_unlock(&link->leaf);
}

static bool
call_has_ended(Call *call)
{
    return atomic_load(&call->state) != CALL_WAITING;
}

static bool
is_flushed(Link *link)
{
    return !dbus_connection_get_is_connected(link->connection) ||
           !dbus_connection_has_messages_to_send(link->connection);
}

static bool
is_over(Link *link, Call *call)
{
    return call ? call_has_ended(call) : is_flushed(link);
}

/* Polls once and serves what came.  False: a signal interrupted it. */
static bool
turn(Link *link, Waiter *waiter, Call *call, int64_t until)
{
    struct pollfd fds[1 + WATCHSET_FDS];
    int64_t alarm;
    int n, found = 0;

    atomic_store(&waiter->sleeping, true);
    fds[0] = (struct pollfd){.fd = waiter->fd, .events = POLLIN};
    n = watchset_collect(&link->watches, fds + 1, WATCHSET_FDS, &alarm);
    if (!is_over(link, call) && !atomic_load(&link->undispatched))
        found = poll(fds, (nfds_t)n + 1, poll_timeout(alarm < until ? alarm : until));
    atomic_store(&waiter->sleeping, false);
    if (found < 0)
        return errno != EINTR;
    if (fds[0].revents)
        wakeup_clear(waiter->fd);
    link_lock(link);
    watchset_handle(&link->watches, fds + 1, n);
    link_pump(link);
    link_unlock(link);
    return true;
}

enum WaitResult
link_wait(Link *link, Waiter *waiter, Call *call, int64_t until)
{
    while (!is_over(link, call)) {
        if (!turn(link, waiter, call, until))
            return is_over(link, call) ? WAIT_DONE : WAIT_INTERRUPTED;
        if (until != NEVER && !is_over(link, call) && monotonic_ns() >= until)
            return WAIT_DEADLINE;
    }
    return WAIT_DONE;
}
