# SPDX-License-Identifier: MIT
# ruff: noqa: F722, F821
"""Declarations beyond dbus-fast, and members added to one instance while it is exported."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Callable

import pytest
from busclients import subscribe

from dbus.aio.constants import ErrorType, PropertyAccess
from dbus.aio.errors import (
    InvalidIntrospectionError,
    InvalidMemberNameError,
    InvalidSignatureError,
    SignalDisabledError,
    SignatureBodyMismatchError,
)
from dbus.aio.message import Message
from dbus.aio.message_bus import MessageBus
from dbus.aio.service import (
    ServiceInterface,
    dbus_method,
    dbus_property,
    dbus_signal,
)
from dbus.aio.signature import Variant

PROPERTIES = "org.freedesktop.DBus.Properties"


class Thing(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("a.b")
        self.value = 1

    @dbus_method()
    def Declared(self) -> "s":
        return "declared"

    @dbus_method()
    async def Async(self) -> "s":
        return "async"

    @dbus_property(PropertyAccess.READ)
    def Fixed(self) -> "i":
        return 5

    @dbus_signal()
    def Said(self) -> "s":
        return "x"


def names(interface: ServiceInterface) -> str:
    found = interface.introspect()
    members = (*found.methods, *found.signals, *found.properties)
    return " ".join(str(member.name) for member in members)


def on_bus(bus: Any, test: Callable[..., Any]) -> None:
    """Run `test(thing, ask, heard)`: a call of the thing, and a queue of its signals."""

    async def serving() -> None:
        async with MessageBus(bus.address) as service, MessageBus(bus.address) as client:
            thing = Thing()
            service.export("/x", thing)

            async def ask(member: str, signature: str = "", *body: Any, **fields: Any) -> Any:
                fields = {"interface": "a.b", "path": "/x", **fields}
                reply = await client.call(
                    Message(
                        service.unique_name,
                        member=member,
                        signature=signature,
                        body=list(body),
                        **fields,
                    )
                )
                assert reply is not None
                return reply.error_name or reply.body

            heard: asyncio.Queue[Message] = asyncio.Queue()
            subscription = subscribe(
                client, heard.put_nowait, sender=service.unique_name, interface="a.b"
            )
            await subscription.ready
            await asyncio.wait_for(test(thing, ask, heard), 30)

    asyncio.run(serving())


def test_the_decorated_function_stays() -> None:
    assert iscoroutinefunction(Thing.Async)
    assert Thing().Declared() == "declared"
    assert asyncio.run(Thing().Async()) == "async"


def test_one_function_under_two_names() -> None:
    def function(self: Any, a: "s") -> "s":
        return a

    class Two(ServiceInterface):
        One = dbus_method("First")(function)
        Another = dbus_method("Second")(function)

    assert names(Two("a.b")) == "Second First"
    assert Two("a.b").One("x") == Two("a.b").Another("x") == "x"


def test_decorators_of_others_keep_the_declaration() -> None:
    def logged(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*args: Any) -> Any:
            return function(*args)

        return call

    class Logged(ServiceInterface):
        @logged
        @dbus_method()
        def Outside(self) -> "s":
            return "x"

        @dbus_method()
        @logged
        def Inside(self) -> "s":
            return "x"

    assert names(Logged("a.b")) == "Inside Outside"


def test_abstract_members() -> None:
    class Abstract(ServiceInterface, ABC):
        @dbus_method()
        @abstractmethod
        def Do(self) -> "s": ...

    class Concrete(Abstract):
        @dbus_method()
        def Do(self) -> "s":
            return "done"

    with pytest.raises(TypeError, match="abstract"):
        Abstract("a.b")
    assert Concrete("a.b").Do() == "done"


def test_another_getter_and_a_deleter() -> None:
    class Base(ServiceInterface):
        value = "x"

        @dbus_property(PropertyAccess.READ)
        def Text(self) -> "s":
            return self.value

        @Text.deleter
        def Text(self) -> None:
            self.value = "deleted"

    class Derived(Base):
        @Base.Text.getter
        def Text(self) -> str:
            return "derived " + self.value

    base, derived = Base("a.b"), Derived("a.b")
    del base.Text
    assert (base.Text, derived.Text) == ("deleted", "derived x")
    assert names(base) == names(derived) == "Text"


def test_what_is_missing_is_said() -> None:
    class Forgetful(ServiceInterface):
        def __init__(self) -> None: ...

    bus = MessageBus("unix:path=/nowhere")
    with pytest.raises(TypeError, match="Forgetful does not call"):
        bus.export("/x", Forgetful())
    with pytest.raises(TypeError, match="invalid interface name"):
        bus.export("/x", ServiceInterface("no name"))
    with pytest.raises(TypeError, match="with parentheses"):
        dbus_method(lambda self: None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="declared by a function"):
        dbus_method()(5)  # type: ignore[type-var]


# --- At run time


def test_added_methods(bus: Any) -> None:
    async def test(thing: Thing, ask: Any, heard: Any) -> None:
        assert await ask("Added") == ErrorType.UNKNOWN_METHOD

        async def join(first: "s", rest: "as") -> "s":
            return first + "".join(rest)

        thing.add_method("Added", lambda: None)
        thing.add_method("Join", join)
        thing.add_method("Swap", lambda a, b: (b, a), "si", "is")
        assert await ask("Added") == []
        assert await ask("Join", "sas", "a", ["b", "c"]) == ["abc"]
        assert await ask("Swap", "si", "a", 1) == [1, "a"]
        assert names(thing) == "Async Declared Added Join Swap Said Fixed"
        assert [argument.name for argument in thing.introspect().methods[3].in_args] == [
            "first",
            "rest",
        ]
        assert names(Thing()) == "Async Declared Said Fixed"
        thing.remove_member("Join")
        assert await ask("Join", "sas", "a", []) == ErrorType.UNKNOWN_METHOD

    on_bus(bus, test)


def test_added_properties(bus: Any) -> None:
    async def test(thing: Thing, ask: Any, heard: Any) -> None:
        values = {"Later": "x"}

        async def get() -> str:
            return values["Later"]

        async def put(value: str) -> None:
            values["Later"] = value

        thing.add_property("Number", "i", lambda: 7)
        thing.add_property("Later", "s", get, put)
        thing.add_property("Only", "s", get, put, PropertyAccess.WRITE)
        assert await ask("GetAll", "s", "a.b", interface=PROPERTIES) == [
            {"Fixed": Variant("i", 5), "Number": Variant("i", 7), "Later": Variant("s", "x")}
        ]
        for name in ("Later", "Only"):
            given = Variant("s", name)
            assert await ask("Set", "ssv", "a.b", name, given, interface=PROPERTIES) == []
            assert values["Later"] == name
        refused = await ask("Set", "ssv", "a.b", "Number", Variant("i", 1), interface=PROPERTIES)
        assert refused == ErrorType.PROPERTY_READ_ONLY
        assert [each.access.value for each in thing.introspect().properties] == [
            *("read", "read", "readwrite", "write"),
        ]
        thing.emit_properties_changed({"Number": 8})
        thing.remove_member("Number")
        unknown = await ask("Get", "ss", "a.b", "Number", interface=PROPERTIES)
        assert unknown == ErrorType.UNKNOWN_PROPERTY

    on_bus(bus, test)


def test_added_signals(bus: Any) -> None:
    async def test(thing: Thing, ask: Any, heard: asyncio.Queue[Message]) -> None:
        ping, say, tell = (
            thing.add_signal("Pinged"),
            thing.add_signal("Spoken", "as"),
            thing.add_signal("Told", "si"),
        )
        ping()
        say(["x"])
        tell("x", 1)
        for member, body in [("Pinged", []), ("Spoken", [["x"]]), ("Told", ["x", 1])]:
            message = await heard.get()
            assert (message.member, message.body) == (member, body)
        with pytest.raises(SignatureBodyMismatchError):
            say(5)
        with pytest.raises(SignatureBodyMismatchError):
            tell("x")
        assert "Pinged Spoken Told" in names(thing)
        thing.remove_member("Told")
        with pytest.raises(SignalDisabledError):
            tell("x", 1)

    on_bus(bus, test)


def test_declared_members_can_be_removed(bus: Any) -> None:
    async def test(thing: Thing, ask: Any, heard: Any) -> None:
        thing.remove_member("Declared")
        assert await ask("Declared") == ErrorType.UNKNOWN_METHOD
        assert names(thing) == "Async Said Fixed"
        assert names(Thing()) == "Async Declared Said Fixed"
        thing.add_method("Declared", lambda: "again", "", "s")
        assert await ask("Declared") == ["again"]

    on_bus(bus, test)


def test_refused() -> None:
    thing = Thing()
    with pytest.raises(ValueError, match="method Declared"):
        thing.add_method("Declared", lambda: None)
    with pytest.raises(ValueError, match="property Fixed"):
        thing.add_property("Fixed", "s", lambda: "x")
    with pytest.raises(ValueError, match="signal Said"):
        thing.add_signal("Said")
    with pytest.raises(ValueError, match="no signature"):
        thing.add_method("New", lambda a: None)
    with pytest.raises(ValueError, match="setter"):
        thing.add_property("New", "s", lambda: "x", access=PropertyAccess.READWRITE)
    with pytest.raises(InvalidMemberNameError):
        thing.add_method("no name", lambda: None)
    with pytest.raises(InvalidSignatureError):
        thing.add_method("New", lambda: None, "", "!")
    with pytest.raises(InvalidIntrospectionError):
        thing.add_property("New", "ss", lambda: "x")
    with pytest.raises(InvalidSignatureError):
        thing.add_signal("New", "!")
    with pytest.raises(KeyError):
        thing.remove_member("New")
    assert names(thing) == names(Thing())
