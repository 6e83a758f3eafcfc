# SPDX-License-Identifier: MIT
"""What cases of the classic interface work with: connections on one of the loops, and its turns."""

from __future__ import annotations

import asyncio
import gc
import os
import time
import weakref
from typing import Any, Callable

from cases import Lost, NotOffered, Place

import dbus
import dbus.bus
import dbus.lowlevel
import dbus.mainloop.glib
import dbus.server
import dbus.service

PROBE = "com.example.Probe"
BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
PATIENCE = 15  # seconds

GLIB, ASYNCIO, NONE = "GLib", "asyncio", "no loop"


class Marker:
    """What must be gone when all is gone."""


class Service(dbus.service.Object):
    """An object that can be called and that keeps what it is given."""

    kept: Any = None

    @dbus.service.method(PROBE, in_signature="s", out_signature="s")
    def Echo(self, text: str) -> str:
        return text

    @dbus.service.signal(PROBE, signature="s")
    def Said(self, text: str) -> None:
        pass


class Desk:
    """Connections on one kind of loop."""

    def __init__(self, place: Place, loop: str) -> None:
        self.place = place
        self.kind = loop
        self.loop: Any = None
        if loop == GLIB:
            from gi.repository import GLib

            self.context = GLib.MainContext.default()
            self.loop = dbus.mainloop.glib.DBusGMainLoop()
        elif loop == ASYNCIO:
            try:
                from dbus.mainloop.asyncio import DBusAsyncioMainLoop
            except ImportError:
                raise NotOffered("no main loop of asyncio") from None
            self.asyncio = asyncio.new_event_loop()
            self.loop = DBusAsyncioMainLoop(self.asyncio)

    def connect(self, base: Any = dbus.bus.BusConnection) -> Any:
        """A private connection that ends no process."""
        conn = base(self.place.bus.address, mainloop=self.loop)
        conn.set_exit_on_disconnect(False)
        return conn

    def turn(self) -> None:
        """Do what there is to do, without waiting."""
        if self.kind == GLIB:
            while self.context.iteration(False):
                pass
        elif self.kind == ASYNCIO:
            for _ in range(5):
                self.asyncio.run_until_complete(asyncio.sleep(0))

    def turn_until(self, done: Callable[[], object], what: str) -> None:
        """The same until it is done; Lost if that takes too long."""
        end = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > end:
                raise Lost(f"{what} did not come")
            self.turn()
            time.sleep(0.001)  # both loops are polled here

    def check(self, conn: Any = None) -> None:
        """A successful call, on a new connection if there is no other."""
        conn = conn or self.connect()
        if len(conn.call_blocking(*BUS, "GetId", "", ())) != 32:
            raise Lost("a call afterwards does not bring what it should")

    def check_gone(self, refs: dict[str, weakref.ref[Any]]) -> None:
        """Nothing of this is left once the collector has run."""
        for _ in range(3):
            self.turn()
            gc.collect()
        left = [name for name, ref in refs.items() if ref() is not None]
        if left:
            raise Lost(f"not collected: {', '.join(left)}")


def descriptors() -> int:
    """How many this process has open."""
    return len(os.listdir("/proc/self/fd"))
