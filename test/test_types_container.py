# SPDX-License-Identifier: MIT
"""types/container.c: Array, Dictionary and Struct while Python code changes them."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any, Iterator

import pytest

import dbus


class Again:
    """Initialises a container again when its repr is asked for."""

    def __init__(self) -> None:
        self.target: Any = None
        self.signature = ""

    def __repr__(self) -> str:
        self.target.__init__(signature=self.signature)
        return "again"


@pytest.mark.parametrize(
    "kind, wrap, old, new",
    [
        (dbus.Array, lambda item: [item], "a{s(iii)}", "s"),
        (dbus.Dictionary, lambda item: {1: item}, "sa{s(iii)}", "ss"),
    ],
)
def test_repr_of_what_is_initialised_meanwhile(kind: Any, wrap: Any, old: str, new: str) -> None:
    item = Again()
    item.target, item.signature = kind(wrap(item), signature=old), new
    assert repr(item.target).endswith(f", signature=dbus.Signature('{new}'))")


def test_repr_of_an_item_that_leaves_its_list() -> None:
    """list.__repr__ of some versions borrows its items."""

    class Leaver:
        def __repr__(self) -> str:
            items.clear()
            return "left"

    for kind in (dbus.Array, dbus.Struct):
        items: "list[Any]" = [kind([Leaver()], signature="s")]
        assert "left" in repr(items) and not items


def test_copying_what_is_initialised_meanwhile() -> None:
    class Items(dbus.Array):
        def __iter__(self) -> Iterator[Any]:
            self.__init__([2], signature="i")  # type: ignore[misc]
            return super().__iter__()

    class Entries(dbus.Dictionary):
        def items(self) -> Any:
            self.__init__({}, signature="sa(i)")  # type: ignore[misc]
            return Pairs()

    class Pairs:
        def __iter__(self) -> Iterator[Any]:
            entries.__init__({}, signature="ss")  # type: ignore[misc]
            return iter([("a", 1)])

    array, entries = Items([1], signature="a{s(iii)}"), Entries({}, signature="sa{s(iii)}")
    for value in (array, entries):
        keywords = value.__reduce__()[1][2]
        assert dbus.Signature(keywords["signature"]) == keywords["signature"]


def test_a_signature_of_two_classes() -> None:
    """Neither class has checked such a text for the other."""

    class Both(dbus.ObjectPath, dbus.Signature):
        pass

    for text in ("/", "/a", "/aa", "/a/aaa"):
        assert "".join(dbus.Signature.__iter__(Both(text))) == text
        with pytest.raises(ValueError):
            dbus.lowlevel.Message.guess_signature(dbus.Array([], signature=Both("/")))


@pytest.mark.parametrize("kind", [dbus.Array, dbus.Dictionary, dbus.Struct])
def test_cycles_through_python_subclasses_are_collected(kind: Any) -> None:
    class Kind(kind):  # type: ignore[misc]
        pass

    class Canary:
        pass

    canary = Canary()
    knot: Any = dbus.Array([canary])
    value = Kind({"k": knot}) if kind is dbus.Dictionary else Kind([knot])
    knot.append(value)
    alive = weakref.ref(canary)
    del canary, knot, value
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("kind", [dbus.Array, dbus.Struct, "dictionary", "mixed"])
def test_a_tower_is_freed_without_recursion(kind: Any) -> None:
    tower: Any = dbus.Array([], signature="s")
    for i in range(100_000):
        if kind == "dictionary" or (kind == "mixed" and i % 3 == 0):
            tower = dbus.Dictionary({1: tower})
        elif kind == "mixed":
            tower = (dbus.Array, dbus.Struct)[i % 2]([tower])
        else:
            tower = kind([tower])
    del tower


def test_an_error_survives_the_end_of_containers() -> None:
    def fail() -> None:
        value = dbus.Array([dbus.Struct((dbus.Dictionary({1: 2}),))])
        raise KeyError(len(value))

    with pytest.raises(KeyError, match="1"):
        fail()


@pytest.mark.parametrize("make", [copy.copy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_own_their_signature(make: Any) -> None:
    value = dbus.Array([1], signature="i", variant_level=2)
    other = make(value)
    value.__init__([], signature="s")
    assert (other.signature, other.variant_level, list(other)) == ("i", 2, [1])
