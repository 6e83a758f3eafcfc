# SPDX-License-Identifier: MIT
"""Signatures and values out of an input; what they are in Python; and whether that came back."""

from __future__ import annotations

import os
import struct
from typing import Any, Callable

from fuzzing.source import Source
from fuzzing.wire import complete_types

import dbus
from dbus.aio import Variant

BASIC = "ybnqiuxtdsog"
RANGES = {
    "y": (0, 2**8 - 1), "b": (0, 1), "n": (-(2**15), 2**15 - 1), "q": (0, 2**16 - 1),
    "i": (-(2**31), 2**31 - 1), "u": (0, 2**32 - 1), "x": (-(2**63), 2**63 - 1),
    "t": (0, 2**64 - 1),
}  # fmt: skip
CLASSES: dict[str, Any] = {
    "y": dbus.Byte, "b": dbus.Boolean, "n": dbus.Int16, "q": dbus.UInt16, "i": dbus.Int32,
    "u": dbus.UInt32, "x": dbus.Int64, "t": dbus.UInt64, "d": dbus.Double, "s": dbus.String,
    "o": dbus.ObjectPath, "g": dbus.Signature,
}  # fmt: skip
LETTERS = "abcxyzABCXYZ019_"
SIGNATURE_ROOM = 200


def one_type(source: Source, depth: int = 0, room: int = 24) -> str:
    """A complete type."""
    how = source.byte()
    if how < 128 or depth > 30 or room < 5:
        return BASIC[how % len(BASIC)]
    if how < 150:
        return "v"
    if how < 185:
        return "a" + one_type(source, depth + 1, room - 1)
    if how < 215:
        return f"a{{{source.choice(BASIC)}{one_type(source, depth + 2, room - 4)}}}"
    text = one_type(source, depth + 1, room - 2)
    while len(text) < room - 2 and source.byte() % 3 != 0:
        text += one_type(source, depth + 1, room - 2 - len(text))
    return f"({text})"


def any_signature(source: Source) -> str:
    """A valid signature of a few complete types."""
    if source.chance(16):  # arrays and structs in each other, up to the limits
        arrays, structs = source.byte() % 33, source.byte() % 31
        return "a" * arrays + "(" * structs + source.choice(BASIC) + ")" * structs
    text = ""
    for _ in range(source.size(4)):
        text += one_type(source)
    return text


def path(source: Source) -> str:
    """An object path."""
    parts = [
        "".join(source.choice(LETTERS) for _ in range(1 + source.byte() % 6))
        for _ in range(source.size(4))
    ]
    return "/" + "/".join(parts)


def wire_value(source: Source, code: str, depth: int = 0) -> Any:
    """A value of a complete type, in wire form."""
    first = code[0]
    if first in RANGES:
        return source.integer(*RANGES[first])
    if first == "h":  # only in signatures that are any text
        return source.choice((0, 1, 2, -1, 9999))
    if first == "d":
        return struct.unpack("<d", source.block(8).ljust(8, b"\0"))[0]
    if first == "s":
        return source.text()
    if first == "o":
        return path(source)
    if first == "g":
        return any_signature(source)
    if first == "v":
        kind = "y" if depth > 20 else one_type(source)
        return (kind, wire_value(source, kind, depth + 8))
    if first == "(":
        return tuple(wire_value(source, part, depth + 1) for part in complete_types(code[1:-1]))
    if code == "ay" and source.large_left > 0 and source.chance(16):
        return source.large()
    count = source.size(8 if depth < 4 else 1)
    if code[1] == "{":
        return {
            wire_value(source, code[2], depth): wire_value(source, code[3:-1], depth + 2)
            for _ in range(count)
        }
    return [wire_value(source, code[1:], depth + 1) for _ in range(count)]


def typed(code: str, value: Any, level: int = 0) -> Any:
    """The value as dbus-python's classes."""
    first = code[0]
    if first == "v":
        return typed(value[0], value[1], level + 1)
    if first in CLASSES:
        return CLASSES[first](value, variant_level=level)
    if first == "h":
        return value
    if first == "(":
        members = [typed(part, item) for part, item in zip(complete_types(code[1:-1]), value)]
        return dbus.Struct(members, signature=code[1:-1], variant_level=level)
    if code[1] == "{":
        entries = {typed(code[2], key): typed(code[3:-1], item) for key, item in value.items()}
        return dbus.Dictionary(entries, signature=code[2:-1], variant_level=level)
    if isinstance(value, bytes):
        return dbus.ByteArray(value, variant_level=level)
    return dbus.Array([typed(code[1:], item) for item in value], code[1:], variant_level=level)


