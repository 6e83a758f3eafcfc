# SPDX-License-Identifier: MIT
"""Messages of the classic interface while memory is out (nomemory.py)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from cases import Lost

from .failing import Action
from .scene import DAEMON, Scene, equal


def _answered(scene: Scene) -> Any:
    """A call that was sent, so that it can be replied to."""
    from dbus.lowlevel import MethodCallMessage

    call = MethodCallMessage(*DAEMON, "GetId")
    scene.connection().send_message_with_reply_and_block(call)
    return call


def make_message(kind: str) -> Callable[[Scene], Action]:
    """A message is made, of each kind."""

    def operation(scene: Scene) -> Action:
        from dbus import lowlevel

        call = _answered(scene)
        make = {
            "call": lambda: lowlevel.MethodCallMessage("a.b", "/a", "a.b", "C"),
            "signal": lambda: lowlevel.SignalMessage("/a", "a.b", "C"),
            "return": lambda: lowlevel.MethodReturnMessage(call),
            "error": lambda: lowlevel.ErrorMessage(call, "a.b.C", "what is wrong"),
        }[kind]

        def run() -> list[Any]:
            return [make() for _ in range(8)]  # libdbus keeps five old ones for new ones

        def check(messages: Any, error: BaseException | None) -> None:
            for message in messages or run():
                equal(message.get_type(), make().get_type())

        return Action(run, check)

    return operation


def set_fields(scene: Scene) -> Action:
    """Every field of the header is set, and read."""
    from dbus.lowlevel import MethodCallMessage

    message = MethodCallMessage(None, "/a", None, "C")
    long = "a" * 100
    values = {
        "destination": f"a.{long}",
        "sender": f"b.{long}",
        "interface": f"c.{long}",
        "member": long,
    }
    before: dict[str, Any] = {}

    def read() -> dict[str, Any]:
        return {field: getattr(message, f"get_{field}")() for field in values}

    def run() -> Any:
        for field, value in values.items():
            getattr(message, f"set_{field}")(value)
        return read()

    def check(result: Any, error: BaseException | None) -> None:
        nonlocal message
        if error is None:
            equal(result, values)
        else:
            for field, seen in read().items():
                if seen not in (values[field], before[field]):
                    raise Lost(f"{field} has become {seen!r}")
        equal(run(), values)
        message = MethodCallMessage(None, "/a", None, "C")

    before.update(read())
    return Action(run, check)


def bodies() -> dict[str, tuple[str, list[Any]]]:
    """Arguments: one of each type, every container, small and large."""
    import dbus

    small = {
        "basic": ("ybnqiuxtdsog", [1, True, -2, 3, -4, 5, -6, 7, 0.5, "text", "/a/b", "a{sv}"]),
        "array of strings": ("as", [["one", "two"]]),
        "array of numbers": ("ai", [[1, 2, 3]]),
        "bytes": ("ay", [b"bytes"]),
        "dictionary": ("a{sv}", [{"one": dbus.Int32(1), "two": dbus.String("two")}]),
        "struct": ("(isd)", [(1, "two", 3.0)]),
        "variant": ("v", [dbus.Array([dbus.Struct((1, "a"), signature="is")], signature="(is)")]),
        "nested": ("a{s(iaa{sv})}", [{"a": (1, [{"b": dbus.Int64(2)}])}]),
        "long string": ("s", ["long" * 100]),
    }
    large = {
        "large array": ("as", [["a rather long text"] * 100]),
        "large dictionary": ("a{sv}", [{f"key{i}": dbus.Int32(i) for i in range(60)}]),
        "large bytes": ("ay", [b"large" * 2000]),
    }
    return {**small, **large}


def append(name: str, before: tuple[str, list[Any]]) -> Callable[[Scene], Action]:
    """Arguments are appended to a message that is empty, or has some."""

    def operation(scene: Scene) -> Action:
        from dbus.lowlevel import SignalMessage

        signature, values = bodies()[name]

        def fresh() -> Any:
            made = SignalMessage("/a", "a.b", "C")
            if before[0]:
                made.append(*before[1], signature=before[0])
            return made

        message = fresh()
        old = message.get_signature(), message.get_args_list()

        def run() -> None:
            message.append(*values, signature=signature)

        run()
        new = message.get_signature(), message.get_args_list()
        message = fresh()

        def check(result: Any, error: BaseException | None) -> None:
            nonlocal message
            if error is not None:
                equal((message.get_signature(), message.get_args_list()), old)
                run()
            equal((message.get_signature(), message.get_args_list()), new)
            message = fresh()

        return Action(run, check)

    return operation


def append_descriptor(scene: Scene) -> Action:
    """File descriptors are appended, after arguments and in an array."""
    from dbus import types
    from dbus.lowlevel import SignalMessage

    end, other = os.pipe()
    scene.place.stack.callback(os.close, end)
    scene.place.stack.callback(os.close, other)
    values = [[types.UnixFd(end), types.UnixFd(other)], types.UnixFd(end)]
    message = SignalMessage("/a", "a.b", "C")

    def run() -> Any:
        message.append(*values, signature="ahh")
        return len(message.get_args_list()[0])

    def check(result: Any, error: BaseException | None) -> None:
        nonlocal message
        if message.get_signature() == "":
            equal(message.get_args_list(), [])
            result = run()
        elif error is not None:
            result = len(message.get_args_list()[0])
        equal(result, 2)
        equal(message.get_signature(), "ahh")
        message = SignalMessage("/a", "a.b", "C")

    return Action(run, check)


def read(name: str) -> Callable[[Scene], Action]:
    """The arguments of a message are read."""

    def operation(scene: Scene) -> Action:
        from dbus.lowlevel import SignalMessage

        signature, values = bodies()[name]
        message = SignalMessage("/a", "a.b", "C")
        message.append(*values, signature=signature)
        wanted = message.get_args_list()

        def check(result: Any, error: BaseException | None) -> None:
            if error is None:
                equal(result, wanted)
            equal(message.get_args_list(), wanted)

        return Action(message.get_args_list, check)

    return operation


def copy_message(scene: Scene) -> Action:
    """A message is copied."""
    from dbus.lowlevel import SignalMessage

    message = SignalMessage("/a", "a.b", "C")
    message.append("text" * 100)

    def check(result: Any, error: BaseException | None) -> None:
        equal((result or message.copy()).get_args_list(), message.get_args_list())

    return Action(message.copy, check)


def guess(scene: Scene) -> Action:
    """The signature of values is guessed."""
    from dbus.lowlevel import Message

    def run() -> Any:
        return Message.guess_signature({"a": [1, 2]}, ("b", 1.0), b"c")

    def check(result: Any, error: BaseException | None) -> None:
        if error is None:
            equal(result, "a{sai}(sd)ay" if result.endswith("ay") else "a{sai}(sd)s")

    return Action(run, check)
