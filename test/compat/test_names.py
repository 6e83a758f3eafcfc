# SPDX-License-Identifier: MIT
"""Bus names: requesting, queueing, watching, starting; BusName."""

import os
import sys

import implementation
import pytest
from peers import BUS, ERROR, Calls, attach, barrier, needs_gi, run_until

import dbus
import dbus.bus
import dbus.service
from dbus.exceptions import DBusException, NameExistsException

NAME = "test.Name"
ALLOW = dbus.bus.NAME_FLAG_ALLOW_REPLACEMENT
REPLACE = dbus.bus.NAME_FLAG_REPLACE_EXISTING
NO_QUEUE = dbus.bus.NAME_FLAG_DO_NOT_QUEUE
PRIMARY = dbus.bus.REQUEST_NAME_REPLY_PRIMARY_OWNER
QUEUED = dbus.bus.REQUEST_NAME_REPLY_IN_QUEUE
EXISTS = dbus.bus.REQUEST_NAME_REPLY_EXISTS
ALREADY = dbus.bus.REQUEST_NAME_REPLY_ALREADY_OWNER


@pytest.fixture
def one(bus):
    return attach(bus)


@pytest.fixture
def two(bus):
    return attach(bus)


def owner(conn, name=NAME):
    return conn.get_name_owner(name)


# -- the calls ------------------------------------------------------------------------------------


def test_constants():
    assert (ALLOW, REPLACE, NO_QUEUE) == (1, 2, 4)
    assert (PRIMARY, QUEUED, EXISTS, ALREADY) == (1, 2, 3, 4)
    assert dbus.bus.RELEASE_NAME_REPLY_RELEASED == 1
    assert dbus.bus.RELEASE_NAME_REPLY_NON_EXISTENT == 2
    assert dbus.bus.RELEASE_NAME_REPLY_NOT_OWNER == 3


def test_request_and_release(one, two):
    assert one.request_name(NAME) == PRIMARY
    assert one.request_name(NAME) == ALREADY
    assert owner(two) == one.get_unique_name()
    assert two.request_name(NAME) == QUEUED
    assert two.request_name(NAME, NO_QUEUE) == EXISTS
    assert two.release_name(NAME) == dbus.bus.RELEASE_NAME_REPLY_NOT_OWNER
    assert one.release_name(NAME) == dbus.bus.RELEASE_NAME_REPLY_RELEASED
    assert one.release_name(NAME) == dbus.bus.RELEASE_NAME_REPLY_NON_EXISTENT
    assert not one.name_has_owner(NAME)


def test_the_queue_moves_up(one, two):
    one.request_name(NAME)
    assert two.request_name(NAME) == QUEUED
    one.release_name(NAME)
    assert owner(one) == two.get_unique_name()


def test_replacement(one, two):
    assert one.request_name(NAME, ALLOW) == PRIMARY
    assert two.request_name(NAME, REPLACE) == PRIMARY
    assert owner(one) == two.get_unique_name()
    assert one.request_name(NAME, REPLACE | NO_QUEUE) == EXISTS


@pytest.mark.parametrize("name", ["x", "", ":1.5", "a..b", "a b.c", "1.2"])
def test_invalid_names(one, name):
    with pytest.raises(ValueError):
        one.request_name(name)
    with pytest.raises(ValueError):
        one.release_name(name)


def test_the_bus_has_the_last_word(one):
    with pytest.raises(DBusException) as caught:
        one.request_name(BUS)
    assert caught.value.get_dbus_name() == ERROR + "InvalidArgs"


def test_names_of_the_wrong_type(one):
    for attempt in (one.request_name, one.release_name, one.get_name_owner, one.name_has_owner):
        with pytest.raises(TypeError):
            attempt(5)


def test_name_has_owner(one, two):
    one.request_name(NAME)
    for name, answer in (
        (NAME, True),
        ("test.Nobody", False),
        (BUS, True),
        (two.get_unique_name(), True),
        (":1.9999", False),
    ):
        assert two.name_has_owner(name) == answer


def test_get_name_owner(one, two):
    one.request_name(NAME)
    assert two.get_name_owner(NAME) == one.get_unique_name()
    assert two.get_name_owner(BUS) == BUS
    for name in ("x", "", "a b.c"):
        with pytest.raises(ValueError):
            two.get_name_owner(name)
    with pytest.raises(DBusException) as caught:
        two.get_name_owner("test.Nobody")
    assert caught.value.get_dbus_name() == ERROR + "NameHasNoOwner"


