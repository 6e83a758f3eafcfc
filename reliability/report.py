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

TRIED = {
    "aborts": "wrong input at every public entry point",
    "access": "who is let in, who is believed, what is given away",
    "fuzz": "inputs that nobody thought of, and what others make of them",
    "lifetimes": "objects that end in any order, exceptions everywhere, exits, forks",
    "nomemory": "each allocation of each operation fails",
    "peers": "broken and hostile peers, buses that die, stand still or refuse",
    "soak": "what many operations leave behind",
    "threads": "many threads on the same connections",
}


def cell(tried: dict[str, list[str]]) -> str:
    """How many of how many cases survive, and how many do not; a dash where there is none."""
    ways = [how for how, _ in tried.values()]
    survived, lost = ways.count("survived"), ways.count("lost")
    if not survived + lost:
        return "-"
    return f"{survived} of {survived + lost}" + (f", **{lost} lost**" if lost else "")


def table() -> Iterator[str]:
    """A row a family: cases that survive, by side."""
    yield f"| family | what is tried | command | {' | '.join(SIDES)} |"
    yield f"|---|---|---|{'--:|' * len(SIDES)}"
    for file in sorted(RESULTS.glob("*.json")):
        sides = json.loads(file.read_text())
        cells = [cell(sides.get(side, {})) for side in SIDES]
        name = file.stem
        yield f"| {name} | {TRIED[name]} | `./dev {name}` | {' | '.join(cells)} |"


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
