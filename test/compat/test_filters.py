# SPDX-License-Identifier: MIT
"""Message filters: what they see, their order, what their result does."""

import pytest
from peers import (
    BUS,
    ERROR,
    PEER,
    Calls,
    attach,
    barrier,
    bus_call,
    call,
    method_call,
    needs_gi,
    run_until,
    send_and_wait,
    serve,
)

import dbus.lowlevel
from dbus.lowlevel import HANDLER_RESULT_HANDLED, HANDLER_RESULT_NOT_YET_HANDLED


@pytest.fixture
def server(bus):
    conn = attach(bus)
    barrier(conn)  # NameAcquired is through
    return conn


def test_a_filter_gets_connection_and_message(server, client):
    seen = []

    def look(connection, message):
        seen.append((connection is server, type(message), message.get_member()))
        return HANDLER_RESULT_NOT_YET_HANDLED

    server.add_message_filter(look)
    call(client, server, "/", "M")
    assert seen == [(True, dbus.lowlevel.MethodCallMessage, "M")]


def test_filters_run_in_order_and_as_often_as_added(server, client):
    seen = []

    def one(_connection, _message):
        seen.append(1)
        return HANDLER_RESULT_NOT_YET_HANDLED

    def two(_connection, _message):
        seen.append(2)
        return HANDLER_RESULT_NOT_YET_HANDLED

    for filter_ in (one, two, one, one):
        assert server.add_message_filter(filter_) is None
    call(client, server, "/", "M")
    assert seen == [1, 2, 1, 1]
    del seen[:]
    server.remove_message_filter(one)
    call(client, server, "/", "M")
    assert seen == [1, 2, 1]  # the one added last is gone
    server.remove_message_filter(one)
    server.remove_message_filter(one)
    server.remove_message_filter(two)
    del seen[:]
    call(client, server, "/", "M")
    assert seen == []


def test_removing_what_was_not_added(server):
    with pytest.raises(ValueError):
        server.remove_message_filter(print)
    server.add_message_filter(print)
    server.remove_message_filter(print)
    with pytest.raises(ValueError):
        server.remove_message_filter(print)


def test_removing_an_equal_filter(run_snippet, bus, differs):
    """Bound methods are equal, not identical; a filter is found by equality."""
    code = """
import sys, dbus.bus
class Thing:
    def look(self, connection, message):
        return 1
conn = dbus.bus.BusConnection(sys.argv[1])
conn.set_exit_on_disconnect(False)
thing = Thing()
conn.add_message_filter(thing.look)
conn.remove_message_filter(thing.look)
try:
    conn.remove_message_filter(thing.look)
except ValueError:
    print('removed')
"""
    result = run_snippet(code, bus.address)
    killed = differs(
        ours=False, reference=True, why="removing an equal message filter kills the process"
    )
    assert result.killed is killed, result
    assert killed or result.stdout == "removed\n"


def test_a_filter_added_by_a_filter_starts_with_the_next_message(server, client):
    seen = []

    def late(_connection, message):
        seen.append(("late", message.get_member()))
        return HANDLER_RESULT_NOT_YET_HANDLED

    def adds(connection, message):
        seen.append(("adds", message.get_member()))
        connection.add_message_filter(late)
        connection.remove_message_filter(adds)
        return HANDLER_RESULT_NOT_YET_HANDLED

    server.add_message_filter(adds)
    call(client, server, "/", "One")
    call(client, server, "/", "Two")
    assert seen == [("adds", "One"), ("late", "Two")]


def test_filters_come_before_object_paths(server, client):
    order = []
    serve(server, "/s", M=lambda _m: order.append("path") or ())

    def look(_connection, _message):
        order.append("filter")
        return HANDLER_RESULT_NOT_YET_HANDLED

    server.add_message_filter(look)
    assert call(client, server, "/s", "M") == (None, [])
    assert order == ["filter", "path"]


@pytest.mark.parametrize(
    ("result", "handled"),
    [
        (HANDLER_RESULT_HANDLED, True),
        (None, True),
        (False, True),
        (HANDLER_RESULT_NOT_YET_HANDLED, False),
        (True, False),
        (NotImplemented, False),
    ],
)
def test_results(server, client, result, handled):
    later = []
    reached = serve(server, "/s", M=lambda _m: ())

    def second(_connection, message):
        later.append(message.get_member())
        return HANDLER_RESULT_NOT_YET_HANDLED

    server.add_message_filter(lambda _c, _m: result)
    server.add_message_filter(second)
    message = method_call(server.get_unique_name(), "/s")
    reply = send_and_wait(client, message, 0.1 if handled else 5)
    if handled:
        assert reply.get_error_name() == ERROR + "NoReply"
        assert (later, reached) == ([], [])
    else:
        assert reply.get_args_list() == []
        assert later == ["M"]
        assert len(reached) == 1


