# SPDX-License-Identifier: MIT
"""ProxyObject and Interface: calls, introspection, signals, names."""

import pytest
from peers import (
    BUS,
    BUS_PATH,
    ERROR,
    INTROSPECTABLE,
    Calls,
    attach,
    barrier,
    run_until,
    run_while_serving,
    serve,
)

import dbus
import dbus.proxies
import dbus.service
from dbus.exceptions import DBusException
from dbus.proxies import Interface, ProxyObject

NAME = "test.Service"
XML = """<node>
  <interface name="test.I">
    <method name="Echo"><arg type="v" direction="in"/><arg type="v" direction="out"/></method>
    <method name="Bytes"><arg type="ay" direction="in"/><arg type="ay" direction="out"/></method>
    <method name="Small"><arg type="y" direction="in"/><arg type="y" direction="out"/></method>
    <method name="Nothing"/>
  </interface>
</node>"""


class Served:
    """A service over raw messages that counts what it is asked."""

    def __init__(self, bus):
        self.conn = attach(bus)
        self.conn.request_name(NAME)
        self.held = []
        self.xml = XML
        self.seen = serve(
            self.conn,
            "/s",
            Echo=self.echo,
            Bytes=self.echo,
            Small=self.echo,
            Nothing=lambda _m: (),
            Two=lambda _m: (1, "two"),
            Hold=self.held.append,
            Introspect=lambda _m: (self.xml,),
            Sender=lambda m: (m.get_sender(),),
            Signature=lambda m: (m.get_signature(),),
            Interface=lambda m: (m.get_interface() or "",),
        )

    @staticmethod
    def echo(message):
        return tuple(message.get_args_list())

    def count(self, member):
        return len([m for m in self.seen if m.get_member() == member])


@pytest.fixture
def served(bus):
    return Served(bus)


@pytest.fixture
def proxy(served, client):
    return client.get_object(NAME, "/s", introspect=False)


class Ask:
    """Call proxy methods over the loop, as both ends live in this process."""

    def __init__(self):
        self.error = None

    def __call__(self, method, *args, **keywords):
        got, bad = Calls(), Calls()
        method(*args, reply_handler=got, error_handler=bad, **keywords)
        run_until(lambda: got or bad)
        if bad:
            raise bad.firsts[0]
        return got.args[0]


ask = Ask()


# -- making proxies -------------------------------------------------------------------------------


def test_get_object(served, client):
    proxy = client.get_object(NAME, "/s", introspect=False)
    assert type(proxy) is ProxyObject
    assert proxy.object_path == "/s"
    assert proxy.bus_name == served.conn.get_unique_name()
    assert proxy.requested_bus_name == NAME
    assert proxy.__dbus_object_path__ == "/s"


def test_get_object_keywords(served, client):
    proxy = client.get_object(bus_name=NAME, object_path="/s", introspect=False)
    assert proxy.requested_bus_name == NAME
    with pytest.raises(TypeError):
        client.get_object(NAME, "/s", named_service=NAME)
    with pytest.raises(TypeError):
        client.get_object(NAME, "/s", foo=1)
    with pytest.raises(TypeError):
        client.get_object(NAME)


@pytest.mark.parametrize(("name", "path"), [("x", "/"), (NAME, "x"), (NAME, "/x/"), ("", "/")])
def test_get_object_with_invalid_names(client, name, path):
    with pytest.raises(ValueError):
        client.get_object(name, path, introspect=False)


def test_get_object_of_a_name_that_nobody_has(client):
    with pytest.raises(DBusException) as caught:
        client.get_object("does.not.exist", "/")
    assert caught.value.get_dbus_name() == ERROR + "ServiceUnknown"


def test_a_proxy_stays_with_the_owner_it_was_made_for(bus, served, client):
    proxy = client.get_object(NAME, "/s", introspect=False)
    first = served.conn.get_unique_name()
    served.conn.release_name(NAME)
    other = Served(bus)
    assert proxy.bus_name == first
    served.conn.close()
    with pytest.raises(DBusException) as caught:
        ask(proxy.Nothing, dbus_interface="test.I")
    assert caught.value.get_dbus_name() == ERROR + "ServiceUnknown"
    fresh = client.get_object(NAME, "/s", introspect=False)
    assert fresh.bus_name == other.conn.get_unique_name()


