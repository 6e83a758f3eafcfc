# SPDX-License-Identifier: MIT
"""dbus.connection and dbus.bus: what goes beyond the reference's behaviour."""

import gc
import threading
import weakref

import pytest
from peers import Calls, attach, barrier, run_until

import dbus
from dbus import lowlevel
from dbus.bus import BusConnection
from dbus.connection import Connection, SignalMatch
from dbus.exceptions import DBusException
from dbus.testing import PrivateBus


@pytest.fixture
def sender(bus):
    return attach(bus)


@pytest.fixture
def client(bus):
    conn = attach(bus)
    barrier(conn)
    return conn


def emit(conn, *args, signature=None, member="S"):
    message = lowlevel.SignalMessage("/s", "test.I", member)
    message.append(*args, signature=signature)
    conn.send_message(message)


def test_a_rule_that_the_bus_refuses_leaves_nothing_behind(client, monkeypatch):
    monkeypatch.setattr(SignalMatch, "__str__", lambda self: "type='signal',nonsense")
    before = repr(client._signal_recipients_by_object_path)
    with pytest.raises(DBusException) as caught:
        client.add_signal_receiver(print, "S", bus_name="a.b")
    assert caught.value.get_dbus_name() == "org.freedesktop.DBus.Error.MatchRuleInvalid"
    assert repr(client._signal_recipients_by_object_path) == before == "{}"
    assert client._signal_sender_matches == {}


def test_an_apostrophe_in_a_condition(sender, client):
    got = Calls()
    client.add_signal_receiver(got, "S", arg0="it's")
    emit(sender, "its")
    emit(sender, "it's")
    emit(sender, "it")
    barrier(sender, client)
    assert got.args == [("it's",)]


@pytest.mark.parametrize(
    ("keywords", "heard"),
    [
        ({"arg0namespace": "n.s"}, ["n.s", "n.s.x"]),
        ({"arg0path": "/n/"}, ["/n/", "/n/x", "/"]),
        ({"arg0path": "/n/x"}, ["/n/", "/n/x", "/"]),
        ({"arg0namespace": "n"}, ["n.s", "n.s.x", "n.sx", "n"]),
    ],
)
def test_conditions_reach_the_bus_and_are_checked_here(sender, client, keywords, heard):
    everything, got = Calls(), Calls()
    client.add_signal_receiver(got, "S", **keywords)
    for text in ("n.s", "n.s.x", "n.sx", "n", "/n", "/n/", "/n/x", "/"):
        emit(sender, text)
    barrier(sender, client)
    assert [args[0] for args in got.args] == heard
    # With a receiver of everything the bus's own choice no longer matters.
    client.add_signal_receiver(everything, "S")
    del got[:]
    for text in ("n.s", "n.s.x", "n.sx", "n", "/n", "/n/", "/n/x", "/"):
        emit(sender, text)
    barrier(sender, client)
    assert len(everything) == 8
    assert [args[0] for args in got.args] == heard


def test_removal_with_and_without_the_namespace(client):
    for keywords in ({}, {"arg0namespace": "n.s"}):
        client.add_signal_receiver(print, "S", arg0namespace="n.s")
        client.remove_signal_receiver(print, "S", arg0namespace="other")
        assert client._signal_recipients_by_object_path != {}
        client.remove_signal_receiver(print, "S", **keywords)
        assert client._signal_recipients_by_object_path == {}


def test_handlers_get_values_of_their_own(sender, client):
    first, second = [], []

    def spoil(array):
        first.append(list(array))
        array.clear()

    client.add_signal_receiver(spoil, "S")
    client.add_signal_receiver(lambda array: second.append(list(array)), "S")
    emit(sender, ["x"], signature="as")
    barrier(sender, client)
    assert first == second == [["x"]]


def test_a_receiver_added_by_a_handler_counts_from_the_next_signal_on(sender, client):
    late = Calls()
    # In an index place of its own, which comes after the one of the first receiver.
    client.add_signal_receiver(
        lambda *args: late or client.add_signal_receiver(late, "S", "test.I", path="/s"), "S"
    )
    emit(sender, "one")
    barrier(sender, client)
    assert late == []
    emit(sender, "two")
    barrier(sender, client)
    assert late.args == [("two",)]


