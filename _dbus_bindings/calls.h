/* SPDX-License-Identifier: MIT */
/*
 * The calls in flight of one connection: a table by serial and a heap by deadline.  Plain C.
 *
 * Nothing here locks: the owner holds its leaf mutex around every function.  A Call belongs to
 * whoever waits for it and stays where it is while it stands in the table.
 */
#ifndef DBUS_SHIM_CALLS_H
#define DBUS_SHIM_CALLS_H

#include <dbus/dbus.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Waiter;

enum CallState {
    CALL_NEW,          /* not in the table */
    CALL_WAITING,      /* in the table */
    CALL_REPLIED,      /* `reply` holds the message */
    CALL_TIMED_OUT,    /* the deadline came first */
    CALL_DISCONNECTED, /* the connection ended first */
    CALL_CANCELLED,
};

/* A thing in the inbox: a message, or the end of a call. */
typedef struct Entry {
    struct Entry *next, *prev; /* both NULL: not in the inbox */
    struct Call *call;         /* whose end this is, or NULL */
    DBusMessage *message;      /* owned; NULL where call is set */
} Entry;

typedef struct Call {
    struct Call *next; /* of the same slot of the table */
    Entry entry;       /* its place in the inbox once it has ended */
    uint32_t serial;
    int64_t deadline; /* monotonic ns, NEVER for none */
    size_t heap_at;   /* index in the heap plus one, 0 where it has no deadline there */
    _Atomic int state;
    DBusMessage *reply;    /* owned, in state CALL_REPLIED */
    struct Waiter *waiter; /* the thread that blocks for it, or NULL: the loop delivers it */
    bool crowd;            /* more than one thread blocks for it */
} Call;

typedef struct Calls {
    Call **slots;
    size_t n_slots; /* a power of two, or 0 */
    size_t n;
    Call **heap;
    size_t n_heap, heap_size;
    uint32_t last_serial;
} Calls;

void calls_init(Calls *calls);
void calls_destroy(Calls *calls);

/* Does a call in flight have the serial? */
bool calls_has(const Calls *calls, uint32_t serial);

/* Enters the call, with a serial that no other has unless it brings one; FALSE: out of memory.  `timed`:
 * its deadline is watched by the heap. */
bool calls_add(Calls *calls, Call *call, bool timed);

/* The call of this serial, out of table and heap; NULL where there is none. */
Call *calls_take(Calls *calls, uint32_t serial);

/* The first call whose deadline is over, taken out; NULL where there is none. */
Call *calls_take_expired(Calls *calls, int64_t now);

/* All calls, taken out, linked by `next`. */
Call *calls_take_all(Calls *calls);

int64_t calls_next_deadline(const Calls *calls);

#endif
