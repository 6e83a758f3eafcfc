# SPDX-License-Identifier: MIT
"""Main loops: the default one, GLib's, nesting, threads."""

import threading

import pytest
from implementation import REFERENCE
from peers import BUS, BUS_PATH, Calls, attach, barrier, bus_call, needs_gi, run_until, serve

import _dbus_bindings
import dbus
import dbus.mainloop
import dbus.mainloop.glib
from dbus.mainloop.glib import DBusGMainLoop


def test_the_glib_loop_is_a_native_main_loop():
    loop = DBusGMainLoop()
    assert type(loop) is dbus.mainloop.NativeMainLoop
    assert dbus.mainloop.NativeMainLoop.__module__ == "dbus.mainloop"
    assert dbus.mainloop.NativeMainLoop is _dbus_bindings.NativeMainLoop
    assert DBusGMainLoop is dbus.mainloop.glib.DBusGMainLoop


def test_native_main_loops_cannot_be_made_or_subclassed():
    with pytest.raises(TypeError):
        dbus.mainloop.NativeMainLoop()
    with pytest.raises(TypeError):
        type("Mine", (dbus.mainloop.NativeMainLoop,), {})


def test_the_package():
    assert dbus.mainloop.NULL_MAIN_LOOP is _dbus_bindings.NULL_MAIN_LOOP
    assert type(dbus.mainloop.NULL_MAIN_LOOP) is dbus.mainloop.NativeMainLoop
    names = ("WATCH_READABLE", "WATCH_WRITABLE", "WATCH_HANGUP", "WATCH_ERROR")
    assert [getattr(dbus.mainloop, name) for name in names] == [1, 2, 8, 4]
    assert dbus.mainloop.__path__


def test_arguments_of_the_glib_loop():
    assert DBusGMainLoop(set_as_default=False) is not DBusGMainLoop()
    with pytest.raises(TypeError):
        DBusGMainLoop(False)
    with pytest.raises(TypeError):
        DBusGMainLoop(foo=1)


def test_the_default_main_loop(run_snippet, bus):
    code = """
import sys, dbus, dbus.bus, _dbus_bindings
from dbus.mainloop.glib import DBusGMainLoop
print(dbus.get_default_main_loop())
def needs_loop():
    conn = dbus.bus.BusConnection(sys.argv[1])
    conn.set_exit_on_disconnect(False)
    try:
        conn._require_main_loop()
        return False
    except RuntimeError:
        return True
    finally:
        conn.close()
print(needs_loop())
loop = DBusGMainLoop()
print(dbus.get_default_main_loop(), needs_loop())
loop = DBusGMainLoop(set_as_default=True)
print(dbus.get_default_main_loop() is loop, needs_loop())
other = DBusGMainLoop()
dbus.set_default_main_loop(other)
print(dbus.get_default_main_loop() is other)
dbus.set_default_main_loop(_dbus_bindings.NULL_MAIN_LOOP)
print(dbus.get_default_main_loop() is _dbus_bindings.NULL_MAIN_LOOP, needs_loop())
for wrong in (None, 5, 'x'):
    try:
        dbus.set_default_main_loop(wrong)
    except TypeError:
        print('TypeError')
"""
    result = run_snippet(code, bus.address)
    assert result.stdout.splitlines() == [
        "None",
        "True",
        "None True",
        "True False",
        "True",
        "True False",
        "TypeError",
        "TypeError",
        "TypeError",
    ], result


def test_importing_dbus_glib_sets_the_default(run_snippet):
    code = """
import warnings
warnings.simplefilter('ignore')
import dbus
before = dbus.get_default_main_loop()
import dbus.glib
print(before, type(dbus.get_default_main_loop()).__name__)
print(dbus.glib.init_threads is dbus.mainloop.glib.threads_init)
print(dbus.glib.threads_init is dbus.mainloop.glib.threads_init, dbus.glib.DBusGMainLoop)
"""
    result = run_snippet(code)
    first, second, third = result.stdout.splitlines()
    assert first == "None NativeMainLoop"
    assert third.startswith("True ")


def test_importing_dbus_glib_warns(run_snippet):
    result = run_snippet("import warnings; warnings.simplefilter('error'); import dbus.glib")
    assert result.returncode == 1
    assert "DeprecationWarning" in result.stderr


def test_threads_init():
    assert dbus.mainloop.glib.threads_init() is None
    assert dbus.mainloop.glib.threads_init() is None
    gthreads_init = getattr(dbus.mainloop.glib, "gthreads_init", None)
    assert gthreads_init is not None
    assert gthreads_init() is None


def test_a_null_loop_serves_nobody(bus):
    conn = bus.connection(mainloop=_dbus_bindings.NULL_MAIN_LOOP)
    sender = attach(bus)
    seen = serve(conn, M=lambda _m: ())
    from peers import method_call

    sender.send_message(method_call(conn.get_unique_name(), "/s"))
    barrier(sender)
    assert seen == []


# -- inside handlers ------------------------------------------------------------------------------


def test_a_nested_loop_inside_a_handler(bus):
    """A handler may turn the loop itself; what it waits for must come."""
    one, two = attach(bus), attach(bus)
    order = []

    def outer(_identifier):
        order.append("outer")
        two_replies = []
        two.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), two_replies.append, print)
        run_until(lambda: two_replies)
        order.append("nested done")

    one.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), outer, print)
    run_until(lambda: "nested done" in order)
    assert order == ["outer", "nested done"]


