# SPDX-License-Identifier: MIT
"""What the tests of the codec share: messages in one line, and peers that are made by hand.

The wire format and the fake peer are those of reliability/: ``wire`` and `FakePeer`.
"""

from __future__ import annotations

from typing import Any, Sequence

import wire
from fakepeer import FakePeer as FakePeer

from dbus.lowlevel import SignalMessage


def signal() -> SignalMessage:
    return SignalMessage("/a/b", "org.example.Test", "Happened")


def encoded(signature: str, *values: Any) -> Any:
    message = signal()
    message.append(*values, signature=signature)
    return message


def decoded(signature: str, *values: Any) -> "list[Any]":
    arguments: "list[Any]" = encoded(signature, *values).get_args_list()
    return arguments


class ForeignPeer:
    """A client of a bus, on a machine of the other byte order."""

    def __init__(self, address: str) -> None:
        self.peer = wire.Peer.client(address)
        hello = wire.call("Hello", wire.BUS_PATH, wire.BUS, wire.BUS, serial=1, order=">")
        self.name = self.peer.ask(hello).body[4:-1].decode()

    def close(self) -> None:
        self.peer.close()

    def send(
        self,
        kind: int,
        serial: int,
        fields: Any,
        signature: str,
        *values: Any,
        fds: "Sequence[int]" = (),
    ) -> None:
        data = wire.message(kind, serial, fields, signature, *values, order=">", n_fds=len(fds))
        self.peer.send(data, fds)

    def receive(self) -> wire.Received:
        """The next method return or call that is not the bus's own signal."""
        while True:
            got = self.peer.receive()
            if got.kind != wire.SIGNAL:
                return got
