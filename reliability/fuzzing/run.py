# SPDX-License-Identifier: MIT
"""Fuzzes: `run.py DRIVER MODULES [--minutes N] [--target T]... [--keep]`.

Each target first replays what is kept of it in fuzzing/seeds/TARGET/: `seeds.txt`, a line of
base64 each, and `found-*`, the inputs that once went wrong.  Then libFuzzer goes on from there and
from what earlier runs left in build/fuzz/TARGET/corpus/.  An input that goes wrong is made smaller
and put among the kept ones.  --keep writes `seeds.txt` anew: the smallest inputs that reach all
that is reached.

Two targets run side by side.  Figures go to build/reliability/fuzz.json, as those of the other
families; the status is 1 if anything went wrong.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

from cases import OURS, clean_environment  # noqa: E402
from fuzzing.targets import ROUND_TRIP, TARGETS  # noqa: E402

SEEDS = HERE / "seeds"
RESULTS = ROOT / "build" / "reliability" / "fuzz.json"
SIDE_BY_SIDE = 2
MOST_FOUND = 5  # of one run and target: more of them say nothing new
KEPT = 24 * 1024  # bytes of seeds
LIMITS = ("-rss_limit_mb=1500", "-malloc_limit_mb=600", "-timeout=60", "-detect_leaks=0")
LONGEST = 4096  # bytes of an input


class Outcome(NamedTuple):
    """What a target has done."""

    executions: int = 0
    seconds: float = 0.0  # of processor time
    edges: int = 0
    features: int = 0
    corpus: int = 0
    memory: int = 0  # MiB
    found: tuple[str, ...] = ()

    def words(self) -> str:
        """The figures for people."""
        return (
            f"{self.executions} executions in {self.seconds / 60:.1f} core minutes, "
            f"{self.executions / max(self.seconds, 0.001):.0f}/s, "
            f"{self.edges} edges, {self.features} features, corpus of {self.corpus}, "
            f"{self.memory} MiB, {len(self.found)} findings"
        )


class Ended(NamedTuple):
    """A process that has ended."""

    status: int
    output: str
    seconds: float  # of processor time


def run(arguments: Sequence[object], environ: dict[str, str], place: Path) -> Ended:
    """Run a program to its end, with its output in the end's `output`."""
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        process = subprocess.Popen(
            [*map(str, arguments)],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=place,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return Ended(process.returncode, said.read(), usage.ru_utime + usage.ru_stime)


def environment(target: str, modules: str) -> dict[str, str]:
    """The environment of a driver: nothing of ours but what is named here."""
    environ = clean_environment() | {
        "FUZZ_TARGET": target,
        "PYTHONPATH": f"{HERE.parent}:{modules}",
        "PYTHONMALLOC": "malloc",  # so that AddressSanitizer sees every object
        "PYTHONHASHSEED": "0",  # an input does the same each time
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=16:"
        "malloc_context_size=6",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    }
    return environ | ({"FUZZ_LINES": "1"} if TARGETS[target] else {})


class Fuzzer:
    """One target: its places, and the driver for it."""

    def __init__(self, target: str, options: argparse.Namespace) -> None:
        self.target = target
        self.driver = options.driver
        self.environ = environment(target, options.modules)
        self.kept = SEEDS / target
        self.place = ROOT / "build" / "fuzz" / target
        self.corpus, self.seeds, self.new = (
            self.place / name for name in ("corpus", "seeds", "found")
        )
        for folder in (self.kept, self.corpus, self.seeds, self.new):
            folder.mkdir(parents=True, exist_ok=True)

    def drive(self, *arguments: object) -> Ended:
        """Run the driver."""
        return run(
            [self.driver, *LIMITS, f"-max_len={LONGEST}", *arguments], self.environ, self.place
        )

    def replay(self) -> tuple[str, ...]:
        """Try the kept inputs once each; the names of those that go wrong."""
        for old in self.seeds.iterdir():
            old.unlink()
        text = self.kept / "seeds.txt"
        for line in text.read_text().split() if text.exists() else []:
            data = base64.b64decode(line)
            (self.seeds / hashlib.sha1(data).hexdigest()).write_bytes(data)
        wrong = []
        for group in ([*self.seeds.iterdir()], sorted(self.kept.glob("found-*"))):
            while group:
                ended = self.drive(f"-artifact_prefix={self.place}/", *group)
                if ended.status == 0:
                    break
                failed = re.findall(r"^Running: (.*)$", ended.output, re.M)[-1]
                (self.place / f"log-{Path(failed).name[:14]}.txt").write_text(ended.output)
                wrong.append(f"{Path(failed).name} ({reason(ended.output)})")
                group = group[[str(path) for path in group].index(failed) + 1 :]
        return tuple(wrong)

    def fuzz(self, seconds: float) -> Outcome:
        """Look for more."""
        total, begin = Outcome(), time.monotonic()
        while len(total.found) < MOST_FOUND:
            left = int(seconds - (time.monotonic() - begin))
            if left <= 0:
                break
            ended = self.drive(
                f"-max_total_time={left}", "-print_final_stats=1", "-reload=0",
                f"-artifact_prefix={self.new}/", self.corpus, self.seeds,
            )  # fmt: skip
            (self.place / "last.txt").write_text(ended.output)
            total = add(total, ended)
            found = re.search(
                r"written to (\S*/(?:crash|oom|timeout|leak)-\w+)$", ended.output, re.M
            )
            if not found:
                break
            name = self.keep(Path(found[1]), ended.output)
            total = total._replace(found=(*total.found, f"{name} ({reason(ended.output)})"))
        return total

    def keep(self, artifact: Path, output: str) -> str:
        """Put a found input, made smaller, among the kept ones; its name there."""
        smaller = self.place / "smaller"
        smaller.unlink(missing_ok=True)
        self.drive(
            "-minimize_crash=1", "-max_total_time=20", f"-exact_artifact_path={smaller}", artifact
        )
        data = (smaller if smaller.exists() else artifact).read_bytes()
        name = f"found-{hashlib.sha1(data).hexdigest()[:8]}"
        (self.kept / name).write_bytes(data)
        (self.place / f"log-{name}.txt").write_text(output)
        return name

    def write_seeds(self) -> None:
        """Keep the smallest inputs that reach what is reached, as far as there is room."""
        merged = self.place / "merged"
        merged.mkdir(exist_ok=True)
        for old in merged.iterdir():
            old.unlink()
        self.drive("-merge=1", merged, self.seeds, self.corpus)
        lines, room = [], KEPT
        for path in sorted(merged.iterdir(), key=lambda path: (path.stat().st_size, path.name)):
            line = base64.b64encode(path.read_bytes()).decode()
            room -= len(line)
            if room > 0 and line:
                lines.append(line)
        (self.kept / "seeds.txt").write_text("\n".join(lines) + "\n")


def reason(output: str) -> str:
    """In a few words what went wrong."""
    error = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception|Oops): .*$|^ERROR: .*$", output, re.M)
    summary = re.findall(r"SUMMARY: (.*)", output)
    return " | ".join(part[:100] for part in (*error[-1:], *summary[-1:])) or "no words"