def test_a_proxy_may_follow_the_owner(bus, served, client):
    proxy = client.get_object(NAME, "/s", introspect=False, follow_name_owner_changes=True)
    assert proxy.bus_name == proxy.requested_bus_name == NAME
    served.conn.release_name(NAME)
    other = Served(bus)
    assert ask(proxy.Nothing, dbus_interface="test.I") == ()
    assert other.count("Nothing") == 1
    assert served.count("Nothing") == 0


def test_following_needs_no_owner_yet(bus, client):
    proxy = client.get_object(NAME, "/s", introspect=False, follow_name_owner_changes=True)
    served = Served(bus)
    assert ask(proxy.Sender, dbus_interface="test.I") == (client.get_unique_name(),)
    assert served.count("Sender") == 1


def test_a_unique_name(served, client):
    unique = served.conn.get_unique_name()
    proxy = client.get_object(unique, "/s", introspect=False)
    assert proxy.bus_name == proxy.requested_bus_name == unique
    proxy = client.get_object(unique, "/s", introspect=False, follow_name_owner_changes=True)
    assert proxy.bus_name == unique


def test_representations(proxy, client):
    assert repr(proxy).startswith(f"<ProxyObject wrapping {client!r} :1.")
    assert " /s at 0x" in repr(proxy)
    assert str(proxy) == repr(proxy)
    interface = Interface(proxy, "test.I")
    assert repr(interface).startswith(f"<Interface {proxy!r} implementing 'test.I' at 0x")
    assert str(interface) == repr(interface)


def test_proxy_object_by_hand(served, client):
    proxy = ProxyObject(client, NAME, "/s", introspect=False)
    assert ask(proxy.Nothing, dbus_interface="test.I") == ()
    proxy = ProxyObject(conn=client, bus_name=NAME, object_path="/s", introspect=False)
    assert ask(proxy.Nothing, dbus_interface="test.I") == ()
    with pytest.raises(TypeError):
        ProxyObject(client, NAME)
    with pytest.raises(TypeError):
        ProxyObject(client, NAME, "/s", foo=1)


# -- calling --------------------------------------------------------------------------------------


def test_results(proxy):
    assert ask(proxy.Nothing, dbus_interface="test.I") == ()
    assert ask(proxy.Echo, "x", dbus_interface="test.I") == ("x",)
    assert ask(proxy.Two, dbus_interface="test.I") == (1, "two")


def test_blocking_results(client):
    bus_object = client.get_object(BUS, BUS_PATH)
    assert type(bus_object.GetId(dbus_interface=BUS)) is dbus.String
    assert bus_object.AddMatch("type='signal'", dbus_interface=BUS) is None


def test_several_blocking_results_are_a_tuple(run_snippet, bus):
    """The service is another process's, so that a blocking call has an answer."""
    Served(bus)
    code = """
import sys, dbus, dbus.bus
conn = dbus.bus.BusConnection(sys.argv[1])
conn.set_exit_on_disconnect(False)
proxy = conn.get_object('test.Service', '/s')
two = proxy.Two(dbus_interface='test.I')
print(type(two).__name__, two, proxy.Nothing(dbus_interface='test.I'))
"""
    result = run_while_serving(run_snippet, code, bus.address)
    assert result.stdout.strip() == "tuple (dbus.Int32(1), dbus.String('two')) None", result


def test_the_interface_keyword(proxy):
    assert ask(proxy.Interface, dbus_interface="test.I") == ("test.I",)
    assert ask(proxy.Interface) == ("",)
    assert ask(proxy.get_dbus_method("Interface", "a.b")) == ("a.b",)
    assert ask(proxy.get_dbus_method("Interface", dbus_interface="a.b")) == ("a.b",)
    assert ask(proxy.get_dbus_method("Interface", "a.b"), dbus_interface="c.d") == ("c.d",)


def test_the_signature_keyword(proxy, served, client, caplog):
    assert ask(proxy.Signature, 5, dbus_interface="test.I") == ("i",)
    assert ask(proxy.Signature, 5, dbus_interface="test.I", signature="y") == ("y",)
    assert ask(proxy.Signature, 5, dbus_interface="test.I", signature=None) == ("i",)
    with pytest.raises(TypeError):
        proxy.Echo("x", dbus_interface="test.I", signature="i")
    # It wins over what introspection found.
    introspected = client.get_object(NAME, "/s")
    (result,) = ask(introspected.Small, 300, dbus_interface="test.I", signature="i")
    assert result == 300


