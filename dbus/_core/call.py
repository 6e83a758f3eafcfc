# SPDX-License-Identifier: MIT
"""A method call as a message, and its reply as Python values."""

from __future__ import annotations

from _dbus_bindings import (
    LOCAL_IFACE,
    LOCAL_PATH,
    ErrorMessage,
    Message,
    MethodCallMessage,
    MethodReturnMessage,
)
from dbus._core import report
from dbus.exceptions import DBusException

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Mapping, Optional

_CHANNEL = "dbus.connection"


def new_call(
    bus_name: Optional[str],
    object_path: str,
    interface: Optional[str],
    member: str,
    signature: Optional[str],
    args: Iterable[object],
) -> MethodCallMessage:
    """The message that calls ``member``; ``signature`` None means: guess it from ``args``.

    DBusException for libdbus' own path and interface, which no peer may be called by; ValueError
    for an invalid name; and what ``Message.append`` raises for arguments that do not fit.
    """
    if object_path == LOCAL_PATH:
        raise DBusException(f"Methods may not be called on the reserved path {LOCAL_PATH}")
    if interface == LOCAL_IFACE:
        raise DBusException(f"Methods may not be called on the reserved interface {LOCAL_IFACE}")
    message = MethodCallMessage(bus_name, object_path, interface, member)
    if args or signature:
        try:
            message.append(*args, signature=signature)
        except Exception as error:
            report.error(
                _CHANNEL,
                "Unable to set arguments %r according to signature %r: %s: %s",
                args,
                signature,
                type(error),
                error,
            )
            raise
    return message


def reply_value(reply: Message, byte_arrays: bool) -> Any:
    """What a caller gets for ``reply``: None, the only value, or a tuple of all."""
    values = reply.get_args_list(byte_arrays=byte_arrays)
    if len(values) == 1:
        return values[0]
    return tuple(values) if values else None


def reply_error(reply: Message) -> DBusException:
    """The exception that an error message stands for."""
    return DBusException(*reply.get_args_list(), name=reply.get_error_name())


def reply_router(
    on_reply: Optional[Callable[..., object]],
    on_error: Optional[Callable[[Exception], object]],
    byte_arrays: bool,
) -> Callable[[Message], None]:
    """A function for the reply message that calls one of two handlers; None ignores its case.

    ``on_reply`` gets the values of the reply, ``on_error`` one exception.
    """

    def route(reply: Message) -> None:
        if isinstance(reply, MethodReturnMessage):
            if on_reply is not None:
                on_reply(*reply.get_args_list(byte_arrays=byte_arrays))
        elif on_error is not None:
            if isinstance(reply, ErrorMessage):
                on_error(reply_error(reply))
            else:
                on_error(TypeError(f"Unexpected type for reply message: {reply!r}"))

    return route


def refuse_removed_keywords(keywords: Mapping[str, object]) -> None:
    """TypeError for ``utf8_strings``, which went with Python 2; other names are let pass."""
    if "utf8_strings" in keywords:
        raise TypeError("unexpected keyword argument 'utf8_strings'")
