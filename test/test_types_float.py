# SPDX-License-Identifier: MIT
"""types/float.c: Double."""

import math

import pytest

import dbus
from _dbus_bindings import _FloatBase


@pytest.mark.parametrize("number", [0.0, -0.0, 1.5, -1e300, 5e-324, math.inf, -math.inf])
def test_value(number):
    for level in (0, 2):
        value = dbus.Double(number, variant_level=level)
        assert value == number and hash(value) == hash(number)
        assert math.copysign(1, value) == math.copysign(1, number)
        assert value.variant_level == level
        suffix = ", variant_level=2" if level else ""
        assert repr(value) == f"dbus.Double({number!r}{suffix})"
        assert str(value) == repr(number)
        assert type(float(value)) is float


def test_not_a_number():
    assert math.isnan(dbus.Double("nan"))
    assert repr(dbus.Double(math.nan)) == "dbus.Double(nan)"


def test_arguments():
    assert dbus.Double() == 0.0
    assert dbus.Double("1.5") == 1.5
    assert dbus.Double(3) == 3.0
    with pytest.raises(TypeError, match="positional"):
        dbus.Double(1.5, 2)
    with pytest.raises(TypeError):
        dbus.Double(x=1.5)
    with pytest.raises(TypeError):
        dbus.Double(None)
    with pytest.raises(ValueError):
        dbus.Double("one")
    with pytest.raises(OverflowError):
        dbus.Double(10**400)
    with pytest.raises(ValueError, match="non-negative"):
        dbus.Double(1, variant_level=-1)


def test_python_subclass_takes_attributes():
    class Mine(dbus.Double):
        pass

    value = Mine(2.5, variant_level=3)
    value.unit = "V"
    assert (value, value.variant_level, value.unit) == (2.5, 3, "V")
    assert repr(value) == "Mine(2.5, variant_level=3)"
    with pytest.raises(AttributeError):
        value.variant_level = 1
    with pytest.raises(AttributeError):
        dbus.Double(2.5).unit = "V"


def test_base():
    assert repr(_FloatBase(1)) == "_dbus_bindings._FloatBase(1.0)"
    assert dbus.Double.__mro__[1:] == (_FloatBase, float, object)
