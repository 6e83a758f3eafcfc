/* SPDX-License-Identifier: MIT */
/*
 * Contract: connection.h.  Here: how a Connection is made, collected and ended.
 */
#include "connection.h"

#include <stddef.h>
#include <structmember.h>

#include "blocking.h"
#include "bus.h"
#include "cleanup.h"
#include "compat.h"
#include "dispatch.h"
#include "errors.h"
#include "forks.h"
#include "validate.h"

typedef struct LibDBusConnection {
    PyObject_HEAD
    DBusConnection *connection; /* owned; NULL once a Connection has taken it */
} LibDBusConnection;

Link *
connection_refuse(PyObject *self)
{
    forks_refuse(state_of(self));
    return NULL;
}

DBusConnection *
connection_borrow_dbus(PyObject *self)
{
    Link *link = connection_link(self);

    return link ? link->connection : NULL;
}

static void
close_and_unref(DBusConnection *connection)
{
    dbus_connection_close(connection);
    dbus_connection_unref(connection);
}

/* Ties the link to its loop.  A foreign loop gets libdbus' connection as it is. */
static int
attach(State *st, Connection *self, PyObject *main_loop)
{
    Link *link = self->link;
    enum LinkMode mode = LINK_DETACHED;

    if (main_loop != Py_None)
        mode = mainloop_is_ours(st, main_loop) ? LINK_LOOP : LINK_FOREIGN;
    link->owner = self->weak;
    link->deliver = dispatch_inbox;
    link->handle = dispatch_at_once;
    if (!link_set_mode(link, mode)) {
        PyErr_NoMemory();
        return -1;
    }
    if (mode == LINK_LOOP)
        return mainloop_attach(main_loop, &link->watches, &self->loop);
    if (mode == LINK_FOREIGN)
        return mainloop_attach_foreign_connection(main_loop, link->connection, &self->loop);
    return 0;
}

PyObject *
connection_new_steal(State *st, PyTypeObject *type, DBusConnection *dbus, PyObject *argument)
{
    _cleanup_object_ PyObject *main_loop = mainloop_choose(st, argument);
    _cleanup_object_ PyObject *object = main_loop ? type->tp_alloc(type, 0) : NULL;
    Connection *self = (Connection *)object;

    if (!self) {
        close_and_unref(dbus);
        return NULL;
    }
    self->link = link_new_steal(dbus);
    if (!self->link)
        return error_raise_errno();
    forks_enter(st, &self->link->watches);
    self->weak = PyWeakref_NewRef(object, NULL);
    self->filters = self->weak ? PyTuple_New(0) : NULL;
    self->matches = self->filters ? matches_new(st) : NULL;
    if (!self->matches || paths_init(&self->paths) < 0 || attach(st, self, main_loop) < 0)
        return NULL;
    return TAKE(object);
}

PyObject *
libdbus_connection_new_steal(State *st, DBusConnection *connection)
{
    PyTypeObject *type = st->libdbus_connection;
    LibDBusConnection *self = (LibDBusConnection *)type->tp_alloc(type, 0);

    if (self)
        self->connection = connection;
    else
        close_and_unref(connection);
    return (PyObject *)self;
}

static void
libdbus_connection_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    DBusConnection *connection = ((LibDBusConnection *)self)->connection;

    if (connection)
        close_and_unref(connection);
    type->tp_free(self);
    Py_DECREF(type);
}

/* The DBusConnection that the `address` argument stands for, owned. */
static DBusConnection *
connection_from_argument(State *st, PyObject *argument)
{
    if (Py_TYPE(argument) == st->libdbus_connection) {
        DBusConnection *connection = TAKE(((LibDBusConnection *)argument)->connection);

        if (!connection)
            PyErr_SetString(PyExc_ValueError, "this _LibDBusConnection is in use already");
        return connection;
    }
    if (!PyUnicode_Check(argument)) {
        PyErr_Format(PyExc_TypeError, "address: connection or str expected, not %s",
                     Py_TYPE(argument)->tp_name);
        return NULL;
    }
    const char *address = check_text(argument, "address", NULL);
    return address ? bus_open_peer(st, address) : NULL;
}

/* The loop is looked at before anything is opened. */
static int
check_main_loop(State *st, PyObject *argument)
{
    _cleanup_object_ PyObject *main_loop = mainloop_choose(st, argument);

    return main_loop ? 0 : -1;
}

static PyObject *
connection_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"address", "mainloop", NULL};
    State *st = state_of_type(type);
    PyObject *address, *main_loop = NULL;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:Connection", names, &address, &main_loop) ||
        check_main_loop(st, main_loop) < 0)
        return NULL;
    DBusConnection *connection = connection_from_argument(st, address);
    return connection ? connection_new_steal(st, type, connection, main_loop) : NULL;
}

/* Subclasses in Python call it with what they like. */
static int
connection_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    (void)self;
    (void)args;
    (void)kwargs;
    return 0;
}

