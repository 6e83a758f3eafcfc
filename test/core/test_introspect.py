# SPDX-License-Identifier: MIT
"""dbus._core.introspect: reading method signatures, and writing the data of an object."""

import subprocess
import sys
from xml.etree import ElementTree

import pytest

from dbus import service
from dbus._core import introspect
from dbus.exceptions import IntrospectionParserException

DATA = """<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
<node>
  <interface name="a.b">
    <method name="In"><arg type="s" direction="in"/><arg type="a{sv}"/>
      <arg type="u" direction="out"/><annotation name="x" value="y"/></method>
    <method name="None"/>
    <signal name="S"><arg type="s"/></signal>
    <property name="P" type="s" access="read"/>
  </interface>
  <node name="child"><interface name="c.d"><method name="M"><arg type="i"/></method></interface>
  </node>
  <interface name="e.f"/>
</node>"""


@pytest.mark.parametrize("form", [str, str.encode])
def test_method_signatures(form):
    assert introspect.method_signatures(form(DATA)) == {
        "a.b.In": "sa{sv}",
        "a.b.None": "",
        "c.d.M": "i",
    }


@pytest.mark.parametrize("data", ["", "<no", "<node/>", "<node><interface name='a.b'>"])
def test_data_without_methods(data):
    assert introspect.method_signatures(data) == {}


def test_data_that_is_cut_off_is_read_as_far_as_it_goes():
    assert introspect.method_signatures(DATA[: DATA.index("<signal")]) == {
        "a.b.In": "sa{sv}",
        "a.b.None": "",
    }


@pytest.mark.parametrize(
    "data",
    [
        3,
        None,
        "<node><interface><method name='c'/></interface></node>",
        "<node><interface name='a.b'><method/></interface></node>",
        "<node><interface name='a.b'><method name='M'><arg/></method></interface></node>",
        "<node></interface></node>",
        "no xml",
    ],
)
def test_data_that_cannot_be_used(data):
    try:
        signatures = introspect.method_signatures(data)
    except IntrospectionParserException as error:
        assert str(error).startswith("Error parsing introspect data: <class '")
    else:
        assert signatures == {}


def test_missing_attributes_are_errors():
    with pytest.raises(IntrospectionParserException, match="'type'"):
        introspect.method_signatures(
            "<node><interface name='a.b'><method name='M'><arg/></method></interface></node>"
        )


class Sample(service.Object):
    @service.method("a.b", in_signature="sa{sv}", out_signature="u(ss)")
    def Full(self, text, options):
        pass

    @service.method("a.b")
    def Untold(self, one, two):
        pass

    @service.signal("a.b", signature="s")
    def Told(self, text):
        pass

    @service.signal("c.d")
    def Guessed(self, any, other):
        pass


def written(children=()):
    table = Sample._dbus_class_table[f"{__name__}.Sample"]
    text = introspect.document("/p", table, children)
    assert text.startswith("<!DOCTYPE node")
    return ElementTree.fromstring(text), text


def arguments(element):
    return [tuple(arg.get(key) for key in ("direction", "type", "name")) for arg in element]


def test_the_document_tells_what_is_exported():
    root, _text = written()
    assert root.get("name") == "/p"
    assert [child.get("name") for child in root] == [
        "org.freedesktop.DBus.Introspectable",
        "a.b",
        "c.d",
    ]
    members = {
        child.get("name"): child for child in root.iter() if child.tag in ("method", "signal")
    }
    assert arguments(members["Full"]) == [
        ("in", "s", "text"),
        ("in", "a{sv}", "options"),
        ("out", "u", None),
        ("out", "(ss)", None),
    ]
    assert arguments(members["Untold"]) == [("in", "v", "one"), ("in", "v", "two")]
    assert members["Told"].tag == "signal"
    assert arguments(members["Told"]) == [(None, "s", "text")]
    assert arguments(members["Guessed"]) == [(None, "v", "any"), (None, "v", "other")]


def test_children_are_nodes():
    root, _text = written(["x", "y"])
    assert [child.get("name") for child in root if child.tag == "node"] == ["x", "y"]


def test_what_is_written_can_be_read():
    _root, text = written()
    assert introspect.method_signatures(text) == {
        "org.freedesktop.DBus.Introspectable.Introspect": "",
        "a.b.Full": "sa{sv}",
        "a.b.Untold": "vv",
    }


def test_the_parser_is_imported_on_demand():
    code = "import sys, dbus.service; assert 'pyexpat' not in sys.modules, 'too early'"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def nested(depth):
    return "<node>" * depth


def declared(value):
    return f"<!DOCTYPE node [<!ENTITY e '{value}'>]><node><interface name='&e;'/></node>"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (" " * (introspect.MAX_DATA + 1), "characters"),
        ("<a>" * (introspect.MAX_TAGS + 1), "tags"),
        (nested(introspect.MAX_DEPTH + 1), "in each other"),
        (nested(100_000), "in each other"),
        (declared("a.b"), "declarations of its own"),
        ("<!DOCTYPE node [<!ATTLIST arg type CDATA 's'>]><node/>", "declarations of its own"),
    ],
)
@pytest.mark.parametrize("form", [str, str.encode])
def test_data_beyond_the_limits(data, words, form):
    with pytest.raises(IntrospectionParserException, match=words):
        introspect.method_signatures(form(data))


def test_data_at_the_limits():
    assert introspect.method_signatures(nested(introspect.MAX_DEPTH)) == {}
    assert introspect.method_signatures(" " * introspect.MAX_DATA) == {}
    flat = "<node>" + "<x></x>" * (introspect.MAX_TAGS // 2 - 1) + "</node>"
    assert introspect.method_signatures(flat) == {}