def test_keywords_that_nobody_knows_are_ignored(proxy):
    assert ask(proxy.Echo, 5, dbus_interface="test.I", foo=1) == (5,)
    with pytest.raises(TypeError, match="utf8_strings"):
        proxy.Echo(5, dbus_interface="test.I", utf8_strings=True)


def test_the_timeout_keyword(proxy):
    with pytest.raises(DBusException) as caught:
        proxy.Hold(dbus_interface="test.I", timeout=0.02)
    assert caught.value.get_dbus_name() == ERROR + "NoReply"
    with pytest.raises(DBusException) as caught:
        ask(proxy.Hold, dbus_interface="test.I", timeout=0.02)
    assert caught.value.get_dbus_name() == ERROR + "NoReply"


def test_byte_arrays_keyword(proxy):
    data = dbus.ByteArray(b"ab")
    (plain,) = ask(proxy.Bytes, data, dbus_interface="test.I")
    (joined,) = ask(proxy.Bytes, data, dbus_interface="test.I", byte_arrays=True)
    assert (type(plain), type(joined)) == (dbus.Array, dbus.ByteArray)
    assert joined == b"ab"


def test_ignore_reply(proxy, served, level):
    assert proxy.Echo("x", dbus_interface="test.I", ignore_reply=True) is None
    run_until(lambda: served.count("Echo"))
    assert served.seen[-1].get_no_reply() is (level >= (1, 4))
    with pytest.raises(TypeError):
        proxy.Echo("x", ignore_reply=True, reply_handler=print, error_handler=print)


def test_call_async(proxy):
    got = Calls()
    method = proxy.get_dbus_method("Echo", "test.I")
    method.call_async("x", reply_handler=got, error_handler=print)
    assert got.wait().args == [("x",)]


def test_calling_with_handlers_returns_nothing(proxy):
    got = Calls()
    assert proxy.Echo(1, reply_handler=got, error_handler=print) is None
    got.wait()


def test_one_handler_alone_is_an_error(proxy):
    with pytest.raises(dbus.exceptions.MissingErrorHandlerException):
        proxy.Echo(1, reply_handler=print)
    with pytest.raises(dbus.exceptions.MissingReplyHandlerException):
        proxy.Echo(1, error_handler=print)


def test_one_handler_alone_is_an_error_before_the_introspection_too(served, client):
    proxy = client.get_object(served.conn.get_unique_name(), "/s")
    caught = []

    def attempt():
        try:
            proxy.Echo(1, error_handler=print)
        except DBusException as error:
            caught.append(error)

    run_while_serving(attempt)
    assert [type(error) for error in caught] == [dbus.exceptions.MissingReplyHandlerException]


def test_errors(proxy):
    with pytest.raises(DBusException) as caught:
        ask(proxy.Missing, dbus_interface="test.I")
    assert type(caught.value) is DBusException
    assert caught.value.get_dbus_name() == ERROR + "UnknownMethod"
    assert "Missing" in caught.value.get_dbus_message()


def test_invalid_names(proxy):
    with pytest.raises(ValueError):
        proxy.get_dbus_method("not-valid")
    with pytest.raises(ValueError):
        proxy.get_dbus_method("Echo", "not valid")
    with pytest.raises(ValueError):
        proxy.get_dbus_method("Echo", "a.b")(dbus_interface="x")
    with pytest.raises(ValueError):
        Interface(proxy, "x").Echo()


def test_attributes_with_two_underscores_are_no_methods(proxy):
    with pytest.raises(AttributeError):
        getattr(proxy, "__missing__")  # noqa: B009
    with pytest.raises(AttributeError):
        getattr(Interface(proxy, "test.I"), "__missing__")  # noqa: B009
    assert not hasattr(proxy, "__len__")


def test_an_attribute_is_a_new_method_each_time(proxy):
    assert proxy.Echo is not proxy.Echo
    assert isinstance(proxy.Echo, dbus.proxies._ProxyMethod)


# -- introspection --------------------------------------------------------------------------------


def test_without_introspection_types_are_guessed(proxy, served):
    assert ask(proxy.Signature, 1, "s", dbus_interface="test.I") == ("is",)
    assert served.count("Introspect") == 0
    assert type(proxy.Echo) is dbus.proxies._ProxyMethod


def test_introspection_is_asked_for_once(served, client):
    proxy = client.get_object(NAME, "/s")
    assert ask(proxy.Small, 5, dbus_interface="test.I") == (5,)
    assert ask(proxy.Small, 6, dbus_interface="test.I") == (6,)
    assert served.count("Introspect") == 1
    first = served.seen[0]
    assert (first.get_member(), first.get_interface()) == ("Introspect", INTROSPECTABLE)


