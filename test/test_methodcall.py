# SPDX-License-Identifier: MIT
"""methodcall, connection_call: messages for calls, and what comes of their replies."""

from __future__ import annotations

import logging
import sys
from typing import Any

import pytest
from glibloop import run_until

from _dbus_bindings import _method_call
from dbus import lowlevel
from dbus.exceptions import DBusException
from dbus.mainloop.glib import DBusGMainLoop


def test_a_call_has_header_and_arguments():
    message = _method_call("a.b", "/p", "c.d", "M", "si", ("x", 1))
    assert message.get_destination() == "a.b"
    assert message.get_path() == "/p"
    assert message.get_interface() == "c.d"
    assert message.get_member() == "M"
    assert message.get_signature() == "si"
    assert message.get_args_list() == ["x", 1]


def test_a_call_without_arguments_has_an_empty_body():
    assert _method_call(None, "/", None, "M", "", ()).get_signature() == ""
    assert _method_call(None, "/", None, "M", None, ()).get_signature() == ""


def test_a_missing_signature_is_guessed():
    assert _method_call(None, "/", None, "M", None, ("x", [1])).get_signature() == "sai"


@pytest.mark.parametrize(
    ("path", "interface"),
    [
        ("/org/freedesktop/DBus/Local", "a.b"),
        ("/", "org.freedesktop.DBus.Local"),
    ],
)
def test_what_belongs_to_libdbus_cannot_be_called(path, interface):
    with pytest.raises(DBusException, match="reserved") as caught:
        _method_call(None, path, interface, "M", "", ())
    assert caught.value.get_dbus_name() is None


@pytest.mark.parametrize(
    ("signature", "args", "exception"),
    [
        ("i", ("x",), TypeError),
        ("s", (), TypeError),
        ("(", ("x",), ValueError),
        (None, (object(),), TypeError),
        ("s", 3, TypeError),
    ],
)
def test_arguments_that_do_not_fit_are_logged_and_raised(signature, args, exception, caplog):
    with pytest.raises(exception):
        _method_call(None, "/", "a.b", "M", signature, args)
    (record,) = caplog.records
    assert record.name == "dbus.connection"
    assert record.levelno == logging.ERROR
    start = f"Unable to set arguments {args!r} according to signature {signature!r}: "
    assert record.getMessage().startswith(start + str(exception))


def test_calls_with_the_same_header_are_messages_of_their_own():
    names = ("a.b", "/p", "c.d", "M")
    first, second = (_method_call(*names, "s", (text,)) for text in "xy")
    first.set_member("Other")
    assert (second.get_member(), second.get_args_list()) == ("M", ["y"])
    assert _method_call(*names, "", ()).get_signature() == ""
    assert not _method_call(*names, "", ()).get_no_reply()


class Answers:
    """A service whose object answers every call with what was set."""

    def __init__(self, bus: Any) -> None:
        self.connection = bus.connection(mainloop=DBusGMainLoop())
        self.client = bus.connection(mainloop=DBusGMainLoop())
        self.answer: Any = None
        self.connection._register_object_path("/", self.handle)

    def handle(self, connection: Any, message: Any) -> None:
        kind, *values = self.answer
        if kind == "error":
            reply: Any = lowlevel.ErrorMessage(message, *values)
        else:
            reply = lowlevel.MethodReturnMessage(message)
            reply.append(*values, signature=kind)
        connection.send_message(reply)

    def place(self) -> tuple[str, str, str, str]:
        return self.connection.get_unique_name(), "/", "a.b", "M"

    def async_(self, byte_arrays: bool = False) -> list[Any]:
        """What the handlers of an asynchronous call got."""
        got: list[Any] = []
        self.client._call_async(
            *self.place(), "", (), lambda *values: got.append(values), got.append, -1, byte_arrays
        )
        run_until(lambda: bool(got))
        return got


@pytest.fixture
def answers(bus: Any) -> Answers:
    return Answers(bus)


@pytest.mark.parametrize(
    ("answer", "byte_arrays", "values"),
    [
        (("",), False, ()),
        (("s", "x"), False, ("x",)),
        (("si", "x", 1), False, ("x", 1)),
        (("ay", b"ab"), True, (b"ab",)),
        (("ay", b"ab"), False, ([97, 98],)),
    ],
)
def test_handlers_get_the_values(answers: Any, answer: Any, byte_arrays: bool, values: Any) -> None:
    answers.answer = answer
    assert answers.async_(byte_arrays) == [values]


def test_handlers_get_errors(answers: Any) -> None:
    answers.answer = ("error", "a.b.Oops", "no")
    (error,) = answers.async_()
    assert type(error) is DBusException
    assert str(error) == "a.b.Oops: no"


def test_no_handler_for_a_case(answers: Any, monkeypatch: Any, capfd: Any) -> None:
    failed: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", failed.append)
    for answer in (("s", "x"), ("error", "a.b.Oops", "no")):
        answers.answer = answer
        pending = answers.client._call_async(*answers.place(), "", (), None, None, -1, False)
        run_until(pending.get_completed)
    answers.answer = ("s", "heard")
    assert answers.async_() == [("heard",)]
    assert (failed, capfd.readouterr().err) == ([], "")


def test_a_time_out_is_an_error(answers: Any) -> None:
    got: list[Any] = []
    answers.connection._unregister_object_path("/")
    answers.connection._register_object_path("/", lambda *_: None)
    answers.client._call_async(*answers.place(), "", (), got.append, got.append, 0.02, False)
    run_until(lambda: bool(got))
    assert got[0].get_dbus_name() == "org.freedesktop.DBus.Error.NoReply"
