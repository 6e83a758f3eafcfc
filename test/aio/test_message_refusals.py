# SPDX-License-Identifier: MIT
"""Bodies that are refused by what sends them, though no check of Python's looks at them."""

from __future__ import annotations

from typing import Any

import pytest

from dbus.aio import Message, SignatureBodyMismatchError, Variant
from dbus.aio.message import NOT_SENDABLE, refusal


def sent(signature: str, value: Any) -> None:
    """What MessageBus.send() does before it sends."""
    message = Message.new_signal("/a", "a.b", "C", signature, [value])
    try:
        message._to_bindings()
    except NOT_SENDABLE as error:
        raise refusal(message, error) from error


@pytest.mark.parametrize("value", [b"ab", bytearray(b"ab"), [5], (0,), "ab", {1}, range(5, 7), 7])
def test_what_is_no_dict_does_not_fit_one(value: Any) -> None:
    with pytest.raises(SignatureBodyMismatchError):
        sent("a{yy}", value)
    with pytest.raises(SignatureBodyMismatchError):
        sent("v", Variant("a{yy}", value, False))
