# SPDX-License-Identifier: MIT
"""Peer-to-peer connections: both sides, and who is let in."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import tempfile
import weakref
from typing import Any

import pytest
from busclients import LOOPS, goes_on, run, run_in, subscribe

from dbus.aio import (
    AuthError,
    DBusError,
    DisconnectedError,
    InvalidAddressError,
    Message,
    MessageBus,
    MessageType,
    start_server,
)
from dbus.aio.service import ServiceInterface, dbus_method, dbus_signal


class Calculator(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("an.Interface")

    @dbus_method()
    def Add(self, a: "i", b: "i") -> "i":  # type: ignore[name-defined]  # noqa: F821
        self.Added(a + b)
        return a + b

    @dbus_signal()
    def Added(self, total: int) -> "i":  # type: ignore[name-defined]  # noqa: F821
        return total


@pytest.fixture
def address(tmp_path: Any) -> str:
    return f"unix:path={tmp_path}/peer"


@pytest.mark.parametrize("make_loop", LOOPS)
def test_calls_and_signals_in_both_directions(address: str, make_loop: Any) -> None:
    async def main() -> None:
        served: list[MessageBus] = []

        def client_connected(bus: MessageBus) -> None:
            served.append(bus)
            bus.export("/calculator", Calculator())

        async with await start_server(client_connected, address) as server:
            assert server.address.startswith(address)
            client = await MessageBus(server.address, peer=True).connect()
            assert client.connected and client.unique_name is None
            sums: asyncio.Queue[Any] = asyncio.Queue()
            subscription = subscribe(
                client,
                lambda msg: sums.put_nowait(msg.body),
                sender="a.b",
                interface="an.Interface",
            )
            await subscription.ready
            call = Message(None, "/calculator", "an.Interface", "Add", signature="ii", body=[2, 3])
            reply = await client.call(call)
            assert reply is not None and reply.body == [5]
            assert await sums.get() == [5]
            # A server may call as well.
            client.add_message_handler(
                lambda msg: (
                    Message.new_method_return(msg, "s", ["me"]) if msg.member == "W" else None
                )
            )
            reply = await served[0].call(Message(None, "/", "an.Interface", "W"))
            assert reply is not None and reply.body == ["me"]
            assert server.peers == set(served)
            client.disconnect()
            with pytest.raises(DisconnectedError):
                await served[0].wait_for_disconnect()
            assert server.peers == set()

    run_in(make_loop, main())


def test_proxies_without_a_bus(address: str) -> None:
    async def main() -> None:
        async with await start_server(lambda bus: bus.export("/c", Calculator()), address):
            async with MessageBus(address, peer=True) as client:
                # A proxy wants a name; there is nobody to look at it.
                node = await client.introspect("any.Name", "/c")
                interface: Any = client.get_proxy_object("any.Name", "/c", node).get_interface(
                    "an.Interface"
                )
                sums: asyncio.Queue[int] = asyncio.Queue()
                interface.on_added(sums.put_nowait)
                assert await interface.call_add(20, 22) == 42
                assert await sums.get() == 42

    run(main())


def test_a_coroutine_serves_each_client(address: str) -> None:
    async def main() -> None:
        ends: list[str] = []

        async def serve(bus: MessageBus) -> None:
            reply = await bus.call(Message(None, "/", "an.Interface", "Name"))
            assert reply is not None
            try:
                await asyncio.Event().wait()
            finally:
                ends.append(reply.body[0])

        async with await start_server(serve, address) as server:
            clients = []
            for name in ("first", "second"):
                client = MessageBus(address, peer=True)
                told = asyncio.Event()

                def answer(msg: Message, name: str = name, told: asyncio.Event = told) -> Any:
                    if msg.member != "Name":
                        return None
                    told.set()
                    return Message.new_method_return(msg, "s", [name])

                client.add_message_handler(answer)
                await client.connect()
                await told.wait()
                clients.append(client)
            # Names have arrived once the server has answered something that came after.
            for client in clients:
                await client.call(Message(None, "/", "org.freedesktop.DBus.Peer", "Ping"))
            for client in clients:
                client.disconnect()
            while server.peers:
                await asyncio.sleep(0)
            while len(ends) < 2:
                await asyncio.sleep(0)
            assert sorted(ends) == ["first", "second"]

    run(main())


def test_closing_ends_listening_and_no_connections(address: str) -> None:
    async def main() -> None:
        server = await start_server(lambda bus: None, address)
        client = await MessageBus(address, peer=True).connect()
        server.close()
        server.close()
        with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
            await MessageBus(address, peer=True).connect()
        reply = await client.call(Message(None, "/", "org.freedesktop.DBus.Peer", "Ping"))
        assert reply is not None and reply.message_type is MessageType.METHOD_RETURN
        client.disconnect()
        await client.wait_for_disconnect()

    run(main())


def test_addresses_that_cannot_be_listened_at(address: str) -> None:
    async def main() -> None:
        with pytest.raises(InvalidAddressError):
            await start_server(print, "garbage")
        with pytest.raises(OSError):
            await start_server(print, "unix:path=/nonexistent/folder/socket")

    run(main())


def test_anonymous_clients_only_when_asked(address: str) -> None:
    """A client that says nothing about itself, by hand: the handshake of the specification."""

    def handshake() -> list[bytes]:
        answers = []
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(address.partition("path=")[2])
            client.sendall(b"\0AUTH ANONYMOUS\r\n")
            answers.append(client.recv(1000))
            client.sendall(b"BEGIN\r\nl\1\0\1" + bytes(12))
            try:
                answers.append(client.recv(1000))
            except ConnectionResetError:
                answers.append(b"")
        return answers

    async def main(allow: bool) -> list[bytes]:
        buses: list[MessageBus] = []
        async with await start_server(buses.append, address, allow_anonymous=allow):
            answers = await asyncio.get_running_loop().run_in_executor(None, handshake)
            with pytest.raises(DisconnectedError):
                await buses[0].wait_for_disconnect()
        return answers

    refused = run(main(False))
    assert refused[-1] == b""
    admitted = run(main(True))
    assert admitted[0].startswith(b"OK ")


AS_SOMEBODY_ELSE = """
import socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.settimeout(10)
    client.connect(sys.argv[1])
    client.sendall(b"\\0AUTH EXTERNAL 3635353334\\r\\n")  # 65534
    answer = client.recv(1000)
    if answer.startswith(b"OK"):
        client.sendall(b"BEGIN\\r\\n")
        try:
            answer = client.recv(1000)
        except ConnectionResetError:
            answer = b""
    print(answer)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_is_refused(tmp_path: Any) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        path = f"{folder}/peer"

        async def main() -> bytes:
            buses: list[MessageBus] = []
            async with await start_server(buses.append, f"unix:path={path}"):
                os.chmod(path, 0o777)
                client = await asyncio.create_subprocess_exec(
                    "/usr/bin/python3", "-c", AS_SOMEBODY_ELSE, path, user=65534, stdout=-1
                )
                answer, _ = await client.communicate()
                with pytest.raises(DisconnectedError):
                    await buses[0].wait_for_disconnect()
            return answer

        assert run(main()) == b"b''\n"


