# SPDX-License-Identifier: MIT
"""dbus.service methods: arguments, results, decorator keywords."""

import logging
import os

import pytest
from peers import (
    barrier,
    method_call,
    needs_gi,
    run_until,
    send_and_wait,
)

import dbus
import dbus.service

I = "test.I"  # noqa: E741
PATH = "/t"


@pytest.fixture
def export(server):
    """Export an instance of a class made of the functions given."""

    def export(*functions, base=dbus.service.Object, path=PATH):
        members = {function.__name__: function for function in functions}
        cls = type("Exported", (base,), dict(members, __module__=__name__))
        return cls(server, path)

    return export


def method(*args, **keywords):
    return dbus.service.method(I, *args, **keywords)


# -- arguments and results ------------------------------------------------------------------------


def test_arguments_and_result(export, ask):
    @method()
    def Join(self, a, b):
        return f"{a}-{b}"

    export(Join)
    assert ask("Join", "x", 1) == (None, ["x-1"])


def test_default_arguments(export, ask):
    @method()
    def M(self, a, b="default"):
        return a + b

    export(M)
    assert ask("M", "x", "y") == (None, ["xy"])
    assert ask("M", "x") == (None, ["xdefault"])


def test_too_few_and_too_many_arguments(export, ask):
    @method()
    def M(self, a):
        return a

    export(M)
    for args in ((), (1, 2)):
        name, (text,) = ask("M", *args)
        assert name == "org.freedesktop.DBus.Python.TypeError"
        assert "argument" in text


def test_arguments_are_dbus_values(export, ask):
    seen = []

    @method(in_signature="yv")
    def M(self, a, b):
        seen.extend((a, b))

    export(M)
    assert ask("M", dbus.Byte(1), dbus.Int32(2, variant_level=1)) == (None, [])
    assert [type(value) for value in seen] == [dbus.Byte, dbus.Int32]
    assert seen[1].variant_level == 1


def test_the_in_signature_is_not_enforced(export, ask):
    """The declared signature serves introspection and counting only."""

    @method(in_signature="s")
    def M(self, a):
        return type(a).__name__

    export(M)
    assert ask("M", 5) == (None, ["Int32"])


@pytest.mark.parametrize(
    ("signature", "value", "results"),
    [
        ("", None, []),
        ("s", "x", ["x"]),
        ("i", 5, [5]),
        ("y", 5, [5]),
        ("as", [], [[]]),
        ("as", ("a", "b"), [["a", "b"]]),
        ("(is)", (1, "x"), [(1, "x")]),
        ("a{sv}", {"a": 1}, [{"a": 1}]),
        ("v", 5, [5]),
        ("is", (1, "x"), [1, "x"]),
        ("is", [1, "x"], [1, "x"]),
        ("ss", "ab", ["a", "b"]),
        ("o", "/x", ["/x"]),
        ("b", 5, [True]),
        ("d", 1, [1.0]),
    ],
)
def test_results_by_out_signature(export, ask, signature, value, results):
    @method(out_signature=signature)
    def M(self):
        return value

    export(M)
    assert ask("M") == (None, results)


@pytest.mark.parametrize(
    ("value", "results"),
    [
        (None, []),
        ("x", ["x"]),
        (5, [5]),
        ([1, 2], [[1, 2]]),
        (("a", 1), ["a", 1]),
        ((), []),
        ({"a": 1}, [{"a": 1}]),
        (dbus.Byte(1), [1]),
        (dbus.Struct((1, 2)), [(1, 2)]),
    ],
)
def test_results_without_out_signature(export, ask, value, results):
    @method()
    def M(self):
        return value

    export(M)
    assert ask("M") == (None, results)


@pytest.mark.parametrize(
    ("signature", "value"),
    [
        ("", "x"),
        ("s", 5),
        ("s", None),
        ("is", (1,)),
        ("is", (1, "x", 2)),
        ("is", 5),
        ("y", 256),
        ("ai", ["x"]),
        ("u", -1),
    ],
)
def test_results_that_do_not_fit(export, ask, caplog, signature, value):
    @method(out_signature=signature)
    def M(self):
        return value

    export(M)
    with caplog.at_level(logging.WARNING):
        name, (text,) = ask("M")
    assert name.startswith("org.freedesktop.DBus.Python.")
    assert name.endswith(("TypeError", "ValueError", "OverflowError"))
    assert text.startswith("Traceback")
    assert {record.name for record in caplog.records} <= {"dbus.service"}


