# SPDX-License-Identifier: MIT
"""matches, signalmatch, deliver: the index of signal matches in C."""

from __future__ import annotations

import gc
import itertools
import random
import weakref
from typing import Any

import pytest
from glibloop import run_until

import dbus
from _dbus_bindings import _Matches
from dbus.connection import SignalMatch
from dbus.lowlevel import MethodCallMessage, SignalMessage
from dbus.mainloop.glib import DBusGMainLoop

PATHS = ("/a", "/b", None)
INTERFACES = ("x.y", "x.z", None)
MEMBERS = ("M", "N", None)
ARGUMENTS = ("one", "two", None)


@pytest.fixture
def pair(bus: Any) -> Any:
    """A connection that receives and one that sends; and a way to have everything delivered."""
    receiver = bus.connection(mainloop=DBusGMainLoop())
    sender = bus.connection(mainloop=DBusGMainLoop())
    sender.add_match_string("type='signal'")  # unrelated: it has a rule of its own
    return receiver, sender


def emit(sender: Any, receiver: Any, path: str, interface: str, member: str, *args: Any) -> None:
    message = SignalMessage(path, interface, member)
    message.set_destination(receiver.get_unique_name())
    if args:
        message.append(*args)
    sender.send_message(message)


def settled(pair: Any) -> None:
    """Everything that was sent before has been delivered: the receiver answers in that order."""
    receiver, sender = pair
    done: list[Any] = []
    call = MethodCallMessage(receiver.get_unique_name(), "/none", "no.ne", "None")
    sender.send_message_with_reply(call, done.append)
    run_until(lambda: bool(done))


def test_every_combination_of_conditions(pair: Any) -> None:
    receiver, sender = pair
    seen: list[int] = []
    conditions = list(itertools.product(PATHS, INTERFACES, MEMBERS, ARGUMENTS))
    chance = random.Random(5)
    chance.shuffle(conditions)
    for number, (path, interface, member, arg0) in enumerate(conditions):
        more = {} if arg0 is None else {"arg0": arg0}
        receiver.add_signal_receiver(
            lambda *_args, number=number: seen.append(number),
            member,
            interface,
            None,
            path,
            **more,
        )

    def expected(path: str, interface: str, member: str, arg0: Any) -> list[int]:
        fitting = [
            ((p is not None, i is not None, m is not None), number)
            for number, (p, i, m, a) in enumerate(conditions)
            if p in (None, path) and i in (None, interface) and m in (None, member)
            and a in (None, arg0)
        ]  # fmt: skip
        return [number for _, number in sorted(fitting)]

    settled(pair)
    seen.clear()  # what the bus had to say
    for path, interface, member in itertools.product(("/a", "/c"), ("x.y", "q.q"), ("M", "Q")):
        for args in ((), ("one",), ("three", "one"), (5,), (dbus.ObjectPath("/one"),)):
            emit(sender, receiver, path, interface, member, *args)
            settled(pair)
            first = args[0] if args and isinstance(args[0], str) else None
            wanted = expected(path, interface, member, first)
            assert seen == wanted
            seen.clear()


def test_removal_keeps_the_others(pair: Any) -> None:
    receiver, sender = pair
    seen: list[str] = []
    matches = [
        receiver.add_signal_receiver(
            lambda *_: seen.append("removed"), "M", "x.y", None, "/a", arg0=name
        )
        for name in ("one", "two")
    ]
    kept = receiver.add_signal_receiver(seen.append, "M", "x.y", None, "/a", arg0="one")
    for match in matches:
        match.remove()
        match.remove()
    emit(sender, receiver, "/a", "x.y", "M", "one")
    settled(pair)
    assert seen == ["one"]
    kept.remove()
    emit(sender, receiver, "/a", "x.y", "M", "one")
    settled(pair)
    assert seen == ["one"]


