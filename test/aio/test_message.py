# SPDX-License-Identifier: MIT
"""Messages on their way to and from the C module, and between us and dbus-fast on a bus."""

from __future__ import annotations

import asyncio
import inspect
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Callable

import pytest

import _dbus_bindings
import dbus
from dbus.aio.constants import MessageFlag, MessageType
from dbus.aio.errors import (
    InvalidBusNameError,
    InvalidMessageError,
    InvalidObjectPathError,
    SignatureBodyMismatchError,
)
from dbus.aio.message import NOT_SENDABLE, Message, refusal
from dbus.aio.signature import Variant
from dbus.lowlevel import HANDLER_RESULT_HANDLED, HANDLER_RESULT_NOT_YET_HANDLED

FIELDS = [name for name in dir(Message) if name in inspect.signature(Message).parameters]

# What a value of each type can be, at its limits.
BASIC: dict[str, list[Any]] = {
    "y": [0, 255],
    "b": [True, False],
    "n": [-(2**15), 2**15 - 1],
    "q": [0, 2**16 - 1],
    "i": [-(2**31), 2**31 - 1],
    "u": [0, 2**32 - 1],
    "x": [-(2**63), 2**63 - 1],
    "t": [0, 2**64 - 1],
    "d": [-1.5, 1e300],
    "s": ["", "text", "\u00e9\U0001f600\uffff"],
    "o": ["/", "/a/b_1"],
    "g": ["", "a{sv}(ii)"],
}

NESTED: list[tuple[str, list[Any]]] = [
    ("", []),
    ("sus", ["x", 1, "y"]),
    ("ay", [b"\0\xff"]),
    ("aay", [[b"a", b""]]),
    ("ai", [[1, -2, 3]]),
    ("as", [[]]),
    ("(i(sd))", [(1, ("x", 2.5))]),
    ("a(ib)", [[(1, True), (2, False)]]),
    ("a{us}", [{1: "a", 2: "b"}]),
    ("a{s(ay)}", [{"a": (b"b",)}]),
    ("a{sv}", [{"a": Variant("s", "x"), "b": Variant("ay", b"b"), "c": Variant("as", [])}]),
    ("a{sv}", [{}]),
    ("a{oa{sa{sv}}}", [{"/a": {"a.b": {"P": Variant("(iv)", (1, Variant("u", 2)))}}}]),
    ("av", [[Variant("a{sv}", {}), Variant("a{sv}", {"x": Variant("d", 1.0)})]]),
    ("v", [Variant("v", Variant("v", Variant("u", 3)))]),
    ("v", [Variant("v", Variant("as", ["x"]))]),
    ("v", [Variant("v", Variant("(v)", (Variant("y", 1),)))]),
    ("v", [Variant("(vi)", (Variant("v", Variant("s", "x")), 3))]),
    ("v", [Variant("(vv)", (Variant("i", 1), Variant("a{yv}", {1: Variant("b", True)})))]),
    ("v", [Variant("a(sv)", [("x", Variant("(v)", (Variant("y", 1),)))])]),
    ("v", [Variant("a{ya{sv}}", {1: {"a": Variant("aay", [b"q"])}})]),
    ("v", [Variant("(ybnqiuxtdsog)", (1, True, -2, 3, -4, 5, -6, 7, 8.5, "s", "/o", "ai"))]),
    ("(v)v(av)", [(Variant("i", 1),), Variant("s", "x"), ([Variant("t", 1)],)]),
]
NESTED += [(code, [value]) for code, values in BASIC.items() for value in values]
NESTED += [("v", [Variant(code, value)]) for code, values in BASIC.items() for value in values]


def some_type(chance: random.Random, depth: int) -> str:
    kind = chance.choice([*BASIC, "v", "a", "a{", "("] if depth else list(BASIC))
    if kind == "a":
        return "a" + some_type(chance, depth - 1)
    if kind == "a{":
        return "a{" + chance.choice(list(BASIC)) + some_type(chance, depth - 1) + "}"
    if kind == "(":
        members = [some_type(chance, depth - 1) for _ in range(chance.randint(1, 3))]
        return "(" + "".join(members) + ")"
    return kind


