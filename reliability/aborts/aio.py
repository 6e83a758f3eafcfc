# SPDX-License-Identifier: MIT
"""Texts that are no names and the like, where the asyncio API takes them."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import Any, Callable

from cases import Case

from . import tables
from .bench import DAEMON
from .desk import Desk, asynchronous

Entry = Callable[[Desk, Any], Awaitable[object]]

XML = "<node><interface name='a.b'><method name='M'/></interface></node>"

# What only compares, or may wait until something is sent, need not complain.
TOLERANT = "(tolerant)"


def _now(function: Callable[[Desk, Any], object]) -> Entry:
    """What does not wait."""

    async def attempt(desk: Desk, text: Any) -> object:
        return function(desk, text)

    return attempt


def _field(field: str, signal: bool = False) -> dict[str, Entry]:
    """A field of a message, by all ways to set it; what is taken is sent and called."""

    def new(desk: Desk, **others: Any) -> Any:
        return desk.signal(**others) if signal else desk.call(**others)

    async def constructed(desk: Desk, value: Any) -> object:
        return await desk.send(new(desk, **{field: value}))

    async def unchecked(desk: Desk, value: Any) -> object:
        desk.takes(desk.Message, "validate")
        return await desk.send(new(desk, **{field: value}, validate=False))

    async def assigned(desk: Desk, value: Any) -> object:
        message = new(desk)
        setattr(message, field, value)
        return await desk.send(message)

    async def called(desk: Desk, value: Any) -> object:
        message = desk.call()
        setattr(message, field, value)
        return await desk.asked(desk.bus, message)

    ways = {"Message": constructed, "unchecked Message": unchecked, "attribute": assigned}
    if not signal:
        ways["called"] = called
    return {f"{way}.{field}": attempt for way, attempt in ways.items()}


def _new_signal(position: int) -> Entry:
    async def attempt(desk: Desk, text: Any) -> object:
        fields: list[Any] = ["/a", "a.b", "S"]
        fields[position] = text
        return await desk.send(desk.Message.new_signal(*fields))

    return attempt


def _bus_method(name: str) -> Entry:
    async def attempt(desk: Desk, text: Any) -> object:
        return await getattr(desk.bus, name)(text)

    return attempt


async def _received(desk: Desk) -> Any:
    """A call that this program has received: a stand-in, as it only needs a serial."""
    message = desk.call()
    message.serial = 7
    message.sender = desk.bus.unique_name
    return message


async def _new_error(desk: Desk, name: Any) -> object:
    return await desk.send(desk.Message.new_error(await _received(desk), name, "text"))


async def _new_error_text(desk: Desk, text: Any) -> object:
    return await desk.send(desk.Message.new_error(await _received(desk), "a.b", text))


async def _raised_error(desk: Desk, name: Any) -> object:
    def method(self: object) -> None:
        error = desk.errors.DBusError("a.b", "text")
        error.type = name
        raise error

    return await desk.serve(desk.interface(desk.service.dbus_method("M"), method, ""))


async def _raised_text(desk: Desk, text: Any) -> object:
    def method(self: object) -> None:
        raise desk.errors.DBusError("a.b", text)

    return await desk.serve(desk.interface(desk.service.dbus_method("M"), method, ""))


async def _served_as(desk: Desk, name: Any) -> object:
    interface = desk.service.ServiceInterface(name)
    return desk.bus.export("/a", interface)


def _declared(decorator: str, result: str) -> Entry:
    async def attempt(desk: Desk, name: Any) -> object:
        made = getattr(desk.service, decorator)(name=name)
        interface = desk.interface(made, lambda self: 1, result)
        return desk.bus.export("/a", interface)

    return attempt


def _annotated(decorator: str) -> Entry:
    """The signature of a result."""

    async def attempt(desk: Desk, signature: Any) -> object:
        made = getattr(desk.service, decorator)(name="M")
        interface = desk.interface(made, lambda self: 1, signature)
        desk.bus.export("/a", interface)
        return await desk.serve(interface)

    return attempt


# How a member is added to one instance, by its kind: from its name and its signature.
ADDED: dict[str, Callable[[Any, Any, Any], object]] = {
    "method": lambda add, name, signature: add(name, print, signature, ""),
    "property": lambda add, name, signature: add(name, signature, str),
    "signal": lambda add, name, signature: add(name, signature),
}


def _added(kind: str, wrong: str) -> Entry:
    """A member whose name or signature is what is wrong."""

    async def attempt(desk: Desk, thing: Any) -> object:
        add = desk.need(desk.service.ServiceInterface("a.b"), f"add_{kind}")
        return ADDED[kind](add, **{"name": "M", "signature": "s", wrong: thing})

    return attempt


async def _proxied_interface(desk: Desk, name: Any) -> object:
    proxy = desk.bus.get_proxy_object("a.b", "/a", XML)
    return proxy.get_interface(name)


async def _body(desk: Desk, text: Any) -> object:
    return await desk.send(desk.signal("s", [text]))


async def _connected(desk: Desk, address: Any) -> object:
    return await desk.MessageBus(bus_address=address).connect()


async def _connected_to_peer(desk: Desk, address: Any) -> object:
    desk.takes(desk.MessageBus, "peer")
    return await desk.MessageBus(bus_address=address, peer=True).connect()


async def _server(desk: Desk, address: Any) -> object:
    start = desk.need(desk.place.module("aio"), "start_server")
    server = await start(print, address)
    server.close()
    return server


# What dbus-fast has always taken; it is refused where it would be sent.
LENIENT = {
    "bus name": ("':'",),
    "member": ("'a-b'",),
    "signature": ("'{sv}'", "'a{vs}'", "'a' * 33 + 'i'", "'(' * 33 + 'i' + ')' * 33"),
}

ENTRIES: dict[str, dict[str, Entry]] = {
    "bus name": {
        "assert_bus_name_valid": _now(lambda d, text: d.validators.assert_bus_name_valid(text)),
        "is_bus_name_valid" + TOLERANT: _now(lambda d, text: d.validators.is_bus_name_valid(text)),
        **_field("destination"),
        **_field("sender"),
        "request_name": _bus_method("request_name"),
        "release_name": _bus_method("release_name"),
        "introspect": lambda d, text: d.bus.introspect(text, "/a"),
        "get_proxy_object": _now(lambda d, text: d.bus.get_proxy_object(text, "/a", XML)),
    },
    "path": {
        "assert_object_path_valid": _now(
            lambda d, text: d.validators.assert_object_path_valid(text)
        ),
        "is_object_path_valid" + TOLERANT: _now(
            lambda d, text: d.validators.is_object_path_valid(text)
        ),
        **_field("path"),
        "new_signal": _new_signal(0),
        "introspect": lambda d, text: d.bus.introspect(DAEMON[0], text),
        "get_proxy_object": _now(lambda d, text: d.bus.get_proxy_object("a.b", text, XML)),
        "export": _now(lambda d, text: d.bus.export(text, d.service.ServiceInterface("a.b"))),
        "unexport": _now(lambda d, text: d.bus.unexport(text)),
    },
    "interface": {
        "assert_interface_name_valid": _now(
            lambda d, text: d.validators.assert_interface_name_valid(text)
        ),
        **_field("interface"),
        "new_signal": _new_signal(1),
        "ServiceInterface, exported": _served_as,
        "get_interface": _proxied_interface,
        "introspection.Interface": _now(lambda d, text: d.introspection.Interface(text)),
    },
    "member": {
        "assert_member_name_valid": _now(
            lambda d, text: d.validators.assert_member_name_valid(text)
        ),
        **_field("member"),
        "new_signal": _new_signal(2),
        # An empty name is none: that of the function is taken.
        "dbus_method" + TOLERANT: _declared("dbus_method", ""),
        "dbus_signal" + TOLERANT: _declared("dbus_signal", ""),
        "dbus_property" + TOLERANT: _declared("dbus_property", "i"),
        "add_method": _added("method", "name"),
        "add_property": _added("property", "name"),
        "add_signal": _added("signal", "name"),
        "introspection.Method": _now(lambda d, text: d.introspection.Method(text)),
        "introspection.Signal": _now(lambda d, text: d.introspection.Signal(text)),
        "introspection.Property": _now(lambda d, text: d.introspection.Property(text, "s")),
    },
    "error name": {
        **_field("error_name", signal=True),
        "new_error": _new_error,
        "DBusError": _now(lambda d, text: d.errors.DBusError(text, "text")),
        "a raised DBusError": _raised_error,
    },
    "signature": {
        "SignatureTree": _now(lambda d, text: d.signature.SignatureTree(text)),
        "Variant": lambda d, text: d.send(d.signal("v", [d.Variant(text, 1)])),
        "Variant, unverified": lambda d, text: d.send(
            d.signal("v", [d.Variant(text, 1, verify=False)])
        ),
        "a value of type g": lambda d, text: d.send(d.signal("g", [text])),
        **_field("signature"),
        "dbus_method": _annotated("dbus_method"),
        "dbus_signal": _annotated("dbus_signal"),
        "dbus_property": _annotated("dbus_property"),
        "add_method": _added("method", "signature"),
        "add_property": _added("property", "signature"),
        "add_signal": _added("signal", "signature"),
        "introspection.Arg": _now(lambda d, text: d.introspection.Arg(text)),
    },
    "text": {
        "a body": _body,
        "Variant": lambda d, text: d.send(d.signal("v", [d.Variant("s", text)])),
        "new_error": _new_error_text,
        "a raised DBusError": _raised_text,
    },
    "address": {
        "MessageBus": _connected,
        "MessageBus with peer": _connected_to_peer,
        "start_server": _server,
    },
    "XML": {
        "Node.parse": _now(lambda d, text: d.introspection.Node.parse(text)),
        "get_proxy_object": _now(lambda d, text: d.bus.get_proxy_object("a.b", "/a", text)),
    },
}


def _cases() -> Iterator[Case]:
    wrong = {**tables.WRONG, "XML": tuple(f"XML[{name!r}]" for name in tables.XML)}
    for kind, entries in ENTRIES.items():
        allowed = (*tables.OF_WRONG_TYPE, *LENIENT.get(kind, ()))
        for entry, attempt in entries.items():
            must = not entry.endswith(TOLERANT)
            name = entry.replace(TOLERANT, "")
            for source in wrong[kind] + tables.OF_WRONG_TYPE:
                yield asynchronous(
                    f"{kind} {source} to {name}",
                    lambda desk, attempt=attempt, source=source: attempt(
                        desk, desk.value_of(source)
                    ),
                    must and source not in allowed,
                )


CASES = tuple(_cases())
