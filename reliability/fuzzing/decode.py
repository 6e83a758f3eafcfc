# SPDX-License-Identifier: MIT
"""Bytes as messages: any at all, under a good header, and good ones in both byte orders."""

from __future__ import annotations

from typing import Any

import _fuzz
from fuzzing import values, wire
from fuzzing.source import Source
from fuzzing.values import expect

from dbus import validate_bus_name
from dbus.aio import Message as Plain
from dbus.lowlevel import ErrorMessage, Message, MethodReturnMessage

GETTERS = [name for name in dir(Message) if name.startswith("get_") and name != "get_args_list"]
FLAVOURS = 3


def allowed(error: Exception, data: bytes) -> None:
    """A message that was accepted can be read, but for descriptors that are not there."""
    if not (type(error) is ValueError and b"h" in data):
        raise error


def read(message: Any, data: bytes) -> None:
    """Everything that can be asked of a message, and its way back into bytes."""
    for name in GETTERS:
        getattr(message, name)()
    repr(message)
    try:
        seen = repr(message.get_args_list())
        repr(message.get_args_list(byte_arrays=True))
    except ValueError as error:
        allowed(error, data)
        return
    again = Message.demarshal(message.marshal())
    expect(type(again) is type(message), data)
    expect(repr(again.get_args_list()) == seen, data)
    expect(repr(message.copy().get_args_list()) == seen, data)
    expect(again.marshal() == message.marshal(), data)
    if message.get_type() <= 4:
        read_plain(message, seen)
    MethodReturnMessage(message)
    ErrorMessage(message, "a.b", "text")
    try:
        again.append("more")
    except ValueError:  # the signature or the message would be too long
        expect(repr(again.get_args_list()) == seen, data)


def has_good_names(message: Any) -> bool:
    """Whether the bus names are such that may be sent: libdbus reads `:1` too, and `:.1`."""
    try:
        for name in (message.get_sender(), message.get_destination()):
            if name is not None:
                validate_bus_name(name)
    except ValueError:
        return False
    return True


def read_plain(message: Any, seen: str) -> None:
    """The same as a message of dbus.aio, which has to say the same again."""
    plain = Plain._from_bindings(message)
    repr(plain)
    expect(len(plain.signature_tree.types) == len(plain.body), plain)
    try:
        back = plain._to_bindings()
    except ValueError:
        expect(not has_good_names(message), plain)
        return
    expect(repr(back.get_args_list()) == seen, seen, plain)
    for name in GETTERS:
        if name not in ("get_serial", "get_auto_start"):
            expect(getattr(back, name)() == getattr(message, name)(), name, plain)


def demarshal(data: bytes) -> None:
    """Any bytes; ValueError is the answer to those that are no message."""
    try:
        message = Message.demarshal(data)
    except ValueError:
        return
    read(message, data)


def header(source: Source) -> dict[int, tuple[str, Any]]:
    """The fields of a header that is fit to be read, or nearly."""
    fields: dict[int, tuple[str, Any]] = {
        1: ("o", values.path(source)),
        2: ("s", "a.b"),
        3: ("s", "M"),
        4: ("s", "a.b.E"),
        5: ("u", 1 + source.byte()),
    }
    more = source.byte()
    if more & 1:
        fields[6] = ("s", "a.b")
    if more & 2:
        fields[7] = ("s", ":1.5")
    if more & 4 and more & 8:
        fields[9] = ("u", source.byte() % 3)
    if more & 16 and more & 32:
        kind = values.one_type(source)
        fields[20 + source.byte() % 236] = (kind, values.wire_value(source, kind))
    return fields


def with_header(source: Source, order: str) -> None:
    """A good header, and whatever follows as the body of any signature."""
    kind, fields = source.byte() % 6, header(source)
    if source.chance(8):
        signature = source.block(source.byte()).decode("ascii", "replace")
    else:
        signature = values.any_signature(source)
    if signature:
        fields[8] = ("g", signature[:255].replace("\ufffd", "y").replace("\0", "y"))
    body = source.rest()
    demarshal(wire.message(order, kind, source.byte(), 1, fields, body))


def good(source: Source, order: str) -> None:
    """A good message, whose values have to come out as they went in."""
    kind, fields, signature = 1 + source.byte() % 4, header(source), values.any_signature(source)
    fields = {number: value for number, value in fields.items() if number not in (8, 9)}
    types = list(wire.complete_types(signature))
    wanted = [values.wire_value(source, code) for code in types]
    if signature:
        fields[8] = ("g", signature)
    body = bytes(wire.Marshaller(order).put(signature, *wanted).data)
    data = wire.message(order, kind, source.byte() & 7, 1 + source.byte(), fields, body)
    message = Message.demarshal(data)
    expect(message.marshal() == data, data)  # before libdbus brings it into our byte order
    for blocks in (False, True):
        got = message.get_args_list(byte_arrays=blocks)
        expect(len(got) == len(types), got)
        for code, value, one in zip(types, wanted, got):
            values.check_typed(code, value, one, 0, blocks)
    for code, value, one in zip(types, wanted, Plain._from_bindings(message).body):
        values.check_native(code, value, one)
    read(message, data)


def unvalidated(source: Source, _order: str) -> None:
    """The decoder itself, on bytes that nobody has looked at."""
    how, n_fds = source.byte(), source.byte()
    signature = values.any_signature(source)
    if how & 16 and signature:
        signature += "h"
    body = source.rest()
    for flavour in range(FLAVOURS):
        try:
            repr(_fuzz.decode_body(signature, body, flavour, how & 8, n_fds % 5))
        except ValueError:
            pass


def target(data: bytes) -> None:
    """One input."""
    source = Source(data)
    how = source.byte()
    if how < 64:
        demarshal(data[1:])
    elif how == ord("l") or how == ord("B"):
        demarshal(data)
    else:
        one = (with_header, good, good, unvalidated)[how % 4]
        one(source, "<" if how & 16 else ">")
