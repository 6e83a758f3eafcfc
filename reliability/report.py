# SPDX-License-Identifier: MIT
"""Prints the table of doc/reliability.md from build/reliability/*.json; --doc puts it there.

usage: report.py [--doc]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from cases import ROOT, SIDES
from run import RESULTS

PAGE = ROOT / "doc" / "reliability.md"
BEGIN = "<!-- begin: made by reliability/report.py -->"
END = "<!-- end: made by reliability/report.py -->"


def cell(tried: dict[str, list[str]]) -> str:
    """How many of how many cases survive; a dash where there is none."""
    ways = [how for how, _ in tried.values()]
    survived, lost = ways.count("survived"), ways.count("lost")
    return f"{survived} of {survived + lost}" if survived + lost else "-"


def table() -> Iterator[str]:
    """A row a family: cases that survive, by side."""
    yield f"| family | command | {' | '.join(SIDES)} |"
    yield f"|---|---|{'--:|' * len(SIDES)}"
    for file in sorted(RESULTS.glob("*.json")):
        sides = json.loads(file.read_text())
        cells = [cell(sides.get(side, {})) for side in SIDES]
        yield f"| {file.stem} | `./dev {file.stem}` | {' | '.join(cells)} |"


def main() -> None:
    """See above."""
    text = "\n".join(table())
    print(text)
    if sys.argv[1:] == ["--doc"]:
        page = PAGE.read_text()
        head, rest = page.split(BEGIN)
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
