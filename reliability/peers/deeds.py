# SPDX-License-Identifier: MIT
"""What a hostile or broken peer sends.

`BROKEN` are messages that the specification forbids ("Valid Object Paths" and the like, "Message
Format"): whoever gets one has to end the connection.  `ODD` are deeds that are allowed, or are to
be passed over: the reply arrives all the same.  `SILENT` never answer.  `HANDSHAKES` are a
server's, `CLAIMS` a client's.
"""

from __future__ import annotations

import os
import random
import struct
from typing import Callable, NamedTuple

import wire
from wire import ERROR, RETURN, SIGNAL, Marshaller, Peer, Received, failed, message, returned

Bytes = Callable[[int, str], bytes]  # a message by the serial that it answers and the byte order


def _patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _number(order: str, number: int) -> bytes:
    return struct.pack(order + "I", number)


def _good(serial: int, order: str) -> bytes:
    return returned(serial, "s", "good", order=order)


def _body(signature: str, raw: bytes) -> Bytes:
    """A reply with this body, right or wrong; its lengths are in the byte order "<"."""

    def make(serial: int, order: str) -> bytes:
        return returned(serial, signature, order="<", body=raw)

    return make


def _values(signature: str, *values: object) -> Bytes:
    return lambda serial, order: returned(serial, signature, *values, order=order)


def _fields(kind: int, *fields: "tuple[int, tuple[str, object]]", reply: bool = True) -> Bytes:
    def make(serial: int, order: str) -> bytes:
        own = [(wire.REPLY_SERIAL, ("u", serial))] if reply else []
        return message(kind, 77, [*own, *fields], order=order)

    return make


_PLACE = ((wire.PATH, ("o", "/s")), (wire.INTERFACE, ("s", "test.I")), (wire.MEMBER, ("s", "S")))


def _signal_but(code: int, kind: str, value: object) -> Bytes:
    """A signal one of whose fields is another."""
    fields = [(code, (kind, value)) if field[0] == code else field for field in _PLACE]
    if all(field[0] != code for field in fields):
        fields.append((code, (kind, value)))
    return _fields(SIGNAL, *fields, reply=False)


def _signal_without(code: int) -> Bytes:
    return _fields(SIGNAL, *(field for field in _PLACE if field[0] != code), reply=False)


def _variants(depth: int) -> bytes:
    data = Marshaller()
    for _ in range(depth):
        data.put_one("g", "v")
    data.put_one("g", "y")
    data.data += b"\1"
    return bytes(data.data)


def _u(*numbers: int) -> bytes:
    return struct.pack("<" + "I" * len(numbers), *numbers)


