# SPDX-License-Identifier: MIT
"""message, message_fields, message_kinds: life of a message, and what may no longer be changed.

Values and header fields of every kind are the subject of compat/test_message_*.
"""

from __future__ import annotations

import gc
import sys
import threading
from typing import Any, Callable, Iterator

import pytest

import dbus
from dbus.exceptions import DBusException
from dbus.lowlevel import (
    ErrorMessage,
    Message,
    MethodCallMessage,
    MethodReturnMessage,
    SignalMessage,
)

LOCAL_PATH = "/org/freedesktop/DBus/Local"
LOCAL_INTERFACE = "org.freedesktop.DBus.Local"

CHANGES: "list[Callable[[Any], Any]]" = [
    lambda message: message.append(1),
    lambda message: message.append({"k": 1}, signature="a{sv}"),
    lambda message: message.set_path("/new"),
    lambda message: message.set_path(None),
    lambda message: message.set_interface("org.example.New"),
    lambda message: message.set_member("New"),
    lambda message: message.set_error_name("org.example.New"),
    lambda message: message.set_destination("org.example.New"),
    lambda message: message.set_destination(None),
    lambda message: message.set_sender(":1.99"),
    lambda message: message.set_reply_serial(7),
    lambda message: message.set_no_reply(True),
    lambda message: message.set_auto_start(False),
    lambda message: message.set_allow_interactive_authorization(True),
]


def signal() -> SignalMessage:
    return SignalMessage("/a/b", "org.example.Test", "Happened")


@pytest.fixture
def conn(bus: Any) -> Iterator[Any]:
    connection = bus.connection()
    yield connection
    connection.close()


@pytest.fixture
def sent(conn: Any) -> SignalMessage:
    message = signal()
    message.append("argument")
    conn.send_message(message)
    return message


def reply_to(message: Any, serial: int = 5) -> Any:
    """A reply as if it were one to a message with this serial."""
    reply = MethodReturnMessage(message)
    reply.set_reply_serial(serial)
    return reply


# A message that has been sent -------------------------------------------------------------------


@pytest.mark.parametrize("change", CHANGES)
def test_a_sent_message_cannot_be_changed(sent: Any, change: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError, match="has been sent and can no longer be changed"):
        change(sent)
    assert sent.get_args_list() == ["argument"]
    assert repr(sent) == repr(signal())


@pytest.mark.parametrize("change", CHANGES)
def test_the_copy_of_a_sent_message_can_be_changed(sent: Any, change: Callable[[Any], Any]) -> None:
    copy = sent.copy()
    assert copy.get_serial() == 0
    change(copy)


@pytest.mark.parametrize("change", CHANGES)
def test_a_message_can_be_changed_before_it_is_sent(change: Callable[[Any], Any]) -> None:
    change(signal())


def test_a_message_can_be_sent_again(conn: Any, sent: Any) -> None:
    serial = sent.get_serial()
    assert serial != 0
    assert conn.send_message(sent) == serial
    assert sent.get_serial() == serial


def test_init_gives_a_sent_message_a_new_content(sent: Any) -> None:
    sent.__init__("/new", "org.example.New", "New")
    sent.append(2)
    assert (sent.get_path(), sent.get_args_list(), sent.get_serial()) == ("/new", [2], 0)


def test_sending_while_arguments_are_converted(conn: Any) -> None:
    message = signal()

    class Sender:
        def __int__(self) -> int:
            conn.send_message(message)
            return 1

    with pytest.raises(ValueError, match="has been sent"):
        message.append(Sender(), signature="x")
    assert message.get_args_list() == []


# What may not be sent at all --------------------------------------------------------------------


def incomplete() -> "list[Any]":
    def without(message: Any, *fields: str) -> Any:
        for field in fields:
            getattr(message, "set_" + field)(None)
        return message

    def call() -> MethodCallMessage:
        return MethodCallMessage("org.example.Name", "/p", "org.example.Iface", "Call")

    return [
        (lambda: without(signal(), "path"), "signal", "path"),
        (lambda: without(signal(), "interface"), "signal", "interface"),
        (lambda: without(signal(), "member"), "signal", "member"),
        (lambda: without(call(), "path"), "method_call", "path"),
        (lambda: without(call(), "member"), "method_call", "member"),
    ]


