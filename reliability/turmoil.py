# SPDX-License-Identifier: MIT
"""Many threads on the same connections: `turmoil.py SIDE SECONDS [--seed N] [--only TASK]`.

Eight threads call, subscribe, export and close, on connections that all share and on ones of their
own, while two threads run GLib's loops over two contexts and a third one runs asyncio.  Whatever is
awaited must come; whatever is not expected is told, and is a failure.

The last line is JSON: {"done": {task: times}, "failures": [text...]}.  The status is 0 if there is
no failure.  A watchdog sees to it that every thread gets on: it dumps the stacks of all, and ends
the process with status 3, if one does not for STUCK seconds; should it not get the interpreter
itself, faulthandler's own thread does the same, with status 1.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import gc
import json
import os
import random
import sys
import threading
import time
from collections import Counter
from concurrent.futures import Future
from typing import Any, Callable, Optional

from cases import CLASSIC, OURS, Place
from gi.repository import GLib

import dbus
import dbus.bus
import dbus.lowlevel
import dbus.mainloop.glib
import dbus.service

THREADS = 8
STUCK = 40  # seconds
PATIENCE = 30  # for a reply, a signal
PROBE = "com.example.Turmoil"
BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")


class Failure(Exception):
    """Something did not come, or came twice."""


class Service(dbus.service.Object):
    """What the calls go to."""

    @dbus.service.method(PROBE, in_signature="v", out_signature="v")
    def Echo(self, value: Any) -> Any:
        return value

    @dbus.service.method(PROBE, in_signature="s", out_signature="")
    def Emit(self, text: str) -> None:
        self.Said(text)

    @dbus.service.method(PROBE, in_signature="", out_signature="")
    def Fail(self) -> None:
        raise dbus.DBusException("wanted", name="com.example.Wanted")

    @dbus.service.signal(PROBE, signature="s")
    def Said(self, text: str) -> None:
        pass


class Context:
    """A thread that runs GLib's loop; None as the context is the default one."""

    def __init__(self, own: bool) -> None:
        self.context = GLib.MainContext.new() if own else GLib.MainContext.default()
        self.loop = GLib.MainLoop.new(self.context, False)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        self.context.push_thread_default()
        self.loop.run()
        self.context.pop_thread_default()

    def post(self, function: Callable[[], Any]) -> Future[Any]:
        """Have the function called in the thread of the loop."""
        future: Future[Any] = Future()

        def run(*_: Any) -> bool:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)
            return False

        source = GLib.Idle()
        source.set_callback(run)
        source.attach(self.context)
        return future

    def run(self, function: Callable[[], Any]) -> Any:
        """The same, and wait for its result."""
        return self.post(function).result(PATIENCE)

    def stop(self) -> None:
        """End the loop and its thread."""
        self.post(self.loop.quit)
        self.thread.join(PATIENCE)
        if self.thread.is_alive():
            raise Failure("a GLib loop does not end")


