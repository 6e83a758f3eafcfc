# SPDX-License-Identifier: MIT
"""Service objects that are GObjects."""

import pytest
from peers import attach, barrier, call

import dbus.service

GObject = pytest.importorskip("gi.repository.GObject")
gi_service = pytest.importorskip("dbus.gi_service")


class Thing(gi_service.ExportedGObject):
    SUPPORTS_MULTIPLE_OBJECT_PATHS = True

    __gsignals__ = {"changed": (GObject.SignalFlags.RUN_FIRST, None, (int,))}

    number = GObject.Property(type=int, default=0)

    @dbus.service.method("test.I", in_signature="i", out_signature="i")
    def SetNumber(self, number):
        self.number = number
        self.emit("changed", number)
        return number + 1

    @dbus.service.signal("test.I", signature="i")
    def Changed(self, number):
        pass


def test_a_gobject_on_the_bus(bus):
    server, client = attach(bus), attach(bus)
    thing = Thing(server, "/t")
    seen, heard, notified = [], [], []
    thing.connect("changed", lambda _thing, number: seen.append(number))
    thing.connect("notify::number", lambda t, _spec: notified.append(t.props.number))
    client.add_signal_receiver(heard.append, "Changed", "test.I")
    assert call(client, server, "/t", "SetNumber", 5) == (None, [6])
    assert seen == [5]
    assert notified == [5]
    assert isinstance(thing, GObject.GObject)
    assert isinstance(thing, dbus.service.Object)
    thing.Changed(7)
    barrier(server, client)
    assert heard == [7]


def test_constructor_arguments(bus):
    server = attach(bus)
    name = dbus.service.BusName("test.Name", server)
    thing = Thing(conn=server, object_path="/t", bus_name=name, number=3)
    assert thing.props.number == 3
    assert thing._name is name
    assert list(thing.locations) == [(server, "/t", False)]
    later = Thing(number=4)
    assert list(later.locations) == []
    later.add_to_connection(server, "/u")
    assert later.props.number == 4


def test_the_metaclass_combines_both():
    assert issubclass(type(Thing), dbus.service.InterfaceType)
    assert type(Thing) is gi_service.ExportedGObjectType
    key = f"{Thing.__module__}.Thing"
    assert "SetNumber" in Thing._dbus_class_table[key]["test.I"]
    assert gi_service.__all__ == ["ExportedGObject"]


def test_a_subclass_overrides(bus):
    class Derived(Thing):
        def SetNumber(self, number):
            return -number

    server, client = attach(bus), attach(bus)
    Derived(server, "/t")
    assert call(client, server, "/t", "SetNumber", 5) == (None, [-5])
