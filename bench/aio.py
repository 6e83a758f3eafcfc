# SPDX-License-Identifier: MIT
"""CPU time of the asyncio face and its peers, as one JSON line on stdout.

`aio.py --package dbus.aio|dbus_fast|sdbus|dbus|C [--only WORKLOAD] [--calls N] [--repeats N]`
measures the package that is imported, in microseconds of user and system time of this process an
operation.  This process is pinned to one core, the bus daemon and the sender of signals to another.

100 in flight           100 tasks that each call Ping of the bus daemon again and again, with a
                        message made for each call
signal                  a signal with one text that comes to a message handler by one match rule
signal by proxy         the same through `on_tick` of a proxy
parse, build PAYLOAD    bodies of bench/codec.py as plain values, from and to what the package
                        makes of a message: that of libdbus for dbus.aio, that of sd-bus for sdbus,
                        bytes for dbus_fast, whose figures alone have the reading of the header

`dbus` is the classic API on the GLib loop and `C` is bench/inflight.c; they have some of the rows.
The signals come from the latter too, so it is compiled, into build/bench, when it has not been.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any, Callable, ContextManager

from calls import IN_FLIGHT, PEER, ROOT, cpu_us, private_bus
from calls import workloads as glib_workloads
from codec import WORKLOADS as PAYLOADS
from codec import per_operation

DAEMON = "org.freedesktop.DBus"
DAEMON_PATH = "/org/freedesktop/DBus"
PATH = "/org/example/Bench"
INTERFACE = "org.example.Bench"
SIGNAL = "Tick"
TEXT = "a short text"
INTROSPECTION = f"""\
<node><interface name="{INTERFACE}">
  <signal name="{SIGNAL}"><arg name="text" type="s"/></signal>
</interface></node>"""
CODEC_PAYLOADS = ("gmo", "structs1000", "asv20")

Work = Callable[[int], None]  # does its operation so many times
Workloads = dict[str, Callable[[], ContextManager[Work]]]
Samples = dict[str, list[float]]
Codec = tuple[Any, Callable[[str, list[Any]], Callable[[], Any]], Callable[[Any], Any]]
run = asyncio.new_event_loop().run_until_complete


def c_program() -> str:
    """bench/inflight.c, compiled if it has not been."""
    source, program = ROOT / "bench" / "inflight.c", ROOT / "build" / "bench" / "inflight"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        program.parent.mkdir(parents=True, exist_ok=True)
        libdbus = subprocess.check_output(["pkg-config", "--cflags", "--libs", "dbus-1"], text=True)
        command = [os.environ.get("CC", "cc"), "-O2", "-o", str(program), str(source)]
        subprocess.run(command + libdbus.split(), check=True)
    return str(program)


class Sender:
    """The process that sends signals, to be pinned to `core`."""

    def __init__(self, address: str, core: int) -> None:
        self._process = subprocess.Popen(
            [c_program(), address, "send"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        os.sched_setaffinity(self._process.pid, {core})
        self.name = self._line()

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def send(self, count: int) -> None:
        """Begin to send."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{count}\n")

    def wait(self) -> None:
        """Wait until all that was begun is with the bus daemon."""
        assert self._line() == "sent"


class Counter:
    """Counts what comes in; `reached(n)` is a future, done with the n-th."""

    def __init__(self) -> None:
        self._left = 0
        self._done: asyncio.Future[None]

    def reached(self, count: int) -> asyncio.Future[None]:
        self._left = count
        self._done = asyncio.get_running_loop().create_future()
        return self._done

    def text(self, text: str) -> None:
        self._left -= 1
        if not self._left:
            self._done.set_result(None)


def receiving(sender: Sender, counter: Counter) -> Work:
    async def receive(count: int) -> None:
        done = counter.reached(count)
        sender.send(count)
        await done

    def work(count: int) -> None:
        run(receive(count))
        sender.wait()

    return work


