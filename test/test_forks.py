# SPDX-License-Identifier: MIT
"""The child of a fork: what its parent has connected is not its own, and the parent is unharmed."""

from __future__ import annotations

import asyncio
import gc
import os
import traceback

import pytest
from glibloop import run_pending, run_until

import dbus.bus
import dbus.connection
import dbus.service
from dbus.aio import DisconnectedError, Message, MessageBus
from dbus.lowlevel import MethodCallMessage, SignalMessage
from dbus.mainloop.asyncio import DBusAsyncioMainLoop
from dbus.mainloop.glib import DBusGMainLoop
from dbus.server import Server

BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
GET_ID = (*BUS, "GetId", "", ())
DISCONNECTED = "org.freedesktop.DBus.Error.Disconnected"


def in_child(function):
    """Call the function in the child of a fork, which must end well."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            function()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def refused(function, *args, **kwargs):
    with pytest.raises(dbus.DBusException, match="before a fork") as caught:
        function(*args, **kwargs)
    assert caught.value.get_dbus_name() == DISCONNECTED


USES = {
    "call": lambda conn: conn.call_blocking(*GET_ID),
    "asynchronous call": lambda conn: conn.call_async(*GET_ID, print, print),
    "message": lambda conn: conn.send_message(SignalMessage("/a", "a.b", "S")),
    "message with reply": lambda conn: conn.send_message_with_reply(
        MethodCallMessage(*BUS, "GetId"), print
    ),
    "message with reply, blocking": lambda conn: conn.send_message_with_reply_and_block(
        MethodCallMessage(*BUS, "GetId")
    ),
    "flush": lambda conn: conn.flush(),
    "unique name": lambda conn: conn.get_unique_name(),
    "new unique name": lambda conn: conn.set_unique_name(":9.9"),
    "descriptor": lambda conn: conn.get_unix_fd(),
    "user": lambda conn: conn.get_peer_unix_user(),
    "process": lambda conn: conn.get_peer_unix_process_id(),
    "anonymous": lambda conn: conn.set_allow_anonymous(True),
    "receiver": lambda conn: conn.add_signal_receiver(print, "S"),
    "name": lambda conn: conn.request_name("a.b"),
    "proxy": lambda conn: conn.get_object(*BUS[:2]).GetId(),
    "signal of an object": lambda conn: Emitter(conn, "/e").Said(),
}


class Emitter(dbus.service.Object):
    @dbus.service.signal("a.b")
    def Said(self):
        pass

    @dbus.service.method("a.b", out_signature="s")
    def Fork(self):
        """The child goes on with whatever called this."""
        self.pid = os.fork()
        return "child" if self.pid == 0 else "parent"


@pytest.mark.parametrize("use", USES)
def test_use_in_the_child_is_an_error(bus, use):
    conn = bus.connection(DBusGMainLoop())
    in_child(lambda: refused(USES[use], conn))
    assert len(conn.call_blocking(*GET_ID)) == 32


def test_the_child_sees_a_connection_that_is_closed(bus):
    conn = bus.connection()

    def look():
        assert not conn.get_is_connected()
        assert not conn.get_is_authenticated()
        conn.close()

    in_child(look)
    assert conn.get_is_connected()
    assert len(conn.call_blocking(*GET_ID)) == 32


def test_the_end_of_objects_in_the_child_is_nothing_to_the_parent(bus):
    """Names are not released, matches not removed, and what the parent waits for comes."""
    loop = DBusGMainLoop()
    conn = dbus.bus.BusConnection(bus.address, mainloop=loop)
    conn.set_exit_on_disconnect(False)
    held = {"name": dbus.service.BusName("com.example.Held", conn)}
    heard, replies = [], []
    match = conn.add_signal_receiver(lambda: heard.append(1), "Said", "a.b")
    pending = conn.send_message_with_reply(
        MethodCallMessage(conn.get_unique_name(), "/", "org.freedesktop.DBus.Peer", "Ping"),
        replies.append,
    )

    def end_all():
        nonlocal conn, match, pending, loop
        held.clear()
        match.remove()
        pending.cancel()
        conn = match = pending = loop = None
        gc.collect()
        run_pending()

    in_child(end_all)
    other = bus.connection()
    assert other.get_name_owner("com.example.Held") == conn.get_unique_name()
    other.send_message(SignalMessage("/a", "a.b", "Said"))
    run_until(lambda: heard and replies)
    assert (len(heard), len(replies)) == (1, 1)


def test_a_call_in_flight_cannot_be_awaited_in_the_child(bus):
    conn = bus.connection(DBusGMainLoop())
    pending = conn.send_message_with_reply(
        MethodCallMessage(conn.get_unique_name(), "/", "org.freedesktop.DBus.Peer", "Ping"), print
    )
    in_child(lambda: refused(pending.block))
    run_until(pending.get_completed)


def test_the_loop_of_the_child_takes_nothing_of_the_parents(bus):
    """Its messages stay in the socket, and its wake-ups in the eventfd."""
    conn = bus.connection(DBusGMainLoop())
    heard = []
    conn.add_signal_receiver(heard.append, "Said", "a.b")
    other = bus.connection()
    run_pending()
    conn.get_name_owner(BUS[0])
    for number in range(20):
        message = SignalMessage("/a", "a.b", "Said")
        message.append(number, signature="i")
        other.send_message(message)
    other.get_name_owner(BUS[0])

    def turn():
        for _ in range(50):
            run_pending()
        assert heard == []

    in_child(turn)
    run_until(lambda: len(heard) == 20)
    assert heard == list(range(20))


def test_the_child_makes_connections_of_its_own(bus):
    mine = bus.connection()

    def call():
        conn = dbus.bus.BusConnection(bus.address, mainloop=DBusGMainLoop())
        conn.set_exit_on_disconnect(False)
        answers = []
        conn.call_async(*GET_ID, answers.append, answers.append)
        run_until(lambda: answers)
        assert answers == [conn.call_blocking(*GET_ID)]

    in_child(call)
    assert len(mine.call_blocking(*GET_ID)) == 32


def test_a_shared_bus_is_made_anew_in_the_child(bus, run_snippet):
    result = run_snippet(
        """
