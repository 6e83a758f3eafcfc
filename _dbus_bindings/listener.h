/* SPDX-License-Identifier: MIT */
/*
 * One D-Bus server as plain C: accepted connections wait here until they are delivered, for the
 * reason that messages wait in a link's inbox (link.h): libdbus accepts with its locks and ours
 * held.  Under a foreign loop they are delivered at once.
 */
#ifndef DBUS_SHIM_LISTENER_H
#define DBUS_SHIM_LISTENER_H

#include <dbus/dbus.h>

#include "watchset.h"

typedef struct Listener Listener;

struct Listener {
    Watchset watches; /* first: a loop knows no more than this */
    DBusServer *server;
    pthread_mutex_t lib;  /* around every libdbus call that can accept */
    pthread_mutex_t leaf; /* guards what was accepted */
    DBusConnection **accepted;
    size_t n_accepted, size;
    atomic_bool foreign;
    /* Delivery to Python: all that is accepted, or one, which it takes over. */
    void (*deliver)(Listener *listener);
    void (*deliver_steal)(Listener *listener, DBusConnection *connection);
    void *owner; /* a weak reference, borrowed; read and written with the GIL held */
};

/* Takes the server over, on failure too; NULL: errno says why. */
Listener *listener_new_steal(DBusServer *server);

/* Begins to accept. */
bool listener_start(Listener *listener, bool foreign);

void listener_disconnect(Listener *listener);

/* The next accepted connection, owned, or NULL. */
DBusConnection *listener_take(Listener *listener);

#endif
