# SPDX-License-Identifier: MIT
"""Types for the annotations of service methods: a Python type with a D-Bus signature in one.

::

    from typing import Annotated

    Point = Annotated[tuple[int, int], DBusSignature("(ii)")]

    @dbus_method()
    def move(self, by: Point, name: DBusStr) -> DBusBool: ...

Type checkers see the first part, the decorators of `dbus.aio.service` the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from dbus.aio.signature import Variant

__all__ = (
    "DBusBool",
    "DBusByte",
    "DBusBytes",
    "DBusDict",
    "DBusDouble",
    "DBusInt16",
    "DBusInt32",
    "DBusInt64",
    "DBusObjectPath",
    "DBusSignature",
    "DBusSignatureType",
    "DBusStr",
    "DBusUInt16",
    "DBusUInt32",
    "DBusUInt64",
    "DBusUnixFd",
    "DBusVariant",
)


@dataclass(frozen=True)
class DBusSignature:
    """The D-Bus ``signature`` of an annotated type; it is checked where the annotation is used."""

    signature: str


DBusBool = Annotated[bool, DBusSignature("b")]
DBusByte = Annotated[int, DBusSignature("y")]
DBusInt16 = Annotated[int, DBusSignature("n")]
DBusUInt16 = Annotated[int, DBusSignature("q")]
DBusInt32 = Annotated[int, DBusSignature("i")]
DBusUInt32 = Annotated[int, DBusSignature("u")]
DBusInt64 = Annotated[int, DBusSignature("x")]
DBusUInt64 = Annotated[int, DBusSignature("t")]
DBusDouble = Annotated[float, DBusSignature("d")]
DBusStr = Annotated[str, DBusSignature("s")]
DBusObjectPath = Annotated[str, DBusSignature("o")]
#: A value that is itself a signature.
DBusSignatureType = Annotated[str, DBusSignature("g")]
DBusUnixFd = Annotated[int, DBusSignature("h")]
DBusVariant = Annotated[Variant, DBusSignature("v")]
DBusBytes = Annotated[bytes, DBusSignature("ay")]
DBusDict = Annotated[dict[str, Variant], DBusSignature("a{sv}")]
