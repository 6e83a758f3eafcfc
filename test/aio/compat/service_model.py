# SPDX-License-Identifier: MIT
"""A service and a client, each with a connection of its own, of the implementation under test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Callable, Optional
from xml.etree.ElementTree import tostring

from api import REFERENCE, api, api_module

MessageBus = api_module("aio" if REFERENCE else "message_bus").MessageBus
Message, MessageType = api.Message, api.MessageType

DBUS = "org.freedesktop.DBus"
PROPERTIES = DBUS + ".Properties"
MANAGER = DBUS + ".ObjectManager"
SERVICE_ERROR = api.ErrorType.SERVICE_ERROR.value
RAISED = "The service interface raised an error: "


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine; whatever hangs fails."""

    async def limited() -> None:
        await asyncio.wait_for(coroutine, 30)

    asyncio.run(limited())


def xml(interface: Any) -> str:
    """The introspection data of an interface, without its own element."""
    return "".join(tostring(child).decode() for child in interface.introspect().to_xml())


class Pair:
    """The two connections; `service` is where to export, `signals` what the client has heard."""

    def __init__(self, service: Any, client: Any) -> None:
        self.service = service
        self.client = client
        self.signals: list[Any] = []
        self._heard: list[tuple[int, asyncio.Future[None]]] = []

    def to_send(
        self,
        member: str,
        signature: str = "",
        *body: Any,
        interface: Optional[str] = "a.b",
        path: str = "/x",
        **fields: Any,
    ) -> Any:
        """A call of the service."""
        name = self.service.unique_name
        return Message(
            name, path, interface, member, signature=signature, body=list(body), **fields
        )

    async def send(self, *args: Any, **fields: Any) -> None:
        """Send a call, whose reply nobody waits for."""
        await self.client.send(self.to_send(*args, **fields))

    async def message(self, *args: Any, **fields: Any) -> Any:
        """The reply to one call of the service."""
        return await self.client.call(self.to_send(*args, **fields))

    async def call(self, member: str, signature: str = "", *body: Any, **fields: Any) -> Any:
        """The reply's values, or its error name and text."""
        reply = await self.message(member, signature, *body, **fields)
        if reply.message_type is MessageType.ERROR:
            return reply.error_name, reply.body[0]
        return reply.body

    async def property(self, member: str, signature: str, *body: Any, **fields: Any) -> Any:
        """The same for the interface of properties."""
        return await self.call(member, signature, *body, interface=PROPERTIES, **fields)

    async def listen(self) -> None:
        """Collect all signals of the service from now on."""
        # The bus has passed on what was sent before this call is answered.
        await self.call("Ping", interface=DBUS + ".Peer")

        def heard(message: Any) -> None:
            if (
                message.message_type is MessageType.SIGNAL
                and message.sender == self.service.unique_name
            ):
                self.signals.append(message)

        self.client.add_message_handler(heard)
        rule = f"type='signal',sender='{self.service.unique_name}'"
        reply = await self.client.call(
            Message(
                DBUS, "/" + DBUS.replace(".", "/"), DBUS, "AddMatch", signature="s", body=[rule]
            )
        )
        assert reply.message_type is MessageType.METHOD_RETURN

    async def heard(self) -> list[Any]:
        """The signals since the last time: path, interface, member, signature and values of each.

        What the service has sent before comes before the reply to this call of it.
        """
        await self.call("Ping", interface=DBUS + ".Peer")
        signals, self.signals = self.signals, []
        return [
            (signal.path, signal.interface, signal.member, signal.signature, signal.body)
            for signal in signals
        ]


@asynccontextmanager
async def connected(address: str, **options: Any) -> AsyncIterator[Pair]:
    """A service and a client on the bus at ``address``."""
    service = await MessageBus(bus_address=address, **options).connect()
    client = await MessageBus(bus_address=address, **options).connect()
    try:
        yield Pair(service, client)
    finally:
        for one in (service, client):
            one.disconnect()


def on_bus(bus: Any, test: Callable[[Pair], Coroutine[Any, Any, None]], **options: Any) -> None:
    """Run a test that needs a service and a client."""

    async def connect_and_test() -> None:
        async with connected(bus.address, **options) as pair:
            await test(pair)

    run(connect_and_test())
