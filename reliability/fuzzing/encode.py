# SPDX-License-Identifier: MIT
"""Python values under any signature: those that fit, and those that do not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Callable

from fuzzing import values, wire
from fuzzing.source import Source
from fuzzing.values import expect

import dbus
from dbus.aio import DBusFastError, Variant
from dbus.aio import Message as Plain
from dbus.aio.message import NOT_SENDABLE, refusal
from dbus.lowlevel import Message, SignalMessage


class Oops(Exception):
    """What a value raises itself."""


# What append() may raise: see its documentation; RuntimeError for a dict that changes, OSError for
# a descriptor that is not open.  A sequence that is given for a mapping raises IndexError itself.
REFUSALS = (TypeError, ValueError, OverflowError, RecursionError, RuntimeError, IndexError, Oops)
PLAIN_REFUSALS = (TypeError, ValueError, OverflowError, DBusFastError, RuntimeError, Oops)


class Trap:
    """A value that does something whenever it is looked at."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def __int__(self) -> int:
        self.act()
        return 5

    __index__ = __int__

    def __float__(self) -> float:
        self.act()
        return 5.0

    def __bool__(self) -> bool:
        self.act()
        return True

    def __iter__(self) -> Iterator[Any]:
        self.act()
        return iter((1, self))

    def __getattr__(self, name: str) -> Any:
        if name == "__dbus_object_path__":
            self.act()
            return "/trap"
        raise AttributeError(name)


class BadMapping(dict[Any, Any]):
    """A mapping that does not say the truth about itself."""

    def __len__(self) -> int:
        return 3

    def items(self) -> Any:
        return [(1, 2, 3), 4]

    def __iter__(self) -> Iterator[Any]:
        return iter(("a", 1))

    def __missing__(self, key: Any) -> Any:
        raise Oops("there is none")


class OddInt(int):
    """An int of a class of its own."""

    def __int__(self) -> int:
        return 2**70


class OddText(str):
    """A str of a class of its own."""

    def encode(self, *_args: Any) -> bytes:
        return b"\xff"


def _raise() -> None:
    raise Oops("asked for")


def _endless() -> list[Any]:
    items: list[Any] = []
    items.append(items)
    return items


def _knot() -> dict[Any, Any]:
    entries: dict[Any, Any] = {}
    entries["k"] = entries
    return entries


CONSTANT: tuple[Any, ...] = (
    None, object(), "\ud800", "a\0b", "", b"\xff", b"", 2**64, -(2**70), -1, 9999, 1.5, True, 1j,
    float("nan"), float("inf"), (), "/", "//", "a{", "v" * 256, "(" * 33 + ")" * 33, range(5),
    OddInt(3), OddText("x"), type, len, NotImplemented, ..., ((),), ([],), (1, "a"),
    Trap(_raise), dbus.Int32(3, variant_level=2), dbus.String("x", variant_level=200),
    dbus.Struct((1,), signature="yy"), dbus.ByteArray(b"ab", variant_level=1),
    dbus.ObjectPath("/x"), dbus.Signature("ai"), dbus.Boolean(True), dbus.Struct(((),)),
    dbus.Double(1.0, variant_level=70), Variant("v", Variant("s", "x")), Variant("i", "x", False),
    Variant("ai", [1, "x"], False), Variant("s", "\ud800"),
)  # fmt: skip
# Made anew, as they may be changed.  They get what they are put into, and the message.
MADE: tuple[Callable[[Any, Any], Any], ...] = (
    lambda _c, _m: [],
    lambda _c, _m: {},
    lambda _c, _m: set("ab"),
    lambda _c, _m: bytearray(b"ab"),
    lambda _c, _m: memoryview(b"abcd"),
    lambda _c, _m: _endless(),
    lambda _c, _m: _knot(),
    lambda _c, _m: [[]],
    lambda _c, _m: [{}],
    lambda _c, _m: [()],
    lambda _c, _m: [1, "a", None],
    lambda _c, _m: {"a": 1, 2: "b"},
    lambda _c, _m: {(): 1},
    lambda _c, _m: {None: None},
    lambda _c, _m: iter((1, 2)),
    lambda _c, _m: (i for i in range(3)),
    lambda _c, _m: BadMapping(a=1),
    lambda _c, _m: dbus.Array([], signature="v"),
    lambda _c, _m: dbus.Array([1, "a"], signature="i"),
    lambda _c, _m: dbus.Array([]),
    lambda _c, _m: dbus.Dictionary({}, signature="sv"),
    lambda _c, _m: dbus.Dictionary({}),
    lambda container, _m: container,
    lambda _c, message: message,
    lambda _c, message: Trap(lambda: message.append(1, signature="y")),
    lambda container, _m: Trap(lambda: hasattr(container, "clear") and container.clear()),
    lambda container, _m: Trap(lambda: hasattr(container, "append") and container.append(1)),
    lambda container, _m: Trap(
        lambda: hasattr(container, "update") and container.update(new=1, newer=2)
    ),
)


def odd(source: Source, container: Any, message: Any) -> Any:
    """A value that is not as others are."""
    which = source.byte() % (len(CONSTANT) + len(MADE))
    if which < len(CONSTANT):
        return CONSTANT[which]
    return MADE[which - len(CONSTANT)](container, message)