def test_a_nested_loop_waiting_for_the_same_connection(bus, differs):
    """Handlers run after libdbus has dispatched, so the connection itself is not held up."""
    conn, clock = attach(bus), attach(bus)
    silent = attach(bus)
    silent._register_object_path("/s", lambda _c, _m: None)
    nested, ended = [], []

    def outer(_identifier):
        conn.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), nested.append, print)
        # A call on another connection that fails after a while bounds the wait.
        name = silent.get_unique_name()
        clock.call_async(name, "/s", "a.b", "M", "", (), print, ended.append, timeout=0.3)
        run_until(lambda: nested or ended)
        ended.append(len(nested))

    conn.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), outer, print)
    run_until(lambda: ended and isinstance(ended[-1], int))
    assert ended[-1] == differs(
        ours=1, reference=0, why="a loop inside a handler goes on serving the same connection"
    )


def test_a_nested_blocking_call_inside_a_handler(bus):
    conn = attach(bus)
    results = []

    def handler(_identifier):
        pending = conn.send_message_with_reply(bus_call(), results.append)
        pending.block()
        results.append(len(conn.list_names()))

    conn.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), handler, print)
    run_until(lambda: len(results) == 2)


@needs_gi
def test_a_handler_may_quit_the_loop(run_snippet, bus):
    code = """
import sys, dbus.bus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
conn = dbus.bus.BusConnection(sys.argv[1], mainloop=DBusGMainLoop())
loop = GLib.MainLoop()
def done(identifier):
    print(len(identifier))
    loop.quit()
conn.call_async('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'GetId',
                '', (), done, print)
loop.run()
print('after')
"""
    result = run_snippet(code, bus.address)
    assert (result.returncode, result.stdout) == (0, "32\nafter\n"), result


def test_an_idle_connection_does_not_keep_the_loop_busy(bus):
    """What is left after all messages are handled waits for the socket."""
    import glibloop

    conn = attach(bus)
    barrier(conn)
    glibloop.run_pending()
    assert not glibloop._library().g_main_context_pending(None)


def test_connections_made_and_closed_while_the_loop_turns(bus):
    keeper = attach(bus)
    for _ in range(20):
        conn = attach(bus)
        got = Calls()
        conn.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), got, print)
        got.wait()
        conn.close()
    barrier(keeper)


# -- contexts of threads --------------------------------------------------------------------------

THREAD = """
import sys, threading, dbus.bus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
where = []
def work():
    context = GLib.MainContext()
    context.push_thread_default()
    try:
        conn = dbus.bus.BusConnection(sys.argv[1], mainloop=DBusGMainLoop())
        conn.set_exit_on_disconnect(False)
        loop = GLib.MainLoop(context)
        def done(identifier):
            where.append(threading.current_thread())
            loop.quit()
        conn.call_async('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                        'GetId', '', (), done, print)
        timer = GLib.timeout_source_new(1000)
        timer.set_callback(lambda *_: loop.quit())
        timer.attach(context)
        loop.run()
        if where:
            conn.close()
        else:
            kept.append(conn)
    finally:
        context.pop_thread_default()
kept = []
thread = threading.Thread(target=work)
thread.start()
thread.join()
print([one is thread for one in where])
sys.stdout.flush()
import os
os._exit(0)
"""


@needs_gi
def test_the_context_of_the_creating_thread_is_used(run_snippet, bus, differs):
    expected = differs(
        ours="[True]",
        reference="[]",
        why="DBusGMainLoop serves the thread-default main context of the creating thread",
    )
    result = run_snippet(THREAD, bus.address)
    assert result.stdout.strip() == expected, result


MANY_THREADS = """
import sys, threading, dbus.bus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
def work():
    context = GLib.MainContext()
    context.push_thread_default()
    conn = dbus.bus.BusConnection(sys.argv[1], mainloop=DBusGMainLoop())
    conn.set_exit_on_disconnect(False)
    got = []
    conn.call_async('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                    'GetId', '', (), got.append, print)
    while not got:
        context.iteration(True)
    gone = []
    conn.call_on_disconnection(gone.append)
    conn.close()
    while not gone:
        context.iteration(True)
    context.pop_thread_default()
    done.append(len(got[0]))
done = []
for _ in range(5):
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(len(done), set(done))
"""


@pytest.mark.skipif(REFERENCE, reason="the reference serves the default main context only")
@needs_gi
def test_connections_that_live_and_die_in_their_threads(run_snippet, bus):
    result = run_snippet(MANY_THREADS, bus.address)
    assert (result.returncode, result.stdout) == (0, "20 {32}\n"), result


def test_a_loop_in_another_thread(bus):
    """The default context may be turned by any thread; handlers run there."""
    conn = attach(bus)
    got = []

    def work():
        results = []

        def handler(_identifier):
            results.append(threading.current_thread())

        conn.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), handler, print)
        run_until(lambda: results)
        got.extend(results)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    assert got == [thread]


def test_closing_from_another_thread(bus):
    conn = attach(bus)
    barrier(conn)
    gone = Calls()
    conn.call_on_disconnection(gone)
    thread = threading.Thread(target=conn.close)
    thread.start()
    thread.join(20)
    assert gone.wait().args == [(conn,)]
