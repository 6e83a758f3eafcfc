# SPDX-License-Identifier: MIT
"""Peer-to-peer: programs that connect to each other directly, without a bus between.

The side that connects is a `MessageBus` made with ``peer=True``; here is the side that listens.
Such a connection has neither names nor a daemon: calls have no destination, signals reach the other
side whatever it has subscribed to, and `MessageBus.unique_name` is None.
"""

from __future__ import annotations

import asyncio

from _dbus_bindings import Connection, _native_main_loop, _Server
from dbus.aio._address import connect_error
from dbus.aio.message_bus import MessageBus
from dbus.exceptions import DBusException
from dbus.mainloop.asyncio import Served

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, Optional

    from _dbus_bindings import _LoopSource


class PeerServer:
    """What `start_server` returns: it listens until it is closed.

    Leaving an ``async with`` block closes it.  ``peers`` are the buses that are connected now.
    """

    def __init__(
        self,
        client_connected: Callable[[MessageBus], Any],
        address: str,
        allow_anonymous: bool,
        negotiate_unix_fd: bool,
        auth_timeout: Optional[float],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.peers: set[MessageBus] = set()
        self._client_connected = client_connected
        self._allow_anonymous = allow_anonymous
        self._with_fds = negotiate_unix_fd
        self._auth_timeout = auth_timeout
        self._served: Optional[Served] = None

        def attach(source: _LoopSource) -> Served:
            self._served = Served(loop, source, self)
            return self._served

        try:
            self._listener: Optional[_Listener] = _Listener(
                address, Connection, _native_main_loop(attach)
            )
        except DBusException as error:
            raise connect_error(error) from error
        self._listener.accepted = self._accepted
        self._address = self._listener.get_address()

    @property
    def address(self) -> str:
        """Where clients connect; a port or name that was left open is filled in."""
        return self._address

    def _accepted(self, connection: Connection) -> None:
        bus = MessageBus(negotiate_unix_fd=self._with_fds, peer=True)
        connection.set_allow_anonymous(self._allow_anonymous)
        if self._auth_timeout is not None:
            connection._limit_authentication(self._auth_timeout)
        assert self._served is not None
        bus._accept(connection, self._served)  # the one that was attached a moment ago
        self.peers.add(bus)
        bus._when_ended(lambda: self.peers.discard(bus))
        result = self._client_connected(bus)
        if asyncio.iscoroutine(result):
            bus._spawn(result)

    def close(self) -> None:
        """Listen no more.  Connections that were accepted go on; closing again does nothing."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.accepted = None
            listener.disconnect()

    async def __aenter__(self) -> PeerServer:
        return self

    async def __aexit__(
        self,
        exc_type: Optional[type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()


class _Listener(_Server):
    accepted: Optional[Callable[[Connection], None]] = None

    def _on_new_connection(self, connection: Connection) -> None:
        if self.accepted is not None:
            self.accepted(connection)


async def start_server(
    client_connected: Callable[[MessageBus], Any],
    address: str,
    *,
    allow_anonymous: bool = False,
    negotiate_unix_fd: bool = False,
    auth_timeout: Optional[float] = 30.0,
) -> PeerServer:
    """Listen at ``address``, for example ``unix:path=/run/thing`` or ``unix:tmpdir=/tmp``.

    ``client_connected(bus)`` is called with a MessageBus for each client, where it adds handlers
    and exports interfaces; it may be a coroutine function.  The client authenticates after that,
    within ``auth_timeout`` seconds (None: for no limit), or it is disconnected; until then nothing
    is exchanged with it.  Only clients of the same user, and root, are let in, or all, if
    ``allow_anonymous``.  TCP is not encrypted, and whoever can read the user's home directory
    passes for the user there: do not listen where strangers can connect.

    InvalidAddressError for an address that is none; OSError if it cannot be listened at.
    """
    return PeerServer(client_connected, address, allow_anonymous, negotiate_unix_fd, auth_timeout)
