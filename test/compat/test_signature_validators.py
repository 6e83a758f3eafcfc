# SPDX-License-Identifier: MIT
"""The functions that check names and paths (many more names are in the recorded cases)."""

from __future__ import annotations

from typing import Any

import pytest

import _dbus_bindings
import dbus

GOOD = {
    dbus.validate_bus_name: [
        "a.b",
        ":1.5",
        "_a._b",
        "a-b.c-d",
        ":-._",
        "org.freedesktop.DBus",
        "a." + "b" * 253,
        ":a.9",
    ],
    dbus.validate_interface_name: [
        "a.b",
        "a.b.c9",
        "_a._9",
        "org.freedesktop.DBus.Properties",
        "a." + "b" * 253,
    ],
    dbus.validate_error_name: ["a.b", "org.freedesktop.DBus.Error.Failed"],
    dbus.validate_member_name: ["M", "m9", "_", "A_b", "x" * 255],
    dbus.validate_object_path: ["/", "/a", "/a/b_9", "/0", "/" + "x" * 3000],
}
BAD = {
    dbus.validate_bus_name: [
        "",
        "a",
        ".a",
        "a.",
        "a..b",
        "1.a",
        "a.9",
        "a.b c",
        "a/b",
        "a.\xe9",
        "a." + "b" * 254,
        ":",
        ":1",
    ],
    dbus.validate_interface_name: [
        "",
        "a",
        ".a",
        "a.",
        "a..b",
        "a.9",
        "a-b.c",
        ":1.5",
        "a.\xe9",
        "a." + "b" * 254,
    ],
    dbus.validate_error_name: ["", "a", ".a", "a.", "a-b.c", ":1.5"],
    dbus.validate_member_name: ["", "a.b", "9a", "a-b", "\xe9", "x" * 256, "a b"],
    dbus.validate_object_path: ["", "a", "//", "/a/", "/a//b", "/a-b", "/\xe9", " /"],
}


@pytest.mark.parametrize("check, name", [(f, n) for f, names in GOOD.items() for n in names])
def test_good(check: Any, name: str) -> None:
    assert check(name) is None
    assert check(dbus.String(name, variant_level=1)) is None


@pytest.mark.parametrize("check, name", [(f, n) for f, names in BAD.items() for n in names])
def test_bad(check: Any, name: str, reference: bool) -> None:
    with pytest.raises(ValueError) as caught:
        check(name)
    if not reference:  # whose text is empty for letters outside ASCII
        assert str(caught.value)


@pytest.mark.parametrize("check", GOOD)
@pytest.mark.parametrize("wrong", [None, 5, b"a.b", [], 1.5])
def test_wrong_types(check: Any, wrong: Any) -> None:
    with pytest.raises(TypeError, match="str"):
        check(wrong)


@pytest.mark.parametrize("check", GOOD)
def test_nul_and_surrogates(check: Any) -> None:
    for prefix in ("a.b", "/a", "M"):
        with pytest.raises(ValueError):
            check(f"{prefix}\0")
        with pytest.raises(UnicodeEncodeError):
            check(f"{prefix}\ud800")


def test_texts_name_the_rule() -> None:
    rows = [
        (dbus.validate_bus_name, "a", "bus name.*'a'.*must contain '.'"),
        (dbus.validate_bus_name, "a..b", r"bus name.*'a\.\.b'"),
        (dbus.validate_interface_name, "a.b/c", "interface.*'a.b/c'.*'/'"),
        (dbus.validate_member_name, "a.b", r"member name.*'a\.b'.*'\.'"),
        (dbus.validate_object_path, "a", "object path.*'a'.*start with '/'"),
        (dbus.validate_object_path, "/a/", "object path.*'/a/'.*end"),
        (dbus.validate_object_path, "/a//b", "object path.*'/a//b'.*'//'"),
        (dbus.validate_member_name, "", "member name.*empty"),
        (dbus.validate_bus_name, "a." + "b" * 254, "too long"),
    ]
    for check, name, text in rows:
        with pytest.raises(ValueError, match=text):
            check(name)


def test_which_kind_of_bus_name() -> None:
    check = dbus.validate_bus_name
    assert check(":1.5", allow_unique=True, allow_well_known=False) is None
    assert check("a.b", allow_unique=False, allow_well_known=True) is None
    assert check("a.b", False, True) is None
    with pytest.raises(ValueError):
        check(":1.5", allow_unique=False)
    with pytest.raises(ValueError):
        check("a.b", allow_well_known=False)
    with pytest.raises(ValueError):
        check("a.b", False, False)


def test_they_are_the_same_functions_everywhere() -> None:
    for check in GOOD:
        assert check is getattr(_dbus_bindings, check.__name__)
