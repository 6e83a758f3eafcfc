# SPDX-License-Identifier: MIT
"""The classic interface on asyncio loops: dbus.mainloop.asyncio and async methods."""

from __future__ import annotations

import asyncio
import gc
import os
import signal as signals
import threading
import weakref
from typing import Any, Callable, Coroutine

import pytest

import dbus
import dbus.server
import dbus.service
from dbus.lowlevel import MethodCallMessage, SignalMessage
from dbus.mainloop.asyncio import DBusAsyncioMainLoop

try:
    import uvloop
except ImportError:
    uvloop = None

LIMIT = 20  # seconds until a test that waits in vain fails
I = "a.b"  # noqa: E741

LOOPS = [
    asyncio.new_event_loop,
    pytest.param(
        lambda: uvloop.new_event_loop(),
        id="uvloop",
        marks=pytest.mark.skipif(uvloop is None, reason="uvloop is not installed"),
    ),
]

Program = Callable[..., Coroutine[Any, Any, Any]]


async def cancel_others() -> None:
    """What asyncio.run() does before it closes its loop."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@pytest.fixture(params=LOOPS)
def run(request: Any) -> Any:
    """Run a coroutine in a new loop, which is closed afterwards as asyncio.run() does."""

    def in_new_loop(program: Coroutine[Any, Any, Any]) -> Any:
        loop = request.param()
        try:
            return loop.run_until_complete(asyncio.wait_for(program, LIMIT))
        finally:
            loop.run_until_complete(cancel_others())
            loop.close()

    return in_new_loop


class Thing(dbus.service.Object):
    @dbus.service.method(I, in_signature="s", out_signature="s")
    def Echo(self, text: str) -> str:
        return text

    @dbus.service.method(I, in_signature="d", out_signature="ds")
    async def Sleep(self, seconds: float) -> Any:
        await asyncio.sleep(seconds)
        return seconds, "slept"

    @dbus.service.method(I)
    async def Fail(self) -> None:
        await asyncio.sleep(0)
        raise dbus.DBusException("on purpose", name="a.b.Error")

    @dbus.service.method(I)
    async def Never(self) -> None:
        self.never = asyncio.current_task()
        await asyncio.get_running_loop().create_future()

    @dbus.service.signal(I, signature="i")
    def Ticked(self, number: int) -> None:
        pass


def ask(method: Any, *args: Any, **keywords: Any) -> asyncio.Future[Any]:
    """A call of a proxy's method as a future."""
    future = asyncio.get_running_loop().create_future()

    def succeed(*values: Any) -> None:
        if not future.done():
            future.set_result(values[0] if len(values) == 1 else values)

    def fail(error: BaseException) -> None:
        if not future.done():
            future.set_exception(error)

    method(*args, reply_handler=succeed, error_handler=fail, **keywords)
    return future


def pair(bus: Any, main_loop: Any = None) -> tuple[Thing, Any, Any, Any]:
    """An exported object, its proxy's interface, and their connections."""
    main_loop = main_loop or DBusAsyncioMainLoop()
    server = bus.connection(mainloop=main_loop)
    client = bus.connection(mainloop=main_loop)
    thing = Thing(server, "/x")
    proxy = client.get_object(server.get_unique_name(), "/x", introspect=False)
    return thing, dbus.Interface(proxy, I), server, client


def test_calls_and_exported_objects(bus: Any, run: Any) -> None:
    async def program() -> None:
        _thing, proxy, _server, _client = pair(bus)
        assert await ask(proxy.Echo, "hello") == "hello"
        texts = [str(number) for number in range(300)]
        assert await asyncio.gather(*(ask(proxy.Echo, text) for text in texts)) == texts

    run(program())


