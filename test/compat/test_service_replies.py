# SPDX-License-Identifier: MIT
"""dbus.service methods: replies given later, exceptions, unknown methods, odd deeds."""

import pytest
from peers import (
    ERROR,
    NO_REPLY_TEXT,
    Calls,
    attach,
    barrier,
    hooked,
    method_call,
    needs_gi,
    run_until,
    send_and_wait,
)

import dbus
import dbus.service
from dbus.exceptions import DBusException

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


# -- what the log says about results that cannot be sent -------------------------------------------


@pytest.mark.parametrize(
    ("signature", "result", "text"),
    [
        ("i", "x", "Unable to append ('x',) to message with signature i: <class 'TypeError'>: "),
        ("us", (5,), "Unable to append (5,) to message with signature us: <class 'TypeError'>: "),
        (None, {}, "Unable to guess signature for arguments ({},): <class 'ValueError'>: "),
        (
            None,
            [1, "a"],
            "Unable to append ([1, 'a'],) to message with signature (ai) (guessed): "
            "<class 'TypeError'>: ",
        ),
        (
            None,
            (1, [1, "a"]),
            "Unable to append (1, [1, 'a']) to message with signature (iai) (guessed): "
            "<class 'TypeError'>: ",
        ),
    ],
)
def test_results_that_cannot_be_sent_are_logged(export, ask, caplog, signature, result, text):
    @method(out_signature=signature)
    def M(self):
        return result

    export(M)
    error, _text = ask("M")
    assert error.startswith("org.freedesktop.DBus.Python.")
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("dbus.service", "ERROR")
    assert record.getMessage().startswith(text)


# -- asynchronous replies -------------------------------------------------------------------------


@pytest.fixture
def later(export):
    """An object whose calls are answered by the callbacks that the fixture collects."""
    waiting = []

    @method(async_callbacks=("ok", "err"), out_signature="s")
    def M(self, x, ok, err):
        waiting.append((x, ok, err))
        return "ignored"

    @method(async_callbacks=("ok", "err"), out_signature="is")
    def Two(self, ok, err):
        ok(1, "x")

    @method(async_callbacks=("ok", "err"), out_signature="")
    def Nothing(self, ok, err):
        ok()

    @method(async_callbacks=("ok", "err"))
    def Raises(self, ok, err):
        raise RuntimeError("boo")

    @method(async_callbacks=("ok", "err"))
    def Fails(self, ok, err):
        err(DBusException("why", name="x.y.Z"))

    @method(async_callbacks=("ok", "err"))
    def Guess(self, ok, err):
        ok("a", 1)

    export(M, Two, Nothing, Raises, Fails, Guess)
    return waiting


def test_the_reply_comes_when_it_is_given(server, client, later):
    got = Calls()
    name = server.get_unique_name()
    for x in ("a", "b"):
        client.call_async(name, PATH, I, "M", "s", (x,), lambda r, x=x: got(x, r), print)
    run_until(lambda: len(later) == 2)
    barrier(server, client)
    assert got == []
    for x, ok, _err in reversed(later):
        ok(x.upper())
    assert got.wait(2).args == [("b", "B"), ("a", "A")]


def test_asynchronous_results(later, ask):
    assert ask("Two") == (None, [1, "x"])
    assert ask("Nothing") == (None, [])
    assert ask("Guess") == (None, ["a", 1])


def test_asynchronous_errors(later, ask):
    assert ask("Raises")[0] == "org.freedesktop.DBus.Python.RuntimeError"
    assert ask("Fails") == ("x.y.Z", ["why"])


def test_an_asynchronous_result_that_does_not_fit(server, client, later):
    """The callback raises, and nothing is sent: the caller of it can still answer."""
    got = Calls()
    client.call_async(server.get_unique_name(), PATH, I, "M", "s", ("x",), print, got)
    run_until(lambda: later)
    _x, ok, err = later[0]
    with pytest.raises(TypeError):
        ok(5)
    err(DBusException("recovered", name="x.y.Z"))
    (error,) = got.wait().firsts
    assert error.get_dbus_name() == "x.y.Z"


def test_only_the_first_answer_counts(server, client, later):
    got, bad = Calls(), Calls()
    client.call_async(server.get_unique_name(), PATH, I, "M", "s", ("x",), got, bad)
    run_until(lambda: later)
    _x, ok, err = later[0]
    ok("first")
    ok("second")
    err(RuntimeError("late"))
    barrier(server, client)
    assert got.args == [("first",)]
    assert bad == []


def test_callbacks_for_a_call_without_reply(server, client, later):
    message = method_call(server.get_unique_name(), PATH, I, "M", ("x",))
    message.set_no_reply(True)
    seen = []
    client.add_message_filter(lambda _c, m: seen.append(m.get_type()) or 1)
    client.send_message(message)
    run_until(lambda: later)
    _x, ok, err = later[0]
    ok("x")
    err(RuntimeError("boo"))
    barrier(server, client)
    assert dbus.lowlevel.MESSAGE_TYPE_METHOD_RETURN not in seen
    assert dbus.lowlevel.MESSAGE_TYPE_ERROR not in seen


def test_callbacks_after_the_caller_has_gone(bus, server, later):
    caller = attach(bus)
    caller.call_async(server.get_unique_name(), PATH, I, "M", "s", ("x",), print, print)
    run_until(lambda: later)
    caller.close()
    later[0][1]("x")
    barrier(server)


# -- errors ---------------------------------------------------------------------------------------


def raising(export, error):
    @method()
    def M(self):
        raise error

    export(M)