MISBEHAVING = """
import sys, dbus.bus, dbus.lowlevel
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
conn = dbus.bus.BusConnection(sys.argv[1], mainloop=DBusGMainLoop())
def misbehave(connection, message):
    if message.get_member() == 'M':
        {}
    return 1
conn.add_message_filter(misbehave)
sys.excepthook = lambda kind, value, traceback: print('hook', kind.__name__)
replies = []
message = dbus.lowlevel.MethodCallMessage(conn.get_unique_name(), '/', 'a.b', 'M')
conn.send_message_with_reply(message, replies.append, 5)
while not replies:
    try:
        GLib.MainContext.default().iteration(True)
    except SystemError as error:
        print('escaped', type(error.__cause__).__name__)
print(replies[0].get_error_name())
"""


@pytest.mark.parametrize(
    ("deed", "error"),
    [
        ("return 'x'", "TypeError"),
        ("return 1.5", "TypeError"),
        ("return 3", "ValueError"),
        ("return -1", "ValueError"),
        ("raise RuntimeError('boo')", "RuntimeError"),
    ],
)
@needs_gi
def test_a_filter_that_misbehaves(run_snippet, bus, differs, deed, error):
    expected = differs(
        ours="hook",
        reference="escaped",
        why="a filter's exception is reported, not left behind in the loop",
    )
    result = run_snippet(MISBEHAVING.format(deed), bus.address)
    assert result.stdout.split() == [expected, error, ERROR + "UnknownMethod"], result


def test_filters_see_replies_that_nobody_waits_for(client):
    seen = []

    def look(_connection, message):
        seen.append((type(message), message.get_reply_serial()))
        return HANDLER_RESULT_NOT_YET_HANDLED

    barrier(client)
    client.add_message_filter(look)
    serial = client.send_message(bus_call())
    run_until(lambda: seen)
    assert seen[0] == (dbus.lowlevel.MethodReturnMessage, serial)


def test_filters_do_not_see_replies_that_somebody_waits_for(client):
    barrier(client)
    seen = Calls()
    client.add_message_filter(seen)
    replies = Calls()
    client.send_message_with_reply(bus_call(), replies)
    replies.wait()
    client.send_message_with_reply_and_block(bus_call())
    assert seen == []


def test_filters_do_not_see_calls_to_peer(server, client):
    seen = Calls()
    server.add_message_filter(seen)
    assert call(client, server, "/", "Ping", interface=PEER) == (None, [])
    assert seen == []


def test_the_first_signal_is_name_acquired(bus):
    conn = attach(bus)
    seen = []
    conn.add_message_filter(lambda _c, m: seen.append(m) or 1)
    barrier(conn)
    assert [m.get_member() for m in seen] == ["NameAcquired"]
    assert seen[0].get_args_list() == [conn.get_unique_name()]
    assert seen[0].get_sender() == BUS


def test_a_filter_may_answer(server, client):
    def answer(connection, message):
        if message.get_member() != "M":
            return HANDLER_RESULT_NOT_YET_HANDLED
        reply = dbus.lowlevel.MethodReturnMessage(message)
        reply.append("filtered")
        connection.send_message(reply)
        return HANDLER_RESULT_HANDLED

    server.add_message_filter(answer)
    assert call(client, server, "/any", "M") == (None, ["filtered"])


def test_a_filter_may_close_the_connection(server, client):
    done = []

    def close(connection, _message):
        connection.close()
        done.append(True)
        return HANDLER_RESULT_NOT_YET_HANDLED

    server.add_message_filter(close)
    client.send_message(method_call(server.get_unique_name(), "/"))
    run_until(lambda: done)
    barrier(client)
    assert not server.get_is_connected()


def test_the_last_message_is_the_local_disconnected(server):
    seen = []
    server.add_message_filter(lambda _c, m: seen.append(m) or 1)
    server.close()
    run_until(lambda: seen)
    (message,) = seen
    assert type(message) is dbus.lowlevel.SignalMessage
    assert message.get_member() == "Disconnected"
    assert message.get_interface() == "org.freedesktop.DBus.Local"
    assert message.get_path() == "/org/freedesktop/DBus/Local"


def test_a_filter_that_eavesdrops(bus, server, client):
    """What notification loggers do: a match string with eavesdrop, and a filter."""
    spy = attach(bus)
    seen = []

    def look(_connection, message):
        if message.get_member() == "Secret":
            seen.append((type(message).__name__, message.get_destination()))
            return HANDLER_RESULT_HANDLED
        return HANDLER_RESULT_NOT_YET_HANDLED

    spy.add_match_string_non_blocking("eavesdrop=true,type='method_call',member='Secret'")
    spy.add_message_filter(look)
    barrier(spy)
    serve(server, "/s", Secret=lambda _m: ())
    assert call(client, server, "/s", "Secret") == (None, [])
    run_until(lambda: seen)
    assert seen == [("MethodCallMessage", server.get_unique_name())]
