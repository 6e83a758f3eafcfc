# SPDX-License-Identifier: MIT
"""dbus._core.call: messages for calls, values and exceptions from replies."""

import logging

import pytest

from dbus import lowlevel
from dbus._core import call
from dbus.exceptions import DBusException


class Reply(lowlevel.MethodReturnMessage):
    """A method return that was not received: only its arguments count."""

    def __init__(self, *values, signature=""):
        super().__init__(sent_call())
        self.append(*values, signature=signature)


def sent_call():
    """A call that can be answered: it has a serial and a sender."""
    message = lowlevel.MethodCallMessage("a.b", "/", "a.b", "M")
    message.set_sender(":1.1")
    return message


class Error(lowlevel.ErrorMessage):
    """An error that was not received."""

    def __init__(self, name, text):
        super().__init__(sent_call(), name, text)


@pytest.fixture(autouse=True)
def _replies_without_a_bus(monkeypatch):
    """Replies need a call with a serial, which only a bus gives: read a signal's body instead."""

    class Signal(lowlevel.SignalMessage):
        def __init__(self, *values, signature=""):
            super().__init__("/", "a.b", "S")
            self.append(*values, signature=signature)

    monkeypatch.setattr(call, "MethodReturnMessage", Signal)
    globals()["Reply"] = Signal


def test_a_call_has_header_and_arguments():
    message = call.new_call("a.b", "/p", "c.d", "M", "si", ("x", 1))
    assert message.get_destination() == "a.b"
    assert message.get_path() == "/p"
    assert message.get_interface() == "c.d"
    assert message.get_member() == "M"
    assert message.get_signature() == "si"
    assert message.get_args_list() == ["x", 1]
