# SPDX-License-Identifier: MIT
"""CPU time of calls, as one JSON line on stdout: `calls.py [--calls N] [--only WORKLOAD]`.

Measures the `dbus` that is imported: a blocking Ping through a proxy, `call_blocking`, and Ping
with 100 in flight on the GLib loop, each against the bus daemon, in microseconds of user and system
time of this process a call.  This process is pinned to one core, the daemon to another.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any, Callable

from gi.repository import GLib

import dbus
from dbus.mainloop.glib import DBusGMainLoop

ROOT = Path(__file__).resolve().parent.parent
IN_FLIGHT = 100
PEER = "org.freedesktop.DBus.Peer"


def private_bus() -> Any:
    """`PrivateBus` of the source tree, whatever `dbus` is measured."""
    spec = importlib.util.spec_from_file_location("bench_testing", ROOT / "dbus" / "testing.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.PrivateBus()


def cpu_us() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1e6


def workloads(conn: Any, count: int) -> dict[str, Callable[[], None]]:
    daemon = conn.get_object(dbus.BUS_DAEMON_NAME, dbus.BUS_DAEMON_PATH, introspect=False)
    peer = dbus.Interface(daemon, PEER)
    context = GLib.MainContext.default()

    def ping() -> None:
        for _ in range(count):
            peer.Ping()

    def call_blocking() -> None:
        for _ in range(count):
            conn.call_blocking(
                dbus.BUS_DAEMON_NAME, dbus.BUS_DAEMON_PATH, PEER, "Ping", "", (), timeout=20
            )

    def in_flight() -> None:
        ended = 0
        sent = 0

        def end(*_args: Any) -> None:
            nonlocal ended
            ended += 1

        while ended < count:
            while sent < count and sent - ended < IN_FLIGHT:
                peer.Ping(reply_handler=end, error_handler=end)
                sent += 1
            context.iteration(True)

    return {"proxy Ping": ping, "call_blocking": call_blocking, "100 in flight": in_flight}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=3000, help="calls a measurement")
    parser.add_argument("--repeats", type=int, default=1, help="measurements after a first round")
    parser.add_argument("--only", metavar="WORKLOAD", help="this workload alone")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with private_bus() as bus:
        os.sched_setaffinity(0, {cores[0]})
        os.sched_setaffinity(bus.pid, {cores[-1]})
        conn = bus.connection(mainloop=DBusGMainLoop())
        result: dict[str, list[float]] = {}
        for name, work in workloads(conn, options.calls).items():
            if options.only not in (None, name):
                continue
            work()
            for _ in range(options.repeats):
                before = cpu_us()
                work()
                result.setdefault(name, []).append((cpu_us() - before) / options.calls)
    json.dump(result, sys.stdout)
    print()


if __name__ == "__main__":
    main()
