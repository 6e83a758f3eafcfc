# SPDX-License-Identifier: MIT
"""Names and paths: is it one, and the assertion that it is one.

The rules are those of the C module, which no message can evade.  Two are wider here, as they are
in dbus-fast: a member may contain dashes (there are services with such properties), and whatever
begins with a colon passes for a unique name, as only the bus makes these.

All functions remember recent answers.  A value that is not a str is no name; one that cannot be
hashed raises TypeError.
"""

from __future__ import annotations

from functools import lru_cache, wraps

from _dbus_bindings import (
    validate_bus_name,
    validate_interface_name,
    validate_member_name,
    validate_object_path,
)
from dbus.aio.errors import (
    InvalidBusNameError,
    InvalidInterfaceNameError,
    InvalidMemberNameError,
    InvalidObjectPathError,
)

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Callable

# Names come from peers too: bounded in number and length, with room for a large service's objects.
_REMEMBERED = 1024
_MAX_NAME = 255


def _remembered(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Have recent answers remembered, but for texts of any length that a peer may send."""
    cached = lru_cache(maxsize=_REMEMBERED)(check)

    @wraps(check)
    def answer(name: Any) -> bool:
        return check(name) if isinstance(name, str) and len(name) > _MAX_NAME else cached(name)

    setattr(answer, "cache_info", cached.cache_info)  # noqa: B010  # as lru_cache's own
    return answer


@_remembered
def is_bus_name_valid(name: str) -> bool:
    """True if ``name`` is a well-known or a unique bus name."""
    if isinstance(name, str) and name.startswith(":"):
        return len(name) <= _MAX_NAME
    try:
        validate_bus_name(name)
    except (TypeError, ValueError):
        return False
    return True


@_remembered
def is_object_path_valid(path: str) -> bool:
    """True if ``path`` is an object path."""
    try:
        validate_object_path(path)
    except (TypeError, ValueError):
        return False
    return True


@_remembered
def is_interface_name_valid(name: str) -> bool:
    """True if ``name`` is the name of an interface (or of an error, which has the same form)."""
    try:
        validate_interface_name(name)
    except (TypeError, ValueError):
        return False
    return True


@_remembered
def is_member_name_valid(member: str) -> bool:
    """True if ``member`` is the name of a method, a signal or a property."""
    if isinstance(member, str) and "-" in member[1:]:
        member = member[0] + member[1:].replace("-", "_")
    try:
        validate_member_name(member)
    except (TypeError, ValueError):
        return False
    return True


def assert_bus_name_valid(name: str) -> None:
    """Raise InvalidBusNameError unless ``name`` is a bus name."""
    if not is_bus_name_valid(name):
        raise InvalidBusNameError(name)


def assert_object_path_valid(path: str) -> None:
    """Raise InvalidObjectPathError unless ``path`` is an object path."""
    if not is_object_path_valid(path):
        raise InvalidObjectPathError(path)


def assert_interface_name_valid(name: str) -> None:
    """Raise InvalidInterfaceNameError unless ``name`` is the name of an interface."""
    if not is_interface_name_valid(name):
        raise InvalidInterfaceNameError(name)


def assert_member_name_valid(member: str) -> None:
    """Raise InvalidMemberNameError unless ``member`` is the name of a member."""
    if not is_member_name_valid(member):
        raise InvalidMemberNameError(member)
