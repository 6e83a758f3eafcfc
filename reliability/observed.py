# SPDX-License-Identifier: MIT
"""What cases measure and compare."""

from __future__ import annotations

import os

from cases import Lost


def expect(seen: object, *wanted: object) -> None:
    """Lost unless what was seen is one of those."""
    if seen not in wanted:
        raise Lost(f"{seen!r} in place of {' or '.join(map(repr, wanted))}")


def memory() -> float:
    """MiB that the process has resident."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / (1 << 20)


def descriptors() -> int:
    """How many descriptors are open."""
    return len(os.listdir("/proc/self/fd"))
