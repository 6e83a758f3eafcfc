# SPDX-License-Identifier: MIT
"""Measures this build and the installed reference in one run: `run.py OURS_DIR [--rounds N]`.

OURS_DIR is what `./dev build` prints.  Each round starts a process a side in turn; the tables give
medians over the rounds, their spread, and the ratio of ours to the reference's.  A call that sleeps
is mostly kernel time, which does not differ and varies with the machine, so calls are counted in
user instructions as well, by valgrind where it is installed.
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
from pathlib import Path

HERE = Path(__file__).resolve().parent
Samples = dict[str, list[float]]
SCRIPTS = (("calls.py", "us a call"), ("codec.py", "us"))
COUNTED_WORKLOADS = ("proxy Ping", "call_blocking", "100 in flight")
COUNTED_CALLS = (200, 1200)


def environ_for(library: str) -> dict[str, str]:
    """The environment in which `library` is measured, "" being the installed reference."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if library:
        environ["PYTHONPATH"] = library
    return environ


def measure(script: str, library: str) -> Samples:
    """What one process of `script` prints."""
    output = subprocess.run(
        [sys.executable, str(HERE / script)],
        env=environ_for(library),
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    samples: Samples = json.loads(output)
    return samples


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ours", metavar="OURS_DIR")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for script, unit in SCRIPTS:
        sides: dict[str, Samples] = {options.ours: {}, "": {}}
        for number in range(options.rounds):
            print(f"{script}: round {number + 1} of {options.rounds}", file=sys.stderr)
            for library, samples in sides.items():
                for name, values in measure(script, library).items():
                    samples.setdefault(name, []).extend(values)
        print("\n".join(table(unit, sides[options.ours], sides[""])), end="\n\n", flush=True)
    if shutil.which("valgrind"):
        print("\n".join(count_table(options.ours)))
    else:
        print("no valgrind, so no instructions are counted")


if __name__ == "__main__":
    main()
