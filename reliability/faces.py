# SPDX-License-Identifier: MIT
"""The ways of speaking D-Bus that are tried with the same cases, made alike.

A `Face` has one connection.  A call's outcome is a text: "reply: " and the value, or the name of
the error.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import time
from typing import Any, Callable, Optional

from cases import AIO, ASYNCIO, CLASSIC, OURS, SDBUS, SECONDS, Lost, Place
from wire import BUS, BUS_PATH

Ends = list[str]  # how a call has ended: once, or something is wrong

LOST = frozenset(("NoReply", "Disconnected", "DisconnectedError", "EOFError", "ConnectionError",
                  "ConnectionResetError", "BrokenPipeError", "NoneType", "DBusException",
                  "AuthError", "OSError", "FileNotFoundError", "NoServer", "ConnectionRefusedError",
                  "IOError", "AuthFailed"))  # fmt: skip
TIMED_OUT = frozenset(("NoReply", "Timeout", "TimedOut", "TimeoutError", "AuthTimeoutError"))

SLACK = 5.0  # seconds by which a time-out may be late on a busy machine


def name_of(error: BaseException) -> str:
    """The last part of the name of a D-Bus error, or the class."""
    getter = getattr(error, "get_dbus_name", None)
    name = getter() if getter else getattr(error, "type", getattr(error, "dbus_error_name", None))
    return str(name).rsplit(".", 1)[-1] if name else type(error).__name__


class Face:
    """What the cases do with a connection.  Times are in seconds."""

    name: str
    sides: tuple[str, ...]
    has_loop = True
    tells_end = True  # whether somebody is told of the end of the connection
    parses_introspection = True

    def __init__(self, place: Place) -> None:
        self.place = place
        self.gone = 0  # how often the end of the connection was told

    def open(self, address: str, timeout: Optional[float] = None) -> None:
        """Connect, and be greeted by the bus."""
        raise NotImplementedError

    def start(self, member: str, timeout: float, to: str = ":1.2") -> Ends:
        """Begin a call of "test.I" at "/"."""
        raise NotImplementedError

    def bus_call(self, member: str, signature: str, *args: Any) -> str:
        """The outcome of a call of the bus."""
        raise NotImplementedError

    def until(self, condition: Callable[[], Any], seconds: float = 20) -> bool:
        """Let the loop turn until the condition holds; False if it does not in time."""
        raise NotImplementedError

    def listen(self, member: str, heard: list[Any], sender: Optional[str] = None) -> None:
        """Have a signal of "test.I" put into the list: what it brings."""
        raise NotImplementedError

    def own(self, name: str) -> Any:
        """Ask for a name as programs do."""
        raise NotImplementedError

    def unique_name(self) -> str:
        raise NotImplementedError

    def is_connected(self) -> bool:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def call(self, member: str, timeout: float = 10, to: str = ":1.2") -> str:
        """The outcome of a call, which must come in time."""
        begin = time.monotonic()
        ends = self.start(member, timeout, to)
        if not self.until(lambda: ends, timeout + SLACK):
            raise Lost(f"a call of {member} has not ended after {timeout + SLACK} s")
        if time.monotonic() - begin > timeout + SLACK:
            raise Lost(f"a call ended after {time.monotonic() - begin:.1f} s")
        return ends[0]

    def again(self) -> Face:
        """Another connection of this kind."""
        return type(self)(self.place)


class Classic(Face):
    """The modules of dbus-python."""

    connection: Any = None

    def main_loop(self) -> Any:
        return None

    def open(self, address: str, timeout: Optional[float] = None) -> None:
        import dbus.bus

        self.connection = dbus.bus.BusConnection(address, mainloop=self.main_loop())
        self._opened()

    def open_peer(self, address: str) -> None:
        """Connect without a greeting."""
        import dbus.connection

        self.connection = dbus.connection.Connection(address, mainloop=self.main_loop())
        self._opened()

    def _opened(self) -> None:
        def count(_connection: Any) -> None:
            self.gone += 1

        self.connection.set_exit_on_disconnect(False)
        if self.tells_end:
            self.connection.call_on_disconnection(count)

    def start(self, member: str, timeout: float, to: str = ":1.2") -> Ends:
        ends: Ends = []
        try:
            self.connection.call_async(
                to, "/", "test.I", member, "", (),
                lambda *values: ends.append(f"reply: {values[0] if values else None}"),
                lambda error: ends.append(name_of(error)),
                timeout=timeout,
            )  # fmt: skip
        except Exception as error:
            ends.append(name_of(error))
        return ends

    def bus_call(self, member: str, signature: str, *args: Any) -> str:
        try:
            value = self.connection.call_blocking(
                BUS, BUS_PATH, BUS, member, signature, args, timeout=10
            )
        except Exception as error:
            return name_of(error)
        return f"reply: {value}"

    def listen(self, member: str, heard: list[Any], sender: Optional[str] = None) -> None:
        self.connection.add_signal_receiver(
            lambda *values: heard.append(values[0] if values else None),
            member,
            "test.I",
            sender,
        )

    def own(self, name: str) -> Any:
        import dbus.service

        return dbus.service.BusName(name, self.connection)

    def unique_name(self) -> str:
        return str(self.connection.get_unique_name())

    def is_connected(self) -> bool:
        return bool(self.connection.get_is_connected())

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()


class Blocking(Classic):
    """Calls that block, without a loop."""

    name = "blocking"
    sides = CLASSIC
    has_loop = tells_end = False

    def start(self, member: str, timeout: float, to: str = ":1.2") -> Ends:
        try:
            value = self.connection.call_blocking(
                to, "/", "test.I", member, "", (), timeout=timeout
            )
        except Exception as error:
            return [name_of(error)]
        return [f"reply: {value}"]

    def until(self, condition: Callable[[], Any], seconds: float = 20) -> bool:
        return bool(condition())


class Glib(Classic):
    """Calls with handlers, in a loop of GLib."""

    name = "glib"
    sides = CLASSIC

    def main_loop(self) -> Any:
        from dbus.mainloop.glib import DBusGMainLoop

        return DBusGMainLoop()

    def until(self, condition: Callable[[], Any], seconds: float = 20) -> bool:
        context = importlib.import_module("gi.repository.GLib").MainContext.default()
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            if not context.iteration(False):
                time.sleep(0.002)
        return bool(condition())


class _Turns(Face):
    """A loop of asyncio of its own."""

    _loop: Any = None

    @property
    def loop(self) -> Any:
        if _Turns._loop is None:
            _Turns._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(_Turns._loop)
        return _Turns._loop

    def finish(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, SECONDS / 2))

    def until(self, condition: Callable[[], Any], seconds: float = 20) -> bool:
        async def turn() -> None:
            deadline = time.monotonic() + seconds
            while not condition() and time.monotonic() < deadline:
                await asyncio.sleep(0.002)

        self.loop.run_until_complete(turn())
        return bool(condition())


class OnAsyncio(_Turns, Classic):
    """Calls with handlers, in a loop of asyncio."""

    name = "asyncio"
    sides = (OURS,)

    def main_loop(self) -> Any:
        from dbus.mainloop.asyncio import DBusAsyncioMainLoop

        return DBusAsyncioMainLoop(self.loop)


class _Awaited(_Turns):
    """Calls that are awaited."""

    bus: Any = None

    def message(self, destination: str, path: str, **keywords: Any) -> Any:
        """A call: interface, member, signature, body."""
        raise NotImplementedError

    async def result(self, msg: Any) -> Any:
        """The first value of the reply to a call."""
        raise NotImplementedError

    async def ask(self, msg: Any, timeout: float) -> str:
        """The outcome of a call."""
        try:
            return f"reply: {await asyncio.wait_for(self.result(msg), timeout)}"
        except Exception as error:
            return name_of(error)

    def start(self, member: str, timeout: float, to: str = ":1.2") -> Ends:
        ends: Ends = []

        async def ask() -> None:
            ends.append(
                await self.ask(self.message(to, "/", interface="test.I", member=member), timeout)
            )

        self.task = self.loop.create_task(ask())
        return ends

    def bus_call(self, member: str, signature: str, *args: Any) -> str:
        try:
            msg = self.message(
                BUS, BUS_PATH, interface=BUS, member=member, signature=signature, body=list(args)
            )
        except Exception as error:
            return name_of(error)
        return str(self.finish(self.ask(msg, 10)))


class Aio(_Awaited):
    """The API of dbus-fast."""

    name = "aio"
    sides = ASYNCIO
    _ending: Any = None

    def open(self, address: str, timeout: Optional[float] = None) -> None:
        aio = self.place.module("aio")
        others = {"auth_timeout": timeout} if self.place.side == AIO and timeout else {}

        async def connect() -> None:
            self.bus = aio.MessageBus(bus_address=address, **others)
            connecting = self.bus.connect()
            await (asyncio.wait_for(connecting, timeout) if timeout and not others else connecting)

        self.finish(connect())
        self._ending = self.loop.create_task(self._wait_for_end())

    async def _wait_for_end(self) -> None:
        try:
            await self.bus.wait_for_disconnect()
        except Exception:
            pass  # it says why
        self.gone += 1

    def message(self, destination: str, path: str, **keywords: Any) -> Any:
        return self.place.module("message").Message(destination, path, **keywords)

    async def result(self, msg: Any) -> Any:
        reply = await self.bus.call(msg)
        if reply.message_type.name == "ERROR":
            errors = self.place.module("errors")
            raise errors.DBusError(reply.error_name, str(reply.body), reply)
        return reply.body[0] if reply.body else None

    def listen(self, member: str, heard: list[Any], sender: Optional[str] = None) -> None:
        """The bus is told by hand; a handler sees all that comes."""

        def handler(msg: Any) -> None:
            if msg.message_type.name == "SIGNAL" and msg.member == member:
                heard.append(msg.body[0] if msg.body else None)

        self.bus.add_message_handler(handler)
        rule = f"type='signal',interface='test.I',member='{member}'"
        outcome = self.bus_call("AddMatch", "s", rule)
        if not outcome.startswith("reply"):
            self.bus.remove_message_handler(handler)
            raise OSError(outcome)

    def own(self, name: str) -> Any:
        return self.finish(self.bus.request_name(name))

    def unique_name(self) -> str:
        return str(self.bus.unique_name)

    def is_connected(self) -> bool:
        return bool(self.bus.connected)

    def close(self) -> None:
        if self.bus is not None:
            self.bus.disconnect()
            if self._ending is not None:
                self.until(lambda: self.gone)


class Sdbus(_Awaited):
    """python-sdbus, which tells nobody of the end of a connection."""

    name = "sdbus"
    sides = (SDBUS,)
    tells_end = parses_introspection = False

    def open(self, address: str, timeout: Optional[float] = None) -> None:
        """What it opens is connected, or not, by the first call."""
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = address
        sdbus = importlib.import_module("sdbus")
        self.bus = sdbus.sd_bus_open_user()
        self._matches: list[Any] = []
        msg = self.message(BUS, BUS_PATH, interface=BUS, member="GetId")
        outcome = self.finish(self.ask(msg, timeout or 20))
        if not outcome.startswith("reply"):
            raise OSError(outcome)

    def message(self, destination: str, path: str, **keywords: Any) -> Any:
        msg = self.bus.new_method_call_message(
            destination, path, keywords["interface"], keywords["member"]
        )
        if keywords.get("signature"):
            msg.append_data(keywords["signature"], *keywords["body"])
        return msg

    async def result(self, msg: Any) -> Any:
        values = (await self.bus.call_async(msg)).parse_to_tuple()
        return values[0] if values else None

    def listen(self, member: str, heard: list[Any], sender: Optional[str] = None) -> None:
        def handler(msg: Any) -> None:
            values = msg.parse_to_tuple()
            heard.append(values[0] if values else None)

        async def match() -> None:
            self._matches.append(
                await self.bus.match_signal_async(sender, None, "test.I", member, handler)
            )

        self.finish(match())

    def own(self, name: str) -> Any:
        return self.finish(self.bus.request_name_async(name, 0))

    def unique_name(self) -> str:
        """That of the last who came to the bus: nothing tells its own."""
        names = re.findall(r":1\.(\d+)", self.bus_call("ListNames", ""))
        return f":1.{max(map(int, names))}"

    def is_connected(self) -> bool:
        """Nothing but a call says so."""
        return self.call("Good", 2).startswith("reply")

    def close(self) -> None:
        if self.bus is not None:
            self.bus.close()


FACES: tuple[type[Face], ...] = (Blocking, Glib, OnAsyncio, Aio, Sdbus)
WITH_LOOP = tuple(face for face in FACES if face.has_loop)
