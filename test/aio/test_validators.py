# SPDX-License-Identifier: MIT
"""The rules are those of the C module, but for the two that are wider on purpose."""

from __future__ import annotations

import itertools
from typing import Any, Callable

import pytest

import _dbus_bindings
from dbus.aio import validators

ALPHABET = ["a", "1", "_", "-", ".", "/", ":", "\n", "\u00e9", ""]
PAIRS: list[tuple[Callable[[str], bool], Callable[[str], Any]]] = [
    (validators.is_bus_name_valid, _dbus_bindings.validate_bus_name),
    (validators.is_object_path_valid, _dbus_bindings.validate_object_path),
    (validators.is_interface_name_valid, _dbus_bindings.validate_interface_name),
    (validators.is_member_name_valid, _dbus_bindings.validate_member_name),
]


@pytest.mark.parametrize("ours, core", PAIRS)
def test_same_rules(ours: Callable[[str], bool], core: Callable[[str], Any]) -> None:
    accepted = 0
    for letters in itertools.product(ALPHABET, repeat=5):
        name = "".join(letters)
        try:
            core(name)
            wanted = True
        except ValueError:
            wanted = False
        if ours is validators.is_member_name_valid and not wanted and ours(name):
            assert "-" in name[1:]
            core(name.replace("-", "_"))
        elif ours is validators.is_bus_name_valid and name.startswith(":"):
            assert ours(name)
        else:
            assert ours(name) is wanted, name
        accepted += wanted
    assert accepted > 10


@pytest.mark.parametrize("ours, core", PAIRS)
def test_memory_is_bounded(ours: Any, core: Any) -> None:
    for number in range(3000):
        ours(f"name{number}")
        ours(f"name{number}" * 100)
    assert ours.cache_info().currsize <= 1024
    before = ours.cache_info().misses
    assert not ours("long" * 1000)
    assert ours.cache_info().misses == before
