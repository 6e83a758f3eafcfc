# SPDX-License-Identifier: MIT
"""Choices and values out of the bytes of one input, the same each time.

At the end of the input every choice is the first and every number the lowest, so whatever is made
of an input comes to an end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
LARGE = 32768


class Source:
    """Reads an input from its beginning."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.large_left = 0  # how many large blocks there may be: to look at each byte takes long

    def byte(self) -> int:
        """The next byte; 0 at the end."""
        at = self.at
        self.at = at + 1
        return self.data[at] if at < len(self.data) else 0

    def block(self, size: int) -> bytes:
        """The next bytes, as many as there are up to ``size``."""
        at = self.at
        self.at = at + size
        return self.data[at : at + size]

    def rest(self) -> bytes:
        """All that is left."""
        return self.block(max(0, len(self.data) - self.at))

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.data)

    def chance(self, one_in: int) -> bool:
        """True once in so many; False at the end."""
        return self.byte() % one_in == 1 % one_in

    def choice(self, of: Sequence[T]) -> T:
        """One of them."""
        return of[self.byte() % len(of)]

    def integer(self, low: int, high: int) -> int:
        """A number of this range, often one of its ends or a small one."""
        how = self.byte()
        if how < 32:
            return (low, high, max(low, 0), min(high, low + 1))[how % 4]
        if how < 128:
            return min(high, max(low, how - 64))
        size = ((high - low).bit_length() + 7) // 8
        return low + int.from_bytes(self.block(size), "little") % (high - low + 1)

    def size(self, most: int = 8) -> int:
        """A number of items."""
        return 0 if self.ended else self.byte() % (most + 1)

    def large(self) -> bytes:
        """A few bytes again and again, about as many as the encoder no longer copies (encode.h)."""
        self.large_left -= 1
        size = LARGE - 8 + self.byte()
        piece = self.block(8) or b"x"
        return (piece * (size // len(piece) + 1))[:size]

    def text(self, most: int = 24) -> str:
        """A str without NUL and surrogates."""
        size = self.byte()
        if size >= 254 and self.large_left > 0:
            data = self.large()
        else:
            data = self.block(size % most if size < 240 else size * 5)
        return data.decode("utf-8", "replace").replace("\0", "0")

    def wild_text(self) -> str:
        """Any str: the rest, read as UTF-8 with surrogates, or byte for byte."""
        if self.chance(4):
            return self.rest().decode("latin-1")
        try:
            return self.rest().decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return self.data[1:].decode("utf-8", "surrogateescape")
