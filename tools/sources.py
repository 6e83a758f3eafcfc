# SPDX-License-Identifier: MIT
"""Keep sources.am, the Makefile's lists of source files, equal to the tree.

usage: sources.py [--check | --write]

The lists stand in a file so that a build never depends on what happens to lie about.  --check
(the default) exits with 1 and names the differences; --write brings the file up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Iterable

ROOT = Path(__file__).resolve().parent.parent
LISTS = ROOT / "sources.am"

FOLDERS = ("_dbus_bindings/", "_dbus_glib_bindings/", "dbus/")

HEAD = """\
# SPDX-License-Identifier: MIT
# The source files.  `./dev build` brings this file up to date (tools/sources.py --write).
"""


def found(folder: str, suffixes: Iterable[str]) -> list[str]:
    """The files below ``folder`` that end in one of ``suffixes``, as sorted relative paths."""
    wanted = tuple(suffixes)
    paths = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return sorted(str(path.relative_to(ROOT)) for path in paths if path.name.endswith(wanted))


def variable(name: str, values: list[str]) -> str:
    """A Makefile variable with one value a line."""
    return " \\\n\t".join([f"{name} =", *values]) + "\n"


def rendered() -> str:
    """The text that sources.am should have."""
    lists = {
        "bindings_sources": found("_dbus_bindings", (".c", ".h")),
        "glib_sources": found("_dbus_glib_bindings", (".c", ".h")),
        "package_files": found("dbus", (".py", ".pyi", "py.typed")),
    }
    return "\n".join([HEAD, *(variable(name, values) for name, values in lists.items())])


def main(arguments: list[str]) -> int:
    """Check or write; the exit status."""
    if arguments not in ([], ["--check"], ["--write"]):
        print(__doc__, file=sys.stderr)
        return 2
    have = LISTS.read_text(encoding="utf-8") if LISTS.exists() else ""
    want = rendered()
    if have == want:
        return 0
    listed, existing = (
        {word for word in text.split() if word.startswith(FOLDERS)} for text in (have, want)
    )
    added, gone = sorted(existing - listed), sorted(listed - existing)
    changes = [f"+{name}" for name in added] + [f"-{name}" for name in gone]
    print("sources.am:", " ".join(changes) or "layout")
    if arguments == ["--write"]:
        LISTS.write_text(want, encoding="utf-8")
        return 0
    print("sources.am does not match the tree: run tools/sources.py --write", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
