/* SPDX-License-Identifier: MIT */
/*
 * The file descriptors in the arguments of a message.
 *
 * The bytes of a message hold indices only; the descriptors come out of libdbus' iterators.
 */
#ifndef DBUS_SHIM_FDWALK_H
#define DBUS_SHIM_FDWALK_H

#include <Python.h>

#include <dbus/dbus.h>
#include <stddef.h>

/* Owned descriptors; -1 where one has been handed on. */
typedef struct FdList {
    int *fds;
    size_t n;
    size_t cap;
} FdList;

/* Appends a duplicate for every value of type h, in the order in which they occur.  -1 with
 * MemoryError, OSError where the process has no descriptors left, or ValueError for one that did
 * not come with the message; what was collected stays in the list. */
int fdwalk(DBusMessage *message, FdList *list);

/* The number of values of type h. */
size_t fdwalk_count(DBusMessage *message);

void fdlist_clear(FdList *list);

#define _cleanup_fds_ _cleanup_(fdlist_clear)

#endif
