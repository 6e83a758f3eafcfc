# SPDX-License-Identifier: MIT
# ruff: noqa: F722, F821
"""Declarations of service interfaces: what they offer, what is refused, and what Python sees."""

from __future__ import annotations

import asyncio
import inspect
import textwrap
from typing import Any, Callable

import pytest
import service_annotations
from api import api, api_module, pick
from service_model import xml

service = api_module("service")
annotations = api_module("annotations")
PropertyAccess = api.PropertyAccess
ServiceInterface = service.ServiceInterface
errors = api_module("errors")


def declared(source: str) -> Any:
    """An instance of the class with this body, whose annotations are what they are."""
    scope: dict[str, Any] = {
        name: value for module in (service, annotations) for name, value in vars(module).items()
    }
    scope.update(Annotated=annotations.Annotated, READ=PropertyAccess.READ)
    scope.update(WRITE=PropertyAccess.WRITE)
    body = textwrap.indent(source, "    ")
    code = compile(f"class X(ServiceInterface):\n{body}", "<test>", "exec", 0, True)
    exec(code, scope)
    return scope["X"]("a.b")


def test_names() -> None:
    for name in ("ServiceInterface", "dbus_method", "dbus_property", "dbus_signal"):
        assert callable(getattr(service, name))
    assert callable(service.method) and callable(service.signal)
    parameters = inspect.signature(service.dbus_property).parameters
    assert {name: of.default for name, of in parameters.items()} == {
        "access": PropertyAccess.READWRITE,
        "name": None,
        "disabled": False,
    }
    for decorator in (service.method, service.signal):
        parameters = inspect.signature(decorator).parameters
        assert {name: of.default for name, of in parameters.items()} == {
            "name": None,
            "disabled": False,
        }


def test_types() -> None:
    assert set(annotations.__all__) <= set(dir(annotations))
    said = {
        name: getattr(annotations, name).__metadata__[0].signature
        for name in annotations.__all__
        if name != "DBusSignature"
    }
    assert said == {
        **{"DBusBool": "b", "DBusByte": "y", "DBusBytes": "ay", "DBusDict": "a{sv}"},
        **{"DBusDouble": "d", "DBusInt16": "n", "DBusInt32": "i", "DBusInt64": "x"},
        **{"DBusObjectPath": "o", "DBusSignatureType": "g", "DBusStr": "s", "DBusUInt16": "q"},
        **{"DBusUInt32": "u", "DBusUInt64": "t", "DBusUnixFd": "h", "DBusVariant": "v"},
    }
    mine = annotations.DBusSignature("s")
    assert mine == annotations.DBusStr.__metadata__[0]
    assert repr(mine) == "DBusSignature(signature='s')"
    assert {mine: 1}[annotations.DBusSignature("s")] == 1
    with pytest.raises(AttributeError):
        mine.signature = "i"


IN_S = '<arg name="a" direction="in" type="s" />'
OUT_S = '<arg direction="out" type="s" />'
OUT_I = '<arg direction="out" type="i" />'


@pytest.mark.parametrize(
    "function, content",
    [
        ("def M(self): ...", ""),
        ("def M(self) -> None: ...", ""),
        ("def M(self) -> '': ...", ""),
        ("def M(self, a: 's') -> 's': ...", IN_S + OUT_S),
        ("async def M(self, a: 's') -> 's': ...", IN_S + OUT_S),
        ("def M(self, a: 's' = 'x'): ...", IN_S),
        ("def M(self, *a: 's'): ...", IN_S),
        ("def M(self) -> 'si': ...", OUT_S + OUT_I),
        ("def M(self) -> '(si)': ...", '<arg direction="out" type="(si)" />'),
        ("def M(self, a: \"'s'\") -> \"'si'\": ...", IN_S + OUT_S + OUT_I),
        ("def M(self, a: DBusStr): ...", IN_S),
        ("def M(self, a: 'DBusStr') -> 'DBusStr': ...", IN_S + OUT_S),
        ("def M(self, a: Annotated[str, 5, DBusSignature('s')]): ...", IN_S),
        ("def M(self, a: Annotated[str, DBusSignature('s'), DBusSignature('i')]): ...", IN_S),
        ("def M(self) -> Annotated[tuple, DBusSignature('si')]: ...", OUT_S + OUT_I),
    ],
)
def test_methods(function: str, content: str) -> None:
    method = f'<method name="M">{content}</method>' if content else '<method name="M" />'
    assert xml(declared(f"@dbus_method()\n{function}")) == method


