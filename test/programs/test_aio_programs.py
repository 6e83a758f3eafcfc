# SPDX-License-Identifier: MIT
"""dbus.aio as processes of their own, with peers that know nothing of it.

The peers are the bus daemon, python-dbusmock, gdbus and busctl, the classic interface, and
dbus-fast: fast_service.py and fast_client.py are written for that, and run on it and on ours.
"""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import implementation
import pytest
from running import Programs, need_command, need_module

if implementation.REFERENCE:
    pytest.skip("the reference has no dbus.aio", allow_module_level=True)

from dbus.aio import (
    DBusError,
    Message,
    MessageBus,
    NameFlag,
    RequestNameReply,
    SignatureTree,
    Variant,
)
from dbus.aio.introspection import Arg, Node, Signal

HERE = Path(__file__).resolve().parent
EXAMPLES = implementation.ROOT / "examples"
THERMOSTAT = "org.example.Thermostat"
THERMOSTAT_PATH = "/org/example/Thermostat"
DAEMON = "org.freedesktop.DBus"
SHOP = "org.example.Shop"

# In development mode, where Python warns of all that is left open, and with all that it says.
DEVELOPMENT = ("sh", "-c", 'exec "$@" 2>&1', "sh", sys.executable, "-X", "dev")


def example(programs: Any, name: str, *arguments: str, **keywords: Any) -> list[str]:
    """Run an example program; the lines it prints."""
    program = str(EXAMPLES / f"{name}.py")
    lines: list[str] = programs.run(*DEVELOPMENT, program, *arguments, **keywords).splitlines()
    return lines


def run(main: Any) -> None:
    """Run a test's coroutine, which may not hang."""
    asyncio.run(asyncio.wait_for(main, 20))


# --- Our programs


@pytest.fixture
def thermostat(programs: Any) -> subprocess.Popen[str]:
    process: subprocess.Popen[str] = programs.serve(
        THERMOSTAT, "-X", "dev", str(EXAMPLES / "aio_service.py")
    )
    return process


CLIENT_SAYS = [
    "methods: Describe Heat Quit",
    "at first: 18.0 degrees, 18.0 wanted",
    "Wanted is now 20.0",
    "Measured is now 19.0",
    "Measured is now 20.0",
    "reached 20.0 degrees",
    "heated to 20.0",
    "measured: 20.0",
    "org.example.Thermostat.Error.TooHot: 451.0 degrees are too many",
]


def test_service_and_client(programs: Any, thermostat: Any) -> None:
    assert example(programs, "aio_client") == CLIENT_SAYS
    assert example(programs, "aio_service", status=1) == [f"{THERMOSTAT} runs already"]
    gdbus(programs, THERMOSTAT + ".Quit")
    assert programs.output(thermostat) == ""


def test_the_bus_starts_the_service(tmp_path: Path) -> None:
    python = f"/usr/bin/env PYTHONPATH={implementation.LIBRARY_DIR} {sys.executable}"
    services = {THERMOSTAT: f"{python} {EXAMPLES / 'aio_service.py'}"}
    with implementation.testing_module().PrivateBus(services=services) as bus:
        programs = Programs(bus, tmp_path)
        assert example(programs, "aio_client") == CLIENT_SAYS
        programs.check()


SAY = {
    "aio_lowlevel": [
        "signal: an echo for us",
        "reply: hello!",
        "error: org.freedesktop.DBus.Error.UnknownMethod: there is no Shout(s)",
    ],
    "aio_fds": ["counted: 5 bytes", "shouted: HELLO"],
}


@pytest.mark.parametrize("name", SAY)
def test_programs_that_are_both_sides(programs: Any, name: str) -> None:
    assert example(programs, name) == SAY[name]


@pytest.mark.parametrize("name", SAY)
def test_programs_that_are_told_where_the_bus_is(programs: Any, name: str, bus: Any) -> None:
    del programs.environ["DBUS_SESSION_BUS_ADDRESS"]
    programs.environ.pop("XDG_RUNTIME_DIR", None)
    assert "there is no session bus" in example(programs, name, status=1)[-1]
    assert example(programs, name, bus.address) == SAY[name]


@pytest.mark.parametrize("kind", ["path", "default"])
def test_peers(programs: Any, kind: str, tmp_path: Path) -> None:
    address = [f"unix:path={tmp_path}/room"] if kind == "path" else []
    assert example(programs, "aio_peer", *address) == [
        "Ada meets nobody",
        "Bob meets Ada",
        "Ada hears of Bob",
        "2 clients are connected",
    ]


