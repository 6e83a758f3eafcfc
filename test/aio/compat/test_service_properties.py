# SPDX-License-Identifier: MIT
# ruff: noqa: F722, F821
"""Properties over a bus: Get, Set, GetAll and GetManagedObjects, with all that can go wrong."""

from __future__ import annotations

import asyncio
from typing import Any, Optional

import pytest
from api import api, api_module
from service_model import DBUS, MANAGER, PROPERTIES, RAISED, SERVICE_ERROR, Pair, on_bus

service = api_module("service")
dbus_property = service.dbus_property
PropertyAccess = api.PropertyAccess
READ, WRITE = PropertyAccess.READ, PropertyAccess.WRITE
DBusError, Variant, E = api.DBusError, api.Variant, api.ErrorType

TEXT = Variant("s", "new")


class Props(service.ServiceInterface):
    def __init__(self, name: str = "a.b") -> None:
        super().__init__(name)
        self.value: Any = "init"
        self.at_once = 0
        self.most = 0

    @dbus_property()
    def Text(self) -> "s":
        return self.value

    @Text.setter
    def Text(self, value: "s"):
        self.value = value

    @dbus_property(READ)
    def Number(self) -> "i":
        return 5

    @dbus_property(WRITE)
    def Secret(self) -> "s":
        raise AssertionError

    @Secret.setter
    def Secret(self, value: "s"):
        self.value = "secret " + value

    @dbus_property()
    async def Later(self) -> "s":
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return "later"

    @Later.setter
    async def Later(self, value: "s"):
        await asyncio.sleep(0)
        self.value = "later " + value

    @dbus_property(READ)
    async def Later2(self) -> "s":
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return "later2"

    @dbus_property(READ, disabled=True)
    def Disabled(self) -> "s":
        raise AssertionError

    @dbus_property(READ, name="Named")
    def named(self) -> "v":
        return Variant("s", "inner")

    @dbus_property()
    def Pair(self) -> "(si)":
        return ["a", 1]

    @Pair.setter
    def set_pair(self, value: "(si)"):
        self.value = list(value)

    @dbus_property()
    def Dict(self) -> "a{sv}":
        return {"k": Variant("i", 1)}

    @Dict.setter
    def Dict(self, value: "a{sv}"):
        self.value = value

    @dbus_property()
    def Picky(self) -> "s":
        return ""

    @Picky.setter
    def Picky(self, value: "s"):
        raise DBusError("a.b.Picky", "no") if value == "d" else KeyError(value)

    @dbus_property()
    def PickyLater(self) -> "s":
        return ""

    @PickyLater.setter
    async def PickyLater(self, value: "s"):
        raise DBusError("a.b.Picky", "no") if value == "d" else KeyError(value)


ALL = {
    "Text": Variant("s", "init"),
    "Number": Variant("i", 5),
    "Later": Variant("s", "later"),
    "Later2": Variant("s", "later2"),
    "Named": Variant("v", Variant("s", "inner")),
    "Pair": Variant("(si)", ("a", 1)),
    "Dict": Variant("a{sv}", {"k": Variant("i", 1)}),
    "Picky": Variant("s", ""),
    "PickyLater": Variant("s", ""),
}


def serve(bus: Any, test: Any, interface: Optional[Any] = None) -> None:
    """Run `test(pair, interface)` with the interface at /x."""

    async def exported(pair: Pair) -> None:
        made = interface or Props()
        pair.service.export("/x", made)
        await test(pair, made)

    on_bus(bus, exported)


def test_get(bus: Any) -> None:
    async def test(pair: Pair, props: Props) -> None:
        for name, value in ALL.items():
            assert await pair.property("Get", "ss", "a.b", name) == [value]

    serve(bus, test)


def unknown(name: str, interface: str = "a.b") -> tuple[str, str]:
    text = f'interface "{interface}" does not have property "{name}"'
    return E.UNKNOWN_PROPERTY.value, text


NO_INTERFACE = (E.UNKNOWN_INTERFACE.value, 'could not find an interface "c.d" at path: "/x"')


@pytest.mark.parametrize(
    "interface, name, expected",
    [
        ("a.b", "Secret", (E.UNKNOWN_PROPERTY.value, "the property does not have read access")),
        ("a.b", "Disabled", unknown("Disabled")),
        ("a.b", "named", unknown("named")),
        ("a.b", "Nope", unknown("Nope")),
        ("a.b", "", unknown("")),
        ("a.b", "!", unknown("!")),
        (PROPERTIES, "Text", unknown("Text", PROPERTIES)),
        (DBUS + ".Peer", "Text", unknown("Text", DBUS + ".Peer")),
        ("c.d", "Text", NO_INTERFACE),
    ],
)
def test_get_of_nothing(bus: Any, interface: str, name: str, expected: tuple[str, str]) -> None:
    async def test(pair: Pair, props: Props) -> None:
        assert await pair.property("Get", "ss", interface, name) == expected

    serve(bus, test)