@pytest.mark.parametrize("make, kind, field", incomplete())
def test_a_missing_field_is_named(
    conn: Any, make: Callable[[], Any], kind: str, field: str
) -> None:
    message = make()
    for send in (conn.send_message, conn.send_message_with_reply_and_block):
        with pytest.raises(ValueError, match=f"{kind} message .* field {field}"):
            send(message)
    getattr(message, "set_" + field)({"path": "/p", "member": "M"}.get(field, "org.example.I"))
    conn.send_message(message)
    assert conn.get_is_connected()


def test_an_error_without_a_name(conn: Any, sent: Any) -> None:
    error = ErrorMessage(sent, "org.example.Error", "text")
    error.set_error_name(None)
    with pytest.raises(ValueError, match="error_name"):
        conn.send_message(error)


@pytest.mark.parametrize(
    "path, interface", [(LOCAL_PATH, "org.example.Test"), ("/a", LOCAL_INTERFACE)]
)
def test_what_is_reserved_for_libdbus(conn: Any, path: str, interface: str) -> None:
    message = SignalMessage(path, interface, "Disconnected")
    with pytest.raises(ValueError, match="reserved"):
        conn.send_message(message)
    assert conn.get_is_connected()


def test_a_call_needs_neither_interface_nor_destination(conn: Any) -> None:
    message = MethodCallMessage("org.freedesktop.DBus", "/org/freedesktop/DBus", None, "GetId")
    (identity,) = conn.send_message_with_reply_and_block(message).get_args_list()
    assert len(identity) == 32


# A message without content ----------------------------------------------------------------------


class Forgetful(SignalMessage):
    def __init__(self) -> None:
        pass


@pytest.mark.parametrize(
    "make", [Message, Forgetful, lambda: MethodCallMessage.__new__(MethodCallMessage)]
)
def test_a_message_that_was_never_initialised(conn: Any, make: Callable[[], Any]) -> None:
    message = make()
    for use in (
        *CHANGES,
        lambda message: message.get_args_list(),
        lambda message: message.copy(),
        lambda message: message.get_path(),
        lambda message: message.get_path_decomposed(),
        lambda message: message.get_serial(),
        lambda message: message.get_type(),
        lambda message: message.get_signature(),
        lambda message: message.has_path("/"),
        lambda message: message.has_signature(""),
        lambda message: message.is_signal("a.b", "c"),
        MethodReturnMessage,
        lambda message: ErrorMessage(message, "a.b", None),
        conn.send_message,
    ):
        with pytest.raises(DBusException, match="__init__"):
            use(message)
    assert type(message).__name__ in repr(message)


def test_what_is_no_message(conn: Any) -> None:
    for value in (None, "text", object(), conn):
        with pytest.raises(TypeError):
            conn.send_message(value)
        with pytest.raises(TypeError):
            MethodReturnMessage(value)


# Limits -----------------------------------------------------------------------------------------

MIB = 2**20


def test_a_path_that_no_header_can_hold(conn: Any) -> None:
    """Libdbus would build such a message, and the bus then disconnects."""
    path = "/" + "a" * (64 * MIB)
    message = signal()
    for use in (
        message.set_path,
        lambda path: SignalMessage(path, "a.b", "M"),
        lambda path: MethodCallMessage(None, path, None, "M"),
        lambda path: conn.call_blocking(None, path, None, "M", "", ()),
        dbus.ObjectPath,
    ):
        with pytest.raises(ValueError, match="too long"):
            use(path)
    message.set_path("/" + "a" * MIB)
    conn.send_message(message)
    assert conn.get_name_owner("org.freedesktop.DBus")


def test_a_header_that_leaves_no_room_for_the_body(conn: Any) -> None:
    body = bytes(63 * MIB)
    message = signal()
    message.append(body, body, signature="ayay")
    with pytest.raises(ValueError, match="128 MiB"):
        message.set_path("/" + "a" * (3 * MIB))
    message.set_path("/" + "a" * MIB)
    assert len(message.get_path() or "") == 1 + MIB


