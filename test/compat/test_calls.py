# SPDX-License-Identifier: MIT
"""Connection.call_blocking and call_async, without proxies."""

import logging

import pytest
from peers import (
    BUS,
    BUS_PATH,
    ERROR,
    NO_REPLY_TEXT,
    Calls,
    barrier,
    hooked,
    run_until,
    serve,
)

import dbus
from dbus.exceptions import DBusException


def ask_bus(conn, method, signature="", args=(), **keywords):
    return conn.call_blocking(BUS, BUS_PATH, BUS, method, signature, args, **keywords)


# -- blocking -------------------------------------------------------------------------------------


def test_one_result_is_returned_bare(conn):
    result = ask_bus(conn, "GetId")
    assert type(result) is dbus.String
    assert len(result) == 32


def test_no_result_is_none(conn):
    assert ask_bus(conn, "AddMatch", "s", ("type='signal'",)) is None


def test_a_container_result(conn):
    names = ask_bus(conn, "ListNames")
    assert type(names) is dbus.Array
    assert names.signature == "s"
    assert BUS in names


def test_the_signature_may_be_guessed(conn):
    assert ask_bus(conn, "NameHasOwner", None, ("a.b",)) == 0


@pytest.mark.parametrize("args", [("a.b",), ["a.b"], "x"])
def test_args_is_any_sequence(conn, args):
    assert not ask_bus(conn, "NameHasOwner", "s", args)


@pytest.mark.parametrize(
    ("signature", "args"), [("i", ("a.b",)), ("s", ()), ("s", ("a", "b")), ("s", (5,))]
)
def test_arguments_that_do_not_fit(conn, caplog, signature, args):
    with caplog.at_level(logging.ERROR):
        with pytest.raises(TypeError):
            ask_bus(conn, "NameHasOwner", signature, args)
    (record,) = caplog.records
    assert record.name == "dbus.connection"
    text = record.getMessage()
    assert repr(args) in text
    assert f"'{signature}'" in text
    assert "TypeError" in text


@pytest.mark.parametrize("signature", ["(", "z", "a", "a{vs}"])
def test_an_invalid_signature(conn, signature):
    with pytest.raises(ValueError):
        ask_bus(conn, "NameHasOwner", signature, ("x",))


@pytest.mark.parametrize(
    ("position", "value"),
    [(0, "org"), (0, "a..b"), (1, "x"), (1, "/a/"), (2, "x"), (2, "a.1"), (3, "a-b"), (3, "")],
)
def test_invalid_names(conn, position, value):
    where = [BUS, BUS_PATH, BUS, "GetId"]
    where[position] = value
    with pytest.raises(ValueError):
        conn.call_blocking(*where, "", ())
    with pytest.raises(ValueError):
        conn.call_async(*where, "", (), None, None)


@pytest.mark.parametrize("position", [1, 3])
def test_path_and_member_are_required(conn, position):
    where = [BUS, BUS_PATH, BUS, "GetId"]
    where[position] = None
    with pytest.raises(TypeError):
        conn.call_blocking(*where, "", ())


def test_the_interface_may_be_left_out(conn):
    assert len(conn.call_blocking(BUS, BUS_PATH, None, "GetId", "", ())) == 32


def test_without_destination_the_bus_answers(conn):
    with pytest.raises(DBusException) as caught:
        conn.call_blocking(None, "/x", "a.b", "M", "", ())
    assert caught.value.get_dbus_name() == ERROR + "UnknownMethod"


@pytest.mark.parametrize(
    ("path", "interface", "what"),
    [
        ("/org/freedesktop/DBus/Local", "a.b", "path /org/freedesktop/DBus/Local"),
        ("/", "org.freedesktop.DBus.Local", "interface org.freedesktop.DBus.Local"),
    ],
)
def test_reserved_names(conn, path, interface, what):
    text = f"Methods may not be called on the reserved {what}"
    with pytest.raises(DBusException) as caught:
        conn.call_blocking("a.b", path, interface, "M", "", ())
    assert (caught.value.get_dbus_name(), str(caught.value)) == (None, text)
    with pytest.raises(DBusException) as caught:
        conn.call_async("a.b", path, interface, "M", "", (), None, None)
    assert (caught.value.get_dbus_name(), str(caught.value)) == (None, text)


