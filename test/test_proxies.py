# SPDX-License-Identifier: MIT
"""dbus.proxies: queued calls, introspection that goes wrong, and the hooks."""

import gc
import threading
import weakref

import pytest
import wire
from marshalling import FakePeer
from peers import Calls, attach, barrier, run_until, wakeup

import dbus
import dbus.service
from dbus import proxies
from dbus.mainloop.glib import DBusGMainLoop

I = "test.I"  # noqa: E741


class Service(dbus.service.Object):
    @dbus.service.method(I, in_signature="ay", out_signature="s")
    def Hex(self, data):
        return "".join(f"{byte:02x}" for byte in data)

    @dbus.service.method(I, in_signature="s", out_signature="s")
    def Echo(self, text):
        return text


class Unreadable(Service):
    def Introspect(self, object_path, connection):
        return "<node><interface><method name='M'/></interface></node>"


@pytest.fixture
def serving(bus):
    return attach(bus)


@pytest.fixture
def service(serving):
    return Service(serving, "/service")


@pytest.fixture
def client(bus):
    return attach(bus)


def proxy_of(client, service, **keywords):
    connection = service.connection
    return client.get_object(connection.get_unique_name(), service._object_path, **keywords)


def test_queued_calls_are_sent_with_the_signature_of_the_introspection(client, service):
    proxy = proxy_of(client, service)
    method = proxy.get_dbus_method("Hex", I)
    assert isinstance(method, proxies._DeferredMethod)
    got = Calls()
    method([1, 2, 255], reply_handler=got, error_handler=got)
    assert len(proxy._pending_introspect_queue) == 1
    run_until(lambda: got)
    assert got.args == [("0102ff",)]
    assert isinstance(proxy.get_dbus_method("Hex", I), proxies._ProxyMethod)


def test_queued_calls_keep_their_order(client, service):
    proxy = dbus.Interface(proxy_of(client, service), I)
    got = Calls()
    for turn in range(20):
        proxy.Echo(str(turn), reply_handler=got, error_handler=got)
    run_until(lambda: len(got) == 20)
    assert [args[0] for args in got.args] == [str(turn) for turn in range(20)]


def test_a_queued_call_that_fails_takes_no_other_along(client, service, caplog):
    proxy = dbus.Interface(proxy_of(client, service), I)
    failed, got = Calls(), Calls()
    proxy.Echo(3, reply_handler=got, error_handler=failed)
    proxy.Echo(4, ignore_reply=True)
    proxy.Echo("x", reply_handler=got, error_handler=failed)
    run_until(lambda: got)
    assert got.args == [("x",)]
    ((error,),) = failed.args
    assert isinstance(error, TypeError)
    assert "Exception in a queued call" in caplog.text


def test_a_handler_of_a_queued_call_that_fails_takes_no_other_along(client, service, caplog):
    proxy = dbus.Interface(proxy_of(client, service), I)
    got = Calls()

    def bad(error):
        raise RuntimeError("in the handler") from None

    proxy.Echo(3, reply_handler=got, error_handler=bad)
    proxy.Echo("x", reply_handler=got, error_handler=bad)
    run_until(lambda: got)
    assert got.args == [("x",)]
    assert "RuntimeError: in the handler" in caplog.text


def test_introspection_that_cannot_be_read_ends_the_waiting(client, serving, caplog):
    proxy = proxy_of(client, Unreadable(serving, "/service"))
    got = Calls()
    proxy.Echo("x", dbus_interface=I, reply_handler=got, error_handler=got)
    run_until(lambda: got)
    assert got.args == [("x",)]
    assert proxy._introspect_state == proxy.INTROSPECT_STATE_INTROSPECT_DONE
    assert "Introspect error on" in caplog.text


def test_a_method_looked_up_before_the_introspection_came_can_be_called_after(client, service):
    proxy = proxy_of(client, service)
    deferred = proxy.get_dbus_method("Echo", I)
    run_until(lambda: proxy._pending_introspect is None)
    got = Calls()
    deferred("x", reply_handler=got, error_handler=got)
    deferred.call_async("y", reply_handler=got, error_handler=got)
    run_until(lambda: len(got) == 2)
    assert got.args == [("x",), ("y",)]


def test_a_blocking_call_in_another_thread_while_the_loop_runs(client, service):
    """The loop may get the reply that the thread waits for: neither may wait for the other."""
    results = []

    def work():
        proxy = dbus.Interface(proxy_of(client, service), I)
        results.append(proxy.Echo("x"))
        wakeup()

    threads = [threading.Thread(target=work) for _thread in range(4)]
    for thread in threads:
        thread.start()
    run_until(lambda: len(results) == 4)
    for thread in threads:
        thread.join(60)
    assert results == ["x"] * 4


