# SPDX-License-Identifier: MIT
"""Answers of the wrong types to what the packages themselves ask: a part of the family `peers`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Optional

from cases import ASYNCIO, Case, Lost, NotOffered, Place, raised
from faces import FACES, Aio, Face, name_of
from fakepeer import Deed, FakePeer
from observed import descriptors, expect
from wire import Peer, Received, failed, returned

from .aftermath import is_ours

INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"


def _values(signature: str = "", *values: Any) -> Deed:
    return lambda peer, msg: peer.send(returned(msg.serial, signature, *values))


def _bad(name: str = "a.Bad", signature: str = "", *values: Any) -> Deed:
    return lambda peer, msg: peer.send(failed(msg.serial, name, signature, *values))


WRONG: "dict[str, Deed]" = {
    "nothing": _values(),
    "a number": _values("u", 77),
    "an array": _values("as", []),
    "two texts": _values("ss", "x", "y"),
    "a variant": _values("v", ("s", "x")),
    "an error without text": _bad(),
    "an error with a number": _bad("a.Bad", "u", 5),
}
TEXTS: "dict[str, Deed]" = {
    "no XML": _values("s", "what?"),
    "an empty text": _values("s", ""),
    "half of it": _values("s", "<node><interface name='a.b'><method name='M'>"),
    "another document": _values("s", "<html><body/></html>"),
    "names that are none": _values(
        "s", "<node><interface name='..'><method name='%'/></interface></node>"
    ),
    "types that are none": _values(
        "s",
        "<node><interface name='test.I'><method name='Good'><arg direction='in' type='z'/>"
        "</method></interface></node>",
    ),
}
# What may be raised by this package: names of classes, or of those they derive from.
NAMED = (
    "DBusException", "RuntimeError",
    "DBusError", "DBusFastError", "AuthError", "InvalidIntrospectionError",
)  # fmt: skip


def named(place: Place) -> "tuple[str, ...]":
    """What may be raised: of other packages, anything."""
    return NAMED if is_ours(place) else ()


def hello(answer: Deed, face_type: type[Face], place: Place) -> str:
    """The bus does not give a name as it should."""
    with FakePeer(answers={"Hello": answer}) as fake:
        face = face_type(place)
        seen = raised(lambda: face.open(fake.address, 5), named(place))
        face.close()
    return seen


@contextmanager
def met(
    face_type: type[Face], place: Place, answers: "dict[str, Deed]", deed: Optional[Deed] = None
) -> Iterator[Any]:
    """A face that is connected to such a peer, and that can call it afterwards."""
    with FakePeer(deed, answers=answers) as fake:
        face = face_type(place)
        face.open(fake.address)
        yield face
        expect(face.call("Good"), "reply: good")
        face.close()


def requested(answer: Deed, face_type: type[Face], place: Place) -> str:
    """The bus answers nonsense to a request for a name."""
    with met(face_type, place, {"RequestName": answer}) as face:
        return raised(lambda: face.own("org.example.X"), named(place))


def introspected(answer: Deed, face_type: type[Face], place: Place) -> str:
    """The object's word on itself is wrong; its methods can be called all the same."""
    with met(face_type, place, {"Introspect": answer}) as face:
        if isinstance(face, Aio):
            return raised(lambda: face.finish(face.bus.introspect(":1.2", "/")), named(place), True)
        # Arguments of no type cannot be sent.
        wanted = "ValueError" if answer is TEXTS["types that are none"] else "reply: good"
        return call_by_proxy(face, wanted)


def call_by_proxy(face: Any, wanted: str) -> str:
    """Calls while the introspection is under way, and afterwards; each ends once."""
    ends: "list[str]" = []
    proxy = face.connection.get_object(":1.2", "/")

    def start() -> None:
        try:
            proxy.Good(
                dbus_interface="test.I",
                reply_handler=lambda value: ends.append(f"reply: {value}"),
                error_handler=lambda error: ends.append(name_of(error)),
            )
        except ValueError as error:
            ends.append(name_of(error))

    if face.has_loop:
        for _ in range(3):
            start()
        face.until(lambda: len(ends) >= 3, 5)
        expect(len(ends), 3)
        start()
        face.until(lambda: len(ends) >= 4, 5)
    try:
        ends.append(f"reply: {proxy.Good(dbus_interface='test.I')}")
    except ValueError as error:
        ends.append(name_of(error))
    expect(ends, [wanted] * (5 if face.has_loop else 1))
    return f"{len(ends)} times {wanted}"


