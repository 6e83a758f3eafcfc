# SPDX-License-Identifier: MIT
"""dbus.aio while memory is out (nomemory.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from cases import Lost

from .failing import LIBDBUS_ON, Action
from .messages import bodies
from .scene import (
    DAEMON,
    INTERFACE,
    PATH,
    PATIENCE,
    Scene,
    equal,
    returning,
    told_of_memory,
)


class Aio(NamedTuple):
    """A loop, and a bus on it."""

    scene: Scene
    loop: asyncio.AbstractEventLoop

    @classmethod
    def of(cls, scene: Scene) -> Aio:
        """A new one."""
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda loop, context: None)
        scene.place.stack.callback(loop.close)
        return cls(scene, loop)

    def run(self, main: Any) -> Any:
        """Run a coroutine; what it waits for comes in time."""

        async def limited() -> Any:
            try:
                return await asyncio.wait_for(main, PATIENCE)
            except asyncio.TimeoutError:
                raise Lost("nothing came") from None

        return self.loop.run_until_complete(limited())

    def bus(self) -> Any:
        """A bus that is connected."""
        from dbus.aio import MessageBus

        bus = self.run(MessageBus(self.scene.place.bus.address).connect())
        self.scene.place.stack.callback(bus.disconnect)
        return bus


def _ping(member: str = "GetId") -> Any:
    from dbus.aio import Message

    return Message(*DAEMON, member)


def aio_message(name: str) -> Callable[[Scene], Action]:
    """A message is made, written and read."""

    def operation(scene: Scene) -> Action:
        from dbus.aio import Message
        from dbus.aio.unpack import unpack_variants

        signature, values = bodies()[name]
        text, plain = _plain(signature, values)

        def run() -> Any:
            made = Message(None, "/a", "a.b", "C", signature=text, body=plain)
            return Message._from_bindings(made._to_bindings())

        def check(result: Any, error: BaseException | None) -> None:
            for message in (result, run()):
                if message is not None:
                    equal(unpack_variants(message.body), unpack_variants(plain))

        return Action(run, check)

    return operation


def _plain(signature: str, values: list[Any]) -> tuple[str, list[Any]]:
    """The same body as dbus.aio has it."""
    from dbus.aio import Message
    from dbus.lowlevel import SignalMessage

    message = SignalMessage("/a", "a.b", "C")
    message.append(*values, signature=signature)
    received = Message._from_bindings(message)
    return received.signature, received.body


def aio_call(member: str) -> Callable[[Scene], Action]:
    """A call is awaited."""

    def operation(scene: Scene) -> Action:
        aio = Aio.of(scene)
        bus = aio.bus()

        def run() -> Any:
            return aio.run(bus.call(_ping(member))).body

        return returning(run, run())

    return operation


def aio_send(scene: Scene) -> Action:
    """A signal is sent, and its being written is awaited."""
    from dbus.aio import Message, MessageType

    aio = Aio.of(scene)
    bus = aio.bus()

    async def send() -> None:
        await bus.send(Message(
            path=PATH, interface=INTERFACE, member="Said", message_type=MessageType.SIGNAL,
            signature="as", body=[["text"] * 20],
        ))  # fmt: skip

    def check(result: Any, error: BaseException | None) -> None:
        aio.run(send())
        equal(len(aio.run(bus.call(_ping())).body), 1)

    return Action(lambda: aio.run(send()), check)


def aio_connect(scene: Scene) -> Action:
    """A bus is connected, and disconnected."""
    from dbus.aio import MessageBus

    aio = Aio.of(scene)
    address = scene.place.bus.address
    bus = MessageBus(address)

    def run() -> None:
        aio.run(bus.connect())

    def check(result: Any, error: BaseException | None) -> None:
        nonlocal bus
        aio.run(bus.connect())
        equal(len(aio.run(bus.call(_ping())).body), 1)
        bus.disconnect()
        aio.run(bus.wait_for_disconnect())
        bus = MessageBus(address)

    return Action(run, check, everybody=True)


def aio_names(scene: Scene) -> Action:
    """A name is requested and given up."""
    aio = Aio.of(scene)
    bus = aio.bus()

    async def both() -> Any:
        return (await bus.request_name(INTERFACE)).value, (await bus.release_name(INTERFACE)).value

    return returning(lambda: aio.run(both()), (1, 1), lambda: aio.run(bus.release_name(INTERFACE)))


def _aio_service() -> Any:
    from dbus.aio.service import ServiceInterface, method, signal

    class Memory(ServiceInterface):
        def __init__(self) -> None:
            super().__init__(INTERFACE)

        @method()
        def Who(self, text: "s") -> "s":  # type: ignore[name-defined]  # noqa: F821
            return text

        @method()
        async def Later(self, text: "s") -> "s":  # type: ignore[name-defined]  # noqa: F821
            return text

        @signal()
        def Said(self) -> "s":  # type: ignore[name-defined]  # noqa: F821
            return "text"

    return Memory


def aio_export(scene: Scene) -> Action:
    """An interface is exported, and withdrawn."""
    aio = Aio.of(scene)
    bus = aio.bus()
    service = _aio_service()()

    def run() -> None:
        bus.export(PATH, service)

    def check(result: Any, error: BaseException | None) -> None:
        if error is not None:
            run()
        bus.unexport(PATH, service)

    return Action(run, check)


def aio_serve(member: str) -> Callable[[Scene], Action]:
    """An exported interface is called."""

    def operation(scene: Scene) -> Action:
        from dbus.aio import Message, MessageType

        aio = Aio.of(scene)
        bus, client = aio.bus(), aio.bus()
        bus.export(PATH, _aio_service()())

        async def call() -> Any:
            message = Message(
                bus.unique_name, PATH, INTERFACE, member, signature="s", body=["text"]
            )
            try:
                return await client.call(message, timeout=0.3)
            except asyncio.TimeoutError:
                if scene.mode is LIBDBUS_ON:  # nothing can be answered
                    return Message(
                        message_type=MessageType.ERROR, error_name="a.NoMemory", reply_serial=1
                    )
                raise

        def check(result: Any, error: BaseException | None) -> None:
            if error is None and result.body != ["text"]:
                told_of_memory(result.error_name, scene.mode)
            equal(aio.run(call()).body, ["text"])

        return Action(lambda: aio.run(call()), check)

    return operation


def aio_emit(scene: Scene) -> Action:
    """An exported interface emits a signal."""
    aio = Aio.of(scene)
    bus = aio.bus()
    service = _aio_service()()
    bus.export(PATH, service)

    def check(result: Any, error: BaseException | None) -> None:
        service.Said()
        equal(len(aio.run(bus.call(_ping())).body), 1)

    return Action(lambda: service.Said(), check)


XML = f"""<node><interface name="{INTERFACE}"><method name="Who"><arg type="s" direction="in"/>
<arg type="s" direction="out"/></method><signal name="Said"><arg type="s"/></signal></interface>
</node>"""


def aio_subscribe(scene: Scene) -> Action:
    """A handler of a proxy is told of a signal, from its subscription on."""
    aio = Aio.of(scene)
    bus, emitter = aio.bus(), aio.bus()
    service = _aio_service()()
    emitter.export(PATH, service)
    proxy = bus.get_proxy_object(emitter.unique_name, PATH, XML)
    interface = proxy.get_interface(INTERFACE)
    heard: list[str] = []

    def handler(text: str) -> None:
        heard.append(text)

    def run() -> None:
        interface.on_said(handler)

    async def hear() -> None:
        await bus.call(_ping())
        service.Said()
        await emitter.call(_ping())
        await bus.call(_ping())

    def check(result: Any, error: BaseException | None) -> None:
        if error is not None:
            run()
        aio.run(hear())
        equal(heard, ["text"])
        interface.off_said(handler)
        aio.run(hear())
        equal(heard, ["text"])
        heard.clear()

    return Action(run, check)


def aio_hear(scene: Scene) -> Action:
    """A signal arrives for a handler of a proxy."""
    aio = Aio.of(scene)
    bus, emitter = aio.bus(), aio.bus()
    service = _aio_service()()
    emitter.export(PATH, service)
    interface = bus.get_proxy_object(emitter.unique_name, PATH, XML).get_interface(INTERFACE)
    heard: list[str] = []

    def handler(text: str) -> None:
        heard.append(text)

    interface.on_said(handler)

    async def hear() -> None:
        service.Said()
        await emitter.call(_ping())
        await bus.call(_ping())

    aio.run(bus.call(_ping()))

    def check(result: Any, error: BaseException | None) -> None:
        heard.clear()
        aio.run(hear())
        equal(heard[-1:], ["text"])
        heard.clear()

    return Action(lambda: aio.run(hear()), check)


def aio_proxy(scene: Scene) -> Action:
    """An object is introspected, a proxy made, and a method called."""
    aio = Aio.of(scene)
    bus = aio.bus()

    async def whole() -> Any:
        node = await bus.introspect(DAEMON[0], DAEMON[1])
        made = bus.get_proxy_object(DAEMON[0], DAEMON[1], node).get_interface(DAEMON[2])
        return await made.call_name_has_owner(DAEMON[0])

    return returning(lambda: aio.run(whole()), True)
