# SPDX-License-Identifier: MIT
"""Every public name, kind, signature, base, flag and constant against the recorded reference."""

from __future__ import annotations

import fnmatch
import json
import re
import sys
from pathlib import Path
from typing import Any

import golden_store
import implementation
import pytest

HERE = Path(__file__).resolve().parent
LEVELS = ("1.3.2", "1.5.1")

# Differences of ours that are wanted: pattern of "module/name/property" -> reason.  A pattern that
# matches nothing fails the test, so the list can only hold what is true.
FIELD = "a field of the type itself, so the class shows it as well"
LEFT_OVER = "left over from making the class in the reference"
WANTED: "dict[str, str]" = {
    "*/members/variant_level/kind": FIELD,
    "*/Struct/members/signature/kind": FIELD,
    "_dbus_bindings/_LoopSource": "private: what dbus.mainloop.asyncio serves",
    "dbus.connection/SignalMatch/mro": "what delivery looks at is in a base written in C",
    "_dbus_bindings/_method_call": "private: how the package makes a call",
    "_dbus_bindings/_serve_objects": "private: how dbus.service has its objects served",
    "_dbus_bindings/_after_fork_in_child": "private: what os.register_at_fork() calls",
    "_dbus_bindings/_clear_caches": "private: for programs that count what is left behind",
    "_dbus_bindings/_SignalMatch": "private: the base of dbus.connection.SignalMatch",
    "_dbus_bindings/_Matches": "private: an index of signal matches",
    "_dbus_bindings/_PlainMessage": "private: the base of dbus.aio.Message",
    "_dbus_bindings/_Variant": "private: the base of dbus.aio.Variant",
    "_dbus_bindings/_plain_classes": "private: dbus.aio says what messages are made of",
    "_dbus_bindings/_native_main_loop": "private: how dbus.mainloop.asyncio makes a main loop",
    "_dbus_bindings/_loop_api": "private: how _dbus_glib_bindings reaches the loop's side",
    "dbus.bus/NameOwnerWatch/weakly referable": "weak references work here too",
    "dbus.connection/SignalMatch/weakly referable": "weak references work here too",
    "*/members/SEND_TRACEBACKS/*": "the switch for the tracebacks that travel to callers",
    "*/members/marshal/*": "a message as bytes",
    "*/members/demarshal/*": "bytes as a message",
    "dbus/shim_version": "the project's own version",
    "dbus.bus/NAME_HAS_NO_OWNER": "imported for the module's own use",
    "dbus.gi_service/dbus": "imported for the reference's own use",
    "dbus.gi_service/ExportedGObject__doc__": LEFT_OVER,
    "dbus.gi_service/ExportedGObject__init__": LEFT_OVER,
}
IMPORTED = "imported for the module's own use"

# Not part of the contract: what a module happens to have imported for itself.
INCIDENTAL = re.compile(
    r"/is_py[23](/|$)|^dbus\._dbus/generators|^_dbus_bindings/_python_version/value"
    r"|/__doc__/value$"
)


def flatten(tree: Any, path: str = "") -> "dict[str, Any]":
    """Nested descriptions as {"module/name/property": value}."""
    flat: "dict[str, Any]" = {}
    if isinstance(tree, dict):
        for key, value in tree.items():
            flat.update(flatten(value, f"{path}/{key}" if path else key))
    else:
        flat[path] = tree
    return flat


def recorded() -> "dict[str, Any]":
    """The surface of the reference at the highest recorded level that is not above ours."""
    fitting = [v for v in LEVELS if tuple(map(int, v.split("."))) <= implementation.LEVEL]
    found: "dict[str, Any]" = golden_store.load(f"surface-{fitting[-1]}")
    return found


@pytest.fixture(scope="module")
def live() -> "dict[str, Any]":
    script = (HERE / "record_surface.py").read_text(encoding="utf-8")
    result = implementation.run_snippet(script)
    assert result.returncode == 0, result
    found: "dict[str, Any]" = json.loads(result.stdout)
    return found


def entry_differences(name: str, wanted: Any, found: Any) -> "list[str]":
    """Lines about one name of one module."""
    lines = []
    wanted, found = flatten(wanted), flatten(found)
    for path in wanted.keys() | found.keys():
        before, after = wanted.get(path), found.get(path)
        if before == after:
            continue
        if path.split("/")[-1] in ("doc", "signature") and not before:
            continue  # a docstring or a signature more is welcome
        lines.append(f"{name}/{path}: {before!r} became {after!r}")
    return lines


