# SPDX-License-Identifier: MIT
"""message_bytes: a message as bytes, and bytes as a message."""

from __future__ import annotations

import os
import struct
import sys
from typing import Any

import pytest
from wire import Marshaller

import dbus
from dbus.exceptions import DBusException
from dbus.lowlevel import (
    ErrorMessage,
    Message,
    MethodCallMessage,
    MethodReturnMessage,
    SignalMessage,
)

LITTLE = sys.byteorder == "little"
GETTERS = [name for name in dir(Message) if name.startswith("get_") and name != "get_serial"]


def call() -> MethodCallMessage:
    return MethodCallMessage("org.example.Name", "/a/b", "org.example.Test", "Do")


def received(serial: int = 9) -> Any:
    return Message.demarshal(call().marshal(serial))


def flagged() -> MethodCallMessage:
    message = call()
    message.set_no_reply(True)
    message.set_auto_start(False)
    message.set_allow_interactive_authorization(True)
    message.set_sender(":1.7")
    return message


MESSAGES: "list[Any]" = [
    call(),
    flagged(),
    MethodCallMessage(None, "/", None, "Do"),
    MethodReturnMessage(received()),
    ErrorMessage(received(), "org.example.Error", "a text"),
    SignalMessage("/a", "org.example.Test", "Happened"),
]
ARGUMENTS: "list[tuple[str, list[Any]]]" = [
    ("", []),
    ("ybnqiuxtd", [1, True, -2, 3, -4, 5, -6, 7, 0.5]),
    ("sog", ["\u20ac", "/a", "a{sv}"]),
    ("ayasa{sv}", [b"ab", ["x", ""], {"k": dbus.Int32(1, variant_level=2)}]),
    ("(ya(iv))", [(1, [(2, "x"), (3, dbus.Array([], "s"))])]),
]


@pytest.mark.parametrize(("signature", "arguments"), ARGUMENTS)
@pytest.mark.parametrize("message", MESSAGES)
def test_there_and_back(message: Any, signature: str, arguments: "list[Any]") -> None:
    message = message.copy()
    if signature:
        message.append(*arguments, signature=signature)
    data = message.marshal()
    again = Message.demarshal(data)
    assert type(data) is bytes
    assert type(again) is type(message)
    for name in GETTERS:
        assert repr(getattr(again, name)()) == repr(getattr(message, name)()), name
    assert again.marshal() == data


def test_the_bytes_are_those_of_the_specification() -> None:
    message = SignalMessage("/", "a.b", "C")
    message.append(7, signature="y")
    order = "<" if LITTLE else ">"
    text = struct.pack(order + "I", 3)
    assert message.marshal() == b"".join(
        [
            b"l" if LITTLE else b"B", b"\4\1\1", struct.pack(order + "III", 1, 1, 55),
            b"\1\1o\0", struct.pack(order + "I", 1), b"/\0".ljust(8, b"\0"),
            b"\2\1s\0", text, b"a.b\0".ljust(8, b"\0"),
            b"\3\1s\0", struct.pack(order + "I", 1), b"C\0".ljust(8, b"\0"),
            b"\x08\1g\0\1y\0".ljust(8, b"\0"), b"\7",
        ]
    )  # fmt: skip


# Serials -----------------------------------------------------------------------------------------


def test_the_serial() -> None:
    message = call()
    assert Message.demarshal(message.marshal()).get_serial() == 1
    assert message.get_serial() == 0
    assert Message.demarshal(message.marshal(serial=2**32 - 1)).get_serial() == 2**32 - 1
    again = received(9)
    assert again.get_serial() == 9
    assert Message.demarshal(again.marshal()).get_serial() == 9
    assert Message.demarshal(again.marshal(5)).get_serial() == 5
    assert Message.demarshal(again.marshal(None)).get_serial() == 9
    assert again.get_serial() == 9


@pytest.mark.parametrize(
    ("serial", "error"),
    [(0, ValueError), (2**32, OverflowError), (2**64, OverflowError), (-1, OverflowError),
     ("1", TypeError), (1.0, TypeError)],
)  # fmt: skip
def test_a_serial_that_is_none(serial: Any, error: "type[Exception]") -> None:
    with pytest.raises(error):
        call().marshal(serial)


def test_a_message_that_was_sent(bus: Any) -> None:
    connection = bus.connection()
    message = SignalMessage("/a", "a.b", "C")
    connection.send_message(message)
    assert message.get_serial() != 0
    assert Message.demarshal(message.marshal()).get_serial() == message.get_serial()
    with pytest.raises(ValueError, match="has been sent"):
        message.append(1)
    connection.close()


def test_sending_what_came_from_bytes(bus: Any) -> None:
    connection = bus.connection()
    bytes_ = MethodCallMessage(dbus.BUS_DAEMON_NAME, "/", dbus.BUS_DAEMON_IFACE, "GetId").marshal()
    for _ in range(2):
        reply = connection.send_message_with_reply_and_block(Message.demarshal(bytes_))
        assert len(reply.get_args_list()[0]) == 32
    connection.close()