def test_a_result_that_does_not_fit_is_logged(export, ask, caplog):
    @method(out_signature="i")
    def M(self):
        return "x"

    export(M)
    ask("M")
    (record,) = caplog.records
    assert record.name == "dbus.service"
    assert record.levelno == logging.ERROR
    text = record.getMessage()
    assert "('x',)" in text and "TypeError" in text


@needs_gi
def test_an_invalid_path_as_result(run_snippet, bus, differs):
    code = """
import sys, dbus.bus, dbus.service, dbus.lowlevel
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
conn = dbus.bus.BusConnection(sys.argv[1], mainloop=DBusGMainLoop())
class Service(dbus.service.Object):
    @dbus.service.method('test.I', out_signature='o')
    def M(self):
        return 'no path'
service = Service(conn, '/')
loop = GLib.MainLoop()
def fail(error):
    print(error.get_dbus_name())
    loop.quit()
conn.call_async(conn.get_unique_name(), '/', 'test.I', 'M', '', (), print, fail)
loop.run()
"""
    result = run_snippet(code, bus.address)
    killed = differs(
        ours=False, reference=True, why="a method that returns an invalid path kills its service"
    )
    assert result.killed is killed, result
    assert killed or result.stdout == "org.freedesktop.DBus.Python.ValueError\n"


def test_a_result_that_no_type_fits(export, ask):
    @method()
    def M(self):
        return object()

    export(M)
    name, _ = ask("M")
    assert name == "org.freedesktop.DBus.Python.TypeError"


def test_an_empty_list_needs_a_signature(export, ask):
    @method()
    def M(self):
        return []

    export(M)
    assert ask("M")[0] == "org.freedesktop.DBus.Python.ValueError"


@pytest.mark.parametrize(
    "make",
    [lambda: ("a", "b"), lambda: iter("ab"), lambda: dict.fromkeys("ab"), lambda: {"a": 1, "b": 2}],
)
def test_any_iterable_is_an_array(export, ask, make):
    @method(out_signature=dbus.Signature("as"))
    def M(self):
        return make()

    export(M)
    assert ask("M") == (None, [["a", "b"]])


def test_a_result_that_is_not_unicode(export, ask):
    @method(out_signature="s")
    def M(self):
        return "\ud800"

    export(M)
    assert ask("M")[0] == "org.freedesktop.DBus.Python.UnicodeEncodeError"


def test_no_reply_when_none_is_wanted(export, server, client):
    done = []

    @method(out_signature="s")
    def M(self):
        done.append(True)
        return "x"

    @method()
    def Fail(self):
        done.append(True)
        raise RuntimeError("boo")

    export(M, Fail)
    seen = []
    client.add_message_filter(lambda _c, m: seen.append(m) or 1)
    barrier(client)
    del seen[:]
    for member in ("M", "Fail"):
        message = method_call(server.get_unique_name(), PATH, I, member)
        message.set_no_reply(True)
        client.send_message(message)
    run_until(lambda: len(done) == 2)
    barrier(server, client)
    assert seen == []


# -- keywords -------------------------------------------------------------------------------------


def test_message_information_keywords(server, client, export, ask):
    got = []

    @method(
        in_signature="s",
        sender_keyword="sender",
        path_keyword="path",
        rel_path_keyword="rel",
        destination_keyword="dest",
        message_keyword="message",
        connection_keyword="conn",
    )
    def M(self, a, sender=None, path=None, rel=None, dest=None, message=None, conn=None):
        got.append((a, sender, path, rel, dest, conn is server))
        got.append(message)

    export(M)
    assert ask("M", "x") == (None, [])
    info, message = got
    assert info == ("x", client.get_unique_name(), PATH, "/", server.get_unique_name(), True)
    assert type(info[2]) is dbus.ObjectPath
    assert type(message) is dbus.lowlevel.MethodCallMessage
    assert message.get_member() == "M"


def test_byte_arrays(export, ask):
    @method(in_signature="ay", byte_arrays=True)
    def Joined(self, data):
        return type(data).__name__

    @method(in_signature="ay")
    def Listed(self, data):
        return type(data).__name__

    export(Joined, Listed)
    assert ask("Joined", dbus.ByteArray(b"x")) == (None, ["ByteArray"])
    assert ask("Listed", dbus.ByteArray(b"x")) == (None, ["Array"])


def test_calls_in_python_go_straight(export):
    @method(in_signature="i", out_signature="i", sender_keyword="sender")
    def Double(self, x, sender=None):
        return [x * 2, sender]

    assert export(Double).Double(4) == [8, None]


