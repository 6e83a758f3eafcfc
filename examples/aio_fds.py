# SPDX-License-Identifier: MIT
"""File descriptors with dbus.aio: a service that reads from one and returns another.

usage: aio_fds.py [ADDRESS]
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from typing import Optional

from dbus.aio import MessageBus
from dbus.aio.annotations import DBusUInt32, DBusUnixFd
from dbus.aio.service import ServiceInterface, dbus_method

PATH = "/org/example/Shouter"
INTERFACE = "org.example.Shouter"


class Shouter(ServiceInterface):
    """Takes open files and gives pipes."""

    def __init__(self) -> None:
        super().__init__(INTERFACE)

    @dbus_method()
    def Count(self, file: DBusUnixFd) -> DBusUInt32:
        """How many bytes can be read."""
        with open(file, "rb") as stream:  # a descriptor that has come is ours to close
            return len(stream.read())

    @dbus_method()
    def Shout(self, file: DBusUnixFd) -> DBusUnixFd:
        """A pipe that holds what can be read, in capitals."""
        reader, writer = os.pipe()
        with open(file, "rb") as stream, open(writer, "wb") as capitals:
            capitals.write(stream.read().upper())
        # The message takes a copy at once, before this runs: what is sent stays ours.
        asyncio.get_running_loop().call_soon(os.close, reader)
        return reader


async def main(address: Optional[str] = None) -> None:
    """Both sides on the session bus, or on the bus at ``address``."""
    service = MessageBus(address, negotiate_unix_fd=True)
    client = MessageBus(address, negotiate_unix_fd=True)
    async with service, client:
        assert service.unique_name is not None
        service.export(PATH, Shouter())
        description = await client.introspect(service.unique_name, PATH)
        proxy = client.get_proxy_object(service.unique_name, PATH, description)
        shouter = proxy.get_interface(INTERFACE)
        with tempfile.TemporaryFile() as file:
            file.write(b"hello")
            file.seek(0)
            print("counted:", await shouter.call_count(file.fileno()), "bytes")
            file.seek(0)
            with open(await shouter.call_shout(file.fileno()), "rb") as pipe:
                print("shouted:", pipe.read().decode())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:2]))
