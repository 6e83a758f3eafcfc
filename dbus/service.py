# SPDX-License-Identifier: MIT
"""Objects that other programs can call, and the bus names they are found under."""

from __future__ import annotations

import sys
from _thread import RLock  # threading costs five times as much to import
from types import CoroutineType

from _dbus_bindings import (
    INTROSPECTABLE_IFACE,
    LOCAL_PATH,
    ErrorMessage,
    Message,
    MethodCallMessage,
    MethodReturnMessage,
    _serve_objects,
    validate_bus_name,
    validate_error_name,
)
from dbus._core import export, introspect, names, report
from dbus._dbus import SessionBus
from dbus.decorators import method, signal
from dbus.exceptions import DBusException
from dbus.types import ObjectPath

# Programs reach these names through this module.
from _dbus_bindings import validate_object_path as validate_object_path  # isort: skip
from dbus.exceptions import NameExistsException as NameExistsException  # isort: skip
from dbus.exceptions import UnknownMethodException as UnknownMethodException  # isort: skip
from dbus.types import Signature as Signature  # isort: skip
from dbus.types import Struct as Struct  # isort: skip

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Callable, Optional

    Location = tuple[Any, str, bool]

__all__ = ("BusName", "Object", "FallbackObject", "method", "signal")

_CHANNEL = "dbus.service"

# What the caller of an async method gets whose task was cancelled.
_CANCELLED = "org.freedesktop.DBus.Error.Failed"

# Stands for the path or the connection of an object that has more than one.
_MANY = object()


class BusName:
    """A well-known name that this program owns or is in the queue for.

    The name is released when the last reference to the object goes.  Asking again for a name that
    a connection already has returns the same object.
    """

    _bus: Any
    _held_on: Any  # the same until the name is released
    _name: str

    # Held here, because module globals may be gone before the last names are.
    _is_finalizing = staticmethod(sys.is_finalizing)

    def __new__(
        cls,
        name: str,
        bus: Any = None,
        allow_replacement: bool = False,
        replace_existing: bool = False,
        do_not_queue: bool = False,
    ) -> Any:
        """Request ``name`` on ``bus``, a BusConnection.

        ``allow_replacement``: others may take it over.  ``replace_existing``: take it over from an
        owner who allows that.  ``do_not_queue``: NameExistsException if it cannot be had at once;
        else this connection waits in the queue for it.
        """
        validate_bus_name(name, allow_unique=False)
        if bus is None:
            import warnings

            warnings.warn(
                'Omitting the "bus" parameter to dbus.service.BusName.__init__ is deprecated',
                DeprecationWarning,
                stacklevel=2,
            )
            bus = SessionBus()
        known = bus._bus_names.get(name)
        if known is not None:
            return known
        flags = names.request_flags(allow_replacement, replace_existing, do_not_queue)
        names.check_request(name, bus.request_name(name, flags))
        self = super().__new__(cls)
        self._bus = bus
        self._held_on = bus
        self._name = name
        bus._bus_names[name] = self
        return self

    def __init__(self, *args: Any, **keywords: Any) -> None:
        """Nothing is left to do; the parameters are those of the constructor."""

    def __del__(self) -> None:
        """Release the name.  Programs call this by hand to do it at once."""
        bus = self.__dict__.pop("_held_on", None)
        if bus is None or self._is_finalizing():
            # Released before, or the process ends, and its names with it.
            return
        # From now on the name must be requested anew.
        bus._bus_names.pop(self._name, None)
        try:
            bus.release_name(self._name)
        except DBusException:
            # The connection is gone, and the name with it.
            pass

    def get_bus(self) -> Any:
        """Return the bus that the name is on."""
        return self._bus

    def get_name(self) -> str:
        """Return the name."""
        return self._name

    def __repr__(self) -> str:
        return f"<dbus.service.BusName {self._name} on {self._bus!r} at {id(self):#x}>"

    __str__ = __repr__


# The next three are looked up in this module at every call, because programs replace them.


