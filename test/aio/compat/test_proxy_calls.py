# SPDX-License-Identifier: MIT
"""Methods and properties through proxies, on a service that is played by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from api import REFERENCE, api, pick
from proxy_peer import INTERFACE, NAME, PATH, Pair, introspection, run

DBusError = api.DBusError
ErrorType = api.ErrorType
Message = api.Message
MessageFlag = api.MessageFlag
Variant = api.Variant

PROPERTIES = "org.freedesktop.DBus.Properties"
MEMBERS = """
    <method name="Nothing"/>
    <method name="Echo"><arg type="s"/><arg type="s" direction="out"/></method>
    <method name="Two"><arg type="s" direction="out"/><arg type="v" direction="out"/></method>
    <method name="Many"><arg type="s"/><arg type="i"/><arg type="a{sv}"/></method>
    <method name="Variants"><arg type="a{sv}" direction="out"/></method>
    <method name="List"><arg type="as" direction="out"/></method>
    <method name="Struct"><arg type="(si)"/><arg type="(si)" direction="out"/></method>
    <property name="Text" type="s"/>
    <property name="Any" type="v"/>
    <property name="Dict" type="a{sv}"/>
    <property name="ReadOnly" type="s" access="read"/>
    <property name="WriteOnly" type="s" access="write"/>
