/* SPDX-License-Identifier: MIT */
/*
 * The two capsules: _C_API, the public C API with its three slots (include/dbus/dbus-python.h),
 * and _loop_api, for modules with loops of ours (loopapi.h).
 *
 * Their functions are called from other modules' C code with nothing but their arguments, so they
 * ask the interpreter for our module.
 */
#include <Python.h>

#include "cleanup.h"
#include "compat.h"
#include "connection.h"
#include "loopapi.h"
#include "state.h"

int capi_setup(PyObject *module, State *st);

static State *
state_by_import(void)
{
    PyObject *module = PyImport_ImportModule("_dbus_bindings");
    State *st = module ? state_of_module(module) : NULL;

    Py_XDECREF(module); /* sys.modules keeps it */
    return st;
}

static DBusConnection *
borrow_connection(PyObject *object)
{
    State *st = state_by_import();

    if (!st)
        return NULL;
    if (!object || !PyObject_TypeCheck(object, st->connection)) {
        PyErr_SetString(PyExc_TypeError, "A dbus.Connection is required");
        return NULL;
    }
    return connection_borrow_dbus(object);
}

static PyObject *
foreign_main_loop_new(ConnectionSetUp set_up_connection, ServerSetUp set_up_server,
                      void (*free_data)(void *), void *data)
{
    State *st = state_by_import();

    return st ? mainloop_new_foreign(st, set_up_connection, set_up_server, free_data, data) : NULL;
}

static PyObject *
main_loop_new(const LoopFace *face, void *data)
{
    State *st = state_by_import();

    return st ? mainloop_new(st, face, data) : NULL;
}

static int
set_default(PyObject *main_loop)
{
    State *st = state_by_import();

    if (!st)
        return -1;
    Py_SETREF(st->default_main_loop, Py_NewRef(main_loop));
    return 0;
}

static int
add_capsule(PyObject *module, const char *name, const char *full_name, const void *table)
{
    _cleanup_object_ PyObject *capsule = PyCapsule_New((void *)(uintptr_t)table, full_name, NULL);

    return capsule ? PyModule_AddObjectRef(module, name, capsule) : -1;
}

int
capi_setup(PyObject *module, State *st)
{
    /* Compiled programs hold this layout: it never changes. */
    static const int count = 3;
    typedef union {
        const int *count;
        DBusConnection *(*borrow)(PyObject *);
        PyObject *(*new_loop)(ConnectionSetUp, ServerSetUp, void (*)(void *), void *);
    } Slot;
    static const Slot table[] = {
        {.count = &count}, {.borrow = borrow_connection}, {.new_loop = foreign_main_loop_new}};
    static const LoopApi loop_api = {
        .main_loop_new = main_loop_new,
        .collect = watchset_collect,
        .ref = watchset_ref,
        .unref = watchset_unref,
        .wakeup_clear = wakeup_clear,
        .poll_timeout = poll_timeout,
        .set_default = set_default,
    };

    (void)st;
    if (add_capsule(module, "_C_API", "_dbus_bindings._C_API", table) < 0)
        return -1;
    return add_capsule(module, "_loop_api", LOOP_API_NAME, &loop_api);
}
