# SPDX-License-Identifier: MIT
"""Bodies of messages: built from values, and made values of.

The classic API's values are typed, those of the packages for asyncio are plain.  What is parsed is
the package's own message: libdbus' of the classic API, of dbus.aio and of C, sd-bus' of sdbus, and
bytes of dbus-fast, whose figures alone have the reading of the header.
"""

from __future__ import annotations

from context import Prepare, Workload


def parse(payload: str) -> Prepare:
    """Values of a body."""
    return lambda bench: bench.connect().parse(payload)


def build(payload: str) -> Prepare:
    """A body of values."""
    return lambda bench: bench.connect().build(payload)


WORKLOADS = (
    Workload("parse gmo", parse("gmo"), (400, 10)),
    Workload("build gmo", build("gmo"), (400, 10)),
    Workload("parse structs1000", parse("structs1000"), (500, 10)),
    Workload("build structs1000", build("structs1000"), (500, 10)),
    Workload("parse asv20", parse("asv20"), (30_000, 500)),
    Workload("build asv20", build("asv20"), (30_000, 500)),
    Workload("parse ai100k", parse("ai100k"), (30, 2), unit="ms"),
    Workload("build ai100k", build("ai100k"), (30, 2), unit="ms"),
)
