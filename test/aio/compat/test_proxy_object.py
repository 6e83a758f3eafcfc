# SPDX-License-Identifier: MIT
"""Proxies of objects, and what the proxies of their interfaces offer."""

from __future__ import annotations

import inspect
from typing import Any
from xml.etree.ElementTree import ElementTree, fromstring

import pytest
from api import api, pick
from proxy_peer import NAME, PATH, introspection, proxy_object, run_client

Node = introspection.Node
ProxyInterface = proxy_object.ProxyInterface
ProxyObject = proxy_object.ProxyObject

DATA = """
<node name="/named">
  <interface name="test.One">
    <method name="DoIt"><arg type="s"/><arg type="i" direction="out"/></method>
    <property name="Size" type="u" access="read"/>
    <property name="Secret" type="s" access="write"/>
    <signal name="HasChanged"><arg type="s"/></signal>
  </interface>
  <interface name="test.Two"/>
  <node name="child"><interface name="test.Child"/><node name="below"/></node>
  <node name="other"/>
</node>
"""
VERBS = ("call_", "get_", "set_", "on_", "off_")


def methods(interface: Any) -> set[str]:
    """What an interface offers for its members."""
    return {name for name in dir(interface) if name.startswith(VERBS)}


def of_members(bus: Any, members: str, validate: bool = True) -> Any:
    data = f'<node><interface name="a.b">{members}</interface></node>'
    node = Node.parse(data, validate_property_names=validate)
    return ProxyObject(NAME, PATH, node, bus).get_interface("a.b")


def test_attributes(bus: Any) -> None:
    async def body(client: Any) -> None:
        node = Node.parse(DATA)
        for proxy in (
            ProxyObject(NAME, PATH, node, client),
            ProxyObject(bus_name=NAME, path=PATH, introspection=node, bus=client),
            client.get_proxy_object(NAME, PATH, node),
        ):
            assert type(proxy) is ProxyObject
            assert isinstance(proxy, api.proxy_object.BaseProxyObject)
            assert (proxy.bus_name, proxy.path) == (NAME, PATH)
            assert proxy.introspection is node
            assert proxy.bus is client
            assert proxy.ProxyInterface is ProxyInterface
        one = proxy.get_interface("test.One")
        assert isinstance(one, ProxyInterface)
        assert isinstance(one, api.proxy_object.BaseProxyInterface)
        assert (one.bus_name, one.path) == (NAME, PATH)
        assert one.introspection is node.interfaces[0]
        assert one.bus is client

    run_client(bus.address, body)


def test_introspection_as_text_and_as_element(bus: Any) -> None:
    async def body(client: Any) -> None:
        for data in (DATA, fromstring(DATA)):
            proxy = ProxyObject(NAME, PATH, data, client)
            assert isinstance(proxy.introspection, Node)
            assert [i.name for i in proxy.introspection.interfaces] == ["test.One", "test.Two"]
            assert proxy.get_interface("test.One").introspection.methods[0].name == "DoIt"
        nameless = fromstring("<node/>")
        try:
            assert ProxyObject(NAME, PATH, nameless, client).introspection.name is None
            found = "taken"
        except api.InvalidIntrospectionError:
            found = "refused"
        assert found == pick(
            ours="taken", reference="refused", why="as text it is taken without a name too"
        )

    run_client(bus.address, body)


BAD_ARGUMENTS = [
    ("!", "/", DATA, "InvalidBusNameError"),
    ("", "/", DATA, "InvalidBusNameError"),
    ("a.b", "x", DATA, "InvalidObjectPathError"),
    ("a.b", "", DATA, "InvalidObjectPathError"),
    ("a.b", "/x/", DATA, "InvalidObjectPathError"),
    ("a.b", "/", "<interface/>", "InvalidIntrospectionError"),
    ("a.b", "/", "<node><interface/></node>", "InvalidIntrospectionError"),
    ("a.b", "/", '<node><node name=""/></node>', "InvalidIntrospectionError"),
    ("a.b", "/", '<node><interface name="bad"/></node>', "InvalidInterfaceNameError"),
]


def test_bad_arguments(bus: Any) -> None:
    async def body(client: Any) -> None:
        for bus_name, path, data, error in BAD_ARGUMENTS:
            with pytest.raises(getattr(api, error)):
                ProxyObject(bus_name, path, data, client)
            with pytest.raises(getattr(api, error)):
                client.get_proxy_object(bus_name, path, data)

    run_client(bus.address, body)


WRONG_CLASSES = [
    (None, "/", DATA),
    (5, "/", DATA),
    ("a.b", None, DATA),
    ("a.b", 5, DATA),
    ("a.b", "/", None),
    ("a.b", "/", 5),
    ("a.b", "/", DATA.encode()),
    ("a.b", "/", ElementTree(fromstring(DATA))),
    ("a.b", "/", introspection.Interface("a.b")),
]


