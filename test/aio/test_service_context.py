# SPDX-License-Identifier: MIT
# ruff: noqa: F821
"""Who calls: `current_message` and `current_sender` in methods, getters and setters."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Callable

import pytest

from dbus.aio.constants import PropertyAccess
from dbus.aio.message import Message
from dbus.aio.message_bus import MessageBus
from dbus.aio.service import (
    ServiceInterface,
    current_message,
    current_sender,
    dbus_method,
    dbus_property,
    dbus_signal,
)
from dbus.aio.signature import Variant

PROPERTIES = "org.freedesktop.DBus.Properties"


class Curious(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("a.b")
        self.seen: list[Any] = []
        self.begun = asyncio.Semaphore(0)
        self.released = asyncio.Event()

    @dbus_method()
    def Who(self) -> "s":
        return current_sender() or ""

    @dbus_method()
    async def WhoLater(self, name: "s") -> "sss":
        before = current_message()
        self.begun.release()
        await self.released.wait()
        assert current_message() is before

        async def in_a_task() -> str:
            return current_message().body[0]

        return name, await asyncio.create_task(in_a_task()), current_sender() or ""

    @dbus_method()
    def Release(self) -> None:
        self.released.set()

    @dbus_method()
    def What(self) -> "sso":
        message = current_message()
        return message.interface, message.member, message.path

    @dbus_method()
    def Fail(self) -> None:
        raise KeyError(current_sender())

    @dbus_property()
    def Sender(self) -> "s":
        return current_sender() or ""

    @Sender.setter
    def Sender(self, value: "s") -> None:
        self.seen.append((value, current_sender(), current_message().member))

    @dbus_property()
    async def SenderLater(self) -> "s":
        await asyncio.sleep(0)
        return current_sender() or ""

    @SenderLater.setter
    async def SenderLater(self, value: "s") -> None:
        await asyncio.sleep(0)
        self.seen.append((value, current_sender(), current_message().member))

    @dbus_property(PropertyAccess.READ)
    def Quiet(self) -> "s":
        try:
            return current_sender() or ""
        except LookupError:
            self.seen.append("nobody asks")
            return "nobody"

    @dbus_signal()
    def Signal(self) -> "s":
        return current_sender() or ""


def serve(bus: Any, test: Callable[..., Coroutine[Any, Any, None]]) -> None:
    """Run `test(interface, ask)`, where `ask(client, ...)` is a call of the interface at /x."""

    async def serving() -> None:
        async with MessageBus(bus.address) as service:
            interface = Curious()
            service.export("/x", interface)

            async def ask(
                client: MessageBus,
                member: str,
                signature: str = "",
                *body: Any,
                interface: str = "a.b",
            ) -> Any:
                reply = await client.call(
                    Message(
                        service.unique_name,
                        "/x",
                        interface,
                        member,
                        signature=signature,
                        body=list(body),
                    )
                )
                assert reply is not None
                return reply.body

            async with MessageBus(bus.address) as one, MessageBus(bus.address) as two:
                await asyncio.wait_for(test(interface, ask, one, two), 30)

    asyncio.run(serving())


def test_outside_of_a_call() -> None:
    with pytest.raises(LookupError):
        current_message()
    with pytest.raises(LookupError):
        current_sender()


def test_methods(bus: Any) -> None:
    async def test(interface: Curious, ask: Any, one: MessageBus, two: MessageBus) -> None:
        for client in (one, two, one):
            assert await ask(client, "Who") == [client.unique_name]
        assert await ask(one, "What") == ["a.b", "What", "/x"]
        await ask(one, "Fail")
        with pytest.raises(LookupError):
            current_message()

    serve(bus, test)


def test_several_at_once(bus: Any) -> None:
    async def test(interface: Curious, ask: Any, one: MessageBus, two: MessageBus) -> None:
        callers = [one, two, two, one]
        calls = [
            asyncio.ensure_future(ask(client, "WhoLater", "s", str(number)))
            for number, client in enumerate(callers)
        ]
        for _ in calls:
            await interface.begun.acquire()
        assert await ask(one, "Who") == [one.unique_name]
        await ask(two, "Release")
        assert await asyncio.gather(*calls) == [
            [str(number), str(number), client.unique_name] for number, client in enumerate(callers)
        ]

    serve(bus, test)


def test_properties(bus: Any) -> None:
    async def test(interface: Curious, ask: Any, one: MessageBus, two: MessageBus) -> None:
        interface.seen.clear()
        for client in (one, two):
            name = client.unique_name
            mine = Variant("s", name)
            every = {"Sender": mine, "SenderLater": mine, "Quiet": mine}
            assert await ask(client, "GetAll", "s", "a.b", interface=PROPERTIES) == [every]
            for member in ("Sender", "SenderLater"):
                got = await ask(client, "Get", "ss", "a.b", member, interface=PROPERTIES)
                assert got == [mine]
                given = Variant("s", member)
                await ask(client, "Set", "ssv", "a.b", member, given, interface=PROPERTIES)
                assert interface.seen.pop() == (member, name, "Set")

    serve(bus, test)


def test_announcing_an_object_is_no_call(bus: Any) -> None:
    class Announced(ServiceInterface):
        seen: list[str] = []

        @dbus_property(PropertyAccess.READ)
        def Caller(self) -> "s":
            with pytest.raises(LookupError):
                current_message()
            self.seen.append("read")
            return ""

    async def announce() -> None:
        async with MessageBus(bus.address) as service:
            service.export("/x", Announced("a.b"))

    asyncio.run(announce())
    assert Announced.seen == ["read"]
