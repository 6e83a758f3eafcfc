# SPDX-License-Identifier: MIT
"""What the tests of the codec share: messages in one line, and a peer of the other byte order."""

from __future__ import annotations

import os
import socket
import struct
from typing import Any, Sequence

import dbus
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


class BigEndian:
    """Marshals a few types as a machine of the other kind does (D-Bus Specification)."""

    SIZES = {
        "y": "B",
        "n": "h",
        "q": "H",
        "i": "i",
        "u": "I",
        "h": "I",
        "b": "I",
        "x": "q",
        "t": "Q",
        "d": "d",
    }

    def __init__(self) -> None:
        self.data = bytearray()

    def pad(self, to: int) -> None:
        self.data.extend(bytes(-len(self.data) % to))

    def put(self, signature: str, *values: Any) -> BigEndian:
        for one, value in zip(dbus.Signature(signature), values):
            self.put_one(str(one), value)
        return self

    def put_one(self, code: str, value: Any) -> None:
        if code in self.SIZES:
            item = struct.pack(">" + self.SIZES[code], value)
            self.pad(len(item))
            self.data += item
        elif code in "so":
            text = value.encode()
            self.put_one("u", len(text))
            self.data += text + b"\0"
        elif code == "g":
            self.data += bytes([len(value)]) + value.encode() + b"\0"
        elif code == "v":
            self.put_one("g", value[0])
            self.put_one(*value)
        elif code[0] == "(":
            self.pad(8)
            self.put(code[1:-1], *value)
        else:
            self.put_array(code[1:], value)

    def put_array(self, item: str, value: Any) -> None:
        self.put_one("u", 0)
        at = len(self.data) - 4
        self.pad(
            8 if item[0] in "({xtd" else 4 if item[0] in "iuhbsoa" else 2 if item in "nq" else 1
        )
        start = len(self.data)
        for one in value.items() if item[0] == "{" else value:
            if item[0] == "{":
                self.pad(8)
                self.put(item[1:-1], *one)
            else:
                self.put_one(item, one)
        struct.pack_into(">I", self.data, at, len(self.data) - start)


class ForeignPeer:
    """A client of a bus, on a machine of the other byte order."""

    def __init__(self, address: str) -> None:
        path = dict(part.split("=") for part in address.split(":", 1)[1].split(","))["path"]
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        uid = str(os.getuid()).encode().hex()
        self.socket.sendall(b"\0AUTH EXTERNAL " + uid.encode() + b"\r\n")
        assert self.line().startswith(b"OK ")
        self.socket.sendall(b"NEGOTIATE_UNIX_FD\r\n")
        assert self.line().startswith(b"AGREE_UNIX_FD")
        self.socket.sendall(b"BEGIN\r\n")
        self.send(1, 1, {6: ("s", "org.freedesktop.DBus"), 1: ("o", "/org/freedesktop/DBus"),
                         2: ("s", "org.freedesktop.DBus"), 3: ("s", "Hello")}, "")  # fmt: skip
        self.name = self.receive()[1][4:-1].decode()

    def line(self) -> bytes:
        line = b""
        while not line.endswith(b"\r\n"):
            line += self.socket.recv(1)
        return line

    def close(self) -> None:
        self.socket.close()

    def send(
        self,
        kind: int,
        serial: int,
        fields: Any,
        signature: str,
        *values: Any,
        fds: "Sequence[int]" = (),
    ) -> None:
        body = bytes(BigEndian().put(signature, *values).data)
        header = BigEndian()
        header.data += bytes([ord("B"), kind, 0, 1])
        if signature:
            fields = {**fields, 8: ("g", signature)}
        if fds:
            fields = {**fields, 9: ("u", len(fds))}
        header.put("uua(yv)", len(body), serial, list(fields.items()))
        header.pad(8)
        data = bytes(header.data) + body
        socket.send_fds(self.socket, [data], fds) if fds else self.socket.sendall(data)

    def receive(self) -> "tuple[bytes, bytes]":
        """Header and body of the next method return or call that is not the bus's own signal."""
        while True:
            start = self.exactly(16)
            order = "<" if start[:1] == b"l" else ">"
            body, _, fields = struct.unpack(order + "III", start[4:])
            header = start + self.exactly(fields + (-fields % 8))
            content = self.exactly(body)
            if header[1] != 4:
                return header, content

    def exactly(self, n: int) -> bytes:
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            assert more, "the bus closed the connection"
            data += more
        return data
