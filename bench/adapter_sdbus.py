# SPDX-License-Identifier: MIT
"""python-sdbus, on libsystemd's sd-bus."""

from __future__ import annotations

import os
from typing import Any, Callable, Optional

import sdbus  # type: ignore[import-not-found]
from adapter import (
    DAEMON,
    DAEMON_PATH,
    INTERFACE,
    PEER,
    SIGNAL,
    Work,
    blocking,
    path,
)
from adapter_asyncio import AsyncioAdapter
from payloads import PAYLOADS


class Service(sdbus.DbusInterfaceCommonAsync, interface_name=INTERFACE):  # type: ignore[misc, call-arg]
    """What is exported; no attribute that its memory would be counted with."""

    stop: Callable[[], None]

    @sdbus.dbus_method_async("s", "s", method_name="Echo")  # type: ignore[untyped-decorator]
    async def echo(self, text: str) -> str:
        return text

    @sdbus.dbus_method_async("ii", "i", method_name="Add")  # type: ignore[untyped-decorator]
    async def add(self, one: int, two: int) -> int:
        return one + two

    @sdbus.dbus_method_async(method_name="Done")  # type: ignore[untyped-decorator]
    async def done(self) -> None:
        type(self).stop()


class Sdbus(AsyncioAdapter):
    """See `Adapter`."""

    name = "sdbus"
    imports = bus_imports = "import sdbus"

    def __init__(self, address: str, peer: bool = False) -> None:
        super().__init__(address)
        self._kept: list[Any] = []
        # It has no other way to name an address; a peer greets as a bus does.
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = address
        self._bus = sdbus.sd_bus_open_user()

    def proxy_ping(self) -> Work:
        # Its blocking proxies, as they are the faster ones.
        daemon = sdbus.DbusInterfaceCommon(DAEMON, DAEMON_PATH, self._bus)
        return blocking(daemon.dbus_ping)

    def _ping(self) -> Any:
        return self._bus.new_method_call_message(DAEMON, DAEMON_PATH, PEER, "Ping")

    def call_ping(self) -> Work:
        call = self._bus.call
        return blocking(lambda: call(self._ping()))

    def in_flight(self, window: int) -> Work:
        call = self._bus.call_async
        return self.together(lambda: call(self._ping()), window)

    def echo(self, service: Optional[str], payload: str, byte_arrays: bool) -> Work:
        if payload.startswith("ay") and not byte_arrays:
            self._lacks("byte arrays as lists")
        signature, make, _ = PAYLOADS[payload]
        value, bus = make(_variant), self._bus

        def echo() -> None:
            message = bus.new_method_call_message(service or ":1.1", path(0), INTERFACE, "Echo")
            message.append_data(signature, value)
            assert bus.call(message).get_contents() is not None

        return blocking(echo)

    def subscribe(self, field: str, numbers: range) -> None:
        if field == "arg0":
            self._lacks("match rules with arguments")
        self.run(self._subscribe, field, numbers)

    async def _subscribe(self, field: str, numbers: range) -> None:
        handler = self._handle
        for number in numbers:
            where = None if field == "none" else path(number)
            slot = await self._bus.match_signal_async(None, where, INTERFACE, SIGNAL, handler)
            self._kept.append(slot)

    def _handle(self, message: Any) -> None:
        self.count(message.get_contents())

    def request_name(self, name: str) -> None:
        self.run(self._bus.request_name_async, name, 0)

    def export(self, numbers: range) -> None:
        Service.stop = self.done

        async def export() -> None:
            for number in numbers:
                service = Service()
                self._kept.append((service, service.export_to_dbus(path(number), self._bus)))

        self.run(export)

    def _builder(self, payload: str) -> Callable[[], Any]:
        signature, make, _ = PAYLOADS[payload]
        value = make(_variant)

        def build() -> Any:
            message = self._bus.new_signal_message(path(0), INTERFACE, SIGNAL)
            message.append_data(signature, value)
            message.seal()
            return message

        return build

    def build(self, payload: str) -> Work:
        return blocking(self._builder(payload))

    def parse(self, payload: str) -> Work:
        return blocking(self._builder(payload)().get_contents)


def _variant(code: str, value: Any) -> tuple[str, Any]:
    return (code, value)
