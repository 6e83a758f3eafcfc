# SPDX-License-Identifier: MIT
"""append and get_args_list: types given and guessed, odd containers, levels, failures."""

from __future__ import annotations

import collections
from typing import Any

import pytest

import dbus
from dbus.lowlevel import Message, SignalMessage


def signal() -> Any:
    return SignalMessage("/a/b", "com.example.I", "Sig")


def through(*values: Any, **keywords: Any) -> "list[Any]":
    message = signal()
    message.append(*values, **keywords)
    found: "list[Any]" = message.get_args_list()
    return found


def one(value: Any, **keywords: Any) -> Any:
    (found,) = through(value, **keywords)
    return found


TYPES = {
    "y": dbus.Byte,
    "b": dbus.Boolean,
    "n": dbus.Int16,
    "q": dbus.UInt16,
    "i": dbus.Int32,
    "u": dbus.UInt32,
    "x": dbus.Int64,
    "t": dbus.UInt64,
    "d": dbus.Double,
    "s": dbus.String,
    "o": dbus.ObjectPath,
    "g": dbus.Signature,
}
EXAMPLES = {
    "y": 5,
    "b": True,
    "n": -5,
    "q": 5,
    "i": -5,
    "u": 5,
    "x": -5,
    "t": 5,
    "d": 2.5,
    "s": "text",
    "o": "/o",
    "g": "a{sv}",
}


@pytest.mark.parametrize("code", TYPES)
def test_basic_types_by_signature(code: str) -> None:
    found = one(EXAMPLES[code], signature=code)
    assert type(found) is TYPES[code]
    assert found == EXAMPLES[code]
    assert found.variant_level == 0


@pytest.mark.parametrize("code", TYPES)
def test_basic_types_by_guessing(code: str) -> None:
    value = TYPES[code](EXAMPLES[code])
    assert Message.guess_signature(value) == code
    found = one(value)
    assert type(found) is TYPES[code] and found == value


@pytest.mark.parametrize(
    "value, signature",
    [
        (True, "b"),
        (5, "i"),
        (2**31 - 1, "i"),
        (1.5, "d"),
        ("x", "s"),
        (b"x", "s"),
        ([1], "ai"),
        ([b"x"], "as"),
        ((1, "x"), "(is)"),
        ({1: "x"}, "a{is}"),
        ({"x": {1: [True]}}, "a{sa{iab}}"),
        ([[(1,)]], "aa(i)"),
    ],
)
def test_guesses_for_builtins(value: Any, signature: str) -> None:
    found = Message.guess_signature(value)
    assert (type(found), found) == (dbus.Signature, signature)


def test_guess_of_a_large_integer_overflows_at_append() -> None:
    assert Message.guess_signature(2**40) == "i"
    with pytest.raises(OverflowError):
        through(2**40)


@pytest.mark.parametrize("empty", [[], {}, dbus.Array(), dbus.Dictionary()])
def test_no_guess_for_empty_containers(empty: Any) -> None:
    with pytest.raises(ValueError, match="guess signature"):
        Message.guess_signature(empty)
    with pytest.raises(ValueError):
        through(empty)


@pytest.mark.parametrize("wrong", [None, object(), 1j, set(), range(3), bytearray(b"x"), iter([])])
def test_no_guess_for_other_types(wrong: Any) -> None:
    with pytest.raises(TypeError, match=type(wrong).__name__):
        Message.guess_signature(wrong)


def test_guess_uses_the_containers_signature() -> None:
    assert Message.guess_signature(dbus.Array([], signature="v")) == "av"
    assert Message.guess_signature(dbus.Dictionary({}, signature="sv")) == "a{sv}"
    assert Message.guess_signature(dbus.Array([1], signature="(ss)")) == "a(ss)"
    assert Message.guess_signature(dbus.Array([1], signature="i", variant_level=1)) == "v"


def test_variants_by_signature() -> None:
    found = one("x", signature="v")
    assert (type(found), found, found.variant_level) == (dbus.String, "x", 1)
    found = one({"a": 1, "b": [1], "c": (1,), "d": {1: 2}, "e": dbus.Byte(1)}, signature="a{sv}")
    assert {value.variant_level for value in found.values()} == {1}
    assert [type(value) for value in found.values()] == [
        dbus.Int32,
        dbus.Array,
        dbus.Struct,
        dbus.Dictionary,
        dbus.Byte,
    ]
    assert found["b"].signature == "i"
    assert found["d"].signature == "ii"


@pytest.mark.parametrize("code", TYPES)
@pytest.mark.parametrize("level", [1, 2, 5])
def test_levels_of_basic_types(code: str, level: int) -> None:
    value = TYPES[code](EXAMPLES[code], variant_level=level)
    for keywords in ({}, {"signature": "v"}):
        found = one(value, **keywords)
        assert (type(found), found, found.variant_level) == (TYPES[code], value, level)
    assert one(value, signature=code).variant_level == 0