def test_lists(one):
    one.request_name(NAME)
    names = one.list_names()
    assert {BUS, NAME, one.get_unique_name()} <= set(names)
    assert type(names) is dbus.Array
    assert BUS in one.list_activatable_names()


def test_get_unix_user(one):
    assert one.get_unix_user(one.get_unique_name()) == os.getuid()
    with pytest.raises(DBusException) as caught:
        one.get_unix_user("test.Nobody")
    assert caught.value.get_dbus_name() == ERROR + "NameHasNoOwner"


# -- watching -------------------------------------------------------------------------------------


def test_watch_name_owner(one, two):
    owners = Calls()
    watch = one.watch_name_owner(NAME, owners)
    assert type(watch) is dbus.bus.NameOwnerWatch
    assert owners.wait().firsts == [""]
    two.request_name(NAME)
    barrier(two, one)
    two.release_name(NAME)
    barrier(two, one)
    assert owners.firsts == ["", two.get_unique_name(), ""]
    watch.cancel()
    two.request_name(NAME)
    barrier(two, one)
    assert len(owners) == 3


def test_watch_a_name_with_an_owner(one, two):
    two.request_name(NAME)
    owners = Calls()
    one.watch_name_owner(NAME, owners)
    assert owners.wait().firsts == [two.get_unique_name()]
    two.close()
    assert owners.wait(2).firsts == [two.get_unique_name(), ""]


def test_cancel_before_the_first_answer(one):
    owners = Calls()
    watch = one.watch_name_owner(NAME, owners)
    watch.cancel()
    watch.cancel()
    barrier(one)
    assert owners == []


def test_watch_an_invalid_name(one):
    with pytest.raises(ValueError):
        one.watch_name_owner("x", print)


# -- starting -------------------------------------------------------------------------------------

SERVICE = """
import sys, dbus.bus, dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
conn = dbus.bus.BusConnection(dbus.bus.BUS_STARTER, mainloop=DBusGMainLoop())
class Service(dbus.service.Object):
    @dbus.service.method('test.I', out_signature='s')
    def Hello(self):
        return 'hello'
name = dbus.service.BusName('test.Started', conn)
service = Service(conn, '/t')
GLib.timeout_add_seconds(30, sys.exit)
GLib.MainLoop().run()
"""


@pytest.fixture
def starting_bus(tmp_path):
    script = tmp_path / "service.py"
    script.write_text(SERVICE)
    command = f"/usr/bin/env PYTHONPATH={implementation.LIBRARY_DIR} {sys.executable} {script}"
    services = {"test.Started": command, "test.Broken": "/bin/false"}
    with implementation.testing_module().PrivateBus(services=services) as bus:
        yield bus


@needs_gi
def test_start_service_by_name(starting_bus):
    conn = attach(starting_bus)
    assert "test.Started" in conn.list_activatable_names()
    assert conn.start_service_by_name("test.Started") == (True, dbus.bus.DBUS_START_REPLY_SUCCESS)
    again = conn.start_service_by_name("test.Started")
    assert again == (True, dbus.bus.DBUS_START_REPLY_ALREADY_RUNNING)
    proxy = conn.get_object("test.Started", "/t")
    assert proxy.Hello(dbus_interface="test.I") == "hello"


@needs_gi
def test_get_object_starts_the_service(starting_bus):
    conn = attach(starting_bus)
    proxy = conn.get_object("test.Started", "/t")
    assert proxy.bus_name.startswith(":1.")
    assert proxy.Hello(dbus_interface="test.I") == "hello"


@needs_gi
def test_activate_name_owner(starting_bus):
    conn = attach(starting_bus)
    unique = conn.activate_name_owner("test.Started")
    assert unique.startswith(":1.")
    assert conn.activate_name_owner("test.Started") == unique
    assert conn.activate_name_owner(unique) == unique
    assert conn.activate_name_owner(":1.999") == ":1.999"
    with pytest.raises(DBusException) as caught:
        conn.activate_name_owner("test.Nobody")
    assert caught.value.get_dbus_name() == ERROR + "ServiceUnknown"


def test_a_service_that_does_not_start(starting_bus):
    conn = attach(starting_bus)
    with pytest.raises(DBusException) as caught:
        conn.start_service_by_name("test.Broken")
    assert caught.value.get_dbus_name() == ERROR + "Spawn.ChildExited"


def test_start_an_unknown_service(one):
    with pytest.raises(DBusException) as caught:
        one.start_service_by_name("test.Nobody")
    assert caught.value.get_dbus_name() == ERROR + "ServiceUnknown"
    with pytest.raises(ValueError):
        one.start_service_by_name("x")