def some_value(chance: random.Random, kind: Any, depth: int) -> Any:
    if kind.token in BASIC:
        return chance.choice(BASIC[kind.token])
    if kind.token == "v":
        return some_variant(chance, depth - 1)
    if kind.signature == "ay":
        return chance.choice([b"", b"abc"])
    if kind.token == "(":
        return tuple(some_value(chance, member, depth) for member in kind.children)
    element = kind.children[0]
    count = chance.randint(0, 3)
    if element.token == "{":
        key, value = element.children
        return {
            some_value(chance, key, depth): some_value(chance, value, depth) for _ in range(count)
        }
    return [some_value(chance, element, depth) for _ in range(count)]


def some_variant(chance: random.Random, depth: int) -> Variant:
    signature = some_type(chance, max(depth, 0))
    kind = Message(validate=False, signature=signature).signature_tree.types[0]
    return Variant(signature, some_value(chance, kind, depth))


def random_bodies(count: int) -> list[tuple[str, list[Any]]]:
    chance = random.Random(1)
    variants = [some_variant(chance, 4) for _ in range(count)]
    bodies = [(variant.signature, [variant.value]) for variant in variants]
    return bodies + [("v", [variant]) for variant in variants]


def described(value: Any) -> Any:
    """The value with the class of each part, and variants that compare across packages."""
    if type(value).__name__ == "Variant":
        return ("variant", value.signature, value.type.signature, described(value.value))
    if isinstance(value, dict):
        return (type(value), [(described(key), described(item)) for key, item in value.items()])
    if isinstance(value, (list, tuple)):
        return (type(value), [described(item) for item in value])
    if type(value).__name__ in ("MessageType", "MessageFlag"):
        return (type(value).__name__, value.value)
    return (type(value), value)


def fields(message: Any, *without: str) -> dict[str, Any]:
    return {name: described(getattr(message, name)) for name in FIELDS if name not in without}


def to_bindings(message: Message) -> Any:
    """The message as a bus would send it, or the error that its sender gets."""
    try:
        return message._to_bindings()
    except NOT_SENDABLE as error:
        raise refusal(message, error) from error


def there_and_back(message: Message) -> Message:
    return Message._from_bindings(to_bindings(message))


def with_body(signature: str, body: list[Any], unix_fds: Any = None) -> Message:
    return Message("a.b", "/a", "i.f", "M", signature=signature, body=body, unix_fds=unix_fds)


@pytest.mark.parametrize(("signature", "body"), NESTED)
def test_bodies(signature: str, body: list[Any]) -> None:
    message = with_body(signature, body)
    assert fields(there_and_back(message)) == fields(message)


def test_random_bodies() -> None:
    for signature, body in random_bodies(300):
        message = with_body(signature, body)
        assert fields(there_and_back(message)) == fields(message)


def test_the_types_that_are_sent() -> None:
    body = [{"a": Variant("(yv)", [1, Variant("ao", ["/"])]), "b": Variant("v", Variant("q", 2))}]
    sent = to_bindings(with_body("a{sv}", body)).get_args_list()[0]
    struct = sent["a"]
    assert type(struct) is dbus.Struct and struct.variant_level == 1
    assert [type(member) for member in struct] == [dbus.Byte, dbus.Array]
    assert (struct[1].signature, struct[1].variant_level) == ("o", 1)
    assert type(sent["b"]) is dbus.UInt16 and sent["b"].variant_level == 2


