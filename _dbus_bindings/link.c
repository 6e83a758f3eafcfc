/* SPDX-License-Identifier: MIT */
/*
 * Contract: link.h.
 *
 * The order of steps that loses nothing: a call stands in the table before its message is sent;
 * a poller sets `sleeping`, then looks for work, then polls; whoever makes work adds it, then
 * reads `sleeping` and writes the poller's eventfd.
 */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"

#define SERVE_ROUNDS 64 /* then it is the turn of others */

/* Bytes that wait to be written: a reply would have to wait behind them anyway. */
#define OUTGOING_MOST (16L << 20)

static Link *
link_of(Watchset *set)
{
    return (Link *)set; /* its first member */
}

/* leaf held */
static void
wake_waiters(Link *link)
{
    for (Waiter *waiter = link->waiters; waiter; waiter = waiter->next)
        if (atomic_load(&waiter->sleeping))
            wakeup_set(waiter->fd);
}

static void
link_changed(Watchset *set)
{
    Link *link = link_of(set);

    watchset_wake(set);
    pthread_mutex_lock(&link->leaf);
    wake_waiters(link);
    pthread_mutex_unlock(&link->leaf);
}

static void
link_replaced(Watchset *set)
{
    atomic_store(&link_of(set)->mode, LINK_FOREIGN);
}

/* A thread of ours that is in libdbus dispatches what has come, or else wakes others when it leaves:
 * one that sends may learn that the connection is over. */
static void
on_wakeup(void *data)
{
    Link *link = data;

    atomic_store(&link->undispatched, true);
    if (!atomic_load(&link->inside))
        link_changed(&link->watches);
}

/* leaf held; `next` is in the ring, or its head */
static void
ring_insert(Entry *entry, Entry *next, atomic_size_t *n)
{
    entry->prev = next->prev;
    entry->next = next;
    entry->prev->next = entry;
    next->prev = entry;
    atomic_fetch_add(n, 1);
}

/* leaf held; an entry that is in no ring stays as it is */
static void
ring_remove(Entry *entry, atomic_size_t *n)
{
    if (!entry->next)
        return;
    entry->prev->next = entry->next;
    entry->next->prev = entry->prev;
    entry->next = entry->prev = NULL;
    atomic_fetch_sub(n, 1);
}

/* leaf held */
static void
inbox_push(Link *link, Entry *entry)
{
    ring_insert(entry, &link->inbox, &link->n_inbox);
}

/* leaf held */
static void
inbox_remove(Link *link, Entry *entry)
{
    ring_remove(entry, &link->n_inbox);
}

/* leaf held; the call is out of the table */
static void
end_call(Link *link, Call *call, enum CallState how)
{
    Waiter *waiter = call->waiter;
    bool crowd = call->crowd;

    if (!waiter)
        inbox_push(link, &call->entry);
    atomic_store(&call->state, how); /* a waiter may return, and the call be gone, from here on */
    if (crowd)
        wake_waiters(link);
    else if (waiter && atomic_load(&waiter->sleeping))
        wakeup_set(waiter->fd);
}

/* leaf held */
static void
end_all_calls(Link *link)
{
    for (Call *call = calls_take_all(&link->calls), *next; call; call = next) {
        next = call->next;
        end_call(link, call, CALL_DISCONNECTED);
    }
}

static bool
is_reply(DBusMessage *message)
{
    int type = dbus_message_get_type(message);

    return type == DBUS_MESSAGE_TYPE_METHOD_RETURN || type == DBUS_MESSAGE_TYPE_ERROR;
}

/* The reply's call, fed; false where nobody waits for it. */
static bool
route_reply(Link *link, DBusMessage *message)
{
    Call *call;

    pthread_mutex_lock(&link->leaf);
    call = calls_take(&link->calls, dbus_message_get_reply_serial(message));
    if (call) {
        call->reply = dbus_message_ref(message);
        end_call(link, call, CALL_REPLIED);
    }
    pthread_mutex_unlock(&link->leaf);
    return call != NULL;
}

/* Into the inbox; false: out of memory. */
static bool
keep(Link *link, DBusMessage *message)
{
    Entry *entry = malloc(sizeof *entry); /* glibc's calloc() has no quick way for small ones */

    if (!entry)
        return false;
    *entry = (Entry){.message = dbus_message_ref(message)};
    pthread_mutex_lock(&link->leaf);
    inbox_push(link, entry);
    pthread_mutex_unlock(&link->leaf);
    return true;
}