# -- BusName --------------------------------------------------------------------------------------


def test_bus_name(one, two):
    name = dbus.service.BusName(NAME, one)
    assert owner(two) == one.get_unique_name()
    assert name.get_name() == NAME
    assert name.get_bus() is one
    assert repr(name).startswith(f"<dbus.service.BusName {NAME} on {one!r} at 0x")
    assert str(name) == repr(name)


def test_bus_name_goes_when_it_is_dropped(one, two):
    name = dbus.service.BusName(NAME, one)
    assert name is not None
    del name
    assert not two.name_has_owner(NAME)


def test_bus_name_is_cached_while_alive(one, two):
    first = dbus.service.BusName(NAME, one)
    second = dbus.service.BusName(NAME, one)
    assert first is second
    del first
    assert two.name_has_owner(NAME)
    del second
    assert not two.name_has_owner(NAME)


def test_bus_name_on_two_connections(one, two):
    first = dbus.service.BusName(NAME, one)
    second = dbus.service.BusName(NAME, two)
    assert first is not second
    assert owner(one) == one.get_unique_name()
    del first
    assert owner(one) == two.get_unique_name()
    del second


def test_bus_name_without_queueing(one, two):
    first = dbus.service.BusName(NAME, one)
    with pytest.raises(NameExistsException) as caught:
        dbus.service.BusName(NAME, two, do_not_queue=True)
    assert str(caught.value) == f"Bus name already exists: {NAME}"
    assert first.get_name() == NAME


def test_bus_name_replacement(one, two):
    first = dbus.service.BusName(NAME, one, allow_replacement=True)
    second = dbus.service.BusName(NAME, two, replace_existing=True)
    assert owner(one) == two.get_unique_name()
    del second
    assert owner(one) == one.get_unique_name()
    del first


def test_bus_name_released_by_hand(one, two):
    name = dbus.service.BusName(NAME, one)
    name.__del__()
    assert not two.name_has_owner(NAME)


def test_bus_name_keyword_names(one):
    name = dbus.service.BusName(
        name=NAME, bus=one, allow_replacement=False, replace_existing=False, do_not_queue=False
    )
    assert name.get_bus() is one


@pytest.mark.parametrize("name", ["x", ":1.5", "", "a b.c"])
def test_invalid_bus_names(one, name):
    with pytest.raises(ValueError):
        dbus.service.BusName(name, one)


def test_bus_name_without_a_bus(run_snippet, bus):
    """The session bus is the default; the test has none, so the error says where it looked."""
    code = """
import dbus, dbus.service
name = dbus.service.BusName('test.Name')
print(name.get_bus() is dbus.SessionBus(), dbus.SessionBus().name_has_owner('test.Name'))
"""
    result = run_snippet(code, env={"DBUS_SESSION_BUS_ADDRESS": bus.address})
    assert result.stdout.split()[0] == "True", result
    assert result.returncode == 0, result


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_bus_name_after_the_connection_was_closed(one):
    name = dbus.service.BusName(NAME, one)
    one.close()
    del name


def test_names_at_the_end_of_the_interpreter(run_snippet, bus):
    code = """
import sys, dbus.bus, dbus.service
conn = dbus.bus.BusConnection(sys.argv[1])
name = dbus.service.BusName('test.Name', conn)
print('owned')
"""
    result = run_snippet(code, bus.address)
    assert (result.returncode, result.stdout) == (0, "owned\n")


@needs_gi
def test_names_when_a_handler_ends_the_interpreter(run_snippet, bus):
    """The modules are torn down while the main program's frame still holds the name."""
    code = """
import sys, dbus.bus, dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
conn = dbus.bus.BusConnection(sys.argv[1], mainloop=DBusGMainLoop())
name = dbus.service.BusName('test.Name', conn)
thing = dbus.service.Object(conn, '/t', name)
def end(*_args):
    sys.exit(4)
conn.call_async('org.freedesktop.DBus', '/', None, 'GetId', '', (), end, print)
GLib.MainLoop().run()
"""
    result = run_snippet(code, bus.address)
    assert (result.returncode, result.stdout, result.stderr) == (4, "", "")


def test_a_change_of_owner_is_announced(one, two):
    got = Calls()
    one.add_signal_receiver(got, "NameOwnerChanged", BUS, BUS, arg0=NAME)
    name = dbus.service.BusName(NAME, two)
    del name
    run_until(lambda: len(got) == 2)
    unique = two.get_unique_name()
    assert got.args == [(NAME, "", unique), (NAME, unique, "")]
