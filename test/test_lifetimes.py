# SPDX-License-Identifier: MIT
"""What is on its way out gets no messages any more: its handlers may be half gone."""

from __future__ import annotations

import gc
import sys
import weakref
from pathlib import Path

import pytest
from glibloop import run_pending, run_until

import dbus.bus
from dbus.lowlevel import SignalMessage
from dbus.mainloop.glib import DBusGMainLoop
from dbus.server import Server

BUS = "org.freedesktop.DBus"


class TurnsTheLoop:
    """Runs the main loop when it is finalized."""

    __slots__ = ()

    def __del__(self):
        run_pending()


@pytest.fixture
def looped(bus):
    """Makes connections that nobody else holds."""

    def connect():
        conn = dbus.bus.BusConnection(bus.address, mainloop=DBusGMainLoop())
        conn.set_exit_on_disconnect(False)
        return conn

    return connect


def leave_a_signal_in_the_inbox(conn, sender):
    """A blocking call reads it, and delivers nothing."""
    sender.send_message(SignalMessage("/a", "a.b", "S"))
    sender.get_name_owner(BUS)
    conn.get_name_owner(BUS)


def test_no_delivery_while_the_attributes_of_a_connection_go(bus, looped):
    """The connection has no reference then: one more, and it would be deallocated twice."""
    heard = []
    conn = looped()
    conn.add_signal_receiver(lambda: heard.append(1), "S", "a.b")
    leave_a_signal_in_the_inbox(conn, bus.connection())
    conn.last = TurnsTheLoop()
    del conn
    gc.collect()
    run_pending()
    assert heard == []


def test_the_same_with_a_heap_that_is_checked(run_snippet):
    result = run_snippet(
        """
import sys
import dbus.bus
from dbus.lowlevel import SignalMessage
from dbus.mainloop.glib import DBusGMainLoop
from dbus.testing import PrivateBus

sys.path.append(sys.argv[1])
import glibloop

class TurnsTheLoop:
    def __del__(self):
        glibloop.run_pending()

with PrivateBus() as bus:
    sender = bus.connection()
    for _ in range(5):
        conn = dbus.bus.BusConnection(bus.address, mainloop=DBusGMainLoop())
        conn.set_exit_on_disconnect(False)
        conn.add_signal_receiver(print, "S", "a.b")
        conn.get_name_owner("org.freedesktop.DBus")
        sender.send_message(SignalMessage("/a", "a.b", "S"))
        sender.get_name_owner("org.freedesktop.DBus")
        conn.get_name_owner("org.freedesktop.DBus")
        conn.last = TurnsTheLoop()
        del conn
print("here")
""",
        str(Path(__file__).parent),
        env={"PYTHONMALLOC": "debug"},
    )
    assert (result.returncode, result.stdout) == (0, "here\n"), result.stderr


def heard_by_a_cycle(bus, looped, last):
    """What the handler hears that is collected with its connection and with `last`."""
    heard = []

    def make():
        kept = []

        def handler():
            heard.append(len(kept))

        kept += [handler, [kept, last()], looped()]
        kept[-1].add_signal_receiver(handler, "S", "a.b")
        leave_a_signal_in_the_inbox(kept[-1], bus.connection())

    gc.collect()
    gc.disable()
    try:
        make()
        gc.collect()
    finally:
        gc.enable()
    run_pending()
    return heard


def test_no_delivery_while_the_collector_clears_a_cycle(bus, looped):
    """A handler that is a part of the cycle may have lost its globals by then."""
    ended = []

    def untracked():
        it = compile("1", "", "eval")  # of a kind that the collector does not see
        assert not gc.is_tracked(it)
        ended.append(weakref.ref(it, lambda _: ended.append(run_pending())))
        return it

    assert heard_by_a_cycle(bus, looped, untracked) == []
    assert len(ended) == 2


def test_delivery_while_finalizers_run(bus, looped):
    """Nothing is cleared by then; from Python 3.15 on weak references are still there."""
    assert heard_by_a_cycle(bus, looped, TurnsTheLoop) == (
        [] if sys.version_info < (3, 15) else [3]
    )


def test_what_a_finalizer_brings_back_makes_blocking_calls_and_can_be_closed(bus, looped):
    back = []

    class Back:
        def __del__(self):
            back.append(self.conn)

    def make():
        it = Back()
        it.conn = looped()
        it.conn.it = it

    make()
    gc.collect()
    (conn,) = back
    assert conn.get_name_owner(BUS) == BUS
    leave_a_signal_in_the_inbox(conn, bus.connection())
    run_pending()
    conn.close()
    run_pending()
    assert not conn.get_is_connected()


def test_a_client_of_a_server_on_its_way_out_is_dropped(tmp_path):
    loop = DBusGMainLoop()
    server = Server(f"unix:path={tmp_path}/s", mainloop=loop)
    added = []
    server.on_connection_added.append(added.append)
    client = dbus.connection.Connection(server.address, mainloop=loop)
    server.last = TurnsTheLoop()
    del server
    gc.collect()
    run_until(lambda: not client.get_is_connected())
    assert added == []
