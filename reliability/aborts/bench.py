# SPDX-License-Identifier: MIT
"""What the cases of `aborts` have to try things with: the classic API."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from functools import cached_property, partial
from typing import Any, Callable, Optional

from cases import CLASSIC, OURS, Case, Lost, Place, _testing, raised

from . import tables

DAEMON = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
SECONDS = 20  # in which a reply must come

# What a wrong input may end in; other exceptions say that something else has gone wrong.
NAMED = ("TypeError", "ValueError", "ArithmeticError", "LookupError", "RuntimeError")
NAMED += ("AttributeError", "DBusException")


class Bench:
    """A connection without a loop, one with a GLib loop once it is asked for, and messages."""

    def __init__(self, place: Place) -> None:
        import _dbus_bindings
        import dbus
        import dbus.bus
        import dbus.lowlevel
        import dbus.server
        import dbus.service

        self.place = place
        self.dbus: Any = dbus
        self.bindings: Any = _dbus_bindings
        self.low: Any = dbus.lowlevel
        self.address = place.bus.address
        self.used: list[Any] = []
        self.conn = self.connect()

    def connect(self, address: Optional[str] = None, **options: Any) -> Any:
        """One more connection."""
        made = self.dbus.bus.BusConnection(address or self.address, **options)
        made.set_exit_on_disconnect(False)
        if address is None:
            self.used.append(made)
        return made

    @cached_property
    def loop(self) -> Any:
        """A native main loop over GLib's."""
        from dbus.mainloop.glib import DBusGMainLoop

        return DBusGMainLoop()

    @cached_property
    def looped(self) -> Any:
        """A connection that GLib's default context serves."""
        return self.connect(mainloop=self.loop)

    @cached_property
    def proxy(self) -> Any:
        """A proxy of the bus daemon."""
        return self.conn.get_object(*DAEMON[:2], introspect=False)

    @cached_property
    def own_bus(self) -> Any:
        """A bus that the case may break."""
        return self.place.stack.enter_context(_testing().PrivateBus())

    def names(self) -> dict[str, object]:
        """For the source of the tables."""
        level = partial(self.dbus.Int32, 1)
        return {
            "dbus": self.dbus,
            "os": os,
            "gc": gc,
            "nested_variant": lambda depth: level(variant_level=depth),
        }

    def value_of(self, source: str) -> Any:
        """What a table's source stands for."""
        return tables.value_of(source, **self.names())

    def call(self, member: str = "GetId") -> Any:
        """A new call to the bus daemon."""
        return self.low.MethodCallMessage(*DAEMON, member)

    def signal(self) -> Any:
        """A new signal."""
        return self.low.SignalMessage("/a", "com.example.I", "Sig")

    def called(self) -> Any:
        """A call that was sent."""
        message = self.call()
        self.conn.send_message(message)
        return message

    def sent(self, message: Any) -> None:
        """Send what was made in spite of everything."""
        self.conn.send_message(message)
        self.conn.flush()

    def set(self, setter: str, value: object) -> None:
        """Set a field of a signal, and send it."""
        message = self.signal()
        getattr(message, setter)(value)
        self.sent(message)

    def append(self, signature: Optional[str], value: object) -> None:
        """Append to a signal and send it; one that refused a value is as it was before."""
        message = self.signal()
        message.append("before")
        try:
            if signature is None:
                message.append(value)
            else:
                message.append(value, signature=signature)
        except Exception:
            if self.place.side == OURS:
                message.append("after")
                if message.get_args_list() != ["before", "after"]:
                    raise Lost("an append that failed has changed the message") from None
                self.sent(message)
            raise
        message.get_args_list()
        self.sent(message)

    def turn_until(self, done: Callable[[], object]) -> None:
        """Run GLib's default context."""
        from gi.repository import GLib

        late: list[bool] = []
        source = GLib.timeout_add(SECONDS * 1000, lambda: bool(late.append(True)))
        while not done() and not late:
            GLib.MainContext.default().iteration(True)
        if late:
            raise Lost("no reply came")
        GLib.source_remove(source)

    def outcome_of(self, start: Callable[..., object]) -> Any:
        """Start an asynchronous call, which is given two handlers, and wait for its outcome."""
        got: list[Any] = []

        def succeeded(*values: object) -> None:
            got.append(values)

        start(reply_handler=succeeded, error_handler=got.append)
        self.turn_until(lambda: got)
        if isinstance(got[0], Exception):
            raise got[0]
        return got[0]

    def call_async(self, name: str, *args: Any, **options: Any) -> Any:
        """`Connection.call_async` on the connection with a loop, to its end."""

        def start(reply_handler: Any, error_handler: Any) -> None:
            self.looped.call_async(name, *args, reply_handler, error_handler, **options)

        return self.outcome_of(start)

    def serve(self, function: Callable[..., object], **options: Any) -> Any:
        """Export an object with the one method M at /a, and call it."""
        function.__name__ = "M"
        method = self.dbus.service.method("a.b", **options)(function)
        made = type("Served", (self.dbus.service.Object,), {"M": method})(self.looped, "/a")
        name = self.looped.get_unique_name()
        try:
            return self.call_async(name, "/a", "a.b", "M", "", ())
        finally:
            made.remove_from_connection()

    def emit(self, signature: Optional[str], *values: object) -> None:
        """Emit a signal of an exported object."""

        def emitted(_self: object, *_values: object) -> None:
            """Nothing is to be done beside."""

        def one(_self: object, _one: object) -> None:
            """The same with one value."""

        function = one if len(values) == 1 else emitted
        function.__name__ = "S"
        signal = self.dbus.service.signal("a.b", signature=signature)(function)
        made = type("Served", (self.dbus.service.Object,), {"S": signal})(self.looped, "/a")
        try:
            made.S(*values)
            self.looped.flush()
        finally:
            made.remove_from_connection()

    def server(self, address: str, **options: Any) -> None:
        """Listen, and end that."""
        self.dbus.server.Server(address, mainloop=self.loop, **options).disconnect()

    def settle(self) -> None:
        """Each connection that was used makes a call that succeeds."""
        for conn in self.used:
            reply = conn.send_message_with_reply_and_block(self.call(), SECONDS)
            if len(reply.get_args_list()[0]) != 32:
                raise Lost("the next call has a wrong result")
        gc.collect()


Try = Callable[[Bench], object]


def classic(name: str, attempt: Try, must: bool = True, sides: tuple[str, ...] = CLASSIC) -> Case:
    """A case: the attempt ends in an exception, which ours must raise, and all goes on."""

    def run(place: Place) -> str:
        bench = Bench(place)
        ours = place.side == OURS
        seen = raised(lambda: attempt(bench), NAMED if ours else (), allowed=not (ours and must))
        bench.settle()
        for conn in bench.used:
            with suppress(Exception):
                conn.close()
        return seen

    return Case(name, run, sides)
