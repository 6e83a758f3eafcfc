# SPDX-License-Identifier: MIT
"""The exception classes: names, texts, arguments."""

import pytest

import dbus
import dbus.exceptions
from dbus.exceptions import DBusException


@pytest.mark.parametrize(
    ("args", "keywords", "text", "message"),
    [
        ((), {}, "", ""),
        (("m",), {}, "m", "m"),
        (("m", 2), {}, "('m', 2)", "('m', 2)"),
        ((), {"name": "a.b.C"}, "a.b.C: ", ""),
        (("m",), {"name": "a.b.C"}, "a.b.C: m", "m"),
        (("msg", 2), {"name": "a.b.C"}, "a.b.C: ('msg', 2)", "('msg', 2)"),
        (("\u20ac",), {"name": "a.b.C"}, "a.b.C: \u20ac", "\u20ac"),
    ],
)
def test_text(args, keywords, text, message):
    error = DBusException(*args, **keywords)
    assert str(error) == text
    assert error.get_dbus_message() == message
    assert error.get_dbus_name() == keywords.get("name")
    assert error.args == args


def test_without_a_name_there_is_none():
    assert DBusException("x").get_dbus_name() is None


def test_other_keywords_are_refused():
    with pytest.raises(TypeError, match="does not take keyword arguments"):
        DBusException("x", foo=1)


def test_the_name_may_be_a_class_attribute():
    class Mine(DBusException):
        _dbus_error_name = "a.b.Mine"

    assert Mine("x").get_dbus_name() == "a.b.Mine"
    assert str(Mine("x")) == "a.b.Mine: x"
    assert Mine("x", name="a.b.Other").get_dbus_name() == "a.b.Other"
    assert Mine.get_dbus_name(Mine()) == "a.b.Mine"


def test_the_name_may_be_set_later():
    error = DBusException("x")
    error._dbus_error_name = "a.b.Late"
    assert error.get_dbus_name() == "a.b.Late"
    assert str(error) == "a.b.Late: x"


def test_include_traceback():
    assert DBusException.include_traceback is False
    assert DBusException("x").include_traceback is False
    for name in (
        "MissingErrorHandlerException",
        "MissingReplyHandlerException",
        "ValidationException",
        "IntrospectionParserException",
        "UnknownMethodException",
        "NameExistsException",
    ):
        cls = getattr(dbus.exceptions, name)
        assert cls.include_traceback is True
        assert issubclass(cls, DBusException)
        assert getattr(dbus, name) is cls


def test_the_fixed_ones():
    errors = dbus.exceptions
    assert str(errors.MissingErrorHandlerException()) == (
        "error_handler not defined: if you define a reply_handler you must also define an "
        "error_handler"
    )
    assert str(errors.MissingReplyHandlerException()) == (
        "reply_handler not defined: if you define an error_handler you must also define a "
        "reply_handler"
    )
    assert str(errors.ValidationException("why")) == "Error validating string: why"
    assert str(errors.ValidationException()) == "Error validating string: "
    assert str(errors.IntrospectionParserException("why")) == "Error parsing introspect data: why"
    assert str(errors.NameExistsException("a.b")) == "Bus name already exists: a.b"
    unknown = errors.UnknownMethodException("M")
    assert unknown.get_dbus_name() == "org.freedesktop.DBus.Error.UnknownMethod"
    assert unknown.get_dbus_message() == "Unknown method: M"
    assert str(unknown) == "org.freedesktop.DBus.Error.UnknownMethod: Unknown method: M"


def test_module_names_and_bases():
    assert DBusException.__module__ == "dbus.exceptions"
    assert DBusException.__bases__ == (Exception,)
    assert dbus.DBusException is DBusException


def test_exceptions_pickle_into_themselves_or_refuse():
    import pickle

    error = pickle.loads(pickle.dumps(DBusException("a", 2)))
    assert type(error) is DBusException
    assert error.args == ("a", 2)
