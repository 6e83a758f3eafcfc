# SPDX-License-Identifier: MIT
"""Texts that are no names, paths, signatures, rules or addresses, where each is taken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Callable

from cases import Case

from . import tables
from .bench import DAEMON, Bench, classic

Entry = Callable[[Bench, Any], object]

NAME, PATH, INTERFACE = DAEMON


def _receiver(**fields: Any) -> Entry:
    """A receiver of signals with a wrong field; the field's value is to be filled in."""
    (field,) = fields

    def attempt(bench: Bench, text: Any) -> object:
        return bench.looped.add_signal_receiver(print, **{field: text})

    return attempt


def _removal(field: str) -> Entry:
    def attempt(bench: Bench, text: Any) -> object:
        return bench.looped.remove_signal_receiver(print, **{field: text})

    return attempt


def _match(position: int) -> Entry:
    """A match that is made by hand: its sender, path, interface and member."""

    def attempt(bench: Bench, text: Any) -> object:
        conditions: list[Any] = [None] * 4
        conditions[position] = text
        return bench.dbus.connection.SignalMatch(bench.looped, *conditions, print)

    return attempt


def _call_blocking(position: int) -> Entry:
    def attempt(bench: Bench, text: Any) -> object:
        fields: list[Any] = [*DAEMON, "GetId", "", ()]
        fields[position] = text
        return bench.conn.call_blocking(*fields, timeout=5)

    return attempt


def _call_async(position: int) -> Entry:
    def attempt(bench: Bench, text: Any) -> object:
        fields: list[Any] = [*DAEMON, "GetId", "", ()]
        fields[position] = text
        return bench.call_async(*fields, timeout=5)

    return attempt


def _call_ignored(position: int) -> Entry:
    def attempt(bench: Bench, text: Any) -> object:
        fields: list[Any] = [*DAEMON, "GetId", "", ()]
        fields[position] = text
        return bench.looped.call_async(*fields, None, None)

    return attempt


def _call_message(position: int) -> Entry:
    def attempt(bench: Bench, text: Any) -> object:
        fields: list[Any] = [*DAEMON, "GetId"]
        fields[position] = text
        return bench.sent(bench.low.MethodCallMessage(*fields))

    return attempt


def _signal_message(position: int) -> Entry:
    def attempt(bench: Bench, text: Any) -> object:
        fields: list[Any] = ["/a", "a.b", "S"]
        fields[position] = text
        return bench.sent(bench.low.SignalMessage(*fields))

    return attempt


def _setter(name: str) -> Entry:
    return lambda bench, text: bench.set(name, text)


def _method_of(name: str) -> Entry:
    """A method of a bus connection that takes one text."""
    return lambda bench, text: getattr(bench.conn, name)(text)


def _asked(name: str, *others: Any) -> Entry:
    """A question to a message; `others` stand before the text."""
    return lambda bench, text: getattr(bench.signal(), name)(*others, text)


def _error_of_service(bench: Bench, name: Any) -> object:
    def fails(_self: object) -> None:
        error = bench.dbus.DBusException("text")
        error._dbus_error_name = name
        raise error

    return bench.serve(fails)


def _error_called_back(bench: Bench, name: Any) -> object:
    def fails(_self: object, done: Any, failed: Any) -> None:
        failed(bench.dbus.DBusException("text", name=name))

    return bench.serve(fails, async_callbacks=("done", "failed"))


def _error_text_of_service(bench: Bench, text: Any) -> object:
    def fails(_self: object) -> None:
        raise bench.dbus.DBusException(text, name="a.b")

    return bench.serve(fails)


def _error_message(bench: Bench, name: Any, text: Any) -> object:
    return bench.sent(bench.low.ErrorMessage(bench.called(), name, text))


def _path_of_method(bench: Bench, path: Any) -> object:
    return bench.serve(lambda _self: path, out_signature="o")


