# SPDX-License-Identifier: MIT
"""types/bytes.c: ByteArray, whose variant_level lies behind the bytes."""

import pytest

import dbus
from _dbus_bindings import _BytesBase


@pytest.mark.parametrize("length", list(range(20)) + [255, 4096])
def test_every_length(length):
    data = bytes(i % 256 for i in range(length))
    for cls in (dbus.ByteArray, _BytesBase, type("Mine", (dbus.ByteArray,), {})):
        value = cls(data, variant_level=7)
        assert value == data and hash(value) == hash(data) and len(value) == length
        assert value.variant_level == 7
        assert bytes(value) == data and value + b"x" == data + b"x"
        assert {value: 1}[data] == 1
        if hasattr(value, "__dict__"):
            value.__dict__["note"] = length
            assert (value.note, value.variant_level, value) == (length, 7, data)


def test_repr_and_str():
    assert repr(dbus.ByteArray(b"a'")) == 'dbus.ByteArray(b"a\'")'
    assert repr(dbus.ByteArray(b"a", variant_level=1)) == "dbus.ByteArray(b'a', variant_level=1)"
    assert str(dbus.ByteArray(b"a")) == "b'a'"


def test_takes_what_bytes_takes_alone():
    assert dbus.ByteArray() == b""
    assert dbus.ByteArray(3) == b"\0\0\0"
    assert dbus.ByteArray([1, 2]) == b"\1\2"
    assert dbus.ByteArray(bytearray(b"ab")) == b"ab"
    assert repr(dbus.ByteArray.fromhex("6162")) == "dbus.ByteArray(b'ab')"
    assert dbus.ByteArray(dbus.ByteArray(b"a", variant_level=3)).variant_level == 0
    with pytest.raises(TypeError):
        dbus.ByteArray("text")
    with pytest.raises(TypeError, match="positional"):
        dbus.ByteArray("text", "utf-8")
    with pytest.raises(TypeError):
        dbus.ByteArray(source=b"a")
    with pytest.raises(ValueError):
        dbus.ByteArray([256])
    with pytest.raises(ValueError):
        dbus.ByteArray(-1)
    with pytest.raises(ValueError, match="non-negative"):
        dbus.ByteArray(b"", variant_level=-1)
