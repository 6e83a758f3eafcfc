# SPDX-License-Identifier: MIT
"""Values without their variants."""

from __future__ import annotations

from dbus.aio.signature import Variant

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any


# The values that are not left as they are.
_CHANGED = frozenset({Variant, dict, list, tuple})


def unpack_variants(data: Any) -> Any:
    """Replace each Variant in ``data`` by its value, at every depth.

    Made for what a message brings, so it knows these types exactly and no subclass of theirs:
    dicts, lists and tuples come back as new containers, every other value as it is.  The keys of
    dicts are left alone.
    """
    kind = type(data)
    while kind is Variant:
        data = data.value
        kind = type(data)
    if kind is dict:
        result = {}
        for key, value in data.items():
            # One variant off here: nearly every dict is an a{sv}, and most values are basic.
            if type(value) is Variant:
                value = value.value
            result[key] = unpack_variants(value) if type(value) in _CHANGED else value
        return result
    if kind is list or kind is tuple:
        if _CHANGED.isdisjoint(map(type, data)):
            return data[:]
        return kind([unpack_variants(value) for value in data])
    return data