def _declared_method(bench: Bench, name: Any) -> object:
    def function(_self: object) -> None:
        """Nothing."""

    function.__name__ = name
    method = bench.dbus.service.method("a.b")(function)
    made = type("Served", (bench.dbus.service.Object,), {name: method})(bench.looped, "/a")
    unique = bench.looped.get_unique_name()
    return (
        bench.call_async(unique, "/a", "org.freedesktop.DBus.Introspectable", "Introspect", "", ())
        and made
    )


def _emitted(bench: Bench, interface: Any, name: Any) -> object:
    def function(_self: object) -> None:
        """Nothing."""

    function.__name__ = name
    signal = bench.dbus.service.signal(interface)(function)
    made = type("Served", (bench.dbus.service.Object,), {"S": signal})(bench.looped, "/a")
    made.S()
    return bench.looped.flush()


def _exported(bench: Bench, path: Any) -> object:
    return bench.dbus.service.Object(bench.looped, path)


def _exported_later(bench: Bench, path: Any) -> object:
    return bench.dbus.service.Object().add_to_connection(bench.looped, path)


def _own_path(bench: Bench, path: Any) -> object:
    thing = type("Thing", (), {"__dbus_object_path__": path})()
    return bench.append(None, thing)


def _listened(bench: Bench, address: Any) -> object:
    return bench.server(address)


def _environment(variable: str, kind: str) -> Entry:
    """The address of a bus that libdbus finds by itself."""

    def attempt(bench: Bench, address: Any) -> object:
        os.environ[variable] = address
        return getattr(bench.dbus, kind)(private=True)

    return attempt


# What only compares, forgets, or does not wait for an answer need not complain.
TOLERANT = "(tolerant)"

