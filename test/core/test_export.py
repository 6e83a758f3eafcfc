# SPDX-License-Identifier: MIT
"""dbus._core.export: class tables, method lookup, values and errors that go back."""

import functools

import pytest

from dbus._core import export
from dbus.exceptions import DBusException, UnknownMethodException
from dbus.service import method, signal
from dbus.types import ObjectPath, Struct


class Base:
    @method("a.b", in_signature="s")
    def Plain(self, s):
        pass

    @method("a.b", in_signature="s")
    def Overridden(self, s):
        pass

    @method("a.b")
    def Moved(self):
        pass

    @method("a.b")
    def Hidden(self):
        pass

    @signal("a.b")
    def Signal(self):
        pass


class Derived(Base):
    def Overridden(self, s):
        pass

    @method("c.d")
    def Moved(self):
        pass

    Hidden = None


class Last(Derived):
    def Moved(self):
        pass

    @method("a.b", in_signature="i")
    def Overridden(self, s):
        pass


def found(cls, name, interface):
    return export.find_method(cls.__mro__, name, interface)


@pytest.mark.parametrize(
    ("cls", "name", "interface", "called", "described"),
    [
        (Base, "Plain", "a.b", Base.Plain, Base.Plain),
        (Base, "Plain", None, Base.Plain, Base.Plain),
        (Last, "Plain", "a.b", Base.Plain, Base.Plain),
        (Derived, "Overridden", "a.b", Derived.Overridden, Base.Overridden),
        (Last, "Overridden", "a.b", Last.Overridden, Last.Overridden),
        (Derived, "Moved", "c.d", Derived.Moved, Derived.Moved),
        (Derived, "Moved", "a.b", Base.Moved, Base.Moved),
        (Derived, "Moved", None, Derived.Moved, Derived.Moved),
        (Last, "Moved", "a.b", Last.Moved, Base.Moved),
        (Last, "Moved", "c.d", Last.Moved, Derived.Moved),
        (Base, "Hidden", "a.b", Base.Hidden, Base.Hidden),
    ],
)
def test_find_method(cls, name, interface, called, described):
    assert found(cls, name, interface) == (called, described)


@pytest.mark.parametrize(
    ("name", "interface"),
    [
        ("Plain", "x.y"),
        ("Nope", "a.b"),
        ("Nope", None),
        ("Signal", "a.b"),
        ("Signal", None),
        ("__init__", None),
        ("Hidden", "a.b"),
    ],
)
def test_methods_that_do_not_exist(name, interface):
    with pytest.raises(UnknownMethodException) as caught:
        found(Derived, name, interface)
    wanted = f"{name} is not a valid method"
    if interface is not None:
        wanted += f" of interface {interface}"
    assert caught.value.args == (f"Unknown method: {wanted}",)


def test_own_table():
    table = export.own_table(Derived.__dict__)
    assert table == {"c.d": {"Moved": Derived.Moved}}


def merged(*classes):
    """The tables of classes, each made from those before it, as the metaclass does."""
    tables = {}
    for cls in classes:
        tables[cls] = export.merged_table(
            export.own_table(cls.__dict__),
            [tables[base] for base in cls.__bases__ if base in tables],
            [ancestor.__dict__ for ancestor in cls.__mro__[1:]],
        )
    return tables[classes[-1]]


def test_inherited_members_stand_first():
    table = merged(Base, Derived, Last)
    assert list(table) == ["a.b", "c.d"]
    assert list(table["a.b"]) == ["Plain", "Overridden", "Moved", "Hidden", "Signal"]
    assert table["a.b"]["Overridden"] is Last.Overridden
    assert table["a.b"]["Moved"] is Base.Moved
    assert table["c.d"]["Moved"] is Derived.Moved


class Left:
    @method("a.b")
    def Same(self):
        pass


class Right:
    @method("a.b")
    def Same(self):
        pass


class Both(Left, Right):
    pass


def test_the_table_agrees_with_the_call_about_two_bases():
    assert merged(Left, Right, Both)["a.b"]["Same"] is Left.Same
    assert found(Both, "Same", "a.b")[0] is Left.Same


def test_a_member_taken_out_of_a_base_table_stays_out():
    base = merged(Base)
    del base["a.b"]["Plain"]
    table = export.merged_table({}, [base], [Base.__dict__])
    assert "Plain" not in table["a.b"]


