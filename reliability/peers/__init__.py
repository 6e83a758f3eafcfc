# SPDX-License-Identifier: MIT
"""Hostile and broken peers, and buses that die, stand still, or refuse.

Every call ends once, in time, with a reply or a named error; the end of a connection is told once;
memory stays bounded; and a later connection works.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Callable

import wire
from cases import Case, Lost, Place, raised
from faces import FACES, LOST, TIMED_OUT, Face, Glib, OnAsyncio, name_of
from fakepeer import FakePeer
from observed import descriptors, expect, memory
from wire import Peer, Received, returned

from . import answers, buses, clients
from .aftermath import (
    after_call,
    ended_once,
    expect_error,
    is_ours,
    later,
    survivor,
    told_once,
)
from .deeds import BROKEN, ENDS, HANDSHAKES, MAY_END, MUTE, ODD, SILENT

_SHORT = 0.5  # a time-out that is meant to pass
_GOOD = "reply: good"


# --- A fake peer and the ways to call it


def broken(make: Any, face_type: type[Face], place: Place) -> str:
    """A message that is forbidden, in both byte orders."""
    seen = []
    for order in "<>" if face_type is FACES[0] else "<":
        with FakePeer(lambda peer, msg, order=order: peer.send(make(msg.serial, order))) as fake:
            face = face_type(place)
            face.open(fake.address)
            outcome = after_call(face, face.start("M", 3), "M")
            if is_ours(place):
                expect_error(outcome, LOST, True)
                ended_once(face)
            elif outcome.startswith("reply") or face.is_connected():
                face.close()  # taken, or passed over
            else:
                ended_once(face)
            seen.append(outcome)
            later(face, fake.address)
    return ", ".join(seen)


def odd(name: str, face_type: type[Face], place: Place) -> str:
    """Something that is allowed."""
    deed, wanted = ODD[name]
    before = descriptors()
    with FakePeer(deed) as fake:
        face = face_type(place)
        face.open(fake.address)
        outcome = after_call(face, face.start("M", 10), "M")
        if name in MAY_END and outcome in LOST | {"NotSupported", "InvalidArgs"}:
            if face.is_connected():
                survivor(face)
            else:
                ended_once(face)
        elif wanted == "reply: array":
            if not outcome.startswith("reply"):
                raise Lost(outcome)
            survivor(face)
        else:
            expect(outcome, wanted)
            survivor(face)
        later(face, fake.address)
    if descriptors() > before + 20:
        raise Lost(f"{descriptors() - before} descriptors are left")
    return outcome[:80]


def silent(name: str, face_type: type[Face], place: Place) -> str:
    """No answer: the time-out is the end."""
    stuck = "half" in name or "a byte of" in name
    with FakePeer(SILENT[name]) as fake:
        face = face_type(place)
        face.open(fake.address)
        begin = time.monotonic()
        outcome = after_call(face, face.start("M", _SHORT), "M")
        seconds = time.monotonic() - begin
        expect_error(outcome, TIMED_OUT, is_ours(place))
        if not _SHORT * 0.9 < seconds < _SHORT + 5:
            raise Lost(f"the time-out of {_SHORT} s came after {seconds:.2f} s")
        if stuck:
            expect_error(face.call("Good", _SHORT), TIMED_OUT, is_ours(place))
            expect(face.gone, 0)
            told_once(face)
        else:
            survivor(face)
        later(face, fake.address)
    return f"{outcome} after {seconds:.2f} s"


def ends(name: str, face_type: type[Face], place: Place) -> str:
    """The peer goes away with 20 calls in flight, or the one that blocks."""
    count = 20 if face_type.has_loop else 1

    def deed(peer: Peer, msg: Received) -> None:
        calls.append(msg)
        if len(calls) == count:
            ENDS[name](peer, msg)

    calls: "list[Received]" = []
    with FakePeer(deed) as fake:
        face = face_type(place)
        face.open(fake.address)
        outcomes = [face.start("M", 5) for _ in range(count)]
        for one in outcomes:
            expect_error(after_call(face, one, "M"), LOST, is_ours(place))
        ended_once(face)
        expect([len(one) for one in outcomes], [1] * count)
        later(face, fake.address)
    return outcomes[0][0]


def reply_then_end(face_type: type[Face], place: Place) -> str:
    """A reply that is the last thing the peer says is not lost."""

    def deed(peer: Peer, msg: Received) -> None:
        peer.send(wire.signal("S", "/s", "test.I", None, "s", "last words"))
        peer.send(returned(msg.serial, "s", "good"))
        peer.socket.shutdown(2)

    heard: "list[Any]" = []
    with FakePeer(deed) as fake:
        face = face_type(place)
        face.open(fake.address)
        if face.has_loop:
            face.listen("S", heard)
        expect(after_call(face, face.start("M", 5), "M"), _GOOD)
        ended_once(face)
        expect(heard, ["last words"] if face.has_loop else [])
        later(face, fake.address)
    return _GOOD


def late(face_type: type[Face], place: Place) -> str:
    """Replies come when the time-outs have passed: they are nobody's."""
    waiting: "list[Received]" = []

    def deed(peer: Peer, msg: Received) -> None:
        waiting.append(msg)
        if len(waiting) == 4:
            peer.send(b"".join(returned(one.serial, "s", "late") for one in waiting[:3]))
            peer.send(returned(msg.serial, "s", "good"))

    with FakePeer(deed) as fake:
        face = face_type(place)
        face.open(fake.address)
        outcomes = [after_call(face, face.start("M", 0.2), "M") for _ in range(3)]
        for outcome in outcomes:
            expect_error(outcome, TIMED_OUT, is_ours(place))
        expect(after_call(face, face.start("M", 10), "M"), _GOOD)
        survivor(face)
        later(face, fake.address)
    return ", ".join(outcomes)


