# SPDX-License-Identifier: MIT
"""D-Bus for Python: clients here, services in `dbus.service`, main loops in `dbus.mainloop`."""

from _dbus_bindings import (
    BUS_DAEMON_IFACE,
    BUS_DAEMON_NAME,
    BUS_DAEMON_PATH,
    INTROSPECTABLE_IFACE,
    LOCAL_IFACE,
    LOCAL_PATH,
    PEER_IFACE,
    PROPERTIES_IFACE,
    get_default_main_loop,
    set_default_main_loop,
    validate_bus_name,
    validate_error_name,
    validate_interface_name,
    validate_member_name,
    validate_object_path,
)
from dbus import lowlevel as lowlevel
from dbus._compat import is_py2 as is_py2
from dbus._dbus import Bus, SessionBus, StarterBus, SystemBus
from dbus.exceptions import (
    DBusException,
    IntrospectionParserException,
    MissingErrorHandlerException,
    MissingReplyHandlerException,
    NameExistsException,
    UnknownMethodException,
    ValidationException,
)
from dbus.proxies import Interface
from dbus.types import (
    Array,
    Boolean,
    Byte,
    ByteArray,
    Dictionary,
    Double,
    Int16,
    Int32,
    Int64,
    ObjectPath,
    Signature,
    String,
    Struct,
    UInt16,
    UInt32,
    UInt64,
)

__docformat__ = "restructuredtext"

# The level of the programming interface, and the version of this implementation of it.
version = (1, 5, 1)
__version__ = "1.5.1"
shim_version = "0.1.0"

__all__ = [  # noqa: F822  # the last three are modules, imported on demand
    # Connections
    "Bus",
    "SystemBus",
    "SessionBus",
    "StarterBus",
    "Interface",
    "get_default_main_loop",
    "set_default_main_loop",
    # Names and paths
    "validate_interface_name",
    "validate_member_name",
    "validate_bus_name",
    "validate_object_path",
    "validate_error_name",
    "BUS_DAEMON_NAME",
    "BUS_DAEMON_PATH",
    "BUS_DAEMON_IFACE",
    "LOCAL_PATH",
    "LOCAL_IFACE",
    "PEER_IFACE",
    "INTROSPECTABLE_IFACE",
    "PROPERTIES_IFACE",
    # Values
    "ObjectPath",
    "ByteArray",
    "Signature",
    "Byte",
    "Boolean",
    "Int16",
    "UInt16",
    "Int32",
    "UInt32",
    "Int64",
    "UInt64",
    "Double",
    "String",
    "Array",
    "Struct",
    "Dictionary",
    # Exceptions
    "DBusException",
    "MissingErrorHandlerException",
    "MissingReplyHandlerException",
    "ValidationException",
    "IntrospectionParserException",
    "UnknownMethodException",
    "NameExistsException",
    # Modules
    "service",
    "mainloop",
    "lowlevel",
]
