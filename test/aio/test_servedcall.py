# SPDX-License-Identifier: MIT
# ruff: noqa: F722, F821
"""servedcall: the usual call of an exported interface is served in C, and Python is the truth.

Each test makes the same calls of a bus as it is, and of one that C leaves alone, as a message
handler looks on.
"""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextvars import ContextVar
from functools import partial
from typing import Any, Callable

import pytest
from busclients import run
from servedcalls import Ask, served

from dbus.aio import Message, MessageBus
from dbus.aio._exports import Exports
from dbus.aio.constants import ErrorType, MessageFlag, MessageType
from dbus.aio.errors import DBusError
from dbus.aio.peer import start_server
from dbus.aio.service import (
    ServiceInterface,
    current_message,
    current_sender,
    dbus_method,
)
from dbus.aio.signature import Variant


@pytest.fixture(params=["quick", "slow"])
def slow(request: Any) -> bool:
    return bool(request.param == "slow")


@pytest.fixture
def serve(bus: Any, slow: bool) -> Callable[..., None]:
    return partial(served, bus, slow)


class Echoes(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("a.b")

    @dbus_method()
    def S(self, a: "s") -> "s":
        return a

    @dbus_method()
    def Nothing(self) -> None:
        pass

    @dbus_method()
    def Many(self, a: "i", b: "ay", c: "a{sv}", d: "(sb)", e: "d", f: "ao", g: "v") -> "iaya{sv}v":
        assert (d, e, f) == (("é", True), 0.5, ["/p"])
        return a, b, c, g

    @dbus_method()
    def List(self, a: "as") -> "ss":
        return a

    @dbus_method()
    def Large(self, a: "ay") -> "ayay":
        return a, a

    @dbus_method(name="Renamed")
    def S2(self, a: "s") -> "v":
        return Variant("s", a)


def test_values_in_and_out(serve: Any) -> None:
    async def test(ask: Ask) -> None:
        assert await ask("S", "s", "é") == ("s", "é")
        assert await ask("Nothing") == ("",)
        values = 7, b"x", {"k": Variant("as", ["1"])}, ("é", True), 0.5, ["/p"], Variant("q", 9)
        assert await ask("Many", "iaya{sv}(sb)daov", *values) == (
            "iaya{sv}v",
            7,
            b"x",
            {"k": Variant("as", ["1"])},
            Variant("q", 9),
        )
        assert await ask("List", "as", ["1", "2"]) == ("ss", "1", "2")
        assert await ask("Large", "ay", b"x" * 100_000) == ("ayay", b"x" * 100_000, b"x" * 100_000)
        assert await ask("Renamed", "s", "x") == ("v", Variant("s", "x"))

    serve(test, Echoes())


def test_what_python_sees_of_the_usual_call(serve: Any, slow: bool, monkeypatch: Any) -> None:
    seen: list[Any] = []
    answer = Exports.answer
    monkeypatch.setattr(
        Exports,
        "answer",
        lambda self, message: (seen.append(message.member), answer(self, message)),
    )

    async def test(ask: Ask) -> None:
        assert await ask("S", "s", "x") == ("s", "x")
        assert await ask("Nothing") == ("",)
        assert await ask("S", "s", "x", interface=None) == ("s", "x")
        assert seen == (["S", "Nothing", "S"] if slow else ["S"])

    serve(test, Echoes())


def test_what_is_not_found(serve: Any) -> None:
    async def test(ask: Ask) -> None:
        unknown = ErrorType.UNKNOWN_METHOD.value
        for fields in [
            {"member": "Nope"},
            {"member": "S2"},
            {"interface": "a.c"},
            {"path": "/x/y"},
            {"path": "/"},
        ]:
            wanted: dict[str, Any] = {"member": "S", **fields}
            assert (await ask(wanted.pop("member"), "s", "x", **wanted))[0] == unknown
        assert (await ask("S", "o", "/x"))[0] == unknown
        assert (await ask("S"))[0] == unknown
        assert await ask("S", "s", "x", interface=None) == ("s", "x")

    serve(test, Echoes())


def test_the_interfaces_of_every_object(serve: Any) -> None:
    class Standard(ServiceInterface):
        @dbus_method()
        def Get(self, a: "s", b: "s") -> "s":
            return "mine"

        @dbus_method()
        def Other(self) -> "s":
            return "mine"

    async def test(ask: Ask) -> None:
        peer, properties = "org.freedesktop.DBus.Peer", "org.freedesktop.DBus.Properties"
        assert await ask("Ping", interface=peer) == ("",)
        assert (await ask("Get", "ss", "a.b", "P", interface=properties))[0] == (
            ErrorType.UNKNOWN_PROPERTY.value
        )
        assert await ask("Other", interface=properties) == ("s", "mine")

    serve(test, Standard("org.freedesktop.DBus.Properties"), Echoes())


def test_no_reply_is_wanted(serve: Any) -> None:
    class Noting(ServiceInterface):
        seen: list[str] = []

        @dbus_method()
        def Note(self, a: "s") -> "s":
            self.seen.append(a)
            return a

    async def test(ask: Ask) -> None:
        Noting.seen.clear()
        flags = MessageFlag.NO_REPLY_EXPECTED
        assert await ask.message("Note", "s", "quiet", flags=flags) is None
        assert await ask("Note", "s", "loud") == ("s", "loud")
        assert Noting.seen == ["quiet", "loud"]

    serve(test, Noting("a.b"))


def test_who_calls(serve: Any) -> None:
    other: ContextVar[str] = ContextVar("other")

    class Curious(ServiceInterface):
        tasks: list[Any] = []

        @dbus_method()
        def Start(self, name: "s") -> "s":
            other.set(name)

            async def in_a_task() -> Any:
                await asyncio.sleep(0)
                return current_message().body, current_sender()

            self.tasks.append(asyncio.ensure_future(in_a_task()))
            self.tasks.append(asyncio.get_running_loop().create_future())
            asyncio.get_running_loop().call_soon(
                lambda future: future.set_result((current_message().body, current_sender())),
                self.tasks[-1],
            )
            message = current_message()
            assert current_message() is message
            assert (message.path, message.interface, message.member) == ("/x", "a.b", "Start")
            assert (message.message_type, message.signature) == (MessageType.METHOD_CALL, "s")
            assert message.unix_fds == [] and message.serial > 0
            return current_sender() or ""

        @dbus_method()
        def Other(self) -> "s":
            return other.get("unset")

    async def test(ask: Ask) -> None:
        me = ask.client.unique_name
        Curious.tasks.clear()
        assert [await ask("Start", "s", text) for text in "ab"] == [("s", me)] * 2
        assert await asyncio.gather(*Curious.tasks) == [
            (["a"], me),
            (["a"], me),
            (["b"], me),
            (["b"], me),
        ]
        with pytest.raises(LookupError):
            current_message()
        # What else a method sets stays set, as in any callback of the loop.
        assert await ask("Other") == ("s", "b")

    serve(test, Curious("a.b"))


def test_a_call_leaves_nothing_behind(serve: Any) -> None:
    class Thing:
        pass

    class Keeping(ServiceInterface):
        things: list[Any] = []

        @dbus_method()
        def Keep(self, a: "s") -> "s":
            thing = Thing()
            self.things.append(weakref.ref(thing))
            # A cycle: the call is in the context, and the message in the call.
            current_message().body.append((thing, asyncio.ensure_future(asyncio.sleep(0))))
            return a

        @dbus_method()
        def Fail(self, a: "s") -> "s":
            self.Keep(a)
            raise DBusError("a.b.E", "text")

    async def test(ask: Ask) -> None:
        Keeping.things.clear()
        assert await ask("Keep", "s", "x") == ("s", "x")
        assert await ask("Fail", "s", "x") == ("a.b.E", "text")
        await asyncio.sleep(0)
        gc.collect()
        assert [thing() for thing in Keeping.things] == [None, None]

    serve(test, Keeping("a.b"))


def test_methods_that_change_what_is_served(serve: Any) -> None:
    class Changing(Echoes):
        bus: MessageBus

        @dbus_method()
        def Go(self) -> "s":
            self.bus.unexport("/x", self)
            return "gone"

        @dbus_method()
        def Look(self) -> "s":
            self.bus.add_message_handler(self.seen.append)  # type: ignore[arg-type]
            return "looking"

        def __init__(self) -> None:
            super().__init__()
            self.seen: list[Any] = []

    served = Changing()

    async def test(ask: Ask) -> None:
        served.bus = ask.service
        assert await ask("Look") == ("s", "looking")
        assert await ask("S", "s", "x") == ("s", "x")
        assert served.seen[-1].member == "S"
        ask.service.remove_message_handler(served.seen.append)  # type: ignore[arg-type]
        assert await ask("Go") == ("s", "gone")
        assert (await ask("S", "s", "x"))[0] == ErrorType.UNKNOWN_METHOD.value
        ask.service.export("/x", served)
        assert await ask("S", "s", "x") == ("s", "x")

    serve(test, served)


def test_a_method_that_disconnects(serve: Any) -> None:
    class Leaving(ServiceInterface):
        bus: MessageBus

        @dbus_method()
        def Leave(self) -> "s":
            self.bus.disconnect()
            return "left"

    served = Leaving("a.b")

    async def test(ask: Ask) -> None:
        served.bus = ask.service
        assert (await ask("Leave"))[0] == ErrorType.NO_REPLY.value
        await ask.service.wait_for_disconnect()

    serve(test, served)


def test_members_of_one_instance(serve: Any) -> None:
    one, two = Echoes(), Echoes()
    two.name = "a.two"

    async def test(ask: Ask) -> None:
        one.add_method("Added", lambda a: a * 2, "s", "s")
        assert await ask("Added", "s", "x") == ("s", "xx")
        unknown = ErrorType.UNKNOWN_METHOD.value
        assert (await ask("Added", "s", "x", interface="a.two"))[0] == unknown
        one.remove_member("S")
        assert (await ask("S", "s", "x"))[0] == unknown
        assert await ask("S", "s", "x", interface="a.two") == ("s", "x")
        one.remove_member("Added")
        assert (await ask("Added", "s", "x"))[0] == unknown
        assert {method.name for method in Echoes().introspect().methods} == {
            "S",
            "Nothing",
            "Many",
            "List",
            "Large",
            "Renamed",
        }

    serve(test, one, two)


def test_a_class_that_changes(serve: Any) -> None:
    class Base(ServiceInterface):
        @dbus_method()
        def M(self) -> "s":
            return "base"

    class Child(Base):
        @dbus_method()
        def N(self) -> "s":
            return "child"

    base, child = Base("a.base"), Child("a.child")

    @dbus_method()
    def M(self: Any) -> "s":
        return "new"

    setattr(Base, "M", M)  # noqa: B010
    later = Child("a.later")

    async def test(ask: Ask) -> None:
        assert await ask("M", interface="a.base") == ("s", "base")
        assert await ask("M", interface="a.child") == ("s", "base")
        assert await ask("M", interface="a.later") == ("s", "new")
        for name in ("a.child", "a.later"):
            assert await ask("N", interface=name) == ("s", "child")
        assert (await ask("N", interface="a.base"))[0] == ErrorType.UNKNOWN_METHOD.value

    serve(test, base, child, later)


def test_a_peer(slow: bool, tmp_path: Any) -> None:
    class Asked(ServiceInterface):
        @dbus_method()
        def Who(self, a: "s") -> "sb":
            return a, current_sender() is None

    async def main() -> None:
        def connected(bus: MessageBus) -> None:
            bus.export("/x", Asked("a.b"))
            if slow:
                bus.add_message_handler(lambda _: None)

        async with await start_server(connected, f"unix:path={tmp_path}/socket") as server:
            async with MessageBus(server.address, peer=True) as client:
                reply = await client.call(
                    Message(None, "/x", "a.b", "Who", signature="s", body=["x"])
                )
                assert reply is not None and reply.body == ["x", True]

    run(main())


def test_callers_in_turn(bus: Any, slow: bool) -> None:
    """Replies are copies of others, each with the serial and the caller of its call."""

    async def main() -> None:
        async with MessageBus(bus.address) as service:
            service.export("/x", Echoes())
            if slow:
                service.add_message_handler(lambda _: None)
            clients = [await MessageBus(bus.address).connect() for _ in range(5)]
            asks = [Ask(service, client) for client in clients]
            texts = [str(number) for number in range(40)]
            replies = await asyncio.gather(
                *[ask("S", "s", text) for text in texts for ask in asks],
                *[ask("Nothing") for ask in asks],
            )
            assert replies == [("s", text) for text in texts for _ in asks] + [("",)] * len(asks)
            for client in clients:
                client.disconnect()

    run(main())
