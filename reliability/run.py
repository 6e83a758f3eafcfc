# SPDX-License-Identifier: MIT
"""Tries the cases of families, each in a process of its own, and counts what survives.

usage: run.py MODULES FAMILY... [--side SIDE]... [--peers PYTHON] [--only PATTERN]

Prints what is lost and, for each family and side, the figures; they are kept in
build/reliability/FAMILY.json, side by side.  Without --side: this package, classic and on asyncio.
The status is 1 if a case of this package is lost, whatever the others lose.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from cases import AIO, FAST, OURS, ROOT, SDBUS, SECONDS, SIDES, Case, clean_environment, family

HERE = Path(__file__).resolve().parent
RESULTS = ROOT / "build" / "reliability"


class Tried(NamedTuple):
    """What became of a case."""

    how: str  # survived, lost or absent
    why: str


def environment(side: str, ours: str) -> dict[str, str]:
    """The environment of a worker; the reference is what is installed."""
    environ = clean_environment()
    if side in (OURS, AIO):
        environ["PYTHONPATH"] = ours
    return environ


def outcome(status: int, output: str, errors: str) -> Tried:
    """What a worker has said, or how it died."""
    if status < 0:
        return Tried("lost", f"killed by {signal.Signals(-status).name}")
    try:
        ((how, why),) = json.loads(output.strip().splitlines()[-1]).items()
        return Tried(how, str(why))
    except (ValueError, IndexError, AttributeError):
        words = [line for line in errors.splitlines() if "Timeout" in line]
        return Tried("lost", f"hangs for {SECONDS} s" if words else f"ended with status {status}")


def attempt(
    name: str, cases: list[Case], side: str, python: str, environ: dict[str, str]
) -> list[Tried]:
    """Try each case in a process of its own; a worker with several cases forks those."""
    limit = SECONDS * len(cases) + 5
    process = subprocess.Popen(
        [python, str(HERE / "worker.py"), name, side, *[case.name for case in cases]],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    output, errors = "", ""
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return [Tried("lost", f"hangs for {limit} s")] * len(cases)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if len(cases) == 1:
        return [outcome(process.returncode, output, errors)]
    ends = [outcome(*json.loads(line)) for line in output.splitlines()]
    missing = outcome(process.returncode or 1, "", errors)
    return ends + [missing] * (len(cases) - len(ends))


def attempts(name: str, side: str, options: argparse.Namespace) -> Iterator[tuple[str, Tried]]:
    """All cases of a family on one side, some at a time."""
    python = options.peers if side in (FAST, SDBUS) else sys.executable
    environ = environment(side, options.ours)
    wanted = [
        case
        for case in family(name)
        if side in case.sides and fnmatchcase(case.name, f"*{options.only or ''}*")
    ]
    size = getattr(import_module(name), "TOGETHER", 1)
    portions = [wanted[start : start + size] for start in range(0, len(wanted), size)]
    # More than there are processors: cases wait for most of their time.
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        results = pool.map(lambda cases: attempt(name, cases, side, python, environ), portions)
        for cases, ends in zip(portions, results):
            yield from zip([case.name for case in cases], ends)


def try_family(name: str, side: str, options: argparse.Namespace) -> int:
    """Try a family on one side, and tell; how many cases are lost."""
    results = dict(attempts(name, side, options))
    for case_name, tried in results.items():
        if tried.how == "lost":
            print(f"{name}, {side}, lost: {case_name}: {tried.why}")
    counts = Counter(tried.how for tried in results.values())
    print(
        f"{name}, {side}: {len(results) - counts['absent']} cases, {counts['survived']} survived, "
        f"{counts['lost']} lost, {counts['absent']} not offered",
        flush=True,
    )
    if not options.only:
        RESULTS.mkdir(parents=True, exist_ok=True)
        file = RESULTS / f"{name}.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        known[side] = {case_name: list(tried) for case_name, tried in results.items()}
        file.write_text(json.dumps(known, indent=1))
    return counts["lost"] if side in (OURS, AIO) else 0


def main() -> int:
    """1 if a case of this package is lost."""
    parser = argparse.ArgumentParser(prog="./dev FAMILY")
    parser.add_argument("ours", help=argparse.SUPPRESS)
    parser.add_argument("families", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--peers", help=argparse.SUPPRESS)
    parser.add_argument("--side", action="append", choices=SIDES, help="try this side")
    parser.add_argument("--only", metavar="PATTERN", help="cases with PATTERN in their name")
    options = parser.parse_args()
    lost = 0
    for name in options.families:
        for side in options.side or (OURS, AIO):
            if side in (FAST, SDBUS) and not options.peers:
                print(f"{name}, {side}: not tried, the package is not there")
                continue
            if any(side in case.sides for case in family(name)):
                lost += try_family(name, side, options)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
