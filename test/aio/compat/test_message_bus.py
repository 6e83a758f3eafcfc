# SPDX-License-Identifier: MIT
"""The connection: making it, sending, calling, its end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from api import api, pick
from clients import (
    DAEMON,
    DAEMON_PATH,
    ERROR,
    RETURN,
    SIGNAL,
    Arrivals,
    Message,
    MessageBus,
    MessageFlag,
    auth,
    call_to,
    errors,
    ping,
    run,
    two,
    with_two,
)

# --- Connecting


def test_connecting(bus: Any) -> None:
    async def main() -> None:
        client = MessageBus(bus.address)
        assert (client.unique_name, client.connected) == (None, False)
        assert await client.connect() is client
        assert client.connected and client.unique_name.startswith(":1.")
        reply = await client.call(ping())
        assert (reply.message_type, reply.sender) == (RETURN, DAEMON)
        client.disconnect()
        assert not client.connected
        assert await client.wait_for_disconnect() is None

    run(main())


def test_the_address_comes_from_the_environment(bus: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        for bus_type in (api.BusType.SESSION, api.BusType.SYSTEM):
            monkeypatch.setenv(f"DBUS_{bus_type.name}_BUS_ADDRESS", bus.address)
            client = await MessageBus(bus_type=bus_type).connect()
            assert client.connected
            client.disconnect()

    run(main())


def test_a_second_address_is_tried(bus: Any) -> None:
    async def main() -> None:
        client = await MessageBus(f"unix:path=/nonexistent/socket;{bus.address}").connect()
        assert client.connected
        client.disconnect()

    run(main())


@pytest.mark.parametrize("address", ["garbage", "teleport:path=/x", "unix:colour=red"])
def test_addresses_that_are_none(address: str) -> None:
    async def main() -> None:
        with pytest.raises(errors.InvalidAddressError):
            await MessageBus(address).connect()

    run(main())


def test_nobody_listens(tmp_path: Any) -> None:
    async def main() -> None:
        with pytest.raises(FileNotFoundError):
            await MessageBus(f"unix:path={tmp_path}/none").connect()
        with pytest.raises(ConnectionRefusedError):
            await MessageBus("tcp:host=127.0.0.1,port=1").connect()

    run(main())


def test_no_session_bus(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    async def main() -> None:
        with pytest.raises(errors.InvalidAddressError):
            await MessageBus().connect()

    run(main())


def test_an_unknown_bus_type() -> None:
    async def main() -> None:
        with pytest.raises(errors.InternalError):
            await MessageBus(bus_type=3).connect()

    run(main())


def test_another_user(bus: Any) -> None:
    async def main() -> None:
        with pytest.raises(errors.AuthError):
            await MessageBus(bus.address, auth=auth.AuthExternal(uid=12345)).connect()

    run(main())


def test_external_is_the_default(bus: Any) -> None:
    async def main() -> None:
        for given in (auth.AuthExternal(), auth.AuthExternal(uid=auth.UID_NOT_SPECIFIED)):
            client = await MessageBus(bus.address, auth=given).connect()
            assert client.connected
            client.disconnect()

    run(main())


# --- Two clients


def test_call_returns_replies_and_errors(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        reply = await client.call(Message(DAEMON, DAEMON_PATH, DAEMON, "ListNames"))
        assert (reply.message_type, reply.signature) == (RETURN, "as")
        assert {DAEMON, client.unique_name, server.unique_name} <= set(reply.body[0])
        reply = await client.call(Message("no.such.Name", "/", "an.Interface", "M"))
        assert reply.message_type is ERROR
        assert reply.error_name == "org.freedesktop.DBus.Error.ServiceUnknown"
        assert reply.signature == "s" and isinstance(reply.body[0], str)

    with_two(bus, test)


def test_the_reply_has_the_serial_of_the_call(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        msg = ping()
        assert msg.serial == 0
        reply = await client.call(msg)
        assert msg.serial > 0 and reply.reply_serial == msg.serial
        again = await client.call(msg)  # with the serial that it has now
        assert again.reply_serial == msg.serial

    with_two(bus, test)


def test_serials_of_the_users_own(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        serials = {client.next_serial() for _ in range(100)}
        assert len(serials) == 100 and all(isinstance(serial, int) for serial in serials)
        serial = client.next_serial()
        assert serial not in serials
        reply = await client.call(ping(serial=serial))
        assert reply.reply_serial == serial
        msg = Message.new_signal("/", "an.Interface", "S")
        msg.serial = client.next_serial()
        wanted = msg.serial
        await client.send(msg)
        assert msg.serial == wanted

    with_two(bus, test)


def test_calls_that_want_no_reply(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        arrivals = Arrivals(True)
        server.add_message_handler(arrivals)
        flags = MessageFlag.NO_REPLY_EXPECTED
        assert await client.call(call_to(server, "Quiet", flags=flags)) is None
        assert (await arrivals.member("Quiet")).flags == flags
        message = Message.new_signal("/", "an.Interface", "Quiet")
        message.destination = server.unique_name
        assert await client.call(message) is None
        assert (await arrivals.member("Quiet")).message_type is SIGNAL

    with_two(bus, test)


def test_many_calls_at_once(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        server.add_message_handler(
            lambda msg: Message.new_method_return(msg, "i", msg.body) if msg.member == "M" else None
        )
        replies = await asyncio.gather(
            *[client.call(call_to(server, signature="i", body=[i])) for i in range(20)]
        )
        assert [reply.body for reply in replies] == [[i] for i in range(20)]

    with_two(bus, test)


def test_send_is_done_when_it_is_written(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        arrivals = Arrivals(True)
        server.add_message_handler(arrivals)
        future = client.send(call_to(server, "Sent", signature="ay", body=[b"x" * 100000]))
        assert isinstance(future, asyncio.Future)
        assert await future is None
        assert len((await arrivals.member("Sent")).body[0]) == 100000

    with_two(bus, test)


def test_bodies_that_do_not_fit(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        wrong = pick(
            ours=errors.SignatureBodyMismatchError,
            reference=(errors.SignatureBodyMismatchError, TypeError),
            why="the compiled dbus-fast lets errors of its own code out",
        )
        for send in (client.call, client.send):
            with pytest.raises(wrong):
                await send(call_to(server, signature="i", body=["a"]))
        assert (await client.call(ping())).message_type is RETURN

    with_two(bus, test)


def test_what_is_no_message(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        wrong = pick(ours=TypeError, reference=AttributeError, why="it names what is wrong")
        for send in (client.call, client.send):
            with pytest.raises(wrong):
                await send("a message")

    with_two(bus, test)


# --- The end


def test_pending_calls_end_with_the_connection(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        arrivals = Arrivals(True)
        server.add_message_handler(arrivals)
        waiting = asyncio.ensure_future(client.call(call_to(server)))
        await arrivals.member("M")
        client.disconnect()
        with pytest.raises(EOFError):
            await waiting

    with_two(bus, test)


def test_calls_after_the_end(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        name = client.unique_name
        client.disconnect()
        await client.wait_for_disconnect()
        for send in (client.call, client.send):
            with pytest.raises(OSError):
                await send(ping())
        with pytest.raises(OSError):
            await client.request_name("a.b")
        assert (client.connected, client.unique_name) == (False, name)
        assert client.disconnect() is None
        assert await client.wait_for_disconnect() is None

    with_two(bus, test)


def test_the_bus_dies(bus: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        server, client = await two(bus)
        arrivals = Arrivals(True)
        server.add_message_handler(arrivals)
        waiting = asyncio.ensure_future(client.call(call_to(server)))
        ended = asyncio.ensure_future(client.wait_for_disconnect())
        await arrivals.member("M")
        os.kill(bus.pid, signal.SIGKILL)
        with pytest.raises(EOFError):
            await waiting
        with pytest.raises(EOFError):
            await ended
        assert not client.connected
        for one in (client, server):
            with pytest.raises(EOFError):
                await one.wait_for_disconnect()

    run(main())


# --- File descriptors


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_descriptors(bus: Any, pipe: tuple[int, int]) -> None:
    async def test(server: Any, client: Any) -> None:
        def handler(msg: Any) -> Any:
            if msg.member != "M":
                return None
            os.write(msg.unix_fds[msg.body[0]], b"from the server")
            os.close(msg.unix_fds[0])
            return Message.new_method_return(msg, "hs", [0, "x"], [pipe[0]])

        server.add_message_handler(handler)
        msg = call_to(server, signature="h", body=[0], unix_fds=[pipe[1]])
        reply = await client.call(msg)
        assert reply.body == [0, "x"] and len(reply.unix_fds) == 1
        try:
            assert os.read(reply.unix_fds[0], 100) == b"from the server"
        finally:
            os.close(reply.unix_fds[0])

    with_two(bus, test, negotiate_unix_fd=True)


def test_descriptors_that_were_not_negotiated(bus: Any, pipe: tuple[int, int]) -> None:
    async def main() -> None:
        server = await MessageBus(bus.address).connect()
        client = await MessageBus(bus.address, negotiate_unix_fd=True).connect()
        arrivals = Arrivals()
        server.add_message_handler(arrivals)
        msg = call_to(server, signature="h", body=[0], unix_fds=[pipe[1]])
        reply = await client.call(msg)
        assert reply.error_name == "org.freedesktop.DBus.Error.NotSupported"
        await client.call(call_to(server, "Next"))
        assert (await arrivals.queue.get()).member in ("NameAcquired", "Next")
        server.disconnect()
        client.disconnect()

    run(main())