@pytest.mark.parametrize("level", [1, 2, 5])
def test_levels_of_containers(level: int) -> None:
    for value in (
        dbus.Array([1], signature="i", variant_level=level),
        dbus.Dictionary({1: 2}, signature="ii", variant_level=level),
        dbus.Struct((1, "x"), variant_level=level),
        dbus.ByteArray(b"x", variant_level=level),
    ):
        found = one(value)
        assert found.variant_level == level
        assert list(found) == list(value) if not isinstance(value, dict) else found == value


def test_variant_inside_variant() -> None:
    inner = dbus.Array([dbus.Int16(1, variant_level=1)], signature="v", variant_level=2)
    found = one(dbus.Dictionary({"k": inner}, signature="sv", variant_level=1))
    assert (found.variant_level, found["k"].variant_level, found["k"][0].variant_level) == (1, 2, 1)


def test_structs() -> None:
    for value in ((1, "x"), [1, "x"], iter((1, "x")), dbus.Struct((1, "x"))):
        found = one(value, signature="(is)")
        assert (type(found), found, found.signature) == (dbus.Struct, (1, "x"), None)
    for wrong in ((1,), (1, "x", 2), (), 5, None):
        with pytest.raises(TypeError):
            through(wrong, signature="(is)")


def test_arrays_from_iterables() -> None:
    class Items:
        def __iter__(self) -> Any:
            return iter((1, 2))

    class OldItems:
        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> int:
            return (1, 2)[index]

    for value in (
        [1, 2],
        (1, 2),
        iter([1, 2]),
        (n for n in (1, 2)),
        {1: 0, 2: 0},
        range(1, 3),
        Items(),
        OldItems(),
        collections.deque([1, 2]),
        dbus.Struct((1, 2)),
        b"\x01\x02",
    ):
        found = one(value, signature="ai")
        assert (type(found), found, found.signature) == (dbus.Array, [1, 2], "i")
    for wrong in (5, None, object()):
        with pytest.raises(TypeError):
            through(wrong, signature="ai")


def test_text_for_an_array_of_strings() -> None:
    assert one("abc", signature="as") == ["a", "b", "c"]
    with pytest.raises(TypeError):
        through(b"abc", signature="as")
    with pytest.raises(TypeError):
        through("abc", signature="ay")


def test_bytes_for_an_array_of_bytes() -> None:
    for value in (
        b"abc",
        bytearray(b"abc"),
        memoryview(b"abc"),
        dbus.ByteArray(b"abc"),
        [97, b"b", dbus.Byte(99)],
        (97, 98, 99),
    ):
        message = signal()
        message.append(value, signature="ay")
        plain, packed = message.get_args_list()[0], message.get_args_list(byte_arrays=True)[0]
        assert (type(plain), plain, plain.signature) == (dbus.Array, [97, 98, 99], "y")
        assert {type(item) for item in plain} == {dbus.Byte}
        assert (type(packed), packed) == (dbus.ByteArray, b"abc")
    assert one(b"", signature="ay") == []


def test_byte_arrays_everywhere() -> None:
    message = signal()
    message.append(
        {"k": dbus.ByteArray(b"x")},
        [[1], [2, 3]],
        (b"y",),
        dbus.ByteArray(b"z", variant_level=2),
        signature="a{sv}aay(ay)v",
    )
    mapped, nested, struct, variant = message.get_args_list(byte_arrays=True)
    assert (mapped["k"], mapped["k"].variant_level, type(mapped["k"])) == (b"x", 1, dbus.ByteArray)
    assert nested == [b"\x01", b"\x02\x03"] and nested.signature == "ay"
    assert struct == (b"y",)
    assert (variant, variant.variant_level) == (b"z", 2)


def test_dictionaries() -> None:
    for value in (
        {1: "x"},
        collections.OrderedDict({1: "x"}),
        collections.defaultdict(str, {1: "x"}),
        dbus.Dictionary({1: "x"}),
    ):
        found = one(value, signature="a{is}")
        assert (type(found), found, found.signature) == (dbus.Dictionary, {1: "x"}, "is")
    found = one({}, signature="a{is}")
    assert (found, found.signature) == ({}, "is")
    for wrong in (5, None, object()):
        with pytest.raises(TypeError):
            through(wrong, signature="a{is}")


def test_order_of_dictionaries_is_kept() -> None:
    keys = ["z", "a", "m", "b"]
    assert list(one(dict.fromkeys(keys, 1), signature="a{si}")) == keys


