/* SPDX-License-Identifier: MIT */
/*
 * Contract: bus.h.
 */
#include "bus.h"

#include "cleanup.h"
#include "errors.h"

DBusConnection *
bus_open_peer(State *st, const char *address)
{
    DBusError error = DBUS_ERROR_INIT;
    DBusConnection *connection;

    Py_BEGIN_ALLOW_THREADS connection = dbus_connection_open_private(address, &error);
    Py_END_ALLOW_THREADS if (!connection) error_raise(st, &error);
    return connection;
}

DBusConnection *
bus_open_address(State *st, const char *address)
{
    DBusError error = DBUS_ERROR_INIT;
    DBusConnection *connection = bus_open_peer(st, address);
    dbus_bool_t ok;

    if (!connection)
        return NULL;
    Py_BEGIN_ALLOW_THREADS ok = dbus_bus_register(connection, &error);
    Py_END_ALLOW_THREADS if (ok) return connection;
    dbus_connection_close(connection);
    dbus_connection_unref(connection);
    error_raise(st, &error);
    return NULL;
}

DBusConnection *
bus_open_type(State *st, long type)
{
    DBusError error = DBUS_ERROR_INIT;
    DBusConnection *connection;

    if (type != DBUS_BUS_SESSION && type != DBUS_BUS_SYSTEM && type != DBUS_BUS_STARTER) {
        PyErr_Format(PyExc_ValueError, "Unknown bus type %ld", type);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS connection = dbus_bus_get_private((DBusBusType)type, &error);
    Py_END_ALLOW_THREADS if (!connection) error_raise(st, &error);
    return connection;
}
