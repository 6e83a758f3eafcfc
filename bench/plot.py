# SPDX-License-Identifier: MIT
"""The plot of a run: `plot.py FILE SVG` (needs matplotlib).

A line a row: what each side takes in multiples of plain C, or of dbus-python where there is no C.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Optional

from context import AIO, C_SD, FAST, INSTRUCTIONS, OURS, REFERENCE, SDBUS, C
from results import Row, Run, figure, judge, load, ratio

STYLES = {
    C: ("|", "black", "plain libdbus (C)"),
    C_SD: ("x", "#777777", "plain sd-bus (C)"),
    REFERENCE: ("s", "#9a9a9a", "dbus-python"),
    FAST: ("^", "#d08a1d", "dbus-fast"),
    SDBUS: ("v", "#4c9a2a", "sdbus"),
    OURS: ("o", "#1f5fbf", "ours, classic"),
    AIO: ("D", "#7a3fb0", "ours, dbus.aio"),
}
# Rows that have no operation to be compared.
LEFT_OUT = ("RSS growth",)


def base_of(row: Row) -> Optional[str]:
    """The side that a row's multiples are of."""
    return next((side for side in (C, REFERENCE, FAST) if figure(row, side)), None)


def points(row: Row) -> dict[str, float]:
    """The multiple of each side in a row."""
    base = base_of(row)
    if base is None or row["workload"].startswith(LEFT_OUT):
        return {}
    found = {side: ratio(row, side, base) for side in STYLES}
    return {side: value for side, value in found.items() if value is not None and value > 0}


def label(row: Row) -> str:
    """The row's name, and its base where that is not C."""
    text: str = row["workload"]
    if row["metric"] == INSTRUCTIONS:
        text += ", instructions"
    base = base_of(row)
    return text if base == C else f"{text} (to {base})"


def limit_in(run: Run, row: Row, face: str) -> Optional[float]:
    """A face's target on the row's axis, where it is a ratio to the row's base."""
    verdict = judge(run, row, face)
    return verdict.target.limit if verdict and verdict.target.side == base_of(row) else None


def draw(run: Run, axes: Any) -> None:
    """All rows, from the top."""
    rows = [row for row in run["rows"] if points(row)]
    for side, (marker, color, name) in STYLES.items():
        found = [(points(row)[side], y) for y, row in enumerate(rows) if side in points(row)]
        if found:
            xs, ys = zip(*found)
            axes.scatter(xs, ys, marker=marker, color=color, label=name, s=36, zorder=3)
    limits = {
        (limit, y)
        for y, row in enumerate(rows)
        for face in (OURS, AIO)
        if (limit := limit_in(run, row, face)) is not None
    }
    if limits:
        xs, ys = zip(*sorted(limits))
        axes.scatter(xs, ys, marker="$]$", color="#c02020", label="target", s=60, zorder=2)
    axes.set_xscale("log")
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels([label(row) for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="both", color="#e4e4e4", zorder=0)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_xlabel("multiples of plain libdbus in C (less is better)")


def main(source: Path, target: Path) -> None:
    """Write the SVG."""
    import matplotlib  # type: ignore[import-not-found]

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot
    from matplotlib.ticker import LogFormatter  # type: ignore[import-not-found]

    run = load(source)
    height = 1.2 + 0.24 * sum(bool(points(row)) for row in run["rows"])
    drawing, axes = pyplot.subplots(figsize=(9, height))
    draw(run, axes)
    axes.xaxis.set_major_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    axes.legend(loc="lower center", bbox_to_anchor=(0.35, 1.0), ncol=4, fontsize=8, frameon=False)
    note = "a quick run: shows that it works" if run["quick"] else f"{run['rounds']} repetitions"
    axes.annotate(
        f"{run['date']}, {note}",
        (1.0, 0.0),
        xycoords="axes fraction",
        xytext=(0, -42),
        textcoords="offset points",
        ha="right",
        fontsize=7,
    )
    drawing.savefig(target, bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: plot.py FILE SVG")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