def test_names(programs: Any, thermostat: Any, bus: Any) -> None:
    rows = [line.split(maxsplit=1) for line in example(programs, "aio_names")]
    assert [str(thermostat.pid), THERMOSTAT] in rows
    assert [str(bus.pid), DAEMON] in rows
    assert sum(name.endswith("(this program)") for _, name in rows) == 1


# --- Command-line tools as clients of our service


def gdbus(programs: Any, member: str, *arguments: str, **keywords: Any) -> str:
    command = need_command("gdbus", "libglib2.0-bin")
    where = ("call", "--session", "--dest", THERMOSTAT, "--object-path", THERMOSTAT_PATH)
    text: str = programs.run(command, *where, "--method", member, *arguments, **keywords)
    return text


def test_gdbus_call(programs: Any, thermostat: Any) -> None:
    properties = f"{DAEMON}.Properties"
    assert gdbus(programs, THERMOSTAT + ".Describe") == "('18.0 degrees, 18.0 wanted',)\n"
    assert gdbus(programs, f"{properties}.Get", THERMOSTAT, "Wanted") == "(<18.0>,)\n"
    gdbus(programs, f"{properties}.Set", THERMOSTAT, "Wanted", "<21.5>")
    assert gdbus(programs, THERMOSTAT + ".Heat") == "(21.5,)\n"
    assert gdbus(programs, f"{properties}.GetAll", THERMOSTAT) in (
        "({'Wanted': <21.5>, 'Measured': <21.5>},)\n",
        "({'Measured': <21.5>, 'Wanted': <21.5>},)\n",
    )
    gdbus(programs, f"{properties}.Set", THERMOSTAT, "Wanted", "<99.0>", status=1)
    gdbus(programs, f"{properties}.Set", THERMOSTAT, "Measured", "<1.0>", status=1)
    gdbus(programs, THERMOSTAT + ".Cool", status=1)


def test_gdbus_introspect(programs: Any, thermostat: Any) -> None:
    command = need_command("gdbus", "libglib2.0-bin")
    where = ("--session", "--dest", THERMOSTAT, "--object-path", "/", "--recurse")
    text = programs.run(command, "introspect", *where)
    assert f"node {THERMOSTAT_PATH} {{" in text
    for line in (
        f"interface {THERMOSTAT} {{",
        "Heat(out d ",
        "Reached(d ",
        "readwrite d Wanted = 18.0;",
        "readonly d Measured = 18.0;",
        f"interface {DAEMON}.ObjectManager {{",
    ):
        assert line in text


def test_busctl(programs: Any, thermostat: Any) -> None:
    busctl = (need_command("busctl", "systemd"), "--no-pager", "--user")
    where = (THERMOSTAT, THERMOSTAT_PATH)
    assert THERMOSTAT_PATH in programs.run(*busctl, "tree", "--list", THERMOSTAT).split()
    text = programs.run(*busctl, "introspect", "--no-legend", *where)
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines()}
    assert rows[THERMOSTAT] == ["interface", "-", "-", "-"]
    assert rows[".Heat"] == ["method", "-", "d", "-"]
    assert rows[".Reached"] == ["signal", "d", "-", "-"]
    assert rows[".Measured"] == ["property", "d", "18", "emits-change"]
    assert rows[".Wanted"] == ["property", "d", "18", "emits-change", "writable"]
    programs.run(*busctl, "set-property", *where, THERMOSTAT, "Wanted", "d", "19")
    assert programs.run(*busctl, "get-property", *where, THERMOSTAT, "Wanted") == "d 19\n"
    assert programs.run(*busctl, "call", *where, THERMOSTAT, "Heat") == "d 19\n"
    programs.run(*busctl, "call", *where, THERMOSTAT, "Heat", "s", "x", status=1)


def test_the_classic_interface_as_client(programs: Any, thermostat: Any) -> None:
    from peers import Calls, attach, barrier

    conn = attach(programs.bus)
    reached, changed = Calls(), Calls()
    conn.add_signal_receiver(reached, "Reached", THERMOSTAT, THERMOSTAT, path_keyword="path")
    conn.add_signal_receiver(changed, "PropertiesChanged", bus_name=THERMOSTAT)
    barrier(conn)
    proxy = conn.get_object(THERMOSTAT, THERMOSTAT_PATH)
    assert proxy.Heat(dbus_interface=THERMOSTAT) == 18.0
    proxy.Set(THERMOSTAT, "Wanted", 18.5, dbus_interface=f"{DAEMON}.Properties")
    assert reached.wait() == [((18.0,), {"path": THERMOSTAT_PATH})]
    assert changed.wait().args == [(THERMOSTAT, {"Wanted": 18.5}, [])]


