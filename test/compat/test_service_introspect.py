# SPDX-License-Identifier: MIT
"""The introspection data of service objects, compared as parsed XML."""

import xml.etree.ElementTree as ElementTree

from peers import INTROSPECTABLE, call

import dbus.service

I = "test.I"  # noqa: E741
OWN = (INTROSPECTABLE, "Introspect")


class Thing(dbus.service.Object):
    @dbus.service.method(I)
    def Bare(self, one, two):
        pass

    @dbus.service.method(I, in_signature="sa{sv}", out_signature="i(ss)")
    def Typed(self, name, options):
        pass

    @dbus.service.method(I, in_signature="s", out_signature="")
    def Nothing(self, name):
        pass

    @dbus.service.method(
        I,
        in_signature="s",
        out_signature="s",
        async_callbacks=("ok", "err"),
        sender_keyword="sender",
        path_keyword="path",
        message_keyword="message",
    )
    def Busy(self, name, ok, err, sender=None, path=None, message=None):
        pass

    @dbus.service.method("test.Other")
    def Elsewhere(self):
        pass

    @dbus.service.signal(I, signature="si")
    def Said(self, text, number):
        pass

    @dbus.service.signal(I)
    def Untyped(self, text):
        pass

    @dbus.service.signal("test.Other", signature="s", rel_path_keyword="rel")
    def Keyworded(self, text, rel=None):
        pass

    def plain(self):
        pass


def read(text):
    """{interface: {(kind, member): [(name, type, direction), ...]}} and the child nodes."""
    root = ElementTree.fromstring(text)
    assert root.tag == "node"
    found, children = {}, []
    for child in root:
        if child.tag == "node":
            children.append(child.get("name"))
            continue
        assert child.tag == "interface"
        members = found.setdefault(child.get("name"), {})
        for member in child:
            members[member.tag, member.get("name")] = [
                (arg.get("name"), arg.get("type"), arg.get("direction")) for arg in member
            ]
    return root.get("name"), found, sorted(children)


def test_everything_in_one(server, client):
    Thing(server, "/t")
    name, (text,) = call(client, server, "/t", "Introspect", interface=INTROSPECTABLE)
    assert name is None
    path, found, children = read(text)
    assert path == "/t"
    assert children == []
    assert found == {
        INTROSPECTABLE: {("method", "Introspect"): [(None, "s", "out")]},
        I: {
            ("method", "Bare"): [("one", "v", "in"), ("two", "v", "in")],
            ("method", "Typed"): [
                ("name", "s", "in"),
                ("options", "a{sv}", "in"),
                (None, "i", "out"),
                (None, "(ss)", "out"),
            ],
            ("method", "Nothing"): [("name", "s", "in")],
            ("method", "Busy"): [("name", "s", "in"), (None, "s", "out")],
            ("signal", "Said"): [("text", "s", None), ("number", "i", None)],
            ("signal", "Untyped"): [("text", "v", None)],
        },
        "test.Other": {
            ("method", "Elsewhere"): [],
            ("signal", "Keyworded"): [("text", "s", None)],
        },
    }


def test_the_document_type(server):
    text = Thing(server, "/t").Introspect("/t", server)
    assert text.startswith("<!DOCTYPE node PUBLIC")
    assert "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN" in text
    assert "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd" in text


def test_children_are_listed(server, client):
    Thing(server, "/t")
    for path in ("/t/a", "/t/b/c", "/u"):
        Thing(server, path)
    for path, expected in (("/t", ["a", "b"]), ("/t/b/c", [])):
        _, (text,) = call(client, server, path, "Introspect", interface=INTROSPECTABLE)
        assert read(text)[2] == expected


def test_introspection_without_interface(server, client):
    Thing(server, "/t")
    name, (text,) = call(client, server, "/t", "Introspect", interface=None)
    assert name is None
    assert I in read(text)[1]


def test_unexported_parents_answer_too(server, client):
    Thing(server, "/a/b/c")
    for path, children in (("/", ["a"]), ("/a", ["b"]), ("/a/b", ["c"])):
        _, (text,) = call(client, server, path, "Introspect", interface=INTROSPECTABLE)
        assert read(text)[1:] == ({}, children)


def test_a_proxy_understands_it(server, client):
    Thing(server, "/t")
    proxy = client.get_object(server.get_unique_name(), "/t")
    done = []
    proxy.Bare(1, 2, dbus_interface=I, reply_handler=lambda: done.append(1), error_handler=print)
    from peers import run_until

    run_until(lambda: done)
    assert proxy._introspect_method_map == {
        "test.I.Bare": "vv",
        "test.I.Typed": "sa{sv}",
        "test.I.Nothing": "s",
        "test.I.Busy": "s",
        "test.Other.Elsewhere": "",
        ".".join(OWN): "",
    }


def test_inherited_members_are_listed_once(server):
    class Derived(Thing):
        @dbus.service.method(I, in_signature="s")
        def Bare(self, changed):
            pass

        def Typed(self, name, options):
            pass

        @dbus.service.method("test.Third")
        def Extra(self):
            pass

    text = Derived(server, "/t").Introspect("/t", server)
    names = [element.get("name") for element in ElementTree.fromstring(text)]
    assert len(names) == len(set(names))
    _, found, _ = read(text)
    assert found[I]["method", "Bare"] == [("changed", "s", "in")]
    assert found[I]["method", "Typed"][0] == ("name", "s", "in")
    assert ("method", "Extra") in found["test.Third"]
    assert INTROSPECTABLE in found


def test_a_class_without_members(server):
    text = dbus.service.Object(server, "/t").Introspect("/t", server)
    assert read(text) == (
        "/t",
        {INTROSPECTABLE: {("method", "Introspect"): [(None, "s", "out")]}},
        [],
    )