PyObject *
connection_new_for_bus(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"address", "mainloop", NULL};
    PyTypeObject *type = (PyTypeObject *)cls;
    State *st = state_of_type(type);
    PyObject *where = NULL, *main_loop = NULL;
    DBusConnection *connection = NULL;
    bool well_known = false;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:_new_for_bus", names, &where, &main_loop) ||
        check_main_loop(st, main_loop) < 0)
        return NULL;
    if (where && PyUnicode_Check(where)) {
        const char *address = check_text(where, "address", NULL);

        connection = address ? bus_open_address(st, address) : NULL;
    } else if (!where || PyLong_Check(where)) {
        long number = where ? PyLong_AsLong(where) : DBUS_BUS_SESSION;

        if (number == -1 && PyErr_Occurred())
            return NULL;
        connection = bus_open_type(st, number);
        well_known = true;
    } else {
        PyErr_SetString(PyExc_TypeError, "A string address or an integer bus type is required");
    }
    if (!connection)
        return NULL;
    PyObject *self = connection_new_steal(st, type, connection, main_loop);
    if (self)
        ((Connection *)self)->exit_on_disconnect = well_known;
    return self;
}

static int
connection_traverse(PyObject *object, visitproc visit, void *arg)
{
    Connection *self = (Connection *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->loop.main_loop);
    Py_VISIT(self->filters);
    Py_VISIT(self->receiver);
    Py_VISIT(self->futures.loop);
    Py_VISIT(self->futures.handlers);
    Py_VISIT(self->futures.ended);
    Py_VISIT(self->served);
    Py_VISIT(self->plain.settle);
    Py_VISIT(self->plain.owners);
    Py_VISIT(self->matches);
    if (paths_traverse(&self->paths, visit, arg))
        return 1;
    return pendingcall_list_traverse(self->pending, visit, arg);
}

/* What can be part of a cycle.  The link stays, for the methods that need nothing else, but
 * delivers nothing any more: a loop in another thread may have its turn meanwhile. */
static int
connection_clear(PyObject *object)
{
    Connection *self = (Connection *)object;

    if (self->link)
        self->link->owner = NULL;
    pendingcall_list_clear(&self->pending);
    Py_CLEAR(self->filters);
    Py_CLEAR(self->receiver);
    Py_CLEAR(self->futures.loop);
    Py_CLEAR(self->futures.handlers);
    Py_CLEAR(self->futures.ended);
    Py_CLEAR(self->served);
    Py_CLEAR(self->plain.settle);
    Py_CLEAR(self->plain.owners);
    Py_CLEAR(self->matches);
    paths_clear(&self->paths);
    return 0;
}

static void
connection_dealloc(PyObject *object)
{
    Connection *self = (Connection *)object;
    PyTypeObject *type = Py_TYPE(object);
    Link *link;

    PyObject_GC_UnTrack(object);
    if (self->weakrefs)
        PyObject_ClearWeakRefs(object);
    connection_clear(object);
    Py_CLEAR(self->weak);
    link = TAKE(self->link);
    if (link)
        forks_leave(&link->watches);
    mainloop_detach(&self->loop, link && link->watches.inherited);
    if (link && !link->watches.inherited) {
        WITH_LINK(link, link_close(link));
        watchset_unref(&link->watches);
    }
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Connection, weakrefs), READONLY, NULL},
    {"_matches", T_OBJECT_EX, offsetof(Connection, matches), READONLY,
     "The _Matches whose handlers get the signals that fit."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot connection_slots[] = {
    {Py_tp_doc, "_dbus_bindings.Connection(address, mainloop=None)\n\n"
                "A D-Bus connection to whatever listens at `address` (str), served by the\n"
                "NativeMainLoop `mainloop` (None: the default main loop).  dbus.bus.BusConnection\n"
                "is the connection to a message bus."},
    {Py_tp_new, connection_new},
    {Py_tp_init, connection_init},
    {Py_tp_methods, connection_methods},
    {Py_tp_members, members},
    {Py_tp_traverse, connection_traverse},
    {Py_tp_clear, connection_clear},
    {Py_tp_dealloc, connection_dealloc},
    {0, NULL},
};

static PyType_Spec connection_spec = {
    .name = "_dbus_bindings.Connection",
    .basicsize = sizeof(Connection),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = connection_slots,
};

static PyType_Slot libdbus_slots[] = {
    {Py_tp_doc, "A connection that libdbus has accepted and no Connection has taken over yet.\n"
                "Its only use is to be the first argument of a Connection class."},
    {Py_tp_dealloc, libdbus_connection_dealloc},
    {0, NULL},
};

static PyType_Spec libdbus_spec = {
    .name = "_dbus_bindings._LibDBusConnection",
    .basicsize = sizeof(LibDBusConnection),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = libdbus_slots,
};

int
connection_setup(PyObject *module, State *st)
{
    if (state_add_type(module, &st->connection, &connection_spec, NULL, "Connection") < 0 ||
        state_add_type(module, &st->libdbus_connection, &libdbus_spec, NULL, "_LibDBusConnection") <
            0)
        return -1;
    st->libdbus_connection->tp_new = NULL; /* Python 3.9 knows no flag for it */
    return 0;
}
