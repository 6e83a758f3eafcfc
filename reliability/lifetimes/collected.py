# SPDX-License-Identifier: MIT
"""Everything that a connection can hold, ended in every way: it is collected, descriptors too."""

from __future__ import annotations

import gc
import weakref
from functools import partial
from typing import Any, Callable, Optional

from cases import CLASSIC, Case, Lost, Place

from .desk import ASYNCIO, BUS, GLIB, NONE, PROBE, Desk, Marker, Service, dbus, descriptors

Made = tuple[Any, Any]  # a connection, and what was made on it

# --- What is made.  Each gets a marker to keep.


def only(desk: Desk, marker: Marker) -> Made:
    conn = desk.connect()
    conn.marker = marker
    return conn, None


def proxy(desk: Desk, marker: Marker) -> Made:
    conn = desk.connect()
    made = conn.get_object(*BUS[:2], introspect=False)
    conn.marker, made.marker = marker, marker
    return conn, made


def exported(desk: Desk, marker: Marker) -> Made:
    conn = desk.connect()
    service = Service(conn, "/service")
    service.kept = marker
    return conn, service


def exported_below(desk: Desk, marker: Marker) -> Made:
    class Fallback(Service):
        SUPPORTS_MULTIPLE_OBJECT_PATHS = True
        SUPPORTS_MULTIPLE_CONNECTIONS = True

    conn = desk.connect()
    service = Fallback()
    service.add_to_connection(conn, "/one")
    service.add_to_connection(conn, "/two")
    service.kept = marker
    return conn, service


def receiver(desk: Desk, marker: Marker) -> Made:
    conn = desk.connect()
    return conn, conn.add_signal_receiver(lambda *_: marker, "Said", PROBE, path="/a", arg0="b")


def named_receiver(desk: Desk, marker: Marker) -> Made:
    conn = desk.connect()
    return conn, conn.add_signal_receiver(lambda *_: marker, "Said", PROBE, "com.example.Name")


def pending(desk: Desk, marker: Marker) -> Made:
    conn = desk.connect()
    call = dbus.lowlevel.MethodCallMessage(*BUS, "GetId")
    return conn, conn.send_message_with_reply(call, lambda *_: marker)


def asynchronous(desk: Desk, marker: Marker) -> Made:
    conn = desk.connect()
    handler = lambda *_: marker  # noqa: E731
    conn.call_async(*BUS, "GetId", "", (), handler, handler)
    return conn, None


def message_filter(desk: Desk, marker: Marker) -> Made:
    conn = desk.connect()
    conn.add_message_filter(lambda *_: marker and dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED)
    return conn, None


def owner_watch(desk: Desk, marker: Marker) -> Made:
    conn = desk.connect()
    return conn, conn.watch_name_owner("com.example.Name", lambda _: marker and None)


def held_name(desk: Desk, marker: Marker) -> Made:
    conn = desk.connect()
    conn.marker = marker
    return conn, dbus.service.BusName("com.example.Held", conn)


def disconnection_handler(desk: Desk, marker: Marker) -> Made:
    conn = desk.connect()
    conn.call_on_disconnection(lambda _: marker and None)
    return conn, None


def server(desk: Desk, marker: Marker) -> Made:
    """With a client; the connections of both sides end with it."""
    listener = dbus.server.Server(f"unix:tmpdir={desk.place.directory}", mainloop=desk.loop)
    came: list[Any] = []
    listener.on_connection_added.append(lambda conn: came.append((conn, marker)))
    client = dbus.connection.Connection(listener.address, mainloop=desk.loop)
    desk.turn_until(lambda: came, "the client")
    return client, [listener, came]


