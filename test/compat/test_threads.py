# SPDX-License-Identifier: MIT
"""Threads that share a connection: nothing lost, nothing reordered, no deadlock.

DBUS_SHIM_THREAD_CALLS sets how many blocking calls are made in all (4,000 without it).
"""

import os
import threading
import time

import pytest
from implementation import REFERENCE
from peers import needs_gi

THREADS = 2
CALLS = int(os.environ.get("DBUS_SHIM_THREAD_CALLS", "4000"))

# A process of its own, so that a deadlock ends with a time-out and a report.  The echo server is
# another process: blocking calls cannot be answered by the loop that waits for them.
SERVER = """
import sys, dbus.bus, dbus.lowlevel
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
conn = dbus.bus.BusConnection(sys.argv[1], mainloop=DBusGMainLoop())
signals = 0
def on_message(connection, message):
    global signals
    number, = message.get_args_list()
    reply = dbus.lowlevel.MethodReturnMessage(message)
    reply.append(number)
    connection.send_message(reply)
    signal = dbus.lowlevel.SignalMessage('/echo', 'test.I', 'Tick')
    signal.append(signals)
    signals += 1
    connection.send_message(signal)
conn._register_object_path('/echo', on_message)
conn.request_name('test.Echo')
sys.stdout.write('ready\\n')
sys.stdout.flush()
GLib.MainLoop().run()
"""

CLIENT = """
import faulthandler, sys, threading, dbus.bus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
address, calls, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
faulthandler.dump_traceback_later(float(sys.argv[4]), exit=True)
conn = dbus.bus.BusConnection(address, mainloop=DBusGMainLoop())
conn.set_exit_on_disconnect(False)
loop = GLib.MainLoop()
ticks, wrong, done, nested = [], [], [], []
def echo(number):
    return conn.call_blocking('test.Echo', '/echo', 'test.I', 'Echo', 't', (number,), timeout=60)
def tick(number):
    ticks.append(int(number))
    if len(ticks) % 100 == 0 and len(nested) < calls // 100:
        mark = 10**15 + len(ticks)
        nested.append(mark)
        if echo(mark) != mark:
            wrong.append(mark)
conn.add_signal_receiver(tick, 'Tick', 'test.I', 'test.Echo', '/echo')
def work(index):
    try:
        for number in range(index * 10**9, index * 10**9 + calls // threads):
            got = echo(number)
            if got != number:
                wrong.append((number, got))
    except BaseException as error:
        wrong.append(repr(error))
    finally:
        done.append(index)
workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
for worker in workers:
    worker.start()
def check():
    if len(done) == threads and (wrong or len(ticks) >= calls + len(nested)):
        loop.quit()
        return False
    return True
GLib.timeout_add(20, check)
loop.run()
for worker in workers:
    worker.join()
print(len(wrong), wrong[:3])
print(len(ticks) == calls + len(nested), ticks == sorted(ticks) == list(range(len(ticks))))
"""


@pytest.mark.skipif(REFERENCE, reason="the reference loses calls when threads share a connection")
@needs_gi
def test_blocking_calls_from_two_threads_while_a_loop_receives(bus, run_snippet):
    limit = 30 + CALLS / 500
    server = run_in_background(SERVER, bus.address)
    try:
        begin = time.monotonic()
        result = run_snippet(
            CLIENT, bus.address, str(CALLS), str(THREADS), str(limit), timeout=limit + 10
        )
        rate = CALLS / (time.monotonic() - begin)
        assert result.stdout.splitlines() == ["0 []", "True True"], (result, rate)
    finally:
        server.kill()
        server.communicate()


def run_in_background(code, *args):
    import subprocess
    import sys

    import implementation

    process = subprocess.Popen(
        [sys.executable, "-c", code, *args],
        env=implementation.child_environ(),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_connections_of_their_own(bus):
    """Each thread with its own connection and blocking calls only."""
    failures = []

    def work():
        try:
            conn = bus.connection()
            for _ in range(200):
                assert len(conn.call_blocking(*GET_ID)) == 32
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert not any(worker.is_alive() for worker in workers)
    assert failures == []


GET_ID = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", "", ())


@pytest.mark.skipif(REFERENCE, reason="the reference loses calls when threads share a connection")
def test_a_shared_connection_without_a_loop(bus):
    conn = bus.connection()
    failures = []

    def work(index):
        try:
            for number in range(300):
                name = f"test.T{index}.N{number}"
                assert conn.call_blocking(*GET_OWNER, "s", (name,)) == 0
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert not any(worker.is_alive() for worker in workers)
    assert failures == []


GET_OWNER = (
    "org.freedesktop.DBus",
    "/org/freedesktop/DBus",
    "org.freedesktop.DBus",
    "NameHasOwner",
)


def test_a_blocked_thread_leaves_the_interpreter_free(bus):
    """While one thread waits for a reply, Python code of another runs."""
    conn = bus.connection()
    other = bus.connection()
    counted = []

    def wait():
        try:
            conn.call_blocking(other.get_unique_name(), "/", "a.b", "M", "", (), timeout=0.3)
        except Exception as error:
            counted.append(type(error).__name__)

    thread = threading.Thread(target=wait)
    begin = time.monotonic()
    thread.start()
    steps = 0
    while thread.is_alive():
        steps += 1
    assert time.monotonic() - begin < 5
    assert steps > 1000
    assert counted == ["DBusException"]
