# SPDX-License-Identifier: MIT
"""Connections to a message bus: its names, its match rules, and who owns what."""

from __future__ import annotations

from weakref import WeakValueDictionary

from _dbus_bindings import (
    BUS_DAEMON_IFACE,
    BUS_DAEMON_NAME,
    BUS_DAEMON_PATH,
    BUS_SESSION,
    BUS_STARTER,
    BUS_SYSTEM,
    DBUS_START_REPLY_ALREADY_RUNNING,
    DBUS_START_REPLY_SUCCESS,
    NativeMainLoop,
    PendingCall,
    validate_bus_name,
)

# Programs take the flags and answers of name requests from here.
from _dbus_bindings import NAME_FLAG_ALLOW_REPLACEMENT as NAME_FLAG_ALLOW_REPLACEMENT
from _dbus_bindings import NAME_FLAG_DO_NOT_QUEUE as NAME_FLAG_DO_NOT_QUEUE
from _dbus_bindings import NAME_FLAG_REPLACE_EXISTING as NAME_FLAG_REPLACE_EXISTING
from _dbus_bindings import RELEASE_NAME_REPLY_NON_EXISTENT as RELEASE_NAME_REPLY_NON_EXISTENT
from _dbus_bindings import RELEASE_NAME_REPLY_NOT_OWNER as RELEASE_NAME_REPLY_NOT_OWNER
from _dbus_bindings import RELEASE_NAME_REPLY_RELEASED as RELEASE_NAME_REPLY_RELEASED
from _dbus_bindings import REQUEST_NAME_REPLY_ALREADY_OWNER as REQUEST_NAME_REPLY_ALREADY_OWNER
from _dbus_bindings import REQUEST_NAME_REPLY_EXISTS as REQUEST_NAME_REPLY_EXISTS
from _dbus_bindings import REQUEST_NAME_REPLY_IN_QUEUE as REQUEST_NAME_REPLY_IN_QUEUE
from _dbus_bindings import REQUEST_NAME_REPLY_PRIMARY_OWNER as REQUEST_NAME_REPLY_PRIMARY_OWNER
from dbus._core import report
from dbus._core.names import NAME_HAS_NO_OWNER, is_unique, may_change_owner, renamed_keyword
from dbus.connection import Connection, SignalMatch
from dbus.exceptions import DBusException
from dbus.types import Array, String, UInt32

# Programs reach these names through this module.
from _dbus_bindings import (  # isort: skip
    HANDLER_RESULT_NOT_YET_HANDLED as HANDLER_RESULT_NOT_YET_HANDLED,
    validate_error_name as validate_error_name,
    validate_interface_name as validate_interface_name,
    validate_member_name as validate_member_name,
    validate_object_path as validate_object_path,
)

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, Union

    from dbus.proxies import ProxyObject
    from dbus.service import BusName

__all__ = ("BusConnection",)


class NameOwnerWatch:
    """Tells a callback who owns a bus name, now and at each change, until cancelled."""

    __slots__ = ("_match", "_pending_call", "__weakref__")

    def __init__(
        self, bus_conn: BusConnection, bus_name: str, callback: Callable[[str], object]
    ) -> None:
        """``callback`` gets the unique name of the owner, '' for none."""
        validate_bus_name(bus_name)

        def changed(_name: str, _old_owner: str, new_owner: str) -> None:
            callback(new_owner)

        def unanswered(error: Exception) -> None:
            if isinstance(error, DBusException) and error.get_dbus_name() == NAME_HAS_NO_OWNER:
                callback("")
            else:
                report.debug("dbus.bus", "GetNameOwner(%s) failed: %s", bus_name, error)

        # The match first: the bus answers in order, so no change falls between the two.
        self._match: Optional[SignalMatch] = bus_conn.add_signal_receiver(
            changed,
            "NameOwnerChanged",
            BUS_DAEMON_IFACE,
            BUS_DAEMON_NAME,
            BUS_DAEMON_PATH,
            arg0=bus_name,
        )
        self._pending_call: Optional[PendingCall] = None
        try:
            self._pending_call = bus_conn.call_async(
                BUS_DAEMON_NAME,
                BUS_DAEMON_PATH,
                BUS_DAEMON_IFACE,
                "GetNameOwner",
                "s",
                (bus_name,),
                callback,
                unanswered,
            )
        except BaseException:
            self.cancel()
            raise

    def cancel(self) -> None:
        """Stop watching; the callback will not be called again."""
        match, self._match = self._match, None
        pending, self._pending_call = self._pending_call, None
        if pending is not None:
            pending.cancel()
        if match is not None:
            match.remove()


