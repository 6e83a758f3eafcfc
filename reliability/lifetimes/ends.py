# SPDX-License-Identifier: MIT
"""The end of the interpreter with everything still at work: in order, with the right status."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

from cases import AIO, CLASSIC, FAST, OURS, Case, Lost, Place, run_program

HERE = Path(__file__).resolve().parent.parent

PRELUDE = """
import asyncio, atexit, gc, os, sys, threading, time
sys.path.insert(0, sys.argv[1])
side, address = sys.argv[2:4]
from cases import Place
place = Place(side)
place._bus = type("Bus", (), dict(address=address))
"""

CLASSIC_PRELUDE = """
from lifetimes.desk import BUS, PROBE, Desk, Service, dbus
desk = Desk(place, %r)
conn = desk.connect()
name = conn.get_unique_name()
def quiet(*_): pass
def flight(n=20):
    for _ in range(n):
        conn.call_async(name, "/silent", PROBE, "M", "", (), quiet, quiet)
conn.add_signal_receiver(quiet, "Said", PROBE) if desk.loop else None
"""

GLIB_THREAD = """
from gi.repository import GLib
loop = GLib.MainLoop()
thread = threading.Thread(target=loop.run, daemon=True)
thread.start()
service = Service(conn, "/service")
other = desk.connect()
assert other.call_blocking(name, "/service", PROBE, "Echo", "s", ("x",)) == "x"
"""

STORM = """
def storm():
    mine = desk.connect()
    while True:
        mine.call_blocking(name, "/service", PROBE, "Echo", "s", ("x",))
for _ in range(4):
    threading.Thread(target=storm, daemon=True).start()
def signals():
    while True:
        service.Said("x")
        conn.flush()  # more than the bus takes would only stand in the way of the answers
threading.Thread(target=signals, daemon=True).start()
for _ in range(50):
    other.call_blocking(name, "/service", PROBE, "Echo", "s", ("x",))
"""

WAITING = """
conn._register_object_path("/silent", quiet)
def wait():
    desk.connect().call_blocking(name, "/silent", PROBE, "M", "", (), timeout=1000)
for _ in range(3):
    threading.Thread(target=wait, daemon=True).start()
while len(other.list_names()) < 6:
    pass
"""

ASYNCIO_PRELUDE = """
MessageBus = place.module("aio.message_bus" if side == "dbus-fast" else "aio").MessageBus
Message = place.module("message").Message
BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
def silent(message):
    return message.member == "Silent"
async def begin(n=20):
    bus = await MessageBus(bus_address=address).connect()
    bus.add_message_handler(silent)
    tasks = [asyncio.ensure_future(bus.call(Message(bus.unique_name, "/", "a.b", "Silent")))
             for _ in range(n)]
    await bus.call(Message(*BUS, "GetId"))
    return bus, tasks
