# SPDX-License-Identifier: MIT
"""The checkers in tools/ find what they are there for."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def load(name: str) -> ModuleType:
    """A fresh copy of a tool."""
    spec = importlib.util.spec_from_file_location(f"tool_{name}", ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path):
    """Writes files below a root of the test's own."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


GOOD = {
    "_dbus_bindings/errors.h": "",
    "_dbus_bindings/message.h": "",
    "_dbus_bindings/message.c": '#include "message.h"\n#include "errors.h"\n',
    "_dbus_bindings/types/int.c": '#include "../errors.h"\n',
    "dbus/__init__.py": "from dbus.types import Int32\n",
    "dbus/types.py": "def f():\n    return 1\n",
    "dbus/_core/__init__.py": "",
    "dbus/_core/names.py": "from dbus.types import Int32\nfrom . import call\n",
    "dbus/_core/call.py": "",
}

# What is added to the good tree, and what is said of it.
OFFENCES = {
    "a header of a higher layer": (
        {"_dbus_bindings/errors.c": '#include "message.h"\n'},
        "errors.c:1: message.h is of the layer 'message'",
    ),
    "a type that includes upwards": (
        {"_dbus_bindings/types/int.c": '\n#include "../message.h"\n'},
        "int.c:2: ../message.h is of the layer 'message'",
    ),
    "a file that the table lacks": (
        {"_dbus_bindings/surprise.c": ""},
        "surprise.c:1: belongs to no layer",
    ),
    "a long file": ({"_dbus_bindings/errors.c": "\n" * 601}, "errors.c:601: 601 lines"),
    "a long C function": (
        {"_dbus_bindings/errors.c": "static int\nf(void)\n{\n" + "    g();\n" * 60 + "}\n"},
        "errors.c:2: f has 63 lines",
    ),
    "a long Python function": (
        {"dbus/types.py": "def f():\n" + "    g()\n" * 60},
        "types.py:1: f has 61 lines",
    ),
    "a core module with a face": (
        {"dbus/_core/names.py": "import dbus.bus\n"},
        "names.py:1: imports dbus.bus: _core",
    ),
    "a core module with a relative import": (
        {"dbus/_core/names.py": "from .. import proxies\n", "dbus/proxies.py": ""},
        "names.py:1: imports dbus.proxies: _core",
    ),
    "asyncio on proxies": (
        {"dbus/aio/__init__.py": "from dbus import proxies\n", "dbus/proxies.py": ""},
        "__init__.py:1: imports dbus.proxies: aio",
    ),
    "a private name imported": (
        {"dbus/bus.py": "from dbus.types import _secret\n"},
        "bus.py:1: takes the private name _secret from dbus.types",
    ),
    "a private name used": (
        {"dbus/bus.py": "from dbus import types\ntypes._secret()\n"},
        "bus.py:2: uses the private name types._secret",
    ),
}


def test_layers_accepts_a_good_tree(tree, capsys):
    layers = load("layers")
    layers.ROOT = tree(GOOD)
    assert layers.main([]) == 0
    assert "9 files" in capsys.readouterr().out


@pytest.mark.parametrize("name", OFFENCES)
def test_layers_names_the_offence(tree, capsys, name):
    files, text = OFFENCES[name]
    layers = load("layers")
    layers.ROOT = tree({**GOOD, **files})
    assert layers.main([]) == 1
    output = capsys.readouterr().out
    assert text in output
    assert "1 offences" in output


def test_sources_writes_checks_and_names_changes(tree, capsys):
    sources = load("sources")
    sources.ROOT = root = tree(GOOD)
    sources.LISTS = root / "sources.am"
    assert sources.main(["--check"]) == 1
    assert sources.main(["--write"]) == 0
    assert sources.main(["--check"]) == 0
    (root / "dbus/new.py").write_text("")
    (root / "_dbus_bindings/errors.h").unlink()
    capsys.readouterr()
    assert sources.main(["--check"]) == 1
    changes = capsys.readouterr().out
    assert "+dbus/new.py" in changes
    assert "-_dbus_bindings/errors.h" in changes


@pytest.mark.parametrize(
    ("prefix", "place"),
    [("/opt/shim", "/opt/shim/lib/"), ("/usr/local", "/usr/local/")],
)
def test_site_directory_is_below_the_prefix(prefix, place):
    assert load("sitedir").site_directory(prefix).startswith(place)


@pytest.mark.parametrize(
    ("references", "blocks", "leaks"),
    [
        ([0, 0, 0, 0], [0, 0, 0, 0], False),
        ([5, 0, 0, 0], [3, 0, 0, 0], False),  # into a cache, once
        ([9, 9, -9, 9], [1, 1, -1, 1], False),  # and out of it again
        ([2, 2, 1, 2], [1, 1, 1, 1], True),
        ([9, 4, 3, 4], [0, 0, 0, 0], True),
        ([0, 0, 0, 0], [5, 3, 3, 3], True),
    ],
)
def test_a_test_leaks_that_grows_in_every_round(references, blocks, leaks):
    assert load("refleaks").Counted("a test", references, blocks).leaks() is leaks
