# SPDX-License-Identifier: MIT
"""`MessageBus`: a connection to a message bus, or to another program directly, on asyncio.

Messages go through the C module in one step each way; nothing here blocks the loop.  A bus belongs
to the loop that runs when it connects, and is for that loop's thread alone.  While it is connected
the loop keeps it, as it keeps any transport.
"""

from __future__ import annotations

import asyncio
from itertools import count

from _dbus_bindings import LOCAL_IFACE, Connection, _native_main_loop
from dbus.aio._address import bus_address as _well_known_address
from dbus.aio._address import connect_error
from dbus.aio._exports import Exports
from dbus.aio._handlers import Handlers, close_fds, refuse_fds
from dbus.aio._subscriptions import Subscriptions, bus_call, result_of
from dbus.aio.auth import libdbus_mechanism
from dbus.aio.constants import (
    BusType,
    ErrorType,
    MessageType,
    NameFlag,
    ReleaseNameReply,
    RequestNameReply,
)
from dbus.aio.errors import AuthError, AuthTimeoutError, DBusError, DisconnectedError
from dbus.aio.message import NOT_SENDABLE, Message, refusal
from dbus.aio.validators import assert_bus_name_valid, assert_object_path_valid
from dbus.exceptions import DBusException
from dbus.mainloop.asyncio import Served

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import TracebackType
    from typing import Any, Callable, Optional, TypeVar, Union

    from _dbus_bindings import _LoopSource
    from dbus.aio._handlers import Handler
    from dbus.aio.auth import Authenticator
    from dbus.aio.introspection import Node
    from dbus.aio.proxy_object import ProxyObject
    from dbus.aio.service import ServiceInterface

    Answered = Callable[[Optional[Message]], None]
    _Known = TypeVar("_Known", RequestNameReply, ReleaseNameReply)

_CALL = MessageType.METHOD_CALL
_SIGNAL = MessageType.SIGNAL


# Serials for next_serial(): neither libdbus, which counts from 1, nor the C module, which numbers
# calls from 2**31, comes here.
_FIRST_SERIAL = 2**30
_SERIALS = 2**30

# Seconds between two attempts to connect again: doubled each time, up to the limit.
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 30.0


