# SPDX-License-Identifier: MIT
"""A marshaller of its own for both byte orders (D-Bus Specification), to judge ours by.

Values are in *wire form*: int, float, str, list, dict and tuple, bytes for many of type y, and a
pair (signature, value) for a variant.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

FORMATS = {
    "y": "B", "n": "h", "q": "H", "i": "i", "u": "I", "h": "I", "b": "I", "x": "q", "t": "Q",
    "d": "d",
}  # fmt: skip
ALIGN = {
    "y": 1, "g": 1, "v": 1, "n": 2, "q": 2, "i": 4, "u": 4, "h": 4, "b": 4, "s": 4, "o": 4,
    "a": 4, "x": 8, "t": 8, "d": 8, "(": 8, "{": 8,
}  # fmt: skip


def end_of_type(signature: str, at: int) -> int:
    """Where the complete type ends that begins at ``at``."""
    while signature[at] == "a":
        at += 1
    if signature[at] not in "({":
        return at + 1
    depth = 0
    while True:
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(signature[at], 0)
        at += 1
        if depth == 0:
            return at


def complete_types(signature: str) -> Iterator[str]:
    """The complete types of a valid signature."""
    at = 0
    while at < len(signature):
        end = end_of_type(signature, at)
        yield signature[at:end]
        at = end


class Wire:
    """Marshals into ``data``; ``order`` is "<" or ">"."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.data = bytearray()

    def pad(self, to: int) -> None:
        """Zeros up to a multiple of ``to``."""
        self.data.extend(bytes(-len(self.data) % to))

    def put_all(self, signature: str, values: Any) -> Wire:
        """A value for each complete type."""
        for code, value in zip(complete_types(signature), values):
            self.put(code, value)
        return self

    def put(self, code: str, value: Any) -> None:
        """One value of one complete type."""
        first = code[0]
        self.pad(ALIGN[first])
        if first in FORMATS:
            self.data += struct.pack(self.order + FORMATS[first], value)
        elif first in "sog":
            text = value.encode()
            self.data += struct.pack(
                self.order + "B" if first == "g" else self.order + "I", len(text)
            )
            self.data += text + b"\0"
        elif first == "v":
            self.put("g", value[0])
            self.put(*value)
        elif first == "(":
            self.put_all(code[1:-1], value)
        elif first == "{":
            self.put_all(code[1:-1], value)
        else:
            self.put_array(code[1:], value.items() if code[1] == "{" else value)

    def put_array(self, code: str, items: Any) -> None:
        """An array's length, padding and items."""
        self.data += bytes(4)
        at = len(self.data)
        self.pad(ALIGN[code[0]])
        start = len(self.data)
        if isinstance(items, bytes):
            self.data += items
        else:
            for item in items:
                self.put(code, item)
        struct.pack_into(self.order + "I", self.data, at - 4, len(self.data) - start)


def message(
    order: str, kind: int, flags: int, serial: int, fields: dict[int, tuple[str, Any]], body: bytes
) -> bytes:
    """A whole message; ``fields`` are its header fields as variants, by number."""
    wire = Wire(order)
    wire.data += bytes([ord("l" if order == "<" else "B"), kind, flags, 1])
    wire.put_all("uua(yv)", (len(body), serial, list(fields.items())))
    wire.pad(8)
    return bytes(wire.data) + body


def body_of(data: bytes) -> bytes:
    """The body of a marshalled message."""
    (fields,) = struct.unpack("<I" if data[:1] == b"l" else ">I", data[12:16])
    start: int = (16 + fields + 7) & ~7
    return data[start:]
