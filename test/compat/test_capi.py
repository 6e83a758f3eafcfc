# SPDX-License-Identifier: MIT
"""The C API: a compiled module with a main loop of its own, as PyQt has.

The module is foreign_loop.c, built here against this project's header and, where it is installed,
against the reference's: whichever binding is under test, both binaries must work on it.
"""

import gc
import importlib.machinery
import importlib.util
import os
import shlex
import shutil
import subprocess
import sysconfig
import time
from pathlib import Path

import implementation
import pytest
from peers import BUS, BUS_PATH, ERROR, Calls, attach, method_call

import _dbus_bindings
import dbus
import dbus.bus
import dbus.connection
import dbus.lowlevel
import dbus.server
import dbus.service
from dbus.exceptions import DBusException

HERE = Path(__file__).resolve().parent


def pkg_config(*arguments):
    try:
        done = subprocess.run(
            ["pkg-config", *arguments], stdout=subprocess.PIPE, universal_newlines=True
        )
    except FileNotFoundError:
        pytest.skip("pkg-config is not installed")
    if done.returncode != 0:
        pytest.skip(f"no {arguments[-1]}: install libdbus-1-dev")
    return shlex.split(done.stdout)


def header_folder(which):
    if which == "project":
        return implementation.ROOT / "include"
    (folder,) = pkg_config("--variable=includedir", "dbus-1")
    return Path(folder) / "dbus-1.0"


@pytest.fixture(scope="session", params=["project", "installed"])
def foreign(request, tmp_path_factory):
    """The module, built against the header named by the parameter."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    include = sysconfig.get_paths()["include"]
    if not os.path.exists(os.path.join(include, "Python.h")):
        pytest.skip(f"no Python.h in {include}")
    folder = header_folder(request.param)
    if not (folder / "dbus" / "dbus-python.h").exists():
        pytest.skip(f"no dbus/dbus-python.h in {folder}")
    output = tmp_path_factory.mktemp(request.param) / "foreign_loop.so"
    command = ["gcc", "-O1", "-g", "-Wall", "-fPIC", "-shared", f"-I{folder}", f"-I{include}"]
    command += pkg_config("--cflags", "dbus-1")
    command += [str(HERE / "foreign_loop.c"), "-o", str(output), *pkg_config("--libs", "dbus-1")]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    assert done.returncode == 0, done.stdout
    loader = importlib.machinery.ExtensionFileLoader("foreign_loop", str(output))
    spec = importlib.util.spec_from_loader("foreign_loop", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def turn(foreign):
    """turn(condition): turn the foreign loop until it holds."""

    def turn(condition, timeout=10.0):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "the foreign loop waits in vain"
            foreign.iterate(50)

    return turn


@pytest.fixture
def conn(foreign, bus):
    return bus.connection(mainloop=foreign.loop())


@pytest.fixture
def peer(foreign, bus):
    return bus.connection(mainloop=foreign.loop())


def get_id(conn, good, bad=print, **keywords):
    return conn.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), good, bad, **keywords)


# -- the table ------------------------------------------------------------------------------------


def test_the_capsule():
    capsule = _dbus_bindings._C_API
    assert type(capsule).__name__ == "PyCapsule"
    assert '"_dbus_bindings._C_API"' in repr(capsule)


def test_borrowing(foreign, bus):
    conn = bus.connection()
    assert foreign.is_connected(conn) is True
    assert foreign.unique_name(conn) == conn.get_unique_name()
    assert foreign.address(conn) == foreign.address(conn)
    plain = _dbus_bindings.Connection(bus.address)
    assert foreign.is_connected(plain) is True
    plain.close()


@pytest.mark.parametrize("wrong", [None, 5, "x", object(), dbus.connection.Connection])
def test_borrowing_from_something_else(foreign, wrong):
    with pytest.raises(TypeError) as caught:
        foreign.is_connected(wrong)
    assert str(caught.value) == "A dbus.Connection is required"


def test_borrowing_from_a_closed_connection(foreign, bus):
    conn = bus.connection()
    conn.close()
    assert foreign.is_connected(conn) is False
    assert foreign.unique_name(conn) == conn.get_unique_name()


def test_the_loop_is_a_native_main_loop(foreign):
    loop = foreign.loop()
    assert type(loop) is dbus.mainloop.NativeMainLoop


@pytest.mark.parametrize("with_data", [False, True])
def test_the_free_function_runs_once_and_only_for_data(foreign, with_data):
    before = foreign.counts()["freed"]
    loop = foreign.loop_with_free(with_data)
    gc.collect()
    assert foreign.counts()["freed"] == before
    del loop
    gc.collect()
    assert foreign.counts()["freed"] == before + with_data


def test_a_refused_connection(foreign, bus):
    loop = foreign.loop_with_free(False)
    with pytest.raises(LookupError, match="takes no connections"):
        dbus.connection.Connection(bus.address, mainloop=loop)
    with pytest.raises(LookupError, match="takes no connections"):
        dbus.bus.BusConnection(bus.address, mainloop=loop)
    assert bus.connection().get_is_connected()


def test_a_refused_server(foreign, tmp_path):
    with pytest.raises(LookupError, match="takes no servers"):
        dbus.server.Server("unix:tmpdir=/tmp", mainloop=foreign.loop_with_free(False))


def test_as_the_default_main_loop(run_snippet, foreign, bus):
    code = """
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.ExtensionFileLoader('foreign_loop', sys.argv[2])
foreign = importlib.util.module_from_spec(importlib.util.spec_from_loader('foreign_loop', loader))
loader.exec_module(foreign)
import dbus, dbus.bus
loop = foreign.loop()
dbus.set_default_main_loop(loop)
print(dbus.get_default_main_loop() is loop)
conn = dbus.bus.BusConnection(sys.argv[1])
got = []
conn.call_async('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'GetId',
                '', (), got.append, print)
