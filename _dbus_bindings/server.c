/* SPDX-License-Identifier: MIT */
/*
 * _Server: listens at an address and makes a Connection of each client that comes.
 *
 * The new Connection, an instance of the class that the server was given, is handed to the
 * method `_on_new_connection` of the server's Python subclass.
 */
#include <Python.h>

#include <stddef.h>
#include <structmember.h>

#include "cleanup.h"
#include "compat.h"
#include "connection.h"
#include "errors.h"
#include "forks.h"
#include "listener.h"
#include "mainloop.h"
#include "state.h"
#include "validate.h"

int server_setup(PyObject *module, State *st);

typedef struct Server {
    PyObject_HEAD
    Listener *listener;
    PyObject *weak; /* to itself: what the listener knows of it */
    Attachment loop;
    PyObject *connection_class;
    PyObject *weakrefs;
} Server;

static void
new_connection(Server *self, DBusConnection *dbus)
{
    State *st = state_of((PyObject *)self);
    _cleanup_object_ PyObject *raw = libdbus_connection_new_steal(st, dbus);
    _cleanup_object_ PyObject *connection =
        raw ? PyObject_CallFunctionObjArgs(self->connection_class, raw, self->loop.main_loop, NULL)
            : NULL;
    _cleanup_object_ PyObject *result =
        connection ? PyObject_CallMethodObjArgs((PyObject *)self, st->str_on_new_connection,
                                                connection, NULL)
                   : NULL;

    if (!result)
        mainloop_handler_failed(&self->loop);
}

/* GIL held; to nobody, if the server is on its way out. */
static void
accept_steal(Listener *listener, DBusConnection *connection)
{
    _cleanup_object_ PyObject *self = mainloop_target(listener->owner);

    if (self) {
        new_connection((Server *)self, connection);
        return;
    }
    dbus_connection_close(connection);
    dbus_connection_unref(connection);
}

static void
deliver(Listener *listener)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    DBusConnection *connection;

    while ((connection = listener_take(listener)))
        accept_steal(listener, connection);
    PyGILState_Release(gil);
}

static void
deliver_steal(Listener *listener, DBusConnection *connection)
{
    PyGILState_STATE gil = PyGILState_Ensure();

    accept_steal(listener, connection);
    PyGILState_Release(gil);
}

/* A NULL-terminated array of borrowed texts; *ret_list owns the objects.  -1 with an exception. */
static int
mechanisms_from(PyObject *argument, PyObject **ret_list, const char ***ret_names)
{
    if (PyUnicode_Check(argument)) {
        PyErr_SetString(PyExc_TypeError, "auth_mechanisms must be a sequence of str, not a str");
        return -1;
    }
    _cleanup_object_ PyObject *list =
        PySequence_Fast(argument, "auth_mechanisms must be a sequence of str");
    if (!list)
        return -1;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(list);
    _cleanup_pymem_ const char **names = PyMem_Calloc((size_t)n + 1, sizeof *names);
    if (!names) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        names[i] = check_text(PySequence_Fast_GET_ITEM(list, i), "auth_mechanisms item", NULL);
        if (!names[i])
            return -1;
    }
    *ret_list = TAKE(list);
    *ret_names = TAKE(names);
    return 0;
}

static int
set_mechanisms(DBusServer *server, PyObject *argument)
{
    _cleanup_object_ PyObject *list = NULL;
    _cleanup_pymem_ const char **names = NULL;

    if (mechanisms_from(argument, &list, &names) < 0)
        return -1;
    if (!dbus_server_set_auth_mechanisms(server, names)) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* An owned server that listens; *ret_loop owns its loop. */
static DBusServer *
listen_at(State *st, const char *address, PyObject *mechanisms)
{
    DBusError error = DBUS_ERROR_INIT;
    DBusServer *server;

    Py_BEGIN_ALLOW_THREADS server = dbus_server_listen(address, &error);
    Py_END_ALLOW_THREADS if (!server)
    {
        error_raise(st, &error);
        return NULL;
    }
    if (mechanisms && mechanisms != Py_None && set_mechanisms(server, mechanisms) < 0) {
        dbus_server_disconnect(server);
        dbus_server_unref(server);
        return NULL;
    }
    return server;
}

static int
start(State *st, Server *self, PyObject *main_loop)
{
    Listener *listener = self->listener;
    bool ours = mainloop_is_ours(st, main_loop);

    listener->owner = self->weak;
    listener->deliver = deliver;
    listener->deliver_steal = deliver_steal;
    if (!listener_start(listener, !ours)) {
        PyErr_NoMemory();
        return -1;
    }
    return ours ? mainloop_attach(main_loop, &listener->watches, &self->loop)
                : mainloop_attach_foreign_server(main_loop, listener->server, &self->loop);
}

static PyObject *
server_make(State *st, PyTypeObject *type, const char *address, PyObject *connection_class,
            PyObject *main_loop, PyObject *mechanisms)
{
    DBusServer *server = listen_at(st, address, mechanisms);
    Listener *listener = server ? listener_new_steal(server) : NULL;

    if (!listener)
        return server ? error_raise_errno() : NULL;
    _cleanup_object_ PyObject *object = type->tp_alloc(type, 0);
    Server *self = (Server *)object;
    if (!self) {
        watchset_unref(&listener->watches);
        return NULL;
    }
    self->listener = listener;
    forks_enter(st, &listener->watches);
    self->weak = PyWeakref_NewRef(object, NULL);
    if (!self->weak)
        return NULL;
    self->connection_class = Py_NewRef(connection_class);
    return start(st, self, main_loop) < 0 ? NULL : TAKE(object);
}

static PyObject *
server_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"address", "connection_class", "mainloop", "auth_mechanisms", NULL};
    State *st = state_of_type(type);
    PyObject *connection_class, *argument = NULL, *mechanisms = NULL;
    const char *address;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "sO|OO:Server", names, &address,
                                     &connection_class, &argument, &mechanisms))
        return NULL;
    if (!PyType_Check(connection_class) ||
        !PyType_IsSubtype((PyTypeObject *)connection_class, st->connection)) {
        PyErr_SetString(PyExc_TypeError,
                        "connection_class must be dbus.connection.Connection or a subtype");
        return NULL;
    }
    _cleanup_object_ PyObject *main_loop = mainloop_choose(st, argument);
    if (!main_loop)
        return NULL;
    if (main_loop == Py_None) {
        PyErr_SetString(PyExc_RuntimeError,
                        "To run a D-Bus server, you need to either pass mainloop=... to the "
                        "constructor or call dbus.set_default_main_loop(...)");
        return NULL;
    }
    return server_make(st, type, address, connection_class, main_loop, mechanisms);
}

