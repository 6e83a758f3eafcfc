/* SPDX-License-Identifier: MIT */
/*
 * Contract: fdwalk.h.
 */
#include "fdwalk.h"

#include <errno.h>
#include <unistd.h>

static int
fdlist_add(FdList *list, int fd)
{
    if (fd < 0) {
        /* libdbus says no more than that, and does not validate the numbers that a peer sent. */
        if (errno)
            PyErr_SetFromErrno(PyExc_OSError);
        else
            PyErr_SetString(PyExc_ValueError,
                            "the message body is malformed: a file descriptor is missing");
        return -1;
    }
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 16;
        int *fds = PyMem_Realloc(list->fds, cap * sizeof *fds);
        if (!fds) {
            close(fd);
            PyErr_NoMemory();
            return -1;
        }
        list->fds = fds;
        list->cap = cap;
    }
    list->fds[list->n++] = fd;
    return 0;
}

/* Without a list the values are only counted. */
static int
walk(DBusMessageIter *iter, FdList *list, size_t *count)
{
    for (;;) {
        int type = dbus_message_iter_get_arg_type(iter);

        if (type == DBUS_TYPE_INVALID)
            return 0;
        if (type == DBUS_TYPE_UNIX_FD) {
            int fd = -1;
            errno = 0;
            ++*count;
            if (list)
                dbus_message_iter_get_basic(iter, &fd);
            if (list && fdlist_add(list, fd) < 0)
                return -1;
        } else if (!dbus_type_is_basic(type)) {
            /* At most 64 levels: libdbus validates that too. */
            DBusMessageIter sub;
            dbus_message_iter_recurse(iter, &sub);
            if (walk(&sub, list, count) < 0)
                return -1;
        }
        dbus_message_iter_next(iter);
    }
}

int
fdwalk(DBusMessage *message, FdList *list)
{
    DBusMessageIter iter;
    size_t count = 0;

    return dbus_message_iter_init(message, &iter) ? walk(&iter, list, &count) : 0;
}

size_t
fdwalk_count(DBusMessage *message)
{
    DBusMessageIter iter;
    size_t count = 0;

    if (dbus_message_contains_unix_fds(message) && dbus_message_iter_init(message, &iter))
        walk(&iter, NULL, &count);
    return count;
}

void
fdlist_clear(FdList *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->fds[i] >= 0)
            close(list->fds[i]);
    PyMem_Free(list->fds);
    *list = (FdList){0};
}
