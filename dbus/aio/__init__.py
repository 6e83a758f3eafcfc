# SPDX-License-Identifier: MIT
"""The asyncio face, with the API that dbus-fast documents.

`MessageBus` is the connection; messages, values and their signatures, names, introspection data and
errors need none.  Objects to offer are written with `dbus.aio.service`.  What needs asyncio is
loaded when it is first asked for.
"""

from __future__ import annotations

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
    DisconnectedError,
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

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from dbus.aio.message_bus import MessageBus
    from dbus.aio.peer import PeerServer, start_server
    from dbus.aio.proxy_object import ProxyInterface, ProxyObject

# Names by the module that they are loaded from.
_ON_DEMAND = {
    "MessageBus": "message_bus",
    "PeerServer": "peer",
    "ProxyInterface": "proxy_object",
    "ProxyObject": "proxy_object",
    "start_server": "peer",
}


def __getattr__(name: str) -> object:
    module = _ON_DEMAND.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


__all__ = (
    "ArgDirection",
    "AuthError",
    "AuthTimeoutError",
    "BusType",
    "DBusError",
    "DBusFastError",
    "DisconnectedError",
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
    "MessageBus",
    "MessageFlag",
    "MessageType",
    "NameFlag",
    "PeerServer",
    "PropertyAccess",
    "ProxyInterface",
    "ProxyObject",
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
    "start_server",
    "unpack_variants",
)
