# SPDX-License-Identifier: MIT
"""What many operations leave behind: `soak.py MODULES [--operations N] [--side S]... [--only P]`.

Each kind of operation has a process of its own, which does it N times and looks at itself a few
times beforehand, after a tenth of that and at the end: resident memory, bytes that malloc() has
given out, blocks of Python's allocator, open descriptors.  A kind is flat if from the tenth to the
end none of them has grown by more than is allowed below, whatever N is.  The figures are kept in
build/reliability/soak.json.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import json
import os
import subprocess
import sys
import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from cases import AIO, ASYNCIO, CLASSIC, FAST, OURS, REFERENCE, Place
from run import RESULTS, environment

PROBE = "com.example.Soak"
BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
LIMIT = 3600  # seconds for one kind


class Figures(NamedTuple):
    """A process, looked at."""

    rss: int  # bytes
    malloc: int  # bytes
    blocks: int
    fds: int


# What may be there afterwards that was not there before: caches and the heap's fragments.
ALLOWED = Figures(rss=2 << 20, malloc=128 << 10, blocks=300, fds=0)


class Mallinfo(ctypes.Structure):
    """struct mallinfo2."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def look() -> Figures:
    """This process, with nothing left to collect, and nothing in caches."""
    while gc.collect():
        pass
    bindings = sys.modules.get("_dbus_bindings")
    getattr(bindings, "_clear_caches", lambda: None)()
    libc = ctypes.CDLL("libc.so.6")
    libc.mallinfo2.restype = Mallinfo
    libc.malloc_trim(0)
    info = libc.mallinfo2()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Figures(
        pages * os.sysconf("SC_PAGE_SIZE"),
        info.uordblks + info.hblkhd,
        sys.getallocatedblocks(),
        len(os.listdir("/proc/self/fd")),
    )


# --- The classic interface: two connections on GLib's default context


class Classic:
    """What the kinds share."""

    def __init__(self, place: Place) -> None:
        from gi.repository import GLib

        import dbus
        import dbus.bus
        import dbus.lowlevel
        import dbus.mainloop.glib
        import dbus.service

        class Service(dbus.service.Object):
            @dbus.service.method(PROBE, in_signature="a{sv}", out_signature="a{sv}")
            def Echo(self, value: Any) -> Any:
                return value

            @dbus.service.method(PROBE)
            def Fail(self) -> None:
                raise dbus.DBusException("wanted")

            @dbus.service.signal(PROBE, signature="sas")
            def Said(self, text: str, texts: list[str]) -> None:
                pass

        self.dbus, self.place, self.Service = dbus, place, Service
        self.context = GLib.MainContext.default()
        self.loop = dbus.mainloop.glib.DBusGMainLoop()
        self.one, self.two = self.connect(self.loop), self.connect(self.loop)
        self.name = self.one.get_unique_name()
        self.service = Service(self.one, "/service")
        self.waiting = 0
        self.value = dbus.Dictionary({"a": "text", "b": dbus.UInt32(7)}, signature="sv")

    def connect(self, loop: Any = None) -> Any:
        conn = self.dbus.bus.BusConnection(self.place.bus.address, mainloop=loop)
        conn.set_exit_on_disconnect(False)
        return conn

    def turn_until(self, done: Callable[[], object]) -> None:
        while not done():
            self.context.iteration(True)

    def ended(self, *_: Any) -> None:
        self.waiting -= 1

    def ask(self, member: str, signature: str = "", args: tuple[Any, ...] = ()) -> None:
        """A call to the service in this process, and its end."""
        self.waiting += 1
        self.two.call_async(
            self.name, "/service", PROBE, member, signature, args, self.ended, self.ended
        )
        self.turn_until(lambda: not self.waiting)


def blocking_call(it: Classic) -> None:
    it.two.call_blocking(*BUS, "NameHasOwner", "s", ("com.example.Nobody",))


def failing_call(it: Classic) -> None:
    try:
        it.two.call_blocking(*BUS, "GetNameOwner", "s", ("com.example.Nobody",))
    except it.dbus.DBusException:
        pass


def proxy_call(it: Classic) -> None:
    it.two.get_object(*BUS[:2], introspect=False).NameHasOwner("a.b", dbus_interface=BUS[2])


