# SPDX-License-Identifier: MIT
"""Objects end in any order, at any time and by any exception, and nothing is left behind."""

from __future__ import annotations

from . import aio, collected, ends, forks, raising

CASES = (
    *collected.CASES,
    *aio.CASES,
    *raising.CASES,
    *ends.CASES,
    *forks.CASES,
)