def test_the_names_have_room_beside_any_body() -> None:
    """The bus adds one too, the sender's, and the receiver would refuse the message."""
    message = signal()
    with pytest.raises(ValueError, match="128 MiB"):
        message.append(bytes(64 * MIB), bytes(64 * MIB - 500), signature="ayay")
    message.append(bytes(64 * MIB), bytes(64 * MIB - 3000), signature="ayay")


def test_an_error_text_that_is_too_long(conn: Any, sent: Any) -> None:
    with pytest.raises(ValueError, match="128 MiB"):
        ErrorMessage(sent, "a.b", "x" * (128 * MIB))
    conn.send_message(ErrorMessage(sent, "a.b", "x" * MIB))
    assert conn.get_name_owner("org.freedesktop.DBus")


# Replies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [MethodReturnMessage, lambda m: ErrorMessage(m, "a.b", "text")])
def test_a_message_never_sent_cannot_be_replied_to(kind: Any, sent: Any) -> None:
    with pytest.raises(ValueError, match="never sent"):
        kind(signal())
    assert kind(sent).get_reply_serial() == sent.get_serial()


@pytest.mark.parametrize(
    "serial, exception",
    [(0, ValueError), (-1, OverflowError), (2**32, OverflowError), (2**80, OverflowError),
     (1.0, TypeError), ("1", TypeError), (None, TypeError)],
)  # fmt: skip
def test_bad_reply_serials(serial: Any, exception: "type[Exception]") -> None:
    message = signal()
    with pytest.raises(exception):
        message.set_reply_serial(serial)
    assert message.get_reply_serial() == 0


def test_arguments_of_a_reply(sent: Any) -> None:
    reply = reply_to(sent, 2**32 - 1)
    reply.append({"k": ["x" * 100] * 20}, signature="a{sv}")
    assert reply.get_reply_serial() == 2**32 - 1
    assert reply.get_args_list() == [{"k": ["x" * 100] * 20}]


# Texts ------------------------------------------------------------------------------------------


def test_error_texts_name_the_argument() -> None:
    message = signal()
    with pytest.raises(TypeError, match=r"set_member\(\) must be str, not int"):
        message.set_member(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"has_destination\(\) must be str, not NoneType"):
        message.has_destination(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"embedded null character in .*set_path\(\)"):
        message.set_path("/a\0b")
    with pytest.raises(ValueError, match="Invalid object path 'a': does not start with '/'"):
        message.set_path("a")
    with pytest.raises(UnicodeEncodeError):
        message.set_path("/\ud800")
    with pytest.raises(ValueError, match="Corrupt type signature 'a': an array without"):
        message.append(1, signature="a")
    with pytest.raises(TypeError, match="'signatur' is an invalid keyword"):
        message.append(1, signatur="i")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="no positional"):
        message.get_args_list(True)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", sorted(set(dir(Message)) - set(dir(object))))
def test_every_method_is_documented(name: str) -> None:
    assert (getattr(Message, name).__doc__ or "").strip(), name


# Lifetime and threads ---------------------------------------------------------------------------


def test_messages_are_freed() -> None:
    marker = object()

    def use_messages() -> None:
        class Holder(SignalMessage):
            pass

        messages = [signal() for _ in range(50)] + [Holder("/a", "b.c", "d") for _ in range(50)]
        for message in messages:
            message.append("x" * 1000)
            message.copy()
        messages[60].marker = marker  # type: ignore[attr-defined]

    use_messages()  # what the interpreter keeps of a first run
    gc.collect()
    before = sys.getrefcount(SignalMessage), sys.getrefcount(marker)
    use_messages()
    gc.collect()
    assert (sys.getrefcount(SignalMessage), sys.getrefcount(marker)) == before


def test_reading_and_appending_from_several_threads() -> None:
    message = signal()
    failures: "list[BaseException]" = []

    def work(number: int) -> None:
        try:
            for _ in range(50):
                message.append(number)
                arguments = message.get_args_list()
                assert len(arguments) == len(message.get_signature())
                message.set_member("Member%d" % number)
                assert message.get_member().startswith("Member")
        except BaseException as error:  # handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    counts = [message.get_args_list().count(dbus.Int32(i)) for i in range(4)]
    assert counts == [50] * 4