def test_arguments_of_another_class(bus: Any) -> None:
    async def body(client: Any) -> None:
        for arguments in WRONG_CLASSES:
            with pytest.raises(TypeError):
                ProxyObject(*arguments, client)

    run_client(bus.address, body)


def test_interfaces(bus: Any) -> None:
    async def body(client: Any) -> None:
        proxy = ProxyObject(NAME, PATH, DATA, client)
        one = proxy.get_interface("test.One")
        assert proxy.get_interface("test.One") is one
        assert proxy.get_interface(name="test.Two") is proxy.get_interface("test.Two")
        assert ProxyObject(NAME, PATH, DATA, client).get_interface("test.One") != one
        for name in ("test.Three", "test.Child", "", "no name", None, 5):
            with pytest.raises(api.InterfaceNotFoundError):
                proxy.get_interface(name)
        proxy.introspection.interfaces.append(introspection.Interface("test.Three"))
        assert proxy.get_interface("test.Three").introspection.name == "test.Three"

    run_client(bus.address, body)


def test_the_first_of_two_interfaces_with_one_name(bus: Any) -> None:
    async def body(client: Any) -> None:
        data = """<node><interface name="a.b"><method name="X"/></interface>
            <interface name="a.b"><method name="Y"/></interface></node>"""
        one = ProxyObject(NAME, PATH, data, client).get_interface("a.b")
        assert methods(one) == {"call_x"}

    run_client(bus.address, body)


def test_children(bus: Any) -> None:
    async def body(client: Any) -> None:
        proxy = ProxyObject(NAME, "/some", DATA, client)
        assert proxy.child_paths == ["/some/child", "/some/other"]
        children = proxy.get_children()
        assert [type(child) for child in children] == [ProxyObject] * 2
        assert [child.bus_name for child in children] == [NAME] * 2
        assert [child.bus for child in children] == [client] * 2
        assert [child.introspection for child in children] == proxy.introspection.nodes
        assert [child.path for child in children] == pick(
            ours=["/some/child", "/some/other"],
            reference=["/some", "/some"],
            why="a child has a path of its own, so that its interfaces can be used",
        )
        assert children[0].child_paths == [children[0].path + "/below"]
        assert children[0].get_interface("test.Child").path == children[0].path
        assert all(a is b for a, b in zip(children, proxy.get_children()))

    run_client(bus.address, body)


def test_children_of_the_root(bus: Any) -> None:
    async def body(client: Any) -> None:
        data = '<node><node name="child"/><node name="a/b"/><node name="/abs/olute"/></node>'
        assert ProxyObject(NAME, "/", data, client).child_paths == pick(
            ours=["/child", "/a/b", "/abs/olute"],
            reference=["//child", "//a/b", "///abs/olute"],
            why="those are no object paths",
        )

    run_client(bus.address, body)


def test_no_members_and_no_children(bus: Any) -> None:
    async def body(client: Any) -> None:
        proxy = ProxyObject(NAME, PATH, Node(interfaces=[introspection.Interface("a.b")]), client)
        assert methods(proxy.get_interface("a.b")) == set()
        assert proxy.child_paths == proxy.get_children() == []

    run_client(bus.address, body)


def test_a_class_of_interfaces(bus: Any) -> None:
    class Own(ProxyInterface):  # type: ignore[misc, valid-type]
        def hello(self) -> str:
            return f"hello from {self.bus_name}"

    async def body(client: Any) -> None:
        base = api.proxy_object.BaseProxyObject
        proxy = base(NAME, PATH, DATA, client, Own)
        assert proxy.ProxyInterface is Own
        one = proxy.get_interface("test.One")
        assert isinstance(one, Own)
        assert one.hello() == f"hello from {NAME}"
        assert "call_do_it" in methods(one)

    run_client(bus.address, body)


def test_a_class_of_objects(bus: Any) -> None:
    class Own(ProxyObject):  # type: ignore[misc, valid-type]
        pass

    async def body(client: Any) -> None:
        children = Own(NAME, PATH, DATA, client).get_children()
        assert [type(child) for child in children] == [Own, Own]

    run_client(bus.address, body)


