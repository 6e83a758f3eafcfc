# SPDX-License-Identifier: MIT
"""A service under the load of a program in C with 50 calls in flight; measured is the service."""

from __future__ import annotations

import os

from adapter import Work
from context import Bench, Prepare, Workload


def serving(member: str, objects: int = 1) -> Prepare:
    """Calls of a member of so many objects; ten of them are called, evenly spread, in turn."""

    def prepare(bench: Bench) -> Work:
        side = bench.connect()
        name = f"org.example.Bench.p{os.getpid()}"
        side.request_name(name)
        side.export(range(objects))
        driver = bench.driver("commands")

        def work(count: int) -> None:
            driver.begin("calls", name, member, count, objects)
            side.serve()
            driver.end()

        return work

    return prepare


WORKLOADS = (
    Workload("service Echo(s)", serving("Echo"), (15_000, 500)),
    Workload("service Add(ii)", serving("Add"), (15_000, 500)),
)
