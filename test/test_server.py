# SPDX-License-Identifier: MIT
"""dbus.server: clients that are not let in, ends that a sender sees first, bad replies."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import selectors
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import wire
from gi.repository import GLib
from glibloop import run_pending
from marshalling import FakePeer
from peers import Calls, run_until

import dbus
import dbus.lowlevel
import dbus.server
import dbus.service
from dbus.mainloop.asyncio import DBusAsyncioMainLoop
from dbus.mainloop.glib import DBusGMainLoop


class Impatient(dbus.server.Server):
    auth_timeout = 0.2


def served(kind: Any, folder: Path) -> Iterator[Any]:
    server = kind(f"unix:path={folder}/socket", mainloop=DBusGMainLoop())
    server.seen = []
    server.gone = []
    server.on_connection_added.append(server.seen.append)
    server.on_connection_removed.append(server.gone.append)
    yield server
    server.disconnect()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Any]:
    yield from served(dbus.server.Server, tmp_path)


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Any]:
    yield from served(Impatient, tmp_path)


class Client(wire.Peer):
    """It does not wait for the server, whose loop runs in the same thread."""

    def begin(self) -> None:
        uid = wire.os.geteuid()
        self.send(b"\0AUTH EXTERNAL " + str(uid).encode().hex().encode() + b"\r\nBEGIN\r\n")


@pytest.mark.parametrize("words", [b"", b"\0", b"\0AUTH EXTERNAL 3", b"\0" + b"AUTH\r\n" * 3])
def test_a_client_that_does_not_authenticate_is_sent_away(impatient: Any, words: bytes) -> None:
    steady, idle = (Client.connected(impatient.address) for _ in range(2))
    steady.begin()
    run_until(lambda: len(impatient.seen) == 2)
    idle.send(words)
    begin = time.monotonic()
    run_until(lambda: impatient.gone)
    assert time.monotonic() - begin > 0.15
    assert impatient.gone == [next(c for c in impatient.seen if not c.get_is_authenticated())]
    assert idle.ended(5)
    steady.send(wire.call("Ping", interface="org.freedesktop.DBus.Peer", serial=5))
    (there,) = (c for c in impatient.seen if c.get_is_connected())
    seen: list[Any] = []
    there.add_message_filter(lambda _c, message: seen.append(message.get_member()) or 1)
    steady.send(wire.call("M"))
    run_until(lambda: "M" in seen)
    steady.close()
    run_until(lambda: len(impatient.gone) == 2)
    idle.close()


def test_without_a_limit(server: Any) -> None:
    kind = type("Patient", (dbus.server.Server,), {"auth_timeout": None})
    patient = kind(f"unix:path={server.address.split('path=')[1].split(',')[0]}.2",
                   mainloop=DBusGMainLoop())  # fmt: skip
    client = Client.connected(patient.address)
    seen: list[Any] = []
    patient.on_connection_added.append(seen.append)
    run_until(lambda: seen)
    assert seen[0].get_is_connected()
    client.close()
    patient.disconnect()


@pytest.mark.parametrize("wrong", ["x", None, 1e300])
def test_a_limit_that_is_none(server: Any, wrong: Any) -> None:
    client = Client.connected(server.address)
    run_until(lambda: server.seen)
    with pytest.raises((TypeError, ValueError)):
        server.seen[0]._limit_authentication(wrong)
    client.close()


@pytest.fixture
def reset(server: Any) -> Any:
    """A connection whose peer has gone with something unread: to send fails, and nothing is to be
    read."""
    client = Client.connected(server.address)
    client.begin()
    run_until(lambda: server.seen and server.seen[0].get_is_authenticated())
    connection = server.seen[0]
    connection.send_message(dbus.lowlevel.SignalMessage("/a", "a.b", "C"))
    connection.flush()
    client.close()
    return connection


def test_an_end_that_is_found_by_sending_is_told(server: Any, reset: Any) -> None:
    gone = Calls()
    reset.call_on_disconnection(gone)
    for _ in range(3):
        reset.send_message(dbus.lowlevel.SignalMessage("/a", "a.b", "C"))
    assert gone.wait().args == [(reset,)]
    assert server.gone == [reset]


def test_an_end_that_is_found_by_calling_ends_the_calls(server: Any, reset: Any) -> None:
    got = Calls()
    for _ in range(3):
        try:
            reset.call_async(None, "/", "a.b", "M", "", (), got, got, timeout=30)
        except dbus.DBusException:
            got(None)  # it is known by now
    begin = time.monotonic()
    run_until(lambda: len(got) == 3 and server.gone)
    assert time.monotonic() - begin < 5
    assert server.gone == [reset]


def test_an_end_that_is_found_by_a_blocking_call_ends_it(server: Any, reset: Any) -> None:
    begin = time.monotonic()
    with pytest.raises(dbus.DBusException):
        reset.call_blocking(None, "/", "a.b", "M", "", (), timeout=30)
    assert time.monotonic() - begin < 5
    run_until(lambda: server.gone)


@pytest.mark.parametrize(
    "reply",
    [
        lambda serial: wire.returned(serial, "h", 0),
        lambda serial: wire.failed(serial, "a.Bad", "h", 0),
    ],
)
def test_a_reply_that_cannot_be_read_ends_the_call(reply: Any) -> None:
    with FakePeer(lambda peer, message: peer.send(reply(message.serial))) as fake:
        client = dbus.connection.Connection(fake.address, mainloop=DBusGMainLoop())
        good, bad = Calls(), Calls()
        for _ in range(2):
            client.call_async(None, "/", "test.I", "M", "", (), good, bad)
        run_until(lambda: len(bad) == 2)
        assert good == [] and all(isinstance(error, ValueError) for error in bad.firsts)
        client.call_async(None, "/", "test.I", "Good", "", (), good, bad)
        assert good.wait().args == [("good",)]
        assert len(bad) == 2
        client.close()


class Big(dbus.service.Object):
    """Gives away a MiB at a time."""

    asked = 0

    @dbus.service.method("test.I", in_signature="u", out_signature="uay")
    def M(self, number: int) -> Any:
        self.asked += 1
        return number, bytes(1 << 20)


def test_calls_of_a_peer_that_reads_no_reply_wait_their_turn(server: Any) -> None:
    client = Client.connected(server.address)
    client.begin()
    run_until(lambda: server.seen and server.seen[0].get_is_authenticated())
    connection = server.seen[0]
    big, said, good, bad = Big(connection, "/"), Calls(), Calls(), Calls()
    connection.add_signal_receiver(said, "Said", "test.I")
    serials = [next(wire.serials) for _ in range(60)]
    for number, serial in enumerate(serials):
        client.send(wire.call("M", "/", "test.I", None, "u", number, serial=serial))
    client.send(wire.signal("Said"))
    said.wait()  # what is no call does not wait
    assert 16 <= big.asked <= 18
    connection.call_async(None, "/", "test.I", "M", "", (), good, bad, timeout=0.05)
    assert bad.wait().args[0][0].get_dbus_name().endswith("NoReply") and big.asked <= 18

    replies: list[Any] = []

    def read() -> None:
        client.line()  # of the handshake
        while len(replies) < len(serials):
            got = client.receive()
            if got.kind == wire.RETURN:
                replies.append((got.reply_serial, int.from_bytes(got.body[:4], "little")))
        client.send(wire.signal("Said"))

    reader = threading.Thread(target=read)
    reader.start()
    run_until(lambda: len(said) == 2)
    reader.join()
    assert replies == [(serial, number) for number, serial in enumerate(serials)]
    assert big.asked == len(serials)
    client.close()


def test_the_end_of_a_peer_that_is_not_read_any_more(server: Any) -> None:
    client = Client.connected(server.address)
    client.begin()
    run_until(lambda: server.seen and server.seen[0].get_is_authenticated())
    big, sent = Big(server.seen[0], "/"), []
    client.socket.settimeout(1)

    def flood() -> None:
        large = wire.call("No", "/", "test.I", None, "ay", bytes(1 << 20))
        for number in range(20):
            client.send(wire.call("M", "/", "test.I", None, "u", number))
        with suppress(socket.timeout):
            while len(sent) < 200:
                client.send(large)
                sent.append(1)
        client.close()

    thread = threading.Thread(target=flood)
    thread.start()
    run_until(lambda: server.gone)
    thread.join()
    assert 60 < len(sent) < 80  # libdbus takes in 63 MiB
    gone = weakref.ref(server.seen.pop())
    server.gone.clear()
    del big
    run_until(lambda: gc.collect() == 0 and gone() is None)


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """No file can be opened, and nothing be accepted."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def turns_of_glib() -> int:
    """How often its loop turns in 0.3 s."""
    over: list[bool] = []
    GLib.timeout_add(300, lambda: over.append(True))
    turns = 0
    while not over:
        GLib.MainContext.default().iteration(True)
        turns += 1
    return turns


