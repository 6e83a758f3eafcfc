# SPDX-License-Identifier: MIT
"""A client on asyncio: several calls of asyncio_service.py at once, and its signals."""

import asyncio

import dbus
from dbus.mainloop.asyncio import DBusAsyncioMainLoop

DELAYS = (0.3, 0.1, -1.0, 0.2)


def ask(method, *args):
    """Call a method of a proxy; a future for its answer."""
    future = asyncio.get_running_loop().create_future()
    method(*args, reply_handler=future.set_result, error_handler=future.set_exception)
    return future


async def main():
    """Start the calls, print answers and signals as they come."""
    proxy = dbus.SessionBus().get_object("org.example.Timer", "/org/example/Timer")
    timer = dbus.Interface(proxy, "org.example.Timer")
    timer.connect_to_signal("Rang", lambda seconds: print(f"signal: {seconds} s"))

    async def wait(delay):
        try:
            print("answer:", await ask(timer.Wait, delay))
        except dbus.DBusException as error:
            print("error:", error.get_dbus_name())

    await asyncio.gather(*(wait(delay) for delay in DELAYS))


if __name__ == "__main__":
    DBusAsyncioMainLoop(set_as_default=True)
    asyncio.run(main())
