# SPDX-License-Identifier: MIT
"""Recorded outcomes: thousands of values at and beyond the bounds, appended and read back."""

from __future__ import annotations

import pytest
from cases import FAMILIES
from golden_check import check, family_outcomes, groups

RECORDED = ("generated_scalars", "generated_random", "generated_bounds")


@pytest.mark.parametrize("family, group", groups(*RECORDED))
def test_outcomes(family: str, group: str) -> None:
    check(family, group)


@pytest.mark.parametrize("family", RECORDED)
def test_recorded_cases_are_the_generated_ones(family: str) -> None:
    generated = {group: list(dict.fromkeys(cases)) for group, cases in FAMILIES[family]().items()}
    recorded = {group: list(cases) for group, cases in family_outcomes(family).items()}
    assert recorded == generated
