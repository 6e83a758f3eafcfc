# SPDX-License-Identifier: MIT
"""Print the signals of service.py, whoever causes them.  Ends on Ctrl-C."""

from gi.repository import GLib

import dbus
import dbus.mainloop.glib


def on_added(number, text):
    """A note was added."""
    print(f"note {number} is new: {text}")


def on_any(*arguments, member=None, sender=None):
    """Any signal of the interface."""
    print(f"  {member} from {sender}, with {len(arguments)} arguments")


def main():
    """Listen until interrupted."""
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    # Of one object: through its proxy.
    proxy = bus.get_object("org.example.Notebook", "/org/example/Notebook")
    proxy.connect_to_signal("Added", on_added, dbus_interface="org.example.Notebook")
    # Of any sender: by a match on the connection.
    bus.add_signal_receiver(
        on_any,
        dbus_interface="org.example.Notebook",
        member_keyword="member",
        sender_keyword="sender",
    )
    try:
        GLib.MainLoop().run()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
