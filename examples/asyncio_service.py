# SPDX-License-Identifier: MIT
"""A service on asyncio: a kitchen timer.

Its methods are coroutines where they wait, and other calls are served meanwhile.  Run it on the
session bus, then asyncio_client.py beside it.
"""

import asyncio

import dbus
import dbus.service
from dbus.mainloop.asyncio import DBusAsyncioMainLoop

NAME = "org.example.Timer"
PATH = "/org/example/Timer"
INTERFACE = "org.example.Timer"


class Past(dbus.DBusException):
    """The error that a caller gets for a negative time."""

    _dbus_error_name = "org.example.Timer.Error.Past"


class Timer(dbus.service.Object):
    """The one object of the service."""

    def __init__(self, bus_name):
        super().__init__(bus_name, PATH)
        self._running = 0
        self.ended = asyncio.Event()

    @dbus.service.method(INTERFACE, in_signature="d", out_signature="s")
    async def Wait(self, seconds):
        """Answer after some seconds, and tell everybody."""
        if seconds < 0:
            raise Past(f"{seconds} s have passed already")
        self._running += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._running -= 1
        self.Rang(seconds)
        return f"{seconds} s are over"

    @dbus.service.method(INTERFACE, out_signature="u")
    def Running(self):
        """How many timers run."""
        return self._running

    @dbus.service.method(INTERFACE)
    def Quit(self):
        """End the service once this call is answered."""
        self.ended.set()

    @dbus.service.signal(INTERFACE, signature="d")
    def Rang(self, seconds):
        """A timer has come to its end."""


async def main():
    """Serve until Quit is called."""
    timer = Timer(dbus.service.BusName(NAME, dbus.SessionBus()))
    await timer.ended.wait()
    timer.connection.flush()


if __name__ == "__main__":
    DBusAsyncioMainLoop(set_as_default=True)
    asyncio.run(main())
