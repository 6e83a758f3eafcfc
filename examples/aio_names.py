# SPDX-License-Identifier: MIT
"""Who is on a bus, with dbus.aio: each name, and the process that has it.

usage: aio_names.py [ADDRESS]
"""

from __future__ import annotations

import asyncio
import sys
from typing import Optional

from dbus.aio import DBusError, MessageBus

DAEMON = "org.freedesktop.DBus"
PATH = "/org/freedesktop/DBus"


async def main(address: Optional[str] = None) -> None:
    """Ask the daemon of the session bus, or of the bus at ``address``; print a table."""
    async with MessageBus(address) as bus:
        description = await bus.introspect(DAEMON, PATH)
        daemon = bus.get_proxy_object(DAEMON, PATH, description).get_interface(DAEMON)

        async def process(name: str) -> str:
            try:
                return str(await daemon.call_get_connection_unix_process_id(name))
            except DBusError:
                return "-"  # it has left meanwhile

        names = sorted(await daemon.call_list_names())
        for name, pid in zip(names, await asyncio.gather(*map(process, names))):
            print(f"{pid:>8} {name}" + (" (this program)" if name == bus.unique_name else ""))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:2]))