@pytest.mark.parametrize(
    ("signature", "given", "sent"),
    [
        ("(ii)", [1, 2], (1, 2)),
        ("(iv)", [1, Variant("i", 2)], (1, Variant("i", 2))),
        ("as", ("a", "b"), ["a", "b"]),
        ("av", (Variant("i", 1),), [Variant("i", 1)]),
        ("ay", bytearray(b"ab"), b"ab"),
        ("ay", memoryview(b"ab"), b"ab"),
        ("v", Variant("ay", bytearray(b"ab")), Variant("ay", b"ab")),
        ("v", Variant("(i(iv))", [1, [2, Variant("d", 3)]]), None),
        ("d", 5, 5.0),
        ("v", Variant("d", 5), Variant("d", 5.0)),
        ("v", Variant("i", True), Variant("i", 1)),
        ("v", Variant("s", dbus.ObjectPath("/a")), Variant("s", "/a")),
        ("v", Variant("i", dbus.Byte(5)), Variant("i", 5)),
        ("b", 1, True),
    ],
)
def test_values_that_fit_but_are_of_another_class(signature: str, given: Any, sent: Any) -> None:
    if sent is None:
        sent = Variant("(i(iv))", (1, (2, Variant("d", 3.0))))
    message = there_and_back(with_body(signature, [given]))
    assert described(message.body) == described([sent])


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        ("s", [5]),
        ("s", [None]),
        ("s", []),
        ("s", ["a", "b"]),
        ("i", ["5"]),
        ("i", [5.5]),
        ("u", [-1]),
        ("q", [70000]),
        ("d", ["5"]),
        ("o", ["bad"]),
        ("g", ["(("]),
        ("s", ["\0"]),
        ("s", ["\ud800"]),
        ("ay", ["abc"]),
        ("ay", [5]),
        ("(ii)", [(1, 2, 3)]),
        ("(iv)", [(1,)]),
        ("(vv)", [5]),
        ("a{ss}", [[("a", "b")]]),
        ("a{sv}", [5]),
        ("a{sv}", [{"x": 5}]),
        ("av", [5]),
        ("v", [5]),
        ("v", [Variant("i", "x", False)]),
        ("v", [Variant("as", 5, False)]),
        ("v", [Variant("ay", 5, False)]),
        ("v", [Variant("(ii)", 5, False)]),
        ("v", [Variant("(iv)", (1, 5), False)]),
        ("v", [Variant("v", 5, False)]),
        ("h", [0]),
        ("h", [-1]),
        ("h", ["x"]),
        ("v", [Variant("h", 0)]),
    ],
)
def test_bodies_that_do_not_fit(signature: str, body: list[Any]) -> None:
    with pytest.raises(SignatureBodyMismatchError):
        to_bindings(with_body(signature, body))


def test_a_body_without_signature_is_not_sent() -> None:
    assert there_and_back(with_body("", ["x"])).body == []


HEADERS: list[dict[str, Any]] = [
    {"path": "/a", "member": "M"},
    {"destination": ":1.5", "path": "/a", "interface": "i.f", "member": "M", "sender": ":1.6"},
    {"path": "/a", "member": "M", "reply_serial": 7, "error_name": "e.r"},
    {"message_type": MessageType.METHOD_RETURN, "reply_serial": 2**32 - 1},
    {"message_type": MessageType.METHOD_RETURN, "reply_serial": 1, "destination": ":1.5"},
    {"message_type": MessageType.METHOD_RETURN, "reply_serial": 1, "path": "/a", "member": "M"},
    {"message_type": MessageType.ERROR, "reply_serial": 5, "error_name": "e.r"},
    {"message_type": MessageType.ERROR, "reply_serial": 5, "error_name": "e.r", "interface": "i.f"},
    {"message_type": MessageType.SIGNAL, "path": "/a", "interface": "i.f", "member": "M"},
    {
        "message_type": MessageType.SIGNAL,
        "path": "/a",
        "interface": "i.f",
        "member": "M",
        "destination": "a.b",
        "sender": ":1.6",
    },
]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("flags", range(8))
def test_headers(header: dict[str, Any], flags: int) -> None:
    message = Message(**header, flags=flags, signature="s", body=["x"])
    assert fields(there_and_back(message)) == fields(message)


