# SPDX-License-Identifier: MIT
"""Bodies that are refused by what sends them, though no check of Python's looks at them."""

from __future__ import annotations

from typing import Any

import pytest
from busclients import run

from dbus.aio import Message, MessageBus, SignatureBodyMismatchError, Variant
from dbus.aio.message import NOT_SENDABLE, refusal

DAEMON = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")


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


def test_a_dict_that_changes_while_it_is_sent(bus: Any) -> None:
    values: dict[str, Any] = {}

    class Growing:
        def __index__(self) -> int:
            values.update((str(number), number) for number in range(100))
            return 5

    async def main() -> None:
        async with MessageBus(bus.address) as client:
            for way in (client.call, client.send):
                values.clear()
                values.update(a=Growing(), b=2)
                with pytest.raises(RuntimeError, match="changed size"):
                    await way(Message(None, "/a", "a.b", "C", signature="a{sx}", body=[values]))
            reply = await client.call(Message(*DAEMON, "GetId"))
            assert reply is not None and len(reply.body[0]) == 32

    run(main())
