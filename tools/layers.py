# SPDX-License-Identifier: MIT
"""Check the laws of the source tree that no compiler checks.

usage: layers.py [--sizes]

* One direction: a C file includes headers of its own layer or a lower one, a Python module imports
  only what its row allows (the two tables below are the law).
* No umbrella header: a header of the core includes at most a few others.
* No Python module uses another one's private names.
* Sizes: 600 lines a file, 60 lines a function (its docstring apart).

Prints one line for each offence and exits with 1 if there is any; --sizes prints the sizes too.
"""

from __future__ import annotations

import ast
import re
import statistics
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parent.parent

# From the ground up.  A file belongs to the first row with a pattern that fits it, with or without
# its suffix.  Signature is a value type as the others are: arrays and dictionaries hold one.
C_LAYERS: list[tuple[str, tuple[str, ...]]] = [
    ("ground", ("compat", "cleanup", "limits", "version", "state.h", "heap.h")),
    ("errors", ("errors", "validate")),
    ("types", ("types/*", "signature*")),
    ("codec", ("program*", "guess*", "encode*", "decode*", "fdwalk*", "replay*", "commit*")),
    ("message", ("template*", "message*", "methodcall*", "plain*", "future*", "signalmatch*")),
    (
        "link",
        (
            "watchset*",
            "wait*",
            "calls*",
            "link*",
            "listener*",
            "blocking*",
            "forks*",
            "paths*",
            "matches*",
        ),
    ),
    ("loop type", ("mainloop*",)),
    (
        "connection",
        (
            "pendingcall*",
            "connection*",
            "deliver*",
            "answer*",
            "objectcall*",
            "servedcall*",
            "dispatch*",
            "bus*",
            "server*",
        ),
    ),
    ("loops", ("loopapi*", "loopfd*", "capi*", "../_dbus_glib_bindings/*")),
    ("module", ("module*", "constants*", "state.c")),
]

# Python modules by pattern: what of this project's they may not import.
PYTHON_FORBIDDEN: list[tuple[str, tuple[str, ...], str]] = [
    (
        "dbus._core.*",
        ("dbus", "dbus.*", "_dbus_glib_bindings"),
        "_core imports only its own modules, types and exceptions",
    ),
    (
        "dbus.aio.*",
        ("dbus.proxies", "dbus.service"),
        "aio stands beside proxies and service, not on them",
    ),
    ("dbus.testing", ("dbus", "dbus.*", "_dbus_*"), "testing is loaded without the package"),
]
PYTHON_ALLOWED: dict[str, tuple[str, ...]] = {
    "dbus._core.*": ("dbus._core", "dbus._core.*", "dbus.types", "dbus.exceptions"),
}

FILE_LIMIT = 600
FUNCTION_LIMIT = 60
HEADER_INCLUDES = 6

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include\s+"([^"]+)"', re.MULTILINE)


class Report:
    """Collects the offences."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, path: Path, line: int, text: str) -> None:
        """Note one offence."""
        self.lines.append(f"{path.relative_to(ROOT)}:{line}: {text}")


# --- C -----------------------------------------------------------------------------------------


def c_files() -> list[Path]:
    """Every C source and header of the modules."""
    folders = ("_dbus_bindings", "_dbus_glib_bindings")
    return sorted(p for folder in folders for p in (ROOT / folder).rglob("*.[ch]"))


def c_name(path: Path) -> str:
    """A file's name in C_LAYERS: relative to the core's folder."""
    core = ROOT / "_dbus_bindings"
    try:
        relative = path.relative_to(core)
    except ValueError:
        relative = Path("..") / path.relative_to(ROOT)
    return str(relative)


def c_layer(name: str) -> int:
    """The number of the layer of a file, -1 if no row has it."""
    for number, (_, patterns) in enumerate(C_LAYERS):
        if any(fnmatch(known, pattern) for pattern in patterns for known in (name, name[:-2])):
            return number
    return -1


def check_includes(path: Path, text: str, report: Report) -> None:
    """The direction of one file's #include lines."""
    layer = c_layer(c_name(path))
    if layer < 0:
        report.add(path, 1, "belongs to no layer: add it to C_LAYERS in tools/layers.py")
        return
    count = 0
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        for base in (path.parent, ROOT / "_dbus_bindings"):
            target = (base / match[1]).resolve()
            if target.exists():
                break
        else:
            continue  # the public header
        count += 1
        other = c_layer(c_name(target))
        if other > layer:
            report.add(
                path,
                line,
                f"{match[1]} is of the layer {C_LAYERS[other][0]!r},"
                f" above this file's {C_LAYERS[layer][0]!r}",
            )
    if path.suffix == ".h" and count > HEADER_INCLUDES:
        report.add(path, 1, f"includes {count} headers of ours: no umbrella headers")