class BusConnection(Connection):
    """A connection to a bus daemon, that is to a peer which offers ``org.freedesktop.DBus``.

    One that was made for a type of bus (``TYPE_SESSION`` and so on, as `dbus.SessionBus` and
    `dbus.SystemBus` are) ends the process with status 1 when it is disconnected, unless
    ``set_exit_on_disconnect(False)`` was called.  One that was made for an address does not,
    unless ``set_exit_on_disconnect(True)`` was.
    """

    TYPE_SESSION = BUS_SESSION
    TYPE_SYSTEM = BUS_SYSTEM
    TYPE_STARTER = BUS_STARTER

    START_REPLY_SUCCESS = DBUS_START_REPLY_SUCCESS
    START_REPLY_ALREADY_RUNNING = DBUS_START_REPLY_ALREADY_RUNNING

    _bus_names: WeakValueDictionary[str, BusName]

    def __new__(
        cls,
        address_or_type: Union[str, int] = BUS_SESSION,
        mainloop: Optional[NativeMainLoop] = None,
    ) -> Any:
        """Connect to an address, or to the bus of a type (``TYPE_SESSION`` and so on)."""
        bus = cls._new_for_bus(address_or_type, mainloop=mainloop)
        bus._bus_names = WeakValueDictionary()
        bus._signal_sender_matches = {}
        return bus

    def add_signal_receiver(
        self,
        handler_function: Callable[..., object],
        signal_name: Optional[str] = None,
        dbus_interface: Optional[str] = None,
        bus_name: Optional[str] = None,
        path: Optional[str] = None,
        **keywords: Any,
    ) -> SignalMatch:
        """See `Connection.add_signal_receiver`; on a bus, the daemon is told of the match too."""
        bus_name = renamed_keyword(
            keywords, "named_service", "bus_name", bus_name, "add_signal_receiver", 2
        )
        match = super().add_signal_receiver(
            handler_function, signal_name, dbus_interface, bus_name, path, **keywords
        )
        watch: Optional[NameOwnerWatch] = None
        try:
            if bus_name is not None and bus_name != BUS_DAEMON_NAME:
                follow = self._forget_with_sender if is_unique(bus_name) else self._follow_owner
                watch = self.watch_name_owner(bus_name, follow(match))
                self._signal_sender_matches[match] = watch
            self.add_match_string(str(match))
        except BaseException as error:
            # Without the bus's help it would be deaf: leave no half of it behind.
            self._drop_match(match)
            self._signal_sender_matches.pop(match, None)
            if watch is not None:
                watch.cancel()
            # The rule that the bus has may be another receiver's, equal to the one it refused.
            if not isinstance(error, (DBusException, MemoryError)):
                self.remove_match_string_non_blocking(str(match))
            raise
        return match

    @staticmethod
    def _follow_owner(match: SignalMatch) -> Callable[[str], None]:
        return match.set_sender_name_owner

    @staticmethod
    def _forget_with_sender(match: SignalMatch) -> Callable[[str], None]:
        # A unique name is never given out twice, so its match is of no use any more.
        def owner_known(owner: str) -> None:
            if not owner:
                match.remove()

        return owner_known

    def _clean_up_signal_match(self, match: SignalMatch) -> None:
        """Tell the daemon that the match is over, and end the watch of its sender."""
        watch = self._signal_sender_matches.pop(match, None)
        try:
            if self.get_is_connected():
                self.remove_match_string_non_blocking(str(match))
        finally:
            if watch is not None:
                watch.cancel()

    def activate_name_owner(self, bus_name: Any) -> Any:
        """Return the unique name that owns ``bus_name``, starting its service if there is none.

        A unique name, the bus daemon's own name and None are returned as they are.
        DBusException if the service cannot be started.
        """
        if not may_change_owner(bus_name):
            return bus_name
        try:
            return self.get_name_owner(bus_name)
        except DBusException as error:
            if error.get_dbus_name() != NAME_HAS_NO_OWNER:
                raise
        self.start_service_by_name(bus_name)
        return self.get_name_owner(bus_name)

    def get_object(  # type: ignore[override]
        self,
        bus_name: Optional[str],
        object_path: str,
        introspect: bool = True,
        follow_name_owner_changes: bool = False,
        **kwargs: Any,
    ) -> ProxyObject:
        """Return a proxy of an object of another program on this bus.

        ``bus_name`` is that program's unique or well-known name.  A well-known name is resolved
        to its present owner, and the proxy stays with that one; with
        ``follow_name_owner_changes`` it speaks to whoever owns the name.  With ``introspect``
        the proxy asks the object which signatures its methods have.  DBusException if the name
        has no owner and none can be started.
        """
        if follow_name_owner_changes:
            self._require_main_loop()
        bus_name = renamed_keyword(kwargs, "named_service", "bus_name", bus_name, "get_object", 2)
        if kwargs:
            unknown = ", ".join(kwargs)
            raise TypeError(f"get_object does not take these keyword arguments: {unknown}")
        return self.ProxyObjectClass(
            self,
            bus_name,
            object_path,
            introspect=introspect,
            follow_name_owner_changes=follow_name_owner_changes,
        )

    def _ask_daemon(self, method: str, signature: str, *args: object) -> Any:
        """Call a method of the bus daemon and wait for the answer."""
        return self.call_blocking(
            BUS_DAEMON_NAME, BUS_DAEMON_PATH, BUS_DAEMON_IFACE, method, signature, args
        )

    def _tell_daemon(self, method: str, signature: str, *args: object) -> None:
        """Call a method of the bus daemon and ignore the answer."""
        self.call_async(
            BUS_DAEMON_NAME, BUS_DAEMON_PATH, BUS_DAEMON_IFACE, method, signature, args, None, None
        )

    def get_unix_user(self, bus_name: str) -> UInt32:
        """Return the user id of the process that owns ``bus_name``."""
        validate_bus_name(bus_name)
        user: UInt32 = self._ask_daemon("GetConnectionUnixUser", "s", bus_name)
        return user

    def start_service_by_name(self, bus_name: str, flags: int = 0) -> tuple[bool, UInt32]:
        """Start the program that serves ``bus_name``; there are no flags yet.

        Returns True and START_REPLY_SUCCESS or START_REPLY_ALREADY_RUNNING.  DBusException if it
        cannot be started.
        """
        validate_bus_name(bus_name)
        return True, self._ask_daemon("StartServiceByName", "su", bus_name, flags)

    def request_name(self, name: str, flags: int = 0) -> UInt32:
        """Ask for a well-known name, with flags NAME_FLAG_*; returns one of REQUEST_NAME_REPLY_*.

        DBusException if the bus does not allow it.
        """
        validate_bus_name(name, allow_unique=False)
        answer: UInt32 = self._ask_daemon("RequestName", "su", name, flags)
        return answer

    def release_name(self, name: str) -> UInt32:
        """Give up a well-known name, or the place in its queue; returns RELEASE_NAME_REPLY_*."""
        validate_bus_name(name, allow_unique=False)
        answer: UInt32 = self._ask_daemon("ReleaseName", "s", name)
        return answer

    def list_names(self) -> Array[String]:
        """Return all names that are owned on the bus, unique ones included."""
        names: Array[String] = self._ask_daemon("ListNames", "")
        return names

    def list_activatable_names(self) -> Array[String]:
        """Return all names whose services the bus can start."""
        names: Array[String] = self._ask_daemon("ListActivatableNames", "")
        return names

    def get_name_owner(self, bus_name: str) -> String:
        """Return the unique name that owns ``bus_name``; DBusException if there is none."""
        validate_bus_name(bus_name)
        owner: String = self._ask_daemon("GetNameOwner", "s", bus_name)
        return owner

    def watch_name_owner(self, bus_name: str, callback: Callable[[str], object]) -> NameOwnerWatch:
        """Call ``callback`` with the unique name of the owner of ``bus_name``, '' for none.

        Once soon, and again at every change, until ``cancel()`` of the returned watch.
        """
        return NameOwnerWatch(self, bus_name, callback)

    def name_has_owner(self, bus_name: str) -> bool:
        """Return whether somebody owns ``bus_name``."""
        return bool(self._ask_daemon("NameHasOwner", "s", bus_name))

    def add_match_string(self, rule: str) -> None:
        """Have messages that fit the match rule sent here, and wait until the bus has agreed.

        DBusException for an invalid rule.
        """
        self._ask_daemon("AddMatch", "s", rule)

    def add_match_string_non_blocking(self, rule: str) -> None:
        """The same without waiting: errors go unnoticed."""
        self._tell_daemon("AddMatch", "s", rule)

    def remove_match_string(self, rule: str) -> None:
        """Undo one add_match_string; DBusException if there was none with this rule."""
        self._ask_daemon("RemoveMatch", "s", rule)

    def remove_match_string_non_blocking(self, rule: str) -> None:
        """The same without waiting: errors go unnoticed."""
        self._tell_daemon("RemoveMatch", "s", rule)