static int
server_traverse(PyObject *object, visitproc visit, void *arg)
{
    Server *self = (Server *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->loop.main_loop);
    Py_VISIT(self->connection_class);
    return 0;
}

/* A loop in another thread may have its turn meanwhile: nothing is delivered any more. */
static int
server_clear(PyObject *object)
{
    Server *self = (Server *)object;

    if (self->listener)
        self->listener->owner = NULL;
    Py_CLEAR(self->connection_class);
    return 0;
}

static void
server_dealloc(PyObject *object)
{
    Server *self = (Server *)object;
    PyTypeObject *type = Py_TYPE(object);
    Listener *listener;

    PyObject_GC_UnTrack(object);
    if (self->weakrefs)
        PyObject_ClearWeakRefs(object);
    server_clear(object);
    Py_CLEAR(self->weak);
    listener = TAKE(self->listener);
    if (listener)
        forks_leave(&listener->watches);
    mainloop_detach(&self->loop, listener && listener->watches.inherited);
    if (listener && !listener->watches.inherited) {
        listener_disconnect(listener);
        watchset_unref(&listener->watches);
    }
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *
server_disconnect(PyObject *self, PyObject *unused)
{
    (void)unused;
    listener_disconnect(((Server *)self)->listener);
    Py_RETURN_NONE;
}

static PyObject *
server_get_is_connected(PyObject *self, PyObject *unused)
{
    Listener *listener = ((Server *)self)->listener;

    (void)unused;
    if (listener->watches.inherited)
        Py_RETURN_FALSE;
    return PyBool_FromLong(dbus_server_get_is_connected(listener->server));
}

static PyObject *
text_and_free(char *text)
{
    _cleanup_dbus_free_ char *owned = text;

    return owned ? PyUnicode_FromString(owned) : PyErr_NoMemory();
}

static PyObject *
server_get_address(PyObject *self, PyObject *unused)
{
    Listener *listener = ((Server *)self)->listener;

    (void)unused;
    if (listener->watches.inherited)
        return forks_refuse(state_of(self));
    return text_and_free(dbus_server_get_address(listener->server));
}

static PyObject *
server_get_id(PyObject *self, PyObject *unused)
{
    Listener *listener = ((Server *)self)->listener;

    (void)unused;
    if (listener->watches.inherited)
        return forks_refuse(state_of(self));
    return text_and_free(dbus_server_get_id(listener->server));
}

static PyMethodDef methods[] = {
    {"disconnect", server_disconnect, METH_NOARGS,
     "disconnect()\n\nStop listening and release the address; once is enough.  Connections that\n"
     "were accepted go on."},
    {"get_address", server_get_address, METH_NOARGS,
     "get_address() -> str\n\nThe address for clients, with the server's ID."},
    {"get_id", server_get_id, METH_NOARGS, "get_id() -> str\n\nThe unique ID of the server."},
    {"get_is_connected", server_get_is_connected, METH_NOARGS,
     "get_is_connected() -> bool\n\nTrue while the server listens."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Server, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc,
     "_Server(address, connection_class, mainloop=None, auth_mechanisms=None)\n\n"
     "Listen at the D-Bus address `address` (str).  Each client becomes an instance of\n"
     "`connection_class`, a dbus.connection.Connection.  `auth_mechanisms` is a sequence of str\n"
     "(None: all that libdbus has).  Raises DBusException where the address cannot be had,\n"
     "RuntimeError without a main loop."},
    {Py_tp_new, server_new},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_traverse, server_traverse},
    {Py_tp_clear, server_clear},
    {Py_tp_dealloc, server_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "_dbus_bindings._Server",
    .basicsize = sizeof(Server),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int
server_setup(PyObject *module, State *st)
{
    st->str_on_new_connection = PyUnicode_InternFromString("_on_new_connection");
    if (!st->str_on_new_connection)
        return -1;
    return state_add_type(module, &st->server, &spec, NULL, "_Server");
}
