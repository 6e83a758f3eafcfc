# SPDX-License-Identifier: MIT
"""A client and a service on a bus, for the tests of proxies; the service is played by hand.

::

    async def body(pair: Pair) -> None:
        pair.answers["Echo"] = ("s", ["hello"])
        ...

    run(bus.address, body)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Callable, Optional

from api import REFERENCE, api, api_module

Message = api.Message
MessageType = api.MessageType
MessageBus: Any = api_module("aio.message_bus" if REFERENCE else "message_bus").MessageBus
proxy_object = api_module("aio.proxy_object" if REFERENCE else "proxy_object")
introspection = api_module("introspection")

NAME = "test.Service"
PATH = "/test/object"
INTERFACE = "test.Interface"
_SYNC = "test.Sync"
_DAEMON = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
TIMEOUT = 30.0


class Pair:
    """The buses ``client`` and ``service``; the latter has the name NAME and answers by hand.

    ``answers`` has for a member what to answer: a signature and a body (and descriptors), or a
    function of the call that returns the reply, or True for no reply.  What is not there is an
    unknown method.  ``calls`` are the calls that came.
    """

    def __init__(self, client: Any, service: Any) -> None:
        self.client = client
        self.service = service
        self.answers: dict[str, Any] = {}
        self.calls: list[Any] = []
        #: What went to the exception handler of the loop.
        self.failures: list[dict[str, Any]] = []
        service.add_message_handler(self._answer)

    def _answer(self, message: Any) -> Any:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        if message.interface == _SYNC:
            return Message.new_method_return(message)
        self.calls.append(message)
        answer = self.answers.get(message.member)
        if isinstance(answer, tuple):
            return Message.new_method_return(message, *answer)
        if answer is None:
            return Message.new_error(message, "test.Error.Unknown", message.member)
        return answer if answer is True else answer(message)

    def interface(
        self, members: str, name: str = INTERFACE, path: str = PATH, bus_name: str = NAME
    ) -> Any:
        """The proxy of an interface with these members, as introspection data has them."""
        data = f'<node><interface name="{name}">{members}</interface></node>'
        return self.client.get_proxy_object(bus_name, path, data).get_interface(name)

    async def settle(self) -> None:
        """Return when what client and service have sent so far has arrived at the other."""
        await self.client.call(Message(self.service.unique_name, PATH, _SYNC, "Sync"))

    async def emit(
        self,
        member: str,
        signature: str = "",
        body: Optional[list[Any]] = None,
        *,
        unix_fds: Optional[list[int]] = None,
        interface: str = INTERFACE,
        path: str = PATH,
        sender: Any = None,
    ) -> None:
        """Send a signal from the service (or the bus ``sender``); return when it has arrived."""
        signal = Message.new_signal(path, interface, member, signature, body or [], unix_fds or [])
        sender = sender or self.service
        await self.settle()
        await sender.send(signal)
        await sender.call(Message(*_DAEMON, "GetId"))
        await self.settle()


def run(address: str, body: Callable[[Pair], Awaitable[None]], **options: Any) -> None:
    """Run ``body`` with a pair on the bus at ``address``; ``options`` are of both connections."""

    async def main() -> None:
        client = await MessageBus(bus_address=address, **options).connect()
        service = await MessageBus(bus_address=address, **options).connect()
        await service.request_name(NAME)
        pair = Pair(client, service)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: pair.failures.append(context))
        try:
            await asyncio.wait_for(body(pair), TIMEOUT)
        finally:
            client.disconnect()
            service.disconnect()

    asyncio.run(main())


def run_client(address: str, body: Callable[[Any], Awaitable[None]]) -> None:
    """Run ``body`` with one connection to the bus at ``address``."""

    async def main() -> None:
        client = await MessageBus(bus_address=address).connect()
        try:
            await asyncio.wait_for(body(client), TIMEOUT)
        finally:
            client.disconnect()

    asyncio.run(main())
