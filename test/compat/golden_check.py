# SPDX-License-Identifier: MIT
"""Comparing the implementation under test with the recorded outcomes."""

from __future__ import annotations

import functools
import re

import golden_store
import implementation
from deliberate import UNSTABLE, depends_on_interpreter, find
from outcomes import outcomes, sanitized

SHOWN = 25  # mismatches in a failure's text


@functools.lru_cache(maxsize=None)
def family_outcomes(family: str) -> "dict[str, dict[str, str]]":
    """The reference's outcomes at the level that the implementation under test states."""
    return golden_store.expected(family, implementation.LEVEL)


def groups(*families: str) -> "list[tuple[str, str]]":
    """(family, group) pairs for parametrize."""
    return [(family, group) for family in families for group in family_outcomes(family)]


def check(family: str, group: str) -> None:
    """Assert that every case of the group has the recorded outcome, or the deliberate other one."""
    recorded = family_outcomes(family)[group]
    wanted = {case: text for case, text in recorded.items() if not depends_on_interpreter(case)}
    if sanitized():  # without the limit, these would really take the gigabytes that they ask for
        huge = [
            c for c, text in wanted.items() if text == "!MemoryError" and "Byte" in c.split("(")[0]
        ]
        wanted = {case: text for case, text in wanted.items() if case not in huge}
    found = outcomes(wanted)
    assert len(found) == len(wanted) > 0
    wrong = []
    for (case, reference), outcome in zip(wanted.items(), found):
        if implementation.REFERENCE:
            if outcome != reference and not UNSTABLE.search(case):
                wrong.append(f"{case}\n    recorded: {reference}\n    now:      {outcome}")
            continue
        rule = find(family, case, reference)
        if rule is None:
            if outcome != reference:
                wrong.append(f"{case}\n    reference: {reference}\n    ours:      {outcome}")
        elif re.fullmatch(rule.ours, outcome, re.S):
            implementation.differs(ours=None, reference=None, why=rule.why)
        else:
            wrong.append(f"{case}\n    {rule.why}: {rule.ours}\n    ours:      {outcome}")
    shown = "\n".join(wrong[:SHOWN])
    assert not wrong, f"{len(wrong)} of {len(wanted)} cases differ:\n{shown}"