def added(module: str, name: str, entry: Any) -> str:
    """Whether a new name is the module's own, or came in by an import."""
    foreign = entry.get("module", module) != module or entry["kind"] == "module"
    return IMPORTED if foreign or name in ("annotations", "TYPE_CHECKING") else "added"


def differences(wanted: "dict[str, Any]", found: "dict[str, Any]") -> "list[str]":
    lines = []
    for module, names in wanted.items():
        ours = found[module]
        if isinstance(names, str) or isinstance(ours, str):
            if type(names) is not type(ours):
                lines.append(f"{module}: {str(names)[:60]!r} became {str(ours)[:60]!r}")
            continue
        for name in sorted(names.keys() | ours.keys()):
            label = f"{module}/{name}"
            if name not in ours:
                lines.append(f"{label}: missing")
            elif name not in names:
                lines.append(f"{label}: {added(module, name, ours[name])}")
            else:
                lines += entry_differences(label, names[name], ours[name])
    return sorted(line for line in lines if not INCIDENTAL.search(line.split(":")[0]))


def missing_gi(module: str) -> bool:
    """dbus.gi_service needs PyGObject, which not every interpreter has."""
    if module != "dbus.gi_service":
        return False
    return implementation.run_snippet("import gi.repository.GObject").returncode != 0


def test_surface(live: "dict[str, Any]") -> None:
    wanted = {module: names for module, names in recorded().items() if not missing_gi(module)}
    lines = differences(wanted, live)
    if implementation.REFERENCE:
        # A level between the recorded ones may have what its successor has.
        if implementation.LEVEL in [tuple(map(int, v.split("."))) for v in LEVELS]:
            assert lines == []
        return
    unjustified = []
    used = set()
    notes = implementation.NOTES["surface: differences from the reference"] = []
    for line in lines:
        if line.endswith(f": {IMPORTED}"):
            continue
        patterns = [p for p in WANTED if fnmatch.fnmatchcase(line.split(": ")[0], p)]
        used.update(patterns)
        if patterns:
            notes.append(f"{line}  -- {WANTED[patterns[0]]}")
        else:
            unjustified.append(line)
    assert not unjustified, "\n".join([f"{len(unjustified)} differences:", *unjustified])
    unused = {p for p in WANTED if p not in used and p.split("/")[0] in {*wanted, "*"}}
    assert not unused, f"no longer different: {unused}"


@pytest.mark.parametrize("module", sorted(golden_store.load("surface-1.5.1")))
def test_module_can_be_imported_first(module: str) -> None:
    """No module depends on another one being imported before it."""
    if missing_gi(module):
        pytest.skip("PyGObject is not installed for this interpreter")
    result = implementation.run_snippet(f"import {module}")
    assert result.returncode == 0, result


def test_versions() -> None:
    code = """
import sys, dbus, _dbus_bindings as b
assert b.__version__ == ".".join(map(str, dbus.version))
assert b._python_version & 0xffff0000 == sys.hexversion & 0xffff0000
assert (0, 41) < dbus.version < (23, 0)
print(b.__version__)
"""
    result = implementation.run_snippet(code)
    assert result.returncode == 0, result
    level = ".".join(map(str, implementation.LEVEL))
    assert result.stdout.strip() == level
    if not implementation.REFERENCE:
        assert level == "1.5.1"


def test_default_main_loop_at_start() -> None:
    result = implementation.run_snippet("import dbus; print(dbus.get_default_main_loop())")
    assert result.stdout.strip() == "None"


def test_the_interpreter_ends_quietly_after_import() -> None:
    for code in ("import dbus", "import dbus, dbus.service, dbus.mainloop.glib, dbus.server"):
        result = implementation.run_snippet(code)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.skipif(sys.flags.optimize > 0, reason="needs assert statements")
def test_removed_names_stay_removed() -> None:
    code = """
import dbus, dbus.types
for name in ("UTF8String", "dbus_bindings", "gobject_service"):
    assert not hasattr(dbus, name) and not hasattr(dbus.types, name), name
try:
    import dbus.gobject_service
except ImportError:
    print("gone")
"""
    assert implementation.run_snippet(code).stdout == "gone\n"