def test_introspection_gives_the_types(served, client):
    proxy = client.get_object(NAME, "/s")
    (small,) = ask(proxy.Small, 5, dbus_interface="test.I")
    assert type(small) is dbus.Byte
    (value,) = ask(proxy.Echo, 5, dbus_interface="test.I")
    assert value.variant_level == 1
    assert proxy._introspect_method_map["test.I.Small"] == "y"
    with pytest.raises((OverflowError, ValueError)):
        proxy.Small(256, dbus_interface="test.I")
    with pytest.raises(TypeError):
        proxy.Small(dbus_interface="test.I")


def test_calls_wait_for_introspection_in_order(served, client):
    proxy = client.get_object(NAME, "/s")
    assert isinstance(proxy.Echo, dbus.proxies._DeferredMethod)
    got = Calls()
    for number in range(5):
        proxy.Small(number, dbus_interface="test.I", reply_handler=got, error_handler=print)
    assert served.seen == []
    assert got.wait(5).firsts == [0, 1, 2, 3, 4]
    assert [m.get_member() for m in served.seen] == ["Introspect"] + ["Small"] * 5
    assert not isinstance(proxy.Echo, dbus.proxies._DeferredMethod)


def test_introspection_by_hand(client):
    proxy = client.get_object(BUS, BUS_PATH, introspect=False)
    assert proxy._introspect_method_map == {}
    proxy._Introspect().block()
    assert proxy._introspect_method_map[BUS + ".NameHasOwner"] == "s"


def test_a_blocking_call_waits_for_introspection(client):
    proxy = client.get_object(BUS, BUS_PATH)
    assert len(proxy.GetId(dbus_interface=BUS)) == 32


def test_introspection_that_fails(served, client, caplog):
    served.xml = "nonsense"
    proxy = client.get_object(NAME, "/s")
    assert ask(proxy.Signature, 1, dbus_interface="test.I") == ("i",)


def test_introspection_that_is_refused(bus, client, caplog):
    other = attach(bus)
    other.request_name("test.Other")
    other._register_object_path("/o", lambda _c, _m: 1)

    def refuse(connection, message):
        if message.get_type() == dbus.lowlevel.MESSAGE_TYPE_METHOD_CALL:
            connection.send_message(dbus.lowlevel.ErrorMessage(message, "x.y.No", "no"))
            return dbus.lowlevel.HANDLER_RESULT_HANDLED
        return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED

    other.add_message_filter(refuse)
    proxy = client.get_object("test.Other", "/o")
    with pytest.raises(DBusException) as caught:
        ask(proxy.M, 1, dbus_interface="test.I")
    assert caught.value.get_dbus_name() == "x.y.No"
    assert any("Introspect error" in r.getMessage() for r in caplog.records)


def test_a_member_name_alone_finds_no_types(served, client):
    """Without an interface the introspected signature is not known."""
    proxy = client.get_object(NAME, "/s")
    assert ask(proxy.Small, dbus.Byte(5)) == (5,)
    (result,) = ask(proxy.Small, 300)
    assert type(result) is dbus.Int32


# -- Interface ------------------------------------------------------------------------------------


def test_interface(served, client, proxy):
    interface = Interface(proxy, dbus_interface="test.I")
    assert ask(interface.Interface) == ("test.I",)
    assert ask(interface.Interface, dbus_interface="a.b") == ("a.b",)
    assert ask(interface.get_dbus_method("Interface")) == ("test.I",)
    assert ask(interface.get_dbus_method("Interface", "a.b")) == ("a.b",)
    assert interface.object_path == "/s"
    assert interface.bus_name == served.conn.get_unique_name()
    assert interface.requested_bus_name == NAME
    assert interface.dbus_interface == "test.I"
    assert interface.proxy_object is proxy
    assert interface.__dbus_object_path__ == "/s"
    assert dbus.Interface is Interface


def test_interface_of_an_interface(proxy):
    first = Interface(proxy, "test.I")
    second = Interface(first, "a.b")
    assert second.proxy_object is proxy
    assert ask(second.Interface) == ("a.b",)


def test_interface_has_no_state_of_its_own(client):
    interface = Interface(client.get_object(BUS, BUS_PATH), BUS)
    assert len(interface.GetId()) == 32
    assert interface.NameHasOwner(BUS)