def cancelled(face_type: type[Face], place: Place) -> str:
    """Replies to calls that were cancelled: they are nobody's."""
    waiting: "list[Received]" = []

    def deed(peer: Peer, msg: Received) -> None:
        waiting.append(msg)
        if len(waiting) == 4:
            peer.send(b"".join(returned(one.serial, "s", "late") for one in waiting))

    with FakePeer(deed) as fake:
        face = face_type(place)
        face.open(fake.address)
        dropped: "list[str]" = []
        for count in range(1, 4):
            cancel(face, dropped)
            if not face.until(lambda: len(waiting) == count):  # noqa: B023
                raise Lost("a cancelled call was not sent")
        expect(after_call(face, face.start("M", 10), "M"), "reply: late")
        survivor(face)
        expect([end for end in dropped if end != "CancelledError"], [])
        later(face, fake.address)
    return "replies to 3 cancelled calls"


def cancel(face: Face, ends: "list[str]") -> None:
    """Begin a call and cancel it."""
    if hasattr(face, "connection"):
        pending = face.connection.call_async(
            ":1.2", "/", "test.I", "M", "", (),
            lambda *values: ends.append("reply"), lambda error: ends.append(name_of(error)),
        )  # fmt: skip
        pending.cancel()
    else:

        async def call() -> None:
            msg = face.message(":1.2", "/", interface="test.I", member="M")  # type: ignore[attr-defined]
            ends.append(await face.ask(msg, 20))  # type: ignore[attr-defined]

        task = face.loop.create_task(call())  # type: ignore[attr-defined]
        face.until(lambda: False, 0.01)  # it has begun
        task.cancel()


