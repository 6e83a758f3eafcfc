# SPDX-License-Identifier: MIT
"""Reading introspection data: tables of documents, right, sloppy and wrong; and generated ones."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from api import REFERENCE, api_module, pick
from introspection_model import (
    Arg,
    Interface,
    Method,
    Node,
    Property,
    Signal,
    build,
    describe,
    document,
    generate,
    sloppy_document,
)

introspection = api_module("introspection")
errors = api_module("errors")

PUBLIC = (
    '<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"\n'
    '"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">\n'
)
SOME = Interface("a.b")
CHILD = Node("x")

DOCUMENTS = [
    ("<node/>", Node()),
    ('<node name="/a"/>', Node("/a")),
    ('<node name=""/>', Node("")),
    ('<node name="no path"/>', Node("no path")),
    ('<node name="/a" name2="b" xmlns:x="urn:x" x:name="c"/>', Node("/a")),
    ('<node xmlns:x="urn:x" x:name="c"/>', Node()),
    ('<node name="&#xe9;&amp;&lt;&quot;"/>', Node('\xe9&<"')),
    ('<node name="caf\xe9\u2603\U0001f600"/>', Node("caf\xe9\u2603\U0001f600")),
    ('<node name="a\nb"/>', Node("a b")),
    ("<node>text<!-- c --><?pi x?><![CDATA[<node/>]]></node>", Node()),
    ("\n \t<node/>\n<!-- after -->", Node()),
    ("\ufeff<node/>", Node()),
    ('<?xml version="1.0"?>\n<node/>', Node()),
    ('<?xml version="1.0" encoding="UTF-8"?><node name="\xe9"/>', Node("\xe9")),
    ("<?xml version='1.0' standalone='yes'?><!DOCTYPE node SYSTEM 'x'><node/>", Node()),
    (PUBLIC + "<node/>", Node()),
    ("<!DOCTYPE node><node/>", Node()),
    ("<!DOCTYPE other><node/>", Node()),
    ('<!DOCTYPE node SYSTEM "file:///etc/passwd"><node/>', Node()),
    # What an external document type would declare stays empty, as nobody fetches it.
    ('<!DOCTYPE node SYSTEM "x"><node>&unknown;</node>', Node()),
    ('<!DOCTYPE node SYSTEM "x"><node name="a&unknown;b"/>', Node("ab")),
    ('<node><interface name="a.b"/></node>', Node(None, (SOME,))),
    ('<node><interface name="a.b"/><interface name="a.b"/></node>', Node(None, (SOME, SOME))),
    ('<node><interface name="a.b">text<foo/></interface></node>', Node(None, (SOME,))),
    ('<node><foo><interface name="a.b"/></foo></node>', Node()),
    ('<node><interface xmlns="urn:x" name="a.b"/></node>', Node()),
    ('<node><method name="1"/><annotation/><arg/><signal/><property/></node>', Node()),
    (
        '<node><interface name="a.b"><interface/><node/><arg/></interface></node>',
        Node(None, (SOME,)),
    ),
    ('<node><node name="x"/></node>', Node(None, (), (CHILD,))),
    ('<node><node name="x"/><node name="x"/></node>', Node(None, (), (CHILD, CHILD))),
    (
        '<node><node name="x"/><interface name="a.b"/><node name="/y"/></node>',
        Node(None, (SOME,), (CHILD, Node("/y"))),
    ),
    (
        '<node><node name="a/b-c d"><node name="\xe9"><interface name="a.b"/></node></node></node>',
        Node(None, (), (Node("a/b-c d", (), (Node("\xe9", (SOME,)),)),)),
    ),
]

IN, OUT = Arg("s", "in"), Arg("s", "out")
# What is inside an interface, and the fields of it.
CONTENTS: list[tuple[str, dict[str, Any]]] = [
    ('<method name="M"/>', {"methods": (Method("M"),)}),
    ('<method name="M-x"/>', {"methods": (Method("M-x"),)}),
    ('<method name="M"/><method name="M"/>', {"methods": (Method("M"), Method("M"))}),
    ('<method name="M"><arg type="s"/></method>', {"methods": (Method("M", (IN,)),)}),
    ('<method name="M"><foo><arg type="s"/></foo></method>', {"methods": (Method("M"),)}),
    (
        '<method name="M"><arg type="s" direction="out"/><arg type="s"/></method>',
        {"methods": (Method("M", (IN, OUT)),)},
    ),
    (
        '<method name="M"><arg type="i" direction="in" x="y" name="n"/><arg type="s"/></method>',
        {"methods": (Method("M", (Arg("i", "in", "n"), IN)),)},
    ),
    (
        '<method name="M"><arg type="s" name=""/><arg type="s" name="1 -"/></method>',
        {"methods": (Method("M", (Arg("s", "in", ""), Arg("s", "in", "1 -"))),)},
    ),
    (
        '<method name="M"><annotation name="a" value="b"/><arg type="a{sv}">'
        '<annotation name="c" value="d"/></arg></method>',
        {"methods": (Method("M", (Arg("a{sv}", "in", None, {"c": "d"}),), {"a": "b"}),)},
    ),
    ('<signal name="S"/>', {"signals": (Signal("S"),)}),
    ('<signal name="S"><arg type="s"/></signal>', {"signals": (Signal("S", (OUT,)),)}),
    (
        '<signal name="S"><arg type="s" direction="in"/><arg type="s" direction="?"/></signal>',
        {"signals": (Signal("S", (OUT, OUT)),)},
    ),
    (
        '<signal name="S"><arg type="(ii)" name="n"><annotation name="a" value=""/></arg>'
        '<annotation name="b" value="c"/></signal>',
        {"signals": (Signal("S", (Arg("(ii)", "out", "n", {"a": ""}),), {"b": "c"}),)},
    ),
    ('<property name="P" type="s"/>', {"properties": (Property("P", "s"),)}),
    ('<property name="P" type="s" access="read"/>', {"properties": (Property("P", "s", "read"),)}),
    (
        '<property name="a-b" type="as" access="write"/>',
        {"properties": (Property("a-b", "as", "write"),)},
    ),
    (
        '<property name="P" type="a{vs}" access="readwrite"><annotation name="a" value="b"/>'
        "</property>",
        {"properties": (Property("P", "a{vs}", "readwrite", {"a": "b"}),)},
    ),
    ('<annotation name="a" value="b"/>', {"annotations": {"a": "b"}}),
    ('<annotation name="a" value=""/>', {"annotations": {"a": ""}}),
    (
        '<annotation name="a" value="1"/><annotation name="a" value="2"/>',
        {"annotations": {"a": "2"}},
    ),
    (
        '<annotation name="a" value="b"><annotation name="c" value="d"/></annotation>',
        {"annotations": {"a": "b"}},
    ),
    (
        '<property name="P" type="s"/><signal name="S"/><method name="M"/>',
        {
            "methods": (Method("M"),),
            "signals": (Signal("S"),),
            "properties": (Property("P", "s"),),
        },
    ),
]

MALFORMED = [
    "", "  ", "text", "<node>", "<node></nod>", "<node/><node/>", "<node/>text", "<node name=a/>",
    '<node a="1" a="2"/>', "\n<?xml version='1.0'?><node/>", '<node name="&unknown;"/>',
    "<node>&unknown;</node>", "<x:node/>", '<node x:name="/a"/>', '<node name="\0"/>', "<node/>\0",
    '<node name="<"/>', "<node>&</node>", "<node><!-- -- --></node>", "<node><![CDATA[</node>",
    '<node name="&#0;"/>', "<!DOCTYPE node", "<!DOCTYPE><node/>", "<node/", "<>", "</node>",
    "<node><interface name='a.b'></node></interface>",
]  # fmt: skip

NO_INTROSPECTION = [
    "<foo/>",
    '<interface name="a.b"/>',
    "<Node/>",
    '<node xmlns="urn:x"/>',
    '<x:node xmlns:x="urn:x"/>',
    "<node><node/></node>",
    '<node><node name=""/></node>',
    '<node><node><interface name="1"/></node></node>',
    "<node><interface/></node>",
    '<node><interface name=""/></node>',
    "<!DOCTYPE node []><node/>",
    "<!DOCTYPE node [<!-- c -->]><node/>",
    "<!DOCTYPE node [<?pi x?>]><node/>",
    "<!DOCTYPE node [%x;]><node/>",
    '<!DOCTYPE node [<!ENTITY a "b">]><node/>',
    '<!DOCTYPE node [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><node name="&c;"/>',
    '<!DOCTYPE node [<!ENTITY a SYSTEM "file:///etc/passwd">]><node>&a;</node>',
    '<!DOCTYPE node SYSTEM "x" [<!ENTITY % a SYSTEM "file:///etc/passwd">%a;]><node/>',
    '<!DOCTYPE node [<!ATTLIST node name CDATA "/default">]><node/>',
    "<!DOCTYPE node [<!ELEMENT node ANY>]><node/>",
    '<!DOCTYPE node [<!NOTATION x SYSTEM "y">]><node/>',
]

INTROSPECTION = errors.InvalidIntrospectionError
SIGNATURE = errors.InvalidSignatureError
MEMBER = errors.InvalidMemberNameError
INTERFACE = errors.InvalidInterfaceNameError
CHOICE = pick(
    ours=INTROSPECTION,
    reference=ValueError,
    why="the documentation names InvalidIntrospectionError, which is a ValueError",
)
WRONG_CONTENTS = [
    ("<method/>", INTROSPECTION),
    ('<method name=""/>', INTROSPECTION),
    ('<method name="1"/>', MEMBER),
    ('<method name="a.b"/>', MEMBER),
    ('<method name="M"><arg/></method>', INTROSPECTION),
    ('<method name="M"><arg type=""/></method>', INTROSPECTION),
    ('<method name="M"><arg type="ss"/></method>', INTROSPECTION),
    ('<method name="M"><arg type="!"/></method>', SIGNATURE),
    ('<method name="M"><arg type="a"/></method>', SIGNATURE),
    ('<method name="M"><arg type="()"/></method>', SIGNATURE),
    ('<method name="M"><arg type="s" direction="x"/></method>', CHOICE),
    ('<method name="M"><arg type="s" direction=""/></method>', CHOICE),
    ('<method name="M"><arg type="s" direction="IN"/></method>', CHOICE),
    ('<method name="M"><arg type="!" direction="x"/></method>', CHOICE),
    ('<method name="M"><arg type="!"><annotation/></arg></method>', INTROSPECTION),
    ('<method name="1"><arg/></method>', INTROSPECTION),
    ('<method name="1"><annotation/></method>', INTROSPECTION),
    ('<method><arg type="!"/></method>', INTROSPECTION),
    ("<signal/>", INTROSPECTION),
    ('<signal name=""/>', INTROSPECTION),
    ('<signal name="1"/>', MEMBER),
    ('<signal name="S"><arg/></signal>', INTROSPECTION),
    ('<signal name="S"><arg type="ss"/></signal>', INTROSPECTION),
    ('<signal name="1"><arg type="!"/></signal>', SIGNATURE),
    ('<signal name="S"><annotation/><arg type="!"/></signal>', SIGNATURE),
    ("<property/>", INTROSPECTION),
    ('<property type="s"/>', INTROSPECTION),
    ('<property name="" type="s"/>', INTROSPECTION),
    ('<property name="P"/>', INTROSPECTION),
    ('<property name="P" type=""/>', INTROSPECTION),
    ('<property name="P" type="ss"/>', INTROSPECTION),
    ('<property name="P" type="!"/>', SIGNATURE),
    ('<property name="P" type="s" access=""/>', CHOICE),
    ('<property name="P" type="s" access="none"/>', CHOICE),
    ('<property name="P" type="!" access="none"/>', CHOICE),
    ('<property name="1"/>', INTROSPECTION),
    ('<property name="P" type="!"><annotation/></property>', INTROSPECTION),
    ("<annotation/>", INTROSPECTION),
    ('<annotation name="a"/>', INTROSPECTION),
    ('<annotation value="a"/>', INTROSPECTION),
    ('<annotation name="" value="a"/>', INTROSPECTION),
    ('<annotation/><method name="1"/>', MEMBER),
    ('<signal name="S"><arg type="!"/></signal><method/>', SIGNATURE),
    ('<property/><signal name="1"/>', INTROSPECTION),
]
# Names that only pass when they are not looked at.
ODD_PROPERTIES = ["1", "a.b", "a b", "\xe9", "-a", "x" * 256, "/a"]


def parse(data: str, **options: bool) -> Node:
    return describe(introspection.Node.parse(data, **options))


def inside(contents: str) -> str:
    return f'<node><interface name="a.b">{contents}</interface></node>'


def error_of(data: Any, **options: bool) -> type[BaseException]:
    with pytest.raises(Exception) as caught:
        introspection.Node.parse(data, **options)
    return caught.type


@pytest.mark.parametrize(("data", "expected"), DOCUMENTS)
def test_document(data: str, expected: Node) -> None:
    assert parse(data) == expected
    assert parse(data, validate_property_names=False) == expected


@pytest.mark.parametrize(("contents", "fields"), CONTENTS)
def test_contents_of_an_interface(contents: str, fields: dict[str, Any]) -> None:
    expected = Interface("a.b", **fields)
    assert parse(inside(contents)) == Node(None, (expected,))
    below = f'<node><node name="x">{inside(contents)[6:-7]}</node></node>'
    assert parse(below) == Node(None, (), (Node("x", (expected,)),))


@pytest.mark.parametrize("data", MALFORMED)
def test_malformed(data: str) -> None:
    """Not XML.  The reference lets the error of the parser through; ours is both."""
    with pytest.raises(ET.ParseError) as caught:
        introspection.Node.parse(data)
    assert isinstance(caught.value, INTROSPECTION) is not REFERENCE
    assert str(caught.value).startswith(str(caught.value).split(":")[0] + ": line ")
    assert len(caught.value.position) == 2
    assert caught.value.code > 0


@pytest.mark.parametrize("data", NO_INTROSPECTION)
def test_no_introspection_data(data: str) -> None:
    assert error_of(data) is INTROSPECTION


@pytest.mark.parametrize(
    "name", ["a", "1.a", "a-b.c", "a.1", "a..b", ".a.b", "a.b ", "a." + "b" * 254]
)
def test_wrong_interface_name(name: str) -> None:
    assert error_of(f'<node><interface name="{name}"/></node>') is INTERFACE
    # The name is looked at before the contents.
    assert error_of(f'<node><interface name="{name}"><method/></interface></node>') is INTERFACE


@pytest.mark.parametrize(("contents", "error"), WRONG_CONTENTS)
def test_wrong_contents(contents: str, error: type[Exception]) -> None:
    assert error_of(inside(contents)) is error
    assert error_of(inside(contents), validate_property_names=False) is error


@pytest.mark.parametrize("name", ODD_PROPERTIES)
def test_property_names_may_go_unchecked(name: str) -> None:
    data = inside(f'<property name="{name}" type="s" access="read"/>')
    expected = Node(None, (Interface("a.b", properties=(Property(name, "s", "read"),)),))
    assert error_of(data) is MEMBER
    assert parse(data, validate_property_names=False) == expected
    below = f'<node><node name="x">{data[6:-7]}</node></node>'
    assert error_of(below) is MEMBER
    assert parse(below, validate_property_names=False) == Node(
        None, (), (Node("x", expected.interfaces),)
    )


@pytest.mark.parametrize(("levels", "fine"), [(1, True), (32, True), (33, False), (5000, False)])
def test_nested_nodes(levels: int, fine: bool) -> None:
    data = "<node>" + '<node name="k">' * levels + "</node>" * (levels + 1)
    if fine:
        node = parse(data)
        for _ in range(levels):
            (node,) = node.nodes
        assert node == Node("k")
    else:
        assert error_of(data) is INTROSPECTION


def test_encoding_that_is_declared() -> None:
    """D-Bus strings are Unicode, so a declaration can only be a leftover."""
    why = "the reference encodes the text as UTF-8 and decodes it as declared"
    latin = '<?xml version="1.0" encoding="iso-8859-1"?><node name="\xe9"/>'
    assert parse(latin) == Node(pick(ours="\xe9", reference="\xc3\xa9", why=why))
    for encoding, error in [("bogus", LookupError), ("utf-16", ET.ParseError)]:
        data = f'<?xml version="1.0" encoding="{encoding}"?><node name="\xe9"/>'
        if REFERENCE:
            assert error_of(data) is error
        else:
            assert parse(data) == Node("\xe9")


def test_data_that_is_no_text() -> None:
    why = "the reference has whatever error comes first"
    for data in [b"<node/>", bytearray(b"<node/>"), ["<node/>"], ET.fromstring("<node/>")]:
        assert error_of(data) is TypeError or REFERENCE
    assert error_of(None) is TypeError
    assert error_of(5) is TypeError
    surrogate = pick(ours=INTROSPECTION, reference=UnicodeEncodeError, why=why)
    assert error_of('<node name="\ud800"/>') is surrogate
    assert issubclass(surrogate, ValueError)


def test_parsed_nodes_have_lists_of_their_own() -> None:
    data = inside('<method name="M"/>')
    introspection.Node.parse(data).interfaces.clear()
    introspection.Node.parse(data).nodes.append(introspection.Node("x", is_root=False))
    assert parse(data) == Node(None, (Interface("a.b", (Method("M"),)),))


@pytest.mark.parametrize("seed", range(60))
def test_generated(seed: int) -> None:
    """One model: built, written, read again, and read from other texts of the same meaning."""
    model = generate(seed)
    text = document(model)
    assert describe(build(model)) == model
    assert build(model).tostring() == text
    assert parse(text) == model
    assert introspection.Node.parse(text).tostring() == text
    for variation in range(5):
        other = sloppy_document(model, random.Random(1000 * seed + variation))
        assert parse(other) == model, other


def test_the_generator_covers_the_format() -> None:
    everything = "".join(document(generate(seed)) for seed in range(60))
    for part in [
        "<annotation", "<arg", "<property", "<signal", "<method", "<interface", "<node",
        'direction="in"', 'direction="out"', 'access="read"', 'access="write"', "&quot;", "&#10;",
    ]:  # fmt: skip
        assert part in everything


@pytest.mark.parametrize("seed", range(60, 100))
def test_damaged(seed: int) -> None:
    """Data cut, doubled or changed anywhere is read or refused as malformed; nothing else."""
    chance = random.Random(seed)
    text = sloppy_document(generate(seed), chance)
    for _ in range(20):
        start = chance.randrange(len(text))
        end = start + chance.randrange(1, 30)
        damaged = text[:start] + chance.choice(["", "<", '"', text[start:end] * 2]) + text[end:]
        try:
            node = introspection.Node.parse(damaged)
        except (errors.DBusFastError, ET.ParseError, ValueError, LookupError):
            pass
        else:
            describe(node)