def test_changing_what_came_from_bytes() -> None:
    message = received()
    message.append("x", 5)
    message.set_member("Other")
    assert Message.demarshal(message.marshal()).get_args_list() == ["x", 5]
    assert Message.demarshal(message.marshal()).get_member() == "Other"


# What is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["path", "member"])
def test_a_message_that_lacks_a_field(field: str) -> None:
    message = call()
    getattr(message, f"set_{field}")(None)
    with pytest.raises(ValueError, match=f"without its field {field}"):
        message.marshal()


def test_a_reserved_path() -> None:
    with pytest.raises(ValueError, match="reserved"):
        SignalMessage("/org/freedesktop/DBus/Local", "a.b", "C").marshal()


def test_a_message_that_was_never_made() -> None:
    with pytest.raises(DBusException, match="uninitialized"):
        SignalMessage.__new__(SignalMessage).marshal()
    with pytest.raises(DBusException, match="uninitialized"):
        Message().marshal()


def test_descriptors_have_no_form_as_bytes() -> None:
    message = call()
    before = set(os.listdir("/proc/self/fd"))
    message.append(0, signature="h")
    with pytest.raises(ValueError, match="file descriptors"):
        message.marshal()
    del message
    assert set(os.listdir("/proc/self/fd")) == before


def with_fields(
    *fields: "tuple[int, tuple[str, Any]]", order: bytes = b"B", kind: int = 4
) -> bytes:
    header = Marshaller(">")
    header.data += order + bytes([kind, 0, 1])
    header.put("uua(yv)", 0, 1, [(1, ("o", "/")), (2, ("s", "a.b")), (3, ("s", "C")), *fields])
    header.pad(8)
    return bytes(header.data)


GOOD = with_fields()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "at least 16 bytes, these are 0"),
        (GOOD[:15], "at least 16 bytes, these are 15"),
        (GOOD[:-1], f"has {len(GOOD)} bytes, but only {len(GOOD) - 1} are there"),
        (GOOD + b"\0", f"ends after {len(GOOD)} bytes, but 1 more follow"),
        (GOOD + GOOD, f"but {len(GOOD)} more follow"),
        (bytes(16), "do not begin with the header"),
        (b"x" + GOOD[1:], "do not begin with the header"),
        (GOOD[:4] + b"\xff" * 4 + GOOD[8:], "do not begin with the header"),
        (GOOD[:1] + b"\0" + GOOD[2:], "Bad message type"),
        (GOOD[:3] + b"\2" + GOOD[4:], "(?i)version"),
        (GOOD[:8] + bytes(4) + GOOD[12:], "Bad serial"),
        (with_fields((6, ("s", "no name"))), "(?i)destination"),
        (with_fields((0, ("s", "x"))), "(?i)header field code"),
        (with_fields((9, ("u", 1))), "file descriptor missing"),
        (with_fields((8, ("g", "i"))), "(?i)body is too short|not enough data"),
    ],
)
def test_bytes_that_are_no_message(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Message.demarshal(data)


@pytest.mark.parametrize("data", ["text", None, 7, [1], object()])
def test_what_are_no_bytes(data: Any) -> None:
    with pytest.raises(TypeError):
        Message.demarshal(data)


def test_every_beginning_is_refused() -> None:
    data = flagged().marshal()
    for size in range(len(data)):
        with pytest.raises(ValueError):
            Message.demarshal(data[:size])


# What else comes in ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_bytes_of_all_sorts(form: Any) -> None:
    assert Message.demarshal(form(GOOD)).get_member() == "C"


@pytest.mark.parametrize("offset", range(8))
def test_bytes_at_any_place(offset: int) -> None:
    place = bytearray(offset) + GOOD
    assert Message.demarshal(memoryview(place)[offset:]).get_member() == "C"


def test_the_other_byte_order() -> None:
    message = Message.demarshal(GOOD)
    assert isinstance(message, SignalMessage)
    assert message.marshal() == GOOD
    assert message.marshal(serial=0x01020304)[8:12] == b"\1\2\3\4"
    body = Marshaller(">").put("ia{sv}", -5, {"k": ("x", -6)}).data
    data = bytearray(with_fields((8, ("g", "ia{sv}"))) + bytes(body))
    struct.pack_into(">I", data, 4, len(body))
    assert Message.demarshal(data).get_args_list() == [-5, {"k": -6}]


@pytest.mark.parametrize("kind", [5, 200, 255])
def test_a_type_that_is_not_known_yet(kind: int) -> None:
    message = Message.demarshal(with_fields(kind=kind))
    assert type(message) is Message
    assert message.get_type() == kind
    assert Message.demarshal(message.marshal()).get_type() == kind


def test_the_class_is_that_of_the_message() -> None:
    assert type(MethodCallMessage.demarshal(GOOD)) is SignalMessage