BROKEN: "dict[str, Bytes]" = {
    "noise": lambda serial, order: b"\xf7" + random.Random(order).randbytes(5000),
    "noise behind a byte order": lambda serial, order: b"l" + random.Random(2).randbytes(5000),
    "noise behind a header": lambda serial, order: _good(serial, order)[:16]
    + random.Random(3).randbytes(5000),
    "zeros": lambda serial, order: bytes(4096),
    "another protocol": lambda serial, order: b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9,
    "no byte order": lambda serial, order: _patched(_good(serial, order), 0, b"x"),
    "version 2": lambda serial, order: returned(serial, "s", "good", order=order, version=2),
    "type 0": lambda serial, order: message(0, 7, {wire.REPLY_SERIAL: ("u", serial)}, order=order),
    "serial 0": lambda serial, order: message(
        RETURN, 0, {wire.REPLY_SERIAL: ("u", serial)}, order=order
    ),
    "reply serial 0": lambda serial, order: returned(0, order=order),
    "a body beyond the limit": lambda serial, order: _patched(
        _good(serial, order), 4, _number(order, 0x08000001)
    ),
    "a body of 4 GiB": lambda serial, order: _patched(
        _good(serial, order), 4, _number(order, 0xFFFFFFFF)
    ),
    "a header beyond the limit": lambda serial, order: _patched(
        _good(serial, order), 12, _number(order, 0x08000001)
    ),
    "a header of 4 GiB": lambda serial, order: _patched(
        _good(serial, order), 12, _number(order, 0xFFFFFFFF)
    ),
    "a return without reply serial": _fields(RETURN, reply=False),
    "an error without reply serial": _fields(ERROR, (wire.ERROR_NAME, ("s", "a.b")), reply=False),
    "an error without name": _fields(ERROR),
    "a reply serial twice": _fields(RETURN, (wire.REPLY_SERIAL, ("u", 1))),
    "a reply serial that is a text": _fields(RETURN, (wire.REPLY_SERIAL, ("s", "1")), reply=False),
    "header field 0": _fields(RETURN, (0, ("s", "x"))),
    "a sender that is a number": _fields(RETURN, (wire.SENDER, ("u", 5))),
    "a sender that is no name": _fields(RETURN, (wire.SENDER, ("s", "no name"))),
    "a destination that is no name": _fields(RETURN, (wire.DESTINATION, ("s", "..")),),
    "an error name that is none": _fields(ERROR, (wire.ERROR_NAME, ("s", "none"))),
    "an error name that is no UTF-8": _fields(ERROR, (wire.ERROR_NAME, ("s", b"a.\xff"))),
    "a signature that is none": _fields(RETURN, (wire.SIGNATURE, ("g", "z"))),
    "a signature too deep": _fields(RETURN, (wire.SIGNATURE, ("g", "a" * 40 + "y"))),
    "a signature without a body": _fields(RETURN, (wire.SIGNATURE, ("g", "s"))),
    "a body without a signature": _body("", b"abcd"),
    "a dict entry alone": _body("{sv}", b""),
    "an empty struct": _body("()", b""),
    "a signal without path": _signal_without(wire.PATH),
    "a signal without interface": _signal_without(wire.INTERFACE),
    "a signal without member": _signal_without(wire.MEMBER),
    "a path that is none": _signal_but(wire.PATH, "o", "no/path"),
    "an interface that is none": _signal_but(wire.INTERFACE, "s", "none"),
    "a member that is none": _signal_but(wire.MEMBER, "s", "a.b"),
    "a member of 300 characters": _signal_but(wire.MEMBER, "s", "x" * 300),
    "libdbus' own path": _signal_but(wire.PATH, "o", "/org/freedesktop/DBus/Local"),
    "libdbus' own interface": _signal_but(
        wire.INTERFACE, "s", "org.freedesktop.DBus.Local"
    ),
    "libdbus' word that all is over": lambda serial, order: wire.signal(
        "Disconnected", "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local", order=order
    ),
    "a text that is no UTF-8": _values("s", b"\xff\xfe"),
    "a text that is half a character": _values("s", b"\xc3"),
    "a surrogate": _values("s", b"\xed\xa0\x80"),
    "a text with a zero": _values("s", b"a\0b"),
    "a text without its zero": _body("s", _u(4) + b"goodX"),
    "a text longer than the body": _body("s", _u(400) + b"good\0"),
    "a text of 4 GiB": _body("s", _u(0xFFFFFFFF) + b"good\0"),
    "a path in the body that is none": _values("o", "//"),
    "a signature in the body that is none": _values("g", "a"),
    "a boolean that is 2": _body("b", _u(2)),
    "padding that is not zero": _body("yu", b"\1\1\1\1" + _u(1)),
    "an array longer than the body": _body("ay", _u(400) + b"good"),
    "an array of half an item": _body("au", _u(6) + b"123456"),
    "an array beyond the limit": _body("ay", _u(0x04000001) + b"good"),
    "a variant of two types": _body("v", b"\2yy\0\1\1"),
    "a variant of no type": _body("v", b"\0\0"),
    "a variant without its value": _body("v", b"\1u\0"),
    "variants 100 deep": _body("v", _variants(100)),
    "a body too short": _body("uu", _u(1)),
    "a body too long": _body("u", _u(1, 2)),
    "a descriptor that does not come": lambda serial, order: returned(
        serial, "h", 0, order=order, n_fds=1
    ),
    "descriptors by the million": lambda serial, order: returned(
        serial, "s", "good", order=order, n_fds=1_000_000
    ),
}  # fmt: skip


