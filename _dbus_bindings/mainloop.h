/* SPDX-License-Identifier: MIT */
/*
 * NativeMainLoop: how a connection or a server finds its loop.
 *
 * There are two kinds.  A loop of ours serves watchsets (LoopFace).  A foreign one, made through
 * the public capsule by somebody's compiled module, knows libdbus only and sets the watch and
 * timeout functions of a DBusConnection or DBusServer itself.
 */
#ifndef DBUS_SHIM_MAINLOOP_H
#define DBUS_SHIM_MAINLOOP_H

#include <Python.h>

#include <dbus/dbus.h>

#include "state.h"
#include "watchset.h"

/* A loop over watchsets.  Called with the GIL held. */
typedef struct LoopFace {
    /* Begins to serve the set; returns what detach() wants back, or NULL with an exception. The
     * loop holds references of its own to the set. */
    void *(*attach)(void *data, Watchset *set);
    /* Ends it, from any thread; serve() may still be running in another thread. */
    void (*detach)(void *attachment);
    /* Takes the exception that a handler has raised; NULL: it is printed. */
    void (*failed)(void *attachment);
    void (*free)(void *data);
    int (*traverse)(void *data, visitproc visit, void *arg); /* NULL: holds no Python object */
} LoopFace;

typedef dbus_bool_t (*ConnectionSetUp)(DBusConnection *connection, void *data);
typedef dbus_bool_t (*ServerSetUp)(DBusServer *server, void *data);

/* What a connection or a server keeps of its loop. */
typedef struct Attachment {
    PyObject *main_loop;  /* owned; NULL: none */
    const LoopFace *face; /* NULL: a foreign loop, or none */
    void *handle;         /* of face->attach */
} Attachment;

int mainloop_setup(PyObject *module, State *st);

/* The data stays the caller's on failure. */
PyObject *mainloop_new(State *st, const LoopFace *face, void *data);
PyObject *mainloop_new_foreign(State *st, ConnectionSetUp set_up_connection,
                               ServerSetUp set_up_server, void (*free_data)(void *), void *data);

/* The loop to use for a `mainloop=` argument: itself, the default for NULL or None, or NULL with
 * TypeError; Py_None where there is no default.  An owned reference. */
PyObject *mainloop_choose(State *st, PyObject *argument);

/* Is it a loop of ours (else: foreign, NULL_MAIN_LOOP, or None)? */
bool mainloop_is_ours(State *st, PyObject *main_loop);

int mainloop_attach(PyObject *main_loop, Watchset *set, Attachment *ret_attachment);
int mainloop_attach_foreign_connection(PyObject *main_loop, DBusConnection *connection,
                                       Attachment *ret_attachment);
int mainloop_attach_foreign_server(PyObject *main_loop, DBusServer *server,
                                   Attachment *ret_attachment);

/* `inherited`: in the child of a fork, where the loop is the parent's too. */
void mainloop_detach(Attachment *attachment, bool inherited);

/* What messages are delivered to, by the weak reference that the C side has: a new reference, or
 * NULL where there is none, where the object is on its way out and where the garbage collector has
 * found it: then its handlers may be half cleared already. */
PyObject *mainloop_target(void *weak);

/* Hands the exception of a handler on to whoever it concerns: the loop where it has a way for
 * that, else it is printed, and SystemExit ends the process. */
void mainloop_handler_failed(const Attachment *attachment);

#endif