def introspecting_proxy(it: Classic) -> None:
    it.two.get_object(*BUS[:2]).NameHasOwner("a.b", dbus_interface=BUS[2])


def async_call(it: Classic) -> None:
    it.waiting += 1
    it.two.call_async(*BUS, "NameHasOwner", "s", ("a.b",), it.ended, it.ended)
    it.turn_until(lambda: not it.waiting)


def cancelled_call(it: Classic) -> None:
    call = it.dbus.lowlevel.MethodCallMessage(*BUS, "GetId")
    it.two.send_message_with_reply(call, it.ended).cancel()
    it.two.call_blocking(*BUS, "GetId", "", ())


def service_call(it: Classic) -> None:
    it.ask("Echo", "a{sv}", (it.value,))


def failing_service_call(it: Classic) -> None:
    it.ask("Fail")


def signal(it: Classic) -> None:
    """Emitted by one, received by the other."""
    it.waiting += 1
    it.service.Said("text", ["a", "b"])
    it.turn_until(lambda: not it.waiting)


def subscribed(it: Classic) -> None:
    it.two.add_signal_receiver(it.ended, "Said", PROBE, it.name)
    it.two.get_name_owner(BUS[0])


def unheard_signal(it: Classic) -> None:
    it.service.Said("text", ["a", "b"])
    it.one.call_blocking(*BUS, "GetId", "", ())


def subscription(it: Classic) -> None:
    it.two.add_signal_receiver(it.ended, "Other", PROBE, path="/x", arg0="a").remove()
    it.two.call_blocking(*BUS, "GetId", "", ())


def sender_subscription(it: Classic) -> None:
    """With a well-known name, whose owner is watched."""
    it.two.add_signal_receiver(it.ended, "Other", PROBE, "com.example.Nobody").remove()
    it.two.call_blocking(*BUS, "GetId", "", ())


def export(it: Classic) -> None:
    it.Service(it.one, "/own/object").remove_from_connection()


def name(it: Classic) -> None:
    it.dbus.service.BusName("com.example.Soaked", it.one).__del__()


def message_filter(it: Classic) -> None:
    it.one.add_message_filter(it.ended)
    it.one.remove_message_filter(it.ended)


def message(it: Classic) -> None:
    made = it.dbus.lowlevel.SignalMessage("/a", "a.b", "C")
    made.append(it.value, ["a", "b"], 7, signature="a{sv}asi")
    made.get_args_list()


def connection(it: Classic) -> None:
    it.connect().close()


def _cyclic(it: Classic) -> Any:
    conn = it.connect(it.loop)
    conn.add_signal_receiver(lambda: conn, "Other", PROBE)
    return conn


def looped_connection(it: Classic) -> None:
    _cyclic(it).close()


def forgotten_connection(it: Classic) -> None:
    """In a cycle, not closed."""
    _cyclic(it)
    gc.collect()


def server_visit(it: Classic) -> None:
    """A peer-to-peer server, a client that calls it, and the end of both."""
    import dbus.connection
    import dbus.server

    server = dbus.server.Server(f"unix:tmpdir={it.place.directory}", mainloop=it.loop)
    came: list[Any] = []
    server.on_connection_added.append(came.append)
    client = dbus.connection.Connection(server.address, mainloop=it.loop)
    it.turn_until(lambda: came)
    client.close()
    it.turn_until(lambda: not came[0].get_is_connected())
    server.disconnect()


# --- dbus-fast's interface


