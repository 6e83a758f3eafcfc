# SPDX-License-Identifier: MIT
"""dbus.server: connections without a bus."""

import os
import shutil
import tempfile

import pytest
from peers import ERROR, Calls, describe, method_call, run_until, send_and_wait

import _dbus_bindings
import dbus.connection
import dbus.lowlevel
import dbus.server
import dbus.service
from dbus.exceptions import DBusException
from dbus.mainloop.glib import DBusGMainLoop


@pytest.fixture
def folder():
    path = tempfile.mkdtemp(prefix="dbus-")  # short: socket paths end at 107 bytes
    yield path
    shutil.rmtree(path)


class Listening(dbus.server.Server):
    """Remembers what happened to its connections."""

    def __init__(self, *args, **keywords):
        super().__init__(*args, **keywords)
        self.added = []
        self.removed = []

    def connection_added(self, conn):
        self.added.append(conn)

    def connection_removed(self, conn):
        self.removed.append(conn)


@pytest.fixture
def server(folder):
    listening = Listening(f"unix:tmpdir={folder}", mainloop=DBusGMainLoop())
    yield listening
    listening.disconnect()
    for conn in listening.added:
        conn.close()


@pytest.fixture
def connect(server):
    made = []

    def connect(cls=dbus.connection.Connection):
        client = cls(server.address, mainloop=DBusGMainLoop())
        made.append(client)
        count = len(server.added) + 1
        run_until(lambda: len(server.added) == count)
        return client, server.added[-1]

    yield connect
    for client in made:
        client.close()


def test_address_and_id(server, folder):
    assert server.address.startswith("unix:")
    assert folder in server.address or "abstract" in server.address
    assert server.address == server.get_address()
    assert len(server.id) == 32
    assert server.id == server.get_id()
    assert f"guid={server.id}" in server.address
    assert server.is_connected is True
    assert server.get_is_connected() is True


def test_disconnect(server):
    address = server.address
    assert server.disconnect() is None
    assert server.is_connected is False
    assert server.address == address
    with pytest.raises(DBusException):
        dbus.connection.Connection(address)
    server.disconnect()


def test_calls_both_ways(connect):
    client, served = connect()

    class Thing(dbus.service.Object):
        @dbus.service.method("test.I", out_signature="ib", connection_keyword="conn")
        def Double(self, x, conn=None):
            return 2 * x, conn is self.connection

    Thing(client, "/c")
    Thing(served, "/s")
    for near, path in ((client, "/s"), (served, "/c")):
        got = Calls()
        proxy = near.get_object(object_path=path)
        proxy.Double(4, dbus_interface="test.I", reply_handler=got, error_handler=print)
        assert got.wait().args == [(8, True)]


def test_a_service_of_a_peer(connect):
    client, served = connect()

    class Thing(dbus.service.Object):
        @dbus.service.method("test.I", in_signature="i", out_signature="i")
        def Double(self, x):
            return 2 * x

        @dbus.service.signal("test.I", signature="s")
        def Said(self, text):
            pass

    thing = Thing(served, "/s")
    heard, got = Calls(), Calls()
    client.add_signal_receiver(heard, "Said", "test.I", path="/s", sender_keyword="sender")
    proxy = client.get_object(object_path="/s")
    assert proxy.bus_name is None
    thing.Said("x")
    proxy.Double(4, dbus_interface="test.I", reply_handler=got, error_handler=print)
    assert got.wait().args == [(8,)]
    assert heard == [(("x",), {"sender": None})]


def test_peers_know_who_is_there(connect):
    client, served = connect()
    run_until(served.get_is_authenticated)
    assert served.get_peer_unix_user() == os.getuid()
    assert served.get_peer_unix_process_id() == os.getpid()
    assert served.get_is_connected() is True
    assert type(served) is dbus.connection.Connection


def test_peers_have_no_unique_names(connect):
    client, served = connect()
    for conn in (client, served):
        with pytest.raises(DBusException):
            conn.get_unique_name()
    served.set_unique_name(":1.5")
    assert served.get_unique_name() == ":1.5"


def test_activation_is_nothing_between_peers(connect):
    client, _served = connect()
    assert client.activate_name_owner("a.b") == "a.b"


def test_the_client_goes(connect, server):
    client, served = connect()
    client.close()
    run_until(lambda: server.removed)
    assert server.removed == [served]
    assert served.get_is_connected() is False


def test_the_server_side_closes(connect, server):
    client, served = connect()
    gone = Calls()
    client.call_on_disconnection(gone)
    served.close()
    assert gone.wait().args == [(client,)]
    run_until(lambda: server.removed)
    assert server.removed == [served]


def test_a_call_to_a_peer_that_goes(connect, differs):
    client, served = connect()
    served._register_object_path("/s", lambda c, _m: c.close())
    gone, replies = Calls(), Calls()
    client.call_on_disconnection(gone)
    client.send_message_with_reply(method_call(None, "/s"), replies, 30)
    gone.wait()
    why = "calls in flight when the connection is lost fail at once"
    assert len(replies) == differs(ours=1, reference=0, why=why)
    for reply in replies.firsts:
        assert reply.get_error_name() in (ERROR + "NoReply", ERROR + "Disconnected")


