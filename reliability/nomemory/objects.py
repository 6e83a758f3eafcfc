# SPDX-License-Identifier: MIT
"""Signals and exported objects of the classic interface while memory is out (nomemory.py)."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cases import Lost

from .failing import Action
from .messages import bodies
from .scene import DAEMON, INTERFACE, PATH, Ending, Scene, drain, equal, told_of_memory


def add_receiver(keywords: dict[str, Any]) -> Callable[[Scene], Action]:
    """A signal receiver is added, and removed."""

    def operation(scene: Scene) -> Action:
        turns = scene.turns()
        connection = scene.connection(turns)
        emitter = scene.connection()
        place = {**keywords}
        if place.get("bus_name") == "unique":
            place["bus_name"] = emitter.get_unique_name()
        heard: list[str] = []

        def run() -> Any:
            return connection.add_signal_receiver(heard.append, "Said", INTERFACE, **place)

        def hear(wanted: int) -> None:
            from dbus.lowlevel import SignalMessage

            for text in ("said", "last"):
                message = SignalMessage(PATH, INTERFACE, "Said")
                message.append(text)
                emitter.send_message(message)
            emitter.flush()
            connection.call_blocking(*DAEMON, "GetId", "", [])
            last: list[str] = []
            mark = connection.add_signal_receiver(last.append, "Mark", INTERFACE)
            message = SignalMessage(PATH, INTERFACE, "Mark")
            message.append("mark")
            emitter.send_message(message)
            turns.until(lambda: last)
            mark.remove()
            equal(len(heard), wanted)
            heard.clear()

        def check(match: Any, error: BaseException | None) -> None:
            if error is not None:
                hear(0)
                match = run()
            hear(2)
            match.remove()
            hear(0)

        return Action(run, check)

    return operation


def hear_signal(name: str, keywords: dict[str, Any]) -> Callable[[Scene], Action]:
    """A signal arrives; one whose values cannot be made is reported, and the next one is heard."""

    def operation(scene: Scene) -> Action:
        from dbus.lowlevel import SignalMessage

        turns = scene.turns()
        connection = scene.connection(turns)
        signature, values = bodies()[name]
        heard: list[Any] = []
        marked: list[Any] = []
        connection.add_signal_receiver(
            lambda *args, **words: heard.append(args), "Said", INTERFACE, **keywords
        )
        connection.add_signal_receiver(lambda: marked.append(1), "Mark", INTERFACE)
        emitter = scene.connection()

        def say(member: str) -> None:
            message = SignalMessage(PATH, INTERFACE, member)
            if member == "Said":
                message.append(*values, signature=signature)
            emitter.send_message(message)
            emitter.flush()

        def run() -> None:
            end = time.monotonic() + 0.05
            turns.until(lambda: heard or time.monotonic() > end)

        def check(result: Any, error: BaseException | None) -> None:
            say("Mark")
            turns.until(lambda: marked)
            if error is None and len(heard) > 1:
                raise Lost("heard more than once")
            if heard:
                equal(len(heard[0]), len(values))
            heard.clear()
            marked.clear()
            say("Said")

        say("Said")
        return Action(run, check)

    return operation


def service() -> Any:
    """The class of the object that is exported."""
    import dbus.service

    class Memory(dbus.service.Object):  # type: ignore[misc]
        @dbus.service.method(INTERFACE, in_signature="a{sv}", out_signature="as")
        def Keys(self, values: Any) -> Any:
            return list(values)

        @dbus.service.method(
            INTERFACE, in_signature="s", out_signature="s", sender_keyword="sender"
        )
        def Who(self, text: Any, sender: Any = None) -> Any:
            return text

        @dbus.service.method(INTERFACE)
        def Fail(self) -> None:
            raise ValueError("as it is meant to")

        @dbus.service.signal(INTERFACE, signature="s")
        def Said(self, text: Any) -> None:
            pass

    return Memory


def export(scene: Scene) -> Action:
    """An object is exported, and withdrawn."""
    turns = scene.turns()
    connection = scene.connection(turns)
    memory = service()

    def run() -> Any:
        return memory(connection, PATH)

    def check(made: Any, error: BaseException | None) -> None:
        made = made or run()
        made.remove_from_connection()

    return Action(run, check)


def withdraw(scene: Scene) -> Action:
    """An exported object is withdrawn."""
    turns = scene.turns()
    connection = scene.connection(turns)
    memory = service()
    exported = [memory(connection, PATH)]

    def run() -> None:
        exported[0].remove_from_connection()

    def check(result: Any, error: BaseException | None) -> None:
        if error is not None:
            with suppress(LookupError):
                run()
        exported[0] = memory(connection, PATH)

    return Action(run, check)


def serve(member: str, *args: Any) -> Callable[[Scene], Action]:
    """An exported object is called."""

    def operation(scene: Scene) -> Action:
        turns = scene.turns()
        server, client = scene.connection(turns), scene.connection(turns)
        exported = service()(server, PATH)
        name = server.get_unique_name()
        ending = Ending()
        signature = {"Keys": "a{sv}", "Who": "s"}.get(member, "")

        def run() -> None:
            client.call_async(
                name, PATH, INTERFACE, member, signature, args,
                ending.reply, ending.error, timeout=0.3,
            )  # fmt: skip
            turns.until(lambda: len(ending))

        run()
        values, (*errors,) = ending.take()
        wanted = values, [error.get_dbus_name() for error in errors]

        def check(result: Any, error: BaseException | None) -> None:
            drain(turns, client, (name, PATH, INTERFACE))
            values, errors = ending.take()
            if error is None:
                equal(len(values) + len(errors), 1)
            names = [getattr(error, "get_dbus_name", lambda: "")() for error in errors]
            if error is None and (values, names) != wanted:
                for failure in errors:
                    told_of_memory(failure, scene.mode)
                equal(values, [])
            run()
            values, errors = ending.take()
            equal((values, [error.get_dbus_name() for error in errors]), wanted)
            equal(exported.locations.__class__.__name__ != "", True)

        return Action(run, check)

    return operation


def emit(scene: Scene) -> Action:
    """An exported object emits a signal."""
    turns = scene.turns()
    exported = service()(scene.connection(turns), PATH)

    def check(result: Any, error: BaseException | None) -> None:
        exported.Said("text")

    return Action(lambda: exported.Said("text"), check)
