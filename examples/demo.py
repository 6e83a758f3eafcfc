# SPDX-License-Identifier: MIT
"""A tour in a few seconds: a private bus, a service, and a client that talk to each other.

Nothing of the machine is used but the dbus-daemon program; the bus is this program's own.  Prints
what happens and ends with status 0 if all of it was right, else 1.
"""

import shlex
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from gi.repository import GLib

import _dbus_bindings
import dbus
import dbus.mainloop.glib
import dbus.service
from dbus.testing import PrivateBus

NAME = "org.example.Notebook"
PATH = "/org/example/Notebook"
SECONDS_AT_MOST = 20


class Reader(dbus.service.Object):
    """What the client exports: it only emits a signal."""

    @dbus.service.signal("org.example.Notebook.Reader", signature="u")
    def Liked(self, number):
        """The reader liked a note."""


class Failed(Exception):
    """Something was not as it should be."""


def check(right, what):
    """Print one line of the account; stop unless it is right."""
    print(f"  {'ok' if right else 'WRONG':5} {what}", flush=True)
    if not right:
        raise Failed(what)


def title(text):
    """Print the head of a part of the account."""
    print(f"\n{text}")


def calls(notebook):
    """Methods, an error with a name, typed values."""
    title("Method calls")
    number = notebook.Add("Buy milk", ["shopping", "today"])
    check(number == 1, f"Add('Buy milk', ['shopping', 'today']) -> {number!r}")
    text, tags = notebook.Get(number)
    check(
        (text, tags) == ("Buy milk", ["shopping", "today"]), f"Get({number}) -> {text!r}, {tags!r}"
    )
    notes = notebook.List()
    check(notes == {1: "Buy milk"}, f"List() -> {notes!r}")
    try:
        notebook.Get(dbus.UInt32(7))
    except dbus.DBusException as error:
        check(error.get_dbus_name() == f"{NAME}.Error.NoSuchNote", f"Get(7) raises {error}")
    else:
        check(False, "Get(7) raises an error")


def descriptors(notebook):
    """A file descriptor there, and one back."""
    title("File descriptors")
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        file.write("from a file that has no name")
        file.seek(0)
        number = notebook.AddFile(dbus.types.UnixFd(file))
    check(number == 2, f"AddFile(UnixFd) -> {number!r}")
    with open(notebook.Open(number).take(), encoding="utf-8") as stream:
        text = stream.read()
    check(
        text == "from a file that has no name", f"Open({number}) gives a pipe that holds {text!r}"
    )


def introspection(proxy):
    """The tree that the service describes."""
    title("Introspection")
    root = ElementTree.fromstring(proxy.Introspect(dbus_interface=dbus.INTROSPECTABLE_IFACE))
    members = {}
    for interface in root.iter("interface"):
        for member in interface:
            arguments = "".join(
                arg.get("type") for arg in member.iter("arg") if arg.get("direction") != "out"
            )
            members.setdefault(interface.get("name"), []).append(
                f"{member.tag} {member.get('name')}({arguments})"
            )
    for name, lines in members.items():
        print(f"        {name}: {', '.join(sorted(lines))}")
    check("method Add(sas)" in members.get(NAME, []), "the tree has the method Add(sas)")
    check("signal Added(us)" in members.get(NAME, []), "the tree has the signal Added(us)")


def signals_and_async(connection, proxy):
    """Signals in both directions and calls in flight, on the GLib loop."""
    title("Signals and asynchronous calls on the GLib loop")
    loop = GLib.MainLoop()
    reader = Reader(connection, "/org/example/Reader")
    seen = []

    def note(*event):
        seen.append(event)
        if len(seen) == 4:
            loop.quit()

    proxy.connect_to_signal("Added", lambda number, text: note("Added", int(number)))
    proxy.connect_to_signal("Thanks", lambda number, who: note("Thanks", str(who)))
    notebook = dbus.Interface(proxy, NAME)
    notebook.Remind(
        0.05, reply_handler=lambda answer: note("reply", str(answer)), error_handler=print
    )
    notebook.Add(
        "Walk the dog",
        dbus.Array([], signature="s"),
        reply_handler=lambda number: (note("reply", int(number)), reader.Liked(number)),
        error_handler=print,
    )
    timer = GLib.timeout_add_seconds(SECONDS_AT_MOST, loop.quit)
    loop.run()
    GLib.source_remove(timer)
    check(("Added", 3) in seen, "the service's signal Added(3) reached the client")
    check(("reply", 3) in seen, "the answer of the asynchronous Add is 3")
    thanks = ("Thanks", connection.get_unique_name())
    check(
        thanks in seen, "the client's signal Liked(3) reached the service, which thanked it by name"
    )
    check(seen[-1] == ("reply", "0.05 s are over"), "the slow call was answered last")


def main():
    """The tour; the exit status."""
    service = Path(__file__).with_name("service.py")
    command = f"{shlex.quote(sys.executable)} {shlex.quote(str(service))}"
    own = getattr(dbus, "shim_version", None)
    print(f"dbus-shim {own}" if own else "another implementation of dbus-python", end=", ")
    print(f"API level {dbus.__version__}, from {_dbus_bindings.__file__}")
    loop = dbus.mainloop.glib.DBusGMainLoop()
    try:
        with PrivateBus(services={NAME: command}) as bus:
            title("A private bus")
            print(f"        {bus.address}")
            connection = bus.connection(loop)
            check(True, f"connected as {connection.get_unique_name()}")
            proxy = connection.get_object(NAME, PATH)
            check(connection.name_has_owner(NAME), f"the bus has started {NAME} for the first call")
            notebook = dbus.Interface(proxy, NAME)
            calls(notebook)
            descriptors(notebook)
            introspection(proxy)
            signals_and_async(connection, proxy)
            notebook.Quit()
    except (Failed, dbus.DBusException) as error:
        print(f"\nThe demonstration failed: {error}")
        return 1
    print("\nEverything worked.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
