# SPDX-License-Identifier: MIT
"""Messages of the marshaller that judges ours: reliability/wire.py, which needs no libdbus.

Values are in *wire form*: int, float, str, list, dict and tuple, bytes for many of type y, and a
pair (signature, value) for a variant.
"""

from __future__ import annotations

import struct
from typing import Any

from wire import Marshaller as Marshaller
from wire import split as complete_types

__all__ = ("Marshaller", "body_of", "complete_types", "message")


def message(
    order: str, kind: int, flags: int, serial: int, fields: dict[int, tuple[str, Any]], body: bytes
) -> bytes:
    """A whole message; ``fields`` are its header fields as variants, by number."""
    header = Marshaller(order)
    header.data += bytes([ord("l" if order == "<" else "B"), kind, flags, 1])
    header.put("uua(yv)", len(body), serial, list(fields.items()))
    header.pad(8)
    return bytes(header.data) + body


def body_of(data: bytes) -> bytes:
    """The body of a marshalled message."""
    (fields,) = struct.unpack("<I" if data[:1] == b"l" else ">I", data[12:16])
    start: int = (16 + fields + 7) & ~7
    return data[start:]
