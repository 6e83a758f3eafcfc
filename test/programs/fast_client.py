# SPDX-License-Identifier: MIT
"""A client of fast_service.py, written for dbus-fast too.  It prints whatever happens."""

import asyncio
import tempfile

from dbus_fast import (
    BusType,
    DBusError,
    ErrorType,
    InterfaceNotFoundError,
    Message,
    MessageFlag,
    MessageType,
    Variant,
    unpack_variants,
)
from dbus_fast.aio import MessageBus

NAME = "org.example.Shop"
PATH = "/org/example/Shop"


def describe(interface):
    """What introspection says, a line for each kind of member."""
    for method in sorted(interface.methods, key=lambda member: member.name):
        print("method", method.name, [method.in_signature, method.out_signature])
    for signal in interface.signals:
        print("signal", signal.name, signal.signature)
    for member in sorted(interface.properties, key=lambda member: member.name):
        print("property", member.name, member.signature, member.access.name)


async def properties(shop, proxy):
    print("open:", await shop.get_open(), await shop.get_stock(), await shop.get_worth())
    await shop.set_open(False)
    await refused("closed", shop.call_buy("apples", 1))
    await shop.set_open(True)
    every = await proxy.get_interface("org.freedesktop.DBus.Properties").call_get_all(NAME)
    print("all:", sorted(every), every["Stock"] == Variant("a{su}", {"apples": 3, "pears": 0}))
    getting = proxy.get_interface("org.freedesktop.DBus.Properties")
    await refused("no property", getting.call_get(NAME, "Nothing"))
    await refused("read only", getting.call_set(NAME, "Worth", Variant("d", 1.0)))


async def refused(what, coroutine):
    """The error that this call ends with."""
    try:
        print(what, "is allowed:", await coroutine)
    except DBusError as error:
        # What a text says beside the service's own words is each library's affair.
        known = error.text if error.type.startswith(NAME) else ""
        print(what, "is refused:", error.type, known, type(error.reply).__name__)


async def descriptors(shop):
    with tempfile.TemporaryFile() as file:
        file.write(b"twice ")
        file.seek(0)
        with open(await shop.call_copy(file.fileno()), "rb") as copy:
            print("copied:", copy.read())


async def by_messages(bus):
    reply = await bus.call(Message(destination=NAME, path="/any", interface="a.b", member="ByHand"))
    print("by hand:", reply.message_type.name, reply.signature, reply.body)
    reply = await bus.call(Message(destination=NAME, path=PATH, interface=NAME, member="Burgle"))
    print("burgled:", reply.message_type is MessageType.ERROR, reply.error_name)
    await bus.send(
        Message(
            destination=NAME,
            path=PATH,
            interface=NAME,
            member="Buy",
            signature="su",
            body=["apples", 1],
            flags=MessageFlag.NO_REPLY_EXPECTED,
        )
    )


async def main():
    bus = await MessageBus(bus_type=BusType.SESSION, negotiate_unix_fd=True).connect()
    print(Message.__module__)
    proxy = bus.get_proxy_object(NAME, PATH, await bus.introspect(NAME, PATH))
    print("children:", [node.name for node in proxy.introspection.nodes])
    shop = proxy.get_interface(NAME)
    describe(shop.introspection)
    try:
        proxy.get_interface("org.example.Nothing")
    except InterfaceNotFoundError:
        print("no such interface")

    sales = asyncio.Queue()
    changes = asyncio.Queue()

    def sold(what, count):
        sales.put_nowait((what, count))

    def changed(interface, values, invalidated):
        changes.put_nowait((interface, unpack_variants(values), invalidated))

    shop.on_sold(sold)
    proxy.get_interface("org.freedesktop.DBus.Properties").on_properties_changed(changed)
    print("bought:", await shop.call_buy("apples", 2))
    print("bought:", await shop.call_buy("pears", 1))
    for _ in range(2):
        print("sold:", await sales.get(), await changes.get())
    await refused("too many", shop.call_buy("pears", 1))
    await properties(shop, proxy)
    for _ in range(2):
        print("changed:", await changes.get())
    described = await shop.call_describe({"n": Variant("n", 1), "v": Variant("ay", b"x")})
    print("described:", [(described[name].signature, described[name].value) for name in "nv"])
    inside = described["nested"].value
    print("nested:", described["nested"].signature, inside.signature, inside.value[0])
    print("unpacked:", await shop.call_describe({}, unpack_variants=True))
    print(await asyncio.gather(shop.call_deliver(0.02), shop.call_deliver(0.01)))
    await descriptors(shop)
    await by_messages(bus)
    print("sold:", await sales.get())
    shop.off_sold(sold)
    elsewhere = Message(
        destination="org.example.Nobody", path="/", interface="a.b", member="M", signature=""
    )
    reply = await bus.call(elsewhere)
    print("nobody:", reply.error_name == ErrorType.SERVICE_UNKNOWN.value)
    await shop.call_quit()
    bus.disconnect()
    await bus.wait_for_disconnect()


asyncio.run(main())
