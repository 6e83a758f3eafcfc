# SPDX-License-Identifier: MIT
"""The classic interface on asyncio, with programs that know nothing of it as peers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import implementation
import pytest
from running import need_command, need_module

if implementation.REFERENCE:
    pytest.skip("the reference has no asyncio main loop", allow_module_level=True)

import dbus
from dbus.mainloop.asyncio import DBusAsyncioMainLoop

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAME = "org.example.Timer"
PATH = "/org/example/Timer"


@pytest.fixture
def timer(programs: Any) -> Any:
    return programs.serve(NAME, str(EXAMPLES / "asyncio_service.py"))


def gdbus(programs: Any, member: str, *arguments: str, **keywords: Any) -> Any:
    command = need_command("gdbus", "libglib2.0-bin")
    where = ("call", "--session", "--dest", NAME, "--object-path", PATH)
    return programs.run(command, *where, "--method", member, *arguments, **keywords)


def test_the_examples(programs: Any, timer: Any) -> None:
    lines = programs.python(str(EXAMPLES / "asyncio_client.py")).splitlines()
    assert [line for line in lines if line.startswith("answer")] == [
        "answer: 0.1 s are over",
        "answer: 0.2 s are over",
        "answer: 0.3 s are over",
    ]
    assert lines[0] == "error: org.example.Timer.Error.Past"
    # Each signal goes out before its answer.
    assert lines[1:3] == ["signal: 0.1 s", "answer: 0.1 s are over"]
    gdbus(programs, NAME + ".Quit")
    assert programs.output(timer) == ""


def test_gdbus(programs: Any, timer: Any) -> None:
    assert gdbus(programs, NAME + ".Wait", "0.01") == "('0.01 s are over',)\n"
    assert gdbus(programs, NAME + ".Running") == "(uint32 0,)\n"
    command = need_command("gdbus", "libglib2.0-bin")
    text = programs.run(command, "introspect", "--session", "--dest", NAME, "--object-path", PATH)
    assert "Wait(in  d " in text and "Rang(d " in text


def test_busctl(programs: Any, timer: Any) -> None:
    busctl = (need_command("busctl", "systemd"), "--no-pager", "--user")
    assert PATH in programs.run(*busctl, "tree", "--list", NAME).split()
    answer = programs.run(*busctl, "call", NAME, PATH, NAME, "Wait", "d", "0.01")
    assert answer == 's "0.01 s are over"\n'


def test_a_dbusmock_template(programs: Any) -> None:
    need_module("dbusmock", "python3-dbusmock")
    name = "org.freedesktop.Notifications"
    programs.serve(name, "-m", "dbusmock", "--template", "notification_daemon")

    async def program() -> None:
        conn = programs.bus.connection(mainloop=DBusAsyncioMainLoop())
        loop = asyncio.get_running_loop()

        def ask(method: Any, *args: Any) -> asyncio.Future[Any]:
            future = loop.create_future()

            def answered(*values: Any) -> None:
                future.set_result(values[0] if values else None)

            method(*args, reply_handler=answered, error_handler=future.set_exception)
            return future

        proxy = conn.get_object(name, "/org/freedesktop/Notifications")
        daemon = dbus.Interface(proxy, name)
        closed: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        daemon.connect_to_signal("NotificationClosed", lambda *args: closed.put_nowait(args))
        number = await ask(daemon.Notify, "app", 0, "", "summary", "body", [], {}, 5000)
        assert number == 1
        assert "body" in await ask(daemon.GetCapabilities)
        await ask(daemon.CloseNotification, number)
        assert (await closed.get())[0] == number

    asyncio.run(asyncio.wait_for(program(), 20))


def test_the_bus_daemon(programs: Any, bus: Any) -> None:
    async def program() -> None:
        conn = bus.connection(mainloop=DBusAsyncioMainLoop())
        loop = asyncio.get_running_loop()
        names = loop.create_future()
        conn.call_async(
            dbus.BUS_DAEMON_NAME,
            dbus.BUS_DAEMON_PATH,
            dbus.BUS_DAEMON_IFACE,
            "ListNames",
            "",
            (),
            names.set_result,
            names.set_exception,
        )
        assert conn.get_unique_name() in await names

    asyncio.run(asyncio.wait_for(program(), 20))
    programs.python("-c", "import dbus")