def test_the_hooks_for_methods(client, service):
    seen = []

    class Method(proxies._ProxyMethod):
        def __call__(self, *args, **keywords):
            seen.append((self._method_name, self._dbus_interface, args))
            return super().__call__(*args, **keywords)

    class Proxy(proxies.ProxyObject):
        ProxyMethodClass = Method

    proxy = Proxy(client, service.connection.get_unique_name(), "/service", introspect=False)
    got = Calls()
    dbus.Interface(proxy, I).Echo("x", reply_handler=got, error_handler=got)
    run_until(lambda: got)
    assert seen == [("Echo", I, ("x",))]
    assert got.args == [("x",)]


def test_a_class_of_proxies_of_ones_own(client, service):
    class Proxy(proxies.ProxyObject):
        pass

    client.ProxyObjectClass = Proxy
    assert type(proxy_of(client, service, introspect=False)) is Proxy


@pytest.mark.parametrize("name", ["__len__", "__iter__", "__fspath__", "__await__"])
def test_special_names_are_no_methods(client, service, name):
    proxy = proxy_of(client, service, introspect=False)
    for holder in (proxy, dbus.Interface(proxy, I)):
        with pytest.raises(AttributeError, match=name):
            getattr(holder, name)


def test_an_interface_of_an_interface_is_one_of_the_same_object(client, service):
    proxy = proxy_of(client, service, introspect=False)
    inner = dbus.Interface(proxy, "x.y")
    outer = dbus.Interface(inner, I)
    assert outer.proxy_object is proxy
    assert outer.dbus_interface == I
    assert outer.object_path == outer.__dbus_object_path__ == "/service"
    assert outer.bus_name == outer.requested_bus_name == service.connection.get_unique_name()


BUS = "org.freedesktop.DBus"


def identity(client):
    return client.call_blocking(BUS, "/", BUS, "GetId", "", ())


def test_an_interface_keeps_its_methods(client):
    interface = dbus.Interface(client.get_object(BUS, "/x", introspect=False), BUS)
    assert interface.GetId is interface.GetId is not interface.get_dbus_method("GetId")
    assert interface.GetId() == interface.GetId() == identity(client)
    gone = weakref.ref(interface.proxy_object)
    gc.disable()
    try:
        del interface
        assert gone() is None  # there is no cycle
    finally:
        gc.enable()


def test_an_interface_keeps_no_method_that_may_change(client):
    class Proxy(proxies.ProxyObject):
        def get_dbus_method(self, member, dbus_interface=None):
            return super().get_dbus_method(self.member, dbus_interface)

    interface = dbus.Interface(Proxy(client, BUS, "/x", introspect=False), BUS)
    interface.proxy_object.member = "Missing"
    with pytest.raises(dbus.DBusException, match="Missing"):
        interface.Any()
    interface.proxy_object.member = "GetId"
    assert interface.Any() == identity(client)

    # While introspection is under way, a method that will wait for it.
    interface = dbus.Interface(client.get_object(BUS, "/org/freedesktop/DBus"), BUS)
    assert isinstance(interface.GetNameOwner, proxies._DeferredMethod)
    assert interface.GetNameOwner(BUS) == BUS
    assert isinstance(interface.GetNameOwner, proxies._ProxyMethod)
    assert interface.GetNameOwner(BUS) == BUS


def test_signals_of_a_proxy_come_from_its_object_alone(client, serving, service):
    other = Service(serving, "/other")
    got = Calls()
    proxy = proxy_of(client, service, introspect=False)
    match = proxy.connect_to_signal("S", got, I, path_keyword="path")
    assert "path='/service'" in str(match)
    for path in (service._object_path, other._object_path):
        serving.send_message(dbus.lowlevel.SignalMessage(path, I, "S"))
    barrier(serving, client)
    assert [keywords["path"] for _args, keywords in got] == ["/service"]


@pytest.mark.parametrize("values", [(), ("u", 5), ("ss", "x", "y"), ("as", [])])
def test_introspection_that_is_no_text_ends_the_waiting(values, caplog):
    def answer(peer, message):
        peer.send(wire.returned(message.serial, *values))

    with FakePeer(answers={"Introspect": answer}) as fake:
        client = dbus.bus.BusConnection(fake.address, mainloop=DBusGMainLoop())
        proxy = client.get_object(":1.2", "/")
        got = Calls()
        for _ in range(2):
            proxy.Good(dbus_interface=I, reply_handler=got, error_handler=got)
        run_until(lambda: len(got) == 2)
        assert got.args == [("good",), ("good",)]
        assert proxy._introspect_state == proxy.INTROSPECT_STATE_INTROSPECT_DONE
        assert "Introspect error on" in caplog.text
        client.close()
