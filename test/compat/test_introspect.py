# SPDX-License-Identifier: MIT
"""What proxies read out of introspection data."""

import pytest

from dbus._expat_introspect_parser import process_introspection_data
from dbus.exceptions import IntrospectionParserException

HEAD = (
    '<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"\n'
    '"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">\n'
)


def parse(body):
    return process_introspection_data(HEAD + body)


def test_in_signatures_by_interface_and_member():
    found = parse("""
<node name="/x">
  <interface name="a.b">
    <method name="None"/>
    <method name="Two">
      <arg name="x" type="s" direction="in"/>
      <arg type="a{sv}"/>
      <arg type="i" direction="out"/>
    </method>
    <signal name="S"><arg type="s"/></signal>
    <property name="P" type="s" access="read"/>
  </interface>
  <interface name="c.d">
    <method name="Two"><arg type="(ii)" direction="in"/></method>
  </interface>
  <node name="child"/>
</node>""")
    assert found == {"a.b.None": "", "a.b.Two": "sa{sv}", "c.d.Two": "(ii)"}
    assert type(found) is dict


def test_unfinished_data_gives_what_there_was():
    assert process_introspection_data("") == {}
    assert parse("<node>") == {}
    assert parse("<node><interface name='a.b'><method name='M'/>") == {"a.b.M": ""}


def test_annotations_are_skipped():
    found = parse("""
<node>
  <annotation name="x" value="y"/>
  <interface name="a.b">
    <annotation name="x" value="y"/>
    <method name="M">
      <annotation name="x" value="y"/>
      <arg type="s" direction="in"><annotation name="x" value="y"/></arg>
    </method>
  </interface>
</node>""")
    assert found == {"a.b.M": "s"}


def test_interfaces_of_child_nodes_are_not_ours():
    found = parse("""
<node>
  <node name="child">
    <interface name="c.d"><method name="N"/></interface>
  </node>
  <interface name="a.b"><method name="M"/></interface>
</node>""")
    assert found["a.b.M"] == ""


def test_an_empty_node():
    assert parse("<node/>") == {}


@pytest.mark.parametrize("data", ["no xml", "<node></interface>", "<a/><b/>", "<node name=>"])
def test_broken_data(data):
    with pytest.raises(IntrospectionParserException) as caught:
        process_introspection_data(data)
    assert str(caught.value).startswith("Error parsing introspect data: ")


@pytest.mark.parametrize(
    "body",
    [
        "<node><interface><method name='M'/></interface></node>",
        "<node><interface name='a.b'><method/></interface></node>",
    ],
)
def test_data_that_makes_no_sense(body):
    with pytest.raises(IntrospectionParserException):
        parse(body)


def test_entities_do_not_explode():
    levels = "".join(f'<!ENTITY e{n} "{"&e%d;" % (n - 1) * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE node [<!ENTITY e0 "x">{levels}]><node name="&e11;"/>'
    try:
        assert process_introspection_data(bomb) == {}
    except IntrospectionParserException:
        pass