def test_any_exception(export, ask):
    raising(export, RuntimeError("boo"))
    name, (text,) = ask("M")
    assert name == "org.freedesktop.DBus.Python.RuntimeError"
    assert text.startswith("Traceback (most recent call last):\n")
    assert text.endswith("RuntimeError: boo\n")
    assert "raise error" in text


def test_exceptions_of_other_modules(export, ask):
    class Mine(Exception):
        pass

    raising(export, Mine("x"))
    assert ask("M")[0] == f"org.freedesktop.DBus.Python.{__name__}.Mine"


def test_an_exception_whose_module_is_main(run_snippet, export, ask):
    Main = type("Mine", (Exception,), {"__module__": "__main__"})
    raising(export, Main("x"))
    assert ask("M")[0] == "org.freedesktop.DBus.Python.Mine"


def test_a_dbus_exception_without_name(export, ask):
    raising(export, DBusException("why"))
    assert ask("M") == ("org.freedesktop.DBus.Python.dbus.exceptions.DBusException", ["why"])


def test_a_dbus_exception_with_name(export, ask):
    raising(export, DBusException("why", 2, name="x.y.Z"))
    assert ask("M") == ("x.y.Z", ["('why', 2)"])


def test_a_name_on_the_class(export, ask):
    class Mine(DBusException):
        _dbus_error_name = "x.y.Class"

    raising(export, Mine("why"))
    assert ask("M") == ("x.y.Class", ["why"])


def test_a_name_on_any_exception(export, ask):
    class Mine(Exception):
        _dbus_error_name = "x.y.Any"

    raising(export, Mine("why"))
    name, (text,) = ask("M")
    assert name == "x.y.Any"
    assert text.endswith("Mine: why\n")
    assert text.startswith("Traceback")


def test_include_traceback_on(export, ask):
    class Mine(DBusException):
        include_traceback = True

    raising(export, Mine("why", name="x.y.Z"))
    name, (text,) = ask("M")
    assert name == "x.y.Z"
    assert text.startswith("Traceback")
    assert "why" in text


def test_include_traceback_off(export, ask, differs):
    class Mine(Exception):
        include_traceback = False

    raising(export, Mine("why"))
    _, (text,) = ask("M")
    honoured = differs(
        ours=True, reference=False, why="include_traceback = False works on any exception"
    )
    assert text == "why" if honoured else text.startswith("Traceback")


def test_an_exception_with_an_invalid_error_name(export, ask):
    """There is no way to send it; an error comes back all the same."""
    raising(export, DBusException("why", name="not a name"))
    with hooked():
        name, _ = ask("M")
    assert name.startswith("org.freedesktop.DBus.")


def test_an_exception_without_text(export, ask):
    raising(export, DBusException(name="x.y.Z"))
    assert ask("M") == ("x.y.Z", [""])


def test_unknown_methods(export, ask):
    @method()
    def M(self):
        return "x"

    export(M)
    unknown = ERROR + "UnknownMethod"
    name, (text,) = ask("Missing")
    assert name == unknown
    assert "Missing is not a valid method of interface test.I" in text
    name, (text,) = ask("M", interface="a.b")
    assert name == unknown
    assert "M is not a valid method of interface a.b" in text
    name, (text,) = ask("Missing", interface=None)
    assert name == unknown
    assert "Missing" in text


def test_without_interface_any_method_of_that_name_is_called(export, ask):
    @method()
    def M(self):
        return "x"

    export(M)
    assert ask("M", interface=None) == (None, ["x"])


def test_functions_that_are_not_exported(export, ask):
    def plain(self):
        return "x"

    export(plain)
    for interface in (I, None):
        assert ask("plain", interface=interface)[0] == ERROR + "UnknownMethod"
        name, args = ask("__init__", interface=interface)
        # The reference trips over what is no Python function, and says so.
        assert name in (ERROR + "UnknownMethod", "org.freedesktop.DBus.Python.AttributeError")


@needs_gi
def test_sys_exit_in_a_method_ends_the_process(run_snippet, bus):
    code = """
import sys, dbus.bus, dbus.service, dbus.lowlevel
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
conn = dbus.bus.BusConnection(sys.argv[1], mainloop=DBusGMainLoop())
class Service(dbus.service.Object):
    @dbus.service.method('test.I')
    def Quit(self):
        sys.exit(7)
service = Service(conn, '/')
conn.call_async(conn.get_unique_name(), '/', 'test.I', 'Quit', '', (), print, print)
loop = GLib.MainLoop()
GLib.timeout_add(10000, loop.quit)
loop.run()
"""
    result = run_snippet(code, bus.address)
    assert result.returncode == 7, result


def test_a_blocking_call_inside_a_method(server, export, ask):
    @method()
    def M(self):
        return server.get_name_owner("org.freedesktop.DBus")

    export(M)
    assert ask("M") == (None, ["org.freedesktop.DBus"])


def test_a_method_may_remove_its_object(export, ask):
    @method()
    def M(self):
        self.remove_from_connection()
        return "last"

    export(M)
    assert ask("M") == (None, ["last"])
    assert ask("M")[0] == ERROR + "UnknownMethod"


def test_a_method_may_close_the_connection(server, client, export):
    @method()
    def M(self):
        server.close()
        return "unsent"

    export(M)
    reply = send_and_wait(client, method_call(server.get_unique_name(), PATH, I, "M"))
    assert reply.get_error_name() == ERROR + "NoReply"
    assert reply.get_args_list() != [NO_REPLY_TEXT]
