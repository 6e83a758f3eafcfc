# SPDX-License-Identifier: MIT
"""Values of every type, in every kind of message, there and back: `roundtrip.py SECONDS`.

hypothesis makes the values.  What this package writes, dbus-python and GLib have to read as the
same, and the other way round: dbus-python in a process of its own, over a bus (echo.py), GLib's
Gio.DBusMessage and GVariant from bytes to bytes, in both byte orders.  Values with descriptors go
over a bus to both.

The last line is JSON: trips, seconds, memory in MiB, and what was found.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from fuzzing import values, wire  # noqa: E402
from fuzzing.strategies import (  # noqa: E402
    BODIES,
    BODIES_WITH_HANDLES,
    FILES,
    HEADERS,
)
from fuzzing.values import expect  # noqa: E402
from gi.repository import Gio, GLib  # noqa: E402
from hypothesis import HealthCheck, assume, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from hypothesis.database import DirectoryBasedExampleDatabase  # noqa: E402
from observed import descriptors  # noqa: E402

import dbus  # noqa: E402
from dbus.aio import Message as Plain  # noqa: E402
from dbus.lowlevel import (  # noqa: E402
    ErrorMessage,
    Message,
    MethodCallMessage,
    MethodReturnMessage,
    SignalMessage,
)
from dbus.mainloop.glib import DBusGMainLoop  # noqa: E402
from dbus.testing import PrivateBus  # noqa: E402

PEER = f"{sys.base_exec_prefix}/bin/python3"  # the venv's own, which has dbus-python
ROUND = 200  # examples at a time
ECHOES = ("Return", "Error", "Signal")
KINDS = (1, 2, 3, 4)
MOST_HANDLES = 16  # in one message: with more of them dbus-python loses its connection

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


def without_addresses(text: str) -> str:
    """A repr() without what differs between processes."""
    return re.sub(" at 0x[0-9a-f]+", "", text)


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
        written = without_addresses(repr(call.get_args_list()))
        if member == "Error":
            # An error reply as it came, and not as an exception.
            pending: list[Any] = []
            waiting = self.connection.send_message_with_reply(call, pending.append, 30)
            waiting.block()
            reply = pending[0]
        else:
            reply = self.connection.send_message_with_reply_and_block(call, 30)
        read, *back = reply.get_args_list()
        expect(without_addresses(read) == written, read, written)
        return reply, back


class Wanted(NamedTuple):
    """Values with handles, as the ways to say them."""

    types: tuple[str, ...]
    files: list[Any]  # with a descriptor in the place of each handle
    objects: list[Any]  # with a UnixFd there
    numbers: list[Any]  # with the number of each handle within the message
    order: list[int]  # the descriptor that each number stands for

    @classmethod
    def of(cls, types: tuple[str, ...], wanted: Any) -> Wanted:
        """From wire form, in which a handle says which of FILES it is."""
        order: list[int] = []

        def number(handle: int) -> int:
            order.append(FILES[handle])
            return len(order) - 1

        def made(handle: int) -> Any:
            return dbus.types.UnixFd(FILES[handle])

        def changed(change: Callable[[int], Any]) -> list[Any]:
            return [values.handles_changed(code, x, change) for code, x in zip(types, wanted)]

        return cls(types, changed(FILES.__getitem__), changed(made), changed(number), order)

    def typed(self) -> list[Any]:
        """For `append`."""
        return list(map(values.typed, self.types, self.objects))

    def check(self, got: Any) -> None:
        """Whether these are the values, as `get_args_list` gives them."""
        expect(len(got) == len(self.types), got)
        for code, x, one in zip(self.types, self.files, got):
            values.check_typed(code, x, one)

    def check_native(self, message: Any, skipped: int = 0) -> None:
        """Whether a message of dbus.aio has these values after the first ones."""
        plain = Plain._from_bindings(message)
        body = plain.body[skipped:]
        expect(len(body) == len(self.types), body)
        for code, x, one in zip(self.types, self.numbers, body):
            values.check_native(code, x, one)
        self.check_order(plain.unix_fds)

    def check_order(self, fds: list[int]) -> None:
        """Whether these are of the right files; they are closed."""
        expect(len(fds) == len(self.order), fds, self.order)
        for one, other in zip(self.order, fds):
            expect(os.path.sameopenfile(one, other), fds, self.order)
            os.close(other)


def by_reference(reference: Reference, member: str, wanted: Wanted) -> None:
    """Ours is what dbus-python reads, and dbus-python's is what we read."""
    reply, back = reference.ask(member, wanted.types, wanted.typed())
    expect(reply.get_signature() == "s" + "".join(wanted.types), reply.get_signature())
    wanted.check(back)
    wanted.check_native(reply, 1)


