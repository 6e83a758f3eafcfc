# SPDX-License-Identifier: MIT
"""Exported objects that are GObjects too (needs PyGObject)."""

from __future__ import annotations

from gi.repository import GObject  # type: ignore[import-untyped]

from dbus import service

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Optional

__all__ = ["ExportedGObject"]


class ExportedGObjectType(type(GObject.Object), service.InterfaceType):  # type: ignore[misc]
    """The metaclass of both kinds at once."""

    def __init__(cls, name: str, bases: tuple[type, ...], dct: dict[str, Any]) -> None:
        type(GObject.Object).__init__(cls, name, bases, dct)
        service.InterfaceType.__init__(cls, name, bases, dct)


class ExportedGObject(
    GObject.Object,  # type: ignore[misc]
    service.Object,
    metaclass=ExportedGObjectType,
):
    """A GObject that is exported on D-Bus."""

    def __init__(self, conn: Any = None, object_path: Optional[str] = None, **kwargs: Any) -> None:
        """As for `dbus.service.Object`, with keywords.

        ``bus_name`` is a `dbus.service.BusName` to hold on to.  ``gobject_properties`` is a dict
        of GObject properties to set, and every other keyword is such a property too.
        """
        bus_name = kwargs.pop("bus_name", None)
        properties = kwargs.pop("gobject_properties", None) or {}
        GObject.Object.__init__(self, **{**properties, **kwargs})
        service.Object.__init__(self, conn=conn, object_path=object_path, bus_name=bus_name)
