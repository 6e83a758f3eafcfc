# SPDX-License-Identifier: MIT
"""What a message costs when much is registered, beside the rows with many matches in signals.py."""

from __future__ import annotations

from calls import in_flight
from context import Workload
from service import serving

WORKLOADS = (
    Workload("Echo(s) with 10 objects", serving("Echo", 10), (15_000, 500)),
    Workload("Echo(s) with 10,000 objects", serving("Echo", 10_000), (15_000, 500)),
    Workload("10 calls in flight", in_flight(10), (20_000, 1000)),
    Workload("10,000 calls in flight", in_flight(10_000), (50_000, 10_000)),
)
