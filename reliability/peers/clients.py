# SPDX-License-Identifier: MIT
"""Hostile clients of a server of ours: a part of the family `peers`.

Whatever one client does, the others are served, those that come later too, and each end is told
once.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from functools import partial
from typing import Any, Callable

import wire
from cases import Case, Lost, Place
from listeners import LISTENERS, Listener, OnAsyncioLoop
from observed import descriptors, expect, memory
from wire import Peer

from .deeds import BROKEN, CLAIMS


def others_are_served(listener: Listener, steady: Peer) -> None:
    """The client that was there, and one that comes now; then all go, and each end is told once."""
    listener.ask(steady)
    late = listener.client()
    listener.ask(late)
    for peer in (steady, late):
        peer.close()
    if not listener.until(lambda: listener.removed >= listener.added, 10):
        raise Lost(f"{listener.added} clients came, {listener.removed} ends were told")
    listener.until(lambda: listener.removed > listener.added, 0.05)
    expect(listener.removed, listener.added)


def shown_out(listener: Listener, peer: Peer) -> None:
    """The server ends the connection with a client by itself."""
    if not listener.beside(lambda: peer.ended(10)):
        raise Lost("the server keeps the connection")
    peer.close()


def claims(data: bytes, kind: "type[Listener]", place: Place) -> str:
    """A handshake that is wrong, or that does not come to an end."""
    listener = kind(place, auth_timeout=1)
    steady = listener.client()
    before = memory()
    peer = Peer.connected(listener.address)
    peer.socket.settimeout(5)

    def hostile() -> None:
        try:
            peer.send(data)
            if len(data) < 2:
                peer.socket.shutdown(1)
        except OSError:
            pass  # it has had enough already

    listener.beside(hostile)
    shown_out(listener, peer)
    grown = memory() - before
    if grown > 20:
        raise Lost(f"{grown:.0f} MiB more")
    others_are_served(listener, steady)
    return "shown out"


def broken(make: Any, kind: "type[Listener]", place: Place) -> str:
    """A message that is forbidden, after the handshake."""
    listener = kind(place)
    steady = listener.client()
    for order in "<>":
        peer = listener.client()
        listener.beside(lambda: peer.send(make(5, order)))  # noqa: B023
        if make is BROKEN["zeros"] or listener.beside(lambda: peer.ended(0.5)):  # noqa: B023
            peer.close()
        else:
            shown_out(listener, peer)
    others_are_served(listener, steady)
    return "shown out"


def come_and_go(kind: "type[Listener]", place: Place) -> str:
    """300 clients, some of whom say something before they leave."""
    listener = kind(place)
    steady = listener.client()
    before = descriptors()

    def hostile() -> None:
        for number in range(300):
            peer = Peer.connected(listener.address)
            if number % 3:
                peer.send(b"\0AUTH EXTERNAL 30\r\n"[: number % 17 + 1])
            if number % 30 == 0:
                peer.close()
                peer = Peer.client(listener.address)
                peer.send(wire.call("Good")[:40])
            peer.close()

    listener.beside(hostile)
    listener.until(lambda: listener.removed >= listener.added - 1, 10)
    if descriptors() > before + 5:
        raise Lost(f"{descriptors() - before} descriptors are left")
    others_are_served(listener, steady)
    return f"{listener.added} came, and {listener.removed} went"


def crowd(kind: "type[Listener]", place: Place) -> str:
    """100 clients that connect and say nothing, while a program sends signals to all."""
    listener = kind(place, auth_timeout=1)
    steady = listener.client()
    silent = [Peer.connected(listener.address) for _ in range(100)]
    listener.until(lambda: listener.added >= 101, 10)
    listener.broadcast("hello")
    late = listener.client()
    listener.ask(late)
    late.close()
    for peer in silent:
        peer.socket.settimeout(10)
        if listener.beside(lambda: peer.socket.recv(100)):  # noqa: B023
            raise Lost("somebody who is not in was told something")
        peer.close()
    others_are_served(listener, steady)
    return "100 who say nothing"


def no_descriptors_left(kind: "type[Listener]", place: Place) -> str:
    """More clients than the process may have descriptors for; it goes on once they have left."""
    listener = kind(place)
    steady = listener.client()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Both ends are in this process: those of the clients are made before the limit falls.
    silent = [Peer.connected(listener.address) for _ in range(60)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors() + 10, hard))
    listener.until(lambda: False, 1)
    listener.ask(steady)
    for peer in silent:
        peer.close()
    listener.until(lambda: False, 0.2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    listener.until(lambda: listener.removed >= listener.added - 1, 10)
    others_are_served(listener, steady)
    return f"{listener.added} came, and {listener.removed} went"


def never_reads(kind: "type[Listener]", place: Place) -> str:
    """A client that calls and calls, and reads no reply, until it is no longer read itself."""
    listener = kind(place)
    steady = listener.client()
    peer = listener.client()
    before = memory()
    long = "a." + "b" * 250  # small ones take 370 bytes each, whatever their length
    data = b"".join(wire.call("Good", to=long, serial=5 + number) for number in range(1000))
    sent = 0

    def hostile() -> None:
        nonlocal sent
        peer.socket.settimeout(3)
        try:
            for _ in range(1000):
                peer.send(data)
                sent += 1000
        except OSError:
            pass  # nobody reads any more

    listener.beside(hostile, 55)
    grown = memory() - before
    peer.close()
    others_are_served(listener, steady)
    if grown > 350 or sent == 1_000_000:
        raise Lost(f"{grown:.0f} MiB more for {sent} calls without a reader")
    return f"{grown:.0f} MiB more for {sent} calls"


def flood(make: "Callable[[int], bytes]", kind: "type[Listener]", place: Place) -> str:
    """100,000 messages that nobody wants."""
    listener = kind(place)
    steady, peer = listener.client(), listener.client()
    data = b"".join(make(number) for number in range(1000))
    before = memory()

    def hostile() -> None:
        for _ in range(100):
            peer.send(data)
        peer.ask(wire.call("Good", serial=4))

    listener.beside(hostile, 55)
    grown = memory() - before
    peer.close()
    others_are_served(listener, steady)
    if grown > 30:
        raise Lost(f"{grown:.0f} MiB more")
    return f"{grown:.1f} MiB more"


def _fields(signature: str, values: "tuple[Any, ...]", n_fds: int = 0) -> bytes:
    return wire.call("Take", "/", "test.I", None, signature, *values, n_fds=n_fds)


# Calls of a method that takes a descriptor: values, and how many descriptors come.
CALLS: "dict[str, tuple[str, tuple[Any, ...], int]]" = {
    "another descriptor's number": ("h", (7,), 1),
    "no descriptor": ("h", (0,), 0),
    "a text": ("s", ("x",), 0),
    "no value": ("", (), 0),
    "values too many": ("hs", (0, "x"), 1),
}


def wrong_call(name: str, kind: "type[Listener]", place: Place) -> str:
    """It gets an error, and nothing of it is left."""
    listener = kind(place)
    steady, peer = listener.client(), listener.client()
    signature, values, n_fds = CALLS[name]
    seen = set()

    def ask() -> None:
        with open("/dev/null") as null:
            peer.send(_fields(signature, values, n_fds), [null.fileno()] * n_fds)
        reply = peer.receive()
        if reply.kind != wire.ERROR:
            raise Lost(f"{reply} in place of an error")
        seen.add(reply.error_name)

    for number in range(20):
        listener.beside(ask)
        if number == 1:
            before = descriptors()
    if descriptors() > before + 5:
        raise Lost(f"{descriptors() - before} descriptors are left")
    listener.ask(peer)
    peer.close()
    others_are_served(listener, steady)
    return ", ".join(map(str, seen))


FLOODS: "dict[str, Callable[[int], bytes]]" = {
    "signals": lambda number: wire.signal("X", "/s", "test.I", None, "s", "x" * 40),
    "replies": lambda number: wire.returned(number + 1, "s", "unasked"),
    "errors": lambda number: wire.failed(number + 1, "a.Bad", "s", "unasked"),
    "calls without reply": lambda number: wire.call("Nothing", flags=wire.NO_REPLY),
}


def cases() -> Iterator[Case]:
    """All of them."""
    for kind in LISTENERS:

        def case(what: str, function: Any, *args: Any, kind: Any = kind) -> Case:
            return Case(f"client: {what} ({kind.name})", partial(function, *args, kind), kind.sides)

        for name, data in CLAIMS.items():
            yield case(f"handshake, {name}", claims, data)
        for name, make in BROKEN.items() if kind is not OnAsyncioLoop else ():
            yield case(f"broken, {name}", broken, make)
        for name, make_one in FLOODS.items():
            yield case(f"flood of {name}", flood, make_one)
        for name in CALLS:
            yield case(f"call with {name}", wrong_call, name)
        yield case("they come and go", come_and_go)
        yield case("a silent crowd", crowd)
        yield case("more than there are descriptors", no_descriptors_left)
        yield case("no reply is read", never_reads)
