# SPDX-License-Identifier: MIT
"""Who may talk, who is believed, and what is given away."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from functools import partial
from typing import Any, Callable

import wire
from cases import ASYNCIO, CLASSIC, OURS, REFERENCE, Case, Lost, NotOffered, Place
from faces import Aio, Face, Glib, OnAsyncio, Sdbus
from listeners import LISTENERS, Listener, OfAio
from observed import expect
from wire import BUS, BUS_PATH, Peer

NOBODY = 65534
NAME = "org.example.Name"


def as_user(uid: int, function: Callable[[], str]) -> str:
    """What the function returns in a process of another user; it must only use plain sockets."""
    if os.getuid() != 0:
        raise NotOffered("needs root, to become another user")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.seteuid(0)
            if uid:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            result = function()
        except BaseException as error:
            result = type(error).__name__
        os.write(writer, result.encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as file:
        result = file.read()
    os.waitpid(child, 0)
    return result


def _hex(text: object) -> bytes:
    return str(text).encode().hex().encode()


def _external(claim: int) -> bytes:
    return b"\0AUTH EXTERNAL " + _hex(claim) + b"\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"


# What strangers say to be let in, as the user nobody.
STRANGERS: "dict[str, bytes]" = {
    "as himself": _external(NOBODY),
    "as root": _external(0),
    "as the server's user by name": b"\0AUTH EXTERNAL " + _hex("root") + b"\r\nBEGIN\r\n",
    "without a claim": b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n",
    "anonymously": b"\0AUTH ANONYMOUS " + _hex("me") + b"\r\nBEGIN\r\n",
    "by a cookie that is none": b"\0AUTH DBUS_COOKIE_SHA1 "
    + _hex("root")
    + b"\r\nDATA 00\r\nBEGIN\r\n",
    "without a word": b"\0BEGIN\r\n",
}  # fmt: skip


def knock(address: str, words: bytes) -> str:
    """Say this, call a method and see what comes of it."""
    peer = Peer.connected(address)
    peer.socket.settimeout(3)
    try:
        peer.send(words + wire.call("Good", serial=7))
    except OSError:
        return "shown out"
    heard = b""
    try:
        while b"good" not in heard:
            more = peer.socket.recv(4096)
            if not more:
                return "shown out"
            heard += more
    except TimeoutError:
        return "kept waiting"
    except OSError:
        return "shown out"
    return "served"


def stranger(
    words: bytes, anonymous: bool, wanted: str, kind: "type[Listener]", where: str, place: Place
) -> str:
    """Another user at the door."""
    folder = place.stack.enter_context(_open_folder())
    listener = kind(place, where.format(folder), anonymous, auth_timeout=1)
    steady = listener.client()
    seen = listener.beside(lambda: as_user(NOBODY, lambda: knock(listener.address, words)))
    expect(seen, wanted)
    listener.ask(steady)
    return str(seen)


def _open_folder() -> Any:
    import tempfile

    folder = tempfile.TemporaryDirectory(prefix="dbus-")
    os.chmod(folder.name, 0o777)
    return folder


def root_at_the_door(kind: "type[Listener]", place: Place) -> str:
    """The server of another user lets root in, as libdbus does."""
    if os.getuid() != 0:
        raise NotOffered("needs root, to become another user")
    folder = place.stack.enter_context(_open_folder())
    os.seteuid(NOBODY)
    place.stack.callback(os.seteuid, 0)
    listener = kind(place, f"unix:dir={folder}")
    return str(listener.beside(lambda: as_user(0, lambda: knock(listener.address, _external(0)))))


def only_external(kind: "type[Listener]", place: Place) -> str:
    """With auth_mechanisms, the others are not offered, even where anybody may come in."""
    import dbus.server
    from dbus.connection import Connection

    face = kind.turner(place)
    folder = place.stack.enter_context(_open_folder())
    server = dbus.server.Server(
        f"unix:dir={folder}", Connection, face.main_loop(), auth_mechanisms=["EXTERNAL"]
    )
    kept: "list[Any]" = []

    def added(connection: Any) -> None:
        kept.append(connection)
        connection.set_allow_anonymous(True)

    server.on_connection_added.append(added)

    def ask(words: bytes) -> str:
        peer = Peer.connected(server.address)
        peer.send(words)
        return peer.line().decode().strip()

    seen: "list[str]" = []

    def run() -> None:
        seen.extend(ask(words) for words in (b"\0AUTH ANONYMOUS 61\r\n", b"\0AUTH\r\n"))

    import threading

    thread = threading.Thread(target=run)
    thread.start()
    face.until(lambda: not thread.is_alive(), 10)
    expect(seen, ["REJECTED EXTERNAL"] * 2)
    return seen[0]


# --- Who is believed


class Scene:
    """A bus with an owner of a name, an impostor, and one who listens."""

    def __init__(self, face_type: "type[Face]", place: Place) -> None:
        self.face: Any = face_type(place)
        self.face.open(place.bus.address)
        self.me = self.face.unique_name()
        self.owner, self.impostor = (Peer.client(place.bus.address) for _ in range(2))
        self.owner_name, self.impostor_name = self.owner.hello(), self.impostor.hello()
        self.heard: "list[Any]" = []

    def own(self, peer: Peer, member: str = "RequestName") -> None:
        """Take the name, or give it up with ReleaseName."""
        args: "tuple[Any, ...]" = ("su", NAME, 0) if member == "RequestName" else ("s", NAME)
        peer.ask(wire.call(member, BUS_PATH, BUS, BUS, *args, serial=next(wire.serials)))

    def emit(self, peer: Peer, text: str, to: str = "", sender: str = "") -> None:
        """Send the signal S, and see that the bus has passed it on."""
        fields: "dict[int, tuple[str, Any]]" = {
            wire.PATH: ("o", "/s"), wire.INTERFACE: ("s", "test.I"), wire.MEMBER: ("s", "S")
        }  # fmt: skip
        if to:
            fields[wire.DESTINATION] = ("s", to)
        if sender:
            fields[wire.SENDER] = ("s", sender)
        peer.send(wire.message(wire.SIGNAL, next(wire.serials), fields, "s", text))
        self.settle(peer)

    def settle(self, peer: Peer) -> None:
        """All that this one has sent has gone through the bus."""
        peer.ask(wire.call("GetId", BUS_PATH, BUS, BUS, serial=next(wire.serials)))

    def forge_owner(self, peer: Peer, new: str) -> None:
        """Say to the listener what only the bus may say."""
        fields = {
            wire.PATH: ("o", BUS_PATH),
            wire.INTERFACE: ("s", BUS),
            wire.MEMBER: ("s", "NameOwnerChanged"),
            wire.DESTINATION: ("s", self.me),
            wire.SENDER: ("s", BUS),
        }
        data = wire.message(
            wire.SIGNAL, next(wire.serials), fields, "sss", NAME, self.owner_name, new
        )
        peer.send(data)
        self.settle(peer)

    def listen(self, how: str, name: str) -> None:
        """Receive S from the name."""
        if how == "receiver":
            self.face.connection.add_signal_receiver(self.heard.append, "S", "test.I", name, "/s")
        elif how in ("proxy", "following proxy"):
            proxy = self.face.connection.get_object(
                name, "/s", introspect=False, follow_name_owner_changes=how != "proxy"
            )
            proxy.connect_to_signal("S", self.heard.append, "test.I")
        elif how == "match":
            self.face.listen("S", self.heard, name)
        else:
            xml = """<node><interface name='test.I'><signal name='S'><arg type='s'/></signal>
                </interface></node>"""

            async def subscribe() -> None:
                proxy = self.face.bus.get_proxy_object(name, "/s", xml)
                self.thing = proxy.get_interface("test.I")
                self.thing.on_s(self.heard.append)

            self.face.finish(subscribe())
        self.flush()
        self.flush()

    def flush(self) -> None:
        """The listener has heard all that the bus had for it."""
        self.face.call("Anything", 10, BUS)
        self.face.until(lambda: False, 0.01)

    def heard_now(self) -> "list[Any]":
        self.flush()
        heard, self.heard[:] = list(self.heard), []
        return [str(text) for text in heard]

    def no_lies(self, who: str) -> None:
        """The impostor tries everything; the owner is heard, the impostor is not."""
        liar, honest = self.impostor, self.owner
        self.forge_owner(liar, self.impostor_name)
        self.emit(liar, "broadcast lie")
        self.emit(liar, "lie to one", self.me)
        self.emit(liar, "lie in the name of another", self.me, self.owner_name)
        self.emit(liar, "lie in the name", self.me, NAME)
        expect(self.heard_now(), [])
        if who == "owner":
            self.emit(honest, "truth")
            self.emit(honest, "truth to one", self.me)
            expect(self.heard_now(), ["truth", "truth to one"])


def impostor(how: str, face_type: "type[Face]", place: Place) -> str:
    """The name has an owner all the time."""
    scene = Scene(face_type, place)
    scene.own(scene.owner)
    scene.listen(how, NAME)
    scene.no_lies("owner")
    return "heard the owner alone"


def impostor_by_unique_name(how: str, face_type: "type[Face]", place: Place) -> str:
    """The sender is given by its unique name."""
    scene = Scene(face_type, place)
    scene.listen(how, scene.owner_name)
    scene.no_lies("owner")
    return "heard the owner alone"


def owner_changes(how: str, face_type: "type[Face]", place: Place) -> str:
    """Nobody, then one, then nobody, then the other, who queued until the first is dead."""
    scene = Scene(face_type, place)
    scene.listen(how, NAME)
    scene.emit(scene.owner, "too early")
    scene.no_lies("nobody")
    scene.own(scene.owner)
    scene.flush()
    scene.no_lies("owner")
    scene.own(scene.owner, "ReleaseName")
    scene.flush()
    scene.emit(scene.owner, "too late")
    scene.emit(scene.owner, "too late for one", scene.me)
    scene.no_lies("nobody")
    scene.own(scene.owner)
    scene.own(scene.impostor)  # in the queue
    scene.flush()
    scene.no_lies("owner")
    scene.owner.close()
    while scene.owner_name in names(scene.impostor):
        pass
    scene.flush()
    scene.emit(scene.impostor, "mine now")
    expect(scene.heard_now(), ["mine now"])
    return "heard each in his time"


def names(peer: Peer) -> str:
    """All names on the bus, as they came."""
    return peer.ask(
        wire.call("ListNames", BUS_PATH, BUS, BUS, serial=next(wire.serials))
    ).body.decode("latin-1")


def forged_on_a_peer(face_type: "type[Face]", place: Place) -> str:
    """Without a bus the sender is what the peer says: only what fits is delivered."""
    from fakepeer import FakePeer

    def deed(peer: Peer, msg: wire.Received) -> None:
        for sender in ("org.example.Other", NAME, BUS):
            peer.send(wire.signal("S", "/s", "test.I", sender, "s", sender))
        peer.send(wire.returned(msg.serial, "s", "good"))

    heard: "list[str]" = []
    with FakePeer(deed) as fake:
        face: Any = face_type(place)
        face.open_peer(fake.address)
        face.connection.add_signal_receiver(heard.append, "S", "test.I", NAME)
        expect(face.call("M"), "reply: good")
        face.until(lambda: heard, 5)
        expect(heard, [NAME])
        face.close()
    return "the one that fits"


# --- What is given away


def close_on_exec(kind: "type[Listener]", place: Place) -> str:
    """No program that is started gets a descriptor: of connections, servers, loops, messages."""
    before = set(os.listdir("/proc/self/fd"))
    listener = kind(place)
    own = listener.client()
    clients = {str(own.socket.fileno())}
    face: Any = Aio(place) if kind is OfAio else listener.face
    if not isinstance(face, Aio) and type(face) not in (Glib, OnAsyncio):
        raise Lost("no such face")
    face.open(place.bus.address)
    listener.until(lambda: False, 0.05)
    open_now = [
        int(fd) for fd in os.listdir("/proc/self/fd") if fd not in before and fd not in clients
    ]
    seen = 0
    for fd in open_now:
        try:
            flags = fcntl.fcntl(fd, fcntl.F_GETFD)
        except OSError:
            continue
        seen += 1
        if not flags & fcntl.FD_CLOEXEC:
            raise Lost(f"descriptor {fd}, {os.readlink(f'/proc/self/fd/{fd}')}, is inherited")
    if seen < 3:
        raise Lost(f"only {seen} descriptors were found")
    return f"{seen} descriptors"


def descriptor_of_a_message(place: Place) -> str:
    """One that a message brings is not inherited either."""
    from dbus.lowlevel import SignalMessage
    from dbus.types import UnixFd

    with open("/dev/null") as null:
        os.set_inheritable(null.fileno(), True)
        message = SignalMessage("/a", "a.b", "C")
        message.append(UnixFd(null), signature="h")
        fd = message.get_args_list()[0].take()
        inherited = os.get_inheritable(fd)
        os.close(fd)
    expect(inherited, False)
    return "not inherited"


def private_bus(place: Place) -> str:
    """Its directory is for its user alone; another user cannot even reach its socket."""
    path = place.bus.address.split("path=")[1].split(",")[0]
    mode = stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode)
    expect(oct(mode), "0o700")
    expect(as_user(NOBODY, lambda: knock(place.bus.address, _external(NOBODY))), "PermissionError")
    return "PermissionError"


SECRET = "the-secret"


def no_traceback(place: Place) -> str:
    """With SEND_TRACEBACKS off no error reply tells about the inside of the program."""
    import dbus.service

    if place.side == REFERENCE:
        raise NotOffered("a switch for tracebacks")

    class Thing(dbus.service.Object):
        SEND_TRACEBACKS = False

        @dbus.service.method("test.I")
        def Raises(self) -> None:
            raise KeyError("no such key")

        @dbus.service.method("test.I", in_signature="i", out_signature="i")
        def WrongResult(self, number: int) -> str:
            return SECRET

        @dbus.service.method("test.I", async_callbacks=("reply", "fail"))
        def Fails(self, reply: Any, fail: Any) -> None:
            fail(ValueError("no"))

        @dbus.service.method("test.I", async_callbacks=("reply", "fail"))
        def RaisesInstead(self, reply: Any, fail: Any) -> None:
            raise ValueError("no")

        @dbus.service.method("test.I")
        async def Later(self) -> None:
            raise ValueError("no")

        @dbus.service.method("test.I")
        def Chained(self) -> None:
            try:
                raise KeyError(SECRET)
            except KeyError:
                raise ValueError("no") from None

    face = OnAsyncio(place)
    face.open(place.bus.address)
    Thing(face.connection, "/")
    me = face.connection.get_unique_name()
    members = [name for name in vars(Thing) if name[0].isupper() and name[1].islower()]
    return check_errors(face, place, me, [*members, "Unknown"])


def check_errors(face: Any, place: Place, me: str, members: "list[str]") -> str:
    """Call each, with right and wrong arguments; none of the errors may tell too much."""
    peer = Peer.client(place.bus.address)
    peer.hello()
    count = 0
    for member in members:
        for signature, values in (("", ()), ("i", (1,)), ("s", ("x",))):
            number = next(wire.serials)
            data = wire.call(member, "/", "test.I", me, signature, *values, serial=number)
            peer.send(data)
            replies: "list[Any]" = []

            def ask(number: int = number, replies: "list[Any]" = replies) -> None:
                while True:
                    got = peer.receive()
                    if got.reply_serial == number:
                        replies.append(got)
                        return

            import threading

            thread = threading.Thread(target=ask, daemon=True)
            thread.start()
            face.until(lambda: not thread.is_alive(), 10)  # noqa: B023
            if not replies or replies[0].kind != wire.ERROR:
                raise Lost(f"{member}({signature}): {replies} in place of an error")
            text = replies[0].body.decode("latin-1")
            for word in ("Traceback", "File ", ".py", SECRET, os.sep + "work"):
                if word in text:
                    raise Lost(f"{member}({signature}): {word!r} is in {text!r}")
            count += 1
    return f"{count} errors"


def no_traceback_of_aio(place: Place) -> str:
    """The API of dbus-fast: nothing of the kind is sent."""
    service = place.module("service")
    dbus_property = service.dbus_property
    method = getattr(service, "dbus_method", None) or service.method

    class Thing(service.ServiceInterface):  # type: ignore[name-defined,misc]
        @method()
        def Raises(self):  # type: ignore[no-untyped-def]
            raise KeyError(SECRET)

        @method()
        def WrongResult(self) -> "i":  # type: ignore[name-defined]  # noqa: F821
            return SECRET

        @method()
        async def Later(self):  # type: ignore[no-untyped-def]
            raise ValueError(SECRET)

        @dbus_property()
        def P(self) -> "s":  # type: ignore[name-defined]  # noqa: F821
            raise ValueError(SECRET)

        @P.setter
        def P(self, value: "s") -> None:  # type: ignore[name-defined]  # noqa: F821
            raise ValueError(SECRET)

    import logging

    logging.disable(logging.CRITICAL)
    face = Aio(place)
    face.open(place.bus.address)
    face.loop.set_exception_handler(lambda loop, report: None)

    async def export() -> None:
        face.bus.export("/", Thing("test.I"))

    face.finish(export())
    members = ["Raises", "WrongResult", "Later", "Unknown"]
    return check_errors(face, place, str(face.bus.unique_name), members)


ADDRESSES = {"path": "unix:path={}/socket", "dir": "unix:dir={}", "tmpdir": "unix:tmpdir={}"}


def cases() -> Iterator[Case]:
    """All of them."""
    for kind in LISTENERS:
        for name, words in STRANGERS.items():
            where = ADDRESSES["path"]
            run = partial(stranger, words, False, "shown out", kind, where)
            yield Case(f"a stranger, {name} ({kind.name})", run, kind.sides)
        for key in ("dir", "tmpdir"):
            run = partial(
                stranger, STRANGERS["as himself"], False, "shown out", kind, ADDRESSES[key]
            )
            yield Case(f"a stranger, at unix:{key} ({kind.name})", run, kind.sides)
        for name, wanted in (("anonymously", "served"), ("as root", "shown out")):
            run = partial(stranger, STRANGERS[name], True, wanted, kind, ADDRESSES["path"])
            yield Case(f"all may come in, {name} ({kind.name})", run, kind.sides)
        yield Case(f"root comes in ({kind.name})", partial(root_at_the_door, kind), kind.sides)
        yield Case(f"close on exec ({kind.name})", partial(close_on_exec, kind), kind.sides)
        if kind is not OfAio:
            yield Case(
                f"no other mechanism ({kind.name})", partial(only_external, kind), kind.sides
            )
    for face, ways in (
        (Glib, ("receiver", "proxy", "following proxy")),
        (OnAsyncio, ("receiver", "proxy", "following proxy")),
        (Aio, ("on",)),
        (Sdbus, ("match",)),
    ):
        for how in ways:
            end = f"{how} ({face.name})"
            yield Case(f"an impostor, {end}", partial(impostor, how, face), face.sides)
            yield Case(
                f"an impostor, unique name, {end}",
                partial(impostor_by_unique_name, how, face),
                face.sides,
            )
            if how != "proxy":  # that one stays with the owner that it has found
                yield Case(f"owners change, {end}", partial(owner_changes, how, face), face.sides)
        if hasattr(face, "open_peer"):
            yield Case(
                f"forged on a peer ({face.name})", partial(forged_on_a_peer, face), face.sides
            )
    yield Case("a message's descriptor", descriptor_of_a_message, CLASSIC)
    yield Case("the private bus", private_bus, (OURS,))
    yield Case("no traceback", no_traceback, CLASSIC)
    yield Case("no traceback of asyncio services", no_traceback_of_aio, ASYNCIO)


CASES = tuple(cases())
