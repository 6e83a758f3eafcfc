/* SPDX-License-Identifier: MIT */
/*
 * Contract: listener.h.
 */
#include "listener.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"

#define REST_NS 100000000 /* between attempts to accept without a descriptor left */

static Listener *
listener_of(Watchset *set)
{
    return (Listener *)set; /* its first member */
}

static bool
keep(Listener *listener, DBusConnection *connection)
{
    bool ok = true;

    pthread_mutex_lock(&listener->leaf);
    if (listener->n_accepted == listener->size) {
        size_t size = listener->size ? listener->size * 2 : 4;
        DBusConnection **bigger = realloc(listener->accepted, size * sizeof *bigger);

        ok = bigger != NULL;
        if (ok) {
            listener->accepted = bigger;
            listener->size = size;
        }
    }
    if (ok)
        listener->accepted[listener->n_accepted++] = dbus_connection_ref(connection);
    pthread_mutex_unlock(&listener->leaf);
    return ok;
}

static void
on_new_connection(DBusServer *server, DBusConnection *connection, void *data)
{
    Listener *listener = data;

    (void)server;
    if (atomic_load(&listener->foreign))
        listener->deliver_steal(listener, dbus_connection_ref(connection));
    else
        keep(listener, connection); /* for want of memory, libdbus closes it */
}

static void
changed(Watchset *set)
{
    watchset_wake(set);
}

static void
replaced(Watchset *set)
{
    atomic_store(&listener_of(set)->foreign, true);
}

static bool
ready(Watchset *set)
{
    Listener *listener = listener_of(set);
    bool any;

    pthread_mutex_lock(&listener->leaf);
    any = listener->n_accepted != 0;
    pthread_mutex_unlock(&listener->leaf);
    return any;
}

static int64_t
deadline(Watchset *set)
{
    (void)set;
    return NEVER;
}

static bool
no_descriptor_left(void)
{
    int fd = wakeup_new();

    if (fd < 0)
        return errno == EMFILE || errno == ENFILE;
    close(fd);
    return false;
}

static void
serve(Watchset *set, const struct pollfd *fds, int n)
{
    Listener *listener = listener_of(set);
    bool came = false;

    for (int i = 0; i < n; i++)
        came |= (fds[i].revents & POLLIN) != 0;
    pthread_mutex_lock(&listener->lib);
    watchset_handle(set, fds, n);
    pthread_mutex_unlock(&listener->lib);
    if (ready(set))
        listener->deliver(listener);
    else if (came && no_descriptor_left()) /* the client waits on, and its socket stays ready */
        watchset_rest(set, monotonic_ns() + REST_NS);
}

static void
listener_free(Watchset *set)
{
    Listener *listener = listener_of(set);
    DBusConnection *connection;

    dbus_server_set_new_connection_function(listener->server, NULL, NULL, NULL);
    if (!atomic_load(&listener->foreign))
        watchset_detach_server(listener->server);
    dbus_server_disconnect(listener->server);
    dbus_server_unref(listener->server);
    while ((connection = listener_take(listener))) {
        dbus_connection_close(connection);
        dbus_connection_unref(connection);
    }
    free(listener->accepted);
    watchset_destroy(set);
    pthread_mutex_destroy(&listener->lib);
    pthread_mutex_destroy(&listener->leaf);
    free(listener);
}

static void
shut(Watchset *set)
{
    listener_disconnect(listener_of(set));
}

static const WatchsetOps listener_ops = {
    .changed = changed,
    .replaced = replaced,
    .ready = ready,
    .deadline = deadline,
    .serve = serve,
    .close = shut,
    .free = listener_free,
};

Listener *
listener_new_steal(DBusServer *server)
{
    _cleanup_malloc_ Listener *listener = calloc(1, sizeof *listener);

    if (!listener || watchset_init(&listener->watches, &listener_ops) < 0) {
        int reason = errno;

        dbus_server_disconnect(server);
        dbus_server_unref(server);
        errno = reason;
        return NULL;
    }
    pthread_mutex_init(&listener->lib, NULL);
    pthread_mutex_init(&listener->leaf, NULL);
    listener->server = server;
    return TAKE(listener);
}

bool
listener_start(Listener *listener, bool foreign)
{
    atomic_store(&listener->foreign, foreign);
    dbus_server_set_new_connection_function(listener->server, on_new_connection, listener, NULL);
    return foreign || watchset_attach_server(&listener->watches, listener->server);
}

void
listener_disconnect(Listener *listener)
{
    if (listener->watches.inherited)
        return;
    pthread_mutex_lock(&listener->lib);
    dbus_server_disconnect(listener->server);
    pthread_mutex_unlock(&listener->lib);
}

DBusConnection *
listener_take(Listener *listener)
{
    DBusConnection *connection = NULL;

    if (listener->watches.inherited)
        return NULL;
    pthread_mutex_lock(&listener->leaf);
    if (listener->n_accepted) {
        connection = listener->accepted[0];
        listener->n_accepted--;
        for (size_t i = 0; i < listener->n_accepted; i++)
            listener->accepted[i] = listener->accepted[i + 1];
    }
    pthread_mutex_unlock(&listener->leaf);
    return connection;
}
