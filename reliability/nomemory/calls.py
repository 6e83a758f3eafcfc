# SPDX-License-Identifier: MIT
"""Calls and connections of the classic interface while memory is out (nomemory.py)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .failing import Action
from .objects import service
from .scene import DAEMON, INTERFACE, PATH, Ending, Scene, drain, equal, returning, told_of_memory


def _calls() -> dict[str, tuple[str, str | None, list[Any]]]:
    return {
        "no arguments": ("GetId", "", []),
        "a string": ("NameHasOwner", "s", [DAEMON[0]]),
        "guessed": ("NameHasOwner", None, [DAEMON[0]]),
        "many strings": ("ListNames", "", []),
        "long argument": ("NameHasOwner", "s", ["a." + "b" * 200]),
    }


def call_blocking(name: str) -> Callable[[Scene], Action]:
    """A method is called, and its reply waited for."""

    def operation(scene: Scene) -> Action:
        connection = scene.connection()
        method, signature, args = _calls()[name]

        def run() -> Any:
            return connection.call_blocking(*DAEMON, method, signature, args)

        return returning(run, run())

    return operation


def call_error(scene: Scene) -> Action:
    """A method is called that answers with an error."""
    import dbus

    connection = scene.connection()

    def run() -> Any:
        try:
            connection.call_blocking(*DAEMON, "NoSuchMethod", "", [])
        except dbus.DBusException as error:
            return error.get_dbus_name()
        return None

    def check(result: Any, error: BaseException | None) -> None:
        if error is None and result != "org.freedesktop.DBus.Error.NoMemory":
            equal(result, "org.freedesktop.DBus.Error.UnknownMethod")
        equal(run(), "org.freedesktop.DBus.Error.UnknownMethod")

    return Action(run, check)


def send_with_reply_and_block(scene: Scene) -> Action:
    """A message that was made beforehand is sent as a call."""
    from dbus.lowlevel import MethodCallMessage

    connection = scene.connection()
    message = MethodCallMessage(*DAEMON, "NameHasOwner")
    message.append(DAEMON[0])

    def run() -> Any:
        return connection.send_message_with_reply_and_block(message).get_args_list()

    return returning(run, [True])


def send_and_flush(scene: Scene) -> Action:
    """A signal is sent and flushed."""
    from dbus.lowlevel import SignalMessage

    connection = scene.connection()

    def run() -> None:
        message = SignalMessage("/a", "a.b", "C")
        message.append("text")
        connection.send_message(message)
        connection.flush()

    def check(result: Any, error: BaseException | None) -> None:
        run()
        equal(connection.call_blocking(*DAEMON, "NameHasOwner", "s", [DAEMON[0]]), True)

    return Action(run, check)


def call_async(name: str) -> Callable[[Scene], Action]:
    """A method is called, and a handler gets the reply."""

    def operation(scene: Scene) -> Action:
        turns = scene.turns()
        connection = scene.connection(turns)
        method, signature, args = _calls()[name]
        ending = Ending()

        def start() -> None:
            connection.call_async(
                *DAEMON, method, signature, args, ending.reply, ending.error, timeout=2
            )

        def run() -> None:
            start()
            turns.until(lambda: len(ending))

        run()
        ((wanted,), _) = ending.take()

        def check(result: Any, error: BaseException | None) -> None:
            drain(turns, connection, DAEMON)
            values, errors = ending.take()
            if error is None:
                equal(len(values) + len(errors), 1)
            for seen in values:
                equal(seen, wanted)
            for failure in errors:
                told_of_memory(failure)
            run()
            equal(ending.take(), ([wanted], []))

        return Action(run, check)

    return operation


def call_unanswered(scene: Scene) -> Action:
    """A call whose time is over."""
    turns = scene.turns()
    connection, silent = scene.connection(turns), scene.connection()
    name = silent.get_unique_name()
    ending = Ending()

    def run() -> None:
        connection.call_async(
            name, PATH, INTERFACE, "Silence", "", [],
            ending.reply, ending.error, timeout=0.001,
        )  # fmt: skip
        turns.until(lambda: len(ending))

    def check(result: Any, error: BaseException | None) -> None:
        end = time.monotonic() + 0.01
        turns.until(lambda: time.monotonic() > end)
        values, errors = ending.take()
        equal((values, len(errors) if error is None else 1), ([], 1))
        run()
        ((), (failure,)) = ending.take()
        equal(failure.get_dbus_name(), "org.freedesktop.DBus.Error.NoReply")

    return Action(run, check)


def connect(served: bool) -> Callable[[Scene], Action]:
    """A connection to a bus is made, which a loop serves or not."""

    def operation(scene: Scene) -> Action:
        import dbus

        address = scene.place.bus.address
        turns = scene.turns() if served else None

        def run() -> Any:
            return dbus.bus.BusConnection(address, mainloop=turns.main_loop if turns else None)

        def check(connection: Any, error: BaseException | None) -> None:
            connection = connection or run()
            equal(connection.call_blocking(*DAEMON, "NameHasOwner", "s", [DAEMON[0]]), True)
            connection.close()

        return Action(run, check)

    return operation


def names(scene: Scene) -> Action:
    """A name is requested and given up."""
    connection = scene.connection()

    def run() -> Any:
        return connection.request_name(INTERFACE), connection.release_name(INTERFACE)

    return returning(run, (1, 1), lambda: connection.release_name(INTERFACE))


def match_rules(scene: Scene) -> Action:
    """A match rule is added and removed."""
    connection = scene.connection()
    rule = f"type='signal',interface='{INTERFACE}'"

    def run() -> None:
        connection.add_match_string(rule)
        connection.remove_match_string(rule)
        connection.add_match_string_non_blocking(rule)
        connection.remove_match_string_non_blocking(rule)

    def check(result: Any, error: BaseException | None) -> None:
        import dbus

        with suppress(dbus.DBusException):
            while error is not None:
                connection.remove_match_string(rule)
        run()

    return Action(run, check)


def proxy(scene: Scene) -> Action:
    """A proxy is made, and a method called through it."""
    import dbus

    connection = scene.connection()

    def run() -> Any:
        made = connection.get_object(DAEMON[0], DAEMON[1])
        return dbus.Interface(made, DAEMON[2]).NameHasOwner(DAEMON[0])

    return returning(run, True)


def filters(scene: Scene) -> Action:
    """A message filter is added and removed."""
    connection = scene.connection(scene.turns())

    def handler(*args: Any) -> None:
        return None

    def run() -> None:
        connection.add_message_filter(handler)
        connection.remove_message_filter(handler)

    def check(result: Any, error: BaseException | None) -> None:
        if error is not None:
            with suppress(LookupError, ValueError):
                connection.remove_message_filter(handler)
        run()

    return Action(run, check)


def listen(scene: Scene) -> Action:
    """A server listens, and stops."""
    import dbus.server

    turns = scene.turns()
    address = f"unix:dir={os.path.dirname(scene.place.bus.address.split('=')[1].split(',')[0])}"

    def run() -> Any:
        return dbus.server.Server(address, mainloop=turns.main_loop)

    def check(server: Any, error: BaseException | None) -> None:
        (server or run()).disconnect()

    return Action(run, check)


def accept(scene: Scene) -> Action:
    """A client connects to a server, and calls an object there."""
    import dbus.connection
    import dbus.server

    turns = scene.turns()
    address = f"unix:dir={os.path.dirname(scene.place.bus.address.split('=')[1].split(',')[0])}"
    exported = service()

    class Listening(dbus.server.Server):  # type: ignore[misc]
        def connection_added(self, connection: Any) -> None:
            exported(connection, PATH)

    server = Listening(address, mainloop=turns.main_loop)
    scene.place.stack.callback(server.disconnect)

    def run() -> Any:
        ending = Ending()
        client = dbus.connection.Connection(server.address, mainloop=turns.main_loop)
        try:
            client.call_async(
                None, PATH, INTERFACE, "Who", "s", ["text"], ending.reply, ending.error, timeout=1
            )
            turns.until(lambda: len(ending))
        finally:
            client.close()
        return ending

    def check(ending: Any, error: BaseException | None) -> None:
        equal(run().take(), ([("text",)], []))

    return Action(run, check)
