# SPDX-License-Identifier: MIT
"""Replies of types that nobody expects: a bus daemon that answers everything with one body."""

from __future__ import annotations

import socket
import struct
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

from cases import Case

from .bench import DAEMON, Bench, classic
from .desk import Desk, asynchronous

ID = "0123456789abcdef" * 2


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<I", len(encoded)) + encoded + b"\0"


# Signatures and bodies, which are right in themselves.
BODIES: dict[str, bytes] = {
    "": b"",
    "y": b"\7",
    "b": struct.pack("<I", 1),
    "u": struct.pack("<I", 77),
    "i": struct.pack("<i", -1),
    "d": struct.pack("<d", float("nan")),
    "s": _text("text"),
    "o": _text("/"),
    "g": b"\1s\0",
    "ss": struct.pack("<I4sI", 3, b"abc", 0) + b"\0",
    "as": struct.pack("<I", 0),
    "a{sv}": struct.pack("<II", 0, 0),
    "(u)": struct.pack("<I", 7),
    "v": b"\1u\0\0" + struct.pack("<I", 7),
}


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 8)


def _field(code: int, kind: bytes, value: bytes) -> bytes:
    """One header field; its value is aligned at 4 then."""
    return bytes((code, 1)) + kind + b"\0" + value


def _reply(serial: int, number: int, signature: str, body: bytes) -> bytes:
    fields = _field(5, b"u", struct.pack("<I", serial))
    fields = _padded(fields) + _field(7, b"s", _text(DAEMON[0]))
    if signature:
        fields = _padded(fields) + _field(
            8, b"g", bytes((len(signature),)) + signature.encode() + b"\0"
        )
    fixed = struct.pack("<4BIII", ord("l"), 2, 1, 1, len(body), number, len(fields))
    return _padded(fixed + fields) + body


def _member(header: bytes) -> str:
    """The member that the header fields name."""
    at = header.find(b"\3\1s\0")
    (length,) = struct.unpack_from("<I", header, at + 4)
    return header[at + 8 : at + 8 + length].decode()


class Daemon:
    """Listens at ``address``; `answers` say what a member is answered, `body` all others."""

    def __init__(self, place: Any, signature: str, hello: bool = False) -> None:
        directory = place.stack.enter_context(tempfile.TemporaryDirectory())
        path = str(Path(directory, "bus"))
        self.address = f"unix:path={path}"
        self.body = signature, BODIES[signature]
        self.answers = {"GetId": ("s", _text(ID)), "Ping": ("", b"")}
        if not hello:
            self.answers["Hello"] = ("s", _text(":1.1"))
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self.listener.accept()
            threading.Thread(
                target=self._serve, args=(client.makefile("rwb"),), daemon=True
            ).start()

    def _serve(self, client: Any) -> None:
        client.read(1)
        while True:
            words = client.readline().split()
            if words[:1] == [b"BEGIN"]:
                break
            answer = {b"AUTH": b"OK " + ID.encode(), b"NEGOTIATE_UNIX_FD": b"AGREE_UNIX_FD"}
            client.write((answer.get(words[0], b"ERROR") if words else b"ERROR") + b"\r\n")
            client.flush()
        number = 0
        while True:
            fixed = client.read(16)
            if len(fixed) < 16:
                return
            body, serial, fields = struct.unpack_from("<III", fixed, 4)
            header = client.read(fields + -fields % 8)
            client.read(body)
            if fixed[1] == 1 and not fixed[2] & 1:
                number += 1
                signature, answer = self.answers.get(_member(header), self.body)
                client.write(_reply(serial, number, signature, answer))
                client.flush()


# --- The classic API

