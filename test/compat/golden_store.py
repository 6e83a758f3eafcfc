# SPDX-License-Identifier: MIT
"""The recorded outcomes: golden/<family>.json.gz.

A file holds {"base": {group: {case: outcome}}, "later": {level: {case: outcome}}}: what the
reference at level 1.3.2 makes of every case, and what differs at a later level.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).resolve().parent / "golden"
BASE = "1.3.2"


def load(name: str) -> Any:
    """What golden/<name>.json.gz holds."""
    with gzip.open(GOLDEN / f"{name}.json.gz", "rt", encoding="utf-8") as source:
        return json.load(source)


def store(name: str, data: Any) -> None:
    """Write golden/<name>.json.gz; equal data gives an equal file."""
    GOLDEN.mkdir(exist_ok=True)
    text = json.dumps(data, ensure_ascii=False, indent=0)
    with open(GOLDEN / f"{name}.json.gz", "wb") as raw:
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
            packed.write(text.encode())


def expected(family: str, level: tuple[int, ...]) -> dict[str, dict[str, str]]:
    """{group: {case: outcome}} of the reference at this API level."""
    data = load(family)
    groups: dict[str, dict[str, str]] = data["base"]
    for later, changes in sorted(data["later"].items()):
        if tuple(map(int, later.split("."))) <= level:
            for cases in groups.values():
                cases.update({case: changes[case] for case in cases.keys() & changes.keys()})
    return groups
