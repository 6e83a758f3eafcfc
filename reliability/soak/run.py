# SPDX-License-Identifier: MIT
"""What many operations leave behind: `run.py MODULES [--operations N] [--side S]... [--only P]`.

Each kind of operation has a process of its own, which does it N times and looks at itself a few
times beforehand, after a tenth of that and at the end: resident memory, bytes that malloc() has
given out, blocks of Python's allocator, open descriptors.  A kind is flat if from the tenth to the
end none of them has grown by more than is allowed below, whatever N is.  The figures are kept in
build/reliability/soak.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent.parent))

from cases import AIO, ASYNCIO, CLASSIC, FAST, OURS, SDBUS, SIDES, Place  # noqa: E402
from run import RESULTS, environment  # noqa: E402

from soak.figures import ALLOWED, Figures  # noqa: E402
from soak.kinds import Kind  # noqa: E402

MODULES = {
    **dict.fromkeys(CLASSIC, "soak.classic"),
    **dict.fromkeys(ASYNCIO, "soak.aio"),
    SDBUS: "soak.on_sdbus",
}
LIMIT = 3600  # seconds for one kind
# How often a process is looked at beforehand: what the collector finds fills the interpreter's free
# lists, each time a little more of them.
SETTLING = 8


def kinds_of(side: str) -> tuple[Kind, ...]:
    """The kinds that it is tried with."""
    kinds: tuple[Kind, ...] = import_module(MODULES[side]).KINDS
    return kinds


def worker(side: str, name: str, count: int) -> None:
    """One kind, in this process; the figures go to standard output."""
    module: Any = import_module(MODULES[side])
    kind = next(kind for kind in kinds_of(side) if kind.name == name)
    counts = [max(count // 50, 20)] * SETTLING + [max(count // 10, 20), count]
    place = Place(side)
    with place.stack:
        begun = time.monotonic()
        seen = module.soak(place, kind, counts)
        print(json.dumps({"seconds": time.monotonic() - begun, "figures": seen[-2:]}), flush=True)


# --- All of them


def attempt(side: str, kind: Kind, count: int, options: argparse.Namespace) -> tuple[bool, str]:
    """Whether the kind is flat, and its figures."""
    python = options.peers if side in (FAST, SDBUS) else sys.executable
    done = subprocess.run(
        [python, str(HERE), "--worker", side, kind.name, str(count)],
        env=environment(side, options.modules),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    try:
        result = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        errors = done.stderr.strip().splitlines()
        return False, f"ended with status {done.returncode}: {errors[-1] if errors else ''}"
    before, after = (Figures(*figures) for figures in result["figures"])
    grown = Figures(*(late - early for early, late in zip(before, after)))
    words = (
        f"{count} times in {result['seconds']:.0f} s: RSS {before.rss >> 10} KiB"
        f" {grown.rss >> 10:+}, malloc {grown.malloc:+} bytes, blocks {grown.blocks:+},"
        f" descriptors {before.fds} {grown.fds:+}"
    )
    return all(have <= most for have, most in zip(grown, ALLOWED)), words


def soak(side: str, options: argparse.Namespace) -> int:
    """All kinds on one side; how many are not flat."""
    results = {}
    for kind in kinds_of(side):
        if not fnmatchcase(kind.name, f"*{options.only or ''}*"):
            continue
        count = max(options.operations // kind.share, 50)
        flat, words = attempt(side, kind, count, options)
        results[kind.name] = ["survived" if flat else "lost", words]
        print(f"soak, {side}, {'flat' if flat else 'GROWS'}: {kind.name}: {words}", flush=True)
    lost = sum(how == "lost" for how, _ in results.values())
    print(
        f"soak, {side}: {len(results)} kinds, {len(results) - lost} flat, {lost} grow", flush=True
    )
    if not options.only:
        RESULTS.mkdir(parents=True, exist_ok=True)
        file = RESULTS / "soak.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        known[side] = results
        file.write_text(json.dumps(known, indent=1))
    return lost if side in (OURS, AIO) else 0


def main() -> int:
    """1 if a kind of this package is not flat."""
    if sys.argv[1] == "--worker":
        worker(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        return 0
    parser = argparse.ArgumentParser(prog="./dev soak")
    parser.add_argument("modules", help=argparse.SUPPRESS)
    parser.add_argument("--operations", type=int, default=20_000)
    parser.add_argument("--side", action="append", choices=SIDES)
    parser.add_argument("--only", metavar="PATTERN")
    parser.add_argument("--peers", help=argparse.SUPPRESS)
    options = parser.parse_args()
    return 1 if sum(soak(side, options) for side in options.side or (OURS, AIO)) else 0


if __name__ == "__main__":
    sys.exit(main())
