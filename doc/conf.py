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
html_copy_source = False
html_show_copyright = False

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


def _docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Drop the signature from a C class's text, and show indented parts as they are."""
    if what == "class" and lines and _head(name, "\n".join(lines)):
        end = lines.index("") if "" in lines else len(lines)
        del lines[:end]
    if what == "module" or "::" in "".join(lines):
        return
    for index in range(len(lines) - 1, 0, -1):
        if lines[index].startswith("  ") and not lines[index - 1]:
            lines[index:index] = ["::", ""]


def setup(app: Any) -> dict[str, bool]:
    """Connect the handlers above."""
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _docstring)
    return {"parallel_read_safe": True}