def answers_back(face_type: type[Face], place: Place) -> str:
    """Each call of the peer is answered once, and one that wants no reply is not."""
    members = ["Nothing"] * 20

    def deed(peer: Peer, msg: Received) -> None:
        peer.send(wire.call("Nothing", flags=wire.NO_REPLY, serial=99))
        peer.send(b"".join(wire.call(member, serial=100 + i) for i, member in enumerate(members)))
        peer.send(wire.call("Nothing", interface=None, serial=200))
        peer.send(wire.call("Ping", interface="org.freedesktop.DBus.Peer", serial=201))
        peer.send(returned(msg.serial, "s", "good"))

    wanted = sorted([*range(100, 120), 200, 201])
    with FakePeer(deed) as fake:
        face = face_type(place)
        face.open(fake.address)
        expect(after_call(face, face.start("M", 10), "M"), _GOOD)

        def replies() -> "list[int]":
            return sorted(msg.reply_serial for msg in fake.seen if msg.kind in (2, 3))

        face.until(lambda: len(replies()) >= len(wanted), 10)
        survivor(face)
        expect(replies(), wanted)
        later(face, fake.address)
    return f"{len(wanted)} answers"


# --- Handshakes


def handshake(shake: "Callable[[Peer], object]", face_type: type[Face], place: Place) -> str:
    """What a server says instead of OK: no connection, and an error that says so."""
    before = memory()
    with FakePeer(handshake=shake) as fake:
        face = face_type(place)
        seen = raised(lambda: face.open(fake.address, 5))
        face.close()
        expect(face.gone, 0, 1)  # 1: the connection that never was, and only by close()
        later(face, fake.address)
    if memory() - before > 60:
        raise Lost(f"{memory() - before:.0f} MiB more")
    return seen


def mute(shake: "Callable[[Peer], object]", face_type: type[Face], place: Place) -> str:
    """A server that says nothing: calls end in time, though nothing can be sent."""
    with FakePeer(handshake=shake) as fake:
        face = face_type(place)
        begin = time.monotonic()
        if hasattr(face, "open_peer"):
            face.open_peer(fake.address)
            seen = face.call("M", _SHORT)
            expect_error(seen, TIMED_OUT, is_ours(place))
        else:
            seen = raised(lambda: face.open(fake.address, _SHORT))
        if time.monotonic() - begin > _SHORT + 5:
            raise Lost(f"it took {time.monotonic() - begin:.1f} s")
        face.close()
        later(face, fake.address)
    return seen


# --- Floods


