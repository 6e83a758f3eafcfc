# SPDX-License-Identifier: MIT
"""What is to be reached: the last column of the table in PERFORMANCE.md, as ratios.

That table was measured on another machine, so its figures are no targets here.  Its ratios are: a
target is its figure divided by the one that C, or a peer, had in the same row, and it is met where
ours divided by that side's figure *of this run* is no more.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from context import AIO, CPU, FACES, FAST, INSTRUCTIONS, OURS, REFERENCE, C

SCALING = 1.2


class Target(NamedTuple):
    """A row's target; `limit` is a ratio to `side`, to `row` of the same side, or an absolute."""

    workload: str
    faces: tuple[str, ...]
    limit: float
    side: str = ""
    row: str = ""
    metric: str = CPU
    origin: str = ""  # how PERFORMANCE.md puts it

    def base(self) -> str:
        """What the ratio is to, in words."""
        return self.side or self.row


def _to(
    workload: str,
    figure: float,
    base: float,
    unit: str,
    faces: tuple[str, ...] = FACES,
    side: str = C,
    metric: str = CPU,
) -> Target:
    origin = f"{figure:g}{unit} beside {base:g}{unit} of {side}"
    return Target(workload, faces, figure / base, side, metric=metric, origin=origin)


def _times(workload: str, limit: float, side: str = C, row: str = "") -> Target:
    side = "" if row else side
    return Target(workload, FACES, limit, side, row, origin=f"{limit:g} x {side or row}")


TARGETS = (
    _to("Ping through a proxy", 40, 54.1, "k", metric=INSTRUCTIONS),
    _times("100 calls in flight", 0.8),
    _to("signal, 1 match", 33, 27.8, "k", metric=INSTRUCTIONS),
    _times("signal, 100 matches by arg0", 1.3, row="signal, 1 match"),
    _times("signal, 10,000 matches by arg0", 1.3, row="signal, 1 match"),
    _times("service Echo(s)", 1.1),
    _to("parse gmo", 300, 468, " us", (OURS,)),
    _to("parse gmo", 190, 230, " us", (AIO,), FAST),
    _to("build gmo", 560, 836, " us"),
    _to("parse structs1000", 250, 287, " us"),
    _to("build structs1000", 180, 222, " us"),
    _to("parse asv20", 2.8, 7.0, " us"),
    _to("parse ai100k", 6, 5.15, " ms"),
    _to("echo of ay 1 MiB", 12, 3.5, " ms", (OURS,)),
    _times("echo of ay 1 MiB, byte_arrays", 1.1),
    _to("import, CPU", 13.5, 13.5, " ms", side=REFERENCE),
    _to("an exported object", 600, 850, " bytes", side=REFERENCE),
    _to("a signal match", 450, 959, " bytes", side=REFERENCE),
    # Resident memory comes in pages; less than a third of a byte a call is no growth.
    Target("RSS growth over 200,000 calls", FACES, 64, origin="0, that is at most 64 KiB"),
    _times("Echo(s) with 10,000 objects", SCALING, row="Echo(s) with 10 objects"),
    _times("signal, 10,000 matches by path", SCALING, row="signal, 10 matches by path"),
    _times("10,000 calls in flight", SCALING, row="10 calls in flight"),
)


def target_for(workload: str, metric: str, face: str) -> Optional[Target]:
    """The target of a row for one of our faces."""
    for target in TARGETS:
        if (target.workload, target.metric) == (workload, metric) and face in target.faces:
            return target
    return None
