# SPDX-License-Identifier: MIT
"""What a package costs before it does anything, and what stays: imports and resident memory."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from typing import Callable

from adapter import Adapter, portions
from context import AIO, FAST, PYTHON, SDBUS, Bench, Workload

ASYNCIO = (FAST, SDBUS, AIO)


def _cpu_ms(statement: str) -> float:
    """User and system time of an interpreter that runs a statement."""
    process = subprocess.Popen([sys.executable, "-c", statement], cwd="/")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{statement!r} has failed")
    return (usage.ru_utime + usage.ru_stime) * 1e3


def _import_time(statement: str, count: int) -> float:
    """The mean of several imports, less that of interpreters that import nothing."""
    _cpu_ms(statement)  # writes what is to be read from then on
    return sum(_cpu_ms(statement) - _cpu_ms("pass") for _ in range(count)) / count


def import_package(bench: Bench) -> float:
    """The package itself."""
    return _import_time(bench.adapter().imports, bench.count)


def import_bus(bench: Bench) -> float:
    """What a program for asyncio imports, asyncio with it."""
    return _import_time(bench.adapter().bus_imports, bench.count)


def _settled_rss(side: Adapter) -> int:
    side.call_ping()(1)
    gc.collect()
    return side.rss()


def _bytes_each(side: Adapter, count: int, register: Callable[[range], None]) -> float:
    """Growth of resident memory by one of what is registered, after some have been.

    In small portions, that answers which have not been read do not count.
    """
    first, before = count // 10, 0
    for portion in portions(range(first + count)):
        if portion.start == first:
            before = _settled_rss(side)
        register(portion)
        side.call_ping()(1)
    return (_settled_rss(side) - before) / count


def exported_object(bench: Bench) -> float:
    """An object with three methods at a path of its own."""
    side = bench.connect()
    return _bytes_each(side, bench.count, side.export)


def signal_match(bench: Bench) -> float:
    """A receiver of a signal from one path; a proxy with a handler where that is the way."""
    side = bench.connect()
    side.sender = bench.driver("commands").name
    return _bytes_each(side, bench.count, lambda numbers: side.subscribe("path", numbers))


def growth(bench: Bench) -> float:
    """Growth of resident memory over calls, half of them with 100 in flight, in KiB."""
    side = bench.connect()
    ways = side.proxy_ping(), side.in_flight(100)
    for work in ways:
        work(bench.count // 20)
    before = _settled_rss(side)
    for work in ways:
        work(bench.count // 2)
    return (_settled_rss(side) - before) / 1024


WORKLOADS = (
    Workload("import, CPU", import_package, (10, 2), PYTHON, unit="ms in all"),
    Workload("import of a bus for asyncio, CPU", import_bus, (10, 2), ASYNCIO, unit="ms in all"),
    Workload("an exported object", exported_object, (10_000, 10_000), PYTHON, unit="bytes"),
    Workload("a signal match", signal_match, (10_000, 10_000), PYTHON, unit="bytes"),
    Workload(
        "RSS growth over 200,000 calls",
        growth,
        (200_000, 2000),
        unit="KiB",
        once=True,
        note="a quick run makes 2,000 calls",
    ),
)
