# SPDX-License-Identifier: MIT
"""What an object offers, as a tree of plain classes: introspection data read and written.

Reading (`Node.parse`, and ``from_xml`` on elements of `xml.etree.ElementTree`) is as generous as
services need: unknown elements and attributes are passed over, the directions of a method's
arguments may be missing, and names may be used more than once.  What has a meaning must be right:
else InvalidIntrospectionError, InvalidSignatureError for a type that is no signature, and
InvalidMemberNameError or InvalidInterfaceNameError for a name.

The lists and dicts given to a constructor are kept, not copied.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from dbus.aio.constants import ArgDirection, PropertyAccess
from dbus.aio.errors import InvalidIntrospectionError
from dbus.aio.signature import SignatureType, get_signature_tree
from dbus.aio.validators import assert_interface_name_valid, assert_member_name_valid

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Optional, Protocol, TypeVar, Union
    from xml.etree.ElementTree import Element

    Choice = TypeVar("Choice", bound=Enum)

    class _Part(Protocol):
        def to_xml(self) -> Element: ...


#: Levels of nodes below the one that is read; object paths of that length are not seen.
MAX_NODE_DEPTH = 32


class Arg:
    """An argument of a method or signal.

    ``signature`` is its type as a str and ``type`` the same as `SignatureType`; ``direction`` an
    `ArgDirection` or None; ``name`` any str, or None; ``annotations`` a dict of str to str.

    InvalidSignatureError if ``signature`` is not valid, InvalidIntrospectionError if it is not a
    single complete type.
    """

    def __init__(
        self,
        signature: Union[SignatureType, str],
        direction: Optional[ArgDirection] = None,
        name: Optional[str] = None,
        annotations: Optional[dict[str, str]] = None,
    ) -> None:
        if isinstance(signature, SignatureType):
            self.type = signature
        else:
            self.type = _single_type(signature, "an argument")
        self.signature: str = self.type.signature
        self.name = name
        self.direction = direction
        self.annotations: dict[str, str] = annotations or {}

    @staticmethod
    def from_xml(element: Element, direction: ArgDirection) -> Arg:
        """The argument that ``element`` describes, in ``direction`` whatever the element says.

        InvalidIntrospectionError if it has no type; else as for the constructor.
        """
        signature = _required(element, "type", "an argument")
        return Arg(signature, direction, element.get("name"), _read_annotations(element))

    def to_xml(self) -> Element:
        """The element ``arg`` that describes this argument."""
        attributes = {}
        if self.name:
            attributes["name"] = self.name
        if self.direction:
            attributes["direction"] = self.direction.value
        attributes["type"] = self.signature
        return _element("arg", attributes, annotations=self.annotations)


class Signal:
    """A signal of an interface.

    ``args`` is the list of its `Arg` and ``signature`` their types together.
    InvalidMemberNameError if ``name`` is not valid; None passes, for a name set later.
    """

    def __init__(
        self,
        name: Optional[str],
        args: Optional[list[Arg]] = None,
        annotations: Optional[dict[str, str]] = None,
    ) -> None:
        if name is not None:
            assert_member_name_valid(name)
        self.name = name
        self.args: list[Arg] = args or []
        self.signature = _joined(self.args)
        self.annotations: dict[str, str] = annotations or {}

    @staticmethod
    def from_xml(element: Element) -> Signal:
        """The signal that ``element`` describes; all its arguments go out.

        InvalidIntrospectionError if a name or a type is missing; else as for the constructors.
        """
        name = _required(element, "name", "a signal")
        args = [Arg.from_xml(child, ArgDirection.OUT) for child in element if child.tag == "arg"]
        return Signal(name, args, _read_annotations(element))

    def to_xml(self) -> Element:
        """The element ``signal`` that describes this signal."""
        return _element("signal", {"name": self.name}, self.args, annotations=self.annotations)


class Method:
    """A method of an interface.

    ``in_args`` and ``out_args`` are lists of `Arg`; ``in_signature`` and ``out_signature`` their
    types together.  InvalidMemberNameError if ``name`` is not valid.
    """

    def __init__(
        self,
        name: str,
        in_args: Optional[list[Arg]] = None,
        out_args: Optional[list[Arg]] = None,
        annotations: Optional[dict[str, str]] = None,
    ) -> None:
        assert_member_name_valid(name)
        self.name = name
        self.in_args: list[Arg] = [] if in_args is None else in_args
        self.out_args: list[Arg] = [] if out_args is None else out_args
        self.in_signature = _joined(self.in_args)
        self.out_signature = _joined(self.out_args)
        self.annotations: dict[str, str] = annotations or {}

    @staticmethod
    def from_xml(element: Element) -> Method:
        """The method that ``element`` describes; an argument without a direction goes in.

        InvalidIntrospectionError if a name or type is missing, or a direction is not one; else as
        for the constructors.
        """
        name = _required(element, "name", "a method")
        args: dict[ArgDirection, list[Arg]] = {ArgDirection.IN: [], ArgDirection.OUT: []}
        for child in element:
            if child.tag == "arg":
                direction = _choice(child, "direction", ArgDirection.IN)
                args[direction].append(Arg.from_xml(child, direction))
        return Method(
            name, args[ArgDirection.IN], args[ArgDirection.OUT], _read_annotations(element)
        )

    def to_xml(self) -> Element:
        """The element ``method`` that describes this method."""
        return _element(
            "method", {"name": self.name}, self.in_args, self.out_args, annotations=self.annotations
        )


class Property:
    """A property of an interface.

    ``signature`` is its type as a str and ``type`` the same as `SignatureType`; ``access`` a
    `PropertyAccess`.

    InvalidMemberNameError if ``name`` is not valid, unless ``validate`` is false;
    InvalidSignatureError if ``signature`` is not valid, InvalidIntrospectionError if it is not a
    single complete type.
    """

    def __init__(
        self,
        name: str,
        signature: str,
        access: PropertyAccess = PropertyAccess.READWRITE,
        annotations: Optional[dict[str, str]] = None,
        validate: bool = True,
    ) -> None:
        if validate:
            assert_member_name_valid(name)
        self.name = name
        self.signature = signature
        self.access = access
        self.type = _single_type(signature, "a property")
        self.annotations: dict[str, str] = annotations or {}

    @staticmethod
    def from_xml(element: Element, validate: bool = True) -> Property:
        """The property that ``element`` describes; without ``access`` it can be read and written.

        InvalidIntrospectionError if the name or the type is missing or the access is none; else
        as for the constructor.
        """
        name = _required(element, "name", "a property")
        signature = _required(element, "type", "a property")
        access = _choice(element, "access", PropertyAccess.READWRITE)
        return Property(name, signature, access, _read_annotations(element), validate)

    def to_xml(self) -> Element:
        """The element ``property`` that describes this property."""
        attributes = {"name": self.name, "type": self.signature, "access": self.access.value}
        return _element("property", attributes, annotations=self.annotations)


class Interface:
    """An interface: lists of its ``methods``, ``signals`` and ``properties``.

    InvalidInterfaceNameError if ``name`` is not valid.
    """

    def __init__(
        self,
        name: str,
        methods: Optional[list[Method]] = None,
        signals: Optional[list[Signal]] = None,
        properties: Optional[list[Property]] = None,
        annotations: Optional[dict[str, str]] = None,
    ) -> None:
        assert_interface_name_valid(name)
        self.name = name
        self.methods: list[Method] = [] if methods is None else methods
        self.signals: list[Signal] = [] if signals is None else signals
        self.properties: list[Property] = [] if properties is None else properties
        self.annotations: dict[str, str] = annotations or {}

    @staticmethod
    def from_xml(element: Element, validate_property_names: bool = True) -> Interface:
        """The interface that ``element`` describes.

        With ``validate_property_names`` false, properties may have any name.
        InvalidIntrospectionError if a name or type is missing; else as for the constructors.
        """
        interface = Interface(_required(element, "name", "an interface"))
        for child in element:
            if child.tag == "method":
                interface.methods.append(Method.from_xml(child))
            elif child.tag == "signal":
                interface.signals.append(Signal.from_xml(child))
            elif child.tag == "property":
                interface.properties.append(Property.from_xml(child, validate_property_names))
        interface.annotations = _read_annotations(element)
        return interface

    def to_xml(self) -> Element:
        """The element ``interface`` that describes this interface."""
        return _element(
            "interface",
            {"name": self.name},
            self.methods,
            self.signals,
            self.properties,
            annotations=self.annotations,
        )


class Node:
    """An object: the list of its ``interfaces`` and the list ``nodes`` of its children.

    ``name`` is its path, or for a child the part of it below the parent's; it is not checked.
    Only the root (``is_root``) may be without a name: else InvalidIntrospectionError.
    """

    def __init__(
        self,
        name: Optional[str] = None,
        interfaces: Optional[list[Interface]] = None,
        is_root: bool = True,
    ) -> None:
        if not is_root and not name:
            raise InvalidIntrospectionError("a child node needs a name")
        self.name = name
        self.interfaces: list[Interface] = [] if interfaces is None else interfaces
        self.nodes: list[Node] = []
        self.is_root = is_root

    @staticmethod
    def from_xml(
        element: Element, is_root: bool = False, validate_property_names: bool = True
    ) -> Node:
        """The node that ``element`` describes, with all nodes below it.

        InvalidIntrospectionError if more than `MAX_NODE_DEPTH` levels are below it, or a name or
        type is missing; else as for the constructors.
        """
        return _read_node(element, is_root, validate_property_names, 0)

    @staticmethod
    def parse(data: str, validate_property_names: bool = True) -> Node:
        """The root node of introspection data, as a service returns it.

        With ``validate_property_names`` false, properties may have any name.  The node is new and
        the caller's own.

        InvalidIntrospectionError if ``data`` is not well-formed XML, does not describe a node, has
        more than 4 Mi characters or 256 Ki tags, contains declarations (of entities and the like),
        or has nodes nested deeper than `MAX_NODE_DEPTH`; else as for ``from_xml``.  TypeError if it
        is not a str.
        """
        from dbus.aio import _introspection_xml

        root = _introspection_xml.read(data)
        if root.tag != "node":
            raise InvalidIntrospectionError(
                f"the root element of introspection data is a node, not {root.tag:.60}"
            )
        return Node.from_xml(root, True, validate_property_names)

    def to_xml(self) -> Element:
        """The element ``node`` that describes this node and all below it."""
        attributes = {"name": self.name} if self.name else {}
        return _element("node", attributes, self.interfaces, self.nodes)

    def tostring(self) -> str:
        """The introspection data of this node: indented XML with the document type."""
        from dbus.aio import _introspection_xml

        return _introspection_xml.write(self.to_xml())

    @staticmethod
    def default(name: Optional[str] = None) -> Node:
        """A new root node with the interfaces that every exported object has.

        These are Introspectable, Peer, Properties and ObjectManager of org.freedesktop.DBus.
        """
        node = Node.parse(_STANDARD_INTERFACES)
        node.name = name
        return node


# --- Reading


def _read_node(element: Element, is_root: bool, validate_property_names: bool, depth: int) -> Node:
    if depth > MAX_NODE_DEPTH:
        raise InvalidIntrospectionError(f"nodes nested deeper than {MAX_NODE_DEPTH} levels")
    node = Node(element.get("name"), is_root=is_root)
    for child in element:
        if child.tag == "interface":
            node.interfaces.append(Interface.from_xml(child, validate_property_names))
        elif child.tag == "node":
            node.nodes.append(_read_node(child, False, validate_property_names, depth + 1))
    return node


def _required(element: Element, attribute: str, owner: str) -> str:
    value = element.get(attribute)
    if not value:
        raise InvalidIntrospectionError(f'{owner} needs a "{attribute}" attribute')
    return value


def _choice(element: Element, attribute: str, default: Choice) -> Choice:
    """The member of an enumeration that an attribute names; ``default`` if it is missing."""
    word = element.get(attribute)
    if word is None:
        return default
    try:
        return type(default)(word)
    except ValueError as error:
        raise InvalidIntrospectionError(f"{attribute} cannot be {word!r:.60}") from error


def _read_annotations(element: Element) -> dict[str, str]:
    annotations = {}
    for child in element:
        if child.tag == "annotation":
            name = _required(child, "name", "an annotation")
            value = child.get("value")
            if value is None:
                raise InvalidIntrospectionError(f"annotation {name!r:.60} has no value")
            annotations[name] = value
    return annotations


def _single_type(signature: str, owner: str) -> SignatureType:
    types = get_signature_tree(signature).types
    if len(types) != 1:
        raise InvalidIntrospectionError(
            f"{owner} has one complete type; {signature!r} has {len(types)}"
        )
    return types[0]


def _joined(args: list[Arg]) -> str:
    return "".join([arg.signature for arg in args])


# --- Writing


def _element(
    tag: str,
    attributes: Mapping[str, Optional[str]],
    *groups: Iterable[_Part],
    annotations: Optional[dict[str, str]] = None,
) -> Element:
    """A new element with its parts in this order, then its annotations."""
    new = _element_class()
    element = new(tag, attributes)  # type: ignore[arg-type]  # a None fails when written
    for group in groups:
        for part in group:
            element.append(part.to_xml())
    if annotations:
        for name, value in annotations.items():
            element.append(new("annotation", {"name": name, "value": value}))
    return element


@lru_cache(maxsize=None)
def _element_class() -> type[Element]:
    """The class of elements, imported when the first is made."""
    from xml.etree.ElementTree import Element

    return Element


# The names of the arguments are those that dbus-fast shows.
_STANDARD_INTERFACES = """
<node>
  <interface name="org.freedesktop.DBus.Introspectable">
    <method name="Introspect"><arg name="data" direction="out" type="s"/></method>
  </interface>
  <interface name="org.freedesktop.DBus.Peer">
    <method name="GetMachineId"><arg name="machine_uuid" direction="out" type="s"/></method>
    <method name="Ping"/>
  </interface>
  <interface name="org.freedesktop.DBus.Properties">
    <method name="Get">
      <arg name="interface_name" direction="in" type="s"/>
      <arg name="property_name" direction="in" type="s"/>
      <arg name="value" direction="out" type="v"/>
    </method>
    <method name="Set">
      <arg name="interface_name" direction="in" type="s"/>
      <arg name="property_name" direction="in" type="s"/>
      <arg name="value" direction="in" type="v"/>
    </method>
    <method name="GetAll">
      <arg name="interface_name" direction="in" type="s"/>
      <arg name="props" direction="out" type="a{sv}"/>
    </method>
    <signal name="PropertiesChanged">
      <arg name="interface_name" type="s"/>
      <arg name="changed_properties" type="a{sv}"/>
      <arg name="invalidated_properties" type="as"/>
    </signal>
  </interface>
  <interface name="org.freedesktop.DBus.ObjectManager">
    <method name="GetManagedObjects">
      <arg name="objpath_interfaces_and_properties" direction="out" type="a{oa{sa{sv}}}"/>
    </method>
    <signal name="InterfacesAdded">
      <arg name="object_path" type="o"/>
      <arg name="interfaces_and_properties" type="a{sa{sv}}"/>
    </signal>
    <signal name="InterfacesRemoved">
      <arg name="object_path" type="o"/>
      <arg name="interfaces" type="as"/>
    </signal>
  </interface>
</node>
"""
