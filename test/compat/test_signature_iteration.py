# SPDX-License-Identifier: MIT
"""Signature: what is one, and iterating over its complete types."""

from __future__ import annotations

import gc
from typing import Any

import pytest

import dbus


@pytest.mark.parametrize(
    "signature, parts",
    [
        ("", []),
        ("s", ["s"]),
        ("sis", ["s", "i", "s"]),
        ("s(iai)a{sv}v", ["s", "(iai)", "a{sv}", "v"]),
        ("a{oa{sa{sv}}}as(ii)", ["a{oa{sa{sv}}}", "as", "(ii)"]),
        ("aaaas((i)(s(y)))h", ["aaaas", "((i)(s(y)))", "h"]),
        ("ybnqiuxtdsogvh", list("ybnqiuxtdsogvh")),
        ("a" * 32 + "sy", ["a" * 32 + "s", "y"]),
        ("i" * 255, ["i"] * 255),
    ],
)
def test_complete_types(signature: str, parts: "list[str]") -> None:
    found = list(dbus.Signature(signature))
    assert found == parts
    assert {type(part) for part in found} <= {dbus.Signature}
    assert "".join(found) == signature


@pytest.mark.parametrize(
    "signature",
    [
        "a",
        "(",
        ")",
        "()",
        "(i",
        "i)",
        "a{",
        "a{}",
        "a{s}",
        "a{sss}",
        "{si}",
        "a{vi}",
        "a{(i)i}",
        "r",
        "e",
        "z",
        "s s",
        "a()",
        "A",
        "a{si}}",
        "((i)",
        "\xe9",
        "s" * 256,
        "a" * 33 + "s",
        "(" * 33 + "s" + ")" * 33,
    ],
)
def test_invalid(signature: str) -> None:
    with pytest.raises(ValueError, match="signature"):
        dbus.Signature(signature)


def test_limits_of_nesting() -> None:
    assert dbus.Signature("a" * 32 + "s")
    assert dbus.Signature("(" * 32 + "s" + ")" * 32)
    assert dbus.Signature("a(" * 32 + "s" + ")" * 32)
    with pytest.raises(ValueError):
        dbus.Signature("a(" * 33 + "s" + ")" * 33)


def test_iterator() -> None:
    it = iter(dbus.Signature("si"))
    assert iter(it) is it
    assert next(it) == "s"
    assert next(it) == "i"
    for _ in range(3):
        with pytest.raises(StopIteration):
            next(it)


def test_iterator_outlives_its_signature() -> None:
    it = iter(dbus.Signature("a{sv}" * 20))
    gc.collect()
    assert list(it) == ["a{sv}"] * 20


def test_iterators_are_independent() -> None:
    signature = dbus.Signature("sii")
    assert list(zip(signature, iter(signature))) == [("s", "s"), ("i", "i"), ("i", "i")]


def test_iterator_cannot_be_made_or_subclassed() -> None:
    cls = type(iter(dbus.Signature("s")))
    assert cls.__name__ == "_SignatureIter"
    with pytest.raises(TypeError):
        cls()
    with pytest.raises(TypeError):
        type("Mine", (cls,), {})


def test_it_is_a_str_otherwise() -> None:
    signature = dbus.Signature("a{sv}i", variant_level=2)
    assert len(signature) == 6
    assert signature[0] == "a" and type(signature[0]) is str
    assert type(signature + "s") is str
    assert "{" in signature
    assert {part.variant_level for part in signature} == {0}


def test_the_text_of_the_iterated_type_in_subclasses() -> None:
    sub: Any = type("Mine", (dbus.Signature,), {})
    assert list(sub("ss")) == ["s", "s"]
