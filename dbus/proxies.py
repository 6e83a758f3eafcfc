# SPDX-License-Identifier: MIT
"""Stand-ins for objects of other programs: calling a method on them calls it over there."""

from __future__ import annotations

from _thread import RLock  # threading costs five times as much to import

from _dbus_bindings import (
    INTROSPECTABLE_IFACE,
    LOCAL_PATH,
    PendingCall,
    validate_bus_name,
    validate_interface_name,
    validate_member_name,
    validate_object_path,
)
from dbus._core import report
from dbus._core.introspect import method_signatures
from dbus._core.names import renamed_keyword
from dbus.exceptions import DBusException as DBusException  # programs reach it through here
from dbus.exceptions import (
    IntrospectionParserException,
    MissingErrorHandlerException,
    MissingReplyHandlerException,
)

# Programs reach these names through this module.
from _dbus_bindings import (  # isort: skip
    BUS_DAEMON_IFACE as BUS_DAEMON_IFACE,
    BUS_DAEMON_NAME as BUS_DAEMON_NAME,
    BUS_DAEMON_PATH as BUS_DAEMON_PATH,
)
from dbus._expat_introspect_parser import (  # isort: skip
    process_introspection_data as process_introspection_data,
)

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, Union

    from dbus.connection import Connection, SignalMatch

    _Queued = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

_CHANNEL = "dbus.proxies"

# Methods that were checked: a proxy makes the object for one at each attribute access.
_valid: set[tuple[str, Optional[str]]] = set()
_MOST_VALID = 1024


class _ProxyMethod:
    """A method of a remote object; calling it sends a method call.

    Keywords of a call, beside the positional arguments of the method:
        dbus_interface: the interface, in place of the one that the method was made with.
        signature: of the arguments, in place of what introspection found.
        timeout: in seconds.
        byte_arrays: True for arrays of bytes as `dbus.ByteArray`.
        reply_handler, error_handler: both for an asynchronous call: the first gets the returned
            values, the second an exception.
        ignore_reply: True to go on at once and never learn the outcome.
    """

    def __init__(
        self,
        proxy: ProxyObject,
        connection: Connection,
        bus_name: Optional[str],
        object_path: str,
        method_name: str,
        iface: Optional[str],
    ) -> None:
        if (method_name, iface) not in _valid:
            validate_member_name(method_name)
            if iface is not None:
                validate_interface_name(iface)
            if len(_valid) < _MOST_VALID:
                _valid.add((method_name, iface))
        self._proxy = proxy
        self._connection = connection
        self._named_service = bus_name
        self._object_path = object_path
        self._method_name = method_name
        self._dbus_interface = iface

    def _known_signature(self, interface: Optional[str]) -> Optional[str]:
        """The signature of the arguments, if introspection has found one."""
        known = self._proxy._introspect_method_map
        if not known:
            return None
        return known.get(f"{interface}.{self._method_name}" if interface else self._method_name)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Call the method, as the class says; without handlers, return what it returns."""
        interface = self._dbus_interface
        if not keywords:
            return self._connection.call_blocking(
                self._named_service,
                self._object_path,
                interface,
                self._method_name,
                self._known_signature(interface),
                args,
            )
        reply_handler = keywords.pop("reply_handler", None)
        error_handler = keywords.pop("error_handler", None)
        ignore_reply = keywords.pop("ignore_reply", False)
        interface = keywords.pop("dbus_interface", interface)
        signature = keywords.pop("signature", None)
        if reply_handler is not None or error_handler is not None:
            if error_handler is None:
                raise MissingErrorHandlerException()
            if reply_handler is None:
                raise MissingReplyHandlerException()
            if ignore_reply:
                raise TypeError("ignore_reply and reply_handler cannot be used together")
        if reply_handler is not None or ignore_reply:
            self._start(args, interface, signature, reply_handler, error_handler, keywords)
            return None
        if signature is None:
            signature = self._known_signature(interface)
        return self._connection.call_blocking(
            self._named_service,
            self._object_path,
            interface,
            self._method_name,
            signature,
            args,
            **keywords,
        )

    def _start(
        self,
        args: tuple[Any, ...],
        interface: Optional[str],
        signature: Optional[str],
        reply_handler: Optional[Callable[..., object]],
        error_handler: Optional[Callable[[Exception], object]],
        keywords: dict[str, Any],
    ) -> None:
        """Send the call; ``keywords`` are the connection's own, such as ``timeout``."""
        if signature is None:
            signature = self._known_signature(interface)
        self._connection.call_async(
            self._named_service,
            self._object_path,
            interface,
            self._method_name,
            signature,
            args,
            reply_handler,
            error_handler,
            **keywords,
        )

    def call_async(self, *args: Any, **keywords: Any) -> None:
        """Call the method without waiting, with either, both or none of the two handlers."""
        reply_handler = keywords.pop("reply_handler", None)
        error_handler = keywords.pop("error_handler", None)
        interface = keywords.pop("dbus_interface", self._dbus_interface)
        signature = keywords.pop("signature", None)
        self._start(args, interface, signature, reply_handler, error_handler, keywords)


