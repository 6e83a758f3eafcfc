# SPDX-License-Identifier: MIT
"""guess, program, encode, decode: values that change while they are read, limits, and caches.

That good values arrive is what compat/test_message_* are about; test_codec_wire.py has what
happens between the bytes and libdbus.
"""

from __future__ import annotations

import gc
import itertools
import sys
from typing import Any, Callable, Iterator

import pytest
from marshalling import decoded, encoded, signal

import _dbus_bindings
import dbus
from dbus.lowlevel import Message, SignalMessage

MIB = 1 << 20

# Values that do things while they are converted -------------------------------------------------


class Trap:
    """An integer whose conversion runs `action`."""

    def __init__(self, action: Callable[[], Any], value: int = 7) -> None:
        self.action = action
        self.value = value

    def __int__(self) -> int:
        self.action()
        return self.value

    __index__ = __int__


def test_a_list_that_empties_itself() -> None:
    values: "list[Any]" = []
    values.extend([1, Trap(values.clear), 3, 4])
    assert decoded("ax", values) == [[1, 7]]


def test_a_list_that_grows_while_it_is_read() -> None:
    values: "list[Any]" = []
    values.extend([Trap(lambda: values.append(8)), 3])
    assert decoded("ax", values) == [[7, 3, 8]]


def test_a_list_whose_items_die_while_they_are_read() -> None:
    values: "list[Any]" = []

    def replace() -> None:
        values[:] = [object() for _ in range(3)]
        gc.collect()

    values.extend([Trap(replace), "text" * 10, "more"])
    with pytest.raises(TypeError):
        encoded("ax", values)


def test_a_struct_from_a_list_that_shrinks() -> None:
    values: "list[Any]" = []
    values.extend([Trap(values.clear), 2])
    with pytest.raises(TypeError, match="More items"):
        encoded("(xx)", values)


@pytest.mark.parametrize("change", ["clear", "grow"])
def test_a_dict_that_changes_size(change: str) -> None:
    values: "dict[Any, Any]" = {}

    def act() -> None:
        if change == "clear":
            values.clear()
        else:
            values.update((str(i), i) for i in range(100))

    values.update(a=Trap(act), b=2)
    with pytest.raises(RuntimeError, match="changed size"):
        encoded("a{sx}", values)


def test_a_dict_whose_values_are_replaced() -> None:
    values: "dict[str, Any]" = {}

    def act() -> None:
        for key in list(values):
            values[key] = 9
        gc.collect()

    values.update(a=Trap(act), b=object())
    assert decoded("a{sx}", values) == [{"a": 7, "b": 9}]


def test_appending_to_the_same_message_during_append() -> None:
    message = signal()
    message.append(Trap(lambda: message.append("inner")), 5, signature="xi")
    assert message.get_signature() == "sxi"
    assert message.get_args_list() == ["inner", 7, 5]


def test_a_big_body_behind_one_that_was_appended_meanwhile() -> None:
    message = signal()
    values = [{"k%d" % i: "v" * 20} for i in range(50)]
    message.append(Trap(lambda: message.append(dbus.Byte(3))), values, signature="xaa{sv}")
    assert message.get_signature() == "yxaa{sv}"
    assert message.get_args_list() == [3, 7, values]


def test_initialising_the_message_again_during_append() -> None:
    message = signal()
    again = Trap(lambda: message.__init__("/z", "org.example.New", "Now"))  # type: ignore[misc]
    message.append(again, "x" * 1000, signature="xs")
    assert message.get_path() == "/z"
    assert message.get_args_list() == [7, "x" * 1000]


def test_an_iterator_that_fails_leaves_nothing_behind() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise LookupError("enough")

    message = signal()
    message.append("kept", signature="s")
    with pytest.raises(LookupError, match="enough"):
        message.append(items(), signature="ai")
    assert message.get_args_list() == ["kept"]


def test_the_path_attribute_may_not_hide_an_interrupt() -> None:
    class Interrupting:
        @property
        def __dbus_object_path__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoded("o", Interrupting())
    with pytest.raises(KeyboardInterrupt):
        Message.guess_signature(Interrupting())


# Depth ------------------------------------------------------------------------------------------


