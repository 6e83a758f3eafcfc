# SPDX-License-Identifier: MIT
"""One connection: how it is made, what it says about itself, how it behaves once closed."""

import gc
import socket
import weakref

import pytest
from peers import (
    BUS,
    BUS_PATH,
    ERROR,
    NEEDS_LOOP_TEXT,
    attach,
    barrier,
    bus_call,
    run_until,
    serve,
)

import _dbus_bindings
import dbus
import dbus.bus
import dbus.connection
from dbus.exceptions import DBusException

CLOSED = ERROR + "Disconnected"


def test_unique_name_is_a_plain_string(conn):
    name = conn.get_unique_name()
    assert type(name) is str
    assert name.startswith(":1.")


def test_a_new_connection_is_connected_and_authenticated(conn):
    assert conn.get_is_connected() is True
    assert conn.get_is_authenticated() is True


def test_connections_to_one_address_are_not_shared(bus):
    first, second = bus.connection(), bus.connection()
    assert first is not second
    assert first != second
    assert first.get_unique_name() != second.get_unique_name()
    assert len({first, second}) == 2


def test_unique_name_cannot_be_changed(conn):
    name = conn.get_unique_name()
    for other in (":1.99", "x"):
        with pytest.raises(ValueError, match="already has a unique name"):
            conn.set_unique_name(other)
    assert conn.get_unique_name() == name


def test_unix_fd_is_a_socket(conn):
    fd = conn.get_unix_fd()
    assert type(fd) is int
    with socket.socket(fileno=socket.dup(fd)) as sock:
        assert sock.family == socket.AF_UNIX


def test_peer_credentials_of_a_bus_are_unknown(conn):
    assert conn.get_peer_unix_user() is None
    assert conn.get_peer_unix_process_id() is None


def test_flush_returns_none(conn):
    conn.send_message(bus_call())
    assert conn.flush() is None


def test_send_message_counts_serials_up(conn):
    first = conn.send_message(bus_call())
    second = conn.send_message(bus_call())
    assert type(first) is int
    assert second > first > 0


def test_send_message_sets_the_serial_of_the_message(conn):
    message = bus_call()
    assert message.get_serial() == 0
    serial = conn.send_message(message)
    assert message.get_serial() == serial


@pytest.mark.parametrize("wrong", [None, 5, "x", dbus.lowlevel.Message])
def test_only_messages_can_be_sent(conn, wrong):
    for send in (
        lambda: conn.send_message(wrong),
        lambda: conn.send_message_with_reply(wrong, print),
        lambda: conn.send_message_with_reply_and_block(wrong),
    ):
        with pytest.raises(TypeError, match="Message instance is required"):
            send()


def test_keyword_names_of_the_sending_methods(bus):
    conn = attach(bus)
    replies = []
    conn.send_message_with_reply(
        msg=bus_call(), reply_handler=replies.append, timeout_s=5, require_main_loop=True
    )
    run_until(lambda: replies)
    with pytest.raises(TypeError):
        conn.send_message(msg=bus_call())
    with pytest.raises(TypeError):
        conn.send_message_with_reply_and_block(msg=bus_call())
    with pytest.raises(TypeError):
        conn.send_message_with_reply(bus_call())


def test_plain_connection_has_to_say_hello_itself(bus):
    conn = dbus.connection.Connection(bus.address)
    try:
        assert conn.get_is_connected() is True
        with pytest.raises(DBusException) as caught:
            conn.get_unique_name()
        assert caught.value.get_dbus_name() is None
        reply = conn.send_message_with_reply_and_block(bus_call("Hello"))
        (name,) = reply.get_args_list()
        conn.set_unique_name(name)
        assert conn.get_unique_name() == name
        with pytest.raises(ValueError):
            conn.set_unique_name(":1.99")
        assert type(conn.call_blocking(BUS, BUS_PATH, BUS, "GetId", "", ())) is dbus.String
    finally:
        conn.close()


