# SPDX-License-Identifier: MIT
"""Introspection data that a peer may send: any text, and trees of elements with things wrong."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import quoteattr

from fuzzing import values
from fuzzing.source import Source
from fuzzing.values import expect

from dbus._expat_introspect_parser import process_introspection_data
from dbus.aio.errors import (
    InvalidInterfaceNameError,
    InvalidIntrospectionError,
    InvalidMemberNameError,
    InvalidSignatureError,
)
from dbus.aio.introspection import Node
from dbus.exceptions import IntrospectionParserException

REFUSALS = (
    InvalidIntrospectionError,
    InvalidSignatureError,
    InvalidMemberNameError,
    InvalidInterfaceNameError,
)
TAGS = ("node", "interface", "method", "signal", "property", "arg", "annotation", "doc:doc", "x")
INSIDE = {
    "node": ("node", "interface"),
    "interface": ("method", "signal", "property", "annotation"),
    "method": ("arg", "annotation"),
    "signal": ("arg", "annotation"),
    "property": ("annotation",),
    "arg": ("annotation",),
}
ATTRIBUTES = {
    "node": ("name",),
    "interface": ("name",),
    "method": ("name",),
    "signal": ("name",),
    "property": ("name", "type", "access"),
    "arg": ("name", "type", "direction"),
    "annotation": ("name", "value"),
}
WORDS = ("in", "out", "read", "write", "readwrite", "", "a.b", "Name", "true", "xmlns", "a-b")
HEADS = (
    "",
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    '<?xml version="1.0" encoding="UTF-16"?>\n',
    "<!DOCTYPE node PUBLIC '-//freedesktop//DTD D-BUS Object Introspection 1.0//EN'\n"
    "'http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd'>\n",
    "<!DOCTYPE node SYSTEM 'file:///etc/passwd'>\n",
    "<!DOCTYPE node [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>\n",
    "<!DOCTYPE node [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>\n",
    "<!DOCTYPE node [<!ATTLIST arg type CDATA 'v'>]>\n",
)
TEXTS = (
    "",
    "\n  ",
    "text",
    "&amp;",
    "&a;",
    "&b;",
    "<![CDATA[<node>]]>",
    "<!-- x -->",
    "&#0;",
    "<?p?>",
)


def attribute(source: Source, name: str) -> str:
    """An attribute's value, mostly a good one."""
    how = source.byte()
    if name == "type" and how < 200:
        return values.one_type(source) if how < 150 else values.any_signature(source)
    if name == "name" and how < 128:
        return ("Name", "a.b", "child", "X")[how % 4]
    return source.choice(WORDS) if how < 240 else source.text()


def element(source: Source, tag: str, depth: int) -> str:
    """An element with what is in it."""
    if source.chance(16):
        tag = source.choice(TAGS)
    names = ATTRIBUTES.get(tag, WORDS[:3])
    skipped = source.byte()
    attributes = "".join(
        f" {name}={quoteattr(attribute(source, name))}"
        for number, name in enumerate(names)
        if skipped & 7 << 5 or not skipped >> number & 1
    )
    inside = source.choice(TEXTS) if source.chance(4) else ""
    for _ in range(source.size(4) if depth < 60 else 0):
        inside += element(source, source.choice(INSIDE.get(tag, TAGS)), depth + 1)
        if source.chance(8):
            inside += source.choice(TEXTS)
    end = "" if source.chance(64) else f"</{tag}>"
    return f"<{tag}{attributes}>{inside}{end}"


def classic(data: Any) -> None:
    """What proxies of the classic interface make of it."""
    try:
        signatures = process_introspection_data(data)
    except IntrospectionParserException:
        return
    for name, signature in signatures.items():
        expect(isinstance(name, str) and isinstance(signature, str), data)


def modern(data: str, names: bool) -> None:
    """What dbus.aio makes of it, and whether that can be written and read again."""
    try:
        node = Node.parse(data, names)
    except REFUSALS:
        return
    text = node.tostring()
    again = Node.parse(text, names)
    expect(again.tostring() == text, data)


def target(data: bytes) -> None:
    """One input."""
    source = Source(data)
    how = source.byte()
    if how < 96:
        text = source.choice(HEADS) + element(source, "node", 0) + source.choice(TEXTS)
    elif how < 128:
        text = source.wild_text()
    else:
        classic(data[1:])
        text = data[1:].decode("latin-1" if how & 1 else "utf-8", "replace")
    classic(text)
    modern(text, bool(how & 2))
