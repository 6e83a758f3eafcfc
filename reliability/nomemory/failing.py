# SPDX-License-Identifier: MIT
"""Allocations that fail: the library c/failmalloc.c, and every allocation of an action in turn."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cases import ROOT, Lost, NotOffered

SOURCE = Path(__file__).resolve().parent / "failmalloc.c"
LIBRARY = ROOT / "build" / "reliability" / "failmalloc.so"
MANY = 2**62
# At most; a leak grows in all of them, and what is kept on purpose has its bounds: 256 headers,
# whose places are chosen by chance, take some 90 rounds of 16 calls to fill the last one.
ROUNDS = 120


class Mode(NamedTuple):
    """Which allocations fail."""

    name: str
    what: int  # an enumerator of failmalloc.c
    many: int  # how many fail in a row
    python: bool  # the interpreter's too


LIBDBUS = Mode("libdbus", 0, 1, False)
LIBDBUS_ON = Mode("libdbus, from then on", 0, MANY, False)
BELOW = Mode("Python below us", 1, 1, True)
ALL = Mode("all", 2, 1, True)


def _library() -> Path:
    """The compiled library; whoever comes first makes it."""
    if not LIBRARY.exists() or LIBRARY.stat().st_mtime < SOURCE.stat().st_mtime:
        LIBRARY.parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.mktemp(dir=LIBRARY.parent, suffix=".so")
        compiler = os.environ.get("CC") or "cc"
        subprocess.run([compiler, "-O2", "-fPIC", "-shared", str(SOURCE), "-o", made], check=True)
        os.replace(made, LIBRARY)
    return LIBRARY


def under_failmalloc(python: bool) -> None:
    """Start this program again, with the library; nothing is done if it is there already."""
    library = str(_library())
    if os.environ.pop("LD_PRELOAD", None) == library:  # no child of ours needs it
        return
    os.environ["LD_PRELOAD"] = library
    if python:
        os.environ["PYTHONMALLOC"] = "malloc"
    os.execv(sys.executable, [sys.executable, *sys.argv])


def _code(*names: str) -> list[tuple[int, int]]:
    """Where the code of the libraries is whose names begin like this."""
    ranges = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, access, *_, path = line.split()
        if "x" in access and path.rsplit("/", 1)[-1].startswith(names):
            low, high = (int(part, 16) for part in place.split("-"))
            ranges.append((low, high))
    return ranges


class FailMalloc:
    """The library in this process; the modules on libdbus have been imported."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(None)
        for name in ("failmalloc_disarm", "failmalloc_counted"):
            getattr(self.library, name).restype = ctypes.c_ulong
        self.library.failmalloc_live.restype = ctypes.c_long
        ours = _code("libdbus-1.so", "_dbus_bindings.", "_dbus_glib_bindings.")
        assert len(ours) > 1, "libdbus or the module has not been found"
        for low, high in ours:
            self.library.failmalloc_watch(ctypes.c_size_t(low), ctypes.c_size_t(high))
        # A task whose step fails in there is never continued.
        for low, high in _code("_asyncio."):
            self.library.failmalloc_leave(ctypes.c_size_t(low), ctypes.c_size_t(high))

    def arm(self, mode: Mode, number: int, everybody: bool) -> None:
        """From now on allocation number ``number``, and those after it, fail."""
        self.library.failmalloc_arm(
            mode.what, ctypes.c_ulong(number), ctypes.c_ulong(mode.many), int(everybody)
        )

    def disarm(self) -> int:
        """How many have failed."""
        failed: int = self.library.failmalloc_disarm()
        return failed

    def knows_frames(self) -> bool:
        """Whether what Python code below ours allocates is told from what is allocated for ours.

        It is not where more than one function runs Python code, as in Debian's 3.14.
        """
        from dbus.lowlevel import SignalMessage

        class Number:
            def __init__(self, lists: int) -> None:
                self.lists = lists

            def __index__(self) -> int:
                for _ in range(self.lists):
                    list(RESIDUE)
                return 1

        counted = []
        for lists in (0, 100):
            message, number = SignalMessage("/a", "a.b", "C"), Number(lists)
            self.arm(BELOW, MANY, False)
            message.append(number, signature="i")
            self.disarm()
            counted.append(int(self.library.failmalloc_counted()))
        return counted[1] - counted[0] < 50

    def live(self) -> int:
        """How many blocks of libdbus and the modules on it there are."""
        blocks: int = self.library.failmalloc_live()
        return blocks


