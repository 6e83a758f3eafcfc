/* SPDX-License-Identifier: MIT */
#include "fdwalk.h"

#include <errno.h>
#include <unistd.h>

static int
fdlist_add(FdList *list, int fd)
{
    if (fd < 0) {
        /* libdbus says no more than that; the message has been validated. */
        errno = EMFILE;
        PyErr_SetFromErrno(PyExc_OSError);
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

static int
walk(DBusMessageIter *iter, FdList *list)
{
    for (;;) {
        int type = dbus_message_iter_get_arg_type(iter);

        if (type == DBUS_TYPE_INVALID)
            return 0;
        if (type == DBUS_TYPE_UNIX_FD) {
            int fd = -1;
            dbus_message_iter_get_basic(iter, &fd);
            if (fdlist_add(list, fd) < 0)
                return -1;
        } else if (!dbus_type_is_basic(type)) {
            /* At most 64 levels: libdbus validates that too. */
            DBusMessageIter sub;
            dbus_message_iter_recurse(iter, &sub);
            if (walk(&sub, list) < 0)
                return -1;
        }
        dbus_message_iter_next(iter);
    }
}

int
fdwalk(DBusMessage *message, FdList *list)
{
    DBusMessageIter iter;

    return dbus_message_iter_init(message, &iter) ? walk(&iter, list) : 0;
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
