# SPDX-License-Identifier: MIT
"""Measures this build, dbus-python, dbus-fast, sdbus and plain C in one run.

`./dev bench` calls it.  Every row of the tables is measured for every side by a process of its own,
again and again, the sides in turn; then the instructions of some are counted.  The report goes to
standard output, progress to standard error, all samples to a JSON file.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Callable, NamedTuple

import machine
from context import AIO, BROKER, C_SD, CPU, DAEMON, FAST, INSTRUCTIONS, OURS, SDBUS, C, Workload
from report import PAGE, report, write_page
from results import Row, Run, new_row, save
from runner import Absent, Failed, Outcome, Places, Value, count_instructions, measure
from workloads import chosen

ROOT = machine.ROOT
RESULT = machine.BUILT / "result.json"


class Job(NamedTuple):
    """A measurement: a row, a side, and what is done."""

    workload: Workload
    side: str
    metric: str
    row: Row


class Progress:
    """Says on standard error what is done, and how long all the rest will take."""

    INTERVAL = 5.0  # seconds between two lines

    def __init__(self, jobs: list[Job]) -> None:
        self._waiting = [self._key(job) for job in jobs]
        self._left = self._all = len(jobs)
        self._start = self._said = time.monotonic()
        self._known: dict[tuple[str, str, str], float] = {}

    @staticmethod
    def _key(job: Job) -> tuple[str, str, str]:
        return job.workload.name, job.side, job.metric

    def remaining(self) -> float:
        """Seconds, by what each job took before, and by the mean where it is new."""
        if not self._known:
            return 0.0
        means = {}
        for metric in (CPU, INSTRUCTIONS):
            known = [time for key, time in self._known.items() if key[2] == metric]
            means[metric] = sum(known) / len(known) if known else 4.0
        return sum(self._known.get(key, means[key[2]]) for key in self._waiting)

    def done(self, job: Job, seconds: float) -> None:
        """A job has ended after so many seconds (of one of several, where they run at once)."""
        key = self._key(job)
        self._known[key] = seconds
        if key in self._waiting:
            self._waiting.remove(key)
        self._left = len(self._waiting)
        now = time.monotonic()
        if now - self._said < self.INTERVAL and self._left:
            return
        self._said = now
        line = f"{self._all - self._left} of {self._all}, {clock(now - self._start)} gone"
        line += f", about {clock(self.remaining())} left: {job.workload.name}, {job.side}"
        print(line, file=sys.stderr, flush=True)

    def drop(self, job: Job) -> None:
        """A job will not be done again."""
        key = self._key(job)
        self._waiting = [other for other in self._waiting if other != key]
        self._all -= self._left - len(self._waiting)
        self._left = len(self._waiting)


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def note(job: Job, result: Outcome) -> bool:
    """Put a result into its row; whether the job may be repeated."""
    if isinstance(result, Value):
        job.row["samples"].setdefault(job.side, []).append(result.value)
        return True
    # What has failed once gives no median, whatever other repetitions have given.
    job.row["samples"].pop(job.side, None)
    job.row["absent" if isinstance(result, Absent) else "failed"][job.side] = result.reason
    if isinstance(result, Failed):
        print(f"failed: {job.workload.name}, {job.side}: {result.reason}", file=sys.stderr)
    return False


def plan(options: argparse.Namespace, not_run: dict[str, str], run: Run) -> Iterator[Job]:
    """Every measurement once; the rows are added to the run."""
    for theme, workload in chosen(options.only):
        for metric in (CPU, INSTRUCTIONS):
            wanted = workload.sides if metric == CPU else workload.counted
            reason = not_run.get(workload.bus if metric == CPU else "instructions")
            if not wanted or (metric == INSTRUCTIONS and reason):
                continue
            row = new_row(theme, workload, metric)
            run["rows"].append(row)
            for side in wanted:
                if why := reason or not_run.get(side):
                    row["not_run"][side] = why
                else:
                    yield Job(workload, side, metric, row)


def repeat(
    jobs: list[Job], rounds: int, action: Callable[[Job], Outcome], progress: Progress
) -> None:
    """All jobs in turn, so many times; every other time from the last side to the first."""
    stopped: set[int] = set()
    for number in range(rounds):
        for job in jobs if number % 2 == 0 else reversed(jobs):
            if id(job) in stopped or (number and job.workload.once):
                continue
            start = time.monotonic()
            again = note(job, action(job))
            progress.done(job, time.monotonic() - start)
            if not again:
                stopped.add(id(job))
                progress.drop(job)


def count(jobs: list[Job], action: Callable[[Job], Outcome], progress: Progress) -> None:
    """Count instructions: on all cores at once, as other programs do not change them."""
    workers = len(set(machine.cores()))

    def one(job: Job) -> None:
        start = time.monotonic()
        note(job, action(job))
        progress.done(job, (time.monotonic() - start) / workers)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, jobs))


def start_buses(stack: ExitStack, not_run: dict[str, str]) -> dict[str, str]:
    """The addresses of the buses that start; why the others do not is noted."""
    addresses = {}
    for daemon in (DAEMON, BROKER):
        bus = machine.private_bus(daemon)
        try:
            bus.start()
        except RuntimeError as error:
            not_run[daemon] = str(error).splitlines()[0]
            continue
        stack.callback(bus.close)
        machine.pin_group(bus.pid, machine.cores()[1])
        addresses[daemon] = bus.address
    return addresses


def prepare(options: argparse.Namespace) -> dict[str, str]:
    """Build the C programs; what cannot be run, and why."""
    not_run = {}
    if problem := machine.compile_program("driver"):
        sys.exit(f"bench: the driver does not build: {problem}")
    for side, program in ((C, "limit"), (C_SD, "limit_sd")):
        if problem := machine.compile_program(program):
            not_run[side] = problem
    if not options.peers:
        not_run[FAST] = not_run[SDBUS] = "PyPI was not reached"
    if shutil.which("valgrind") is None:
        not_run["instructions"] = "valgrind is not installed"
    return not_run


def versions(places: Places) -> dict[str, str]:
    """Of all that is compared."""
    bare = {"PATH": "/usr/bin:/bin"}
    ours = {**bare, "PYTHONPATH": places.ours}
    found = {
        "dbus-shim": (sys.executable, "import dbus; print(dbus.shim_version)", ours),
        "dbus-python": (sys.executable, "import dbus; print(dbus.__version__)", bare),
    }
    for name in (FAST, SDBUS) if places.peers else ():
        source = f"from importlib.metadata import version; print(version({name!r}))"
        found[name] = (places.peers, source, bare)
    result = {
        name: machine.first_line(python, "-c", source, env=env)
        for name, (python, source, env) in found.items()
    }
    result["libdbus"] = machine.first_line("pkg-config", "--modversion", "dbus-1")
    result["libsystemd"] = machine.first_line("pkg-config", "--modversion", "libsystemd")
    result["Python"] = sys.version.split()[0]
    return {name: version for name, version in result.items() if version != "unknown"}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("ours", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--peers", metavar="PYTHON", default="", help=argparse.SUPPRESS)
    parser.add_argument(
        "--quick", action="store_true", help="everything once, with few operations: does it work?"
    )
    parser.add_argument("--only", metavar="PATTERN", help="rows or themes with this in their name")
    parser.add_argument("--rounds", type=int, help="repetitions (5)")
    parser.add_argument(
        "--json",
        type=Path,
        default=RESULT,
        metavar="FILE",
        help=f"where the samples go, and beside it the plot as .svg ({RESULT.relative_to(ROOT)})",
    )
    parser.add_argument(
        "--doc", action="store_true", help="put the report into doc/performance.md, with its plot"
    )
    parser.add_argument("--plot", metavar="PYTHON", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.doc and options.only:
        parser.error("--doc wants all rows")
    options.rounds = options.rounds or (1 if options.quick else 5)
    if not chosen(options.only):
        parser.error(f"no workload has {options.only!r} in its name")
    return options


def main() -> int:
    """Measure everything; 1 if something of ours could not be measured."""
    options = arguments()
    not_run = prepare(options)
    run: Run = {
        "format": 1,
        "date": machine.now(),
        "commit": machine.commit(),
        "quick": options.quick,
        "rounds": options.rounds,
        "only": options.only,
        "machine": machine.describe(),
        "not_run": not_run,
        "rows": [],
    }
    with ExitStack() as stack:
        places = Places(str(options.ours.resolve()), options.peers, start_buses(stack, not_run))
        if DAEMON in not_run:
            sys.exit(f"bench: there is no bus: {not_run[DAEMON]}")
        run["versions"] = versions(places)
        jobs = list(plan(options, not_run, run))
        timed = [job for job in jobs if job.metric == CPU]
        counted = [job for job in jobs if job.metric == INSTRUCTIONS]
        every = [
            job
            for number in range(options.rounds)
            for job in timed
            if not (number and job.workload.once)
        ]
        progress = Progress(every + counted)
        quickly = partial(in_job, places=places, quick=options.quick)
        try:
            repeat(timed, options.rounds, quickly, progress)
            count(counted, quickly, progress)
        except KeyboardInterrupt:
            print("interrupted: this is what was measured before", file=sys.stderr)
    save(run, options.json)
    print(f"the samples are in {options.json}", file=sys.stderr)
    if options.doc:
        write_page(run)
        draw(options.plot, options.json, PAGE.with_suffix(".svg"))
    draw(options.plot, options.json, options.json.with_suffix(".svg"))
    print(report(run), end="", flush=True)
    return int(any(side in row["failed"] for row in run["rows"] for side in (C, OURS, AIO)))


def draw(python: str, samples: Path, target: Path) -> None:
    """Make the plot, if there is an interpreter with matplotlib."""
    if not python:
        return
    command = [python, str(machine.HERE / "plot.py"), str(samples), str(target)]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        reason = (result.stderr.strip() or "unknown").splitlines()[-1]
        print(f"there is no plot: {reason}", file=sys.stderr)
    else:
        print(f"the plot is {target}", file=sys.stderr)


def in_job(job: Job, places: Places, quick: bool) -> Outcome:
    """Carry out a job."""
    action = measure if job.metric == CPU else count_instructions
    return action(job.workload, job.side, places, quick)


if __name__ == "__main__":
    sys.exit(main())
