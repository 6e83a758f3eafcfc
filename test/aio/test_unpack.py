# SPDX-License-Identifier: MIT
"""Unpacking keeps what it may share, and takes apart what it must."""

from __future__ import annotations

from typing import Any

import pytest

from dbus.aio.signature import Variant
from dbus.aio.unpack import unpack_variants


@pytest.mark.parametrize(
    "wrap",
    [
        lambda value: value,
        lambda value: [value],
        lambda value: (value, value),
        lambda value: {"key": value},
        lambda value: Variant("v", Variant("av", [Variant("v", value, False)], False), False),
        lambda value: {"a": Variant("v", Variant("a{sv}", {"b": value}, False), False)},
        lambda value: [1, "x", {"key": (None, value)}],
    ],
)
def test_no_variant_is_left(wrap: Any) -> None:
    for value in (1, Variant("i", 1), [Variant("i", 1)], {"x": Variant("v", Variant("i", 1))}):
        assert "Variant" not in repr(unpack_variants(wrap(value)))


def test_basic_values_are_shared() -> None:
    text, data = "x" * 100, b"y" * 100
    result = unpack_variants({"a": Variant("s", text), "b": [data], "c": (text,)})
    assert result["a"] is text and result["b"][0] is data and result["c"][0] is text


def test_the_result_may_be_changed() -> None:
    source = {"a": Variant("as", ["x"]), "b": ["y"]}
    result = unpack_variants(source)
    result["a"].append(1)
    result["b"].append(2)
    assert source == {"a": Variant("as", ["x"]), "b": ["y"]}