async def in_flight(call: Callable[[], Awaitable[object]], count: int) -> None:
    async def task() -> None:
        for _ in range(count // IN_FLIGHT):
            await call()

    await asyncio.gather(*(task() for _ in range(IN_FLIGHT)))


# --- dbus.aio and dbus_fast, which have the same API


def fast_workloads(package: str, sender: Sender) -> Workloads:
    api = import_module(package)
    buses = import_module("dbus.aio.message_bus" if package == "dbus.aio" else "dbus_fast.aio")
    Message = api.Message

    async def connect() -> Any:
        return await buses.MessageBus().connect()

    async def disconnect(bus: Any) -> None:
        bus.disconnect()
        await bus.wait_for_disconnect()

    @contextmanager
    def connected() -> Iterator[Any]:
        bus = run(connect())
        yield bus
        run(disconnect(bus))

    def ping() -> Any:
        return Message(destination=DAEMON, path=DAEMON_PATH, interface=PEER, member="Ping")

    @contextmanager
    def calling() -> Iterator[Work]:
        with connected() as bus:
            yield lambda count: run(in_flight(lambda: bus.call(ping()), count))

    @contextmanager
    def signal() -> Iterator[Work]:
        counter = Counter()

        def handle(message: Any) -> None:
            if message.member == SIGNAL:
                counter.text(*message.body)

        add_match = Message(
            destination=DAEMON,
            path=DAEMON_PATH,
            interface=DAEMON,
            member="AddMatch",
            signature="s",
            body=[f"type='signal',interface='{INTERFACE}',member='{SIGNAL}'"],
        )
        with connected() as bus:
            bus.add_message_handler(handle)
            run(bus.call(add_match))
            yield receiving(sender, counter)

    @contextmanager
    def signal_by_proxy() -> Iterator[Work]:
        counter = Counter()
        with connected() as bus:
            proxy = bus.get_proxy_object(sender.name, PATH, INTROSPECTION)
            proxy.get_interface(INTERFACE).on_tick(counter.text)
            run(bus.call(ping()))  # answered after the match rule has been added
            yield receiving(sender, counter)

    return {"100 in flight": calling, "signal": signal, "signal by proxy": signal_by_proxy}


def fast_codec(package: str) -> Codec:
    """What makes a variant; a builder of a signature and values; what parses what that builds."""
    api = import_module(package)

    def message(signature: str, values: list[Any]) -> Any:
        message = api.Message.new_signal(PATH, INTERFACE, "Bench", signature, values)
        message.serial = 1
        return message

    if package == "dbus.aio":
        return (
            api.Variant,
            lambda signature, values: message(signature, values)._to_bindings,
            lambda built: api.Message._from_bindings(built).body,
        )
    unmarshaller = import_module("dbus_fast._private.unmarshaller").Unmarshaller
    return (
        api.Variant,
        lambda signature, values: partial(message(signature, values)._marshall, False),
        lambda built: unmarshaller(io.BytesIO(built)).unmarshall().body,
    )


# --- sdbus


def sdbus_workloads(sender: Sender) -> Workloads:
    sdbus = import_module("sdbus")
    # One for all: it leaves its descriptor with the loop when it is closed.
    bus = sdbus.sd_bus_open_user()

    def call() -> Any:
        return bus.call_async(bus.new_method_call_message(DAEMON, DAEMON_PATH, PEER, "Ping"))

    @contextmanager
    def calling() -> Iterator[Work]:
        yield lambda count: run(in_flight(call, count))

    @contextmanager
    def signal() -> Iterator[Work]:
        counter = Counter()

        async def match() -> Any:
            return await bus.match_signal_async(
                None, None, INTERFACE, SIGNAL, lambda message: counter.text(message.get_contents())
            )

        slot = run(match())
        yield receiving(sender, counter)
        del slot

    return {"100 in flight": calling, "signal": signal}


def sdbus_codec() -> Codec:
    """As `fast_codec`."""
    sdbus = import_module("sdbus")
    bus = sdbus.sd_bus_open_user()

    def builder(signature: str, values: list[Any]) -> Callable[[], Any]:
        def build() -> Any:
            message = bus.new_signal_message(PATH, INTERFACE, "Bench")
            message.append_data(signature, *values)
            message.seal()
            return message

        return build

    # Contents of one argument come without a tuple around them.
    return lambda *pair: pair, builder, lambda message: [message.get_contents()]


# --- What they are compared with


def classic_workloads(address: str, sender: Sender) -> Workloads:
    from gi.repository import GLib

    import dbus
    from dbus.bus import BusConnection
    from dbus.mainloop.glib import DBusGMainLoop

    @contextmanager
    def connected() -> Iterator[Any]:
        conn = BusConnection(address, mainloop=DBusGMainLoop())
        conn.set_exit_on_disconnect(False)
        yield conn
        conn.close()

    @contextmanager
    def calling() -> Iterator[Work]:
        with connected() as conn:
            yield lambda count: glib_workloads(conn, count)["100 in flight"]()

    @contextmanager
    def signal() -> Iterator[Work]:
        context = GLib.MainContext.default()
        left = 0

        def handle(text: dbus.String) -> None:
            nonlocal left
            left -= 1

        def work(count: int) -> None:
            nonlocal left
            left = count
            sender.send(count)
            while left:
                context.iteration(True)
            sender.wait()

        with connected() as conn:
            conn.add_signal_receiver(handle, SIGNAL, INTERFACE)
            conn.call_blocking(DAEMON, DAEMON_PATH, PEER, "Ping", "", ())
            yield work

    return {"100 in flight": calling, "signal": signal}


def measure_c(address: str, options: argparse.Namespace) -> Samples:
    command = [c_program(), address, "calls", str(options.calls)]
    rounds = [float(subprocess.check_output(command)) for _ in range(options.repeats)]
    return {"100 in flight": rounds}


# --- Measuring


class PlainTypes:
    """Stands in for the module `dbus` where bench/codec.py makes values: they come out plain."""

    def __init__(self, variant: Any) -> None:
        self._variant = variant

    def Array(self, value: list[Any], signature: str, variant_level: int) -> Any:
        return self._variant("a" + signature, value)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        code = {
            "String": "s",
            "Boolean": "b",
            "UInt32": "u",
            "Int16": "n",
            "ObjectPath": "o",
            "Double": "d",
            "UInt64": "t",
            "Int32": "i",
        }[name]
        return lambda value, variant_level: self._variant(code, value)


def payload(name: str, variant: Any) -> tuple[str, list[Any]]:
    """The signature and the plain values."""
    signature, make = PAYLOADS[name]
    values = make(PlainTypes(variant))
    if signature == "a{sv}":
        codes = {int: "i", str: "s"}
        values = [{key: variant(codes[type(v)], v) for key, v in values[0].items()}]
    return signature, values


def measure_codec(package: str, only: str | None) -> Samples:
    variant, builder, parse = sdbus_codec() if package == "sdbus" else fast_codec(package)
    result = {}
    for name in CODEC_PAYLOADS:
        signature, values = payload(name, variant)
        build = builder(signature, values)
        built = build()
        assert len(parse(built)[0]) == len(values[0])
        if only in (None, "parse " + name):
            result["parse " + name] = [per_operation(partial(parse, built)) * 1e6]
        if only in (None, "build " + name):
            result["build " + name] = [per_operation(build) * 1e6]
    return result


def measure(workloads: Workloads, options: argparse.Namespace) -> Samples:
    result: Samples = {}
    for name, prepare in workloads.items():
        if options.only not in (None, name):
            continue
        with prepare() as work:
            work(options.calls)
            for _ in range(options.repeats):
                before = cpu_us()
                work(options.calls)
                result.setdefault(name, []).append((cpu_us() - before) / options.calls)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    packages = ("dbus.aio", "dbus_fast", "sdbus", "dbus", "C")
    parser.add_argument("--package", required=True, choices=packages)
    parser.add_argument("--calls", type=int, default=10000, help="operations a measurement")
    parser.add_argument("--repeats", type=int, default=1, help="measurements after a first round")
    parser.add_argument("--only", metavar="WORKLOAD", help="this workload alone")
    options = parser.parse_args()
    options.calls = max(options.calls // IN_FLIGHT, 1) * IN_FLIGHT
    cores = sorted(os.sched_getaffinity(0))
    with private_bus() as bus, Sender(bus.address, cores[-1]) as sender:
        os.sched_setaffinity(0, {cores[0]})
        os.sched_setaffinity(bus.pid, {cores[-1]})
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus.address
        if options.package == "C":
            result = measure_c(bus.address, options)
        elif options.package == "dbus":
            result = measure(classic_workloads(bus.address, sender), options)
        elif options.package == "sdbus":
            result = measure(sdbus_workloads(sender), options) | measure_codec(
                "sdbus", options.only
            )
        else:
            result = measure(fast_workloads(options.package, sender), options)
            result |= measure_codec(options.package, options.only)
    json.dump(result, sys.stdout)
    print()


if __name__ == "__main__":
    main()
