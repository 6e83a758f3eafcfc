# SPDX-License-Identifier: MIT
"""The classes of introspection: constructors, elements, text."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
from api import REFERENCE, api_module, pick
from introspection_model import describe, describe_interface, describe_method

introspection = api_module("introspection")
errors = api_module("errors")
signature = api_module("signature")
constants = api_module("constants")

Arg = introspection.Arg
Signal = introspection.Signal
Method = introspection.Method
Property = introspection.Property
Interface = introspection.Interface
Node = introspection.Node
IN, OUT = constants.ArgDirection.IN, constants.ArgDirection.OUT
READ, READWRITE = constants.PropertyAccess.READ, constants.PropertyAccess.READWRITE

INTROSPECTION = errors.InvalidIntrospectionError
SIGNATURE = errors.InvalidSignatureError
MEMBER = errors.InvalidMemberNameError
INTERFACE = errors.InvalidInterfaceNameError

BAD_MEMBERS = ["", "1", "a.b", "a b", "\xe9", "-a", "x" * 256, "/"]
CLASSES = [Arg, Signal, Method, Property, Interface, Node]
MAKERS: list[Callable[[], Any]] = [
    lambda: Arg("s"),
    lambda: Signal("S"),
    lambda: Method("M"),
    lambda: Property("P", "s"),
    lambda: Interface("a.b"),
    lambda: Node("/"),
]


def xml(value: Any) -> str:
    element = value.to_xml()
    assert type(element) is ET.Element
    return ET.tostring(element, encoding="unicode")


# --- Constructors


def test_defaults() -> None:
    assert vars(Arg("s")) == {
        "type": signature.get_signature_tree("s").types[0],
        "signature": "s",
        "name": None,
        "direction": None,
        "annotations": {},
    }
    assert vars(Signal("S")) == {"name": "S", "args": [], "signature": "", "annotations": {}}
    assert vars(Method("M")) == {
        "name": "M",
        "in_args": [],
        "out_args": [],
        "in_signature": "",
        "out_signature": "",
        "annotations": {},
    }
    assert vars(Property("P", "s")) == {
        "name": "P",
        "signature": "s",
        "access": READWRITE,
        "type": signature.get_signature_tree("s").types[0],
        "annotations": {},
    }
    assert vars(Interface("a.b")) == {
        "name": "a.b",
        "methods": [],
        "signals": [],
        "properties": [],
        "annotations": {},
    }
    assert vars(Node()) == {"interfaces": [], "nodes": [], "name": None, "is_root": True}


def test_positions() -> None:
    notes = {"a": "b"}
    arg = Arg("s", OUT, "n", notes)
    assert (arg.signature, arg.direction, arg.name, arg.annotations) == ("s", OUT, "n", notes)
    other = Arg("i")
    signal = Signal("S", [arg, other], notes)
    assert (signal.args, signal.signature, signal.annotations) == ([arg, other], "si", notes)
    method = Method("M", [arg], [other, arg], notes)
    assert (method.in_args, method.out_args) == ([arg], [other, arg])
    assert (method.in_signature, method.out_signature) == ("s", "is")
    property_ = Property("P", "as", READ, notes, False)
    assert (property_.access, property_.annotations) == (READ, notes)
    assert property_.type.signature == "as"
    interface = Interface("a.b", [method], [signal], [property_], notes)
    assert (interface.methods, interface.signals) == ([method], [signal])
    assert (interface.properties, interface.annotations) == ([property_], notes)
    node = Node("/", [interface], False)
    assert (node.name, node.interfaces, node.is_root) == ("/", [interface], False)


def test_keywords() -> None:
    arg = Arg(signature="s", direction=IN, name="n", annotations={})
    signal = Signal(name="S", args=[arg], annotations={})
    method = Method(name="M", in_args=[arg], out_args=[], annotations={})
    property_ = Property(name="P", signature="s", access=READ, annotations={}, validate=True)
    interface = Interface(
        name="a.b", methods=[method], signals=[signal], properties=[property_], annotations={}
    )
    node = Node(name="/a", interfaces=[interface], is_root=True)
    assert Node.parse(data=node.tostring(), validate_property_names=True).name == "/a"
    element = node.to_xml()
    read = Node.from_xml(element=element, is_root=True, validate_property_names=True)
    assert describe(read).interfaces[0].name == "a.b"
    assert Interface.from_xml(element=element[0], validate_property_names=False).name == "a.b"
    assert Arg.from_xml(element=ET.fromstring("<arg type='s'/>"), direction=IN).direction is IN
    assert Node.default(name="/b").name == "/b"


def test_containers_are_kept() -> None:
    notes = {"a": "b"}
    for made in [
        Arg("s", annotations=notes),
        Signal("S", annotations=notes),
        Method("M", annotations=notes),
        Property("P", "s", annotations=notes),
        Interface("a.b", annotations=notes),
    ]:
        assert made.annotations is notes
    args = [Arg("s")]
    assert Signal("S", args).args is args
    method = Method("M", args, args)
    assert method.in_args is args and method.out_args is args
    interfaces: list[Any] = []
    assert Node("/", interfaces).interfaces is interfaces
    methods: list[Any] = []
    assert Interface("a.b", methods).methods is methods


def test_default_lists_are_new() -> None:
    shared = Method("A").in_args is Method("B").in_args
    assert shared is pick(
        ours=False, reference=True, why="arguments added to one method belong to no other"
    )
    assert Signal("A").args is not Signal("B").args
    assert Interface("a.b").methods is not Interface("a.b").methods
    assert Node("a").interfaces is not Node("a").interfaces
    assert Node("a").nodes is not Node("a").nodes
    assert Arg("s").annotations is not Arg("s").annotations


def test_arg_takes_a_type() -> None:
    kind = signature.SignatureTree("a{sv}").types[0]
    arg = Arg(kind, IN)
    assert arg.type is kind
    assert arg.signature == "a{sv}"
    assert xml(arg) == '<arg direction="in" type="a{sv}" />'
    inner = kind.children[0].children[1]
    assert Arg(inner).signature == "v"


@pytest.mark.parametrize("text", ["", "ss", "a{sv}i", "(s)(s)"])
def test_not_one_type(text: str) -> None:
    with pytest.raises(INTROSPECTION):
        Arg(text)
    with pytest.raises(INTROSPECTION):
        Property("P", text)


@pytest.mark.parametrize("text", ["!", "a", "a{s", "()", "(s", "a{}", "s!", "\xe9", "a" * 300])
def test_no_signature(text: str) -> None:
    with pytest.raises(SIGNATURE):
        Arg(text)
    with pytest.raises(SIGNATURE):
        Property("P", text)


@pytest.mark.parametrize("value", [None, 5, b"s", ["s"]])
def test_signature_of_another_class(value: Any) -> None:
    with pytest.raises(TypeError):
        Arg(value)
    with pytest.raises(TypeError):
        Property("P", value)


@pytest.mark.parametrize("name", BAD_MEMBERS)
def test_wrong_member_names(name: str) -> None:
    for make in [Signal, Method]:
        with pytest.raises(MEMBER) as caught:
            make(name)
        assert name in str(caught.value)
    with pytest.raises(MEMBER):
        Property(name, "s")
    # The name comes first.
    with pytest.raises(MEMBER):
        Property(name, "!")
    assert Property(name, "s", validate=False).name == name
    # Any name will do for an argument.
    assert Arg("s", name=name).name == name


def test_no_name() -> None:
    with pytest.raises(MEMBER):
        Method(None)
    with pytest.raises(MEMBER):
        Property(None, "s")
    with pytest.raises(INTERFACE):
        Interface(None)
    assert Signal(None).name is None
    with pytest.raises(TypeError):
        xml(Signal(None))
    assert Property(None, "s", validate=False).name is None


@pytest.mark.parametrize("name", ["", "a", "1.a", "a-b.c", "a.", "a..b", ":1.2", "a." + "b" * 254])
def test_wrong_interface_names(name: str) -> None:
    with pytest.raises(INTERFACE):
        Interface(name)


@pytest.mark.parametrize("name", ["/", "/a", "a", "a/b", "/a/", "//", "a-b", "\xe9", "a b"])
def test_node_names(name: str) -> None:
    assert Node(name).name == name
    child = Node(name, is_root=False)
    assert (child.name, child.is_root) == (name, False)


@pytest.mark.parametrize("name", [None, ""])
def test_nodes_without_name(name: str | None) -> None:
    assert Node(name).name == name
    assert xml(Node(name)) == "<node />"
    with pytest.raises(INTROSPECTION):
        Node(name, is_root=False)


@pytest.mark.parametrize("make", MAKERS)
def test_identity(make: Callable[[], Any]) -> None:
    one, other = make(), make()
    assert one == one
    assert one != other
    assert len({one, other}) == 2
    assert repr(one).startswith(f"<{introspection.__name__}.{type(one).__name__} object at ")
    one.note = "attributes of the program's own are welcome"


# --- Elements


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Arg("s"), '<arg type="s" />'),
        (Arg("s", OUT, ""), '<arg direction="out" type="s" />'),
        (Arg("s", IN, "x"), '<arg name="x" direction="in" type="s" />'),
        (
            Arg("as", annotations={"k": "v", "<": '"&\n'}),
            '<arg type="as"><annotation name="k" value="v" />'
            '<annotation name="&lt;" value="&quot;&amp;&#10;" /></arg>',
        ),
        (Signal("S"), '<signal name="S" />'),
        (
            Signal("S", [Arg("s", name="x"), Arg("i", OUT)], {"k": "v"}),
            '<signal name="S"><arg name="x" type="s" /><arg direction="out" type="i" />'
            '<annotation name="k" value="v" /></signal>',
        ),
        (Method("M"), '<method name="M" />'),
        (
            Method("M", [Arg("s", OUT)], [Arg("i"), Arg("u", IN, "n")], {"k": "v"}),
            '<method name="M"><arg direction="out" type="s" /><arg type="i" />'
            '<arg name="n" direction="in" type="u" /><annotation name="k" value="v" /></method>',
        ),
        (Property("P", "s"), '<property name="P" type="s" access="readwrite" />'),
        (
            Property("P-1", "as", READ, {"k": "v"}),
            '<property name="P-1" type="as" access="read"><annotation name="k" value="v" />'
            "</property>",
        ),
        (Interface("a.b"), '<interface name="a.b" />'),
        (
            Interface("a.b", [Method("M")], [Signal("S")], [Property("P", "s")], {"k": "v"}),
            '<interface name="a.b"><method name="M" /><signal name="S" />'
            '<property name="P" type="s" access="readwrite" /><annotation name="k" value="v" />'
            "</interface>",
        ),
        (Node(), "<node />"),
        (Node("/a", [Interface("a.b")]), '<node name="/a"><interface name="a.b" /></node>'),
    ],
)
def test_to_xml(value: Any, expected: str) -> None:
    assert xml(value) == expected
    # Again: the elements are new.
    assert value.to_xml() is not value.to_xml()
    assert xml(value) == expected


def test_to_xml_follows_changes() -> None:
    method = Method("M")
    method.in_args = [Arg("s")]
    method.name = "N"
    method.annotations["a"] = "b"
    assert xml(method) == (
        '<method name="N"><arg type="s" /><annotation name="a" value="b" /></method>'
    )
    property_ = Property("P", "s")
    property_.signature = "i"
    property_.access = READ
    assert xml(property_) == '<property name="P" type="i" access="read" />'
    node = Node("/a")
    node.interfaces = (Interface("a.b"),)
    node.nodes.append(Node("c", is_root=False))
    node.name = None
    assert xml(node) == '<node><interface name="a.b" /><node name="c" /></node>'


def test_to_xml_of_wrong_values() -> None:
    for broken in [Arg("s", "in"), Property("P", "s", "read")]:
        with pytest.raises(AttributeError):
            broken.to_xml()
    with pytest.raises(AttributeError):
        Signal("S", ["s"])
    node = Node()
    node.interfaces = ["a.b"]
    with pytest.raises(AttributeError):
        node.to_xml()
    with pytest.raises(TypeError):
        Node("/", [Interface("a.b", annotations={"a": 5})]).tostring()


def test_from_xml_does_not_look_at_the_tag() -> None:
    element = ET.fromstring('<any name="a.b" type="s"><arg type="s"/></any>')
    assert Arg.from_xml(element, OUT).name == "a.b"
    assert Interface.from_xml(element).name == "a.b"
    assert Node.from_xml(element).name == "a.b"
    element.set("name", "M")
    assert Method.from_xml(element).in_signature == "s"
    assert Signal.from_xml(element).signature == "s"
    assert Property.from_xml(element).access is READWRITE


def test_from_xml_of_args() -> None:
    element = ET.fromstring('<arg type="s" direction="out"/>')
    assert Arg.from_xml(element, IN).direction is IN
    assert Arg.from_xml(element, None).direction is None
    assert Arg.from_xml(ET.fromstring('<arg type="s" direction="bad"/>'), OUT).direction is OUT
    method = Method.from_xml(
        ET.fromstring('<m name="M"><arg type="s"/><arg type="i" name=""/></m>')
    )
    assert describe_method(method).args == (("s", "in", None, {}), ("i", "in", "", {}))


def test_from_xml_of_nodes() -> None:
    assert Node.from_xml(ET.fromstring('<node name="x"/>')).is_root is False
    assert Node.from_xml(ET.fromstring("<node/>"), True).is_root is True
    with pytest.raises(INTROSPECTION):
        Node.from_xml(ET.fromstring("<node/>"))
    odd = ET.fromstring('<interface name="a.b"><property name="1 2" type="s"/></interface>')
    with pytest.raises(MEMBER):
        Interface.from_xml(odd)
    assert describe_interface(Interface.from_xml(odd, False)).properties[0].name == "1 2"
    with pytest.raises(MEMBER):
        Property.from_xml(odd[0])
    assert Property.from_xml(odd[0], False).name == "1 2"
    assert Property.from_xml(odd[0], validate=False).name == "1 2"


def test_from_xml_passes_over_comments() -> None:
    element = ET.fromstring('<node><interface name="a.b"/></node>')
    element.append(ET.Comment("c"))
    element.append(ET.ProcessingInstruction("p"))
    assert [each.name for each in Node.from_xml(element, True).interfaces] == ["a.b"]
    element[0].append(ET.Comment("c"))
    if REFERENCE:  # why: it only expects comments outside interfaces
        with pytest.raises(TypeError):
            Node.from_xml(element, True)
    else:
        assert [each.name for each in Node.from_xml(element, True).interfaces] == ["a.b"]


@pytest.mark.parametrize("kind", [Signal, Method, Property, Interface])
def test_from_xml_without_a_name(kind: Any) -> None:
    with pytest.raises(INTROSPECTION):
        kind.from_xml(ET.fromstring('<any type="s"/>'))


def test_from_xml_has_the_limit_of_nodes() -> None:
    root = ET.Element("node")
    node = root
    for _ in range(33):
        node = ET.SubElement(node, "node", name="k")
    with pytest.raises(INTROSPECTION):
        Node.from_xml(root, True)
    assert Node.from_xml(root[0]).name == "k"


# --- Text


def test_tostring() -> None:
    arg = Arg("s", IN, "n", {"a": "b"})
    interface = Interface("a.b", [Method("M", [arg])], [Signal("S")], [], {"k": "\xe9\u2603<"})
    node = Node("/a", [interface])
    node.nodes.append(Node("kid", [Interface("c.d")], is_root=False))
    doctype = (
        '<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"\n'
        '"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">\n'
    )
    lines = """\
