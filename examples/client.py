# SPDX-License-Identifier: MIT
"""A client of service.py: plain calls that wait for their answer.  No main loop is needed."""

import dbus


def main():
    """Add a note, read it back, provoke an error."""
    bus = dbus.SessionBus()
    proxy = bus.get_object("org.example.Notebook", "/org/example/Notebook")
    notebook = dbus.Interface(proxy, "org.example.Notebook")

    number = notebook.Add("Buy milk", ["shopping", "today"])
    text, tags = notebook.Get(number)
    print(f"note {number}: {text} ({', '.join(tags)})")
    print("all notes:", {int(key): str(value) for key, value in notebook.List().items()})
    try:
        notebook.Get(dbus.UInt32(4711))
    except dbus.DBusException as error:
        print(f"{error.get_dbus_name()}: {error.get_dbus_message()}")


if __name__ == "__main__":
    main()
