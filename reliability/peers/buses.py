# SPDX-License-Identifier: MIT
"""A real bus that dies, restarts, stands still, or refuses: a part of the family `peers`."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Callable

import wire
from cases import Case, Lost, Place, raised
from faces import FACES, LOST, TIMED_OUT, WITH_LOOP, Face
from observed import expect
from wire import BUS, Peer

from .aftermath import after_call, ended_once, expect_error, is_ours, told_once

_SHORT = 0.5  # a time-out that is meant to pass
_GOOD = "reply: good"
REFUSALS = ("DBusException", "DBusError", "SdBusBaseError")  # of each package


def _signal(place: Place, number: int) -> None:
    os.kill(place.bus.pid, number)


def bus_dies(face_type: type[Face], place: Place) -> str:
    """Killed with calls in flight."""
    face = face_type(place)
    address = place.bus.address
    face.open(address)
    _signal(place, signal.SIGSTOP)
    timer = threading.Timer(0.2, _signal, (place, signal.SIGKILL))
    timer.start()
    count = 50 if face.has_loop else 1
    outcomes = [face.start("M", 10, BUS) for _ in range(count)]
    for one in outcomes:
        expect_error(after_call(face, one, "M"), LOST, is_ours(place))
    timer.join()
    ended_once(face)
    expect([len(one) for one in outcomes], [1] * count)
    with another_bus(place) as bus:
        other = face.again()
        other.open(bus.address)
        expect(other.bus_call("GetNameOwner", "s", BUS), f"reply: {BUS}")
        other.close()
    return outcomes[0][0]


def another_bus(place: Place, **options: Any) -> Any:
    """Another PrivateBus."""
    return type(place.bus)(**options)


def bus_restarts(face_type: type[Face], place: Place) -> str:
    """Killed and started again at the same address, three times."""
    path = place.bus.address.split("path=")[1].split(",")[0] + ".again"
    listen = f"<listen>unix:path={path}</listen>"
    seen = []
    for _ in range(3):
        with another_bus(place, config_extra=listen) as bus:
            face = face_type(place)
            face.open(f"unix:path={path}")
            expect(face.bus_call("GetNameOwner", "s", BUS), f"reply: {BUS}")
            os.kill(bus.pid, signal.SIGKILL)
            seen.append(face.call("M", 5, BUS))
            expect_error(seen[-1], LOST, is_ours(place))
            ended_once(face)
    return ", ".join(seen)


def bus_stands_still(face_type: type[Face], place: Place) -> str:
    """Suspended while calls are made; it goes on, and its late replies are nobody's."""
    face = face_type(place)
    face.open(place.bus.address)
    _signal(place, signal.SIGSTOP)
    try:
        count = 200 if face.has_loop else 2
        outcomes = [face.start("M", _SHORT, BUS) for _ in range(count)]
        seen = {after_call(face, one, "M") for one in outcomes[:1]}
        face.until(lambda: all(outcomes), 10)
        seen |= {end for one in outcomes for end in one}
        expect([len(one) for one in outcomes], [1] * count)
    finally:
        _signal(place, signal.SIGCONT)
    for outcome in seen:
        expect_error(outcome, TIMED_OUT, is_ours(place))
    expect(face.bus_call("GetNameOwner", "s", BUS), f"reply: {BUS}")
    expect([len(one) for one in outcomes], [1] * count)
    told_once(face)
    return ", ".join(seen)


def connecting_to_a_bus_that_stands_still(face_type: type[Face], place: Place) -> str:
    """The handshake gets no answer: `mute` is the same by hand; here the bus goes on in time."""
    place.bus  # noqa: B018
    _signal(place, signal.SIGSTOP)
    timer = threading.Timer(0.3, _signal, (place, signal.SIGCONT))
    timer.start()
    face = face_type(place)
    face.open(place.bus.address, 20)
    timer.join()
    expect(face.bus_call("GetNameOwner", "s", BUS), f"reply: {BUS}")
    told_once(face)
    return "connected"


def _limited(place: Place, **limits: int) -> Any:
    extra = "".join(f'<limit name="{name}">{value}</limit>' for name, value in limits.items())
    bus = place.stack.enter_context(another_bus(place, config_extra=extra))
    return bus


def limit_of_matches(face_type: type[Face], place: Place) -> str:
    """The bus refuses a match: the receiver is told, and the others work."""
    bus = _limited(place, max_match_rules_per_connection=4)
    face, sender = face_type(place), Peer.client(bus.address)
    sender.hello()
    face.open(bus.address)
    rule = "type='signal',interface='test.I',member='S{}'"
    outcomes = [face.bus_call("AddMatch", "s", rule.format(number)) for number in range(8)]
    expect(outcomes, ["reply: None"] * 4 + ["LimitsExceeded"] * 4)
    heard: "list[Any]" = []
    if face.has_loop:
        seen = raised(lambda: face.listen("S9", heard))
    else:
        seen = "not asked"
    expect(face.bus_call("RemoveMatch", "s", rule.format(3)), "reply: None")
    if face.has_loop:
        face.listen("S9", heard)
        sender.send(wire.signal("S9", "/s", "test.I", None, "s", "hello"))
        face.until(lambda: heard, 10)
        face.until(lambda: len(heard) > 1, 0.05)
        expect(len(heard), 1)
    told_once(face)
    return seen


