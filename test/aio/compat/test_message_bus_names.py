# SPDX-License-Identifier: MIT
"""Bus names, and introspection of others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api import api_module
from clients import (
    DAEMON,
    DAEMON_PATH,
    ERROR,
    Message,
    NameFlag,
    ReleaseNameReply,
    RequestNameReply,
    errors,
    with_two,
)

# --- Names


def test_names(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        name = "org.example.Name"
        assert await server.request_name(name) is RequestNameReply.PRIMARY_OWNER
        assert await server.request_name(name) is RequestNameReply.ALREADY_OWNER
        assert await client.request_name(name) is RequestNameReply.IN_QUEUE
        flags = NameFlag.DO_NOT_QUEUE
        assert await client.request_name(name, flags) is RequestNameReply.EXISTS
        assert await client.release_name(name) is ReleaseNameReply.NOT_OWNER
        assert await server.release_name(name) is ReleaseNameReply.RELEASED
        assert await server.release_name(name) is ReleaseNameReply.NON_EXISTENT
        assert (await client.request_name(name)) is RequestNameReply.PRIMARY_OWNER

    with_two(bus, test)


def test_names_change_hands(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        name = "org.example.Name"
        await server.request_name(name, NameFlag.ALLOW_REPLACEMENT)
        reply = await client.request_name(name, NameFlag.REPLACE_EXISTING | NameFlag.DO_NOT_QUEUE)
        assert reply is RequestNameReply.PRIMARY_OWNER
        owner = await server.call(
            Message(DAEMON, DAEMON_PATH, DAEMON, "GetNameOwner", signature="s", body=[name])
        )
        assert owner.body == [client.unique_name]

    with_two(bus, test)


def test_names_that_are_none(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        for name in ("nodot", "", "a..b", "/a"):
            with pytest.raises(errors.InvalidBusNameError):
                await client.request_name(name)
            with pytest.raises(errors.InvalidBusNameError):
                await client.release_name(name)

    with_two(bus, test)


def test_names_that_the_bus_refuses(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        for name in (":1.77", DAEMON):
            with pytest.raises(errors.DBusError) as caught:
                await client.request_name(name)
            assert caught.value.type == "org.freedesktop.DBus.Error.InvalidArgs"
            assert caught.value.reply.message_type is ERROR

    with_two(bus, test)


# --- Introspection


def test_introspection(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        node = await client.introspect(DAEMON, DAEMON_PATH)
        names = [interface.name for interface in node.interfaces]
        assert isinstance(node, api_module("introspection").Node) and DAEMON in names

    with_two(bus, test)


def test_introspection_of_what_is_not_there(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        with pytest.raises(errors.DBusError) as caught:
            await client.introspect("no.such.Name", "/")
        assert caught.value.type == "org.freedesktop.DBus.Error.ServiceUnknown"
        with pytest.raises(errors.InvalidBusNameError):
            await client.introspect("nodot", "/")
        with pytest.raises(errors.InvalidObjectPathError):
            await client.introspect("a.b", "x")

    with_two(bus, test)


def test_introspection_data_that_is_none(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        answers = {
            "/number": ("i", [5], errors.DBusError),
            "/nothing": ("", [], errors.DBusError),
            "/xml": ("s", ["<node"], Exception),
            "/root": ("s", ["<tree/>"], errors.InvalidIntrospectionError),
        }

        def handler(msg: Any) -> Any:
            if msg.member == "Introspect":
                return Message.new_method_return(msg, *answers[msg.path][:2])
            return None

        server.add_message_handler(handler)
        for path, (_, _, error) in answers.items():
            with pytest.raises(error):
                await client.introspect(server.unique_name, path)

    with_two(bus, test)


def test_introspection_takes_too_long(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        server.add_message_handler(lambda msg: msg.member == "Introspect")
        with pytest.raises(asyncio.TimeoutError):
            await client.introspect(server.unique_name, "/", timeout=0.05)

    with_two(bus, test)


def test_property_names_are_checked_if_wanted(bus: Any) -> None:
    async def test(server: Any, client: Any) -> None:
        text = (
            '<node><interface name="a.b">'
            '<property name="not a name" type="s" access="read"/></interface></node>'
        )

        def handler(msg: Any) -> Any:
            if msg.member == "Introspect":
                return Message.new_method_return(msg, "s", [text])
            return None

        server.add_message_handler(handler)
        node = await client.introspect(server.unique_name, "/", validate_property_names=False)
        assert node.interfaces[0].properties[0].name == "not a name"
        with pytest.raises(errors.InvalidMemberNameError):
            await client.introspect(server.unique_name, "/")

    with_two(bus, test)