/* Does so much wait to be written that calls have to wait?  After the end nothing is written; and
 * libdbus learns of the end by reading, which is over as long as too much is held back. */
static bool
is_congested(Link *link)
{
    return !link->watches.inherited && !atomic_load(&link->hung_up) &&
           dbus_connection_get_outgoing_size(link->connection) > OUTGOING_MOST &&
           dbus_connection_get_is_connected(link->connection);
}

static bool
has_deliverable(Link *link)
{
    return atomic_load(&link->n_inbox) || (atomic_load(&link->n_held) && !is_congested(link));
}

/* The one filter.  libdbus calls it inside dispatch, so with `lib` held unless a foreign loop
 * dispatches; it takes no lock but the leaf and never the GIL, foreign loops excepted. */
static DBusHandlerResult
route(DBusConnection *connection, DBusMessage *message, void *data)
{
    Link *link = data;
    bool foreign = link_is(link, LINK_FOREIGN);
    bool mine = is_reply(message) && route_reply(link, message);

    (void)connection;
    if (!mine && link_is_own_word(message) &&
        dbus_message_is_signal(message, DBUS_INTERFACE_LOCAL, "Disconnected")) {
        /* It comes after every reply that was received: what is still in flight has failed. */
        pthread_mutex_lock(&link->leaf);
        atomic_store(&link->dead, true);
        end_all_calls(link);
        pthread_mutex_unlock(&link->leaf);
    }
    if (foreign) {
        if (has_deliverable(link)) /* of the time before the foreign loop */
            link->deliver(link);
        return mine ? DBUS_HANDLER_RESULT_HANDLED : link->handle(link, message);
    }
    if (!mine && link_is(link, LINK_LOOP) && !keep(link, message))
        return DBUS_HANDLER_RESULT_NEED_MEMORY; /* libdbus tries again later */
    watchset_wake(&link->watches);
    return DBUS_HANDLER_RESULT_HANDLED;
}

void
link_pump(Link *link)
{
    DBusDispatchStatus status;

    atomic_store(&link->undispatched, false);
    do
        status = dbus_connection_dispatch(link->connection);
    while (status == DBUS_DISPATCH_DATA_REMAINS);
    if (status == DBUS_DISPATCH_NEED_MEMORY)
        atomic_store(&link->undispatched, true);
}

static bool
link_ready(Watchset *set)
{
    Link *link = link_of(set);

    return has_deliverable(link) || atomic_load(&link->undispatched);
}

static int64_t
link_deadline(Watchset *set)
{
    Link *link = link_of(set);
    int64_t deadline;

    pthread_mutex_lock(&link->leaf);
    deadline = calls_next_deadline(&link->calls);
    pthread_mutex_unlock(&link->leaf);
    int64_t admitted_by = atomic_load(&link->admitted_by);
    return admitted_by < deadline ? admitted_by : deadline;
}

/* lib held; libdbus itself would wait for ever */
static void
end_unauthenticated(Link *link)
{
    int64_t until = atomic_load(&link->admitted_by);
    bool in = dbus_connection_get_is_authenticated(link->connection);

    if (!in && monotonic_ns() < until)
        return;
    atomic_store(&link->admitted_by, NEVER);
    if (!in && dbus_connection_get_is_connected(link->connection))
        link_close(link);
}

static void
end_expired_calls(Link *link)
{
    pthread_mutex_lock(&link->leaf);
    if (link->calls.n_heap) {
        int64_t now = monotonic_ns();
        Call *call;

        while ((call = calls_take_expired(&link->calls, now)))
            end_call(link, call, CALL_TIMED_OUT);
    }
    pthread_mutex_unlock(&link->leaf);
}

static void
tell_written(Link *link)
{
    pthread_mutex_lock(&link->leaf);
    atomic_store(&link->tell_written, false);
    if (!link->written.next)
        inbox_push(link, &link->written);
    pthread_mutex_unlock(&link->leaf);
}

/* libdbus reads or writes a few KiB at a time, and a turn of a loop costs more than that: a long
 * message is carried on with as long as the socket is ready.  lib held; false where it is not. */
static bool
serve_again(Link *link)
{
    struct pollfd fds[WATCHSET_FDS] = {{0}};
    int64_t alarm;
    int n = watchset_collect(&link->watches, fds, WATCHSET_FDS, &alarm);

    if (!n || poll(fds, (nfds_t)n, 0) <= 0)
        return false;
    watchset_handle(&link->watches, fds, n);
    return true;
}