def test_the_kinds_of_the_bindings() -> None:
    kinds = [
        (MessageType.METHOD_CALL, _dbus_bindings.MethodCallMessage),
        (MessageType.METHOD_RETURN, _dbus_bindings.MethodReturnMessage),
        (MessageType.ERROR, _dbus_bindings.ErrorMessage),
        (MessageType.SIGNAL, _dbus_bindings.SignalMessage),
    ]
    for kind, expected in kinds:
        message = Message(None, "/a", "i.f", "M", kind, error_name="e.r", reply_serial=1)
        assert type(to_bindings(message)) is expected


def test_what_cannot_be_sent() -> None:
    for kind in MessageType:
        with pytest.raises(InvalidMessageError):
            to_bindings(Message(message_type=kind, validate=False))
    message = Message("a.b", "/a", "i.f", "M")
    message.path = "a"
    with pytest.raises(InvalidObjectPathError):
        to_bindings(message)
    message = Message("a.b", "/a", "i.f", "M")
    message.destination = "!"
    with pytest.raises(InvalidBusNameError):
        to_bindings(message)
    # A member may have dashes in dbus-fast, but not in libdbus.
    with pytest.raises(InvalidMessageError, match="with-dash"):
        to_bindings(Message("a.b", "/a", "i.f", "with-dash"))


def test_one_header_for_many_replies() -> None:
    """Those that were sent before leave no serial, and no leave, to those that have none."""
    kinds = (MessageType.METHOD_RETURN, MessageType.ERROR, MessageType.METHOD_CALL)
    for kind in kinds:
        message = Message("a.b", "/a", None, "M", kind, error_name="e.r", validate=False)
        for serial in (7, 2**32 - 1, 7):
            message.reply_serial = serial
            assert to_bindings(message).get_reply_serial() == serial
        message.reply_serial = 0
        if kind is MessageType.METHOD_CALL:
            assert to_bindings(message).get_reply_serial() == 0
        else:
            with pytest.raises(InvalidMessageError):
                to_bindings(message)