def add(total: Outcome, ended: Ended) -> Outcome:
    """The figures after one more run of the driver."""

    def last(pattern: str) -> int:
        numbers = re.findall(pattern, ended.output)
        return int(numbers[-1]) if numbers else 0

    return total._replace(
        seconds=total.seconds + ended.seconds,
        executions=total.executions + last(r"number_of_executed_units: +(\d+)"),
        edges=max(total.edges, last(r" cov: (\d+)")),
        features=max(total.features, last(r" ft: (\d+)")),
        corpus=max(total.corpus, last(r" corp: (\d+)")),
        memory=max(total.memory, last(r"peak_rss_mb: +(\d+)")),
    )


def try_target(target: str, options: argparse.Namespace) -> tuple[str, Outcome]:
    """Replay and fuzz one target."""
    if target == ROUND_TRIP:
        return target, round_trips(options)
    fuzzer = Fuzzer(target, options)
    wrong = fuzzer.replay()
    outcome = fuzzer.fuzz(options.minutes * 60)
    if options.keep:
        fuzzer.write_seeds()
    return target, outcome._replace(found=(*wrong, *outcome.found))


def round_trips(options: argparse.Namespace) -> Outcome:
    """Values through this package and its judges, by hypothesis."""
    environ = environment("decode", options.ours)
    ended = run(
        [options.hypothesis, HERE / "roundtrip.py", options.minutes * 60],
        {key: value for key, value in environ.items() if key != "PYTHONMALLOC"},
        ROOT / "build" / "fuzz",
    )
    (ROOT / "build" / "fuzz" / "roundtrip.txt").write_text(ended.output)
    try:
        result = json.loads(ended.output.splitlines()[-1])
    except (ValueError, IndexError):
        return Outcome(found=(f"ended with status {ended.status}, see build/fuzz",))
    return Outcome(
        executions=result["trips"],
        seconds=ended.seconds,
        memory=result["memory"],
        found=tuple(result["found"]),
    )


def outcomes(options: argparse.Namespace) -> Iterator[tuple[str, Outcome]]:
    """What the targets have done, two at a time."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield from pool.map(lambda target: try_target(target, options), options.target)


def main() -> int:
    """See above."""
    parser = argparse.ArgumentParser(prog="./dev fuzz")
    for name in ("driver", "modules", "ours", "hypothesis"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    parser.add_argument("--minutes", type=float, default=1.0, help="for each target")
    every = [*TARGETS, ROUND_TRIP]
    parser.add_argument("--target", action="append", choices=every, help="only this one")
    parser.add_argument("--keep", action="store_true", help="write the kept seeds anew")
    options = parser.parse_args()
    partly = options.target is not None
    options.target = options.target or every
    (ROOT / "build" / "fuzz").mkdir(parents=True, exist_ok=True)
    results: dict[str, list[str]] = {}
    for target, outcome in outcomes(options):
        how = "lost" if outcome.found else "survived"
        results[target] = [how, "; ".join([outcome.words(), *outcome.found])]
        print(f"{target}: {outcome.words()}", *outcome.found, sep="\n    ", flush=True)
    lost = sum(how == "lost" for how, _ in results.values())
    print(f"fuzz: {len(results)} targets, {len(results) - lost} survived, {lost} lost")
    if not partly:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps({OURS: results}, indent=1))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
