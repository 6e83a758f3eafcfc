/* SPDX-License-Identifier: MIT */
/*
 * The public C API of the `dbus` Python package.
 *
 * A compiled module that brings its own main loop (Qt's, Ecore's, ...) includes this header, calls
 * import_dbus_bindings() once in its initialisation, and may then
 *   - borrow the DBusConnection behind a Python Connection,
 *   - wrap its set-up functions in a NativeMainLoop that Python code passes as `mainloop=`.
 *
 * The functions live in `_dbus_bindings` and are reached through a capsule, so that a user of this
 * header links to nothing of this package, and a binary works with every implementation and every
 * version of Python that offers the capsule.  The order of the table's members is the ABI: members
 * are added at its end only, and `count` says how many there are.
 *
 * All functions need the GIL.  Those that return int give 0, or -1 with an exception set; those
 * that return a pointer give NULL with an exception set.
 */
#ifndef DBUS_PYTHON_H
#define DBUS_PYTHON_H

#include <Python.h>
#include <dbus/dbus.h>

/* The name of the capsule, which is also where it is: the attribute _C_API of _dbus_bindings. */
#define PYDBUS_CAPSULE_NAME "_dbus_bindings._C_API"

/* The number of slots of the table that this header knows of. */
#define DBUS_BINDINGS_API_COUNT 3

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Make the main loop serve a new connection (or server).  Called with the GIL held and with the
 * `data` of the NativeMainLoop.  Returns FALSE with a Python exception set if it cannot.
 */
typedef dbus_bool_t (*_dbus_py_conn_setup_func)(DBusConnection *connection, void *data);
typedef dbus_bool_t (*_dbus_py_srv_setup_func)(DBusServer *server, void *data);

/* Release `data`.  Called once, when the NativeMainLoop goes away, and only if data is not NULL. */
typedef void (*_dbus_py_free_func)(void *data);

/* What the capsule points to. */
struct dbus_python_api {
    const int *count;
    DBusConnection *(*borrow_connection)(PyObject *connection);
    PyObject *(*new_main_loop)(_dbus_py_conn_setup_func set_up_connection,
                               _dbus_py_srv_setup_func set_up_server, _dbus_py_free_func free_data,
                               void *data);
};

/* `_dbus_bindings` itself takes only the declarations above. */
#ifndef INSIDE_DBUS_PYTHON_BINDINGS

/* One pointer for each file that includes this header; each file fetches it once. */
static const struct dbus_python_api *dbus_python_api_table = NULL;

/*
 * Import `_dbus_bindings` and fetch its table.  `this_module_name` is the importing module's name,
 * for the text of the ImportError that a table too short for this header gets.
 */
static inline int
import_dbus_bindings(const char *this_module_name)
{
    const struct dbus_python_api *table =
        (const struct dbus_python_api *)PyCapsule_Import(PYDBUS_CAPSULE_NAME, 0);

    if (table == NULL)
        return -1;
    if (*table->count < DBUS_BINDINGS_API_COUNT) {
        PyErr_Format(PyExc_ImportError,
                     "%s needs %d entries in " PYDBUS_CAPSULE_NAME ", which has only %d",
                     this_module_name, DBUS_BINDINGS_API_COUNT, *table->count);
        return -1;
    }
    dbus_python_api_table = table;
    return 0;
}

/*
 * The DBusConnection of a dbus.connection.Connection (or of a subclass), also of a closed one.  It
 * is borrowed: valid while `connection` lives, or until the caller's own dbus_connection_ref() is
 * undone.  TypeError for any other object.
 */
static inline DBusConnection *
DBusPyConnection_BorrowDBusConnection(PyObject *connection)
{
    /* A second source file of a module need not import again. */
    if (dbus_python_api_table == NULL && import_dbus_bindings("a user of dbus-python.h") < 0)
        return NULL;
    return dbus_python_api_table->borrow_connection(connection);
}

/*
 * A new dbus.mainloop.NativeMainLoop over the given functions.  Either set-up function may be NULL:
 * then the loop does not serve that kind of object.  On failure `data` still belongs to the caller.
 */
static inline PyObject *
DBusPyNativeMainLoop_New4(_dbus_py_conn_setup_func set_up_connection,
                          _dbus_py_srv_setup_func set_up_server, _dbus_py_free_func free_data,
                          void *data)
{
    if (dbus_python_api_table == NULL && import_dbus_bindings("a user of dbus-python.h") < 0)
        return NULL;
    return dbus_python_api_table->new_main_loop(set_up_connection, set_up_server, free_data, data);
}

#endif /* !INSIDE_DBUS_PYTHON_BINDINGS */

#ifdef __cplusplus
}
#endif

#endif /* DBUS_PYTHON_H */
