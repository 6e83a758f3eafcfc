# SPDX-License-Identifier: MIT
"""A small service for the command-line tools to look at: a tree of rooms with lamps."""

from __future__ import annotations

from gi.repository import GLib

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop

NAME = "com.example.House"
LAMP = "com.example.House.Lamp"


class Lamp(dbus.service.Object):
    """One lamp: it can be switched and tells when it was."""

    def __init__(self, bus: dbus.Bus, path: str) -> None:
        super().__init__(bus, path)
        self.on = False

    @dbus.service.method(LAMP, in_signature="b", out_signature="b")
    def Switch(self, on: bool) -> bool:
        before, self.on = self.on, bool(on)
        self.Switched(self.on)
        return before

    @dbus.service.method(LAMP, in_signature="", out_signature="a{sv}")
    def Describe(self) -> dict[str, object]:
        return {"on": dbus.Boolean(self.on), "watts": dbus.UInt16(7), "tags": ["warm", "small"]}

    @dbus.service.method(LAMP, in_signature="", out_signature="")
    def Break(self) -> None:
        raise dbus.DBusException("it fell", name="com.example.House.Broken")

    @dbus.service.method(LAMP, in_signature="ay(ix)as", out_signature="(ayx)s", byte_arrays=True)
    def Mix(
        self, data: bytes, pair: tuple[int, int], words: list[str]
    ) -> tuple[tuple[dbus.ByteArray, int], str]:
        return (dbus.ByteArray(bytes(data) + b"!"), pair[0] + pair[1]), "-".join(words)

    @dbus.service.signal(LAMP, signature="b")
    def Switched(self, on: bool) -> None:
        pass


def main() -> None:
    bus = dbus.SessionBus(mainloop=DBusGMainLoop())
    lamps = [
        Lamp(bus, "/com/example/House/" + where)
        for where in ("kitchen/table", "kitchen/stove", "hall")
    ]
    name = dbus.service.BusName(NAME, bus)
    assert lamps and name
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
