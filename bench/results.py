# SPDX-License-Identifier: MIT
"""What a run has found: the JSON file, and the figures that tables and plots are made of.

    {"format": 1, "date": "...", "commit": "...", "quick": false, "rounds": 5, "only": null,
     "machine": {...}, "versions": {...}, "not_run": {SIDE: REASON},
     "rows": [{"workload": "...", "theme": "...", "metric": "CPU" or "instructions", "unit": "us",
               "samples": {SIDE: [...]}, "absent": {SIDE: REASON}, "failed": {SIDE: REASON},
               "not_run": {SIDE: REASON}}]}

A side is absent from a row when it has no such thing, and not run when this machine lacks what it
takes.

Samples of CPU time an operation are microseconds whatever the unit that is shown; those of other
rows are of the row's unit.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any, NamedTuple, Optional

from context import FACES, PEERS, Workload
from targets import Target, target_for

Run = dict[str, Any]
Row = dict[str, Any]
FORMAT = 1


class Figure(NamedTuple):
    """A cell: the median, and the least and the most of the samples."""

    median: float
    least: float
    most: float


def new_row(theme: str, workload: Workload, metric: str) -> Row:
    """A row without samples."""
    return {
        "workload": workload.name,
        "theme": theme,
        "metric": metric,
        "unit": workload.unit,
        "samples": {},
        "absent": {},
        "failed": {},
        "not_run": {},
    }


def save(run: Run, path: Path) -> None:
    """Write the JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Run:
    """Read it again.

    :raises ValueError: if it is not such a file
    """
    run: Run = json.loads(path.read_text(encoding="utf-8"))
    if run.get("format") != FORMAT:
        raise ValueError(f"{path} has the format {run.get('format')}, not {FORMAT}")
    return run


def find_row(run: Run, workload: str, metric: str) -> Optional[Row]:
    """The row of a workload, None if it is not in this run."""
    for row in run["rows"]:
        if (row["workload"], row["metric"]) == (workload, metric):
            found: Row = row
            return found
    return None


def figure(row: Optional[Row], side: str) -> Optional[Figure]:
    """A side's figure in a row; None where there is none."""
    samples = row["samples"].get(side) if row else None
    if not samples:
        return None
    return Figure(statistics.median(samples), min(samples), max(samples))


def ratio(row: Optional[Row], side: str, other: str) -> Optional[float]:
    """What `side` takes, in multiples of what `other` takes."""
    mine, theirs = figure(row, side), figure(row, other)
    if mine is None or theirs is None or theirs.median <= 0:
        return None
    return mine.median / theirs.median


def best_peer(row: Row) -> Optional[str]:
    """The one of the peers for asyncio that takes least."""
    found = {side: value.median for side in PEERS if (value := figure(row, side))}
    return min(found, key=lambda side: found[side]) if found else None


class Verdict(NamedTuple):
    """A target, what was reached, and whether it is met: None where it cannot be said."""

    face: str
    target: Target
    reached: Optional[float]
    met: Optional[bool]


def judge(run: Run, row: Row, face: str) -> Optional[Verdict]:
    """The verdict on a row for one of our faces; None if it has no target."""
    target = target_for(row["workload"], row["metric"], face)
    if target is None:
        return None
    mine = figure(row, face)
    reached: Optional[float] = None
    if target.side:
        reached = ratio(row, face, target.side)
    elif target.row:
        other = figure(find_row(run, target.row, target.metric), face)
        if mine and other and other.median > 0:
            reached = mine.median / other.median
    elif mine:
        reached = mine.median
    return Verdict(face, target, reached, None if reached is None else reached <= target.limit)


def verdicts(run: Run) -> list[Verdict]:
    """All verdicts of a run, in the order of its rows."""
    found = (judge(run, row, face) for row in run["rows"] for face in FACES)
    return [verdict for verdict in found if verdict is not None]