def _send(make: Bytes) -> "Callable[[Peer, Received], None]":
    return lambda peer, msg: peer.send(make(msg.serial, "<"))


class Odd(NamedTuple):
    """Something that is allowed."""

    deed: "Callable[[Peer, Received], object]"
    outcome: str = "reply: good"


def _around(before: bytes = b"", after: bytes = b"") -> Odd:
    return Odd(lambda peer, msg: peer.send(before + _good(msg.serial, "<") + after))


def _twice(peer: Peer, msg: Received) -> None:
    peer.send(_good(msg.serial, "<") * 2 + failed(msg.serial, "a.Error", "s", "late"))


def _answers_others(peer: Peer, msg: Received) -> None:
    wrong = [msg.serial + step for step in (1, 2, 1000)] + [1, 0xFFFFFFFF]
    peer.send(b"".join(returned(serial, "s", "not yours") for serial in wrong))
    peer.send(_good(msg.serial, "<"))


def _bytewise(peer: Peer, msg: Received) -> None:
    for piece in wire.pieces(_good(msg.serial, "<"), [1] * 500):
        peer.send(piece)


def _asks_back(peer: Peer, msg: Received) -> None:
    """Calls of all kinds, each of which is answered, or not where it says so; then the reply."""
    calls = [
        wire.call("Nothing"),
        wire.call("Nothing", interface=None),
        wire.call("Ping", interface="org.freedesktop.DBus.Peer"),
        wire.call("Introspect", "/no/where", "org.freedesktop.DBus.Introspectable"),
        wire.call("Get", "/", "org.freedesktop.DBus.Properties", None, "u", 5),
    ]
    peer.send(wire.call("Nothing", flags=wire.NO_REPLY))
    for number, data in enumerate(calls):
        # Not every client has a loop; those that have none answer nothing, and that is known.
        peer.send(data)
        del number
    peer.send(_good(msg.serial, "<"))


def _with_descriptors(count: int, announced: int) -> Odd:
    def deed(peer: Peer, msg: Received) -> None:
        fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
        try:
            peer.send(returned(msg.serial, "s", "good", n_fds=announced), fds)
        finally:
            for fd in fds:
                os.close(fd)

    return Odd(deed)


def _reply_and_end(peer: Peer, msg: Received) -> None:
    peer.send(_good(msg.serial, "<"))
    peer.socket.shutdown(2)


