# SPDX-License-Identifier: MIT
"""Signal receivers: what matches, what the handler gets, removal."""

import pytest
from peers import BUS, Calls, attach, barrier, emit, note, run_until

import dbus.connection
import dbus.lowlevel
import dbus.service
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


# -- what matches ---------------------------------------------------------------------------------

SENT = [
    ("S", I, "/s"),
    ("T", I, "/s"),
    ("S", "test.J", "/s"),
    ("S", I, "/t"),
    ("T", "test.J", "/t"),
]


@pytest.mark.parametrize(
    ("keywords", "indices"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"signal_name": "S"}, [0, 2, 3]),
        ({"dbus_interface": I}, [0, 1, 3]),
        ({"path": "/s"}, [0, 1, 2]),
        ({"signal_name": "S", "dbus_interface": I}, [0, 3]),
        ({"signal_name": "S", "dbus_interface": I, "path": "/t"}, [3]),
        ({"signal_name": "U"}, []),
        ({"dbus_interface": "test.J", "path": "/t"}, [4]),
    ],
)
@pytest.mark.parametrize("with_sender", [False, True])
def test_matching(sender, client, heard, keywords, indices, with_sender):
    got = Calls()
    if with_sender:
        keywords = dict(keywords, bus_name=sender.get_unique_name())
    client.add_signal_receiver(got, **keywords)
    for number, (member, interface, path) in enumerate(SENT):
        emit(sender, member, (number,), interface, path)
    # Without a sender the bus's own signals match too.
    assert [args[0] for args in heard(got) if isinstance(args[0], int)] == indices


def test_positional_arguments(sender, client, heard):
    got = Calls()
    client.add_signal_receiver(got, "S", I, sender.get_unique_name(), "/s")
    emit(sender, "S", (1, "two"))
    assert heard(got) == [(1, "two")]


def test_a_signal_without_arguments(sender, client, heard):
    got = Calls()
    client.add_signal_receiver(got, "S")
    emit(sender)
    assert heard(got) == [()]


def test_a_match_in_the_reference_of_a_receiver(client):
    match = client.add_signal_receiver(print, "S", I)
    assert type(match) is dbus.connection.SignalMatch
    assert repr(match).startswith("<")
    assert str(match) == "type='signal',interface='test.I',member='S'"


@pytest.mark.parametrize(
    ("keywords", "rule"),
    [
        ({}, "type='signal'"),
        ({"bus_name": BUS}, f"type='signal',sender='{BUS}'"),
        ({"bus_name": ":1.99"}, "type='signal',sender=':1.99'"),
        ({"path": "/x"}, "type='signal',path='/x'"),
        (
            {"path": "/x", "dbus_interface": "a.b", "signal_name": "M", "bus_name": BUS},
            f"type='signal',sender='{BUS}',path='/x',interface='a.b',member='M'",
        ),
        ({"arg0": "x"}, "type='signal',arg0='x'"),
        ({"signal_name": "M", "arg12": "y"}, "type='signal',member='M',arg12='y'"),
        ({"sender_keyword": "s", "byte_arrays": True}, "type='signal'"),
    ],
)
def test_the_rule(client, keywords, rule):
    assert str(client.add_signal_receiver(print, **keywords)) == rule


@pytest.mark.since("1.5.1", "argNpath and arg0namespace")
@pytest.mark.parametrize(
    ("keywords", "rule"),
    [
        ({"arg0path": "/x/"}, "type='signal',arg0path='/x/'"),
        ({"arg0namespace": "a.b"}, "type='signal',arg0namespace='a.b'"),
        (
            {"arg0namespace": "a.b", "arg1": "x", "arg2path": "/y", "signal_name": "M"},
            "type='signal',member='M',arg0namespace='a.b',arg1='x',arg2path='/y'",
        ),
    ],
)
def test_the_rule_with_newer_keywords(client, keywords, rule):
    assert str(client.add_signal_receiver(print, **keywords)) == rule


