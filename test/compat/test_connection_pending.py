# SPDX-License-Identifier: MIT
"""Calls in flight on a connection: reply handlers, PendingCall, time-outs, blocking."""

import time

import pytest
from peers import (
    BUS,
    BUS_PATH,
    ERROR,
    NO_REPLY_TEXT,
    Calls,
    barrier,
    bus_call,
    describe,
    hooked,
    is_error,
    method_call,
    needs_gi,
    run_until,
    serve,
)

import dbus.lowlevel
from dbus.exceptions import DBusException

NO_REPLY = (ERROR + "NoReply", [NO_REPLY_TEXT])
LONGEST = 2147483  # seconds: what fits into an int of milliseconds


def to(server, member, *args):
    return method_call(server.get_unique_name(), "/s", "test.I", member, args)


def test_the_reply_handler_gets_the_reply(server, client):
    serve(server, Echo=lambda m: m.get_args_list())
    got = Calls()
    request = to(server, "Echo", "hi")
    pending = client.send_message_with_reply(request, got)
    assert type(pending) is dbus.lowlevel.PendingCall
    assert pending.get_completed() is False
    got.wait()
    assert pending.get_completed() is True
    ((reply,),) = got.args
    assert type(reply) is dbus.lowlevel.MethodReturnMessage
    assert reply.get_args_list() == ["hi"]
    assert reply.get_reply_serial() == request.get_serial()
    assert reply.get_sender() == server.get_unique_name()
    barrier(client)
    assert len(got) == 1


def test_the_reply_handler_gets_errors_too(server, client):
    got = Calls()
    client.send_message_with_reply(to(server, "Nope"), got)
    (reply,) = got.wait().firsts
    assert type(reply) is dbus.lowlevel.ErrorMessage
    assert reply.get_error_name() == ERROR + "UnknownMethod"


def test_replies_are_matched_by_serial_not_by_order(server, client):
    held = []
    serve(server, Hold=held.append)
    got = []
    for number in range(3):
        client.send_message_with_reply(
            to(server, "Hold", number), lambda reply, n=number: got.append((n, reply))
        )
    run_until(lambda: len(held) == 3)
    for message in reversed(held):
        reply = dbus.lowlevel.MethodReturnMessage(message)
        reply.append(*message.get_args_list())
        server.send_message(reply)
    run_until(lambda: len(got) == 3)
    assert [(n, reply.get_args_list()) for n, reply in got] == [(2, [2]), (1, [1]), (0, [0])]


def test_a_dropped_pending_call_still_calls_its_handler(client):
    got = Calls()
    pending = client.send_message_with_reply(bus_call(), got)
    del pending
    got.wait()


def test_a_pending_call_cannot_be_made_or_subclassed():
    with pytest.raises(TypeError):
        dbus.lowlevel.PendingCall()
    with pytest.raises(TypeError):
        type("Mine", (dbus.lowlevel.PendingCall,), {})


# -- cancel ---------------------------------------------------------------------------------------


def test_a_cancelled_call_has_no_reply(client):
    got = Calls()
    pending = client.send_message_with_reply(bus_call(), got)
    assert pending.cancel() is None
    barrier(client)
    assert got == []
    assert pending.get_completed() is False
    assert pending.cancel() is None


def test_cancel_after_the_reply(client):
    got = Calls()
    pending = client.send_message_with_reply(bus_call(), got)
    got.wait()
    pending.cancel()
    barrier(client)
    assert len(got) == 1
    assert pending.get_completed() is True


def test_a_handler_may_cancel_its_own_and_other_calls(client):
    calls = []
    got = []

    def first(reply):
        got.append("first")
        for pending in calls:
            pending.cancel()

    calls.append(client.send_message_with_reply(bus_call(), first))
    calls.append(client.send_message_with_reply(bus_call(), lambda _r: got.append("second")))
    run_until(lambda: got)
    barrier(client)
    assert got == ["first"]


# -- block ----------------------------------------------------------------------------------------


def test_block_runs_the_handler_before_it_returns(client):
    got = Calls()
    pending = client.send_message_with_reply(bus_call(), got)
    assert pending.block() is None
    assert len(got) == 1
    assert pending.get_completed() is True
    pending.block()
    barrier(client)
    assert len(got) == 1


