# SPDX-License-Identifier: MIT
"""types/int.c: the table of integer types, their ranges and constructors."""

import pytest

import dbus
from _dbus_bindings import _LongBase
from dbus.lowlevel import MethodCallMessage

RANGES = {
    dbus.Byte: (0, 2**8 - 1),
    dbus.Int16: (-(2**15), 2**15 - 1),
    dbus.UInt16: (0, 2**16 - 1),
    dbus.Int32: (-(2**31), 2**31 - 1),
    dbus.UInt32: (0, 2**32 - 1),
    dbus.Int64: (-(2**63), 2**63 - 1),
    dbus.UInt64: (0, 2**64 - 1),
}
PLAIN = [cls for cls in RANGES if cls is not dbus.Byte]
each_type = pytest.mark.parametrize("cls", list(RANGES), ids=lambda cls: cls.__name__)
each_plain_type = pytest.mark.parametrize("cls", PLAIN, ids=lambda cls: cls.__name__)


def near(low, high):
    """Numbers around the bounds of the type and around the digits of CPython's int."""
    found = {0, 1, -1, 5, low, low + 1, high, high - 1}
    for bits in (7, 8, 15, 16, 29, 30, 31, 32, 45, 59, 60, 61, 62, 63):
        for number in (2**bits, 2**bits - 1, -(2**bits), -(2**bits) + 1):
            found.add(number)
    return sorted(number for number in found if low <= number <= high)


@each_type
def test_every_number_in_range_is_itself(cls):
    for number in near(*RANGES[cls]):
        for level in (0, 1, 3):
            value = cls(number, variant_level=level)
            assert type(value) is cls
            assert value == number and hash(value) == hash(number)
            assert value.variant_level == level
            assert int(value) == number and type(int(value)) is int
            assert value + 1 == number + 1 and -value == -number
            assert {value: 1}[number] == 1


@each_type
def test_out_of_range(cls):
    low, high = RANGES[cls]
    error = ValueError if cls is dbus.Byte else OverflowError
    for number in (low - 1, high + 1, -(2**63) if low == 0 else low - 2**40):
        with pytest.raises(error):
            cls(number)


@each_plain_type
@pytest.mark.parametrize(
    "number",
    [2**64, -(2**64), 10**100, -(10**100), 10**5000],
    ids=lambda number: f"{number.bit_length()} bits",
)
def test_more_than_64_bits(cls, number):
    with pytest.raises(OverflowError, match=cls.__name__):
        cls(number)


@each_plain_type
def test_the_text_names_value_and_type(cls):
    low, high = RANGES[cls]
    if high < 2**64 - 1:
        with pytest.raises(
            OverflowError, match=f"Value {high + 1} out of range for {cls.__name__}"
        ):
            cls(high + 1)


@each_plain_type
def test_takes_what_int_takes(cls):
    class Index:
        def __index__(self):
            return 7

    for given in ("7", b"7", 7.9, Index(), dbus.Double(7.0), dbus.Int16(7), dbus.String("7")):
        assert repr(cls(given)) == f"dbus.{cls.__name__}(7)"
    assert cls() == 0
    assert cls(True) == 1
    with pytest.raises(ValueError):
        cls("seven")
    with pytest.raises(TypeError):
        cls(None)


def test_an_int_subclass_with_its_own_int():
    class Odd(int):
        def __int__(self):
            return 3

    assert dbus.Int32(Odd(8)) == 3


@each_type
def test_arguments(cls):
    with pytest.raises(TypeError, match="positional"):
        cls(1, 2, 3)
    with pytest.raises(TypeError):
        cls(1, colour="red")
    with pytest.raises(TypeError):
        cls(value=1)
    with pytest.raises(ValueError, match="variant_level must be non-negative"):
        cls(1, variant_level=-1)
    with pytest.raises(OverflowError):
        cls(1, variant_level=2**80)
    for level in ("1", 1.5, None):
        with pytest.raises(TypeError):
            cls(1, variant_level=level)
    assert cls(1, variant_level=True).variant_level == 1


