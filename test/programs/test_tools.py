# SPDX-License-Identifier: MIT
"""Command-line tools of other projects against a service on the implementation under test."""

from pathlib import Path

import pytest
from running import need_command, need_module

HERE = Path(__file__).resolve().parent
NAME = "com.example.House"
LAMP = NAME + ".Lamp"
HALL = "/com/example/House/hall"


@pytest.fixture
def house(programs):
    need_module("gi", "python3-gi")
    return programs.serve(NAME, str(HERE / "example_service.py"))


@pytest.fixture(params=["--address", "--user"])
def busctl(programs, request):
    """busctl, told of the bus in both ways."""
    command = [need_command("busctl", "systemd"), "--no-pager"]
    if request.param == "--user":
        command.append("--user")
    else:
        command.append("--address=" + programs.bus.address)

    def busctl(*arguments, **keywords):
        return programs.run(*command, *arguments, **keywords)

    return busctl


@pytest.fixture
def gdbus(programs):
    command = need_command("gdbus", "libglib2.0-bin")

    def call(member, *arguments, path=HALL, **keywords):
        where = ("call", "--session", "--dest", NAME, "--object-path", path)
        return programs.run(command, *where, "--method", member, *arguments, **keywords)

    return call


def test_busctl_tree(house, busctl):
    lines = busctl("tree", "--list", NAME).split()
    assert lines == sorted(lines)
    assert set(lines) == {
        "/",
        "/com",
        "/com/example",
        "/com/example/House",
        HALL,
        "/com/example/House/kitchen",
        "/com/example/House/kitchen/stove",
        "/com/example/House/kitchen/table",
    }


def test_busctl_introspect(house, busctl):
    text = busctl("introspect", "--no-legend", NAME, HALL)
    rows = {line.split()[0]: line.split()[1:4] for line in text.splitlines()}
    assert rows[LAMP] == ["interface", "-", "-"]
    assert rows[".Switch"] == ["method", "b", "b"]
    assert rows[".Mix"] == ["method", "ay(ix)as", "(ayx)s"]
    assert rows[".Describe"] == ["method", "-", "a{sv}"]
    assert rows[".Switched"] == ["signal", "b", "-"]
    assert rows[".Introspect"] == ["method", "-", "s"]


def test_busctl_call(house, busctl):
    assert busctl("call", NAME, HALL, LAMP, "Switch", "b", "true") == "b false\n"
    assert busctl("call", NAME, HALL, LAMP, "Switch", "b", "false") == "b true\n"
    arguments = ("ay(ix)as", "2", "65", "66", "1", "2", "2", "a", "b")
    assert busctl("call", NAME, HALL, LAMP, "Mix", *arguments) == '(ayx)s 3 65 66 33 3 "a-b"\n'
    busctl("call", NAME, HALL, LAMP, "Break", status=1)


def test_gdbus_call(house, gdbus):
    assert gdbus(LAMP + ".Switch", "true") == "(false,)\n"
    assert gdbus(LAMP + ".Switch", "true") == "(true,)\n"
    text = gdbus(LAMP + ".Describe")
    assert "'on': <true>" in text
    assert "'watts': <uint16 7>" in text
    assert "'tags': <['warm', 'small']>" in text
    gdbus(LAMP + ".Break", status=1)
    gdbus(LAMP + ".Switch", path="/com/example/House", status=1)


def test_gdbus_introspect(house, programs):
    command = need_command("gdbus", "libglib2.0-bin")
    where = ("--session", "--dest", NAME, "--object-path", "/com/example/House", "--recurse")
    text = programs.run(command, "introspect", *where)
    assert text.count("interface com.example.House.Lamp {") == 3
    assert "node /com/example/House/kitchen/table" in text


def test_dbus_send(house, programs):
    command = need_command("dbus-send", "dbus-bin")
    member = LAMP + ".Switch"
    text = programs.run(
        command, "--session", "--print-reply", f"--dest={NAME}", HALL, member, "boolean:true"
    )
    assert "boolean false" in text


def test_signals_reach_this_process(house, gdbus, programs):
    from peers import Calls, attach, barrier

    conn = attach(programs.bus)
    got = Calls()
    conn.add_signal_receiver(got, "Switched", LAMP, NAME, path_keyword="path")
    barrier(conn)
    gdbus(LAMP + ".Switch", "true")
    assert got.wait() == [((True,), {"path": HALL})]