class GLibClient:
    """A connection of GLib's, which calls an echo of ours on the same context."""

    def __init__(self, bus: PrivateBus) -> None:
        self.ours = dbus.bus.BusConnection(bus.address, mainloop=DBusGMainLoop())
        self.ours.add_message_filter(self._answer)
        flags = Gio.DBusConnectionFlags
        self.theirs = Gio.DBusConnection.new_for_address_sync(
            bus.address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None
        )
        self.calls: list[Any] = []

    def close(self) -> None:
        """End both."""
        self.ours.close()
        self.theirs.close_sync(None)

    def _answer(self, connection: Any, message: Any) -> int:
        if message.get_member() != "Echo":
            return int(dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED)
        self.calls.append(message)
        reply = MethodReturnMessage(message)
        if message.get_signature():
            reply.append(*message.get_args_list(), signature=message.get_signature())
        connection.send_message(reply)
        return int(dbus.lowlevel.HANDLER_RESULT_HANDLED)

    def ask(self, body: Any, files: list[int]) -> Any:
        """The call as it came, and the body and descriptors of the reply."""
        fds, ends = Gio.UnixFDList.new(), []
        for fd in files:
            fds.append(fd)
        self.theirs.call_with_unix_fd_list(
            self.ours.get_unique_name(), "/echo", "com.example.Echo", "Echo", body, None,
            Gio.DBusCallFlags.NONE, 30_000, fds, None, lambda _, end: ends.append(end),
        )  # fmt: skip
        while not ends:
            GLib.MainContext.default().iteration(True)
        back, came = self.theirs.call_with_unix_fd_list_finish(ends[0])
        return self.calls.pop(), back, came.steal_fds() if came else []


def by_glib_over_bus(client: GLibClient, wanted: Wanted) -> None:
    """GLib's is what we read, with its descriptors, and ours is what GLib reads."""
    judge = body_of(wanted.types, wanted.numbers)
    sample = Gio.DBusMessage.new_method_call(None, "/", None, "Any")
    sample.set_body(judge)
    if reads_itself(bytes(sample.to_blob(Gio.DBusCapabilityFlags.UNIX_FD_PASSING)), judge):
        call, back, fds = client.ask(judge, wanted.order)
        wanted.check(call.get_args_list())
        wanted.check_native(call)
        expect(back.equal(judge), back, judge)
        wanted.check_order(fds)


def none_left(before: int) -> None:
    """Whether there are no more descriptors than before; a thread of GLib's closes some of them."""
    deadline = time.monotonic() + 5
    while descriptors() > before:
        expect(time.monotonic() < deadline, descriptors(), before)
        time.sleep(0.01)


def trips(reference: Reference) -> Callable[[], None]:
    """All ways for the same values: they cost more to make than to send."""

    @given(HEADERS, BODIES, st.integers(1, 2**32 - 1))
    def check(header: Any, body: Any, serial: int) -> None:
        for kind in KINDS:
            by_glib(kind, header, *body, serial)
        for member in ECHOES:
            by_reference(reference, member, Wanted.of(*body))

    run: Callable[[], None] = check
    return run


def trips_with_handles(reference: Reference, client: GLibClient) -> Callable[[], None]:
    """The same over the bus, with descriptors."""

    @given(BODIES_WITH_HANDLES)
    def check(body: Any) -> None:
        wanted = Wanted.of(*body)
        assume(len(wanted.order) <= MOST_HANDLES)
        before = descriptors()
        for member in ECHOES:
            by_reference(reference, member, wanted)
        by_glib_over_bus(client, wanted)
        none_left(before)

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
        reference, client = Reference(bus), GLibClient(bus)
        rounds = (
            (limits(trips(reference)), len(KINDS + ECHOES)),
            (limits(trips_with_handles(reference, client)), len(ECHOES) + 1),
        )
        while time.monotonic() - begin < float(sys.argv[1]) and not found:
            try:
                for judge, ways in rounds:
                    judge()
                    made += ROUND * ways
            except Exception as error:
                print(repr(error), *getattr(error, "__notes__", ()), sep="\n")
                found.append(f"{error!r:.300}")
        client.close()
        reference.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"trips": made, "memory": memory, "found": found}))


if __name__ == "__main__":
    main()
