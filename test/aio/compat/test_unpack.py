# SPDX-License-Identifier: MIT
"""Variants out of nested values."""

from __future__ import annotations

from typing import Any

import pytest
from api import api_module

Variant = api_module("signature").Variant
unpack_variants = api_module("unpack").unpack_variants


class MyList(list):  # type: ignore[type-arg]
    pass


class MyDict(dict):  # type: ignore[type-arg]
    pass


class MyVariant(Variant):  # type: ignore[misc]
    pass


CASES: list[tuple[Any, Any]] = [
    (Variant("s", "x"), "x"),
    (Variant("v", Variant("v", Variant("i", 5))), 5),
    ([Variant("i", 1), 2, [Variant("s", "x")]], [1, 2, ["x"]]),
    ((Variant("i", 1), (Variant("i", 2),)), (1, (2,))),
    ({"a": Variant("i", 1), "b": 2}, {"a": 1, "b": 2}),
    ({"a": {"b": [Variant("a{sv}", {"x": Variant("as", ["y"])})]}}, {"a": {"b": [{"x": ["y"]}]}}),
    (Variant("(iv)", [1, Variant("i", 2)]), [1, 2]),
    (Variant("(iv)", (1, Variant("i", 2))), (1, 2)),
    ([(Variant("ay", b"x"),)], [(b"x",)]),
    ([], []),
    ({}, {}),
    ((), ()),
    ({Variant: 1}, {Variant: 1}),
]


def same(left: Any, right: Any) -> bool:
    """Equal with equal types, at every depth."""
    if type(left) is not type(right) or left != right:
        return False
    if isinstance(left, dict):
        return all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)):
        return all(map(same, left, right))
    return True


@pytest.mark.parametrize("data, wanted", CASES, ids=repr)
def test_unpack(data: Any, wanted: Any) -> None:
    before = repr(data)
    assert same(unpack_variants(data), wanted)
    assert repr(data) == before


@pytest.mark.parametrize("data", [5, None, "s", b"x", bytearray(b"x"), 1.5, {1, 2}, object()])
def test_others_stay_themselves(data: Any) -> None:
    assert unpack_variants(data) is data


@pytest.mark.parametrize("data", [[1], {"a": 1}])
def test_a_new_container(data: Any) -> None:
    assert unpack_variants(data) == data
    assert unpack_variants(data) is not data


@pytest.mark.parametrize(
    "data", [MyList([Variant("i", 1)]), MyDict(a=Variant("i", 1)), MyVariant("i", 1)]
)
def test_subclasses_are_left_alone(data: Any) -> None:
    assert unpack_variants(data) is data


def test_keyword() -> None:
    assert unpack_variants(data=Variant("i", 1)) == 1
