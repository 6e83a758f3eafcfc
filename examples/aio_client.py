# SPDX-License-Identifier: MIT
"""A client of aio_service.py with dbus.aio: introspection, methods, properties, signals, an error.

usage: aio_client.py [ADDRESS]
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Optional

from dbus.aio import DBusError, MessageBus

NAME = "org.example.Thermostat"
PATH = "/org/example/Thermostat"


async def main(address: Optional[str] = None) -> None:
    """Ask the thermostat on the session bus, or on the bus at ``address``, to heat the room."""
    async with MessageBus(address) as bus:
        description = await bus.introspect(NAME, PATH)
        proxy = bus.get_proxy_object(NAME, PATH, description)
        thermostat = proxy.get_interface(NAME)
        print("methods:", *(method.name for method in thermostat.introspection.methods))

        def changed(interface: str, values: dict[str, Any], _invalidated: list[str]) -> None:
            for name, value in values.items():
                print(f"{name} is now {value}")

        properties = proxy.get_interface("org.freedesktop.DBus.Properties")
        properties.on_properties_changed(changed, unpack_variants=True)
        thermostat.on_reached(lambda degrees: print(f"reached {degrees} degrees"))

        print("at first:", await thermostat.call_describe())
        await thermostat.set_wanted(20.0)
        print("heated to", await thermostat.call_heat())
        print("measured:", await thermostat.get_measured())
        try:
            await thermostat.set_wanted(451.0)
        except DBusError as error:
            print(f"{error.type}: {error.text}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:2]))