@pytest.mark.parametrize(
    "member, signature, body",
    [
        ("Get", "ss", ["", "Text"]),
        ("Set", "ssv", ["", "Text", TEXT]),
        ("GetAll", "s", [""]),
    ],
)
def test_an_empty_interface(bus: Any, member: str, signature: str, body: list[Any]) -> None:
    async def test(pair: Pair, props: Props) -> None:
        found = await pair.property(member, signature, *body)
        assert found[0] == E.NOT_SUPPORTED.value

    serve(bus, test)


@pytest.mark.parametrize("path", ["/", "/nope", "/x/y"])
@pytest.mark.parametrize(
    "member, signature, body",
    [
        ("Get", "ss", ["a.b", "Text"]),
        ("Set", "ssv", ["a.b", "Text", TEXT]),
        ("GetAll", "s", ["a.b"]),
        ("GetAll", "s", [PROPERTIES]),
    ],
)
def test_no_such_object(bus: Any, path: str, member: str, signature: str, body: list[Any]) -> None:
    async def test(pair: Pair, props: Props) -> None:
        found = await pair.property(member, signature, *body, path=path)
        assert found == (E.UNKNOWN_OBJECT.value, f'no interfaces at path: "{path}"')

    serve(bus, test)


@pytest.mark.parametrize(
    "member, signature, body",
    [
        ("Get", "s", ["a.b"]),
        ("Get", "si", ["a.b", 1]),
        ("Get", "sss", ["a.b", "Text", "x"]),
        ("Set", "sss", ["a.b", "Text", "x"]),
        ("GetAll", "", []),
        ("Nope", "", []),
    ],
)
def test_wrong_calls(bus: Any, member: str, signature: str, body: list[Any]) -> None:
    async def test(pair: Pair, props: Props) -> None:
        found = await pair.property(member, signature, *body)
        assert found[0] == E.UNKNOWN_METHOD.value

    serve(bus, test)


def test_the_interface_must_be_named(bus: Any) -> None:
    async def test(pair: Pair, props: Props) -> None:
        found = await pair.call("Get", "ss", "a.b", "Text", interface=None)
        assert found == (
            E.UNKNOWN_METHOD.value,
            'None.Get with signature "ss" could not be found',
        )

    serve(bus, test)


@pytest.mark.parametrize(
    "name, given, expected",
    [
        ("Text", TEXT, "new"),
        ("Secret", TEXT, "secret new"),
        ("Later", TEXT, "later new"),
        ("Pair", Variant("(si)", ("q", 1)), ["q", 1]),
        ("Dict", Variant("a{sv}", {"a": TEXT}), {"a": TEXT}),
    ],
)
def test_set(bus: Any, name: str, given: Any, expected: Any) -> None:
    async def test(pair: Pair, props: Props) -> None:
        await pair.listen()
        assert await pair.property("Set", "ssv", "a.b", name, given) == []
        assert props.value == expected
        assert await pair.heard() == []  # to tell others is the setter's business

    async def after_the_signal(pair: Pair, props: Props) -> None:
        # The signal that the export makes is out when asynchronous getters have been read.
        await pair.property("GetAll", "s", "a.b")
        await test(pair, props)

    serve(bus, after_the_signal)


@pytest.mark.parametrize(
    "interface, name, given, expected",
    [
        (
            "a.b",
            "Text",
            Variant("i", 1),
            (E.INVALID_SIGNATURE.value, 'wrong signature for property. expected "s"'),
        ),
        (
            "a.b",
            "Text",
            Variant("v", TEXT),
            (E.INVALID_SIGNATURE.value, 'wrong signature for property. expected "s"'),
        ),
        (
            "a.b",
            "Number",
            Variant("i", 1),
            (E.PROPERTY_READ_ONLY.value, "the property is readonly"),
        ),
        ("a.b", "Number", TEXT, (E.PROPERTY_READ_ONLY.value, "the property is readonly")),
        ("a.b", "Disabled", TEXT, unknown("Disabled")),
        ("a.b", "Nope", TEXT, unknown("Nope")),
        (PROPERTIES, "Text", TEXT, unknown("Text", PROPERTIES)),
        ("c.d", "Text", TEXT, NO_INTERFACE),
        ("a.b", "Picky", Variant("s", "d"), ("a.b.Picky", "no")),
        ("a.b", "Picky", Variant("s", "k"), (SERVICE_ERROR, RAISED + "KeyError")),
        ("a.b", "PickyLater", Variant("s", "d"), ("a.b.Picky", "no")),
        ("a.b", "PickyLater", Variant("s", "k"), (SERVICE_ERROR, RAISED + "KeyError")),
    ],
)
def test_set_refused(
    bus: Any, interface: str, name: str, given: Any, expected: tuple[str, str]
) -> None:
    async def test(pair: Pair, props: Props) -> None:
        assert await pair.property("Set", "ssv", interface, name, given) == expected
        assert props.value == "init"

    serve(bus, test)


