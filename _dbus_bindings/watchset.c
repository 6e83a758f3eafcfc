/* SPDX-License-Identifier: MIT */
/*
 * Contract: watchset.h.
 *
 * libdbus calls the add, remove and toggle functions with its connection lock held, from
 * whichever thread sends, reads, or drops the last reference of a message; so they touch the set
 * only, under a leaf mutex, and wake the loop by an eventfd.
 */
#define _GNU_SOURCE
#include "watchset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int64_t
monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int
poll_timeout(int64_t deadline)
{
    if (deadline == NEVER)
        return -1;
    int64_t left = deadline - monotonic_ns();
    if (left <= 0)
        return 0;
    left = (left + 999999) / 1000000;
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

int
wakeup_new(void)
{
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void
wakeup_set(int fd)
{
    uint64_t one = 1;

    while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void
wakeup_clear(int fd)
{
    uint64_t count;

    while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
}

int
watchset_init(Watchset *set, const WatchsetOps *ops)
{
    *set = (Watchset){.refs = 1, .ops = ops};
    set->wake_fd = wakeup_new();
    if (set->wake_fd < 0)
        return -1;
    pthread_mutex_init(&set->mutex, NULL);
    return 0;
}

void
watchset_destroy(Watchset *set)
{
    close(set->wake_fd);
    pthread_mutex_destroy(&set->mutex);
    free(set->watches);
    free(set->alarms);
}

Watchset *
watchset_ref(Watchset *set)
{
    atomic_fetch_add(&set->refs, 1);
    return set;
}

void
watchset_unref(Watchset *set)
{
    if (atomic_fetch_sub(&set->refs, 1) == 1)
        set->ops->free(set);
}

void
watchset_wake(Watchset *set)
{
    if (atomic_load(&set->sleeping))
        wakeup_set(set->wake_fd);
}

/* Room for one more item; the caller holds the mutex. */
static bool
grow(void **items, size_t n, size_t *size, size_t item)
{
    if (n < *size)
        return true;
    size_t more = *size ? *size * 2 : 4;
    void *bigger = realloc(*items, more * item);
    if (!bigger)
        return false;
    *items = bigger;
    *size = more;
    return true;
}

static dbus_bool_t
watch_add(DBusWatch *watch, void *data)
{
    Watchset *set = data;
    bool ok;

    pthread_mutex_lock(&set->mutex);
    ok = grow((void **)&set->watches, set->n_watches, &set->watches_size, sizeof *set->watches);
    if (ok)
        set->watches[set->n_watches++] = watch;
    pthread_mutex_unlock(&set->mutex);
    if (ok)
        set->ops->changed(set);
    return ok;
}

static void
watch_remove(DBusWatch *watch, void *data)
{
    Watchset *set = data;

    pthread_mutex_lock(&set->mutex);
    for (size_t i = 0; i < set->n_watches; i++)
        if (set->watches[i] == watch) {
            set->watches[i] = set->watches[--set->n_watches];
            break;
        }
    pthread_mutex_unlock(&set->mutex);
    set->ops->changed(set);
}

static void
watch_toggle(DBusWatch *watch, void *data)
{
    Watchset *set = data;

    /* Less to wait for needs no waking: the poller finds out at its next turn. */
    if (dbus_watch_get_enabled(watch))
        set->ops->changed(set);
}

static int64_t
alarm_due(DBusTimeout *timeout)
{
    if (!dbus_timeout_get_enabled(timeout))
        return NEVER;
    return monotonic_ns() + (int64_t)dbus_timeout_get_interval(timeout) * 1000000;
}

static dbus_bool_t
timeout_add(DBusTimeout *timeout, void *data)
{
    Watchset *set = data;
    bool ok;

    pthread_mutex_lock(&set->mutex);
    ok = grow((void **)&set->alarms, set->n_alarms, &set->alarms_size, sizeof *set->alarms);
    if (ok)
        set->alarms[set->n_alarms++] = (Alarm){timeout, alarm_due(timeout)};
    pthread_mutex_unlock(&set->mutex);
    if (ok)
        set->ops->changed(set);
    return ok;
}

static void
timeout_remove(DBusTimeout *timeout, void *data)
{
    Watchset *set = data;

    pthread_mutex_lock(&set->mutex);
    for (size_t i = 0; i < set->n_alarms; i++)
        if (set->alarms[i].timeout == timeout) {
            set->alarms[i] = set->alarms[--set->n_alarms];
            break;
        }
    pthread_mutex_unlock(&set->mutex);
}

static void
timeout_toggle(DBusTimeout *timeout, void *data)
{
    Watchset *set = data;

    pthread_mutex_lock(&set->mutex);
    for (size_t i = 0; i < set->n_alarms; i++)
        if (set->alarms[i].timeout == timeout)
            set->alarms[i].due = alarm_due(timeout);
    pthread_mutex_unlock(&set->mutex);
    set->ops->changed(set);
}

static void
on_replaced(void *data)
{
    Watchset *set = data;

    set->ops->replaced(set);
}

bool
watchset_attach_connection(Watchset *set, DBusConnection *connection)
{
    return dbus_connection_set_watch_functions(connection, watch_add, watch_remove, watch_toggle,
                                               set, on_replaced) &&
           dbus_connection_set_timeout_functions(connection, timeout_add, timeout_remove,
                                                 timeout_toggle, set, NULL);
}

bool
watchset_attach_server(Watchset *set, DBusServer *server)
{
    return dbus_server_set_watch_functions(server, watch_add, watch_remove, watch_toggle, set,
                                           on_replaced) &&
           dbus_server_set_timeout_functions(server, timeout_add, timeout_remove, timeout_toggle,
                                             set, NULL);
}

void
watchset_detach_connection(DBusConnection *connection)
{
    dbus_connection_set_watch_functions(connection, NULL, NULL, NULL, NULL, NULL);
    dbus_connection_set_timeout_functions(connection, NULL, NULL, NULL, NULL, NULL);
}

void
watchset_detach_server(DBusServer *server)
{
    dbus_server_set_watch_functions(server, NULL, NULL, NULL, NULL, NULL);
    dbus_server_set_timeout_functions(server, NULL, NULL, NULL, NULL, NULL);
}

int
watchset_collect(Watchset *set, struct pollfd *ret_fds, int max, int64_t *ret_deadline)
{
    int n = 0;
    int64_t deadline;
    bool rests;

    pthread_mutex_lock(&set->mutex);
    rests = set->rests_until && set->rests_until > monotonic_ns();
    deadline = rests ? set->rests_until : NEVER;
    for (size_t i = 0; i < set->n_watches && !rests; i++) {
        DBusWatch *watch = set->watches[i];
        unsigned flags;
        int fd, at = 0;

        if (!dbus_watch_get_enabled(watch))
            continue;
        flags = dbus_watch_get_flags(watch);
        fd = dbus_watch_get_unix_fd(watch);
        while (at < n && ret_fds[at].fd != fd)
            at++;
        if (at == max)
            continue;
        if (at == n)
            ret_fds[n++] = (struct pollfd){.fd = fd};
        if (flags & DBUS_WATCH_READABLE)
            ret_fds[at].events |= POLLIN;
        if (flags & DBUS_WATCH_WRITABLE)
            ret_fds[at].events |= POLLOUT;
    }
    for (size_t i = 0; i < set->n_alarms; i++)
        if (set->alarms[i].due < deadline)
            deadline = set->alarms[i].due;
    pthread_mutex_unlock(&set->mutex);
    *ret_deadline = deadline;
    return n;
}

void
watchset_rest(Watchset *set, int64_t until)
{
    pthread_mutex_lock(&set->mutex);
    set->rests_until = until;
    pthread_mutex_unlock(&set->mutex);
}

/* The enabled watch of this fd and direction, looked up anew each time: handling one watch may
 * have removed another. */
static DBusWatch *
find_watch(Watchset *set, int fd, unsigned direction)
{
    DBusWatch *found = NULL;

    pthread_mutex_lock(&set->mutex);
    for (size_t i = 0; i < set->n_watches && !found; i++) {
        DBusWatch *watch = set->watches[i];

        if ((dbus_watch_get_flags(watch) & direction) && dbus_watch_get_enabled(watch) &&
            dbus_watch_get_unix_fd(watch) == fd)
            found = watch;
    }
    pthread_mutex_unlock(&set->mutex);
    return found;
}

/* The next timeout that is due and set for its next round, or NULL; *now is read when needed. */
static DBusTimeout *
next_alarm(Watchset *set, int64_t *now)
{
    DBusTimeout *due = NULL;

    pthread_mutex_lock(&set->mutex);
    if (set->n_alarms && !*now)
        *now = monotonic_ns();
    for (size_t i = 0; i < set->n_alarms && !due; i++)
        if (set->alarms[i].due <= *now) {
            due = set->alarms[i].timeout;
            set->alarms[i].due = alarm_due(due);
            if (set->alarms[i].due <= *now)
                set->alarms[i].due = *now + 1; /* an interval of 0 fires once a turn */
        }
    pthread_mutex_unlock(&set->mutex);
    return due;
}

static void
fire_alarms(Watchset *set)
{
    int64_t now = 0;
    DBusTimeout *due;

    while ((due = next_alarm(set, &now)))
        dbus_timeout_handle(due);
}

void
watchset_handle(Watchset *set, const struct pollfd *fds, int n)
{
    for (int i = 0; i < n; i++) {
        unsigned trouble = (fds[i].revents & POLLERR ? DBUS_WATCH_ERROR : 0) |
                           (fds[i].revents & (POLLHUP | POLLNVAL) ? DBUS_WATCH_HANGUP : 0);
        DBusWatch *watch;

        if (!fds[i].revents)
            continue;
        if ((fds[i].revents & POLLOUT) && (watch = find_watch(set, fds[i].fd, DBUS_WATCH_WRITABLE)))
            dbus_watch_handle(watch, DBUS_WATCH_WRITABLE);
        if (((fds[i].revents & POLLIN) || trouble) &&
            (watch = find_watch(set, fds[i].fd, DBUS_WATCH_READABLE)))
            dbus_watch_handle(watch, (fds[i].revents & POLLIN ? DBUS_WATCH_READABLE : 0) | trouble);
    }
    fire_alarms(set);
}

static void
nothing(Watchset *set)
{
    (void)set;
}

static bool
never_ready(Watchset *set)
{
    (void)set;
    return false;
}

static int64_t
no_deadline(Watchset *set)
{
    (void)set;
    return NEVER;
}

static void
serve_nothing(Watchset *set, const struct pollfd *fds, int n)
{
    (void)set;
    (void)fds;
    (void)n;
}

/* libdbus' objects are left alone: a thread that is no more may have had their locks. */
static const WatchsetOps inherited_ops = {
    .changed = nothing,
    .replaced = nothing,
    .ready = never_ready,
    .deadline = no_deadline,
    .serve = serve_nothing,
    .close = nothing,
    .free = nothing,
};

void
watchset_inherit(Watchset *set)
{
    int own = wakeup_new();

    set->inherited = true;
    set->ops = &inherited_ops;
    pthread_mutex_init(&set->mutex, NULL);
    set->n_watches = set->n_alarms = 0;
    atomic_store(&set->sleeping, false);
    if (own >= 0) {
        dup3(own, set->wake_fd, O_CLOEXEC); /* the other one is the parent's too */
        close(own);
    }
}
