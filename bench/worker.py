# SPDX-License-Identifier: MIT
"""Measures one workload of one side once: `worker.py ORDER`, ORDER being JSON (see `Order`).

Prints a line of JSON: {"value": number}, or {"absent": reason} where the side has no such thing, or
{"failed": reason}.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TypedDict

from adapter import NotOffered
from context import Bench
from workloads import find


class Order(TypedDict):
    """What is to be done."""

    workload: str
    side: str
    address: str  # of the bus
    count: int
    warm_up: int  # operations before those that are measured
    counting: bool  # instructions are counted, so the process marks the time before those
    cores: tuple[list[int], list[int]]  # of this process, of all others


def measure(order: Order) -> float:
    """CPU time an operation, in microseconds, or the figure that the workload finds itself."""
    own, others = order["cores"]
    os.sched_setaffinity(0, own)
    bench = Bench(order["side"], order["address"], order["count"], others)
    with bench.stack:
        work = find(order["workload"]).prepare(bench)
        if not callable(work):
            return work
        work(order["warm_up"])
        if order["counting"]:
            bench.connected.mark()
            work(order["count"])
            bench.connected.mark()
            return 0.0
        before = bench.connected.cpu_us()
        work(order["count"])
        return (bench.connected.cpu_us() - before) / order["count"]


def main() -> None:
    """Errors are told by type and text alone: a trace would show the inside of the packages."""
    order: Order = json.loads(sys.argv[1])
    try:
        result: dict[str, object] = {"value": measure(order)}
    except NotOffered as error:
        result = {"absent": str(error)}
    except Exception as error:
        result = {"failed": f"{type(error).__name__}: {error}"}
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