def test_a_server_that_is_no_dbus(tmp_path: Any) -> None:
    async def main() -> None:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"220 mail.example.com\r\nERROR\r\n")
            writer.close()

        server = await asyncio.start_unix_server(hang_up, str(tmp_path / "peer"))
        with pytest.raises(AuthError):
            await MessageBus(f"unix:path={tmp_path}/peer", peer=True).connect()
        server.close()

    run(main())


def test_collected_after_the_end(address: str) -> None:
    async def main() -> None:
        gone: list[Any] = []

        def client_connected(bus: MessageBus) -> None:
            bus.export("/c", Calculator())
            gone.append(weakref.ref(bus))

        server = await start_server(client_connected, address)
        gone.append(weakref.ref(server))
        client = await MessageBus(address, peer=True).connect()
        gc.collect()
        assert all(ref() is not None for ref in gone)
        served = gone[1]()
        client.disconnect()
        with pytest.raises(DisconnectedError):
            await served.wait_for_disconnect()
        server.close()
        del served, server
        await goes_on()
        gc.collect()
        assert [ref() for ref in gone] == [None, None]

    run(main())


@pytest.mark.parametrize(
    "signature, body", [("", []), ("u", [5]), ("a{sv}", [{}]), ("ss", ["a", "b"])]
)
def test_a_daemon_that_answers_with_another_type(
    address: str, signature: str, body: list[Any]
) -> None:
    async def main() -> None:
        right = {"Hello": ("s", [":1.1"])}

        def answer(msg: Message) -> Message:
            return Message.new_method_return(msg, *right.get(msg.member or "", (signature, body)))

        async with await start_server(
            lambda bus: bus.add_message_handler(answer), address
        ) as server:
            async with MessageBus(server.address) as client:
                assert client.unique_name == ":1.1"
                with pytest.raises(DBusError, match="instead of"):
                    await client.introspect("a.b", "/a")
                if signature != "u":
                    with pytest.raises(DBusError, match="instead of"):
                        await client.request_name("a.b")
                    with pytest.raises(DBusError, match="instead of"):
                        await client.release_name("a.b")
            right.clear()
            with pytest.raises(DBusError, match="instead of"):
                await MessageBus(server.address).connect()
            for peer in list(server.peers):
                peer.disconnect()

    run(main())