def test_the_methods_of_an_interface(bus: Any) -> None:
    async def body(client: Any) -> None:
        one = ProxyObject(NAME, PATH, DATA, client).get_interface("test.One")
        # Access says nothing: a service may have more to give than it describes.
        assert methods(one) == {
            "call_do_it",
            "get_size",
            "set_size",
            "get_secret",
            "set_secret",
            "on_has_changed",
            "off_has_changed",
        }
        for name in methods(one):
            method = getattr(one, name)
            assert inspect.ismethod(method)
            assert method.__self__ is one
            assert method == getattr(one, name)
            is_async = name.startswith(("call_", "get_", "set_"))
            assert inspect.iscoroutinefunction(method) is is_async
        for name in ("call_nothing", "get_do_it", "on_size", "DoIt", "colour", "call_"):
            assert not hasattr(one, name)
            with pytest.raises(AttributeError, match=name):
                getattr(one, name)

    run_client(bus.address, body)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("call_do_it", ["*args", "flags", "unpack_variants"]),
        ("get_size", ["flags", "unpack_variants"]),
        ("set_size", ["val"]),
        ("on_has_changed", ["fn", "unpack_variants"]),
        ("off_has_changed", ["fn", "unpack_variants"]),
    ],
)
def test_the_parameters_of_the_methods(bus: Any, name: str, parameters: list[str]) -> None:
    async def body(client: Any) -> None:
        one = ProxyObject(NAME, PATH, DATA, client).get_interface("test.One")
        found = inspect.signature(getattr(one, name)).parameters
        # Ours have a keyword more.
        rest = {key: value for key, value in found.items() if key != "timeout"}
        assert [str(value).split(":")[0].split("=")[0] for value in rest.values()] == parameters
        for key in ("flags", "unpack_variants"):
            if key in found:
                assert found[key].kind is inspect.Parameter.KEYWORD_ONLY
                assert found[key].default == 0

    run_client(bus.address, body)


def test_methods_can_be_replaced(bus: Any) -> None:
    async def body(client: Any) -> None:
        one = ProxyObject(NAME, PATH, DATA, client).get_interface("test.One")
        one.call_do_it = lambda text: text * 2
        assert one.call_do_it("ab") == "abab"

    run_client(bus.address, body)


SNAKE_CASE = """
    Get get    GetX get_x    getX get_x    get_x get_x    XMLThing xml_thing    A a    a a    AB ab
    ABC abc    ABc a_bc    aB a_b    a1 a1    HTTPServer2Go http_server2_go    GetHTTP2 get_http2
    A1B2 a1_b2    A1b2c3 a1b2c3    Foo_Bar foo__bar    FooBar_Baz foo_bar__baz    Foo_B foo_b
    __x __x    _X _x    _Xa __xa    X_ x_    x__Y x__y    FooBAR foo_bar
    IPv4Address i_pv4_address
    UUIDs uui_ds    GetUUIDs get_uui_ds    ABcDeF a_bc_de_f    AbCDeFGh ab_c_de_f_gh    X1Y x1_y
    ObjectManagerX object_manager_x    MACAddress mac_address    mtu2 mtu2    X1Y2Z x1_y2_z
    A_1B a_1_b    aBC a_bc    aBCd a_b_cd    1A 1_a    1Ab 1_ab    Ab1Cd ab1_cd    ab-cd ab-cd
    Ab-Cd ab-_cd    Ab.C ab.c    Äb äb    ÄB äb    bÄ bä    bÄc bäc    Aéb aéb    AÉ aé
    aAé a_aé    éA éa    éAb é_ab
""".split()


def test_snake_case(bus: Any) -> None:
    async def body(client: Any) -> None:
        for member, name in zip(SNAKE_CASE[::2], SNAKE_CASE[1::2]):
            one = of_members(client, f'<property name="{member}" type="s"/>', validate=False)
            assert methods(one) == {f"get_{name}", f"set_{name}"}, member
            if member.isascii() and member.isidentifier():
                one = of_members(client, f'<method name="{member}"/><signal name="{member}"/>')
                assert methods(one) == {f"call_{name}", f"on_{name}", f"off_{name}"}, member

    run_client(bus.address, body)


def test_names_of_properties(bus: Any) -> None:
    async def body(client: Any) -> None:
        data = '<node><interface name="a.b"><property name="a.b" type="s"/></interface></node>'
        with pytest.raises(api.InvalidMemberNameError):
            ProxyObject(NAME, PATH, data, client)
        node = Node.parse(data, validate_property_names=False)
        assert methods(ProxyObject(NAME, PATH, node, client).get_interface("a.b")) == {
            "get_a.b",
            "set_a.b",
        }

    run_client(bus.address, body)


def test_members_of_different_kinds_with_one_name(bus: Any) -> None:
    async def body(client: Any) -> None:
        one = of_members(
            client, '<method name="X"/><property name="X" type="s"/><signal name="X"/>'
        )
        assert methods(one) == {"call_x", "get_x", "set_x", "on_x", "off_x"}

    run_client(bus.address, body)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Introspectable", {"call_introspect"}),
        ("Peer", {"call_ping", "call_get_machine_id"}),
        (
            "Properties",
            {
                "call_get",
                "call_set",
                "call_get_all",
                "on_properties_changed",
                "off_properties_changed",
            },
        ),
        (
            "ObjectManager",
            {
                "call_get_managed_objects",
                "on_interfaces_added",
                "off_interfaces_added",
                "on_interfaces_removed",
                "off_interfaces_removed",
            },
        ),
    ],
)
def test_standard_interfaces(bus: Any, name: str, expected: set[str]) -> None:
    async def body(client: Any) -> None:
        proxy = ProxyObject(NAME, PATH, Node.default(), client)
        assert methods(proxy.get_interface(f"org.freedesktop.DBus.{name}")) == expected

    run_client(bus.address, body)
