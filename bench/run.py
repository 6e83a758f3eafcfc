# SPDX-License-Identifier: MIT
"""Measures this build and the installed reference in one run: `run.py OURS_DIR [--rounds N]`.

OURS_DIR is what `./dev build` prints.  Each round starts a process a side in turn; the table gives
medians over the rounds, their spread, and the ratio of ours to the reference's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
Samples = dict[str, list[float]]
SCRIPTS = (("calls.py", "us a call"), ("codec.py", "us"))


def measure(script: str, library: str) -> Samples:
    """One process of `script`; `library` is its PYTHONPATH, "" for the installed reference."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if library:
        environ["PYTHONPATH"] = library
    output = subprocess.run(
        [sys.executable, str(HERE / script)], env=environ, check=True, stdout=subprocess.PIPE
    ).stdout
    samples: Samples = json.loads(output)
    return samples


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


if __name__ == "__main__":
    main()
