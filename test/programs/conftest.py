# SPDX-License-Identifier: MIT
"""The fixture of the tests that run other people's programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import Programs


@pytest.fixture
def programs(bus: Any, tmp_path: Path) -> Iterator[Programs]:
    """Run programs on a private bus; at the end they are stopped and their module is checked."""
    these = Programs(bus, tmp_path)
    try:
        yield these
        these.check()
    finally:
        these.end()
