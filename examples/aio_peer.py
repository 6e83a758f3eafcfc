# SPDX-License-Identifier: MIT
"""Peer-to-peer with dbus.aio: a server and two clients without a bus, all in this program.

usage: aio_peer.py [ADDRESS]
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from dbus.aio import MessageBus, start_server
from dbus.aio.annotations import DBusStr
from dbus.aio.service import ServiceInterface, dbus_method, dbus_signal

PATH = "/org/example/Room"
INTERFACE = "org.example.Room"
ANY_NAME = "org.example"  # between peers there are no names, so any will do for a proxy


class Room(ServiceInterface):
    """Where guests talk; it is exported on the connection of each of them."""

    def __init__(self) -> None:
        super().__init__(INTERFACE)
        self._guests: list[str] = []

    @dbus_method()
    def Enter(self, name: DBusStr) -> DBusStr:
        """Come in; who is there already.  Everybody hears of it."""
        before = ", ".join(self._guests)
        self._guests.append(name)
        self.Entered(name)
        return before or "nobody"

    @dbus_signal()
    def Entered(self, name: str) -> DBusStr:
        """Somebody has come in."""
        return name


async def enter(bus: MessageBus, name: str) -> Any:
    """Connect a client and call the server; the client's proxy of the room."""
    await bus.connect()
    description = await bus.introspect(ANY_NAME, PATH)
    room = bus.get_proxy_object(ANY_NAME, PATH, description).get_interface(INTERFACE)
    print(f"{name} meets", await room.call_enter(name))
    return room


async def main(address: str = "unix:tmpdir=/tmp") -> None:
    """Listen at ``address``, and be two clients there, too."""
    room = Room()

    def client_connected(bus: MessageBus) -> None:
        bus.export(PATH, room)

    async with await start_server(client_connected, address) as server:
        ada = MessageBus(server.address, peer=True)
        bob = MessageBus(server.address, peer=True)
        heard = asyncio.get_running_loop().create_future()
        (await enter(ada, "Ada")).on_entered(heard.set_result)
        await enter(bob, "Bob")
        print("Ada hears of", await heard)
        print(len(server.peers), "clients are connected")
        for client in (ada, bob):
            client.disconnect()
            await client.wait_for_disconnect()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:2]))
