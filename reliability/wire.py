# SPDX-License-Identifier: MIT
"""The wire format and the handshake by hand, in both byte orders, right or wrong as one likes.

It needs neither libdbus nor a package under trial, and checks nothing (D-Bus Specification,
"Marshaling", "Message Format", "Authentication Protocol").
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple, Optional, Union

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
NO_REPLY = 1  # the flag
# The codes of header fields.
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL = 1, 2, 3, 4, 5
DESTINATION, SENDER, SIGNATURE, UNIX_FDS = 6, 7, 8, 9

BUS = "org.freedesktop.DBus"
BUS_PATH = "/org/freedesktop/DBus"

_FIXED = dict(zip("ynqiuhbxtd", "BhHiIIIqQd"))
_ALIGNMENTS = {**dict.fromkeys("(r{xtd", 8), **dict.fromkeys("iuhbsoa", 4), "n": 2, "q": 2}

Fields = Union[Mapping[int, tuple[str, Any]], Sequence[tuple[int, tuple[str, Any]]]]

serials = count(1000)  # for those whose number is of no matter


def _length(signature: str, at: int) -> int:
    """Where the complete type at this place ends."""
    while signature[at] == "a":
        at += 1
    if signature[at] not in "({":
        return at + 1
    depth = 0
    while True:
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(signature[at], 0)
        at += 1
        if not depth:
            return at


def split(signature: str) -> list[str]:
    """Its complete types."""
    parts, at = [], 0
    while at < len(signature):
        end = _length(signature, at)
        parts.append(signature[at:end])
        at = end
    return parts


class Marshaller:
    """Puts values into ``data``; ``order`` is "<" or ">"."""

    def __init__(self, order: str = "<") -> None:
        self.order = order
        self.data = bytearray()

    def pad(self, to: int) -> None:
        self.data.extend(bytes(-len(self.data) % to))

    def put(self, signature: str, *values: Any) -> Marshaller:
        for one, value in zip(split(signature), values):
            self.put_one(one, value)
        return self

    def put_one(self, code: str, value: Any) -> None:
        """One value; bytes in the place of a text or a signature go out as they are."""
        if code in _FIXED:
            item = struct.pack(self.order + _FIXED[code], value)
            self.pad(len(item))
            self.data += item
        elif code in "so":
            text = value if isinstance(value, bytes) else value.encode()
            self.put_one("u", len(text))
            self.data += text + b"\0"
        elif code == "g":
            text = value if isinstance(value, bytes) else value.encode()
            self.data += bytes([len(text)]) + text + b"\0"
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
        self.pad(_ALIGNMENTS.get(item[0], 1))
        start = len(self.data)
        if item == "y":
            self.data += bytes(value)
        else:
            for one in value.items() if item[0] == "{" else value:
                if item[0] == "{":
                    self.pad(8)
                    self.put(item[1:-1], *one)
                else:
                    self.put_one(item, one)
        struct.pack_into(self.order + "I", self.data, at, len(self.data) - start)


def message(
    kind: int,
    serial: int,
    fields: Fields,
    signature: str = "",
    *values: Any,
    order: str = "<",
    flags: int = 0,
    version: int = 1,
    body: Optional[bytes] = None,
    n_fds: int = 0,
) -> bytes:
    """A message; ``body`` stands in the place of the values where it is given."""
    if body is None:
        body = bytes(Marshaller(order).put(signature, *values).data)
    pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
    if signature:
        pairs.append((SIGNATURE, ("g", signature)))
    if n_fds:
        pairs.append((UNIX_FDS, ("u", n_fds)))
    header = Marshaller(order)
    header.data += bytes([ord("l" if order == "<" else "B"), kind, flags, version])
    header.put("uua(yv)", len(body), serial, pairs)
    header.pad(8)
    return bytes(header.data) + body


def call(
    member: str,
    path: str = "/",
    interface: Optional[str] = "test.I",
    to: Optional[str] = None,
    signature: str = "",
    *values: Any,
    serial: int = 0,
    **others: Any,
) -> bytes:
    """A method call."""
    fields: dict[int, tuple[str, Any]] = {PATH: ("o", path), MEMBER: ("s", member)}
    if interface:
        fields[INTERFACE] = ("s", interface)
    if to:
        fields[DESTINATION] = ("s", to)
    return message(CALL, serial or next(serials), fields, signature, *values, **others)


def returned(reply_serial: int, signature: str = "", *values: Any, **others: Any) -> bytes:
    """A method return."""
    fields = {REPLY_SERIAL: ("u", reply_serial)}
    return message(RETURN, next(serials), fields, signature, *values, **others)


def failed(reply_serial: int, name: Any, signature: str = "", *values: Any, **others: Any) -> bytes:
    """An error."""
    fields = {REPLY_SERIAL: ("u", reply_serial), ERROR_NAME: ("s", name)}
    return message(ERROR, next(serials), fields, signature, *values, **others)


def signal(
    member: str = "S",
    path: Any = "/s",
    interface: str = "test.I",
    sender: Optional[str] = None,
    signature: str = "",
    *values: Any,
    **others: Any,
) -> bytes:
    """A signal."""
    fields: dict[int, tuple[str, Any]] = {
        PATH: ("o", path),
        INTERFACE: ("s", interface),
        MEMBER: ("s", member),
    }
    if sender:
        fields[SENDER] = ("s", sender)
    return message(SIGNAL, next(serials), fields, signature, *values, **others)


class Received(NamedTuple):
    """A message that was read, its body as it came."""

    kind: int
    flags: int
    serial: int
    fields: dict[int, Any]
    body: bytes

    def __getattr__(self, name: str) -> Any:
        """A header field by the name of its code, in lower case: None where it is missing."""
        return self.fields.get(globals()[name.upper()])


def _fields_of(data: bytes, order: str) -> dict[int, Any]:
    """The header fields, whose values are of basic types."""
    fields: dict[int, Any] = {}
    at = 16
    while at < len(data):
        at += -at % 8
        code, length = data[at], data[at + 1]
        kind = data[at + 2 : at + 2 + length].decode()
        at += 3 + length
        if kind == "g":
            fields[code] = data[at + 1 : at + 1 + data[at]].decode()
            at += 2 + data[at]
            continue
        at += -at % 4
        (number,) = struct.unpack_from(order + "I", data, at)
        at += 4
        if kind == "u":
            fields[code] = number
        else:
            fields[code] = data[at : at + number].decode()
            at += number + 1
    return fields


class Peer:
    """One end of a connection, over a stream socket."""

    def __init__(self, stream: socket.socket) -> None:
        self.socket = stream
        self.socket.settimeout(30)

    @classmethod
    def connected(cls, address: str) -> Peer:
        """A client at an address of D-Bus: a Unix socket."""
        first = address.split(";")[0].split(":", 1)[1]
        keys = dict(part.split("=", 1) for part in first.split(","))
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(30)
        stream.connect(keys["path"] if "path" in keys else "\0" + keys["abstract"])
        return cls(stream)

    @classmethod
    def client(cls, address: str, uid: Optional[int] = None, fds: bool = True) -> Peer:
        """A client that is through with the handshake."""
        peer = cls.connected(address)
        peer.authenticate(uid, fds)
        return peer

    def authenticate(self, uid: Optional[int] = None, fds: bool = True) -> None:
        """The client's part of the handshake."""
        claim = str(os.geteuid() if uid is None else uid).encode().hex().encode()
        self.send(b"\0AUTH EXTERNAL " + claim + b"\r\n")
        line = self.line()
        if not line.startswith(b"OK "):
            raise PermissionError(line.decode("ascii", "replace").strip())
        if fds:
            self.send(b"NEGOTIATE_UNIX_FD\r\n")
            self.line()
        self.send(b"BEGIN\r\n")

    def hello(self) -> str:
        """Be greeted by a bus; the name that it has given."""
        reply = self.ask(call("Hello", BUS_PATH, BUS, BUS, serial=1))
        return reply.body[4:-1].decode()

    def welcome(self, guid: bytes = b"0" * 32) -> None:
        """The server's part of the handshake, for any client that knows EXTERNAL."""
        while True:
            line = self.line().lstrip(b"\0")
            if line.startswith(b"AUTH EXTERNAL "):
                self.send(b"OK " + guid + b"\r\n")
            elif line.startswith(b"AUTH EXTERNAL"):
                self.send(b"DATA\r\n")
            elif line.startswith(b"DATA"):
                self.send(b"OK " + guid + b"\r\n")
            elif line.startswith(b"AUTH"):
                self.send(b"REJECTED EXTERNAL\r\n")
            elif line.startswith(b"NEGOTIATE_UNIX_FD"):
                self.send(b"AGREE_UNIX_FD\r\n")
            elif line.startswith(b"BEGIN"):
                return
            else:
                self.send(b"ERROR\r\n")

    def send(self, data: bytes, fds: Sequence[int] = ()) -> None:
        """All of it; the descriptors go with the first byte."""
        if fds:
            sent = socket.send_fds(self.socket, [data], list(fds))
            data = data[sent:]
        self.socket.sendall(data)

    def line(self) -> bytes:
        """A line of the handshake."""
        line = b""
        while not line.endswith(b"\r\n"):
            line += self.exactly(1)
        return line

    def exactly(self, n: int) -> bytes:
        """That many bytes; EOFError where there are no more."""
        data = bytearray()
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise EOFError("the other side has closed the connection")
            data += more
        return bytes(data)

    def receive(self) -> Received:
        """The next message."""
        start = self.exactly(16)
        order = "<" if start[:1] == b"l" else ">"
        body, serial, fields = struct.unpack(order + "III", start[4:])
        header = start + self.exactly(fields)
        self.exactly(-fields % 8)
        return Received(header[1], header[2], serial, _fields_of(header, order), self.exactly(body))

    def ask(self, data: bytes) -> Received:
        """Send a call and wait for its reply; whatever else comes is passed over."""
        order = "<" if data[:1] == b"l" else ">"
        (serial,) = struct.unpack_from(order + "I", data, 8)
        self.send(data)
        while True:
            got = self.receive()
            if got.kind in (RETURN, ERROR) and got.reply_serial == serial:
                return got

    def ended(self, seconds: float = 20) -> bool:
        """Whether the other side closes the connection in this time; what it sends is dropped."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(1 << 16):
                pass
        except socket.timeout:
            return False
        except OSError:
            pass
        return True

    def close(self) -> None:
        self.socket.close()


def pieces(data: bytes, sizes: Iterable[int]) -> Iterable[bytes]:
    """The data cut into pieces of these sizes, and the rest."""
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    if at < len(data):
        yield data[at:]
