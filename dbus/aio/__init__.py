# SPDX-License-Identifier: MIT
"""The asyncio face, with the API that dbus-fast documents.

What is here needs no connection: messages, values and their signatures, names, introspection data
and errors.  Connections on asyncio are those of the classic interface, `dbus.mainloop.asyncio`.
"""

from dbus.aio.alias import install_as_dbus_fast
from dbus.aio.constants import (
    ArgDirection,
    BusType,
    ErrorType,
    MessageFlag,
    MessageType,
    NameFlag,
    PropertyAccess,
    ReleaseNameReply,
    RequestNameReply,
)
from dbus.aio.errors import (
    AuthError,
    AuthTimeoutError,
    DBusError,
    DBusFastError,
    InterfaceNotFoundError,
    InternalError,
    InvalidAddressError,
    InvalidBusNameError,
    InvalidInterfaceNameError,
    InvalidIntrospectionError,
    InvalidMemberNameError,
    InvalidMessageError,
    InvalidObjectPathError,
    InvalidSignatureError,
    SignalDisabledError,
    SignatureBodyMismatchError,
)
from dbus.aio.message import Message
from dbus.aio.signature import SignatureTree, SignatureType, Variant
from dbus.aio.unpack import unpack_variants
from dbus.aio.validators import (
    assert_bus_name_valid,
    assert_interface_name_valid,
    assert_member_name_valid,
    assert_object_path_valid,
    is_bus_name_valid,
    is_interface_name_valid,
    is_member_name_valid,
    is_object_path_valid,
)

__all__ = (
    "ArgDirection",
    "AuthError",
    "AuthTimeoutError",
    "BusType",
    "DBusError",
    "DBusFastError",
    "ErrorType",
    "InterfaceNotFoundError",
    "InternalError",
    "InvalidAddressError",
    "InvalidBusNameError",
    "InvalidInterfaceNameError",
    "InvalidIntrospectionError",
    "InvalidMemberNameError",
    "InvalidMessageError",
    "InvalidObjectPathError",
    "InvalidSignatureError",
    "Message",
    "MessageFlag",
    "MessageType",
    "NameFlag",
    "PropertyAccess",
    "ReleaseNameReply",
    "RequestNameReply",
    "SignalDisabledError",
    "SignatureBodyMismatchError",
    "SignatureTree",
    "SignatureType",
    "Variant",
    "assert_bus_name_valid",
    "assert_interface_name_valid",
    "assert_member_name_valid",
    "assert_object_path_valid",
    "install_as_dbus_fast",
    "is_bus_name_valid",
    "is_interface_name_valid",
    "is_member_name_valid",
    "is_object_path_valid",
    "unpack_variants",
)
