# SPDX-License-Identifier: MIT
"""Messages and pending calls, for programs that speak below proxies and services."""

from _dbus_bindings import (
    HANDLER_RESULT_HANDLED,
    HANDLER_RESULT_NOT_YET_HANDLED,
    MESSAGE_TYPE_ERROR,
    MESSAGE_TYPE_INVALID,
    MESSAGE_TYPE_METHOD_CALL,
    MESSAGE_TYPE_METHOD_RETURN,
    MESSAGE_TYPE_SIGNAL,
    ErrorMessage,
    Message,
    MethodCallMessage,
    MethodReturnMessage,
    PendingCall,
    SignalMessage,
)

__all__ = (
    "PendingCall",
    "Message",
    "MethodCallMessage",
    "MethodReturnMessage",
    "ErrorMessage",
    "SignalMessage",
    "HANDLER_RESULT_HANDLED",
    "HANDLER_RESULT_NOT_YET_HANDLED",
    "MESSAGE_TYPE_INVALID",
    "MESSAGE_TYPE_METHOD_CALL",
    "MESSAGE_TYPE_METHOD_RETURN",
    "MESSAGE_TYPE_ERROR",
    "MESSAGE_TYPE_SIGNAL",
)
