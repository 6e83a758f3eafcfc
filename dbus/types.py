# SPDX-License-Identifier: MIT
"""The types of D-Bus values.

Each is a subclass of the built-in type that it resembles (UnixFd apart), immutable where that is,
and carries ``variant_level``: the number of variants that the value stands in.
"""

from _dbus_bindings import (
    Array,
    Boolean,
    Byte,
    ByteArray,
    Dictionary,
    Double,
    Int16,
    Int32,
    Int64,
    ObjectPath,
    Signature,
    String,
    Struct,
    UInt16,
    UInt32,
    UInt64,
    UnixFd,
)

__all__ = [
    "ObjectPath",
    "ByteArray",
    "Signature",
    "Byte",
    "Boolean",
    "Int16",
    "UInt16",
    "Int32",
    "UInt32",
    "Int64",
    "UInt64",
    "Double",
    "String",
    "Array",
    "Struct",
    "Dictionary",
    "UnixFd",
]
