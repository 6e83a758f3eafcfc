# SPDX-License-Identifier: MIT
"""Handlers of signals on proxies."""

from __future__ import annotations

import asyncio
import functools
import gc
import weakref
from typing import Any, Callable

import pytest
from api import REFERENCE, api, pick
from proxy_peer import INTERFACE, NAME, PATH, MessageBus, Pair, introspection, run

Message = api.Message
Variant = api.Variant

MEMBERS = """
    <signal name="Said"><arg type="s"/></signal>
    <signal name="Happened"/>
    <signal name="Changed"><arg type="v"/><arg type="a{sv}"/></signal>
"""
PROPERTIES = "org.freedesktop.DBus.Properties"


class Heard(list[Any]):
    """What handlers have heard."""

    def handler(self, label: str) -> Callable[[Any], None]:
        """A handler that adds its label and the argument."""
        return lambda text: self.append((label, text))

    def take(self) -> list[Any]:
        """All of it, once."""
        taken = list(self)
        self.clear()
        return taken


# --- Adding and removing


def test_on_and_off(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard, proxy = Heard(), pair.interface(MEMBERS)
        await pair.emit("Said", "s", ["too early"])
        assert proxy.on_said(heard.append) is None
        await pair.emit("Said", "s", ["one"])
        await pair.emit("Said", "s", ["two"])
        assert heard.take() == ["one", "two"]
        assert proxy.off_said(heard.append) is None
        await pair.emit("Said", "s", ["too late"])
        assert heard == []
        proxy.on_said(fn=heard.append)
        await pair.emit("Said", "s", ["again"])
        assert heard == ["again"]
        assert pair.failures == []

    run(bus.address, body)


def test_many_handlers(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard, proxy = Heard(), pair.interface(MEMBERS)
        handlers = [heard.handler(str(number)) for number in range(5)]
        for handler in handlers:
            proxy.on_said(handler)
        await pair.emit("Said", "s", ["x"])
        assert heard.take() == [(str(number), "x") for number in range(5)]
        proxy.off_said(handlers[2])
        await pair.emit("Said", "s", ["y"])
        assert [label for label, _ in heard.take()] == ["0", "1", "3", "4"]
        for handler in handlers:
            proxy.off_said(handler)
        await pair.emit("Said", "s", ["z"])
        assert heard == []

    run(bus.address, body)


def test_one_handler_twice(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard, proxy = Heard(), pair.interface(MEMBERS)
        for count in (1, 2):
            proxy.on_said(heard.append)
            await pair.emit("Said", "s", ["x"])
            assert heard.take() == ["x"] * count
        for count in (1, 0, 0):
            proxy.off_said(heard.append)
            await pair.emit("Said", "s", ["x"])
            assert heard.take() == ["x"] * count

    run(bus.address, body)


def test_off_what_is_not_on(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard, proxy = Heard(), pair.interface(MEMBERS)
        proxy.off_said(heard.append)
        proxy.on_said(heard.append)
        for other in (print, None, 5):
            proxy.off_said(other)
        # The option belongs to what was added.
        proxy.off_said(heard.append, unpack_variants=True)
        await pair.emit("Said", "s", ["x"])
        assert heard == ["x"]

    run(bus.address, body)


def test_bound_methods(bus: Any) -> None:
    class Program:
        def __init__(self) -> None:
            self.heard: list[str] = []

        def listen(self, text: str) -> None:
            self.heard.append(text)

    async def body(pair: Pair) -> None:
        one, two, proxy = Program(), Program(), pair.interface(MEMBERS)
        proxy.on_said(one.listen)
        proxy.on_said(two.listen)
        await pair.emit("Said", "s", ["x"])
        proxy.off_said(one.listen)
        await pair.emit("Said", "s", ["y"])
        assert (one.heard, two.heard) == (["x"], ["x", "y"])

    run(bus.address, body)


def test_changes_by_a_handler(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard, proxy = Heard(), pair.interface(MEMBERS)
        late, victim = heard.handler("late"), heard.handler("victim")

        def first(text: str) -> None:
            heard.append("first")
            proxy.off_said(victim)
            proxy.on_said(late)

        proxy.on_said(first)
        proxy.on_said(victim)
        await pair.emit("Said", "s", ["x"])
        # Removed is removed; what is added gets the next signal at the latest.
        assert ("victim", "x") not in heard
        if not REFERENCE:
            assert heard == ["first"]
        heard.clear()
        proxy.off_said(first)
        await pair.emit("Said", "s", ["y"])
        assert heard == [("late", "y")]

    run(bus.address, body)


def test_a_handler_that_removes_itself(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard, proxy = Heard(), pair.interface(MEMBERS)

        def once(text: str) -> None:
            heard.append(("once", text))
            proxy.off_said(once)

        proxy.on_said(once)
        proxy.on_said(heard.handler("after"))
        await pair.emit("Said", "s", ["x"])
        await pair.emit("Said", "s", ["y"])
        assert heard == pick(
            ours=[("once", "x"), ("after", "x"), ("after", "y")],
            reference=[("once", "x"), ("after", "y")],
            why="one that leaves takes nothing from the next",
        )

    run(bus.address, body)


# --- What can be a handler


def one(text: str) -> None: ...


def star(*texts: str) -> None: ...


def one_and_star(text: str, *texts: str) -> None: ...


def positional_only(text: str, /) -> None: ...


def option(text: str, *, colour: str = "") -> None: ...


def options(text: str, **options: str) -> None: ...


async def coroutine_function(text: str) -> None: ...


def none() -> None: ...


def two(text: str, other: str) -> None: ...


def default(text: str, other: str = "") -> None: ...


def two_and_star(text: str, other: str, *texts: str) -> None: ...


def only_options(**options: str) -> None: ...


def required_option(text: str, *, colour: str) -> None: ...


class Callables:
    def method(self, text: str) -> None: ...

    def method_of_none(self) -> None: ...

    def __call__(self, text: str) -> None: ...

    @staticmethod
    def static(text: str) -> None: ...

    @classmethod
    def of_class(cls, text: str) -> None: ...


class Constructor:
    def __init__(self, text: str) -> None: ...


GOOD_HANDLERS: list[Any] = [
    one,
    star,
    one_and_star,
    positional_only,
    option,
    options,
    coroutine_function,
    Callables().method,
    Callables(),
    Callables.static,
    Callables.of_class,
    Constructor,
    [].append,
    functools.partial(one),
    functools.partial(two, "x"),
    lambda text: None,
]
BAD_HANDLERS: list[Any] = [
    none,
    two,
    default,
    two_and_star,
    only_options,
    required_option,
    Callables().method_of_none,
    functools.partial(one, "x"),
    lambda: None,
    None,
    5,
    "one",
]


def test_parameters_of_handlers(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        for handler in GOOD_HANDLERS:
            proxy.on_said(handler)
        await pair.emit("Said", "s", ["x"])
        for handler in GOOD_HANDLERS:
            proxy.off_said(handler)
        assert pair.failures == []
        for handler in BAD_HANDLERS:
            with pytest.raises(TypeError):
                proxy.on_said(handler)
        proxy.on_happened(none)
        proxy.on_happened(star)
        proxy.on_changed(two)
        proxy.on_changed(one_and_star)
        for refuse, handler in (
            (proxy.on_happened, one),
            (proxy.on_changed, one),
            (proxy.on_happened, one_and_star),
        ):
            with pytest.raises(TypeError):
                refuse(handler)

    run(bus.address, body)


def test_classes_without_a_signature(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        with pytest.raises(ValueError):
            proxy.on_said(int)

    run(bus.address, body)


def test_coroutine_functions(bus: Any) -> None:
    class Asynchronous:
        async def __call__(self, text: str) -> None:
            heard.append(("object", text))

        async def method(self, text: str) -> None:
            heard.append(("method", text))

    heard = Heard()

    async def function(text: str) -> None:
        heard.append(("begin", text))
        await asyncio.sleep(0)
        heard.append(("end", text))

    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        proxy.on_said(function)
        proxy.on_said(Asynchronous())
        proxy.on_said(Asynchronous().method)
        proxy.on_said(lambda text: function(f"{text} by another function"))
        await pair.emit("Said", "s", ["x"])
        for _ in range(3):
            await asyncio.sleep(0)
        assert sorted(heard) == [
            ("begin", "x"),
            ("begin", "x by another function"),
            ("end", "x"),
            ("end", "x by another function"),
            ("method", "x"),
            ("object", "x"),
        ]

    run(bus.address, body)


def test_a_handler_of_a_signal_without_arguments(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard, proxy = Heard(), pair.interface(MEMBERS)
        proxy.on_happened(lambda: heard.append("happened"))
        proxy.on_happened(lambda *values: heard.append(values))
        await pair.emit("Happened")
        assert heard == ["happened", ()]

    run(bus.address, body)


# --- Handlers that raise


def test_a_handler_that_raises(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard, proxy = Heard(), pair.interface(MEMBERS)
        error = ValueError("from the handler")

        def broken(text: str) -> None:
            raise error

        proxy.on_said(heard.handler("before"))
        proxy.on_said(broken)
        proxy.on_said(heard.handler("after"))
        await pair.emit("Said", "s", ["x"])
        assert heard.take() == pick(
            ours=[("before", "x"), ("after", "x")],
            reference=[("before", "x")],
            why="a fault in one part of a program does not keep a signal from the others",
        )
        assert [context["exception"] for context in pair.failures] == pick(
            ours=[error], reference=[], why="faults go to the loop; there they go to logging only"
        )
        proxy.off_said(broken)
        await pair.emit("Said", "s", ["y"])
        assert heard == [("before", "y"), ("after", "y")]

    run(bus.address, body)


def test_a_coroutine_that_raises(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard, proxy = Heard(), pair.interface(MEMBERS)
        error = ValueError("from the coroutine")

        async def broken(text: str) -> None:
            raise error

        proxy.on_said(broken)
        proxy.on_said(heard.handler("after"))
        await pair.emit("Said", "s", ["x"])
        assert heard == [("after", "x")]
        for _ in range(3):
            await asyncio.sleep(0)
        gc.collect()
        assert [context["exception"] for context in pair.failures] == [error]

    run(bus.address, body)


# --- Which signals


def test_signals_of_other_objects_and_interfaces(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard = Heard()
        for label, path, interface in (
            ("same", PATH, INTERFACE),
            ("path", "/other", INTERFACE),
            ("interface", PATH, "test.Other"),
        ):
            proxy = pair.interface(MEMBERS, name=interface, path=path)
            proxy.on_said(heard.handler(label))
        await pair.emit("Said", "s", ["1"])
        await pair.emit("Said", "s", ["2"], path="/other")
        await pair.emit("Said", "s", ["3"], interface="test.Other")
        await pair.emit("Said", "s", ["4"], path="/third")
        await pair.emit("Told", "s", ["5"])
        await pair.emit("said", "s", ["6"])
        assert heard == [("same", "1"), ("path", "2"), ("interface", "3")]

    run(bus.address, body)


def test_signals_of_other_programs(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard = Heard()
        pair.interface(MEMBERS).on_said(heard.handler("by name"))
        unique = pair.interface(MEMBERS, bus_name=pair.service.unique_name)
        unique.on_said(heard.handler("by unique name"))
        other = await MessageBus(bus_address=bus.address).connect()
        pair.interface(MEMBERS, bus_name=other.unique_name).on_said(heard.handler("other"))
        await pair.emit("Said", "s", ["service"])
        assert sorted(heard.take()) == [("by name", "service"), ("by unique name", "service")]
        await pair.emit("Said", "s", ["other"], sender=other)
        assert heard.take() == [("other", "other")]
        await pair.emit("Said", "s", ["client"], sender=pair.client)
        assert heard == []
        other.disconnect()

    run(bus.address, body)


def test_a_name_that_changes_its_owner(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard = Heard()
        pair.interface(MEMBERS, bus_name="test.Moving").on_said(heard.append)
        await pair.emit("Said", "s", ["without a name"])
        await pair.service.request_name("test.Moving")
        await pair.emit("Said", "s", ["with a name"])
        await pair.service.release_name("test.Moving")
        await pair.emit("Said", "s", ["no longer"])
        await pair.service.request_name("test.Moving")
        await pair.emit("Said", "s", ["again"])
        assert heard == ["with a name", "again"]

    run(bus.address, body)


def test_signals_that_are_not_as_described(bus: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def body(pair: Pair) -> None:
        heard, proxy = Heard(), pair.interface(MEMBERS)
        proxy.on_said(lambda *values: heard.append(values))
        for signature, values in (("i", [1]), ("", []), ("ss", ["a", "b"])):
            caplog.clear()
            await pair.emit("Said", signature, values)
            assert heard == []
            (record,) = caplog.records
            assert record.levelname == "WARNING"
            assert f"{INTERFACE}.Said" in record.getMessage()
        await pair.emit("Said", "s", ["as described"])
        assert heard == [("as described",)]

    run(bus.address, body)


def test_signals_that_are_not_described(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard, proxy = Heard(), pair.interface(MEMBERS)
        proxy.on_said(heard.append)
        await pair.emit("Unknown", "s", ["x"])
        assert heard == pair.failures == []

    run(bus.address, body)


# --- Values


def test_variants(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard, proxy = Heard(), pair.interface(MEMBERS)

        def handler(*values: Any) -> None:
            heard.append(values)

        proxy.on_changed(handler)
        proxy.on_changed(handler, unpack_variants=True)
        proxy.on_changed(handler)
        values = [Variant("as", ["x"]), {"k": Variant("v", Variant("i", 1))}]
        await pair.emit("Changed", "va{sv}", values)
        assert heard.take() == [tuple(values), (["x"], {"k": 1}), tuple(values)]
        proxy.off_changed(handler)
        proxy.off_changed(handler)
        await pair.emit("Changed", "va{sv}", values)
        assert heard.take() == [(["x"], {"k": 1})]
        proxy.off_changed(handler, unpack_variants=True)
        await pair.emit("Changed", "va{sv}", values)
        assert heard == []

    run(bus.address, body)


def test_properties_changed(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard = Heard()
        node = introspection.Node.default()
        proxy = pair.client.get_proxy_object(NAME, PATH, node).get_interface(PROPERTIES)
        proxy.on_properties_changed(lambda *values: heard.append(values))
        proxy.on_properties_changed(lambda *values: heard.append(values), unpack_variants=True)
        values = [INTERFACE, {"P": Variant("s", "x")}, ["Q"]]
        await pair.emit("PropertiesChanged", "sa{sv}as", values, interface=PROPERTIES)
        assert heard == [tuple(values), (INTERFACE, {"P": "x"}, ["Q"])]

    run(bus.address, body)


def test_two_proxies_of_one_object(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard = Heard()
        left, right = pair.interface(MEMBERS), pair.interface(MEMBERS)
        left.on_said(heard.append)
        right.on_said(heard.append)
        await pair.emit("Said", "s", ["both"])
        left.off_said(heard.append)
        await pair.emit("Said", "s", ["right"])
        assert heard == ["both", "both", "right"]

    run(bus.address, body)


# --- How long a proxy lives


def test_a_proxy_with_handlers_that_is_dropped(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        heard = Heard()
        pair.interface(MEMBERS).on_said(heard.append)
        gc.collect()
        await pair.emit("Said", "s", ["x"])
        assert heard == ["x"]

    run(bus.address, body)


def test_a_proxy_without_handlers_is_collected(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        pair.answers["Nothing"] = ("", [])

        def listen(_text: str) -> None: ...

        untouched = pair.interface(MEMBERS)
        used = pair.interface('<method name="Nothing"/>')
        await used.call_nothing()
        silent = pair.interface(MEMBERS)
        silent.on_said(listen)
        silent.off_said(listen)
        proxies = [weakref.ref(proxy) for proxy in (untouched, used, silent)]
        del untouched, used, silent
        gc.collect()
        await pair.settle()
        assert [proxy() for proxy in proxies] == [None] * 3

    run(bus.address, body)
