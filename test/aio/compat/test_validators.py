# SPDX-License-Identifier: MIT
"""Names and paths, in tables, and generated character by character."""

from __future__ import annotations

import itertools
import string
from typing import Any

import pytest
from api import api_module, pick

errors = api_module("errors")
validators = api_module("validators")

BUS, PATH, INTERFACE, MEMBER = "bus_name", "object_path", "interface_name", "member_name"
ERROR = {
    BUS: errors.InvalidBusNameError,
    PATH: errors.InvalidObjectPathError,
    INTERFACE: errors.InvalidInterfaceNameError,
    MEMBER: errors.InvalidMemberNameError,
}

GOOD = {
    BUS: """a.b A.b a.b.c a-b.c a.b-c -a.b _a.b a.-b org.freedesktop.DBus a1.b2 a._ :1.2 :1.42-3
        :a.b :-.-""".split(),
    PATH: "/ /a /a/b /a_b/1 /1 /_ /org/freedesktop/DBus".split(),
    INTERFACE: "a.b A.b a.b.c a1.b2 _a._b org.freedesktop.DBus".split(),
    MEMBER: "M M1 M_x _ a _1 M-x a-b- get-all".split(),
}
BAD = {
    BUS: "|a|.a|a.|a..b|1.a|a.1|a b.c|a.b c|a.\xe9|\u0663.a|a.\u0663|a\0.b| a.b|a.b |a.:b|a:b.c|"
    "/|/a|a.b/c|a.\ud800".split("|"),
    PATH: "|a|/a/|//|/a//b|a/b|/a-b|/\xe9|/a b|/.|/\0|/a\0|/a.b| /a|/a |/\ud800".split("|"),
    INTERFACE: "|a|.a|a.|a..b|1.a|a.1|a-b.c|a.b-c|:1.2|:a.b|a b.c|a.\xe9|a\0.b| a.b|a.b |/|"
    "a.\ud800".split("|"),
    MEMBER: "|1M|M.x|M x| M|M |-|-M|M\xe9|\xe9|M\0|M/|:M|\ud800".split("|"),
}
LENGTHS = [
    (BUS, "x." + "x" * 253, True),
    (BUS, "x." + "x" * 254, False),
    (BUS, ":1." + "2" * 252, True),
    (BUS, ":1." + "2" * 253, False),
    (INTERFACE, "x." + "x" * 253, True),
    (INTERFACE, "x." + "x" * 254, False),
    (MEMBER, "x" * 255, True),
    (MEMBER, "x" * 256, False),
    (MEMBER, "x" + "-" * 254, True),
    (MEMBER, "x" + "-" * 255, False),
    (PATH, "/" + "x" * 5000, True),
    (PATH, "/x" * 1000, True),
]
# Nothing follows the rules here, but the bus alone makes such names and dbus-fast lets them pass.
COLONS = [":", ":1", "::1.2", ":1.", ":.1", ":1.\xe9", ":1.2\n"]


def check(kind: str, value: Any, valid: bool) -> None:
    assert getattr(validators, f"is_{kind}_valid")(value) is valid
    insist = getattr(validators, f"assert_{kind}_valid")
    if valid:
        assert insist(value) is None
        return
    with pytest.raises(ERROR[kind]) as caught:
        insist(value)
    assert str(caught.value) == f"invalid {kind.replace('_', ' ')}: {value}"


@pytest.mark.parametrize("kind, value", [(kind, value) for kind in GOOD for value in GOOD[kind]])
def test_good(kind: str, value: str) -> None:
    check(kind, value, True)


@pytest.mark.parametrize(
    "kind, value", [(kind, value) for kind in BAD for value in BAD[kind]], ids=ascii
)
def test_bad(kind: str, value: str) -> None:
    check(kind, value, False)


@pytest.mark.parametrize("kind, value, valid", LENGTHS, ids=lambda value: ascii(value)[:12])
def test_length(kind: str, value: str, valid: bool) -> None:
    check(kind, value, valid)


@pytest.mark.parametrize("value", COLONS, ids=ascii)
def test_what_begins_with_a_colon_is_unique(value: str) -> None:
    check(BUS, value, True)


@pytest.mark.parametrize("kind", ERROR)
@pytest.mark.parametrize("value", [None, 5, 1.5, True, b"a.b", b"/", (), object])
def test_not_a_string(kind: str, value: Any) -> None:
    check(kind, value, False)


@pytest.mark.parametrize("kind", ERROR)
@pytest.mark.parametrize("prefix", ["is", "assert"])
def test_unhashable(kind: str, prefix: str) -> None:
    with pytest.raises(TypeError, match="unhashable"):
        getattr(validators, f"{prefix}_{kind}_valid")([])


@pytest.mark.parametrize(
    "kind, value", [(BUS, "a.b"), (PATH, "/a"), (INTERFACE, "a.b"), (MEMBER, "M")]
)
def test_newline_at_the_end(kind: str, value: str) -> None:
    why = "no bus takes such a name; only the pattern of the reference does"
    check(kind, value + "\n", pick(ours=False, reference=True, why=why))


FIRST = string.ascii_letters + "_"
LATER = FIRST + string.digits


@pytest.mark.parametrize("kind", ERROR)
def test_every_ascii_character_in_every_place(kind: str) -> None:
    """The rules again, in sets of characters: first, middle and last of an element."""
    first = {BUS: FIRST + "-", PATH: LATER, INTERFACE: FIRST, MEMBER: FIRST}[kind]
    later = {BUS: LATER + "-", PATH: LATER, INTERFACE: LATER, MEMBER: LATER + "-"}[kind]
    template = {BUS: "x.%s", PATH: "/%s", INTERFACE: "x.%s", MEMBER: "%s"}[kind]
    separator = {BUS: ".", PATH: "/", INTERFACE: ".", MEMBER: ""}[kind]
    is_valid = getattr(validators, f"is_{kind}_valid")
    tried = 0
    for a, b in itertools.product(map(chr, range(128)), repeat=2):
        if "\n" in (a, b):
            continue
        valid = a in first and b in later
        if separator and b == separator:
            continue  # ends an element, see the next test
        if separator and a == separator:
            valid = False
        assert is_valid(template % (a + b)) is valid, ascii(a + b)
        tried += 1
    assert tried > 15000


@pytest.mark.parametrize("kind", [BUS, PATH, INTERFACE])
def test_elements(kind: str) -> None:
    """All sequences of six elements and separators."""
    separator = "/" if kind == PATH else "."
    is_valid = getattr(validators, f"is_{kind}_valid")
    for length in range(1, 7):
        for parts in itertools.product(("a", separator), repeat=length):
            text = "".join(parts)
            elements = text.split(separator)
            if kind == PATH:
                valid = text == "/" or (elements[0] == "" and all(elements[1:]))
                valid = valid and text.startswith("/")
            else:
                valid = len(elements) > 1 and all(elements)
            assert is_valid(text) is valid, text
