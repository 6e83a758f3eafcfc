# SPDX-License-Identifier: MIT
"""A program on a Unix socket that plays the bus or a peer, and misbehaves when it is told to."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Callable, Optional

from wire import BUS, CALL, NO_REPLY, Peer, Received, failed, returned

# What is done with a call of "M", in the place of a reply.
Deed = Callable[[Peer, Received], object]

SECONDS = 5  # for a client's thread to see its end; a deed that waits for something is not awaited

_NAMES = {"Hello": ":1.1", "GetNameOwner": ":1.2", "GetId": "0" * 32}


class FakePeer:
    """Listens; each client has a thread of its own that serves it.

    It speaks for a bus: Hello and its like are answered.  The method Good returns "good"; what M
    gets is the deed's business.  A client's number is that of its turn: 1 is the first.

    :param deed: what is done with a call of M
    :param handshake: what is done in the place of the handshake with the first client alone;
        the others are always served well
    :param answers: what is done with calls of other methods
    """

    def __init__(
        self,
        deed: Optional[Deed] = None,
        handshake: Optional[Callable[[Peer], object]] = None,
        answers: Optional[Mapping[str, Deed]] = None,
    ) -> None:
        self._deeds = {**({"M": deed} if deed else {}), **(answers or {})}
        self._handshake = handshake
        self._folder = tempfile.mkdtemp(prefix="dbus-")
        path = os.path.join(self._folder, "socket")
        self.address = f"unix:path={path}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(64)
        self._peers: list[Peer] = []
        self.seen: list[Received] = []  # from all clients
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        self._threads.append(threading.Thread(target=target, args=args, daemon=True))
        self._threads[-1].start()

    def __enter__(self) -> FakePeer:
        return self

    def __exit__(self, *_: Any) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # which ends accept(), as close() does not
        self._threads[0].join()
        self._listener.close()
        for peer in self._peers:
            with suppress(OSError):
                peer.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join(SECONDS)
        for peer in self._peers:
            peer.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def drop(self) -> None:
        """End all connections; it listens on."""
        for peer in self._peers:
            peer.socket.shutdown(2)

    def _accept(self) -> None:
        try:
            while True:
                peer = Peer(self._listener.accept()[0])
                self._peers.append(peer)
                self._start(self._serve, peer, len(self._peers))
        except OSError:
            pass

    def _serve(self, peer: Peer, number: int) -> None:
        try:
            if number == 1 and self._handshake is not None:
                self._handshake(peer)
            else:
                peer.welcome()
            while True:
                msg = peer.receive()
                self.seen.append(msg)
                if msg.kind == CALL:
                    self._answer(peer, msg)
        except (OSError, EOFError):
            peer.close()

    def _answer(self, peer: Peer, msg: Received) -> None:
        deed = self._deeds.get(msg.member)
        if deed is not None:
            deed(peer, msg)
        elif msg.flags & NO_REPLY:
            pass
        elif msg.member in ("M", "Good"):
            peer.send(returned(msg.serial, "s", "good"))
        elif msg.member in _NAMES:
            peer.send(returned(msg.serial, "s", _NAMES[msg.member]))
        elif msg.interface in (BUS, "org.freedesktop.DBus.Peer"):
            peer.send(returned(msg.serial))
        else:
            peer.send(failed(msg.serial, BUS + ".Error.UnknownMethod", "s", "no such method"))
