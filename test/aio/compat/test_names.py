# SPDX-License-Identifier: MIT
"""The names of the top-level module."""

from __future__ import annotations

from api import REFERENCE, api

# What needs a connection: not offered by ours so far.
WITH_A_CONNECTION = {"message_bus", "proxy_object", "send_reply", "service"}
MODULES = {
    "aio",
    "auth",
    "constants",
    "errors",
    "introspection",
    "message",
    "signature",
    "unpack",
    "validators",
}
NAMES = {
    *("ArgDirection", "AuthError", "AuthTimeoutError", "BusType", "DBusError", "DBusFastError"),
    *("ErrorType", "InterfaceNotFoundError", "InternalError", "InvalidAddressError"),
    *("InvalidBusNameError", "InvalidInterfaceNameError", "InvalidIntrospectionError"),
    *("InvalidMemberNameError", "InvalidMessageError", "InvalidObjectPathError"),
    *("InvalidSignatureError", "Message", "MessageFlag", "MessageType", "NameFlag"),
    *("PropertyAccess", "ReleaseNameReply", "RequestNameReply", "SignalDisabledError"),
    *("SignatureBodyMismatchError", "SignatureTree", "SignatureType", "Variant"),
    *("assert_bus_name_valid", "assert_interface_name_valid", "assert_member_name_valid"),
    *("assert_object_path_valid", "is_bus_name_valid", "is_interface_name_valid"),
    *("is_member_name_valid", "is_object_path_valid", "unpack_variants"),
}


def test_names() -> None:
    found = {name for name in dir(api) if not name.startswith("_")} - MODULES - {"annotations"}
    if REFERENCE:
        assert found == NAMES | WITH_A_CONNECTION
    else:
        assert found - {"alias"} == NAMES | {"install_as_dbus_fast"}
