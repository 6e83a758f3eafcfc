/* SPDX-License-Identifier: MIT */
/*
 * PendingCall: a call in flight whose end a Python callable hears of.
 *
 * While it is in flight it stands in its connection's list, which owns it; it owns the connection
 * and the handler.  The garbage collector sees through all three.  Its Call (calls.h) is a part
 * of it, and is out of table and inbox before the object leaves the list.  Under a foreign loop
 * libdbus' own pending call takes the place of the Call.
 */
#ifndef DBUS_SHIM_PENDINGCALL_H
#define DBUS_SHIM_PENDINGCALL_H

#include <Python.h>

#include "calls.h"
#include "link.h"
#include "mainloop.h"
#include "state.h"

/* What the handler of a call gets. */
enum CallTold {
    TELL_MESSAGE,     /* the reply, a dbus.lowlevel.Message */
    TELL_VALUES,      /* the values of the reply; `on_error` gets an exception */
    TELL_BYTE_ARRAYS, /* the same, with ay as ByteArray */
    TELL_PLAIN,       /* what Connection._call_plain() says */
    TELL_FUTURE,      /* the same to a Future (future.h) */
};

typedef struct PendingCall {
    PyObject_HEAD
    Call call;
    Link *link;                /* a reference, until it is over */
    DBusPendingCall *foreign;  /* under a foreign loop, else NULL */
    PyObject *connection;      /* owned, until it is over */
    PyObject *handler;         /* owned, until it is over; may be None */
    const Attachment *loop;    /* of the connection */
    struct PendingCall **list; /* the head of the list that owns it, or NULL */
    struct PendingCall *prev, *next;
    bool completed;
    enum CallTold tell;
    PyObject *on_error; /* owned, until it is over; NULL unless values are told */
} PendingCall;

/* What a caller wants. */
typedef struct CallWish {
    PyObject *handler;  /* callable or None */
    PyObject *on_error; /* the same, where values are told; else NULL */
    int timeout_ms;
    uint32_t serial; /* its own, or 0 */
    enum CallTold tell;
} CallWish;

int pendingcall_setup(PyObject *module, State *st);

/* Sends the message and gives its pending call; NULL with an exception.  With a loop of ours or
 * without one. `timed`: the loop is to watch the deadline. */
PyObject *pendingcall_start(State *st, PyObject *connection, Link *link, const Attachment *loop,
                            PendingCall **list, DBusMessage *message, const CallWish *wish);

/* The pending call that an entry of the inbox is about. */
PendingCall *pendingcall_of(Call *call);

/* Tells the handler how the call ended.  An exception of the handler is handed on to the loop. */
void pendingcall_deliver(State *st, PendingCall *pending);

int pendingcall_list_traverse(PendingCall *list, visitproc visit, void *arg);

/* Gives up all calls of the list, without a word to their handlers. */
void pendingcall_list_clear(PendingCall **list);

/* Gives up one call. */
void pendingcall_forget(PyObject *pending);

/* A new error message, as libdbus would make it, for a call without a reply. */
DBusMessage *pendingcall_failure_new(uint32_t serial);

/* Raises what a blocking call gets that ended like this. Returns NULL. */
PyObject *pendingcall_raise(State *st, int call_state);

#endif
