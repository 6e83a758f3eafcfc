# SPDX-License-Identifier: MIT
"""Eight threads on the same connections, with three loops in others: turmoil.py.

For minutes, and under a sanitizer: `./dev threads --minutes N --asan`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from cases import CLASSIC, OURS, SECONDS, Case, Lost, Place

HERE = Path(__file__).resolve().parent

# The tasks of turmoil.py, by the sides that have what they need.
TASKS = {
    "blocking_call": CLASSIC,
    "failing_call": CLASSIC,
    "async_call": CLASSIC,
    "subscription": CLASSIC,
    "export": CLASSIC,
    "own_connection": CLASSIC,
    "own_looped_connection": CLASSIC,
    "names": CLASSIC,
    "filters": CLASSIC,
    "asyncio_call": (OURS,),
    "asyncio_visit": (OURS,),
}


def _run(place: Place, seconds: int, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [sys.executable, str(HERE / "turmoil.py"), place.side, str(seconds), *arguments],
            env={
                **os.environ,
                "G_DEBUG": "fatal-criticals",
            },  # what GLib complains of is an end too
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS * 0.8,
        )
    except subprocess.TimeoutExpired:
        raise Lost("the interpreter hangs: not even the watchdog ends it") from None
    if done.returncode < 0:
        raise Lost(f"killed by signal {-done.returncode}")
    try:
        result = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        stuck = [line for line in done.stderr.splitlines() if line.startswith("stuck")]
        raise Lost(stuck[0] if stuck else f"ended with status {done.returncode}") from None
    if done.returncode or result["failures"]:
        raise Lost(f"{len(result['failures'])} failures: {result['failures'][:1]}")
    return f"{sum(result['done'].values())} times"


def _alone(task: str) -> Case:
    name = f"eight threads: {task.replace('_', ' ')}"
    return Case(name, lambda place: _run(place, 2, "--only", task), TASKS[task])


CASES = (
    *(_alone(task) for task in TASKS),
    Case("eight threads: all at once", lambda place: _run(place, 15), CLASSIC),
)
