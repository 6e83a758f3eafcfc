# SPDX-License-Identifier: MIT
# ruff: noqa: F722, F821
"""What the bus does with calls, where dbus-fast loses the connection, hangs or leaks."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import warnings
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Callable

import pytest

from dbus.aio._exports import Exports
from dbus.aio.constants import ErrorType, MessageFlag, MessageType, PropertyAccess
from dbus.aio.errors import DBusError
from dbus.aio.message import Message
from dbus.aio.message_bus import MessageBus
from dbus.aio.service import ServiceInterface, dbus_method, dbus_property
from dbus.aio.signature import Variant

PROPERTIES = "org.freedesktop.DBus.Properties"


class FakeBus:
    """As much of a MessageBus as exports need."""

    connected = True

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.tasks: list[asyncio.Task[Any]] = []

    def _post(self, message: Message) -> None:
        self.sent.append(message)

    def _spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(coroutine)
        self.tasks.append(task)
        return task


class Awkward(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("a.b")
        self.begun = asyncio.Event()
        self.ended: list[str] = []

    @dbus_method()
    def Echo(self, a: "s") -> "s":
        return a

    @dbus_method()
    def Wrong(self, which: "s") -> "(ss)ah":
        return {"struct": (["a"], []), "fd": (("a", "b"), [99999])}[which]

    @dbus_method()
    def Coroutine(self, a: "s") -> "s":
        return self._later(a)

    async def _later(self, a: str) -> str:
        return a

    @dbus_method()
    def BadText(self, which: "s") -> None:
        text: Any = {"nul": "a\0b", "surrogate": "a\ud800b", "number": 5}[which]
        error = DBusError("a.b.Error", "")
        error.text = text
        raise error

    @dbus_method()
    def BadName(self, which: "s") -> None:
        error = DBusError("a.b.Error", "text" if which != "long" else "x" * 2**27)
        names: dict[str, Any] = {"dot": "name", "nul": "a.b\0c", "number": 5, "long": "a.b.Error"}
        error.type = names[which]
        raise error

    @dbus_method()
    async def Forever(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise

    @dbus_method()
    def Exit(self) -> None:
        raise SystemExit(3)

    @dbus_method()
    def Struct(self, a: "(sh)") -> "(sh)":
        return a

    @dbus_property()
    def Descriptor(self) -> "h":
        return 0

    @dbus_property()
    async def Later(self) -> "s":
        return "later"

    @Later.setter
    async def Later(self, value: "s") -> None: ...

    @Descriptor.setter
    def Descriptor(self, value: "h") -> None:
        os.close(value)


def on_bus(bus: Any, test: Callable[..., Coroutine[Any, Any, None]]) -> None:
    """Run `test(service, awkward, ask)` with the interface at /x."""

    async def serving() -> None:
        options = {"bus_address": bus.address, "negotiate_unix_fd": True}
        async with MessageBus(**options) as service, MessageBus(**options) as client:
            awkward = Awkward()
            service.export("/x", awkward)

            async def ask(member: str, signature: str = "", *body: Any, **fields: Any) -> Any:
                fields = {"interface": "a.b", "path": "/x", **fields}
                return await client.call(
                    Message(
                        service.unique_name,
                        member=member,
                        signature=signature,
                        body=list(body),
                        **fields,
                    )
                )

            await asyncio.wait_for(test(service, awkward, ask), 30)

    asyncio.run(serving())


@pytest.mark.parametrize("which", ["struct", "fd"])
def test_a_wrong_result_does_not_end_the_connection(bus: Any, which: str) -> None:
    async def test(service: MessageBus, awkward: Awkward, ask: Any) -> None:
        reply = await ask("Wrong", "s", which)
        assert reply.error_name == ErrorType.SERVICE_ERROR
        assert (await ask("Echo", "s", "x")).body == ["x"]

    on_bus(bus, test)


def test_a_coroutine_is_awaited_whoever_makes_it(bus: Any) -> None:
    async def test(service: MessageBus, awkward: Awkward, ask: Any) -> None:
        assert (await ask("Coroutine", "s", "x")).body == ["x"]

    on_bus(bus, test)


@pytest.mark.parametrize(
    "which, text", [("nul", "a\\0b"), ("surrogate", "a\\ud800b"), ("number", "5")]
)
def test_texts_that_no_message_can_carry(bus: Any, which: str, text: str) -> None:
    async def test(service: MessageBus, awkward: Awkward, ask: Any) -> None:
        reply = await ask("BadText", "s", which)
        assert (reply.error_name, reply.body) == ("a.b.Error", [text])

    on_bus(bus, test)


@pytest.mark.parametrize("which", ["dot", "nul", "number"])
def test_error_names_that_no_message_can_carry(bus: Any, which: str) -> None:
    async def test(service: MessageBus, awkward: Awkward, ask: Any) -> None:
        reply = await ask("BadName", "s", which)
        assert (reply.error_name, reply.body) == (ErrorType.SERVICE_ERROR.value, ["text"])

    on_bus(bus, test)


def test_an_error_text_that_is_too_long(bus: Any) -> None:
    async def test(service: MessageBus, awkward: Awkward, ask: Any) -> None:
        reply = await ask("BadName", "s", "long")
        assert (reply.error_name, reply.body) == ("a.b.Error", ["x" * 2**20])

    on_bus(bus, test)


def test_the_program_sees_its_exceptions(bus: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def test(service: MessageBus, awkward: Awkward, ask: Any) -> None:
        await ask("Wrong", "s", "nope")
        (record,) = (each for each in caplog.records if each.name == "dbus.aio.service")
        assert record.levelno == logging.ERROR
        assert record.getMessage() == "a.b.Wrong of /x raised"
        assert record.exc_info is not None and record.exc_info[0] is KeyError
        caplog.clear()
        await ask("BadText", "s", "number")  # meant for the caller
        assert "dbus.aio.service" not in {each.name for each in caplog.records}

    on_bus(bus, test)


def test_a_struct_with_a_descriptor(bus: Any) -> None:
    async def test(service: MessageBus, awkward: Awkward, ask: Any) -> None:
        reader, writer = os.pipe()
        reply = await ask("Struct", "(sh)", ("a", 0), unix_fds=[reader])
        name, index = reply.body[0]
        assert name == "a" and os.path.sameopenfile(reply.unix_fds[index], reader)
        for descriptor in (reader, writer, *reply.unix_fds):
            os.close(descriptor)

    on_bus(bus, test)


def test_descriptors_that_nobody_takes_are_closed(bus: Any) -> None:
    def open_descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async def test(service: MessageBus, awkward: Awkward, ask: Any) -> None:
        reader, writer = os.pipe()
        fds = {"unix_fds": [reader]}
        before = open_descriptors()
        for _ in range(5):
            assert (await ask("Nope", "h", 0, **fds)).error_name == ErrorType.UNKNOWN_METHOD
            assert (await ask("Echo", "h", 0, **fds)).error_name == ErrorType.UNKNOWN_METHOD
            for name, value in [("Nope", Variant("h", 0)), ("Descriptor", Variant("ah", [0]))]:
                reply = await ask("Set", "ssv", "a.b", name, value, interface=PROPERTIES, **fds)
                assert reply.message_type is MessageType.ERROR
        assert open_descriptors() == before
        value = Variant("h", 0)
        reply = await ask("Set", "ssv", "a.b", "Descriptor", value, interface=PROPERTIES, **fds)
        assert reply.message_type is MessageType.METHOD_RETURN
        assert open_descriptors() == before
        os.close(reader)
        os.close(writer)

    on_bus(bus, test)


def test_methods_end_with_the_connection(bus: Any) -> None:
    async def test(service: MessageBus, awkward: Awkward, ask: Any) -> None:
        call = asyncio.ensure_future(ask("Forever"))
        await awkward.begun.wait()
        service.disconnect()
        await service.wait_for_disconnect()
        reply = await call
        assert reply.error_name == ErrorType.NO_REPLY  # of the bus
        assert awkward.ended == ["cancelled"]

    on_bus(bus, test)


@pytest.mark.parametrize("later", [False, True])
def test_values_that_cannot_travel(bus: Any, caplog: pytest.LogCaptureFixture, later: bool) -> None:
    class Untransportable(ServiceInterface):
        @dbus_property(PropertyAccess.READ)
        def Text(self) -> "s":
            return "a\0b"

    class UntransportableLater(ServiceInterface):
        @dbus_property(PropertyAccess.READ)
        async def Text(self) -> "s":
            return "a\0b"

    async def test(service: MessageBus, awkward: Awkward, ask: Any) -> None:
        service.export("/y", (UntransportableLater if later else Untransportable)("a.y"))
        for member, signature, *body in [("Get", "ss", "a.y", "Text"), ("GetAll", "s", "a.y")]:
            reply = await ask(member, signature, *body, interface=PROPERTIES, path="/y")
            assert reply.error_name == ErrorType.SERVICE_ERROR
        logged = [each.getMessage() for each in caplog.records if each.name == "dbus.aio.service"]
        assert "InterfacesAdded for /y cannot be sent" in logged
        assert (await ask("Echo", "s", "x")).body == ["x"]

    on_bus(bus, test)


# --- Without a bus


def call(member: str, signature: str = "", *body: Any, **fields: Any) -> Message:
    given = {"path": "/x", "interface": "a.b", "sender": ":1.7", "serial": 9, **fields}
    return Message(member=member, signature=signature, body=list(body), **given)


def exported() -> tuple[FakeBus, Exports, Awkward]:
    bus, awkward = FakeBus(), Awkward()
    exports = Exports(bus)  # type: ignore[arg-type]
    bus.connected = False
    exports.add("/x", awkward)
    bus.connected = True
    return bus, exports, awkward


def test_a_reply() -> None:
    async def test() -> None:
        bus, exports, _awkward = exported()
        exports.answer(call("Echo", "s", "x"))
        (reply,) = bus.sent
        assert reply.message_type is MessageType.METHOD_RETURN
        assert (reply.destination, reply.reply_serial) == (":1.7", 9)
        assert (reply.signature, reply.body) == ("s", ["x"])
        exports.answer(call("Echo", "s", "x", flags=MessageFlag.NO_REPLY_EXPECTED))
        exports.answer(call("Nope", flags=MessageFlag.NO_REPLY_EXPECTED))
        assert len(bus.sent) == 1

    asyncio.run(test())


def test_leaving_the_program() -> None:
    async def test() -> None:
        bus, exports, _awkward = exported()
        with pytest.raises(SystemExit):
            exports.answer(call("Exit"))
        assert [reply.error_name for reply in bus.sent] == [ErrorType.SERVICE_ERROR]

    asyncio.run(test())


@pytest.mark.parametrize(
    "request_of_a_coroutine",
    [
        ("a.b", "Forever", ""),
        (PROPERTIES, "Get", "ss", "a.b", "Later"),
        (PROPERTIES, "Set", "ssv", "a.b", "Later", Variant("s", "x")),
        (PROPERTIES, "GetAll", "s", "a.b"),
    ],
)
def test_cancelled_before_it_has_begun(request_of_a_coroutine: tuple[Any, ...]) -> None:
    interface, member, signature, *body = request_of_a_coroutine

    async def test() -> None:
        bus, exports, awkward = exported()
        exports.answer(call(member, signature, *body, interface=interface))
        (task,) = bus.tasks
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not awkward.begun.is_set()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(test())
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


def test_clear() -> None:
    async def test() -> None:
        bus, exports, awkward = exported()
        exports.clear()
        assert bus.sent == [] and exports.interfaces_at("/x") == {}
        exports.answer(call("Echo", "s", "x"))
        assert bus.sent[0].error_name == ErrorType.UNKNOWN_METHOD
        exports.add("/y", awkward)
        await asyncio.gather(*bus.tasks)
        assert bus.sent[1].member == "InterfacesAdded"
        assert exports.paths_below("/") == ["/y"]

    asyncio.run(test())


def test_peer_without_a_daemon() -> None:
    async def test() -> None:
        bus, exports, _awkward = exported()
        for member in ("Ping", "GetMachineId"):
            exports.answer(call(member, path="/any", interface="org.freedesktop.DBus.Peer"))
        assert bus.sent[0].body == [] and bus.sent[0].message_type is MessageType.METHOD_RETURN
        if bus.sent[1].message_type is MessageType.METHOD_RETURN:
            assert len(bus.sent[1].body[0]) == 32
        else:
            assert bus.sent[1].error_name == ErrorType.FAILED

    asyncio.run(test())


@pytest.mark.parametrize("fails", [False, True])
def test_getters_whose_values_nobody_reads(fails: bool) -> None:
    """A getter that raises leaves no coroutine behind that is never awaited."""

    class Mixed(ServiceInterface):
        @dbus_property()
        async def First(self) -> "s":
            return "x"

        @First.setter
        def First(self, value: "s") -> None: ...

        @dbus_property()
        def Second(self) -> "s":
            if fails:
                raise KeyError("x")
            return "x"

        @Second.setter
        def Second(self, value: "s") -> None: ...

    async def test() -> None:
        bus, exports, _awkward = exported()
        bus.connected = False
        exports.add("/mixed", Mixed("a.mixed"))
        bus.connected = True
        exports.answer(call("GetAll", "s", "a.mixed", interface=PROPERTIES, path="/mixed"))
        await asyncio.gather(*bus.tasks)
        (reply,) = bus.sent
        assert (reply.message_type is MessageType.ERROR) is fails

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(test())
        gc.collect()
    assert [str(warning.message) for warning in caught] == []
