# SPDX-License-Identifier: MIT
"""Messages on a bus: what one connection sends is what another one receives."""

from __future__ import annotations

import os
from typing import Any

import pytest
from glibloop import run_until

import dbus
import dbus.lowlevel as low
import dbus.mainloop.glib

DRIVER = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")


@pytest.fixture
def received(bus: Any) -> Any:
    """(a connection with a GLib loop, the list of signals and calls that it was sent)."""
    connection = bus.connection(mainloop=dbus.mainloop.glib.DBusGMainLoop())
    messages: "list[Any]" = []

    def keep(_connection: Any, message: Any) -> int:
        if message.get_interface() == "com.example.I":
            messages.append(message)
            return low.HANDLER_RESULT_HANDLED
        return low.HANDLER_RESULT_NOT_YET_HANDLED

    connection.add_message_filter(keep)
    yield connection, messages
    connection.remove_message_filter(keep)


def signal_to(connection: Any) -> Any:
    message = low.SignalMessage("/a/b", "com.example.I", "Sig")
    message.set_destination(connection.get_unique_name())
    return message


def transfer(conn: Any, received: Any, message: Any) -> Any:
    connection, messages = received
    count = len(messages)
    conn.send_message(message)
    conn.flush()
    run_until(lambda: len(messages) > count)
    return messages[-1]


def test_header_of_a_signal(conn: Any, received: Any) -> None:
    got = transfer(conn, received, signal_to(received[0]))
    assert type(got) is low.SignalMessage
    assert got.get_sender() == conn.get_unique_name()
    assert got.has_sender(conn.get_unique_name()) is True
    assert got.get_destination() == received[0].get_unique_name()
    assert (got.get_path(), got.get_interface(), got.get_member()) == (
        "/a/b",
        "com.example.I",
        "Sig",
    )
    assert got.get_serial() != 0
    assert got.get_no_reply() is True


def test_header_of_a_call(conn: Any, received: Any) -> None:
    message = low.MethodCallMessage(received[0].get_unique_name(), "/x", "com.example.I", "Method")
    message.set_no_reply(True)
    message.set_auto_start(False)
    message.set_allow_interactive_authorization(True)
    got = transfer(conn, received, message)
    assert type(got) is low.MethodCallMessage
    assert (
        got.get_no_reply(),
        got.get_auto_start(),
        got.get_allow_interactive_authorization(),
    ) == (True, False, True)
    assert got.get_serial() == message.get_serial() != 0


VALUES: "list[tuple[str, tuple[Any, ...]]]" = [
    ("", ()),
    (
        "ybnqiuxtdsog",
        (255, True, -5, 5, -5, 5, -(2**60), 2**63, 0.1, "\u20ac\U0001f600", "/o", "a{sv}"),
    ),
    ("v", (dbus.UInt16(5, variant_level=3),)),
    ("a{sv}", ({"a": 1, "b": [1.5], "c": (b"x", {"d": dbus.ObjectPath("/")})},)),
    ("aya{ia(sv)}", (bytes(range(256)), {1: [("x", 1)], 2: []})),
    ("a(ya{sas})", ([(1, {"k": ["a", "b"]})] * 50,)),
    ("s", ("x" * 300000,)),
]


@pytest.mark.parametrize("signature, values", VALUES, ids=[s or "empty" for s, _ in VALUES])
def test_values_arrive_as_they_were_written(
    conn: Any, received: Any, signature: str, values: Any
) -> None:
    message = signal_to(received[0])
    message.append(*values, signature=signature)
    got = transfer(conn, received, message)
    assert got.get_signature() == signature
    assert repr(got.get_args_list()) == repr(message.get_args_list())
    assert repr(got.get_args_list(byte_arrays=True)) == repr(
        message.get_args_list(byte_arrays=True)
    )


def test_a_descriptor_arrives_open(conn: Any, received: Any) -> None:
    read_end, write_end = os.pipe()
    try:
        message = signal_to(received[0])
        message.append(
            dbus.types.UnixFd(write_end), {"fd": dbus.types.UnixFd(write_end)}, signature="ha{sv}"
        )
        os.close(write_end)
        got = transfer(conn, received, message)
        plain, mapped = got.get_args_list()
        for fd in (plain.take(), mapped["fd"].take()):
            os.write(fd, b"x")
            os.close(fd)
        assert os.read(read_end, 10) == b"xx"
    finally:
        os.close(read_end)


def test_many_descriptors(conn: Any, received: Any) -> None:
    message = signal_to(received[0])
    message.append([0] * 16, signature="ah")
    got = transfer(conn, received, message)
    fds = [item.take() for item in got.get_args_list()[0]]
    assert len(set(fds)) == 16
    for fd in fds:
        os.close(fd)


def test_a_received_message_can_be_sent_on(conn: Any, received: Any) -> None:
    message = signal_to(received[0])
    message.append("x", [1])
    got = transfer(conn, received, message)
    again = got.copy()
    again.set_destination(received[0].get_unique_name())
    again.append("more")
    assert transfer(conn, received, again).get_args_list() == ["x", [1], "more"]


def test_a_message_sent_twice_arrives_twice(conn: Any, received: Any) -> None:
    message = signal_to(received[0])
    first = transfer(conn, received, message)
    second = transfer(conn, received, message)
    assert first.get_serial() == second.get_serial() == message.get_serial()


def test_serials_grow(conn: Any) -> None:
    serials = []
    for _ in range(3):
        message = low.SignalMessage("/", "a.b", "S")
        assert message.get_serial() == 0
        serials.append(conn.send_message(message))
        assert message.get_serial() == serials[-1]
    assert len(set(serials)) == 3 and serials == sorted(serials)
    assert 0 not in serials


def test_reply_and_error(conn: Any) -> None:
    message = low.MethodCallMessage(*DRIVER, "NameHasOwner")
    message.append("org.freedesktop.DBus")
    reply = conn.send_message_with_reply_and_block(message)
    assert type(reply) is low.MethodReturnMessage
    assert reply.get_reply_serial() == message.get_serial()
    assert reply.get_sender() == "org.freedesktop.DBus"
    assert reply.get_args_list() == [True]
    assert (reply.get_path(), reply.get_member()) == (None, None)
    with pytest.raises(dbus.DBusException) as caught:
        conn.send_message_with_reply_and_block(low.MethodCallMessage(*DRIVER, "NoSuchMethod"))
    assert caught.value.get_dbus_name() == "org.freedesktop.DBus.Error.UnknownMethod"


def test_an_error_message_arrives(conn: Any, received: Any) -> None:
    """The reply to an asynchronous call is handed over as a message, an error too."""
    connection, _ = received
    replies: "list[Any]" = []
    connection.send_message_with_reply(
        low.MethodCallMessage(*DRIVER, "NoSuchMethod"), replies.append
    )
    run_until(lambda: replies)
    (error,) = replies
    assert type(error) is low.ErrorMessage
    assert error.get_error_name() == "org.freedesktop.DBus.Error.UnknownMethod"
    assert error.is_error("org.freedesktop.DBus.Error.UnknownMethod") is True
    assert len(error.get_args_list()) == 1
    assert error.get_reply_serial() != 0


def test_a_large_message(conn: Any, received: Any) -> None:
    data = os.urandom(1 << 16) * 64
    message = signal_to(received[0])
    message.append(data, signature="ay")
    assert transfer(conn, received, message).get_args_list(byte_arrays=True) == [data]