class Asyncio:
    """A thread that runs asyncio; for this package, with connections of both faces."""

    def __init__(self, address: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.address = address
        self.bus = self.run(self._connect())

    async def _connect(self) -> Any:
        from dbus.aio import MessageBus

        return await MessageBus(self.address).connect()

    def run(self, coroutine: Any) -> Any:
        """The result of a coroutine in the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)

    async def ask(self) -> None:
        """A call on the bus that all share."""
        from dbus.aio import Message

        reply = await self.bus.call(Message(*BUS[:1], BUS[1], BUS[2], "GetId"))
        if reply.signature != "s":
            raise Failure(f"GetId answers {reply.body!r}")

    async def visit(self) -> None:
        """A bus of its own, left with a call in flight."""
        from dbus.aio import DisconnectedError, Message, MessageBus

        bus = await MessageBus(self.address).connect()
        late = asyncio.ensure_future(
            bus.call(Message(bus.unique_name, "/", "org.freedesktop.DBus.Properties", "Get"))
        )
        await bus.call(Message(*BUS[:1], BUS[1], BUS[2], "GetId"))
        bus.disconnect()
        await bus.wait_for_disconnect()
        try:
            await late
        except DisconnectedError:
            pass

    def stop(self) -> None:
        """End the bus, the loop and its thread."""

        async def leave() -> None:
            self.bus.disconnect()
            await self.bus.wait_for_disconnect()

        self.run(leave())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE)
        if self.thread.is_alive():
            raise Failure("the loop of asyncio does not end")
        self.loop.close()


class Stage:
    """What the threads share."""

    def __init__(self, address: str, side: str) -> None:
        self.address = address
        self.side = side
        ours = side == OURS
        self.contexts = [Context(False)] + ([Context(True)] if ours else [])
        self.asyncio = Asyncio(address) if ours else None
        self.mainloop = dbus.mainloop.glib.DBusGMainLoop()
        self.blocking = self.connect(None)
        self.looped = [
            context.run(lambda: self.connect(self.mainloop)) for context in self.contexts
        ]
        if ours:
            from dbus.mainloop.asyncio import DBusAsyncioMainLoop

            assert self.asyncio is not None
            self.looped.append(self.connect(DBusAsyncioMainLoop(self.asyncio.loop)))
        self.names = [conn.get_unique_name() for conn in self.looped]
        self.services = [Service(conn, "/shared") for conn in self.looped]
        self.number = iter(range(1, 1 << 60))
        self.done: Counter[str] = Counter()
        self.failures: list[str] = []
        self.last: dict[int, tuple[float, str]] = {}
        self.over = threading.Event()

    def connect(self, mainloop: Any) -> Any:
        """A new connection, which ends no process."""
        conn = dbus.bus.BusConnection(self.address, mainloop=mainloop)
        conn.set_exit_on_disconnect(False)
        return conn

    def stop(self) -> None:
        """Take all down again."""
        for service in self.services:
            service.remove_from_connection()
        for conn in [*self.looped, self.blocking]:
            conn.close()
        if self.asyncio is not None:
            self.asyncio.stop()
        for context in self.contexts:
            context.stop()


# --- What the threads do


def blocking_call(stage: Stage, chance: random.Random) -> None:
    """From any connection to any, itself included: a loop serves the call in another thread."""
    conn = chance.choice([stage.blocking, *stage.looped])
    value = chance.choice([7, "text", b"x" * chance.choice([1, 100, 70000]), ["a", "b"]])
    if isinstance(value, bytes):
        value = dbus.ByteArray(value)
    answer = conn.call_blocking(
        chance.choice(stage.names),
        "/shared",
        PROBE,
        "Echo",
        "v",
        (value,),
        timeout=PATIENCE,
        byte_arrays=True,
    )
    if answer != value:
        raise Failure(f"{value!r:.40} came back as {answer!r:.40}")


def failing_call(stage: Stage, chance: random.Random) -> None:
    """The error of the service comes to the caller."""
    conn = chance.choice([stage.blocking, *stage.looped])
    try:
        conn.call_blocking(chance.choice(stage.names), "/shared", PROBE, "Fail", "", ())
    except dbus.DBusException as error:
        if error.get_dbus_name() != "com.example.Wanted":
            raise
    else:
        raise Failure("Fail did not fail")


def async_call(stage: Stage, chance: random.Random) -> None:
    """The handler runs in the thread of the connection's loop, once a call."""
    conn = chance.choice(stage.looped)
    wanted = chance.randrange(1, 10)
    told: list[Any] = []
    all_told = threading.Event()

    def ended(*what: Any) -> None:
        told.append(what)
        if len(told) == wanted:
            all_told.set()

    for number in range(wanted):
        conn.call_async(
            chance.choice(stage.names),
            "/shared",
            PROBE,
            "Echo",
            "v",
            (number,),
            ended,
            ended,
            timeout=PATIENCE,
        )
    if not all_told.wait(PATIENCE):
        raise Failure(f"{len(told)} of {wanted} calls have ended")
    if sorted(told) != [(number,) for number in range(wanted)]:
        raise Failure(f"the calls have ended with {told!r:.100}")


def subscription(stage: Stage, chance: random.Random) -> None:
    """A receiver of its own gets the signal that it asks for."""
    conn = chance.choice(stage.looped)
    source = chance.choice(stage.names)
    text = f"n{next(stage.number)}"
    heard = threading.Event()
    texts: list[str] = []

    def said(text: str) -> None:
        texts.append(text)
        heard.set()

    match = conn.add_signal_receiver(said, "Said", PROBE, source, "/shared", arg0=text)
    try:
        # Through the same connection: the bus takes the match before the call.
        conn.call_blocking(source, "/shared", PROBE, "Emit", "s", (text,), timeout=PATIENCE)
        if not heard.wait(PATIENCE):
            raise Failure("the signal did not come")
        if texts != [text]:
            raise Failure(f"{text} was heard as {texts!r:.60}")
    finally:
        match.remove()


def export(stage: Stage, chance: random.Random) -> None:
    """An object of its own on a connection that all share."""
    index = chance.randrange(len(stage.looped))
    path = f"/own/n{next(stage.number)}"
    service = Service(stage.looped[index], path)
    caller = chance.choice([stage.blocking, *stage.looped])
    try:
        answer = caller.call_blocking(
            stage.names[index], path, PROBE, "Echo", "v", (path,), timeout=PATIENCE
        )
        if answer != path:
            raise Failure(f"{path} came back as {answer!r:.40}")
    finally:
        service.remove_from_connection()


def own_connection(stage: Stage, chance: random.Random) -> None:
    """Without a loop; closed, or only forgotten."""
    conn = stage.connect(None)
    conn.call_blocking(*BUS, "GetId", "", ())
    if chance.random() < 0.5:
        conn.close()
    else:
        conn.myself = conn


def own_looped_connection(stage: Stage, chance: random.Random) -> None:
    """Made in the loop's thread, ended in this one, with calls in flight."""
    context = chance.choice(stage.contexts)
    conn = context.run(lambda: stage.connect(stage.mainloop))
    told: list[Any] = []
    for number in range(chance.randrange(5)):
        conn.call_async(
            stage.names[0],
            "/shared",
            PROBE,
            "Echo",
            "v",
            (number,),
            lambda *what: told.append(what),
            lambda *what: told.append(what),
        )
    if chance.random() < 0.5:
        conn.call_blocking(stage.names[0], "/shared", PROBE, "Echo", "v", ("last",))
    if chance.random() < 0.7:
        conn.close()
    else:
        conn.add_signal_receiver(lambda *_: conn, "Said", PROBE)


def names(stage: Stage, chance: random.Random) -> None:
    """Names come, are watched, and go."""
    conn = chance.choice(stage.looped)
    name = f"com.example.N{next(stage.number)}"
    seen = threading.Event()
    watch = chance.choice(stage.looped).watch_name_owner(name, lambda owner: owner and seen.set())
    held = dbus.service.BusName(name, conn)
    try:
        if not seen.wait(PATIENCE):
            raise Failure("the owner of a name was not told")
    finally:
        watch.cancel()
        held.__del__()


def filters(stage: Stage, chance: random.Random) -> None:
    """A filter comes and goes while messages pass."""
    conn = chance.choice(stage.looped)
    seen = threading.Event()

    def look(_: Any, __: Any) -> Any:
        seen.set()
        return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED

    conn.add_message_filter(look)
    try:
        call = dbus.lowlevel.MethodCallMessage(conn.get_unique_name(), "/shared", PROBE, "Fail")
        call.set_no_reply(True)
        chance.choice(stage.looped).send_message(call)
        if not seen.wait(PATIENCE):
            raise Failure("the filter saw nothing")
    finally:
        conn.remove_message_filter(look)


def collection(stage: Stage, chance: random.Random) -> None:
    """What was forgotten goes, in whichever thread this is."""
    gc.collect()


def asyncio_call(stage: Stage, chance: random.Random) -> None:
    """The loop of asyncio works meanwhile."""
    assert stage.asyncio is not None
    stage.asyncio.run(stage.asyncio.ask())


def asyncio_visit(stage: Stage, chance: random.Random) -> None:
    """A bus of dbus.aio comes and goes."""
    assert stage.asyncio is not None
    stage.asyncio.run(stage.asyncio.visit())


Task = Callable[[Stage, random.Random], None]
TASKS: tuple[tuple[Task, int, tuple[str, ...]], ...] = (
    (blocking_call, 12, CLASSIC),
    (failing_call, 3, CLASSIC),
    (async_call, 8, CLASSIC),
    (subscription, 6, CLASSIC),
    (export, 6, CLASSIC),
    (own_connection, 2, CLASSIC),
    (own_looped_connection, 3, CLASSIC),
    (names, 3, CLASSIC),
    (filters, 3, CLASSIC),
    (collection, 1, CLASSIC),
    (asyncio_call, 4, (OURS,)),
    (asyncio_visit, 2, (OURS,)),
)


def work(
    stage: Stage, index: int, chance: random.Random, until: float, only: Optional[str]
) -> None:
    """One of the threads."""
    offered = [
        (task, weight)
        for task, weight, sides in TASKS
        if stage.side in sides and (not only or task.__name__ == only)
    ]
    tasks, weights = zip(*offered)
    while time.monotonic() < until and len(stage.failures) < 20:
        (task,) = chance.choices(tasks, weights)
        stage.last[index] = (time.monotonic(), task.__name__)
        try:
            task(stage, chance)
            stage.done[task.__name__] += 1
        except Exception as error:
            stage.failures.append(f"{task.__name__}: {type(error).__name__}: {error}")
    del stage.last[index]


def watch(stage: Stage) -> None:
    """Ends the process, with all stacks told, if a thread does not get on."""
    while not stage.over.wait(1):
        faulthandler.dump_traceback_later(STUCK, exit=True)
        now = time.monotonic()
        stuck = [what for begun, what in list(stage.last.values()) if now - begun > STUCK]
        if stuck:
            print(f"stuck: {', '.join(stuck)}", file=sys.stderr, flush=True)
            faulthandler.dump_traceback(all_threads=True)
            os._exit(3)
    faulthandler.cancel_dump_traceback_later()


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser()
    parser.add_argument("side", choices=CLASSIC)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="TASK", choices=[task.__name__ for task, _, _ in TASKS])
    options = parser.parse_args()
    sys.setswitchinterval(0.0005)
    if options.side != OURS:
        dbus.mainloop.glib.threads_init()
    place = Place(options.side)
    with place.stack:
        status = play(Stage(place.bus.address, options.side), options)
    sys.exit(status)


def play(stage: Stage, options: argparse.Namespace) -> int:
    """Run the threads for their time; the status."""
    until = time.monotonic() + options.seconds
    workers = [
        threading.Thread(
            target=work,
            args=(stage, index, random.Random(options.seed + index), until, options.only),
        )
        for index in range(THREADS)
    ]
    for worker in workers:
        worker.start()
    watchdog = threading.Thread(target=watch, args=(stage,))
    watchdog.start()
    for worker in workers:
        worker.join()
    stage.last[-1] = (time.monotonic(), "the end")
    stage.stop()
    stage.over.set()
    watchdog.join()
    print(json.dumps({"done": stage.done, "failures": stage.failures}), flush=True)
    return 1 if stage.failures else 0


if __name__ == "__main__":
    main()
