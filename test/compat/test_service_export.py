# SPDX-License-Identifier: MIT
"""Where service objects are exported: paths, connections, fallbacks, removal."""

import gc
import weakref

import pytest
from peers import (
    ERROR,
    INTROSPECTABLE,
    attach,
    barrier,
    call,
    run_until,
)

import dbus
import dbus.service

I = "test.I"  # noqa: E741
UNKNOWN = ERROR + "UnknownMethod"


class Plain(dbus.service.Object):
    @dbus.service.method(I, path_keyword="path", connection_keyword="conn")
    def Where(self, path=None, conn=None):
        return f"{path} {conn.get_unique_name()}"

    @dbus.service.signal(I, signature="s")
    def Said(self, text):
        pass

    @dbus.service.signal(I, signature="s", rel_path_keyword="rel")
    def SaidAt(self, text, rel=None):
        pass


class Many(Plain):
    SUPPORTS_MULTIPLE_OBJECT_PATHS = True
    SUPPORTS_MULTIPLE_CONNECTIONS = True


class Tree(dbus.service.FallbackObject):
    @dbus.service.method(I, path_keyword="path", rel_path_keyword="rel")
    def Where(self, path=None, rel=None):
        return f"{path} {rel}"

    @dbus.service.signal(I, signature="s", rel_path_keyword="rel")
    def Said(self, text, rel=None):
        pass

    @dbus.service.signal(I)
    def Everywhere(self):
        pass


def where(client, server, path):
    name, args = call(client, server, path, "Where", interface=I)
    return name or args[0].split()[0]


# -- one place ------------------------------------------------------------------------------------


def test_exported_by_the_constructor(server, client):
    thing = Plain(server, "/t")
    assert where(client, server, "/t") == "/t"
    assert thing.connection is server
    assert thing.__dbus_object_path__ == "/t"
    assert list(thing.locations) == [(server, "/t", False)]
    assert (thing._connection, thing._object_path, thing._fallback) == (server, "/t", False)
    assert repr(thing).startswith("<") and " at /t at 0x" in repr(thing)
    assert "Plain" in repr(thing)
    assert str(thing) == repr(thing)


def test_exported_later(server, client):
    thing = Plain()
    assert list(thing.locations) == []
    assert repr(thing).startswith(f"<{__name__}.Plain at 0x")
    assert (thing._connection, thing._object_path) == (None, None)
    for attribute in ("connection", "__dbus_object_path__"):
        with pytest.raises(AttributeError):
            getattr(thing, attribute)
    thing.add_to_connection(server, "/t")
    assert where(client, server, "/t") == "/t"


def test_constructor_arguments(server):
    name = dbus.service.BusName("test.Name", server)
    thing = Plain(object_path="/t", bus_name=name)
    assert thing.connection is server
    assert thing._name is name
    other = Plain(name, "/u")
    assert other.connection is server
    assert other._name is name
    third = Plain(server, "/v", name)
    assert third._name is name
    assert Plain(conn=server, object_path="/w").connection is server
    assert list(Plain(server).locations) == []
    with pytest.raises(TypeError):
        Plain(None, "/t")
    with pytest.raises((TypeError, AttributeError)):
        Plain(5, "/t")
    with pytest.raises(TypeError):
        Plain(server, "/x", foo=1)


def test_a_bus_name_and_another_connection(bus, server):
    name = dbus.service.BusName("test.Name", server)
    other = attach(bus)
    thing = Plain(other, "/t", name)
    assert thing.connection is other


@pytest.mark.parametrize("path", ["", "x", "/x/", "//"])
def test_invalid_paths(server, path):
    with pytest.raises(ValueError):
        Plain(server, path)
    with pytest.raises(ValueError):
        Plain().add_to_connection(server, path)


def test_the_local_path_is_reserved(server):
    with pytest.raises(ValueError, match="reserved"):
        Plain(server, "/org/freedesktop/DBus/Local")


def test_a_path_is_taken_once(server, client):
    first = Plain(server, "/t")
    with pytest.raises(KeyError):
        Plain(server, "/t")
    first.remove_from_connection()
    Plain(server, "/t")


def test_exporting_keeps_the_object_alive(server, client):
    thing = Plain(server, "/t")
    alive = weakref.ref(thing)
    del thing
    gc.collect()
    assert alive() is not None
    assert where(client, server, "/t") == "/t"
    alive().remove_from_connection()
    gc.collect()
    assert alive() is None


def test_one_place_only(bus, server):
    thing = Plain(server, "/t")
    with pytest.raises(ValueError):
        thing.add_to_connection(server, "/u")
    with pytest.raises(ValueError):
        thing.add_to_connection(attach(bus), "/t")
    assert list(thing.locations) == [(server, "/t", False)]