def native(code: str, value: Any) -> Any:
    """The value as dbus.aio takes and gives it."""
    first = code[0]
    if first == "v":
        return Variant(value[0], native(*value))
    if first == "b":
        return bool(value)
    if first in CLASSES or first == "h":
        return value
    if first == "(":
        return tuple(native(part, item) for part, item in zip(complete_types(code[1:-1]), value))
    if code == "ay":
        return bytes(value)
    if code[1] == "{":
        return {native(code[2], key): native(code[3:-1], item) for key, item in value.items()}
    return [native(code[1:], item) for item in value]


def same_float(wanted: float, got: float) -> bool:
    """To the bit, but for what kind of NaN it is."""
    return struct.pack("<d", wanted) == struct.pack("<d", got) or wanted != wanted and got != got


def handles_changed(code: str, value: Any, change: Callable[[int], Any]) -> Any:
    """The value, in wire form, with each of type h given to ``change``, in their order."""
    first = code[0]
    if first == "h":
        return change(value)
    if first == "v":
        return (value[0], handles_changed(*value, change))
    if first == "(":
        types = complete_types(code[1:-1])
        return tuple(handles_changed(part, item, change) for part, item in zip(types, value))
    if first != "a" or isinstance(value, bytes):
        return value
    if code[1] == "{":
        return {
            handles_changed(code[2], key, change): handles_changed(code[3:-1], item, change)
            for key, item in value.items()
        }
    return [handles_changed(code[1:], item, change) for item in value]


def expect(truth: object, *what: object) -> None:
    """Raise AssertionError with what was seen unless it is true."""
    if not truth:
        raise AssertionError(" ".join(repr(part) for part in what))


def check_typed(code: str, wanted: Any, got: Any, level: int = 0, blocks: bool = False) -> None:
    """Whether ``got`` is what get_args_list() has to give for this value."""
    first = code[0]
    if first == "v":
        check_typed(wanted[0], wanted[1], got, level + 1, blocks)
        return
    expect(got.variant_level == level, code, wanted, got)
    if first == "h":
        expect(type(got) is dbus.types.UnixFd, code, got)
        fd = got.take()
        expect(os.path.sameopenfile(wanted, fd), code, wanted, got)
        os.close(fd)
    elif first in CLASSES:
        expect(type(got) is CLASSES[first], code, wanted, got)
        expect(same_float(wanted, got) if first == "d" else got == wanted, code, wanted, got)
    elif code == "ay" and blocks:
        expect(type(got) is dbus.ByteArray and got == bytes(wanted), code, wanted, got)
    elif first == "(":
        expect(type(got) is dbus.Struct and len(got) == len(wanted), code, wanted, got)
        for part, one, other in zip(complete_types(code[1:-1]), wanted, got):
            check_typed(part, one, other, 0, blocks)
    elif code[1] == "{":
        expect(type(got) is dbus.Dictionary and got.signature == code[2:-1], code, wanted, got)
        expect(len(got) == len(wanted), code, wanted, got)
        for (key, one), (got_key, other) in zip(wanted.items(), got.items()):
            check_typed(code[2], key, got_key, 0, blocks)
            check_typed(code[3:-1], one, other, 0, blocks)
    elif isinstance(wanted, bytes):
        expect(type(got) is dbus.Array and bytes(got) == wanted, code, wanted, got)
    else:
        expect(type(got) is dbus.Array and got.signature == code[1:], code, wanted, got)
        expect(len(got) == len(wanted), code, wanted, got)
        for one, other in zip(wanted, got):
            check_typed(code[1:], one, other, 0, blocks)


def check_native(code: str, wanted: Any, got: Any) -> None:
    """Whether ``got`` is what a body of dbus.aio has to hold for this value."""
    first = code[0]
    if first == "v":
        expect(type(got) is Variant and got.signature == wanted[0], code, wanted, got)
        check_native(wanted[0], wanted[1], got.value)
    elif first == "d":
        expect(type(got) is float and same_float(wanted, got), code, wanted, got)
    elif first in CLASSES or first == "h":
        plain = bool if first == "b" else str if first in "sog" else int
        expect(type(got) is plain and got == wanted, code, wanted, got)
    elif code == "ay":
        expect(type(got) is bytes and got == bytes(wanted), code, wanted, got)
    elif first == "(":
        expect(type(got) is tuple and len(got) == len(wanted), code, wanted, got)
        for part, one, other in zip(complete_types(code[1:-1]), wanted, got):
            check_native(part, one, other)
    elif code[1] == "{":
        expect(type(got) is dict and len(got) == len(wanted), code, wanted, got)
        for (key, one), (got_key, other) in zip(wanted.items(), got.items()):
            check_native(code[2], key, got_key)
            check_native(code[3:-1], one, other)
    else:
        expect(type(got) is list and len(got) == len(wanted), code, wanted, got)
        for one, other in zip(wanted, got):
            check_native(code[1:], one, other)
