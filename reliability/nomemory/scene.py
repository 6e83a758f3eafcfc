# SPDX-License-Identifier: MIT
"""Where an operation is done while memory is out (nomemory.py)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from cases import Lost, Place

from .failing import LIBDBUS, LIBDBUS_ON, Action, Mode

DAEMON = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
PATH, INTERFACE = "/org/example/Memory", "org.example.Memory"
PATIENCE = 5.0  # seconds in which what was sent arrives


class Served:
    """A connection or server on a loop that is no more than this list of them."""

    def __init__(self, turns: Turns, source: Any) -> None:
        self.source = source
        self.turns = turns
        turns.sources.append(self)

    def detach(self) -> None:
        """It has come to its end."""
        self.turns.sources.remove(self)

    def failed(self, exception: BaseException) -> None:
        """A handler has raised."""
        self.turns.failed = True


class Turns:
    """A main loop of the classic interface that is run by hand."""

    def __init__(self, python: bool) -> None:
        self.sources: list[Served] = []
        self.failed = False
        self._context: Any = None
        if python:  # GLib ends the process when it lacks memory, and asyncio loses its way
            from _dbus_bindings import _native_main_loop

            self.main_loop = _native_main_loop(lambda source: Served(self, source))
        else:
            from gi.repository import GLib

            from dbus.mainloop.glib import DBusGMainLoop

            self.main_loop = DBusGMainLoop()
            self._context = GLib.MainContext.default()

    def until(self, done: Callable[[], Any]) -> None:
        """Run it until something is the case; MemoryError if a handler has raised one before."""
        self.failed = False
        end = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > end:
                raise Lost("nothing came")
            if self._context is not None:
                self._context.iteration(False)
            # Not a copy: Python 3.11 may collect, and so change the list, while it makes one.
            for served in self.sources:
                served.source.serve()
            if self.failed and not done():
                raise MemoryError("told by a handler")


class Scene(NamedTuple):
    """Where an operation is done."""

    place: Place
    mode: Mode

    def turns(self) -> Turns:
        """A loop for the connections of the classic interface."""
        return Turns(self.mode.python)

    def connection(self, turns: Turns | None = None) -> Any:
        """A connection to the bus."""
        import dbus

        connection = dbus.bus.BusConnection(
            self.place.bus.address, mainloop=turns.main_loop if turns else None
        )
        self.place.stack.callback(connection.close)
        return connection


def equal(seen: Any, wanted: Any) -> None:
    """:raises Lost: unless they are"""
    if seen != wanted:
        raise Lost(f"{seen!r:.100} in place of {wanted!r:.100}")


def returning(
    run: Callable[[], Any], wanted: Any, before: Callable[[], object] = lambda: None
) -> Action:
    """It returns this unless it fails, and this once more afterwards.

    :param before: makes the second time like the first
    """

    def check(result: Any, error: BaseException | None) -> None:
        if error is None:
            equal(result, wanted)
        before()
        equal(run(), wanted)

    return Action(run, check)


class Ending:
    """How calls ended; every one ends once."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.errors: list[Exception] = []

    def __len__(self) -> int:
        return len(self.values) + len(self.errors)

    def reply(self, *values: Any) -> None:
        """A reply handler."""
        self.values.append(values)

    def error(self, error: Exception) -> None:
        """An error handler."""
        self.errors.append(error)

    def take(self) -> tuple[list[Any], list[Exception]]:
        """All, once."""
        values, errors = self.values, self.errors
        self.values, self.errors = [], []
        return values, errors


def drain(turns: Turns, connection: Any, call: tuple[Any, ...]) -> None:
    """See to it that whatever was called before has ended: this call comes after it."""
    last = Ending()
    connection.call_async(*call, "Last", "", [], last.reply, last.error)
    turns.until(lambda: len(last))


def told_of_memory(error: Exception | str, mode: Mode = LIBDBUS) -> None:
    """See that the failure of a call says so; nothing can be answered where there is no memory."""
    name = error if isinstance(error, str) else getattr(error, "get_dbus_name", str)() or ""
    words = ["NoMemory", "LimitsExceeded", "MemoryError", "ServiceError"]
    if mode is LIBDBUS_ON:
        words.append("NoReply")
    if not isinstance(error, MemoryError) and name.rsplit(".", 1)[-1] not in words:
        raise Lost(f"{name}: {error}")
