# SPDX-License-Identifier: MIT
# ruff: noqa: F722, F821
"""servedcall: what methods return and raise is the same whoever calls them, C or Python."""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial
from typing import Any, Callable

import pytest
from servedcalls import Ask, served

from dbus.aio import MessageBus
from dbus.aio.constants import ErrorType
from dbus.aio.errors import DBusError
from dbus.aio.service import ServiceInterface, dbus_method
from dbus.aio.signature import Variant


@pytest.fixture(params=["quick", "slow"])
def slow(request: Any) -> bool:
    return bool(request.param == "slow")


@pytest.fixture
def serve(bus: Any, slow: bool) -> Callable[..., None]:
    return partial(served, bus, slow)


def logged(caplog: Any) -> list[str]:
    """What was said about exceptions, with their texts."""
    found = [
        f"{record.getMessage()}: {record.exc_info[1]!r}"
        for record in caplog.records
        if record.name == "dbus.aio.service"
    ]
    caplog.clear()
    return found


class Results(ServiceInterface):
    """Methods that return what the test wants."""

    def __init__(self) -> None:
        super().__init__("a.b")
        self.result: Any = None

    @dbus_method()
    def None_(self) -> None:
        return self.result

    @dbus_method()
    def I(self) -> "i":  # noqa: E743
        return self.result

    @dbus_method()
    def SS(self) -> "ss":
        return self.result

    @dbus_method()
    def AAII(self) -> "aaii":
        return self.result

    @dbus_method()
    def V(self) -> "v":
        return self.result

    @dbus_method()
    def H(self) -> "h":
        return self.result


class Awaitable:
    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        return 5


class Number:
    def __index__(self) -> int:
        return 5


class Dynamic:
    """Awaitable by an attribute of its own, which await does not look for."""

    def __init__(self) -> None:
        self.__await__ = None


def test_results_that_are_awaited(serve: Any) -> None:
    served = Results()

    async def later() -> int:
        await asyncio.sleep(0)
        return 5

    async def failing() -> int:
        raise DBusError("a.b.E", "text")

    async def test(ask: Ask) -> None:
        future = asyncio.get_running_loop().create_future()
        future.set_result(5)
        for result in (later(), Awaitable(), future):
            served.result = result
            assert await ask("I") == ("i", 5)
        served.result = failing()
        assert await ask("I") == ("a.b.E", "text")

    serve(test, served)


def test_results_of_other_classes(serve: Any, caplog: Any) -> None:
    served = Results()
    text, whole = type("Text", (str,), {}), type("Whole", (int,), {})
    pair = type("Pair", (list,), {})

    async def test(ask: Ask) -> None:
        served.result = whole(5)
        assert await ask("I") == ("i", 5)
        served.result = text("a"), text("b")
        assert await ask("SS") == ("ss", "a", "b")
        served.result = pair("ab")
        assert await ask("SS") == ("ss", "a", "b")
        served.result = Number()
        assert await ask("I") == ("i", 5)
        served.result = Dynamic()
        assert (await ask("I"))[0] == ErrorType.SERVICE_ERROR.value
        assert len(logged(caplog)) == 1

    serve(test, served)


def test_what_is_consumed_when_it_is_sent(serve: Any, caplog: Any) -> None:
    served = Results()
    seen: list[str] = []

    class Once:
        def __index__(self) -> int:
            seen.append("asked")
            return 5

    async def test(ask: Ask) -> None:
        served.result = [iter([1, 2])], Once()
        assert await ask("AAII") == ("aaii", [[1, 2]], 5)
        assert seen == ["asked"]
        served.result = [iter([1, "bad", 3])], 5
        assert (await ask("AAII"))[0] == ErrorType.SERVICE_ERROR.value
        served.result = Variant("aai", [iter([1, 2])], False)
        assert await ask("V") == ("v", Variant("aai", [[1, 2]]))
        assert len(logged(caplog)) == 1

    serve(test, served)


