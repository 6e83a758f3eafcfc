# SPDX-License-Identifier: MIT
"""What a package does in the workloads: one adapter a package, all with the methods of `Adapter`.

A workload asks an adapter for a `Work`, a function that does its operation so many times.  What a
package has nothing for raises `NotOffered` with the reason.

The names of objects and signals here are those of bench/c/common.h too.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from typing import Callable, NoReturn, Optional

DAEMON = "org.freedesktop.DBus"
DAEMON_PATH = "/org/freedesktop/DBus"
PEER = "org.freedesktop.DBus.Peer"
INTERFACE = "org.example.Bench"
SIGNAL = "Tick"
PORTION = 100  # of what is registered, so many at once

Work = Callable[[int], None]


def path(number: int) -> str:
    """The path of an object, or of what a signal comes from."""
    return f"/org/example/Bench/p{number}"


def arg0(number: int) -> str:
    """The text in a signal from `path(number)`."""
    return f"name{number}"


def portions(numbers: range) -> Iterator[range]:
    """What no package has to be given at once."""
    for start in range(numbers.start, numbers.stop, PORTION):
        yield range(start, min(start + PORTION, numbers.stop))


class NotOffered(Exception):
    """The package has no such thing; the text says what."""


def blocking(operation: Callable[[], object]) -> Work:
    """An operation that blocks, so many times."""

    def work(count: int) -> None:
        for _ in range(count):
            operation()

    return work


class Adapter:
    """The methods that workloads call; here they are all not offered.

    An adapter is connected to `address` when it is made.  With `peer` there is no bus at the other
    end.  `sender`, the name that signals come from, is set before `subscribe` is called.
    """

    name = "this package"
    sender = ""
    imports = ""  # the statement that a program with this package begins with
    bus_imports = ""  # the one that a program for asyncio begins with

    def __init__(self, address: str, peer: bool = False) -> None:
        """Connect."""

    def close(self) -> None:
        """Disconnect."""

    def cpu_us(self) -> float:
        """User and system time of the measured process so far, in microseconds."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return (usage.ru_utime + usage.ru_stime) * 1e6

    def rss(self) -> int:
        """Resident memory of the measured process, in bytes."""
        return resident(os.getpid())

    def mark(self) -> None:
        """Fork a process that ends at once: cachegrind then tells what it has counted so far."""
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)

    def _lacks(self, what: str) -> NoReturn:
        raise NotOffered(f"{self.name} has no {what}")

    # --- Calls

    def proxy_ping(self) -> Work:
        """Ping of the bus through a proxy, one after the other."""
        self._lacks("proxies")

    def call_ping(self) -> Work:
        """Ping by the connection's own call."""
        self._lacks("calls without a proxy")

    def message_ping(self) -> Work:
        """Ping by a message made for each call."""
        self._lacks("blocking calls of messages beside the row above")

    def in_flight(self, window: int) -> Work:
        """Ping with so many in flight."""
        self._lacks("asynchronous calls")

    def echo(self, service: Optional[str], payload: str, byte_arrays: bool) -> Work:
        """Calls of Echo with a payload; `service` is None for a peer."""
        self._lacks("calls with arguments")

    # --- Signals

    def subscribe(self, field: str, numbers: range) -> None:
        """Receive signals by a match rule a number; `field` is path, arg0 or none.

        Returns when the bus has the rules.
        """
        self._lacks("signals")

    def receive(self, count: int) -> None:
        """Run the loop until so many more signals have come to the handler."""
        self._lacks("signals")

    # --- A service

    def request_name(self, name: str) -> None:
        """Own a name."""
        self._lacks("names")

    def export(self, numbers: range) -> None:
        """Objects with Echo(s) -> s, Add(ii) -> i and Done()."""
        self._lacks("services")

    def serve(self) -> None:
        """Run the loop until Done is called."""
        self._lacks("services")

    # --- Bodies

    def build(self, payload: str) -> Work:
        """Make a message with this body."""
        self._lacks("messages to be built")

    def parse(self, payload: str) -> Work:
        """Make values of the body of a message."""
        self._lacks("messages to be parsed")


def resident(pid: int) -> int:
    """Resident memory of a process, in bytes."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()
