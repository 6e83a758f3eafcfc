# SPDX-License-Identifier: MIT
"""The future of a call in flight: asyncio's protocol, and tasks that go on at once."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from typing import Any, Callable

import pytest
from busclients import LOOPS, call_to, ping, run, run_in, settled, signal_of

from dbus.aio import Message, MessageBus, MessageType


def await_plain(bus: MessageBus, msg: Message) -> Any:
    """The future of a call."""
    assert bus._connection is not None
    return bus._connection._await_plain(msg, None)


@pytest.mark.parametrize("make_loop", LOOPS)
def test_the_protocol_of_futures(bus: Any, make_loop: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as client:
            future = await_plain(client, ping())
            assert asyncio.isfuture(future) and asyncio.ensure_future(future) is future
            assert future.get_loop() is asyncio.get_running_loop()
            assert (future.done(), future.cancelled()) == (False, False)
            for ask in (future.result, future.exception):
                with pytest.raises(asyncio.InvalidStateError):
                    ask()
            told: list[Any] = []
            future.add_done_callback(told.append)
            future.add_done_callback(told.append)
            future.add_done_callback(told.clear)
            assert (future.remove_done_callback(told.clear), told) == (1, [])
            assert future.remove_done_callback(told.clear) == 0
            reply = await future
            assert reply.message_type is MessageType.METHOD_RETURN
            assert (future.done(), future.cancelled(), future.exception()) == (True, False, None)
            assert future.result() is reply and await future is reply
            assert told == [future, future] and future.cancel() is False
            with pytest.raises(asyncio.InvalidStateError):
                future.set_result(None)
            late: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            future.add_done_callback(late.set_result)
            assert await late is future

    run_in(make_loop, main())


def test_a_future_that_is_completed_by_hand(bus: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as client:
            future = await_plain(client, ping())
            with pytest.raises(TypeError):
                future.set_exception("text")
            future.set_exception(KeyError("k"))
            assert type(future.exception()) is KeyError
            for _ in range(2):
                with pytest.raises(KeyError):
                    await future
            await settled(client)  # the reply, which has come meanwhile, disturbs nobody

    run(main())


@pytest.mark.parametrize("arguments", [((), {}), ((print, print), {}), ((print,), {"other": None})])
def test_wrong_arguments_of_add_done_callback(bus: Any, arguments: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as client:
            future = await_plain(client, ping())
            with pytest.raises(TypeError):
                future.add_done_callback(*arguments[0], **arguments[1])
            await future

    run(main())


def test_a_cancelled_future(bus: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as client:
            future = await_plain(client, ping())
            told: list[Any] = []
            future.add_done_callback(told.append)
            assert future.cancel(msg="enough") is True
            assert (future.done(), future.cancelled(), told) == (True, True, [])
            await asyncio.sleep(0)
            assert told == [future] and future.cancel() is False
            for ask in (future.result, future.exception):
                with pytest.raises(asyncio.CancelledError):
                    ask()
            await settled(client)

    run(main())


@pytest.mark.parametrize(
    "make",
    [
        lambda: ping(flags=1),
        lambda: signal_of(),
        lambda: Message(message_type=MessageType.METHOD_RETURN, reply_serial=1, destination=":1.0"),
    ],
    ids=["no reply wanted", "signal", "reply"],
)
def test_nothing_to_wait_for(bus: Any, make: Callable[[], Message]) -> None:
    async def main() -> None:
        message = make()
        async with MessageBus(bus.address) as client:
            assert await_plain(client, message) is None
            assert message.serial == 0
            assert await client.call(message) is None
            assert message.serial != 0

    run(main())


def python_tasks(loop: Any, coroutine: Any, **others: Any) -> Any:
    """A task factory: asyncio's tasks that are written in Python."""
    return asyncio.tasks._PyTask(coroutine, loop=loop, **others)  # type: ignore[attr-defined]


