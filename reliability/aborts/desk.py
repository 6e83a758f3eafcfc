# SPDX-License-Identifier: MIT
"""What the cases of `aborts` have to try things with: the API of dbus-fast, on asyncio."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
from collections.abc import Awaitable
from typing import Any, Callable, Optional

from cases import AIO, ASYNCIO, Case, Lost, NotOffered, Place, _testing, raised

from . import tables
from .bench import DAEMON

SECONDS = 20  # in which a thing must be over

# What a wrong input may end in; other exceptions say that something else has gone wrong.
NAMED = ("TypeError", "ValueError", "ArithmeticError", "LookupError", "RuntimeError")
NAMED += ("AttributeError", "DBusFastError", "OSError", "TimeoutError")
NAMED += ("NameError", "SyntaxError")  # of annotations that are no signatures


class Desk:
    """A connected bus, and one more once it is asked for."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.address = place.bus.address
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nowhere"  # no other than that
        message = place.module("message")
        self.Message: Any = message.Message
        self.constants: Any = place.module("constants")
        self.errors: Any = place.module("errors")
        self.introspection: Any = place.module("introspection")
        self.service: Any = place.module("service")
        self.signature: Any = place.module("signature")
        self.validators: Any = place.module("validators")
        self.MessageBus: Any = place.module("aio").MessageBus
        self.Variant: Any = self.signature.Variant
        self.used: list[Any] = []
        self.bus: Any = None

    async def connect(self, address: Optional[str] = None, **options: Any) -> Any:
        """One more connection."""
        made = await self.MessageBus(bus_address=address or self.address, **options).connect()
        if address is None:
            self.used.append(made)
        return made

    def own_bus(self) -> Any:
        """A bus that the case may break."""
        return self.place.stack.enter_context(_testing().PrivateBus())

    @staticmethod
    def need(owner: Any, name: str) -> Any:
        """An attribute that only one of the packages has."""
        if not hasattr(owner, name):
            raise NotOffered(f"there is no {name}")
        return getattr(owner, name)

    @staticmethod
    def takes(function: Any, keyword: str) -> None:
        """NotOffered unless the function has this parameter."""
        if keyword not in inspect.signature(function).parameters:
            raise NotOffered(f"there is no {keyword}")

    def value_of(self, source: str) -> Any:
        """What a table's source stands for."""

        def nested_variant(depth: int) -> Any:
            made = self.Variant("i", 1)
            for _ in range(depth - 1):
                made = self.Variant("v", made, verify=False)
            return made

        names = {"Variant": self.Variant, "nested_variant": nested_variant, "os": os}
        return tables.value_of(source, **names, constants=self.constants)

    def call(self, **others: Any) -> Any:
        """A new call to the bus daemon."""
        fields = {"destination": DAEMON[0], "path": DAEMON[1], "interface": DAEMON[2]}
        return self.Message(**{**fields, "member": "GetId", **others})

    def signal(self, signature: str = "", body: Optional[list[Any]] = None, **others: Any) -> Any:
        """A new signal."""
        kind = self.constants.MessageType.SIGNAL
        fields = {"path": "/a", "interface": "com.example.I", "member": "S", "message_type": kind}
        return self.Message(**{**fields, "signature": signature, "body": body or [], **others})

    async def send(self, message: Any) -> None:
        """Send what was made in spite of everything."""
        await self.bus.send(message)

    async def asked(self, bus: Any, message: Any) -> Any:
        """The reply to a call; an error is raised."""
        reply = await bus.call(message)
        if reply is not None and reply.message_type is self.constants.MessageType.ERROR:
            raise self.errors.DBusError(reply.error_name, str(reply.body))
        return reply

    async def serve(self, interface: Any, member: str = "M", **fields: Any) -> Any:
        """Export an interface at /a, and call a method of the object from another bus."""
        self.bus.export("/a", interface)
        caller = await self.connect()
        others = {"interface": "a.b", "destination": self.bus.unique_name, "path": "/a"}
        return await self.asked(caller, self.Message(member=member, **{**others, **fields}))

    def interface(self, decorator: Any, function: Callable[..., Any], result: str) -> Any:
        """A service with one member, which `decorator` makes of the function."""
        function.__annotations__ = {"return": result} if result else {}
        member = decorator(function)
        return type("Served", (self.service.ServiceInterface,), {"M": member})("a.b")

    async def settle(self) -> None:
        """Each connection that was used makes a call that succeeds."""
        for bus in self.used:
            reply = await self.asked(bus, self.call())
            if len(reply.body[0]) != 32:
                raise Lost("the next call has a wrong result")
        gc.collect()


Try = Callable[[Desk], Awaitable[object]]


async def in_time(awaitable: Awaitable[Any]) -> Any:
    """The result; Lost if that takes too long, which a time-out of the case's own does not mean."""
    task = asyncio.ensure_future(awaitable)
    await asyncio.wait({task}, timeout=SECONDS)
    if not task.done():
        raise Lost("it does not end")
    return task.result()


def asynchronous(
    name: str, attempt: Try, must: bool = True, sides: tuple[str, ...] = ASYNCIO
) -> Case:
    """A case: the attempt ends in an exception, which ours must raise, and all goes on."""

    async def main(place: Place) -> str:
        desk = Desk(place)
        desk.bus = await desk.connect()
        failure: Optional[Exception] = None
        result: object = None
        try:
            result = await in_time(attempt(desk))
        except (Lost, NotOffered):
            raise
        except Exception as error:
            failure = error

        def again() -> object:
            if failure is not None:
                raise failure
            return result

        ours = place.side == AIO
        seen = raised(again, NAMED if ours else (), allowed=not (ours and must))
        await in_time(desk.settle())
        for bus in desk.used:
            bus.disconnect()
        return seen

    return Case(f"asyncio: {name}", lambda place: place.run(main(place)), sides)
