# SPDX-License-Identifier: MIT
"""The interfaces of org.freedesktop.DBus that every exported object has.

Each is a class whose methods are served as those of the program's interfaces are, from a table of
`Method` records; the object that is meant is the one that the current message is for.  A result
that has to be waited for is returned as an awaitable.
"""

from __future__ import annotations

import os

from dbus.aio._members import Method
from dbus.aio.constants import ErrorType
from dbus.aio.errors import DBusError
from dbus.aio.introspection import Node
from dbus.aio.service import current_message, members_of
from dbus.aio.signature import Variant, get_signature_tree

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator, Mapping
    from typing import Any, Callable, Optional, Protocol

    from dbus.aio._members import Property
    from dbus.aio.service import ServiceInterface

    class Tree(Protocol):
        """What is exported on a bus."""

        def interfaces_at(self, path: str) -> Mapping[str, ServiceInterface]:
            """The interfaces of the object at ``path``, by name; empty if there is none."""

        def paths_below(self, path: str) -> list[str]:
            """The paths of all objects below ``path``; below the root also the root itself."""


_DBUS = "org.freedesktop.DBus."
_MACHINE_ID_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")


class Later:
    """An awaitable: ``then`` of what another awaitable brings.

    `close` is for one that is never awaited; it ends the other, too.
    """

    def __init__(self, awaitable: Awaitable[Any], then: Callable[[Any], Any]) -> None:
        self._awaitable = awaitable
        self._then = then

    def __await__(self) -> Generator[Any, Any, Any]:
        result = yield from self._awaitable.__await__()
        return self._then(result)

    def close(self) -> None:
        """End it, if it has not ended."""
        end_awaitable(self._awaitable)


def end_awaitable(awaitable: Any) -> None:
    """End a coroutine, a future or a `Later` that may never be awaited."""
    end = getattr(awaitable, "close", None) or getattr(awaitable, "cancel", None)
    if end is not None:
        end()


class PropertyReader:
    """Reads properties into dicts; getters that are coroutine functions run at the same time.

    ``skip`` is called for a property whose getter raises, in its except block, and the property is
    left out.  Without it such an exception ends the reading.
    """

    def __init__(self, skip: Optional[Callable[[Property], None]] = None) -> None:
        self._skip = skip
        self._waiting: list[tuple[dict[str, Variant], Property, Awaitable[Any]]] = []

    def read(self, interface: ServiceInterface) -> dict[str, Variant]:
        """The readable properties; complete as soon as what `finished` returns is there."""
        values: dict[str, Variant] = {}
        for member in list(members_of(interface).properties.values()):
            if not member.access.readable():
                continue
            try:
                value = member.getter(interface)
                if hasattr(value, "__await__"):
                    self._waiting.append((values, member, value))
                else:
                    values[member.name] = member.variant(value)
            except Exception:
                if self._skip is None:
                    for _, _, waiting in self._waiting:
                        end_awaitable(waiting)
                    raise
                self._skip(member)
        return values

    def finished(self, result: Any) -> Any:
        """``result``, which the dicts are part of; an awaitable of it if a getter is not ready."""
        if not self._waiting:
            return result
        from asyncio import gather

        def fill_in(values: list[Any]) -> Any:
            for (into, member, _), value in zip(self._waiting, values):
                self._fill_in(into, member, value)
            return result

        reading = gather(*[value for _, _, value in self._waiting], return_exceptions=True)
        return Later(reading, fill_in)

    def _fill_in(self, into: dict[str, Variant], member: Property, value: Any) -> None:
        try:
            if isinstance(value, BaseException):
                raise value
            into[member.name] = member.variant(value)
        except Exception:
            if self._skip is None:
                raise
            self._skip(member)