# --- Our client, and programs that are no example of ours


def describe(node: Node, interface: str, signal: str, signature: str) -> None:
    """Add a signal to introspection data: the mock does not know which it will be told to emit."""
    described = next(known for known in node.interfaces if known.name == interface)
    kinds = SignatureTree(signature).types
    described.signals.append(Signal(signal, [Arg(kind) for kind in kinds]))


def test_a_dbusmock_template(programs: Any) -> None:
    need_module("dbusmock", "python3-dbusmock")
    name, path = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
    properties = f"{DAEMON}.Properties"
    programs.serve(name, "-m", "dbusmock", "--template", "notification_daemon")

    async def main() -> None:
        async with MessageBus(programs.bus.address) as bus:
            node = await bus.introspect(name, path)
            describe(node, name, "NotificationClosed", "uu")
            daemon = bus.get_proxy_object(name, path, node).get_interface(name)
            closed: asyncio.Queue[tuple[int, ...]] = asyncio.Queue()
            daemon.on_notification_closed(lambda *args: closed.put_nowait(args))
            arguments = ("app", 0, "", "summary", "body", [], {"urgency": Variant("y", 1)}, 5000)
            number = await daemon.call_notify(*arguments)
            assert "body" in await daemon.call_get_capabilities()
            assert (await daemon.call_get_server_information())[0] == "mock-notify"
            await daemon.call_close_notification(number)
            assert (await closed.get())[0] == number

            # The mock's interfaces change while it runs: what is introspected again has them.
            mock = bus.get_proxy_object(name, path, node).get_interface(f"{DAEMON}.Mock")
            await mock.call_add_method("test.I", "Double", "i", "i", "ret = args[0] * 2")
            await mock.call_add_property("test.I", "Colour", Variant("s", "red"))
            node = await bus.introspect(name, path)
            describe(node, properties, "PropertiesChanged", "sa{sv}as")
            proxy = bus.get_proxy_object(name, path, node)
            assert await proxy.get_interface("test.I").call_double(21) == 42
            changes: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
            access = proxy.get_interface(properties)
            access.on_properties_changed(
                lambda *args: changes.put_nowait(args), unpack_variants=True
            )
            assert await access.call_get("test.I", "Colour") == Variant("s", "red")
            await access.call_set("test.I", "Colour", Variant("s", "blue"))
            assert await changes.get() == ("test.I", {"Colour": "blue"}, [])
            with pytest.raises(DBusError) as caught:
                await access.call_get("test.I", "Size")
            assert caught.value.type == f"{name}.UnknownProperty"

    run(main())


def test_the_bus_daemon(programs: Any, bus: Any) -> None:
    async def main() -> None:
        async with MessageBus(bus.address) as first, MessageBus(bus.address) as second:
            node = await first.introspect(DAEMON, "/org/freedesktop/DBus")
            proxy = first.get_proxy_object(DAEMON, "/org/freedesktop/DBus", node)
            daemon = proxy.get_interface(DAEMON)
            owners: asyncio.Queue[tuple[str, ...]] = asyncio.Queue()
            daemon.on_name_owner_changed(lambda *args: owners.put_nowait(args))
            assert second.unique_name in await daemon.call_list_names()
            name = "org.example.Name"
            assert await first.request_name(name) is RequestNameReply.PRIMARY_OWNER
            assert await second.request_name(name) is RequestNameReply.IN_QUEUE
            assert await second.request_name(name, NameFlag.DO_NOT_QUEUE) is RequestNameReply.EXISTS
            assert await daemon.call_get_name_owner(name) == first.unique_name
            await first.release_name(name)
            assert await owners.get() == (name, "", first.unique_name)
            assert await owners.get() == (name, first.unique_name, "")
            with pytest.raises(DBusError) as caught:
                await daemon.call_get_name_owner(name)
            assert caught.value.type == f"{DAEMON}.Error.NameHasNoOwner"

    run(main())
    programs.python("-c", "import dbus.aio")


# --- dbus-fast


def fast_interpreter() -> str:
    """A Python that has dbus-fast, that of `./dev test --reference` or this one; empty if none."""
    for python in sorted(implementation.ROOT.glob("build/dbus-fast-*/bin/python")):
        return str(python)
    return sys.executable if importlib.util.find_spec("dbus_fast") is not None else ""


FAST = fast_interpreter()
# Before the programs are set up, whose end would miss them.
needs_fast = pytest.mark.skipif(
    not FAST, reason="no dbus-fast (`./dev test --reference` fetches it from PyPI)"
)