def is_container(value: Any) -> bool:
    """Whether something in it can be replaced."""
    return isinstance(value, (list, dict)) and not isinstance(value, BadMapping) and len(value) > 0


def spoil(source: Source, value: Any, message: Any) -> Any:
    """The value with one place in it that is odd; lists and dicts are changed in place."""
    inside = value
    while is_container(inside):
        key = source.choice(range(len(inside)) if isinstance(inside, list) else list(inside))
        if source.byte() % 4 == 0:
            break
        if not is_container(inside[key]):
            inside[key] = odd(source, inside, message)
            return value
        inside = inside[key]
    if inside is value:
        return odd(source, [], message)
    if isinstance(inside, list):
        inside.append(odd(source, inside, message))
    else:
        inside[source.text()] = odd(source, inside, message)
    return value


def state(message: Any) -> tuple[str, str]:
    """What a failed append must leave as it is."""
    return str(message.get_signature()), repr(message.get_args_list())


def signature_of(source: Source) -> str:
    """Mostly a good one."""
    if source.chance(6):
        return source.block(source.byte() % 40).decode("latin-1")
    return values.any_signature(source)


def append(message: Any, arguments: list[Any], signature: Any) -> bool:
    """Whether the message took them; it must be as before if not."""
    before = state(message)
    try:
        message.append(*arguments, signature=signature)
    except OSError as error:
        expect(error.errno == 9, error)  # EBADF
    except REFUSALS:
        pass
    else:
        return True
    after = state(message)
    # A value may itself have appended something meanwhile.
    expect(after == before or after[0].startswith(before[0] + "y"), before, after)
    return False


def fitting(source: Source) -> None:
    """Values that fit have to arrive, byte for byte as the specification says."""
    source.large_left = 2
    signature = values.any_signature(source)
    types = list(wire.complete_types(signature))
    wanted = [values.wire_value(source, code) for code in types]
    body = bytes(wire.Marshaller("<").put(signature, *wanted).data)
    message = SignalMessage("/a", "a.b", "M")
    message.append(*map(values.typed, types, wanted), signature=signature)
    expect(wire.body_of(message.marshal()) == body, signature, wanted)
    if source.chance(2):
        guessed = SignalMessage("/a", "a.b", "M")
        guessed.append(*map(values.typed, types, wanted))
        # Without a signature, what was inside variants at the top is guessed as such again.
        expect(guessed.get_signature() == signature, signature, wanted)
        expect(wire.body_of(guessed.marshal()) == body, signature, wanted)
    plain = Plain.new_signal("/a", "a.b", "M", signature, list(map(values.native, types, wanted)))
    expect(plain.signature_tree.verify(plain.body), plain)
    made = plain._to_bindings()
    expect(wire.body_of(made.marshal()) == body, signature, wanted)
    for code, value, got in zip(types, wanted, Plain._from_bindings(made).body):
        values.check_native(code, value, got)


def odd_values(source: Source) -> None:
    """Something is wrong, or at least unusual, in one of the values."""
    signature = signature_of(source)
    message = SignalMessage("/a", "a.b", "M")
    if source.chance(4):
        message.append("before", 1)
    try:
        types = list(map(str, dbus.Signature(signature)))
    except ValueError:
        types = ["s", "i"]
    form = source.choice((values.typed, values.native, lambda code, value: value))
    arguments = [form(code, values.wire_value(source, code)) for code in types]
    for _ in range(1 + source.byte() % 3):
        if arguments:
            index = source.byte() % len(arguments)
            arguments[index] = spoil(source, arguments[index], message)
        elif source.chance(2):
            arguments.append(odd(source, [], message))
    try:
        Message.guess_signature(*arguments)
    except REFUSALS:
        pass
    append(message, arguments, signature if source.byte() % 4 else None)
    message = SignalMessage("/a", "a.b", "M")
    if append(message, arguments, signature):
        again = Message.demarshal(message.marshal()) if "h" not in signature else message
        expect(again.get_signature() == signature, signature)
        repr(again.get_args_list())
    odd_plain(source, signature, arguments)


def odd_plain(source: Source, signature: str, arguments: list[Any]) -> None:
    """The same with dbus.aio: its checks, and what sends it in the end."""
    fds = [-1, 9999, 2**40][: source.byte() % 4]
    try:
        plain = Plain.new_signal("/a", "a.b", "M", signature, arguments, fds)
    except PLAIN_REFUSALS:
        return
    try:
        plain.signature_tree.verify(plain.body)
    except PLAIN_REFUSALS:
        pass
    try:
        made = plain._to_bindings()
    except OSError as error:
        expect(error.errno == 9, error)
    except NOT_SENDABLE as error:
        expect(isinstance(refusal(plain, error), NOT_SENDABLE), plain)
    except (Oops, RuntimeError):  # of the values themselves, or a dict that has changed
        pass
    else:
        expect(made.get_signature() == signature, signature)


def target(data: bytes) -> None:
    """One input."""
    source = Source(data)
    if source.byte() % 3 == 0:
        fitting(source)
    else:
        odd_values(source)
    if source.byte() == 77:
        expect(len(os.listdir("/proc/self/fd")) < 40, "descriptors are left open")