class Properties:
    """org.freedesktop.DBus.Properties"""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def get(self, interface_name: str, property_name: str) -> Any:
        """The value, as a Variant."""
        interface, member = self._find(interface_name, property_name)
        if not member.access.readable():
            raise DBusError(ErrorType.UNKNOWN_PROPERTY, "the property does not have read access")
        value = member.getter(interface)
        if hasattr(value, "__await__"):
            return Later(value, member.variant)
        return member.variant(value)

    def set(self, interface_name: str, property_name: str, value: Variant) -> Any:
        """Set the value; the result of the setter is awaited if it has to be."""
        try:
            interface, member = self._find(interface_name, property_name)
            if member.setter is None or not member.access.writable():
                raise DBusError(ErrorType.PROPERTY_READ_ONLY, "the property is readonly")
            if value.signature != member.signature:
                raise DBusError(
                    ErrorType.INVALID_SIGNATURE,
                    f'wrong signature for property. expected "{member.signature}"',
                )
        except DBusError:
            close_all(current_message().unix_fds)  # nobody has got them
            raise
        result = member.setter(interface, value.value)
        return Later(result, lambda _: None) if hasattr(result, "__await__") else None

    def get_all(self, interface_name: str) -> Any:
        """The values of all readable properties of one interface, as Variants by name."""
        interface = self._interface(interface_name)
        if interface is None:
            return {}
        reader = PropertyReader()
        return reader.finished(reader.read(interface))

    def _interface(self, name: str) -> Optional[ServiceInterface]:
        """The interface of the object that is meant; None for a standard one."""
        path = current_message().path or ""
        if name == "":
            raise DBusError(
                ErrorType.NOT_SUPPORTED, "properties without an interface are not supported"
            )
        interfaces = self._tree.interfaces_at(path)
        if not interfaces:
            raise DBusError(ErrorType.UNKNOWN_OBJECT, f'no interfaces at path: "{path}"')
        if name in interfaces:
            return interfaces[name]
        if name in METHODS:
            return None
        raise DBusError(
            ErrorType.UNKNOWN_INTERFACE, f'could not find an interface "{name}" at path: "{path}"'
        )

    def _find(self, interface_name: str, name: str) -> tuple[ServiceInterface, Property]:
        interface = self._interface(interface_name)
        member = members_of(interface).properties.get(name) if interface else None
        if interface is None or member is None:
            raise DBusError(
                ErrorType.UNKNOWN_PROPERTY,
                f'interface "{interface_name}" does not have property "{name}"',
            )
        return interface, member


class ObjectManager:
    """org.freedesktop.DBus.ObjectManager"""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def get_managed_objects(self) -> Any:
        """The properties of the interfaces of all objects below this one."""
        reader = PropertyReader()
        return reader.finished(
            {
                path: {
                    name: reader.read(interface)
                    for name, interface in self._tree.interfaces_at(path).items()
                }
                for path in self._tree.paths_below(current_message().path or "/")
            }
        )


class Introspectable:
    """org.freedesktop.DBus.Introspectable"""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def introspect(self) -> str:
        """The introspection data; where nothing is exported, only of the children."""
        path = current_message().path or "/"
        interfaces = self._tree.interfaces_at(path)
        node = Node.default(path) if interfaces else Node(path)
        node.interfaces += [interface.introspect() for interface in interfaces.values()]
        start = len(path.rstrip("/")) + 1
        children = {below[start:].partition("/")[0] for below in self._tree.paths_below(path)}
        node.nodes = [Node(name, is_root=False) for name in sorted(children - {""})]
        return node.tostring()


class Peer:
    """org.freedesktop.DBus.Peer; libdbus may answer these calls itself."""

    def __init__(self, tree: Tree) -> None:
        pass

    def ping(self) -> None:
        """Nothing, to show that the connection is alive."""

    def get_machine_id(self) -> str:
        """The id of this machine, 32 hexadecimal digits."""
        for name in _MACHINE_ID_FILES:
            try:
                with open(name, encoding="ascii") as file:
                    return file.read().strip()
            except OSError:
                continue
        raise DBusError(ErrorType.FAILED, "this machine has no id")


def close_all(descriptors: list[int]) -> None:
    """Close the descriptors of a message that nobody has taken."""
    for descriptor in descriptors:
        os.close(descriptor)


def _methods(*rows: tuple[str, Callable[..., Any], str, str]) -> dict[str, Method]:
    """Name, function, signatures in and out."""
    return {
        name: Method(
            name,
            function,
            [(None, kind.signature) for kind in get_signature_tree(in_signature).types],
            out_signature,
        )
        for name, function, in_signature, out_signature in rows
    }


#: The methods of each interface by name.
METHODS = {
    _DBUS + "Properties": _methods(
        ("Get", Properties.get, "ss", "v"),
        ("Set", Properties.set, "ssv", ""),
        ("GetAll", Properties.get_all, "s", "a{sv}"),
    ),
    _DBUS + "ObjectManager": _methods(
        ("GetManagedObjects", ObjectManager.get_managed_objects, "", "a{oa{sa{sv}}}"),
    ),
    _DBUS + "Introspectable": _methods(("Introspect", Introspectable.introspect, "", "s")),
    _DBUS + "Peer": _methods(
        ("Ping", Peer.ping, "", ""),
        ("GetMachineId", Peer.get_machine_id, "", "s"),
    ),
}

CLASSES: dict[str, Callable[[Tree], object]] = {
    _DBUS + "Properties": Properties,
    _DBUS + "ObjectManager": ObjectManager,
    _DBUS + "Introspectable": Introspectable,
    _DBUS + "Peer": Peer,
}