def test_the_first_message_of_a_process_can_be_a_reply() -> None:
    code = (
        "from dbus.aio.message import Message\n"
        "from dbus.aio.constants import MessageType\n"
        "m = Message(message_type=MessageType.METHOD_RETURN, reply_serial=5)\n"
        "made = m._to_bindings()\n"
        "print(made.get_reply_serial(), made.get_destination(), made.get_no_reply())\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert ran.stdout == "5 None False\n"


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, dbus.aio.message\n"
        "print(sorted({'asyncio', 'socket', 'typing', 'inspect'} & set(sys.modules)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert ran.stdout == "[]\n"


# --- File descriptors


@pytest.fixture
def pipe() -> Iterator[list[int]]:
    ends = list(os.pipe())
    yield ends
    close_all(ends)


@pytest.fixture
def no_leak(pipe: list[int]) -> Iterator[None]:
    """As many descriptors are open after the test as before it."""
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before


def targets(unix_fds: list[int]) -> list[str]:
    return [os.readlink(f"/proc/self/fd/{number}") for number in unix_fds]


def close_all(unix_fds: list[int]) -> None:
    for number in unix_fds:
        os.close(number)


@pytest.mark.parametrize(
    ("signature", "body", "received", "order"),
    [
        ("h", [1], [0], [1]),
        ("hah", [1, [0, 1]], [0, [1, 2]], [1, 0, 1]),
        ("v", [Variant("h", 1)], [Variant("h", 0)], [1]),
        ("v", [Variant("(hs)", [1, "x"])], [Variant("(hs)", (0, "x"))], [1]),
        ("v", [Variant("ah", [0, 1])], [Variant("ah", [0, 1])], [0, 1]),
        ("av", [[Variant("h", 0), Variant("h", 1)]], [[Variant("h", 0), Variant("h", 1)]], [0, 1]),
        (
            "a{sv}",
            [{"a": Variant("av", [Variant("h", 1)]), "b": Variant("h", 0)}],
            [{"a": Variant("av", [Variant("h", 0)]), "b": Variant("h", 1)}],
            [1, 0],
        ),
        ("a{hs}", [{0: "a", 1: "b"}], [{0: "a", 1: "b"}], [0, 1]),
        ("a{sh}", [{"a": 1, "b": 0}], [{"a": 0, "b": 1}], [1, 0]),
        ("(sh)", [("x", 1)], [("x", 0)], [1]),
    ],
)
@pytest.mark.usefixtures("no_leak")
def test_descriptors(
    pipe: list[int], signature: str, body: list[Any], received: list[Any], order: list[int]
) -> None:
    message = there_and_back(with_body(signature, body, pipe))
    try:
        assert described(message.body) == described(received)
        assert targets(message.unix_fds) == targets([pipe[index] for index in order])
        assert not set(message.unix_fds) & set(pipe)
        assert not any(os.get_inheritable(number) for number in message.unix_fds)
    finally:
        close_all(message.unix_fds)


@pytest.mark.usefixtures("no_leak")
def test_descriptors_that_cannot_be_sent(pipe: list[int]) -> None:
    closed = os.dup(pipe[0])
    os.close(closed)
    for signature, body, unix_fds in [
        ("h", [2], pipe),
        ("h", [-1], pipe),
        ("h", [0], [closed]),
        ("hs", [0, 5], pipe),
        ("vs", [Variant("h", 0), 5], pipe),
    ]:
        with pytest.raises(SignatureBodyMismatchError):
            to_bindings(with_body(signature, body, unix_fds))


@pytest.mark.usefixtures("no_leak")
@pytest.mark.parametrize(
    ("signature", "given", "arrives"),
    [
        ("a{hs}", {0: "a", 1: "b"}, {0: "a", 1: "b"}),
        ("ah", [1, 1, 0], [0, 1, 2]),
        ("v", Variant("v", Variant("h", 1)), Variant("v", Variant("h", 0))),
        ("v", Variant("(v)", (Variant("h", 0),)), Variant("(v)", (Variant("h", 0),))),
    ],
)
def test_descriptors_in_any_place(
    pipe: list[int], signature: str, given: Any, arrives: Any
) -> None:
    message = there_and_back(with_body(signature, [given], pipe))
    try:
        assert message.body == [arrives]
        # Each place has a duplicate of its own.
        assert len(set(message.unix_fds)) == len(message.unix_fds) > 0
    finally:
        for fd in message.unix_fds:
            os.close(fd)


# --- On a bus, beside dbus-fast


class Peer:
    """One connection that emits and receives signals, ours or dbus-fast's."""

    name: str
    send: Callable[[Message], Any]
    received: asyncio.Queue[Any]


async def our_peer(bus: Any) -> Peer:
    from dbus.mainloop.asyncio import DBusAsyncioMainLoop

    peer = Peer()
    peer.received = asyncio.Queue()
    connection = bus.connection(mainloop=DBusAsyncioMainLoop(asyncio.get_running_loop()))

    def received(_connection: Any, message: Any) -> int:
        if message.get_sender() == "org.freedesktop.DBus":
            return HANDLER_RESULT_NOT_YET_HANDLED
        peer.received.put_nowait(Message._from_bindings(message))
        return HANDLER_RESULT_HANDLED

    connection.add_message_filter(received)
    connection.add_match_string("type='signal',path='/a'")
    peer.name = connection.get_unique_name()
    peer.send = lambda message: connection.send_message(to_bindings(message))
    return peer


async def fast_peer(bus: Any, stack: list[Any]) -> Peer:
    fast = pytest.importorskip("dbus_fast")
    from dbus_fast.aio import MessageBus

    peer = Peer()
    peer.received = asyncio.Queue()
    message_bus = await MessageBus(bus_address=bus.address, negotiate_unix_fd=True).connect()
    stack.append(message_bus)

    def received(message: Any) -> bool:
        if message.sender == "org.freedesktop.DBus":
            return False
        peer.received.put_nowait(message)
        return True

    def theirs(value: Any) -> Any:
        if isinstance(value, Variant):
            return fast.Variant(value.signature, theirs(value.value))
        if isinstance(value, dict):
            return {key: theirs(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)([theirs(item) for item in value])
        return value

    def send(message: Message) -> Any:
        given = {name: getattr(message, name) for name in FIELDS}
        given["message_type"] = fast.MessageType(message.message_type.value)
        given["flags"] = fast.MessageFlag(message.flags.value)
        given["body"] = theirs(message.body)
        return message_bus.send(fast.Message(**given))

    message_bus.add_message_handler(received)
    match = fast.Message(
        "org.freedesktop.DBus",
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        "AddMatch",
        signature="s",
        body=["type='signal',path='/a'"],
    )
    await asyncio.wait_for(message_bus.call(match), 10)
    assert message_bus.unique_name is not None
    peer.name = message_bus.unique_name
    peer.send = send
    return peer


async def next_of(peer: Peer) -> Any:
    return await asyncio.wait_for(peer.received.get(), 10)


def on_a_bus(bus: Any, exchange: Callable[[Peer, Peer], Any]) -> None:
    async def main() -> None:
        stack: list[Any] = []
        try:
            theirs = await fast_peer(bus, stack)
            await exchange(await our_peer(bus), theirs)
        finally:
            for message_bus in stack:
                message_bus.disconnect()
                await asyncio.wait_for(message_bus.wait_for_disconnect(), 10)

    asyncio.run(main())


def test_both_understand_the_same_messages(bus: Any) -> None:
    async def exchange(ours: Peer, theirs: Peer) -> None:
        for signature, body in NESTED + random_bodies(60):
            for sender in (ours, theirs):
                message = Message.new_signal("/a", "i.f", "M", signature, body)
                message.flags = MessageFlag.NO_AUTOSTART
                sender.send(message)
                received = [await next_of(peer) for peer in (ours, theirs)]
                assert fields(received[0]) == fields(received[1])
                assert repr(received[0].signature_tree.signature) == repr(signature)
                assert described(received[0].body) == described(body)
                assert received[0].sender == sender.name

    on_a_bus(bus, exchange)


def test_both_understand_the_same_descriptors(bus: Any, pipe: list[int]) -> None:
    async def exchange(ours: Peer, theirs: Peer) -> None:
        body = ["x", 0, [1, 2], Variant("h", 3)]
        for sender in (ours, theirs):
            unix_fds = [pipe[0], pipe[1], pipe[0], pipe[1]]
            sender.send(Message.new_signal("/a", "i.f", "M", "shahv", body, unix_fds))
            received = [await next_of(peer) for peer in (ours, theirs)]
            try:
                assert fields(received[0], "unix_fds") == fields(received[1], "unix_fds")
                assert described(received[0].body) == described(body)
                for message in received:
                    assert targets(message.unix_fds) == targets(unix_fds)
            finally:
                for message in received:
                    close_all(message.unix_fds)

    on_a_bus(bus, exchange)


def test_both_answer_each_other(bus: Any) -> None:
    async def exchange(ours: Peer, theirs: Peer) -> None:
        variant = Variant("a{sv}", {"x": Variant("u", 1)})
        for caller, callee in ((ours, theirs), (theirs, ours)):
            for kind in (MessageType.ERROR, MessageType.METHOD_RETURN):
                caller.send(Message(callee.name, "/a", "i.f", "M", signature="v", body=[variant]))
                received = await next_of(callee)
                assert (received.destination, received.sender) == (callee.name, caller.name)
                assert described(received.body) == described([variant])
                # A message of dbus-fast is none for us, though it has the same fields.
                call = Message(
                    path="/a", member="M", sender=received.sender, serial=received.serial
                )
                if kind is MessageType.ERROR:
                    reply = Message.new_error(call, "e.r", "text")
                else:
                    reply = Message.new_method_return(call, "v", [variant])
                callee.send(reply)
                answer = await next_of(caller)
                assert answer.sender == callee.name
                assert fields(answer, "sender", "serial") == fields(reply, "sender", "serial")

    on_a_bus(bus, exchange)
