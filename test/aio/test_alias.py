# SPDX-License-Identifier: MIT
"""`install_as_dbus_fast`, each time in a process of its own."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import dbus.aio
from dbus.aio import alias

PACKAGE = Path(dbus.aio.__path__[0])
# Modules with no counterpart in dbus-fast.
OURS_ALONE = {"__init__", "alias", "peer"}


def run(code: str) -> str:
    """The output of a program that has called the function already."""
    start = "from dbus.aio.alias import install_as_dbus_fast\n"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", start + code],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_submodule_has_a_row() -> None:
    """Python would load a module without one a second time, under the other name."""
    modules = {
        path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("_")
    } - OURS_ALONE
    assert modules <= set(alias.SUBMODULES)


@pytest.mark.parametrize("name", alias.SUBMODULES)
def test_every_row_is_a_module(name: str) -> None:
    importlib.import_module(f"dbus.aio.{name}")


@pytest.mark.parametrize("name", alias.SUBMODULES)
@pytest.mark.parametrize(
    "statement",
    [
        "import dbus_fast.{name}; found = dbus_fast.{name}",
        "import dbus_fast.{name} as found",
        "from dbus_fast import {name} as found",
        "import importlib; found = importlib.import_module('dbus_fast.{name}')",
    ],
)
def test_submodules(name: str, statement: str) -> None:
    code = f"""
install_as_dbus_fast()
{statement.format(name=name)}
import dbus.aio.{name}
print(found is dbus.aio.{name})
"""
    assert run(code) == "True"


@pytest.mark.parametrize(
    "statement",
    [
        "import dbus_fast as found",
        "import dbus_fast.aio as found",
        "from dbus_fast import aio as found",
        "import dbus_fast.aio; found = dbus_fast.aio",
        "import dbus_fast; found = dbus_fast.aio",
    ],
)
def test_packages(statement: str) -> None:
    code = f"install_as_dbus_fast()\n{statement}\nimport dbus.aio\nprint(found is dbus.aio)"
    assert run(code) == "True"


def test_classes_are_the_same() -> None:
    code = """
install_as_dbus_fast()
from dbus_fast.signature import Variant
import dbus.aio.signature
print(Variant is dbus.aio.signature.Variant)
"""
    assert run(code) == "True"


def test_again() -> None:
    code = """
import sys
install_as_dbus_fast()
before = dict(sys.modules)
import dbus_fast.errors
install_as_dbus_fast()
print(before == dict(sys.modules))
"""
    assert run(code) == "True"


@pytest.mark.parametrize("name", ["dbus_fast", "dbus_fast.errors", "dbus_fast.other"])
def test_the_real_one_is_loaded(name: str) -> None:
    code = f"""
import sys, types
real = sys.modules[{name!r}] = types.ModuleType({name!r})
before = set(name for name in sys.modules if name.startswith("dbus_fast"))
try:
    install_as_dbus_fast()
except RuntimeError as error:
    print(error)
assert sys.modules[{name!r}] is real
assert before == set(name for name in sys.modules if name.startswith("dbus_fast"))
"""
    assert run(code).startswith(f"{name} is already imported")


def test_nothing_is_registered_before_the_call() -> None:
    code = "import sys, dbus.aio.signature\nprint([n for n in sys.modules if 'dbus_fast' in n])"
    assert run(code) == "[]"


def test_imports_stay_light() -> None:
    """The parts without I/O load neither an event loop nor a parser."""
    code = """
import sys
import dbus
before = set(sys.modules)
import dbus.aio.auth, dbus.aio.unpack, dbus.aio.validators
heavy = {"asyncio", "inspect", "typing", "re", "dataclasses", "xml", "xml.etree.ElementTree"}
print(sorted((set(sys.modules) - before) & heavy))
"""
    assert run(code) == "[]"