def limit_of_names(face_type: type[Face], place: Place) -> str:
    """The bus gives no more names."""
    bus = _limited(place, max_names_per_connection=4)
    face = face_type(place)
    face.open(bus.address)
    outcomes = [
        face.bus_call("RequestName", "su", f"org.example.N{number}", 0) for number in range(6)
    ]
    expect(outcomes, ["reply: 1"] * 3 + ["LimitsExceeded"] * 3)  # the unique name is one
    seen = raised(lambda: face.own("org.example.X"), REFUSALS)
    expect(face.bus_call("ReleaseName", "s", "org.example.N0"), "reply: 1")
    expect(face.bus_call("RequestName", "su", "org.example.N7", 0), "reply: 1")
    told_once(face)
    return seen


def limit_of_replies(face_type: type[Face], place: Place) -> str:
    """The bus keeps no more calls in flight."""
    bus = _limited(place, max_replies_per_connection=3)
    face, mute_one = face_type(place), Peer.client(bus.address)
    name = mute_one.hello()
    face.open(bus.address)
    outcomes = [face.start("M", 10, name) for _ in range(6)]
    face.until(lambda: sum(map(len, outcomes)) >= 3, 10)
    # RequestName and the like count too, but those were answered.
    expect(sorted(end for one in outcomes for end in one), ["LimitsExceeded"] * 3)
    for msg in iter(mute_one.receive, None):
        if msg.kind == wire.CALL:
            fields = {
                wire.REPLY_SERIAL: ("u", msg.serial),
                wire.DESTINATION: ("s", msg.fields[wire.SENDER]),
            }
            mute_one.send(wire.message(wire.RETURN, next(wire.serials), fields, "s", "good"))
            if face.until(lambda: all(outcomes), 0.1):
                break
    expect(sorted(one[0] for one in outcomes), ["LimitsExceeded"] * 3 + [_GOOD] * 3)
    told_once(face)
    return "3 of 6 refused"


def limit_of_connections(face_type: type[Face], place: Place) -> str:
    """The bus takes no more connections."""
    bus = _limited(place, max_connections_per_user=2, auth_timeout=2000)
    first = face_type(place)
    first.open(bus.address)
    second = face_type(place)
    second.open(bus.address)
    third = face_type(place)
    seen = raised(lambda: third.open(bus.address, 10))
    third.close()
    told_once(second)

    def opens() -> bool:
        other = face_type(place)
        try:
            other.open(bus.address, 10)
        except Exception:
            other.close()
            return False
        told_once(other)
        return True

    deadline = time.monotonic() + 10
    while not opens():  # until the bus has noticed
        if time.monotonic() > deadline:
            raise Lost("no later connection is possible")
    expect(first.bus_call("GetNameOwner", "s", BUS), f"reply: {BUS}")
    told_once(first)
    return seen


def limit_of_size(face_type: type[Face], place: Place) -> str:
    """A message beyond the bus's limit costs the connection."""
    bus = _limited(place, max_message_size=10_000)
    face = face_type(place)
    face.open(bus.address)
    seen = face.bus_call("GetNameOwner", "s", "x" * 50_000)
    expect_error(seen, LOST, is_ours(place))
    ended_once(face)
    other = face.again()
    other.open(bus.address)
    expect(other.bus_call("GetNameOwner", "s", BUS), f"reply: {BUS}")
    told_once(other)
    return seen


def denied(face_type: type[Face], place: Place) -> str:
    """The bus forbids a call and a name."""
    policy = """<policy context="mandatory"><deny own="org.example.No"/>
        <deny send_interface="test.I"/></policy>"""
    bus = place.stack.enter_context(another_bus(place, config_extra=policy))
    face = face_type(place)
    face.open(bus.address)
    expect(face.call("M", 10, BUS), "AccessDenied")
    expect(face.bus_call("RequestName", "su", "org.example.No", 0), "AccessDenied")
    expect(face.bus_call("GetNameOwner", "s", BUS), f"reply: {BUS}")
    told_once(face)
    return "AccessDenied"


BUSES: "dict[str, tuple[Callable[[type[Face], Place], str], tuple[type[Face], ...]]]" = {
    "a bus that is killed": (bus_dies, FACES),
    "a bus that restarts": (bus_restarts, FACES),
    "a bus that is suspended": (bus_stands_still, FACES),
    "connecting to a suspended bus": (connecting_to_a_bus_that_stands_still, FACES),
    "a bus that refuses a match": (limit_of_matches, FACES),
    "a bus that refuses a name": (limit_of_names, FACES),
    "a bus that refuses a call": (limit_of_replies, WITH_LOOP),
    "a bus that refuses a connection": (limit_of_connections, FACES),
    "a bus that refuses a long message": (limit_of_size, FACES),
    "a bus that forbids": (denied, FACES),
}


def cases() -> Iterator[Case]:
    """All of them."""
    for name, (function, faces) in BUSES.items():
        for face in faces:
            yield Case(f"{name} ({face.name})", partial(function, face), face.sides)
