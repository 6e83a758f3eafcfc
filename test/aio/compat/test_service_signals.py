# SPDX-License-Identifier: MIT
# ruff: noqa: F722, F821
"""Signals of exported interfaces, PropertiesChanged, and what export and unexport send."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from api import api, api_module, pick
from service_model import MANAGER, PROPERTIES, MessageBus, Pair, on_bus, run

service = api_module("service")
dbus_signal, dbus_property = service.dbus_signal, service.dbus_property
READ, WRITE = api.PropertyAccess.READ, api.PropertyAccess.WRITE
Variant = api.Variant
Mismatch = api.SignatureBodyMismatchError
ADDED = (MANAGER, "InterfacesAdded", "oa{sa{sv}}")
REMOVED = (MANAGER, "InterfacesRemoved", "oas")


class Signals(service.ServiceInterface):
    @dbus_signal()
    def One(self, value: Any) -> "s":
        return value

    @dbus_signal()
    def Nothing(self, value: Any = None):
        return value

    @dbus_signal()
    def Two(self, value: Any) -> "si":
        return value

    @dbus_signal()
    def Struct(self, value: Any) -> "(si)":
        return value

    @dbus_signal()
    def List(self, value: Any) -> "as":
        return value

    @dbus_signal()
    def Any(self, value: Any) -> "v":
        return value

    @dbus_signal(name="Renamed")
    def renamed(self) -> "s":
        return "x"

    @dbus_signal(disabled=True)
    def Disabled(self) -> "s":
        raise AssertionError

    @dbus_signal()
    def Raises(self):
        raise KeyError("x")

    @dbus_signal()
    def Descriptor(self, value: int) -> "hv":
        return value, Variant("h", value)


class Props(service.ServiceInterface):
    def __init__(self, name: str = "a.b", value: Any = "x") -> None:
        super().__init__(name)
        self.value = value

    @dbus_signal()
    def One(self, value: Any) -> "s":
        return value

    @dbus_property(READ)
    def Text(self) -> "s":
        if isinstance(self.value, Exception):
            raise self.value.with_traceback(None)
        return self.value

    @dbus_property(WRITE)
    def Secret(self) -> "s":
        raise AssertionError

    @Secret.setter
    def Secret(self, value: "s"): ...

    @dbus_property(READ, name="Named")
    def named(self) -> "v":
        return Variant("i", 1)

    @dbus_property(READ)
    def Pair(self) -> "(si)":
        return ["a", 1]


VALUES = {
    "Text": Variant("s", "x"),
    "Named": Variant("v", Variant("i", 1)),
    "Pair": Variant("(si)", ("a", 1)),
}


def serve(bus: Any, test: Any, interface: Any) -> None:
    """Run `test(pair, interface)` with the interface at /x; all signals after that are heard."""

    async def exported(pair: Pair) -> None:
        pair.service.export("/x", interface)
        await pair.listen()
        await test(pair, interface)

    on_bus(bus, exported)


def test_values(bus: Any) -> None:
    async def test(pair: Pair, signals: Signals) -> None:
        assert signals.One("x") == "x"
        assert signals.Nothing() is None
        assert signals.Nothing([]) == []
        assert signals.Two(("a", 1)) == ("a", 1)
        assert signals.Two(["b", 2]) == ["b", 2]
        signals.Struct(("a", 1))
        signals.List(["a"])
        signals.List(("b",))
        signals.Any(Variant("a{sv}", {"k": Variant("i", 1)}))
        signals.renamed()
        assert await pair.heard() == [
            ("/x", "a.b", "One", "s", ["x"]),
            ("/x", "a.b", "Nothing", "", []),
            ("/x", "a.b", "Nothing", "", []),
            ("/x", "a.b", "Two", "si", ["a", 1]),
            ("/x", "a.b", "Two", "si", ["b", 2]),
            ("/x", "a.b", "Struct", "(si)", [("a", 1)]),
            ("/x", "a.b", "List", "as", [["a"]]),
            ("/x", "a.b", "List", "as", [["b"]]),
            ("/x", "a.b", "Any", "v", [Variant("a{sv}", {"k": Variant("i", 1)})]),
            ("/x", "a.b", "Renamed", "s", ["x"]),
        ]

    serve(bus, test, Signals("a.b"))


def test_what_cannot_be_emitted(bus: Any) -> None:
    # dbus-fast lets errors of its encoder out where nothing else has noticed.
    encoder = pick(ours=Mismatch, reference=Exception, why="one error for values of wrong types")

    async def test(pair: Pair, signals: Signals) -> None:
        for name, value, error in [
            ("Nothing", 5, Mismatch),
            ("Two", ["a"], Mismatch),
            ("Two", "ab", Mismatch),
            ("Two", None, encoder),
            ("Two", [1, "a"], encoder),
            ("One", None, encoder),
            ("One", 5, encoder),
            ("Any", "x", encoder),
        ]:
            with pytest.raises(error):
                getattr(signals, name)(value)
        with pytest.raises(KeyError):
            signals.Raises()
        with pytest.raises(api.SignalDisabledError):
            signals.Disabled()
        assert await pair.heard() == []

    serve(bus, test, Signals("a.b"))


def test_descriptors(bus: Any) -> None:
    async def test(pair: Pair) -> None:
        signals = Signals("a.b")
        pair.service.export("/x", signals)
        await pair.listen()
        reader, writer = os.pipe()
        signals.Descriptor(reader)
        await pair.call("Ping", interface="org.freedesktop.DBus.Peer")
        (signal,) = pair.signals
        for index in (signal.body[0], signal.body[1].value):
            assert os.path.sameopenfile(signal.unix_fds[index], reader)
        for descriptor in (reader, writer, *signal.unix_fds):
            os.close(descriptor)

    on_bus(bus, test, negotiate_unix_fd=True)


@pytest.mark.parametrize(
    "changed, invalidated, expected",
    [
        ({}, [], {}),
        ({"Text": "new"}, [], {"Text": Variant("s", "new")}),
        ({"Text": "new"}, ["Pair"], {"Text": Variant("s", "new")}),
        ({}, ["unknown"], {}),
        ({"unknown": 5, "Text": "new"}, [], {"Text": Variant("s", "new")}),
        ({"named": "x"}, [], {}),
        ({"Named": Variant("s", "x")}, [], {"Named": Variant("v", Variant("s", "x"))}),
        ({"Secret": "x"}, [], {"Secret": Variant("s", "x")}),
        ({"Pair": ["b", 2]}, [], {"Pair": Variant("(si)", ("b", 2))}),
    ],
)
def test_properties_changed(
    bus: Any, changed: dict[str, Any], invalidated: list[str], expected: dict[str, Any]
) -> None:
    async def test(pair: Pair, props: Props) -> None:
        props.emit_properties_changed(changed, invalidated)
        assert await pair.heard() == [
            (
                "/x",
                PROPERTIES,
                "PropertiesChanged",
                "sa{sv}as",
                ["a.b", expected, invalidated],
            )
        ]

    serve(bus, test, Props())


@pytest.mark.parametrize("value", [5, None, Variant("s", "x")])
def test_a_changed_property_has_its_type(bus: Any, value: Any) -> None:
    async def test(pair: Pair, props: Props) -> None:
        with pytest.raises(Mismatch):
            props.emit_properties_changed({"Text": value})
        assert await pair.heard() == []

    serve(bus, test, Props())


# --- Exports


def test_export_and_unexport(bus: Any) -> None:
    async def test(pair: Pair, props: Props) -> None:
        one, two, three = (service.ServiceInterface(f"e.{name}") for name in "abc")
        pair.service.export("/x", one)
        pair.service.export("/x", two)
        pair.service.export("/", three)
        assert await pair.heard() == [
            ("/x", *ADDED, ["/x", {"e.a": {}}]),
            ("/x", *ADDED, ["/x", {"e.b": {}}]),
            ("/", *ADDED, ["/", {"e.c": {}}]),
        ]
        pair.service.unexport("/x", one)
        pair.service.unexport("/", "e.c")
        pair.service.unexport("/x")
        assert await pair.heard() == [
            ("/x", *REMOVED, ["/x", ["e.a"]]),
            ("/", *REMOVED, ["/", ["e.c"]]),
            ("/x", *REMOVED, ["/x", ["a.b", "e.b"]]),
        ]
        props.One("nobody hears")
        pair.service.unexport("/x")
        pair.service.unexport("/x", "e.b")
        pair.service.unexport("/nope", one)
        assert await pair.heard() == []
        pair.service.export("/again", props)
        props.One("heard again")
        assert await pair.heard() == [
            ("/again", *ADDED, ["/again", {"a.b": VALUES}]),
            ("/again", "a.b", "One", "s", ["heard again"]),
        ]

    serve(bus, test, Props())


def test_exports_that_are_refused(bus: Any) -> None:
    async def test(pair: Pair, props: Props) -> None:
        export, unexport = pair.service.export, pair.service.unexport
        with pytest.raises(ValueError):
            export("/x", props)
        with pytest.raises(ValueError):
            export("/other", props)
        with pytest.raises(ValueError):
            export("/x", Props())
        with pytest.raises(api.InvalidObjectPathError):
            export("x", Props())
        with pytest.raises(TypeError):
            export(5, Props())
        with pytest.raises(TypeError):
            export("/x", object())
        with pytest.raises(api.InvalidObjectPathError):
            unexport("x", props)
        with pytest.raises(TypeError):
            unexport("/x", 5)
        assert await pair.heard() == []
        props.One("still there")
        assert [signal[2] for signal in await pair.heard()] == ["One"]

    serve(bus, test, Props())


@pytest.mark.parametrize("problem", [KeyError("x"), api.DBusError("a.b.C", "text"), 5])
def test_an_object_is_announced_without_what_cannot_be_read(bus: Any, problem: Any) -> None:
    values = {name: value for name, value in VALUES.items() if name != "Text"}

    async def test(pair: Pair, props: Props) -> None:
        pair.service.unexport("/x")
        props.value = problem
        await pair.heard()
        pair.service.export("/x", props)
        assert await pair.heard() == [("/x", *ADDED, ["/x", {"a.b": values}])]

    serve(bus, test, Props())


def test_asynchronous_getters_are_waited_for(bus: Any) -> None:
    class Later(Props):
        @dbus_property(READ)
        async def Text(self) -> "s":
            await asyncio.sleep(0)
            if isinstance(self.value, Exception):
                raise self.value.with_traceback(None)
            return self.value

    async def test(pair: Pair, _signals: Signals) -> None:
        announced = asyncio.Event()

        def heard(message: Any) -> None:
            if message.member == "InterfacesAdded" and message.body[0] == "/later":
                announced.set()

        pair.client.add_message_handler(heard)
        later = Later("a.later")
        for value, values in [
            ("x", VALUES),
            (KeyError("x"), {name: VALUES[name] for name in VALUES if name != "Text"}),
        ]:
            later.value = value
            pair.service.export("/later", later)
            await announced.wait()
            announced.clear()
            assert await pair.heard() == [("/later", *ADDED, ["/later", {"a.later": values}])]
            pair.service.unexport("/later")
            await pair.heard()

    serve(bus, test, Signals("a.b"))


def test_one_instance_on_two_buses(bus: Any) -> None:
    async def test(pair: Pair, props: Props) -> None:
        other = await MessageBus(bus_address=bus.address).connect()
        other.export("/other", props)
        both = Pair(other, pair.client)
        await both.listen()
        props.One("x")
        props.emit_properties_changed({"Text": "x"})
        assert [signal[:3] for signal in await pair.heard()] == [
            ("/x", "a.b", "One"),
            ("/x", PROPERTIES, "PropertiesChanged"),
        ]
        assert [signal[:3] for signal in await both.heard()] == [
            ("/other", "a.b", "One"),
            ("/other", PROPERTIES, "PropertiesChanged"),
        ]
        pair.service.unexport("/x", props)
        props.One("x")
        assert [signal[2] for signal in await pair.heard()] == ["InterfacesRemoved"]
        assert [signal[2] for signal in await both.heard()] == ["One"]
        other.disconnect()
        await other.wait_for_disconnect()
        assert props.One("x") == "x"
        props.emit_properties_changed({"Text": "x"})

    serve(bus, test, Props())


def test_exported_before_the_bus_is_connected(bus: Any) -> None:
    async def test() -> None:
        early = MessageBus(bus_address=bus.address)
        props = Props()
        if pick(
            ours=True,
            reference=False,
            why="dbus-fast cannot send the announcement, and raises AttributeError",
        ):
            early.export("/x", props)
            assert props.One("nobody hears") == "nobody hears"
        else:
            with pytest.raises(AttributeError):
                early.export("/x", props)
        await early.connect()
        client = await MessageBus(bus_address=bus.address).connect()
        pair = Pair(early, client)
        await pair.listen()
        props.One("x")
        assert await pair.heard() == [("/x", "a.b", "One", "s", ["x"])]
        assert await pair.property("Get", "ss", "a.b", "Text") == [Variant("s", "x")]
        early.disconnect()
        client.disconnect()

    run(test())


def test_unexporting_by_another_instance_means_the_name(bus: Any) -> None:
    async def test(pair: Pair, props: Props) -> None:
        pair.service.unexport("/x", Props())
        assert await pair.heard() == [("/x", *REMOVED, ["/x", ["a.b"]])]
        props.One("nobody hears")
        assert await pair.heard() == []
        pair.service.export("/x", props)
        assert [signal[2] for signal in await pair.heard()] == ["InterfacesAdded"]

    serve(bus, test, Props())
