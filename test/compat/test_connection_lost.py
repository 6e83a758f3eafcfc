# SPDX-License-Identifier: MIT
"""The other end goes away: calls in flight, handlers, exit_on_disconnect."""

import os
import signal

import pytest
from implementation import REFERENCE
from peers import (
    BUS,
    BUS_PATH,
    ERROR,
    Calls,
    attach,
    barrier,
    bus_call,
    hooked,
    method_call,
    needs_gi,
    run_pending,
    run_until,
)

from dbus.exceptions import DBusException

# Why a blocking call ends depends on where the death is noticed: before or after the call is out.
GONE = {ERROR + "NoReply", ERROR + "Disconnected"}


def kill(bus):
    os.kill(bus.pid, signal.SIGKILL)


@pytest.fixture
def conn(bus):
    connection = attach(bus)
    barrier(connection)
    return connection


def test_is_connected_turns_false(bus, conn):
    kill(bus)
    run_until(lambda: not conn.get_is_connected())


LOST_CALLS = "calls in flight when the connection is lost fail at once"


def calls_in_flight(bus, conn, lose):
    """Lose the connection with calls in flight; the pending calls and who was called."""
    gone = Calls()
    conn.call_on_disconnection(gone)
    os.kill(bus.pid, signal.SIGSTOP)
    good, bad = Calls(), Calls()
    pending = [
        conn.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), good, bad, timeout=30)
        for _ in range(20)
    ]
    lose()
    gone.wait()
    os.kill(bus.pid, signal.SIGCONT)
    run_pending()
    assert good == []
    return pending, bad


def test_every_call_in_flight_fails_once(bus, conn, differs):
    pending, bad = calls_in_flight(bus, conn, lambda: kill(bus))
    assert len(bad) == differs(ours=20, reference=0, why=LOST_CALLS)
    assert {error.get_dbus_name() for error in bad.firsts} <= GONE
    assert {one.get_completed() for one in pending} == {bool(bad)}


def test_our_own_close_fails_the_calls_in_flight(bus, conn, differs):
    pending, bad = calls_in_flight(bus, conn, conn.close)
    assert len(bad) == differs(ours=20, reference=0, why=LOST_CALLS)
    assert {error.get_dbus_name() for error in bad.firsts} <= GONE
    assert {one.get_completed() for one in pending} == {bool(bad)}


def test_a_blocking_call_fails(bus, conn):
    kill(bus)
    with pytest.raises(DBusException) as caught:
        conn.list_names()
    assert caught.value.get_dbus_name() in GONE


def test_a_blocking_call_in_flight_fails(run_snippet, bus):
    code = """
import os, signal, sys, threading, dbus.bus, dbus
conn = dbus.bus.BusConnection(sys.argv[1])
conn.set_exit_on_disconnect(False)
pid = int(sys.argv[2])
os.kill(pid, signal.SIGSTOP)
threading.Timer(0.1, os.kill, (pid, signal.SIGKILL)).start()
try:
    conn.list_names()
except dbus.DBusException as error:
    print(error.get_dbus_name())
"""
    result = run_snippet(code, bus.address, str(bus.pid))
    assert result.stdout.strip() in GONE, result


def test_calls_after_the_loss_is_known(bus, conn):
    kill(bus)
    run_until(lambda: not conn.get_is_connected())
    with pytest.raises(DBusException) as caught:
        conn.list_names()
    assert caught.value.get_dbus_name() == ERROR + "Disconnected"
    with pytest.raises(DBusException) as caught:
        conn.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), print, print)
    assert caught.value.get_dbus_name() is None


def test_messages_that_arrived_before_are_still_handled(bus, conn):
    order = []
    conn.add_message_filter(lambda _c, m: order.append(m.get_member()) or 1)
    sender = attach(bus)
    for number in range(5):
        sender.send_message(method_call(conn.get_unique_name(), "/", "test.I", f"M{number}"))
    sender.send_message_with_reply_and_block(bus_call())
    kill(bus)
    run_until(lambda: "Disconnected" in order)
    assert order == ["M0", "M1", "M2", "M3", "M4", "Disconnected"]


# -- call_on_disconnection ------------------------------------------------------------------------


def test_call_on_disconnection(bus, conn):
    got = Calls()
    assert conn.call_on_disconnection(got) is None
    kill(bus)
    assert got.wait().args == [(conn,)]


def test_call_on_disconnection_after_our_own_close(conn):
    got = Calls()
    conn.call_on_disconnection(got)
    conn.close()
    assert got.wait().args == [(conn,)]


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_call_on_disconnection_in_order_and_despite_exceptions(bus, conn, kind):
    if REFERENCE and kind is not RuntimeError:
        pytest.skip("the reference leaves the exception set while it returns to the main loop")
    order = []

    def bad(_connection):
        order.append("bad")
        raise kind("boo")

    conn.call_on_disconnection(lambda _c: order.append("first"))
    conn.call_on_disconnection(bad)
    conn.call_on_disconnection(lambda _c: order.append("last"))
    with hooked():
        kill(bus)
        run_until(lambda: "last" in order)
    assert order == ["first", "bad", "last"]


# -- exit_on_disconnect ---------------------------------------------------------------------------

EXIT = """
import atexit, os, signal, sys, dbus, dbus.bus, dbus.connection
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
atexit.register(print, 'atexit')
address, pid = sys.argv[1], int(sys.argv[2])
loop = GLib.MainLoop()
GLib.timeout_add(300, loop.quit)
{}
loop.run()
sys.exit(5)
"""


def end(run_snippet, bus, deed):
    environ = {"DBUS_SESSION_BUS_ADDRESS": bus.address}
    return run_snippet(EXIT.format(deed), bus.address, str(bus.pid), env=environ)


@pytest.mark.parametrize("how", ["conn.close()", "os.kill(pid, signal.SIGKILL)"])
@pytest.mark.parametrize(
    ("make", "status"),
    [
        ("dbus.bus.BusConnection(0, mainloop=DBusGMainLoop())", 1),
        ("dbus.bus.BusConnection(address, mainloop=DBusGMainLoop())", 5),
        ("dbus.SessionBus(mainloop=DBusGMainLoop())", 1),
        ("dbus.connection.Connection(address, mainloop=DBusGMainLoop())", 5),
    ],
)
@needs_gi
def test_the_process_ends_with_its_bus(run_snippet, bus, how, make, status):
    result = end(run_snippet, bus, f"conn = {make}\n{how}")
    assert result.returncode == status, result
    assert result.stdout == ("atexit\n" if status == 5 else "")


@needs_gi
def test_exit_on_disconnect_off(run_snippet, bus):
    make = """
conn = dbus.SessionBus(mainloop=DBusGMainLoop())
conn.set_exit_on_disconnect(False)
os.kill(pid, signal.SIGKILL)
"""
    result = end(run_snippet, bus, make)
    assert result.returncode == 5, result


@needs_gi
def test_exit_on_disconnect_on_for_a_plain_connection(run_snippet, bus):
    make = """
conn = dbus.connection.Connection(address, mainloop=DBusGMainLoop())
conn.set_exit_on_disconnect(True)
conn.close()
"""
    result = end(run_snippet, bus, make)
    assert result.returncode == 1, result


@needs_gi
def test_handlers_run_before_the_exit(run_snippet, bus):
    make = """
conn = dbus.SessionBus(mainloop=DBusGMainLoop())
conn.call_on_disconnection(lambda c: os.write(1, b'gone\\n'))
conn.close()
"""
    result = end(run_snippet, bus, make)
    assert result.returncode == 1, result
    assert result.stdout in ("gone\n", ""), result
