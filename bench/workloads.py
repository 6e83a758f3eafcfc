# SPDX-License-Identifier: MIT
"""The table of all workloads, by theme."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Optional

import calls
import codec
import memory
import scale
import service
import signals
from context import Workload

THEMES: dict[str, tuple[Workload, ...]] = {
    "Calls": calls.WORKLOADS,
    "Signals": signals.WORKLOADS,
    "Services": service.WORKLOADS,
    "Bodies": codec.WORKLOADS,
    "Memory and import": memory.WORKLOADS,
    "Scale": scale.WORKLOADS,
}


def find(name: str) -> Workload:
    """The workload of this name."""
    return next(row for rows in THEMES.values() for row in rows if row.name == name)


def chosen(pattern: Optional[str]) -> list[tuple[str, Workload]]:
    """Theme and workload of every row whose name, or whose theme, has the pattern in it."""
    wanted = f"*{pattern or ''}*".lower()
    return [
        (theme, row)
        for theme, rows in THEMES.items()
        for row in rows
        if fnmatchcase(row.name.lower(), wanted) or fnmatchcase(theme.lower(), wanted)
    ]
