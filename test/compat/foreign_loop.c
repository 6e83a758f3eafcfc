/* SPDX-License-Identifier: MIT */
/*
 * A main loop of somebody else's, as PyQt's compiled modules bring one: plain poll() over the
 * watches and timeouts that libdbus hands out, with no knowledge of the Python bindings but their
 * C API.  Built by test_capi.py, once against each header that is there.
 *
 * libdbus calls add/remove/toggle under the connection's lock and from any thread: they only touch
 * the tables below.  iterate() runs without the GIL, as Qt's event loop does.
 */
#include <Python.h>
#include <dbus/dbus-python.h>
#include <dbus/dbus.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define LIMIT 256

struct timer {
    DBusTimeout *timeout;
    long long due; /* milliseconds of CLOCK_MONOTONIC */
};

struct loop {
    DBusWatch *watches[LIMIT];
    struct timer timers[LIMIT];
    DBusConnection *connections[LIMIT]; /* not owned: each entry goes with its watch functions */
};

static struct loop the_loop;
static int freed;      /* calls of free_data */
static int wakeups;    /* calls of wakeup */
static int set_up;     /* connections and servers set up */
static int data_alive; /* what a loop with data of its own points to */

static long long
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static dbus_bool_t
add_watch(DBusWatch *watch, void *data)
{
    struct loop *loop = data;

    for (int i = 0; i < LIMIT; i++) {
        if (loop->watches[i] == NULL) {
            loop->watches[i] = watch;
            return TRUE;
        }
    }
    return FALSE;
}

static void
remove_watch(DBusWatch *watch, void *data)
{
    struct loop *loop = data;

    for (int i = 0; i < LIMIT; i++)
        if (loop->watches[i] == watch)
            loop->watches[i] = NULL;
}

static void
toggle_watch(DBusWatch *watch, void *data)
{
    (void)watch; /* iterate() asks each watch whether it is enabled */
    (void)data;
}

static dbus_bool_t
add_timeout(DBusTimeout *timeout, void *data)
{
    struct loop *loop = data;

    for (int i = 0; i < LIMIT; i++) {
        if (loop->timers[i].timeout == NULL) {
            loop->timers[i].timeout = timeout;
            loop->timers[i].due = now() + dbus_timeout_get_interval(timeout);
            return TRUE;
        }
    }
    return FALSE;
}

static void
remove_timeout(DBusTimeout *timeout, void *data)
{
    struct loop *loop = data;

    for (int i = 0; i < LIMIT; i++)
        if (loop->timers[i].timeout == timeout)
            loop->timers[i].timeout = NULL;
}

static void
toggle_timeout(DBusTimeout *timeout, void *data)
{
    struct loop *loop = data;

    for (int i = 0; i < LIMIT; i++)
        if (loop->timers[i].timeout == timeout)
            loop->timers[i].due = now() + dbus_timeout_get_interval(timeout);
}

static void
wakeup(void *data)
{
    (void)data;
    wakeups++;
}

/* The connection is going, or another loop has taken it over. */
static void
forget_connection(void *data)
{
    *(DBusConnection **)data = NULL;
}

static dbus_bool_t
set_up_connection(DBusConnection *connection, void *data)
{
    struct loop *loop = data ? data : &the_loop;
    DBusConnection **slot = NULL;

    for (int i = 0; i < LIMIT && slot == NULL; i++)
        if (loop->connections[i] == NULL)
            slot = &loop->connections[i];
    if (slot == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "too many connections");
        return FALSE;
    }
    if (!dbus_connection_set_watch_functions(connection, add_watch, remove_watch, toggle_watch,
                                             loop, NULL) ||
        !dbus_connection_set_timeout_functions(connection, add_timeout, remove_timeout,
                                               toggle_timeout, loop, NULL)) {
        PyErr_NoMemory();
        return FALSE;
    }
    *slot = connection;
    dbus_connection_set_wakeup_main_function(connection, wakeup, slot, forget_connection);
    set_up++;
    return TRUE;
}

static dbus_bool_t
set_up_server(DBusServer *server, void *data)
{
    struct loop *loop = data ? data : &the_loop;

    if (!dbus_server_set_watch_functions(server, add_watch, remove_watch, toggle_watch, loop,
                                         NULL) ||
        !dbus_server_set_timeout_functions(server, add_timeout, remove_timeout, toggle_timeout,
                                           loop, NULL)) {
        PyErr_NoMemory();
        return FALSE;
    }
    set_up++;
    return TRUE;
}

static dbus_bool_t
refuse_connection(DBusConnection *connection, void *data)
{
    (void)connection;
    (void)data;
    PyErr_SetString(PyExc_LookupError, "this loop takes no connections");
    return FALSE;
}

static dbus_bool_t
refuse_server(DBusServer *server, void *data)
{
    (void)server;
    (void)data;
    PyErr_SetString(PyExc_LookupError, "this loop takes no servers");
    return FALSE;
}

static void
free_data(void *data)
{
    (void)data;
    freed++;
}

static int
poll_timeout(struct loop *loop, int limit)
{
    long long wait = limit;

    for (int i = 0; i < LIMIT; i++) {
        struct timer *timer = &loop->timers[i];

        if (timer->timeout != NULL && dbus_timeout_get_enabled(timer->timeout)) {
            long long left = timer->due - now();

            wait = left < 0 ? 0 : left < wait ? left : wait;
        }
    }
    return (int)wait;
}