<node name="/a">
  <interface name="a.b">
      <method name="M">
          <arg name="n" direction="in" type="s">
              <annotation name="a" value="b" />
                </arg>
            </method>
        <signal name="S" />
        <annotation name="k" value="\xe9\u2603&lt;" />
        </interface>
    <node name="kid">
      <interface name="c.d" />
        </node>
    </node>"""
    assert node.tostring() == doctype + lines
    assert node.tostring() == doctype + lines
    assert "\n" not in xml(node)
    assert Node().tostring() == doctype + "<node />"
    assert describe(Node.parse(node.tostring())) == describe(node)


def test_default() -> None:
    node = Node.default()
    assert (node.name, node.is_root, node.nodes) == (None, True, [])
    found = {each.name: describe_interface(each) for each in node.interfaces}
    prefix = "org.freedesktop.DBus."
    assert list(found) == [
        prefix + name for name in ("Introspectable", "Peer", "Properties", "ObjectManager")
    ]
    assert [method.name for method in found[prefix + "Properties"].methods] == [
        "Get",
        "Set",
        "GetAll",
    ]
    assert Node.default("/a").name == "/a"
    assert Node.default("").name == ""
    assert describe(Node.default("/a"))[1:] == describe(node)[1:]
    Node.default().interfaces.clear()
    assert len(Node.default().interfaces) == 4


def test_default_as_text() -> None:
    members = []
    for interface in Node.default("/x").interfaces:
        for method in interface.methods:
            names = [arg.name for arg in method.in_args + method.out_args]
            members.append((method.name, method.in_signature, method.out_signature, names))
        for signal in interface.signals:
            members.append((signal.name, signal.signature, [arg.name for arg in signal.args]))
        assert interface.properties == []
        assert interface.annotations == {}
    assert members == [
        ("Introspect", "", "s", ["data"]),
        ("GetMachineId", "", "s", ["machine_uuid"]),
        ("Ping", "", "", []),
        ("Get", "ss", "v", ["interface_name", "property_name", "value"]),
        ("Set", "ssv", "", ["interface_name", "property_name", "value"]),
        ("GetAll", "s", "a{sv}", ["interface_name", "props"]),
        (
            "PropertiesChanged",
            "sa{sv}as",
            ["interface_name", "changed_properties", "invalidated_properties"],
        ),
        ("GetManagedObjects", "", "a{oa{sa{sv}}}", ["objpath_interfaces_and_properties"]),
        ("InterfacesAdded", "oa{sa{sv}}", ["object_path", "interfaces_and_properties"]),
        ("InterfacesRemoved", "oas", ["object_path", "interfaces"]),
    ]


def test_default_belongs_to_the_caller() -> None:
    Node.default().interfaces[0].methods.clear()
    assert len(Node.default().interfaces[0].methods) == 1