class _DeferredMethod:
    """A method of an object whose introspection is under way.

    Asynchronous calls are queued until the reply is there; a blocking call waits for it.
    """

    def __init__(
        self,
        proxy_method: _ProxyMethod,
        append: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], None],
        block: Callable[[], None],
    ) -> None:
        self._proxy_method = proxy_method
        # Subclasses of the real method may have no such attribute.
        self._method_name = getattr(proxy_method, "_method_name", None)
        self._append = append
        self._block = block

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """As for the real method."""
        # An error handler alone is a mistake of which the real method tells the caller.
        if keywords.get("reply_handler") is not None or keywords.get("ignore_reply", False):
            self._append(self._proxy_method, args, keywords)
            return None
        self._block()
        return self._proxy_method(*args, **keywords)

    def call_async(self, *args: Any, **keywords: Any) -> None:
        """As for the real method."""
        self._append(self._proxy_method.call_async, args, keywords)


def _make_queued_call(
    method: Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any]
) -> None:
    """Call the method; a call that cannot be made fails as one whose answer is an error."""
    on_error = keywords.get("error_handler")
    try:
        method(*args, **keywords)
        return
    except Exception as error:
        if on_error is None:
            raise
        failure = error
    # Not inside the clause, or it would be the context of an exception of the handler.
    on_error(failure)