ODD: "dict[str, Odd]" = {
    "the other byte order": Odd(lambda peer, msg: peer.send(_good(msg.serial, ">"))),
    "a byte at a time": Odd(_bytewise),
    "all flags": Odd(lambda peer, msg: peer.send(returned(msg.serial, "s", "good", flags=0xFF))),
    "unknown types of messages": _around(
        b"".join(
            message(kind, 7, {wire.REPLY_SERIAL: ("u", 1), wire.PATH: ("o", "/")}, "s", "x")
            for kind in (5, 6, 100, 255)
        )
    ),
    "unknown header fields": Odd(
        lambda peer, msg: peer.send(
            message(
                RETURN,
                7,
                {
                    wire.REPLY_SERIAL: ("u", msg.serial),
                    77: ("s", "x"),
                    200: ("(sv)", ("a", ("u", 1))),
                },
                "s",
                "good",
            )
        )
    ),
    "a sender out of the air": Odd(
        lambda peer, msg: peer.send(
            message(
                RETURN,
                7,
                {wire.REPLY_SERIAL: ("u", msg.serial), wire.SENDER: ("s", "com.example.Else")},
                "s",
                "good",
            )
        )
    ),
    "replies to others first": Odd(_answers_others),
    "the reply twice, and an error": Odd(_twice),
    "1000 replies that nobody asked for": _around(
        b"".join(returned(number, "s", "unasked") for number in range(5000, 6000))
    ),
    "2000 signals first": _around(wire.signal("X", "/s", "test.I", None, "s", "x" * 50) * 2000),
    "calls meanwhile": Odd(_asks_back),
    "no value": Odd(lambda peer, msg: peer.send(returned(msg.serial)), "reply: None"),
    "an error without text": Odd(lambda peer, msg: peer.send(failed(msg.serial, "a.Bad")), "Bad"),
    "an error with a number": Odd(
        lambda peer, msg: peer.send(failed(msg.serial, "a.Bad", "u", 5)), "Bad"
    ),
    "an error of many values": Odd(
        lambda peer, msg: peer.send(failed(msg.serial, "a.Bad", "vas", ("u", 5), ["x"] * 100)),
        "Bad",
    ),
    "a text of 8 MiB": Odd(
        lambda peer, msg: peer.send(
            returned(msg.serial, "ays", bytes(8 << 20), "end", order="<")
        ),
        "reply: array",
    ),
    "a descriptor too many": _with_descriptors(1, 0),
    "a descriptor too few": _with_descriptors(1, 2),
    "descriptors that nobody wants": _with_descriptors(10, 10),
    "descriptors beyond the limit": _with_descriptors(200, 200),
}  # fmt: skip

# The connection ends with the reply, or with the descriptors that cannot be right; both is fine.
MAY_END = {
    "a descriptor too many", "a descriptor too few", "descriptors beyond the limit",
    "descriptors that nobody wants",
}  # fmt: skip


def _half(size: int) -> "Callable[[Peer, Received], None]":
    return lambda peer, msg: peer.send(_good(msg.serial, "<")[:size])


def _only(data: Bytes) -> "Callable[[Peer, Received], None]":
    """This, and then nothing more, whatever is asked."""

    def deed(peer: Peer, msg: Received) -> None:
        peer.send(data(msg.serial, "<"))
        peer.ended(60)

    return deed


SILENT: "dict[str, Callable[[Peer, Received], object]]" = {
    "silence": lambda peer, msg: None,
    "half a header": _only(lambda serial, order: _good(serial, order)[:9]),
    "half the fields": _only(lambda serial, order: _good(serial, order)[:20]),
    "half a body": _only(lambda serial, order: _good(serial, order)[:-3]),
    "a byte of a long body": _only(
        lambda serial, order: _patched(_good(serial, order), 4, _number(order, 1 << 26))
    ),
    "replies to others only": lambda peer, msg: peer.send(
        b"".join(returned(msg.serial + step, "s", "not yours") for step in (1, 2, 3))
    ),
    "signals only": lambda peer, msg: peer.send(wire.signal() * 100),
}

ENDS: "dict[str, Callable[[Peer, Received], object]]" = {
    "at once": lambda peer, msg: peer.socket.shutdown(2),
    "in the middle of a header": lambda peer, msg: (_half(9)(peer, msg), peer.socket.shutdown(2)),
    "in the middle of a body": lambda peer, msg: (_half(-3)(peer, msg), peer.socket.shutdown(2)),
}


def _endless(peer: Peer, data: bytes) -> None:
    """Until the other side has had enough, or 64 MiB."""
    peer.line()
    for _ in range(1 << 10):
        peer.send(data)


def _says(*lines: bytes) -> "Callable[[Peer], None]":
    """Each line of the client gets the next of these; the last is followed by the end."""

    def shake(peer: Peer) -> None:
        for line in lines:
            peer.line()
            peer.send(line)
        peer.socket.shutdown(1)
        peer.ended()

    return shake


def _mute(peer: Peer) -> None:
    peer.ended(60)