def test_a_unique_name_that_is_not_utf8(bus):
    conn = dbus.connection.Connection(bus.address)
    try:
        with pytest.raises(ValueError):
            conn.set_unique_name("\udc80")
        with pytest.raises(TypeError):
            conn.set_unique_name(5)
    finally:
        conn.close()


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("", "BadAddress"),
        ("foo", "BadAddress"),
        ("bad:foo=1", "BadAddress"),
        ("unix:tmpdir=/tmp", "BadAddress"),
        ("unix:path=/nonexistent/bus", "FileNotFound"),
        ("tcp:host=127.0.0.1,port=1", "NoServer"),
    ],
)
@pytest.mark.parametrize("cls", [dbus.connection.Connection, dbus.bus.BusConnection])
def test_an_address_that_cannot_be_reached(cls, address, error):
    with pytest.raises(DBusException) as caught:
        cls(address)
    assert caught.value.get_dbus_name() == ERROR + error
    assert type(caught.value) is DBusException


@pytest.mark.parametrize("address", [5, None, 1.5, [], object()])
def test_an_address_of_the_wrong_type(address):
    with pytest.raises(TypeError):
        dbus.connection.Connection(address)


@pytest.mark.parametrize("address", [None, 1.5, [], b"unix:path=/x"])
def test_a_bus_address_of_the_wrong_type(address):
    with pytest.raises(TypeError, match="string address or an integer bus type"):
        dbus.bus.BusConnection(address)


@pytest.mark.parametrize("number", [3, 5, -1])
def test_an_unknown_bus_type(number):
    with pytest.raises(ValueError, match=f"Unknown bus type {number}"):
        dbus.bus.BusConnection(number)


def test_an_address_that_is_not_utf8():
    with pytest.raises(UnicodeEncodeError):
        dbus.connection.Connection("unix:path=\udc80")


def test_constructor_arguments(bus):
    with pytest.raises(TypeError):
        dbus.connection.Connection()
    with pytest.raises(TypeError):
        dbus.connection.Connection(bus.address, None, 3)
    with pytest.raises(TypeError):
        dbus.connection.Connection(bus.address, foo=3)
    conn = dbus.connection.Connection(address=bus.address, mainloop=None)
    conn.close()


@pytest.mark.parametrize("cls", [dbus.connection.Connection, dbus.bus.BusConnection])
def test_the_main_loop_must_be_one(bus, cls):
    with pytest.raises(TypeError, match="NativeMainLoop instance is required"):
        cls(bus.address, mainloop=5)


def test_subclasses_of_bus_connection_get_their_arguments(bus):
    class Mine(dbus.bus.BusConnection):
        def __new__(cls, address, note, mainloop=None):
            self = super().__new__(cls, address, mainloop=mainloop)
            self.note = note
            return self

    conn = Mine(bus.address, "hello")
    conn.set_exit_on_disconnect(False)
    try:
        assert type(conn) is Mine
        assert conn.note == "hello"
        assert conn.get_unique_name()
    finally:
        conn.close()


def test_the_underlying_class_can_be_used_alone(bus):
    conn = _dbus_bindings.Connection(bus.address)
    assert type(conn) is _dbus_bindings.Connection
    assert not hasattr(conn, "__dict__")
    assert conn.get_is_connected()
    conn.close()


def test_connections_take_weak_references(bus):
    conn = bus.connection()
    other = _dbus_bindings.Connection(bus.address)
    assert weakref.ref(conn)() is conn
    assert weakref.ref(other)() is other
    other.close()


def test_a_dropped_connection_is_closed(bus):
    watcher = bus.connection()
    conn = dbus.connection.Connection(bus.address)
    reply = conn.send_message_with_reply_and_block(bus_call("Hello"))
    (name,) = reply.get_args_list()
    assert watcher.name_has_owner(name)
    reference = weakref.ref(conn)
    del conn, reply
    gc.collect()
    assert reference() is None
    # The bus learns of the end of the socket at some time after: ask until it did.
    for _ in range(100_000):
        if not watcher.name_has_owner(name):
            break
    else:
        pytest.fail("the bus still lists the connection")


# -- main loop ------------------------------------------------------------------------------------


def test_without_a_main_loop_nothing_asynchronous_works(conn):
    attempts = {
        "_require_main_loop": lambda: conn._require_main_loop(),
        "send": lambda: conn.send_message_with_reply(bus_call(), print, -1, True),
        "call_async": lambda: conn.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), print, print),
        "signals": lambda: conn.add_signal_receiver(print),
        "owner": lambda: conn.watch_name_owner("a.b", print),
    }
    for attempt in attempts.values():
        with pytest.raises(RuntimeError) as caught:
            attempt()
        assert str(caught.value) == NEEDS_LOOP_TEXT


