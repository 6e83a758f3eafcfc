# SPDX-License-Identifier: MIT
"""The machine: its cores, the C programs built for it, its buses, what it is."""

from __future__ import annotations

import datetime
import importlib.util
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Optional

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILT = ROOT / "build" / "bench"

# The C programs: sources, and the library that they are linked with.
PROGRAMS = {
    "driver": (("driver.c", "payload.c"), "dbus-1"),
    "limit": (("limit.c", "payload.c"), "dbus-1"),
    "limit_sd": (("limit_sd.c",), "libsystemd"),
}


def cores() -> tuple[int, int]:
    """The core of what is measured, and that of all else."""
    available = sorted(os.sched_getaffinity(0))
    return available[0], available[-1]


def program(name: str) -> str:
    """Where a C program of the bench is."""
    return str(BUILT / name)


def compile_program(name: str) -> Optional[str]:
    """Build a C program unless it is newer than its sources; why it cannot be, or None."""
    sources, library = PROGRAMS[name]
    target = BUILT / name
    newest = max(path.stat().st_mtime for path in (HERE / "c").iterdir())
    if target.exists() and target.stat().st_mtime > newest:
        return None
    BUILT.mkdir(parents=True, exist_ok=True)
    try:
        flags = output("pkg-config", "--cflags", "--libs", library)
    except (OSError, subprocess.CalledProcessError):
        return f"pkg-config knows no {library}"
    command = [os.environ.get("CC", "cc"), "-O2", "-o", str(target)]
    command += [str(HERE / "c" / source) for source in sources] + flags.split()
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    return None if result.returncode == 0 else result.stderr.strip().splitlines()[-1]


def private_bus(daemon: str) -> Any:
    """`PrivateBus` of the source tree, whatever is measured, to be started."""
    spec = importlib.util.spec_from_file_location("bench_testing", ROOT / "dbus" / "testing.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.PrivateBus(daemon=daemon)


def pin_group(group: int, core: int) -> None:
    """Put the processes of a group, such as a bus, on a core."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == group:
                os.sched_setaffinity(int(entry.name), {core})
        except ProcessLookupError:
            continue


def output(*command: str, env: Optional[dict[str, str]] = None) -> str:
    """What a command prints, without the line's end; run in /, as the tree has a dbus/ too."""
    return subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=env,
        cwd="/",
    ).stdout.strip()


def first_line(*command: str, env: Optional[dict[str, str]] = None) -> str:
    """The first line that a command prints, or "unknown"."""
    try:
        return output(*command, env=env).splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def describe() -> dict[str, str]:
    """The machine, for the head of a report."""
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        cpuinfo = ""
    model = re.search(r"model name\s*: (.+)", cpuinfo)
    system = re.search(r'PRETTY_NAME="(.+)"', Path("/etc/os-release").read_text(encoding="utf-8"))
    return {
        "processor": model[1] if model else platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "system": f"{system[1] if system else 'unknown'}, Linux {platform.release()}",
        "load": "%.1f" % os.getloadavg()[0],
    }


def now() -> str:
    """The date and time, to the minute."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def commit() -> str:
    """The commit that is measured, with a + when the tree has changes to it."""
    name = first_line("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    changed = first_line("git", "-C", str(ROOT), "status", "--porcelain", "dbus", "_dbus_bindings")
    return name if name == "unknown" or changed == "unknown" else name + "+"
