# SPDX-License-Identifier: MIT
"""Numbers, strings, byte strings: ranges, levels, texts, immutability, being like the built-ins."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest

import _dbus_bindings
import dbus

# Up to CPython 3.9 a float is taken where C wants an integer.
FLOATS = [1.0] if sys.version_info >= (3, 10) else []
RANGES = {
    dbus.Byte: (0, 2**8 - 1),
    dbus.Int16: (-(2**15), 2**15 - 1),
    dbus.UInt16: (0, 2**16 - 1),
    dbus.Int32: (-(2**31), 2**31 - 1),
    dbus.UInt32: (0, 2**32 - 1),
    dbus.Int64: (-(2**63), 2**63 - 1),
    dbus.UInt64: (0, 2**64 - 1),
}
VALUES: "list[tuple[Any, Any]]" = [
    *((cls, 5) for cls in RANGES),
    (dbus.Boolean, True),
    (dbus.Double, 2.5),
    (dbus.String, "text"),
    (dbus.ObjectPath, "/a/b"),
    (dbus.Signature, "a{sv}"),
    (dbus.ByteArray, b"bytes"),
]
IDS = [cls.__name__ for cls, _ in VALUES]
each_type = pytest.mark.parametrize("cls, value", VALUES, ids=IDS)
IMMUTABLE = [row for row in VALUES if row[0] is not dbus.Double]  # whose subclasses take attributes


@pytest.mark.parametrize("cls", RANGES, ids=lambda cls: cls.__name__)
def test_bounds(cls: Any) -> None:
    low, high = RANGES[cls]
    assert int(cls(low)) == low
    assert int(cls(high)) == high
    for outside in (low - 1, high + 1):
        with pytest.raises((OverflowError, ValueError)) as caught:
            cls(outside)
        expected = ValueError if cls is dbus.Byte else OverflowError
        assert caught.type is expected


@pytest.mark.parametrize(
    "cls", [dbus.Int16, dbus.UInt16, dbus.Int32, dbus.UInt32], ids=lambda cls: cls.__name__
)
def test_range_error_names_the_type(cls: Any) -> None:
    low, high = RANGES[cls]
    for outside in (low - 1, high + 1):
        text = f"out of range for {cls.__name__}|negative"
        with pytest.raises(OverflowError, match=text):
            cls(outside)


def test_range_error_names_the_value() -> None:
    for cls, outside in (
        (dbus.Int16, 32768),
        (dbus.Int16, -32769),
        (dbus.UInt16, 65536),
        (dbus.UInt16, -1),
    ):
        with pytest.raises(OverflowError, match=rf"(^|\D){outside}\b"):
            cls(outside)


@each_type
def test_repr_without_and_with_level(cls: Any, value: Any) -> None:
    name = cls.__name__
    assert repr(cls(value)) == f"dbus.{name}({value!r})"
    assert repr(cls(value, variant_level=3)) == f"dbus.{name}({value!r}, variant_level=3)"


@each_type
def test_repr_of_subclasses(cls: Any, value: Any) -> None:
    sub = type("Mine", (cls,), {})
    found = repr(sub(value, variant_level=1))
    # Boolean writes its own name whatever the subclass is called.
    name = "dbus.Boolean" if cls is dbus.Boolean else f"{sub.__module__}.Mine"
    assert found in (f"{name}({value!r}, variant_level=1)", f"Mine({value!r}, variant_level=1)")


@each_type
def test_str_has_no_decoration(cls: Any, value: Any) -> None:
    expected = {dbus.Boolean: "1", dbus.Byte: "\x05"}.get(cls, str(value))
    assert str(cls(value, variant_level=2)) == expected
    assert f"{cls(value)}" == expected
    assert "%s" % (cls(value),) == expected


@each_type
def test_variant_level(cls: Any, value: Any) -> None:
    assert cls(value).variant_level == 0
    for level in (0, 1, 2, 63, 2**31 - 1, True):
        made = cls(value, variant_level=level)
        assert made.variant_level == level
        assert type(made.variant_level) is int


@each_type
def test_bad_variant_levels(cls: Any, value: Any) -> None:
    with pytest.raises(ValueError, match="variant_level"):
        cls(value, variant_level=-1)
    with pytest.raises(OverflowError):
        cls(value, variant_level=2**64)
    for wrong in ("1", None, [], b"1", *FLOATS):
        with pytest.raises(TypeError):
            cls(value, variant_level=wrong)


@each_type
def test_unknown_keyword_is_named(cls: Any, value: Any) -> None:
    with pytest.raises(TypeError, match="foo"):
        cls(value, foo=1)


@each_type
def test_level_is_not_inherited_from_the_value(cls: Any, value: Any) -> None:
    assert cls(cls(value, variant_level=2)).variant_level == 0


@each_type
def test_equal_and_hash_like_the_builtin(cls: Any, value: Any) -> None:
    made = cls(value, variant_level=1)
    assert made == value and value == made
    assert not made != value
    assert hash(made) == hash(value)
    assert {made: "x"}[value] == "x"
    assert {value: "x"}[made] == "x"
    assert made == cls(value)
    assert made in {value}
    assert made != object()


@each_type
def test_immutable(cls: Any, value: Any) -> None:
    made = cls(value, variant_level=1)
    for name in ("variant_level", "anything"):
        with pytest.raises(AttributeError):
            setattr(made, name, 5)
        with pytest.raises(AttributeError):
            delattr(made, name)
    assert made.variant_level == 1
    assert not hasattr(made, "__dict__")


@pytest.mark.parametrize("cls, value", IMMUTABLE, ids=[cls.__name__ for cls, _ in IMMUTABLE])
def test_immutable_text_and_subclasses(cls: Any, value: Any) -> None:
    for made in (cls(value), type("Mine", (cls,), {})(value)):
        with pytest.raises(AttributeError, match="Object is immutable"):
            made.anything = 5
        with pytest.raises(AttributeError, match="Object is immutable"):
            del made.anything


def test_double_subclasses_take_attributes() -> None:
    made = type("Mine", (dbus.Double,), {})(1.5)
    made.anything = 5
    assert made.anything == 5


@each_type
def test_bases(cls: Any, value: Any) -> None:
    base = {int: "_LongBase", float: "_FloatBase", bytes: "_BytesBase"}
    builtin = int if cls in RANGES or cls is dbus.Boolean else type(value)
    if cls is dbus.String:
        assert cls.__mro__ == (dbus.String, str, object)
    else:
        expected = getattr(_dbus_bindings, base.get(builtin, "_StrBase"))
        assert cls.__mro__ == (cls, expected, builtin, object)
    assert isinstance(cls(value), builtin)
    assert (cls.__module__, cls.__qualname__) == ("dbus", cls.__name__)


@each_type
def test_result_types_are_builtin(cls: Any, value: Any) -> None:
    made = cls(value, variant_level=1)
    if isinstance(made, int):
        for result in (
            made + 1,
            1 + made,
            -made,
            +made,
            abs(made),
            made * made,
            made // 1,
            made % 7,
            made & 1,
            ~made,
        ):
            assert type(result) is int
        assert type(made + 1.5) is float
        assert type(int(made)) is int
        assert type(made.real) is int
    elif isinstance(made, float):
        for result in (made + 1, -made, made * made, made / 2, abs(made), float(made), made.real):
            assert type(result) is float
    else:
        empty = type(value)()
        for result in (
            made + empty,
            empty + made,
            made * 2,
            made[:1],
            made[:],
            made.upper(),
            made.strip(),
        ):
            assert type(result) is type(value)
        assert type(type(value)(made)) in (type(value), cls)


@each_type
def test_ordering(cls: Any, value: Any) -> None:
    made = cls(value)
    assert made <= value and made >= value
    assert not made < value and not made > value
    assert sorted([made, value]) == [value, value]


@pytest.mark.parametrize(
    "text, number", [("5", 5), (" 5 ", 5), ("-5", -5), (b"5", 5), ("1_0", 10), (5.9, 5), (-5.9, -5)]
)
def test_integers_convert_like_int(text: Any, number: int) -> None:
    assert dbus.Int32(text) == number


def test_integers_from_nothing() -> None:
    for cls in RANGES:
        if cls is not dbus.Byte:
            assert cls() == 0
    assert dbus.Double() == 0.0
    assert dbus.Boolean() == 0
    assert dbus.String() == ""
    assert dbus.ByteArray() == b""


@pytest.mark.parametrize("wrong", ["x", "", "1.5", b"x", "0x10"])
def test_integers_from_bad_text(wrong: Any) -> None:
    with pytest.raises(ValueError):
        dbus.Int32(wrong)


@pytest.mark.parametrize("wrong", [None, [], {}, (), object(), 1j])
def test_numbers_from_wrong_types(wrong: Any) -> None:
    for cls in (dbus.Int16, dbus.UInt64, dbus.Double, dbus.Byte):
        with pytest.raises(TypeError):
            cls(wrong)


def test_byte_from_one_byte_only() -> None:
    assert dbus.Byte(b"a") == 97
    assert dbus.Byte(dbus.ByteArray(b"\xff")) == 255
    for wrong in (b"", b"ab", "a", "", 1.5, None):
        with pytest.raises(TypeError):
            dbus.Byte(wrong)
    for outside in (-1, 256):
        with pytest.raises(ValueError, match="0-255|range"):
            dbus.Byte(outside)


def test_byte_is_written_as_a_character() -> None:
    assert str(dbus.Byte(65)) == "A"
    assert "%d" % dbus.Byte(65) == "65"
    assert repr(dbus.Byte(65)) == "dbus.Byte(65)"
    assert str(dbus.Byte(127)) == "\x7f"


def test_boolean_is_an_integer_of_its_own() -> None:
    for true in (1, 2, -1, "x", [0], object(), float("nan")):
        made = dbus.Boolean(true)
        assert made == 1 and made == True  # noqa: E712
        assert repr(made) == "dbus.Boolean(True)"
    for false in (0, "", [], None, 0.0, {}):
        assert dbus.Boolean(false) == 0
        assert not dbus.Boolean(false)
    assert not isinstance(dbus.Boolean(1), bool)


def test_double_special_values() -> None:
    assert math.isnan(dbus.Double("nan"))
    assert repr(dbus.Double("inf", variant_level=1)) == "dbus.Double(inf, variant_level=1)"
    assert math.copysign(1, dbus.Double(-0.0)) == -1
    assert repr(dbus.Double(5e-324)) == "dbus.Double(5e-324)"
    with pytest.raises(OverflowError):
        dbus.Double(10**400)


def test_string_takes_anything_with_a_text() -> None:
    assert dbus.String(5) == "5"
    assert dbus.String(None) == "None"
    assert dbus.String(b"x") == "b'x'"
    for text in ("\0", "\ud800", "\U0001f600", "\ufffe"):
        assert dbus.String(text) == text  # checked when it is sent


@pytest.mark.parametrize("path", ["/", "/a", "/a/b_9/C", "/9", "/" + "x" * 1000])
def test_good_object_paths(path: str) -> None:
    assert dbus.ObjectPath(path) == path


@pytest.mark.parametrize(
    "path", ["", "a", "//", "/a/", "/a//b", "/a-b", "/a b", "/a.b", "/\xe9", "/a\0b", " /a"]
)
def test_bad_object_paths(path: str) -> None:
    with pytest.raises(ValueError):
        dbus.ObjectPath(path)


def test_object_path_error_quotes_the_path() -> None:
    with pytest.raises(ValueError, match="object path.*'/a-b'.*'-'"):
        dbus.ObjectPath("/a-b")


@pytest.mark.parametrize("wrong", [None, 5, b"/a", [], object(), dbus.ByteArray(b"/a")])
def test_object_path_and_signature_take_text_only(wrong: Any) -> None:
    for cls in (dbus.ObjectPath, dbus.Signature):
        with pytest.raises(TypeError, match="str"):
            cls(wrong)


def test_surrogates_in_paths_and_signatures() -> None:
    for cls in (dbus.ObjectPath, dbus.Signature):
        with pytest.raises(UnicodeEncodeError):
            cls("/\ud800")


def test_byte_array() -> None:
    made = dbus.ByteArray([1, 2, 255], variant_level=1)
    assert made == b"\x01\x02\xff"
    assert made[0] == 1 and list(made) == [1, 2, 255]
    assert dbus.ByteArray(3) == b"\0\0\0"
    with pytest.raises(TypeError):
        dbus.ByteArray("text")
    with pytest.raises(ValueError):
        dbus.ByteArray([256])
    with pytest.raises(ValueError):
        dbus.ByteArray(-1)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 255, 4096])
def test_level_of_items_of_any_length(count: int) -> None:
    """The level lies behind the items in memory: neither may touch the other."""
    data = bytes(range(256)) * 16
    made = dbus.ByteArray(data[:count], variant_level=2**31 + 7)
    assert (made, made.variant_level) == (data[:count], 2**31 + 7)
    number = dbus.UInt64((1 << min(count, 63)) - 1, variant_level=2**31 + 9)
    assert (number, number.variant_level) == ((1 << min(count, 63)) - 1, 2**31 + 9)
    if count:
        struct = dbus.Struct(range(count), variant_level=5, signature="i" * min(count, 255))
        assert struct == tuple(range(count))
        assert (struct.variant_level, struct.signature) == (5, "i" * min(count, 255))


def test_big_values_of_the_base(reference: bool) -> None:
    """Only the reference's private base class holds more than any D-Bus integer does."""
    if reference:
        assert _dbus_bindings._LongBase(10**50, variant_level=4) == 10**50
    else:
        with pytest.raises(OverflowError):
            _dbus_bindings._LongBase(10**50, variant_level=4)
    made = _dbus_bindings._LongBase(2**64 - 1, variant_level=4)
    assert repr(made) == f"_dbus_bindings._LongBase({2**64 - 1}, variant_level=4)"


def test_repr_of_text_beyond_ascii() -> None:
    for text in ("\xe9\u20ac\U0001f600", "\n\0\x7f'\"\\", "\ud800\ufffe", "\u200b"):
        assert repr(dbus.String(text)) == f"dbus.String({text!r})"
        assert repr(dbus.String(text, variant_level=1)) == f"dbus.String({text!r}, variant_level=1)"