def test_a_member_put_into_a_base_table_is_inherited():
    base = merged(Base)
    base["a.b"]["Added"] = Left.Same
    assert export.merged_table({}, [base], [Base.__dict__])["a.b"]["Added"] is Left.Same


@pytest.mark.parametrize(
    ("signature", "value", "values"),
    [
        (None, None, ()),
        (None, "x", ("x",)),
        (None, (1, 2), (1, 2)),
        (None, (), ()),
        (None, [1, 2], ([1, 2],)),
        (None, Struct((1, 2)), (Struct((1, 2)),)),
        ("", None, ()),
        ("s", "x", ("x",)),
        ("s", None, (None,)),
        ("(ss)", ("x", "y"), (("x", "y"),)),
        ("as", ["x"], (["x"],)),
        ("ss", ("x", "y"), ("x", "y")),
        ("ss", ["x", "y"], ("x", "y")),
        ("ss", "xy", ("x", "y")),
    ],
)
def test_returned_values(signature, value, values):
    assert export.returned_values("M", signature, value) == values


@pytest.mark.parametrize(
    ("signature", "value", "text"),
    [
        ("", "x", "M has an empty output signature but did not return None"),
        ("ss", 1, "M has multiple output values in signature ss but did not return a sequence"),
        ("ss", {"x", "y"}, "M has multiple output values in signature ss"),
        ("ss", None, "M has multiple output values in signature ss"),
    ],
)
def test_returned_values_that_do_not_fit(signature, value, text):
    with pytest.raises(TypeError, match=text):
        export.returned_values("M", signature, value)


class Named(Exception):
    _dbus_error_name = "x.y.Z"


class Main(Exception):
    __module__ = "__main__"


@pytest.mark.parametrize(
    ("exception", "name"),
    [
        (ValueError("x"), "org.freedesktop.DBus.Python.ValueError"),
        (Main("x"), "org.freedesktop.DBus.Python.Main"),
        (Named("x"), "x.y.Z"),
        (DBusException("x", name="a.b.C"), "a.b.C"),
        (DBusException("x"), "org.freedesktop.DBus.Python.dbus.exceptions.DBusException"),
        (UnknownMethodException("x"), "org.freedesktop.DBus.Error.UnknownMethod"),
    ],
)
def test_error_names(exception, name):
    assert export.error_name(exception) == name


def raised(exception):
    try:
        raise exception
    except Exception as caught:
        return caught


def test_error_texts():
    text = export.error_text(raised(ValueError("no")))
    assert text.startswith("Traceback (most recent call last):\n")
    assert text.endswith("ValueError: no\n")
    assert export.error_text(ValueError("no")) == "ValueError: no\n"
    assert export.error_text(raised(DBusException("no", name="a.b.C"))) == "no"


def test_tracebacks_are_a_choice():
    exception = raised(DBusException("no", name="a.b.C"))
    exception.include_traceback = True
    assert "Traceback" in export.error_text(exception)
    exception = raised(ValueError("no"))
    exception.include_traceback = False
    assert export.error_text(exception) == "no"


def test_error_texts_are_valid_on_the_bus():
    exception = ValueError("zero \0, surrogate \ud800")
    exception.include_traceback = False
    assert export.error_text(exception) == "zero \\0, surrogate \\ud800"
    assert export.error_text(DBusException("x" * 2**21)) == "x" * 2**20


@pytest.mark.parametrize(
    ("path", "base", "relative"),
    [
        ("/a", "/a", "/"),
        ("/a/b/c", "/a", "/b/c"),
        ("/a/b", "/", "/a/b"),
        ("/", "/", "/"),
        ("/ab", "/a", None),
        ("/a", "/a/b", None),
    ],
)
def test_relative_paths_and_back(path, base, relative):
    found_path = export.relative_path(path, base)
    assert found_path == relative
    if relative is not None:
        assert type(found_path) is ObjectPath
        assert export.absolute_path(base, relative) == path


def test_absolute_path_without_a_relative_one():
    assert export.absolute_path("/a", None) == "/a"
    assert export.absolute_path("/a", "") == "/a"


def test_argument_names():
    def function(self, one, two=2, *rest, three=3, **more):
        pass

    assert export.argument_names(function) == ["self", "one", "two"]
    assert export.argument_names(functools.partial(function)) == ["self", "one", "two"]
    assert export.argument_names(lambda: None) == []


def test_is_exported():
    assert export.is_exported(Base.Plain)
    assert export.is_exported(Base.Signal)
    assert not export.is_exported(Derived.Overridden)
    assert not export.is_exported(None)