MADE = {
    "a connection": (only, (GLIB, ASYNCIO, NONE)),
    "a proxy": (proxy, (GLIB, ASYNCIO, NONE)),
    "an exported object": (exported, (GLIB, ASYNCIO)),
    "an object at two paths": (exported_below, (GLIB, ASYNCIO)),
    "a receiver": (receiver, (GLIB, ASYNCIO)),
    "a receiver by name": (named_receiver, (GLIB, ASYNCIO)),
    "a pending call": (pending, (GLIB, ASYNCIO, NONE)),
    "a call in flight": (asynchronous, (GLIB, ASYNCIO)),
    "a filter": (message_filter, (GLIB, ASYNCIO)),
    "an owner watch": (owner_watch, (GLIB, ASYNCIO)),
    "a name": (held_name, (GLIB, ASYNCIO, NONE)),
    "a disconnection handler": (disconnection_handler, (GLIB, ASYNCIO)),
    "a server": (server, (GLIB, ASYNCIO)),
}

# --- How it ends.  Each gets what was made in a list of its own, and leaves nothing of it.


def forgotten(desk: Desk, made: list[Any]) -> None:
    made.clear()


def thing_first(desk: Desk, made: list[Any]) -> None:
    conn = made.pop(0)
    made.clear()
    gc.collect()
    desk.turn()
    del conn


def closed(desk: Desk, made: list[Any]) -> None:
    made[0].close()
    made.clear()


def closed_and_heard(desk: Desk, made: list[Any]) -> None:
    """The loop tells of the disconnection before all is forgotten."""
    made[0].close()
    desk.turn()
    made.clear()


def in_a_cycle(desk: Desk, made: list[Any]) -> None:
    made[0].cycle = [made[0], made[1]]
    made.clear()


def in_a_closed_cycle(desk: Desk, made: list[Any]) -> None:
    made[0].cycle = [made[0], made[1]]
    made[0].close()
    made.clear()


def in_a_handler(desk: Desk, made: list[Any]) -> None:
    """The last reference goes in a handler of that very connection."""
    conn, told = made[0], []

    def ended(*_: Any) -> None:
        told.append(1)
        made.clear()
        gc.collect()

    if desk.kind == NONE:
        pending_call = conn.send_message_with_reply(
            dbus.lowlevel.MethodCallMessage(*BUS, "GetId"), ended
        )
        del conn
        pending_call.block()
    elif type(conn) is dbus.connection.Connection:
        conn.call_async(None, "/", "org.freedesktop.DBus.Peer", "Ping", "", (), ended, ended)
        del conn
        desk.turn_until(lambda: told, "the reply")
    else:
        conn.call_async(*BUS, "GetId", "", (), ended, ended)
        del conn
        desk.turn_until(lambda: told, "the reply")


def closed_in_a_handler(desk: Desk, made: list[Any]) -> None:
    made[0].add_message_filter(lambda conn, _: conn.close())
    target = made[0].get_unique_name() if isinstance(made[0], dbus.bus.BusConnection) else None
    if target:
        desk.connect().call_async(target, "/", PROBE, "M", "", (), None, None)
    else:
        made[1][1][0][0].send_message(dbus.lowlevel.SignalMessage("/a", PROBE, "S"))
    desk.turn_until(lambda: not made[0].get_is_connected(), "the message")
    made.clear()


