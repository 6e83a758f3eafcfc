# SPDX-License-Identifier: MIT
"""The classic API, of ours and of dbus-python: whichever `dbus` is imported."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Optional

from adapter import (
    DAEMON,
    DAEMON_PATH,
    INTERFACE,
    PEER,
    SIGNAL,
    Adapter,
    Work,
    arg0,
    blocking,
    path,
)
from payloads import PAYLOADS, plain

import dbus
import dbus.service
from dbus.bus import BusConnection
from dbus.connection import Connection
from dbus.lowlevel import MethodCallMessage, SignalMessage

SECONDS = 600.0

VARIANTS: dict[str, Callable[..., Any]] = {
    "s": dbus.String,
    "b": dbus.Boolean,
    "u": dbus.UInt32,
    "n": dbus.Int16,
    "o": dbus.ObjectPath,
    "as": partial(dbus.Array, signature="s"),
    "d": dbus.Double,
    "t": dbus.UInt64,
    "i": dbus.Int32,
}


def typed(code: str, value: Any) -> Any:
    """A variant of a type that is told."""
    return VARIANTS[code](value, variant_level=1)


class Service(dbus.service.Object):
    """What is exported; no attribute that its memory would be counted with."""

    done: Callable[[], None]

    @dbus.service.method(INTERFACE, in_signature="s", out_signature="s")
    def Echo(self, text: str) -> str:
        return text

    @dbus.service.method(INTERFACE, in_signature="ii", out_signature="i")
    def Add(self, one: int, two: int) -> int:
        return one + two

    @dbus.service.method(INTERFACE)
    def Done(self) -> None:
        type(self).done()


class GLibLoop:
    """Turns GLib's loop."""

    def __init__(self) -> None:
        from gi.repository import GLib  # type: ignore[import-untyped]

        from dbus.mainloop.glib import DBusGMainLoop

        self.native = DBusGMainLoop()
        self._context = GLib.MainContext.default()

    def turn_while(self, condition: Callable[[], object]) -> None:
        """Until it is false."""
        context = self._context
        while condition():
            context.iteration(True)

    def call_soon(self) -> None:
        """What a handler calls that may have made the condition false: nothing to do here."""


class AsyncioLoop:
    """Runs asyncio's loop."""

    def __init__(self) -> None:
        import asyncio

        from dbus.mainloop.asyncio import DBusAsyncioMainLoop

        self._loop = asyncio.new_event_loop()
        self.native = DBusAsyncioMainLoop(self._loop)

    def turn_while(self, condition: Callable[[], object]) -> None:
        """Until it is false, which is looked at after `call_soon`."""
        while condition():
            self._loop.run_forever()

    def call_soon(self) -> None:
        """End the turn."""
        self._loop.stop()


class Classic(Adapter):
    """See `Adapter`."""

    name = "the classic API"
    imports = "import dbus"
    Loop: Callable[[], Any] = GLibLoop

    def __init__(self, address: str, peer: bool = False) -> None:
        self._left = 0
        self._objects: list[Service] = []
        # Blocking workloads have a loop too, as programs do.
        self._loop = self.Loop()
        kind = Connection if peer else BusConnection
        self._conn: Any = kind(address, mainloop=self._loop.native)
        if not peer:
            self._conn.set_exit_on_disconnect(False)

    def close(self) -> None:
        self._conn.close()

    def _daemon(self) -> Any:
        daemon = self._conn.get_object(DAEMON, DAEMON_PATH, introspect=False)
        return dbus.Interface(daemon, PEER)

    def proxy_ping(self) -> Work:
        daemon = self._daemon()
        return blocking(lambda: daemon.Ping())

    def call_ping(self) -> Work:
        call = self._conn.call_blocking
        return blocking(lambda: call(DAEMON, DAEMON_PATH, PEER, "Ping", "", ()))

    def message_ping(self) -> Work:
        call = self._conn.send_message_with_reply_and_block

        def ping() -> None:
            call(MethodCallMessage(DAEMON, DAEMON_PATH, PEER, "Ping"), SECONDS)

        return blocking(ping)

    def in_flight(self, window: int) -> Work:
        daemon, loop = self._daemon(), self._loop
        unsent = unanswered = 0

        def send() -> None:
            nonlocal unsent
            unsent -= 1
            daemon.Ping(reply_handler=end, error_handler=fail)

        def end() -> None:
            nonlocal unanswered
            unanswered -= 1
            if unsent:
                send()
            elif not unanswered:
                loop.call_soon()

        def fail(error: Exception) -> None:
            raise SystemExit(str(error))

        def work(count: int) -> None:
            nonlocal unsent, unanswered
            unsent = unanswered = count
            for _ in range(min(window, count)):
                send()
            loop.turn_while(lambda: unanswered)

        return work

    def echo(self, service: Optional[str], payload: str, byte_arrays: bool) -> Work:
        signature, make, guessed = PAYLOADS[payload]
        arguments = (make(plain if guessed else typed),)
        call = self._conn.call_blocking
        keywords: dict[str, Any] = {"timeout": SECONDS}
        if byte_arrays:
            keywords["byte_arrays"] = True

        def echo() -> None:
            call(service, path(0), INTERFACE, "Echo", signature, arguments, **keywords)

        return blocking(echo)

    def _count(self, _text: str) -> None:
        self._left -= 1

    def subscribe(self, field: str, numbers: range) -> None:
        handler = self._count
        for number in numbers:
            rule = {"path": {"path": path(number)}, "arg0": {"arg0": arg0(number)}}.get(field, {})
            self._conn.add_signal_receiver(handler, SIGNAL, INTERFACE, **rule)
        self.in_flight(1)(1)  # answered, by the loop, after all that came before

    def receive(self, count: int) -> None:
        self._left += count
        self._loop.turn_while(lambda: self._left > 0)

    def request_name(self, name: str) -> None:
        self._conn.request_name(name)

    def export(self, numbers: range) -> None:
        Service.done = self._done
        self._objects += [Service(self._conn, path(number)) for number in numbers]

    def _done(self) -> None:
        self._left = 0

    def serve(self) -> None:
        self._left = 1
        self._loop.turn_while(lambda: self._left)

    def _builder(self, payload: str) -> Callable[[], Any]:
        signature, make, guessed = PAYLOADS[payload]
        value = make(plain if guessed else typed)

        def build() -> Any:
            message = SignalMessage("/", INTERFACE, SIGNAL)
            message.append(value, signature=signature)
            return message

        return build

    def build(self, payload: str) -> Work:
        return blocking(self._builder(payload))

    def parse(self, payload: str) -> Work:
        return blocking(self._builder(payload)().get_args_list)


class ClassicOnAsyncio(Classic):
    """The classic API on asyncio's loop, which dbus-python has none for."""

    Loop = AsyncioLoop