def flood(make: "Callable[[int], bytes]", count: int, face_type: type[Face], place: Place) -> str:
    """Very many messages, while the client waits for a reply or lets its loop turn."""
    chunk = 1000

    def deed(peer: Peer, msg: Received) -> None:
        reader = threading.Thread(target=peer.ended, args=(60,), daemon=True)
        data = b"".join(make(number) for number in range(chunk))
        if count < 0:
            reader.start()
        for _ in range(abs(count) // chunk):
            peer.send(data)
        peer.send(returned(msg.serial, "s", "good"))

    with FakePeer(deed) as fake:
        face = face_type(place)
        face.open(fake.address)
        heard: "list[Any]" = []
        if face.has_loop:
            face.listen("Wanted", heard)
        before = memory()
        expect(after_call(face, face.start("M", 50), "M"), _GOOD)
        grown = memory() - before
        if grown > 40:
            raise Lost(f"{grown:.0f} MiB more for {abs(count)} messages")
        if face.has_loop and b"Wanted" in make(0):
            face.until(lambda: len(heard) >= abs(count), 20)
            expect(len(heard), abs(count))
        if count > 0:
            survivor(face)
        later(face, fake.address)
    return f"{grown:.1f} MiB more for {abs(count)} messages"


def flood_of_one_who_blocks(face_type: type[Face], place: Place) -> str:
    """Signals while a program with a loop waits for a reply: they are kept, and delivered in order.

    libdbus reads no more when 63 MiB are kept.
    """
    count = 50_000

    def deed(peer: Peer, msg: Received) -> None:
        for start in range(0, count, 1000):
            numbers = range(start, start + 1000)
            peer.send(b"".join(wire.signal("S", "/s", "test.I", None, "u", n) for n in numbers))
        peer.send(returned(msg.serial, "s", "good"))

    with FakePeer(deed) as fake:
        face: Any = face_type(place)
        face.open(fake.address)
        heard: "list[Any]" = []
        face.listen("S", heard)
        before = memory()
        value = face.connection.call_blocking(":1.2", "/", "test.I", "M", "", (), timeout=40)
        expect(value, "good")
        expect(heard, [])
        grown = memory() - before
        face.until(lambda: len(heard) >= count, 20)
        expect(heard == list(range(count)), True)
        if grown > 80:
            raise Lost(f"{grown:.0f} MiB more for {count} signals")
        survivor(face)
    return f"{grown:.0f} MiB more for {count} signals"


def flood_of_descriptors(face_type: type[Face], place: Place) -> str:
    """3000 signals with a descriptor each, which nobody takes: none is left."""

    def deed(peer: Peer, msg: Received) -> None:
        with open("/dev/null") as null:
            for _ in range(3000):
                peer.send(wire.signal("X", "/s", "test.I", None, "h", 0, n_fds=1), [null.fileno()])
        peer.send(returned(msg.serial, "s", "good"))

    with FakePeer(deed) as fake:
        face = face_type(place)
        face.open(fake.address)
        expect(face.call("Good"), _GOOD)
        before = descriptors()
        expect(after_call(face, face.start("M", 30), "M"), _GOOD)
        if descriptors() > before + 3:
            raise Lost(f"{descriptors() - before} descriptors are left")
        survivor(face)
        later(face, fake.address)
    return "none is left"


FLOODS: "dict[str, tuple[Callable[[int], bytes], int]]" = {
    "signals that nobody wants": (lambda n: wire.signal("X", signature="s") , 200_000),
    "replies that nobody asked for": (lambda n: returned(5000 + n, "s", "unasked"), 200_000),
    "messages of no known type": (
        lambda n: wire.message(9, 7, {wire.PATH: ("o", "/")}, "s", "x"), 100_000
    ),
    "signals that are wanted": (
        lambda n: wire.signal("Wanted", "/s", "test.I", None, "s", "x"), 50_000
    ),
    "calls": (lambda n: wire.call("Nothing", serial=100 + n), -50_000),
}  # fmt: skip
FLOODS["signals that nobody wants"] = (
    lambda n: wire.signal("X", "/s", "test.I", None, "s", "x" * 40),
    200_000,
)


def cases() -> Iterator[Case]:
    """All of them."""
    for face in FACES:

        def case(what: str, function: Any, *args: Any, face: type[Face] = face) -> Case:
            return Case(f"{what} ({face.name})", partial(function, *args, face), face.sides)

        # The two loops have the way in in common.
        for name, make in BROKEN.items() if face is not OnAsyncio else ():
            yield case(f"broken: {name}", broken, make)
        for name in ODD:
            yield case(f"odd: {name}", odd, name)
        for name in SILENT:
            yield case(f"silent: {name}", silent, name)
        for name in ENDS:
            yield case(f"the end: {name}", ends, name)
        yield case("the end: after the reply", reply_then_end)
        yield case("late replies", late)
        if face.has_loop:
            yield case("replies to cancelled calls", cancelled)
            yield case("calls that are answered once", answers_back)
        for name, shake in HANDSHAKES.items():
            yield case(f"handshake: {name}", handshake, shake)
        for name, shake in MUTE.items():
            yield case(f"no handshake: {name}", mute, shake)
        if face in (Glib, OnAsyncio):
            yield case("flood: during a blocking call", flood_of_one_who_blocks)
        yield case("flood: descriptors that nobody wants", flood_of_descriptors)
        for name, (make_one, count) in FLOODS.items():
            if count > 0 or face.has_loop:
                yield case(f"flood: {name}", flood, make_one, count)


CASES = (*cases(), *buses.cases(), *answers.cases(), *clients.cases())
