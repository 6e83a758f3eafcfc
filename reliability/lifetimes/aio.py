# SPDX-License-Identifier: MIT
"""Buses on asyncio, with what they can hold, ended in every way; exceptions in their callbacks."""

from __future__ import annotations

import asyncio
import gc
import os
import weakref
from functools import partial
from typing import Any, Callable

from cases import ASYNCIO, Case, Lost, Place

PROBE = "com.example.Probe"
BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
PATIENCE = 15


class Marker:
    """What must be gone when all is gone."""


class Scene:
    """The side's modules, and the bus that checks."""

    def __init__(self, place: Place) -> None:
        self.place = place
        where = "aio" if place.side == "dbus.aio" else "aio.message_bus"
        # Of a class in Python, which has attributes and weak references on every side.
        self.MessageBus = type("Bus", (place.module(where).MessageBus,), {})
        self.Message = place.module("message").Message
        self.Type = place.module("constants").MessageType
        self.service = place.module("service")

    def member(self, name: str) -> Any:
        return getattr(self.service, f"dbus_{name}", None) or getattr(self.service, name)

    async def connect(self) -> Any:
        return await self.MessageBus(bus_address=self.place.bus.address).connect()

    def call(self, bus: Any, member: str = "GetId", name: str = BUS[0]) -> Any:
        interface = BUS[2] if name == BUS[0] else PROBE
        return bus.call(self.Message(name, BUS[1], interface, member))

    async def check(self) -> None:
        bus = await self.connect()
        reply = await asyncio.wait_for(self.call(bus), PATIENCE)
        if len(reply.body[0]) != 32:
            raise Lost("a call afterwards does not bring what it should")
        bus.disconnect()
        await bus.wait_for_disconnect()

    def interface(self, marker: Any, act: Callable[[], object] = lambda: None) -> Any:
        """An interface whose method does that."""

        def Act(self):  # type: ignore[no-untyped-def]
            act()

        def Said(self) -> "s":  # type: ignore # noqa: F821
            return "text"

        made = type(
            "Interface",
            (self.service.ServiceInterface,),
            {"Act": self.member("method")()(Act), "Said": self.member("signal")()(Said)},
        )(PROBE)
        made.marker = marker
        return made


# --- What a bus holds


async def alone(scene: Scene, bus: Any, marker: Marker) -> Any:
    bus.marker = marker


async def handler(scene: Scene, bus: Any, marker: Marker) -> Any:
    bus.add_message_handler(lambda _: marker and None)


async def exported(scene: Scene, bus: Any, marker: Marker) -> Any:
    made = scene.interface(marker)
    bus.export("/x", made)
    return made


async def subscribed(scene: Scene, bus: Any, marker: Marker) -> Any:
    tree = await bus.introspect(*BUS[:2])
    proxy = bus.get_proxy_object(*BUS[:2], tree).get_interface(BUS[2])
    proxy.on_name_acquired(lambda _: marker and None)
    return proxy


async def in_flight(scene: Scene, bus: Any, marker: Marker) -> Any:
    bus.add_message_handler(lambda message: message.member == "Silent" and bool(marker))
    task = asyncio.ensure_future(scene.call(bus, "Silent", bus.unique_name))
    await scene.call(bus)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


async def cancelled(scene: Scene, bus: Any, marker: Marker) -> Any:
    task = await in_flight(scene, bus, marker)
    task.cancel()
    await asyncio.wait([task])


async def named(scene: Scene, bus: Any, marker: Marker) -> Any:
    bus.marker = marker
    await bus.request_name("com.example.Held")


HELD = {
    "a bus": alone,
    "a message handler": handler,
    "an exported interface": exported,
    "a subscribed proxy": subscribed,
    "a call in flight": in_flight,
    "a cancelled call": cancelled,
    "a name": named,
}

# --- How it ends


async def disconnected(scene: Scene, bus: Any) -> None:
    bus.disconnect()


async def waited_for(scene: Scene, bus: Any) -> None:
    bus.disconnect()
    await bus.wait_for_disconnect()


async def in_a_cycle(scene: Scene, bus: Any) -> None:
    bus.cycle = bus
    bus.disconnect()


async def in_a_handler(scene: Scene, bus: Any) -> None:
    bus.add_message_handler(lambda _: bus.disconnect())
    other = await scene.connect()
    await other.send(scene.Message(bus.unique_name, "/", PROBE, "Bye"))
    await asyncio.wait_for(bus.wait_for_disconnect(), PATIENCE)
    await waited_for(scene, other)


async def in_a_task(scene: Scene, bus: Any) -> None:
    async def leave() -> None:
        await scene.call(bus)
        bus.disconnect()

    await asyncio.ensure_future(leave())


async def left(scene: Scene, bus: Any) -> None:
    """The end of the loop is that of the bus."""


