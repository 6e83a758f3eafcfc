# SPDX-License-Identifier: MIT
"""What a kind of operation is, and what they have in common."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Optional

PROBE = "com.example.Soak"
BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")


class Kind(NamedTuple):
    """One kind of operation."""

    run: Callable[[Any], Any]
    share: int = 1  # one of so many of N
    before: Optional[Callable[[Any], Any]] = None

    @property
    def name(self) -> str:
        """By its function."""
        return self.run.__name__.replace("_", " ")
