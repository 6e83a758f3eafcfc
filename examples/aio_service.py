# SPDX-License-Identifier: MIT
"""A service with dbus.aio: a thermostat.

Shows methods, also one that waits, an error with a name, properties and a signal.  Run it, then
aio_client.py beside it.

usage: aio_service.py [ADDRESS]
"""

from __future__ import annotations

import asyncio
import sys
from typing import Optional

from dbus.aio import DBusError, MessageBus, PropertyAccess, RequestNameReply
from dbus.aio.annotations import DBusDouble, DBusStr
from dbus.aio.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

NAME = "org.example.Thermostat"
PATH = "/org/example/Thermostat"
HOTTEST = 30.0


class Thermostat(ServiceInterface):
    """The one interface of the service, of the same name as the service."""

    def __init__(self, bus: MessageBus) -> None:
        super().__init__(NAME)
        self._bus = bus
        self._wanted = 18.0
        self._measured = 18.0

    @dbus_method()
    def Describe(self) -> DBusStr:
        """What there is to say."""
        return f"{self._measured} degrees, {self._wanted} wanted"

    @dbus_method()
    async def Heat(self) -> DBusDouble:
        """Heat until it is as warm as wanted, and serve others meanwhile; the temperature."""
        while self._measured < self._wanted:
            await asyncio.sleep(0.01)
            self._measured = min(self._measured + 1.0, self._wanted)
            self.emit_properties_changed({"Measured": self._measured})
        self.Reached(self._measured)
        return self._measured

    @dbus_method()
    def Quit(self) -> None:
        """End the service once this call is answered."""
        asyncio.get_running_loop().call_soon(self._bus.disconnect)

    @dbus_property()
    def Wanted(self) -> DBusDouble:
        """The temperature to reach."""
        return self._wanted

    @Wanted.setter  # type: ignore[no-redef]
    def Wanted(self, degrees: float) -> None:
        if degrees > HOTTEST:
            raise DBusError(f"{NAME}.Error.TooHot", f"{degrees} degrees are too many")
        self._wanted = degrees
        self.emit_properties_changed({"Wanted": degrees})

    @dbus_property(PropertyAccess.READ)
    def Measured(self) -> DBusDouble:
        """The temperature of the room."""
        return self._measured

    @dbus_signal()
    def Reached(self, degrees: float) -> DBusDouble:
        """The room is as warm as wanted."""
        return degrees


async def main(address: Optional[str] = None) -> None:
    """Serve the session bus, or the bus at ``address``, until it goes away or Quit is called."""
    async with MessageBus(address) as bus:
        bus.export(PATH, Thermostat(bus))
        if await bus.request_name(NAME) is not RequestNameReply.PRIMARY_OWNER:
            sys.exit(f"{NAME} runs already")
        await bus.wait_for_disconnect()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:2]))
