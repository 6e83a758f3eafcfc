# SPDX-License-Identifier: MIT
"""Where the buses are, and what it means when libdbus cannot get there."""

from __future__ import annotations

import os

from dbus.aio.constants import BusType
from dbus.aio.errors import InternalError, InvalidAddressError
from dbus.exceptions import DBusException

_SYSTEM_BUS = "unix:path=/var/run/dbus/system_bus_socket"

_ERROR = "org.freedesktop.DBus.Error."
# libdbus' names for what the operating system said.
_OS_ERRORS: dict[str, type[OSError]] = {
    _ERROR + "FileNotFound": FileNotFoundError,
    _ERROR + "NoServer": ConnectionRefusedError,
    _ERROR + "AccessDenied": PermissionError,
    _ERROR + "Timeout": TimeoutError,
}


def bus_address(bus_type: BusType) -> str:
    """The address of a well-known bus (D-Bus Specification, "Well-known Message Bus Instances").

    InvalidAddressError if there is no session bus; InternalError if ``bus_type`` is no BusType.
    """
    if bus_type is BusType.SYSTEM:
        return os.environ.get("DBUS_SYSTEM_BUS_ADDRESS") or _SYSTEM_BUS
    if bus_type is not BusType.SESSION:
        raise InternalError(f"got unknown bus type: {bus_type}")
    address = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
    if address:
        return address
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.exists(os.path.join(runtime, "bus")):
        return "unix:runtime=yes"
    raise InvalidAddressError(
        "there is no session bus: DBUS_SESSION_BUS_ADDRESS is not set, "
        "and XDG_RUNTIME_DIR has no socket 'bus'"
    )


def connect_error(error: DBusException) -> Exception:
    """What to raise for libdbus' error on opening a connection."""
    name, text = error.get_dbus_name() or "", error.get_dbus_message()
    if name == _ERROR + "BadAddress":
        return InvalidAddressError(text)
    return _OS_ERRORS.get(name, ConnectionError)(text)
