# SPDX-License-Identifier: MIT
"""What the tests of servedcall share: a service on a bus, and calls of it."""

from __future__ import annotations

from typing import Any

from busclients import run

from dbus.aio import Message, MessageBus
from dbus.aio.constants import MessageType
from dbus.aio.service import ServiceInterface


class Ask:
    """A service with its bus, and calls of it."""

    def __init__(self, service: MessageBus, client: MessageBus) -> None:
        self.service = service
        self.client = client

    async def message(self, member: str, signature: str = "", *body: Any, **fields: Any) -> Any:
        fields = {"interface": "a.b", "path": "/x", **fields}
        return await self.client.call(
            Message(
                self.service.unique_name,
                member=member,
                signature=signature,
                body=list(body),
                **fields,
            )
        )

    async def __call__(self, member: str, signature: str = "", *body: Any, **fields: Any) -> Any:
        """Signature and values of the reply, or the name of the error and its text."""
        reply = await self.message(member, signature, *body, **fields)
        if reply.message_type is MessageType.ERROR:
            return reply.error_name, *reply.body
        return reply.signature, *reply.body


def served(bus: Any, slow: bool, test: Any, *interfaces: ServiceInterface) -> None:
    """Run `test(ask)` with interfaces at /x; `slow`: C leaves them alone, as a handler looks on."""

    async def main() -> None:
        options: dict[str, Any] = {"bus_address": bus.address, "negotiate_unix_fd": True}
        async with MessageBus(**options) as service, MessageBus(**options) as client:
            if slow:
                service.add_message_handler(lambda _: None)
            for interface in interfaces:
                service.export("/x", interface)
            await test(Ask(service, client))

    run(main())
