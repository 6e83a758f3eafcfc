# SPDX-License-Identifier: MIT
"""Makes `api` importable: the switch between the implementations."""

import sys
from pathlib import Path

HERE = str(Path(__file__).resolve().parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

import api  # noqa: E402


def pytest_report_header() -> str:
    return f"asyncio API under test: {api.PACKAGE}"
