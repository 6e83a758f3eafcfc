# SPDX-License-Identifier: MIT
"""Allocations that fail (`./dev nomemory`), where they once did harm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WORKER = Path(__file__).resolve().parent.parent / "reliability" / "worker.py"

CASES = [
    ("ours", "libdbus: append basic"),
    ("ours", "libdbus: append dictionary after others"),
    ("ours", "libdbus: call_async, many strings"),
    ("ours", "libdbus: call_async, unanswered"),
    ("ours", "libdbus: connect"),
    ("ours", "libdbus: connect, with a loop"),
    ("ours", "libdbus: Server, a client"),
    ("ours", "libdbus: add_signal_receiver, a unique name"),
    ("ours", "libdbus: serve a method"),
    ("ours", "libdbus: serve a method that raises"),
    ("ours", "Python below us: Server, a client"),
    ("ours", "Python below us: export"),
    ("ours", "Python below us: withdraw"),
    ("ours", "Python below us: message filters"),
    ("ours", "Python below us: serve an unknown method"),
    ("dbus.aio", "libdbus: subscribe"),
    ("dbus.aio", "libdbus: connect"),
    ("dbus.aio", "Python below us: call GetId"),
    ("dbus.aio", "Python below us: export"),
    ("dbus.aio", "Python below us: serve a coroutine"),
]


@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="ASan owns the memory")
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
@pytest.mark.parametrize(("side", "case"), CASES)
def test_every_allocation_may_fail(side: str, case: str) -> None:
    done = subprocess.run(
        [sys.executable, str(WORKER), "nomemory", side, case],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done
    ((how, why),) = json.loads(done.stdout.splitlines()[-1]).items()
    if how == "absent":
        pytest.skip(why)
    assert how == "survived", done
