/* SPDX-License-Identifier: MIT */
/*
 * Ownership made visible.
 *
 * A local that owns something says so with one of the attributes below and is released on every
 * way out of its scope.  Handing the thing on is written TAKE(local), which leaves NULL behind.
 * Functions named *_new return an owned reference, *_borrow a borrowed one, *_steal consumes its
 * argument.  An out-parameter is called ret_something and is not written on failure.
 */
#ifndef DBUS_SHIM_CLEANUP_H
#define DBUS_SHIM_CLEANUP_H

#include <Python.h>

#include <dbus/dbus.h>
#include <stdlib.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

#define TAKE(x)                                                                                    \
    __extension__({                                                                                \
        __typeof__(x) take_tmp_ = (x);                                                             \
        (x) = NULL;                                                                                \
        take_tmp_;                                                                                 \
    })

static inline void
cleanup_object(PyObject **p)
{
    Py_XDECREF(*p);
}

static inline void
cleanup_pymem(void *p)
{
    PyMem_Free(*(void **)p);
}

static inline void
cleanup_malloc(void *p)
{
    free(*(void **)p);
}

static inline void
cleanup_message(DBusMessage **p)
{
    if (*p)
        dbus_message_unref(*p);
}

static inline void
cleanup_dbus_free(char **p)
{
    if (*p)
        dbus_free(*p);
}

static inline void
cleanup_buffer(Py_buffer *p)
{
    if (p->obj)
        PyBuffer_Release(p);
}

/* A reference that is held and not otherwise used. */
#define _keep_object_ __attribute__((unused)) _cleanup_(cleanup_object)
#define _cleanup_object_ _cleanup_(cleanup_object)       /* PyObject *, owned reference */
#define _cleanup_pymem_ _cleanup_(cleanup_pymem)         /* from PyMem_Malloc */
#define _cleanup_malloc_ _cleanup_(cleanup_malloc)       /* from malloc */
#define _cleanup_message_ _cleanup_(cleanup_message)     /* DBusMessage *, owned reference */
#define _cleanup_dbus_free_ _cleanup_(cleanup_dbus_free) /* char * that libdbus allocated */
#define _cleanup_error_ _cleanup_(dbus_error_free)       /* DBusError, DBUS_ERROR_INIT */
#define _cleanup_buffer_ _cleanup_(cleanup_buffer)       /* Py_buffer, {0} at first */

#endif
