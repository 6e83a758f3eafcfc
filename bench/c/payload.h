/* SPDX-License-Identifier: MIT */
/*
 * The payloads of bench/payloads.py, built and read by libdbus' iterators.
 */
#ifndef BENCH_PAYLOAD_H
#define BENCH_PAYLOAD_H

#include <dbus/dbus.h>

/* Appends the payload of this name: gmo, structs1000, asv20, as100, ai100k or ayN, N being MiB. */
void payload_append(DBusMessage *message, const char *name);

/* Reads every value; byte arrays as one block, other arrays value by value.  Returns how many. */
long payload_walk(DBusMessage *message);

/* Appends all values of one message to another. */
void payload_copy(DBusMessage *from, DBusMessage *to);

#endif