class MessageBus:
    """A connection to a message bus, to be made by `connect`.

    :param bus_address: where to connect; None for the bus of ``bus_type``
    :param bus_type: which of the well-known buses
    :param auth: who to be; None for `AuthExternal`, the user of this process
    :param negotiate_unix_fd: whether messages may bring file descriptors; calls that do are
        refused otherwise
    :param auth_timeout: seconds that the greeting may take, None for no limit
    :param peer: there is no bus at the other end, but a program: a peer-to-peer connection
    :param reconnect: when the connection is lost, connect again, request the names again and
        tell the bus all match rules; calls fail meanwhile
    :param on_reconnect: called with this bus each time that has been done

    Entered with ``async with`` it connects, and disconnects at the end.
    """

    def __init__(
        self,
        bus_address: Optional[str] = None,
        bus_type: BusType = BusType.SESSION,
        auth: Optional[Authenticator] = None,
        negotiate_unix_fd: bool = False,
        auth_timeout: Optional[float] = None,
        *,
        peer: bool = False,
        reconnect: bool = False,
        on_reconnect: Optional[Callable[[MessageBus], object]] = None,
    ) -> None:
        #: The name that the bus has given to this connection; None before, and without a bus.
        self.unique_name: Optional[str] = None
        self._address = bus_address
        self._bus_type = bus_type
        self._auth = auth
        self._with_fds = negotiate_unix_fd
        self._auth_timeout = auth_timeout
        self._peer = peer
        self._reconnects = reconnect
        self._on_reconnect = on_reconnect
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._connection: Optional[Connection] = None
        self._served: Optional[Served] = None
        self._greeted = False
        self._leaving = False  # disconnect() was called
        self._connecting: Optional[asyncio.Lock] = None
        self._serials = count()
        self._handlers = Handlers(self)
        self._subscriptions = Subscriptions(self)
        self._exports = Exports(self)
        self._names: dict[str, NameFlag] = {}  # to be requested again
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unwritten: list[asyncio.Future[None]] = []
        self._ended = False
        self._end_waiters: list[asyncio.Future[None]] = []

    @property
    def connected(self) -> bool:
        """True if messages can be sent and received."""
        connection = self._connection
        return self._greeted and connection is not None and connection.get_is_connected()

    # --- Connecting and disconnecting

    async def connect(self) -> MessageBus:
        """Connect and be greeted by the bus; return this bus.  Nothing is done if it is connected.

        AuthError if the other side refuses the authentication or it cannot be done as asked,
        AuthTimeoutError if that takes longer than ``auth_timeout``; InvalidAddressError for an
        address that is none; OSError, of the class that fits, if nobody can be reached there;
        DBusError if the bus refuses the greeting or answers it wrongly.
        """
        libdbus_mechanism(self._auth)
        self._loop = asyncio.get_running_loop()
        if self._connecting is None:
            self._connecting = asyncio.Lock()
        async with self._connecting:
            if not self.connected:
                await self._open()
        return self

    async def _open(self) -> None:
        loop = self._running_loop()
        address = self._address or _well_known_address(self._bus_type)
        # To open a socket may block: on a name to look up, or on a queue that is full.
        try:
            opened = await loop.run_in_executor(None, Connection._open, address)
        except DBusException as error:
            raise connect_error(error) from error

        def attach(source: _LoopSource) -> Served:
            self._served = Served(loop, source)
            return self._served

        connection = Connection(opened, _native_main_loop(attach))
        assert self._served is not None
        self._serve(connection, self._served)
        try:
            await self._greet()
        except BaseException:
            self._close()
            raise

    def _serve(self, connection: Connection, served: Served) -> None:
        """Speak through a connection that the loop serves, and be kept by it."""
        self._ended = self._leaving = False
        self._served = served
        served.keep = self
        self._connection = connection
        connection._receive_plain(
            self._receive, self._running_loop(), self._handlers.all, self._call_ended
        )
        self._exports.serve_through(connection)
        subscriptions = self._subscriptions
        connection._deliver_plain(
            self._handlers.settle,
            subscriptions.matches,
            None if self._peer else subscriptions.owners,
            self._with_fds,
        )

    def _accept(self, connection: Connection, served: Served) -> None:
        """Be the side of a server of a peer-to-peer connection: nothing is to be said first."""
        self._running_loop()
        self._serve(connection, served)
        self._established()

    def _established(self) -> None:
        self._greeted = True
        self._subscriptions.connected(not self._peer)

    async def _greet(self) -> None:
        """Say Hello to the bus; Ping a peer, as its answer shows that it is willing to talk."""
        if self._peer:
            greeting = Message(
                path="/", interface="org.freedesktop.DBus.Peer", member="Ping", validate=False
            )
        else:
            greeting = bus_call("Hello", "")
        assert self._connection is not None
        connection = self._connection
        try:
            reply = await self.call(greeting, timeout=self._auth_timeout)
        except DisconnectedError:
            if connection.get_is_authenticated():
                raise
            raise AuthError("the other side has refused the authentication") from None
        except asyncio.TimeoutError:
            raise AuthTimeoutError(
                f"no answer to the greeting in {self._auth_timeout} seconds"
            ) from None
        assert reply is not None
        if not self._peer:
            self.unique_name = result_of("Hello", reply, "s")
        self._established()

    def disconnect(self) -> None:
        """End the connection.  Calls in flight and later ones fail with DisconnectedError."""
        self._leaving = True
        if self._connection is not None:
            self._close()
        else:
            self._cancel_tasks()  # such as the one that tries to connect again
            self._tell_end()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    async def wait_for_disconnect(self) -> None:
        """Wait until the connection has ended: at once if it has already.

        DisconnectedError (a ConnectionError and an EOFError) unless `disconnect` was called.
        """
        if not self._ended:
            future = asyncio.get_running_loop().create_future()
            self._end_waiters.append(future)
            try:
                await future
            finally:
                if future in self._end_waiters:
                    self._end_waiters.remove(future)
        if not self._leaving:
            raise DisconnectedError("the connection was lost")

    def _lost(self) -> None:
        """The connection is over: everything that was received before has been delivered."""
        self._connection = None
        if self._served is not None:
            self._served.keep = None
            self._served = None
        unwritten, self._unwritten = self._unwritten, []
        for future in unwritten:
            if not future.done():
                future.set_exception(DisconnectedError("the connection was lost"))
        if not self._greeted:
            return  # whoever connects hears of it
        self._greeted = False
        self._cancel_tasks()
        if self._reconnects and not self._leaving:
            self._spawn(self._connect_again())
        else:
            self._tell_end()

    def _cancel_tasks(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    def _tell_end(self) -> None:
        self._ended = True
        waiters, self._end_waiters = self._end_waiters, []
        for future in waiters:
            if not future.done():
                future.set_result(None)

    def _when_ended(self, callback: Callable[[], object]) -> None:
        """Have ``callback`` called when the connection has ended for good."""
        future = self._new_future()
        future.add_done_callback(lambda _: callback())
        self._end_waiters.append(future)

    async def _connect_again(self) -> None:
        delay = _FIRST_DELAY
        while not self._leaving:
            try:
                await self._open()
                for name, flags in self._names.items():
                    await self._ask_about_name("RequestName", "su", name, flags.value)
                break
            except (OSError, ValueError, MemoryError, DBusError):
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LONGEST_DELAY)
        if self._on_reconnect is not None and self.connected:
            self._on_reconnect(self)

    async def __aenter__(self) -> MessageBus:
        return await self.connect()

    async def __aexit__(
        self,
        exc_type: Optional[type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.disconnect()
        await self.wait_for_disconnect()

    # --- Sending

    def next_serial(self) -> int:
        """A number for the ``serial`` of a message, which nothing else on this bus gets."""
        return _FIRST_SERIAL + next(self._serials) % _SERIALS

    def send(self, msg: Message) -> asyncio.Future[None]:
        """Queue a message; the future is done when it is written.

        The message gets a serial if it has none.  The future's exception is DisconnectedError if
        there is no connection.  Raises at once: TypeError for what is no Message, and the errors
        of `Message` or SignatureBodyMismatchError for one that cannot be sent.  What the values of
        the body raise themselves is raised as it is, and RuntimeError for a dict that changes
        while it is read.
        """
        future = self._running_loop().create_future()
        connection = self._connection
        if connection is None or not self._greeted:
            future.set_exception(DisconnectedError("the bus is not connected"))
            return future
        try:
            written = connection._send_plain(msg)
        except NOT_SENDABLE as error:
            raise self._refusal(msg, error) from error
        except DBusException as error:
            future.set_exception(DisconnectedError(error.get_dbus_message()))
            return future
        if written:
            future.set_result(None)
        else:
            self._unwritten.append(future)
        return future

    def _post(self, msg: Message) -> None:
        """As `send`, without a future; without a connection there is nobody to send to."""
        connection = self._connection
        if connection is None:
            return
        try:
            connection._send_plain(msg)
        except NOT_SENDABLE as error:
            raise self._refusal(msg, error) from error
        except DBusException:
            pass  # it has just ended

    async def call(self, msg: Message, *, timeout: Optional[float] = None) -> Optional[Message]:
        """Send a method call and wait for its reply, which may be an error; None if none is wanted.

        ``timeout`` is in seconds, None for no limit: asyncio.TimeoutError when it is over.  A call
        that is cancelled is forgotten completely.  DisconnectedError if there is no connection or
        it ends; otherwise the errors of `send`, and ValueError for a serial that is in use.
        """
        connection = self._connection
        if connection is None:
            if not isinstance(msg, Message):
                raise TypeError(f"a Message is sent, not {type(msg).__name__}")
            raise DisconnectedError("the bus is not connected")
        try:
            reply = connection._await_plain(msg, timeout)
        except NOT_SENDABLE as error:
            raise self._refusal(msg, error) from error
        except DBusException as error:
            raise DisconnectedError(error.get_dbus_message()) from None
        if reply is not None:
            return await reply  # type: ignore[no-any-return]
        await self.send(msg)
        return None

    def _call_ended(
        self,
        future: asyncio.Future[Message],
        outcome: Union[Message, Exception, None],
        timed_out: bool,
    ) -> None:
        """What the C module calls for a reply that is not just the result of the future."""
        self._handlers.end_call(future, outcome, timed_out, self._with_fds)

    def _request(self, msg: Message, answered: Answered) -> None:
        """Call a method of the bus; the answer comes in the order of arrival."""

        def outcome_known(outcome: Optional[Message], timed_out: bool) -> None:
            answered(outcome)

        connection = self._connection
        try:
            if connection is None:
                raise DBusException("the bus is not connected")
            connection._call_plain(msg, outcome_known, None)
        except DBusException:
            answered(None)

    @staticmethod
    def _refusal(msg: Message, error: Exception) -> Exception:
        return refusal(msg, error) if isinstance(msg, Message) else error

    # --- Receiving

    def add_message_handler(self, handler: Handler) -> None:
        """Call ``handler`` with every message that comes in, before anything else is done with it.

        A true result says that the message is dealt with; if it is a Message, that is sent.  A
        coroutine deals with it too, and what it returns is sent.  An exception in the handler of a
        call is the reply: a DBusError itself, others as an internal error.  The descriptors of a
        call that is not dealt with are not the handler's.  TypeError if it cannot be called.
        """
        self._handlers.add(handler)

    def remove_message_handler(self, handler: Handler) -> None:
        """Undo one `add_message_handler`; nothing is done if it was not added."""
        self._handlers.remove(handler)

    def _receive(self, msg: Optional[Message]) -> None:
        """What the C module calls: with None when everything sent is written, or with a message.

        No message handler or subscription has dealt with it.  Signals of libdbus and descriptors
        that are not wanted have not been shown to them.
        """
        if msg is None:
            self._all_written()
            return
        kind = msg.message_type
        if kind is _SIGNAL and msg.interface == LOCAL_IFACE:
            # libdbus refuses such messages from outside; this is its own word on the connection.
            if msg.member == "Disconnected":
                self._lost()
            return
        if msg.unix_fds and not self._with_fds:
            refusal_of_fds = refuse_fds(msg)
            if refusal_of_fds is not None:
                self._post(refusal_of_fds)
            return
        if kind is _CALL:
            self._exports.answer(msg)
        elif not self._handlers.all:
            close_fds(msg)  # nobody has seen them: an unwanted signal, a reply that is too late

    def _all_written(self) -> None:
        unwritten, self._unwritten = self._unwritten, []
        for future in unwritten:
            if not future.done():
                future.set_result(None)

    # --- Names and introspection

    async def _ask_about_name(self, member: str, signature: str, *body: Any) -> int:
        """The number that a method of the bus daemon returns; DBusError if it does not."""
        reply = await self.call(bus_call(member, signature, *body))
        assert reply is not None
        return result_of(member, reply, "u")  # type: ignore[no-any-return]

    async def request_name(self, name: str, flags: NameFlag = NameFlag.NONE) -> RequestNameReply:
        """Ask the bus for the well-known name ``name``.

        InvalidBusNameError if it is none; DBusError if the bus refuses; DisconnectedError if there
        is no connection.
        """
        assert_bus_name_valid(name)
        flags = NameFlag(flags)
        number = await self._ask_about_name("RequestName", "su", name, flags.value)
        answer = _one_of(RequestNameReply, number)
        if answer is not RequestNameReply.EXISTS:
            self._names[name] = flags
        return answer

    async def release_name(self, name: str) -> ReleaseNameReply:
        """Give up the well-known name ``name``, or the place in the queue for it.

        InvalidBusNameError if it is none; DBusError if the bus refuses; DisconnectedError if there
        is no connection.
        """
        assert_bus_name_valid(name)
        self._names.pop(name, None)
        return _one_of(ReleaseNameReply, await self._ask_about_name("ReleaseName", "s", name))

    async def introspect(
        self,
        bus_name: str,
        path: str,
        timeout: float = 30.0,
        validate_property_names: bool = True,
    ) -> Node:
        """What the object at ``path`` of ``bus_name`` offers, as it says itself.

        ``timeout`` is in seconds: asyncio.TimeoutError when it is over.  InvalidBusNameError or
        InvalidObjectPathError for a name or path that is none; DBusError for an error reply or one
        that is no text; InvalidIntrospectionError and its like for a text that is no introspection
        data; DisconnectedError if there is no connection.
        """
        from dbus.aio.introspection import Node

        assert_bus_name_valid(bus_name)
        assert_object_path_valid(path)
        call = Message(bus_name, path, "org.freedesktop.DBus.Introspectable", "Introspect")
        reply = await self.call(call, timeout=timeout)
        assert reply is not None
        return Node.parse(result_of("Introspect", reply, "s"), validate_property_names)

    def get_proxy_object(
        self, bus_name: str, path: str, introspection: Union[Node, str, Any]
    ) -> ProxyObject:
        """A stand-in for the object at ``path`` of ``bus_name``, made after ``introspection``.

        That is a Node, its text, or its root element.  InvalidBusNameError, InvalidObjectPathError
        or InvalidIntrospectionError for an argument that is none.
        """
        from dbus.aio.proxy_object import ProxyObject

        return ProxyObject(bus_name, path, introspection, self)

    # --- Exported interfaces

    def export(self, path: str, interface: ServiceInterface) -> None:
        """Offer ``interface`` at ``path`` to other programs.

        InvalidObjectPathError if ``path`` is none; ValueError if an interface of that name is
        there already; TypeError if it is no ServiceInterface.
        """
        self._exports.add(path, interface)

    def unexport(self, path: str, interface: Union[ServiceInterface, str, None] = None) -> None:
        """Withdraw an interface, given itself or by name, from ``path``; None: all that are there.

        InvalidObjectPathError or InvalidInterfaceNameError for an argument that is none; TypeError
        for one of another class.
        """
        self._exports.remove(path, interface)

    # --- What the parts need

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def _new_future(self) -> asyncio.Future[Any]:
        return self._running_loop().create_future()

    def _spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine as a task that is kept until it ends, and cancelled with the connection.

        Its exception goes to the loop's exception handler.
        """
        task = self._running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)
        return task

    def _task_ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            error = task.exception()
            if error is not None:
                self._report("Exception in a task of a message bus", error)

    def _report(self, message: str, error: BaseException) -> None:
        self._running_loop().call_exception_handler({"message": message, "exception": error})


def _one_of(kind: type[_Known], number: int) -> _Known:
    """The bus daemon's answer of this kind; DBusError for a number that has no meaning."""
    try:
        return kind(number)
    except ValueError as error:
        raise DBusError(ErrorType.CLIENT_ERROR, str(error)) from None


# The name under which dbus-fast's users know what all its buses have in common.
BaseMessageBus = MessageBus
