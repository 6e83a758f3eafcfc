# SPDX-License-Identifier: MIT
"""Main loops that connections can be attached to; see `dbus.mainloop.glib`."""

from _dbus_bindings import (
    NULL_MAIN_LOOP,
    WATCH_ERROR,
    WATCH_HANGUP,
    WATCH_READABLE,
    WATCH_WRITABLE,
    NativeMainLoop,
)

__all__ = (  # noqa: F822  # the last is a module, imported on demand
    "NativeMainLoop",
    "WATCH_READABLE",
    "WATCH_WRITABLE",
    "WATCH_HANGUP",
    "WATCH_ERROR",
    "NULL_MAIN_LOOP",
    "glib",
)