# What a server says in the handshake; the client cannot connect.  Those of the second table never
# come to an end.
HANDSHAKES: "dict[str, Callable[[Peer], object]]" = {
    "the end at once": lambda peer: peer.close(),
    "rejected": _says(b"REJECTED\r\n"),
    "rejected, all mechanisms": _says(b"REJECTED EXTERNAL DBUS_COOKIE_SHA1 ANONYMOUS KERBEROS\r\n"),
    "rejected 20 times": _says(*[b"REJECTED EXTERNAL\r\n"] * 20),
    "an error": _says(b"ERROR\r\n", b"REJECTED\r\n"),
    "20 errors": _says(*[b"ERROR \"what?\"\r\n"] * 20),
    "a challenge": _says(b"DATA 00112233\r\n", b"REJECTED\r\n"),
    "OK without a GUID": _says(b"OK\r\n"),
    "OK with half a GUID": _says(b"OK 1234\r\n"),
    "OK with a GUID that is none": _says(b"OK " + b"x" * 32 + b"\r\n"),
    "a command that is none": _says(b"HELLO 1\r\n", b"\r\n", b"REJECTED\r\n"),
    "descriptors agreed at once": _says(b"AGREE_UNIX_FD\r\n"),
    "zeros": _says(bytes(5000)),
    "noise": _says(random.Random(1).randbytes(5000) + b"\r\n"),
    "half a line": _says(b"OK 0123"),
    "a line of 20 kB": _says(b"OK " + b"0" * 20_000 + b"\r\n"),
    "a line without end": lambda peer: _endless(peer, b"0" * (1 << 16)),
    "lines without end": lambda peer: _endless(peer, b"DATA\r\n" * 10_000),
    "messages at once": _says(wire.signal() * 100),
}  # fmt: skip

MUTE: "dict[str, Callable[[Peer], object]]" = {
    "nothing": _mute,
    "half a line": lambda peer: (peer.line(), peer.send(b"OK 01"), _mute(peer)),
    "all but an answer about descriptors": lambda peer: (
        peer.line(), peer.send(b"OK " + b"0" * 32 + b"\r\n"), _mute(peer)
    ),
}  # fmt: skip

_EXTERNAL = b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\n"

# What a client says to a server in the handshake: it is not let in.
CLAIMS: "dict[str, bytes]" = {
    "no zero first": b"AUTH EXTERNAL 30\r\n" * 3,
    "another user": b"\0AUTH EXTERNAL " + b"4242".hex().encode() + b"\r\n" * 8,
    "a user that is none": b"\0AUTH EXTERNAL " + b"nobody?".hex().encode() + b"\r\n" * 8,
    "digits that are none": b"\0AUTH EXTERNAL xyz\r\n" + b"CANCEL\r\n" * 8,
    "no mechanism": b"\0" + b"AUTH\r\n" * 20,
    "an unknown mechanism": b"\0" + b"AUTH KERBEROS_V4 00\r\n" * 20,
    "a message without a handshake": b"\0" + wire.call("Good") * 5,
    "begin before the rest": b"\0BEGIN\r\n" + wire.call("Good"),
    "begin and no more": b"\0" + b"BEGIN\r\n" * 3,
    "noise": b"\0" + random.Random(5).randbytes(4000) + b"\r\n" * 10,
    "noise without a line": b"\0" + b"\x80" * 40_000,
    "a line without end": b"\0AUTH EXTERNAL " + b"3" * 4_000_000,
    "lines without end": b"\0" + b"NEGOTIATE_UNIX_FD\r\n" * 100_000,
    "in, then a line without end": _EXTERNAL + b"3" * 4_000_000,
    "in, then cancelled": _EXTERNAL + b"CANCEL\r\n" * 20,
    "in, then noise for a message": _EXTERNAL + b"BEGIN\r\n" + b"\xf7" * 5000,
    "nothing but the end": b"",
    "a zero and the end": b"\0",
}