@pytest.mark.parametrize(
    ("keywords", "error"),
    [
        ({"signal_name": "not-valid"}, ValueError),
        ({"dbus_interface": "x"}, ValueError),
        ({"path": "x"}, ValueError),
        ({"bus_name": "x"}, ValueError),
        ({"foo": 1}, TypeError),
        ({"utf8_strings": True}, TypeError),
        ({"bus_name": "a.b", "named_service": "a.b"}, TypeError),
    ],
)
def test_wrong_keywords(client, keywords, error):
    with pytest.raises(error):
        client.add_signal_receiver(print, **keywords)


@pytest.mark.parametrize("keyword", ["argx", "arg", "arg-1", "arg64", "arg100"])
def test_wrong_argument_keywords(client, keyword):
    with pytest.raises((TypeError, ValueError, DBusException)):
        client.add_signal_receiver(print, **{keyword: "x"})


@pytest.mark.since("1.5.1", "argument keywords are parsed strictly")
@pytest.mark.parametrize(
    "keyword", ["arg 1", "arg+1", "arg1_0", "arg1 ", "arg1pathx", "arg1namespace"]
)
def test_loosely_written_argument_keywords(client, keyword):
    with pytest.raises(TypeError):
        client.add_signal_receiver(print, **{keyword: "/x"})


@pytest.mark.since("1.5.1", "argument keywords are parsed strictly")
def test_a_leading_zero_is_accepted(sender, client, heard):
    got = Calls()
    client.add_signal_receiver(got, "S", **{"arg01": "x"})
    emit(sender, "S", ("a", "x"))
    emit(sender, "S", ("a", "y"))
    assert heard(got) == [("a", "x")]


def test_named_service_is_the_old_name(sender, client, heard):
    got = Calls()
    name = sender.get_unique_name()
    with pytest.deprecated_call():
        client.add_signal_receiver(got, "S", named_service=name)
    emit(sender)
    assert len(heard(got)) == 1


# -- arguments ------------------------------------------------------------------------------------


def test_string_arguments(sender, client, heard):
    got = Calls()
    client.add_signal_receiver(got, "S", arg0="x", arg2="z")
    emit(sender, "S", ("x", "any", "z"))
    emit(sender, "S", ("x", "any", "other"))
    emit(sender, "S", ("other", "any", "z"))
    emit(sender, "S", ("x", "any"))
    emit(sender, "S", (5, "any", "z"))
    assert heard(got) == [("x", "any", "z")]


def test_an_argument_that_is_no_string_does_not_match(sender, client, heard):
    got = Calls()
    client.add_signal_receiver(got, "S", arg0="/x")
    emit(sender, "S", ("/x",), signature="o")
    emit(sender, "S", ("/x",), signature="s")
    assert [type(args[0]) for args in heard(got)] == [dbus.String]


def test_an_empty_argument(sender, client, heard):
    got = Calls()
    client.add_signal_receiver(got, "S", arg0="")
    emit(sender, "S", ("",))
    emit(sender, "S", ("x",))
    assert heard(got) == [("",)]


PATHS = ["/a/b", "/a/b/", "/a/b/c", "/a/bc", "/a", "/a/", "/", "/x"]


@pytest.mark.since("1.5.1", "argNpath")
@pytest.mark.parametrize(
    ("wanted", "matching"),
    [
        ("/a/b", {"/a/b", "/a/", "/"}),
        ("/a/b/", {"/a/b/", "/a/b/c", "/a/", "/"}),
        ("/a/", {"/a/", "/a/b", "/a/b/", "/a/b/c", "/a/bc", "/"}),
        ("/", set(PATHS)),
    ],
)
@pytest.mark.parametrize("signature", ["s", "o"])
def test_argument_paths(sender, client, heard, wanted, matching, signature):
    got = Calls()
    client.add_signal_receiver(got, "S", arg0path=wanted)
    sent = [p for p in PATHS if signature == "s" or p == "/" or not p.endswith("/")]
    for path in sent:
        emit(sender, "S", (path,), signature=signature)
    emit(sender, "S", (5,))
    emit(sender, "S")
    assert {args[0] for args in heard(got)} == matching & set(sent)


@pytest.mark.since("1.5.1", "arg0namespace")
def test_argument_namespace(sender, client, heard):
    got = Calls()
    client.add_signal_receiver(got, "S", arg0namespace="a.b")
    for name in ("a.b", "a.b.c", "a.bc", "a", "b", "a.b.c.d"):
        emit(sender, "S", (name,))
    emit(sender, "S", ("/a",), signature="o")
    emit(sender, "S")
    assert [args[0] for args in heard(got)] == ["a.b", "a.b.c", "a.b.c.d"]


