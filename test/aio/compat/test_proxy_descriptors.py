# SPDX-License-Identifier: MIT
"""File descriptors through proxies: they are the numbers of open files on both ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from api import REFERENCE, api, pick
from proxy_peer import INTERFACE, Pair, run

Message = api.Message
Variant = api.Variant

MEMBERS = """
    <method name="Pass"><arg type="h"/><arg type="h" direction="out"/></method>
    <method name="Take"><arg type="h"/><arg type="ah"/><arg type="a{sv}"/><arg type="v"/></method>
    <method name="TakeStruct"><arg type="(sh)"/><arg type="a{sh}"/></method>
    <method name="Give"><arg type="s" direction="out"/><arg type="ah" direction="out"/>
        <arg type="a{sv}" direction="out"/><arg type="v" direction="out"/></method>
    <method name="GiveStruct"><arg type="(sh)" direction="out"/></method>
    <property name="File" type="h"/>
    <property name="Any" type="v"/>
    <signal name="Opened"><arg type="h"/><arg type="v"/><arg type="a{sv}"/></signal>
"""


class Files(NamedTuple):
    """Two open files and what identifies each."""

    one: int
    two: int


@pytest.fixture
def files() -> Iterator[Files]:
    ends = os.pipe()
    try:
        yield Files(*ends)
    finally:
        for end in ends:
            os.close(end)


def same(left: int, right: int) -> bool:
    """Whether two descriptors are of the same end of one pipe."""
    modes = [fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE for number in (left, right)]
    return os.path.sameopenfile(left, right) and modes[0] == modes[1]


def run_with_files(address: str, body: Any) -> None:
    run(address, body, negotiate_unix_fd=True)


def test_there_and_back(bus: Any, files: Files) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["Pass"] = lambda call: Message.new_method_return(
            call, "h", call.body, call.unix_fds
        )
        result = await proxy.call_pass(files.two)
        assert result not in files
        assert same(result, files.two)
        assert pair.calls[0].body == [0]
        assert same(pair.calls[0].unix_fds[0], files.two)
        # What was sent stays open.
        assert not same(files.one, files.two)

    run_with_files(bus.address, body)


def test_arguments(bus: Any, files: Files) -> None:
    async def body(pair: Pair) -> None:
        one, two = files
        proxy = pair.interface(MEMBERS)
        pair.answers["Take"] = ("", [])
        nested = Variant("v", Variant("h", two))
        await proxy.call_take(
            one, [two, one], {"k": nested, "l": Variant("i", 7)}, Variant("h", two)
        )
        (call,) = pair.calls
        at = call.unix_fds
        first, many, mapping, last = call.body
        assert same(at[first], one)
        assert same(at[many[0]], two) and same(at[many[1]], one)
        assert same(at[mapping["k"].value.value], two)
        assert mapping["l"] == Variant("i", 7)
        assert same(at[last.value], two)

    run_with_files(bus.address, body)


def test_arguments_in_structs_and_dicts(bus: Any, files: Files) -> None:
    async def body(pair: Pair) -> None:
        one, two = files
        proxy = pair.interface(MEMBERS)
        pair.answers["TakeStruct"] = ("", [])
        await proxy.call_take_struct(["x", two], {"k": one, "l": two})
        (call,) = pair.calls
        struct, mapping = call.body
        assert same(call.unix_fds[struct[1]], two)
        assert same(call.unix_fds[mapping["k"]], one)
        assert same(call.unix_fds[mapping["l"]], two)

    run_with_files(bus.address, body)


def test_arguments_are_left_alone(bus: Any, files: Files) -> None:
    async def body(pair: Pair) -> None:
        one, two = files
        pair.answers["Take"] = ("", [])
        many, mapping = [one, two], {"k": Variant("h", two)}
        await pair.interface(MEMBERS).call_take(one, many, mapping, Variant("h", two))
        assert (many, mapping) == pick(
            ours=([one, two], {"k": Variant("h", two)}),
            reference=([0, 1], {"k": Variant("h", 1)}),
            why="a caller's values are not for us to change",
        )

    run_with_files(bus.address, body)


def test_results(bus: Any, files: Files) -> None:
    async def body(pair: Pair) -> None:
        one, two = files
        proxy = pair.interface(MEMBERS)
        values = ["x", [1, 0, 1], {"k": Variant("h", 0), "l": Variant("i", 0)}, Variant("h", 1)]
        pair.answers["Give"] = ("saha{sv}v", values, [one, two])
        text, many, mapping, last = await proxy.call_give()
        assert text == "x"
        assert same(many[0], two) and same(many[1], one) and same(many[2], two)
        assert same(mapping["k"].value, one)
        assert mapping["l"] == Variant("i", 0)
        assert same(last.value, two) and last.signature == "h"
        _, many, mapping, last = await proxy.call_give(unpack_variants=True)
        assert same(many[0], two)
        assert same(mapping["k"], one)
        assert mapping["l"] == 0
        assert same(last, two)

    run_with_files(bus.address, body)


def test_results_in_structs(bus: Any, files: Files) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["GiveStruct"] = ("(sh)", [("x", 0)], [files.two])
        if REFERENCE:
            # It changes values in place, and these are tuples.
            with pytest.raises(TypeError):
                await proxy.call_give_struct()
            return
        text, descriptor = await proxy.call_give_struct()
        assert text == "x"
        assert same(descriptor, files.two)

    run_with_files(bus.address, body)


def test_properties(bus: Any, files: Files) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["Set"] = ("", [])
        await proxy.set_file(files.two)
        assert pair.calls[-1].body == [INTERFACE, "File", Variant("h", 0)]
        assert same(pair.calls[-1].unix_fds[0], files.two)
        await proxy.set_any(Variant("h", files.one))
        assert pair.calls[-1].body[2] == Variant("v", Variant("h", 0))
        assert same(pair.calls[-1].unix_fds[0], files.one)
        pair.answers["Get"] = ("v", [Variant("h", 0)], [files.one])
        assert same(await proxy.get_file(), files.one)
        assert same(await proxy.get_file(unpack_variants=True), files.one)

    run_with_files(bus.address, body)


def test_signals(bus: Any, files: Files) -> None:
    async def body(pair: Pair) -> None:
        one, two = files
        got: list[Any] = []
        proxy = pair.interface(MEMBERS)
        proxy.on_opened(lambda *values: got.append(values))
        proxy.on_opened(lambda *values: got.append(values), unpack_variants=True)
        values = [1, Variant("h", 0), {"k": Variant("h", 1), "l": Variant("i", 1)}]
        await pair.emit("Opened", "hva{sv}", values, unix_fds=[one, two])
        (first, variant, mapping), (again, inside, unpacked) = got
        assert same(first, two)
        assert same(variant.value, one)
        assert same(mapping["k"].value, two) and mapping["l"] == Variant("i", 1)
        assert (again, inside) == (first, variant.value)
        assert unpacked == {"k": mapping["k"].value, "l": 1}

    run_with_files(bus.address, body)


@pytest.mark.parametrize("value", [-1, 2**32, "0", None])
def test_what_is_no_descriptor(bus: Any, value: Any) -> None:
    async def body(pair: Pair) -> None:
        proxy = pair.interface(MEMBERS)
        pair.answers["Pass"] = pair.answers["Set"] = ("", [])
        with pytest.raises(api.SignatureBodyMismatchError):
            await proxy.set_file(value)
        if not REFERENCE:  # there, the numbers and what follows from them vary
            with pytest.raises((api.SignatureBodyMismatchError, OSError)):
                await proxy.call_pass(value)
        assert pair.calls == []

    run_with_files(bus.address, body)