def test_set_without_a_reply(bus: Any) -> None:
    async def test(pair: Pair, props: Props) -> None:
        quiet = {"interface": PROPERTIES, "flags": api.MessageFlag.NO_REPLY_EXPECTED}
        await pair.send("Set", "ssv", "a.b", "Text", TEXT, **quiet)
        assert await pair.property("Get", "ss", "a.b", "Text") == [TEXT]

    serve(bus, test)


def test_get_all(bus: Any) -> None:
    async def test(pair: Pair, props: Props) -> None:
        assert await pair.property("GetAll", "s", "a.b") == [ALL]
        assert await pair.property("GetAll", "s", PROPERTIES) == [{}]
        assert await pair.property("GetAll", "s", DBUS + ".Peer") == [{}]
        assert await pair.property("GetAll", "s", "c.d") == NO_INTERFACE
        assert props.most >= 2  # asynchronous getters run together

    serve(bus, test)


class Broken(service.ServiceInterface):
    """One property cannot be read: `problem` is the exception, or the wrong value."""

    def __init__(self, problem: Any) -> None:
        super().__init__("a.b")
        self.problem = problem

    @dbus_property(READ)
    async def Async(self) -> "s":
        return "async"

    @dbus_property(READ)
    def Bad(self) -> "s":
        if isinstance(self.problem, Exception):
            raise self.problem.with_traceback(None)
        return self.problem

    @dbus_property(READ)
    def Good(self) -> "s":
        return "good"


class BrokenLater(Broken):
    @dbus_property(READ)
    async def Bad(self) -> "s":
        await asyncio.sleep(0)
        if isinstance(self.problem, Exception):
            raise self.problem.with_traceback(None)
        return self.problem


@pytest.mark.parametrize("kind", [Broken, BrokenLater])
@pytest.mark.parametrize(
    "problem, expected",
    [
        (KeyError("x"), (SERVICE_ERROR, RAISED + "KeyError")),
        (DBusError("a.b.Error", "text"), ("a.b.Error", "text")),
        (5, (SERVICE_ERROR, RAISED + "SignatureBodyMismatchError")),
        (None, (SERVICE_ERROR, RAISED + "SignatureBodyMismatchError")),
    ],
)
def test_getters_that_fail(bus: Any, kind: type, problem: Any, expected: tuple[str, str]) -> None:
    async def test(pair: Pair, broken: Broken) -> None:
        assert await pair.property("Get", "ss", "a.b", "Bad") == expected
        assert await pair.property("Get", "ss", "a.b", "Good") == [Variant("s", "good")]
        assert await pair.property("GetAll", "s", "a.b") == expected
        manager = {"interface": MANAGER, "path": "/"}
        assert await pair.call("GetManagedObjects", **manager) == expected

    serve(bus, test, kind(problem))


class Overrides(Props):
    @Props.Text.setter
    def Text(self, value: "s"):
        self.value = "overridden " + value


class Plain(Props):
    @property
    def Text(self) -> str:
        return "plain"


def test_an_overridden_setter(bus: Any) -> None:
    async def test(pair: Pair, overrides: Overrides) -> None:
        base, plain = Props("a.base"), Plain("a.plain")
        pair.service.export("/x", base)
        pair.service.export("/x", plain)
        assert await pair.property("Set", "ssv", "a.b", "Text", TEXT) == []
        assert await pair.property("Set", "ssv", "a.base", "Text", TEXT) == []
        assert (overrides.value, base.value) == ("overridden new", "new")
        overrides.Text = base.Text = "python"
        assert (overrides.value, base.value) == ("overridden python", "python")
        assert await pair.property("Get", "ss", "a.plain", "Text") == unknown("Text", "a.plain")

    serve(bus, test, Overrides())
