# SPDX-License-Identifier: MIT
"""File descriptors in the values of a body.

In a message a value of type ``h`` is an index into ``unix_fds``; what programs give and get is the
descriptor.  The two functions turn one into the other; containers on the way are made anew, the
rest of the values are passed on.  They check nothing: what does not fit its type is left for the
check of the message.
"""

from __future__ import annotations

from dbus.aio.signature import Variant

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Callable

    from dbus.aio.signature import SignatureTree, SignatureType


def may_hold_descriptors(signature: str) -> bool:
    """Whether a value of these types can have a descriptor in it; a variant can."""
    return "h" in signature or "v" in signature


def with_descriptors(tree: SignatureTree, body: list[Any], unix_fds: Sequence[int]) -> list[Any]:
    """The values of a received body, a descriptor in place of each index."""
    return [_change(kind, value, unix_fds.__getitem__) for kind, value in zip(tree.types, body)]


def with_indexes(tree: SignatureTree, body: list[Any]) -> tuple[list[Any], list[int]]:
    """The values for a body, an index in place of each descriptor; and the descriptors."""
    found: list[int] = []

    def index_of(descriptor: Any) -> Any:
        if not isinstance(descriptor, int):
            return descriptor
        if descriptor not in found:
            found.append(descriptor)
        return found.index(descriptor)

    return [_change(kind, value, index_of) for kind, value in zip(tree.types, body)], found


def _change(kind: SignatureType, value: Any, change: Callable[[Any], Any]) -> Any:
    token = kind.token
    if token == "h":
        return change(value)
    if not may_hold_descriptors(kind.signature):
        return value
    if token == "v":
        if not isinstance(value, Variant) or not may_hold_descriptors(value.signature):
            return value
        return Variant(value.signature, _change(value.type, value.value, change), verify=False)
    if token == "(":
        if not isinstance(value, (tuple, list)) or len(value) != len(kind.children):
            return value
        return tuple([_change(member, of, change) for member, of in zip(kind.children, value)])
    element = kind.children[0]
    if element.token == "{":
        return _change_dict(element, value, change) if isinstance(value, dict) else value
    if isinstance(value, (list, tuple)):
        return [_change(element, of, change) for of in value]
    return value


def _change_dict(
    entry: SignatureType, value: dict[Any, Any], change: Callable[[Any], Any]
) -> dict[Any, Any]:
    key, content = entry.children
    if key.token == "h":
        value = {change(of): at for of, at in value.items()}
    # Most dicts are an a{sv}, and few variants have a descriptor: no call for the others.
    return {
        of: at
        if at.__class__ is Variant and "h" not in at.signature and "v" not in at.signature
        else _change(content, at, change)
        for of, at in value.items()
    }
