# SPDX-License-Identifier: MIT
"""types/value.c: what all values have in common: immutability, copying, pickling."""

import copy
import pickle
import sys

import pytest

import dbus


class MyInt(dbus.Int64):
    pass


class MyBoolean(dbus.Boolean):
    pass


class MyDouble(dbus.Double):
    pass


class MyString(dbus.String):
    pass


class MyPath(dbus.ObjectPath):
    pass


class MySignature(dbus.Signature):
    pass


class MyBytes(dbus.ByteArray):
    pass


class MyArray(dbus.Array):
    pass


class MyDictionary(dbus.Dictionary):
    pass


class MyStruct(dbus.Struct):
    pass


class SlottedArray(dbus.Array):
    __slots__ = ("note", "unset")


def examples():
    for level in (0, 1, 300):
        for cls in (dbus.Byte, dbus.Boolean, dbus.Int16, dbus.UInt16, dbus.Int32, dbus.UInt32):
            yield cls(1, variant_level=level)
        for cls in (dbus.Int64, dbus.UInt64, MyInt):
            for number in (0, 7, 2**40, 2**62):
                yield cls(number, variant_level=level)
        yield dbus.UInt64(2**64 - 1, variant_level=level)
        yield dbus.Int64(-(2**63), variant_level=level)
        yield MyInt(-(2**63), variant_level=level)
        yield MyBoolean(True, variant_level=level)
        for cls in (dbus.Double, MyDouble):
            yield cls(1.5, variant_level=level)
        for cls in (dbus.String, MyString):
            for text in ("", "abc", "caf\xe9", "\U0001f600"):
                yield cls(text, variant_level=level)
        for cls in (dbus.ObjectPath, MyPath):
            yield cls("/a/b", variant_level=level)
        for cls in (dbus.Signature, MySignature):
            yield cls("a{sv}", variant_level=level)
        for cls in (dbus.ByteArray, MyBytes):
            yield cls(b"abc", variant_level=level)
        for cls in (dbus.Array, MyArray):
            yield cls([1, 2], signature="i", variant_level=level)
            yield cls([], variant_level=level)
        for cls in (dbus.Dictionary, MyDictionary):
            yield cls({"a": 1}, signature="sv", variant_level=level)
            yield cls({}, variant_level=level)
        for cls in (dbus.Struct, MyStruct):
            yield cls((1, "a"), signature="is", variant_level=level)
            yield cls((dbus.Array([1], "i"),), variant_level=level)


def same(copied, original):
    return (
        type(copied) is type(original)
        and repr(copied) == repr(original)
        and getattr(copied, "__dict__", None) == getattr(original, "__dict__", None)
    )


def with_attributes(value):
    if hasattr(value, "__dict__"):
        value.__dict__["note"] = ["kept"]
    return value


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_keeps_everything(protocol):
    for value in map(with_attributes, examples()):
        assert same(pickle.loads(pickle.dumps(value, protocol)), value)
        assert same(pickle._loads(pickle._dumps(value, protocol)), value)


def test_deep_copies_keep_everything():
    for value in map(with_attributes, examples()):
        assert same(copy.deepcopy(value), value)


def test_copies_are_outside_of_variants():
    for value in map(with_attributes, examples()):
        copied = copy.copy(value)
        if isinstance(value, (dbus.Array, dbus.Dictionary)):
            assert same(copied, value)
            continue
        assert copied.variant_level == 0
        assert (type(copied), copied) == (type(value), value)
        assert getattr(copied, "signature", None) == getattr(value, "signature", None)
        assert getattr(copied, "__dict__", None) == getattr(value, "__dict__", None)


def test_a_deep_copy_is_deep():
    inner = dbus.Array([1], signature="i", variant_level=1)
    outer = dbus.Dictionary({"a": inner, "b": inner}, signature="sv")
    copied = copy.deepcopy(outer)
    copied["a"].append(2)
    assert inner == [1] and copied["a"] is copied["b"]
    assert copied["a"].variant_level == 1
    assert copy.copy(outer)["a"] is inner


def test_containers_that_contain_themselves():
    array = dbus.Array(signature="v")
    array.append(array)
    dictionary = dbus.Dictionary(signature="sv")
    dictionary["self"] = dictionary
    for copied in (pickle.loads(pickle.dumps(array)), copy.deepcopy(array)):
        assert copied[0] is copied and copied.signature == "v"
    for copied in (pickle.loads(pickle.dumps(dictionary)), copy.deepcopy(dictionary)):
        assert copied["self"] is copied and copied.signature == "sv"


def test_slots_of_a_subclass():
    array = SlottedArray([1], signature="i", variant_level=1)
    array.note = "kept"
    for copied in (copy.copy(array), pickle.loads(pickle.dumps(array))):
        assert same(copied, array) and copied.note == "kept" and not hasattr(copied, "unset")


class Stateful(dbus.Array):
    def __getstate__(self):
        return {"saved": True}

    def __setstate__(self, state):
        self.restored = state


def test_a_subclass_may_have_its_own_state():
    copied = pickle.loads(pickle.dumps(Stateful([1], signature="i")))
    assert (list(copied), copied.signature, copied.restored) == ([1], "i", {"saved": True})


class Constructed(dbus.Int32):
    """A constructor that pickle cannot know."""

    def __new__(cls, number):
        return super().__new__(cls, number)


def test_a_subclass_with_its_own_new():
    assert same(pickle.loads(pickle.dumps(Constructed(5))), Constructed(5))


IMMUTABLE = [
    dbus.Byte(1),
    dbus.Boolean(1),
    dbus.Int32(5),
    MyInt(5),
    dbus.String("a"),
    MyString("a"),
    dbus.ObjectPath("/"),
    dbus.Signature("i"),
    dbus.ByteArray(b"a"),
    MyBytes(b"a"),
    dbus.Struct((1,)),
    MyStruct((1,)),
]


@pytest.mark.parametrize("value", IMMUTABLE, ids=repr)
@pytest.mark.parametrize("name", ["variant_level", "signature", "note", "__class__", "__dict__"])
def test_immutable(value, name):
    with pytest.raises(AttributeError, match="Object is immutable"):
        setattr(value, name, 1)
    with pytest.raises(AttributeError, match="Object is immutable"):
        delattr(value, name)
    if type(value).__module__ == "dbus":
        # Nor by the back door; a Python subclass has its own dictionary.
        with pytest.raises((TypeError, AttributeError)):
            object.__setattr__(value, name, 1)


@pytest.mark.parametrize("value", list(examples()), ids=repr)
def test_no_instance_dict_without_a_subclass(value):
    assert hasattr(value, "__dict__") == type(value).__name__.startswith("My")


@pytest.mark.skipif(sys.version_info < (3, 10), reason="types cannot be made immutable there")
@pytest.mark.parametrize("value", IMMUTABLE, ids=repr)
def test_types_are_immutable(value):
    if type(value).__module__ == "dbus":
        with pytest.raises(TypeError, match="immutable type"):
            type(value).note = 1


def test_interchangeable_with_the_values_they_equal():
    table = {5: "int", "a": "str", b"b": "bytes", 1.5: "float", (1, 2): "tuple"}
    assert table[dbus.UInt16(5, variant_level=1)] == "int"
    assert table[dbus.String("a", variant_level=1)] == "str"
    assert table[dbus.ByteArray(b"b")] == "bytes"
    assert table[dbus.Double(1.5)] == "float"
    assert table[dbus.Struct((1, 2), signature="ii")] == "tuple"
    assert dbus.Int32(5) == dbus.UInt64(5, variant_level=2)
    assert dbus.String("/a") == dbus.ObjectPath("/a")