def test_a_rule_that_the_bus_refuses_is_not_taken_from_an_equal_receiver():
    heard = []
    limit = '<limit name="max_match_rules_per_connection">1</limit>'
    with PrivateBus(config_extra=limit) as bus:
        client, sender = attach(bus), attach(bus)
        client.add_signal_receiver(heard.append, "S", "test.I")
        with pytest.raises(DBusException) as refused:
            client.add_signal_receiver(print, "S", "test.I")
        assert refused.value.get_dbus_name() == "org.freedesktop.DBus.Error.LimitsExceeded"
        emit(sender, "still")
        barrier(sender, client)
        assert heard == ["still"]


def test_a_watch_without_a_call_leaves_no_receiver(client, monkeypatch):
    def fail(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(client, "call_async", fail)
    with pytest.raises(MemoryError):
        client.watch_name_owner("a.b", print)
    monkeypatch.undo()
    assert client._signal_recipients_by_object_path == {}


def test_removing_a_match_after_its_connection_was_closed(bus):
    conn = attach(bus)
    match = conn.add_signal_receiver(print, "S", bus_name="a.b")
    conn.close()
    match.remove()
    assert conn._signal_recipients_by_object_path == {}
    assert conn._signal_sender_matches == {}


def test_a_match_outlives_its_connection(bus):
    conn = attach(bus)
    match = conn.add_signal_receiver(print, "S")
    conn.close()
    alive = weakref.ref(conn)
    bus.close()
    del conn
    gc.collect()
    if alive() is None:
        match.remove()
        assert "None" in repr(match)


def test_matches_are_only_equal_to_themselves(client):
    one = client.add_signal_receiver(print, "S")
    other = client.add_signal_receiver(print, "S")
    assert one == one and not one != one
    assert one != other and not one == other
    assert len({one, other}) == 2
    assert hash(one) == id(one)


def test_a_watch_that_is_cancelled_at_once_stays_silent(client):
    got = Calls()
    watch = client.watch_name_owner("a.b", got)
    watch.cancel()
    watch.cancel()
    client.request_name("a.b")
    barrier(client)
    assert got == []


def test_a_sender_that_is_gone_takes_its_matches_along(bus, client):
    other = attach(bus)
    match = client.add_signal_receiver(print, "S", bus_name=other.get_unique_name())
    barrier(client)
    assert match in client._signal_sender_matches
    other.set_exit_on_disconnect(False)
    other.close()
    run_until(lambda: match not in client._signal_sender_matches)
    assert client._signal_recipients_by_object_path == {}


def test_receivers_come_and_go_in_several_threads(client):
    def work():
        for _turn in range(50):
            client.add_signal_receiver(print, "T", "test.I").remove()

    threads = [threading.Thread(target=work) for _thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert client._signal_recipients_by_object_path == {}


def test_a_call_without_handlers_asks_for_no_reply(client, sender):
    seen = []
    sender.add_message_filter(
        lambda _conn, message: seen.append((message.get_member(), message.get_no_reply())) or 1
    )
    client.call_async(sender.get_unique_name(), "/", "test.I", "Quiet", "", (), None, None)
    client.call_async(sender.get_unique_name(), "/", "test.I", "Asked", "", (), print, None)
    run_until(lambda: len([entry for entry in seen if entry[0] in ("Quiet", "Asked")]) == 2)
    assert ("Quiet", True) in seen
    assert ("Asked", False) in seen


def test_connections_can_be_subclassed_with_arguments_of_their_own(bus):
    class Mine(BusConnection):
        def __new__(cls, address, label):
            return BusConnection.__new__(cls, address)

        def __init__(self, address, label):
            super().__init__(address)
            self.label = label

    conn = Mine(bus.address, "x")
    conn.set_exit_on_disconnect(False)
    assert type(conn) is Mine
    assert conn.label == "x"
    assert conn.name_has_owner(conn.get_unique_name()) is True
    conn.close()


def test_a_peer_needs_no_bus_for_names(tmp_path):
    from dbus.mainloop import NULL_MAIN_LOOP
    from dbus.server import Server

    server = Server(f"unix:path={tmp_path / 's'}", mainloop=NULL_MAIN_LOOP)
    peer = Connection(server.address)
    assert peer.activate_name_owner("a.b") == "a.b"
    proxy = peer.get_object("a.b", "/x", introspect=False)
    assert isinstance(proxy, dbus.proxies.ProxyObject)
    assert proxy.bus_name == "a.b"
    peer.close()
    server.disconnect()
