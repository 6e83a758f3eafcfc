/* SPDX-License-Identifier: MIT */
/*
 * The file descriptors and timeouts that libdbus wants served for one connection or server, for
 * any loop.  Plain C: no Python, no GIL.
 *
 * A loop, or a thread that waits for a reply, asks what to poll (watchset_collect), polls, and
 * hands the result back (watchset_handle).  Its owner's `lib` mutex is held around everything
 * that libdbus does; the set's own mutex is a leaf, since libdbus changes the set from inside its
 * connection lock.
 *
 * A loop that is about to poll says so (`sleeping`); whoever then gives it work to do writes its
 * eventfd.
 */
#ifndef DBUS_SHIM_WATCHSET_H
#define DBUS_SHIM_WATCHSET_H

#include <dbus/dbus.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WATCHSET_FDS 8 /* a connection has one, a server one a listening socket */

typedef struct Watchset Watchset;

/* What the owner of a set does for a loop.  None of these is called with the set's mutex held. */
typedef struct WatchsetOps {
    /* libdbus changed what is to be polled: whoever sleeps in poll() must look again.  Called
     * from inside libdbus. */
    void (*changed)(Watchset *set);
    /* Somebody else's functions have taken the place of ours in libdbus: a foreign loop serves
     * the connection from now on.  Called from inside libdbus. */
    void (*replaced)(Watchset *set);
    /* Is there work that needs no polling? */
    bool (*ready)(Watchset *set);
    /* When is there work at the latest?  NEVER, or monotonic ns. */
    int64_t (*deadline)(Watchset *set);
    /* Does the work: reads, writes and dispatches, then delivers to Python (taking the GIL only
     * if there is something to deliver). */
    void (*serve)(Watchset *set, const struct pollfd *fds, int n);
    /* Ends the connection or server, since its loop ends. */
    void (*close)(Watchset *set);
    void (*free)(Watchset *set);
} WatchsetOps;

typedef struct Alarm {
    DBusTimeout *timeout;
    int64_t due; /* monotonic ns */
} Alarm;

struct Watchset {
    atomic_uint refs;
    const WatchsetOps *ops;
    pthread_mutex_t mutex; /* leaf: nothing else is taken while it is held */
    DBusWatch **watches;
    size_t n_watches, watches_size;
    Alarm *alarms;
    size_t n_alarms, alarms_size;
    int64_t rests_until;      /* monotonic ns; nothing is polled before */
    int wake_fd;              /* eventfd that the loop polls */
    atomic_bool sleeping;     /* the loop polls, or is about to */
    _Atomic int64_t wakes_at; /* when a sleeping loop looks again by itself; NEVER while it is
                                 still finding out */
    bool inherited;           /* the process that made it has forked this one (forks.h) */
    Watchset *next, **at;     /* the list of forks.c */
};

#define NEVER INT64_MAX /* a deadline that does not come */

int64_t monotonic_ns(void);

/* Milliseconds from now to `deadline` for poll(), rounded up; -1 for NEVER. */
int poll_timeout(int64_t deadline);

/* An eventfd, or -1 with errno. */
int wakeup_new(void);
void wakeup_set(int fd);
void wakeup_clear(int fd);

/* For the owner of the set: one reference, or -1 with errno. */
int watchset_init(Watchset *set, const WatchsetOps *ops);
void watchset_destroy(Watchset *set);

Watchset *watchset_ref(Watchset *set);
void watchset_unref(Watchset *set);

/* Make libdbus keep the set up to date; FALSE: out of memory. */
bool watchset_attach_connection(Watchset *set, DBusConnection *connection);
bool watchset_attach_server(Watchset *set, DBusServer *server);
void watchset_detach_connection(DBusConnection *connection);
void watchset_detach_server(DBusServer *server);

/* What to poll now, at most `max` entries, and in *ret_deadline the next libdbus timeout. */
int watchset_collect(Watchset *set, struct pollfd *ret_fds, int max, int64_t *ret_deadline);

/* For its owner, when nothing can be done about what is ready: poll none of it before that time. */
void watchset_rest(Watchset *set, int64_t until);

/* Serves what poll() found, and the timeouts that are due.  The owner's `lib` mutex must be
 * held: no other thread may close the connection between the look-up and the handling. */
void watchset_handle(Watchset *set, const struct pollfd *fds, int n);

/* In the child of a fork: nothing that is done to the set reaches the parent any more.  Nobody
 * waits for anything, and there is nothing to do. */
void watchset_inherit(Watchset *set);

/* Wakes the loop when it sleeps. */
void watchset_wake(Watchset *set);

#endif
