# SPDX-License-Identifier: MIT
"""commit, replay, fdwalk, decode: both ways into a message, descriptors, and both byte orders."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import threading
from typing import Any, Callable, Iterator

import pytest
from implementation import run_snippet
from marshalling import ForeignPeer, decoded, encoded, signal

import dbus
from dbus.aio.message import Message as PlainMessage
from dbus.aio.signature import Variant
from dbus.lowlevel import ErrorMessage, MethodCallMessage

# Both ways into a message -----------------------------------------------------------------------

BODIES: "list[tuple[str, Any]]" = [
    ("a{sv}", {"a": 1, "b": "x", "c": [1.5], "d": (True, dbus.Byte(2)), "e": {"f": b"g"}}),
    ("a{s(ynqiuxtdbsog)}", {"k": (1, 2, 3, 4, 5, 6, 7, 8.5, True, "s", "/o", "g")}),
    ("(ay(an)a(ai))", (b"bytes", ([1, -2],), [([],), ([3],)])),
    ("av", [dbus.Int16(1), dbus.UInt64(2**63), dbus.Signature("a{sv}"), dbus.ObjectPath("/")]),
    ("aaai", [[[1], []], [], [[2, 3]]]),
    ("v", dbus.Array([dbus.Struct((1, "x"), variant_level=3)], signature="v", variant_level=2)),
    ("a{yad}", {1: [0.5], 2: []}),
]


@pytest.mark.parametrize("signature, value", BODIES, ids=[body[0] for body in BODIES])
def test_replayed_and_parsed_bodies_are_the_same(signature: str, value: Any) -> None:
    small = decoded(signature, value)
    large = decoded("s" + signature, "x" * 4096, value)[1:]
    second = signal()
    second.append(True, signature="b")  # moves what follows by four bytes
    second.append(value, signature=signature)
    assert repr(small) == repr(large) == repr(second.get_args_list()[1:])


@pytest.mark.parametrize(
    "signature, values",
    [
        ("ii", (1, -2)),
        ("ybnqiuxtdsog", (1, True, -2, 3, -4, 5, -6, 7, 8.5, "s", "/o", "ai")),
        ("ssv", ("org.example.Interface", "Name", 3)),
        ("sa{sv}as", ("org.example.Interface", {"a": 1}, [])),
        ("ayadab", (b"abc", [1.5], [True, False])),
    ],
)
def test_arguments_at_once_and_one_by_one(signature: str, values: "tuple[Any, ...]") -> None:
    one_by_one = signal()
    for code, value in zip(dbus.Signature(signature), values):
        one_by_one.append(value, signature=code)
    at_once = encoded(signature, *values)
    assert at_once.get_signature() == one_by_one.get_signature() == signature
    assert repr(at_once.get_args_list()) == repr(one_by_one.get_args_list())


def test_arguments_behind_those_that_are_there() -> None:
    message = signal()
    message.append(signature="")
    for count in range(1, 4):
        message.append(1, 2, signature="ii")
        copy = message.copy()
        copy.append(3, 4, signature="ii")
        assert message.get_args_list() == [1, 2] * count
        assert copy.get_args_list() == [1, 2] * count + [3, 4]


def test_arguments_behind_the_text_of_an_error(bus: Any) -> None:
    call = MethodCallMessage("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId")
    bus.connection().send_message(call)
    error = ErrorMessage(call, "org.example.Error", "text")
    error.append(1, 2, 3, signature="iii")
    assert error.get_args_list() == ["text", 1, 2, 3]


def test_messages_that_libdbus_would_not_parse() -> None:
    """Fields may be missing, or reserved, while a message is put together."""
    values = ["x" * 100] * 50
    for change in (
        lambda message: message.set_interface(None),
        lambda message: message.set_path(None),
        lambda message: message.set_member(None),
        lambda message: message.set_interface("org.freedesktop.DBus.Local"),
        lambda message: message.set_path("/org/freedesktop/DBus/Local"),
    ):
        message = signal()
        change(message)
        message.append(values, signature="as")
        assert message.get_args_list() == [values]


def test_header_fields_survive_a_parsed_body() -> None:
    message = MethodCallMessage("org.example.Name", "/p", "org.example.Iface", "Call")
    message.set_no_reply(True)
    message.set_auto_start(False)
    message.set_allow_interactive_authorization(True)
    message.set_sender(":1.7")
    message.append(["x" * 100] * 50, signature="as")
    assert message.get_no_reply() and not message.get_auto_start()
    assert message.get_allow_interactive_authorization()
    assert message.is_method_call("org.example.Iface", "Call")
    assert (message.get_path(), message.get_destination(), message.get_sender()) == (
        "/p",
        "org.example.Name",
        ":1.7",
    )
    assert message.get_signature() == "as" and message.get_serial() == 0


# Blocks that are not copied ---------------------------------------------------------------------

HELD = 32768  # the encoder holds a bytes or str of this size


@pytest.mark.parametrize("more", [-2, -1, *range(9), 100_000])
def test_what_stands_around_a_large_block(more: int) -> None:
    block = bytes(range(256)) * (HELD // 256 + 500)
    block = block[: HELD + more]
    text = "é" + "x" * (HELD + more - 2)
    values = (7, block, 2**40, "t", text, 9, [block, b"", b"ab", block], 1.5)
    message = encoded("yaytssyaayd", *values)
    assert message.get_args_list(byte_arrays=True) == list(values)
    assert plain(message) == list(values)
    again = PlainMessage._from_bindings(message)._to_bindings()
    assert again.get_args_list(byte_arrays=True) == list(values)
    (parsed,) = encoded("a(yays)", [(1, block, text), (2, block, "x")]).get_args_list(
        byte_arrays=True
    )
    assert parsed == [(1, block, text), (2, block, "x")]


def test_large_blocks_in_variants() -> None:
    block, text = b"ab" * HELD, "cd" * HELD
    value = {"a": 1, "block": dbus.ByteArray(block, variant_level=1), "text": text, "z": 2}
    (got,) = encoded("a{sv}", value).get_args_list(byte_arrays=True)
    assert got == {"a": 1, "block": block, "text": text, "z": 2}
    body = [{"a": Variant("(yayq)", [1, block, 2]), "b": Variant("o", "/" + "p" * HELD)}]
    message = PlainMessage("a.b", "/", "a.b", "C", signature="a{sv}", body=body)
    assert PlainMessage._from_bindings(message._to_bindings()).body[0]["a"].value == (1, block, 2)


def test_a_large_block_behind_other_arguments() -> None:
    message = encoded("s", "first")
    message.append(b"x" * HELD, 5, signature="ayy")
    assert message.get_args_list(byte_arrays=True) == ["first", b"x" * HELD, 5]


def test_a_large_block_that_is_changed_meanwhile() -> None:
    block = bytearray(b"x" * HELD)

    class Number:
        def __index__(self) -> int:
            block[:] = b"y"
            return 7

    body = [block, Number()]
    message = PlainMessage("a.b", "/", "a.b", "C", signature="ayi", body=body)
    assert plain(message._to_bindings()) == [b"x" * HELD, 7]
    assert block == b"y"


def test_large_blocks_are_let_go() -> None:
    block, text = bytes(HELD), "x" * HELD
    before = sys.getrefcount(block), sys.getrefcount(text)
    for _ in range(3):
        message = encoded("ays", block, text)
        assert (sys.getrefcount(block), sys.getrefcount(text)) == before
        with pytest.raises(TypeError):
            message.append([block] * 9, [text, None], signature="aayas")
        assert (sys.getrefcount(block), sys.getrefcount(text)) == before


def test_a_large_block_must_be_what_its_type_is() -> None:
    for value in ("x" * HELD + "\0", b"x" * HELD + b"\xff"):
        with pytest.raises(ValueError):
            encoded("s", value)
    with pytest.raises(ValueError):
        encoded("o", "/" + "p" * HELD + "/")


# File descriptors -------------------------------------------------------------------------------


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def same_file(a: int, b: int) -> bool:
    return os.path.samestat(os.fstat(a), os.fstat(b))


def test_descriptors_anywhere_in_a_value() -> None:
    before = open_descriptors()
    read, write = os.pipe()
    try:
        value = {"r": dbus.types.UnixFd(read), "w": [dbus.types.UnixFd(write)]}
        message = encoded("a{sv}h", value, write)
        got, last = message.get_args_list()
        numbers = got["r"].take(), got["w"][0].take(), last.take()
        assert all(map(same_file, numbers, (read, write, write)))
        for number in numbers:
            os.close(number)
        del value, message, got, last
    finally:
        os.close(read)
        os.close(write)
    assert open_descriptors() == before


def test_a_descriptor_that_is_closed_while_others_are_converted() -> None:
    number = os.open("/dev/null", os.O_RDONLY)

    class Closer:
        def __int__(self) -> int:
            os.close(number)
            return 1

    message = encoded("hx", number, Closer())
    got = message.get_args_list()[0].take()
    assert os.path.samestat(os.fstat(got), os.stat("/dev/null"))
    os.close(got)


def test_a_failed_append_closes_its_duplicates() -> None:
    before = open_descriptors()
    for _ in range(20):
        with pytest.raises(TypeError):
            encoded("ahs", [0, 1, 2], None)
        with pytest.raises(ValueError, match="not an open"):
            encoded("ah", [0, 1, 987654])
    assert open_descriptors() == before


def test_more_descriptors_than_linux_passes() -> None:
    assert len(decoded("ah", [0] * 253)[0]) == 253
    with pytest.raises(ValueError, match="253"):
        encoded("ah", [0] * 254)
    before = open_descriptors()
    message = encoded("ah", [0] * 200)
    with pytest.raises(ValueError, match="253"):
        message.append([0] * 54, signature="ah")
    message.append([0] * 53, signature="ah")
    assert [len(array) for array in message.get_args_list()] == [200, 53]
    del message
    assert open_descriptors() == before


def test_no_descriptors_left(fd_limit: Callable[[], Any]) -> None:
    message = encoded("ah", [0] * 10)
    with fd_limit():
        with pytest.raises(OSError):
            message.get_args_list()
        with pytest.raises(OSError):
            message.append(0, signature="h")
        with pytest.raises(OSError):
            message.copy()
    assert len(message.get_args_list()[0]) == 10


def test_descriptors_that_run_out_while_a_message_is_put_together(
    fd_limit: Callable[..., Any],
) -> None:
    """There is room for the encoder's duplicates, but not for those of libdbus."""
    before = open_descriptors()
    message = encoded("ah", [0] * 10)
    with fd_limit(spare=15):
        with pytest.raises(OSError):
            message.append([0] * 10, signature="ah")
        with pytest.raises(OSError):
            encoded("sah", "x", [0] * 10)
    assert message.get_signature() == "ah" and len(message.get_args_list()[0]) == 10
    del message
    assert open_descriptors() == before


