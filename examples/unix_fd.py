# SPDX-License-Identifier: MIT
"""Give service.py an open file instead of its content, and get one back.

usage: unix_fd.py FILE
"""

import sys

import dbus


def main(path):
    """Send a descriptor, read from the one that comes back."""
    proxy = dbus.SessionBus().get_object("org.example.Notebook", "/org/example/Notebook")
    notebook = dbus.Interface(proxy, "org.example.Notebook")
    with open(path, encoding="utf-8") as file:
        number = notebook.AddFile(dbus.types.UnixFd(file))
    # take() hands over the descriptor: closing it is now the stream's affair.
    with open(notebook.Open(number).take(), encoding="utf-8") as stream:
        print(f"note {number} holds {len(stream.read())} characters")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