def test_async_methods_answer_when_they_end(bus: Any, run: Any) -> None:
    async def program() -> None:
        thing, proxy, _server, _client = pair(bus)
        order: list[float] = []

        async def sleep(seconds: float) -> None:
            assert await ask(proxy.Sleep, seconds) == (seconds, "slept")
            order.append(seconds)

        await asyncio.gather(sleep(0.06), sleep(0.0), sleep(0.03))
        assert order == [0.0, 0.03, 0.06]
        with pytest.raises(dbus.DBusException, match="on purpose") as caught:
            await ask(proxy.Fail)
        assert caught.value.get_dbus_name() == "a.b.Error"
        call = ask(proxy.Never)
        await ask(proxy.Echo, "the call before has arrived")
        thing.never.cancel()
        with pytest.raises(dbus.DBusException, match="Never was cancelled"):
            await call
        assert not thing._tasks

    run(program())


def test_async_methods_need_an_asyncio_loop(bus: Any, run_until: Any) -> None:
    glib = pytest.importorskip("dbus.mainloop.glib", reason="built without GLib")
    _thing, proxy, _server, _client = pair(bus, glib.DBusGMainLoop())
    errors: list[dbus.DBusException] = []
    proxy.Sleep(0.0, reply_handler=print, error_handler=errors.append)
    run_until(lambda: bool(errors))
    assert "must be on an asyncio main loop" in str(errors[0])


def test_signals_and_names(bus: Any, run: Any) -> None:
    async def program() -> None:
        thing, proxy, server, client = pair(bus)
        got: asyncio.Queue[int] = asyncio.Queue()
        client.add_signal_receiver(got.put_nowait, "Ticked", I, server.get_unique_name())
        for number in range(100):
            thing.Ticked(number)
        assert [await got.get() for _ in range(100)] == list(range(100))
        owners: asyncio.Queue[str] = asyncio.Queue()
        client.watch_name_owner("test.Name", owners.put_nowait)
        assert await owners.get() == ""
        name = dbus.service.BusName("test.Name", server)
        assert await owners.get() == server.get_unique_name()
        del name
        assert await owners.get() == ""

    run(program())


def test_introspection_in_the_background(bus: Any, run: Any) -> None:
    async def program() -> None:
        _thing, _proxy, server, client = pair(bus)
        proxy = client.get_object(server.get_unique_name(), "/x")
        assert await ask(proxy.Sleep, 0, dbus_interface=I) == (0.0, "slept")
        assert proxy._introspect_method_map[f"{I}.Sleep"] == "d"

    run(program())


def test_servers(tmp_path: Any, run: Any) -> None:
    async def program() -> None:
        main_loop = DBusAsyncioMainLoop()
        accepted: asyncio.Queue[Any] = asyncio.Queue()

        class Server(dbus.server.Server):
            def connection_added(self, conn: Any) -> None:
                Thing(conn, "/x")
                accepted.put_nowait(conn)

        server = Server(f"unix:tmpdir={tmp_path}", mainloop=main_loop)
        # Connecting is done by libdbus and does not wait for the server to accept.
        client = dbus.connection.Connection(server.address, mainloop=main_loop)
        proxy = dbus.Interface(client.get_object(None, "/x", introspect=False), I)
        assert await ask(proxy.Echo, "peer to peer") == "peer to peer"
        peer = await accepted.get()
        gone: asyncio.Queue[Any] = asyncio.Queue()
        client.call_on_disconnection(gone.put_nowait)
        peer.close()
        assert await gone.get() is client
        server.disconnect()

    run(program())


def test_time_outs(bus: Any, run: Any) -> None:
    async def program() -> None:
        _thing, proxy, _server, _client = pair(bus)
        for seconds in (0.05, 0.0, 0.02):
            with pytest.raises(dbus.DBusException) as caught:
                await ask(proxy.Never, timeout=seconds)
            assert caught.value.get_dbus_name() == "org.freedesktop.DBus.Error.NoReply"
        # An earlier deadline than the one that the loop waits for already.
        late = ask(proxy.Never, timeout=15)
        with pytest.raises(dbus.DBusException):
            await ask(proxy.Never, timeout=0.02)
        assert not late.done()

    run(program())


