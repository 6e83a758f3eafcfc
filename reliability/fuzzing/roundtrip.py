# SPDX-License-Identifier: MIT
"""Values of every type, in every kind of message, there and back: `roundtrip.py SECONDS`.

hypothesis makes the values.  What this package writes, dbus-python and GLib have to read as the
same, and the other way round: dbus-python in a process of its own, over a bus (echo.py), GLib's
Gio.DBusMessage and GVariant from bytes to bytes, in both byte orders.

The last line is JSON: trips, seconds, memory in MiB, and what was found.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from fuzzing import values, wire  # noqa: E402
from fuzzing.values import expect  # noqa: E402
from gi.repository import Gio, GLib  # noqa: E402
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from hypothesis.database import DirectoryBasedExampleDatabase  # noqa: E402

import dbus  # noqa: E402
from dbus.aio import Message as Plain  # noqa: E402
from dbus.lowlevel import (  # noqa: E402
    ErrorMessage,
    Message,
    MethodCallMessage,
    MethodReturnMessage,
    SignalMessage,
)
from dbus.testing import PrivateBus  # noqa: E402

PEER = f"{sys.base_exec_prefix}/bin/python3"  # the venv's own, which has dbus-python
ROUND = 200  # examples at a time
ECHOES = ("Return", "Error", "Signal")
KINDS = (1, 2, 3, 4)

# --- Strategies


def containers(inner: Any) -> Any:
    """Types that have others inside."""
    return st.one_of(
        inner.map(lambda code: "a" + code),
        st.lists(inner, min_size=1, max_size=4).map(lambda codes: f"({''.join(codes)})"),
        st.tuples(st.sampled_from(values.BASIC), inner).map(lambda pair: "a{%s%s}" % pair),
    )


TYPES = st.recursive(st.sampled_from(values.BASIC + "v"), containers, max_leaves=6)
PATHS = st.lists(st.text("abcXYZ019_", min_size=1, max_size=6), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
SIGNATURES = st.lists(TYPES, max_size=4).map("".join)
# What UTF-8 can say, but NUL.
TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=40)
BASIC: dict[str, Any] = {
    **{code: st.integers(low, high) for code, (low, high) in values.RANGES.items()},
    "d": st.floats(),
    "s": TEXTS,
    "o": PATHS,
    "g": SIGNATURES,
}


@lru_cache(maxsize=4096)  # to make a strategy costs more than to use it
def value(code: str, depth: int = 0) -> Any:
    """Values in wire form of a complete type."""
    if code == "v":
        kinds = TYPES if depth < 3 else st.sampled_from(values.BASIC)
        return kinds.flatmap(lambda kind: st.tuples(st.just(kind), value(kind, depth + 1)))
    if code in BASIC:
        return BASIC[code]
    if code[0] == "(":
        return st.tuples(*[value(part, depth) for part in wire.complete_types(code[1:-1])])
    if code[1] == "{":
        return st.dictionaries(value(code[2]), value(code[3:-1], depth), max_size=4)
    return st.lists(value(code[1:], depth), max_size=5)


BODIES = st.lists(TYPES, max_size=4).flatmap(
    lambda types: st.tuples(st.just(tuple(types)), st.tuples(*map(value, types)))
)
NAMES = st.sampled_from(("a.b", "com.example.Name", "A_1.b2.c3", "x" * 126 + "." + "y" * 126))
MEMBERS = st.sampled_from(("M", "Do_1", "z" * 255))
FLAGS = st.tuples(st.booleans(), st.booleans(), st.booleans())
HEADERS = st.tuples(PATHS, NAMES, MEMBERS, FLAGS)

# --- Messages


def ours(kind: int, path: str, name: str, member: str, flags: Any) -> Any:
    """A message of each kind."""
    if kind == 4:
        message: Any = SignalMessage(path, name, member)
    elif kind == 1:
        message = MethodCallMessage("com.example.Destination", path, name, member)
    else:
        call = Message.demarshal(MethodCallMessage(None, "/", None, "Any").marshal(77))
        call.set_sender(":1.5")
        make = MethodReturnMessage if kind == 2 else lambda to: ErrorMessage(to, name, None)
        message = make(call)
    message.set_no_reply(flags[0])
    message.set_auto_start(flags[1])
    message.set_allow_interactive_authorization(flags[2])
    return message


def to_gvariant(code: str, wanted: Any) -> Any:
    """The value as a GVariant."""
    if code == "v":
        return GLib.Variant("v", to_gvariant(*wanted))
    if code[0] == "(":
        inner = [to_gvariant(part, x) for part, x in zip(wire.complete_types(code[1:-1]), wanted)]
        return GLib.Variant.new_tuple(*inner)
    if code[0] == "a":
        kind = GLib.VariantType.new(code[1:])
        if code[1] == "{":
            entries = [
                GLib.Variant.new_dict_entry(to_gvariant(code[2], key), to_gvariant(code[3:-1], x))
                for key, x in wanted.items()
            ]
            return GLib.Variant.new_array(kind, entries)
        return GLib.Variant.new_array(kind, [to_gvariant(code[1:], x) for x in wanted])
    return GLib.Variant(code, bool(wanted) if code == "b" else wanted)


def body_of(types: Any, wanted: Any) -> Any:
    """All arguments as one GVariant."""
    return GLib.Variant.new_tuple(*[to_gvariant(code, x) for code, x in zip(types, wanted)])


def check_body(message: Any, types: Any, wanted: Any) -> None:
    """Whether both faces of ours read these values."""
    for blocks in (False, True):
        got = message.get_args_list(byte_arrays=blocks)
        expect(len(got) == len(types), got)
        for code, x, one in zip(types, wanted, got):
            values.check_typed(code, x, one, 0, blocks)
    plain = Plain._from_bindings(message)
    for code, x, one in zip(types, wanted, plain.body):
        values.check_native(code, x, one)


def check_header(message: Any, other: Any) -> None:
    """Whether GLib's message has the fields of ours."""
    flags = other.get_flags()
    pairs = (
        (message.get_path(), other.get_path()),
        (message.get_interface(), other.get_interface()),
        (message.get_member(), other.get_member()),
        (message.get_error_name(), other.get_error_name()),
        (message.get_destination(), other.get_destination()),
        (message.get_sender(), other.get_sender()),
        (message.get_reply_serial(), other.get_reply_serial()),
        (str(message.get_signature()), other.get_signature() or ""),
        (message.get_type(), int(other.get_message_type())),
        (message.get_no_reply(), bool(flags & 1)),
        (message.get_auto_start(), not flags & 2),
        (message.get_allow_interactive_authorization(), bool(flags & 4)),
    )
    for one, another in pairs:
        expect(one == another, one, another, message)


