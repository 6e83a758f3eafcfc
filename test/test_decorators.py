# SPDX-License-Identifier: MIT
"""dbus.decorators: the notes on functions, and what is refused."""

import inspect

import pytest

from dbus.decorators import method, signal


def function_with(arguments, name="Member"):
    namespace = {}
    exec(f"def {name}({arguments}):\n    'Text.'", namespace)
    return namespace[name]


def test_the_notes_of_a_method():
    decorated = method(
        "a.b",
        in_signature="s",
        out_signature="i",
        async_callbacks=("ok", "failed"),
        sender_keyword="sender",
        byte_arrays=True,
    )(function_with("self, text, ok, failed, sender=None"))
    assert vars(decorated) == {
        "_dbus_is_method": True,
        "_dbus_interface": "a.b",
        "_dbus_in_signature": "s",
        "_dbus_out_signature": "i",
        "_dbus_async_callbacks": ("ok", "failed"),
        "_dbus_args": ["text"],
        "_dbus_get_args_options": {"byte_arrays": True},
        "_dbus_sender_keyword": "sender",
        "_dbus_path_keyword": None,
        "_dbus_rel_path_keyword": None,
        "_dbus_destination_keyword": None,
        "_dbus_message_keyword": None,
        "_dbus_connection_keyword": None,
    }


def test_a_method_is_the_function_itself():
    function = function_with("self")
    assert method("a.b")(function) is function


@pytest.mark.parametrize(
    "keyword",
    ["sender", "path", "rel_path", "destination", "message", "connection"],
)
def test_every_keyword_of_a_method(keyword):
    decorate = method("a.b", in_signature="s", **{f"{keyword}_keyword": "extra"})
    decorated = decorate(function_with("self, text, extra"))
    assert getattr(decorated, f"_dbus_{keyword}_keyword") == "extra"
    assert decorated._dbus_args == ["text"]
    with pytest.raises(ValueError, match='no argument "extra"'):
        decorate(function_with("self, text"))


@pytest.mark.parametrize(
    ("keywords", "arguments", "exception", "text"),
    [
        ({"in_signature": "ss"}, "self, a", ValueError, "input signature is longer"),
        ({"in_signature": "s"}, "self, a, b", ValueError, "input signature is shorter"),
        ({"in_signature": "s"}, "self, *rest", ValueError, "input signature is longer"),
        ({"in_signature": "("}, "self, a", ValueError, "[Cc]orrupt"),
        ({"in_signature": 3}, "self, a", TypeError, "str"),
        ({"async_callbacks": ["a", "b"]}, "self, a, b", TypeError, "must be a tuple"),
        ({"async_callbacks": ("a",)}, "self, a", ValueError, "must be a tuple"),
        ({"async_callbacks": ("a", "z")}, "self, a", ValueError, 'no argument "z"'),
        ({}, "", ValueError, "has no argument for its object"),
    ],
)
def test_methods_that_are_refused(keywords, arguments, exception, text):
    with pytest.raises(exception, match=text):
        method("a.b", **keywords)(function_with(arguments))


@pytest.mark.parametrize("decorator", [method, signal])
def test_interfaces_that_are_refused(decorator):
    with pytest.raises(ValueError, match="must contain"):
        decorator("nodots")
    for wrong in (None, function_with("self")):
        with pytest.raises(TypeError):
            decorator(wrong)


def test_the_keyword_of_python_2_is_refused():
    with pytest.raises(TypeError, match="utf8_strings"):
        method("a.b", utf8_strings=False)


def test_the_notes_of_a_signal():
    function = function_with("self, text, rel=None")
    decorated = signal("a.b", signature="s", rel_path_keyword="rel")(function)
    assert vars(decorated) == {
        "_dbus_is_signal": True,
        "_dbus_interface": "a.b",
        "_dbus_signature": "s",
        "_dbus_args": ["text"],
    }
    assert (decorated.__name__, decorated.__doc__) == ("Member", "Text.")
    assert decorated.__module__ == function.__module__
    assert str(inspect.signature(decorated)) == "(self, *args, **keywords)"


@pytest.mark.parametrize(
    ("keywords", "arguments", "text"),
    [
        ({"signature": "ss"}, "self, a", "signal signature is longer"),
        ({"signature": "s"}, "self, a, b", "signal signature is shorter"),
        ({"rel_path_keyword": "rel"}, "self, a", 'no argument "rel"'),
        ({"signature": "("}, "self, a", "[Cc]orrupt"),
        ({}, "", "has no argument for its object"),
    ],
)
def test_signals_that_are_refused(keywords, arguments, text):
    with pytest.raises(ValueError, match=text):
        signal("a.b", **keywords)(function_with(arguments))


def test_a_signal_needs_a_name_that_dbus_allows():
    function = function_with("self")
    function.__name__ = "no-name"
    with pytest.raises(ValueError, match="Invalid member name 'no-name'"):
        signal("a.b")(function)


def test_two_path_keywords_exclude_each_other():
    with pytest.warns(DeprecationWarning), pytest.raises(TypeError, match="cannot both be used"):
        signal("a.b", path_keyword="a", rel_path_keyword="b")


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_signature_is_not_counted(empty):
    assert method("a.b", in_signature=empty)(function_with("self, a"))._dbus_args == ["a"]
    assert signal("a.b", signature=empty)(function_with("self, a"))._dbus_args == ["a"]