def test_exceptions_of_handlers_reach_the_loops_handler(bus: Any, run: Any) -> None:
    async def program() -> None:
        _thing, proxy, _server, client = pair(bus)
        contexts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: contexts.put_nowait(context))

        def fail(*_args: Any) -> None:
            raise ZeroDivisionError("in the handler")

        proxy.Echo("x", reply_handler=fail, error_handler=print)
        assert str((await contexts.get())["exception"]) == "in the handler"
        client.add_message_filter(fail)
        message = SignalMessage("/x", I, "S")
        message.set_destination(client.get_unique_name())
        client.send_message(message)
        context = await contexts.get()
        assert isinstance(context["exception"], ZeroDivisionError)
        assert context["exception"].__traceback__ is not None
        client.remove_message_filter(fail)
        assert await ask(proxy.Echo, "it goes on") == "it goes on"

    run(program())


@pytest.mark.parametrize("exception", [SystemExit, KeyboardInterrupt])
def test_what_ends_the_loop(bus: Any, exception: type[BaseException]) -> None:
    async def program() -> None:
        _thing, proxy, _server, _client = pair(bus)

        def end(*_args: Any) -> None:
            raise exception(3)

        proxy.Echo("x", reply_handler=end, error_handler=print)
        await asyncio.sleep(LIMIT)

    loop = asyncio.new_event_loop()
    task = loop.create_task(program())
    try:
        with pytest.raises(exception):
            loop.run_until_complete(task)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
    finally:
        loop.close()


def test_other_tasks_get_their_turn(bus: Any, run: Any) -> None:
    """A flood is handled in portions, between which the loop does other things."""

    async def program() -> None:
        client = bus.connection(mainloop=DBusAsyncioMainLoop())
        seen: list[int] = []
        turns: list[int] = []
        done = asyncio.Event()

        def count(_conn: Any, message: Any) -> int:
            if message.get_member() == "Flood":
                seen.append(1)
                if len(seen) == 2000:
                    done.set()
            return 1

        client.add_message_filter(count)
        sender = bus.connection()
        for _ in range(2000):
            message = SignalMessage("/x", I, "Flood")
            message.set_destination(client.get_unique_name())
            sender.send_message(message)
        sender.flush()

        async def other() -> None:
            while not done.is_set():
                turns.append(len(seen))
                await asyncio.sleep(0)

        await asyncio.gather(done.wait(), other())
        steps = [after - before for before, after in zip(turns, turns[1:])]
        assert max(steps) <= 64
        assert len(turns) >= 2000 / 64

    run(program())


def test_closing_the_loop_closes_its_connections(bus: Any, run: Any) -> None:
    kept: list[Any] = []

    class Unkept:
        """Makes connections that the fixture does not hold on to."""

        @staticmethod
        def connection(mainloop: Any) -> Any:
            return dbus.bus.BusConnection(bus.address, mainloop=mainloop)

    async def program() -> None:
        kept.extend(pair(Unkept))
        assert await ask(kept[1].Echo, "x") == "x"

    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        run(program())
        assert [conn.get_is_connected() for conn in kept[2:]] == [False, False]
        with pytest.raises(dbus.DBusException):
            kept[3].send_message_with_reply_and_block(MethodCallMessage("a.b", "/", I, "M"))
        kept.clear()
        gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_shared_bus_is_made_anew_for_the_next_loop(bus: Any, run_snippet: Any) -> None:
    code = """
import asyncio, dbus
from dbus.mainloop.asyncio import DBusAsyncioMainLoop
DBusAsyncioMainLoop(set_as_default=True)
seen = []
async def main():
    bus = dbus.SessionBus()
    assert dbus.SessionBus() is bus
    future = asyncio.get_running_loop().create_future()
    bus.call_async(dbus.BUS_DAEMON_NAME, dbus.BUS_DAEMON_PATH, dbus.BUS_DAEMON_IFACE, 'GetId', '',
                   (), future.set_result, future.set_exception)
    seen.append((await future, bus.get_unique_name()))
for _ in range(3):
    asyncio.run(main())
assert len({name for _id, name in seen}) == 3 and len({id for id, _name in seen}) == 1
print('done')
"""
    result = run_snippet(code, env={"DBUS_SESSION_BUS_ADDRESS": bus.address})
    assert (result.returncode, result.stdout, result.stderr) == (0, "done\n", "")