def test_clients_wait_quietly_for_a_descriptor(server: Any) -> None:
    gc.collect()
    run_pending()  # so that nothing that has ended gives up a descriptor meanwhile
    clients = [Client.connected(server.address) for _ in range(3)]
    with no_descriptor_left():
        assert turns_of_glib() < 50
    assert not server.seen
    run_until(lambda: len(server.seen) == 3)
    for client in clients:
        client.close()


def test_clients_wait_quietly_on_asyncio(tmp_path: Path) -> None:
    class Counting(selectors.DefaultSelector):
        turns = 0

        def select(self, timeout: Any = None) -> Any:
            self.turns += 1
            return super().select(timeout)

    selector = Counting()
    loop = asyncio.SelectorEventLoop(selector)
    server = dbus.server.Server(f"unix:dir={tmp_path}", mainloop=DBusAsyncioMainLoop(loop))
    seen: list[Any] = []
    server.on_connection_added.append(seen.append)
    clients = [Client.connected(server.address) for _ in range(3)]
    with no_descriptor_left():
        loop.run_until_complete(asyncio.sleep(0.3))
    assert 0 < selector.turns < 50
    assert not seen
    server.on_connection_added.append(lambda _: len(seen) == 3 and loop.stop())
    loop.run_forever()
    server.disconnect()
    for client in clients:
        client.close()
    loop.close()
