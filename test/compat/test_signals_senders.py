# SPDX-License-Identifier: MIT
"""Signal receivers: who the sender is, the tables that programs walk, match strings."""

import pytest
from peers import BUS, BUS_PATH, ERROR, Calls, attach, barrier, emit, note

from dbus.exceptions import DBusException

I = "test.I"  # noqa: E741


@pytest.fixture
def sender(bus):
    return attach(bus)


@pytest.fixture
def client(bus):
    conn = attach(bus)
    barrier(conn)  # NameAcquired is through
    return conn


@pytest.fixture
def heard(sender, client):
    """heard(call list): everything emitted before is delivered; the positional arguments."""

    def heard(got):
        barrier(sender, client)
        return got.args

    return heard


# -- senders --------------------------------------------------------------------------------------


def test_an_impostor_is_not_heard(bus, sender, client, heard):
    sender.request_name("test.Name")
    impostor = attach(bus)
    got = Calls()
    client.add_signal_receiver(got, "S", bus_name="test.Name")
    barrier(client)
    emit(impostor, "S", ("fake",))
    emit(impostor, "S", ("fake",), to=client.get_unique_name())
    barrier(impostor)
    emit(sender, "S", ("real",))
    assert heard(got) == [("real",)]


def test_an_impostor_is_not_heard_by_unique_name(bus, sender, client, heard):
    impostor = attach(bus)
    got = Calls()
    client.add_signal_receiver(got, "S", bus_name=sender.get_unique_name())
    emit(impostor, "S", ("fake",), to=client.get_unique_name())
    barrier(impostor)
    emit(sender, "S", ("real",))
    assert heard(got) == [("real",)]


def test_the_sender_is_followed_across_owners(bus, sender, client, heard):
    other = attach(bus)
    got = Calls()
    client.add_signal_receiver(got, "S", bus_name="test.Name")
    barrier(client)
    emit(sender, "S", ("too early",))
    sender.request_name("test.Name")
    barrier(sender, client)
    emit(sender, "S", (1,))
    emit(other, "S", ("not yours",))
    barrier(sender, other, client)
    sender.release_name("test.Name")
    other.request_name("test.Name")
    barrier(sender, other, client)
    emit(sender, "S", ("no longer",))
    emit(other, "S", (2,))
    barrier(sender, other)
    assert [a for a in heard(got) if a not in [("too early",)]] == [(1,), (2,)]
    assert ("too early",) not in got.args


def test_the_owner_that_was_there_before(sender, client, heard):
    sender.request_name("test.Name")
    got = Calls()
    client.add_signal_receiver(got, "S", bus_name="test.Name")
    emit(sender, "S", (1,))
    barrier(sender, client)
    emit(sender, "S", (2,))
    assert (2,) in heard(got)


def test_the_sender_keyword_is_the_unique_name(sender, client, heard):
    sender.request_name("test.Name")
    got = Calls()
    client.add_signal_receiver(got, "S", bus_name="test.Name", sender_keyword="sender")
    barrier(client)
    emit(sender)
    heard(got)
    assert got == [((), {"sender": sender.get_unique_name()})]


def test_signals_of_the_bus(client, sender):
    got = Calls()
    client.add_signal_receiver(
        got, "NameOwnerChanged", BUS, BUS, BUS_PATH, arg0="test.Name", sender_keyword="s"
    )
    sender.request_name("test.Name")
    barrier(sender, client)
    assert got == [(("test.Name", "", sender.get_unique_name()), {"s": BUS})]


def test_receivers_of_a_connection_to_oneself(sender, client):
    """A connection hears its own broadcast."""
    got = Calls()
    client.add_signal_receiver(got, "S")
    emit(client, "S", (1,))
    barrier(client)
    assert got.args == [(1,)]


# -- what programs look at ------------------------------------------------------------------------


def test_the_table_of_receivers(client):
    match = client.add_signal_receiver(print, "S", I, path="/s")
    loose = client.add_signal_receiver(print)
    table = client._signal_recipients_by_object_path
    assert table["/s"][I]["S"] == [match]
    assert table[None][None][None] == [loose]
    match.remove()
    assert not table.get("/s", {}).get(I, {}).get("S")
    assert table[None][None][None] == [loose]


def test_the_table_of_watched_senders(client):
    match = client.add_signal_receiver(print, "S", bus_name="test.Name")
    assert match in client._signal_sender_matches
    match.remove()
    assert match not in client._signal_sender_matches


def test_match_properties(client):
    match = client.add_signal_receiver(print, "S", bus_name=BUS)
    assert match.sender == BUS
    assert match == match
    assert match != client.add_signal_receiver(print, "S", bus_name=BUS)
    assert len({match, match}) == 1
    assert match.matches_removal_spec(BUS, None, None, "S", print)
    assert not match.matches_removal_spec(BUS, None, None, "T", print)
    assert not match.matches_removal_spec(BUS, None, None, "S", repr)


def test_match_strings(client, sender):
    seen = []
    client.add_message_filter(lambda _c, m: note(m, seen))
    assert client.add_match_string("type='signal',member='S'") is None
    emit(sender)
    barrier(sender, client)
    assert seen == ["S"]
    client.remove_match_string("type='signal',member='S'")
    emit(sender)
    barrier(sender, client)
    assert seen == ["S"]
    client.add_match_string_non_blocking("type='signal',member='S'")
    barrier(client)
    emit(sender)
    barrier(sender, client)
    assert seen == ["S", "S"]
    client.remove_match_string_non_blocking("type='signal',member='S'")
    barrier(client)
    emit(sender)
    barrier(sender, client)
    assert seen == ["S", "S"]


def test_wrong_match_strings(client):
    with pytest.raises(DBusException) as caught:
        client.add_match_string("nonsense")
    assert caught.value.get_dbus_name() == ERROR + "MatchRuleInvalid"
    with pytest.raises(DBusException) as caught:
        client.remove_match_string("type='signal',member='NeverAdded'")
    assert caught.value.get_dbus_name() == ERROR + "MatchRuleNotFound"
    client.add_match_string_non_blocking("nonsense")
    client.remove_match_string_non_blocking("type='signal',member='NeverAdded'")
    barrier(client)
