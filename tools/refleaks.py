# SPDX-License-Identifier: MIT
"""A plugin of pytest that looks for leaked references: `pytest -p refleaks`.

Each test that passes is run WARM_UP times and then ROUNDS times more, with fixtures made anew, on a
debug build of Python, which knows the number of all references.  A test leaks if that number, or
the number of allocated blocks, has grown in *every* counted round.  The caches of the packages are
emptied before each count; what another cache keeps, the next round finds there.  A test that leaks
fails; the sums are told at the end.
"""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Iterator
from functools import _lru_cache_wrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable, NamedTuple

import pytest
from _pytest.runner import runtestprotocol

WARM_UP = 3
ROUNDS = 4

# What grows without this package as well, by the name of the test.
OTHERS = {
    "test_the_loop_of_the_creating_thread_serves_the_connection": "PyGObject keeps references to "
    "types for each new MainContext and MainLoop, and for each run of a loop",
    "test_a_gobject_on_the_bus": "PyGObject keeps each class",
    "test_a_subclass_overrides": "PyGObject keeps each class",
}


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In the place of pytest's, which notes each directory."""
    with TemporaryDirectory() as directory:
        yield Path(directory)


class Counted(NamedTuple):
    """A test, and by how much the counts have changed in each round."""

    name: str
    references: list[int]
    blocks: list[int]

    def grows(self) -> bool:
        """In each round."""
        return min(self.references) > 0 or min(self.blocks) > 0

    def reason(self) -> str:
        """Why that is no leak of this package, if it is none."""
        return OTHERS.get(self.name.rsplit("::", 1)[-1], "")

    def leaks(self) -> bool:
        """Whether something of this package is left in each round."""
        return self.grows() and not self.reason()


class Refleaks:
    """The plugin."""

    def __init__(self, total: Callable[[], int]) -> None:
        self.total = total
        self.counted: list[Counted] = []
        self.skipped = 0
        self.caches: list[Callable[[], object]] = []

    def pytest_collection_finish(self) -> None:
        """The caches of fixed size, for which every round has new keys."""
        import _dbus_bindings

        self.caches = [_dbus_bindings._clear_caches]
        self.caches += [
            one.cache_clear for one in gc.get_objects() if isinstance(one, _lru_cache_wrapper)
        ]

    def _counts(self) -> tuple[int, int]:
        """References and blocks, once caches are empty and nothing is left to collect."""
        re.purge()
        sys._clear_type_cache()
        more = 1
        while more:
            for clear in self.caches:
                clear()
            more = gc.collect()  # what ends may fill the caches again
        blocks = sys.getallocatedblocks()
        return self.total(), blocks

    def _round(self, item: pytest.Item) -> bool:
        """Run the test without a word; whether it passed."""
        item._initrequest()  # type: ignore[attr-defined]  # its fixtures are made anew
        # What its module needs stays, and nothing of the test itself.
        item._report_sections.clear()  # what was logged in the rounds before
        reports = runtestprotocol(item, log=False, nextitem=item.parent)  # type: ignore[arg-type]
        for definitions in item._fixtureinfo.name2fixturedefs.values():  # type: ignore[attr-defined]
            for one in definitions:
                del one._finalizers[1:]  # each round of those that stay adds the same ones
        return all(report.passed for report in reports)

    def _count(self, item: pytest.Item) -> bool:
        """Run the test again and again; False if it cannot be counted."""
        references, blocks = [0] * ROUNDS, [0] * ROUNDS
        gc.collect()
        gc.freeze()  # what is here already need not be looked at again and again
        for _ in range(WARM_UP):
            if not self._round(item):
                return False
        for number in range(ROUNDS):
            before = self._counts()
            ok = self._round(item)
            after = self._counts()
            if not ok:
                return False
            references[number] = after[0] - before[0]
            blocks[number] = after[1] - before[1]
        self.counted.append(Counted(item.nodeid, references, blocks))
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """In the last run, the one that is reported, a leak is a failure."""
        if self.counted and self.counted[-1].name == item.nodeid and self.counted[-1].leaks():
            pytest.fail(f"leaks: {self.counted[-1]}", pytrace=False)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Count first; the ordinary run follows."""
        if not self._count(item):
            self.skipped += 1
        item._initrequest()  # type: ignore[attr-defined]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What was counted."""
        grow = [one for one in self.counted if one.grows()]
        leaks = [one for one in grow if one.leaks()]
        terminalreporter.section("references")
        for one in grow:
            terminalreporter.write_line(
                f"{one.reason() or 'leaks'}: {one.name}: {one.references}, {one.blocks}"
            )
        terminalreporter.write_line(
            f"{len(self.counted)} tests were run {WARM_UP} + {ROUNDS} times, {len(leaks)} leak, "
            f"{len(grow) - len(leaks)} grow by what others keep; "
            f"{self.skipped} were not counted, as they are skipped or fail when run again"
        )


def pytest_configure(config: pytest.Config) -> None:
    """Only a debug build of Python can count."""
    total = getattr(sys, "gettotalrefcount", None)
    if total is None:
        pytest.exit("references are counted by a debug build of Python only", returncode=3)
    config.pluginmanager.register(Refleaks(total), "refleaks-counter")