@pytest.mark.parametrize(
    "function, content",
    [
        ("def S(self): ...", ""),
        ("def S(self) -> None: ...", ""),
        ("def S(self, a, b: int, *c, d=1) -> 's': ...", OUT_S),
        ("def S(self) -> 'si': ...", OUT_S + OUT_I),
        ("def S(self) -> DBusStr: ...", OUT_S),
    ],
)
def test_signals(function: str, content: str) -> None:
    found = declared(f"@dbus_signal()\n{function}").introspect()
    assert [signal.name for signal in found.signals] == ["S"]
    assert "".join(
        f'<arg direction="out" type="{a.signature}" />' for a in found.signals[0].args
    ) == (content)


SETTER = "\n@P.setter\ndef P(self, v): ..."


@pytest.mark.parametrize(
    "source, expected",
    [
        ("@dbus_property(READ)\ndef P(self) -> 's': ...", ("P", "s", "read")),
        ("@dbus_property(READ)\nasync def P(self) -> 's': ...", ("P", "s", "read")),
        ("@dbus_property(READ)\ndef P(self) -> DBusDict: ...", ("P", "a{sv}", "read")),
        ("@dbus_property(READ, 'Q')\ndef P(self) -> 's': ...", ("Q", "s", "read")),
        ("@dbus_property(READ, name='Q-q')\ndef P(self) -> 's': ...", ("Q-q", "s", "read")),
        ("@dbus_property()\ndef P(self) -> 's': ..." + SETTER, ("P", "s", "readwrite")),
        ("@dbus_property(WRITE)\ndef P(self) -> 's': ..." + SETTER, ("P", "s", "write")),
        (
            "@dbus_property()\ndef P(self) -> 's': ...\n@P.setter\ndef put(self, v: 's'): ...",
            ("P", "s", "readwrite"),
        ),
        (
            "@dbus_property()\ndef P(self) -> 's': ...\n@P.setter\nasync def P(self, v: 's'): ...",
            ("P", "s", "readwrite"),
        ),
    ],
)
def test_properties(source: str, expected: tuple[str, str, str]) -> None:
    found = declared(source).introspect().properties
    assert [(each.name, each.signature, each.access.value) for each in found] == [expected]


METHOD, PROPERTY = "@dbus_method()\n", "@dbus_property(READ)\n"


