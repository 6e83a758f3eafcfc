# SPDX-License-Identifier: MIT
"""Tries one case on one side: `worker.py FAMILY SIDE CASE`.

Its last line is JSON: {"survived": what was seen}, {"lost": why} or {"absent": why}.
"""

from __future__ import annotations

import faulthandler
import json
import sys

from cases import CLASSIC, OURS, SECONDS, Lost, NotOffered, Place, family


def _check_package(side: str) -> None:
    """Two sides have the same name for their package."""
    if side in CLASSIC:
        import dbus

        if hasattr(dbus, "shim_version") is not (side == OURS):
            raise RuntimeError("the package that was imported is not that of this side")


def main() -> None:
    """Errors are told by type and text alone: a trace would show the inside of the packages."""
    family_name, side, case_name = sys.argv[1:]
    faulthandler.dump_traceback_later(SECONDS * 0.9, exit=True)
    case = next(case for case in family(family_name) if case.name == case_name)
    place = Place(side)
    result: dict[str, object]
    try:
        with place.stack:
            _check_package(side)
            result = {"survived": case.run(place) or "no exception"}
    except NotOffered as error:
        result = {"absent": str(error)}
    except Lost as error:
        result = {"lost": str(error)}
    except BaseException as error:
        result = {"lost": f"{type(error).__name__}: {error}"}
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