ENDS = {
    "disconnected": disconnected,
    "disconnected, and that awaited": waited_for,
    "disconnected, in a cycle": in_a_cycle,
    "disconnected in a handler": in_a_handler,
    "disconnected in a task": in_a_task,
    "left to the end of the loop": left,
}


async def _once(scene: Scene, held: str, end: str, refs: dict[str, weakref.ref[Any]]) -> None:
    marker = Marker()
    bus = await scene.connect()
    made = await HELD[held](scene, bus, marker)
    refs.update(marker=weakref.ref(marker), bus=weakref.ref(bus))
    await ENDS[end](scene, bus)
    del made


def _collected(held: str, end: str, place: Place) -> str:
    scene = Scene(place)
    seen = []
    for _ in range(3):
        refs: dict[str, weakref.ref[Any]] = {}
        place.run(_once(scene, held, end, refs))
        gc.collect()
        still = [name for name, ref in refs.items() if ref() is not None]
        if still:
            raise Lost(f"not collected: {', '.join(still)}")
        seen.append(len(os.listdir("/proc/self/fd")))
    if seen[1] < seen[2]:
        raise Lost(f"{seen[1]} descriptors became {seen[2]}")
    place.run(scene.check())
    return "collected"


# --- Exceptions


async def _prepare_handler(scene: Scene, bus: Any, fail: Callable[..., Any]) -> None:
    bus.add_message_handler(lambda message: message.member == "Act" and fail())


async def _prepare_method(scene: Scene, bus: Any, fail: Callable[..., Any]) -> None:
    bus.export(BUS[1], scene.interface(None, fail))


async def _prepare_signal(scene: Scene, bus: Any, fail: Callable[..., Any]) -> None:
    other = await scene.connect()
    interface = scene.interface(None)
    other.export("/x", interface)
    tree = await bus.introspect(other.unique_name, "/x")
    bus.get_proxy_object(other.unique_name, "/x", tree).get_interface(PROBE).on_said(
        lambda text: fail()
    )
    await scene.call(bus)
    interface.Said()


async def _prepare_callback(scene: Scene, bus: Any, fail: Callable[..., Any]) -> None:
    asyncio.ensure_future(scene.call(bus)).add_done_callback(lambda _: fail())


async def _prepare_task(scene: Scene, bus: Any, fail: Callable[..., Any]) -> None:
    async def work() -> None:
        await scene.call(bus)
        fail()

    scene.kept = asyncio.ensure_future(work())  # type: ignore[attr-defined]


CALLBACKS = {
    "a message handler": _prepare_handler,
    "a method": _prepare_method,
    "a signal handler": _prepare_signal,
    "a done callback": _prepare_callback,
    "a task": _prepare_task,
}
EXCEPTIONS: dict[str, Callable[[], BaseException]] = {
    "ValueError": lambda: ValueError("wanted"),
    "SystemExit": lambda: SystemExit(7),
    "KeyboardInterrupt": KeyboardInterrupt,
    "CancelledError": asyncio.CancelledError,
}


def _raising(callback: str, exception: str, place: Place) -> str:
    """Afterwards the same bus is of use, in the same loop or, if that was left, in its next run."""
    scene = Scene(place)
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    raised: list[int] = []
    bus: list[Any] = []

    def fail() -> None:
        if not raised:
            raised.append(1)
            raise EXCEPTIONS[exception]()

    async def begin() -> None:
        bus.append(await scene.connect())
        bus.append(await scene.connect())
        await CALLBACKS[callback](scene, bus[0], fail)
        if not raised:
            await bus[1].send(scene.Message(bus[0].unique_name, BUS[1], PROBE, "Act"))

    async def wait() -> None:
        while not raised:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0)

    seen = "told, and all goes on"
    try:
        loop.run_until_complete(asyncio.wait_for(begin(), PATIENCE))
        loop.run_until_complete(asyncio.wait_for(wait(), PATIENCE))
    except BaseException as error:
        if type(error).__name__ != exception or exception not in (
            "SystemExit",
            "KeyboardInterrupt",
        ):
            raise Lost(f"{type(error).__name__} left the loop") from error
        seen = f"{exception} leaves the loop, which can go on"

    async def after() -> None:
        for one in bus:
            await scene.call(one)

    # A run that is left where its coroutine has just ended leaves asyncio's stop() to the next.
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.run_until_complete(asyncio.wait_for(after(), PATIENCE))
    loop.close()
    return seen


CASES = (
    *(
        Case(f"asyncio bus: {held}, {end}", partial(_collected, held, end), ASYNCIO)
        for held in HELD
        for end in ENDS
    ),
    *(
        Case(
            f"asyncio bus: {exception} in {callback}",
            partial(_raising, callback, exception),
            ASYNCIO,
        )
        for callback in CALLBACKS
        for exception in EXCEPTIONS
    ),
)
