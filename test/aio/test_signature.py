# SPDX-License-Identifier: MIT
"""The inside of signature.py: what errors say, what is remembered, what no quick way may skip."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from dbus.aio.errors import InvalidSignatureError, SignatureBodyMismatchError
from dbus.aio.signature import SignatureTree, SignatureType, Variant, get_signature_tree


def test_a_mismatch_names_the_type_and_the_value() -> None:
    with pytest.raises(SignatureBodyMismatchError, match=r"'q' needs an int .* not str 'wrong'"):
        Variant("a{sq}", {"key": "wrong"})


def test_a_mismatch_does_not_print_a_whole_body() -> None:
    with pytest.raises(SignatureBodyMismatchError) as caught:
        Variant("i", ["x" * 10_000_000])
    assert len(str(caught.value)) < 200


class Unprintable:
    def __repr__(self) -> str:
        raise AssertionError("an error message must not ask for this")


@pytest.mark.parametrize(
    "value", [Unprintable(), [Unprintable()], 10**6000, -(10**6000)], ids="abcd"
)
def test_a_mismatch_is_told_of_any_value(value: Any) -> None:
    with pytest.raises(SignatureBodyMismatchError, match="needs an int .* not"):
        Variant("i", value)


def test_a_wrong_count_is_told() -> None:
    with pytest.raises(SignatureBodyMismatchError, match="'si' is for 2 values, not 3"):
        SignatureTree("si").verify([1, 2, 3])


@pytest.mark.parametrize(
    "text, words",
    [
        ("az", "'z' at 1"),
        ("(i", "the end"),
        ("a" * 65 + "i", "more than 64"),
        ("s" * 256, "at most 255"),
        ("a{ass}", "'{ass}' is not a complete type"),
    ],
)
def test_an_invalid_signature_is_explained(text: str, words: str) -> None:
    with pytest.raises(InvalidSignatureError, match=words):
        SignatureTree(text)


@pytest.mark.parametrize(
    "token, children",
    [("z", ""), ("", ""), ("ss", ""), ("a", ""), ("a", "ss"), ("(", ""), ("{", "s"), ("s", "s")],
)
def test_types_made_by_hand_are_checked(token: str, children: str) -> None:
    with pytest.raises(InvalidSignatureError):
        SignatureType(token, [SignatureType(child) for child in children])


def test_a_type_made_by_hand() -> None:
    kind = SignatureType("a", [SignatureType("s")])
    assert kind == SignatureTree("as").types[0]
    assert kind.verify(["x"])


@pytest.mark.parametrize(
    "text, good, bad",
    [
        ("ai", [1] * 100, [1] * 99 + [2**31]),
        ("ai", [1] * 100, [1] * 99 + [-(2**31) - 1]),
        ("ab", [True] * 100, [True] * 99 + [1]),
        ("ad", [1.0] * 100, [1.0] * 99 + ["1"]),
        ("as", ["x"] * 100, [b"x"] + ["x"] * 99),
        ("aay", [b""] * 100, [b""] * 50 + [""] + [b""] * 49),
        ("av", [Variant("i", 1)] * 100, [Variant("i", 1)] * 99 + [1]),
        ("aas", [["x"]] * 100, [["x"]] * 99 + [[1]]),
        ("ao", ["/"] * 100, ["/"] * 99 + [""]),
        ("a{yb}", {1: True}, {256: True}),
        ("a{sas}", {"a": ["b"], "c": []}, {"a": ["b"], "c": [1]}),
        ("(sbdvayi)", ("x", True, 1.0, Variant("s", ""), b"", 1), ("x", True, 1.0, "v", b"", 1)),
    ],
)
def test_arrays_checked_together_are_checked_wholly(text: str, good: Any, bad: Any) -> None:
    assert Variant(text, good).value is good
    with pytest.raises(SignatureBodyMismatchError):
        Variant(text, bad)


def test_a_check_does_not_change_or_keep_the_value() -> None:
    class Owner(dict):  # type: ignore[type-arg]
        pass

    value = Owner(a=["b"])
    Variant("a{sas}", value)
    assert value == {"a": ["b"]}
    gone = weakref.ref(value)
    del value
    gc.collect()
    assert gone() is None


def test_memory_of_signatures_is_bounded() -> None:
    """A peer may send a new signature in each message."""

    def ask(numbers: range) -> int:
        """For long ones of costly types, a number each; the objects that are then kept."""
        for number in numbers:
            types = "".join(f"({'is'[number >> bit & 1]})" for bit in range(84))
            Variant("(" + types + ")", None, False)
        gc.collect()
        return len(gc.get_objects())

    before = len(gc.get_objects())
    once = ask(range(600))
    assert once - before < 1_000_000
    assert ask(range(600, 800)) < once * 1.02
    assert get_signature_tree("ii").types[0] is get_signature_tree("ai").types[0].children[0]


def test_a_failure_is_not_remembered() -> None:
    before = get_signature_tree.cache_info().currsize
    for _ in range(2):
        with pytest.raises(InvalidSignatureError):
            get_signature_tree("zzz")
    assert get_signature_tree.cache_info().currsize == before


def test_variants_have_no_dict() -> None:
    for value in (Variant("i", 1), SignatureTree("i"), SignatureTree("i").types[0]):
        assert not hasattr(value, "__dict__")
