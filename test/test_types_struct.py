# SPDX-License-Identifier: MIT
"""types/struct.c: Struct, whose signature and variant_level lie behind the items."""

import gc
import weakref

import pytest

import dbus


@pytest.mark.parametrize("length", list(range(1, 25)) + [1000])
def test_every_length(length):
    class Mine(dbus.Struct):
        pass

    items = tuple(range(length))
    for cls in (dbus.Struct, Mine):
        value = cls(items, signature="i" * min(length, 255), variant_level=6)
        assert value == items and hash(value) == hash(items) and len(value) == length
        assert value.signature == "i" * min(length, 255)
        assert value.variant_level == 6
        if cls is Mine:
            value.__dict__["note"] = length
            assert (value.note, value.variant_level, value) == (length, 6, items)


def test_is_a_tuple():
    value = dbus.Struct([1, "a"])
    assert value + (2,) == (1, "a", 2) and value[:1] == (1,) and isinstance(value, tuple)
    assert dbus.Struct("ab") == ("a", "b")
    assert dbus.Struct(iter([1])) == (1,)
    with pytest.raises(TypeError, match="unhashable"):
        hash(dbus.Struct([[]]))


def test_signature_and_level():
    assert dbus.Struct((1,)).signature is None
    assert dbus.Struct((1,)).variant_level == 0
    kept = dbus.Signature("i")
    assert dbus.Struct((1,), signature=kept).signature is kept
    assert repr(dbus.Struct((1,), signature="i").signature) == "dbus.Signature('i')"
    assert dbus.Struct((1, 2), signature="i").signature == "i"  # counted when it is sent
    assert dbus.Struct(dbus.Struct((1,), signature="i", variant_level=1)).signature is None


def test_repr():
    assert repr(dbus.Struct((1, "a"))) == "dbus.Struct((1, 'a'), signature=None)"
    assert repr(dbus.Struct((1,), signature="i", variant_level=2)) == (
        "dbus.Struct((1,), signature=dbus.Signature('i'), variant_level=2)"
    )
    items = []
    value = dbus.Struct((items,))
    items.append(value)
    assert repr(value) == ("dbus.Struct(([dbus.Struct((...), signature=None)],), signature=None)")


def test_empty():
    for empty in ((), [], "", iter(())):
        with pytest.raises(ValueError, match="may not be empty"):
            dbus.Struct(empty)


def test_arguments():
    for args in ((), ((1,), "i")):
        with pytest.raises(TypeError, match="exactly one positional"):
            dbus.Struct(*args)
    with pytest.raises(TypeError):
        dbus.Struct(iterable=(1,))
    with pytest.raises(TypeError):
        dbus.Struct((1,), colour=1)
    with pytest.raises(TypeError):
        dbus.Struct((1,), signature="i", variant_level=1, colour=1)
    with pytest.raises(TypeError):
        dbus.Struct(5)
    with pytest.raises(TypeError):
        dbus.Struct((1,), signature=5)
    with pytest.raises(ValueError):
        dbus.Struct((1,), signature="z")
    with pytest.raises(ValueError, match="non-negative"):
        dbus.Struct((1,), variant_level=-1)
    with pytest.raises(TypeError, match="not safe"):
        tuple.__new__(dbus.Struct, ())


def test_passes_on_what_iteration_raises():
    def items():
        yield 1
        raise KeyError("item")

    with pytest.raises(KeyError):
        dbus.Struct(items())


def test_cycles_are_collected():
    class Mine(dbus.Struct):
        pass

    class Mark(dbus.Signature):
        pass

    items = []
    value = Mine((items,), signature=Mark("ai"))
    items.append(value)
    value.signature.__dict__["owner"] = value

    class Canary:
        pass

    canary = Canary()
    value.__dict__["canary"] = canary
    gone = weakref.ref(canary)
    del items, value, canary
    gc.collect()
    assert gone() is None


def test_deep_nesting_is_freed_without_recursion():
    value = dbus.Struct((1,))
    for _ in range(100_000):
        value = dbus.Struct((value,))
    del value