# -- what the handler gets ------------------------------------------------------------------------


def test_information_keywords(sender, client, heard):
    got = Calls()
    client.add_signal_receiver(
        got,
        "S",
        sender_keyword="a",
        path_keyword="b",
        interface_keyword="c",
        member_keyword="d",
        destination_keyword="e",
        message_keyword="f",
    )
    emit(sender, "S", (5,))
    heard(got)
    ((args, keywords),) = got
    message = keywords.pop("f")
    assert args == (5,)
    assert keywords == {"a": sender.get_unique_name(), "b": "/s", "c": I, "d": "S", "e": None}
    assert type(keywords["b"]) is dbus.ObjectPath
    assert type(message) is dbus.lowlevel.SignalMessage
    assert message.get_args_list() == [5]


def test_the_destination_of_a_unicast_signal(sender, client, heard):
    got = Calls()
    client.add_signal_receiver(got, "S", destination_keyword="to")
    emit(sender, "S", (), to=client.get_unique_name())
    heard(got)
    assert got == [((), {"to": client.get_unique_name()})]


def test_byte_arrays(sender, client, heard):
    joined, listed = Calls(), Calls()
    client.add_signal_receiver(joined, "S", byte_arrays=True)
    client.add_signal_receiver(listed, "S")
    emit(sender, "S", (dbus.ByteArray(b"ab"),))
    heard(joined)
    assert type(joined.firsts[0]) is dbus.ByteArray
    assert type(listed.firsts[0]) is dbus.Array


def test_keywords_without_the_argument_in_the_handler(sender, client, heard, caplog):
    def narrow():
        raise AssertionError("never called")

    client.add_signal_receiver(narrow, "S", sender_keyword="sender")
    got = Calls()
    client.add_signal_receiver(got, "S")
    emit(sender)
    assert len(heard(got)) == 1


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_an_exception_in_a_handler_is_logged_and_the_rest_goes_on(
    sender, client, heard, caplog, kind
):
    def bad(*_args):
        raise kind("boo")

    got = Calls()
    client.add_signal_receiver(bad, "S")
    client.add_signal_receiver(got, "S")
    emit(sender)
    emit(sender)
    assert len(heard(got)) == 2
    assert {record.name for record in caplog.records} == {"dbus.connection"}
    assert len(caplog.records) == 2
    assert "Exception in handler for D-Bus signal" in caplog.records[0].getMessage()
    assert f"{kind.__name__}: boo" in caplog.text


def test_every_receiver_is_called_in_order(sender, client, heard):
    order = []
    for number in range(4):
        client.add_signal_receiver(lambda n=number: order.append(n), "S", I, path="/s")
    emit(sender)
    heard(Calls())
    assert order == [0, 1, 2, 3]


def test_a_handler_twice_is_called_twice(sender, client, heard):
    got = Calls()
    client.add_signal_receiver(got, "S")
    client.add_signal_receiver(got, "S")
    emit(sender)
    assert len(heard(got)) == 2


def test_signals_in_order(sender, client, heard):
    got = Calls()
    client.add_signal_receiver(got, "S")
    for number in range(500):
        emit(sender, "S", (number,))
    assert [args[0] for args in heard(got)] == list(range(500))


def test_a_blocking_call_in_a_handler_keeps_the_order(sender, client, heard):
    order = []

    def handler(number):
        order.append(("begin", number))
        client.get_name_owner(BUS)
        order.append(("end", number))

    client.add_signal_receiver(handler, "S")
    for number in range(3):
        emit(sender, "S", (number,))
    heard(Calls())
    assert order == [(when, n) for n in range(3) for when in ("begin", "end")]


# -- removal --------------------------------------------------------------------------------------


def test_match_remove(sender, client, heard):
    got = Calls()
    match = client.add_signal_receiver(got, "S")
    other = client.add_signal_receiver(got, "S")
    emit(sender)
    heard(got)
    match.remove()
    emit(sender)
    assert len(heard(got)) == 3
    other.remove()
    emit(sender)
    assert len(heard(got)) == 3
    match.remove()


