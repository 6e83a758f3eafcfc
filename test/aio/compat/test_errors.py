# SPDX-License-Identifier: MIT
"""The exceptions: bases, texts, attributes, constructors."""

from __future__ import annotations

import copy
import pickle
from typing import Any, Optional

import pytest
from api import REFERENCE, api_module

errors = api_module("errors")
constants = api_module("constants")

BUILTIN_BASE: dict[str, Optional[type]] = {
    "SignatureBodyMismatchError": ValueError,
    "InvalidSignatureError": ValueError,
    "InvalidAddressError": ValueError,
    "AuthError": ValueError,
    "AuthTimeoutError": ValueError,
    "InternalError": RuntimeError,
    "InvalidMessageError": ValueError,
    "InvalidIntrospectionError": ValueError,
    "InterfaceNotFoundError": None,
    "SignalDisabledError": None,
    "InvalidBusNameError": TypeError,
    "InvalidObjectPathError": TypeError,
    "InvalidInterfaceNameError": TypeError,
    "InvalidMemberNameError": TypeError,
    "DBusError": None,
}
OF_A_NAME = {
    "InvalidBusNameError": ("name", "invalid bus name: 1 2"),
    "InvalidObjectPathError": ("path", "invalid object path: 1 2"),
    "InvalidInterfaceNameError": ("name", "invalid interface name: 1 2"),
    "InvalidMemberNameError": ("member", "invalid member name: 1 2"),
}
PLAIN = [name for name in BUILTIN_BASE if name not in OF_A_NAME and name != "DBusError"]


def test_base() -> None:
    assert errors.DBusFastError.__bases__ == (Exception,)


@pytest.mark.parametrize("name", BUILTIN_BASE)
def test_bases(name: str) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, errors.DBusFastError)
    for builtin in (ValueError, TypeError, RuntimeError):
        assert issubclass(kind, builtin) == (BUILTIN_BASE[name] is builtin)


def test_a_timeout_is_an_auth_error() -> None:
    assert issubclass(errors.AuthTimeoutError, errors.AuthError)


@pytest.mark.parametrize("arguments", [(), ("text",), ("a", 2)])
@pytest.mark.parametrize("name", PLAIN)
def test_plain_arguments(name: str, arguments: tuple[Any, ...]) -> None:
    error = getattr(errors, name)(*arguments)
    assert error.args == arguments
    assert str(error) == str(Exception(*arguments))


@pytest.mark.parametrize("name", OF_A_NAME)
def test_errors_of_names(name: str) -> None:
    keyword, text = OF_A_NAME[name]
    kind = getattr(errors, name)
    for error in (kind("1 2"), kind(**{keyword: "1 2"})):
        assert str(error) == text
        assert error.args == (text,)
    with pytest.raises(TypeError, match="required positional argument"):
        kind()


@pytest.mark.parametrize("kind", ["str", "member"])
def test_dbus_error(kind: str) -> None:
    failed = constants.ErrorType.FAILED
    error = errors.DBusError(failed if kind == "member" else failed.value, "it broke")
    assert error.type == "org.freedesktop.DBus.Error.Failed"
    assert type(error.type) is str
    assert error.text == "it broke" == str(error)
    assert error.args == ("it broke",)
    assert error.reply is None


def test_dbus_error_keywords() -> None:
    error = errors.DBusError(type_="a.b", text="t", reply=None)
    assert (error.type, error.text, error.reply) == ("a.b", "t", None)


BAD_NAMES = ["bad", "", "a b.c", "a..b", "1.a", ".a", "a.b-c", 5, None, b"a.b"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_dbus_error_needs_an_error_name(name: Any) -> None:
    with pytest.raises(errors.InvalidInterfaceNameError) as caught:
        errors.DBusError(name, "text")
    assert str(caught.value) == f"invalid interface name: {name}"


@pytest.mark.parametrize("reply", [7, "reply", object()])
def test_dbus_error_needs_a_message(reply: Any) -> None:
    with pytest.raises(TypeError, match="Message"):
        errors.DBusError("a.b", "text", reply)


def test_dbus_error_keeps_its_reply() -> None:
    message = api_module("message").Message
    call = message(destination="a.b", path="/", interface="a.b", member="M", serial=5)
    reply = message.new_error(call, "a.b.Error", "text")
    assert errors.DBusError("a.b.Error", "text", reply).reply is reply


def test_dbus_error_copies() -> None:
    error = errors.DBusError("a.b", "text")
    if REFERENCE:  # its copy would be made from the text alone
        with pytest.raises(TypeError):
            copy.copy(error)
        return
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (other.type, other.text, other.reply) == ("a.b", "text", None)
