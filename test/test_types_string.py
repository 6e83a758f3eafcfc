# SPDX-License-Identifier: MIT
"""types/string.c: String and ObjectPath."""

import sys

import pytest

import dbus
from _dbus_bindings import _StrBase

TEXTS = [
    "",
    "a",
    "\0",
    "abcdefgh",
    "abcdefg\x80",
    "caf\xe9",
    "\u20ac 5",
    "\U0001f600",
    "x" * 1000,
    "\xff" * 1000,
    "\u1234" * 1000,
    "\U0010ffff" * 1000,
]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_is_a_str_in_every_respect(text):
    for cls in (dbus.String, _StrBase, type("Mine", (dbus.String,), {})):
        value = cls(text, variant_level=2)
        assert value == text and hash(value) == hash(text) and len(value) == len(text)
        assert value.variant_level == 2
        assert value.encode() == text.encode()
        assert value.encode("utf-16") == text.encode("utf-16")
        assert {value: 1}[text] == 1
        assert list(value) == list(text)
        assert value + "!" == text + "!" and "!" + value == "!" + text
        assert value[1:] == text[1:] and value.upper() == text.upper()
        assert value.isascii() == text.isascii()
        assert type(str(value)) is str and str(value) == text
        assert sys.intern(str(value)) == text
        assert f"{value:>4}" == f"{text:>4}"
        assert sys.getsizeof(value) > len(text)


def test_repr():
    assert repr(dbus.String("it's")) == 'dbus.String("it\'s")'
    assert repr(dbus.String("a", variant_level=1)) == "dbus.String('a', variant_level=1)"
    assert str(dbus.String("a", variant_level=1)) == "a"


def test_takes_what_str_takes_alone():
    class Named:
        def __str__(self):
            return "named"

    assert dbus.String() == ""
    assert dbus.String(5) == "5"
    assert dbus.String(b"x") == "b'x'"
    assert dbus.String(None) == "None"
    assert dbus.String(Named()) == "named"
    assert dbus.String(dbus.ObjectPath("/a", variant_level=3)).variant_level == 0
    assert dbus.String("\ud800") == "\ud800"
    with pytest.raises(TypeError, match="positional"):
        dbus.String(b"x", "utf-8")
    with pytest.raises(TypeError):
        dbus.String(object="x")
    with pytest.raises(TypeError):
        dbus.String(b"x", encoding="utf-8")
    with pytest.raises(ValueError, match="non-negative"):
        dbus.String("x", variant_level=-1)


def test_object_path():
    for path in ("/", "/a", "/a/b_1/C"):
        value = dbus.ObjectPath(path, variant_level=1)
        assert value == path and value.variant_level == 1
        assert repr(value) == f"dbus.ObjectPath({path!r}, variant_level=1)"
    assert dbus.ObjectPath(dbus.String("/a")) == "/a"


@pytest.mark.parametrize(
    "path", ["", "a", "//", "/a/", "/a//b", "/a-b", "/a b", "/caf\xe9", "/a\0"]
)
def test_invalid_object_path(path):
    with pytest.raises(ValueError):
        dbus.ObjectPath(path)


@pytest.mark.parametrize("cls", [dbus.ObjectPath, dbus.Signature])
def test_arguments_of_checked_strings(cls):
    for given in (b"/", 5, None):
        with pytest.raises(TypeError):
            cls(given)
    with pytest.raises(TypeError):
        cls()
    with pytest.raises(TypeError):
        cls(variant_level=1)
    with pytest.raises(UnicodeEncodeError):
        cls("\ud800")
    good = "/" if cls is dbus.ObjectPath else "i"
    with pytest.raises(TypeError):
        cls(good, 1)
    with pytest.raises(TypeError):
        cls(object_path=good)
    with pytest.raises(TypeError):
        cls(good, colour=1)
    with pytest.raises(ValueError, match="non-negative"):
        cls(good, variant_level=-1)


@pytest.mark.parametrize("cls, good", [(dbus.ObjectPath, "/a"), (dbus.Signature, "ai")])
def test_what_is_checked_is_what_is_kept(cls, good):
    class Liar(str):
        def __str__(self):
            return "not checked"

    class Mine(cls):
        pass

    assert cls(Liar(good)) == good
    assert Mine(Liar(good)) == good


@pytest.mark.parametrize("cls", [dbus.String, dbus.ObjectPath, dbus.Signature])
def test_python_subclass(cls):
    text = "/" if cls is dbus.ObjectPath else "s"

    class Mine(cls):
        pass

    class Slotted(cls):
        __slots__ = ()

    value = Mine(text, variant_level=2)
    value.__dict__["note"] = 1
    assert (value, value.variant_level, value.note) == (text, 2, 1)
    assert repr(value) == f"Mine({text!r}, variant_level=2)"
    assert repr(Slotted(text)) == f"Slotted({text!r})"


def test_no_way_around_the_constructor():
    for cls in (dbus.String, dbus.ObjectPath, dbus.Signature):
        with pytest.raises(TypeError, match="not safe"):
            str.__new__(cls, "bad path")
    with pytest.raises(TypeError):
        _StrBase.__new__(dbus.ObjectPath, "bad path")


def test_bases():
    assert dbus.String.__mro__[1:] == (str, object)
    assert dbus.ObjectPath.__mro__[1:] == (_StrBase, str, object)
