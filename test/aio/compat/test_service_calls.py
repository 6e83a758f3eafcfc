# SPDX-License-Identifier: MIT
# ruff: noqa: F722, F821
"""Methods called over a bus: values, results that do not fit, errors, what is not found."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from api import api, api_module, pick
from service_model import MANAGER, RAISED, SERVICE_ERROR, Pair, on_bus

service = api_module("service")
dbus_method = service.dbus_method
DBusError, ErrorType, MessageFlag = api.DBusError, api.ErrorType, api.MessageFlag
Variant = api.Variant
UNKNOWN_METHOD = ErrorType.UNKNOWN_METHOD.value


class Calls(service.ServiceInterface):
    def __init__(self, name: str = "a.b") -> None:
        super().__init__(name)
        self.calls: list[Any] = []
        self.begun = asyncio.Semaphore(0)
        self.released = asyncio.Event()

    @dbus_method()
    def Echo(self, a: "s") -> "s":
        self.calls.append(a)
        return a

    @dbus_method()
    async def AsyncEcho(self, a: "s") -> "s":
        await asyncio.sleep(0)
        return a

    @dbus_method()
    def Nothing(self):
        self.calls.append("Nothing")

    @dbus_method()
    def EmptyList(self):
        return []

    @dbus_method()
    def Something(self):
        return 5

    @dbus_method()
    def Give(self, which: "s") -> "s":
        return RESULTS_OF_S[which]

    @dbus_method()
    def GiveTwo(self, which: "s") -> "ss":
        return RESULTS_OF_SS[which]

    @dbus_method()
    def Three(self, a: "s", b: "i", c: "as") -> "sias":
        return a, b, c

    @dbus_method()
    def Any(self, a: "v") -> "v":
        self.calls.append(a)
        return a

    @dbus_method()
    def Dict(self, a: "a{sv}") -> "a{sv}":
        self.calls.append(a)
        return a

    @dbus_method()
    def Bytes(self, a: "ay") -> "ay":
        self.calls.append(a)
        return a

    @dbus_method()
    def Struct(self, a: "(si)") -> "(si)":
        self.calls.append(a)
        return list(a)

    @dbus_method()
    def ListFromTuple(self) -> "as":
        return ("a", "b")

    @dbus_method()
    def Default(self, a: "s" = "x") -> "s":
        return a

    @dbus_method("Other-Name")
    def dashed(self):
        raise AssertionError

    @dbus_method(name="Named")
    def named(self) -> "s":
        return "named"

    @dbus_method(disabled=True)
    def Disabled(self) -> "s":
        raise AssertionError

    def Plain(self) -> "s":
        raise AssertionError

    @dbus_method()
    def Raise(self, which: "s"):
        raise EXCEPTIONS[which].with_traceback(None)  # else it keeps those of all times

    @dbus_method()
    async def AsyncRaise(self, which: "s"):
        raise EXCEPTIONS[which].with_traceback(None)  # else it keeps those of all times

    @dbus_method()
    async def Wait(self) -> "s":
        self.begun.release()
        await self.released.wait()
        return "waited"

    @dbus_method()
    def Release(self):
        self.released.set()


RESULTS_OF_S: dict[str, Any] = {
    "None": None,
    "int": 5,
    "tuple": ("a",),
    "list": ["a"],
}
RESULTS_OF_SS: dict[str, Any] = {
    "tuple": ("a", "b"),
    "list": ["a", "b"],
    "None": None,
    "str": "ab",
    "three": ("a", "b", "c"),
    "one": ["a"],
    "iterator": iter("ab"),
    "int": ("a", 5),
}
EXCEPTIONS: dict[str, BaseException] = {
    "own": DBusError("a.b.Error", "text"),
    "type": DBusError(ErrorType.FAILED, "text"),
    "key": KeyError("x"),
    "mismatch": api.SignatureBodyMismatchError("mine"),
    "cancelled": asyncio.CancelledError(),
}


def serve(bus: Any, test: Any, **options: Any) -> None:
    """Run `test(pair, interface)` with the interface at /x."""

    async def exported(pair: Pair) -> None:
        interface = Calls()
        pair.service.export("/x", interface)
        await test(pair, interface)

    on_bus(bus, exported, **options)


def test_values(bus: Any) -> None:
    async def test(pair: Pair, interface: Calls) -> None:
        call = pair.call
        assert await call("Echo", "s", "x") == ["x"]
        assert await call("AsyncEcho", "s", "x") == ["x"]
        assert await call("Nothing") == []
        assert await call("EmptyList") == []
        assert await call("Three", "sias", "a", -1, ["x"]) == ["a", -1, ["x"]]
        assert await call("Default", "s", "y") == ["y"]
        assert await call("Named") == ["named"]
        assert await call("ListFromTuple") == [["a", "b"]]
        interface.calls.clear()
        values = {"k": Variant("i", 1), "n": Variant("a{sv}", {"m": Variant("s", "x")})}
        assert await call("Any", "v", Variant("as", ["x"])) == [Variant("as", ["x"])]
        assert await call("Dict", "a{sv}", values) == [values]
        assert await call("Bytes", "ay", b"\0x") == [b"\0x"]
        assert [list(value) for value in await call("Struct", "(si)", ["a", 1])] == [["a", 1]]
        assert interface.calls[:3] == [Variant("as", ["x"]), values, b"\0x"]
        assert list(interface.calls[3]) == ["a", 1]

    serve(bus, test)


def test_a_reply_is_to_the_call(bus: Any) -> None:
    async def test(pair: Pair, interface: Calls) -> None:
        reply = await pair.message("Echo", "s", "x")
        assert reply.message_type is api.MessageType.METHOD_RETURN
        assert reply.signature == "s" and reply.sender == pair.service.unique_name
        assert reply.destination == pair.client.unique_name
        assert (reply.path, reply.interface, reply.member) == (None, None, None)
        assert reply.reply_serial
        failed = await pair.message("Raise", "s", "own")
        assert failed.message_type is api.MessageType.ERROR and failed.signature == "s"

    serve(bus, test)


@pytest.mark.parametrize("which", list(RESULTS_OF_S))
def test_one_result_that_does_not_fit(bus: Any, which: str) -> None:
    async def test(pair: Pair, interface: Calls) -> None:
        error, text = await pair.call("Give", "s", which)
        assert error == SERVICE_ERROR
        assert text.startswith(RAISED)  # dbus-fast names what its encoder happened to raise
        assert await pair.call("Echo", "s", "x") == ["x"]

    serve(bus, test)


@pytest.mark.parametrize("which", [name for name in RESULTS_OF_SS if name != "int"])
def test_several_results(bus: Any, which: str) -> None:
    async def test(pair: Pair, interface: Calls) -> None:
        found = await pair.call("GiveTwo", "s", which)
        if which in ("tuple", "list"):
            assert found == ["a", "b"]
        elif which == "None":
            assert found[0] == SERVICE_ERROR and found[1].startswith(RAISED)
        else:
            assert found == (SERVICE_ERROR, RAISED + "SignatureBodyMismatchError")

    serve(bus, test)


def test_a_result_where_there_is_none(bus: Any) -> None:
    async def test(pair: Pair, interface: Calls) -> None:
        assert await pair.call("Something") == (
            SERVICE_ERROR,
            RAISED + "SignatureBodyMismatchError",
        )

    serve(bus, test)


@pytest.mark.parametrize("method", ["Raise", "AsyncRaise"])
@pytest.mark.parametrize(
    "which, expected",
    [
        ("own", ("a.b.Error", "text")),
        ("type", (ErrorType.FAILED.value, "text")),
        ("key", (SERVICE_ERROR, RAISED + "KeyError")),
        ("mismatch", (SERVICE_ERROR, RAISED + "SignatureBodyMismatchError")),
        ("cancelled", (SERVICE_ERROR, RAISED + "CancelledError")),
    ],
)
def test_exceptions(bus: Any, method: str, which: str, expected: tuple[str, str]) -> None:
    async def test(pair: Pair, interface: Calls) -> None:
        assert await pair.call(method, "s", which) == expected
        assert await pair.call("Echo", "s", "x") == ["x"]

    serve(bus, test)


@pytest.mark.parametrize(
    "member, signature, body, fields",
    [
        ("Echo", "", [], {}),
        ("Echo", "i", [1], {}),
        ("Echo", "ss", ["a", "b"], {}),
        ("Echo", "v", [Variant("s", "x")], {}),
        ("Nothing", "s", ["x"], {}),
        ("Default", "", [], {}),
        ("Nope", "", [], {}),
        ("Disabled", "", [], {}),
        ("Plain", "", [], {}),
        ("named", "", [], {}),
        ("dashed", "", [], {}),
        ("Echo", "s", ["x"], {"interface": "c.d"}),
        ("Echo", "s", ["x"], {"path": "/"}),
        ("Echo", "s", ["x"], {"path": "/y"}),
        ("Echo", "s", ["x"], {"path": "/x/y"}),
        ("Echo", "i", [1], {"interface": None}),
        ("Nope", "", [], {"interface": None}),
        ("Disabled", "", [], {"interface": None}),
    ],
)
def test_not_found(
    bus: Any, member: str, signature: str, body: list[Any], fields: dict[str, Any]
) -> None:
    interface_name = fields.get("interface", "a.b")

    async def test(pair: Pair, interface: Calls) -> None:
        assert await pair.call(member, signature, *body, **fields) == (
            UNKNOWN_METHOD,
            f'{interface_name}.{member} with signature "{signature}" could not be found',
        )
        assert interface.calls == []

    serve(bus, test)


def test_without_an_interface(bus: Any) -> None:
    class Second(service.ServiceInterface):
        @dbus_method()
        def Echo(self, a: "s") -> "s":
            return "second"

        @dbus_method()
        def OnlyHere(self) -> "s":
            return self.name

    async def test(pair: Pair, interface: Calls) -> None:
        pair.service.export("/x", Second("a.c"))
        assert await pair.call("Echo", "s", "x", interface=None) == ["x"]
        assert await pair.call("OnlyHere", interface=None) == ["a.c"]
        pair.service.unexport("/x", interface)
        assert await pair.call("Echo", "s", "x", interface=None) == ["second"]

    serve(bus, test)


def test_several_at_once(bus: Any) -> None:
    async def test(pair: Pair, interface: Calls) -> None:
        waiting = [asyncio.ensure_future(pair.call("Wait")) for _ in range(3)]
        for _ in waiting:
            await interface.begun.acquire()
        assert await pair.call("Echo", "s", "x") == ["x"]
        assert not any(call.done() for call in waiting)
        assert await pair.call("Release") == []
        assert await asyncio.gather(*waiting) == [["waited"]] * 3

    serve(bus, test)


def test_no_reply_expected(bus: Any) -> None:
    async def test(pair: Pair, interface: Calls) -> None:
        replies: list[Any] = []

        def heard(message: Any) -> None:
            if message.sender == pair.service.unique_name:
                replies.append(message)

        pair.client.add_message_handler(heard)
        quiet = {"flags": MessageFlag.NO_REPLY_EXPECTED}
        for member, signature, *body in [
            ("Echo", "s", "quiet"),
            ("AsyncEcho", "s", "quiet"),
            ("Raise", "s", "key"),
            ("Raise", "s", "own"),
            ("AsyncRaise", "s", "key"),
            ("Give", "s", "int"),
            ("Nope", ""),
        ]:
            await pair.send(member, signature, *body, **quiet)
        await pair.send("GetManagedObjects", interface=MANAGER, path="/", **quiet)
        # The reply to an asynchronous method comes after those that were called before.
        assert await pair.call("AsyncEcho", "s", "loud") == ["loud"]
        assert [message.body for message in replies] == [["loud"]]
        assert interface.calls == ["quiet"]

    serve(bus, test)


def test_a_method_may_unexport_its_object(bus: Any) -> None:
    class Leaves(service.ServiceInterface):
        bus: Any

        @dbus_method()
        def Leave(self) -> "s":
            self.bus.unexport("/leaves", self)
            return "bye"

    async def test(pair: Pair, _interface: Calls) -> None:
        leaves = Leaves("a.leaves")
        leaves.bus = pair.service
        pair.service.export("/leaves", leaves)
        where = {"path": "/leaves", "interface": "a.leaves"}
        assert await pair.call("Leave", **where) == ["bye"]
        assert (await pair.call("Leave", **where))[0] == UNKNOWN_METHOD

    serve(bus, test)


def test_overridden_methods_call_their_base(bus: Any) -> None:
    class Over(Calls):
        @dbus_method()
        def Echo(self, a: "s") -> "s":
            inherited = super().Echo(a)
            why = "with dbus-fast the result of a direct call is lost"
            assert inherited == pick(ours=a, reference=None, why=why)
            return "over " + a

    async def test(pair: Pair, _interface: Calls) -> None:
        over = Over("a.over")
        pair.service.export("/over", over)
        where = {"path": "/over", "interface": "a.over"}
        assert await pair.call("Echo", "s", "x", **where) == ["over x"]
        assert await pair.call("Named", **where) == ["named"]
        assert over.calls == ["x"]

    serve(bus, test)


# --- File descriptors


class Descriptors(service.ServiceInterface):
    def __init__(self) -> None:
        super().__init__("a.fd")
        self.mine = os.open("/dev/null", os.O_RDONLY)
        self.got: list[Any] = []

    @dbus_method()
    def Take(self, a: "h"):
        self.got.append(a)

    @dbus_method()
    def TakeList(self, a: "ah"):
        self.got.extend(a)

    @dbus_method()
    def TakeAny(self, a: "v"):
        self.got.append(a.value)

    @dbus_method()
    def TakeNested(self, a: "a{sv}", b: "h"):
        self.got += [a["k"].value, a["l"].value[0].value, b]

    @dbus_method()
    def Give(self) -> "h":
        return self.mine

    @dbus_method()
    def GiveAll(self) -> "ahva{sv}":
        values = {"k": Variant("h", self.mine), "n": Variant("av", [Variant("h", self.mine)])}
        return [self.mine, self.mine], Variant("h", self.mine), values

    @service.dbus_property()
    def Fd(self) -> "h":
        return self.mine

    @Fd.setter
    def Fd(self, value: "h"):
        self.got.append(value)


def same(one: int, other: int) -> bool:
    return os.path.sameopenfile(one, other)  # the same file, not the same descriptor


@pytest.mark.parametrize(
    "member, signature, body, count",
    [
        ("Take", "h", [0], 1),
        ("TakeList", "ah", [[0, 1]], 2),
        ("TakeAny", "v", [Variant("h", 0)], 1),
        (
            "TakeNested",
            "a{sv}h",
            [{"k": Variant("h", 0), "l": Variant("av", [Variant("h", 1)])}, 2],
            3,
        ),
    ],
)
def test_descriptors_in(bus: Any, member: str, signature: str, body: list[Any], count: int) -> None:
    async def test(pair: Pair) -> None:
        interface = Descriptors()
        pair.service.export("/fd", interface)
        reader, writer = os.pipe()
        where = {"path": "/fd", "interface": "a.fd", "unix_fds": [reader] * count}
        assert await pair.call(member, signature, *body, **where) == []
        assert len(interface.got) == count
        for descriptor in interface.got:
            assert descriptor not in (reader, writer) and same(descriptor, reader)
            os.close(descriptor)  # it belongs to the method
        for descriptor in (reader, writer, interface.mine):
            os.close(descriptor)

    on_bus(bus, test, negotiate_unix_fd=True)


def test_descriptors_out(bus: Any) -> None:
    async def test(pair: Pair) -> None:
        interface = Descriptors()
        pair.service.export("/fd", interface)
        where = {"path": "/fd", "interface": "a.fd"}
        reply = await pair.message("Give", **where)
        assert same(reply.unix_fds[reply.body[0]], interface.mine)
        everything = await pair.message("GiveAll", **where)
        (first, second), any_, nested = everything.body
        for index in (
            *(first, second, any_.value),
            *(nested["k"].value, nested["n"].value[0].value),
        ):
            assert same(everything.unix_fds[index], interface.mine)
        for descriptor in (*reply.unix_fds, *everything.unix_fds, interface.mine):
            os.close(descriptor)  # so the method's own has stayed open

    on_bus(bus, test, negotiate_unix_fd=True)


def test_descriptors_as_properties(bus: Any) -> None:
    async def test(pair: Pair) -> None:
        interface = Descriptors()
        pair.service.export("/fd", interface)
        where = {"path": "/fd", "interface": "org.freedesktop.DBus.Properties"}
        one = await pair.message("Get", "ss", "a.fd", "Fd", **where)
        every = await pair.message("GetAll", "s", "a.fd", **where)
        assert one.body[0].signature == every.body[0]["Fd"].signature == "h"
        assert same(one.unix_fds[one.body[0].value], interface.mine)
        assert same(every.unix_fds[every.body[0]["Fd"].value], interface.mine)
        given = {**where, "unix_fds": [interface.mine]}
        assert await pair.call("Set", "ssv", "a.fd", "Fd", Variant("h", 0), **given) == []
        assert same(interface.got[0], interface.mine)
        for descriptor in (*one.unix_fds, *every.unix_fds, *interface.got, interface.mine):
            os.close(descriptor)

    on_bus(bus, test, negotiate_unix_fd=True)