def test_a_handler_gets_arguments_of_its_own(pair: Any) -> None:
    receiver, sender = pair
    seen: list[Any] = []

    def spoil(values: Any) -> None:
        values.append("spoilt")

    receiver.add_signal_receiver(spoil, "M", "x.y", None, "/a")
    receiver.add_signal_receiver(seen.append, "M", "x.y", None, "/a")
    receiver.add_signal_receiver(seen.append, "M", "x.y", None, "/a", byte_arrays=True)
    emit(sender, receiver, "/a", "x.y", "M", dbus.Array([dbus.Byte(97)], signature="y"))
    settled(pair)
    assert seen == [[97], b"a"]
    assert [type(value) for value in seen] == [dbus.Array, dbus.ByteArray]


def test_all_sorts_of_conditions_on_arguments(pair: Any) -> None:
    receiver, sender = pair
    seen: list[Any] = []
    for name, conditions in {
        "arg0": {"arg0": "a.b"},
        "arg1": {"arg1": "x"},
        "both": {"arg0": "a.b", "arg1": "x"},
        "namespace": {"arg0namespace": "a"},
        "path": {"arg1path": "/x/"},
    }.items():
        receiver.add_signal_receiver(lambda *_, name=name: seen.append(name), "M", **conditions)
    for args in (("a.b", "x"), ("a.b", "y"), ("a.c", "x"), ("b", "/x/y"), ("a.b",), ()):
        emit(sender, receiver, "/a", "x.y", "M", *args)
        settled(pair)
        seen.append("-")
    parts = " ".join(seen).split(" -")
    assert [sorted(part.split()) for part in parts[:-1]] == [
        ["arg0", "arg1", "both", "namespace"],
        ["arg0", "namespace"],
        ["arg1", "namespace"],
        ["path"],
        ["arg0", "namespace"],
        [],
    ]


def test_what_is_no_match_is_refused(conn: Any) -> None:
    for wrong in (None, 5, object()):
        with pytest.raises(TypeError):
            conn._matches.add(wrong)
        with pytest.raises(TypeError):
            conn._matches.remove(wrong)
    match = SignalMatch(conn, None, "/a", None, None, print)
    assert conn._matches.remove(match) is False
    conn._matches.add(match)
    assert conn._matches.remove(match) is True


def test_matches_that_are_alike(conn: Any) -> None:
    def match(sender: Any, *place: Any, **more: Any) -> SignalMatch:
        made = SignalMatch(conn, sender, *place, print, **more)
        made.set_sender_name_owner(sender)
        return made

    index = _Matches()
    one = match("a.b", "/a", "x.y", "M")
    assert index.has_like(one) is False and index.all() == []
    index.add(one)
    assert index.has_like(one) is True
    assert index.has_like(match("a.b", "/a", "x.y", "M")) is True
    others = [
        match("a.c", "/a", "x.y", "M"),
        match(None, "/a", "x.y", "M"),
        match("a.b", "/b", "x.y", "M"),
        match("a.b", "/a", "x.z", "M"),
        match("a.b", "/a", "x.y", None),
        match("a.b", "/a", "x.y", "M", arg0="x"),
    ]
    for other in others:
        assert index.has_like(other) is False
        index.add(other)
        assert index.has_like(other) is True
    assert index.remove(one) is True and index.remove(one) is False
    assert index.has_like(one) is False
    assert set(index.all()) == set(others)
    with pytest.raises(TypeError):
        index.has_like(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        _Matches(1)  # type: ignore[call-arg]


def test_matches_and_connections_are_collected(bus: Any) -> None:
    connection = bus.connection(mainloop=DBusGMainLoop())
    bus._connections.remove(connection)

    class Receiver:
        def __init__(self, connection: Any) -> None:
            self.match = connection.add_signal_receiver(self.receive, "M", arg0="x")

        def receive(self, value: Any) -> None:
            raise AssertionError(value)

    gone = weakref.ref(Receiver(connection)), weakref.ref(connection)
    connection.call_on_disconnection(print)
    gc.collect()
    assert gone[0]() is not None
    del connection
    gc.collect()
    assert [ref() for ref in gone] == [None, None]
