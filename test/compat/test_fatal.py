# SPDX-License-Identifier: MIT
"""Wrong uses never kill the process: a Python exception, and the same connection goes on working.

Each runs in a process of its own.  On the reference the outcome is only reported.
"""

from __future__ import annotations

from typing import Any

import implementation
import pytest
from fatal_snippets import SNIPPETS

HARNESS = """
import faulthandler, gc, os, signal, sys
import dbus, dbus.bus, dbus.connection, dbus.lowlevel as lowlevel, dbus.types
signal.alarm(20)
address = os.environ["DBUS_SESSION_BUS_ADDRESS"]
def other():
    made = dbus.bus.BusConnection(address)
    made.set_exit_on_disconnect(False)
    return made
def call():
    driver = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
    return lowlevel.MethodCallMessage(*driver, "GetId")
def sig():
    return lowlevel.SignalMessage("/a", "com.example.I", "Sig")
conn = other()
if "looped" in sys.argv[1]:
    from dbus.mainloop.glib import DBusGMainLoop
    looped = dbus.bus.BusConnection(address, mainloop=DBusGMainLoop())
    looped.set_exit_on_disconnect(False)
names = dict(globals())
try:
    exec(compile(sys.argv[1], "snippet", "exec"), names)
except BaseException as error:
    print("raised", type(error).__name__)
    print(str(error)[:300].encode("ascii", "backslashreplace").decode().replace(chr(10), " "))
    del error
else:
    print("returned\\n")
names.clear()
gc.collect()
reply = conn.send_message_with_reply_and_block(call(), 10)
assert len(reply.get_args_list()[0]) == 32
conn.close()
print("alive")
"""


def outcome(result: implementation.SnippetResult) -> str:
    """One line: what the snippet did, or how the process died."""
    lines = result.stdout.splitlines()
    if result.returncode == 0 and lines[-1:] == ["alive"]:
        return ": ".join(line for line in lines[:2] if line)
    if result.killed:
        last = (result.stderr.strip().splitlines() or [""])[0]
        return f"killed by signal {-result.returncode}: {last[:120]}"
    last = (result.stderr.strip().splitlines() or [""])[-1]
    return f"{' '.join(lines[:1])}, then the connection no longer works: {last[:160]}"


IDS = [name.replace(" ", "_") for name, _, _ in SNIPPETS]


@pytest.mark.parametrize("name, code, expected", SNIPPETS, ids=IDS)
def test_wrong_use(bus: Any, name: str, code: str, expected: str) -> None:
    result = implementation.run_snippet(
        HARNESS, code, env={"DBUS_SESSION_BUS_ADDRESS": bus.address}, timeout=40
    )
    happened = outcome(result)
    if implementation.REFERENCE:
        if happened != "returned" and not happened.startswith("raised"):
            notes = implementation.NOTES.setdefault(
                "wrong uses that the reference does not survive", []
            )
            notes.append(f"{name}: {happened}")
        return
    lines = result.stdout.splitlines()
    assert lines[-1:] == ["alive"], f"{happened}\n{result}"
    if lines[0] == "returned":
        assert expected == "-", f"nothing was raised, expected {expected}"
    else:
        assert lines[0] == f"raised {expected}", f"{happened}; expected {expected}"
        assert lines[1].strip(), "an exception without a text"