def test_objects_with_a_path() -> None:
    class Exported:
        __dbus_object_path__ = "/x/y"

    assert Message.guess_signature(Exported()) == "o"
    for keywords in ({}, {"signature": "o"}):
        found = one(Exported(), **keywords)
        assert (type(found), found) == (dbus.ObjectPath, "/x/y")
    assert one(Exported(), signature="v").variant_level == 1
    assert one([Exported()], signature="ao") == ["/x/y"]

    class Number(int):
        __dbus_object_path__ = "/number"

    assert Message.guess_signature(Number(5)) == "o"
    assert one(Number(5), signature="i") == 5

    class Wrong:
        __dbus_object_path__ = 5

    with pytest.raises(TypeError):
        through(Wrong())


def test_the_path_attribute_is_looked_up_on_the_object() -> None:
    class Exported:
        def __init__(self) -> None:
            self.__dbus_object_path__ = "/of/instance"

    assert one(Exported()) == "/of/instance"


@pytest.mark.parametrize(
    "value, signature, expected",
    [
        ("x", "i", TypeError),
        (None, "i", TypeError),
        (1.5, "i", TypeError),
        (2**31, "i", OverflowError),
        (-(2**31) - 1, "i", OverflowError),
        (-1, "u", OverflowError),
        (2**32, "u", OverflowError),
        (2**63, "x", OverflowError),
        (2**64, "t", OverflowError),
        (-1, "t", OverflowError),
        (2**15, "n", OverflowError),
        (2**16, "q", OverflowError),
        (256, "y", ValueError),
        (-1, "y", ValueError),
        ("ab", "y", TypeError),
        (b"ab", "y", ValueError),
        ("x", "d", TypeError),
        (10**400, "d", OverflowError),
        (5, "s", TypeError),
        (None, "s", TypeError),
        ("\ud800", "s", UnicodeEncodeError),
        ("a\0", "s", ValueError),
        (b"\xff", "s", UnicodeError),
        (5, "o", TypeError),
        (5, "g", TypeError),
        ({"a": object()}, "a{sv}", TypeError),
        ([1, "x"], "ai", TypeError),
        ((1, None), "(is)", TypeError),
        ({"x": 1}, "a{ii}", TypeError),
        (1, "z", ValueError),
        (1, "a", ValueError),
        (1, "(i", ValueError),
        (1, "s" * 256, ValueError),
        (1, 5, TypeError),
    ],
)
def test_wrong_values(value: Any, signature: Any, expected: Any) -> None:
    with pytest.raises(expected) as caught:
        through(value, signature=signature)
    assert caught.type is expected or issubclass(caught.type, UnicodeError)
    assert str(caught.value)


def test_more_or_fewer_values_than_types() -> None:
    for values, signature in (((), "i"), ((1,), "ii"), ((1, 2), "i")):
        with pytest.raises(TypeError):
            through(*values, signature=signature)


def test_nothing_appended() -> None:
    assert through() == []
    assert through(signature="") == []


def test_signature_grows_with_each_append() -> None:
    message = signal()
    message.append(1)
    message.append("x", signature="s")
    message.append([1.5], {1: 2})
    assert message.get_signature() == "isada{ii}"
    assert message.get_args_list() == [1, "x", [1.5], {1: 2}]
    assert message.get_args_list() == message.get_args_list()


FAILURES = [
    ((5, "x", object()), {}),
    (("a", 2**40), {"signature": "si"}),
    (([1, 2, "x"],), {"signature": "ai"}),
    (({"a": 1, "b": object()},), {"signature": "a{sv}"}),
    (((1, (2, "x\0")),), {"signature": "(i(is))"}),
    ((1, 2), {"signature": "z"}),
    ((1,), {"signature": "ii"}),
    (([],), {}),
]


@pytest.mark.parametrize("values, keywords", FAILURES)
def test_a_failed_append_changes_nothing(values: Any, keywords: Any, differs: Any) -> None:
    message = signal()
    message.append(7, ["before"])
    with pytest.raises((TypeError, ValueError, OverflowError)):
        message.append(*values, **keywords)
    try:
        state = (message.get_signature(), message.get_args_list())
        message.append("after")
        state += (message.get_signature(), message.get_args_list())
    except dbus.DBusException:
        state = ("unusable",)
    intact = ("ias", [7, ["before"]], "iass", [7, ["before"], "after"])
    # The reference notices some faults before it touches the message.
    assert state == differs(
        ours=intact, reference=state, why="a failed append leaves the message as it was"
    )
    assert state in (intact, ("unusable",))


def test_exceptions_of_iterators_and_conversions_come_through() -> None:
    class Angry:
        def __index__(self) -> int:
            raise KeyError("angry")

    def items() -> Any:
        yield 1
        raise LookupError("items")

    with pytest.raises(KeyError, match="angry"):
        through(Angry(), signature="i")
    with pytest.raises(KeyError, match="angry"):
        through([1, Angry()], signature="ax")
    with pytest.raises(LookupError, match="items"):
        through(items(), signature="ai")


