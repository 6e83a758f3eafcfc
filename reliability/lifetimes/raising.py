# SPDX-License-Identifier: MIT
"""Exceptions of every kind in every kind of callback, each in a program of its own.

An ordinary exception is told, and all goes on.  SystemExit and KeyboardInterrupt may also end the
program, as the interface says for that callback, in an orderly way: with the status that was asked
for, or out of the loop.  Lost is what ends it in another way, what hangs, and a connection that is
of no use afterwards.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cases import CLASSIC, OURS, Case, Lost, NotOffered, Place, run_program

HERE = Path(__file__).resolve().parent.parent
STATUS = 7

PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
side, loop, address, exception = sys.argv[2:6]
from lifetimes.desk import BUS, PROBE, Desk, Service, dbus
from cases import Place

place = Place(side)
place._bus = type("Bus", (), dict(address=address))
desk = Desk(place, loop)
conn, other = desk.connect(), desk.connect()
name = conn.get_unique_name()
raised = []

def fail(*_, **__):
    if raised:
        return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED
    raised.append(1)
    raise {"ValueError": ValueError("wanted"), "SystemExit": SystemExit(%d),
           "KeyboardInterrupt": KeyboardInterrupt()}[exception]

def ping(to=name):
    other.call_async(to, "/", PROBE, "M", "", (), quiet, quiet)

def quiet(*_):
    pass

class Fails(Service):
    @dbus.service.method(PROBE)
    def Fail(self):
        fail()
    @dbus.service.method(PROBE, async_callbacks=("ok", "failed"))
    def FailLate(self, ok, failed):
        fail()

def signal():
    other.send_message(dbus.lowlevel.SignalMessage("/a", PROBE, "Said"))

%s
left = "no"
try:
    act()
    desk.turn_until(lambda: raised, "the callback")
    for _ in range(20):
        desk.turn()
except BaseException as error:
    left = type(error).__name__
    if not raised or left == "Lost":
        raise
heard = []
if conn.get_is_connected() and loop != "no loop":
    conn.add_signal_receiver(lambda *_: heard.append(1), "After", PROBE)
    conn.get_name_owner(BUS[0])
    other.send_message(dbus.lowlevel.SignalMessage("/a", PROBE, "After"))
    desk.turn_until(lambda: heard, "the signal afterwards")
desk.check(conn if conn.get_is_connected() else None)
print(json.dumps([len(raised), left]), flush=True)
"""


class Callback(NamedTuple):
    """Source of `act`, which has the callback called."""

    source: str
    loops: tuple[str, ...] = ("GLib", "asyncio")


CALLBACKS = {
    "a filter": Callback("conn.add_message_filter(fail)\ndef act(): ping()"),
    "an object path's handler": Callback(
        "conn._register_object_path('/', fail)\ndef act(): ping()"
    ),
    "a method": Callback(
        "service = Fails(conn, '/x')\n"
        "def act(): other.call_async(name, '/x', PROBE, 'Fail', '', (), quiet, quiet)"
    ),
    "a method that answers later": Callback(
        "service = Fails(conn, '/x')\n"
        "def act(): other.call_async(name, '/x', PROBE, 'FailLate', '', (), quiet, quiet)"
    ),
    "a receiver": Callback("conn.add_signal_receiver(fail, 'Said', PROBE)\nact = signal"),
    "a receiver with keywords": Callback(
        "conn.add_signal_receiver(fail, 'Said', PROBE, sender_keyword='s')\nact = signal"
    ),
    "a reply handler": Callback("def act(): conn.call_async(*BUS, 'GetId', '', (), fail, quiet)"),
    "an error handler": Callback("def act(): conn.call_async(*BUS, 'None', '', (), quiet, fail)"),
    "a handler of a message": Callback(
        "def act(): conn.send_message_with_reply("
        "dbus.lowlevel.MethodCallMessage(*BUS, 'GetId'), fail)"
    ),
    "a pending call that is blocked on": Callback(
        "def act(): conn.send_message_with_reply("
        "dbus.lowlevel.MethodCallMessage(*BUS, 'GetId'), fail).block()",
        ("GLib", "asyncio", "no loop"),
    ),
    "a handler without a reply": Callback(
        "conn._register_object_path('/slow', quiet)\n"
        "def act(): conn.call_async(name, '/slow', PROBE, 'M', '', (), quiet, fail, timeout=0.05)"
    ),
    "an owner watch": Callback(
        "def act(): globals().update(watch=conn.watch_name_owner('com.example.N', fail))"
    ),
    "a disconnection handler": Callback(
        "conn.call_on_disconnection(fail)\ndef act(): conn.close()"
    ),
    "a server's new connection": Callback(
        "server = dbus.server.Server(f'unix:tmpdir={place.directory}', mainloop=desk.loop)\n"
        "server.on_connection_added.append(fail)\n"
        "def act(): globals().update("
        "client=dbus.connection.Connection(server.address, mainloop=desk.loop))"
    ),
    "a server's lost connection": Callback(
        "server = dbus.server.Server(f'unix:tmpdir={place.directory}', mainloop=desk.loop)\n"
        "came = []\n"
        "server.on_connection_added.append(came.append)\n"
        "server.on_connection_removed.append(fail)\n"
        "def act():\n"
        "    client = dbus.connection.Connection(server.address, mainloop=desk.loop)\n"
        "    desk.turn_until(lambda: came, 'the client')\n"
        "    client.close()"
    ),
    "__del__ of a handler": Callback(
        "class Handler:\n"
        "    def __call__(self, *_): pass\n"
        "    def __del__(self): fail()\n"
        "def act(): conn.call_async(*BUS, 'GetId', '', (), Handler(), quiet)"
    ),
}
EXCEPTIONS = ("ValueError", "SystemExit", "KeyboardInterrupt")


def _raising(callback: str, exception: str, loop: str, place: Place) -> str:
    if loop == "asyncio" and place.side != OURS:
        raise NotOffered("no main loop of asyncio")
    program = PROGRAM % (STATUS, CALLBACKS[callback].source)
    done = run_program(program, str(HERE), place.side, loop, place.bus.address, exception)
    if done.returncode == STATUS and exception == "SystemExit":
        return "the program ends with the status that was asked for"
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise Lost(f"ended with status {done.returncode}: {last}")
    _, left = json.loads(done.stdout.strip().splitlines()[-1])
    if left not in ("no", exception):
        raise Lost(f"{left} left the loop")
    return "told, and all goes on" if left == "no" else "out of the loop, which goes on"


CASES = tuple(
    Case(
        f"{loop}: {exception} in {callback}",
        partial(_raising, callback, exception, loop),
        CLASSIC,
    )
    for callback, (_, loops) in CALLBACKS.items()
    for exception in EXCEPTIONS
    for loop in loops
)
