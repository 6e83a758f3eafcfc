# SPDX-License-Identifier: MIT
"""Wrong input that libdbus answers by ending the process, from every public entry point."""

from __future__ import annotations

from cases import CLASSIC, Case, Place, raised


def _bad_utf8(place: Place) -> str:
    import dbus
    from dbus.lowlevel import SignalMessage

    connection = dbus.bus.BusConnection(place.bus.address)
    seen = raised(lambda: SignalMessage("/a", "a.b", "C").append("\ud800", signature="s"))
    assert connection.get_name_owner("org.freedesktop.DBus") == "org.freedesktop.DBus"
    return seen


CASES = (Case("a surrogate in a string", _bad_utf8, CLASSIC),)
