# SPDX-License-Identifier: MIT
"""The well-known buses, of which a process shares one connection each; import them from dbus."""

from __future__ import annotations

from _dbus_bindings import BUS_SESSION, BUS_STARTER, BUS_SYSTEM, NativeMainLoop
from dbus.bus import BusConnection
from dbus.exceptions import DBusException as DBusException  # programs reach it through here

# Programs reach these names through this module.
from _dbus_bindings import (  # isort: skip
    BUS_DAEMON_IFACE as BUS_DAEMON_IFACE,
    BUS_DAEMON_NAME as BUS_DAEMON_NAME,
    BUS_DAEMON_PATH as BUS_DAEMON_PATH,
    DBUS_START_REPLY_ALREADY_RUNNING as DBUS_START_REPLY_ALREADY_RUNNING,
    DBUS_START_REPLY_SUCCESS as DBUS_START_REPLY_SUCCESS,
    SignalMessage as SignalMessage,
    validate_bus_name as validate_bus_name,
    validate_interface_name as validate_interface_name,
    validate_member_name as validate_member_name,
    validate_object_path as validate_object_path,
)

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, ClassVar, Optional

__all__ = ("Bus", "SystemBus", "SessionBus", "StarterBus")

_TYPE_NAMES = {BUS_SESSION: "session", BUS_SYSTEM: "system", BUS_STARTER: "starter"}


class Bus(BusConnection):
    """The session bus, the system bus, or the one that started this process.

    Whoever asks for the same bus gets the same object, unless for a private one.  To make classes
    of your own, `dbus.bus.BusConnection` is the better base: it shares nothing.
    """

    _shared_instances: ClassVar[dict[int, Bus]] = {}
    _bus_type: int

    def __new__(
        cls,
        bus_type: int = BUS_SESSION,
        private: bool = False,
        mainloop: Optional[NativeMainLoop] = None,
    ) -> Any:
        """Return the shared connection to the bus, made if need be, or a private one.

        A shared connection keeps the main loop that it was made with.  One that was lost is made
        anew.
        """
        shared = Bus._shared_instances
        if not private and bus_type in shared and shared[bus_type].get_is_connected():
            return shared[bus_type]
        if bus_type not in _TYPE_NAMES:
            raise ValueError(f"invalid bus_type {bus_type}")
        kinds = {BUS_SESSION: SessionBus, BUS_SYSTEM: SystemBus, BUS_STARTER: StarterBus}
        bus = BusConnection.__new__(kinds[bus_type], bus_type, mainloop=mainloop)
        bus._bus_type = bus_type
        if not private:
            shared[bus_type] = bus
        return bus

    def close(self) -> None:
        """Close the connection; a shared one is made anew for the next who asks."""
        if Bus._shared_instances.get(self._bus_type) is self:
            del Bus._shared_instances[self._bus_type]
        super().close()

    def get_connection(self) -> Bus:
        """Return the bus itself, which is a connection since long."""
        return self

    _connection = property(get_connection, None, None, "The bus itself.")

    @staticmethod
    def get_session(private: bool = False) -> Any:
        """Return a connection to the session bus."""
        return SessionBus(private=private)

    @staticmethod
    def get_system(private: bool = False) -> Any:
        """Return a connection to the system bus."""
        return SystemBus(private=private)

    @staticmethod
    def get_starter(private: bool = False) -> Any:
        """Return a connection to the bus that started this process."""
        return StarterBus(private=private)

    def __repr__(self) -> str:
        cls = type(self)
        kind = _TYPE_NAMES.get(self._bus_type, "unknown bus type")
        return f"<{cls.__module__}.{cls.__name__} ({kind}) at {id(self):#x}>"

    __str__ = __repr__


class SystemBus(Bus):
    """The bus of the whole system."""

    def __new__(cls, private: bool = False, mainloop: Optional[NativeMainLoop] = None) -> Any:
        """Return the shared connection, or a private one."""
        return Bus.__new__(cls, BUS_SYSTEM, private, mainloop)


class SessionBus(Bus):
    """The bus of the user's session."""

    def __new__(cls, private: bool = False, mainloop: Optional[NativeMainLoop] = None) -> Any:
        """Return the shared connection, or a private one."""
        return Bus.__new__(cls, BUS_SESSION, private, mainloop)


class StarterBus(Bus):
    """The bus that started this process; there is none unless one did."""

    def __new__(cls, private: bool = False, mainloop: Optional[NativeMainLoop] = None) -> Any:
        """Return the shared connection, or a private one."""
        return Bus.__new__(cls, BUS_STARTER, private, mainloop)
