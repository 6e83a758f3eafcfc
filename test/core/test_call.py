# SPDX-License-Identifier: MIT
"""dbus._core.call: messages for calls, values and exceptions from replies."""

import logging

import pytest

from dbus import lowlevel
from dbus._core import call
from dbus.connection import Connection
from dbus.exceptions import DBusException
from dbus.mainloop import NULL_MAIN_LOOP
from dbus.server import Server


@pytest.fixture
def sent(tmp_path):
    """A call that can be answered: sending it to nobody has given it a serial."""
    server = Server(f"unix:path={tmp_path / 'socket'}", mainloop=NULL_MAIN_LOOP)
    connection = Connection(server.address)
    message = lowlevel.MethodCallMessage("a.b", "/", "a.b", "M")
    connection.send_message(message)
    yield message
    connection.close()
    server.disconnect()


@pytest.fixture
def reply(sent):
    def make(*values, signature):
        message = lowlevel.MethodReturnMessage(sent)
        message.append(*values, signature=signature)
        return message

    return make


def test_a_call_has_header_and_arguments():
    message = call.new_call("a.b", "/p", "c.d", "M", "si", ("x", 1))
    assert message.get_destination() == "a.b"
    assert message.get_path() == "/p"
    assert message.get_interface() == "c.d"
    assert message.get_member() == "M"
    assert message.get_signature() == "si"
    assert message.get_args_list() == ["x", 1]


def test_a_call_without_arguments_has_an_empty_body():
    assert call.new_call(None, "/", None, "M", "", ()).get_signature() == ""
    assert call.new_call(None, "/", None, "M", None, ()).get_signature() == ""


def test_a_missing_signature_is_guessed():
    assert call.new_call(None, "/", None, "M", None, ("x", [1])).get_signature() == "sai"


@pytest.mark.parametrize(
    ("path", "interface"),
    [
        ("/org/freedesktop/DBus/Local", "a.b"),
        ("/", "org.freedesktop.DBus.Local"),
    ],
)
def test_what_belongs_to_libdbus_cannot_be_called(path, interface):
    with pytest.raises(DBusException, match="reserved") as caught:
        call.new_call(None, path, interface, "M", "", ())
    assert caught.value.get_dbus_name() is None


@pytest.mark.parametrize(
    ("signature", "args", "exception"),
    [
        ("i", ("x",), TypeError),
        ("s", (), TypeError),
        ("(", ("x",), ValueError),
        (None, (object(),), TypeError),
        ("s", 3, TypeError),
    ],
)
def test_arguments_that_do_not_fit_are_logged_and_raised(signature, args, exception, caplog):
    with pytest.raises(exception):
        call.new_call(None, "/", "a.b", "M", signature, args)
    (record,) = caplog.records
    assert record.name == "dbus.connection"
    assert record.levelno == logging.ERROR
    start = f"Unable to set arguments {args!r} according to signature {signature!r}: "
    assert record.getMessage().startswith(start + str(exception))


def test_reply_value(reply):
    assert call.reply_value(reply(signature=""), False) is None
    assert call.reply_value(reply("x", signature="s"), False) == "x"
    several = call.reply_value(reply("x", 1, signature="si"), False)
    assert several == ("x", 1)
    assert type(several) is tuple


def test_reply_value_with_byte_arrays(reply):
    assert call.reply_value(reply(b"ab", signature="ay"), True) == b"ab"
    assert call.reply_value(reply(b"ab", signature="ay"), False) == [97, 98]


def test_reply_error(sent):
    exception = call.reply_error(lowlevel.ErrorMessage(sent, "a.b.Oops", "no"))
    assert exception.get_dbus_name() == "a.b.Oops"
    assert exception.args == ("no",)


def test_the_router_hands_values_on(reply):
    got, failed = [], []
    route = call.reply_router(lambda *values: got.append(values), failed.append, True)
    route(reply(b"ab", 1, signature="ayi"))
    route(reply(signature=""))
    assert got == [(b"ab", 1), ()]
    assert failed == []


def test_the_router_hands_errors_on(sent):
    got, failed = [], []
    route = call.reply_router(got.append, failed.append, False)
    route(lowlevel.ErrorMessage(sent, "a.b.Oops", "no"))
    route(lowlevel.SignalMessage("/", "a.b", "S"))
    assert got == []
    assert [type(error) for error in failed] == [DBusException, TypeError]
    assert str(failed[0]) == "a.b.Oops: no"


def test_the_router_ignores_what_has_no_handler(sent, reply):
    route = call.reply_router(None, None, False)
    assert route(reply("x", signature="s")) is None
    assert route(lowlevel.ErrorMessage(sent, "a.b.Oops", "no")) is None


def test_the_keyword_of_python_2_is_refused():
    with pytest.raises(TypeError, match="utf8_strings"):
        call.refuse_removed_keywords({"utf8_strings": False})
    assert call.refuse_removed_keywords({"other": 1}) is None
