# SPDX-License-Identifier: MIT
"""A service that says what it has read and sends it back: `echo.py ADDRESS`.

It is written for dbus-python, whose process it is to run in.  "Return" is answered by a reply,
"Error" by an error, "Signal" by a signal to itself first, which then brings the reply.
"""

from __future__ import annotations

import sys
from typing import Any

from gi.repository import GLib

import dbus
import dbus.bus
import dbus.mainloop.glib
from dbus.lowlevel import ErrorMessage, MethodReturnMessage, SignalMessage

waiting: list[Any] = []


def answer(connection: Any, message: Any) -> int:
    """Filter everything."""
    member = message.get_member()
    if message.get_interface() != "com.example.Echo":
        return int(dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED)
    arguments = message.get_args_list()
    signature = str(message.get_signature())
    if member == "Signal":
        waiting.append(message)
        reply: Any = SignalMessage("/echo", "com.example.Echo", "Back")
        reply.set_destination(connection.get_unique_name())
    elif member == "Back":
        reply = MethodReturnMessage(waiting.pop())
    elif member == "Error":
        reply = ErrorMessage(message, "com.example.Error", None)
    else:
        reply = MethodReturnMessage(message)
    if member != "Signal":
        reply.append(repr(arguments), signature="s")
    if signature:
        reply.append(*arguments, signature=signature)
    connection.send_message(reply)
    return int(dbus.lowlevel.HANDLER_RESULT_HANDLED)


def main() -> None:
    """Serve for ever."""
    assert not hasattr(dbus, "shim_version"), "this is to be dbus-python"
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    connection = dbus.bus.BusConnection(sys.argv[1])
    connection.add_message_filter(answer)
    print(connection.get_unique_name(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
