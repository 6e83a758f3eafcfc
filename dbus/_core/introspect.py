# SPDX-License-Identifier: MIT
"""Introspection data: method signatures read from it, and the text written for an object.

Such data comes from any peer, so reading is bounded: nothing longer than `MAX_DATA`, with more than
`MAX_TAGS` tags or with declarations of its own (of entities, of default values) is looked at.
"""

from __future__ import annotations

from _dbus_bindings import DBUS_INTROSPECT_1_0_XML_DOCTYPE_DECL_NODE
from dbus.exceptions import IntrospectionParserException
from dbus.types import Signature

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Union

    Interfaces = Mapping[str, Mapping[str, Callable[..., Any]]]


#: The limits of what is read; the descriptions of real objects stay below a tenth of both.
MAX_DATA = 4 * 1024 * 1024  # characters
MAX_TAGS = 256 * 1024  # begins and ends of elements, comments too
#: Elements in each other: nodes and what is in them need six.
MAX_DEPTH = 256

DECLARATIONS = "introspection data with declarations of its own"


def over_limits(data: Union[str, bytes]) -> str:
    """What there is too much of in this text, as a sentence; empty if all is well."""
    tags = data.count("<") if isinstance(data, str) else data.count(b"<")
    if len(data) <= MAX_DATA and tags <= MAX_TAGS:
        return ""
    return (
        f"introspection data of {len(data)} characters and {tags} tags; "
        f"the limits are {MAX_DATA} and {MAX_TAGS}"
    )


def method_signatures(data: Any) -> dict[str, str]:
    """Map ``interface.method`` to the signature of its arguments, for all methods in ``data``.

    Data that is cut off is read as far as it goes.  IntrospectionParserException for an element
    without a required attribute, for data that is no text, and for what is beyond the limits above.
    """
    from xml.parsers import expat

    signatures: dict[str, str] = {}
    interface: Optional[str] = None
    method: Optional[str] = None
    arguments: list[str] = []
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal interface, method, depth
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(
                f"introspection data with more than {MAX_DEPTH} elements in each other"
            )
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
        nonlocal interface, method, depth
        depth -= 1
        if method is not None:
            if tag == "method":
                signatures[f"{interface}.{method}"] = "".join(arguments)
                method = None
        elif tag == "interface":
            interface = None

    def declare(_name: str, _system: object, _public: object, has_subset: bool) -> None:
        if has_subset:
            raise ValueError(DECLARATIONS)

    try:
        too_much = over_limits(data)
        if too_much:
            raise ValueError(too_much)
        parser = expat.ParserCreate("UTF-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.StartDoctypeDeclHandler = declare
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