def test_several_clients(connect, server):
    pairs = [connect() for _ in range(3)]
    assert len({id(served) for _, served in pairs}) == 3
    for number, (client, served) in enumerate(pairs):
        served._register_object_path(
            "/s",
            lambda conn, message, n=number: conn.send_message(answer(message, n)) and None,
        )
        assert describe(send_and_wait(client, method_call(None, "/s"))) == (None, [number])
    server.disconnect()
    client, served = pairs[0]
    assert client.get_is_connected() and served.get_is_connected()


def answer(message, value):
    reply = dbus.lowlevel.MethodReturnMessage(message)
    reply.append(value)
    return reply


def test_the_class_of_connections(folder):
    class Mine(dbus.connection.Connection):
        pass

    server = Listening(f"unix:tmpdir={folder}", Mine, DBusGMainLoop())
    client = dbus.connection.Connection(server.address, mainloop=DBusGMainLoop())
    try:
        run_until(lambda: server.added)
        assert type(server.added[0]) is Mine
    finally:
        server.disconnect()
        client.close()


def test_the_default_hooks_do_nothing(folder):
    server = dbus.server.Server(f"unix:tmpdir={folder}", mainloop=DBusGMainLoop())
    assert server.connection_added(None) is None
    assert server.connection_removed(None) is None
    server.disconnect()


def test_without_a_main_loop(folder):
    with pytest.raises(RuntimeError):
        dbus.server.Server(f"unix:tmpdir={folder}")


def test_wrong_arguments(folder):
    address = f"unix:tmpdir={folder}"
    loop = DBusGMainLoop()
    for wrong in ("", "foo", "bad:x=y"):
        with pytest.raises(DBusException):
            dbus.server.Server(wrong, mainloop=loop)
    with pytest.raises(TypeError):
        dbus.server.Server(5, mainloop=loop)
    with pytest.raises(TypeError):
        dbus.server.Server(address, mainloop=5)
    with pytest.raises(TypeError):
        dbus.server.Server(address, int, loop)
    with pytest.raises(TypeError):
        dbus.server.Server(address, mainloop=loop, foo=1)
    with pytest.raises(TypeError):
        dbus.server.Server()


def test_auth_mechanisms(folder):
    server = Listening(
        f"unix:tmpdir={folder}", mainloop=DBusGMainLoop(), auth_mechanisms=["EXTERNAL"]
    )
    client = dbus.connection.Connection(server.address, mainloop=DBusGMainLoop())
    try:
        run_until(lambda: server.added)
        reply = send_and_wait(client, method_call(None, "/", "org.freedesktop.DBus.Peer", "Ping"))
        assert describe(reply) == (None, [])
    finally:
        server.disconnect()
        client.close()


@pytest.mark.parametrize("wrong", [5, [5], ["EXTERNAL", None]])
def test_wrong_auth_mechanisms(folder, wrong):
    with pytest.raises(TypeError):
        dbus.server.Server(f"unix:tmpdir={folder}", mainloop=DBusGMainLoop(), auth_mechanisms=wrong)


def test_refused_authentication(folder):
    """A server that takes only a mechanism that no client has."""
    server = Listening(
        f"unix:tmpdir={folder}", mainloop=DBusGMainLoop(), auth_mechanisms=["NOSUCH"]
    )
    client = dbus.connection.Connection(server.address, mainloop=DBusGMainLoop())
    gone = Calls()
    client.call_on_disconnection(gone)
    try:
        client.send_message(method_call(None, "/", "org.freedesktop.DBus.Peer", "Ping"))
        gone.wait()
        assert client.get_is_connected() is False
        assert client.get_is_authenticated() is False
    finally:
        server.disconnect()


def test_file_descriptors_travel(connect):
    client, served = connect()
    seen = []
    served._register_object_path("/s", lambda _c, m: seen.append(m.get_args_list()[0]))
    # A descriptor may only be sent after authentication.
    send_and_wait(client, method_call(None, "/", "org.freedesktop.DBus.Peer", "Ping"))
    read, write = os.pipe()
    message = method_call(None, "/s")
    message.append(dbus.types.UnixFd(write), signature="h")
    client.send_message(message)
    run_until(lambda: seen)
    os.close(write)
    taken = seen[0].take()
    os.write(taken, b"through")
    os.close(taken)
    assert os.read(read, 100) == b"through"
    os.close(read)


def test_the_underlying_class():
    assert issubclass(dbus.server.Server, _dbus_bindings._Server)
    assert dbus.server.__all__ == ("Server",)


def test_a_server_is_weakly_referable(server):
    import weakref

    assert weakref.ref(server)() is server


def test_a_dropped_server_stops_listening(folder):
    server = dbus.server.Server(f"unix:tmpdir={folder}", mainloop=DBusGMainLoop())
    address = server.address
    server.disconnect()
    del server
    with pytest.raises(DBusException):
        dbus.connection.Connection(address)
