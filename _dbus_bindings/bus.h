/* SPDX-License-Identifier: MIT */
/*
 * Opening: from an address or a well-known bus to a private DBusConnection.
 *
 * All of these block (LIBDBUS: open, register), so they release the GIL; they return an owned
 * connection or NULL with DBusException.
 */
#ifndef DBUS_SHIM_BUS_H
#define DBUS_SHIM_BUS_H

#include <dbus/dbus.h>

#include "state.h"

/* To whatever listens at the address; no bus is assumed. */
DBusConnection *bus_open_peer(State *st, const char *address);

/* To the bus at the address, with a unique name. */
DBusConnection *bus_open_address(State *st, const char *address);

/* To DBUS_BUS_SESSION, _SYSTEM or _STARTER; ValueError for other numbers. */
DBusConnection *bus_open_type(State *st, long type);

#endif
