# SPDX-License-Identifier: MIT
"""Objects end in any order, at any time and by any exception, and nothing is left behind."""

from __future__ import annotations

import lifetimes_asyncio
import lifetimes_collected
import lifetimes_ends
import lifetimes_forks
import lifetimes_raising

CASES = (
    *lifetimes_collected.CASES,
    *lifetimes_asyncio.CASES,
    *lifetimes_raising.CASES,
    *lifetimes_ends.CASES,
    *lifetimes_forks.CASES,
)