import os, dbus
mine = dbus.SessionBus()
pid = os.fork()
other = dbus.SessionBus()
print(other is mine, len(other.list_names()), flush=True)
if pid:
    os.waitpid(pid, 0)
    print(len(mine.list_names()))
""",
        env=bus.environ(),
    )
    assert sorted(result.stdout.splitlines())[:1] == ["2"], result
    assert "False 3" in result.stdout and "True " in result.stdout, result


def test_a_handler_that_forks_answers_once(bus):
    """The child comes out of the handler too: it is the parent that answers."""
    loop = DBusGMainLoop()
    conn, caller = bus.connection(loop), bus.connection(loop)
    service = Emitter(conn, "/e")
    answers = []
    for _ in range(2):
        caller.call_async(
            conn.get_unique_name(), "/e", "a.b", "Fork", "", (), answers.append, answers.append
        )
    parent = os.getpid()
    try:
        run_until(lambda: service.__dict__.get("pid") == 0 or len(answers) == 2)
    finally:
        if os.getpid() != parent:
            run_pending()
            os._exit(0)
    os.wait()
    os.wait()
    assert answers == ["parent", "parent"]


def test_a_server_of_the_parents(tmp_path):
    loop = DBusGMainLoop()
    server = Server(f"unix:path={tmp_path}/s", mainloop=loop)

    def end():
        nonlocal server
        assert not server.get_is_connected()
        refused(server.get_address)
        refused(server.get_id)
        server.disconnect()
        server = None
        gc.collect()
        run_pending()

    in_child(end)
    added = []
    server.on_connection_added.append(added.append)
    client = dbus.connection.Connection(server.address, mainloop=loop)
    run_until(lambda: added)
    assert client.get_is_connected()


def test_dbus_aio_in_the_child(bus):
    async def main():
        mine = await MessageBus(bus.address).connect()
        call = Message(*BUS, "GetId")

        def use():
            assert not mine.connected
            with pytest.raises(DisconnectedError):
                mine.call(call).send(None)

            async def own():
                async with MessageBus(bus.address) as other:
                    assert len((await other.call(call)).body[0]) == 32

            asyncio.events._set_running_loop(None)
            asyncio.new_event_loop().run_until_complete(own())

        in_child(use)
        assert len((await mine.call(call)).body[0]) == 32
        mine.disconnect()
        await mine.wait_for_disconnect()

    asyncio.run(main())


def test_the_source_of_an_asyncio_loop_in_the_child(bus):
    """Its epoll instance and timer are the parent's too: the child does not touch them."""

    async def main():
        conn = bus.connection(DBusAsyncioMainLoop())
        answers = []
        conn.call_async(*GET_ID, answers.append, answers.append)

        def end():
            nonlocal conn
            conn.close()
            conn = None
            gc.collect()

        in_child(end)
        while not answers:
            await asyncio.sleep(0.001)
        conn.call_async(*GET_ID, answers.append, answers.append)
        while len(answers) < 2:
            await asyncio.sleep(0.001)
        conn.close()

    asyncio.run(asyncio.wait_for(main(), 20))