static void
link_serve(Watchset *set, const struct pollfd *fds, int n)
{
    Link *link = link_of(set);

    for (int i = 0; i < n; i++)
        if (fds[i].revents & (POLLHUP | POLLERR))
            atomic_store(&link->hung_up, true);
    link_lock(link);
    watchset_handle(set, fds, n);
    link_pump(link);
    for (int i = 0; i < SERVE_ROUNDS && !atomic_load(&link->n_inbox) && serve_again(link); i++)
        link_pump(link);
    if (atomic_load(&link->admitted_by) != NEVER)
        end_unauthenticated(link);
    if (atomic_load(&link->tell_written) && !dbus_connection_has_messages_to_send(link->connection))
        tell_written(link);
    link_unlock(link);
    end_expired_calls(link);
    if (has_deliverable(link))
        link->deliver(link);
}

static void
link_free(Watchset *set)
{
    Link *link = link_of(set);

    if (link->filtered)
        dbus_connection_remove_filter(link->connection, route, link);
    dbus_connection_set_wakeup_main_function(link->connection, NULL, NULL, NULL);
    if (!link_is(link, LINK_FOREIGN))
        watchset_detach_connection(link->connection);
    dbus_connection_close(link->connection); /* before the last reference, or libdbus aborts */
    dbus_connection_unref(link->connection);
    link_drop_inbox(link);
    for (Waiter *waiter; (waiter = link->idle_waiters);) {
        link->idle_waiters = waiter->next;
        close(waiter->fd);
        free(waiter);
    }
    calls_destroy(&link->calls);
    watchset_destroy(&link->watches);
    pthread_mutex_destroy(&link->lib);
    pthread_mutex_destroy(&link->leaf);
    free(link);
}

static void
link_shut(Watchset *set)
{
    Link *link = link_of(set);

    link_lock(link);
    link_close(link);
    link_unlock(link);
}

static const WatchsetOps link_ops = {
    .changed = link_changed,
    .replaced = link_replaced,
    .ready = link_ready,
    .deadline = link_deadline,
    .serve = link_serve,
    .close = link_shut,
    .free = link_free,
};

Link *
link_new_steal(DBusConnection *connection)
{
    _cleanup_malloc_ Link *link = calloc(1, sizeof *link);

    /* We decide about the end of the process, after the handlers have seen Disconnected. */
    dbus_connection_set_exit_on_disconnect(connection, FALSE);
    if (!link || watchset_init(&link->watches, &link_ops) < 0) {
        int reason = errno;

        dbus_connection_close(connection);
        dbus_connection_unref(connection);
        errno = reason;
        return NULL;
    }
    pthread_mutex_init(&link->lib, NULL);
    pthread_mutex_init(&link->leaf, NULL);
    calls_init(&link->calls);
    link->inbox.next = link->inbox.prev = &link->inbox;
    link->held.next = link->held.prev = &link->held;
    link->connection = connection;
    link->admitted_by = NEVER;
    link->undispatched = true; /* what came with the greeting of the bus */
    return TAKE(link);
}

bool
link_set_mode(Link *link, enum LinkMode mode)
{
    atomic_store(&link->mode, (int)mode);
    link->filtered = dbus_connection_add_filter(link->connection, route, link, NULL);
    if (!link->filtered)
        return false;
    if (mode == LINK_FOREIGN)
        return true;
    dbus_connection_set_wakeup_main_function(link->connection, on_wakeup, link, NULL);
    return watchset_attach_connection(&link->watches, link->connection);
}

void
link_lock(Link *link)
{
    pthread_mutex_lock(&link->lib);
    atomic_store(&link->inside, true);
}

bool
link_try_lock(Link *link)
{
    if (pthread_mutex_trylock(&link->lib) != 0)
        return false;
    atomic_store(&link->inside, true);
    return true;
}

void
link_unlock(Link *link)
{
    atomic_store(&link->inside, false);
    pthread_mutex_unlock(&link->lib);
    if (atomic_load(&link->undispatched))
        link_changed(&link->watches);
    else if (atomic_load(&link->n_held) && !is_congested(link)) /* this thread has written it */
        watchset_wake(&link->watches);
}