static void
handle_watches(struct loop *loop, int limit)
{
    struct pollfd fds[LIMIT];
    DBusWatch *watches[LIMIT];
    nfds_t count = 0;

    for (int i = 0; i < LIMIT; i++) {
        DBusWatch *watch = loop->watches[i];

        if (watch == NULL || !dbus_watch_get_enabled(watch))
            continue;
        unsigned int flags = dbus_watch_get_flags(watch);

        watches[count] = watch;
        fds[count].fd = dbus_watch_get_unix_fd(watch);
        fds[count].events = (short)((flags & DBUS_WATCH_READABLE ? POLLIN : 0) |
                                    (flags & DBUS_WATCH_WRITABLE ? POLLOUT : 0));
        fds[count++].revents = 0;
    }
    if (poll(fds, count, limit) <= 0)
        return;
    for (nfds_t n = 0; n < count; n++) {
        short got = fds[n].revents;
        unsigned int flags = (unsigned int)((got & POLLIN ? DBUS_WATCH_READABLE : 0) |
                                            (got & POLLOUT ? DBUS_WATCH_WRITABLE : 0) |
                                            (got & POLLHUP ? DBUS_WATCH_HANGUP : 0) |
                                            (got & POLLERR ? DBUS_WATCH_ERROR : 0));

        /* Handling one may have removed another. */
        for (int i = 0; flags != 0 && i < LIMIT; i++) {
            if (loop->watches[i] == watches[n]) {
                dbus_watch_handle(watches[n], flags);
                break;
            }
        }
    }
}

static void
fire_timers(struct loop *loop)
{
    for (int i = 0; i < LIMIT; i++) {
        struct timer *timer = &loop->timers[i];

        if (timer->timeout != NULL && dbus_timeout_get_enabled(timer->timeout) &&
            timer->due <= now()) {
            timer->due = now() + dbus_timeout_get_interval(timer->timeout);
            dbus_timeout_handle(timer->timeout);
        }
    }
}

static void
dispatch(struct loop *loop)
{
    for (int i = 0; i < LIMIT; i++) {
        DBusConnection *connection = loop->connections[i];

        if (connection == NULL)
            continue;
        dbus_connection_ref(connection);
        while (dbus_connection_dispatch(connection) == DBUS_DISPATCH_DATA_REMAINS)
            ;
        dbus_connection_unref(connection);
    }
}

static PyObject *
py_iterate(PyObject *self, PyObject *args)
{
    int limit = 0;

    (void)self;
    if (!PyArg_ParseTuple(args, "|i", &limit))
        return NULL;
    Py_BEGIN_ALLOW_THREADS dispatch(&the_loop); /* a blocking call may have left something behind */
    handle_watches(&the_loop, poll_timeout(&the_loop, limit));
    fire_timers(&the_loop);
    dispatch(&the_loop);
    Py_END_ALLOW_THREADS if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

static PyObject *
py_loop(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return DBusPyNativeMainLoop_New4(set_up_connection, set_up_server, NULL, &the_loop);
}

static PyObject *
py_loop_with_free(PyObject *self, PyObject *args)
{
    int with_data = 0;

    (void)self;
    if (!PyArg_ParseTuple(args, "p", &with_data))
        return NULL;
    return DBusPyNativeMainLoop_New4(refuse_connection, refuse_server, free_data,
                                     with_data ? &data_alive : NULL);
}

static PyObject *
py_is_connected(PyObject *self, PyObject *object)
{
    DBusConnection *connection = DBusPyConnection_BorrowDBusConnection(object);

    (void)self;
    if (connection == NULL)
        return NULL;
    return PyBool_FromLong((long)dbus_connection_get_is_connected(connection));
}

static PyObject *
py_unique_name(PyObject *self, PyObject *object)
{
    DBusConnection *connection = DBusPyConnection_BorrowDBusConnection(object);

    (void)self;
    if (connection == NULL)
        return NULL;
    return PyUnicode_FromString(dbus_bus_get_unique_name(connection));
}

static PyObject *
py_address(PyObject *self, PyObject *object)
{
    DBusConnection *connection = DBusPyConnection_BorrowDBusConnection(object);

    (void)self;
    if (connection == NULL)
        return NULL;
    return PyLong_FromVoidPtr(connection);
}

/* Let this loop serve a connection that was made with another. */
static PyObject *
py_take_over(PyObject *self, PyObject *object)
{
    DBusConnection *connection = DBusPyConnection_BorrowDBusConnection(object);

    (void)self;
    if (connection == NULL || !set_up_connection(connection, &the_loop))
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
py_counts(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return Py_BuildValue("{s:i,s:i,s:i}", "freed", freed, "wakeups", wakeups, "set_up", set_up);
}

static PyMethodDef methods[] = {
    {"iterate", py_iterate, METH_VARARGS, NULL},
    {"loop", py_loop, METH_NOARGS, NULL},
    {"loop_with_free", py_loop_with_free, METH_VARARGS, NULL},
    {"is_connected", py_is_connected, METH_O, NULL},
    {"unique_name", py_unique_name, METH_O, NULL},
    {"address", py_address, METH_O, NULL},
    {"take_over", py_take_over, METH_O, NULL},
    {"counts", py_counts, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "foreign_loop",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit_foreign_loop(void);

PyMODINIT_FUNC
PyInit_foreign_loop(void)
{
    if (import_dbus_bindings("foreign_loop") < 0)
        return NULL;
    return PyModule_Create(&definition);
}