FACTORIES = [
    pytest.param(None, id="C"),
    pytest.param(python_tasks, id="Python"),
    pytest.param(
        getattr(asyncio, "eager_task_factory", None),
        id="eager",
        marks=pytest.mark.skipif(sys.version_info < (3, 12), reason="new in Python 3.12"),
    ),
]


@pytest.mark.parametrize("factory", FACTORIES)
def test_tasks_of_all_kinds(bus: Any, factory: Any) -> None:
    """Each keeps its context, may be cancelled, and knows itself while it runs."""
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(factory)
        async with MessageBus(bus.address) as server, MessageBus(bus.address) as client:
            server.add_message_handler(lambda msg: msg.member == "Never")

            async def work(number: int) -> int:
                variable.set(number)
                me = asyncio.current_task()
                for _ in range(3):
                    await client.call(ping())
                    assert asyncio.current_task() is me
                return variable.get()

            forever = asyncio.ensure_future(client.call(call_to(server, "Never")))
            assert await asyncio.gather(*map(work, range(200))) == list(range(200))
            assert not forever.done()
            forever.cancel()
            with pytest.raises(asyncio.CancelledError):
                await forever
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.call(call_to(server, "Never")), 0.01)
            await settled(client)
        # From Python 3.14 on a task written in Python is nobody's current_task(), which the end
        # of a loop asks for.
        asyncio.get_running_loop().set_task_factory(None)

    run(main())


def test_tasks_go_on_in_the_order_of_the_replies(bus: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as server, MessageBus(bus.address) as client:
            calls: list[Message] = []
            all_there = asyncio.Event()

            def keep(msg: Message) -> bool:
                if msg.member != "M":
                    return False
                calls.append(msg)
                if len(calls) == 10:
                    all_there.set()
                return True

            server.add_message_handler(keep)
            order: list[int] = []

            async def one(number: int) -> None:
                await client.call(call_to(server, signature="i", body=[number]))
                order.append(number)

            tasks = [asyncio.ensure_future(one(number)) for number in range(10)]
            await all_there.wait()
            for msg in reversed(calls):
                await server.send(Message.new_method_return(msg))
            await asyncio.gather(*tasks)
            assert order == list(range(9, -1, -1))

    run(main())


@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt])
def test_a_task_that_ends_the_loop(bus: Any, ending: type[BaseException]) -> None:
    """The exception comes out of the loop, and the bus serves the next run."""
    loop = asyncio.new_event_loop()
    try:
        client = loop.run_until_complete(MessageBus(bus.address).connect())

        async def leave() -> None:
            await client.call(ping())
            raise ending(3)

        with pytest.raises(ending):
            loop.run_until_complete(leave())
        loop.run_until_complete(settled(client))
        client.disconnect()
        loop.run_until_complete(client.wait_for_disconnect())
    finally:
        loop.close()


def test_a_callback_that_raises(bus: Any) -> None:
    async def main() -> None:
        reports: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        async with MessageBus(bus.address) as client:
            future = await_plain(client, ping())
            told: list[Any] = []

            def fail(_future: Any) -> None:
                raise KeyError("k")

            future.add_done_callback(fail)
            future.add_done_callback(told.append)
            await settled(client)
            assert [type(report["exception"]) for report in reports] == [KeyError]
            assert told == [future]

    run(main())


def test_a_disconnection_in_a_task_that_goes_on(bus: Any) -> None:
    """What was to come in the same turn ends with the connection."""

    async def main() -> None:
        client = await MessageBus(bus.address).connect()

        async def leave() -> None:
            await client.call(ping())
            client.disconnect()

        async def stay() -> str:
            try:
                await client.call(ping())
            except ConnectionError:
                return "ended"
            return "answered"

        results = await asyncio.gather(leave(), *[stay() for _ in range(20)])
        assert results[0] is None and set(results[1:]) <= {"ended", "answered"}
        await client.wait_for_disconnect()

    run(main())