CLASSIC_CALLS: dict[str, Callable[[Bench, Any], object]] = {
    "request_name": lambda b, c: c.request_name("a.b"),
    "release_name": lambda b, c: c.release_name("a.b"),
    "get_name_owner": lambda b, c: c.get_name_owner("a.b"),
    "name_has_owner": lambda b, c: c.name_has_owner("a.b"),
    "activate_name_owner": lambda b, c: c.activate_name_owner("a.b"),
    "start_service_by_name": lambda b, c: c.start_service_by_name("a.b"),
    "get_unix_user": lambda b, c: c.get_unix_user("a.b"),
    "list_names": lambda b, c: c.list_names(),
    "list_activatable_names": lambda b, c: c.list_activatable_names(),
    "add_match_string": lambda b, c: c.add_match_string("type='signal'"),
    "BusName": lambda b, c: b.dbus.service.BusName("a.b", c),
    "get_object": lambda b, c: c.get_object("a.b", "/a").M(),
    "Introspect": lambda b, c: c.get_object(":1.2", "/a").M(),
    "a proxy": lambda b, c: c.get_object(":1.2", "/a", introspect=False).M(),
}


def _watched(bench: Bench, conn: Any) -> object:
    seen: list[Any] = []
    watch = conn.watch_name_owner("a.b", lambda owner: seen.append(owner))
    conn.add_signal_receiver(print, bus_name="c.d")
    # What comes afterwards comes after those replies.
    conn.call_async(*DAEMON, "GetId", "", (), seen.append, seen.append)
    bench.turn_until(lambda: ID in seen)
    return watch.cancel()


LOOPED_CALLS = {"watch_name_owner": _watched}


def _classic() -> Iterator[Case]:
    for signature in BODIES:
        for name, call in {**CLASSIC_CALLS, **LOOPED_CALLS}.items():

            def attempt(
                bench: Bench,
                s: str = signature,
                call: Any = call,
                looped: bool = name in LOOPED_CALLS,
            ) -> object:
                address = Daemon(bench.place, s).address
                conn = bench.connect(address, **({"mainloop": bench.loop} if looped else {}))
                bench.used.append(conn)
                return call(bench, conn)

            yield classic(f"reply {signature!r} to {name}", attempt, must=False)
        yield classic(
            f"reply {signature!r} to Hello",
            lambda b, s=signature: b.connect(Daemon(b.place, s, hello=True).address),
            must=signature not in ("s", "ss"),  # of several values libdbus reads the first
        )


# --- The asyncio API

XML = (
    "<node><interface name='a.b'><method name='M'/><property name='P' type='s' access='readwrite'/>"
    "<method name='Two'><arg type='s' direction='out'/><arg type='u' direction='out'/></method>"
    "<signal name='S'><arg type='s'/></signal></interface></node>"
)


def _interface(bus: Any) -> Any:
    return bus.get_proxy_object("a.b", "/a", XML).get_interface("a.b")


async def _subscribed(desk: Desk, bus: Any) -> object:
    _interface(bus).on_s(lambda text: None)
    return await bus.call(desk.call())


ASYNCIO_CALLS: dict[str, Callable[[Desk, Any], Any]] = {
    "request_name": lambda d, bus: bus.request_name("a.b"),
    "release_name": lambda d, bus: bus.release_name("a.b"),
    "introspect": lambda d, bus: bus.introspect("a.b", "/a"),
    "call": lambda d, bus: bus.call(d.call(member="M")),
    "a method of a proxy": lambda d, bus: _interface(bus).call_m(),
    "a method with two results": lambda d, bus: _interface(bus).call_two(),
    "a property of a proxy": lambda d, bus: _interface(bus).get_p(),
    "a property, set": lambda d, bus: _interface(bus).set_p("a"),
    "a subscription": _subscribed,
}


def _asyncio() -> Iterator[Case]:
    for signature in BODIES:
        for name, call in ASYNCIO_CALLS.items():

            async def attempt(desk: Desk, s: str = signature, call: Any = call) -> object:
                bus = await desk.connect(Daemon(desk.place, s).address)
                desk.used.append(bus)
                return await call(desk, bus)

            yield asynchronous(f"reply {signature!r} to {name}", attempt, must=False)

        async def greeted(desk: Desk, s: str = signature) -> object:
            return await desk.connect(Daemon(desk.place, s, hello=True).address)

        yield asynchronous(
            f"reply {signature!r} to Hello", greeted, must=signature not in ("s", "ss")
        )


CASES = (*_classic(), *_asyncio())
