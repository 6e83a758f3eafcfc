# SPDX-License-Identifier: MIT
"""Introspection data from a hostile peer, and what only this implementation promises."""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
import xml.etree.ElementTree as ET

import pytest

from dbus._core import introspect
from dbus.aio.errors import InvalidIntrospectionError
from dbus.aio.introspection import Arg, Interface, Method, Node

CHARACTERS, TAGS = introspect.MAX_DATA, introspect.MAX_TAGS


def laughs() -> str:
    entities = ['<!ENTITY a0 "ha">'] + [
        f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 20)
    ]
    return f'<!DOCTYPE node [{"".join(entities)}]><node name="&a19;"/>'


def quadratic() -> str:
    return f'<!DOCTYPE node [<!ENTITY a "{"x" * 100_000}">]><node name="{"&a;" * 100_000}"/>'


HOSTILE = {
    "entities in entities": laughs(),
    "one large entity": quadratic(),
    "an external entity": '<!DOCTYPE node [<!ENTITY a SYSTEM "/etc/passwd">]><node>&a;</node>',
    "a parameter entity": '<!DOCTYPE node [<!ENTITY % a SYSTEM "/dev/zero">%a;]><node/>',
    "a document type without end": "<!DOCTYPE node [" + " " * (CHARACTERS - 20),
    "too many characters": "<node/>" + " " * CHARACTERS,
    "too many elements": "<node>" + "<a/>" * TAGS + "</node>",
    "tags that are never closed": "<node>" + "<a>" * (TAGS - 1),
    "nodes in nodes": "<node>" + '<node name="a">' * (TAGS // 2 - 1) + "</node>" * (TAGS // 2),
    "a name without end": "<" + "n" * (CHARACTERS - 10) + "/>",
    "an attribute without end": '<node name="' + "n" * (CHARACTERS - 20),
    "a direction without end": '<node><interface name="a.b"><method name="M">'
    + '<arg type="s" direction="'
    + "n" * (CHARACTERS - 200)
    + '"/></method></interface></node>',
}
# At the limits, and still read.
HEAVY = {
    "elements in elements": f"<node>{'<a>' * (TAGS // 2 - 1)}{'</a>' * (TAGS // 2 - 1)}</node>",
    "elements": "<node>" + "<a/>" * (TAGS - 2) + "</node>",
    "interfaces": "<node>" + '<interface name="a.b"/>' * 170_000 + "</node>",
    "arguments": '<node><interface name="a.b"><method name="M">'
    + '<arg type="s"/>' * 250_000
    + "</method></interface></node>",
    "attributes": "<node " + " ".join(f'a{i}=""' for i in range(350_000)) + "/>",
    "namespaces": "<node " + " ".join(f'xmlns:a{i}="{i}"' for i in range(150_000)) + "/>",
    "unknown entities": '<!DOCTYPE node SYSTEM "x"><node>' + "&a;" * 1_000_000 + "</node>",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_data_is_refused(what: str) -> None:
    data = HOSTILE[what]
    start = time.process_time()
    with pytest.raises(InvalidIntrospectionError) as caught:
        Node.parse(data)
    assert time.process_time() - start < 5
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("what", HEAVY)
def test_heavy_data_is_read_in_bounded_time_and_memory(what: str) -> None:
    data = HEAVY[what]
    start = time.process_time()
    tracemalloc.start()  # makes it several times slower
    try:
        assert Node.parse(data).name is None
        assert tracemalloc.get_traced_memory()[1] < 250_000_000
    finally:
        tracemalloc.stop()
    assert time.process_time() - start < 20


def test_malformed_data_has_both_errors() -> None:
    with pytest.raises(ET.ParseError) as caught:
        Node.parse("<node>\n<x></node>")
    error = caught.value
    assert isinstance(error, InvalidIntrospectionError)
    assert isinstance(error, ValueError)
    assert str(error) == "mismatched tag: line 2, column 5"
    assert error.position == (2, 5)
    assert error.code == 7


def test_none_for_lists() -> None:
    method = Method("M", None, None)
    assert (method.in_args, method.out_args) == ([], [])


def test_parsed_data_is_not_shared() -> None:
    data = '<node><interface name="a.b"><method name="M"/></interface></node>'
    Node.parse(data).interfaces[0].methods.clear()
    assert len(Node.parse(data).interfaces[0].methods) == 1


def test_wrong_words_are_shown() -> None:
    data = (
        '<node><interface name="a.b"><property name="P" type="s" access="no"/></interface></node>'
    )
    with pytest.raises(InvalidIntrospectionError, match="access.*'no'"):
        Node.parse(data)
    with pytest.raises(InvalidIntrospectionError, match="type"):
        Arg("ss")


def test_no_xml_until_used() -> None:
    code = """
import sys
from dbus.aio.introspection import Arg, Interface, Method, Node
Node("/", [Interface("a.b", [Method("M", [Arg("s")])])])
loaded = [name for name in sys.modules if name.startswith(("xml", "pyexpat", "asyncio", "inspect"))]
assert not loaded, loaded
Node.default()
assert "xml.etree.ElementTree" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_interface_without_nodes_keeps_order() -> None:
    names = ["Z", "A", "M"]
    node = Node("/", [Interface("a.b", [Method(name) for name in names])])
    assert [method.name for method in Node.parse(node.tostring()).interfaces[0].methods] == names
