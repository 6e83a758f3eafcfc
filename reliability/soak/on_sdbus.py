# SPDX-License-Identifier: MIT
"""Kinds of operations on python-sdbus."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import Any

from cases import Place

from . import awaited
from .kinds import BUS, PROBE, Kind


class Sdbus:
    """What the kinds share; it is made in the loop."""

    slot: Any

    def __init__(self, place: Place) -> None:
        import sdbus  # type: ignore[import-not-found]

        class Interface(sdbus.DbusInterfaceCommonAsync, interface_name=PROBE):  # type: ignore[misc, call-arg]
            @sdbus.dbus_method_async("a{sv}", "a{sv}", method_name="Echo")  # type: ignore[untyped-decorator]
            async def echo(self, value: Any) -> Any:
                return value

            @sdbus.dbus_signal_async("s", signal_name="Said")  # type: ignore[untyped-decorator]
            def said(self) -> str:
                raise NotImplementedError

        # It has no other way to name an address.
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = place.bus.address
        self.sdbus, self.Interface = sdbus, Interface
        self.one, self.two = sdbus.sd_bus_open_user(), sdbus.sd_bus_open_user()
        self.interface = Interface()
        self.heard = asyncio.Event()

    async def open(self) -> Sdbus:
        self.exported = self.interface.export_to_dbus("/service", self.one)
        await self.one.request_name_async(PROBE, 0)
        self.proxy = self.Interface.new_proxy(PROBE, "/service", self.two)
        return self

    async def ask(self, member: str, signature: str = "", *body: Any, of: Any = None) -> Any:
        bus = of or self.two
        msg = bus.new_method_call_message(*BUS, member)
        if signature:
            msg.append_data(signature, *body)
        return (await bus.call_async(msg)).get_contents()


async def failing_call(it: Sdbus) -> None:
    try:
        await it.ask("GetNameOwner", "s", "com.example.Nobody")
    except it.sdbus.DbusNameHasNoOwnerError:
        pass


async def service_call(it: Sdbus) -> None:
    await it.proxy.echo({"a": ("s", "text"), "b": ("u", 7)})


async def subscribed(it: Sdbus) -> None:
    it.slot = await it.two.match_signal_async(
        None, "/service", PROBE, "Said", lambda msg: it.heard.set()
    )


async def signal(it: Sdbus) -> None:
    it.heard.clear()
    it.interface.said.emit("text")
    await it.heard.wait()


async def subscription(it: Sdbus) -> None:
    await it.two.match_signal_async(None, "/service", PROBE, "Said", print)
    await it.ask("GetId")


async def export(it: Sdbus) -> None:
    handle = it.Interface().export_to_dbus("/own", it.one)
    handle.stop()
    await it.ask("GetId", of=it.one)


async def message(it: Sdbus) -> None:
    msg = it.two.new_signal_message("/a", "a.b", "C")
    msg.append_data("a{sv}as", {"a": ("s", "text")}, ["a", "b"])


async def connection(it: Sdbus) -> None:
    bus = it.sdbus.sd_bus_open_user()
    await it.ask("GetId", of=bus)
    bus.close()


KINDS = (
    Kind(awaited.call),
    Kind(failing_call),
    Kind(awaited.cancelled_call),
    Kind(service_call),
    Kind(signal, before=subscribed),
    Kind(subscription),
    Kind(export),
    Kind(message),
    Kind(connection, share=100),
)

soak = partial(awaited.soak, Sdbus)