# --- The judges


def from_blob(data: bytes) -> Any:
    """A message as GLib reads it."""
    return Gio.DBusMessage.new_from_blob(data, Gio.DBusCapabilityFlags.NONE)


def reads_itself(blob: bytes, judge: Any) -> bool:
    """Whether GLib can be asked: 2.74 loses its way after an empty array of aligned items."""
    try:
        body = from_blob(blob).get_body()
    except GLib.Error:
        return False
    except RuntimeError as error:
        # Its words have the bytes that it stumbled over in them, and PyGObject cannot decode those.
        expect("GError" in str(error), error)
        return False
    return bool(body is None or body.equal(judge))


def by_glib(kind: int, header: Any, types: Any, wanted: Any, serial: int) -> None:
    """Ours is what GLib reads and writes, and GLib's is what we read, in both byte orders."""
    message, judge = ours(kind, *header), body_of(types, wanted)
    theirs = from_blob(message.marshal(serial))
    expect(theirs.get_serial() == serial, serial)
    if types:
        message.append(*map(values.typed, types, wanted), signature="".join(types))
        theirs.set_body(judge)
    check_header(message, theirs)
    plain = Plain._from_bindings(message)
    plain.body = list(map(values.native, types, wanted))
    written = [message.marshal(serial), plain._to_bindings().marshal(serial)]
    for order in (Gio.DBusMessageByteOrder.BIG_ENDIAN, Gio.DBusMessageByteOrder.LITTLE_ENDIAN):
        theirs.set_byte_order(order)
        blob = bytes(theirs.to_blob(Gio.DBusCapabilityFlags.NONE))
        again = Message.demarshal(blob)
        check_header(again, theirs)
        check_body(again, types, wanted)
    for data in written if sys.byteorder == "little" else ():
        expect(wire.body_of(data) == wire.body_of(blob), types, wanted)
    if reads_itself(blob, judge):
        for data in written:
            read = from_blob(data)
            check_header(message, read)
            expect(read.get_body().equal(judge) if types else not read.get_body(), judge)