def test_block_leaves_other_messages_to_the_loop(server, client):
    seen = serve(client, "/client", Note=lambda _m: ())
    got = Calls()
    for _ in range(3):
        server.send_message(method_call(client.get_unique_name(), "/client", "test.I", "Note"))
    server.send_message_with_reply_and_block(bus_call())
    client.send_message_with_reply(bus_call(), got).block()
    assert len(got) == 1
    assert seen == []
    run_until(lambda: len(seen) == 3)


def test_block_until_the_timeout(server, client):
    serve(server, Hold=lambda _m: None)
    got = Calls()
    begin = time.monotonic()
    pending = client.send_message_with_reply(to(server, "Hold"), got, timeout_s=0.1)
    pending.block()
    assert 0.09 < time.monotonic() - begin < 5
    assert [describe(reply) for reply in got.firsts] == [NO_REPLY]


def test_block_with_a_handler_that_raises(client):
    def handler(_reply):
        raise RuntimeError("boo")

    with hooked() as caught:
        assert client.send_message_with_reply(bus_call(), handler).block() is None
    assert [str(one) for one in caught] == ["boo"]


# -- handlers that misbehave ----------------------------------------------------------------------


def test_a_reply_handler_that_raises(client):
    def handler(_reply):
        raise RuntimeError("boo")

    with hooked() as caught:
        client.send_message_with_reply(bus_call(), handler)
        run_until(lambda: caught)
        barrier(client)
    assert [str(one) for one in caught] == ["boo"]


@pytest.mark.parametrize("handler", [5, "x"])
def test_a_reply_handler_that_cannot_be_called(client, differs, handler):
    """The reference finds out with the reply."""
    at_once = differs(ours=True, reference=False, why="a handler must be callable, or is refused")
    if at_once:
        with pytest.raises(TypeError):
            client.send_message_with_reply(bus_call(), handler)
        return
    with hooked() as caught:
        client.send_message_with_reply(bus_call(), handler)
        barrier(client)
    assert [type(one) for one in caught] == [TypeError]


def test_no_reply_handler(client):
    with hooked() as caught:
        pending = client.send_message_with_reply(bus_call(), None)
        barrier(client)
    assert caught == []
    assert pending.get_completed() is True


@needs_gi
def test_sys_exit_in_a_reply_handler_ends_the_process(run_snippet, bus):
    code = """
import sys, dbus, dbus.bus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
conn = dbus.bus.BusConnection(sys.argv[1], mainloop=DBusGMainLoop())
conn.call_async('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'GetId',
                '', (), lambda _id: sys.exit(7), print)
loop = GLib.MainLoop()
GLib.timeout_add(10000, loop.quit)
loop.run()
print('too late')
"""
    result = run_snippet(code, bus.address)
    assert (result.returncode, result.stdout) == (7, ""), result


# -- time-outs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0, 0.0001, 0.05])
def test_short_timeouts(server, client, timeout):
    serve(server, Hold=lambda _m: None)
    got = Calls()
    client.send_message_with_reply(to(server, "Hold"), got, timeout)
    assert [describe(reply) for reply in got.wait().firsts] == [NO_REPLY]
    with pytest.raises(DBusException) as caught:
        client.send_message_with_reply_and_block(to(server, "Hold"), timeout)
    assert caught.value.get_dbus_name() == NO_REPLY[0]
    assert caught.value.get_dbus_message() == NO_REPLY_TEXT


def test_a_late_reply_is_dropped(server, client):
    held = []
    serve(server, Hold=held.append)
    got = Calls()
    client.send_message_with_reply(to(server, "Hold"), got, 0.01)
    got.wait()
    run_until(lambda: held)
    server.send_message(dbus.lowlevel.MethodReturnMessage(held[0]))
    barrier(server, client)
    assert len(got) == 1


@pytest.mark.parametrize("timeout", [-1, -1.0, 5, 1e6, LONGEST - 1, True])
def test_long_timeouts(client, timeout):
    got = Calls()
    client.send_message_with_reply(bus_call(), got, timeout)
    assert is_error(got.wait().firsts[0]) is None
    assert is_error(client.send_message_with_reply_and_block(bus_call(), timeout)) is None