def c_functions(text: str) -> Iterator[tuple[str, int, int]]:
    """Name, first line and length of each function: a `{` at the margin to its `}`."""
    start, name = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"(\w+)\(", line):
            start, name = number, match[1]
        elif line.startswith("}") and start:
            if line == "}":
                yield name, start, number - start + 1
            start = 0


# --- Python ------------------------------------------------------------------------------------


def module_name(path: Path) -> str:
    """The dotted name of a file of the package."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[tuple[str, str, int]]:
    """(module, name or "", line) of each import that runs, relative ones resolved."""
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, "", node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                drop = node.level - (1 if is_package else 0)
                parents = module.split(".")[: len(module.split(".")) - drop]
                base = ".".join([*parents, *filter(None, [base])])
            for alias in node.names:
                yield base, alias.name, node.lineno


def ours(name: str) -> bool:
    """Whether a module name is one of the package's."""
    return name == "dbus" or name.startswith("dbus.")


def module_exists(name: str) -> bool:
    """Whether the tree has this module."""
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def check_imports(path: Path, tree: ast.Module, report: Report) -> None:
    """What one module imports, against the tables, and other modules' private names."""
    module = module_name(path)
    deferred = {
        node.lineno
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    for base, name, line in imports(tree, module, path.name == "__init__.py"):
        target = f"{base}.{name}" if name and module_exists(f"{base}.{name}") else base
        for pattern, forbidden, why in PYTHON_FORBIDDEN:
            if not (fnmatch(module, pattern) or fnmatch(module + ".", pattern)):
                continue
            if module == "dbus.testing" and line in deferred:
                continue
            allowed = PYTHON_ALLOWED.get(pattern, ())
            if any(fnmatch(target, p) for p in allowed):
                continue
            if any(fnmatch(target, p) for p in forbidden):
                report.add(path, line, f"imports {target}: {why}")
        if ours(base) and target == base and re.match(r"_(?!_)", name):
            report.add(path, line, f"takes the private name {name} from {base}")


def check_private_attributes(path: Path, tree: ast.Module, report: Report) -> None:
    """`module._name`, where module is another module of ours."""
    module = module_name(path)
    aliases: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases.update(a.asname for a in node.names if a.asname and ours(a.name))
        elif isinstance(node, ast.ImportFrom):
            for base, name, line in imports(
                ast.Module([node], []), module, path.stem == "__init__"
            ):
                if ours(base) and module_exists(f"{base}.{name}") and line == node.lineno:
                    aliases.update(a.asname or a.name for a in node.names if a.name == name)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in aliases
            and re.match(r"_(?!_)", node.attr)
            and not node.attr.startswith("_dbus")
        ):
            report.add(path, node.lineno, f"uses the private name {node.value.id}.{node.attr}")


def python_functions(tree: ast.Module) -> Iterator[tuple[str, int, int]]:
    """Name, line and length of each function, its docstring not counted."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                length -= (first.end_lineno or first.lineno) - first.lineno + 1
            yield node.name, node.lineno, length


# --- Both --------------------------------------------------------------------------------------


def check_sizes(
    path: Path, text: str, functions: Iterator[tuple[str, int, int]], report: Report
) -> int:
    """The limits on one file; its number of lines."""
    lines = len(text.splitlines())
    if lines > FILE_LIMIT:
        report.add(path, lines, f"{lines} lines; {FILE_LIMIT} are the limit")
    for name, line, length in functions:
        if length > FUNCTION_LIMIT:
            report.add(path, line, f"{name} has {length} lines; {FUNCTION_LIMIT} are the limit")
    return lines


def main(arguments: list[str]) -> int:
    """Check everything; the exit status."""
    report = Report()
    sizes: dict[Path, int] = {}
    for path in c_files():
        text = path.read_text(encoding="utf-8")
        check_includes(path, text, report)
        sizes[path] = check_sizes(path, text, c_functions(text), report)
    for folder in ("dbus", "test", "tools", "examples", "bench", "reliability"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text, str(path))
            if folder == "dbus":
                check_imports(path, tree, report)
                check_private_attributes(path, tree, report)
            sizes[path] = check_sizes(path, text, python_functions(tree), report)
    if arguments == ["--sizes"]:
        for path, lines in sorted(sizes.items(), key=lambda item: -item[1]):
            print(f"{lines:5} {path.relative_to(ROOT)}")
    for line in report.lines:
        print(line)
    median = statistics.median(sizes.values()) if sizes else 0
    print(f"{len(sizes)} files, median {median:.0f} lines, {len(report.lines)} offences")
    return 1 if report.lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
