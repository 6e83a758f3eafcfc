# SPDX-License-Identifier: MIT
"""copy and pickle: equal values of the same type; ours keep what programs do not want to lose.

A shallow copy of anything but an array or dictionary is outside of all variants: python-dbusmock
makes such copies for that.
"""

from __future__ import annotations

import copy
import pickle
from typing import Any, Callable

import pytest

import dbus

WHY = "pickle and deep copies keep variant_level and signature, shallow copies the signature"
VALUES = [
    dbus.Byte(5, variant_level=1),
    dbus.Boolean(True, variant_level=1),
    dbus.Int16(-5, variant_level=1),
    dbus.UInt16(5, variant_level=1),
    dbus.Int32(-5, variant_level=2),
    dbus.UInt32(5, variant_level=1),
    dbus.Int64(-(2**63), variant_level=1),
    dbus.UInt64(2**64 - 1, variant_level=1),
    dbus.Double(2.5, variant_level=1),
    dbus.String("text\0\ud800", variant_level=3),
    dbus.ObjectPath("/a/b", variant_level=1),
    dbus.Signature("a{sv}", variant_level=1),
    dbus.ByteArray(b"bytes", variant_level=1),
    dbus.Array([dbus.Int16(5, variant_level=1)], signature="v", variant_level=1),
    dbus.Dictionary({dbus.String("k"): dbus.Byte(1)}, signature="sy", variant_level=2),
    dbus.Struct((dbus.Byte(1), [1]), signature="yai", variant_level=1),
]
WAYS: "dict[str, Callable[[Any], Any]]" = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle-{n}": lambda v, n=n: pickle.loads(pickle.dumps(v, n))
        for n in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
}


def level(value: Any, way: str) -> int:
    """The variant_level of our copy."""
    drops = way == "copy" and not isinstance(value, (dbus.Array, dbus.Dictionary))
    return 0 if drops else value.variant_level


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_copies(value: Any, way: str, differs: Any) -> None:
    again = WAYS[way](value)
    assert type(again) is type(value)
    assert again == value
    assert again.variant_level == differs(ours=level(value, way), reference=0, why=WHY)
    if hasattr(value, "signature"):
        assert again.signature == differs(ours=value.signature, reference=None, why=WHY)


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_copies_of_plain_values(value: Any) -> None:
    plain = type(value)(value)
    for way in WAYS.values():
        again = way(plain)
        assert (type(again), repr(again)) == (type(plain), repr(plain)) or hasattr(
            value, "signature"
        )
        assert again == plain


def test_deep_copies_are_deep() -> None:
    inner = dbus.Array([1])
    for outer in (dbus.Array([inner]), dbus.Dictionary({0: inner}), dbus.Struct((inner,))):
        assert copy.copy(outer)[0] is inner
        again = copy.deepcopy(outer)
        assert again[0] == inner and again[0] is not inner


def test_descriptors_cannot_be_copied_or_pickled() -> None:
    made = dbus.types.UnixFd(0)
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            attempt(made)


def test_messages_cannot_be_pickled() -> None:
    message = dbus.lowlevel.SignalMessage("/", "a.b", "S")
    with pytest.raises(TypeError):
        pickle.dumps(message)


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_subclasses(value: Any, differs: Any) -> None:
    made = SUBCLASSES[type(value)](value, variant_level=4)
    for way in ("copy", "deepcopy"):
        again = WAYS[way](made)
        assert type(again) is type(made)
        assert again == made
        assert again.variant_level == differs(ours=level(made, way), reference=0, why=WHY)


SUBCLASSES = {
    cls: type(f"My{cls.__name__}", (cls,), {}) for cls in {type(value) for value in VALUES}
}