@pytest.fixture
def fd_limit() -> Iterator[Callable[..., Any]]:
    @contextlib.contextmanager
    def limited(spare: int = 0) -> Iterator[None]:
        old = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = max(int(name) for name in os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1 + spare, old[1]))
        fillers = []
        try:
            while True:
                try:
                    fillers.append(os.dup(0))
                except OSError:
                    break
            for filler in fillers[len(fillers) - spare :]:
                os.close(filler)
            del fillers[len(fillers) - spare :]
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, old)
            for filler in fillers:
                os.close(filler)

    yield limited


# No memory left ---------------------------------------------------------------------------------

NO_MEMORY = """
import resource, sys
from dbus.lowlevel import SignalMessage

limits = resource.getrlimit(resource.RLIMIT_AS)

class Last:
    # The encoder has its memory by now, libdbus needs as much again.
    def __int__(self):
        with open("/proc/self/statm") as statm:
            pages = int(statm.read().split()[0])
        size = pages * resource.getpagesize() + 2**22
        resource.setrlimit(resource.RLIMIT_AS, (size, limits[1]))
        return 1

message = SignalMessage("/path", "an.Interface", "Member")
for value in sys.argv[1:]:
    message.append(value, signature="s")
values = message.get_args_list()
try:
    message.append(bytes(2**25), Last(), signature="ayx")
except MemoryError:
    print("MemoryError")
finally:
    resource.setrlimit(resource.RLIMIT_AS, limits)
assert message.get_args_list() == values
message.append("after", signature="s")
assert message.get_args_list() == [*values, "after"]
print("goes on")
"""


