# SPDX-License-Identifier: MIT
"""dbus._core.call: what calls leave to Python."""

import pytest

from dbus import lowlevel
from dbus._core import call
from dbus.connection import Connection
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


def test_reply_error(sent):
    exception = call.reply_error(lowlevel.ErrorMessage(sent, "a.b.Oops", "no"))
    assert exception.get_dbus_name() == "a.b.Oops"
    assert exception.args == ("no",)


def test_refused_arguments_are_logged(caplog):
    call.report_refusal((1, "x"), "ii", TypeError("no"))
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("dbus.connection", "ERROR")
    assert record.getMessage() == (
        "Unable to set arguments (1, 'x') according to signature 'ii': <class 'TypeError'>: no"
    )


def test_the_keyword_of_python_2_is_refused():
    with pytest.raises(TypeError, match="utf8_strings"):
        call.refuse_removed_keywords({"utf8_strings": False})
    assert call.refuse_removed_keywords({"other": 1}) is None