@pytest.mark.parametrize("timeout", [LONGEST + 1, 4294967, 1e10, 1e300, float("inf")])
def test_too_long_timeouts(client, timeout):
    for attempt in (
        lambda: client.send_message_with_reply(bus_call(), print, timeout),
        lambda: client.send_message_with_reply_and_block(bus_call(), timeout),
        lambda: client.call_blocking(BUS, BUS_PATH, BUS, "GetId", "", (), timeout=timeout),
    ):
        with pytest.raises(ValueError, match="Timeout too long"):
            attempt()


@pytest.mark.parametrize("timeout", ["x", "1", None, [], 1j])
def test_timeouts_of_the_wrong_type(client, timeout):
    for attempt in (
        lambda: client.send_message_with_reply(bus_call(), print, timeout),
        lambda: client.send_message_with_reply_and_block(bus_call(), timeout),
        lambda: client.call_blocking(BUS, BUS_PATH, BUS, "GetId", "", (), timeout=timeout),
    ):
        with pytest.raises(TypeError):
            attempt()


@pytest.mark.parametrize("timeout", [-5, -1e10, float("nan"), float("-inf")])
def test_negative_timeouts_never_abort(run_snippet, bus, differs, timeout):
    code = f"""
import sys, dbus.bus, dbus.lowlevel
conn = dbus.bus.BusConnection(sys.argv[1])
conn.set_exit_on_disconnect(False)
message = dbus.lowlevel.MethodCallMessage(
    'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'GetId')
try:
    conn.send_message_with_reply_and_block(message, float('{timeout}'))
except Exception as error:
    print(type(error).__name__)
else:
    print('reply')
print(bool(conn.list_names()))
"""
    result = run_snippet(code, bus.address)
    killed = differs(
        ours=False, reference=timeout != float("-inf"), why="a negative time-out kills the process"
    )
    if killed:
        assert result.killed or result.stdout.endswith("True\n"), result
    else:
        assert not result.killed, result
        assert result.stdout.endswith("True\n"), result


# -- odd messages ---------------------------------------------------------------------------------


def test_waiting_for_the_reply_to_a_signal(client):
    got = Calls()
    signal = dbus.lowlevel.SignalMessage("/a", "test.I", "S")
    client.send_message_with_reply(signal, got, 0.05)
    assert [describe(reply) for reply in got.wait().firsts] == [NO_REPLY]


def test_waiting_for_a_reply_that_was_not_wanted(server, client):
    serve(server, Hold=lambda _m: None)
    message = to(server, "Hold")
    message.set_no_reply(True)
    got = Calls()
    client.send_message_with_reply(message, got, 0.05)
    assert [describe(reply) for reply in got.wait().firsts] == [NO_REPLY]


def test_one_message_sent_twice_keeps_its_serial(server, client):
    seen = serve(server)
    message = dbus.lowlevel.SignalMessage("/s", "test.I", "S")
    message.set_destination(server.get_unique_name())
    first = client.send_message(message)
    assert client.send_message(message) == first
    run_until(lambda: len(seen) == 2)
    assert [m.get_serial() for m in seen] == [first, first]


# -- blocking -------------------------------------------------------------------------------------


def test_blocking_returns_the_reply_message(client):
    reply = client.send_message_with_reply_and_block(bus_call())
    assert type(reply) is dbus.lowlevel.MethodReturnMessage
    assert len(reply.get_args_list()[0]) == 32


def test_blocking_raises_the_error(client):
    with pytest.raises(DBusException) as caught:
        client.send_message_with_reply_and_block(bus_call("GetNameOwner", "a.b"))
    assert type(caught.value) is DBusException
    assert caught.value.get_dbus_name() == ERROR + "NameHasNoOwner"
    assert caught.value.args == ("Could not get owner of name 'a.b': no such name",)
    assert caught.value.get_dbus_message() == "Could not get owner of name 'a.b': no such name"


def test_a_thousand_calls_in_flight(client):
    got = Calls()
    for _ in range(1000):
        client.send_message_with_reply(bus_call(), got)
    got.wait(1000)
    assert all(is_error(reply) is None for reply in got.firsts)
    serials = [reply.get_reply_serial() for reply in got.firsts]
    assert serials == sorted(serials)
    assert len(set(serials)) == 1000
