# SPDX-License-Identifier: MIT
"""types/dict.c: Dictionary."""

import gc
import weakref

import pytest

import dbus


def test_is_a_dict():
    value = dbus.Dictionary({"a": 1})
    value["b"] = 2
    assert value == {"a": 1, "b": 2} and isinstance(value, dict)
    assert dbus.Dictionary([(1, 2)]) == {1: 2} and dbus.Dictionary() == {}
    assert dbus.Dictionary(mapping_or_iterable={1: 2}) == {1: 2}
    assert repr(dbus.Dictionary.fromkeys("a")) == "dbus.Dictionary({'a': None}, signature=None)"
    with pytest.raises(TypeError, match="unhashable"):
        hash(value)


def test_signature_and_level():
    value = dbus.Dictionary({}, signature="sv", variant_level=2)
    assert repr(value.signature) == "dbus.Signature('sv')"
    assert value.variant_level == 2
    assert dbus.Dictionary({}, "sa{sv}").signature == "sa{sv}"
    assert dbus.Dictionary().signature is None
    kept = dbus.Signature("is")
    assert dbus.Dictionary({}, signature=kept).signature is kept
    for key in "ybnqiuxtdsogh":
        assert dbus.Dictionary({}, signature=key + "v").signature == key + "v"


def test_repr():
    assert repr(dbus.Dictionary({1: 2}, "ii", variant_level=1)) == (
        "dbus.Dictionary({1: 2}, signature=dbus.Signature('ii'), variant_level=1)"
    )
    loop = dbus.Dictionary()
    loop[1] = loop
    assert repr(loop) == (
        "dbus.Dictionary({1: dbus.Dictionary({...}, signature=None)}, signature=None)"
    )


@pytest.mark.parametrize("signature", ["vs", "aisi", "(i)s", "as", "", "a{ss}s"])
def test_key_is_basic(signature):
    with pytest.raises(ValueError, match="primitive"):
        dbus.Dictionary({}, signature=signature)
    with pytest.raises(ValueError, match="primitive"):
        dbus.Dictionary({}, signature=dbus.Signature(signature))


@pytest.mark.parametrize("signature", ["s", "sss", "sas(i)"])
def test_signature_is_two_complete_types(signature):
    with pytest.raises(ValueError, match="exactly two complete types"):
        dbus.Dictionary({}, signature=signature)


def test_arguments():
    with pytest.raises(ValueError):
        dbus.Dictionary({}, signature="sz")
    for signature in (5, b"sv"):
        with pytest.raises(TypeError):
            dbus.Dictionary({}, signature=signature)
    with pytest.raises(TypeError):
        dbus.Dictionary(5)
    with pytest.raises(TypeError):
        dbus.Dictionary([1])
    with pytest.raises(TypeError):
        dbus.Dictionary(a=1)
    with pytest.raises(TypeError):
        dbus.Dictionary({}, "sv", 1, 2)
    with pytest.raises(ValueError, match="non-negative"):
        dbus.Dictionary({}, variant_level=-1)


def test_attributes_are_read_only():
    value = dbus.Dictionary({}, signature="sv")
    for name in ("signature", "variant_level"):
        with pytest.raises(AttributeError):
            setattr(value, name, None)
    with pytest.raises(AttributeError):
        value.note = 1


def test_init_again_adds_entries_and_replaces_the_signature():
    value = dbus.Dictionary({1: 1}, signature="ii", variant_level=1)
    value.__init__({2: 2}, signature="uu")
    assert (dict(value), value.signature, value.variant_level) == ({1: 1, 2: 2}, "uu", 1)


def test_python_subclass():
    class Mine(dbus.Dictionary):
        def __init__(self, **entries):
            super().__init__(entries, signature="sv")
            self.note = 1

    value = Mine(a=1)
    assert (dict(value), value.signature, value.note) == ({"a": 1}, "sv", 1)
    assert repr(value) == "Mine({'a': 1}, signature=dbus.Signature('sv'))"


def test_cycles_are_collected():
    class Mine(dbus.Dictionary):
        pass

    value = Mine()
    value["self"] = value
    gone = weakref.ref(value)
    del value
    gc.collect()
    assert gone() is None


def test_deep_nesting_is_freed_without_recursion():
    value = dbus.Dictionary()
    for _ in range(100_000):
        value = dbus.Dictionary({1: value})
    del value
