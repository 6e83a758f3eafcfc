# SPDX-License-Identifier: MIT
"""Bus names: what kind they are, how one is requested, which deprecated keyword stands for one."""

from __future__ import annotations

from _dbus_bindings import (
    BUS_DAEMON_NAME,
    NAME_FLAG_ALLOW_REPLACEMENT,
    NAME_FLAG_DO_NOT_QUEUE,
    NAME_FLAG_REPLACE_EXISTING,
    REQUEST_NAME_REPLY_ALREADY_OWNER,
    REQUEST_NAME_REPLY_EXISTS,
    REQUEST_NAME_REPLY_IN_QUEUE,
    REQUEST_NAME_REPLY_PRIMARY_OWNER,
)
from dbus.exceptions import NameExistsException

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Optional

NAME_HAS_NO_OWNER = "org.freedesktop.DBus.Error.NameHasNoOwner"


def is_unique(name: str) -> bool:
    """True for a name that the bus gave to one connection, such as ``:1.42``."""
    return name[:1] == ":"


def may_change_owner(name: Optional[str]) -> bool:
    """True for a well-known name; the bus daemon's own never changes hands."""
    return name is not None and not is_unique(name) and name != BUS_DAEMON_NAME


def request_flags(allow_replacement: bool, replace_existing: bool, do_not_queue: bool) -> int:
    """The flags of a RequestName call."""
    return (
        (NAME_FLAG_ALLOW_REPLACEMENT if allow_replacement else 0)
        | (NAME_FLAG_REPLACE_EXISTING if replace_existing else 0)
        | (NAME_FLAG_DO_NOT_QUEUE if do_not_queue else 0)
    )


def check_request(name: str, answer: int) -> None:
    """Raise NameExistsException if the bus refused ``name``; owning it and queueing are fine."""
    if answer == REQUEST_NAME_REPLY_EXISTS:
        raise NameExistsException(name)
    if answer not in (
        REQUEST_NAME_REPLY_PRIMARY_OWNER,
        REQUEST_NAME_REPLY_IN_QUEUE,
        REQUEST_NAME_REPLY_ALREADY_OWNER,
    ):
        raise RuntimeError(f"requesting bus name {name} returned unexpected value {answer}")


def renamed_keyword(
    keywords: dict[str, Any], old: str, new: str, value: Any, function: str, stacklevel: int
) -> Any:
    """Take the deprecated keyword ``old`` out of ``keywords`` in place of argument ``new``.

    Returns the value to use.  TypeError if both are given; a DeprecationWarning that names
    ``function`` if only the old one is.
    """
    if old not in keywords:
        return value
    if value is not None:
        raise TypeError(f"{new} and {old} cannot both be specified")
    import warnings

    warnings.warn(
        f"Passing the {old} parameter to {function} by name is deprecated: "
        "please use positional parameters",
        DeprecationWarning,
        stacklevel=stacklevel + 1,
    )
    return keywords.pop(old)
