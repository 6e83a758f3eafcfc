# SPDX-License-Identifier: MIT
"""Sphinx's configuration of the manual; `./dev docs` builds it with the package on PYTHONPATH."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Optional

_CONFIGURE = Path(__file__).resolve().parent.parent.joinpath("configure.ac").read_text("utf-8")

project = "dbus-shim"
author = "the dbus-shim developers"
copyright = author  # noqa: A001
release = version = re.findall(r"AC_INIT\(\[dbus-shim\], \[([^]]+)\]\)", _CONFIGURE)[0]

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns: list[str] = []
default_role = "code"
highlight_language = "none"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

html_theme = "alabaster"
html_title = f"dbus-shim {release}"
html_theme_options = {
    "description": "D-Bus for Python",
    "fixed_sidebar": True,
    "page_width": "1060px",
    "sidebar_width": "230px",
}
html_static_path = ["_static"]
html_css_files = ["pairs.css"]
html_copy_source = False
html_show_copyright = False

# A plain name in a signature may stand for a class that two modules have.
suppress_warnings = ["ref.python"]

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "groupwise"
autodoc_typehints = "signature"


def _head(name: str, text: Optional[str]) -> Optional[str]:
    """The signature that a C docstring begins with, in one line; None where there is none."""
    first = (text or "").split("\n\n", 1)[0]
    head = " ".join(first.split())
    last = name.rpartition(".")[2]
    return head if re.match(rf"([\w.]+\.)?{re.escape(last)}\(.*\)( -> .+)?$", head) else None


def _signature(
    app: Any, what: str, name: str, obj: Any, options: Any, signature: Any, returns: Any
) -> Optional[tuple[Optional[str], Optional[str]]]:
    """Take the signature of a C class from its docstring, where it may be several lines long."""
    head = _head(name, obj.__doc__) if what == "class" else None
    return None if head is None else (head[head.index("(") :], None)


def _entries(block: list[str]) -> list[str]:
    """A definition list of `name: text` entries; a literal block if the lines are none."""
    margin = min(len(line) - len(line.lstrip()) for line in block)
    entries: list[list[str]] = []
    for line in block:
        inside = len(line) - len(line.lstrip()) > margin
        if entries and (inside or entries[-1][-1].endswith(",")):
            entries[-1].append(line.strip())
        else:
            entries.append([line.strip()])
    texts = [" ".join(entry) for entry in entries]
    if not all(re.match(r"[\w, ]+: ", text) for text in texts):
        return ["::", "", *("    " + line[margin:] for line in block), ""]
    result = []
    for text in texts:
        names, _, meaning = text.partition(": ")
        result += [f"``{names}``", f"    {meaning}", ""]
    return result


def _docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Make reStructuredText of a docstring: of its signature, and of its indented parts."""
    if what == "data":
        # What a constant's type says of itself says nothing about the constant.
        lines.clear()
        return
    if lines and (
        (what == "class" and _head(name, "\n".join(lines)))
        or (what == "property" and re.match(r"\w+\(\) -> ", lines[0]))
    ):
        end = lines.index("") if "" in lines else len(lines)
        del lines[:end]
    text = list(lines)
    lines.clear()
    literal = False
    while text:
        line = text.pop(0)
        block = []
        if line.startswith(" ") and not literal:
            block.append(line)
            while text and text[0].startswith(" "):
                block.append(text.pop(0))
            if lines and lines[-1]:
                lines.append("")
            lines += _entries(block)
            continue
        if line and not line.startswith(" "):
            line = line.replace("(*", r"(\*")
            literal = line.endswith("::") or line.startswith((":", "..", "* ", "- "))
        lines.append(line)


def setup(app: Any) -> dict[str, bool]:
    """Connect the handlers above."""
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _docstring)
    return {"parallel_read_safe": True}