def descriptor_index(face_type: type[Face], place: Place) -> str:
    """A reply with one descriptor, and the number of another."""

    def deed(peer: Peer, msg: Received) -> None:
        fd = os.open("/dev/null", os.O_RDONLY)
        peer.send(returned(msg.serial, "h", 7, n_fds=1), [fd])
        os.close(fd)

    with FakePeer(deed) as fake:
        face = face_type(place)
        face.open(fake.address)
        seen = face.call("M")
        if seen.startswith("reply") and not isinstance(face, Aio):
            raise Lost(seen)
        if face.is_connected():
            before = descriptors()
            for _ in range(20):
                expect(face.call("M"), seen)
            if descriptors() > before + 10:
                raise Lost(f"{descriptors() - before} descriptors are left")
            expect(face.call("Good"), "reply: good")
        face.close()
        other = face.again()
        other.open(fake.address)
        expect(other.call("Good"), "reply: good")
        other.close()
    return seen


def proxied(answer: Deed, place: Place) -> str:
    """What a proxy of the asyncio API gets is not as described."""
    xml = """<node><interface name='test.I'>
        <method name='M'><arg direction='out' type='s'/></method>
        <property name='P' type='s' access='readwrite'/></interface></node>"""
    with met(Aio, place, {"Get": answer, "Set": answer}, answer) as face:
        thing = face.bus.get_proxy_object(":1.2", "/", xml).get_interface("test.I")
        return ", ".join((
            raised(lambda: face.finish(thing.call_m()), named(place)),
            raised(lambda: face.finish(thing.get_p()), named(place), True),
        ))  # fmt: skip


def comes_back(place: Place) -> str:
    """A bus that is back but does not know how to greet, and later does: `reconnect` gets there."""
    if place.side != "dbus.aio":
        raise NotOffered("connecting again by itself")
    aio = place.module("aio")
    greetings = 0

    def greet(peer: Peer, msg: Received) -> None:
        nonlocal greetings
        greetings += 1
        wrong: "list[Deed]" = [_values(), _values("u", 5), _bad(), _values("as", [])]
        if 1 < greetings <= 1 + len(wrong):
            wrong[greetings - 2](peer, msg)
        else:
            peer.send(returned(msg.serial, "s", ":1.1"))

    def request(peer: Peer, msg: Received) -> None:
        # The first time, and the third, as it should be.
        ok = greetings != 6
        peer.send(returned(msg.serial, "u", 1) if ok else returned(msg.serial, "s", "x"))

    with FakePeer(answers={"Hello": greet, "RequestName": request}) as fake:
        face = Aio(place)
        back: "list[Any]" = []

        async def connect() -> None:
            bus = aio.MessageBus(fake.address, reconnect=True, on_reconnect=back.append)
            face.bus = await bus.connect()
            await bus.request_name("org.example.X")

        face.finish(connect())
        fake.drop()
        if not face.until(lambda: back or greetings >= 6, 20):
            raise Lost(f"it has given up after {greetings} greetings")
        if not face.until(lambda: back, 10):
            raise Lost("the name was not requested again")
        expect(face.call("Good"), "reply: good")
        expect(len(back), 1)
        face.bus.disconnect()
    return f"{greetings} greetings"


def cases() -> Iterator[Case]:
    """All of them."""
    for face in FACES:
        for name, answer in WRONG.items():
            for what, function in (
                ("Hello", hello),
                ("RequestName", requested),
                ("Introspect", introspected),
            ):
                if what == "Hello" and name in ("two texts",):
                    continue  # the first is a name
                if what == "Introspect" and not face.parses_introspection:
                    continue
                run = partial(function, answer, face)
                yield Case(f"answer: {name} to {what} ({face.name})", run, face.sides)
        for name, answer in TEXTS.items() if face.parses_introspection else ():
            run = partial(introspected, answer, face)
            yield Case(f"answer: {name} to Introspect ({face.name})", run, face.sides)
        run = partial(descriptor_index, face)
        yield Case(f"answer: another descriptor's number ({face.name})", run, face.sides)
    for name, answer in WRONG.items():
        yield Case(f"answer: {name} to a proxy (aio)", partial(proxied, answer), ASYNCIO)
    yield Case("answer: a bus that learns to greet (aio)", comes_back, ASYNCIO)