class Asyncio:
    """What the kinds share; it is made in the loop."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.aio, self.message_module = place.module("aio"), place.module("message")
        self.service_module = place.module("service")
        self.Message = self.message_module.Message
        self.Variant = place.module("signature").Variant

    async def open(self) -> Asyncio:
        self.MessageBus = self.place.module(
            "aio.message_bus" if self.place.side == FAST else "aio"
        ).MessageBus
        self.one, self.two = await self.connect(), await self.connect()
        method, signal = (
            _member(self.service_module, "method"),
            _member(self.service_module, "signal"),
        )

        class Interface(self.service_module.ServiceInterface):  # type: ignore[misc,name-defined]
            def Echo(self, value: "a{sv}") -> "a{sv}":  # type: ignore[name-defined] # noqa: F722, F821
                return value

            def Said(self) -> "s":  # type: ignore[name-defined] # noqa: F821
                return "text"

            Echo = method()(Echo)
            Said = signal()(Said)

        self.Interface = Interface
        self.interface = Interface(PROBE)
        self.one.export("/service", self.interface)
        tree = await self.two.introspect(self.one.unique_name, "/service")
        self.proxy = self.two.get_proxy_object(
            self.one.unique_name, "/service", tree
        ).get_interface(PROBE)
        self.heard = asyncio.Event()
        return self

    async def connect(self) -> Any:
        return await self.MessageBus(bus_address=self.place.bus.address).connect()

    async def ask(self, member: str, signature: str = "", *body: Any, of: Any = None) -> Any:
        return await (of or self.two).call(
            self.Message(*BUS[:2], BUS[2], member, signature=signature, body=list(body))
        )


def _member(module: Any, name: str) -> Any:
    return getattr(module, f"dbus_{name}", None) or getattr(module, name)


async def aio_call(it: Asyncio) -> None:
    await it.ask("NameHasOwner", "s", "a.b")


async def aio_failing_call(it: Asyncio) -> None:
    await it.ask("GetNameOwner", "s", "com.example.Nobody")


async def aio_cancelled_call(it: Asyncio) -> None:
    task = asyncio.ensure_future(it.ask("GetId"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await it.ask("GetId")


async def aio_service_call(it: Asyncio) -> None:
    await it.proxy.call_echo({"a": it.Variant("s", "text"), "b": it.Variant("u", 7)})


async def aio_subscribed(it: Asyncio) -> None:
    it.proxy.on_said(lambda _: it.heard.set())
    await it.ask("GetId")


async def aio_signal(it: Asyncio) -> None:
    it.heard.clear()
    it.interface.Said()
    await it.heard.wait()


async def aio_subscription(it: Asyncio) -> None:
    def hear(_: str) -> None:
        pass

    it.proxy.on_said(hear)
    it.proxy.off_said(hear)
    await it.ask("GetId")


async def aio_export(it: Asyncio) -> None:
    own = it.Interface(PROBE + "2")
    it.one.export("/own", own)
    it.one.unexport("/own", own)
    await it.ask("GetId", of=it.one)  # what was told of it has been written


async def aio_name(it: Asyncio) -> None:
    await it.one.request_name("com.example.Soaked")
    await it.one.release_name("com.example.Soaked")


async def aio_message(it: Asyncio) -> None:
    body = [{"a": it.Variant("s", "text")}, ["a", "b"]]
    it.Message("a.b", "/a", "a.b", "C", signature="a{sv}as", body=body)


async def aio_connection(it: Asyncio) -> None:
    bus = await it.connect()
    bus.disconnect()
    await bus.wait_for_disconnect()


class Kind(NamedTuple):
    """One kind of operation."""

    run: Callable[[Any], Any]
    sides: tuple[str, ...] = CLASSIC
    share: int = 1  # one of so many of N
    before: Optional[Callable[[Any], Any]] = None

    @property
    def name(self) -> str:
        """By its function."""
        return self.run.__name__.replace("aio_", "").replace("_", " ")


# How often a process is looked at beforehand: what the collector finds fills the interpreter's free
# lists, each time a little more of them.
SETTLING = 8

KINDS = (
    Kind(blocking_call),
    Kind(failing_call),
    Kind(proxy_call),
    Kind(introspecting_proxy, share=5),
    Kind(async_call),
    Kind(cancelled_call),
    Kind(service_call),
    Kind(failing_service_call),
    Kind(signal, before=subscribed),
    Kind(unheard_signal),
    Kind(subscription),
    Kind(sender_subscription, share=2),
    Kind(export),
    Kind(name, share=2),
    Kind(message_filter),
    Kind(message),
    Kind(connection, share=100),
    Kind(looped_connection, share=100),
    Kind(forgotten_connection, share=200),
    Kind(server_visit, share=100),
    Kind(aio_call, ASYNCIO),
    Kind(aio_failing_call, ASYNCIO),
    Kind(aio_cancelled_call, ASYNCIO),
    Kind(aio_service_call, ASYNCIO),
    Kind(aio_signal, ASYNCIO, before=aio_subscribed),
    Kind(aio_subscription, ASYNCIO),
    Kind(aio_export, ASYNCIO),
    Kind(aio_name, ASYNCIO, share=2),
    Kind(aio_message, ASYNCIO),
    Kind(aio_connection, ASYNCIO, share=100),
)


def soak_classic(place: Place, kind: Kind, counts: list[int]) -> list[Figures]:
    """The figures after each number of operations."""
    it = Classic(place)
    if kind.before:
        kind.before(it)
    seen = []
    for count in counts:
        for _ in range(count):
            kind.run(it)
            while it.context.pending():  # what has come meanwhile
                it.context.iteration(False)
        seen.append(look())
    return seen


async def soak_asyncio(place: Place, kind: Kind, counts: list[int]) -> list[Figures]:
    """The same, in a loop."""
    it = await Asyncio(place).open()
    if kind.before:
        await kind.before(it)
    seen = []
    for count in counts:
        for _ in range(count):
            await kind.run(it)
        seen.append(look())
    return seen


def worker(side: str, name: str, count: int) -> None:
    """One kind, in this process; the figures go to standard output."""
    kind = next(kind for kind in KINDS if side in kind.sides and kind.name == name)
    counts = [max(count // 50, 20)] * SETTLING + [max(count // 10, 20), count]
    place = Place(side)
    with place.stack:
        begun = time.monotonic()
        if side in CLASSIC:
            seen = soak_classic(place, kind, counts)
        else:
            seen = asyncio.run(soak_asyncio(place, kind, counts))
        print(json.dumps({"seconds": time.monotonic() - begun, "figures": seen[-2:]}), flush=True)


# --- All of them


def attempt(side: str, kind: Kind, count: int, options: argparse.Namespace) -> tuple[bool, str]:
    """Whether the kind is flat, and its figures."""
    python = options.peers if side == FAST else sys.executable
    done = subprocess.run(
        [python, str(Path(__file__).resolve()), "--worker", side, kind.name, str(count)],
        env=environment(side, options.modules),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    try:
        result = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        errors = done.stderr.strip().splitlines()
        return False, f"ended with status {done.returncode}: {errors[-1] if errors else ''}"
    before, after = (Figures(*figures) for figures in result["figures"])
    grown = Figures(*(late - early for early, late in zip(before, after)))
    words = (
        f"{count} times in {result['seconds']:.0f} s: RSS {before.rss >> 10} KiB"
        f" {grown.rss >> 10:+}, malloc {grown.malloc:+} bytes, blocks {grown.blocks:+},"
        f" descriptors {before.fds} {grown.fds:+}"
    )
    return all(have <= most for have, most in zip(grown, ALLOWED)), words


def soak(side: str, options: argparse.Namespace) -> int:
    """All kinds on one side; how many are not flat."""
    results = {}
    for kind in KINDS:
        if side not in kind.sides or not fnmatchcase(kind.name, f"*{options.only or ''}*"):
            continue
        count = max(options.operations // kind.share, 50)
        flat, words = attempt(side, kind, count, options)
        results[kind.name] = ["survived" if flat else "lost", words]
        print(f"soak, {side}, {'flat' if flat else 'GROWS'}: {kind.name}: {words}", flush=True)
    lost = sum(how == "lost" for how, _ in results.values())
    print(
        f"soak, {side}: {len(results)} kinds, {len(results) - lost} flat, {lost} grow", flush=True
    )
    if not options.only:
        RESULTS.mkdir(parents=True, exist_ok=True)
        file = RESULTS / "soak.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        known[side] = results
        file.write_text(json.dumps(known, indent=1))
    return lost if side in (OURS, AIO) else 0


def main() -> int:
    """1 if a kind of this package is not flat."""
    if sys.argv[1] == "--worker":
        worker(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        return 0
    parser = argparse.ArgumentParser(prog="./dev soak")
    parser.add_argument("modules", help=argparse.SUPPRESS)
    parser.add_argument("--operations", type=int, default=20_000)
    parser.add_argument("--side", action="append", choices=(OURS, AIO, REFERENCE, FAST))
    parser.add_argument("--only", metavar="PATTERN")
    parser.add_argument("--peers", help=argparse.SUPPRESS)
    options = parser.parse_args()
    return 1 if sum(soak(side, options) for side in options.side or (OURS, AIO)) else 0


if __name__ == "__main__":
    sys.exit(main())
