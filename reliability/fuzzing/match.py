# SPDX-License-Identifier: MIT
"""Receivers of signals with conditions of all sorts: their rules, the index of them, who gets what.

The judge of each is written from the specification ("Match Rules").
"""

from __future__ import annotations

import socket
import tempfile
from typing import Any, Optional

import _fuzz
from fuzzing import values
from fuzzing.source import Source
from fuzzing.values import expect

import dbus
from dbus.connection import Connection, SignalMatch
from dbus.lowlevel import Message, SignalMessage
from dbus.mainloop import NULL_MAIN_LOOP

PATHS = ("/a", "/a/b", "/", "/a/", "a", "")
INTERFACES = ("a.b", "a.c", "a.b.c", "a", "a..b")
MEMBERS = ("M", "N", "M.N", "1")
SENDERS = (":1.1", ":1.2", "a.b", "org.freedesktop.DBus", "a")
TEXTS = ("", "a", "a.b", "a.b.c", "a.bc", "/a", "/a/", "/a/b", "/", "'", "\\", "a,b='c'", "\u20ac")
KEYWORDS = (
    "arg0", "arg1", "arg63", "arg64", "arg00", "arg0path", "arg1path", "arg63path", "arg0namespace",
    "arg1namespace", "arg", "argpath", "arg-1", "arg 1", "arg1_0", "arg\u0661", "path_namespace",
    "byte_arrays", "sender_keyword", "message_keyword", "path_keyword", "utf8_strings",
)  # fmt: skip


def connection() -> Connection:
    """A connection that nobody answers on."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/socket")
        listener.listen()
        return Connection(f"unix:path={folder}/socket", mainloop=NULL_MAIN_LOOP)


CONNECTION = connection()


def text(source: Source) -> str:
    """A text that may well be another's too."""
    how = source.byte()
    return TEXTS[how % len(TEXTS)] if how < 200 else source.text()


def maybe(source: Source, of: tuple[str, ...]) -> Optional[str]:
    """One of them, any text, or None; the first ones the most."""
    how = source.byte()
    if how < 80:
        return None
    return of[how % 2] if how < 200 else of[how % len(of)] if how < 250 else source.text()


def keywords(source: Source) -> dict[str, Any]:
    """Conditions on arguments and some options."""
    chosen: dict[str, Any] = {}
    for _ in range(source.size(3)):
        how = source.byte()
        name = KEYWORDS[how % 3 if how < 64 else how % len(KEYWORDS)] if how < 250 else text(source)
        # Options name keyword arguments of the handler, which fails where they are no names.
        odd = source.byte() >= 240 and name.startswith("arg")
        chosen[name] = source.choice((None, 1, b"a", ())) if odd else text(source)
    return chosen


def parse(rule: str) -> list[tuple[str, str]]:
    """The keys and values of a rule as the specification reads it."""
    pairs, at = [], 0
    while at < len(rule):
        equals = rule.index("=", at)
        key, value, at, quoted = rule[at:equals], "", equals + 1, False
        while at < len(rule) and (quoted or rule[at] != ","):
            if rule[at] == "'":
                quoted = not quoted
            elif not quoted and rule[at : at + 2] == "\\'":
                value += "'"
                at += 1
            else:
                value += rule[at]
            at += 1
        expect(not quoted, rule)
        pairs.append((key, value))
        at += 1
    return pairs


class Receiver:
    """A match as the judge sees it."""

    def __init__(
        self, match: SignalMatch, place: tuple[Optional[str], ...], conditions: dict[str, Any]
    ) -> None:
        self.match = match
        self.sender, self.path, self.interface, self.member = place
        self.conditions = {
            name: value for name, value in conditions.items() if name.startswith("arg")
        }
        self.got: list[tuple[Any, ...]] = []

    def check_rule(self) -> None:
        """Whether the text says all that was given, and nothing else."""
        wanted = [("type", "signal")]
        named = (
            ("sender", self.sender), ("path", self.path),
            ("interface", self.interface), ("member", self.member),
        )  # fmt: skip
        wanted += [(key, value) for key, value in named if value is not None]
        for name, value in self.conditions.items():
            kind = name.lstrip("arg0123456789")
            number = name[3 : len(name) - len(kind)].lstrip("0") or "0"
            if value is not None or name != "arg0namespace":
                wanted.append((f"arg{number}{kind}", str(value)))
        # A condition given twice, as arg1 and arg01, is what was given last.
        expect(sorted(parse(str(self.match))) == sorted(dict(wanted).items()), str(self.match))

    def wants(self, message: Any, arguments: list[Any]) -> bool:
        """Whether the signal is one for it."""
        places = (
            (self.sender, message.get_sender()), (self.path, message.get_path()),
            (self.interface, message.get_interface()), (self.member, message.get_member()),
        )  # fmt: skip
        if any(wanted is not None and wanted != got for wanted, got in places):
            return False
        # Of conditions on the same argument, given as arg1 and arg01, the last one counts.
        last = {}
        for name, value in self.conditions.items():
            kind = name.lstrip("arg0123456789")
            last[int(name[3 : len(name) - len(kind)]), kind] = value
        return all(
            kind == "namespace" and value is None
            or number < len(arguments) and fits(kind, value, arguments[number])
            for (number, kind), value in last.items()
        )  # fmt: skip


