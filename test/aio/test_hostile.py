# SPDX-License-Identifier: MIT
"""Buses and clients that do not keep to the rules, as dbus.aio sees them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import wire
from busclients import run
from marshalling import FakePeer, ForeignPeer

from dbus.aio import DBusError, DisconnectedError, Message, MessageBus, MessageType, start_server
from dbus.aio.service import ServiceInterface, method

WRONG: list[tuple[Any, ...]] = [(), ("u", 77), ("as", []), ("ss", "x", "y"), ("v", ("s", "x"))]


def answer(*values: Any) -> Any:
    return lambda peer, message: peer.send(wire.returned(message.serial, *values))


def good() -> Message:
    return Message(":1.2", "/", "test.I", "Good")


@pytest.mark.parametrize("values", [wrong for wrong in WRONG if wrong[:1] != ("ss",)])
def test_a_greeting_that_brings_no_name(values: Any) -> None:
    async def main() -> None:
        with FakePeer(answers={"Hello": answer(*values)}) as fake:
            bus = MessageBus(fake.address)
            with pytest.raises(DBusError, match="Hello returned"):
                await bus.connect()
            assert not bus.connected and bus.unique_name is None

    run(main())


@pytest.mark.parametrize("values", WRONG)
def test_an_answer_about_a_name_that_is_none(values: Any) -> None:
    async def main() -> None:
        answers = {"RequestName": answer(*values), "ReleaseName": answer(*values)}
        with FakePeer(answers=answers) as fake:
            async with MessageBus(fake.address) as bus:
                for ask in (bus.request_name, bus.release_name):
                    with pytest.raises(DBusError):
                        await ask("org.example.Name")
                reply = await bus.call(good())
                assert reply is not None and reply.body == ["good"]

    run(main())


def test_connecting_again_to_a_bus_that_must_learn_to_greet() -> None:
    greetings = 0
    wrong: list[Any] = [(), ("u", 5), ("as", [])]

    def greet(peer: Any, message: Any) -> None:
        nonlocal greetings
        greetings += 1
        values = wrong[greetings - 2] if 2 <= greetings < 5 else ("s", ":1.1")
        answer(*values)(peer, message)

    async def main() -> None:
        with FakePeer(answers={"Hello": greet}) as fake:
            back: asyncio.Queue[MessageBus] = asyncio.Queue()
            bus = MessageBus(fake.address, reconnect=True, on_reconnect=back.put_nowait)
            await bus.connect()
            fake.drop()
            assert await back.get() is bus
            reply = await bus.call(good())
            assert reply is not None and reply.body == ["good"]
            assert greetings == 5
            bus.disconnect()

    run(main())


@pytest.mark.parametrize("words", [b"", b"\0AUTH EXTERNAL 3", b"\0" + b"AUTH\r\n" * 3])
def test_a_client_that_does_not_authenticate_is_sent_away(tmp_path: Any, words: bytes) -> None:
    async def main() -> None:
        added: asyncio.Queue[MessageBus] = asyncio.Queue()
        address = f"unix:path={tmp_path}/peer"
        async with await start_server(added.put_nowait, address, auth_timeout=0.2) as server:
            idle = wire.Peer.connected(server.address)
            idle.send(words)
            with pytest.raises(DisconnectedError):
                await (await added.get()).wait_for_disconnect()
            assert server.peers == set()
            assert idle.ended(5)
            idle.close()
            client = await MessageBus(server.address, peer=True).connect()
            begin = asyncio.get_running_loop().time()
            while asyncio.get_running_loop().time() < begin + 0.4:  # it stays
                reply = await client.call(Message(None, "/", "org.freedesktop.DBus.Peer", "Ping"))
                assert reply is not None
            client.disconnect()

    run(main())


def test_an_end_that_is_found_by_sending_ends_the_calls(tmp_path: Any) -> None:
    """The peer goes with something unread: to send fails, and nothing is to be read."""

    async def main() -> None:
        added: asyncio.Queue[MessageBus] = asyncio.Queue()
        async with await start_server(added.put_nowait, f"unix:path={tmp_path}/peer") as server:
            loop = asyncio.get_running_loop()
            peer = await loop.run_in_executor(None, wire.Peer.client, server.address)
            bus = await added.get()
            await loop.run_in_executor(
                None, peer.ask, wire.call("Ping", interface="org.freedesktop.DBus.Peer", serial=5)
            )
            await bus.send(Message.new_signal("/", "a.b", "C", "", []))
            peer.close()
            with pytest.raises(DisconnectedError):
                await bus.call(Message(None, "/", "a.b", "M"), timeout=20)
            with pytest.raises(DisconnectedError):
                await bus.wait_for_disconnect()

    run(main())


@pytest.mark.parametrize(("signature", "value"), [("h", 0), ("ah", [0]), ("v", ("h", 0))])
def test_calls_with_the_number_of_a_descriptor_that_did_not_come(
    bus: Any, signature: str, value: Any
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with MessageBus(bus.address, negotiate_unix_fd=True) as served:
            seen: list[Message] = []
            served.add_message_handler(seen.append)  # type: ignore[arg-type]
            peer = await loop.run_in_executor(None, ForeignPeer, bus.address)
            fields = {6: ("s", served.unique_name), 1: ("o", "/"), 2: ("s", "a.b"), 3: ("s", "C")}
            peer.send(wire.CALL, 5, fields, signature, value)
            got = await loop.run_in_executor(None, peer.receive)
            assert got.kind == wire.ERROR
            assert not any(msg.message_type is MessageType.METHOD_CALL for msg in seen)
            assert served.connected
            peer.close()

    reports: list[Any] = []

    async def quiet() -> None:
        # The loop hears of a message that cannot be read.
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        await main()

    run(quiet())
    assert [type(report["exception"]) for report in reports] == [ValueError]


SAYS = "<node><interface name='test.I'><signal name='Said'/></interface></node>"


class Big(ServiceInterface):
    """Gives away a MiB at a time."""

    asked = 0

    @method()
    def M(self, number: "u") -> "uay":  # type: ignore[name-defined]  # noqa: F821
        self.asked += 1
        return [number, bytes(1 << 20)]


def test_calls_of_a_peer_that_reads_no_reply_wait_their_turn(tmp_path: Any) -> None:
    serials = [next(wire.serials) for _ in range(60)]

    def read(client: wire.Peer) -> list[tuple[Any, int]]:
        replies = []
        while len(replies) < len(serials):
            got = client.receive()
            if got.kind == wire.RETURN:
                replies.append((got.reply_serial, int.from_bytes(got.body[:4], "little")))
        return replies

    async def main() -> None:
        added: asyncio.Queue[MessageBus] = asyncio.Queue()
        big, said = Big("test.I"), asyncio.Event()
        async with await start_server(added.put_nowait, f"unix:path={tmp_path}/peer") as server:
            client = await asyncio.to_thread(wire.Peer.client, server.address)
            bus = await added.get()
            bus.export("/", big)
            bus.get_proxy_object("any.Name", "/s", SAYS).get_interface("test.I").on_said(said.set)
            for number, serial in enumerate(serials):
                client.send(wire.call("M", "/", "test.I", None, "u", number, serial=serial))
            client.send(wire.signal("Said"))
            await said.wait()
            assert 16 <= big.asked <= 18
            replies = await asyncio.to_thread(read, client)
            assert replies == [(serial, number) for number, serial in enumerate(serials)]
            assert big.asked == len(serials)
            client.close()

    run(main())
