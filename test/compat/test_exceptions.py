# SPDX-License-Identifier: MIT
"""The exception classes: names, texts, arguments."""

import copy
import pickle

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


def twin(error, how):
    if how == "copy":
        return copy.copy(error)
    if how == "deepcopy":
        return copy.deepcopy(error)
    return pickle.loads(pickle.dumps(error, int(how)))


HOW = ["copy", "deepcopy", "0", "2", "4"]


class Refused(DBusException):
    _dbus_error_name = "a.b.Refused"
    include_traceback = True


@pytest.mark.parametrize("how", HOW)
def test_copies(how):
    error = DBusException("a", 2, name="a.b.C")
    error.note = [1]
    for original in (error, DBusException(), Refused("x"), Refused("x", name="a.b.Other")):
        made = twin(original, how)
        assert type(made) is type(original)
        assert made is not original
        assert made.args == original.args
        assert str(made) == str(original)
        assert made.get_dbus_name() == original.get_dbus_name()
        assert made.__dict__ == original.__dict__


@pytest.mark.parametrize("how", HOW)
def test_copies_of_those_that_make_their_own_text(how, differs):
    for original in (
        dbus.exceptions.NameExistsException("a.b"),
        dbus.exceptions.ValidationException("why"),
        dbus.exceptions.UnknownMethodException("M"),
    ):
        before, text = original.get_dbus_message().split(": ")
        assert twin(original, how).get_dbus_message() == differs(
            ours=f"{before}: {text}",
            reference=f"{before}: {before}: {text}",
            why="exceptions copy and pickle as they are",
        )


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", ["MissingReplyHandlerException", "MissingErrorHandlerException"])
def test_copies_of_those_without_arguments(how, kind, reference):
    original = getattr(dbus.exceptions, kind)()
    if reference:
        with pytest.raises(TypeError):
            twin(original, how)
    else:
        assert str(twin(original, how)) == str(original)