@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="ASan owns the memory")
@pytest.mark.parametrize("before", [(), ("before",)])
def test_a_message_survives_a_body_for_which_there_is_no_memory(before: "tuple[str, ...]") -> None:
    # In a process of its own: what a heap has kept of earlier work is beyond the limit's reach.
    done = run_snippet(NO_MEMORY, *before)
    assert (done.returncode, done.stdout) == (0, "MemoryError\ngoes on\n"), done


# The plain flavour ------------------------------------------------------------------------------


def kinds(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value), [kinds(item) for item in value]
    if isinstance(value, dict):
        return type(value), [(kinds(k), kinds(v)) for k, v in value.items()]
    return type(value)


def plain(message: Any) -> list[Any]:
    body: list[Any] = PlainMessage._from_bindings(message).body
    return body


def test_plain_values_are_of_the_builtin_types() -> None:
    values = (1, True, -3, 2**63, 0.5, "é", "/p", "ai", b"bytes", [1, 2], {"k": [(1, "x")]})
    message = encoded("ybnxdsogayaia{sa(is)}", *values[:3], 5, *values[4:])
    expected = [1, True, -3, 5, 0.5, "é", "/p", "ai", b"bytes", [1, 2], {"k": [(1, "x")]}]
    assert plain(message) == expected
    assert kinds(plain(message)) == kinds(expected)
    assert plain(encoded("t", 2**64 - 1)) == [2**64 - 1]