class Reference:
    """dbus-python, in a process of its own that says what it has read and sends it back."""

    def __init__(self, bus: PrivateBus) -> None:
        environ = {key: text for key, text in os.environ.items() if not key.startswith("PYTHON")}
        self.process = subprocess.Popen(
            [PEER, str(HERE / "echo.py"), bus.address],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.name = self.process.stdout.readline().strip()
        self.connection = dbus.bus.BusConnection(bus.address)

    def close(self) -> None:
        """End it."""
        self.connection.close()
        self.process.kill()
        self.process.wait()

    def ask(self, member: str, types: Any, arguments: Any) -> Any:
        """What it sends back for these arguments."""
        call = MethodCallMessage(self.name, "/echo", "com.example.Echo", member)
        if types:
            call.append(*arguments, signature="".join(types))
        written = repr(call.get_args_list())
        if member == "Error":
            # An error reply as it came, and not as an exception.
            pending: list[Any] = []
            waiting = self.connection.send_message_with_reply(call, pending.append, 30)
            waiting.block()
            reply = pending[0]
        else:
            reply = self.connection.send_message_with_reply_and_block(call, 30)
        read, *back = reply.get_args_list()
        expect(read == written, read, written)
        return reply, back


def by_reference(reference: Reference, member: str, types: Any, wanted: Any) -> None:
    """Ours is what dbus-python reads, and dbus-python's is what we read."""
    reply, back = reference.ask(member, types, list(map(values.typed, types, wanted)))
    expect(reply.get_signature() == "s" + "".join(types), reply.get_signature())
    expect(len(back) == len(types), back)
    for code, x, got in zip(types, wanted, back):
        values.check_typed(code, x, got)
    plain = Plain._from_bindings(reply)
    for code, x, got in zip(types, wanted, plain.body[1:]):
        values.check_native(code, x, got)


def trips(reference: Reference) -> Callable[[], None]:
    """All ways for the same values: they cost more to make than to send."""

    @given(HEADERS, BODIES, st.integers(1, 2**32 - 1))
    def check(header: Any, body: Any, serial: int) -> None:
        for kind in KINDS:
            by_glib(kind, header, *body, serial)
        for member in ECHOES:
            by_reference(reference, member, *body)

    run: Callable[[], None] = check
    return run


def main() -> None:
    """Round after round until the time is over or something is found."""
    begin, made, found = time.monotonic(), 0, []
    limits = settings(
        max_examples=ROUND,
        deadline=None,
        database=DirectoryBasedExampleDatabase(".hypothesis"),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    with PrivateBus() as bus:
        reference = Reference(bus)
        judge = limits(trips(reference))
        while time.monotonic() - begin < float(sys.argv[1]) and not found:
            try:
                judge()
                made += ROUND * len(KINDS + ECHOES)
            except Exception as error:
                print(repr(error), *getattr(error, "__notes__", ()), sep="\n")
                found.append(f"{error!r:.300}")
        reference.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"trips": made, "memory": memory, "found": found}))


if __name__ == "__main__":
    main()
