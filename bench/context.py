# SPDX-License-Identifier: MIT
"""What a workload is, and what it has while it runs.

A workload is a row of the tables: a small function in the file of its theme, which is called in a
process of its own for each side and each repetition.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from importlib import import_module
from typing import Callable, NamedTuple, Union

from adapter import Adapter, Work
from machine import program

# The sides: the module and the class of the adapter of each.
OURS, AIO = "ours", "dbus.aio"
REFERENCE, FAST, SDBUS = "dbus-python", "dbus-fast", "sdbus"
C, C_SD = "libdbus", "sd-bus"
ADAPTERS = {
    C: "adapter_c.LibDBus",
    C_SD: "adapter_c.SdBus",
    REFERENCE: "adapter_classic.Classic",
    FAST: "adapter_fast.Fast",
    SDBUS: "adapter_sdbus.Sdbus",
    OURS: "adapter_classic.Classic",
    AIO: "adapter_fast.Aio",
}
FACES = (OURS, AIO)
PEERS = (FAST, SDBUS)
PYTHON = (REFERENCE, FAST, SDBUS, OURS, AIO)
ALL = (C, *PYTHON)
CLASSIC = (C, REFERENCE, OURS)

CPU, INSTRUCTIONS = "CPU", "instructions"
DAEMON, BROKER = "dbus-daemon", "dbus-broker"


class Driver:
    """bench/c/driver.c, pinned to some cores.  `name` is its name or its address."""

    def __init__(self, cores: list[int], *arguments: str) -> None:
        self._process = subprocess.Popen(
            [program("driver"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        os.sched_setaffinity(self._process.pid, cores)
        self.name = self._line()
        if not self.name:
            raise RuntimeError("the driver could not start")

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def begin(self, *words: object) -> None:
        """Give a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")

    def end(self) -> None:
        """Wait until the command has been carried out."""
        if self._line() != "done":
            raise RuntimeError("the driver has failed")


class Bench:
    """What a workload has: a side, a bus, and the number of operations to be measured."""

    def __init__(self, side: str, address: str, count: int, cores: list[int]) -> None:
        self.side = side
        self.address = address
        self.count = count
        self.stack = ExitStack()
        self._cores = cores

    def adapter(self) -> type[Adapter]:
        """The class of the adapter of this side."""
        module, name = ADAPTERS[self.side].split(".")
        adapter: type[Adapter] = getattr(import_module(module), name)
        self._check_package()
        return adapter

    def _check_package(self) -> None:
        """Two sides have the same name for their package."""
        if self.side in (OURS, AIO, REFERENCE):
            ours = hasattr(import_module("dbus"), "shim_version")
            if ours is (self.side == REFERENCE):
                raise RuntimeError("the package that was imported is not that of this side")

    def connect(self, peer: str = "") -> Adapter:
        """An adapter, connected to the bus or to the address of a peer."""
        return self.use(self.adapter(), peer)

    def use(self, adapter: type[Adapter], peer: str = "") -> Adapter:
        """The same for an adapter that is not the ordinary one of the side."""
        self.connected = adapter(peer or self.address, bool(peer))
        self.stack.callback(self.connected.close)
        return self.connected

    def driver(self, mode: str) -> Driver:
        """A driver on the bus, or one that listens."""
        where = () if mode == "listen" else (self.address,)
        return self.stack.enter_context(Driver(self._cores, *where, mode))


# What is measured: an operation to be repeated, or a figure found in another way.
Prepare = Callable[[Bench], Union[Work, float]]


class Workload(NamedTuple):
    """A row of the tables."""

    name: str
    prepare: Prepare
    counts: tuple[int, int]  # operations of a measurement: of a full run, of a quick one
    sides: tuple[str, ...] = ALL
    unit: str = "us"  # us and ms are CPU time an operation, all others what `prepare` returns
    counted: tuple[str, ...] = ()  # the sides whose instructions are counted too
    bus: str = DAEMON
    once: bool = False  # one repetition is enough
    note: str = ""
