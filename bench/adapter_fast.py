# SPDX-License-Identifier: MIT
"""dbus.aio and dbus-fast, which have the same API."""

import io
from functools import partial
from importlib import import_module
from typing import Any, Callable, Optional

from adapter import (
    DAEMON,
    DAEMON_PATH,
    INTERFACE,
    PEER,
    SIGNAL,
    Work,
    arg0,
    blocking,
    path,
    portions,
)
from adapter_asyncio import AsyncioAdapter
from payloads import PAYLOADS

DAEMON_XML = f'<node><interface name="{PEER}"><method name="Ping"/></interface></node>'
SENDER_XML = f"""\
<node><interface name="{INTERFACE}">
  <signal name="{SIGNAL}"><arg name="text" type="s"/></signal>
</interface></node>"""


def service_class(package: str, done: Callable[[], None]) -> Any:
    """The class of what is exported; annotations are signatures, so they are not postponed here."""
    service = import_module(package + ".service")

    class Service(service.ServiceInterface):  # type: ignore[misc, name-defined]
        @service.method()  # type: ignore[untyped-decorator]
        def Echo(self, text: "s") -> "s":  # type: ignore[name-defined]  # noqa: F821
            return text

        @service.method()  # type: ignore[untyped-decorator]
        def Add(self, one: "i", two: "i") -> "i":  # type: ignore[name-defined]  # noqa: F821
            return one + two

        @service.method()
        def Done(self):  # type: ignore[no-untyped-def]
            done()

    return Service


class Fast(AsyncioAdapter):
    """See `Adapter`."""

    package = "dbus_fast"
    name = "dbus-fast"
    imports = "import dbus_fast"
    bus_imports = "from dbus_fast.aio import MessageBus"

    def __init__(self, address: str, peer: bool = False) -> None:
        super().__init__(address)
        self._api = import_module(self.package)
        self._kept: list[Any] = []
        self._bus = self.run(self._connect, address, peer)

    async def _connect(self, address: str, peer: bool) -> Any:
        # The peer greets as a bus does.
        return await import_module("dbus_fast.aio").MessageBus(address).connect()

    def close(self) -> None:
        self._bus.disconnect()
        self.run(self._bus.wait_for_disconnect)

    def _ping(self) -> Any:
        return self._api.Message(
            destination=DAEMON, path=DAEMON_PATH, interface=PEER, member="Ping"
        )

    def proxy_ping(self) -> Work:
        async def prepare() -> Any:
            proxy = self._bus.get_proxy_object(DAEMON, DAEMON_PATH, self._node(DAEMON_XML))
            return proxy.get_interface(PEER)

        return self.awaiting(self.run(prepare).call_ping)

    def _node(self, xml: str) -> Any:
        return import_module(self.package + ".introspection").Node.parse(xml)

    def call_ping(self) -> Work:
        call = self._bus.call
        return self.awaiting(lambda: call(self._ping()))

    def in_flight(self, window: int) -> Work:
        call = self._bus.call
        return self.together(lambda: call(self._ping()), window)

    def echo(self, service: Optional[str], payload: str, byte_arrays: bool) -> Work:
        if payload.startswith("ay") and not byte_arrays:
            self._lacks("byte arrays as lists")
        signature, make, _ = PAYLOADS[payload]
        body = [make(self._api.Variant)]
        Message, call = self._api.Message, self._bus.call
        failed = self._api.MessageType.ERROR

        async def echo() -> None:
            message = Message(
                destination=service,
                path=path(0),
                interface=INTERFACE,
                member="Echo",
                signature=signature,
                body=body,
            )
            reply = await call(message)
            assert reply.message_type is not failed and len(reply.body) == 1

        return self.awaiting(echo)

    # --- Signals

    def subscribe(self, field: str, numbers: range) -> None:
        if field == "path":
            for portion in portions(numbers):
                self.run(self._subscribe, portion)
        else:
            # Match rules with arguments are not in the API; a program sends them itself.
            if not numbers.start:
                self._bus.add_message_handler(self._handle)
            self.run(self._add_matches, field, numbers)

    async def _subscribe(self, numbers: range) -> None:
        node, handler = self._node(SENDER_XML), self.count
        for number in numbers:
            proxy = self._bus.get_proxy_object(self.sender, path(number), node)
            interface = proxy.get_interface(INTERFACE)
            interface.on_tick(handler)
            self._kept.append(interface)
        await self._bus.call(self._ping())  # answered after the rules have been added

    def _handle(self, message: Any) -> None:
        if message.member == SIGNAL:
            self.count(*message.body)

    async def _add_matches(self, field: str, numbers: range) -> None:
        head = f"type='signal',interface='{INTERFACE}',member='{SIGNAL}'"
        for number in numbers:
            rule = head if field == "none" else f"{head},arg0='{arg0(number)}'"
            message = self._api.Message(
                destination=DAEMON,
                path=DAEMON_PATH,
                interface=DAEMON,
                member="AddMatch",
                signature="s",
                body=[rule],
            )
            await self._bus.call(message)

    # --- A service

    def request_name(self, name: str) -> None:
        self.run(self._bus.request_name, name)

    def export(self, numbers: range) -> None:
        if not hasattr(self, "_service"):
            self._service = service_class(self.package, self.done)
        for portion in portions(numbers):
            for number in portion:
                self._bus.export(path(number), self._service(INTERFACE))
            self.call_ping()(1)

    # --- Bodies

    def _message(self, payload: str) -> Any:
        signature, make, _ = PAYLOADS[payload]
        body = [make(self._api.Variant)]
        message = self._api.Message.new_signal(path(0), INTERFACE, SIGNAL, signature, body)
        message.serial = 1
        return message

    def _builder(self, payload: str) -> Callable[[], Any]:
        return partial(self._message(payload)._marshall, False)

    def build(self, payload: str) -> Work:
        return blocking(self._builder(payload))

    def parse(self, payload: str) -> Work:
        unmarshaller = import_module("dbus_fast._private.unmarshaller").Unmarshaller
        built = self._builder(payload)()
        return blocking(lambda: unmarshaller(io.BytesIO(built)).unmarshall().body)


class Aio(Fast):
    """dbus.aio where it differs: its bodies are libdbus' messages, and it has peers."""

    package = "dbus.aio"
    name = "dbus.aio"
    imports = "import dbus.aio"
    bus_imports = "from dbus.aio import MessageBus"

    async def _connect(self, address: str, peer: bool) -> Any:
        return await import_module("dbus.aio").MessageBus(address, peer=peer).connect()

    def _builder(self, payload: str) -> Callable[[], Any]:
        built: Callable[[], Any] = self._message(payload)._to_bindings
        return built

    def parse(self, payload: str) -> Work:
        Message, built = self._api.Message, self._builder(payload)()
        return blocking(lambda: Message._from_bindings(built).body)