def test_removal(server, client):
    thing = Plain(server, "/t")
    assert thing.remove_from_connection() is None
    assert list(thing.locations) == []
    assert where(client, server, "/t") == UNKNOWN
    assert server.list_exported_child_objects("/") == []
    with pytest.raises(LookupError) as caught:
        thing.remove_from_connection()
    assert str(caught.value) == (f"{thing!r} is not exported at a location matching (None,None)")


def test_removal_of_what_was_never_exported():
    thing = Plain()
    with pytest.raises(LookupError) as caught:
        thing.remove_from_connection()
    assert str(caught.value) == f"{thing!r} is not exported"


@pytest.mark.parametrize("what", ["connection", "path", "both", "keywords"])
def test_removal_by_place(server, client, what):
    thing = Plain(server, "/t")
    with pytest.raises(LookupError):
        thing.remove_from_connection(server, "/other")
    arguments = {
        "connection": ((server,), {}),
        "path": ((None, "/t"), {}),
        "both": ((server, "/t"), {}),
        "keywords": ((), {"connection": server, "path": "/t"}),
    }
    args, keywords = arguments[what]
    thing.remove_from_connection(*args, **keywords)
    assert where(client, server, "/t") == UNKNOWN


def test_removal_and_export_elsewhere(server, client, differs):
    thing = Plain(server, "/t")
    thing.remove_from_connection()
    works = differs(
        ours=True, reference=False, why="an object can be exported at another path after removal"
    )
    if works:
        thing.add_to_connection(server, "/u")
        assert where(client, server, "/u") == "/u"
        assert list(thing.locations) == [(server, "/u", False)]
    else:
        with pytest.raises(ValueError):
            thing.add_to_connection(server, "/u")
    thing_at_home = Plain(server, "/v")
    thing_at_home.remove_from_connection()
    thing_at_home.add_to_connection(server, "/v")
    assert where(client, server, "/v") == "/v"


# -- several places -------------------------------------------------------------------------------


def test_several_paths_and_connections(bus, server, client):
    other = attach(bus)
    thing = Many()
    thing.add_to_connection(server, "/a")
    thing.add_to_connection(server, "/b")
    thing.add_to_connection(other, "/a")
    assert where(client, server, "/a") == "/a"
    assert where(client, server, "/b") == "/b"
    assert where(client, other, "/a") == "/a"
    assert set(thing.locations) == {
        (server, "/a", False),
        (server, "/b", False),
        (other, "/a", False),
    }
    for attribute in ("connection", "__dbus_object_path__"):
        with pytest.raises(AttributeError):
            getattr(thing, attribute)
    assert "/a" not in repr(thing)
    thing.remove_from_connection(server)
    assert where(client, server, "/a") == UNKNOWN
    assert where(client, server, "/b") == UNKNOWN
    assert where(client, other, "/a") == "/a"
    thing.remove_from_connection()
    assert list(thing.locations) == []


def test_one_of_several_paths(server, client):
    thing = Many(server, "/a")
    thing.add_to_connection(server, "/b")
    assert thing.connection is server
    thing.remove_from_connection(path="/a")
    assert where(client, server, "/a") == UNKNOWN
    assert where(client, server, "/b") == "/b"
    assert thing.remove_from_connection() is None


def test_several_paths_on_one_connection_only(bus, server):
    class Paths(dbus.service.Object):
        SUPPORTS_MULTIPLE_OBJECT_PATHS = True

    thing = Paths(server, "/a")
    thing.add_to_connection(server, "/b")
    with pytest.raises(ValueError):
        thing.add_to_connection(attach(bus), "/c")


def test_one_path_on_several_connections(bus, server):
    class Connections(dbus.service.Object):
        SUPPORTS_MULTIPLE_CONNECTIONS = True

    thing = Connections(server, "/a")
    thing.add_to_connection(attach(bus), "/a")
    with pytest.raises(ValueError):
        thing.add_to_connection(attach(bus), "/b")


def test_the_same_place_twice(server):
    thing = Many(server, "/a")
    with pytest.raises(KeyError):
        thing.add_to_connection(server, "/a")
    assert list(thing.locations) == [(server, "/a", False)]


# -- fallbacks ------------------------------------------------------------------------------------


def test_a_fallback_serves_everything_below(server, client):
    tree = Tree(server, "/f")
    for path, rel in (("/f", "/"), ("/f/a", "/a"), ("/f/a/b", "/a/b")):
        assert call(client, server, path, "Where", interface=I) == (None, [f"{path} {rel}"])
    assert where(client, server, "/fa") == UNKNOWN
    assert list(tree.locations) == [(server, "/f", True)]
    assert tree._fallback is True
    tree.remove_from_connection()
    assert where(client, server, "/f/a") == UNKNOWN


def test_a_fallback_at_the_root(server, client):
    Tree(server, "/")
    assert call(client, server, "/a/b", "Where", interface=I) == (None, ["/a/b /a/b"])
    assert call(client, server, "/", "Where", interface=I) == (None, ["/ /"])