"""


class End(NamedTuple):
    """A program and the status that it is to end with."""

    source: str
    status: int = 0
    sides: tuple[str, ...] = CLASSIC


def _on(loop: str, source: str) -> str:
    return CLASSIC_PRELUDE % loop + source


ENDS = {
    "GLib: calls in flight": End(_on("GLib", "flight()")),
    "GLib: calls in flight, in a cycle": End(_on("GLib", "flight(); conn.cycle = conn; del conn")),
    "GLib: an object in a class attribute": End(
        _on("GLib", "class K: service = Service(conn, '/x'); service.kept = conn")
    ),
    "GLib: a server with a client": End(
        _on(
            "GLib",
            "server = dbus.server.Server(f'unix:tmpdir=/tmp', mainloop=desk.loop)\n"
            "came = []; server.on_connection_added.append(came.append)\n"
            "client = dbus.connection.Connection(server.address, mainloop=desk.loop)\n"
            "desk.turn_until(lambda: came, 'the client')",
        )
    ),
    "GLib: a call at exit": End(_on("GLib", "flight(); atexit.register(lambda: desk.check(conn))")),
    "GLib: a call in __del__ at the end": End(
        _on(
            "GLib",
            "class Late:\n"
            "    def __del__(self, check=desk.check, conn=conn):\n"
            "        try: check(conn)\n"
            "        except Exception: pass\n"
            "sys.late = Late()",
        )
    ),
    "GLib: sys.exit with calls in flight": End(_on("GLib", "flight(); sys.exit(5)"), 5),
    "GLib: sys.exit in a method": End(
        _on(
            "GLib",
            "class Exits(Service):\n"
            "    @dbus.service.method(PROBE)\n"
            "    def Exit(self): flight(); desk.context.iteration(False); os._exit(6)\n"
            "service = Exits(conn, '/x')\n"
            "desk.connect().call_async(name, '/x', PROBE, 'Exit', '', (), quiet, quiet)\n"
            "desk.turn_until(lambda: False, 'the end')",
        ),
        6,
    ),
    "GLib: an exception ends it": End(_on("GLib", "flight(); raise ValueError('wanted')"), 1),
    "GLib: the loop in a daemon thread": End(_on("GLib", GLIB_THREAD)),
    "GLib: the loop in a daemon thread, under fire": End(_on("GLib", GLIB_THREAD + STORM)),
    "GLib: the loop in a daemon thread, under fire, closed": End(
        _on("GLib", GLIB_THREAD + STORM + "conn.close()")
    ),
    "GLib: threads that wait": End(_on("GLib", GLIB_THREAD + WAITING)),
    "no loop: threads that wait": End(
        _on(
            "no loop",
            "def quiet(*_): pass\n"
            "def wait(): conn.call_blocking(name, '/silent', PROBE, 'M', '', (), timeout=1000)\n"
            "for _ in range(3): threading.Thread(target=wait, daemon=True).start()\n"
            "desk.check(conn)",
        )
    ),
    "no loop: a pending call": End(
        _on(
            "no loop",
            "pending = conn.send_message_with_reply("
            "dbus.lowlevel.MethodCallMessage(*BUS, 'GetId'), quiet)",
        )
    ),
    "asyncio, classic: calls in flight": End(_on("asyncio", "flight(); desk.turn()"), 0, (OURS,)),
    "asyncio, classic: the loop in a daemon thread": End(
        _on(
            "asyncio",
            "threading.Thread(target=desk.asyncio.run_forever, daemon=True).start()\n"
            "service = Service(conn, '/service')\nother = desk.connect()\n" + STORM,
        ),
        0,
        (OURS,),
    ),
    "modules gone first": End(
        _on("GLib", "flight(); del sys.modules['dbus'], sys.modules['_dbus_bindings']")
    ),
    "asyncio: calls in flight, left by run()": End(
        ASYNCIO_PRELUDE + "kept = asyncio.run(begin())", 0, (AIO, FAST)
    ),
    "asyncio: calls in flight, the loop not closed": End(
        ASYNCIO_PRELUDE
        + "loop = asyncio.new_event_loop(); kept = loop.run_until_complete(begin())",
        0,
        (AIO, FAST),
    ),
    "asyncio: the loop in a daemon thread": End(
        ASYNCIO_PRELUDE + "loop = asyncio.new_event_loop()\n"
        "threading.Thread(target=loop.run_forever, daemon=True).start()\n"
        "kept = asyncio.run_coroutine_threadsafe(begin(), loop).result(20)",
        0,
        (AIO, FAST),
    ),
    "asyncio: the loop in a daemon thread, under fire": End(
        ASYNCIO_PRELUDE + "loop = asyncio.new_event_loop()\n"
        "threading.Thread(target=loop.run_forever, daemon=True).start()\n"
        "async def storm():\n"
        "    bus, _ = await begin()\n"
        "    while True: await bus.call(Message(*BUS, 'GetId'))\n"
        "for _ in range(3): asyncio.run_coroutine_threadsafe(storm(), loop)\n"
        "time.sleep(0.3)",
        0,
        (AIO, FAST),
    ),
    "asyncio: sys.exit in a handler": End(
        ASYNCIO_PRELUDE + "async def main():\n"
        "    bus, _ = await begin()\n"
        "    bus.add_message_handler(lambda message: sys.exit(5))\n"
        "    await bus.call(Message(bus.unique_name, '/', 'a.b', 'M'))\n"
        "asyncio.run(main())",
        5,
        (AIO, FAST),
    ),
    "asyncio: sys.exit in a coroutine": End(
        ASYNCIO_PRELUDE + "async def main():\n"
        "    bus, _ = await begin()\n"
        "    await bus.call(Message(*BUS, 'GetId'))\n"
        "    sys.exit(5)\n"
        "asyncio.run(main())",
        5,
        (AIO, FAST),
    ),
    "asyncio: KeyboardInterrupt in a coroutine": End(
        ASYNCIO_PRELUDE + "async def main():\n"
        "    bus, _ = await begin()\n"
        "    raise KeyboardInterrupt\n"
        "try: asyncio.run(main())\n"
        "except KeyboardInterrupt: sys.exit(5)",
        5,
        (AIO, FAST),
    ),
}
FATAL = ("Fatal Python error", "Segmentation", "Assertion", "dbus[", "Exception ignored")


def _ends(name: str, place: Place) -> str:
    end = ENDS[name]
    done = run_program(PRELUDE + end.source, str(HERE), place.side, place.bus.address)
    told = [line for line in done.stderr.splitlines() if line.startswith(FATAL)]
    if done.returncode != end.status or told:
        last = done.stderr.strip().splitlines()[-1:]
        raise Lost(f"status {done.returncode}: {told or last}")
    return f"status {end.status}"


CASES = tuple(
    Case(f"the end: {name}", partial(_ends, name), end.sides) for name, end in ENDS.items()
)
