# SPDX-License-Identifier: MIT
"""A server that other programs connect to directly, without a bus between."""

from __future__ import annotations

from _dbus_bindings import NativeMainLoop, _Server
from dbus.connection import Connection

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Optional

__all__ = ("Server",)

_AUTH_TIMEOUT = 30.0


class Server(_Server):
    """Listens on an address; each program that connects becomes a Connection.

    Override `connection_added` and `connection_removed`, or append functions of one argument, the
    connection, to the lists ``on_connection_added`` and ``on_connection_removed``.

    A client authenticates after it was added, so that ``connection_added`` can say whom to let in:
    by default the same user and root, where the kernel tells who is calling, as it does for Unix
    sockets.  TCP is not encrypted, and whoever can read the user's home directory passes for the
    user there: do not listen where strangers can connect.  Nothing is exchanged with a client that
    has not authenticated, and it is disconnected as soon as it fails to.

    Class attribute for subclasses to set:
        auth_timeout: the seconds that a client has for that, None for no limit; 30 if it is not
            set.
    """

    auth_timeout: Optional[float]  # no value here: the members are those of the reference

    on_connection_added: list[Callable[[Connection], object]]
    on_connection_removed: list[Callable[[Connection], object]]

    def __new__(
        cls,
        address: str,
        connection_class: type[Connection] = Connection,
        mainloop: Optional[NativeMainLoop] = None,
        auth_mechanisms: Optional[Iterable[str]] = None,
    ) -> Any:
        """Listen on ``address``; connections are made of ``connection_class``.

        ``auth_mechanisms`` are the names of those that clients may use, None for all.  RuntimeError
        without a main loop; DBusException if the address cannot be listened on.
        """
        if isinstance(auth_mechanisms, str):
            raise TypeError("auth_mechanisms must be a sequence of strings, not a string")
        mechanisms = None if auth_mechanisms is None else tuple(auth_mechanisms)
        return super().__new__(cls, address, connection_class, mainloop, mechanisms)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The parameters are those of the constructor."""
        # Nobody else may hold a connection that has just come in.
        self._connections: dict[int, Connection] = {}
        self.on_connection_added = []
        self.on_connection_removed = []

    def _on_new_connection(self, conn: Connection) -> None:
        """What the listener calls with each new connection."""
        self._connections[id(conn)] = conn
        limit = getattr(self, "auth_timeout", _AUTH_TIMEOUT)
        try:
            if limit is not None:
                conn._limit_authentication(limit)
            conn.call_on_disconnection(self._on_disconnection)
        except BaseException:
            del self._connections[id(conn)]  # nothing else would ever take it away
            raise
        self.connection_added(conn)

    def _on_disconnection(self, conn: Connection) -> None:
        self._connections.pop(id(conn), None)
        self.connection_removed(conn)

    def connection_added(self, conn: Connection) -> None:
        """Called with each new connection; runs the functions in ``on_connection_added``."""
        for callback in list(self.on_connection_added):
            callback(conn)

    def connection_removed(self, conn: Connection) -> None:
        """Called with each lost connection; runs the functions in ``on_connection_removed``."""
        for callback in list(self.on_connection_removed):
            callback(conn)

    address = property(_Server.get_address)
    id = property(_Server.get_id)
    is_connected = property(_Server.get_is_connected)
