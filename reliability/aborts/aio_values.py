# SPDX-License-Identifier: MIT
"""Values, time-outs, fields and states that are wrong, where the asyncio API takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Any, Callable

from cases import Case, Lost

from . import tables
from .bench import DAEMON
from .desk import Desk, asynchronous

Entry = Callable[[Desk, str, Any], Awaitable[object]]


async def _sent(desk: Desk, signature: str, value: Any) -> object:
    return await desk.send(desk.signal(signature, [value]))


async def _called(desk: Desk, signature: str, value: Any) -> object:
    return await desk.asked(desk.bus, desk.call(signature=signature, body=[value]))


async def _variant(desk: Desk, signature: str, value: Any) -> object:
    return await _sent(desk, "v", desk.Variant(signature, value))


async def _unverified(desk: Desk, signature: str, value: Any) -> object:
    return await _sent(desk, "v", desk.Variant(signature, value, verify=False))


async def _proxied(desk: Desk, signature: str, value: Any) -> object:
    xml = (
        "<node><interface name='a.b'><method name='M'>"
        f"<arg type='{signature}' direction='in'/></method></interface></node>"
    )
    proxy = desk.bus.get_proxy_object(DAEMON[0], DAEMON[1], xml)
    return await proxy.get_interface("a.b").call_m(value)


async def _returned(desk: Desk, signature: str, value: Any) -> object:
    method = desk.service.dbus_method("M")
    return await desk.serve(desk.interface(method, lambda self: value, signature))


async def _emitted(desk: Desk, signature: str, value: Any) -> object:
    interface = desk.interface(desk.service.dbus_signal("M"), lambda self: value, signature)
    desk.bus.export("/a", interface)
    return interface.M()


def _property(desk: Desk, signature: str, value: Any) -> Any:
    access = desk.constants.PropertyAccess.READ
    made = desk.service.dbus_property(access=access, name="M")
    return desk.interface(made, lambda self: value, signature)


async def _read(desk: Desk, signature: str, value: Any) -> object:
    properties = {"interface": "org.freedesktop.DBus.Properties", "signature": "ss"}
    return await desk.serve(
        _property(desk, signature, value), "Get", body=["a.b", "M"], **properties
    )


async def _changed(desk: Desk, signature: str, value: Any) -> object:
    interface = _property(desk, signature, None)
    desk.bus.export("/b", desk.service.ServiceInterface("c.d"))
    desk.bus.export("/a", interface)
    return interface.emit_properties_changed({"M": value})


ENTRIES: dict[str, Entry] = {
    "a body, sent": _sent,
    "a body, called": _called,
    "Variant": _variant,
    "Variant, unverified": _unverified,
    "a proxy": _proxied,
    "a returned value": _returned,
    "a signal of a service": _emitted,
    "a property": _read,
    "emit_properties_changed": _changed,
}

# What a value is put into: its source, and that of the whole.
WRAPS = {
    "a{0}": "[{1}]",
    "(s{0})": "['', {1}]",
    "a{{s{0}}}": "{{'a': {1}}}",
    "a{{{0}s}}": "{{{1}: 'a'}}",
}

# Large values in variants, which pass their types on.
DEEP = ("nested_variant(65)", "nested_variant(5000)", "Variant('v', endless_list())")
FITTING = (
    ("v", "nested_variant(63)"),
    ("a" * 32 + "i", "nested_list(32)"),
    ("(" * 32 + "i" + ")" * 32, "nested_tuple(32)"),
    ("ay", "bytes(2**26)"),
    ("as", "['x' * (2**20 - 5)] * 63"),
    ("s", r"'\ufdd0\uffff'"),
    ("d", "1"),
)


def _valued(signature: str, source: str, entry: str, must: bool = True) -> Case:
    attempt = ENTRIES[entry]
    return asynchronous(
        f"{source} as {signature} to {entry}",
        lambda desk: attempt(desk, signature, desk.value_of(source)),
        must,
    )


def _values() -> Iterator[Case]:
    for signature, source in tables.VALUES:
        must = signature != "b"  # which is made of anything when it is sent
        for entry in ENTRIES:
            yield _valued(signature, source, entry, must)
        for outer, text in WRAPS.items():
            whole = outer.format(signature), text.format(signature, source)
            if whole not in tables.CONTAINERS:
                yield _valued(*whole, "a body, sent", must)
                yield _valued(*whole, "a property", must)
    for signature, source in tables.CONTAINERS:
        large = source in tables.LARGE
        for entry in ("a body, sent", "a returned value") if large else ENTRIES:
            yield _valued(signature, source, entry)
    for source in DEEP:
        for entry in ("a body, sent", "a body, called", "a returned value", "a property"):
            yield _valued("v", source, entry)
    for signature, source in FITTING:
        for entry in ("a body, sent", "Variant", "a returned value"):
            yield _valued(signature, source, entry, must=False)


# --- Time-outs


async def _call_in(desk: Desk, seconds: Any) -> object:
    desk.takes(desk.bus.call, "timeout")
    return await desk.bus.call(desk.call(), timeout=seconds)


async def _introspect_in(desk: Desk, seconds: Any) -> object:
    desk.takes(desk.bus.introspect, "timeout")
    return await desk.bus.introspect(*DAEMON[:2], timeout=seconds)


async def _connect_in(desk: Desk, seconds: Any) -> object:
    desk.takes(desk.MessageBus, "auth_timeout")
    return await desk.connect(auth_timeout=seconds)


async def _proxy_in(desk: Desk, seconds: Any) -> object:
    desk.takes(desk.bus.call, "timeout")
    node = await desk.bus.introspect(*DAEMON[:2])
    proxy = desk.bus.get_proxy_object(*DAEMON[:2], node)
    return await proxy.get_interface(DAEMON[2]).call_get_id(timeout=seconds)


TIMED = {
    "call": _call_in,
    "introspect": _introspect_in,
    "MessageBus": _connect_in,
    "a proxy": _proxy_in,
}


def _time_outs() -> Iterator[Case]:
    for source, good in tables.TIME_OUTS:
        for entry, attempt in TIMED.items():
            yield asynchronous(
                f"time-out {source} to {entry}",
                lambda desk, attempt=attempt, source=source: attempt(desk, desk.value_of(source)),
                # None is for ever, and so are infinity and the like.
                must=not good and source in ("'x'", "[]", "float('nan')"),
            )


# --- Fields of messages that are no texts

FIELDS = {
    "message_type": ("0", "5", "'x'", "None", "constants.MessageType.ERROR"),
    "flags": ("-1", "255", "2**40", "'x'", "None"),
    "serial": ("-1", "2**32", "2**64", "1.5", "'x'"),
    "reply_serial": ("-1", "2**32", "2**64", "1.5", "'x'"),
    "unix_fds": ("[-1]", "[9999]", "[2**40]", "['x']", "5", "[0] * 254", "[0] * 5000"),
    "body": ("5", "'x'", "[1]", "[None] * 300"),
    "path": ("'/' + 'a' * 2**27", "'/' + 'a' * 2**26"),
}
# What says nothing wrong, or says it only by the bus's answer.
ALLOWED = {("unix_fds", "5"), ("body", "'x'")}


def _fields() -> Iterator[Case]:
    async def constructed(desk: Desk, field: str, value: Any) -> object:
        return await desk.send(desk.signal(**{field: value}))

    async def unchecked(desk: Desk, field: str, value: Any) -> object:
        desk.takes(desk.Message, "validate")
        return await desk.send(desk.signal(**{field: value}, validate=False))

    async def assigned(desk: Desk, field: str, value: Any) -> object:
        message = desk.signal()
        setattr(message, field, value)
        return await desk.send(message)

    async def called(desk: Desk, field: str, value: Any) -> object:
        message = desk.call()
        setattr(message, field, value)
        return await desk.asked(desk.bus, message)

    for field, sources in FIELDS.items():
        for source in sources:
            for attempt in (constructed, unchecked, assigned, called):
                yield asynchronous(
                    f"{field} {source}, {attempt.__name__}",
                    lambda desk, attempt=attempt, field=field, source=source: attempt(
                        desk, field, desk.value_of(source)
                    ),
                    must=False,
                )


# --- States


async def _ended(desk: Desk) -> Any:
    """A bus that has been disconnected."""
    bus = await desk.MessageBus(bus_address=desk.address).connect()
    bus.disconnect()
    return bus


async def _abandoned(desk: Desk) -> Any:
    """A bus whose daemon has ended."""
    daemon = desk.own_bus()
    bus = await desk.connect(daemon.address)
    daemon.close()
    try:
        await bus.wait_for_disconnect()
    except Exception:
        if bus.connected:
            raise Lost("the connection is thought to live") from None
    return bus


async def _unconnected(desk: Desk) -> Any:
    return desk.MessageBus(bus_address=desk.address)


STATES = {"disconnected": _ended, "abandoned by its daemon": _abandoned, "new": _unconnected}

Action = Callable[[Desk, Any], Any]

ACTIONS: dict[str, Action] = {
    "send": lambda desk, bus: bus.send(desk.signal()),
    "call": lambda desk, bus: bus.call(desk.call()),
    "request_name": lambda desk, bus: bus.request_name("a.b"),
    "release_name": lambda desk, bus: bus.release_name("a.b"),
    "introspect": lambda desk, bus: bus.introspect(*DAEMON[:2]),
    "a proxy": lambda desk, bus: (
        bus.get_proxy_object("a.b", "/a", XML).get_interface("a.b").call_m()
    ),
}
QUIET: dict[str, Action] = {
    "disconnect": lambda desk, bus: bus.disconnect(),
    "export": lambda desk, bus: bus.export("/a", desk.service.ServiceInterface("a.b")),
    "unexport": lambda desk, bus: bus.unexport("/a"),
    "add_message_handler": lambda desk, bus: bus.add_message_handler(print),
    "remove_message_handler": lambda desk, bus: bus.remove_message_handler(print),
    "on a signal": lambda desk, bus: (
        bus.get_proxy_object("a.b", "/a", XML).get_interface("a.b").on_s(print)
    ),
    "emit": lambda desk, bus: desk.interface(
        desk.service.dbus_signal("M"), lambda self: 1, "i"
    ).M(),
    "next_serial": lambda desk, bus: bus.next_serial(),
}
XML = "<node><interface name='a.b'><method name='M'/><signal name='S'/></interface></node>"


def _states() -> Iterator[Case]:
    for state, make in STATES.items():
        for action, act in {**ACTIONS, **QUIET}.items():

            async def attempt(desk: Desk, make: Any = make, act: Action = act) -> object:
                result = act(desk, await make(desk))
                return (
                    await result
                    if asyncio.isfuture(result) or hasattr(result, "__await__")
                    else result
                )

            yield asynchronous(f"{action} of a bus that is {state}", attempt, action in ACTIONS)


# --- Twice, and at the wrong time


async def _same_message_twice(desk: Desk) -> None:
    message = desk.signal()
    await desk.send(message)
    await desk.send(message)


async def _same_call_twice(desk: Desk) -> None:
    message = desk.call()
    await asyncio.gather(desk.bus.call(message), desk.bus.call(message))


async def _serial_in_use(desk: Desk) -> None:
    first, second = desk.call(serial=77), desk.call(serial=77)
    await asyncio.gather(desk.bus.call(first), desk.bus.call(second))


async def _connected_twice(desk: Desk) -> None:
    await asyncio.gather(desk.bus.connect(), desk.bus.connect())


async def _no_message_sent(desk: Desk) -> None:
    await desk.bus.send(None)


async def _no_message_called(desk: Desk) -> None:
    await desk.bus.call("x")


async def _exported_twice(desk: Desk) -> None:
    for _ in "ab":
        desk.bus.export("/a", desk.service.ServiceInterface("a.b"))


async def _no_interface_exported(desk: Desk) -> None:
    desk.bus.export("/a", object())


async def _unready_interface(desk: Desk) -> None:
    made = desk.service.ServiceInterface.__new__(desk.service.ServiceInterface)
    desk.bus.export("/a", made)


async def _unready_message(desk: Desk) -> None:
    await desk.send(desk.Message.__new__(desk.Message))


async def _unready_variant(desk: Desk) -> None:
    await desk.send(desk.signal("v", [desk.Variant.__new__(desk.Variant)]))


async def _handler_that_cannot(desk: Desk) -> None:
    desk.bus.add_message_handler(5)


async def _handler_that_raises(desk: Desk) -> None:
    def handler(message: Any) -> None:
        raise ValueError("no")

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    desk.bus.add_message_handler(handler)
    await desk.bus.call(desk.call())


async def _handler_with_nonsense(desk: Desk) -> None:
    async def asks() -> object:
        caller = await desk.connect()
        return await desk.asked(caller, desk.call(destination=desk.bus.unique_name))

    def handler(message: Any) -> object:
        handled.set()
        return object()

    handled = asyncio.Event()
    desk.bus.add_message_handler(handler)
    asking = asyncio.ensure_future(asks())
    await handled.wait()
    asking.cancel()
    desk.bus.remove_message_handler(handler)


async def _body_too_long(desk: Desk) -> None:
    half = bytes(2**26 - 8)
    await desk.send(desk.signal("ayayay", [half, half, half]))


async def _room_for_no_header(desk: Desk) -> None:
    await desk.send(desk.signal("ayay", [bytes(2**26 - 8), bytes(2**26 - 100)]))


async def _long_error_text(desk: Desk) -> None:
    def method(self: object) -> None:
        raise desk.errors.DBusError("a.b", "x" * 2**27)

    await desk.serve(desk.interface(desk.service.dbus_method("M"), method, ""))


MOMENTS: dict[str, tuple[Callable[[Desk], Awaitable[object]], bool]] = {
    "a message sent twice": (_same_message_twice, False),
    "a call made twice at once": (_same_call_twice, False),
    "two calls of one serial": (_serial_in_use, True),
    "connected twice at once": (_connected_twice, False),
    "None sent": (_no_message_sent, True),
    "a text called": (_no_message_called, True),
    "two interfaces of one name": (_exported_twice, True),
    "an object exported": (_no_interface_exported, True),
    "a ServiceInterface without __init__": (_unready_interface, True),
    "a Message without __init__": (_unready_message, True),
    "a Variant without __init__": (_unready_variant, True),
    "a handler that cannot be called": (_handler_that_cannot, True),
    "a handler that raises": (_handler_that_raises, False),
    "a handler that returns nonsense": (_handler_with_nonsense, False),
    "192 MiB in one message": (_body_too_long, True),
    "128 MiB without the header": (_room_for_no_header, True),
    "128 MiB as the text of an error": (_long_error_text, True),
}


def _moments() -> Iterator[Case]:
    for name, (attempt, must) in MOMENTS.items():
        yield asynchronous(name, attempt, must)


CASES = (*_values(), *_time_outs(), *_fields(), *_states(), *_moments())