def command_of(side: str, program: str, folder: Path) -> list[str]:
    """The arguments for Python to run a program for dbus-fast on one of the two."""
    source = HERE / program
    if side == "dbus-fast":
        # In the place of this interpreter, with nothing of ours, and without its tracebacks.
        become = (
            "import os, sys; del os.environ['PYTHONPATH'];"
            "os.dup2(os.open(os.devnull, os.O_WRONLY), 2); os.execv(sys.argv[1], sys.argv[1:])"
        )
        return ["-c", become, FAST, str(source)]
    copy = folder / program
    line = "import dbus.aio; dbus.aio.install_as_dbus_fast()\n"
    copy.write_text(line + source.read_text(encoding="utf-8"), encoding="utf-8")
    return [str(copy)]


SHOPPING = """\
children: ['cellar']
method Buy ['su', 'ud']
method Copy ['h', 'h']
method Deliver ['d', 's']
method Describe ['a{sv}', 'a{sv}']
method Quit ['', '']
signal Sold su
property Open b READWRITE
property Stock a{su} READ
property Worth d READ
no such interface
bought: [3, 1.0]
bought: [0, 0.5]
sold: ('apples', 2) ('org.example.Shop', {'Stock': {'apples': 3, 'pears': 1}}, ['Worth'])
sold: ('pears', 1) ('org.example.Shop', {'Stock': {'apples': 3, 'pears': 0}}, ['Worth'])
too many is refused: com.dubstepdish.dbus.next.ServiceError  Message
open: True {'apples': 3, 'pears': 0} 1.5
closed is refused: org.example.Shop.Error.Closed come back tomorrow Message
all: ['Open', 'Stock', 'Worth'] True
no property is refused: org.freedesktop.DBus.Error.UnknownProperty  Message
read only is refused: org.freedesktop.DBus.Error.PropertyReadOnly  Message
changed: ('org.example.Shop', {'Open': False}, [])
changed: ('org.example.Shop', {'Open': True}, [])
described: [('as', ['n']), ('as', ['ay'])]
nested: v (sa{sv}) inside
unpacked: {'nested': ('inside', {'x': -1})}
['after 0.02 s', 'after 0.01 s']
copied: b'twice twice '
by hand: METHOD_RETURN s ['/any']
burgled: True org.freedesktop.DBus.Error.UnknownMethod
sold: ('apples', 1)
nobody: True
"""

SIDES = [pytest.param("dbus-fast", marks=needs_fast), "ours"]
MODULES = {"dbus-fast": "dbus_fast.message", "ours": "dbus.aio.message"}


@pytest.mark.parametrize("service", SIDES)
@pytest.mark.parametrize("client", SIDES)
def test_programs_written_for_dbus_fast(
    programs: Any, service: str, client: str, tmp_path: Path
) -> None:
    shop = programs.serve(SHOP, *command_of(service, "fast_service.py", tmp_path))
    text = programs.python(*command_of(client, "fast_client.py", tmp_path))
    who, said = text.split("\n", 1)
    assert who == MODULES[client]
    assert said == SHOPPING
    served = programs.output(shop).splitlines()
    assert served[0] == MODULES[service]
    # The service raised once, on purpose; ours says so in the log.
    assert [line for line in served if line.endswith("Error: not as many")] == (
        ["ValueError: not as many"] if service == "ours" else []
    )
    assert len([line for line in served if line.startswith("Traceback")]) == (service == "ours")


@needs_fast
def test_our_proxy_and_a_service_of_dbus_fast(programs: Any, tmp_path: Path) -> None:
    """Beyond what dbus-fast has: time-outs, and cancelling."""
    shop = programs.serve(SHOP, *command_of("dbus-fast", "fast_service.py", tmp_path))

    async def main() -> None:
        async with MessageBus(programs.bus.address) as bus:
            path = "/org/example/Shop"
            proxy = bus.get_proxy_object(SHOP, path, await bus.introspect(SHOP, path))
            interface = proxy.get_interface(SHOP)
            with pytest.raises(asyncio.TimeoutError):
                await interface.call_deliver(60.0, timeout=0.01)
            task = asyncio.ensure_future(interface.call_deliver(60.0))
            assert await interface.get_worth() == 3.0  # the call before has been sent
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            manager = f"{DAEMON}.ObjectManager"
            reply = await bus.call(Message(SHOP, path, manager, "GetManagedObjects"))
            assert reply is not None and set(reply.body[0]) == {path + "/cellar"}
            await interface.call_quit()

    run(main())
    programs.output(shop)
