# SPDX-License-Identifier: MIT
"""The functions that get inputs: one a module of this package, called `target`."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Callable

#: Name -> whether the lines of Python count as coverage.
TARGETS = {
    "decode": False,
    "encode": False,
    "signature": True,
    "match": True,
    "introspect": True,
}

#: The one that is not libFuzzer's: hypothesis makes the values (roundtrip.py).
ROUND_TRIP = "roundtrip"


def target(name: str) -> Callable[[bytes], Any]:
    """The function of this name."""
    function: Callable[[bytes], Any] = import_module(f"fuzzing.{name}").target
    return function
