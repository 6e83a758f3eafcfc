# SPDX-License-Identifier: MIT
"""Write down what the reference makes of every case: `python3 record_golden.py [family ...]`.

Run it with an interpreter that imports the reference: first at level 1.3.2, which writes the files
anew, then at a later level, which adds what differs there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Optional

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import golden_store  # noqa: E402
import implementation  # noqa: E402
from cases import FAMILIES, Groups  # noqa: E402
from outcomes import FATAL, outcomes  # noqa: E402


def record(family: str, groups: Groups, level: str) -> None:
    """Run every case and write the outcomes, or what differs from the base."""
    recorded = {}
    for group, cases in groups.items():
        cases = list(dict.fromkeys(cases))
        recorded[group] = dict(zip(cases, outcomes(cases)))
    if level == golden_store.BASE:
        golden_store.store(family, {"base": recorded, "later": {}})
        count = sum(map(len, recorded.values()))
        fatal = sum(list(cases.values()).count(FATAL) for cases in recorded.values())
        print(f"{family}: {count} cases, {fatal} fatal")
        return
    data = golden_store.load(family)
    changes = {}
    for group, found in recorded.items():
        for case, outcome in found.items():
            if data["base"][group][case] != outcome:
                changes[case] = outcome
    data["later"][level] = changes
    golden_store.store(family, data)
    print(f"{family}: {len(changes)} differ at {level}")


def main(wanted: list[str]) -> Optional[str]:
    if implementation.SHIM_VERSION is not None:
        return "this is not the reference"
    for family in wanted or FAMILIES:
        record(family, FAMILIES[family](), ".".join(map(str, implementation.LEVEL)))
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
