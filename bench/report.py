# SPDX-License-Identifier: MIT
"""The report of a run, in Markdown: `report.py [--doc] FILE`.

FILE is what `./dev bench` has written.  The report goes to standard output; with --doc it goes into
doc/performance.md instead, between the two lines that say it is generated.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Optional

from context import AIO, C_SD, FACES, FAST, INSTRUCTIONS, OURS, REFERENCE, SDBUS, C
from machine import ROOT
from results import Row, Run, Verdict, best_peer, figure, judge, load, ratio, verdicts

PAGE = ROOT / "doc" / "performance.md"
BEGIN, END = "<!-- begin: made by ./dev bench -->", "<!-- end: made by ./dev bench -->"
COLUMNS = (C, C_SD, REFERENCE, FAST, SDBUS, OURS, AIO)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A Markdown table, the first column to the left."""
    heads = list(head)
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|--:" * (len(heads) - 1) + "|"]
    return lines + ["| " + " | ".join(cells) + " |" for cells in rows]


def number(value: float) -> str:
    """With three digits, or all of those before the point."""
    if value == 0:
        return "0"
    digits = max(0, 3 - len(str(int(abs(value)))))
    return f"{value:,.{digits}f}"


def scaled(row: Row, value: float) -> float:
    """A sample in the unit that is shown."""
    if row["metric"] == INSTRUCTIONS:
        return value / 1000
    return value / 1000 if row["unit"] == "ms" else value


def unit(row: Row) -> str:
    """The unit of a row, as shown."""
    if row["metric"] == INSTRUCTIONS:
        return "thousand instructions"
    shown: str = row["unit"]
    return {"us": "CPU us", "ms": "CPU ms", "ms in all": "ms"}.get(shown, shown)


def cell(row: Row, side: str) -> str:
    """A side's median and spread in a row, or why there is none."""
    found = figure(row, side)
    if found is None:
        words = (word for word in ("failed", "not_run") if side in row[word])
        return next(words, "-").replace("_", " ")
    median, least, most = (number(scaled(row, value)) for value in found)
    return median if least == most else f"{median} ({least}..{most})"


def times(value: Optional[float]) -> str:
    """A ratio."""
    return "-" if value is None else f"{value:.2f}"


def verdict_text(verdict: Optional[Verdict]) -> str:
    """A target and what became of it."""
    if verdict is None:
        return ""
    target = verdict.target
    if target.base():
        what, reached = f"{target.limit:.2f} x {target.base()}", times(verdict.reached)
    else:
        what, reached = target.origin, "-" if verdict.reached is None else number(verdict.reached)
    if verdict.met is None:
        return f"{what}: not measured"
    return f"{what}: {reached}, {'met' if verdict.met else '**missed**'}"


def figures_table(rows: list[Row]) -> list[str]:
    """What every side takes."""
    known = {side for row in rows for side in (*row["samples"], *row["failed"], *row["not_run"])}
    columns = [side for side in COLUMNS if side in known]
    return table(
        ["workload", "unit", *columns],
        ([row["workload"], unit(row), *(cell(row, side) for side in columns)] for row in rows),
    )


def ratios_table(run: Run, rows: list[Row]) -> list[str]:
    """What ours takes in multiples of the others, a line a face."""
    lines = []
    for row in rows:
        peer = best_peer(row)
        for face in FACES:
            if face not in row["samples"]:
                continue
            best = "-" if peer is None else f"{times(ratio(row, face, peer))} ({peer})"
            lines.append(
                [
                    row["workload"] + (", instructions" if row["metric"] == INSTRUCTIONS else ""),
                    face,
                    times(ratio(row, face, C)),
                    times(ratio(row, face, REFERENCE)),
                    best,
                    verdict_text(judge(run, row, face)),
                ]
            )
    head = ["ours in multiples of", "face", C, REFERENCE, "best peer", "target: reached"]
    return table(head, lines) if lines else []


def head(run: Run) -> list[str]:
    """Which run this is."""
    machine, versions = run["machine"], run["versions"]
    kind = "quick run, of few operations: **it shows that everything works, not how fast it is**"
    lines = [
        f"From the run of {run['date']}, commit {run['commit']}: "
        + (kind if run["quick"] else f"{run['rounds']} repetitions")
        + (f", only `{run['only']}`" if run["only"] else "")
        + f". Machine: {machine['processor']}, {machine['cores']} cores, {machine['system']}, "
        + f"load {machine['load']} at the start. "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + ".",
        "",
    ]
    for side, reason in run["not_run"].items():
        lines.append(f"* Not run: {side}: {reason}")
    return lines + [""] * bool(run["not_run"])


def summary(run: Run) -> list[str]:
    """How many targets are met, and which are not."""
    judged = [verdict for verdict in verdicts(run) if verdict.met is not None]
    if not judged:
        return []
    missed = [verdict for verdict in judged if not verdict.met]
    lines = [f"Targets: {len(judged) - len(missed)} of {len(judged)} met."]
    if missed:
        lines += ["Missed:", ""]
        for verdict in missed:
            metric = " (instructions)" if verdict.target.metric == INSTRUCTIONS else ""
            name = f"{verdict.target.workload}{metric}, {verdict.face}"
            lines.append(f"* {name}: {verdict_text(verdict)}")
    return [*lines, ""]


def failures(run: Run) -> list[str]:
    """What could not be measured though it should have been."""
    found = {
        f"* Failed: {row['workload']}, {side}: {reason}"
        for row in run["rows"]
        for side, reason in row["failed"].items()
    }
    return [*sorted(found), ""] if found else []


def report(run: Run) -> str:
    """The whole report."""
    lines = head(run) + summary(run)
    for theme in dict.fromkeys(row["theme"] for row in run["rows"]):
        rows = [row for row in run["rows"] if row["theme"] == theme]
        lines += [f"### {theme}", "", *figures_table(rows), ""]
        ratios = ratios_table(run, rows)
        lines += [*ratios, ""] if ratios else []
    return "\n".join(lines + failures(run)).rstrip() + "\n"


def inserted(page: str, generated: str) -> str:
    """A page with the part between its two lines replaced.

    :raises ValueError: if it has not the two lines
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no part between {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{generated}\n{END}{after}"


def write_page(run: Run) -> None:
    """Put the report of a run into the manual."""
    page = inserted(PAGE.read_text(encoding="utf-8"), report(run))
    PAGE.write_text(page, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the report of a run.")
    parser.add_argument("file", type=Path, metavar="FILE", help="what ./dev bench has written")
    parser.add_argument("--doc", action="store_true", help="put it into doc/performance.md")
    options = parser.parse_args()
    run = load(options.file)
    if options.doc:
        write_page(run)
    else:
        print(report(run), end="")


if __name__ == "__main__":
    main()
