# SPDX-License-Identifier: MIT
"""Connections to peers, calls over them, and receivers of their signals."""

from __future__ import annotations

import weakref

from _dbus_bindings import (
    LOCAL_IFACE,
    LOCAL_PATH,
    Message,
    PendingCall,
    _method_call,
    _SignalMatch,
    validate_bus_name,
    validate_interface_name,
    validate_member_name,
    validate_object_path,
)
from _dbus_bindings import Connection as _Connection
from dbus._core import match as matching
from dbus._core import report
from dbus._core.call import refuse_removed_keywords
from dbus._core.names import renamed_keyword
from dbus.exceptions import DBusException as DBusException  # programs reach it through here
from dbus.proxies import ProxyObject

# Programs reach these names through this module.
from _dbus_bindings import (  # isort: skip
    HANDLER_RESULT_NOT_YET_HANDLED as HANDLER_RESULT_NOT_YET_HANDLED,
    ErrorMessage as ErrorMessage,
    MethodCallMessage as MethodCallMessage,
    MethodReturnMessage as MethodReturnMessage,
    ObjectPath as ObjectPath,
    SignalMessage as SignalMessage,
    String as String,
)

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Optional, Union

    from dbus.bus import NameOwnerWatch

    Handler = Callable[..., object]

__all__ = ("Connection", "SignalMatch")

_CHANNEL = "dbus.connection"


