/* SPDX-License-Identifier: MIT */
/*
 * From a link to Python's handlers: the message filters, then the object paths, then the answers
 * that the protocol owes (D-Bus Specification, "Standard Interfaces").
 */
#ifndef DBUS_SHIM_DISPATCH_H
#define DBUS_SHIM_DISPATCH_H

#include <dbus/dbus.h>

#include "link.h"

/* Link.deliver: without locks or the GIL; hands on some of what is in the inbox. */
void dispatch_inbox(Link *link);

/* Link.handle: one message, at once, under a foreign loop. */
DBusHandlerResult dispatch_at_once(Link *link, DBusMessage *message);

#endif
