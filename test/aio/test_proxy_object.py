# SPDX-License-Identifier: MIT
"""What proxies ask of the bus, what they leave behind, and what dbus-fast does not have."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any, Optional

import pytest

from dbus.aio import Message, MessageFlag, MessageType, Variant, errors, proxy_object
from dbus.aio._subscriptions import Subscription
from dbus.aio.introspection import Interface, Node
from dbus.aio.message_bus import MessageBus
from dbus.aio.proxy_object import ProxyInterface, ProxyObject

NAME, PATH, INTERFACE = "test.Service", "/test/object", "test.Interface"
DATA = f"""
<node>
  <interface name="{INTERFACE}">
    <method name="Echo"><arg type="s"/><arg type="s" direction="out"/></method>
    <property name="Text" type="s"/>
    <signal name="Said"><arg type="s"/></signal>
    <signal name="Sung"><arg type="s"/></signal>
  </interface>
</node>
"""


class FakeSubscriptions:
    """As much of Subscriptions as a proxy needs."""

    def __init__(self) -> None:
        self.all: list[Subscription] = []
        self.refuses = False

    def add(self, subscription: Subscription) -> None:
        if self.refuses:
            raise errors.DBusFastError("refused")
        self.all.append(subscription)

    def remove(self, subscription: Subscription) -> None:
        self.all.remove(subscription)


class FakeBus:
    """As much of a MessageBus as a proxy needs."""

    def __init__(self) -> None:
        self.calls: list[tuple[Message, Optional[float]]] = []
        self.reply: tuple[str, list[Any]] = ("", [])
        self._subscriptions = FakeSubscriptions()
        self.reports: list[tuple[str, BaseException]] = []

    async def call(self, msg: Message, *, timeout: Optional[float] = None) -> Optional[Message]:
        self.calls.append((msg, timeout))
        msg.serial = len(self.calls)
        if msg.flags & MessageFlag.NO_REPLY_EXPECTED:
            return None
        return Message.new_method_return(msg, *self.reply)

    @property
    def subscriptions(self) -> list[Subscription]:
        return list(self._subscriptions.all)

    def _report(self, message: str, error: BaseException) -> None:
        self.reports.append((message, error))

    def emit(self, member: str, signature: str, *values: Any) -> None:
        """Deliver a signal."""
        signal = Message.new_signal(PATH, INTERFACE, member, signature, list(values))
        for subscription in self.subscriptions:
            if f"member='{member}'" in subscription.rule:
                subscription._deliver(signal)


def interface_of(bus: Any) -> ProxyInterface:
    return ProxyObject(NAME, PATH, DATA, bus).get_interface(INTERFACE)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What goes in this test goes by counted references alone."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def listen(text: str) -> None: ...


def listen_too(text: str) -> None: ...


# --- Subscriptions


def test_one_subscription_a_member() -> None:
    bus = FakeBus()
    proxy = interface_of(bus)
    assert bus.subscriptions == []
    proxy.on_said(listen)
    (subscription,) = bus.subscriptions
    assert subscription.rule == (
        f"type='signal',sender='{NAME}',path='{PATH}',interface='{INTERFACE}',member='Said'"
    )
    proxy.on_said(listen)
    proxy.on_said(listen_too)
    proxy.on_said(listen, unpack_variants=True)
    assert bus.subscriptions == [subscription]
    proxy.on_sung(listen)
    assert [s._member for s in bus.subscriptions] == ["Said", "Sung"]


def test_the_last_handler_cancels_the_subscription() -> None:
    bus = FakeBus()
    proxy = interface_of(bus)
    proxy.on_said(listen)
    proxy.on_said(listen)
    (first,) = bus.subscriptions
    proxy.off_said(listen_too)
    proxy.off_said(listen)
    assert bus.subscriptions == [first]
    proxy.off_said(listen)
    assert bus.subscriptions == []
    proxy.off_said(listen)
    proxy.on_said(listen)
    (second,) = bus.subscriptions
    assert second is not first


def test_a_handler_that_is_refused_leaves_nothing_behind() -> None:
    bus = FakeBus()
    proxy = interface_of(bus)
    with pytest.raises(TypeError):
        proxy.on_said(lambda: None)
    assert bus.subscriptions == []
    bus._subscriptions.refuses = True
    with pytest.raises(errors.DBusFastError):
        proxy.on_said(listen)
    bus._subscriptions.refuses = False
    proxy.on_said(listen)
    proxy.off_said(listen)
    assert bus.subscriptions == []


def test_the_last_handler_removes_itself_and_another_comes() -> None:
    bus = FakeBus()
    proxy = interface_of(bus)
    heard = []

    def once(text: str) -> None:
        heard.append(text)
        proxy.off_said(once)
        proxy.on_said(heard.append)

    proxy.on_said(once)
    bus.emit("Said", "s", "x")
    bus.emit("Said", "s", "y")
    assert heard == ["x", "y"]
    assert len(bus.subscriptions) == 1


def test_proxies_without_handlers_go_at_once(no_collector: None) -> None:
    bus = FakeBus()
    bus.reply = ("s", ["x"])

    def used() -> Iterator[Any]:
        proxy = ProxyObject(NAME, PATH, DATA, bus)
        yield proxy
        interface = proxy.get_interface(INTERFACE)
        assert asyncio.run(interface.call_echo("x")) == "x"
        interface.on_said(listen)
        bus.emit("Said", "s", "x")
        interface.off_said(listen)
        yield interface

    alive = [weakref.ref(proxy) for proxy in used()]
    assert [proxy() for proxy in alive] == [None, None]


def test_the_bus_keeps_a_proxy_with_handlers(no_collector: None) -> None:
    bus = FakeBus()
    alive = weakref.ref(interface_of(bus))
    assert alive() is None
    proxy = interface_of(bus)
    proxy.on_said(listen)
    alive = weakref.ref(proxy)
    del proxy
    kept = alive()
    assert kept is not None
    kept.off_said(listen)
    del kept
    assert alive() is None


# --- Handlers


def test_the_report_of_a_handler_that_raises() -> None:
    bus = FakeBus()
    proxy = interface_of(bus)
    heard: list[str] = []
    error = ValueError("broken")

    def broken(text: str) -> None:
        raise error

    proxy.on_said(broken)
    proxy.on_said(heard.append)
    bus.emit("Said", "s", "x")
    assert heard == ["x"]
    ((message, reported),) = bus.reports
    assert reported is error
    assert f"{INTERFACE}.Said" in message


def test_what_ends_the_program_is_not_held_up() -> None:
    bus = FakeBus()
    proxy = interface_of(bus)

    def leave(text: str) -> None:
        raise SystemExit(3)

    proxy.on_said(leave)
    with pytest.raises(SystemExit):
        bus.emit("Said", "s", "x")
    assert bus.reports == []


# --- Time-outs


@pytest.mark.parametrize(
    ("name", "arguments", "reply"),
    [
        ("call_echo", ("x",), ("s", ["x"])),
        ("get_text", (), ("v", [Variant("s", "x")])),
        ("set_text", ("x",), ("", [])),
    ],
)
def test_time_outs_are_for_the_bus(name: str, arguments: Any, reply: Any) -> None:
    bus = FakeBus()
    bus.reply = reply
    method = getattr(interface_of(bus), name)
    asyncio.run(method(*arguments))
    asyncio.run(method(*arguments, timeout=2.5))
    assert [timeout for _, timeout in bus.calls] == [None, 2.5]


def test_a_call_that_takes_too_long(bus: Any) -> None:
    async def main() -> None:
        silent = await MessageBus(bus_address=bus.address).connect()
        silent.add_message_handler(lambda message: message.member in ("Echo", "Get", "Set"))
        client = await MessageBus(bus_address=bus.address).connect()
        proxy = client.get_proxy_object(silent.unique_name or "", PATH, Node.parse(DATA))
        interface = proxy.get_interface(INTERFACE)
        for awaitable in (
            interface.call_echo("x", timeout=0.01),
            interface.get_text(timeout=0.01),
            interface.set_text("x", timeout=0.01),
        ):
            with pytest.raises(asyncio.TimeoutError):
                await awaitable
        client.disconnect()
        silent.disconnect()

    asyncio.run(main())


# --- What is made, and when


def test_nothing_is_made_for_members_before_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []

    def note(signature: str) -> Any:
        made.append(signature)
        return original(signature)

    original = proxy_object.get_signature_tree
    monkeypatch.setattr(proxy_object, "get_signature_tree", note)
    proxy = interface_of(FakeBus())
    assert "call_echo" in dir(proxy)
    assert made == []
    assert proxy.call_echo.__func__ is proxy.call_echo.__func__
    assert made == ["s"]


def test_interfaces_are_made_when_they_are_asked_for() -> None:
    made: list[str] = []

    class Own(ProxyInterface):
        def __init__(self, bus_name: str, path: str, introspection: Interface, bus: Any) -> None:
            made.append(introspection.name)
            super().__init__(bus_name, path, introspection, bus)

    node = Node(interfaces=[Interface(f"a.b{number}") for number in range(50)])
    bus: Any = FakeBus()
    proxy = ProxyObject(NAME, PATH, node, bus, Own)
    assert made == []
    proxy.get_interface("a.b7")
    proxy.get_interface("a.b7")
    assert made == ["a.b7"]


def test_names_of_the_methods() -> None:
    proxy = interface_of(FakeBus())
    for name in ("call_echo", "get_text", "set_text", "on_said", "off_said"):
        method = getattr(proxy, name)
        assert method.__name__ == name
        assert method.__qualname__ == f"ProxyInterface.{name}"


def test_a_proxy_that_was_never_initialised() -> None:
    """As the modules copy and pickle make them, and look for methods of their own."""
    proxy = ProxyInterface.__new__(ProxyInterface)
    with pytest.raises(AttributeError):
        proxy.call_echo  # noqa: B018


def test_own_methods_come_first() -> None:
    class Own(ProxyInterface):
        async def call_echo(self, text: str) -> str:
            return f"own {text}"

    bus: Any = FakeBus()
    interface = ProxyObject(NAME, PATH, DATA, bus, Own).get_interface(INTERFACE)
    assert asyncio.run(interface.call_echo("x")) == "own x"
    assert bus.calls == []


def test_children_with_names_that_are_none() -> None:
    data = '<node><node name="good"/><node name="not good"/></node>'
    bus: Any = FakeBus()
    proxy = ProxyObject(NAME, "/", data, bus)
    assert proxy.child_paths == ["/good", "/not good"]
    with pytest.raises(errors.InvalidObjectPathError):
        proxy.get_children()


def test_children_have_the_class_of_interfaces() -> None:
    class Own(ProxyInterface):
        pass

    data = '<node><node name="child"><interface name="a.b"/></node></node>'
    bus: Any = FakeBus()
    (child,) = ProxyObject(NAME, "/", data, bus, Own).get_children()
    assert type(child.get_interface("a.b")) is Own


def test_the_message_of_a_call() -> None:
    bus = FakeBus()
    bus.reply = ("s", ["x"])
    asyncio.run(interface_of(bus).call_echo("x", flags=MessageFlag.NO_AUTOSTART))
    ((message, _),) = bus.calls
    assert message.message_type is MessageType.METHOD_CALL
    assert (message.destination, message.path) == (NAME, PATH)
    assert (message.interface, message.member) == (INTERFACE, "Echo")
    assert (message.signature, message.body) == ("s", ["x"])
    assert message.flags is MessageFlag.NO_AUTOSTART
