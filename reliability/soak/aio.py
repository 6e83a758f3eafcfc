# SPDX-License-Identifier: MIT
"""Kinds of operations on dbus-fast's interface."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from cases import FAST, Place

from . import awaited
from .kinds import BUS, PROBE, Kind


class Asyncio:
    """What the kinds share; it is made in the loop."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.aio, self.message_module = place.module("aio"), place.module("message")
        self.service_module = place.module("service")
        self.Message = self.message_module.Message
        self.Variant = place.module("signature").Variant

    async def open(self) -> Asyncio:
        self.MessageBus = self.place.module(
            "aio.message_bus" if self.place.side == FAST else "aio"
        ).MessageBus
        self.one, self.two = await self.connect(), await self.connect()
        method, signal = (
            _member(self.service_module, "method"),
            _member(self.service_module, "signal"),
        )

        class Interface(self.service_module.ServiceInterface):  # type: ignore[misc,name-defined]
            def Echo(self, value: "a{sv}") -> "a{sv}":  # type: ignore[name-defined] # noqa: F722, F821
                return value

            def Said(self) -> "s":  # type: ignore[name-defined] # noqa: F821
                return "text"

            Echo = method()(Echo)
            Said = signal()(Said)

        self.Interface = Interface
        self.interface = Interface(PROBE)
        self.one.export("/service", self.interface)
        tree = await self.two.introspect(self.one.unique_name, "/service")
        self.proxy = self.two.get_proxy_object(
            self.one.unique_name, "/service", tree
        ).get_interface(PROBE)
        self.heard = asyncio.Event()
        return self

    async def connect(self) -> Any:
        return await self.MessageBus(bus_address=self.place.bus.address).connect()

    async def ask(self, member: str, signature: str = "", *body: Any, of: Any = None) -> Any:
        return await (of or self.two).call(
            self.Message(*BUS[:2], BUS[2], member, signature=signature, body=list(body))
        )


def _member(module: Any, name: str) -> Any:
    return getattr(module, f"dbus_{name}", None) or getattr(module, name)


async def failing_call(it: Asyncio) -> None:
    await it.ask("GetNameOwner", "s", "com.example.Nobody")


async def service_call(it: Asyncio) -> None:
    await it.proxy.call_echo({"a": it.Variant("s", "text"), "b": it.Variant("u", 7)})


async def subscribed(it: Asyncio) -> None:
    it.proxy.on_said(lambda _: it.heard.set())
    await it.ask("GetId")


async def signal(it: Asyncio) -> None:
    it.heard.clear()
    it.interface.Said()
    await it.heard.wait()


async def subscription(it: Asyncio) -> None:
    def hear(_: str) -> None:
        pass

    it.proxy.on_said(hear)
    it.proxy.off_said(hear)
    await it.ask("GetId")


async def export(it: Asyncio) -> None:
    own = it.Interface(PROBE + "2")
    it.one.export("/own", own)
    it.one.unexport("/own", own)
    await it.ask("GetId", of=it.one)  # what was told of it has been written


async def name(it: Asyncio) -> None:
    await it.one.request_name("com.example.Soaked")
    await it.one.release_name("com.example.Soaked")


async def message(it: Asyncio) -> None:
    body = [{"a": it.Variant("s", "text")}, ["a", "b"]]
    it.Message("a.b", "/a", "a.b", "C", signature="a{sv}as", body=body)


async def connection(it: Asyncio) -> None:
    bus = await it.connect()
    bus.disconnect()
    await bus.wait_for_disconnect()


KINDS = (
    Kind(awaited.call),
    Kind(failing_call),
    Kind(awaited.cancelled_call),
    Kind(service_call),
    Kind(signal, before=subscribed),
    Kind(subscription),
    Kind(export),
    Kind(name, share=2),
    Kind(message),
    Kind(connection, share=100),
)

soak = partial(awaited.soak, Asyncio)