def test_other_threads_call_and_wake_the_loop(bus: Any, run: Any) -> None:
    async def program() -> None:
        thing, _proxy, server, client = pair(bus)
        loop_thread = threading.get_ident()
        threads: list[int] = []
        answers: asyncio.Queue[Any] = asyncio.Queue()
        name = server.get_unique_name()

        def in_other_thread() -> None:
            # Blocking calls, answered by the loop; and asynchronous ones, whose handlers it runs.
            proxy = dbus.Interface(client.get_object(name, "/x", introspect=False), I)
            assert [proxy.Echo(str(n)) for n in range(50)] == [str(n) for n in range(50)]
            for number in range(50):
                proxy.Echo(str(number), reply_handler=note, error_handler=note)

        def note(answer: Any) -> None:
            threads.append(threading.get_ident())
            answers.put_nowait(answer)

        await asyncio.get_running_loop().run_in_executor(None, in_other_thread)
        assert [await answers.get() for _ in range(50)] == [str(n) for n in range(50)]
        assert set(threads) == {loop_thread}

    run(program())


def test_a_connection_made_and_dropped_in_another_thread(bus: Any, run: Any) -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        main_loop = DBusAsyncioMainLoop(loop)

        def make() -> Any:
            return pair(bus, main_loop)

        made = await loop.run_in_executor(None, make)
        assert await ask(made[1].Echo, "x") == "x"

        def drop() -> list[Any]:
            conn = dbus.bus.BusConnection(bus.address, mainloop=main_loop)
            conn.add_message_filter(lambda conn, message: 1)
            return [weakref.ref(conn)]

        (ref,) = await loop.run_in_executor(None, drop)
        assert ref() is None
        await asyncio.sleep(0)  # the loop lets go of it in its own thread
        assert await ask(made[1].Echo, "it goes on") == "it goes on"

    run(program())


def test_dropped_connections_leave_the_loop(bus: Any, run: Any) -> None:
    async def program() -> None:
        gc.collect()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            conn = dbus.bus.BusConnection(bus.address, mainloop=DBusAsyncioMainLoop())
            conn.add_message_filter(lambda conn, message: 1)
            del conn
        gc.collect()
        await asyncio.sleep(0)
        assert len(os.listdir("/proc/self/fd")) == before

    run(program())


def test_a_lost_bus(bus: Any, run: Any) -> None:
    async def program() -> None:
        _thing, proxy, _server, client = pair(bus)
        gone: asyncio.Queue[Any] = asyncio.Queue()
        client.call_on_disconnection(gone.put_nowait)
        calls = [ask(proxy.Never) for _ in range(10)]
        await ask(proxy.Echo, "the calls have arrived")
        os.kill(bus.pid, signals.SIGKILL)
        ends = await asyncio.gather(*calls, return_exceptions=True)
        assert {end.get_dbus_name() for end in ends} == {"org.freedesktop.DBus.Error.NoReply"}
        assert await gone.get() is client

    run(program())


def test_arguments(bus: Any) -> None:
    with pytest.raises(TypeError, match="asyncio event loop or None"):
        DBusAsyncioMainLoop(5)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="no asyncio event loop is running"):
        bus.connection(mainloop=DBusAsyncioMainLoop())
    loop = asyncio.new_event_loop()
    main_loop = DBusAsyncioMainLoop(loop)
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        bus.connection(mainloop=main_loop)


def test_a_loop_that_is_given_need_not_run_yet(bus: Any) -> None:
    loop = asyncio.new_event_loop()
    try:
        _thing, proxy, _server, _client = pair(bus, DBusAsyncioMainLoop(loop))

        async def program() -> None:
            assert await ask(proxy.Echo, "x") == "x"

        loop.run_until_complete(asyncio.wait_for(program(), LIMIT))
    finally:
        loop.close()