enum LinkResult
link_send(Link *link, DBusMessage *message, dbus_uint32_t *ret_serial)
{
    return dbus_connection_send(link->connection, message, ret_serial) ? LINK_OK : LINK_NO_MEMORY;
}

bool
link_is_written(Link *link)
{
    bool left = dbus_connection_has_messages_to_send(link->connection);

    if (left)
        atomic_store(&link->tell_written, true);
    return !left;
}

void
link_close(Link *link)
{
    dbus_connection_close(link->connection);
    atomic_store(&link->undispatched, true); /* the Disconnected message */
    link_changed(&link->watches);
}

void
link_limit_authentication(Link *link, int64_t until)
{
    atomic_store(&link->admitted_by, until);
    watchset_wake(&link->watches);
}

enum LinkResult
link_start(Link *link, Call *call, DBusMessage *message, bool timed)
{
    bool added = false, dead, taken;

    if (!dbus_connection_get_is_connected(link->connection))
        return LINK_CLOSED;
    pthread_mutex_lock(&link->leaf);
    dead = atomic_load(&link->dead); /* under the leaf: see route() */
    taken = call->serial && calls_has(&link->calls, call->serial);
    if (!dead && !taken)
        added = calls_add(&link->calls, call, timed);
    pthread_mutex_unlock(&link->leaf);
    if (!added)
        return dead ? LINK_CLOSED : taken ? LINK_SERIAL_TAKEN : LINK_NO_MEMORY;
    dbus_message_set_serial(message, call->serial);
    if (!dbus_connection_send(link->connection, message, NULL)) {
        link_cancel(link, call, CALL_CANCELLED);
        return LINK_NO_MEMORY;
    }
    if (timed && call->deadline < atomic_load(&link->watches.wakes_at))
        watchset_wake(&link->watches);
    return LINK_OK;
}

bool
link_cancel(Link *link, Call *call, enum CallState how)
{
    bool in_flight;

    if (link->watches.inherited)
        return false;
    pthread_mutex_lock(&link->leaf);
    in_flight = atomic_load(&call->state) == CALL_WAITING;
    if (in_flight) {
        calls_take(&link->calls, call->serial);
        atomic_store(&call->state, how);
    }
    inbox_remove(link, &call->entry);
    pthread_mutex_unlock(&link->leaf);
    return in_flight;
}

void
link_set_waiter(Link *link, Call *call, Waiter *waiter)
{
    pthread_mutex_lock(&link->leaf);
    call->crowd = call->crowd || (waiter && call->waiter);
    call->waiter = waiter;
    if (waiter)
        inbox_remove(link, &call->entry);
    else if (atomic_load(&call->state) != CALL_WAITING)
        inbox_push(link, &call->entry);
    pthread_mutex_unlock(&link->leaf);
}

/* leaf held */
static Entry *
ring_take(Entry *head, atomic_size_t *n)
{
    Entry *entry = head->next;

    if (entry == head)
        return NULL;
    ring_remove(entry, n);
    return entry;
}

static bool
is_call(const Entry *entry)
{
    return entry->message && dbus_message_get_type(entry->message) == DBUS_MESSAGE_TYPE_METHOD_CALL;
}

/* What was held back came first.  While it has to wait, other calls join it. */
static Entry *
take(Link *link, bool congested)
{
    Entry *entry;

    if (link->watches.inherited)
        return NULL;
    pthread_mutex_lock(&link->leaf);
    entry = congested ? NULL : ring_take(&link->held, &link->n_held);
    if (!entry)
        entry = ring_take(&link->inbox, &link->n_inbox);
    while (congested && entry && is_call(entry)) {
        ring_insert(entry, &link->held, &link->n_held);
        entry = ring_take(&link->inbox, &link->n_inbox);
    }
    pthread_mutex_unlock(&link->leaf);
    return entry;
}

Entry *
link_take(Link *link)
{
    return take(link, is_congested(link));
}

void
link_put_back(Link *link, Entry *entry)
{
    pthread_mutex_lock(&link->leaf);
    ring_insert(entry, link->inbox.next, &link->n_inbox);
    pthread_mutex_unlock(&link->leaf);
}

void
entry_free(Entry *entry)
{
    dbus_message_unref(entry->message);
    free(entry);
}

void
link_drop_inbox(Link *link)
{
    for (Entry *entry; (entry = take(link, false));)
        if (entry->message)
            entry_free(entry);
}
