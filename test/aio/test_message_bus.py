# SPDX-License-Identifier: MIT
"""MessageBus beyond what dbus-fast promises: time-outs, cancelling, lifetimes, no blocking."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from busclients import (
    DAEMON,
    LOOPS,
    call_to,
    goes_on,
    ping,
    run,
    run_in,
    settled,
    signal_of,
    subscribe,
)
from marshalling import ForeignPeer

from dbus.aio import (
    AuthTimeoutError,
    DisconnectedError,
    Message,
    MessageBus,
    MessageType,
    RequestNameReply,
)

# --- Calls


def test_time_outs_end_calls(bus: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as server, MessageBus(bus.address) as client:
            server.add_message_handler(lambda msg: msg.member == "Never")
            ended = []

            async def wait(name: str, timeout: float) -> None:
                with pytest.raises(asyncio.TimeoutError):
                    await client.call(call_to(server, "Never"), timeout=timeout)
                ended.append(name)

            await asyncio.gather(wait("late", 0.06), wait("first", 0), wait("early", 0.02))
            assert ended == ["first", "early", "late"]
            reply = await client.call(ping(), timeout=20)
            assert reply is not None and reply.message_type is MessageType.METHOD_RETURN

    run(main())


@pytest.mark.parametrize("timeout", [float("nan"), 1e30, "5"])
def test_time_outs_that_are_none(bus: Any, timeout: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as client:
            with pytest.raises((TypeError, ValueError)):
                await client.call(ping(), timeout=timeout)
            await settled(client)

    run(main())


def test_a_cancelled_call_is_forgotten(bus: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as server, MessageBus(bus.address) as client:
            calls: asyncio.Queue[Message] = asyncio.Queue()

            def keep(msg: Message) -> bool:
                if msg.member == "M":
                    calls.put_nowait(msg)
                return msg.member == "M"

            server.add_message_handler(keep)
            msg = call_to(server)
            task = asyncio.ensure_future(client.call(msg))
            received = await calls.get()
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            gone = weakref.ref(task)
            del task
            gc.collect()
            assert gone() is None
            # Its reply, which comes now, disturbs nobody.
            await server.send(Message.new_method_return(received, "s", ["too late"]))
            again = asyncio.ensure_future(client.call(call_to(server)))
            await server.send(Message.new_method_return(await calls.get(), "s", ["in time"]))
            reply = await again
            assert reply is not None and reply.body == ["in time"]

    run(main())


def test_a_serial_in_use_is_refused(bus: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as client:
            serial = client.next_serial()
            first = asyncio.ensure_future(client.call(ping(serial=serial)))
            await asyncio.sleep(0)
            with pytest.raises(ValueError, match=str(serial)):
                await client.call(ping(serial=serial))
            reply = await first
            assert reply is not None and reply.reply_serial == serial
            await client.call(ping(serial=serial))

    run(main())


def test_thousands_of_calls_at_once(bus: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as server, MessageBus(bus.address) as client:

            def echo(msg: Message) -> Any:
                return (
                    Message.new_method_return(msg, msg.signature, msg.body)
                    if msg.member == "M"
                    else None
                )

            server.add_message_handler(echo)
            replies = await asyncio.gather(
                *[client.call(call_to(server, signature="u", body=[i])) for i in range(5000)]
            )
            assert [reply and reply.body for reply in replies] == [[i] for i in range(5000)]

    run(main())


def test_calls_without_an_interface(bus: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as client:
            reply = await client.call(Message(DAEMON, "/org/freedesktop/DBus", member="GetId"))
            assert reply is not None and reply.signature == "s"

    run(main())


def test_coroutines_as_message_handlers(bus: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as server, MessageBus(bus.address) as client:
            release = asyncio.Event()

            async def slow(msg: Message) -> Message:
                await release.wait()
                return Message.new_method_return(msg, "s", [msg.member])

            async def wrong(msg: Message) -> Message:
                raise KeyError("x")

            handlers: dict[Any, Any] = {"Slow": slow, "Wrong": wrong}
            server.add_message_handler(
                lambda msg: handlers[msg.member](msg) if msg.member in handlers else None
            )
            waiting = asyncio.ensure_future(client.call(call_to(server, "Slow")))
            await settled(client)
            assert not waiting.done()
            release.set()
            reply = await waiting
            assert reply is not None and reply.body == ["Slow"]
            reports: list[Any] = []
            asyncio.get_running_loop().set_exception_handler(lambda _, r: reports.append(r))
            reply = await client.call(call_to(server, "Wrong"))
            assert reply is not None and "KeyError" in reply.body[0]
            assert [type(report["exception"]) for report in reports] == [KeyError]

    run(main())


# --- Nothing blocks


@contextmanager
def stopped(bus: Any) -> Iterator[None]:
    """The bus daemon answers nothing meanwhile."""
    os.kill(bus.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(bus.pid, signal.SIGCONT)


# A loop that blocks does so until somebody else ends it.
WATCHDOG = 15


@pytest.fixture
def watchdog(bus: Any) -> Iterator[list[str]]:
    """Lets the daemon go on if a test hangs, and says so."""
    barked: list[str] = []

    def bark() -> None:
        barked.append("the loop was blocked")
        os.kill(bus.pid, signal.SIGCONT)

    timer = threading.Timer(WATCHDOG, bark)
    timer.start()
    yield barked
    timer.cancel()
    assert barked == []


@pytest.mark.usefixtures("watchdog")
def test_nothing_waits_in_the_loop_for_the_bus(bus: Any) -> None:
    async def main() -> None:
        connected = await MessageBus(bus.address).connect()
        new = MessageBus(bus.address)
        with stopped(bus):
            subscription = subscribe(connected, print, sender="a.b", interface="an.Interface")
            waiting: list[asyncio.Future[Any]] = [
                asyncio.ensure_future(coroutine)
                for coroutine in (
                    new.connect(),
                    connected.request_name("org.example.Name"),
                    connected.release_name("org.example.Other"),
                    connected.introspect(DAEMON, "/org/freedesktop/DBus"),
                    connected.call(ping()),
                )
            ]
            await goes_on(subscription.ready, *waiting)
            subscription.cancel()
            large = connected.send(signal_of("Large", "ay", b"x" * 8_000_000))
            await goes_on(large, *waiting)
        results = await asyncio.gather(*waiting)
        assert results[0] is new and new.connected
        assert results[1] is RequestNameReply.PRIMARY_OWNER
        await large
        for one in (connected, new):
            one.disconnect()
            await one.wait_for_disconnect()

    run(main())


@pytest.mark.usefixtures("watchdog")
def test_a_greeting_that_never_comes(bus: Any) -> None:
    async def main() -> None:
        client = MessageBus(bus.address, auth_timeout=0.05)
        with stopped(bus), pytest.raises(AuthTimeoutError):
            await client.connect()
        assert not client.connected
        await client.connect()
        assert client.connected
        client.disconnect()

    run(main())


@pytest.mark.usefixtures("watchdog")
def test_connecting_can_be_cancelled(bus: Any) -> None:
    async def main() -> None:
        client = MessageBus(bus.address)
        with stopped(bus):
            task = asyncio.ensure_future(client.connect())
            await goes_on(task)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await client.connect()
        await settled(client)
        client.disconnect()

    run(main())


# --- Life and death


@pytest.mark.parametrize("make_loop", LOOPS)
def test_loop_after_loop(bus: Any, make_loop: Any) -> None:
    client = MessageBus(bus.address)

    async def main() -> str:
        async with client as same:
            assert same is client and client.unique_name is not None
            await settled(client)
            name = client.unique_name
        assert not client.connected
        return name

    assert run_in(make_loop, main()) != run_in(make_loop, main())


@pytest.mark.parametrize("make_loop", LOOPS)
def test_a_connected_bus_lives_on_with_its_loop(bus: Any, make_loop: Any) -> None:
    """Programs drop the bus and go on receiving."""
    received: list[Any] = []
    gone: list[Any] = []

    async def main() -> None:
        async with MessageBus(bus.address) as sender:

            async def receiver() -> str:
                dropped = await MessageBus(bus.address).connect()
                dropped.add_message_handler(lambda msg: received.append(msg.member))
                gone.append(weakref.ref(dropped))
                assert dropped.unique_name is not None
                return dropped.unique_name

            name = await receiver()
            gc.collect()
            msg = signal_of()
            msg.destination = name
            await sender.send(msg)
            await sender.call(Message(name, "/", "org.freedesktop.DBus.Peer", "Ping"))
            assert "S" in received

    run_in(make_loop, main())
    gc.collect()
    assert gone[0]() is None


def test_a_bus_is_collected_once_it_has_ended(bus: Any) -> None:
    async def main() -> None:
        client = await MessageBus(bus.address).connect()
        await client.request_name("a.b")
        subscribe(client, print, sender="c.d")
        client.disconnect()
        await client.wait_for_disconnect()
        gone = weakref.ref(client)
        del client
        gc.collect()
        assert gone() is None

    run(main())


def test_nothing_is_left_open(bus: Any) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    async def main() -> int:
        async with MessageBus(bus.address) as client:
            await settled(client)
        gc.collect()
        return descriptors()

    async def many() -> int:
        count = await main()
        for _ in range(20):
            await main()
        assert await main() == count
        return count

    before = descriptors()
    run(many())
    gc.collect()
    assert descriptors() == before


def test_calls_leave_nothing_behind(bus: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as server, MessageBus(bus.address) as client:

            def echo(msg: Message) -> Any:
                return msg.member == "M" and Message.new_method_return(msg, "av", msg.body)

            server.add_message_handler(echo)

            async def work(count: int) -> None:
                for i in range(count):
                    await client.call(call_to(server, signature="av", body=[[]]))
                    if i % 3 == 0:
                        task = asyncio.ensure_future(client.call(ping()))
                        await asyncio.sleep(0)
                        task.cancel()
                        await asyncio.wait([task])

            await work(200)
            gc.collect()
            before = len(gc.get_objects())
            await work(600)
            await settled(client)
            gc.collect()
            assert len(gc.get_objects()) <= before + 20

    run(main())


def test_ends_that_nobody_waits_for_are_quiet(bus: Any) -> None:
    async def main() -> None:
        client = await MessageBus(bus.address).connect()
        bus.close()
        with pytest.raises(DisconnectedError):
            await client.wait_for_disconnect()
        with pytest.raises(DisconnectedError):
            await client.call(ping())
        with pytest.raises(DisconnectedError):
            await client.send(ping())
        client._post(ping())

    run(main())
    gc.collect()


def test_wait_before_connecting(bus: Any) -> None:
    async def main() -> None:
        client = MessageBus(bus.address)
        waiting = asyncio.ensure_future(client.wait_for_disconnect())
        cancelled = asyncio.ensure_future(client.wait_for_disconnect())
        await client.connect()
        cancelled.cancel()
        assert not waiting.done()
        client.disconnect()
        assert await waiting is None
        with pytest.raises(DisconnectedError):
            await client.request_name("a.b")

    run(main())


def test_tasks_are_cancelled_with_the_connection(bus: Any) -> None:
    async def main() -> None:
        client = await MessageBus(bus.address).connect()
        task = client._spawn(asyncio.Event().wait())
        client.disconnect()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_closing_the_loop_closes_the_connection(bus: Any) -> None:
    loop = asyncio.new_event_loop()
    client = loop.run_until_complete(MessageBus(bus.address).connect())
    assert client.connected
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    assert not client.connected


def test_exceptions_of_callbacks_reach_the_loop(bus: Any) -> None:
    async def main() -> None:
        reports: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, r: reports.append(r))
        async with MessageBus(bus.address) as client:
            subscription = subscribe(client, lambda msg: 1 / 0, interface="an.Interface")
            await subscription.ready
            seen: list[Any] = []
            subscribe(client, seen.append, interface="an.Interface")
            await client.send(signal_of())
            await settled(client)
            assert len(seen) == 1
        assert [type(report["exception"]) for report in reports] == [ZeroDivisionError]

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.12 brought eager tasks")
def test_eager_tasks(bus: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(getattr(asyncio, "eager_task_factory"))  # noqa: B009
        async with MessageBus(bus.address) as client:
            tasks = [asyncio.ensure_future(client.call(ping())) for _ in range(20)]
            replies = await asyncio.gather(*tasks)
            assert all(reply is not None for reply in replies)
            assert not any(task.cancelled() for task in tasks)

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.11 brought task groups")
def test_task_groups(bus: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as client:
            client.add_message_handler(lambda msg: msg.member == "Never")
            with pytest.raises(BaseException) as caught:
                async with asyncio.TaskGroup() as group:
                    slow = group.create_task(client.call(call_to(client, "Never")))
                    group.create_task(client.request_name("nodot"))
            assert type(caught.value).__name__ == "ExceptionGroup"
            assert slow.cancelled()
            await settled(client)

    run(main())


# --- Other peers


def test_messages_of_a_later_protocol_are_ignored(bus: Any) -> None:
    """D-Bus Specification, "Message Format": unknown types must be ignored."""

    async def main() -> None:
        async with MessageBus(bus.address) as client:
            seen: list[Any] = []
            client.add_message_handler(seen.append)
            peer = await asyncio.get_running_loop().run_in_executor(None, ForeignPeer, bus.address)
            fields = {6: ("s", client.unique_name), 1: ("o", "/"), 2: ("s", "a.b"), 3: ("s", "C")}
            peer.send(9, 5, fields, "")
            peer.send(4, 6, fields, "s", "known")
            await asyncio.get_running_loop().run_in_executor(None, peer.close)
            while not any(msg.member == "C" for msg in seen):
                await settled(client)
            assert [msg.body for msg in seen if msg.member == "C"] == [["known"]]

    run(main())


def test_descriptors_that_are_not_wanted_are_closed(bus: Any) -> None:
    async def main() -> None:
        async with (
            MessageBus(bus.address) as plain,
            MessageBus(bus.address, negotiate_unix_fd=True) as other,
        ):
            read, write = os.pipe()

            def give(msg: Message) -> Any:
                return msg.member == "Give" and Message.new_method_return(msg, "h", [0], [write])

            other.add_message_handler(give)
            msg = signal_of("S", "h", 0)
            msg.unix_fds, msg.destination = [write], plain.unique_name
            await other.send(msg)
            reply = await plain.call(call_to(other, "Give"))
            assert reply is not None and reply.unix_fds == []
            assert reply.error_name == "org.freedesktop.DBus.Error.NotSupported"
            os.close(write)
            assert os.read(read, 1) == b""  # nobody has the other end any more
            os.close(read)

    run(main())


def test_descriptors_that_nobody_takes_are_closed(bus: Any) -> None:
    async def main() -> None:
        async with (
            MessageBus(bus.address, negotiate_unix_fd=True) as one,
            MessageBus(bus.address, negotiate_unix_fd=True) as other,
        ):
            read, write = os.pipe()
            refused: list[Message] = []

            def refuse(msg: Message) -> bool:
                refused.append(msg)
                return False

            subscribe(one, refuse, interface="an.Interface", member="Refused")
            for member in ("Unknown", "Refused"):
                msg = signal_of(member, "h", 0)
                msg.unix_fds, msg.destination = [write], one.unique_name
                await other.send(msg)
            too_late = Message(
                one.unique_name,
                message_type=MessageType.METHOD_RETURN,
                reply_serial=77,
                signature="h",
                body=[0],
                unix_fds=[write],
            )
            await other.send(too_late)
            await other.call(call_to(one, "Unknown", signature="h", body=[0], unix_fds=[write]))
            assert len(refused) == 1
            os.close(write)
            assert os.read(read, 1) == b""
            os.close(read)

    run(main())
