# SPDX-License-Identifier: MIT
"""What the calls of the C module leave to Python: the log, and exceptions for error replies."""

from __future__ import annotations

from _dbus_bindings import Message
from dbus._core import report
from dbus.exceptions import DBusException

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Mapping, Optional

_CHANNEL = "dbus.connection"


def report_refusal(args: tuple[object, ...], signature: Optional[str], error: Exception) -> None:
    """Log arguments of a call that do not fit their types."""
    report.error(
        _CHANNEL,
        "Unable to set arguments %r according to signature %r: %s: %s",
        args,
        signature,
        type(error),
        error,
    )


def reply_error(reply: Message) -> DBusException:
    """The exception that an error message stands for."""
    return DBusException(*reply.get_args_list(), name=reply.get_error_name())


def refuse_removed_keywords(keywords: Mapping[str, object]) -> None:
    """TypeError for ``utf8_strings``, which went with Python 2; other names are let pass."""
    if "utf8_strings" in keywords:
        raise TypeError("unexpected keyword argument 'utf8_strings'")
