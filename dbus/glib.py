# SPDX-License-Identifier: MIT
"""Deprecated: importing this module makes GLib the default main loop.

Use `dbus.mainloop.glib.DBusGMainLoop` with ``set_as_default=True``.
"""

from warnings import warn as _warn

from dbus.mainloop.glib import DBusGMainLoop, threads_init

__docformat__ = "restructuredtext"

init_threads = threads_init

DBusGMainLoop(set_as_default=True)

_warn(
    "Importing dbus.glib to use the GLib main loop with dbus-python is deprecated.\n"
    "Instead, use this sequence:\n\n"
    "    from dbus.mainloop.glib import DBusGMainLoop\n\n"
    "    DBusGMainLoop(set_as_default=True)\n",
    DeprecationWarning,
    stacklevel=2,
)