def fits(kind: str, wanted: Any, argument: Any) -> bool:
    """One condition on one argument."""
    if kind == "path":
        if not isinstance(argument, (dbus.String, dbus.ObjectPath)):
            return False
        if not isinstance(wanted, str):
            return False
        return (
            argument == wanted
            or (argument.endswith("/") and wanted.startswith(argument))
            or (wanted.endswith("/") and argument.startswith(wanted))
        )
    if not isinstance(argument, dbus.String):
        return False
    if kind == "namespace":
        return argument == wanted or argument.startswith(f"{wanted}.")
    return bool(argument == wanted)


def add(source: Source) -> Optional[Receiver]:
    """A new receiver, or None where it was refused."""
    place = (
        maybe(source, SENDERS), maybe(source, PATHS), maybe(source, INTERFACES),
        maybe(source, MEMBERS),
    )  # fmt: skip
    conditions = keywords(source)
    got: list[tuple[Any, ...]] = []

    def handler(*arguments: Any, **_keywords: Any) -> None:
        got.append(arguments)

    sender, path, interface, member = place
    try:
        match = CONNECTION.add_signal_receiver(
            handler, member, interface, sender, path, **conditions
        )
    except (TypeError, ValueError):
        return None
    receiver = Receiver(match, place, conditions)
    receiver.got = got
    return receiver


def signal(source: Source) -> Any:
    """A signal that somebody may want."""
    message = SignalMessage(
        source.choice(PATHS[:3]), source.choice(INTERFACES[:3]), source.choice(MEMBERS[:2])
    )
    message.set_sender(source.choice(SENDERS[:4]))
    for _ in range(source.size(3)):
        how = source.byte()
        if how < 160:
            message.append(text(source), signature="s")
        elif how < 200:
            message.append(source.choice(PATHS[:3]), signature="o")
        else:
            code = values.one_type(source)
            message.append(values.typed(code, values.wire_value(source, code)), signature=code)
    return Message.demarshal(message.marshal())


def deliver(message: Any, receivers: list[Receiver]) -> None:
    """Whether those get it that want it, in the order that is documented."""
    arguments = message.get_args_list()
    wanted = [receiver for receiver in receivers if receiver.wants(message, arguments)]
    wanted.sort(key=lambda one: [x is not None for x in (one.path, one.interface, one.member)])
    by_match = {receiver.match: receiver for receiver in receivers}
    took = [
        by_match[match]
        for match in _fuzz.find_matches(CONNECTION, message)
        if match._deliver(message)
    ]
    expect(took == wanted, [str(r.match) for r in wanted], [str(r.match) for r in took], message)
    for receiver in receivers:
        number = int(receiver in wanted)
        expect(len(receiver.got) == number, str(receiver.match), message)
        expect(receiver.match.maybe_handle_message(message) is (number == 1), receiver.match)
        receiver.got.clear()


def target(data: bytes) -> None:
    """One input."""
    source = Source(data)
    receivers: list[Receiver] = []
    try:
        while not source.ended:
            how = source.byte()
            if how < 128:
                made = add(source)
                if made is not None:
                    receivers.append(made)
                    made.check_rule()
            elif how < 160 and receivers:
                receiver = receivers.pop(how % len(receivers))
                receiver.match.remove()
            else:
                deliver(signal(source), receivers)
    finally:
        for receiver in receivers:
            receiver.match.remove()
    expect(CONNECTION._matches.all() == [], data)
