# SPDX-License-Identifier: MIT
"""python-dbusmock, a program that reaches deep into the package, with real clients."""

import pytest
from running import need_command, need_module

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"


@pytest.fixture(autouse=True)
def installed():
    need_module("dbusmock", "python3-dbusmock")


@pytest.fixture
def notifications(programs):
    return programs.serve(NAME, "-m", "dbusmock", "--session", "--template", "notification_daemon")


def gdbus(programs, *arguments, **keywords):
    return programs.run(need_command("gdbus", "libglib2.0-bin"), *arguments, **keywords)


def test_notify_send(programs, notifications):
    command = need_command("notify-send", "libnotify-bin")
    programs.run(command, "-t", "1000", "a summary", "a body")
    notifications.terminate()
    text, _ = notifications.communicate(timeout=20)
    assert "Notify" in text
    assert '"a summary"' in text
    assert '"a body"' in text
    assert "Traceback" not in text


def test_introspection(programs, notifications):
    text = gdbus(programs, "introspect", "--session", "--dest", NAME, "--object-path", PATH)
    for member in ("Notify(", "GetCapabilities(", "CloseNotification("):
        assert member in text
    assert "interface org.freedesktop.Notifications {" in text
    assert "interface org.freedesktop.DBus.Mock {" in text


def test_calls(programs, notifications):
    call = ("call", "--session", "--dest", NAME, "--object-path", PATH, "--method")
    assert "body" in gdbus(programs, *call, NAME + ".GetCapabilities")
    text = gdbus(programs, *call, NAME + ".GetServerInformation")
    assert text.startswith("('mock-notify', ")
    assert "UnknownMethod" in programs.run(
        "sh", "-c", 'exec 2>&1; exec "$@"', "sh", "gdbus", *call, NAME + ".Nope", status=1
    )


def test_methods_and_properties_made_at_run_time(programs, notifications):
    """AddMethod, AddProperty and AddObject of the mock: the class table changes while it runs."""
    mock = "org.freedesktop.DBus.Mock"
    call = ("call", "--session", "--dest", NAME, "--method")
    add = (*call, f"{mock}.AddMethod", "--object-path", PATH)
    gdbus(programs, *add, "test.I", "Double", "i", "i", "ret = args[0] * 2")
    here = ("--object-path", PATH)
    assert gdbus(programs, *call, "test.I.Double", *here, "21") == "(42,)\n"
    gdbus(programs, *call, f"{mock}.AddProperty", *here, "test.I", "Colour", "<'red'>")
    get = (*call, "org.freedesktop.DBus.Properties.Get", *here, "test.I", "Colour")
    assert gdbus(programs, *get) == "(<'red'>,)\n"
    gdbus(
        programs,
        *call,
        f"{mock}.AddObject",
        *here,
        "/child",
        "test.J",
        "{'Size': <5>}",
        "[('Hello', '', 's', 'ret = \"hi\"')]",
    )
    there = ("--object-path", "/child")
    assert gdbus(programs, *call, "test.J.Hello", *there) == "('hi',)\n"
    text = gdbus(programs, "introspect", "--session", "--dest", NAME, "--object-path", PATH)
    assert "Double(" in text
    assert "Colour = 'red'" in text


def test_signals(programs, notifications):
    """EmitSignal of the mock, seen by this process."""
    from peers import Calls, attach, barrier

    conn = attach(programs.bus)
    got = Calls()
    conn.add_signal_receiver(got, "Happened", "test.I", NAME)
    barrier(conn)
    gdbus(
        programs,
        "call",
        "--session",
        "--dest",
        NAME,
        "--object-path",
        PATH,
        "--method",
        "org.freedesktop.DBus.Mock.EmitSignal",
        "test.I",
        "Happened",
        "si",
        "[<'text'>, <5>]",
    )
    assert got.wait().args == [("text", 5)]


def test_a_system_service_template(programs):
    """Another template, on the bus that stands in for the system's."""
    programs.serve("org.freedesktop.UPower", "-m", "dbusmock", "--system", "--template", "upower")
    text = gdbus(
        programs,
        "call",
        "--address",
        programs.bus.address,
        "--dest",
        "org.freedesktop.UPower",
        "--object-path",
        "/org/freedesktop/UPower",
        "--method",
        "org.freedesktop.UPower.EnumerateDevices",
    )
    assert text == "(@ao [],)\n"