while not got:
    foreign.iterate(1000)
print(len(got[0]), foreign.counts()['set_up'])
"""
    result = run_snippet(code, bus.address, foreign.__spec__.origin or foreign.__file__)
    assert result.stdout == "True\n32 1\n", result
    assert result.returncode == 0


# -- a connection on the foreign loop -------------------------------------------------------------


def test_calls(conn, turn):
    assert BUS in conn.list_names()
    good, bad = Calls(), Calls()
    get_id(conn, good)
    conn.call_async(BUS, BUS_PATH, BUS, "GetNameOwner", "s", ("a.b",), print, bad)
    turn(lambda: good and bad)
    assert len(good.firsts[0]) == 32
    assert bad.firsts[0].get_dbus_name() == ERROR + "NameHasNoOwner"


def test_a_hundred_calls_in_flight(conn, turn):
    good = Calls()
    for _ in range(100):
        get_id(conn, good)
    turn(lambda: len(good) == 100)


def test_a_timeout(conn, peer, turn):
    peer._register_object_path("/s", lambda _c, _m: None)
    bad = Calls()
    name = peer.get_unique_name()
    conn.call_async(name, "/s", "a.b", "Hold", "", (), print, bad, timeout=0.05)
    turn(lambda: bad)
    assert bad.firsts[0].get_dbus_name() == ERROR + "NoReply"
    with pytest.raises(DBusException) as caught:
        conn.call_blocking(name, "/s", "a.b", "Hold", "", (), timeout=0.05)
    assert caught.value.get_dbus_name() == ERROR + "NoReply"


def test_cancel_and_block(conn, turn):
    good, cancelled = Calls(), Calls()
    get_id(conn, cancelled).cancel()
    pending = get_id(conn, good)
    pending.block()
    assert len(good) == 1
    assert pending.get_completed() is True
    get_id(conn, good)
    turn(lambda: len(good) == 2)
    assert cancelled == []


def test_signals(conn, peer, turn):
    got = Calls()
    conn.add_signal_receiver(got, "S", "test.I", path="/s")
    conn.get_name_owner(BUS)  # the match is in place
    for number in range(20):
        signal = dbus.lowlevel.SignalMessage("/s", "test.I", "S")
        signal.append(number)
        peer.send_message(signal)
    turn(lambda: len(got) == 20)
    assert got.firsts == list(range(20))


def test_a_service(conn, peer, turn):
    class Thing(dbus.service.Object):
        @dbus.service.method("test.I", in_signature="i", out_signature="i")
        def Double(self, x):
            return 2 * x

        @dbus.service.method("test.I")
        def Fail(self):
            raise DBusException("why", name="x.y.Z")

        @dbus.service.method("test.I", async_callbacks=("ok", "err"))
        def Later(self, ok, err):
            get_id(conn, ok, err)

    Thing(conn, "/t")
    good, bad = Calls(), Calls()
    proxy = peer.get_object(conn.get_unique_name(), "/t")
    for member, args in (("Double", (4,)), ("Fail", ()), ("Later", ()), ("Missing", ())):
        method = proxy.get_dbus_method(member, "test.I")
        method(*args, reply_handler=good, error_handler=bad)
    turn(lambda: len(good) + len(bad) == 4)
    assert good.firsts[0] == 8
    assert len(good.firsts[1]) == 32
    names = {error.get_dbus_name() for error in bad.firsts}
    assert names == {"x.y.Z", ERROR + "UnknownMethod"}


def test_calls_inside_handlers(conn, turn):
    results = []

    def handler(_identifier):
        results.append(len(conn.call_blocking(BUS, BUS_PATH, BUS, "GetId", "", ())))
        get_id(conn, lambda i: results.append(len(i)))

    get_id(conn, handler)
    turn(lambda: len(results) == 2)
    assert results == [32, 32]


def test_filters_and_paths(conn, peer, turn):
    seen = []
    conn.add_message_filter(lambda _c, m: seen.append(("filter", m.get_member())) or 1)
    conn._register_object_path("/s", lambda _c, m: seen.append(("path", m.get_member())))
    peer.send_message(method_call(conn.get_unique_name(), "/s", "test.I", "M"))
    turn(lambda: ("path", "M") in seen)
    assert ("filter", "M") in seen
    replies = Calls()
    peer.send_message_with_reply(method_call(conn.get_unique_name(), "/none"), replies)
    turn(lambda: replies)
    assert replies.firsts[0].get_error_name() == ERROR + "UnknownMethod"


def test_introspection_of_unexported_parents(conn, peer, turn):
    conn._register_object_path("/a/b", print)
    replies = Calls()
    where = ("/a", "org.freedesktop.DBus.Introspectable", "Introspect")
    peer.send_message_with_reply(method_call(conn.get_unique_name(), *where), replies)
    turn(lambda: replies)
    assert '<node name="b"' in replies.firsts[0].get_args_list()[0]


def test_disconnection(foreign, conn, turn):
    gone = Calls()
    conn.call_on_disconnection(gone)
    conn.close()
    turn(lambda: gone)
    assert gone.args == [(conn,)]
    assert foreign.is_connected(conn) is False


def test_the_bus_goes(bus, conn, turn):
    import signal

    gone = Calls()
    conn.call_on_disconnection(gone)
    os.kill(bus.pid, signal.SIGKILL)
    turn(lambda: gone)
    assert conn.get_is_connected() is False


def test_a_closed_connection_may_be_dropped(foreign, bus, turn):
    for _ in range(10):
        conn = bus.connection(mainloop=foreign.loop())
        good = Calls()
        get_id(conn, good)
        turn(lambda good=good: good)
        conn.close()
        foreign.iterate(0)
        del conn
    gc.collect()
    foreign.iterate(0)


def test_a_server(foreign, turn):
    added = []

    class Listening(dbus.server.Server):
        def connection_added(self, conn):
            added.append(conn)

    server = Listening("unix:tmpdir=/tmp", mainloop=foreign.loop())
    client = dbus.connection.Connection(server.address, mainloop=foreign.loop())
    try:
        turn(lambda: added)
        replies = Calls()
        client.send_message_with_reply(
            method_call(None, "/", "org.freedesktop.DBus.Peer", "Ping"), replies
        )
        turn(lambda: replies)
        assert replies.firsts[0].get_args_list() == []
    finally:
        server.disconnect()
        client.close()
        for conn in added:
            conn.close()
        foreign.iterate(0)


def test_a_foreign_loop_takes_over_a_connection(foreign, bus, turn):
    """A module may replace the watch functions of a connection that another loop had."""
    conn = attach(bus)
    foreign.take_over(conn)
    good = Calls()
    get_id(conn, good)
    turn(lambda: good)
    assert BUS in conn.list_names()
    conn.close()
    foreign.iterate(0)