def test_an_error_is_raised(conn):
    with pytest.raises(DBusException) as caught:
        ask_bus(conn, "GetNameOwner", "s", ("a.b",))
    error = caught.value
    text = "Could not get owner of name 'a.b': no such name"
    assert type(error) is DBusException
    assert error.args == (text,)
    assert error.get_dbus_name() == ERROR + "NameHasNoOwner"
    assert error.get_dbus_message() == text
    assert str(error) == f"{ERROR}NameHasNoOwner: {text}"


def test_a_timeout(server, conn):
    serve(server, Hold=lambda _m: None)
    with pytest.raises(DBusException) as caught:
        name = server.get_unique_name()
        conn.call_blocking(name, "/s", "test.I", "Hold", "", (), timeout=0.05)
    assert caught.value.get_dbus_name() == ERROR + "NoReply"
    assert caught.value.get_dbus_message() == NO_REPLY_TEXT


def test_a_destination_that_does_not_exist(conn):
    with pytest.raises(DBusException) as caught:
        conn.call_blocking("does.not.exist", "/", "a.b", "M", "", ())
    assert caught.value.get_dbus_name() == ERROR + "ServiceUnknown"


def test_utf8_strings_is_gone(conn):
    with pytest.raises(TypeError, match="utf8_strings"):
        ask_bus(conn, "GetId", utf8_strings=True)


# -- asynchronous ---------------------------------------------------------------------------------


def async_bus(conn, method, signature, args, reply, error, **keywords):
    return conn.call_async(BUS, BUS_PATH, BUS, method, signature, args, reply, error, **keywords)


def test_results_are_positional_arguments(server, client):
    serve(server, Pair=lambda _m: ("a", 1), Nothing=lambda _m: ())
    got, bad = Calls(), Calls()
    for member in ("Pair", "Nothing"):
        client.call_async(server.get_unique_name(), "/s", "test.I", member, "", (), got, bad)
    assert got.wait(2).args == [("a", 1), ()]
    assert bad == []


def test_an_error_is_an_exception_instance(client):
    got, bad = Calls(), Calls()
    pending = async_bus(client, "GetNameOwner", "s", ("a.b",), got, bad)
    assert type(pending) is dbus.lowlevel.PendingCall
    ((error,),) = bad.wait().args
    assert type(error) is DBusException
    assert error.get_dbus_name() == ERROR + "NameHasNoOwner"
    assert error.args == ("Could not get owner of name 'a.b': no such name",)
    assert got == []


def test_an_error_without_text(server, client):
    def fail(message):
        server.send_message(dbus.lowlevel.ErrorMessage(message, "x.y.Z", None))

    serve(server, Fail=fail)
    bad = Calls()
    client.call_async(server.get_unique_name(), "/s", "test.I", "Fail", "", (), print, bad)
    ((error,),) = bad.wait().args
    assert error.args == ()
    assert str(error) == "x.y.Z: "
    assert error.get_dbus_message() == ""


def test_an_error_with_several_arguments(server, client):
    def fail(message):
        reply = dbus.lowlevel.ErrorMessage(message, "x.y.Z", "one")
        reply.append("two", 3)
        server.send_message(reply)

    serve(server, Fail=fail)
    bad = Calls()
    client.call_async(server.get_unique_name(), "/s", "test.I", "Fail", "", (), print, bad)
    ((error,),) = bad.wait().args
    assert error.args == ("one", "two", 3)
    assert "one" in str(error) and "two" in str(error)
    assert error.get_dbus_message() == str(error.args)


def test_a_timeout_is_an_error(server, client):
    serve(server, Hold=lambda _m: None)
    bad = Calls()
    name = server.get_unique_name()
    client.call_async(name, "/s", "test.I", "Hold", "", (), print, bad, timeout=0.01)
    ((error,),) = bad.wait().args
    assert error.get_dbus_name() == ERROR + "NoReply"


