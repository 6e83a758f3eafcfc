# SPDX-License-Identifier: MIT
"""Several calls to service.py at once; the answers come in the order in which they are ready."""

from gi.repository import GLib

import dbus
import dbus.mainloop.glib

DELAYS = (0.3, 0.1, -1.0, 0.2)


def main():
    """Start the calls, print the answers, end with the last one."""
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    loop = GLib.MainLoop()
    proxy = dbus.SessionBus().get_object("org.example.Notebook", "/org/example/Notebook")
    notebook = dbus.Interface(proxy, "org.example.Notebook")
    waiting = list(DELAYS)

    def finished(delay, outcome):
        print(f"{delay:4}: {outcome}")
        waiting.remove(delay)
        if not waiting:
            loop.quit()

    for delay in DELAYS:
        notebook.Remind(
            delay,
            reply_handler=lambda answer, delay=delay: finished(delay, answer),
            error_handler=lambda error, delay=delay: finished(delay, error.get_dbus_name()),
        )
    loop.run()


if __name__ == "__main__":
    main()
