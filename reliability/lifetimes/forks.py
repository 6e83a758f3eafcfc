# SPDX-License-Identifier: MIT
"""The child of a fork: what its parent has connected is not its own, and the parent is unharmed."""

from __future__ import annotations

import asyncio
import gc
import os
import select
import sys
import threading
import traceback
from functools import partial
from typing import Any, Callable

from cases import AIO, CLASSIC, FAST, Case, Lost, Place

from .desk import BUS, GLIB, PROBE, Desk, Service, dbus

CHILD_SECONDS = 10


def _fork(act: Callable[[], object]) -> None:
    """Run it in a child, which must end by itself and well."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        word = "ended"
        try:
            act()
            word = "done"
        except BaseException as error:
            word = f"{type(error).__name__}: {error}"
            traceback.print_exc()
        finally:
            os.write(writer, word.encode()[:200])
            sys.stderr.flush()
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        ready, _, _ = select.select([pipe], [], [], CHILD_SECONDS)
        word = pipe.read().decode() if ready else ""
    if not ready:
        os.kill(pid, 9)
    _, status = os.waitpid(pid, 0)
    if word != "done":
        raise Lost(f"the child {'hangs' if not ready else f'says {word!r}, status {status}'}")


def _refused(use: Callable[[], object]) -> None:
    try:
        use()
    except dbus.DBusException:
        return
    raise Lost("the child may use the connection of its parent")


# --- What the child does, with a desk, a connection and an object of its parent


def calls(desk: Desk, conn: Any) -> None:
    _refused(lambda: conn.call_blocking(*BUS, "GetId", "", (), timeout=1))


def calls_async(desk: Desk, conn: Any) -> None:
    _refused(lambda: conn.call_async(*BUS, "GetId", "", (), None, None))


def sends(desk: Desk, conn: Any) -> None:
    _refused(lambda: conn.send_message(dbus.lowlevel.SignalMessage("/a", PROBE, "Said")))


def subscribes(desk: Desk, conn: Any) -> None:
    _refused(lambda: conn.add_signal_receiver(print, "Said", PROBE))


def requests_a_name(desk: Desk, conn: Any) -> None:
    _refused(lambda: conn.request_name("com.example.Child"))


def closes(desk: Desk, conn: Any) -> None:
    conn.close()


def turns_the_loop(desk: Desk, conn: Any) -> None:
    for _ in range(30):
        desk.turn()


def connects(desk: Desk, conn: Any) -> None:
    own = desk.connect()
    desk.check(own)
    told: list[Any] = []
    own.call_async(*BUS, "GetId", "", (), told.append, told.append)
    desk.turn_until(lambda: told, "the reply to the child")


def collects(desk: Desk, conn: Any) -> None:
    desk.parts.clear()  # type: ignore[attr-defined]
    gc.collect()
    desk.turn()


DEEDS = {
    "calls": calls,
    "calls without waiting": calls_async,
    "sends a signal": sends,
    "subscribes": subscribes,
    "requests a name": requests_a_name,
    "closes": closes,
    "turns the loop": turns_the_loop,
    "makes a connection of its own": connects,
    "forgets everything": collects,
}


def _parent(desk: Desk, parts: dict[str, Any]) -> None:
    """Everything of the parent works: name, receiver, object, calls both ways, server."""
    conn, other = parts["conn"], desk.connect()
    desk.check(conn)
    if other.get_name_owner("com.example.Parent") != conn.get_unique_name():
        raise Lost("the parent has lost its name")
    heard: list[Any] = parts["heard"]
    before = len(heard)
    for _ in range(5):
        other.send_message(dbus.lowlevel.SignalMessage("/a", PROBE, "Heard"))
    desk.turn_until(lambda: len(heard) >= before + 5, "the signals to the parent")
    told: list[Any] = []
    other.call_async(
        conn.get_unique_name(), "/service", PROBE, "Echo", "s", ("x",), told.append, told.append
    )
    desk.turn_until(lambda: told, "the reply of the parent")
    if told != ["x"] or len(heard) != before + 5:
        raise Lost(f"the parent answers {told}, and heard {len(heard) - before} of 5")
    came = len(parts["came"])
    client = dbus.connection.Connection(parts["server"].address, mainloop=desk.loop)
    desk.turn_until(lambda: len(parts["came"]) > came, "a client of the parent's server")
    client.close()


def _family(desk: Desk) -> dict[str, Any]:
    """What the parent has."""
    conn = desk.connect()
    heard: list[Any] = []
    came: list[Any] = []
    server = dbus.server.Server(f"unix:path={desk.place.directory}/s", mainloop=desk.loop)
    server.on_connection_added.append(came.append)
    conn.add_signal_receiver(lambda *_: heard.append(1), "Heard", PROBE)
    return {
        "conn": conn,
        "heard": heard,
        "came": came,
        "server": server,
        "service": Service(conn, "/service"),
        "name": dbus.service.BusName("com.example.Parent", conn),
    }


def _forked(deed: str, busy: bool, place: Place) -> str:
    """`busy`: another thread of the parent uses the connection while the fork happens."""
    desk = Desk(place, GLIB)
    parts = _family(desk)
    desk.parts = parts  # type: ignore[attr-defined]
    _parent(desk, parts)
    over = threading.Event()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            while not over.is_set():
                parts["conn"].call_blocking(*BUS, "GetId", "", ())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2 if busy else 0)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10 if busy else 1):
            _fork(partial(DEEDS[deed], desk, parts["conn"]))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    if errors:
        raise Lost(f"a thread of the parent: {errors[0]!r}")
    _parent(desk, parts)
    return "the parent is unharmed"


# --- asyncio


def _asyncio(deed: str, place: Place) -> str:
    from .aio import Scene

    scene = Scene(place)

    async def main() -> None:
        bus = await scene.connect()

        def act() -> None:
            if deed == "disconnects":
                bus.disconnect()
            elif deed == "calls":
                # Without a loop nobody waits for the reply: what counts is that nothing is sent.
                try:
                    scene.call(bus).send(None)
                except Exception:
                    return
                raise Lost("the child may use the bus of its parent")
            elif deed == "connects":
                asyncio.events._set_running_loop(None)
                asyncio.new_event_loop().run_until_complete(scene.check())
            gc.collect()

        _fork(act)
        for _ in range(3):
            await asyncio.wait_for(scene.call(bus), 10)
        bus.disconnect()
        await bus.wait_for_disconnect()

    place.run(main())
    return "the parent is unharmed"


CASES = (
    *(Case(f"fork: the child {deed}", partial(_forked, deed, False), CLASSIC) for deed in DEEDS),
    *(
        Case(f"fork, threads at work: the child {deed}", partial(_forked, deed, True), CLASSIC)
        for deed in DEEDS
    ),
    *(
        Case(f"fork, asyncio: the child {deed}", partial(_asyncio, deed), (AIO, FAST))
        for deed in ("disconnects", "calls", "connects", "collects")
    ),
)
