# SPDX-License-Identifier: MIT
"""Kinds of operations on the classic interface: two connections on GLib's default context."""

from __future__ import annotations

import gc
from typing import Any, Callable

from cases import Place

from .figures import Figures, look
from .kinds import BUS, PROBE, Kind


class Classic:
    """What the kinds share."""

    def __init__(self, place: Place) -> None:
        from gi.repository import GLib

        import dbus
        import dbus.bus
        import dbus.lowlevel
        import dbus.mainloop.glib
        import dbus.service

        class Service(dbus.service.Object):
            @dbus.service.method(PROBE, in_signature="a{sv}", out_signature="a{sv}")
            def Echo(self, value: Any) -> Any:
                return value

            @dbus.service.method(PROBE)
            def Fail(self) -> None:
                raise dbus.DBusException("wanted")

            @dbus.service.signal(PROBE, signature="sas")
            def Said(self, text: str, texts: list[str]) -> None:
                pass

        self.dbus, self.place, self.Service = dbus, place, Service
        self.context = GLib.MainContext.default()
        self.loop = dbus.mainloop.glib.DBusGMainLoop()
        self.one, self.two = self.connect(self.loop), self.connect(self.loop)
        self.name = self.one.get_unique_name()
        self.service = Service(self.one, "/service")
        self.waiting = 0
        self.value = dbus.Dictionary({"a": "text", "b": dbus.UInt32(7)}, signature="sv")

    def connect(self, loop: Any = None) -> Any:
        conn = self.dbus.bus.BusConnection(self.place.bus.address, mainloop=loop)
        conn.set_exit_on_disconnect(False)
        return conn

    def turn_until(self, done: Callable[[], object]) -> None:
        while not done():
            self.context.iteration(True)

    def ended(self, *_: Any) -> None:
        self.waiting -= 1

    def ask(self, member: str, signature: str = "", args: tuple[Any, ...] = ()) -> None:
        """A call to the service in this process, and its end."""
        self.waiting += 1
        self.two.call_async(
            self.name, "/service", PROBE, member, signature, args, self.ended, self.ended
        )
        self.turn_until(lambda: not self.waiting)


def blocking_call(it: Classic) -> None:
    it.two.call_blocking(*BUS, "NameHasOwner", "s", ("com.example.Nobody",))


def failing_call(it: Classic) -> None:
    try:
        it.two.call_blocking(*BUS, "GetNameOwner", "s", ("com.example.Nobody",))
    except it.dbus.DBusException:
        pass


def proxy_call(it: Classic) -> None:
    it.two.get_object(*BUS[:2], introspect=False).NameHasOwner("a.b", dbus_interface=BUS[2])


def introspecting_proxy(it: Classic) -> None:
    it.two.get_object(*BUS[:2]).NameHasOwner("a.b", dbus_interface=BUS[2])


def async_call(it: Classic) -> None:
    it.waiting += 1
    it.two.call_async(*BUS, "NameHasOwner", "s", ("a.b",), it.ended, it.ended)
    it.turn_until(lambda: not it.waiting)


def cancelled_call(it: Classic) -> None:
    call = it.dbus.lowlevel.MethodCallMessage(*BUS, "GetId")
    it.two.send_message_with_reply(call, it.ended).cancel()
    it.two.call_blocking(*BUS, "GetId", "", ())


def service_call(it: Classic) -> None:
    it.ask("Echo", "a{sv}", (it.value,))


def failing_service_call(it: Classic) -> None:
    it.ask("Fail")


def signal(it: Classic) -> None:
    """Emitted by one, received by the other."""
    it.waiting += 1
    it.service.Said("text", ["a", "b"])
    it.turn_until(lambda: not it.waiting)


def subscribed(it: Classic) -> None:
    it.two.add_signal_receiver(it.ended, "Said", PROBE, it.name)
    it.two.get_name_owner(BUS[0])


def unheard_signal(it: Classic) -> None:
    it.service.Said("text", ["a", "b"])
    it.one.call_blocking(*BUS, "GetId", "", ())


def subscription(it: Classic) -> None:
    it.two.add_signal_receiver(it.ended, "Other", PROBE, path="/x", arg0="a").remove()
    it.two.call_blocking(*BUS, "GetId", "", ())


def sender_subscription(it: Classic) -> None:
    """With a well-known name, whose owner is watched."""
    it.two.add_signal_receiver(it.ended, "Other", PROBE, "com.example.Nobody").remove()
    it.two.call_blocking(*BUS, "GetId", "", ())


def export(it: Classic) -> None:
    it.Service(it.one, "/own/object").remove_from_connection()


def name(it: Classic) -> None:
    it.dbus.service.BusName("com.example.Soaked", it.one).__del__()


def message_filter(it: Classic) -> None:
    it.one.add_message_filter(it.ended)
    it.one.remove_message_filter(it.ended)


def message(it: Classic) -> None:
    made = it.dbus.lowlevel.SignalMessage("/a", "a.b", "C")
    made.append(it.value, ["a", "b"], 7, signature="a{sv}asi")
    made.get_args_list()


def connection(it: Classic) -> None:
    it.connect().close()


def _cyclic(it: Classic) -> Any:
    conn = it.connect(it.loop)
    conn.add_signal_receiver(lambda: conn, "Other", PROBE)
    return conn


def looped_connection(it: Classic) -> None:
    _cyclic(it).close()


def forgotten_connection(it: Classic) -> None:
    """In a cycle, not closed."""
    _cyclic(it)
    gc.collect()


def server_visit(it: Classic) -> None:
    """A peer-to-peer server, a client that calls it, and the end of both."""
    import dbus.connection
    import dbus.server

    server = dbus.server.Server(f"unix:tmpdir={it.place.directory}", mainloop=it.loop)
    came: list[Any] = []
    server.on_connection_added.append(came.append)
    client = dbus.connection.Connection(server.address, mainloop=it.loop)
    it.turn_until(lambda: came)
    client.close()
    it.turn_until(lambda: not came[0].get_is_connected())
    server.disconnect()


KINDS = (
    Kind(blocking_call),
    Kind(failing_call),
    Kind(proxy_call),
    Kind(introspecting_proxy, share=5),
    Kind(async_call),
    Kind(cancelled_call),
    Kind(service_call),
    Kind(failing_service_call),
    Kind(signal, before=subscribed),
    Kind(unheard_signal),
    Kind(subscription),
    Kind(sender_subscription, share=2),
    Kind(export),
    Kind(name, share=2),
    Kind(message_filter),
    Kind(message),
    Kind(connection, share=100),
    Kind(looped_connection, share=100),
    Kind(forgotten_connection, share=200),
    Kind(server_visit, share=100),
)


def soak(place: Place, kind: Kind, counts: list[int]) -> list[Figures]:
    """The figures after each number of operations."""
    it = Classic(place)
    if kind.before:
        kind.before(it)
    seen = []
    for count in counts:
        for _ in range(count):
            kind.run(it)
            while it.context.pending():  # what has come meanwhile
                it.context.iteration(False)
        seen.append(look())
    return seen
