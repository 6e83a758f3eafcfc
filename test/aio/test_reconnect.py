# SPDX-License-Identifier: MIT
"""A bus that connects again by itself."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest
from busclients import call_to, goes_on, ping, run, settled, signal_of, subscribe

from dbus.aio import DisconnectedError, Message, MessageBus, MessageType, NameFlag
from dbus.testing import PrivateBus


@pytest.fixture
def address(tmp_path: Any) -> str:
    return f"unix:path={tmp_path}/bus"


def bus_at(address: str) -> Any:
    return PrivateBus(config_extra=f"<listen>{address}</listen>")


def test_reconnect(address: str) -> None:
    async def main() -> None:
        first = bus_at(address)
        first.start()
        back: asyncio.Queue[MessageBus] = asyncio.Queue()
        client = MessageBus(address, reconnect=True, on_reconnect=back.put_nowait)
        await client.connect()
        await client.request_name("org.example.Name", NameFlag.ALLOW_REPLACEMENT)
        signals: asyncio.Queue[Message] = asyncio.Queue()
        sender_name = "org.example.Sender"
        subscribe(client, signals.put_nowait, sender=sender_name, interface="an.Interface")
        ended = asyncio.ensure_future(client.wait_for_disconnect())
        calls = asyncio.ensure_future(client.call(call_to(client, "Never")))
        client.add_message_handler(lambda msg: msg.member == "Never")

        for daemon in (bus_at(address), bus_at(address)):
            first.close()
            with pytest.raises(DisconnectedError):
                await calls
            with pytest.raises(DisconnectedError):
                await client.call(ping())
            daemon.start()
            assert await back.get() is client
            async with MessageBus(address) as sender:
                await sender.request_name(sender_name)
                await sender.send(signal_of("S", "s", "hello"))
                assert (await signals.get()).body == ["hello"]
                reply = await sender.call(
                    Message("org.example.Name", "/", "org.freedesktop.DBus.Peer", "Ping")
                )
                assert reply is not None and reply.message_type is MessageType.METHOD_RETURN
            calls = asyncio.ensure_future(client.call(call_to(client, "Never")))
            await settled(client)
            first = daemon
        assert not ended.done()
        client.disconnect()
        assert await ended is None
        with pytest.raises(DisconnectedError):
            await calls
        first.close()

    run(main())


def test_disconnect_ends_the_attempts_to_reconnect(address: str) -> None:
    async def main() -> None:
        daemon = bus_at(address)
        daemon.start()
        client = await MessageBus(address, reconnect=True).connect()
        lost = asyncio.ensure_future(client.call(call_to(client, "Never")))
        client.add_message_handler(lambda msg: msg.member == "Never")
        daemon.close()
        with pytest.raises(DisconnectedError):
            await lost
        ended = asyncio.ensure_future(client.wait_for_disconnect())
        await goes_on(ended)
        client.disconnect()
        await ended
        gone = weakref.ref(client)
        del client, lost, ended  # an exception knows the frames that it came through
        await goes_on()
        gc.collect()
        assert gone() is None

    run(main())
