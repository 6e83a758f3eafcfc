# SPDX-License-Identifier: MIT
"""Introspection data: method signatures read from it, and the text written for an object."""

from __future__ import annotations

from _dbus_bindings import DBUS_INTROSPECT_1_0_XML_DOCTYPE_DECL_NODE
from dbus.exceptions import IntrospectionParserException
from dbus.types import Signature

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Iterator, Mapping, Optional

    Interfaces = Mapping[str, Mapping[str, Callable[..., Any]]]


def method_signatures(data: Any) -> dict[str, str]:
    """Map ``interface.method`` to the signature of its arguments, for all methods in ``data``.

    Data that is cut off is read as far as it goes.  IntrospectionParserException for an element
    without a required attribute, and for data that is no text.
    """
    from xml.parsers import expat

    signatures: dict[str, str] = {}
    interface: Optional[str] = None
    method: Optional[str] = None
    arguments: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal interface, method
        if method is not None:
            if tag == "arg" and attributes.get("direction", "in") == "in":
                arguments.append(attributes["type"])
        elif interface is not None:
            if tag == "method":
                method = attributes["name"]
                arguments.clear()
        elif tag == "interface":
            interface = attributes["name"]

    def end(tag: str) -> None:
        nonlocal interface, method
        if method is not None:
            if tag == "method":
                signatures[f"{interface}.{method}"] = "".join(arguments)
                method = None
        elif tag == "interface":
            interface = None

    try:
        parser = expat.ParserCreate("UTF-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.Parse(data)
    except Exception as error:
        raise IntrospectionParserException(f"{type(error)}: {error}") from error
    return signatures


def _pairs(types: Optional[str], names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Type and name of each argument; without a signature every one is a variant."""
    if types is None:
        return (("v", name) for name in names)
    return zip(Signature(types), names)


def method_element(function: Callable[..., Any]) -> str:
    """The element of an exported method, from what its decorator noted."""
    notes = vars(function)
    lines = [f'    <method name="{function.__name__}">\n']
    for kind, name in _pairs(notes.get("_dbus_in_signature"), notes.get("_dbus_args", ())):
        lines.append(f'      <arg direction="in"  type="{kind}" name="{name}" />\n')
    for kind in Signature(notes.get("_dbus_out_signature") or ""):
        lines.append(f'      <arg direction="out" type="{kind}" />\n')
    lines.append("    </method>\n")
    return "".join(lines)


def signal_element(function: Callable[..., Any]) -> str:
    """The element of an exported signal, from what its decorator noted."""
    notes = vars(function)
    lines = [f'    <signal name="{function.__name__}">\n']
    for kind, name in _pairs(notes.get("_dbus_signature"), notes.get("_dbus_args", ())):
        lines.append(f'      <arg type="{kind}" name="{name}" />\n')
    lines.append("    </signal>\n")
    return "".join(lines)


def document(
    path: str,
    interfaces: Interfaces,
    children: Iterable[str],
    write_method: Callable[[Callable[..., Any]], str] = method_element,
    write_signal: Callable[[Callable[..., Any]], str] = signal_element,
) -> str:
    """The introspection data of the object at ``path``."""
    parts = [DBUS_INTROSPECT_1_0_XML_DOCTYPE_DECL_NODE, f'<node name="{path}">\n']
    for name, members in interfaces.items():
        parts.append(f'  <interface name="{name}">\n')
        for function in members.values():
            if getattr(function, "_dbus_is_method", False):
                parts.append(write_method(function))
            elif getattr(function, "_dbus_is_signal", False):
                parts.append(write_signal(function))
        parts.append("  </interface>\n")
    parts += [f'  <node name="{child}"/>\n' for child in children]
    parts.append("</node>\n")
    return "".join(parts)
