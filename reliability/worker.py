# SPDX-License-Identifier: MIT
"""Tries cases on one side: `worker.py FAMILY SIDE CASE...`.

Of one case the last line is JSON: {"survived": what was seen}, {"lost": why} or {"absent": why}.
Several are tried in a forked child each, on one bus; then a line a case is JSON: its exit status,
its output and its errors.  The children have in common what was imported before they began.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import select
import signal
import sys
import tempfile
from importlib import import_module

from cases import CLASSIC, OURS, SECONDS, Lost, NotOffered, Place, family


def _check_package(side: str) -> None:
    """Two sides have the same name for their package."""
    if side in CLASSIC:
        import dbus

        if hasattr(dbus, "shim_version") is not (side == OURS):
            raise RuntimeError("the package that was imported is not that of this side")


def _try(family_name: str, place: Place, case_name: str) -> None:
    """Errors are told by type and text alone: a trace would show the inside of the packages."""
    faulthandler.dump_traceback_later(SECONDS * 0.9, exit=True)
    case = next(case for case in family(family_name) if case.name == case_name)
    result: dict[str, object]
    try:
        with place.stack:
            _check_package(place.side)
            result = {"survived": case.run(place) or "no exception"}
    except NotOffered as error:
        result = {"absent": str(error)}
    except Lost as error:
        result = {"lost": str(error)}
    except BaseException as error:
        result = {"lost": f"{type(error).__name__}: {error}"}
    print(json.dumps(result), flush=True)


def _wait(pid: int) -> int:
    """The exit status of a child, which ends at the latest when its case has hung."""
    child = os.pidfd_open(pid)
    try:
        if not select.select([child], [], [], SECONDS)[0]:
            os.kill(pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        os.close(child)


def _try_all(family_name: str, side: str, case_names: list[str]) -> None:
    import_module(family_name).prepare(side)
    bus = Place(side)
    with bus.stack:
        bus.bus  # noqa: B018  # now, for all
        gc.freeze()  # a collection in a child would copy all pages
        for case_name in case_names:
            with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
                pid = os.fork()
                if pid == 0:
                    os.dup2(output.fileno(), 1)
                    os.dup2(errors.fileno(), 2)
                    place = Place(side)
                    place._bus = bus.bus
                    _try(family_name, place, case_name)
                    os._exit(0)  # the end of an interpreter takes longer than most cases
                status = _wait(pid)
                output.seek(0)
                errors.seek(0)
                print(json.dumps([status, output.read(), errors.read()]), flush=True)


def main() -> None:
    """See above."""
    family_name, side, *case_names = sys.argv[1:]
    if len(case_names) == 1:
        _try(family_name, Place(side), case_names[0])
    else:
        _try_all(family_name, side, case_names)


if __name__ == "__main__":
    main()
