# SPDX-License-Identifier: MIT
"""What the tests of the connection share: clients of a test's bus, and what they send."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Callable

from api import api, api_module

MessageBus = api_module(
    "aio.message_bus" if api.__name__ == "dbus_fast" else "message_bus"
).MessageBus
auth = api_module("auth")
errors = api_module("errors")
Message, MessageFlag, MessageType = api.Message, api.MessageFlag, api.MessageType
NameFlag, RequestNameReply, ReleaseNameReply = (
    api.NameFlag,
    api.RequestNameReply,
    api.ReleaseNameReply,
)
CALL, RETURN = MessageType.METHOD_CALL, MessageType.METHOD_RETURN
ERROR, SIGNAL = MessageType.ERROR, MessageType.SIGNAL

DAEMON = "org.freedesktop.DBus"
DAEMON_PATH = "/org/freedesktop/DBus"
TIMEOUT = 20


def run(main: Coroutine[Any, Any, Any]) -> None:
    """Run a test's coroutine, which may not hang."""

    async def limited() -> None:
        await asyncio.wait_for(main, TIMEOUT)

    asyncio.run(limited())


def ping(**others: Any) -> Any:
    return Message(DAEMON, DAEMON_PATH, "org.freedesktop.DBus.Peer", "Ping", **others)


def call_to(bus: Any, member: str = "M", **others: Any) -> Any:
    return Message(bus.unique_name, "/an/object", "an.Interface", member, **others)


class Arrivals:
    """A message handler that keeps what comes, and gives it away in order."""

    def __init__(self, result: Any = None) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()
        self.result = result

    def __call__(self, msg: Any) -> Any:
        self.queue.put_nowait(msg)
        return self.result

    async def member(self, name: str) -> Any:
        """The next message with this member."""
        while True:
            msg = await self.queue.get()
            if msg.member == name:
                return msg


async def two(bus: Any, **options: Any) -> tuple[Any, Any]:
    return (
        await MessageBus(bus.address, **options).connect(),
        await MessageBus(bus.address, **options).connect(),
    )


def with_two(
    bus: Any, test: Callable[[Any, Any], Coroutine[Any, Any, None]], **options: Any
) -> None:
    async def main() -> None:
        server, client = await two(bus, **options)
        try:
            await test(server, client)
        finally:
            client.disconnect()
            server.disconnect()

    run(main())
