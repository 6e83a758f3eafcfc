# SPDX-License-Identifier: MIT
"""Fixtures of the whole suite: a private bus a test, and the switch between implementations."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

HERE = Path(__file__).resolve().parent
for _folder in (HERE, HERE / "compat", HERE / "programs", HERE / "aio"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))
# For the wire format and the fake peer; behind the others, as both have modules of the same name.
sys.path.append(str(HERE.parent / "reliability"))

import glibloop  # noqa: E402
import implementation  # noqa: E402

# The only folders whose tests speak through the public API alone.
REFERENCE_FOLDERS = ("compat", "programs")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "since(version, reason): needs this API level; skipped on an older reference only",
    )
    problem = implementation.wrong_implementation()
    if problem is not None:
        pytest.exit(problem, returncode=3)


def pytest_report_header(config: pytest.Config) -> str:
    return implementation.describe()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> Optional[bool]:
    """Under the reference, leave out the tests of this project's inside."""
    if not implementation.REFERENCE:
        return None
    try:
        inside = collection_path.resolve().relative_to(HERE)
    except ValueError:
        return None
    if inside.parts and inside.parts[0] not in REFERENCE_FOLDERS:
        return True
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    if not implementation.REFERENCE:
        return
    for marker in item.iter_markers("since"):
        version, reason = (tuple(marker.args) + ("",))[:2]
        needed = tuple(int(part) for part in version.split("."))
        if implementation.LEVEL < needed:
            level = ".".join(map(str, implementation.LEVEL))
            pytest.skip(f"needs {version}, the reference is {level}: {reason}")


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """A default main loop cannot be taken back: whoever sets one does it in another process."""
    if implementation.IMPORT_ERROR is None:
        loop = implementation.default_main_loop()
        assert loop is None, f"{item.nodeid} has set the default main loop of all tests"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if implementation.DIFFERENCES:
        side = "the reference's" if implementation.REFERENCE else "our"
        terminalreporter.section(f"deliberate differences ({side} side asserted)")
        for why, count in sorted(implementation.DIFFERENCES.items()):
            terminalreporter.write_line(f"{count:5d} x {why}")
    for heading, lines in implementation.NOTES.items():
        terminalreporter.section(heading)
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture
def bus() -> Iterator[Any]:
    """A started PrivateBus, gone after the test."""
    with implementation.testing_module().PrivateBus() as private_bus:
        yield private_bus


@pytest.fixture
def conn(bus: Any) -> Any:
    """A private connection without a main loop to the test's own bus; the bus closes it."""
    return bus.connection()


@pytest.fixture
def reference() -> bool:
    """True when the reference is under test."""
    return implementation.REFERENCE


@pytest.fixture
def level() -> tuple[int, ...]:
    """API level of the implementation under test: (1, 3, 2), (1, 5, 1)."""
    return implementation.LEVEL


@pytest.fixture
def differs() -> Callable[..., Any]:
    """`differs(ours=, reference=, why=)`: the side to assert (see implementation.differs)."""
    return implementation.differs


@pytest.fixture
def run_snippet() -> Callable[..., implementation.SnippetResult]:
    """Run code in a subprocess against the implementation under test."""
    return implementation.run_snippet


@pytest.fixture
def run_until() -> Callable[..., Any]:
    """`run_until(condition, timeout=10.0)`: turn the default GLib context (see glibloop)."""
    return glibloop.run_until
