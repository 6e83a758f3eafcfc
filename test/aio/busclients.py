# SPDX-License-Identifier: MIT
"""What the tests of connections share: loops to run on, and messages to send."""

from __future__ import annotations

import asyncio
from typing import Any, Callable, Coroutine

import pytest

from dbus.aio import Message, MessageBus
from dbus.aio._subscriptions import Subscription

try:
    import uvloop
except ImportError:
    uvloop = None

LIMIT = 30  # seconds until a test that waits in vain fails
DAEMON = "org.freedesktop.DBus"

LOOPS: list[Any] = [
    pytest.param(asyncio.new_event_loop, id="asyncio"),
    pytest.param(
        lambda: uvloop.new_event_loop(),
        id="uvloop",
        marks=pytest.mark.skipif(uvloop is None, reason="uvloop is not installed"),
    ),
]

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def run_in(make_loop: Callable[[], asyncio.AbstractEventLoop], main: Any) -> Any:
    """Run a coroutine in a new loop and end as asyncio.run() does; a report of the loop's exception
    handler fails the test."""
    reports: list[Any] = []

    async def guarded() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        return await asyncio.wait_for(main, LIMIT)

    loop = make_loop()
    try:
        result = loop.run_until_complete(guarded())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
    assert reports == []
    return result


def run(main: Any) -> Any:
    """The same on an asyncio loop."""
    return run_in(asyncio.new_event_loop, main)


def ping(**others: Any) -> Message:
    return Message(DAEMON, "/org/freedesktop/DBus", "org.freedesktop.DBus.Peer", "Ping", **others)


def call_to(bus: Any, member: str = "M", **others: Any) -> Message:
    return Message(bus.unique_name, "/an/object", "an.Interface", member, **others)


def signal_of(member: str = "S", signature: str = "", *body: Any, path: str = "/") -> Message:
    return Message.new_signal(path, "an.Interface", member, signature, list(body))


async def settled(bus: MessageBus) -> None:
    """Everything sent before on this bus has come back or been refused."""
    await bus.call(ping())


async def goes_on(*waiting: asyncio.Future[Any]) -> None:
    """The loop has turned many times, and nothing of this was done meanwhile."""
    for _ in range(50):
        await asyncio.sleep(0.001)
    assert not any(future.done() for future in waiting)


class CallbackSubscription(Subscription):
    """A function of a signal's message, which says False of one that it does not take."""

    __slots__ = ("_bus",)

    def __init__(
        self, bus: MessageBus, callback: Callable[[Message], object], **place: Any
    ) -> None:
        place = {"sender": None, "path": None, "interface": None, "member": None, **place}
        super().__init__(**place)
        self._bus = bus
        self._handler = callback

    @property
    def ready(self) -> asyncio.Future[None]:
        return self._bus._subscriptions.ready(self)

    def cancel(self) -> None:
        self._bus._subscriptions.remove(self)

    def _deliver(self, message: Message) -> bool:
        return self._handler(message) is not False

    def _failed(self, error: Exception) -> None:
        self._bus._report("Exception in a signal handler", error)


def subscribe(
    bus: MessageBus, callback: Callable[[Message], object], **place: Any
) -> CallbackSubscription:
    """Have a function called with the signals that fit: sender, path, interface, member."""
    subscription = CallbackSubscription(bus, callback, **place)
    bus._subscriptions.add(subscription)
    return subscription