def test_deep_nesting() -> None:
    for depth in (1, 8, 31, 32):
        value: Any = 5
        for _ in range(depth):
            value = [value]
        assert one(value, signature="a" * depth + "i") == value
        value = 5
        for _ in range(depth):
            value = (value,)
        assert one(value, signature="(" * depth + "i" + ")" * depth) == value


def test_deep_variants() -> None:
    value: Any = dbus.Int32(5)
    for _ in range(20):
        value = dbus.Array([value], signature="v")
    found = one(value)
    for _ in range(19):
        found = found[0]
        assert found.variant_level == 1
    assert found == [5] and found[0].variant_level == 1


@pytest.mark.parametrize(
    "code, values",
    [
        ("y", [0, 255]),
        ("b", [True, False]),
        ("n", [-(2**15), 2**15 - 1]),
        ("q", [0, 2**16 - 1]),
        ("i", [-(2**31), 2**31 - 1]),
        ("u", [0, 2**32 - 1]),
        ("x", [-(2**63), 2**63 - 1]),
        ("t", [0, 2**64 - 1]),
        ("d", [0.1, -1e300]),
    ],
)
@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_fixed_arrays(code: str, values: "list[Any]", count: int) -> None:
    wanted = (values * count)[:count]
    found = one(wanted, signature=f"a{code}")
    assert found == wanted
    assert {type(item) for item in found} <= {TYPES[code]}


def test_alignment() -> None:
    values = (1, 2**63, "x", 2, 1.5, [2**40], (1, 2**40), {1: 2**40}, True)
    assert through(*values, signature="ytsydaxa(yx)a{yx}b".replace("a(yx)", "(yx)")) == list(values)
    assert one([(1, 2**40)] * 3, signature="a(yx)") == [(1, 2**40)] * 3
    assert one([], signature="a(yx)") == []
    assert through(1, [], 2, signature="yaty") == [1, [], 2]


def test_long_strings() -> None:
    for text in ("x" * 100000, "\u20ac" * 50000, "\U0001f600" * 20000):
        assert one(text) == text
        assert one([text, ""], signature="as") == [text, ""]


def test_utf8_of_every_length() -> None:
    for text in (
        "\x01",
        "\x7f",
        "\x80",
        "\u07ff",
        "\u0800",
        "\ud7ff",
        "\ue000",
        "\ufffd",
        "\uffff",
        "\U00010000",
        "\U0010ffff",
        "\ufdd0",
    ):
        assert one(text) == text
        assert one(text.encode(), signature="s") == text


def test_keywords_of_append() -> None:
    for keywords in ({"sig": "i"}, {"signature": "i", "foo": 1}, {"utf8_strings": True}):
        with pytest.raises(TypeError):
            signal().append(1, **keywords)
    message = signal()
    message.append(1, signature=None)
    assert message.get_signature() == "i"


def test_keywords_of_get_args_list() -> None:
    message = signal()
    message.append(b"x", signature="ay")
    assert message.get_args_list(byte_arrays=1) == [b"x"]
    assert message.get_args_list(byte_arrays=False) == [[120]]
    for keywords in ({"utf8_strings": True}, {"foo": 1}):
        with pytest.raises(TypeError):
            message.get_args_list(**keywords)
    with pytest.raises(TypeError):
        message.get_args_list(True)


def test_subclasses_of_builtins() -> None:
    class MyInt(int):
        pass

    class MyStr(str):
        pass

    class MyList(list):  # type: ignore[type-arg]
        pass

    class MyDict(dict):  # type: ignore[type-arg]
        pass

    class MyTuple(tuple):  # type: ignore[type-arg]
        pass

    assert (
        Message.guess_signature(MyInt(1), MyStr("x"), MyList([1]), MyDict({1: 2}), MyTuple((1,)))
        == "isaia{ii}(i)"
    )
    assert through(MyInt(1), MyStr("x"), MyList([1]), MyDict({1: 2}), MyTuple((1,))) == [
        1,
        "x",
        [1],
        {1: 2},
        (1,),
    ]
    point = collections.namedtuple("point", "x y")
    assert one(point(1, 2)) == (1, 2)


def test_values_are_copied_when_appended() -> None:
    items = [1, 2]
    message = signal()
    message.append(items)
    items.append(3)
    assert message.get_args_list() == [[1, 2]]


def test_values_read_can_be_sent_again() -> None:
    first = through({"a": 1, "b": [b"x"]}, (1, [(2, "y")]), 2**63, signature="a{sv}(ia(is))t")
    message = signal()
    message.append(*first)
    assert message.get_signature() == "a{sv}(ia(is))t"
    again = message.get_args_list()
    assert repr(again) == repr(first)