def nested_list(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("padding", ["", "x" * 2000], ids=["replayed", "parsed"])
def test_variants_64_deep(padding: str) -> None:
    value = dbus.String("x", variant_level=64)
    (got, _) = decoded("vs", value, padding)
    assert got.variant_level == 64
    with pytest.raises(ValueError, match="64 levels"):
        encoded("vs", dbus.String("x", variant_level=65), padding)
    with pytest.raises(ValueError, match="64 levels"):
        encoded("vs", dbus.String("x", variant_level=2**62), padding)


@pytest.mark.parametrize("padding", ["", "x" * 2000], ids=["replayed", "parsed"])
def test_arrays_and_variants_together(padding: str) -> None:
    value: Any = dbus.Int32(1)
    for _ in range(31):
        value = dbus.Array([value], signature="v")
    (got, _) = decoded("avs", dbus.Array([value], signature="v"), padding)
    for _ in range(32):
        (got,) = got
    assert got == 1 and got.variant_level == 1
    with pytest.raises(ValueError, match="64 levels"):
        encoded("avs", [dbus.Array([value], signature="v")], padding)


def test_dictionaries_count_twice_as_the_specification_counts_them() -> None:
    value: Any = 1
    for _ in range(21):  # each an array, an entry and a variant
        value = dbus.Dictionary({"k": value}, signature="sv")
    assert decoded("a{sv}", value) == [value]
    with pytest.raises(ValueError, match="64 levels"):
        encoded("a{sv}", {"k": value})


def test_32_arrays_and_no_more() -> None:
    assert Message.guess_signature(nested_list(32)) == "a" * 32 + "i"
    with pytest.raises(ValueError, match="32 arrays"):
        Message.guess_signature(nested_list(33))
    assert decoded("a" * 32 + "i", nested_list(32)) == [nested_list(32)]


@pytest.mark.parametrize("signature", [None, "v", "av", "aav"])
def test_containers_that_contain_themselves(signature: Any) -> None:
    as_list: "list[Any]" = []
    as_list.append(as_list)
    as_dict: "dict[str, Any]" = {}
    as_dict["me"] = as_dict
    as_tuple: "tuple[list[Any]]" = ([],)
    as_tuple[0].append(as_tuple)
    typed = dbus.Array([], signature="v")
    typed.append(typed)
    if signature is None:
        signature = "av"
        with pytest.raises(ValueError, match="contain itself"):
            Message.guess_signature(as_list)
    for value in (as_list, as_dict, as_tuple, typed):
        message = signal()
        with pytest.raises(ValueError, match="contain itself"):
            message.append(value, signature="a{sv}" if value is as_dict else signature)
        assert message.get_args_list() == []


# Sizes ------------------------------------------------------------------------------------------


def test_64_mib_of_bytes_and_one_more() -> None:
    block = bytes(64 * MIB)
    message = signal()
    message.append(block, signature="ay")
    (got,) = message.get_args_list(byte_arrays=True)
    assert len(got) == 64 * MIB
    del got, message
    with pytest.raises(ValueError, match="64 MiB"):
        encoded("ay", block + b"x")


@pytest.mark.parametrize(
    "signature, make",
    [
        ("as", lambda: itertools.repeat("x" * MIB)),
        ("av", lambda: itertools.repeat("x" * MIB)),
        ("aay", lambda: itertools.repeat(bytes(MIB))),
        ("a(s)", lambda: itertools.repeat(("x" * MIB,))),
        ("a{is}", lambda: dict.fromkeys(range(70), "x" * MIB)),
        ("aas", lambda: [["x" * MIB] * 40, ["x" * MIB] * 40]),
    ],
)
def test_arrays_over_64_mib(signature: str, make: Callable[[], Any]) -> None:
    message = signal()
    with pytest.raises(ValueError, match="64 MiB"):
        message.append(make(), signature=signature)
    message.append(1)
    assert message.get_args_list() == [1]


def test_messages_over_128_mib() -> None:
    text = "x" * (60 * MIB)
    message = signal()
    with pytest.raises(ValueError, match="128 MiB"):
        message.append(text, text, text, signature="sss")
    message.append(text, text, signature="ss")
    with pytest.raises(ValueError, match="128 MiB"):
        message.append(text[: 9 * MIB], signature="s")
    assert message.get_signature() == "ss"


def test_signatures_over_255_bytes() -> None:
    message = signal()
    message.append(*[1] * 200, signature="i" * 200)
    with pytest.raises(ValueError, match="255"):
        message.append(*[1] * 56, signature="i" * 56)
    message.append(*[1] * 55, signature="i" * 55)
    assert message.get_args_list() == [1] * 255


def test_a_long_path_before_a_body_that_is_parsed() -> None:
    path = "/" + "p" * 5000
    message = SignalMessage(path, "org.example.Test", "Happened")
    values = {"key%d" % i: "value" for i in range(100)}
    message.append(values, signature="a{sv}")
    assert message.get_path() == path
    assert message.get_args_list() == [values]


@pytest.mark.parametrize("length", [*range(40), *range(240, 262), *range(500, 530)])
def test_every_header_length(length: int) -> None:
    """The header of the parsed way is put together by hand, padding included."""
    path = "/" + "p" * length
    message = SignalMessage(path, "org.example.Test", "Happened")
    message.append(["text " * 20] * 10, signature="as")
    assert message.get_path() == path
    assert message.get_args_list() == [["text " * 20] * 10]
    assert message.get_serial() == 0


# Caches and memory ------------------------------------------------------------------------------


def test_more_signatures_than_the_cache_holds() -> None:
    letters = "ybnqiuxtd"
    for combination in itertools.product(letters, repeat=4):
        signature = "(" + "".join(combination) + ")"
        assert decoded(signature, (1, 1, 1, 1)) == [(1, 1, 1, 1)]
        assert decoded("v", dbus.Array([], signature=signature))[0].signature == signature


def test_more_keys_than_the_cache_holds() -> None:
    values = {"key%d" % i: i for i in range(5000)}
    for _ in range(2):
        (got,) = decoded("a{si}", values)
        assert got == values
        assert {type(key) for key in got} == {dbus.String}
    mixed = {"schlüssel": 1, "": 2, "x" * 39: 3, "x" * 40: 4, "x" * 41: 5, "日本": 6}
    for _ in range(2):
        assert decoded("a{si}", mixed) == [mixed]


def test_caches_that_are_emptied_are_filled_again() -> None:
    def keys() -> list[str]:
        return [*decoded("a{sv}", {"key of its own": [1]})[0]]

    first = keys()
    assert keys()[0] is first[0]
    _dbus_bindings._clear_caches()
    again = keys()
    assert again == first and again[0] is not first[0]
    assert keys()[0] is again[0]


def test_references_are_balanced() -> None:
    text, number, pairs = "a text of its own", 123456789, {"a key of its own": 1.5}
    values = [text, number, pairs, [text], (number, text)]
    signature = "sia{sd}as(is)"
    for _ in range(3):
        decoded(signature, *values)
    counts = [sys.getrefcount(value) for value in values]
    for _ in range(100):
        decoded(signature, *values)
        decoded("v" * 5, *values)
        with pytest.raises(TypeError):
            encoded(signature + "i", *values, None)
    assert [sys.getrefcount(value) for value in values] == counts