def _method_lookup(
    self: Any, method_name: str, dbus_interface: Optional[str]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The function to call, and the one whose decorator describes it; see export.find_method."""
    return export.find_method(type(self).__mro__, method_name, dbus_interface)


def _method_reply_return(
    connection: Any,
    message: Message,
    method_name: str,
    signature: Optional[str],
    *retval: Any,
) -> None:
    """Answer ``message`` with values; raises if they do not fit the signature."""
    if message.get_no_reply():
        return
    reply = MethodReturnMessage(message)
    try:
        reply.append(*retval, signature=signature)
    except Exception as error:
        _report_values(retval, signature, error)
        raise
    connection.send_message(reply)


def _report_values(values: tuple[Any, ...], signature: Optional[str], error: Exception) -> None:
    """Log values that do not fit the signature of a reply."""
    tried = signature if signature is not None else _guess_of(values)
    if tried is None:
        report.error(
            _CHANNEL,
            "Unable to guess signature for arguments %r: %s: %s",
            values,
            type(error),
            error,
        )
    else:
        report.error(
            _CHANNEL,
            "Unable to append %r to message with signature %s: %s: %s",
            values,
            tried,
            type(error),
            error,
        )


def _guess_of(values: tuple[Any, ...]) -> Optional[str]:
    """How the log names the signature guessed for ``values``; None if there is none."""
    try:
        return f"{Message.guess_signature(values)} (guessed)"
    except Exception:
        return None


def _method_reply_error(connection: Any, message: Message, exception: BaseException) -> None:
    """Answer ``message`` with an exception."""
    if message.get_no_reply():
        return
    name = export.error_name(exception)
    try:
        validate_error_name(name)
    except ValueError:
        # A module or class name that D-Bus does not allow must not cost the caller its answer.
        name = export.PYTHON_ERROR_PREFIX + "Exception"
    connection.send_message(ErrorMessage(message, name, export.error_text(exception)))


class InterfaceType(type):
    """The metaclass of exported classes: it notes in the class table what each one exports."""

    _dbus_class_table: dict[str, export.Table]

    def __init__(cls, name: str, bases: tuple[type, ...], dct: dict[str, Any]) -> None:
        super().__init__(name, bases, dct)
        table = getattr(cls, "_dbus_class_table", None)
        if table is None:
            table = cls._dbus_class_table = {}
        keys = (f"{base.__module__}.{base.__name__}" for base in bases)
        table[f"{cls.__module__}.{name}"] = export.merged_table(
            export.own_table(dct),
            [table[key] for key in keys if key in table],
            [ancestor.__dict__ for ancestor in cls.__mro__[1:]],
        )

    def _reflect_on_method(cls, func: Callable[..., Any]) -> str:
        """The introspection data of a method."""
        return introspect.method_element(func)

    def _reflect_on_signal(cls, func: Callable[..., Any]) -> str:
        """The introspection data of a signal."""
        return introspect.signal_element(func)


class Interface(metaclass=InterfaceType):
    """A base for classes that only bring exported methods to an Object beside them."""


class Object(Interface):
    """An object that other programs can call.

    Derive from it, mark methods with `method` and `signal`, and export instances::

        class Lamp(dbus.service.Object):
            @dbus.service.method("com.example.Lamp", in_signature="b", out_signature="")
            def Switch(self, on):
                self.Switched(on)

            @dbus.service.signal("com.example.Lamp", signature="b")
            def Switched(self, on):
                pass

        lamp = Lamp(bus, "/com/example/lamp")

    Class attributes for subclasses to set:
        SUPPORTS_MULTIPLE_OBJECT_PATHS, SUPPORTS_MULTIPLE_CONNECTIONS: whether an instance may be
            exported more than once (False).
        SEND_TRACEBACKS: whether a caller gets the traceback of an exception other than a
            DBusException, rather than its text (True).
    """

    SUPPORTS_MULTIPLE_OBJECT_PATHS = False
    SUPPORTS_MULTIPLE_CONNECTIONS = False
    SEND_TRACEBACKS = True

    # One for all objects: exporting is rare, and it must not be taken twice around a callback.
    _locations_lock = RLock()

    def __init__(
        self, conn: Any = None, object_path: Optional[str] = None, bus_name: Any = None
    ) -> None:
        """Export the object at ``object_path`` of ``conn``, or nowhere yet if the path is None.

        ``bus_name`` is a `BusName` that lives as long as this object; its bus is used if ``conn``
        is None.  It may also stand in the place of ``conn``.  TypeError for a path without a
        connection.
        """
        if isinstance(conn, BusName):
            bus_name, conn = conn, conn.get_bus()
        elif object_path is not None and conn is None:
            if bus_name is None:
                raise TypeError("If object_path is given, either conn or bus_name is required")
            conn = bus_name.get_bus()
        self._set_up(bus_name)
        if object_path is not None:
            self.add_to_connection(conn, object_path)

    def _set_up(self, bus_name: Any, fallback: bool = False) -> None:
        self._object_path: Any = None
        self._connection: Any = None
        self._locations: list[Location] = []
        self._fallback = fallback
        self._name = bus_name

    @property
    def __dbus_object_path__(self) -> str:
        """The path of the object; AttributeError if it has none or several."""
        if self._object_path is _MANY:
            raise AttributeError(
                f"Object {self!r} has more than one object path: use Object.locations instead"
            )
        if self._object_path is None:
            raise AttributeError(f"Object {self!r} has no object path yet")
        path: str = self._object_path
        return path

    @property
    def connection(self) -> Any:
        """The connection of the object; AttributeError if it has none or several."""
        if self._connection is _MANY:
            raise AttributeError(
                f"Object {self!r} is on more than one Connection: use Object.locations instead"
            )
        if self._connection is None:
            raise AttributeError(f"Object {self!r} has no Connection yet")
        return self._connection

    @property
    def locations(self) -> Iterator[Location]:
        """Where the object is exported: tuples that start with a connection and a path."""
        return iter(list(self._locations))

    def add_to_connection(self, connection: Any, path: str) -> None:
        """Export the object at ``path`` of ``connection``.

        ValueError if it is exported elsewhere and the class does not support several paths or
        connections.  KeyError if another object is there already.
        """
        if path == LOCAL_PATH:
            raise ValueError(f"Objects may not be exported on the reserved path {LOCAL_PATH}")
        with self._locations_lock:
            for other, other_path, _fallback in self._locations:
                if other is not connection and not self.SUPPORTS_MULTIPLE_CONNECTIONS:
                    raise ValueError(f"{self!r} is already exported on connection {other!r}")
                if other_path != path and not self.SUPPORTS_MULTIPLE_OBJECT_PATHS:
                    raise ValueError(f"{self!r} is already exported at object path {other_path}")
            location, before = (
                (connection, path, self._fallback),
                (self._object_path, self._connection),
            )
            self._locations.append(location)
            try:
                self._summarise_locations()
                connection._register_object_path(path, self._message_cb, None, self._fallback)
            except BaseException:
                self._locations.remove(location)
                self._object_path, self._connection = before
                raise

    def remove_from_connection(self, connection: Any = None, path: Optional[str] = None) -> None:
        """Export the object no more at ``path`` of ``connection``; None stands for all.

        LookupError if it was not exported there.
        """
        with self._locations_lock:
            leaving = [
                location
                for location in self._locations
                if connection in (None, location[0]) and path in (None, location[1])
            ]
            if not leaving:
                place = f" at a location matching ({connection!r},{path!r})"
                raise LookupError(f"{self!r} is not exported{place if self._object_path else ''}")
            for location in leaving:
                location[0]._unregister_object_path(location[1])
                self._locations.remove(location)
            self._summarise_locations()

    def _summarise_locations(self) -> None:
        """Note the one path and connection, or that there are several.

        An object that has just been removed everywhere still tells where it was.
        """
        if self._locations:
            paths = {path for _connection, path, _fallback in self._locations}
            self._object_path = paths.pop() if len(paths) == 1 else _MANY
            first = self._locations[0][0]
            alone = all(location[0] is first for location in self._locations)
            self._connection = first if alone else _MANY

    def _relative_path(self, connection: Any, path: str) -> ObjectPath:
        """``path`` as seen from the nearest location of this object above it."""
        nearest: Optional[ObjectPath] = None
        if self._fallback:
            for other, base, _fallback in self._locations:
                if other is connection:
                    relative = export.relative_path(path, base)
                    if relative is not None and (nearest is None or len(relative) < len(nearest)):
                        nearest = relative
        return ObjectPath("/") if nearest is None else nearest

    def _injected_arguments(
        self, notes: dict[str, Any], connection: Any, message: Message
    ) -> dict[str, Any]:
        """The keyword arguments that the method's decorator asks for, handlers apart."""
        injected: dict[str, Any] = {}
        keyword = notes.get("_dbus_sender_keyword")
        if keyword:
            injected[keyword] = message.get_sender()
        keyword = notes.get("_dbus_path_keyword")
        if keyword:
            injected[keyword] = message.get_path()
        keyword = notes.get("_dbus_rel_path_keyword")
        if keyword:
            injected[keyword] = self._relative_path(connection, message.get_path() or "/")
        keyword = notes.get("_dbus_destination_keyword")
        if keyword:
            injected[keyword] = message.get_destination()
        keyword = notes.get("_dbus_message_keyword")
        if keyword:
            injected[keyword] = message
        keyword = notes.get("_dbus_connection_keyword")
        if keyword:
            injected[keyword] = connection
        return injected

    def _reply_error(self, connection: Any, message: Message, exception: BaseException) -> None:
        """Answer with an exception, with its traceback or not as the class wants."""
        if not self.SEND_TRACEBACKS:
            exception.include_traceback = False  # type: ignore[attr-defined]
        _method_reply_error(connection, message, exception)

    def _message_cb(self, connection: Any, message: Message) -> None:
        """Answer a message for a path of this object."""
        if not isinstance(message, MethodCallMessage):
            return
        try:
            name = message.get_member() or ""
            function, described = _method_lookup(self, name, message.get_interface())
            notes = vars(described)
            args = message.get_args_list(**notes.get("_dbus_get_args_options") or {})
            keywords = self._injected_arguments(notes, connection, message)
            signature = notes.get("_dbus_out_signature")
            callbacks = notes.get("_dbus_async_callbacks")
            if callbacks:

                def reply(*values: Any) -> None:
                    _method_reply_return(connection, message, name, signature, *values)

                def fail(exception: BaseException) -> None:
                    self._reply_error(connection, message, exception)

                keywords[callbacks[0]] = reply
                keywords[callbacks[1]] = fail
                function(self, *args, **keywords)
                return
            value = function(self, *args, **keywords)
            if isinstance(value, CoroutineType):
                self._answer_later(value, connection, message, name, signature)
                return
            values = export.returned_values(name, signature, value)
            _method_reply_return(connection, message, name, signature, *values)
        except Exception as exception:
            self._reply_error(connection, message, exception)

    # For the C module, which serves the usual case of _message_cb itself.

    def _call_failed(
        self,
        connection: Any,
        message: Message,
        exception: Exception,
        values: Optional[tuple[Any, ...]],
    ) -> None:
        """The method has raised; or ``values`` are what it returned, which do not fit."""
        if values is not None:
            name, interface = message.get_member() or "", message.get_interface()
            described = _method_lookup(self, name, interface)[1]
            try:
                raise exception  # so that it has a traceback, as every other has
            except Exception:
                _report_values(values, vars(described).get("_dbus_out_signature"), exception)
        self._reply_error(connection, message, exception)

    def _serve_later(
        self, connection: Any, message: Message, coroutine: Any, signature: str
    ) -> None:
        """The method is an ``async def``."""
        try:
            self._answer_later(
                coroutine, connection, message, message.get_member() or "", signature
            )
        except Exception as exception:
            self._reply_error(connection, message, exception)

    def _answer_later(
        self,
        coroutine: CoroutineType[Any, Any, Any],
        connection: Any,
        message: Message,
        name: str,
        signature: Optional[str],
    ) -> None:
        """Answer the call of an ``async def`` method when it ends; the running loop runs it."""
        import asyncio

        async def answer() -> None:
            try:
                values = export.returned_values(name, signature, await coroutine)
                _method_reply_return(connection, message, name, signature, *values)
            except asyncio.CancelledError:
                error = DBusException(f"{name} was cancelled", name=_CANCELLED)
                self._reply_error(connection, message, error)
                raise
            except Exception as exception:
                self._reply_error(connection, message, exception)

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            coroutine.close()
            raise RuntimeError(
                f"{name} is an async method: its connection must be on an asyncio main loop"
            ) from None
        # The loop itself holds its tasks by weak references.
        task = loop.create_task(answer())
        tasks = self.__dict__.setdefault("_tasks", set())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    @method(
        INTROSPECTABLE_IFACE,
        in_signature="",
        out_signature="s",
        path_keyword="object_path",
        connection_keyword="connection",
    )
    def Introspect(self, object_path: str, connection: Any) -> str:
        """Return the introspection data of this object as XML."""
        cls = type(self)
        return introspect.document(
            object_path,
            cls._dbus_class_table[f"{cls.__module__}.{cls.__name__}"],
            connection.list_exported_child_objects(object_path),
            cls._reflect_on_method,
            cls._reflect_on_signal,
        )

    def __repr__(self) -> str:
        cls = type(self)
        path = self.__dict__.get("_object_path")
        where = "" if path is None or path is _MANY else f" at {path}"
        return f"<{cls.__module__}.{cls.__qualname__}{where} at {id(self):#x}>"

    __str__ = __repr__


_serve_objects(globals(), Object._message_cb)


class FallbackObject(Object):
    """An object that answers for its path and for all below it where no other object is."""

    SUPPORTS_MULTIPLE_OBJECT_PATHS = True

    def __init__(self, conn: Any = None, object_path: Optional[str] = None) -> None:
        """Export the object at ``object_path`` of ``conn``, or nowhere yet if the path is None."""
        self._set_up(None, fallback=True)
        if object_path is not None:
            if conn is None:
                raise TypeError("If object_path is given, conn is required")
            self.add_to_connection(conn, object_path)
