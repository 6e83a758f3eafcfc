/* SPDX-License-Identifier: MIT */
/*
 * One D-Bus connection as plain C: the way of a message between libdbus and Python's doorstep.
 *
 * Outgoing: link_send, or link_start for a call that waits for a reply.  Incoming: one catch-all
 * filter gives a reply to the call that its serial names and puts everything else into the inbox,
 * and handlers run from the inbox after libdbus' dispatch has returned, so that a handler may
 * call, block, dispatch or close.
 *
 * Locks: `lib` is held around every libdbus call that can do I/O or dispatch, never across a poll()
 * that waits, a handler, or the taking of the GIL.  `leaf` guards calls, inbox, what is held back and
 * waiters; while it is held libdbus is asked for nothing but a message's fields, and it is the only
 * lock that a callback of libdbus may take.
 *
 * A peer that calls and does not read the replies is not served for ever: while much waits to be
 * written, calls leave the inbox for `held` and wait there for their turn, so that libdbus' limit
 * on what was received stops the reading.
 *
 * Under a foreign loop (a NativeMainLoop that somebody else's C code made, or functions that such
 * code has put in the place of ours) that code owns watches and dispatch: the filter then hands
 * each message on at once, and replies go to libdbus' own pending calls.
 */
#ifndef DBUS_SHIM_LINK_H
#define DBUS_SHIM_LINK_H

#include <dbus/dbus.h>

#include "calls.h"
#include "watchset.h"

/* A thread that blocks; kept by the link for the next one, since an eventfd is not free. */
typedef struct Waiter {
    int fd; /* eventfd */
    atomic_bool sleeping;
    struct Waiter *next;
} Waiter;

enum LinkMode {
    LINK_DETACHED, /* no loop: nothing is ever delivered but replies to waiting threads */
    LINK_LOOP,     /* a loop of ours drains the inbox */
    LINK_FOREIGN,  /* a foreign loop dispatches: the filter delivers */
};

typedef struct Link Link;

struct Link {
    Watchset watches; /* first: a loop knows no more than this */
    DBusConnection *connection;
    atomic_int mode; /* enum LinkMode */
    bool filtered;   /* `connection` has our filter: libdbus aborts where there is none to remove */
    pthread_mutex_t lib;
    pthread_mutex_t leaf;
    Calls calls;
    Entry inbox; /* head of a ring */
    Entry held;  /* likewise: calls that came while too much waited to be written */
    atomic_size_t n_inbox, n_held;
    Waiter *waiters, *idle_waiters;
    atomic_bool dead;            /* Disconnected was seen: nothing will ever come again */
    atomic_bool hung_up;         /* the peer has: what waits to be written will not be */
    atomic_bool inside;          /* a thread of ours is in libdbus */
    atomic_bool undispatched;    /* libdbus may hold messages that nobody has dispatched */
    _Atomic int64_t admitted_by; /* a peer that has not authenticated then is sent away, or NEVER */
    /* Delivery to Python. `deliver` drains the inbox, `handle` takes one message (foreign). */
    void (*deliver)(Link *link);
    DBusHandlerResult (*handle)(Link *link, DBusMessage *message);
    void *owner;              /* a weak reference, borrowed; read and written with the GIL held */
    atomic_bool tell_written; /* `written` goes into the inbox once nothing is left to write */
    Entry written;            /* neither a call nor a message */
};

enum LinkResult {
    LINK_OK,
    LINK_NO_MEMORY,
    LINK_CLOSED,
    LINK_SERIAL_TAKEN, /* a call in flight has it */
};

enum WaitResult {
    WAIT_DONE,
    WAIT_DEADLINE,
    WAIT_INTERRUPTED, /* a signal arrived: let Python look at it, and wait again */
};

/* Takes the connection over (closed and dropped on failure too); NULL: errno says why. */
Link *link_new_steal(DBusConnection *connection);

static inline bool
link_is(Link *link, enum LinkMode mode)
{
    return atomic_load(&link->mode) == (int)mode;
}

/* Says who dispatches, before anything is sent. FALSE: out of memory. */
bool link_set_mode(Link *link, enum LinkMode mode);

void link_lock(Link *link);
bool link_try_lock(Link *link);
void link_unlock(Link *link);

/* With `lib` held: */
enum LinkResult link_send(Link *link, DBusMessage *message, dbus_uint32_t *ret_serial);
void link_close(Link *link);

/* A loop of ours closes the connection at this time unless the peer has authenticated. */
void link_limit_authentication(Link *link, int64_t until);

/* With `lib` held: is all that was sent written?  If not, `written` will come. */
bool link_is_written(Link *link);

/* With `lib` held: enters the call and sends its message. `timed`: a loop watches its deadline.
 * On failure the call is not entered. */
enum LinkResult link_start(Link *link, Call *call, DBusMessage *message, bool timed);

/* For a thread that is going to block; NULL: errno says why. */
Waiter *waiter_begin(Link *link);
void waiter_end(Link *link, Waiter *waiter);

/* Without locks and without the GIL: waits until `call`, whose waiter this is, has ended (NULL:
 * until everything is written or the connection is closed), or until `until`. */
enum WaitResult link_wait(Link *link, Waiter *waiter, Call *call, int64_t until);

/* Ends a call in flight: it is neither in the table nor in the inbox afterwards.  False: it had
 * ended before (and is out of the inbox now). */
bool link_cancel(Link *link, Call *call, enum CallState how);

/* Makes the calling thread, or (NULL) the loop again, the one that the end of `call` goes to. */
void link_set_waiter(Link *link, Call *call, Waiter *waiter);

/* With `lib` held: every message that libdbus has read goes where it belongs. */
void link_pump(Link *link);

/* Whether libdbus has made a message itself, such as Disconnected: only those have no serial. */
static inline bool
link_is_own_word(DBusMessage *message)
{
    return dbus_message_get_serial(message) == 0;
}

/* The next entry to deliver, taken out of the inbox or of what was held back (a message's entry is
 * the caller's to free with entry_free); NULL if there is none. */
Entry *link_take(Link *link);

/* Puts an entry that was taken out into the first place again. */
void link_put_back(Link *link, Entry *entry);
void entry_free(Entry *entry);

/* Empties the inbox, as there is nobody to deliver to. */
void link_drop_inbox(Link *link);

#endif
