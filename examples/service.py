# SPDX-License-Identifier: MIT
"""A service: a notebook that other programs write to and read from.

Shows methods, errors with a name, a method that answers later, signals, signals from a client,
and file descriptors in both directions.  Run it on the session bus, then run client.py, signals.py,
unix_fd.py or async_client.py beside it.
"""

import os

from gi.repository import GLib

import dbus
import dbus.mainloop.glib
import dbus.service

NAME = "org.example.Notebook"
PATH = "/org/example/Notebook"
INTERFACE = "org.example.Notebook"
READER_INTERFACE = "org.example.Notebook.Reader"


class NoSuchNote(dbus.DBusException):
    """The error that a caller gets for a number without a note."""

    _dbus_error_name = "org.example.Notebook.Error.NoSuchNote"


class Notebook(dbus.service.Object):
    """The one object of the service."""

    def __init__(self, bus_name, loop):
        super().__init__(bus_name, PATH)
        self._loop = loop
        self._notes = {}
        # A signal that any client may send; the sender's unique name comes as a keyword.
        bus_name.get_bus().add_signal_receiver(
            self._on_liked,
            signal_name="Liked",
            dbus_interface=READER_INTERFACE,
            sender_keyword="sender",
        )

    def _note(self, number):
        try:
            return self._notes[number]
        except KeyError:
            raise NoSuchNote(f"there is no note {number}") from None

    @dbus.service.method(INTERFACE, in_signature="sas", out_signature="u")
    def Add(self, text, tags):
        """Keep a note; its number."""
        number = len(self._notes) + 1
        self._notes[number] = (text, tags)
        self.Added(number, text)
        return number

    @dbus.service.method(INTERFACE, in_signature="u", out_signature="sas")
    def Get(self, number):
        """The text and the tags of a note."""
        return self._note(number)

    @dbus.service.method(INTERFACE, out_signature="a{us}")
    def List(self):
        """All notes by their numbers."""
        return {number: text for number, (text, _) in self._notes.items()}

    @dbus.service.method(INTERFACE, in_signature="h", out_signature="u")
    def AddFile(self, file):
        """Keep what can be read from a file descriptor."""
        with open(file.take(), encoding="utf-8") as stream:
            return self.Add(stream.read(), ["file"])

    @dbus.service.method(INTERFACE, in_signature="u", out_signature="h")
    def Open(self, number):
        """A file descriptor from which the note's text can be read."""
        text, _ = self._note(number)
        reader, writer = os.pipe()
        with open(writer, "w", encoding="utf-8") as stream:
            stream.write(text)
        try:
            return dbus.types.UnixFd(reader)
        finally:
            os.close(reader)  # UnixFd has a copy

    @dbus.service.method(
        INTERFACE, in_signature="d", out_signature="s", async_callbacks=("reply", "error")
    )
    def Remind(self, seconds, reply, error):
        """Answer after some seconds, while other calls are served."""
        if seconds < 0:
            error(dbus.DBusException("the past is over", name=INTERFACE + ".Error.Past"))
            return
        GLib.timeout_add(int(seconds * 1000), lambda: reply(f"{seconds} s are over"))

    @dbus.service.method(INTERFACE)
    def Quit(self):
        """End the service once this call is answered."""
        GLib.idle_add(self._loop.quit)

    @dbus.service.signal(INTERFACE, signature="us")
    def Added(self, number, text):
        """There is a new note."""

    @dbus.service.signal(INTERFACE, signature="us")
    def Thanks(self, number, reader):
        """A reader liked a note."""

    def _on_liked(self, number, sender=None):
        if number in self._notes:
            self.Thanks(number, sender)


def main():
    """Serve until Quit is called."""
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    loop = GLib.MainLoop()
    name = dbus.service.BusName(NAME, dbus.SessionBus())
    notebook = Notebook(name, loop)
    loop.run()
    notebook.remove_from_connection()


if __name__ == "__main__":
    main()
