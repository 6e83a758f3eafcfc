# SPDX-License-Identifier: MIT
"""Messages by hand with dbus.aio: a service and a client that are message handlers.

Nothing is introspected and nothing exported; both sides are in this one program.

usage: aio_lowlevel.py [ADDRESS]
"""

from __future__ import annotations

import asyncio
import sys
from typing import Optional

from dbus.aio import ErrorType, Message, MessageBus, MessageType

PATH = "/org/example/Echo"
INTERFACE = "org.example.Echo"


def serve(bus: MessageBus) -> None:
    """Answer calls of org.example.Echo, each with a signal before its reply."""

    def handle(message: Message) -> Optional[Message]:
        if message.message_type is not MessageType.METHOD_CALL or message.interface != INTERFACE:
            return None  # for others
        if (message.member, message.signature) != ("Echo", "s"):
            text = f"there is no {message.member}({message.signature})"
            return Message.new_error(message, ErrorType.UNKNOWN_METHOD, text)
        bus.send(Message.new_signal(PATH, INTERFACE, "Echoed", "s", [message.sender]))
        return Message.new_method_return(message, "s", [message.body[0] + "!"])

    bus.add_message_handler(handle)


async def listen(bus: MessageBus) -> None:
    """Print the signals of org.example.Echo: tell the bus which messages to send here."""

    def heard(message: Message) -> None:
        if message.message_type is MessageType.SIGNAL and message.member == "Echoed":
            mine = message.body == [bus.unique_name]
            print("signal: an echo for", "us" if mine else "somebody else")

    bus.add_message_handler(heard)
    rule = f"type='signal',interface='{INTERFACE}',member='Echoed'"
    bus_name = "org.freedesktop.DBus"
    add = Message(
        bus_name, "/org/freedesktop/DBus", bus_name, "AddMatch", signature="s", body=[rule]
    )
    await bus.call(add)


async def ask(bus: MessageBus, service: str, member: str, text: str) -> None:
    """Call a method and print what comes back: a reply, or an error, which is a reply, too."""
    call = Message(service, PATH, INTERFACE, member, signature="s", body=[text])
    reply = await bus.call(call, timeout=10)
    assert reply is not None  # there is one for each call that asks for it
    if reply.message_type is MessageType.ERROR:
        print(f"error: {reply.error_name}: {reply.body[0]}")
    else:
        print("reply:", reply.body[0])


async def main(address: Optional[str] = None) -> None:
    """Both sides on the session bus, or on the bus at ``address``."""
    async with MessageBus(address) as service, MessageBus(address) as client:
        assert service.unique_name is not None
        serve(service)
        await listen(client)
        await ask(client, service.unique_name, "Echo", "hello")
        await ask(client, service.unique_name, "Shout", "hello")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:2]))
