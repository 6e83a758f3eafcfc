# SPDX-License-Identifier: MIT
"""What a class exports, which function answers a call, and what goes back to the caller.

Decorators leave notes on functions as attributes whose names start with ``_dbus_``.  Programs
also set them by hand, so a missing one counts as None.
"""

from __future__ import annotations

from dbus.exceptions import DBusException, UnknownMethodException
from dbus.types import ObjectPath, Signature, Struct

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Mapping, Optional

    Function = Callable[..., Any]
    Table = dict[str, dict[str, Function]]


PYTHON_ERROR_PREFIX = "org.freedesktop.DBus.Python."

# Characters of an error's text: more than anybody reads, and much less than a message can hold.
_LONGEST_TEXT = 2**20


def argument_names(function: Any) -> list[str]:
    """The names of a function's positional arguments, ``self`` included."""
    code = getattr(function, "__code__", None)
    if code is not None:
        return list(code.co_varnames[: code.co_argcount])
    # Something else that can be called: inspect knows all kinds, and takes its time to import.
    import inspect

    return list(inspect.getfullargspec(function).args)


def is_exported(function: object) -> bool:
    """Whether a decorator has marked ``function`` as a method or a signal."""
    return bool(
        getattr(function, "_dbus_is_method", False) or getattr(function, "_dbus_is_signal", False)
    )


def own_table(members: Mapping[str, Any]) -> Table:
    """Interface -> name -> function of what one class body exports."""
    table: Table = {}
    for function in members.values():
        if is_exported(function):
            table.setdefault(function._dbus_interface, {})[function.__name__] = function
    return table


def merged_table(
    own: Table, bases: Iterable[Table], ancestors: Iterable[Mapping[str, Any]]
) -> Table:
    """What a class exports with what it inherits.

    ``bases`` are the tables of its bases, which a program may have changed, and ``ancestors`` the
    bodies of the classes behind it in method resolution order.  Where bases disagree about a
    member, the class that comes first in that order decides, as it does for a call.
    """
    table: Table = {}
    for inherited in bases:
        for interface, members in inherited.items():
            table.setdefault(interface, {}).update(members)
    for body in reversed(list(ancestors)):
        for interface, members in own_table(body).items():
            known = table.get(interface, {})
            known.update((name, found) for name, found in members.items() if name in known)
    for interface, members in own.items():
        table.setdefault(interface, {}).update(members)
    return table


def find_method(
    order: Iterable[type], name: str, interface: Optional[str]
) -> tuple[Function, Function]:
    """The function to call for a method, and the one whose notes describe it.

    The second is the first in method resolution ``order`` that is exported on ``interface`` (None:
    on any); the first is an override without decorator before it, if there is one.
    UnknownMethodException if nothing fits, or if a subclass has set the name to None.
    """
    override: Optional[Function] = None
    for cls in order:
        function = cls.__dict__.get(name, cls)
        if function is cls:
            continue
        if function is None:
            break
        if getattr(function, "_dbus_is_method", False):
            if interface is None or function._dbus_interface == interface:
                return override or function, function
        elif override is None:
            override = function
    if interface is None:
        raise UnknownMethodException(f"{name} is not a valid method")
    raise UnknownMethodException(f"{name} is not a valid method of interface {interface}")


def returned_values(name: str, signature: Optional[str], value: Any) -> tuple[Any, ...]:
    """The values to send for what a method returned; TypeError if they do not fit in number."""
    if signature is None:
        if value is None:
            return ()
        if isinstance(value, tuple) and not isinstance(value, Struct):
            return value
        return (value,)
    if not signature:
        if value is not None:
            raise TypeError(f"{name} has an empty output signature but did not return None")
        return ()
    if len(signature) == 1 or len(list(Signature(signature))) == 1:
        return (value,)
    if not isinstance(value, (tuple, list)):
        from collections.abc import Sequence  # late: it is slow to import and seldom needed

        if not isinstance(value, Sequence):
            raise TypeError(
                f"{name} has multiple output values in signature {signature} "
                "but did not return a sequence"
            )
    return tuple(value)


def error_name(exception: BaseException) -> str:
    """The D-Bus error name for an exception that a method raised."""
    name = getattr(exception, "_dbus_error_name", None)
    if name is not None:
        return str(name)
    cls = type(exception)
    if cls.__module__ in ("", "builtins", "__main__"):
        return PYTHON_ERROR_PREFIX + cls.__name__
    return f"{PYTHON_ERROR_PREFIX}{cls.__module__}.{cls.__name__}"


def error_text(exception: BaseException) -> str:
    """What the caller reads about an exception that a method raised.

    The traceback, unless the attribute ``include_traceback`` is false (it is for DBusException).
    """
    if getattr(exception, "include_traceback", True):
        import traceback

        parts = traceback.format_exception(type(exception), exception, exception.__traceback__)
        text = "".join(parts)
    elif isinstance(exception, DBusException):
        text = exception.get_dbus_message()
    else:
        text = str(exception)
    # D-Bus strings hold neither zeros nor lone surrogates; the caller must get an answer anyhow.
    text = text[:_LONGEST_TEXT]
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode("utf-8")


def relative_path(path: str, base: str) -> Optional[ObjectPath]:
    """``path`` as seen from ``base``, itself starting with a slash; None if it is not below."""
    if path == base:
        return ObjectPath("/")
    if base == "/":
        return ObjectPath(path)
    if path.startswith(base + "/"):
        return ObjectPath(path[len(base) :])
    return None


def absolute_path(base: str, relative: Optional[str]) -> str:
    """The path that stands at ``relative`` below ``base``; the opposite of relative_path."""
    if relative is None or relative in ("", "/"):
        return base
    return relative if base == "/" else base + relative