def test_remove_by_match(sender, client, heard):
    got = Calls()
    match = client.add_signal_receiver(got, "S")
    client.remove_signal_receiver(match, "S")
    emit(sender)
    assert heard(got) == []
    client.remove_signal_receiver(match, "S")


@pytest.mark.parametrize("with_name", [False, True])
def test_remove_by_specification(sender, client, heard, with_name):
    got, kept = Calls(), []  # handlers are compared by equality, and two Calls may be equal

    def keep(*args):
        kept.append(args)

    keywords = {"signal_name": "S", "dbus_interface": I, "path": "/s"}
    if with_name:
        keywords["bus_name"] = sender.get_unique_name()
    client.add_signal_receiver(got, **keywords)
    client.add_signal_receiver(keep, **keywords)
    client.remove_signal_receiver(got, **dict(keywords, path="/other"))
    emit(sender)
    assert len(heard(got)) == 1
    client.remove_signal_receiver(got, **keywords)
    emit(sender)
    assert len(heard(got)) == 1
    assert len(kept) == 2


def test_remove_takes_every_equal_receiver(sender, client, heard):
    got = Calls()
    client.add_signal_receiver(got, "S")
    client.add_signal_receiver(got, "S")
    client.remove_signal_receiver(got, "S")
    emit(sender)
    assert heard(got) == []


def test_remove_with_argument_keywords(sender, client, heard):
    got = Calls()
    client.add_signal_receiver(got, "S", arg0="x")
    client.add_signal_receiver(got, "S", arg0="y")
    client.remove_signal_receiver(got, "S", arg0="x")
    emit(sender, "S", ("x",))
    emit(sender, "S", ("y",))
    assert heard(got) == [("y",)]


def test_removing_what_is_not_there(client):
    client.remove_signal_receiver(print, "S")
    client.remove_signal_receiver(print)


def test_bound_methods_are_removed_by_equality(sender, client, heard):
    class Thing:
        got = Calls()

        def handler(self, *args):
            self.got(*args)

    thing = Thing()
    client.add_signal_receiver(thing.handler, "S")
    client.remove_signal_receiver(thing.handler, "S")
    emit(sender)
    assert heard(thing.got) == []


def test_a_handler_may_remove_itself(sender, client, heard):
    got = []

    def handler():
        got.append(1)
        match.remove()

    match = client.add_signal_receiver(handler, "S")
    emit(sender)
    emit(sender)
    heard(Calls())
    assert got == [1]


def test_a_handler_may_remove_one_that_comes_later(sender, client, heard):
    got = []
    matches = {}

    def first():
        got.append("first")
        matches["second"].remove()

    matches["first"] = client.add_signal_receiver(first, "S")
    matches["second"] = client.add_signal_receiver(lambda: got.append("second"), "S")
    emit(sender)
    emit(sender)
    heard(Calls())
    assert got.count("first") == 2
    assert got.count("second") <= 1


def test_a_handler_may_add_others(sender, client, heard):
    got = []

    def handler():
        got.append("first")
        client.add_signal_receiver(lambda: got.append("late"), "S")
        match.remove()

    match = client.add_signal_receiver(handler, "S")
    emit(sender)
    heard(Calls())
    # Whether it hears the signal that it was made in is left open.
    assert got in (["first"], ["first", "late"])
    emit(sender)
    heard(Calls())
    assert got in (["first", "late"], ["first", "late", "late"])


def test_a_handler_may_close_the_connection(sender, client):
    done = []

    def handler():
        client.close()
        done.append(True)

    client.add_signal_receiver(handler, "S")
    emit(sender)
    run_until(lambda: done)
    barrier(sender)


def test_the_bus_forgets_the_rule(bus, sender, client, heard):
    """After removal the bus no longer sends the signal: a filter sees none."""
    seen = []
    client.add_message_filter(lambda _c, m: note(m, seen))
    match = client.add_signal_receiver(print, "S")
    emit(sender)
    heard(Calls())
    assert seen == ["S"]
    match.remove()
    barrier(client)
    emit(sender)
    heard(Calls())
    assert seen == ["S"]