ENTRIES: dict[str, dict[str, Entry]] = {
    "bus name": {
        "validate_bus_name": lambda b, text: b.bindings.validate_bus_name(text),
        "MethodCallMessage": _call_message(0),
        "Message.set_destination": _setter("set_destination"),
        "Message.set_sender": _setter("set_sender"),
        "Message.has_destination" + TOLERANT: _asked("has_destination"),
        "Message.has_sender" + TOLERANT: _asked("has_sender"),
        "call_blocking": _call_blocking(0),
        "call_async": _call_async(0),
        "call_async without handlers": _call_ignored(0),
        "request_name": _method_of("request_name"),
        "release_name": _method_of("release_name"),
        "get_name_owner": _method_of("get_name_owner"),
        "name_has_owner" + TOLERANT: _method_of("name_has_owner"),
        "start_service_by_name": _method_of("start_service_by_name"),
        "activate_name_owner" + TOLERANT: _method_of("activate_name_owner"),
        "get_unix_user": _method_of("get_unix_user"),
        "watch_name_owner": lambda b, text: b.looped.watch_name_owner(text, print),
        "get_object": lambda b, text: b.conn.get_object(text, "/a"),
        "get_object, following": lambda b, text: b.looped.get_object(
            text, "/a", follow_name_owner_changes=True
        ),
        "ProxyObject": lambda b, text: b.dbus.proxies.ProxyObject(b.conn, text, "/a"),
        "BusName": lambda b, text: b.dbus.service.BusName(text, b.conn),
        "add_signal_receiver": _receiver(bus_name=...),
        "remove_signal_receiver" + TOLERANT: _removal("bus_name"),
        "SignalMatch": _match(0),
    },
    "path": {
        "validate_object_path": lambda b, text: b.bindings.validate_object_path(text),
        "ObjectPath": lambda b, text: b.dbus.ObjectPath(text),
        "MethodCallMessage": _call_message(1),
        "SignalMessage": _signal_message(0),
        "Message.set_path": _setter("set_path"),
        "Message.has_path" + TOLERANT: _asked("has_path"),
        "call_blocking": _call_blocking(1),
        "call_async": _call_async(1),
        "get_object": lambda b, text: b.conn.get_object(NAME, text),
        "ProxyObject": lambda b, text: b.dbus.proxies.ProxyObject(b.conn, NAME, text),
        "add_signal_receiver": _receiver(path=...),
        "remove_signal_receiver" + TOLERANT: _removal("path"),
        "SignalMatch": _match(1),
        "Object": _exported,
        "Object.add_to_connection": _exported_later,
        "FallbackObject": lambda b, text: b.dbus.service.FallbackObject(b.looped, text),
        "_register_object_path": lambda b, text: b.looped._register_object_path(text, print),
        "_unregister_object_path": lambda b, text: b.looped._unregister_object_path(text),
        "list_exported_child_objects": lambda b, text: b.looped.list_exported_child_objects(text),
        "__dbus_object_path__": _own_path,
        "a returned path": _path_of_method,
    },
    "interface": {
        "validate_interface_name": lambda b, text: b.bindings.validate_interface_name(text),
        "MethodCallMessage": _call_message(2),
        "SignalMessage": _signal_message(1),
        "Message.set_interface": _setter("set_interface"),
        "Message.has_interface" + TOLERANT: _asked("has_interface"),
        "Message.is_method_call" + TOLERANT: lambda b, text: b.call().is_method_call(text, "M"),
        "Message.is_signal" + TOLERANT: lambda b, text: b.signal().is_signal(text, "S"),
        "call_blocking": _call_blocking(2),
        "call_async": _call_async(2),
        "Interface": lambda b, text: b.dbus.Interface(b.proxy, text).GetId(),
        "get_dbus_method": lambda b, text: b.proxy.get_dbus_method("GetId", text)(),
        "a call's dbus_interface": lambda b, text: b.proxy.GetId(dbus_interface=text),
        "add_signal_receiver": _receiver(dbus_interface=...),
        "remove_signal_receiver" + TOLERANT: _removal("dbus_interface"),
        "SignalMatch": _match(2),
        "service.method": lambda b, text: b.dbus.service.method(text),
        "service.signal": lambda b, text: _emitted(b, text, "S"),
    },
    "member": {
        "validate_member_name": lambda b, text: b.bindings.validate_member_name(text),
        "MethodCallMessage": _call_message(3),
        "SignalMessage": _signal_message(2),
        "Message.set_member": _setter("set_member"),
        "Message.has_member" + TOLERANT: _asked("has_member"),
        "Message.is_method_call" + TOLERANT: _asked("is_method_call", "a.b"),
        "Message.is_signal" + TOLERANT: _asked("is_signal", "a.b"),
        "call_blocking": _call_blocking(3),
        "call_async": _call_async(3),
        "get_dbus_method": lambda b, text: b.proxy.get_dbus_method(text)(),
        "an attribute of a proxy": lambda b, text: getattr(b.proxy, text)(),
        "an attribute of Interface": lambda b, text: getattr(
            b.dbus.Interface(b.proxy, INTERFACE), text
        )(),
        "add_signal_receiver": _receiver(signal_name=...),
        "remove_signal_receiver" + TOLERANT: _removal("signal_name"),
        "connect_to_signal": lambda b, text: b.looped.get_object(
            *DAEMON[:2], introspect=False
        ).connect_to_signal(text, print),
        "SignalMatch": _match(3),
        "service.method" + TOLERANT: _declared_method,
        "service.signal": lambda b, text: _emitted(b, "a.b", text),
    },
    "error name": {
        "validate_error_name": lambda b, text: b.bindings.validate_error_name(text),
        "ErrorMessage": lambda b, text: _error_message(b, text, "text"),
        "Message.set_error_name": _setter("set_error_name"),
        "Message.is_error" + TOLERANT: _asked("is_error"),
        "DBusException in a method": _error_of_service,
        "DBusException to an error callback": _error_called_back,
    },
    "signature": {
        "Signature": lambda b, text: b.dbus.Signature(text),
        "Message.append": lambda b, text: b.append(text, 1),
        "a value of type g": lambda b, text: b.append("g", text),
        "call_blocking": lambda b, text: b.conn.call_blocking(*DAEMON, "GetId", text, (1,)),
        "call_async": lambda b, text: b.call_async(*DAEMON, "GetId", text, (1,)),
        "call_async without handlers": lambda b, text: b.looped.call_async(
            *DAEMON, "GetId", text, (1,), None, None
        ),
        "a call's signature": lambda b, text: b.proxy.GetId(1, signature=text),
        "Array": lambda b, text: b.append(None, b.dbus.Array([1], signature=text)),
        "Dictionary": lambda b, text: b.append(None, b.dbus.Dictionary({1: 1}, signature=text)),
        "Struct": lambda b, text: b.append(None, b.dbus.Struct((1,), signature=text)),
        "Message.has_signature" + TOLERANT: _asked("has_signature"),
        "service.method in_signature": lambda b, text: b.serve(
            lambda _self: None, in_signature=text
        ),
        "service.method out_signature": lambda b, text: b.serve(
            lambda _self: 1, out_signature=text
        ),
        "service.signal": lambda b, text: b.emit(text, 1),
    },
    "rule": {
        "add_match_string": _method_of("add_match_string"),
        "add_match_string_non_blocking" + TOLERANT: _method_of("add_match_string_non_blocking"),
        "remove_match_string": _method_of("remove_match_string"),
        "remove_match_string_non_blocking" + TOLERANT: _method_of(
            "remove_match_string_non_blocking"
        ),
    },
    "text": {
        "Message.append": lambda b, text: b.append("s", text),
        "Message.append, guessing" + TOLERANT: lambda b, text: b.append(None, text),
        "ErrorMessage": lambda b, text: _error_message(b, "a.b", text),
        "call_blocking": lambda b, text: b.conn.call_blocking(
            *DAEMON, "GetNameOwner", "s", (text,)
        ),
        "call_async": lambda b, text: b.call_async(*DAEMON, "GetNameOwner", "s", (text,)),
        "a proxy": lambda b, text: b.proxy.NameHasOwner(text),
        "a returned text": lambda b, text: b.serve(lambda _self: text, out_signature="s"),
        "a signal": lambda b, text: b.emit("s", text),
        "DBusException in a method": _error_text_of_service,
        "add_signal_receiver, arg0" + TOLERANT: _receiver(arg0=...),
        "add_signal_receiver, arg1path" + TOLERANT: _receiver(arg1path=...),
        "add_signal_receiver, arg0namespace" + TOLERANT: _receiver(arg0namespace=...),
    },
    "address": {
        "Connection": lambda b, text: b.dbus.connection.Connection(text),
        "Connection with a loop": lambda b, text: b.dbus.connection.Connection(
            text, mainloop=b.loop
        ),
        "BusConnection": lambda b, text: b.dbus.bus.BusConnection(text),
        "Server": _listened,
        # An empty one is none, and another is looked for.
        "SessionBus" + TOLERANT: _environment("DBUS_SESSION_BUS_ADDRESS", "SessionBus"),
        "SystemBus" + TOLERANT: _environment("DBUS_SYSTEM_BUS_ADDRESS", "SystemBus"),
        "StarterBus" + TOLERANT: _environment("DBUS_STARTER_ADDRESS", "StarterBus"),
    },
}


def _cases() -> Iterator[Case]:
    for kind, entries in ENTRIES.items():
        for entry, attempt in entries.items():
            must = not entry.endswith(TOLERANT)
            name = entry.replace(TOLERANT, "")
            for source in tables.WRONG[kind] + tables.OF_WRONG_TYPE:
                strict = must and source not in tables.OF_WRONG_TYPE
                yield classic(
                    f"{kind} {source} to {name}",
                    lambda bench, attempt=attempt, source=source: attempt(
                        bench, bench.value_of(source)
                    ),
                    strict,
                )


CASES = tuple(_cases())
