/* SPDX-License-Identifier: MIT */
/*
 * What a module with a loop of its own imports, as the capsule "_dbus_bindings._loop_api": how to
 * make a NativeMainLoop, and how to serve a watchset.
 */
#ifndef DBUS_SHIM_LOOPAPI_H
#define DBUS_SHIM_LOOPAPI_H

#include <Python.h>

#include "mainloop.h"
#include "watchset.h"

typedef struct LoopApi {
    /* The data stays the caller's on failure. */
    PyObject *(*main_loop_new)(const LoopFace *face, void *data);
    int (*collect)(Watchset *set, struct pollfd *ret_fds, int max, int64_t *ret_deadline);
    Watchset *(*ref)(Watchset *set);
    void (*unref)(Watchset *set);
    void (*wakeup_clear)(int fd);
    int (*poll_timeout)(int64_t deadline);
    int (*set_default)(PyObject *main_loop); /* -1 with an exception */
} LoopApi;

#define LOOP_API_NAME "_dbus_bindings._loop_api"

#endif
