# SPDX-License-Identifier: MIT
"""Wrong input that libdbus answers by ending the process, from every public entry point.

The cases are tables of wrong things, each tried at every place that takes such a thing.  A case
survives if an exception says so, or the thing is taken, and the same connection then makes a call
that succeeds.  Of our package an exception is demanded unless the documentation allows the thing.
"""

from __future__ import annotations

from importlib import import_module

from cases import CLASSIC, SDBUS

from . import aio, aio_values, names, on_sdbus, replies, states, values

TOGETHER = 40


def prepare(side: str) -> None:
    """Import what all cases need."""
    if side in CLASSIC:
        modules = ["dbus.mainloop.glib", "dbus.service", "dbus.server", "gi.repository.GLib"]
    elif side == SDBUS:
        modules = ["sdbus"]
    else:
        modules = ["asyncio"]
    for module in modules:
        import_module(module)


CASES = (
    *names.CASES,
    *values.CASES,
    *states.CASES,
    *replies.CASES,
    *on_sdbus.CASES,
    *aio.CASES,
    *aio_values.CASES,
)
