# SPDX-License-Identifier: MIT
"""The manual: its code blocks run and print what they say, and it covers every module.

A page's ```python blocks run in order, in one namespace, in a process of their own (some of them
set a default main loop).  What a block prints must be the ```output block that follows it, or
nothing where none follows.  Blocks of other languages are left alone.

As a program, `test_doc.py PAGE` runs one page; the first block that goes wrong ends it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib.util
import io
import os
import re
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any, NamedTuple, Optional

ROOT = Path(__file__).resolve().parent.parent
DOC = ROOT / "doc"
SECONDS_A_PAGE = 60

_FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<language>[^`\n]*)\n(?P<text>.*?)^(?P=fence)$", re.M | re.S
)


class Block(NamedTuple):
    """One block of Python: the line where its code begins, the code, what it is to print."""

    line: int
    code: str
    output: str


class PageError(Exception):
    """A page is not as it should be; the text says where."""


def blocks_of(page: Path) -> list[Block]:
    """The Python blocks of a page, each with the output block that stands after it."""
    text = page.read_text(encoding="utf-8")
    blocks: list[Block] = []
    open_for_output = False
    for match in _FENCE.finditer(text):
        language = match["language"].strip()
        line = text.count("\n", 0, match.start("text")) + 1
        if language == "output":
            if not open_for_output:
                raise PageError(f"{page}:{line}: an output block that follows no Python block")
            blocks[-1] = blocks[-1]._replace(output=match["text"])
        elif language == "python":
            blocks.append(Block(line, match["text"], ""))
        open_for_output = language == "python"
    return blocks


def run_page(page: Path) -> None:
    """Run a page's blocks in this process; PageError for one that prints something else."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks_of(page):
        # Padded, so that a traceback names the page's own line.
        code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, namespace)
        if printed.getvalue() != block.output:
            raise PageError(
                f"{page}:{block.line}: this block prints\n{printed.getvalue()}"
                f"where the page says\n{block.output}"
            )


if __name__ == "__main__":
    faulthandler.dump_traceback_later(SECONDS_A_PAGE - 5, exit=True)
    try:
        run_page(Path(sys.argv[1]))
    except BaseException:
        traceback.print_exc()
        # Threads that the page left behind would keep the process; what it started sees its end.
        sys.stderr.flush()
        os._exit(1)
    sys.exit(0)


import implementation  # noqa: E402
import pytest  # noqa: E402

PAGES = [page for page in sorted(DOC.rglob("*.md")) if "```python\n" in page.read_text("utf-8")]


def run_in_child(page: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one page in a process of its own, with `folder` as working directory."""
    return subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), str(page)],
        env=implementation.child_environ(),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        timeout=SECONDS_A_PAGE,
    )


@pytest.mark.parametrize("page", [page.relative_to(DOC).as_posix() for page in PAGES])
def test_page_runs_and_prints_what_it_says(page: str, tmp_path: Path) -> None:
    done = run_in_child(DOC / page, tmp_path)
    assert done.returncode == 0, done.stdout
    # A handler's exception is printed and ends nothing; no page wants one.
    assert done.stdout == ""


def test_the_tutorial_is_among_the_pages() -> None:
    assert DOC / "tutorial.md" in PAGES


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```python\nprint(1)\n```\n\n```output\n2\n```\n", "this block prints\n1\n"),
        ("```python\nprint(1)\n```\n", "this block prints\n1\n"),
        ("```python\nx = 1\n```\n\n```output\n2\n```\n", "where the page says\n2\n"),
        ("```python\nx = 1\n```\n\n```python\nx.y\n```\n", 'page.md", line 6'),
        ("```output\n2\n```\n", "follows no Python block"),
    ],
    ids=["other-output", "unannounced-output", "no-output", "exception", "stray-output"],
)
def test_wrong_pages_are_found(text: str, complaint: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    done = run_in_child(page, tmp_path)
    assert done.returncode == 1
    assert complaint in done.stdout


def test_blocks_share_a_namespace_and_other_languages_are_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    blocks = ("sh\nfalse\n", "python\nx = 1\n", "python\nprint(x)\n", "output\n1\n")
    page.write_text("".join(f"```{block}```\n\n" for block in blocks), encoding="utf-8")
    done = run_in_child(page, tmp_path)
    assert (done.returncode, done.stdout) == (0, "")


def documented_modules() -> set[str]:
    """The modules that the API reference has a page for."""
    found: set[str] = set()
    for page in DOC.joinpath("api").glob("*.md"):
        found.update(re.findall(r"automodule:: ([\w.]+)", page.read_text("utf-8")))
    return found


def module_name(path: Path) -> Optional[str]:
    """The name of a public module of the package, or None for a private one."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[-1] == "__init__":
        parts = parts[:-1]
    return None if any(part.startswith("_") for part in parts) else ".".join(parts)


def test_every_public_module_is_documented() -> None:
    names = {module_name(path) for path in ROOT.joinpath("dbus").rglob("*.py")} - {None}
    assert names | {"_dbus_bindings", "_dbus_glib_bindings"} == documented_modules()


# In a process of its own: importing dbus.glib sets the default main loop.
PUBLIC_NAMES = """
import importlib, sys
for module in map(importlib.import_module, sys.argv[1:]):
    listed = getattr(module, "__all__", None)
    if listed is None:
        listed = [name for name in dir(module) if not name.startswith("_")]
        if module.__name__.startswith("dbus"):
            home = {name: getattr(getattr(module, name), "__module__", None) for name in listed}
            listed = [name for name in listed if home[name] == module.__name__]
    print(*listed, sep="\\n")
"""


def public_names() -> set[str]:
    """The public names of the documented modules; of a module without __all__, its own."""
    result = implementation.run_snippet(PUBLIC_NAMES, *sorted(documented_modules()))
    assert result.returncode == 0, result
    return set(result.stdout.split())


@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("sphinx", "myst_parser", "gi"))),
    reason="needs sphinx, myst_parser and gi",
)
def test_the_manual_builds_without_warnings(tmp_path: Path) -> None:
    html = tmp_path / "html"
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
        + ["-d", str(tmp_path / "doctrees"), str(DOC), str(html)],
        env={**implementation.child_environ(), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=os.sep,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    reference = "".join(
        re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))
        for page in html.joinpath("api").glob("*.html")
    )
    words = set(re.findall(r"\w+", reference))
    assert public_names() - words == set()
