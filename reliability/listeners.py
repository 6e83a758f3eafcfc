# SPDX-License-Identifier: MIT
"""Servers that are made alike for the cases: `dbus.server.Server` on its loops, and dbus.aio's.

Each offers the method Good of "test.I" at "/", which returns "good".
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import threading
from typing import Any, Callable

import wire
from cases import AIO, CLASSIC, OURS, Lost, Place
from faces import Glib, OnAsyncio, _Turns
from wire import Peer

GOOD = wire.call


class Listener:
    """A server at an address of its own, which lives until the end of the process."""

    name: str
    sides: tuple[str, ...]

    def __init__(
        self, place: Place, address: str = "", anonymous: bool = False, auth_timeout: float = 30
    ) -> None:
        self.place = place
        self.auth_timeout = auth_timeout
        self.folder = tempfile.mkdtemp(prefix="dbus-")
        os.chmod(self.folder, 0o755)  # other users come to its door too
        place.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.added = 0
        self.removed = 0
        self.face = self.turner(place)
        self.anonymous = anonymous
        self.address = self.listen(address or f"unix:path={self.folder}/socket")

    turner: Callable[[Place], Any]

    def listen(self, address: str) -> str:
        """Start; where to connect."""
        raise NotImplementedError

    def broadcast(self, text: str) -> None:
        """Send a signal to all clients that are there."""
        raise NotImplementedError

    def until(self, condition: Callable[[], Any], seconds: float = 20) -> bool:
        return bool(self.face.until(condition, seconds))

    def beside(self, function: Callable[[], Any], seconds: float = 30) -> Any:
        """Run something that blocks in a thread, while the server's loop turns; its result."""
        results: list[Any] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                results.append(function())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        if not self.until(lambda: not thread.is_alive(), seconds):
            raise Lost(f"a client still waits after {seconds} s")
        if errors:
            raise errors[0]
        return results[0]

    def client(self) -> Peer:
        """A client that is in and served."""
        peer: Peer = self.beside(lambda: Peer.client(self.address))
        self.ask(peer)
        return peer

    def ask(self, peer: Peer) -> None:
        """A call, which must be answered."""
        reply = self.beside(lambda: peer.ask(wire.call("Good", serial=next(wire.serials))))
        if reply.kind != wire.RETURN or b"good" not in reply.body:
            raise Lost(f"{reply} in place of a reply")


class _ClassicListener(Listener):
    def listen(self, address: str) -> str:
        import dbus.server
        import dbus.service

        class Thing(dbus.service.Object):
            SUPPORTS_MULTIPLE_CONNECTIONS = True

            @dbus.service.method("test.I", out_signature="s")
            def Good(self) -> str:
                return "good"

            @dbus.service.method("test.I", in_signature="h")
            def Take(self, fd: Any) -> None:
                os.close(fd.take())

        def added(connection: Any) -> None:
            self.added += 1
            self.connections.append(connection)
            if self.anonymous:
                connection.set_allow_anonymous(True)
            self.thing.add_to_connection(connection, "/")

        def removed(connection: Any) -> None:
            self.removed += 1
            self.connections.remove(connection)
            self.thing.remove_from_connection(connection)

        self.connections: list[Any] = []
        self.thing = Thing()
        server = type("Server", (dbus.server.Server,), {"auth_timeout": self.auth_timeout})
        self.server = server(address, mainloop=self.face.main_loop())
        self.server.on_connection_added.append(added)
        self.server.on_connection_removed.append(removed)
        return str(self.server.address)

    def broadcast(self, text: str) -> None:
        from dbus.lowlevel import SignalMessage

        for connection in self.connections:
            message = SignalMessage("/", "test.I", "S")
            message.append(text)
            connection.send_message(message)


class OnGlib(_ClassicListener):
    name = "server, glib"
    sides = CLASSIC
    turner = Glib


class OnAsyncioLoop(_ClassicListener):
    name = "server, asyncio"
    sides = (OURS,)
    turner = OnAsyncio


class OfAio(Listener):
    """dbus.aio.start_server."""

    name = "server, aio"
    sides = (AIO,)
    turner = _Turns

    def listen(self, address: str) -> str:
        from dbus.aio import Message, start_server
        from dbus.aio.service import ServiceInterface, method

        class Thing(ServiceInterface):
            @method()
            def Good(self) -> "s":  # type: ignore[name-defined]  # noqa: F821
                return "good"

            @method()
            def Take(self, fd: "h") -> None:  # type: ignore[name-defined]  # noqa: F821
                os.close(fd)

        def connected(bus: Any) -> None:
            self.added += 1
            self.buses.append(bus)
            bus.export("/", Thing("test.I"))
            asyncio.ensure_future(self._ended(bus))

        self.message = Message
        self.buses: list[Any] = []
        self.server = self.face.finish(
            start_server(
                connected,
                address,
                allow_anonymous=self.anonymous,
                negotiate_unix_fd=True,
                auth_timeout=self.auth_timeout,
            )
        )
        return str(self.server.address)

    async def _ended(self, bus: Any) -> None:
        try:
            await bus.wait_for_disconnect()
        except ConnectionError:
            pass
        self.removed += 1
        self.buses.remove(bus)

    def broadcast(self, text: str) -> None:
        for bus in self.buses:
            bus._post(self.message.new_signal("/", "test.I", "S", "s", [text]))


LISTENERS: tuple[type[Listener], ...] = (OnGlib, OnAsyncioLoop, OfAio)
