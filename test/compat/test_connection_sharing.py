# SPDX-License-Identifier: MIT
"""dbus.Bus and its kinds: which of them share a connection."""

import pytest

import dbus
import dbus._dbus
import dbus.bus

KINDS = {
    "session": (dbus.SessionBus, dbus.Bus.TYPE_SESSION, "get_session", "DBUS_SESSION_BUS_ADDRESS"),
    "system": (dbus.SystemBus, dbus.Bus.TYPE_SYSTEM, "get_system", "DBUS_SYSTEM_BUS_ADDRESS"),
    "starter": (dbus.StarterBus, dbus.Bus.TYPE_STARTER, "get_starter", "DBUS_STARTER_ADDRESS"),
}


# libdbus reads the environment once in a process, so each case has a process of its own.
def run(run_snippet, bus, code):
    environment = {variable: bus.address for _, _, _, variable in KINDS.values()}
    result = run_snippet("import dbus, gc\n" + code, env=environment)
    assert result.returncode == 0, result
    return result.stdout.split("\n")[:-1]


@pytest.mark.parametrize("kind", KINDS)
def test_one_instance_a_kind(run_snippet, bus, kind):
    cls, number, getter, _ = KINDS[kind]
    name = cls.__name__
    code = f"""
first = dbus.{name}()
print(first is dbus.{name}(), first is dbus.Bus({number}), first is dbus.Bus.{getter}())
print(type(first) is dbus.{name}, isinstance(first, dbus.Bus))
print(dbus.{name}(private=True) is first, dbus.Bus({number}, private=True) is first)
print(dbus.Bus.{getter}(private=True) is first)
print(first.get_connection() is first, first._connection is first)
print(repr(first).startswith('<dbus._dbus.{name} ({kind}) at 0x'), str(first) == repr(first))
print(dbus.Bus._shared_instances == {{{number}: first}})
"""
    assert run(run_snippet, bus, code) == [
        "True True True",
        "True True",
        "False False",
        "False",
        "True True",
        "True True",
        "True",
    ]


def test_the_default_kind_is_the_session_bus(run_snippet, bus):
    assert run(run_snippet, bus, "print(dbus.Bus() is dbus.SessionBus())") == ["True"]


def test_kinds_are_different_connections(run_snippet, bus):
    code = "print(len({b.get_unique_name() for b in "
    code += "(dbus.SessionBus(), dbus.SystemBus(), dbus.StarterBus())}))"
    assert run(run_snippet, bus, code) == ["3"]


def test_bus_connection_by_number_is_never_shared(run_snippet, bus):
    code = """
a, b = dbus.bus.BusConnection(0), dbus.bus.BusConnection(dbus.bus.BUS_SESSION)
print(a is b, a.get_unique_name() != b.get_unique_name())
print(a is dbus.SessionBus(), type(a) is dbus.bus.BusConnection)
"""
    assert run(run_snippet, bus, code) == ["False True", "False True"]


def test_after_close_a_new_one_is_made(run_snippet, bus):
    code = """
first = dbus.SessionBus()
first.set_exit_on_disconnect(False)
first.close()
print(dbus.Bus._shared_instances)
second = dbus.SessionBus()
print(second is first, second.get_is_connected(), first.get_is_connected())
private = dbus.SessionBus(private=True)
private.set_exit_on_disconnect(False)
private.close()
print(dbus.SessionBus() is second)
"""
    assert run(run_snippet, bus, code) == ["{}", "False True False", "True"]


def test_a_subclass_gets_the_shared_instance(run_snippet, bus):
    code = """
class Mine(dbus.SessionBus):
    pass
first = dbus.SessionBus()
print(Mine() is first)
private = Mine(private=True)
print(isinstance(private, dbus.SessionBus), private is first)
"""
    lines = run(run_snippet, bus, code)
    assert lines[0] == "True"
    assert lines[1] == "True False"


def test_a_main_loop_given_to_a_shared_bus_is_used_once(run_snippet, bus):
    code = """
from dbus.mainloop.glib import DBusGMainLoop
first = dbus.SessionBus(mainloop=DBusGMainLoop())
first._require_main_loop()
print(dbus.SessionBus() is first)
first.set_exit_on_disconnect(False)
first.close()
try:
    dbus.SessionBus()._require_main_loop()
except RuntimeError:
    print('no loop')
"""
    assert run(run_snippet, bus, code) == ["True", "no loop"]


@pytest.mark.parametrize("wrong", [7, -1, "x"])
def test_an_unknown_kind(wrong):
    with pytest.raises(ValueError, match=f"invalid bus_type {wrong}"):
        dbus.Bus(wrong)


def test_names_of_the_module():
    assert dbus.Bus is dbus._dbus.Bus
    assert dbus._dbus.BusConnection is dbus.bus.BusConnection
    assert issubclass(dbus.SessionBus, dbus.Bus)
    assert issubclass(dbus.Bus, dbus.bus.BusConnection)
    assert (dbus.Bus.TYPE_SESSION, dbus.Bus.TYPE_SYSTEM, dbus.Bus.TYPE_STARTER) == (0, 1, 2)
    assert dbus.Bus.START_REPLY_SUCCESS == 1
    assert dbus.Bus.START_REPLY_ALREADY_RUNNING == 2


def test_no_bus_to_be_reached(run_snippet):
    code = """
import dbus
for cls in (dbus.SessionBus, dbus.SystemBus, dbus.StarterBus):
    try:
        cls()
    except dbus.exceptions.DBusException as error:
        print(error.get_dbus_name())
"""
    nowhere = "unix:path=/nonexistent/bus"
    environment = {variable: nowhere for _, _, _, variable in KINDS.values()}
    result = run_snippet(code, env=environment)
    assert result.stdout.split() == ["org.freedesktop.DBus.Error.FileNotFound"] * 3


def test_end_of_the_interpreter_with_open_shared_buses(run_snippet, bus):
    code = """
a, b = dbus.SessionBus(), dbus.SystemBus()
print(a.name_has_owner(b.get_unique_name()))
"""
    assert run(run_snippet, bus, code) in (["1"], ["True"])
