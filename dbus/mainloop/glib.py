# SPDX-License-Identifier: MIT
"""The GLib main loop.

``DBusGMainLoop(set_as_default=True)`` before the first connection is all that a program needs.
"""

from _dbus_glib_bindings import DBusGMainLoop, gthreads_init

__all__ = ("DBusGMainLoop", "threads_init")


def threads_init() -> None:
    """Do nothing: libdbus and GLib are ready for threads from the start.

    Programs call it before they make a second thread, as older versions asked them to.
    """
    gthreads_init()
