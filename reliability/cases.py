# SPDX-License-Identifier: MIT
"""What a case is, and what it is tried on.

A case does one thing that must not be the end of a process: it gives wrong input, meets a broken
peer, drops an object at a bad moment.  It survives if it returns, in its own process and in time,
with a word on what was seen (such as the exception's name); it is lost if it raises, hangs, or if
the process dies.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import subprocess
import sys
from collections.abc import Awaitable, Iterable
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, Callable, NamedTuple, Optional

ROOT = Path(__file__).resolve().parent.parent

OURS, AIO = "ours", "dbus.aio"
REFERENCE, FAST, SDBUS = "dbus-python", "dbus-fast", "sdbus"
SIDES = (OURS, AIO, REFERENCE, FAST, SDBUS)
CLASSIC = (OURS, REFERENCE)  # the modules `dbus`, `_dbus_bindings`
ASYNCIO = (AIO, FAST)  # the modules of dbus-fast's API

SECONDS = 60  # a case that takes longer hangs


class Lost(Exception):
    """Something was done that should not have been, or not done."""


class NotOffered(Exception):
    """The side has no such thing; the text says what."""


class Place:
    """What a case has: its side, and a bus of its own once it asks for one."""

    def __init__(self, side: str) -> None:
        self.side = side
        self.stack = ExitStack()
        self._bus: Any = None
        self._directory: Optional[str] = None

    @property
    def bus(self) -> Any:
        """A `dbus.testing.PrivateBus`, the same each time."""
        if self._bus is None:
            self._bus = self.stack.enter_context(_testing().PrivateBus())
        return self._bus

    @property
    def directory(self) -> str:
        """A directory of its own, for sockets; the same each time."""
        if self._directory is None:
            self._directory = self.stack.enter_context(TemporaryDirectory(prefix="reliability-"))
        return self._directory

    def module(self, name: str) -> ModuleType:
        """A module of dbus-fast's API by its name there without the package: "aio", "message"."""
        package = "dbus.aio" if self.side == AIO else "dbus_fast"
        if self.side == AIO and name == "aio":
            return import_module(package)
        return import_module(f"{package}.{name}" if name else package)

    def run(self, main: Awaitable[Any]) -> Any:
        """Run a coroutine in a new loop of asyncio, for a limited time."""

        async def limited() -> Any:
            return await asyncio.wait_for(main, SECONDS / 2)

        return asyncio.run(limited())


def clean_environment() -> dict[str, str]:
    """This process's environment without what speaks to Python or D-Bus."""
    return {
        key: value for key, value in os.environ.items() if not key.startswith(("DBUS_", "PYTHON"))
    }


class Case(NamedTuple):
    """One thing that is tried: `run` gets the place and says what it has seen."""

    name: str
    run: Callable[[Place], Optional[str]]
    sides: tuple[str, ...]


def raised(
    function: Callable[[], object], expected: Iterable[str] = (), allowed: bool = False
) -> str:
    """The name of the exception that the function raises.

    :param expected: the names that are right; none: any class derived from Exception
    :param allowed: True if the function may as well return
    :raises Lost: otherwise
    """
    expected = tuple(expected)
    try:
        result = function()
    except (Lost, NotOffered):
        raise
    except Exception as error:
        names = [base.__name__ for base in type(error).__mro__]
        if expected and not set(expected) & set(names):
            raise Lost(f"{type(error).__name__} in place of {' or '.join(expected)}") from error
        return type(error).__name__
    if not allowed:
        raise Lost(f"nothing was raised, but {result!r:.60} returned")
    return "accepted"


def run_program(source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, with what this one has on its path.

    :raises Lost: if it takes too long
    """
    try:
        return subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", source, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS * 0.6,
            cwd="/",
        )
    except subprocess.TimeoutExpired:
        raise Lost(f"its program hangs for {SECONDS * 0.6:.0f} s") from None


def _testing() -> ModuleType:
    """Our dbus.testing, also where another package `dbus` is tried."""
    name = "reliability_testing"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "dbus" / "testing.py")
        assert spec is not None and spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


def family(name: str) -> tuple[Case, ...]:
    """The cases of the module of this name.

    Beside CASES it may have TOGETHER, the number of cases that one worker forks one after the
    other, with a function prepare(side), which imports what they have in common.
    """
    cases: tuple[Case, ...] = tuple(import_module(name).CASES)
    return cases
