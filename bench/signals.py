# SPDX-License-Identifier: MIT
"""Signals that come to the side that is measured, by match rules that differ in one field.

The signals fit ten of the rules, evenly spread, in turn.  They are all with the bus before the
first is read: a bus with many rules is slow, and a client that had to sleep for each signal would
seem to be so too.
"""

from __future__ import annotations

from adapter import Work
from context import ALL, Bench, Prepare, Workload


def signals(field: str, matches: int) -> Prepare:
    """`field` is path, arg0 or none."""

    def prepare(bench: Bench) -> Work:
        side = bench.connect()
        driver = bench.driver("commands")
        side.sender = driver.name
        side.subscribe(field, range(matches))

        def work(count: int) -> None:
            driver.begin("signals", count, matches)
            driver.end()
            side.receive(count)

        return work

    return prepare


WORKLOADS = (
    Workload("signal, 1 match", signals("none", 1), (10_000, 500), counted=ALL),
    Workload("signal, 1 match by path", signals("path", 1), (10_000, 500)),
    Workload("signal, 10 matches by path", signals("path", 10), (10_000, 500)),
    Workload("signal, 100 matches by path", signals("path", 100), (10_000, 500)),
    Workload("signal, 10,000 matches by path", signals("path", 10_000), (2000, 200)),
    Workload("signal, 1 match by arg0", signals("arg0", 1), (10_000, 500)),
    Workload("signal, 100 matches by arg0", signals("arg0", 100), (10_000, 500)),
    Workload("signal, 10,000 matches by arg0", signals("arg0", 10_000), (1000, 100)),
)
