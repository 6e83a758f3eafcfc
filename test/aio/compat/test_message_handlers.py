# SPDX-License-Identifier: MIT
"""Handlers of all messages."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api import api
from clients import ERROR, RETURN, SIGNAL, Arrivals, Message, call_to, ping, with_two

# --- Message handlers


@pytest.mark.parametrize("result", [None, False])
def test_a_handler_lets_calls_go_on(bus: Any, result: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        server.add_message_handler(lambda msg: result)
        reply = await client.call(call_to(server))
        assert reply.error_name == "org.freedesktop.DBus.Error.UnknownMethod"
        assert reply.body == ['an.Interface.M with signature "" could not be found']

    with_two(bus, test)


def test_a_handler_answers(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        def handler(msg: Any) -> Any:
            return Message.new_method_return(msg, "s", ["yes"]) if msg.member == "M" else None

        server.add_message_handler(handler)
        reply = await client.call(call_to(server))
        assert (reply.message_type, reply.body) == (RETURN, ["yes"])
        server.remove_message_handler(handler)
        assert (await client.call(call_to(server))).message_type is ERROR

    with_two(bus, test)


def test_a_handler_says_that_it_has_dealt_with_a_call(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        arrivals = Arrivals(True)
        server.add_message_handler(arrivals)
        second = Arrivals()
        server.add_message_handler(second)
        waiting = asyncio.ensure_future(client.call(call_to(server)))
        msg = await arrivals.member("M")
        assert msg.sender == client.unique_name
        await server.send(Message.new_method_return(msg, "s", ["later"]))
        assert (await waiting).body == ["later"]
        assert second.queue.empty()

    with_two(bus, test)


def test_a_handler_raises_the_error_of_a_call(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        def handler(msg: Any) -> Any:
            raise api.DBusError("an.Error", "the text")

        server.add_message_handler(handler)
        reply = await client.call(call_to(server))
        assert (reply.error_name, reply.body) == ("an.Error", ["the text"])

    with_two(bus, test)


def test_a_handler_fails(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)

        def handler(msg: Any) -> Any:
            raise ValueError("secret")

        server.add_message_handler(handler)
        reply = await client.call(call_to(server))
        assert reply.error_name == api.ErrorType.INTERNAL_ERROR
        assert reply.body == ["An internal error occurred: ValueError"]

    with_two(bus, test)


def test_a_handler_that_fails_does_not_keep_signals_from_others(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        arrivals = Arrivals()

        def handler(msg: Any) -> Any:
            raise ValueError("wrong")

        server.add_message_handler(handler)
        server.add_message_handler(arrivals)
        msg = Message.new_signal("/", "an.Interface", "S", "i", [5])
        msg.destination = server.unique_name
        await client.send(msg)
        assert (await arrivals.member("S")).body == [5]

    with_two(bus, test)


def test_handlers_see_replies(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        arrivals = Arrivals()
        client.add_message_handler(arrivals)
        reply = await client.call(ping())
        seen = await arrivals.queue.get()
        while seen.message_type is SIGNAL:
            seen = await arrivals.queue.get()
        assert (seen.message_type, seen.reply_serial) == (RETURN, reply.reply_serial)

    with_two(bus, test)


def test_a_handler_that_was_added_twice_runs_twice(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        seen = []

        def handler(msg: Any) -> None:
            if msg.message_type is RETURN:
                seen.append(msg)

        client.add_message_handler(handler)
        client.add_message_handler(handler)
        await client.call(ping())
        assert len(seen) == 2
        client.remove_message_handler(handler)
        await client.call(ping())
        assert len(seen) == 3
        client.remove_message_handler(handler)
        await client.call(ping())
        assert len(seen) == 3
        assert client.remove_message_handler(handler) is None

    with_two(bus, test)


@pytest.mark.parametrize("handler", [None, 5, "name"])
def test_handlers_that_cannot_be_called(bus: Any, handler: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        with pytest.raises(TypeError):
            client.add_message_handler(handler)

    with_two(bus, test)