class SignalMatch(_SignalMatch):
    """One receiver: which signals it wants, and how its handler is to be called.

    Made by `Connection.add_signal_receiver`, or without a connection's knowledge by hand; a match
    is equal only to itself.  ``str()`` is its rule as the bus knows it.
    """

    __slots__ = (
        "_conn_weakref",
        "_sender",
        "_rule",
        "__weakref__",
    )

    def __init__(
        self,
        conn: Connection,
        sender: Optional[str],
        object_path: Optional[str],
        dbus_interface: Optional[str],
        member: Optional[str],
        handler: Handler,
        byte_arrays: bool = False,
        sender_keyword: Optional[str] = None,
        path_keyword: Optional[str] = None,
        interface_keyword: Optional[str] = None,
        member_keyword: Optional[str] = None,
        message_keyword: Optional[str] = None,
        destination_keyword: Optional[str] = None,
        arg0namespace: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        """None as sender, path, interface or member matches any.

        The ``..._keyword`` parameters name the keyword arguments in which the handler wants parts
        of the message; ``arg0namespace`` and ``kwargs`` are conditions on arguments, as for
        add_signal_receiver.
        """
        for value, check in (
            (member, validate_member_name),
            (dbus_interface, validate_interface_name),
            (sender, validate_bus_name),
            (object_path, validate_object_path),
        ):
            if value is not None:
                check(value)
        refuse_removed_keywords(kwargs)
        if arg0namespace is not None:
            kwargs["arg0namespace"] = arg0namespace
        self._conn_weakref = weakref.ref(conn)
        self._sender = sender
        # Until its owner is known, nothing can come from a well-known name.
        self._sender_name_owner = sender
        self._path = object_path
        self._interface = dbus_interface
        self._member = member
        self._handler = handler
        self._byte_arrays = bool(byte_arrays)
        self._arguments = matching.ArgumentMatch(kwargs) if kwargs else None
        if self._arguments is not None:
            # The index knows about the first argument; for other conditions it asks.
            self._arg0 = matching.first_argument(kwargs)
            self._asks_arguments = set(kwargs) != {"arg0"} or self._arg0 is None
        wanted = (
            (sender_keyword, Message.get_sender),
            (destination_keyword, Message.get_destination),
            (path_keyword, Message.get_path),
            (member_keyword, Message.get_member),
            (interface_keyword, Message.get_interface),
            (message_keyword, _itself),
        )
        self._keywords = tuple((name, read) for name, read in wanted if name is not None)
        self._rule: Optional[str] = None

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __str__(self) -> str:
        if self._rule is None:
            self._rule = matching.rule_text(
                self._sender, self._path, self._interface, self._member, self._arguments
            )
        return self._rule

    def __repr__(self) -> str:
        connection = self._conn_weakref()
        return f'<{type(self)} at {id(self):x} "{self}" on conn {connection!r}>'

    @property
    def sender(self) -> Optional[str]:
        """The bus name that signals must come from, as it was given; None for any."""
        return self._sender

    def set_sender_name_owner(self, new_name: str) -> None:
        """From now on take signals from the unique name ``new_name``; '' for from no one."""
        self._sender_name_owner = new_name

    def matches_removal_spec(
        self,
        sender: Optional[str],
        object_path: Optional[str],
        dbus_interface: Optional[str],
        member: Optional[str],
        handler: Handler,
        **kwargs: Any,
    ) -> bool:
        """Whether this is the match made with these conditions; ``kwargs`` are those on arguments.

        Options of how to call the handler are no conditions and must not be given.
        """
        return (
            self._handler == handler
            and self._path == object_path
            and self._interface == dbus_interface
            and self._member == member
            and self._sender == sender
            and matching.same_conditions(self._arguments, kwargs)
        )

    def maybe_handle_message(self, message: Message) -> bool:
        """Call the handler if the signal's sender, place and arguments match; return whether.

        An exception in the handler, SystemExit and KeyboardInterrupt included, is logged and goes
        no further: the other receivers get their turn, and the main loop goes on.
        """
        for wanted, found in (
            (self._member, message.get_member),
            (self._interface, message.get_interface),
            (self._path, message.get_path),
        ):
            if wanted is not None and wanted != found():
                return False
        return self._deliver(message)

    def _deliver(self, message: Message) -> bool:
        """The same for a signal whose path, interface and member are known to match."""
        owner = self._sender_name_owner
        if owner is not None and owner != message.get_sender():
            return False
        args = message.get_args_list(byte_arrays=self._byte_arrays)
        if self._arguments is not None and not self._arguments.accepts(args):
            return False
        try:
            if self._keywords:
                self._handler(*args, **{name: read(message) for name, read in self._keywords})
            else:
                self._handler(*args)
        except BaseException as error:
            report.signal_handler_failed(error)
        return True

    def remove(self) -> None:
        """Stop receiving; nothing happens if that was done before or the connection is gone."""
        connection = self._conn_weakref()
        if connection is not None:
            connection.remove_signal_receiver(self)


def _itself(message: Message) -> Message:
    return message


class Connection(_Connection):
    """A connection to another program, directly or (see `dbus.bus.BusConnection`) to a bus."""

    ProxyObjectClass = ProxyObject

    _signal_sender_matches: dict[SignalMatch, NameOwnerWatch]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A shared bus is initialised each time that somebody asks for it.
        if hasattr(self, "_disconnection_handlers"):
            return
        if not hasattr(self, "_signal_sender_matches"):
            self._signal_sender_matches = {}
        self._disconnection_handlers: tuple[Callable[[Connection], object], ...] = ()
        self._walked: Optional[matching.Tree[SignalMatch]] = None

    def activate_name_owner(self, bus_name: Any) -> Any:
        """Return the unique name of ``bus_name``, starting its service if that is needed.

        Without a bus, as here, there are no services: the name itself.
        """
        return bus_name

    def get_object(
        self,
        bus_name: Optional[str] = None,
        object_path: Optional[str] = None,
        introspect: bool = True,
        **kwargs: Any,
    ) -> ProxyObject:
        """Return a proxy of the object at ``object_path`` of the peer.

        ``bus_name`` has a meaning on a bus only.  With ``introspect`` the proxy asks the object
        which signatures its methods have.  The keyword ``named_service`` is the old name of
        ``bus_name``.
        """
        bus_name = renamed_keyword(kwargs, "named_service", "bus_name", bus_name, "get_object", 2)
        if kwargs:
            unknown = ", ".join(kwargs)
            raise TypeError(f"get_object does not take these keyword arguments: {unknown}")
        return self.ProxyObjectClass(self, bus_name, object_path, introspect=introspect)

    def add_signal_receiver(
        self,
        handler_function: Handler,
        signal_name: Optional[str] = None,
        dbus_interface: Optional[str] = None,
        bus_name: Optional[str] = None,
        path: Optional[str] = None,
        **keywords: Any,
    ) -> SignalMatch:
        """Call ``handler_function`` with the arguments of each signal that matches.

        ``signal_name``, ``dbus_interface``, ``bus_name`` (the sender) and ``path`` say which;
        None matches any.  A well-known ``bus_name`` stands for its owner at any time.

        Keywords:
            sender_keyword, destination_keyword, interface_keyword, member_keyword, path_keyword,
            message_keyword: names of keyword arguments in which the handler is to get the
                sender's unique name, the destination or None, the interface, the signal name,
                the object path, and the message.
            byte_arrays: True for arrays of bytes as `dbus.ByteArray`.
            argN: only signals whose Nth argument is this string.
            argNpath: only signals whose Nth argument, a string or an object path, is this path,
                or one of the two ends with a slash and contains the other.
            arg0namespace: only signals whose first argument is this dotted name or one below it.
            named_service: the old name of ``bus_name``.

        Returns the match, whose ``remove()`` ends it.  RuntimeError without a main loop.
        """
        self._require_main_loop()
        bus_name = renamed_keyword(
            keywords, "named_service", "bus_name", bus_name, "add_signal_receiver", 2
        )
        match = SignalMatch(
            self, bus_name, path, dbus_interface, signal_name, handler_function, **keywords
        )
        self._matches.add(match)
        if self._walked is not None:
            matching.insert(self._walked, path, dbus_interface, signal_name, match)
        return match

    def remove_signal_receiver(
        self,
        handler_or_match: Union[SignalMatch, Handler],
        signal_name: Optional[str] = None,
        dbus_interface: Optional[str] = None,
        bus_name: Optional[str] = None,
        path: Optional[str] = None,
        **keywords: Any,
    ) -> None:
        """Undo add_signal_receiver, for a match or for all that were made with these conditions.

        The keywords are the conditions on arguments that were given then.  Nothing happens if
        there is no such receiver.
        """
        bus_name = renamed_keyword(
            keywords, "named_service", "bus_name", bus_name, "remove_signal_receiver", 2
        )
        if isinstance(handler_or_match, SignalMatch):
            removed = [handler_or_match] if self._drop_match(handler_or_match) else []
        else:
            first = matching.first_argument(keywords)
            removed = [
                match
                for match in self._matches.at(path, dbus_interface, signal_name, first)
                if match.matches_removal_spec(
                    bus_name, path, dbus_interface, signal_name, handler_or_match, **keywords
                )
                and self._drop_match(match)
            ]
        # On a bus this talks to the daemon and ends watches.
        for match in removed:
            self._clean_up_signal_match(match)

    def _drop_match(self, match: SignalMatch) -> bool:
        """Take a match out of the index; False if it was not there."""
        if not self._matches.remove(match):
            return False
        if self._walked is not None:
            place = (match._path, match._interface, match._member)
            matching.discard(self._walked, *place, match)
        return True

    @property
    def _signal_recipients_by_object_path(self) -> matching.Tree[SignalMatch]:
        """The receivers as a tree; made when somebody first asks, and kept from then on."""
        if self._walked is None:
            self._walked = {}
            for match in self._matches.all():
                matching.insert(self._walked, match._path, match._interface, match._member, match)
        return self._walked

    def _clean_up_signal_match(self, match: SignalMatch) -> None:
        """Give up what a match needed beside its place in the index: here nothing."""

    def call_async(
        self,
        bus_name: Optional[str],
        object_path: str,
        dbus_interface: Optional[str],
        method: str,
        signature: Optional[str],
        args: Iterable[object],
        reply_handler: Optional[Handler],
        error_handler: Optional[Callable[[Exception], object]],
        timeout: float = -1.0,
        byte_arrays: bool = False,
        require_main_loop: bool = True,
        **kwargs: Any,
    ) -> Optional[PendingCall]:
        """Call a method and go on; later one of the handlers gets the outcome.

        ``reply_handler`` gets the returned values, ``error_handler`` an exception; None ignores
        the case.  With neither, the peer is told to send no reply and None is returned, else the
        pending call.  ``timeout`` is in seconds, negative for the default.  RuntimeError if
        ``require_main_loop`` is true and the connection has none.
        """
        if kwargs:
            refuse_removed_keywords(kwargs)
        if reply_handler is None and error_handler is None:
            message = _method_call(bus_name, object_path, dbus_interface, method, signature, args)
            message.set_no_reply(True)
            self.send_message(message)
            return None
        if require_main_loop:
            self._require_main_loop()
        return self._call_async(
            bus_name,
            object_path,
            dbus_interface,
            method,
            signature,
            args,
            reply_handler,
            error_handler,
            timeout,
            byte_arrays,
        )

    def call_blocking(
        self,
        bus_name: Optional[str],
        object_path: str,
        dbus_interface: Optional[str],
        method: str,
        signature: Optional[str],
        args: Iterable[object],
        timeout: float = -1.0,
        byte_arrays: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call a method and wait for its reply: None, the one value, or a tuple of several.

        ``signature`` None: guess it from ``args``.  ``timeout`` is in seconds, negative for the
        default.  DBusException for an error reply, for no reply in time, and for a lost
        connection.
        """
        if kwargs:
            refuse_removed_keywords(kwargs)
        return self._call_blocking(
            bus_name,
            object_path,
            dbus_interface,
            method,
            signature,
            args,
            timeout,
            byte_arrays,
        )

    def call_on_disconnection(self, callable: Callable[[Connection], object]) -> None:
        """Call ``callable`` with this connection when it has been disconnected."""
        if not self._disconnection_handlers:
            self._matches.add(self._disconnection_match())
        self._disconnection_handlers += (callable,)

    def _disconnection_match(self) -> SignalMatch:
        """What libdbus' own signal Disconnected finds: it calls the disconnection handlers."""
        # The connection must not keep itself alive.
        this = weakref.ref(self)

        def disconnected() -> None:
            connection = this()
            if connection is None:
                return
            for handler in connection._disconnection_handlers:
                try:
                    handler(connection)
                except BaseException:
                    report.error_with_traceback(
                        _CHANNEL, "Exception in handler for Disconnected signal:"
                    )

        return SignalMatch(self, None, LOCAL_PATH, LOCAL_IFACE, "Disconnected", disconnected)