@pytest.mark.parametrize(
    ("keywords", "error"),
    [
        ({"in_signature": "("}, ValueError),
        ({"in_signature": "s"}, ValueError),
        ({"in_signature": "sss"}, ValueError),
        ({"in_signature": 5}, TypeError),
        ({"async_callbacks": ("y",)}, ValueError),
        ({"async_callbacks": ("x", "y", "z")}, ValueError),
        ({"async_callbacks": ("x", "missing")}, ValueError),
        ({"async_callbacks": ("x", 5)}, ValueError),
        ({"async_callbacks": "xy"}, TypeError),
        ({"async_callbacks": ["x", "y"]}, TypeError),
        ({"async_callbacks": 5}, TypeError),
        ({"utf8_strings": True}, TypeError),
        ({"sender_keyword": "missing"}, ValueError),
        ({"path_keyword": "missing"}, ValueError),
        ({"rel_path_keyword": "missing"}, ValueError),
        ({"destination_keyword": "missing"}, ValueError),
        ({"message_keyword": "missing"}, ValueError),
        ({"connection_keyword": "missing"}, ValueError),
    ],
)
def test_wrong_decorator_keywords(keywords, error):
    with pytest.raises(error):

        @method(**keywords)
        def M(self, x, y):
            pass


def test_in_signature_counts_all_arguments():
    for signature in ("", None, "ss", "a{sv}(ii)"):

        @method(in_signature=signature)
        def M(self, x, y="default"):
            pass

        assert M._dbus_args == ["x", "y"]


@pytest.mark.parametrize("interface", ["x", "", "a..b", "a.1"])
def test_invalid_interfaces(interface):
    with pytest.raises(ValueError):
        dbus.service.method(interface)
    with pytest.raises(ValueError):
        dbus.service.signal(interface)


def test_a_decorator_needs_an_interface():
    with pytest.raises(TypeError):
        dbus.service.method()

    with pytest.raises(TypeError):

        @dbus.service.method
        def M(self):
            pass


def test_invalid_signal_names():
    def function(self):
        pass

    function.__name__ = "not-valid"
    with pytest.raises(ValueError):
        dbus.service.signal(I)(function)


def test_decorated_functions_are_marked():
    @method(
        "s",
        "i",
        sender_keyword="sender",
        async_callbacks=("ok", "err"),
        byte_arrays=True,
        path_keyword="p",
        rel_path_keyword="r",
        destination_keyword="d",
        message_keyword="m",
        connection_keyword="c",
    )
    def M(self, a, ok, err, sender=None, p=None, r=None, d=None, m=None, c=None):
        """Documented."""

    assert M.__doc__ == "Documented."
    assert M.__name__ == "M"
    assert M._dbus_is_method is True
    assert M._dbus_interface == I
    assert M._dbus_in_signature == "s"
    assert M._dbus_out_signature == "i"
    assert M._dbus_sender_keyword == "sender"
    assert M._dbus_path_keyword == "p"
    assert M._dbus_rel_path_keyword == "r"
    assert M._dbus_destination_keyword == "d"
    assert M._dbus_message_keyword == "m"
    assert M._dbus_connection_keyword == "c"
    assert M._dbus_async_callbacks == ("ok", "err")
    assert list(M._dbus_args) == ["a"]
    assert M._dbus_get_args_options == {"byte_arrays": True}


def test_functions_with_any_number_of_arguments(export, ask):
    @method(out_signature="s")
    def Any(self, *args):
        return repr([str(arg) for arg in args])

    @method(in_signature="s", out_signature="s")
    def Keyword(self, a, *, b="kept"):
        return a + b

    export(Any, Keyword)
    assert ask("Any") == (None, ["[]"])
    assert ask("Any", 1, "x") == (None, ["['1', 'x']"])
    assert ask("Keyword", "x") == (None, ["xkept"])


def test_file_descriptors(server, client, export):
    @method(in_signature="h", out_signature="h")
    def Same(self, fd):
        return fd

    export(Same)
    read, write = os.pipe()
    message = method_call(server.get_unique_name(), PATH, I, "Same")
    message.append(write, signature="h")
    os.close(write)
    (back,) = send_and_wait(client, message).get_args_list()
    del message
    assert type(back) is dbus.types.UnixFd
    taken = back.take()
    os.write(taken, b"there and back")
    os.close(taken)
    assert os.read(read, 100) == b"there and back"
    os.close(read)