def test_an_object_below_a_fallback_goes_first(server, client):
    Tree(server, "/f")
    Plain(server, "/f/x")
    name, (text,) = call(client, server, "/f/x", "Where", interface=I)
    assert text == f"/f/x {server.get_unique_name()}"
    assert call(client, server, "/f/x/y", "Where", interface=I) == (None, ["/f/x/y /x/y"])


def test_a_fallback_supports_several_paths(server, client):
    tree = Tree(server, "/f")
    tree.add_to_connection(server, "/g")
    assert call(client, server, "/g/a", "Where", interface=I) == (None, ["/g/a /a"])


def test_introspection_of_a_fallback(server, client):
    Tree(server, "/f")
    Plain(server, "/f/x")
    name, (text,) = call(client, server, "/f", "Introspect", interface=INTROSPECTABLE)
    assert '<node name="x"' in text
    assert 'interface name="test.I"' in text
    name, (text,) = call(client, server, "/f/nothing", "Introspect", interface=INTROSPECTABLE)
    assert 'interface name="test.I"' in text


# -- signals --------------------------------------------------------------------------------------


@pytest.fixture
def heard(client):
    got = []

    def hear(*args, path=None, sender=None, member=None):
        got.append((sender, str(path), str(member), args))

    client.add_signal_receiver(
        hear,
        dbus_interface=I,
        path_keyword="path",
        sender_keyword="sender",
        member_keyword="member",
    )
    return got


def test_a_signal_comes_from_every_place(bus, server, client, heard):
    other = attach(bus)
    thing = Many(server, "/a")
    thing.add_to_connection(server, "/b")
    thing.add_to_connection(other, "/c")
    assert thing.Said("x") is None
    barrier(server, other, client)
    assert sorted(heard) == sorted(
        [
            (server.get_unique_name(), "/a", "Said", ("x",)),
            (server.get_unique_name(), "/b", "Said", ("x",)),
            (other.get_unique_name(), "/c", "Said", ("x",)),
        ]
    )


def test_a_signal_of_an_object_that_is_not_exported(server, client, heard):
    thing = Plain()
    thing.Said("x")
    thing.add_to_connection(server, "/t")
    thing.remove_from_connection()
    thing.Said("x")
    barrier(server, client)
    assert heard == []


def test_a_signal_from_below_a_fallback(server, client, heard):
    tree = Tree(server, "/f")
    tree.Said("a", rel="/x/y")
    tree.Said("b", rel="/")
    tree.Said("c")
    tree.Everywhere()
    barrier(server, client)
    assert [(path, args) for _, path, _, args in heard] == [
        ("/f/x/y", ("a",)),
        ("/f", ("b",)),
        ("/f", ("c",)),
        ("/f", ()),
    ]


def test_the_relative_path_of_a_fallback_at_the_root(server, client, heard, differs):
    tree = Tree(server, "/")
    works = differs(
        ours=True, reference=False, why="a fallback at / can emit signals from below itself"
    )
    if works:
        tree.Said("a", rel="/x")
    else:
        with pytest.raises(ValueError):
            tree.Said("a", rel="/x")
    tree.Said("b")
    barrier(server, client)
    assert [path for _, path, _, _ in heard] == (["/x", "/"] if works else ["/"])


def test_the_old_path_keyword_of_signals(server, client, heard):
    with pytest.deprecated_call():

        class Old(dbus.service.Object):
            @dbus.service.signal(I, signature="s", path_keyword="path")
            def Said(self, text, path=None):
                pass

    old = Old(server, "/t")
    old.Said("x", path="/t")
    with pytest.raises(ValueError):
        old.Said("z", path="/other")
    barrier(server, client)
    assert [(path, args) for _, path, _, args in heard] == [("/t", ("x",))]


def test_a_connection_that_closes_loses_its_objects(server, client):
    thing = Plain(server, "/t")
    server.close()
    run_until(lambda: not server.get_is_connected())
    thing.Said("into the void")
    thing.remove_from_connection()
    assert list(thing.locations) == []


def test_a_connection_and_its_objects_are_collected(bus, differs):
    """Nothing refers to them but each other: the reference keeps them for ever."""
    import dbus.connection
    from dbus.mainloop.glib import DBusGMainLoop

    conn = dbus.connection.Connection(bus.address, mainloop=DBusGMainLoop())
    thing = Plain(conn, "/t")
    conn.note = thing
    references = [weakref.ref(conn), weakref.ref(thing)]
    del conn, thing
    gc.collect()
    gone = differs(
        ours=True, reference=False, why="connections and exported objects in a cycle are collected"
    )
    assert [reference() is None for reference in references] == [gone, gone]
    if not gone:
        references[0]().close()
