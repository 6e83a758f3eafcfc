# SPDX-License-Identifier: MIT
# ruff: noqa: F722, F821
"""The standard interfaces of exported objects: Introspectable, ObjectManager and Peer."""

from __future__ import annotations

from typing import Any

import pytest
from api import api, api_module, pick
from service_model import DBUS, MANAGER, Pair, on_bus

introspection = api_module("introspection")
service = api_module("service")
READ = api.PropertyAccess.READ
Variant = api.Variant
UNKNOWN_METHOD = api.ErrorType.UNKNOWN_METHOD.value
INTROSPECTABLE, PEER = DBUS + ".Introspectable", DBUS + ".Peer"


class Thing(service.ServiceInterface):
    @service.dbus_method()
    def Do(self, what: "s", how: "a{sv}") -> "si":
        raise AssertionError

    @service.dbus_property(READ)
    def Name(self) -> "s":
        return self.name

    @service.dbus_property()
    def Size(self) -> "u":
        return 1

    @Size.setter
    def Size(self, value: "u"): ...

    @service.dbus_signal()
    def Done(self) -> "s":
        raise AssertionError


def properties(name: str) -> dict[str, Any]:
    return {"Name": Variant("s", name), "Size": Variant("u", 1)}


def tree(bus: Any, test: Any) -> None:
    """Run `test(pair)` with five interfaces at four paths."""

    async def exported(pair: Pair) -> None:
        for path, name in [
            ("/x", "a.b"),
            ("/x/y", "b.c"),
            ("/x/y", "b.d"),
            ("/xz", "b.d"),
            ("/x/y/z/w", "e.e"),
        ]:
            pair.service.export(path, Thing(name))
        await test(pair)

    on_bus(bus, exported)


async def introspect(pair: Pair, path: str) -> Any:
    (data,) = await pair.call("Introspect", interface=INTROSPECTABLE, path=path)
    return data


@pytest.mark.parametrize(
    "path, interfaces, children",
    [
        ("/", [], {"x", "xz"}),
        ("/x", ["a.b"], {"y"}),
        ("/x/y", ["b.c", "b.d"], {"z"}),
        ("/x/y/z", [], {"w"}),
        ("/x/y/z/w", ["e.e"], set()),
        ("/x/y/z/w/v", [], set()),
        ("/nope", [], set()),
    ],
)
def test_introspect(bus: Any, path: str, interfaces: list[str], children: set[str]) -> None:
    async def test(pair: Pair) -> None:
        node = introspection.Node.parse(await introspect(pair, path))
        assert node.name == path
        standard = introspection.Node.default().interfaces if interfaces else []
        names = [interface.name for interface in standard] + interfaces
        assert [interface.name for interface in node.interfaces] == names
        assert {child.name for child in node.nodes} == children
        assert not any(child.interfaces or child.nodes for child in node.nodes)

    tree(bus, test)


def test_introspection_data(bus: Any) -> None:
    async def test(pair: Pair) -> None:
        node = introspection.Node.default("/x/y/z/w")
        node.interfaces.append(Thing("e.e").introspect())
        assert await introspect(pair, "/x/y/z/w") == node.tostring()

    tree(bus, test)


def test_the_bus_can_read_it(bus: Any) -> None:
    async def test(pair: Pair) -> None:
        node = await pair.client.introspect(pair.service.unique_name, "/x/y")
        thing = node.interfaces[-1]
        (do,) = thing.methods
        assert (do.name, do.in_signature, do.out_signature) == ("Do", "sa{sv}", "si")
        assert [argument.name for argument in do.in_args] == ["what", "how"]
        assert [(each.name, each.signature) for each in thing.signals] == [("Done", "s")]
        assert [(each.name, each.access.value) for each in thing.properties] == [
            ("Name", "read"),
            ("Size", "readwrite"),
        ]

    tree(bus, test)


@pytest.mark.parametrize(
    "path, expected",
    [
        ("/", {"/x": ["a.b"], "/x/y": ["b.c", "b.d"], "/xz": ["b.d"], "/x/y/z/w": ["e.e"]}),
        ("/x", {"/x/y": ["b.c", "b.d"], "/x/y/z/w": ["e.e"]}),
        ("/x/y/z", {"/x/y/z/w": ["e.e"]}),
        ("/x/y/z/w", {}),
        ("/nope", {}),
    ],
)
def test_managed_objects(bus: Any, path: str, expected: dict[str, list[str]]) -> None:
    async def test(pair: Pair) -> None:
        found = await pair.call("GetManagedObjects", interface=MANAGER, path=path)
        assert found == [
            {below: {name: properties(name) for name in names} for below, names in expected.items()}
        ]

    tree(bus, test)


def test_the_root_manages_itself(bus: Any) -> None:
    async def test(pair: Pair) -> None:
        pair.service.export("/", Thing("r.r"))
        found = await pair.call("GetManagedObjects", interface=MANAGER, path="/")
        assert found == [{"/": {"r.r": properties("r.r")}}]

    on_bus(bus, test)


@pytest.mark.parametrize("path", ["/", "/x", "/nope"])
def test_peer(bus: Any, path: str) -> None:
    async def test(pair: Pair) -> None:
        assert await pair.call("Ping", interface=PEER, path=path) == []
        (machine,) = await pair.call("GetMachineId", interface=PEER, path=path)
        assert len(machine) == 32 and int(machine, 16) >= 0
        assert (await pair.call("Nope", interface=PEER, path=path))[0] == UNKNOWN_METHOD

    tree(bus, test)


@pytest.mark.parametrize(
    "interface, member, signature, body",
    [
        (INTROSPECTABLE, "Introspect", "s", ["x"]),
        (INTROSPECTABLE, "Nope", "", []),
        (MANAGER, "Nope", "", []),
        (None, "Introspect", "", []),
        (None, "GetManagedObjects", "", []),
    ],
)
def test_wrong_calls(bus: Any, interface: Any, member: str, signature: str, body: Any) -> None:
    async def test(pair: Pair) -> None:
        found = await pair.call(member, signature, *body, interface=interface)
        assert found == (
            UNKNOWN_METHOD,
            f'{interface}.{member} with signature "{signature}" could not be found',
        )

    tree(bus, test)


def test_arguments_of_get_managed_objects(bus: Any) -> None:
    async def test(pair: Pair) -> None:
        found = await pair.call("GetManagedObjects", "s", "x", interface=MANAGER)
        refused = pick(
            ours=True, reference=False, why="dbus-fast does not look at the signature here"
        )
        assert (found[0] == UNKNOWN_METHOD) is refused

    tree(bus, test)


class Own(service.ServiceInterface):
    """Names that the standard interfaces have too."""

    @service.dbus_method()
    def GetManagedObjects(self) -> "s":
        return "own"

    @service.dbus_method()
    def Introspect(self) -> "s":
        return "own"

    @service.dbus_method()
    def Other(self) -> "s":
        return "other"


def test_own_members_of_standard_interfaces(bus: Any) -> None:
    async def test(pair: Pair) -> None:
        pair.service.export("/x", Own(MANAGER))
        managed = await pair.call("GetManagedObjects", interface=MANAGER, path="/x")
        assert managed == [{}]  # the standard method comes first
        assert await pair.call("Other", interface=MANAGER) == ["other"]
        assert await pair.call("Introspect", interface=None) == ["own"]
        assert (await introspect(pair, "/x")).count(f'"{MANAGER}"') == 2

    on_bus(bus, test)
