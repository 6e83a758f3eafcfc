# SPDX-License-Identifier: MIT
"""Measures this build, the installed reference and the peers of the asyncio face in one run.

`run.py OURS_DIR [--rounds N] [--peers PYTHON]`: OURS_DIR is what `./dev build` prints, PYTHON an
interpreter that has dbus-fast and sdbus.  Each round starts a process a side in turn; the tables
give medians over the rounds, their spread, and the ratios of ours to the others'.  A call that
sleeps is mostly kernel time, which does not differ and varies with the machine, so calls are
counted in user instructions as well, by valgrind where it is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Callable, Mapping, Optional

HERE = Path(__file__).resolve().parent
Samples = dict[str, list[float]]
Side = Callable[[], Samples]  # measures once
SCRIPTS = (("calls.py", "us a call"), ("codec.py", "us"))
COUNTED_WORKLOADS = ("proxy Ping", "call_blocking", "100 in flight")
COUNTED_CALLS = (200, 1200)
PEERS = {"dbus-fast": "dbus_fast", "sdbus": "sdbus"}  # packages, by the head of the column
C, GLIB = "C", "GLib"


def environ_for(library: str) -> dict[str, str]:
    """The environment in which `library` is measured, "" being the installed reference."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if library:
        environ["PYTHONPATH"] = library
    return environ


def measure(library: str, *command: str, python: str = sys.executable) -> Samples:
    """What one process of a script and its arguments prints."""
    output = subprocess.run(
        [python, str(HERE / command[0]), *command[1:]],
        env=environ_for(library),
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    samples: Samples = json.loads(output)
    return samples


def interleaved(title: str, rounds: int, sides: Mapping[str, Side]) -> dict[str, Samples]:
    """The samples of all rounds, by side."""
    result: dict[str, Samples] = {name: {} for name in sides}
    for number in range(rounds):
        print(f"{title}: round {number + 1} of {rounds}", file=sys.stderr)
        for name, side in sides.items():
            for workload, values in side().items():
                result[name].setdefault(workload, []).extend(values)
    return result


def instructions(workload: str, library: str) -> float:
    """User instructions a call: the difference between a long and a short run under cachegrind."""
    counts = []
    for calls in COUNTED_CALLS:
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--trace-children=no"]
        command += ["--cachegrind-out-file=/dev/null", sys.executable, str(HERE / "calls.py")]
        command += ["--calls", str(calls), "--repeats", "0", "--only", workload]
        errors = subprocess.run(
            command,
            env=environ_for(library),
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ).stderr
        found = re.search(r"I +refs: +([\d,]+)", errors)
        assert found is not None, errors
        counts.append(int(found.group(1).replace(",", "")))
    return (counts[1] - counts[0]) / (COUNTED_CALLS[1] - COUNTED_CALLS[0])


def count_table(library: str) -> list[str]:
    lines = [
        "| workload, user instructions a call | ours | reference | ratio |",
        "|---|--:|--:|--:|",
    ]
    for workload in COUNTED_WORKLOADS:
        print(f"cachegrind: {workload}", file=sys.stderr)
        ours, reference = instructions(workload, library), instructions(workload, "")
        lines.append(f"| {workload} | {ours:.0f} | {reference:.0f} | {ours / reference:.2f} |")
    return lines


def spread(values: list[float]) -> str:
    return f"{min(values):.1f}..{max(values):.1f}"


def table(unit: str, ours: Samples, reference: Samples) -> list[str]:
    lines = [f"| workload, CPU {unit} | ours | spread | reference | spread | ratio |"]
    lines.append("|---|--:|--:|--:|--:|--:|")
    for name, mine in ours.items():
        theirs = reference[name]
        middle, other = statistics.median(mine), statistics.median(theirs)
        lines.append(
            f"| {name} | {middle:.1f} | {spread(mine)} | {other:.1f} | {spread(theirs)} "
            f"| {middle / other:.2f} |"
        )
    return lines


def aio_sides(library: str, peers: Optional[str]) -> Mapping[str, Side]:
    """What the table of the asyncio face compares, by the head of its column."""
    sides = {"dbus.aio": partial(measure, library, "aio.py", "--package", "dbus.aio")}
    if peers:
        for name, package in PEERS.items():
            sides[name] = partial(measure, "", "aio.py", "--package", package, python=peers)
    sides[C] = partial(measure, "", "aio.py", "--package", "C")
    sides[GLIB] = partial(measure, library, "aio.py", "--package", "dbus")
    return sides


def aio_table(sides: dict[str, Samples]) -> list[str]:
    columns = ("dbus.aio", *PEERS, C, GLIB)
    heads = ["asyncio face, CPU us", *columns, "to best peer", f"to {C}", f"to {GLIB}"]
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|--:" * (len(heads) - 1) + "|"]
    for workload, mine in sides["dbus.aio"].items():
        rows = {name: samples.get(workload) for name, samples in sides.items()}
        middles = {name: statistics.median(values) for name, values in rows.items() if values}
        cells = [workload]
        for name in columns:
            values = rows.get(name)
            absent = "-" if name in sides else "not run"
            cells.append(f"{middles[name]:.1f} ({spread(values)})" if values else absent)
        best = min((middles[name] for name in PEERS if name in middles), default=None)
        for other in (best, middles.get(C), middles.get(GLIB)):
            cells.append(f"{statistics.median(mine) / other:.2f}" if other else "-")
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ours", metavar="OURS_DIR")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", metavar="PYTHON", help="has dbus-fast and sdbus")
    options = parser.parse_args()
    for script, unit in SCRIPTS:
        pair = {side: partial(measure, side, script) for side in (options.ours, "")}
        sides = interleaved(script, options.rounds, pair)
        print("\n".join(table(unit, sides[options.ours], sides[""])), end="\n\n", flush=True)
    sides = interleaved("aio.py", options.rounds, aio_sides(options.ours, options.peers))
    print("\n".join(aio_table(sides)), end="\n\n", flush=True)
    if shutil.which("valgrind"):
        print("\n".join(count_table(options.ours)))
    else:
        print("no valgrind, so no instructions are counted")


if __name__ == "__main__":
    main()
