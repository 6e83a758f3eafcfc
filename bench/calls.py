# SPDX-License-Identifier: MIT
"""Calls from the side that is measured, to the bus daemon or to an echo service in C."""

from __future__ import annotations

from adapter import Work
from context import ALL, BROKER, C_SD, CLASSIC, OURS, Bench, Prepare, Workload


def proxy_ping(bench: Bench) -> Work:
    """Through a proxy; awaited by the packages for asyncio that have no blocking one."""
    return bench.connect().proxy_ping()


def call_ping(bench: Bench) -> Work:
    """By the connection's method for calls."""
    return bench.connect().call_ping()


def message_ping(bench: Bench) -> Work:
    """By the connection's method for messages."""
    return bench.connect().message_ping()


def in_flight(window: int) -> Prepare:
    """So many calls in flight."""
    return lambda bench: bench.connect().in_flight(window)


def in_flight_on_asyncio(bench: Bench) -> Work:
    """The classic API on asyncio's loop."""
    from adapter_classic import ClassicOnAsyncio

    return bench.use(ClassicOnAsyncio).in_flight(100)


def echo(payload: str, byte_arrays: bool = False) -> Prepare:
    """A payload to the echo service and back, parsed."""

    def prepare(bench: Bench) -> Work:
        service = bench.driver("echo").name
        return bench.connect().echo(service, payload, byte_arrays)

    return prepare


def big_message(mebibytes: int) -> Prepare:
    """The same without a bus between, by the fastest type the package has for bytes."""

    def prepare(bench: Bench) -> Work:
        peer = bench.driver("listen").name
        return bench.connect(peer).echo(None, f"ay{mebibytes}", True)

    return prepare


WITH_SD = (ALL[0], C_SD, *ALL[1:])

WORKLOADS = (
    Workload("Ping through a proxy", proxy_ping, (4000, 200), WITH_SD, counted=WITH_SD),
    Workload("Ping by call_blocking", call_ping, (4000, 200), WITH_SD, counted=CLASSIC),
    Workload(
        "Ping by send_message_with_reply_and_block",
        message_ping,
        (4000, 200),
        CLASSIC,
        counted=CLASSIC,
    ),
    Workload("echo of a{sv} of 20", echo("asv20"), (3000, 100)),
    Workload("echo of as of 100", echo("as100"), (3000, 100)),
    Workload("echo of ay 1 MiB", echo("ay1"), (20, 2), unit="ms"),
    Workload("echo of ay 1 MiB, byte_arrays", echo("ay1", True), (40, 3), unit="ms"),
    Workload("100 calls in flight", in_flight(100), (20_000, 1000), WITH_SD, counted=WITH_SD),
    Workload(
        "100 calls in flight, classic on asyncio", in_flight_on_asyncio, (20_000, 1000), (OURS,)
    ),
    Workload("Ping through a proxy, dbus-broker", proxy_ping, (4000, 200), WITH_SD, bus=BROKER),
    Workload("1 MiB to a peer and back", big_message(1), (40, 3), unit="ms"),
    Workload("16 MiB to a peer and back", big_message(16), (4, 1), unit="ms"),
    Workload("64 MiB to a peer and back", big_message(64), (1, 1), unit="ms"),
)
