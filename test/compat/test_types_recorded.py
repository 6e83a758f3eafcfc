# SPDX-License-Identifier: MIT
"""Recorded outcomes: every type's construction, operators, conversions and attributes."""

from __future__ import annotations

import pytest
from cases import FAMILIES
from golden_check import check, family_outcomes, groups

RECORDED = (
    "construction",
    "behaviour",
)


@pytest.mark.parametrize("family, group", groups(*RECORDED))
def test_outcomes(family: str, group: str) -> None:
    check(family, group)


@pytest.mark.parametrize("family", RECORDED)
def test_recorded_cases_are_the_generated_ones(family: str) -> None:
    generated = {group: list(dict.fromkeys(cases)) for group, cases in FAMILIES[family]().items()}
    recorded = {group: list(cases) for group, cases in family_outcomes(family).items()}
    assert recorded == generated
