# SPDX-License-Identifier: MIT
"""deliver_plain: signals on their way to message handlers and subscriptions."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import os
import weakref
from typing import Any, Callable

import pytest
from busclients import DAEMON, call_to, run, settled, signal_of, subscribe

from dbus.aio import DBusError, Message, MessageBus, MessageType
from dbus.aio.introspection import Interface, Node, Signal
from dbus.aio.proxy_object import ProxyInterface

XML = """
<node><interface name="an.Interface">
  <signal name="S"><arg type="s"/></signal>
  <signal name="T"><arg type="as"/></signal>
  <signal name="Opened"><arg type="h"/></signal>
</interface></node>
"""

Body = Callable[[MessageBus, MessageBus, list[Any]], Any]


def with_two(bus: Any, body: Body, **options: Any) -> None:
    """A receiver, a sender, and the reports of the loop."""

    async def main() -> None:
        reports: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, report: reports.append(report["exception"])
        )
        async with (
            MessageBus(bus.address, **options) as receiver,
            MessageBus(bus.address, **options) as sender,
        ):
            await body(receiver, sender, reports)

    run(main())


async def emit(
    sender: MessageBus, receiver: MessageBus, member: str = "S", *body: Any, signature: str = "s"
) -> None:
    """Send a signal, and wait until the receiver has dealt with it."""
    message = signal_of(member, signature, *(body or ("x",)))
    message.destination = receiver.unique_name
    await sender.send(message)
    await sender.call(call_to(receiver))


def proxy_of(receiver: MessageBus, sender: MessageBus, path: str = "/") -> Any:
    node = Node.parse(XML)
    return receiver.get_proxy_object(sender.unique_name or "", path, node).get_interface(
        "an.Interface"
    )


# --- Message handlers


def test_message_handlers_run_over_a_snapshot(bus: Any) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        seen: list[str] = []

        def handler(name: str) -> Any:
            def note(msg: Message) -> None:
                if msg.message_type is MessageType.SIGNAL:
                    seen.append(name)

            return note

        second, late = handler("second"), handler("late")

        def first(msg: Message) -> None:
            if msg.member == "S":
                seen.append("first")
                receiver.remove_message_handler(first)
                receiver.remove_message_handler(second)
                receiver.add_message_handler(late)

        receiver.add_message_handler(first)
        await emit(sender, receiver)
        assert seen == ["first"]
        receiver.remove_message_handler(late)
        receiver.add_message_handler(first)
        receiver.add_message_handler(second)
        await emit(sender, receiver)
        assert seen == ["first", "first", "second"]
        await emit(sender, receiver)
        assert seen[3:] == ["late"]
        assert reports == []

    with_two(bus, body)


class NoBool:
    def __bool__(self) -> bool:
        raise ArithmeticError("neither true nor false")


@pytest.mark.parametrize("others", [0, 1])
def test_results_of_message_handlers(bus: Any, others: int) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        results = iter([None, False, 0, "", True, 1, "yes", NoBool(), ValueError("wrong")])
        seen: list[Any] = []

        def handler(msg: Message) -> Any:
            if msg.member != "S":
                return None
            result = next(results)
            if isinstance(result, Exception):
                raise result
            return result

        receiver.add_message_handler(handler)
        for _ in range(others):
            receiver.add_message_handler(lambda msg: None)
        subscribe(receiver, lambda msg: seen.append(msg.body[0]), member="S")
        for number in range(9):
            await emit(sender, receiver, "S", str(number))
        assert seen == ["0", "1", "2", "3", "8"]
        assert [type(error) for error in reports] == [ArithmeticError, ValueError]

    with_two(bus, body)


def test_a_message_and_a_coroutine_from_a_handler_of_signals(bus: Any) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        replies: asyncio.Queue[Message] = asyncio.Queue()
        subscribe(sender, replies.put_nowait, member="Answer")

        def answer(text: str) -> Message:
            message = signal_of("Answer", "s", text)
            message.destination = sender.unique_name
            return message

        async def later(text: str) -> Message:
            return answer(text)

        def handler(msg: Message) -> Any:
            if msg.member == "S":
                return answer("at once") if msg.body == ["now"] else later("later")
            return None

        receiver.add_message_handler(handler)
        await emit(sender, receiver, "S", "now")
        await emit(sender, receiver, "S", "then")
        assert [(await replies.get()).body for _ in range(2)] == [["at once"], ["later"]]
        assert reports == []

    with_two(bus, body)


def test_what_is_no_exception_ends_the_loop_and_the_delivery(bus: Any) -> None:
    seen: list[Any] = []

    async def main(where: str) -> None:
        receiver = await MessageBus(bus.address).connect()
        sender = await MessageBus(bus.address).connect()

        def leave(*_: Any) -> None:
            raise SystemExit(3)

        if where == "handler":
            receiver.add_message_handler(lambda msg: leave() if msg.member == "S" else None)
            proxy_of(receiver, sender).on_s(seen.append)
        elif where == "proxy":
            proxy_of(receiver, sender).on_s(lambda text: leave())
            proxy_of(receiver, sender).on_s(seen.append)
        else:
            subscribe(receiver, leave, member="S")
        await emit(sender, receiver)
        await asyncio.sleep(10)

    for where in ("handler", "proxy", "callback"):
        with pytest.raises(SystemExit):
            asyncio.run(main(where))
    assert seen == []


# --- Subscriptions


def test_every_combination_of_conditions(bus: Any) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        seen: list[Any] = []
        choices = {
            "sender": (sender.unique_name, receiver.unique_name, "no.body", None),
            "path": ("/", "/other", None),
            "interface": ("an.Interface", "an.other.Interface", None),
            "member": ("S", "T", None),
        }
        for values in itertools.product(*choices.values()):
            place = dict(zip(choices, values))
            subscribe(receiver, lambda msg, place=place: seen.append(place), **place)
        await emit(sender, receiver)
        fits = {
            "sender": sender.unique_name,
            "path": "/",
            "interface": "an.Interface",
            "member": "S",
        }
        assert len(seen) == 16
        assert all(place[name] in (None, fits[name]) for place in seen for name in place)
        assert reports == []

    with_two(bus, body)


def test_a_proxy_that_another_handler_has_silenced(bus: Any) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        seen: list[str] = []
        one, two, three = (proxy_of(receiver, sender) for _ in range(3))

        def listen(text: str) -> None:
            seen.append(f"two {text}")

        def first(text: str) -> None:
            seen.append(f"one {text}")
            two.off_s(listen)
            one.off_s(first)
            three.on_s(lambda text: seen.append(f"late {text}"))

        one.on_s(first)
        two.on_s(listen)
        await emit(sender, receiver, "S", "a")
        await emit(sender, receiver, "S", "b")
        assert seen == ["one a", "late b"]
        assert reports == []

    with_two(bus, body)


def test_a_handler_of_a_signal_that_disconnects(bus: Any) -> None:
    async def main() -> None:
        receiver = await MessageBus(bus.address).connect()
        async with MessageBus(bus.address) as sender:
            seen: list[str] = []
            one, two = (proxy_of(receiver, sender) for _ in range(2))

            def leave(text: str) -> None:
                seen.append("one")
                receiver.disconnect()

            one.on_s(leave)
            two.on_s(lambda text: seen.append("two"))
            message = signal_of("S", "s", "x")
            message.destination = receiver.unique_name
            await sender.send(message)
            await receiver.wait_for_disconnect()
            assert seen == ["one", "two"]

    run(main())


def test_handlers_of_all_sorts_on_one_proxy(bus: Any) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        seen: list[Any] = []
        proxy, other = proxy_of(receiver, sender), proxy_of(receiver, sender)

        async def task(text: str) -> None:
            seen.append(("task", text))

        def broken(text: str) -> None:
            raise ValueError(text)

        proxy.on_s(broken)
        await emit(sender, receiver, "S", "1")
        proxy.on_s(task)
        await emit(sender, receiver, "S", "2")
        proxy.off_s(broken)
        await emit(sender, receiver, "S", "3")
        other.on_s(lambda text: seen.append(("other", text)), unpack_variants=True)
        await emit(sender, receiver, "S", "4")
        await asyncio.sleep(0)
        assert seen[:2] == [("task", "2"), ("task", "3")]
        assert sorted(seen[2:]) == [("other", "4"), ("task", "4")]
        assert [str(error) for error in reports] == ["1", "2"]

    with_two(bus, body)


def test_a_signal_that_is_described_otherwise(bus: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        seen: list[Any] = []
        proxy = proxy_of(receiver, sender)
        proxy.on_s(seen.append)
        with caplog.at_level(logging.WARNING):
            await emit(sender, receiver, "S", 5, signature="u")
        assert seen == [] and "an.Interface.S" in caplog.text
        await emit(sender, receiver)
        assert seen == ["x"] and reports == []

    with_two(bus, body)


def test_descriptors_in_signals(bus: Any) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        read, write = os.pipe()
        taken: list[int] = []

        async def send() -> None:
            message = signal_of("Opened", "h", 0)
            message.unix_fds, message.destination = [write], receiver.unique_name
            await sender.send(message)
            await sender.call(call_to(receiver))

        proxy = proxy_of(receiver, sender)
        await send()
        proxy.on_opened(taken.append)
        await send()
        proxy.off_opened(taken.append)
        await send()
        os.close(write)
        (descriptor,) = taken
        os.write(descriptor, b"taken")
        os.close(descriptor)
        assert os.read(read, 10) == b"taken"
        assert os.read(read, 10) == b""  # all others are closed
        os.close(read)
        assert reports == []

    with_two(bus, body, negotiate_unix_fd=True)


def test_on_before_connecting(bus: Any) -> None:
    async def main() -> None:
        receiver = MessageBus(bus.address)
        seen: list[str] = []
        async with MessageBus(bus.address) as sender:
            await sender.request_name("test.Early")
            node = Node.parse(XML)
            early = receiver.get_proxy_object("test.Early", "/", node).get_interface("an.Interface")
            early.on_s(seen.append)
            await receiver.connect()
            await settled(receiver)
            await sender.send(signal_of("S", "s", "broadcast"))
            await sender.call(call_to(receiver))
            assert seen == ["broadcast"]
        receiver.disconnect()

    run(main())


# --- Rules and owners


def calls_of(receiver: MessageBus) -> list[tuple[Any, ...]]:
    """What the receiver tells the bus daemon from now on."""
    calls: list[tuple[Any, ...]] = []
    request, post = receiver._request, receiver._post

    def note(msg: Message) -> None:
        if msg.destination == DAEMON:
            calls.append((msg.member, msg.body[0].replace("'", "")))

    def noted_request(msg: Message, answered: Any) -> None:
        note(msg)
        request(msg, answered)

    def noted_post(msg: Message) -> None:
        note(msg)
        post(msg)

    setattr(receiver, "_request", noted_request)  # noqa: B010
    setattr(receiver, "_post", noted_post)  # noqa: B010
    return calls


def test_equal_rules_are_told_once(bus: Any) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        calls = calls_of(receiver)
        one = subscribe(receiver, print, sender=sender.unique_name, member="S")
        two = subscribe(receiver, print, sender=sender.unique_name, member="S")
        other = subscribe(receiver, print, member="S")
        await asyncio.gather(one.ready, two.ready, other.ready)
        assert one.ready.done() and one.ready.exception() is None
        narrow = f"type=signal,sender={sender.unique_name},member=S"
        assert calls == [("AddMatch", narrow), ("AddMatch", "type=signal,member=S")]
        calls.clear()
        for subscription in (one, one, other, two, two):
            subscription.cancel()
        assert calls == [("RemoveMatch", "type=signal,member=S"), ("RemoveMatch", narrow)]
        assert receiver._subscriptions.matches.all() == []

    with_two(bus, body)


def test_the_owner_of_a_name_is_watched_once(bus: Any) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        calls = calls_of(receiver)
        one = subscribe(receiver, print, sender="test.Name", member="S")
        two = subscribe(receiver, print, sender="test.Name", member="T")
        watch = (
            "type=signal,sender=org.freedesktop.DBus,path=/org/freedesktop/DBus,"
            "interface=org.freedesktop.DBus,member=NameOwnerChanged,arg0=test.Name"
        )
        assert calls == [
            ("AddMatch", watch),
            ("GetNameOwner", "test.Name"),
            ("AddMatch", "type=signal,sender=test.Name,member=S"),
            ("AddMatch", "type=signal,sender=test.Name,member=T"),
        ]
        await two.ready
        await sender.request_name("test.Name")
        await settled(receiver)
        assert receiver._subscriptions.owners == {"test.Name": sender.unique_name}
        await sender.release_name("test.Name")
        await settled(receiver)
        assert receiver._subscriptions.owners == {"test.Name": ""}
        one.cancel()
        two.cancel()
        assert calls[-1] == ("RemoveMatch", watch)
        assert receiver._subscriptions.owners == {}

    with_two(bus, body)


def test_owners_are_known_whatever_message_handlers_say(bus: Any) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        seen: list[Any] = []
        receiver.add_message_handler(lambda msg: msg.member == "NameOwnerChanged")
        subscription = subscribe(receiver, seen.append, sender="test.Name", member="S")
        await subscription.ready
        await sender.request_name("test.Name")
        await settled(receiver)
        await emit(sender, receiver)
        assert len(seen) == 1

    with_two(bus, body)


def test_a_change_of_owner_comes_from_the_bus_alone(bus: Any) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        subscription = subscribe(receiver, print, sender="test.Name", member="S")
        await subscription.ready
        forged = Message.new_signal(
            "/org/freedesktop/DBus",
            DAEMON,
            "NameOwnerChanged",
            "sss",
            ["test.Name", "", sender.unique_name],
        )
        forged.destination = receiver.unique_name
        await sender.send(forged)
        await sender.call(call_to(receiver))
        assert receiver._subscriptions.owners == {"test.Name": ""}

    with_two(bus, body)


def test_a_rule_that_the_bus_refuses(bus: Any) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        subscription = subscribe(receiver, print, interface="no interface")
        with pytest.raises(DBusError):
            await subscription.ready
        with pytest.raises(DBusError):
            await subscribe(receiver, print, interface="no interface").ready
        (error,) = reports
        assert isinstance(error, DBusError)

    with_two(bus, body)


# --- What is kept


def test_nothing_is_left_of_proxies_and_of_values(bus: Any) -> None:
    async def body(receiver: MessageBus, sender: MessageBus, reports: list[Any]) -> None:
        gone: list[Any] = []

        class Program:
            def listen(self, *_: Any) -> None:
                pass

            async def task(self, *_: Any) -> None:
                pass

            def broken(self, *_: Any) -> None:
                raise ValueError("broken")

        for name in ("listen", "task", "broken"):
            program, proxy = Program(), proxy_of(receiver, sender)
            gone += [weakref.ref(program), weakref.ref(proxy)]
            function = getattr(program, name)
            proxy.on_s(function)
            proxy.on_t(function)
            if name != "task":  # that would have dealt with the calls, too
                receiver.add_message_handler(function)
            await emit(sender, receiver)
            await emit(sender, receiver, "T", ["x"], signature="as")
            receiver.remove_message_handler(function)
            proxy.off_s(function)
            proxy.off_t(function)
            await settled(receiver)
            del program, proxy, function
        reports.clear()
        gc.collect()
        assert [one() for one in gone] == [None] * 6

    with_two(bus, body)


def test_proxies_of_one_interface_share_what_is_made_of_it() -> None:
    interface = Interface("an.Interface", signals=[Signal("One")])
    bus: Any = object()

    def proxy(interface: Interface) -> Any:
        return ProxyInterface("a.b", "/", interface, bus)

    first = proxy(interface)
    assert proxy(interface).on_one.__func__ is first.on_one.__func__
    interface.signals.append(Signal("Two"))
    assert proxy(interface).on_two and proxy(interface).on_one
    assert not hasattr(first, "on_two")
    del interface.signals[0]
    assert not hasattr(proxy(interface), "on_one")
    interface.signals[0].name = "Three"
    assert proxy(interface).on_three
    interface.signals[0].signature = "i"
    second, third = proxy(interface), proxy(interface)
    assert second.on_three.__func__ is third.on_three.__func__
    gone = weakref.ref(interface)
    del interface, first, second, third
    gc.collect()
    assert gone() is None