class Action(NamedTuple):
    """What is done while an allocation fails.

    ``check`` is called afterwards, with the result or None, and with the exception or None: it
    sees whether that is right, and that the same objects can be used.
    """

    run: Callable[[], Any]
    check: Callable[[Any, BaseException | None], None]
    everybody: bool = False


RESIDUE = ("blocks", "objects", "descriptors")


def _residue(shim: FailMalloc) -> tuple[int, int, int]:
    """How much there is of each kind of what can leak, after the collector has run."""
    gc.collect()
    return shim.live(), len(gc.get_objects()), len(os.listdir("/proc/self/fd"))


@contextmanager
def _quiet() -> Any:
    """What is reported while memory is out is not printed."""
    hooks = sys.excepthook, sys.unraisablehook
    sys.excepthook = lambda kind, value, trace: None
    sys.unraisablehook = lambda report: None
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        sys.excepthook, sys.unraisablehook = hooks


def _attempt(shim: FailMalloc, mode: Mode, action: Action, number: int) -> tuple[int, str]:
    """How many allocations have failed, and the name of the exception, or what happened."""
    result = error = None
    returned = False
    try:
        shim.arm(mode, number, action.everybody)
        result = action.run()
        returned = True
        shim.disarm()
    except Lost:
        shim.disarm()
        raise
    except Exception as raised:
        error = None if returned else raised
    failed = shim.disarm()  # the first time memory may have been out for it
    if error is not None and not failed:
        raise Lost(f"without a failure: {type(error).__name__}: {error}") from error
    try:
        action.check(result, error)
        return failed, _named(error)
    finally:
        # Or it lives on in a cycle with this frame.  Of 17 that do the last is one that Python 3.13
        # never frees, and with it stays what its traceback holds.
        error = None


def _named(error: Exception | None) -> str:
    if error is None:
        return "nothing raised"
    # The interpreter's own, of a function in Python: it has lost an exception on the way.
    lost = str(error).startswith(("<function ", "error return without exception set"))
    return (
        "Python's SystemError" if isinstance(error, SystemError) and lost else type(error).__name__
    )


def _round(shim: FailMalloc, mode: Mode, action: Action) -> Counter[str]:
    """Each allocation fails once, until there is none any more."""
    seen: Counter[str] = Counter()
    number = 0
    while True:
        number += 1
        if os.environ.get("RELIABILITY_TRACE"):
            print(mode.name, number, _residue(shim), file=sys.stderr, flush=True)
        try:
            failed, what = _attempt(shim, mode, action, number)
        except Lost as error:
            raise Lost(f"allocation {number}: {error}") from error
        if not failed:
            return seen
        seen[what] += 1


def exhaust(mode: Mode, action: Action, accepted: tuple[str, ...]) -> str:
    """Let every allocation of the action fail, several times over; what was seen.

    :param accepted: the names of the exceptions that are right
    :raises Lost: if another exception comes, the check fails, or something is left behind
    :raises NotOffered: if the mode needs to see what it cannot see in this interpreter
    """
    shim = FailMalloc()
    if mode is BELOW and not shim.knows_frames():
        raise NotOffered("allocations of this interpreter's frames are not told from those for us")
    with _quiet():
        shim.arm(mode, MANY, action.everybody)
        result = action.run()
        shim.disarm()
        action.check(result, None)
        counted = int(shim.library.failmalloc_counted())
        total: Counter[str] = Counter()
        residues: tuple[list[int], ...] = ([], [], [])
        for done in range(ROUNDS):
            total = _round(shim, mode, action)
            for numbers, number in zip(residues, _residue(shim)):
                numbers.append(number)
            grown = [kind for kind, seen in zip(RESIDUE, residues) if seen[-1:] > seen[-2:-1]]
            # Python 3.11 itself leaves frames behind whose cells it could not make.
            if done and (not grown or mode is ALL):
                break
        else:
            ends = {kind: seen[-4:] for kind, seen in zip(RESIDUE, residues) if kind in grown}
            raise Lost(f"left behind, round by round: {ends}")
    wrong = set(total) - {"nothing raised", "Python's SystemError", *accepted}
    if wrong:
        raise Lost(f"{', '.join(sorted(wrong))} in place of {' or '.join(accepted)}")
    return f"{sum(total.values())} of {counted} allocations failed: " + ", ".join(
        f"{count} {name}" for name, count in total.most_common()
    )
