# SPDX-License-Identifier: MIT
"""The exceptions of the asyncio face.

All derive from `DBusFastError`; those about a wrong value are a ValueError too, and those about a
malformed name a TypeError, so that handlers of the builtin classes catch them as well.
"""

from __future__ import annotations

import sys

from _dbus_bindings import validate_interface_name
from dbus.aio.constants import ErrorType

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, Union


class DBusFastError(Exception):
    """The base of every exception that this package defines."""


class SignatureBodyMismatchError(ValueError, DBusFastError):
    """Values do not fit the signature that they are sent with."""


class InvalidSignatureError(ValueError, DBusFastError):
    """A string is not a signature, or not one of a single complete type where that is needed."""


class InvalidAddressError(ValueError, DBusFastError):
    """The address of a bus cannot be parsed, or has no transport that is known."""


class AuthError(ValueError, DBusFastError):
    """The other side refused the authentication, or it cannot be done as asked."""


class AuthTimeoutError(AuthError):
    """The other side did not answer during the authentication."""


class DisconnectedError(ConnectionError, EOFError, DBusFastError):
    """There is no connection (any more), so nothing can be sent and no reply will come."""


class InternalError(RuntimeError, DBusFastError):
    """Something happened in the library that should be impossible."""


class InvalidMessageError(ValueError, DBusFastError):
    """A message lacks a field that its type requires."""


class InvalidIntrospectionError(ValueError, DBusFastError):
    """Introspection data is not well-formed, or describes something impossible."""


class InterfaceNotFoundError(DBusFastError):
    """The object has no such interface."""


class SignalDisabledError(DBusFastError):
    """A disabled signal was emitted."""


class InvalidBusNameError(TypeError, DBusFastError):
    """``name`` is not a bus name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"invalid bus name: {name}")


class InvalidObjectPathError(TypeError, DBusFastError):
    """``path`` is not an object path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"invalid object path: {path}")


class InvalidInterfaceNameError(TypeError, DBusFastError):
    """``name`` is not the name of an interface or an error."""

    def __init__(self, name: str) -> None:
        super().__init__(f"invalid interface name: {name}")


class InvalidMemberNameError(TypeError, DBusFastError):
    """``member`` is not the name of a method, signal or property."""

    def __init__(self, member: str) -> None:
        super().__init__(f"invalid member name: {member}")


class DBusError(DBusFastError):
    """An error reply: received by a client, or raised in a service to be sent to the caller.

    ``type`` is the error name as a str, ``text`` its description, ``reply`` the message that
    brought it, or None.

    The constructor raises InvalidInterfaceNameError if ``type_`` is not an error name, and
    TypeError if ``reply`` is not a Message.
    """

    def __init__(
        self, type_: Union[ErrorType, str], text: str, reply: Optional[Any] = None
    ) -> None:
        name = type_.value if isinstance(type_, ErrorType) else type_
        try:
            validate_interface_name(name)
        except (TypeError, ValueError):
            raise InvalidInterfaceNameError(name) from None
        if reply is not None and not _is_message(reply):
            raise TypeError(f"the reply is a {type(reply).__name__}, not a Message")
        super().__init__(text)
        self.type: str = name
        self.text = text
        self.reply = reply

    def __reduce__(self) -> tuple[Callable[..., DBusError], tuple[Any, ...]]:
        # Without its reply: a message belongs to the process that received it.
        return type(self), (self.type, self.text)


def _is_message(value: object) -> bool:
    # Whoever has a Message has loaded its module, which itself needs this one.
    module = sys.modules.get("dbus.aio.message")
    return module is not None and isinstance(value, module.Message)
