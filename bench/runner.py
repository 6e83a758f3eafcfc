# SPDX-License-Identifier: MIT
"""Starts the workers: one process a measurement, plain or under cachegrind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, Union

from adapter_c import WRAP
from context import AIO, C_SD, FAST, OURS, SDBUS, C, Workload
from machine import HERE, cores

SECONDS = 300.0  # a measurement that takes longer has failed
CACHEGRIND = (
    "valgrind",
    "--tool=cachegrind",
    "--cache-sim=no",
    "--trace-children=no",
    "--cachegrind-out-file=/dev/null",
)
# Operations of the short run, and of the long run beyond those, in a full and in a quick run.
SHORT = 200
LONGER = (1000, 200)


class Value(NamedTuple):
    """What was measured."""

    value: float


class Absent(NamedTuple):
    """The side has no such thing."""

    reason: str


class Failed(NamedTuple):
    """It should have been measured."""

    reason: str


Outcome = Union[Value, Absent, Failed]


class Places(NamedTuple):
    """Where the sides are: our modules, the interpreter of the peers, the buses by daemon."""

    ours: str
    peers: str
    buses: Mapping[str, str]


def environment(side: str, places: Places) -> dict[str, str]:
    """The environment in which a side is measured; the reference is what is installed."""
    environ = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("DBUS_", "PYTHON")) and key != WRAP
    }
    environ["PYTHONHASHSEED"] = "0"  # otherwise every process has dictionaries of its own
    if side in (OURS, AIO):
        environ["PYTHONPATH"] = places.ours
    return environ


def command_for(
    workload: Workload, side: str, places: Places, quick: bool, counting: bool
) -> list[str]:
    """The worker's command line; a worker that is not timed needs no core of its own."""
    count = (LONGER if counting else workload.counts)[quick]
    own, others = cores()
    order = {
        "workload": workload.name,
        "side": side,
        "address": places.buses[workload.bus],
        "count": count,
        "warm_up": SHORT if counting else max(1, count // 10),
        "counting": counting,
        "cores": ([own, others], [own, others]) if counting else ([own], [others]),
    }
    python = places.peers if side in (FAST, SDBUS) else sys.executable
    return [python, str(HERE / "worker.py"), json.dumps(order)]


def outcome(line: str, errors: str) -> Outcome:
    """What a worker has said: its last line, and what went to standard error."""
    try:
        said = json.loads(line)
        if "value" in said:
            return Value(float(said["value"]))
        return Absent(said["absent"]) if "absent" in said else Failed(said["failed"])
    except (ValueError, KeyError, TypeError):
        # The last line of a trace names the error; the rest is the inside of a package.
        last = (errors.strip() or "it ended without a word").splitlines()[-1]
        return Failed(last[:200])


def run_worker(command: list[str], environ: dict[str, str]) -> Outcome:
    """Run a worker, and end all that it has started when it takes too long."""
    process = subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=SECONDS)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            return Failed(f"not ended after {SECONDS:.0f} s")
        raise
    return outcome((output.strip() or "\n").splitlines()[-1], errors)


def measure(workload: Workload, side: str, places: Places, quick: bool) -> Outcome:
    """One repetition of a row for one side."""
    command = command_for(workload, side, places, quick, counting=False)
    return run_worker(command, environment(side, places))


def instruction_count(log: str) -> int:
    """User instructions, from what cachegrind has said at its end.

    :raises ValueError: if it has not
    """
    found = re.search(r"I +refs: +([\d,]+)", log)
    if found is None:
        raise ValueError("cachegrind has counted nothing")
    return int(found[1].replace(",", ""))


def between_marks(logs: Iterable[str]) -> int:
    """User instructions between the two marks of a process, which has a log itself.

    :raises ValueError: if there are not the logs of all three
    """
    counts = sorted(instruction_count(log) for log in logs if "refs:" in log)
    if len(counts) != 3:
        raise ValueError(f"cachegrind has counted {len(counts)} processes instead of 3")
    return counts[1] - counts[0]


def count_instructions(workload: Workload, side: str, places: Places, quick: bool) -> Outcome:
    """User instructions an operation: the difference between a long and a short run.

    Both are one process, so that all else is the same: a fork at the end of each has the count.
    """
    command = command_for(workload, side, places, quick, counting=True)
    environ = environment(side, places)
    with tempfile.TemporaryDirectory() as directory:
        # A file a process: what is started and not followed makes one too, with no count.
        prefix = [*CACHEGRIND, f"--log-file={directory}/%p"]
        if side in (C, C_SD):
            environ[WRAP] = " ".join(prefix)
        else:
            command = prefix + command
        result = run_worker(command, environ)
        if not isinstance(result, Value):
            return result
        logs = [path.read_text(errors="replace") for path in Path(directory).iterdir()]
    try:
        return Value(between_marks(logs) / LONGER[quick])
    except ValueError as error:
        return Failed(str(error))
