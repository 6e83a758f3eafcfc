# SPDX-License-Identifier: MIT
"""objectcall: the usual call is served in C, and dbus.service is the truth about all others.

Each test makes the same calls of an object as it is and of one that C leaves alone, as its method
`_message_cb` is its own.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from glibloop import run_until

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop

I = "a.b"  # noqa: E741


class Plain(dbus.service.Object):
    """Served in C where that is possible."""


class Slow(dbus.service.Object):
    """Served by dbus.service."""

    def _message_cb(self, connection: Any, message: Any) -> None:
        super()._message_cb(connection, message)


@pytest.fixture(params=[Plain, Slow])
def base(request: Any) -> Any:
    return request.param


class Asker:
    """A service and a client on a bus."""

    def __init__(self, bus: Any) -> None:
        self.connection = bus.connection(mainloop=DBusGMainLoop())
        self.client = bus.connection(mainloop=DBusGMainLoop())

    def __call__(self, *args: Any, member: str = "M", interface: Any = I, **options: Any) -> Any:
        """The values of the reply, or the name of the error and its text."""
        got: list[Any] = []
        self.client.call_async(
            self.connection.get_unique_name(),
            options.get("path", "/o"),
            interface,
            member,
            options.get("signature"),
            args,
            lambda *values: got.append(values),
            lambda error: got.append((error.get_dbus_name(), error.get_dbus_message())),
        )
        run_until(lambda: bool(got))
        return got[0]


@pytest.fixture
def ask(bus: Any) -> Asker:
    return Asker(bus)


def export(base: Any, ask: Asker, **members: Any) -> Any:
    return type("Exported", (base,), members)(ask.connection, "/o")


def method(*args: Any, **keywords: Any) -> Any:
    return dbus.service.method(I, *args, **keywords)


def test_values_in_and_out(base: Any, ask: Any) -> None:
    seen: list[Any] = []

    @method("saya{sv}", "say")
    def M(self: Any, text: Any, data: Any, options: Any) -> Any:
        seen.extend([text, data, options])
        return text.upper(), data

    export(base, ask, M=M)
    reply = ask("x", b"ab", {"k": 1}, signature="saya{sv}")
    assert reply == ("X", [97, 98])
    assert [type(value) for value in seen] == [dbus.String, dbus.Array, dbus.Dictionary]
    assert seen[2]["k"].variant_level == 1


@pytest.mark.parametrize("byte_arrays", [True, False])
def test_byte_arrays(base: Any, ask: Any, byte_arrays: bool) -> None:
    seen: list[Any] = []

    @method("ay", "", byte_arrays=byte_arrays)
    def M(self: Any, data: Any) -> None:
        seen.append(type(data))

    export(base, ask, M=M)
    assert ask(b"ab", signature="ay") == ()
    assert seen == [dbus.ByteArray if byte_arrays else dbus.Array]


@pytest.mark.parametrize(
    "keyword",
    [
        "sender_keyword",
        "path_keyword",
        "rel_path_keyword",
        "destination_keyword",
        "message_keyword",
        "connection_keyword",
    ],
)
def test_what_a_method_wants_beside_its_arguments(base: Any, ask: Any, keyword: str) -> None:
    seen: list[Any] = []

    @method("s", "", **{keyword: "extra"})
    def M(self: Any, text: Any, extra: Any = None) -> None:
        seen.append(extra)

    export(base, ask, M=M)
    assert ask("x") == ()
    assert seen != [None]


def test_notes_made_by_hand(base: Any, ask: Any) -> None:
    seen: list[Any] = []

    @method("s", "", sender_keyword="extra")
    def M(self: Any, text: Any, extra: Any = None) -> None:
        seen.append(extra)

    name = "".join(["_dbus_sender", "_keyword"])  # not the interned one
    M.__dict__[name] = M.__dict__.pop(name)
    M.__dict__["something else"] = M.__dict__["_dbus_something_else"] = 5
    M.__dict__[5] = 5
    export(base, ask, M=M)
    assert ask("x") == ()
    assert seen == [ask.client.get_unique_name()]


def test_a_fallback(base: Any, ask: Any) -> None:
    class Fallback(dbus.service.FallbackObject, base):  # type: ignore[misc]
        @method("s", "s")
        def M(self, text: Any) -> Any:
            return text * 2

    class Own(base):  # type: ignore[misc]
        @method("s", "s")
        def M(self, text: Any) -> Any:
            return "own"

    Fallback(ask.connection, "/")
    assert ask("x") == ("xx",)
    Own(ask.connection, "/o")
    assert ask("x") == ("own",)
    assert ask("x", path="/o/p") == ("xx",)


def test_asynchronous_methods(base: Any, ask: Any) -> None:
    @method("s", "s", async_callbacks=("reply", "error"))
    def M(self: Any, text: Any, reply: Any, error: Any) -> None:
        reply(text * 2)

    export(base, ask, M=M)
    assert ask("x") == ("xx",)


def test_overrides_without_decorator(base: Any, ask: Any) -> None:
    @method("", "s")
    def M(self: Any) -> str:
        return "base"

    parent = type("Parent", (base,), {"M": M})
    type("Child", (parent,), {"M": lambda self: "child"})(ask.connection, "/o")
    assert ask() == ("child",)


def test_the_class_changes_while_it_is_served(base: Any, ask: Any) -> None:
    @method("", "s")
    def M(self: Any) -> str:
        return "first"

    @method("", "s")
    def N(self: Any) -> str:
        return "second"

    N.__name__ = "M"
    served = export(base, ask, M=M)
    assert ask() == ("first",)
    type(served).M = N
    assert ask() == ("second",)
    N._dbus_out_signature = "i"
    N._dbus_interface = "other.one"
    assert ask()[0] == "org.freedesktop.DBus.Error.UnknownMethod"
    N._dbus_interface = I
    del type(served).M
    assert ask()[0] == "org.freedesktop.DBus.Error.UnknownMethod"


def test_other_interfaces(base: Any, ask: Any) -> None:
    @method("", "s")
    def M(self: Any) -> str:
        return "here"

    export(base, ask, M=M)
    assert ask(interface=None) == ("here",)
    assert ask(interface="x.y")[0] == "org.freedesktop.DBus.Error.UnknownMethod"
    assert ask(member="N")[0] == "org.freedesktop.DBus.Error.UnknownMethod"


@pytest.mark.parametrize("hook", ["_method_lookup", "_method_reply_return", "_method_reply_error"])
def test_replaced_functions(base: Any, ask: Any, hook: str, monkeypatch: Any) -> None:
    """Replaced between two calls, and put back: each call sees what is there."""
    called: list[str] = []
    original = getattr(dbus.service, hook)

    def replacement(*args: Any, **keywords: Any) -> Any:
        called.append(hook)
        return original(*args, **keywords)

    @method("b", "s")
    def M(self: Any, fail: Any) -> str:
        if fail:
            raise KeyError("wanted")
        return "done"

    fail = hook == "_method_reply_error"
    export(base, ask, M=M)
    first = ask(fail)
    assert called == []
    with monkeypatch.context() as patch:
        patch.setattr(dbus.service, hook, replacement)
        assert ask(fail)[0] == first[0]
        assert called == [hook]
    assert ask(fail)[0] == first[0]
    assert called == [hook]


def test_exceptions(base: Any, ask: Any) -> None:
    @method("", "s")
    def M(self: Any) -> str:
        raise ValueError("a text")

    served = export(base, ask, M=M)
    name, text = ask()
    assert name == "org.freedesktop.DBus.Python.ValueError"
    assert text.startswith("Traceback") and text.rstrip().endswith("ValueError: a text")
    assert "in M" in text
    type(served).SEND_TRACEBACKS = False
    assert ask() == (name, "a text")


def test_results_that_do_not_fit(base: Any, ask: Any, caplog: Any) -> None:
    @method("", "i")
    def M(self: Any) -> str:
        return "x"

    export(base, ask, M=M)
    name, text = ask()
    assert name == "org.freedesktop.DBus.Python.TypeError"
    assert text.startswith("Traceback")
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("dbus.service", logging.ERROR)
    assert record.getMessage().startswith("Unable to append ('x',) to message with signature i: ")


def test_calls_that_want_no_reply(base: Any, ask: Any) -> None:
    seen: list[Any] = []

    @method("s", "s")
    def M(self: Any, text: Any) -> Any:
        seen.append(text)
        if text == "fail":
            raise ValueError
        return text

    export(base, ask, M=M)
    answers: list[Any] = []
    ask.client.add_message_filter(lambda _c, message: answers.append(message.get_type()))
    for text in ("one", "fail", "two"):
        ask.client.call_async(
            ask.connection.get_unique_name(), "/o", I, "M", "s", (text,), None, None
        )
    run_until(lambda: len(seen) == 3)
    assert seen == ["one", "fail", "two"]
    assert 2 not in answers and 3 not in answers


def test_a_method_that_closes_its_connection(base: Any, ask: Any) -> None:
    @method("", "")
    def M(self: Any) -> None:
        ask.connection.close()

    export(base, ask, M=M)
    assert ask()[0] == "org.freedesktop.DBus.Error.NoReply"


def test_a_method_that_removes_its_object(base: Any, ask: Any) -> None:
    @method("", "s")
    def M(self: Any) -> str:
        self.remove_from_connection()
        return "gone"

    export(base, ask, M=M)
    assert ask() == ("gone",)
    assert ask()[0].startswith("org.freedesktop.DBus.Error.Unknown")
