# SPDX-License-Identifier: MIT
"""DBusError with a message, and what the module promises about builtin bases."""

from __future__ import annotations

import pickle
import sys
from types import ModuleType

import pytest

from dbus.aio import errors


class Message:
    """Stands for the class of that name."""


@pytest.fixture
def message_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("dbus.aio.message")
    module.Message = Message  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dbus.aio.message", module)


@pytest.mark.usefixtures("message_module")
def test_a_message_is_kept() -> None:
    reply = Message()
    assert errors.DBusError("a.b", "text", reply).reply is reply


@pytest.mark.usefixtures("message_module")
def test_something_else_is_refused() -> None:
    with pytest.raises(TypeError, match="the reply is a object, not a Message"):
        errors.DBusError("a.b", "text", object())


def test_without_the_module_there_is_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "dbus.aio.message", raising=False)
    with pytest.raises(TypeError, match="not a Message"):
        errors.DBusError("a.b", "text", Message())
    assert errors.DBusError("a.b", "text").reply is None


@pytest.mark.usefixtures("message_module")
def test_a_pickled_error_leaves_its_message_behind() -> None:
    other = pickle.loads(pickle.dumps(errors.DBusError("a.b", "text", Message())))
    assert (other.type, other.text, other.reply) == ("a.b", "text", None)


def test_the_cause_is_not_an_inner_detail() -> None:
    with pytest.raises(errors.InvalidInterfaceNameError) as caught:
        errors.DBusError("bad", "text")
    assert caught.value.__suppress_context__
