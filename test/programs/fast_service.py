# SPDX-License-Identifier: MIT
# ruff: noqa: F821, F722
"""A shop, written for dbus-fast; test_aio_programs.py runs it on that and on ours."""

import asyncio
import os
import sys

from dbus_fast import DBusError, Message, MessageType, PropertyAccess, RequestNameReply, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusDict, DBusDouble, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

NAME = "org.example.Shop"
PATH = "/org/example/Shop"


class Shop(ServiceInterface):
    """Sells things."""

    def __init__(self):
        super().__init__(NAME)
        self._stock = {"apples": 5, "pears": 1}
        self._open = True
        self.ended = asyncio.Event()

    @dbus_method()
    def Buy(self, what: "s", count: "u") -> "ud":
        if not self._open:
            raise DBusError(NAME + ".Error.Closed", "come back tomorrow")
        if count > self._stock[what]:
            raise ValueError("not as many")
        self._stock[what] -= count
        self.Sold(what, count)
        self.emit_properties_changed({"Stock": self._stock}, ["Worth"])
        return [self._stock[what], 0.5 * count]

    @dbus_method()
    def Describe(self, wanted: DBusDict) -> DBusDict:
        answer = {name: Variant("as", [variant.signature]) for name, variant in wanted.items()}
        answer["nested"] = Variant("v", Variant("(sa{sv})", ["inside", {"x": Variant("i", -1)}]))
        return answer

    @dbus_method()
    async def Deliver(self, seconds: DBusDouble) -> DBusStr:
        await asyncio.sleep(seconds)
        return f"after {seconds} s"

    @dbus_method(name="Copy")
    def copy_file(self, file: "h") -> "h":
        reader, writer = os.pipe()
        with open(file, "rb") as source, open(writer, "wb") as target:
            target.write(source.read() * 2)
        asyncio.get_running_loop().call_later(1, os.close, reader)
        return reader

    @dbus_method()
    def Quit(self):
        self.ended.set()

    @dbus_method(disabled=True)
    def Burgle(self):
        raise AssertionError

    @dbus_property()
    def Open(self) -> "b":
        return self._open

    @Open.setter
    def Open(self, value: "b"):
        if value == self._open:
            return
        self._open = value
        self.emit_properties_changed({"Open": value})

    @dbus_property(access=PropertyAccess.READ)
    def Stock(self) -> "a{su}":
        return self._stock

    @dbus_property(access=PropertyAccess.READ)
    async def Worth(self) -> "d":
        await asyncio.sleep(0)
        return 0.5 * sum(self._stock.values())

    @dbus_signal()
    def Sold(self, what, count) -> "su":
        return [what, count]


def by_hand(message):
    """A message handler: it answers what no interface declares."""
    if message.message_type is MessageType.METHOD_CALL and message.member == "ByHand":
        return Message.new_method_return(message, "s", [message.path])
    return None


async def main():
    bus = await MessageBus(negotiate_unix_fd=True).connect()
    bus.add_message_handler(by_hand)
    shop = Shop()
    bus.export(PATH, shop)
    bus.export(PATH + "/cellar", Shop())
    print(Message.__module__)
    if await bus.request_name(NAME) is not RequestNameReply.PRIMARY_OWNER:
        sys.exit("there is a shop already")
    await shop.ended.wait()
    bus.disconnect()
    await bus.wait_for_disconnect()


asyncio.run(main())