def test_without_a_main_loop_blocking_calls_work(conn):
    assert conn.name_has_owner(BUS) is True or conn.name_has_owner(BUS) == 1
    assert BUS in conn.list_names()


def test_without_a_main_loop_a_pending_call_can_be_blocked_on(conn):
    replies = []
    pending = conn.send_message_with_reply(bus_call(), replies.append)
    assert not pending.get_completed()
    pending.block()
    assert pending.get_completed() is True
    assert len(replies) == 1


def test_without_a_main_loop_call_async_can_be_forced(conn):
    replies = []
    pending = conn.call_async(
        BUS, BUS_PATH, BUS, "GetId", "", (), replies.append, print, require_main_loop=False
    )
    pending.block()
    assert len(replies) == 1
    assert conn.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), None, None) is None


def test_null_main_loop_satisfies_the_requirement(bus):
    conn = bus.connection(mainloop=_dbus_bindings.NULL_MAIN_LOOP)
    assert conn._require_main_loop() is None
    replies = []
    pending = conn.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), replies.append, print)
    pending.block()
    assert len(replies) == 1
    assert BUS in conn.list_names()


# -- close ----------------------------------------------------------------------------------------


def test_close_twice(conn):
    assert conn.close() is None
    assert conn.close() is None
    assert conn.get_is_connected() is False


def test_a_closed_connection_still_answers_questions(conn):
    name = conn.get_unique_name()
    conn.close()
    assert conn.get_unique_name() == name
    assert conn.get_is_authenticated() is True
    assert conn.get_is_connected() is False
    assert conn.get_unix_fd() is None
    assert conn.get_peer_unix_user() is None
    assert conn.get_peer_unix_process_id() is None
    assert conn.flush() is None
    assert conn.set_allow_anonymous(True) is None
    assert conn.set_exit_on_disconnect(False) is None


def test_a_closed_connection_accepts_messages_and_drops_them(conn):
    conn.close()
    assert conn.send_message(bus_call()) > 0


def test_blocking_on_a_closed_connection(conn):
    conn.close()
    attempts = [
        lambda: conn.send_message_with_reply_and_block(bus_call()),
        lambda: conn.call_blocking(BUS, BUS_PATH, BUS, "GetId", "", ()),
        lambda: conn.list_names(),
        lambda: conn.request_name("a.b"),
        lambda: conn.add_match_string("type='signal'"),
    ]
    for attempt in attempts:
        with pytest.raises(DBusException) as caught:
            attempt()
        assert caught.value.get_dbus_name() == CLOSED
        assert caught.value.get_dbus_message() == "Connection is closed"


def test_asynchronous_calls_on_a_closed_connection(bus):
    conn = attach(bus)
    conn.close()
    attempts = [
        lambda: conn.send_message_with_reply(bus_call(), print),
        lambda: conn.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), print, print),
    ]
    for attempt in attempts:
        with pytest.raises(DBusException) as caught:
            attempt()
        assert type(caught.value) is DBusException
        assert caught.value.get_dbus_name() is None
        assert str(caught.value) == "Connection is disconnected - unable to make method call"
    assert conn.call_async(BUS, BUS_PATH, BUS, "GetId", "", (), None, None) is None


def test_the_export_table_of_a_closed_connection(bus):
    conn = attach(bus)
    serve(conn, "/a/b")
    conn.close()
    assert conn.list_exported_child_objects("/") == ["a"]
    conn._unregister_object_path("/a/b")
    assert conn.list_exported_child_objects("/") == []
    conn._register_object_path("/c", print)
    with pytest.raises(KeyError):
        conn._unregister_object_path("/a/b")
    conn.add_message_filter(print)
    conn.remove_message_filter(print)


def test_close_is_seen_by_the_bus(bus):
    conn, watcher = attach(bus), attach(bus)
    owners = []
    watch = watcher.watch_name_owner(conn.get_unique_name(), owners.append)
    run_until(lambda: owners)
    conn.close()
    run_until(lambda: len(owners) == 2)
    assert owners == [conn.get_unique_name(), ""]
    watch.cancel()


def test_a_closed_connection_does_not_disturb_others(bus):
    first, second = attach(bus), attach(bus)
    first.close()
    barrier(second)
    assert second.get_is_connected()
