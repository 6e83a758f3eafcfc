# SPDX-License-Identifier: MIT
"""The exceptions of the package, all of them kinds of DBusException."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Optional


__all__ = (
    "DBusException",
    "MissingErrorHandlerException",
    "MissingReplyHandlerException",
    "ValidationException",
    "IntrospectionParserException",
    "UnknownMethodException",
    "NameExistsException",
)


class DBusException(Exception):
    """Something went wrong on the bus, or at the other end of it.

    ``args`` are what the error message carried, usually one text.  The keyword ``name`` is the
    D-Bus error name; subclasses may set ``_dbus_error_name`` as a class attribute instead.
    A service that raises it answers with that name and the text; with ``include_traceback`` true
    the caller gets the traceback instead of the text.
    """

    include_traceback = False
    _dbus_error_name: Optional[str]

    def __init__(self, *args: object, **kwargs: Any) -> None:
        name = kwargs.pop("name", None)
        if kwargs:
            unknown = ", ".join(sorted(kwargs))
            raise TypeError(f"DBusException does not take keyword arguments: {unknown}")
        if name is not None or getattr(self, "_dbus_error_name", None) is None:
            self._dbus_error_name = name
        super().__init__(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses make their text of other arguments than the base: a copy must not do it again.
        return _remade, (type(self), self.args), self.__dict__

    def __str__(self) -> str:
        text = super().__str__()
        name = self.get_dbus_name()
        return text if name is None else f"{name}: {text}"

    def __unicode__(self) -> str:
        """The same as ``str()``; the name is what Python 2 programs called."""
        return self.__str__()

    def get_dbus_message(self) -> str:
        """The text without the error name."""
        return super().__str__()

    def get_dbus_name(self) -> Optional[str]:
        """The D-Bus error name, None if there is none."""
        return getattr(self, "_dbus_error_name", None)


def _remade(cls: type[DBusException], args: tuple[object, ...]) -> DBusException:
    """An exception of ``cls`` with these ``args``, for copy and pickle."""
    exception = cls.__new__(cls, *args)
    exception.args = args
    return exception


class MissingErrorHandlerException(DBusException):
    """An asynchronous call got a reply_handler and no error_handler."""

    include_traceback = True

    def __init__(self) -> None:
        super().__init__(
            "error_handler not defined: if you define a reply_handler "
            "you must also define an error_handler"
        )


class MissingReplyHandlerException(DBusException):
    """An asynchronous call got an error_handler and no reply_handler."""

    include_traceback = True

    def __init__(self) -> None:
        super().__init__(
            "reply_handler not defined: if you define an error_handler "
            "you must also define a reply_handler"
        )


class ValidationException(DBusException):
    """A name or a value does not have the form that D-Bus asks for."""

    include_traceback = True

    def __init__(self, msg: object = "") -> None:
        super().__init__(f"Error validating string: {msg}")


class IntrospectionParserException(DBusException):
    """Introspection data could not be used."""

    include_traceback = True

    def __init__(self, msg: object = "") -> None:
        super().__init__(f"Error parsing introspect data: {msg}")


class UnknownMethodException(DBusException):
    """An exported object has no such method."""

    include_traceback = True
    _dbus_error_name = "org.freedesktop.DBus.Error.UnknownMethod"

    def __init__(self, method: object) -> None:
        super().__init__(f"Unknown method: {method}")


class NameExistsException(DBusException):
    """A bus name was asked for without queueing, and another connection owns it."""

    include_traceback = True

    def __init__(self, name: object) -> None:
        super().__init__(f"Bus name already exists: {name}")