class _LastWords:
    """Makes a call, or does what it is told, when it is deallocated."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act

    def __del__(self) -> None:
        try:
            self.act()
        except (dbus.DBusException, ReferenceError):
            pass


def used_in_del(desk: Desk, made: list[Any]) -> None:
    """A finalizer of the same cycle still makes a call, and turns the loop."""
    conn = made[0]

    def act() -> None:
        conn.call_blocking("org.freedesktop.DBus", "/", BUS[2], "GetId", "", (), timeout=0.2)
        desk.turn()

    conn.last = _LastWords(act)
    made.clear()


def closed_in_del(desk: Desk, made: list[Any]) -> None:
    conn = made[0]
    conn.last = _LastWords(conn.close)
    del conn
    made.clear()


def loop_turned_in_del(desk: Desk, made: list[Any]) -> None:
    """While the attributes of the connection go, with signals waiting for it."""
    conn = made[0]
    if isinstance(conn, dbus.bus.BusConnection):
        name, other = conn.get_unique_name(), desk.connect(dbus.bus.BusConnection)
        for _ in range(3):
            signal = dbus.lowlevel.SignalMessage("/a", PROBE, "Said")
            signal.set_destination(name)
            other.send_message(signal)
        other.call_blocking(*BUS, "GetId", "", ())
        conn.call_blocking(*BUS, "GetId", "", ())
    conn.last = _LastWords(desk.turn)
    del conn
    made.clear()


ENDS: dict[str, tuple[Callable[[Desk, list[Any]], None], tuple[str, ...]]] = {
    "forgotten": (forgotten, (GLIB, ASYNCIO, NONE)),
    "forgotten, the connection last": (thing_first, (GLIB, ASYNCIO, NONE)),
    "closed": (closed, (GLIB, ASYNCIO, NONE)),
    "closed, and that told": (closed_and_heard, (GLIB, ASYNCIO, NONE)),
    "in a cycle": (in_a_cycle, (GLIB, ASYNCIO, NONE)),
    "in a cycle, closed": (in_a_closed_cycle, (GLIB, ASYNCIO, NONE)),
    "in a handler": (in_a_handler, (GLIB, ASYNCIO, NONE)),
    "closed in a handler": (closed_in_a_handler, (GLIB, ASYNCIO)),
    "used in __del__": (used_in_del, (GLIB, NONE)),
    "closed in __del__": (closed_in_del, (GLIB, ASYNCIO, NONE)),
    "the loop turned in __del__": (loop_turned_in_del, (GLIB,)),
}


def _collected(thing: str, end: str, loop: str, place: Place) -> str:
    desk = Desk(place, loop)
    desk.check()
    desk.turn()
    gc.collect()
    before = _round(desk, thing, end)
    after = _round(desk, thing, end)
    if after > before:
        raise Lost(f"{before} descriptors became {after}")
    desk.check()
    return "collected"


def _round(desk: Desk, thing: str, end: str) -> int:
    """Make it, end it, see that it is gone; how many descriptors are open then."""
    refs: dict[str, weakref.ref[Any]] = {}

    def make() -> list[Any]:
        marker = Marker()
        conn, made = MADE[thing][0](desk, marker)
        refs.update(marker=weakref.ref(marker), connection=weakref.ref(conn))
        return [conn, made]

    ENDS[end][0](desk, make())
    desk.check_gone(refs)
    return descriptors()


def _cases() -> list[Case]:
    return [
        Case(f"{loop}: {thing}, {end}", partial(_collected, thing, end, loop), CLASSIC)
        for thing, (_, thing_loops) in MADE.items()
        for end, (_, end_loops) in ENDS.items()
        for loop in (GLIB, ASYNCIO, NONE)
        if loop in thing_loops and loop in end_loops
    ]


# --- The loop itself


def _loop_and_all(loop: str, place: Place) -> Optional[str]:
    """Main loop object, connections and handlers in one cycle, with everything made at once."""
    desk = Desk(place, loop)
    refs: dict[str, weakref.ref[Any]] = {}

    def make() -> None:
        marker = Marker()
        refs["marker"] = weakref.ref(marker)
        everything = []
        for name, (make_one, loops) in MADE.items():
            if loop in loops and name != "a server":
                conn, made = make_one(desk, marker)
                conn.everything = everything
                everything.append((conn, made))
                refs[name] = weakref.ref(conn)
        if loop == ASYNCIO:
            everything.append(desk.asyncio)
            desk.asyncio.close()
            refs["loop"] = weakref.ref(desk.asyncio)
            del desk.asyncio, desk.loop

    make()
    desk.kind = NONE if loop == ASYNCIO else loop
    desk.check_gone(refs)
    return "collected"


CASES = (
    *_cases(),
    *(
        Case(f"{loop}: everything in one cycle", partial(_loop_and_all, loop), CLASSIC)
        for loop in (GLIB, ASYNCIO)
    ),
)
