# SPDX-License-Identifier: MIT
"""The tables of `aborts` on python-sdbus, where its documented API takes such things."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Callable

from cases import SDBUS, Case, Lost, Place, raised

from . import tables
from .bench import DAEMON


class Bus:
    """A connection, and its modules."""

    def __init__(self, place: Place) -> None:
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = place.bus.address
        import sdbus  # type: ignore[import-not-found]

        self.sdbus = sdbus
        self.bus = sdbus.sd_bus_open_user()

    def call(self, *fields: Any) -> Any:
        """A new call; without fields one of the bus daemon."""
        return self.bus.new_method_call_message(*(fields or (*DAEMON, "GetId")))

    def signal(self, *fields: Any) -> Any:
        """A new signal."""
        return self.bus.new_signal_message(*(fields or ("/a", "com.example.I", "S")))

    def settle(self) -> None:
        """The connection makes a call that succeeds."""
        if len(self.bus.call(self.call()).get_contents()) != 32:
            raise Lost("the next call has a wrong result")


Entry = Callable[[Bus, Any], object]


def _call(position: int) -> Entry:
    def attempt(bus: Bus, text: Any) -> object:
        fields: list[Any] = [*DAEMON, "GetId"]
        fields[position] = text
        return bus.bus.call(bus.call(*fields))

    return attempt


def _signal(position: int) -> Entry:
    def attempt(bus: Bus, text: Any) -> object:
        fields: list[Any] = ["/a", "a.b", "S"]
        fields[position] = text
        return bus.signal(*fields).send()

    return attempt


def _proxy(bus: Bus, *place: Any) -> object:
    return bus.sdbus.DbusInterfaceCommon(*place, bus.bus).dbus_ping()


def _valid(name: str) -> Entry:
    return lambda bus, text: getattr(bus.sdbus.sd_bus_internals, name)(text)


def _appended(bus: Bus, signature: Any, *values: Any) -> object:
    message = bus.signal()
    message.append_data(signature, *values)
    return message.send()


def _called(bus: Bus, signature: Any, *values: Any) -> object:
    message = bus.call()
    message.append_data(signature, *values)
    return bus.bus.call(message)


ENTRIES: dict[str, dict[str, Entry]] = {
    "bus name": {
        "is_service_name_valid": _valid("is_service_name_valid"),
        "new_method_call_message": _call(0),
        "request_name": lambda b, text: b.bus.request_name(text, 0),
        "a proxy": lambda b, text: _proxy(b, text, "/a"),
    },
    "path": {
        "is_object_path_valid": _valid("is_object_path_valid"),
        "new_method_call_message": _call(1),
        "new_signal_message": _signal(0),
        "a proxy": lambda b, text: _proxy(b, DAEMON[0], text),
        "emit_object_added": lambda b, text: b.bus.emit_object_added(text),
        "add_object_manager": lambda b, text: b.bus.add_object_manager(text),
    },
    "interface": {
        "is_interface_name_valid": _valid("is_interface_name_valid"),
        "new_method_call_message": _call(2),
        "new_signal_message": _signal(1),
    },
    "member": {
        "is_member_name_valid": _valid("is_member_name_valid"),
        "new_method_call_message": _call(3),
        "new_signal_message": _signal(2),
    },
    "signature": {
        "append_data": lambda b, text: _appended(b, text, 1),
        "a value of type g": lambda b, text: _appended(b, "g", text),
    },
    "text": {
        "append_data": lambda b, text: _appended(b, "s", text),
        "a call": lambda b, text: _called(b, "s", text),
    },
}
PLACES = {"append_data": _appended, "a call": _called}


def _case(name: str, attempt: Callable[[Bus], object]) -> Case:
    def run(place: Place) -> str:
        bus = Bus(place)
        seen = raised(lambda: attempt(bus), allowed=True)
        bus.settle()
        return seen

    return Case(f"sdbus: {name}", run, (SDBUS,))


def _cases() -> Iterator[Case]:
    for kind, entries in ENTRIES.items():
        for entry, attempt in entries.items():
            for source in tables.WRONG[kind] + tables.OF_WRONG_TYPE:
                yield _case(
                    f"{kind} {source} to {entry}",
                    lambda bus, a=attempt, source=source: a(bus, tables.value_of(source)),
                )
    for signature, source in tables.VALUES + tables.CONTAINERS:
        for place, append in PLACES.items():
            yield _case(
                f"{source} as {signature} to {place}",
                lambda bus, a=append, s=signature, source=source: a(
                    bus, s, tables.value_of(source)
                ),
            )


CASES = tuple(_cases())