def test_plain_variants() -> None:
    value = {"a": dbus.Byte(1), "b": [dbus.String("x", variant_level=2)]}
    message = encoded("a{sv}", value)
    inner = Variant("v", Variant("s", "x"))
    assert plain(message) == [{"a": Variant("y", 1), "b": Variant("av", [inner])}]


# The other byte order ---------------------------------------------------------------------------


FOREIGN = (
    "ybnqiuxtdsogaiaya{sv}a(is)v",
    (
        200, True, -2, 65535, -(2**31), 2**32 - 1, -(2**63), 2**64 - 1, 1.25, "é", "/o", "ai",
        [1, -1], [1, 2], {"k": ("i", -5), "l": ("as", ["x"])}, [(3, "three")], ("v", ("u", 7)),
    ),
)  # fmt: skip


@pytest.fixture
def foreign_reply(bus: Any, request: Any) -> Iterator[Any]:
    """A reply that came from a peer of the other byte order; the parameter: (signature, values,
    descriptors)."""
    signature, values, fds = getattr(request, "param", (*FOREIGN, ()))
    peer = ForeignPeer(bus.address)
    connection = bus.connection()

    def serve() -> None:
        fields = {5: ("u", peer.receive().serial), 6: ("s", str(connection.get_unique_name()))}
        peer.send(2, 2, fields, signature, *values, fds=fds)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        call = MethodCallMessage(peer.name, "/", "org.example.Foreign", "Get")
        yield connection.send_message_with_reply_and_block(call, 20)
    finally:
        thread.join()
        peer.close()


def test_a_message_in_the_other_byte_order(foreign_reply: Any) -> None:
    expected = encoded(
        FOREIGN[0],
        *FOREIGN[1][:-3],
        {"k": dbus.Int32(-5), "l": dbus.Array(["x"], signature="s")},
        [(3, "three")],
        dbus.UInt32(7, variant_level=2),
    )
    for byte_arrays in (False, True):
        assert repr(foreign_reply.get_args_list(byte_arrays=byte_arrays)) == repr(
            expected.get_args_list(byte_arrays=byte_arrays)
        )
    assert plain(foreign_reply) == plain(expected)


def test_appending_to_a_message_in_the_other_byte_order(foreign_reply: Any) -> None:
    before = foreign_reply.get_args_list()
    foreign_reply.append({"more": ["x" * 100] * 20}, signature="a{sv}")
    assert foreign_reply.get_args_list() == [*before, {"more": ["x" * 100] * 20}]


@pytest.mark.parametrize("foreign_reply", [("", (), ())], indirect=True)
def test_filling_a_copy_of_a_message_in_the_other_byte_order(foreign_reply: Any) -> None:
    """The header of what a peer sent is not read as if it were one of ours."""
    copy = foreign_reply.copy()
    copy.append({"more": ["x" * 100] * 20}, signature="a{sv}")
    assert copy.get_args_list() == [{"more": ["x" * 100] * 20}]
    assert copy.copy().get_args_list() == copy.get_args_list()


@pytest.mark.parametrize("foreign_reply", [("vhh", (("h", 0), 0, 0), (0,))], indirect=True)
def test_a_descriptor_that_is_named_several_times(foreign_reply: Any) -> None:
    before = open_descriptors()
    numbers = [fd.take() for fd in foreign_reply.get_args_list()]
    assert len(set(numbers)) == 3 and all(same_file(number, 0) for number in numbers)
    for number in numbers:
        os.close(number)
    assert open_descriptors() == before


@pytest.mark.parametrize(
    "foreign_reply",
    [
        ("hh", (0, 1), (0,)),
        ("ah", ([0, 2**32 - 1, 0],), (0,)),
        ("vh", (("h", 5), 0), (0, 1)),
        ("h", (0,), ()),
        ("sh", ("x", 1), ()),
        ("ah", ([0],), ()),
        ("(h)", ((0,),), ()),
        ("v", (("h", 0),), ()),
    ],
    indirect=True,
)
def test_descriptors_that_did_not_come_with_the_message(foreign_reply: Any) -> None:
    before = open_descriptors()
    with pytest.raises(ValueError, match="a file descriptor is missing"):
        foreign_reply.get_args_list()
    assert open_descriptors() == before