@pytest.mark.parametrize(
    ("member", "result"),
    [
        ("None_", 5),
        ("I", None),
        ("I", 2**31),
        ("I", "5"),
        ("SS", "ab"),
        ("SS", ("a",)),
        ("SS", ("a", 5)),
        ("SS", ("a", "b\0")),
        ("V", 5),
        ("H", 99999),
    ],
)
def test_results_that_do_not_fit(serve: Any, caplog: Any, member: str, result: Any) -> None:
    served = Results()
    served.result = result

    async def test(ask: Ask) -> None:
        assert await ask(member) == (
            ErrorType.SERVICE_ERROR.value,
            "The service interface raised an error: SignatureBodyMismatchError",
        )
        (line,) = logged(caplog)
        assert line.startswith(f"a.b.{member} of /x raised: SignatureBodyMismatchError")
        served.result = 5
        assert await ask("I") == ("i", 5)

    serve(test, served)


def test_descriptors(serve: Any) -> None:
    served = Results()

    class Taking(ServiceInterface):
        @dbus_method()
        def Take(self, a: "h") -> "s":
            os.close(a)
            return "taken"

    async def test(ask: Ask) -> None:
        reader, writer = os.pipe()
        served.result = reader
        reply = await ask.message("H")
        assert os.path.sameopenfile(reply.unix_fds[reply.body[0]], reader)
        served.result = Variant("(sh)", ("a", reader))
        inside = await ask.message("V")
        assert os.path.sameopenfile(inside.unix_fds[inside.body[0].value[1]], reader)
        assert await ask("Take", "h", 0, unix_fds=[reader], interface="a.t") == ("s", "taken")
        for descriptor in (reader, writer, *reply.unix_fds, *inside.unix_fds):
            os.close(descriptor)

    serve(test, served, Taking("a.t"))


class Raising(ServiceInterface):
    @dbus_method()
    def Raise(self, which: "s") -> "s":
        raise {"ours": DBusError("a.b.E", "text"), "other": KeyError("k")}[which]


def test_exceptions(serve: Any, caplog: Any) -> None:
    async def test(ask: Ask) -> None:
        assert await ask("Raise", "s", "ours") == ("a.b.E", "text")
        assert logged(caplog) == []
        assert await ask("Raise", "s", "other") == (
            ErrorType.SERVICE_ERROR.value,
            "The service interface raised an error: KeyError",
        )
        (record,) = [record for record in caplog.records if record.name == "dbus.aio.service"]
        assert record.levelno == logging.ERROR
        frames = []
        trace = record.exc_info[2]
        while trace:
            frames.append(trace.tb_frame.f_code.co_name)
            trace = trace.tb_next
        assert frames[-1] == "Raise"
        assert logged(caplog) == ["a.b.Raise of /x raised: KeyError('k')"]

    serve(test, Raising("a.b"))


@pytest.mark.parametrize("exception", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("member", ["End", "EndInside"])
def test_exceptions_that_end_the_program(bus: Any, slow: bool, exception: Any, member: str) -> None:
    class Last:
        def __index__(self) -> int:
            raise exception

    class Ending(ServiceInterface):
        @dbus_method()
        def End(self) -> None:
            raise exception

        @dbus_method()
        def EndInside(self) -> "ai":
            return [Last()]

    loop = asyncio.new_event_loop()

    async def prepare() -> tuple[MessageBus, MessageBus, Any]:
        service, client = MessageBus(bus.address), MessageBus(bus.address)
        await service.connect()
        await client.connect()
        service.export("/x", Ending("a.b"))
        if slow:
            service.add_message_handler(lambda _: None)
        return service, client, asyncio.ensure_future(Ask(service, client).message(member))

    async def end(service: MessageBus, client: MessageBus, call: Any) -> Any:
        reply = await call
        service.disconnect()
        client.disconnect()
        return reply

    try:
        parts = loop.run_until_complete(prepare())
        with pytest.raises(exception):
            loop.run_forever()
        reply = loop.run_until_complete(end(*parts))
    finally:
        loop.close()
    assert reply.error_name == ErrorType.SERVICE_ERROR.value