def test_one_handler_is_enough(client):
    got, bad = Calls(), Calls()
    assert async_bus(client, "GetId", "", (), got, None) is not None
    assert async_bus(client, "GetNameOwner", "s", ("a.b",), None, bad) is not None
    async_bus(client, "GetNameOwner", "s", ("a.b",), got, None)
    async_bus(client, "GetId", "", (), None, bad)
    barrier(client)
    assert (len(got), len(bad)) == (1, 1)


def test_no_handler_means_no_pending_call(client):
    assert async_bus(client, "GetId", "", (), None, None) is None


@pytest.mark.since("1.4.0", "call_async without handlers sets NO_REPLY")
def test_no_handler_sets_no_reply(server, client):
    seen = serve(server, Hold=lambda _m: None)
    client.call_async(server.get_unique_name(), "/s", "test.I", "Hold", "", (), None, None)
    client.call_async(server.get_unique_name(), "/s", "test.I", "Hold", "", (), print, None)
    client.call_async(server.get_unique_name(), "/s", "test.I", "Hold", "", (), None, print)
    run_until(lambda: len(seen) == 3)
    assert [m.get_no_reply() for m in seen] == [True, False, False]


def test_a_call_can_be_cancelled(client):
    got, bad = Calls(), Calls()
    async_bus(client, "GetId", "", (), got, bad).cancel()
    barrier(client)
    assert (got, bad) == ([], [])


def test_arguments_that_do_not_fit_raise_at_once(client, caplog):
    with pytest.raises(TypeError):
        async_bus(client, "NameHasOwner", "i", ("x",), print, print)
    assert [record.name for record in caplog.records] == ["dbus.connection"]


def test_a_handler_that_raises_does_not_stop_others(client):
    def bad(_result):
        raise RuntimeError("boo")

    got = Calls()
    with hooked() as caught:
        async_bus(client, "GetId", "", (), bad, print)
        async_bus(client, "GetId", "", (), got, print)
        got.wait()
    assert [str(one) for one in caught] == ["boo"]


def test_byte_arrays(server, client):
    serve(server, Get=lambda _m: (dbus.ByteArray(b"ab"),))
    name = server.get_unique_name()
    got = Calls()
    client.call_async(name, "/s", "test.I", "Get", "", (), got, print)
    client.call_async(name, "/s", "test.I", "Get", "", (), got, print, byte_arrays=True)
    first, second = got.wait(2).firsts
    assert type(first) is dbus.Array
    assert first == [97, 98]
    assert {type(item) for item in first} == {dbus.Byte}
    assert type(second) is dbus.ByteArray
    assert second == b"ab"


def test_order_of_calls_and_replies(server, client):
    order = []
    serve(server, N=lambda m: order.append(m.get_args_list()[0]) or tuple(m.get_args_list()))
    got = Calls()
    name = server.get_unique_name()
    for number in range(200):
        client.call_async(name, "/s", "test.I", "N", "i", (number,), got, print)
    got.wait(200)
    assert order == list(range(200))
    assert got.firsts == list(range(200))


def test_a_blocking_call_inside_a_reply_handler(client):
    got = []

    def handler(_identifier):
        got.append(ask_bus(client, "NameHasOwner", "s", (BUS,)))
        async_bus(client, "GetId", "", (), lambda _i: got.append("second"), print)

    async_bus(client, "GetId", "", (), handler, print)
    run_until(lambda: len(got) == 2)
    assert got == [1, "second"]


def test_a_call_to_oneself_needs_the_loop(client):
    serve(client, M=lambda m: tuple(m.get_args_list()))
    name = client.get_unique_name()
    got = Calls()
    client.call_async(name, "/s", "test.I", "M", "i", (5,), got, print)
    assert got.wait().args == [(5,)]
    with pytest.raises(DBusException) as caught:
        client.call_blocking(name, "/s", "test.I", "M", "i", (5,), timeout=0.05)
    assert caught.value.get_dbus_name() == ERROR + "NoReply"