# -- signals --------------------------------------------------------------------------------------


def emit(conn, member="Changed", interface="test.I", *args, path="/s"):
    signal = dbus.lowlevel.SignalMessage(path, interface, member)
    if args:
        signal.append(*args)
    conn.send_message(signal)


def test_connect_to_signal(served, client, proxy):
    got = Calls()
    match = proxy.connect_to_signal("Changed", got, dbus_interface="test.I", path_keyword="p")
    emit(served.conn, "Changed", "test.I", 1)
    emit(served.conn, "Changed", "test.Other", 2)
    emit(served.conn, "Else", "test.I", 3)
    emit(served.conn, "Changed", "test.I", 4, path="/other")
    barrier(served.conn, client)
    assert got == [((1,), {"p": "/s"})]
    match.remove()
    emit(served.conn, "Changed", "test.I", 5)
    barrier(served.conn, client)
    assert len(got) == 1


def test_connect_to_signal_of_an_interface(served, client, proxy):
    got = Calls()
    interface = Interface(proxy, "test.I")
    interface.connect_to_signal("Changed", got)
    interface.connect_to_signal("Changed", got, dbus_interface="test.Other")
    emit(served.conn, "Changed", "test.I", 1)
    emit(served.conn, "Changed", "test.Other", 2)
    barrier(served.conn, client)
    assert got.args == [(1,), (2,)]


def test_connect_to_all_signals(served, client, proxy):
    got = Calls()
    proxy.connect_to_signal(None, got, member_keyword="m", interface_keyword="i")
    emit(served.conn, "A", "test.I")
    emit(served.conn, "B", "test.J")
    barrier(served.conn, client)
    assert [k for _, k in got] == [{"m": "A", "i": "test.I"}, {"m": "B", "i": "test.J"}]


def test_signals_of_others_are_not_delivered(bus, served, client, proxy):
    got = Calls()
    proxy.connect_to_signal("Changed", got, dbus_interface="test.I")
    impostor = attach(bus)
    emit(impostor, "Changed", "test.I", "fake")
    emit(served.conn, "Changed", "test.I", "real")
    barrier(impostor, served.conn, client)
    assert got.args == [("real",)]


@pytest.mark.parametrize(("member", "interface"), [("no-member", None), ("A", "x")])
def test_connect_to_signal_with_invalid_names(proxy, member, interface):
    with pytest.raises(ValueError):
        proxy.connect_to_signal(member, print, dbus_interface=interface)


# -- objects as arguments -------------------------------------------------------------------------


def test_proxies_and_exported_objects_are_object_paths(served, client, proxy):
    exported = dbus.service.Object(client, "/mine")
    interface = Interface(proxy, "test.I")
    for thing, path in ((proxy, "/s"), (interface, "/s"), (exported, "/mine")):
        (result,) = ask(proxy.Echo, thing, dbus_interface="test.I")
        assert type(result) is dbus.ObjectPath
        assert result == path
        assert ask(proxy.Signature, thing, dbus_interface="test.I") == ("o",)


# -- hooks ----------------------------------------------------------------------------------------


def test_private_attributes_that_programs_use(served, client, proxy):
    interface = Interface(proxy, "test.I")
    assert interface._obj is proxy
    assert interface._obj._bus is client
    assert proxy._requested_bus_name == NAME
    assert proxy._named_service == served.conn.get_unique_name()
    assert proxy.__dbus_object_path__ == "/s"


def test_the_class_of_proxies_can_be_chosen(bus, served):
    class Mine(ProxyObject):
        pass

    conn = attach(bus)
    conn.ProxyObjectClass = Mine
    proxy = conn.get_object(NAME, "/s", introspect=False)
    assert type(proxy) is Mine
    assert ask(proxy.Nothing, dbus_interface="test.I") == ()


def test_the_class_of_methods_can_be_chosen(served, client):
    made = []

    class Method(dbus.proxies._ProxyMethod):
        def __call__(self, *args, **keywords):
            made.append(args)
            return super().__call__(*args, **keywords)

    class Mine(ProxyObject):
        ProxyMethodClass = Method

    proxy = Mine(client, NAME, "/s", introspect=False)
    assert type(proxy.Echo) is Method
    assert ask(proxy.Echo, 5, dbus_interface="test.I") == (5,)
    assert made == [(5,)]


def test_an_attribute_may_be_set_on_a_proxy(proxy):
    proxy.note = "x"
    assert proxy.note == "x"