@each_type
def test_repr_and_str(cls):
    assert repr(cls(65)) == f"dbus.{cls.__name__}(65)"
    assert repr(cls(65, variant_level=2)) == f"dbus.{cls.__name__}(65, variant_level=2)"
    assert str(cls(65, variant_level=2)) == ("A" if cls is dbus.Byte else "65")


@each_type
def test_python_subclass(cls):
    class Mine(cls):
        pass

    for number in near(*RANGES[cls]):
        value = Mine(number, variant_level=4)
        value.__dict__["note"] = number
        assert (value, value.variant_level, value.note) == (number, 4, number)
        assert repr(value) == f"Mine({number}, variant_level=4)"


def test_byte_from_bytes():
    assert dbus.Byte(b"\xff") == 255
    assert dbus.Byte(dbus.ByteArray(b"a"), variant_level=1) == 97
    for given in (b"", b"ab", "a", 1.0, None, bytearray(b"a"), 2**70):
        with pytest.raises(TypeError):
            dbus.Byte(given)


@pytest.mark.parametrize("kwargs", [{}, {"variant_level": 1}])
def test_byte_without_a_value(kwargs):
    with pytest.raises(TypeError, match="exactly one"):
        dbus.Byte(**kwargs)


def test_byte_str():
    assert [str(dbus.Byte(n)) for n in range(128)] == [chr(n) for n in range(128)]
    with pytest.raises(UnicodeDecodeError):
        str(dbus.Byte(128))


def test_boolean():
    for given in (True, 1, -5, "x", [0], 10**100, object()):
        value = dbus.Boolean(given, variant_level=1)
        assert value == 1 and repr(value) == "dbus.Boolean(True, variant_level=1)"
    for given in (False, 0, "", [], None, 0.0):
        assert repr(dbus.Boolean(given)) == "dbus.Boolean(False)"
    assert not dbus.Boolean()
    assert str(dbus.Boolean(7)) == "1"
    assert not isinstance(dbus.Boolean(True), bool)


def test_boolean_passes_on_what_truth_raises():
    class Bad:
        def __bool__(self):
            raise KeyError("truth")

    with pytest.raises(KeyError):
        dbus.Boolean(Bad())


def test_the_base_holds_64_bits():
    assert repr(_LongBase(2**64 - 1, variant_level=1)) == (
        f"_dbus_bindings._LongBase({2**64 - 1}, variant_level=1)"
    )
    assert _LongBase(-(2**63)) == -(2**63)
    with pytest.raises(OverflowError):
        _LongBase(2**64)


@each_type
def test_no_way_around_the_range(cls):
    with pytest.raises(TypeError, match="not safe"):
        int.__new__(cls, 2**70)
    with pytest.raises((TypeError, OverflowError, ValueError)):
        _LongBase.__new__(cls, 2**70)


def test_alternative_constructors_of_int():
    assert repr(dbus.UInt16.from_bytes(b"\x01\x02", "big")) == "dbus.UInt16(258)"
    with pytest.raises(OverflowError):
        dbus.UInt16.from_bytes(b"\x01\x02\x03", "big")


def test_constructors_always_make_a_new_value():
    for cls in [*RANGES, dbus.Boolean]:
        assert cls(1) is not cls(1)


def test_small_values_of_messages_are_shared():
    def read_twice(value):
        message = MethodCallMessage(None, "/", "com.example.Types", "Method")
        message.append(value)
        return message.get_args_list()[0], message.get_args_list()[0]

    for cls in [*RANGES, dbus.Boolean]:
        first, second = read_twice(cls(1))
        assert first is second and type(first) is cls and first == 1
        first, second = read_twice(cls(1, variant_level=1))
        assert first is not second and first.variant_level == 1
    for number in (-9, 256):
        first, second = read_twice(dbus.Int32(number))
        assert first is not second and first == second == number
