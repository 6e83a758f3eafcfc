# SPDX-License-Identifier: MIT
"""Names with an underscore that real programs use: their presence and their shape."""

import inspect

import pytest
from peers import attach

import _dbus_bindings
import dbus
import dbus._compat
import dbus._dbus
import dbus.bus
import dbus.connection
import dbus.mainloop.glib
import dbus.proxies
import dbus.service


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_method_lookup", ["self", "method_name", "dbus_interface"]),
        (
            "_method_reply_return",
            ["connection", "message", "method_name", "signature", "*retval"],
        ),
        ("_method_reply_error", ["connection", "message", "exception"]),
    ],
)
def test_module_globals_of_service(name, parameters):
    function = getattr(dbus.service, name)
    assert inspect.isfunction(function)
    found = []
    for parameter in inspect.signature(function).parameters.values():
        star = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        found.append(star + parameter.name)
    assert found == parameters


def test_import_dbus_alone_brings_most_modules(run_snippet):
    """Programs say `import dbus` and go on with dbus.lowlevel or dbus.exceptions."""
    code = """
import dbus
names = '_dbus _compat bus connection exceptions lowlevel proxies types'.split()
print([name for name in names if not hasattr(dbus, name)])
"""
    assert run_snippet(code).stdout == "[]\n"


def test_names_that_programs_reach_through_the_wrong_module():
    """python-dbusmock takes the message classes from dbus.connection."""
    import dbus.lowlevel

    for module in (dbus.connection, dbus.service):
        for name in ("MethodCallMessage", "MethodReturnMessage", "ErrorMessage", "SignalMessage"):
            if module is dbus.service and name == "SignalMessage":
                continue
            assert getattr(module, name) is getattr(dbus.lowlevel, name)
    assert dbus.connection.LOCAL_IFACE == "org.freedesktop.DBus.Local"
    assert dbus.service.validate_object_path is dbus.validate_object_path


def test_names_of_proxies():
    assert inspect.isclass(dbus.proxies._ProxyMethod)
    assert inspect.isclass(dbus.proxies._DeferredMethod)
    assert dbus.proxies.ProxyObject.ProxyMethodClass is dbus.proxies._ProxyMethod
    assert dbus.proxies.ProxyObject.DeferredMethodClass is dbus.proxies._DeferredMethod
    assert dbus.proxies.ProxyObject.INTROSPECT_STATE_DONT_INTROSPECT == 0
    assert dbus.proxies.ProxyObject.INTROSPECT_STATE_INTROSPECT_IN_PROGRESS == 1
    assert dbus.proxies.ProxyObject.INTROSPECT_STATE_INTROSPECT_DONE == 2
    assert dbus.connection.Connection.ProxyObjectClass is dbus.proxies.ProxyObject


def test_a_proxy_method_by_hand(bus):
    conn = attach(bus)
    proxy = conn.get_object("org.freedesktop.DBus", "/org/freedesktop/DBus", introspect=False)
    method = dbus.proxies._ProxyMethod(
        proxy, conn, "org.freedesktop.DBus", "/org/freedesktop/DBus", "GetId", None
    )
    assert len(method(dbus_interface="org.freedesktop.DBus")) == 32


def test_attributes_of_proxies(bus):
    conn = attach(bus)
    conn.request_name("test.Name")
    proxy = conn.get_object("test.Name", "/s", introspect=False)
    assert proxy._requested_bus_name == "test.Name"
    assert proxy._named_service == conn.get_unique_name()
    assert proxy._bus is conn
    assert proxy._introspect_method_map == {}
    interface = dbus.Interface(proxy, "test.I")
    assert interface._obj is proxy
    # Only Interface reaches a proxy through these; programs do too.
    assert interface._obj._bus is conn


def test_names_of_bus_modules():
    assert dbus._dbus.BusConnection is dbus.bus.BusConnection
    for name in ("Bus", "SystemBus", "SessionBus", "StarterBus"):
        assert getattr(dbus._dbus, name) is getattr(dbus, name)
    assert dbus._compat.is_py3 is True
    assert dbus._compat.is_py2 is False


def test_tables_of_connections(bus):
    conn = attach(bus)
    assert conn._signal_recipients_by_object_path == {}
    assert type(conn._signal_recipients_by_object_path) is dict
    assert not conn._signal_sender_matches


def test_tables_can_be_walked_as_programs_do(bus):
    """Count the receivers of an interface through a proxy, and remove them."""
    conn = attach(bus)
    proxy = conn.get_object("org.freedesktop.DBus", "/org/freedesktop/DBus", introspect=False)
    interface = dbus.Interface(proxy, "org.freedesktop.DBus")
    interface.connect_to_signal("NameOwnerChanged", print)
    interface.connect_to_signal("NameAcquired", print)
    found = []
    table = interface._obj._bus._signal_recipients_by_object_path
    for path, interfaces in table.items():
        for name, members in (interfaces or {}).items():
            for member, matches in members.items():
                found += [(path, name, member, match) for match in matches]
    assert sorted(entry[2] for entry in found) == ["NameAcquired", "NameOwnerChanged"]
    for *_, match in found:
        match.remove()


def test_low_level_methods_of_connections():
    for name in (
        "_register_object_path",
        "_unregister_object_path",
        "_require_main_loop",
        "_new_for_bus",
    ):
        assert hasattr(_dbus_bindings.Connection, name)


def test_match_internals(bus):
    conn = attach(bus)
    match = conn.add_signal_receiver(print, "S", "a.b", "org.freedesktop.DBus", "/x", arg0="q")
    assert (match._member, match._interface, match._path) == ("S", "a.b", "/x")
    assert match._handler is print
    assert match._sender == "org.freedesktop.DBus"
    with pytest.raises(AttributeError):
        match.note = 1


def test_class_attributes_of_service_objects():
    assert dbus.service.Object.SUPPORTS_MULTIPLE_OBJECT_PATHS is False
    assert dbus.service.Object.SUPPORTS_MULTIPLE_CONNECTIONS is False
    assert dbus.service.FallbackObject.SUPPORTS_MULTIPLE_OBJECT_PATHS is True
    assert dbus.service.FallbackObject.SUPPORTS_MULTIPLE_CONNECTIONS is False
    assert type(dbus.service.Object) is dbus.service.InterfaceType
    assert issubclass(dbus.service.Object, dbus.service.Interface)
    assert hasattr(dbus.service.InterfaceType, "_reflect_on_method")
    assert hasattr(dbus.service.InterfaceType, "_reflect_on_signal")


def test_reflection_by_hand():
    @dbus.service.method("test.I", in_signature="s", out_signature="i")
    def M(self, name):
        pass

    @dbus.service.signal("test.I", signature="s")
    def S(self, text):
        pass

    text = dbus.service.Object._reflect_on_method(M)
    assert 'method name="M"' in text
    assert 'type="s"' in text
    text = dbus.service.Object._reflect_on_signal(S)
    assert 'signal name="S"' in text


def test_version_numbers():
    import sys

    # Major and minor version of Python; a build may leave the rest in.
    assert _dbus_bindings._python_version & 0xFFFF0000 == sys.hexversion & 0xFFFF0000
    assert (0, 41) < dbus.version < (23, 0)
    assert ".".join(map(str, dbus.version)) == dbus.__version__