@pytest.mark.parametrize(
    "source, error",
    [
        (METHOD + "def M(self, a): ...", ValueError),
        (METHOD + "def M(self, a: ''): ...", ValueError),
        (METHOD + "def M(self, a: None): ...", ValueError),
        (METHOD + "def M(self, a: int): ...", ValueError),
        (METHOD + "def M(self, a: 5): ...", ValueError),
        (METHOD + "def M(self, a: DBusSignature('s')): ...", ValueError),
        (METHOD + "def M(self, a: Annotated[str, 5]): ...", ValueError),
        (METHOD + "def M(self, a: 'ss'): ...", errors.InvalidIntrospectionError),
        (METHOD + "def M(self, a: '!'): ...", SyntaxError),
        (METHOD + "def M(self, a: 'Nope'): ...", NameError),
        (METHOD + "def M(self) -> int: ...", ValueError),
        ("@dbus_method(disabled=True)\ndef M(self, a): ...", ValueError),
        ("@dbus_method('F oo')\ndef M(self): ...", errors.InvalidMemberNameError),
        ("@dbus_method(5)\ndef M(self): ...", TypeError),
        ("@dbus_method\ndef M(self): ...", TypeError),
        (PROPERTY + "def P(self): ...", ValueError),
        (PROPERTY + "def P(self) -> None: ...", ValueError),
        (PROPERTY + "def P(self) -> '': ...", ValueError),
        (PROPERTY + "def P(self) -> 'ss': ...", ValueError),
        (PROPERTY + "def P(self) -> int: ...", ValueError),
        (PROPERTY + "def P(self, a) -> 's': ...", ValueError),
        (PROPERTY + "def P() -> 's': ...", ValueError),
        ("@dbus_property()\ndef P(self) -> 's': ...", ValueError),
        ("@dbus_property(WRITE)\ndef P(self) -> 's': ...", ValueError),
        ("@dbus_property(disabled=True)\ndef P(self) -> 's': ...", ValueError),
        ("@dbus_property(1)\ndef P(self) -> 's': ...", TypeError),
        ("@dbus_property('read')\ndef P(self) -> 's': ...", TypeError),
        ("@dbus_property\ndef P(self) -> 's': ...", TypeError),
        ("@dbus_property(READ, 'F oo')\ndef P(self) -> 's': ...", errors.InvalidMemberNameError),
        ("@dbus_property(READ, 5)\ndef P(self) -> 's': ...", TypeError),
        ("@dbus_signal()\ndef S(self) -> int: ...", ValueError),
        ("@dbus_signal('F oo')\ndef S(self): ...", errors.InvalidMemberNameError),
        ("@dbus_signal(5)\ndef S(self): ...", TypeError),
        ("@dbus_signal\ndef S(self): ...", TypeError),
    ],
)
def test_refused(source: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        declared(source)


@pytest.mark.parametrize(
    "source",
    [
        "@dbus_method(disabled=True)\ndef M(self) -> 's': ...",
        "@dbus_method(disabled=1)\ndef M(self) -> 's': ...",
        "@dbus_property(READ, disabled=True)\ndef P(self) -> 's': ...",
        "@dbus_signal(disabled=True)\ndef S(self) -> 's': ...",
    ],
)
def test_disabled_members_are_not_shown(source: str) -> None:
    assert xml(declared(source)) == ""


def test_the_order_is_that_of_the_attributes_names() -> None:
    found = declared(
        "@dbus_method()\ndef Z(self): ...\n@dbus_method('Y')\ndef A(self): ...\n"
        "@dbus_signal()\ndef W(self): ...\n@dbus_signal('X')\ndef B(self): ...\n"
    ).introspect()
    assert [method.name for method in found.methods] == ["Y", "Z"]
    assert [signal.name for signal in found.signals] == ["X", "W"]


def test_members_of_different_kinds_may_have_one_name() -> None:
    found = declared(
        "@dbus_method('A')\ndef a(self): ...\n@dbus_signal('A')\ndef b(self): ...\n"
        "@dbus_property(READ, 'A')\ndef c(self) -> 's': ...\n"
    ).introspect()
    names = [member.name for member in (*found.methods, *found.signals, *found.properties)]
    assert names == ["A", "A", "A"]


def test_annotations_that_are_source_text() -> None:
    assert xml(service_annotations.Quoted("a.b")) == (
        '<method name="M"><arg name="a" direction="in" type="s" />'
        '<arg name="b" direction="in" type="i" />'
        '<arg direction="out" type="s" /><arg direction="out" type="i" /></method>'
        '<signal name="S"><arg direction="out" type="as" /></signal><signal name="T" />'
        '<property name="P" type="a{sv}" access="readwrite" />'
    )


def test_no_result_in_source_text() -> None:
    if pick(
        ours=True,
        reference=False,
        why="dbus-fast fails on `-> None` where annotations are source text",
    ):
        assert xml(service_annotations.returns_none()("a.b")).startswith('<method name="M"')
    else:
        with pytest.raises(TypeError):
            service_annotations.returns_none()


@pytest.mark.parametrize("name", ["a.b", "a.b.c_1"])
def test_the_name(name: str) -> None:
    assert ServiceInterface(name).name == name
    assert ServiceInterface(name=name).name == name
    interface = ServiceInterface(name)
    interface.name = "c.d"
    assert interface.introspect().name == "c.d"


@pytest.mark.parametrize("name", [None, 5])
def test_a_name_is_text(name: Any) -> None:
    with pytest.raises(TypeError):
        ServiceInterface(name)


# --- Inheritance


class Base(ServiceInterface):
    def __init__(self, name: str = "a.b") -> None:
        super().__init__(name)
        self.value = "init"

    @service.dbus_method()
    def M(self, a: "s") -> "s":
        """doc of M"""
        return a

    @service.dbus_property()
    def P(self) -> "s":
        """doc of P"""
        return self.value

    @P.setter
    def P(self, value: "s") -> None:
        self.value = value

    @service.dbus_property()
    async def Q(self) -> "s":
        return "async"

    @Q.setter
    async def Q(self, value: "s") -> None:
        raise AssertionError

    @service.dbus_signal()
    def S(self, a: Any) -> "s":
        """doc of S"""
        return a

    @service.dbus_signal(disabled=True)
    def Off(self) -> "s":
        raise AssertionError("the function runs")

    @service.dbus_method(disabled=True)
    def Hidden(self) -> "s":
        raise KeyError("hidden")


def names(interface: Any) -> str:
    found = interface.introspect()
    members = (*found.methods, *found.signals, *found.properties)
    return " ".join(member.name for member in members)


class Inherits(Base): ...


class Hides(Base):
    M = None
    P = "plain"

    def S(self) -> None: ...


class Renames(Base):
    @service.dbus_method("N")
    def M(self, a: "i") -> "i":
        return a


class Mixin:
    @service.dbus_method()
    def Extra(self): ...


class Mixed(Mixin, Base): ...


@pytest.mark.parametrize(
    "interface, expected",
    [
        (Inherits, "M S P Q"),
        (Hides, "Q"),
        (Renames, "N S P Q"),
        (Mixed, "Extra M S P Q"),
    ],
)
def test_inheritance(interface: Callable[[], Any], expected: str) -> None:
    assert names(interface()) == expected


def test_a_member_added_to_the_class_is_there_for_new_instances() -> None:
    class Late(Base): ...

    before = Late()
    Late.Added = Mixin.Extra
    assert "Extra" in names(Late())
    assert "Extra" not in names(before)


def test_getters_are_not_called_when_an_instance_is_made() -> None:
    assert names(declared("@dbus_property(READ)\ndef P(self) -> 's': raise KeyError")) == "P"


# --- What Python code sees


def test_properties_are_properties() -> None:
    base = Base()
    assert isinstance(Base.P, property)
    assert Base.P.__doc__ == "doc of P"
    assert base.P == "init"
    base.P = "new"
    assert base.value == base.P == "new"
    base.P = 5  # only the bus has types
    assert base.P == 5

    async def get() -> Any:
        return await base.Q

    assert asyncio.run(get()) == "async"


def test_methods_can_be_called() -> None:
    base = Base()
    assert Base.M.__name__ == "M" and Base.M.__doc__ == "doc of M"
    why = "with dbus-fast the result of a direct call is lost"
    assert base.M("x") == pick(ours="x", reference=None, why=why)
    assert base.M(a="x") == pick(ours="x", reference=None, why=why)
    with pytest.raises(TypeError):
        base.M()
    with pytest.raises(KeyError):
        base.Hidden()


def test_signals_without_a_bus() -> None:
    base = Base()
    assert Base.S.__name__ == "S" and Base.S.__doc__ == "doc of S"
    assert base.S("x") == "x"
    assert base.S(5) == 5
    with pytest.raises(api.SignalDisabledError):
        base.Off()


def test_changed_properties_without_a_bus() -> None:
    base = Base()
    base.emit_properties_changed({"P": "x"}, ["Q"])
    base.emit_properties_changed({"unknown": 5})
    with pytest.raises(api.SignatureBodyMismatchError):
        base.emit_properties_changed({"P": 5})
    with pytest.raises(TypeError):
        base.emit_properties_changed(None)
    with pytest.raises(TypeError):
        base.emit_properties_changed({}, "P")