class ProxyObject:
    """A remote object.

    Its attributes are its methods, whichever interface they belong to; `Interface` narrows them to
    one.  ``ProxyMethodClass`` and ``DeferredMethodClass`` are the classes that they are made of.
    """

    ProxyMethodClass = _ProxyMethod
    DeferredMethodClass = _DeferredMethod

    INTROSPECT_STATE_DONT_INTROSPECT = 0
    INTROSPECT_STATE_INTROSPECT_IN_PROGRESS = 1
    INTROSPECT_STATE_INTROSPECT_DONE = 2

    # The last two underscores make the name immune to mangling.
    __dbus_object_path__: str

    def __init__(
        self,
        conn: Any = None,
        bus_name: Optional[str] = None,
        object_path: Optional[str] = None,
        introspect: bool = True,
        follow_name_owner_changes: bool = False,
        **kwargs: Any,
    ) -> None:
        """Make a proxy; see `dbus.bus.BusConnection.get_object` for the parameters.

        ``bus`` and ``named_service`` are old keywords for ``conn`` and ``bus_name``.
        """
        conn = renamed_keyword(kwargs, "bus", "conn", conn, "ProxyObject", 2)
        bus_name = renamed_keyword(kwargs, "named_service", "bus_name", bus_name, "ProxyObject", 2)
        if kwargs:
            unknown = ", ".join(kwargs)
            raise TypeError(
                f"ProxyObject.__init__ does not take these keyword arguments: {unknown}"
            )
        if follow_name_owner_changes:
            # Nothing to look up: the bus itself routes messages to a well-known name.
            conn._require_main_loop()
        if bus_name is not None:
            validate_bus_name(bus_name)
        validate_object_path(object_path)  # type: ignore[arg-type]  # None is its TypeError
        assert object_path is not None

        self._bus: Connection = conn
        self._named_service: Optional[str] = bus_name
        self._requested_bus_name = bus_name
        self.__dbus_object_path__ = object_path
        if not follow_name_owner_changes:
            self._named_service = conn.activate_name_owner(bus_name)

        self._introspect_method_map: dict[str, str] = {}
        self._introspect_lock = RLock()
        self._pending_introspect: Optional[PendingCall] = None
        self._pending_introspect_queue: list[_Queued] = []
        # libdbus' own path is nobody's object, and calling it is an error.
        if not introspect or object_path == LOCAL_PATH:
            self._introspect_state = self.INTROSPECT_STATE_DONT_INTROSPECT
        else:
            self._introspect_state = self.INTROSPECT_STATE_INTROSPECT_IN_PROGRESS
            self._pending_introspect = self._Introspect()

    @property
    def bus_name(self) -> Optional[str]:
        """The name that messages go to: a unique one, unless the proxy follows a name's owners."""
        return self._named_service

    @property
    def requested_bus_name(self) -> Optional[str]:
        """The name that the proxy was made with."""
        return self._requested_bus_name

    @property
    def object_path(self) -> str:
        """The path of the remote object."""
        return self.__dbus_object_path__

    def connect_to_signal(
        self,
        signal_name: Optional[str],
        handler_function: Callable[..., object],
        dbus_interface: Optional[str] = None,
        **keywords: Any,
    ) -> SignalMatch:
        """Call ``handler_function`` when the object emits a signal.

        ``dbus_interface`` None: whatever the interface.  The keywords are those of
        `dbus.connection.Connection.add_signal_receiver`.
        """
        return self._bus.add_signal_receiver(
            handler_function,
            signal_name=signal_name,
            dbus_interface=dbus_interface,
            bus_name=self.bus_name,
            path=self.__dbus_object_path__,
            **keywords,
        )

    def _Introspect(self) -> PendingCall:
        """Ask the object to describe itself; ``block()`` of the result waits for that."""
        pending = self._bus.call_async(
            self._named_service,
            self.__dbus_object_path__,
            INTROSPECTABLE_IFACE,
            "Introspect",
            "",
            (),
            self._introspect_reply_handler,
            self._introspect_error_handler,
            require_main_loop=False,
        )
        assert pending is not None
        return pending

    def _introspect_finish(self) -> None:
        """Leave the state of waiting, and do what waited."""
        with self._introspect_lock:
            self._introspect_state = self.INTROSPECT_STATE_INTROSPECT_DONE
            self._pending_introspect = None
        self._introspect_execute_queue()

    def _introspect_execute_queue(self) -> None:
        """Make the queued calls.  One that fails must not take the others with it."""
        with self._introspect_lock:
            queue, self._pending_introspect_queue = self._pending_introspect_queue, []
        for method, args, keywords in queue:
            try:
                _make_queued_call(method, args, keywords)
            except Exception:
                report.error_with_traceback(_CHANNEL, "Exception in a queued call:")

    def _introspect_reply_handler(self, *values: object) -> None:
        # Other than one value is as wrong as one that is no text.
        data = values[0] if len(values) == 1 else None
        try:
            self._introspect_method_map.update(method_signatures(data))
        except IntrospectionParserException as error:
            self._introspect_error_handler(error)
            return
        self._introspect_finish()

    def _introspect_error_handler(self, error: Exception) -> None:
        report.error(
            _CHANNEL,
            "Introspect error on %s:%s: %s.%s: %s",
            self._named_service,
            self.__dbus_object_path__,
            type(error).__module__,
            type(error).__name__,
            error,
        )
        # Without signatures calls still work; they are guessed.
        report.debug(_CHANNEL, "Executing introspect queue due to error")
        self._introspect_finish()

    def _introspect_block(self) -> None:
        """Wait until introspection is over.  No lock is held: the reply may come by a loop."""
        pending = self._pending_introspect
        if pending is not None:
            pending.block()

    def _introspect_add_to_queue(
        self, callback: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        with self._introspect_lock:
            waiting = self._introspect_state == self.INTROSPECT_STATE_INTROSPECT_IN_PROGRESS
            if waiting:
                self._pending_introspect_queue.append((callback, args, kwargs))
        if not waiting:
            # The reply came between looking up the method and calling it.
            callback(*args, **kwargs)

    def __getattr__(self, member: str) -> Any:
        if member[:2] == "__" and member[-2:] == "__":
            raise AttributeError(member)
        return self.get_dbus_method(member)

    def get_dbus_method(self, member: str, dbus_interface: Optional[str] = None) -> Any:
        """Return the method called ``member``, for names that an attribute cannot have too."""
        method = self.ProxyMethodClass(
            self,
            self._bus,
            self._named_service,
            self.__dbus_object_path__,
            member,
            dbus_interface,
        )
        if self._introspect_state == self.INTROSPECT_STATE_INTROSPECT_IN_PROGRESS:
            return self.DeferredMethodClass(
                method, self._introspect_add_to_queue, self._introspect_block
            )
        return method

    def __repr__(self) -> str:
        return (
            f"<ProxyObject wrapping {self._bus} {self._named_service} "
            f"{self.__dbus_object_path__} at {id(self):#x}>"
        )

    __str__ = __repr__


class Interface:
    """One interface of a remote object: its attributes are the methods of that interface."""

    def __init__(self, object: Union[ProxyObject, Interface], dbus_interface: str) -> None:
        """``object`` is a proxy, or another of its interfaces."""
        self._obj: ProxyObject = object.proxy_object if isinstance(object, Interface) else object
        self._dbus_interface = dbus_interface

    @property
    def object_path(self) -> str:
        """The path of the remote object."""
        return self._obj.object_path

    __dbus_object_path__ = object_path

    @property
    def bus_name(self) -> Optional[str]:
        """The name that messages to the object go to."""
        return self._obj.bus_name

    @property
    def requested_bus_name(self) -> Optional[str]:
        """The name that the proxy of the object was made with."""
        return self._obj.requested_bus_name

    @property
    def proxy_object(self) -> ProxyObject:
        """The proxy of the object."""
        return self._obj

    @property
    def dbus_interface(self) -> str:
        """The name of the interface."""
        return self._dbus_interface

    def connect_to_signal(
        self,
        signal_name: Optional[str],
        handler_function: Callable[..., object],
        dbus_interface: Optional[str] = None,
        **keywords: Any,
    ) -> SignalMatch:
        """See `ProxyObject.connect_to_signal`; None as interface is this one."""
        return self._obj.connect_to_signal(
            signal_name, handler_function, dbus_interface or self._dbus_interface, **keywords
        )

    def __getattr__(self, member: str) -> Any:
        if member[:2] == "__" and member[-2:] == "__":
            raise AttributeError(member)
        proxy = self._obj
        method = proxy.get_dbus_method(member, self._dbus_interface)
        # What is always the same is made once: until Python 3.12 a look-up in vain is dear.
        if method.__class__ is _ProxyMethod and proxy.__class__ is ProxyObject:
            object.__setattr__(self, member, method)
        return method

    def get_dbus_method(self, member: str, dbus_interface: Optional[str] = None) -> Any:
        """See `ProxyObject.get_dbus_method`; None as interface is this one."""
        return self._obj.get_dbus_method(member, dbus_interface or self._dbus_interface)

    def __repr__(self) -> str:
        return f"<Interface {self._obj!r} implementing {self._dbus_interface!r} at {id(self):#x}>"

    __str__ = __repr__