"""


def header(message: Any) -> tuple[Any, ...]:
    return message.path, message.interface, message.member, message.signature, message.body


async def client_error(awaitable: Awaitable[Any], *words: str) -> None:
    """Check that this raises the DBusError about a reply that is not as described."""
    with pytest.raises(DBusError) as caught:
        await awaitable
    assert caught.value.type == ErrorType.CLIENT_ERROR.value
    assert isinstance(caught.value.reply, Message)
    for word in words:
        assert word in caught.value.text


# --- Methods


def test_a_call(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["Echo"] = lambda call: Message.new_method_return(call, "s", call.body)
        pair.answers["Many"] = ("", [])
        assert await proxy.call_echo("hello") == "hello"
        (call,) = pair.calls
        assert header(call) == (PATH, INTERFACE, "Echo", "s", ["hello"])
        assert (call.destination, call.sender) == (NAME, pair.client.unique_name)
        assert call.flags == MessageFlag.NONE
        assert await proxy.call_many("a", -1, {"x": Variant("as", ["y"])}) is None
        expected = ["a", -1, {"x": Variant("as", ["y"])}]
        assert header(pair.calls[1]) == (PATH, INTERFACE, "Many", "sia{sv}", expected)

    run(bus.address, body)


def test_results(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        content = {"a": Variant("v", Variant("i", 3)), "b": Variant("ai", [1])}
        pair.answers = {
            "Nothing": ("", []),
            "Two": ("sv", ["a", Variant("i", 1)]),
            "Variants": ("a{sv}", [content]),
            "List": ("as", [["a"]]),
            "Struct": ("(si)", [("a", 1)]),
        }
        assert await proxy.call_nothing() is None
        assert await proxy.call_nothing(unpack_variants=True) is None
        assert await proxy.call_two() == ["a", Variant("i", 1)]
        assert await proxy.call_two(unpack_variants=True) == ["a", 1]
        assert await proxy.call_variants() == content
        assert await proxy.call_variants(unpack_variants=True) == {"a": 3, "b": [1]}
        assert await proxy.call_list() == ["a"]
        assert await proxy.call_struct(("b", 2)) == ("a", 1)
        assert await proxy.call_struct(["b", 2]) == ("a", 1)
        assert pair.calls[-1].body == [("b", 2)]

    run(bus.address, body)


def test_flags(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["Nothing"] = ("", [])
        for flags in (MessageFlag.NO_AUTOSTART, 4, MessageFlag.NONE, 6):
            await proxy.call_nothing(flags=flags)
            assert pair.calls[-1].flags == MessageFlag(flags)
        with pytest.raises(ValueError):
            await proxy.call_nothing(flags="x")

    run(bus.address, body)


def test_no_reply_expected(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["Echo"] = True
        assert await proxy.call_echo("x", flags=MessageFlag.NO_REPLY_EXPECTED) is None
        await pair.settle()
        assert [call.member for call in pair.calls] == ["Echo"]
        assert pair.calls[0].flags == MessageFlag.NO_REPLY_EXPECTED
        nobody = pair.interface(MEMBERS, bus_name="test.Nobody")
        assert await nobody.call_nothing(flags=MessageFlag.NO_REPLY_EXPECTED) is None

    run(bus.address, body)


def test_nothing_is_sent_before_it_is_awaited(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["Nothing"] = ("", [])
        coroutine = proxy.call_nothing()
        assert asyncio.iscoroutine(coroutine)
        await pair.settle()
        assert pair.calls == []
        await coroutine
        assert len(pair.calls) == 1

    run(bus.address, body)


def test_many_calls_at_once(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        waiting: list[Any] = []

        def answer_the_last_first(call: Any) -> Any:
            waiting.insert(0, call)
            if len(waiting) == 20:
                for one in waiting:
                    pair.service.send(Message.new_method_return(one, "s", one.body))
            return True

        pair.answers["Echo"] = answer_the_last_first
        texts = [str(number) for number in range(20)]
        assert await asyncio.gather(*map(proxy.call_echo, texts)) == texts

    run(bus.address, body)


@pytest.mark.parametrize("arguments", [(), ("a", "b"), (5,), (None,), (["a"],)])
def test_wrong_arguments(bus: Any, arguments: tuple[Any, ...]) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["Echo"] = ("s", ["x"])
        if REFERENCE:
            # Too many are taken and cut off; else it is an IndexError or AttributeError or ...
            if len(arguments) < 2:
                with pytest.raises((IndexError, AttributeError, TypeError)):
                    await proxy.call_echo(*arguments)
            return
        with pytest.raises(api.SignatureBodyMismatchError):
            await proxy.call_echo(*arguments)
        assert pair.calls == []

    run(bus.address, body)


def test_wrong_content_of_variants(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        error = pick(
            ours=api.SignatureBodyMismatchError,
            reference=TypeError,
            why="one class of error for values that do not fit",
        )
        with pytest.raises(error):
            await pair.interface(MEMBERS).call_many("a", 1, {"x": "no variant"})

    run(bus.address, body)


def test_unknown_keywords(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        for name in ("call_nothing", "get_text"):
            with pytest.raises(TypeError):
                getattr(proxy, name)(colour="red")
        with pytest.raises(TypeError):
            proxy.get_text("s")
        with pytest.raises(TypeError):
            proxy.set_text()

    run(bus.address, body)


@pytest.mark.parametrize(
    ("signature", "values"),
    [("i", [1]), ("", []), ("ss", ["a", "b"]), ("v", [None]), ("as", [["a"]])],
)
def test_results_that_are_not_as_described(bus: Any, signature: str, values: list[Any]) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        result = [Variant("s", "x")] if signature == "v" else values
        pair.answers["Echo"] = pair.answers["Nothing"] = (signature, result)
        await client_error(proxy.call_echo("x"), "signature", signature)
        if signature:
            await client_error(proxy.call_nothing(), "signature", signature)
        else:
            assert await proxy.call_nothing() is None

    run(bus.address, body)


def test_error_replies(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["Echo"] = lambda call: Message.new_error(call, "test.Error.Some", "the text")
        for awaitable in (proxy.call_echo("x"), proxy.call_echo("x", unpack_variants=True)):
            with pytest.raises(DBusError) as caught:
                await awaitable
            error = caught.value
            assert (error.type, error.text, str(error)) == ("test.Error.Some", "the text") + (
                "the text",
            )
            assert isinstance(error.reply, Message)
            assert error.reply.message_type is api.MessageType.ERROR
            assert error.reply.body == ["the text"]
        nobody = pair.interface(MEMBERS, bus_name="test.Nobody")
        with pytest.raises(DBusError) as caught:
            await nobody.call_nothing()
        assert caught.value.type == ErrorType.SERVICE_UNKNOWN.value

    run(bus.address, body)


@pytest.mark.parametrize(
    ("signature", "values", "theirs"),
    [("is", [3, "x"], "3"), ("as", [["x"]], "['x']"), ("", [], "")],
)
def test_error_replies_without_a_text(
    bus: Any, signature: str, values: list[Any], theirs: str
) -> None:
    def answer(call: Any) -> Any:
        return Message(
            message_type=api.MessageType.ERROR,
            destination=call.sender,
            error_name="test.Error.Some",
            reply_serial=call.serial,
            signature=signature,
            body=values,
        )

    async def body(pair: Pair) -> None:
        pair.answers["Nothing"] = answer
        if REFERENCE and not signature:
            with pytest.raises(IndexError):
                await pair.interface(MEMBERS).call_nothing()
            return
        with pytest.raises(DBusError) as caught:
            await pair.interface(MEMBERS).call_nothing()
        text = pick(ours="", reference=theirs, why="a text is a str; the rest is in the reply")
        assert (caught.value.type, str(caught.value)) == ("test.Error.Some", text)
        assert caught.value.reply.body == values

    run(bus.address, body)


def test_cancelled_calls(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        arrived = asyncio.Event()
        calls: list[Any] = []

        def hold(call: Any) -> bool:
            calls.append(call)
            arrived.set()
            return True

        pair.answers["Echo"] = hold
        task = asyncio.ensure_future(proxy.call_echo("x"))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The late answer harms nobody.
        await pair.service.send(Message.new_method_return(calls[0], "s", ["late"]))
        pair.answers["Echo"] = ("s", ["in time"])
        assert await proxy.call_echo("y") == "in time"
        with pytest.raises(asyncio.TimeoutError):
            pair.answers["Echo"] = True
            await asyncio.wait_for(proxy.call_echo("z"), 0.01)

    run(bus.address, body)


def test_members_with_one_name_in_snake_case(bus: Any) -> None:
    """The one that is described last has it."""

    async def body(pair: Pair) -> None:
        proxy = pair.interface(
            """<method name="GetX"><arg type="s"/></method><method name="Get_X"/>
            <method name="getX"/>
            <property name="X" type="s"/><property name="x" type="i"/>"""
        )
        pair.answers = {"getX": ("", []), "Get": ("v", [Variant("i", 5)])}
        await proxy.call_get_x()
        assert pair.calls[-1].member == "getX"
        assert await proxy.get_x() == 5
        assert pair.calls[-1].body == [INTERFACE, "x"]

    run(bus.address, body)


def test_an_introspection_made_by_hand(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        arg = introspection.Arg
        echo = introspection.Method("Echo", [arg("s", name="x")], [arg("s")])
        node = introspection.Node(interfaces=[introspection.Interface(INTERFACE, [echo])])
        proxy = pair.client.get_proxy_object(NAME, PATH, node).get_interface(INTERFACE)
        pair.answers["Echo"] = ("s", ["x"])
        assert await proxy.call_echo("y") == "x"

    run(bus.address, body)


# --- Properties


def test_getting_a_property(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["Get"] = ("v", [Variant("s", "value")])
        for name in ("text", "read_only", "write_only"):
            assert await getattr(proxy, f"get_{name}")() == "value"
        names = [call.body[1] for call in pair.calls]
        assert names == ["Text", "ReadOnly", "WriteOnly"]
        assert header(pair.calls[0]) == (PATH, PROPERTIES, "Get", "ss", [INTERFACE, "Text"])
        assert pair.calls[0].destination == NAME
        assert await proxy.get_text(unpack_variants=True) == "value"

    run(bus.address, body)


def test_properties_with_variants(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["Get"] = ("v", [Variant("a{sv}", {"a": Variant("i", 1)})])
        assert await proxy.get_dict() == {"a": Variant("i", 1)}
        assert await proxy.get_dict(unpack_variants=True) == {"a": 1}
        pair.answers["Get"] = ("v", [Variant("v", Variant("i", 1))])
        assert await proxy.get_any() == Variant("i", 1)
        assert await proxy.get_any(unpack_variants=True) == 1

    run(bus.address, body)


def test_flags_of_getting(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["Get"] = ("v", [Variant("s", "value")])
        for flags in (MessageFlag.NO_AUTOSTART, 4, MessageFlag.NO_REPLY_EXPECTED, 3):
            assert await proxy.get_text(flags=flags) == "value"
            assert pair.calls[-1].flags == pick(
                ours=MessageFlag(flags) & ~MessageFlag.NO_REPLY_EXPECTED,
                reference=MessageFlag.NONE,
                why="the flags are there to be sent; without a reply there is no value",
            )

    run(bus.address, body)


def test_properties_that_are_not_as_described(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        for content in (Variant("i", 1), Variant("v", Variant("s", "x")), Variant("as", [])):
            pair.answers["Get"] = ("v", [content])
            await client_error(proxy.get_text(), "property", "signature", content.signature)
        pair.answers["Get"] = ("v", [Variant("s", "not in a variant of its own")])
        await client_error(proxy.get_any(), "property", "signature")
        for answer in (("s", ["x"]), ("", []), ("vv", [Variant("s", "x")] * 2)):
            pair.answers["Get"] = answer
            await client_error(proxy.get_text(), "signature", answer[0])

    run(bus.address, body)


def test_setting_a_property(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["Set"] = ("", [])
        for name in ("text", "read_only", "write_only"):
            assert await getattr(proxy, f"set_{name}")("value") is None
        assert [call.body[1] for call in pair.calls] == ["Text", "ReadOnly", "WriteOnly"]
        assert header(pair.calls[0]) == (
            PATH,
            PROPERTIES,
            "Set",
            "ssv",
            [INTERFACE, "Text", Variant("s", "value")],
        )
        await proxy.set_any(val=Variant("i", 1))
        assert pair.calls[-1].body[2] == Variant("v", Variant("i", 1))
        await proxy.set_dict({"a": Variant("s", "b")})
        assert pair.calls[-1].body[2] == Variant("a{sv}", {"a": Variant("s", "b")})
        # What the reply says is of no interest.
        pair.answers["Set"] = ("s", ["x"])
        assert await proxy.set_text("value") is None

    run(bus.address, body)


def test_setting_a_wrong_value(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        for name, value in (("text", 5), ("any", 5), ("any", "x"), ("dict", {"a": 1})):
            with pytest.raises(api.SignatureBodyMismatchError):
                await getattr(proxy, f"set_{name}")(value)
        assert pair.calls == []

    run(bus.address, body)


def test_errors_of_properties(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        for member in ("Get", "Set"):
            pair.answers[member] = lambda call: Message.new_error(call, "test.Error.No", "no")
        for awaitable in (proxy.get_text(), proxy.set_text("x")):
            with pytest.raises(DBusError) as caught:
                await awaitable
            assert (caught.value.type, caught.value.text) == ("test.Error.No", "no")
            assert caught.value.reply.error_name == "test.Error.No"

    run(bus.address, body)


def test_the_properties_interface_itself(bus: Any) -> None:
    async def body(pair: Pair) -> None:
        node = introspection.Node.default()
        proxy = pair.client.get_proxy_object(NAME, PATH, node).get_interface(PROPERTIES)
        pair.answers["GetAll"] = ("a{sv}", [{"P": Variant("s", "x")}])
        assert await proxy.call_get_all(INTERFACE) == {"P": Variant("s", "x")}
        assert await proxy.call_get_all(INTERFACE, unpack_variants=True) == {"P": "x"}
        pair.answers["Get"] = ("v", [Variant("s", "x")])
        assert await proxy.call_get(INTERFACE, "P") == Variant("s", "x")
        assert await proxy.call_get(INTERFACE, "P", unpack_variants=True) == "x"
        pair.answers["Set"] = ("", [])
        assert await proxy.call_set(INTERFACE, "P", Variant("s", "y")) is None
        assert pair.calls[-1].body == [INTERFACE, "P", Variant("s", "y")]

    run(bus.address, body)
