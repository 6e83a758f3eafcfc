# SPDX-License-Identifier: MIT
"""Descriptors in values: indexes on the wire, descriptors for programs."""

from __future__ import annotations

from typing import Any

import pytest

from dbus.aio._descriptors import may_hold_descriptors, with_descriptors, with_indexes
from dbus.aio.signature import Variant, get_signature_tree

# Signature, values with descriptors, the same with indexes.
CASES: list[tuple[str, list[Any], list[Any]]] = [
    ("h", [30], [0]),
    ("hsh", [30, "x", 31], [0, "x", 1]),
    ("ah", [[31, 30, 31]], [[0, 1, 0]]),
    ("(sh)", [("x", 30)], [("x", 0)]),
    ("a{sh}", [{"a": 30, "b": 31}], [{"a": 0, "b": 1}]),
    ("a{hs}", [{30: "a", 31: "b"}], [{0: "a", 1: "b"}]),
    ("a{hv}", [{30: Variant("h", 31)}], [{0: Variant("h", 1)}]),
    ("v", [Variant("h", 30)], [Variant("h", 0)]),
    ("v", [Variant("v", Variant("ah", [30]))], [Variant("v", Variant("ah", [0]))]),
    (
        "a{sv}",
        [{"a": Variant("i", 30), "b": Variant("(ih)", (1, 30))}],
        [{"a": Variant("i", 30), "b": Variant("(ih)", (1, 0))}],
    ),
    ("a(sv)", [[("x", Variant("h", 30))]], [[("x", Variant("h", 0))]]),
    ("av", [[Variant("s", "x"), Variant("h", 30)]], [[Variant("s", "x"), Variant("h", 0)]]),
]


@pytest.mark.parametrize("signature, outside, inside", CASES)
def test_there_and_back(signature: str, outside: list[Any], inside: list[Any]) -> None:
    tree = get_signature_tree(signature)
    assert may_hold_descriptors(signature)
    body, unix_fds = with_indexes(tree, outside)
    assert body == inside
    assert set(unix_fds) <= {30, 31} and len(unix_fds) == len(set(unix_fds))
    assert with_descriptors(tree, body, unix_fds) == outside


@pytest.mark.parametrize(
    "signature, value",
    [
        ("h", "x"),
        ("ah", 5),
        ("(sh)", ("x",)),
        ("(sh)", 5),
        ("a{sh}", [1]),
        ("v", 5),
        ("v", Variant("h", "x", verify=False)),
        ("a{sv}", {"a": 5}),
        ("a{sh}", {"a": None}),
    ],
)
def test_what_does_not_fit_is_left_alone(signature: str, value: Any) -> None:
    tree = get_signature_tree(signature)
    assert with_indexes(tree, [value]) == ([value], [])


def test_the_values_are_not_changed() -> None:
    variant = Variant("h", 30)
    value = {"a": variant, "b": Variant("ah", [30])}
    with_indexes(get_signature_tree("a{sv}"), [value])
    assert value == {"a": Variant("h", 30), "b": Variant("ah", [30])}
    assert value["a"] is variant and variant.value == 30


@pytest.mark.parametrize("signature", ["", "s", "a{s(ii)}"])
def test_signatures_without(signature: str) -> None:
    assert not may_hold_descriptors(signature)
