# SPDX-License-Identifier: MIT
"""Decorators that mark methods of `dbus.service.Object` as D-Bus methods and signals.

What a decorator is told it notes on the function, in attributes whose names start with ``_dbus_``;
`dbus._core.export` reads them when a call comes in.
"""

from __future__ import annotations

from _dbus_bindings import SignalMessage, validate_interface_name, validate_member_name
from dbus._core.call import refuse_removed_keywords
from dbus._core.export import absolute_path, argument_names, relative_path
from dbus.exceptions import DBusException as DBusException  # programs reach it through here
from dbus.types import Signature

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

    _Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

__all__ = ("method", "signal")


_ASYNC_FORM = (
    "async_callbacks must be a tuple of (keyword for return callback, keyword for error callback)"
)


def _check_length(types: Optional[str], names: list[str], what: str, owner: str) -> None:
    """ValueError unless the signature ``types`` has one part for each name.

    An empty one is let pass, as ever: programs leave it so where they mean "not told".
    """
    if not types:
        Signature(types or "")
        return
    surplus = len(list(Signature(types))) - len(names)
    if surplus:
        relation = "longer" if surplus > 0 else "shorter"
        raise ValueError(f"{what} signature is {relation} than the number of arguments {owner}")


def _take_names(names: list[str], reserved: tuple[Optional[str], ...]) -> None:
    """Take the keyword arguments that the library fills in out of ``names``."""
    for name in reserved:
        if name:
            if name not in names:
                raise ValueError(f'function has no argument "{name}"')
            names.remove(name)


def method(
    dbus_interface: str,
    in_signature: Optional[str] = None,
    out_signature: Optional[str] = None,
    async_callbacks: Optional[tuple[str, str]] = None,
    sender_keyword: Optional[str] = None,
    path_keyword: Optional[str] = None,
    destination_keyword: Optional[str] = None,
    message_keyword: Optional[str] = None,
    connection_keyword: Optional[str] = None,
    byte_arrays: bool = False,
    rel_path_keyword: Optional[str] = None,
    **kwargs: Any,
) -> _Decorator:
    """Export a method on ``dbus_interface`` under its own name.

    ``in_signature`` and ``out_signature`` are what introspection tells; the second also decides
    how the returned value is sent: nothing for '', the value for one type, the items of a sequence
    for more, and a guess for None.

    ``async_callbacks`` names two keyword arguments that get functions: one to call with the values
    to return, one to call with an exception.  What the method itself returns is then ignored.

    The other ``..._keyword`` parameters name keyword arguments that get the sender's unique name,
    the object path, the destination name, the message, the connection, and the path relative to
    where the object is exported ('/' but for a FallbackObject).  ``byte_arrays`` true: arrays of
    bytes come as `dbus.ByteArray`.
    """
    validate_interface_name(dbus_interface)
    refuse_removed_keywords(kwargs)
    if async_callbacks:
        if not isinstance(async_callbacks, tuple):
            raise TypeError(_ASYNC_FORM)
        if len(async_callbacks) != 2:
            raise ValueError(_ASYNC_FORM)
    keywords = {
        "sender": sender_keyword,
        "path": path_keyword,
        "rel_path": rel_path_keyword,
        "destination": destination_keyword,
        "message": message_keyword,
        "connection": connection_keyword,
    }

    def decorator(function: Callable[..., Any]) -> Callable[..., Any]:
        names = argument_names(function)
        if not names:
            raise ValueError(f'method "{function.__name__}" has no argument for its object')
        del names[0]
        _take_names(names, (*(async_callbacks or ()), *keywords.values()))
        _check_length(in_signature, names, "input", "taken")
        notes: dict[str, Any] = {
            "_dbus_is_method": True,
            "_dbus_interface": dbus_interface,
            "_dbus_in_signature": in_signature,
            "_dbus_out_signature": out_signature,
            "_dbus_async_callbacks": async_callbacks,
            "_dbus_args": names,
            "_dbus_get_args_options": {"byte_arrays": byte_arrays},
        }
        notes.update((f"_dbus_{kind}_keyword", name) for kind, name in keywords.items())
        vars(function).update(notes)
        return function

    return decorator


def _taken_path(
    self: Any,
    keywords: dict[str, Any],
    path_keyword: Optional[str],
    rel_path_keyword: Optional[str],
) -> Optional[str]:
    """Take the keyword with the path out of a call of a signal, as a relative path or None."""
    if rel_path_keyword:
        given: Optional[str] = keywords.pop(rel_path_keyword, None)
        return given
    if not path_keyword:
        return None
    if self.SUPPORTS_MULTIPLE_OBJECT_PATHS:
        raise TypeError(
            "path_keyword cannot be used on the signals of an object that "
            "supports multiple object paths"
        )
    path = keywords.pop(path_keyword, None)
    if path is None:
        return None
    base = self.__dbus_object_path__
    relative = relative_path(path, base)
    if relative is None:
        raise ValueError(f"Path {path!r} is not below {base!r}")
    return relative


def _emit(
    self: Any,
    notes: dict[str, Any],
    name: str,
    relative: Optional[str],
    args: tuple[Any, ...],
) -> None:
    """Send the signal from every location of the object."""
    for location in self.locations:
        message = SignalMessage(
            absolute_path(location[1], relative), notes["_dbus_interface"], name
        )
        message.append(*args, signature=notes["_dbus_signature"])
        location[0].send_message(message)


def signal(
    dbus_interface: str,
    signature: Optional[str] = None,
    path_keyword: Optional[str] = None,
    rel_path_keyword: Optional[str] = None,
) -> _Decorator:
    """Make a method that emits a signal of its own name on ``dbus_interface``.

    Calling it runs the body first and then sends its positional arguments, with ``signature`` or
    guessed types, from every location of the object.  An exception in the body sends nothing.

    ``rel_path_keyword`` names a keyword argument that is not sent: a path, relative to where the
    object is exported, from which the signal is to come.  ``path_keyword`` is its deprecated form
    with an absolute path, for objects at one path only.
    """
    validate_interface_name(dbus_interface)
    if path_keyword is not None:
        import warnings

        warnings.warn(
            "dbus.service.signal::path_keyword has been deprecated since dbus-python 0.82.0, "
            "and will not work on objects that support multiple object paths",
            DeprecationWarning,
            stacklevel=2,
        )
        if rel_path_keyword is not None:
            raise TypeError(
                "dbus.service.signal::path_keyword and rel_path_keyword cannot both be used"
            )

    def decorator(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__
        validate_member_name(name)
        names = argument_names(function)
        if not names:
            raise ValueError(f'signal "{name}" has no argument for its object')
        del names[0]
        _take_names(names, (rel_path_keyword, path_keyword))
        _check_length(signature, names, "signal", "provided")

        def emit_signal(self: Any, *args: Any, **keywords: Any) -> None:
            relative = _taken_path(self, keywords, path_keyword, rel_path_keyword)
            function(self, *args, **keywords)
            _emit(self, notes, name, relative, args)

        emit_signal.__name__ = name
        emit_signal.__qualname__ = getattr(function, "__qualname__", name)
        emit_signal.__module__ = function.__module__
        emit_signal.__doc__ = function.__doc__
        # What it takes is what the body takes, whatever is annotated here.
        emit_signal.__annotations__ = {}
        notes = vars(emit_signal)
        notes["_dbus_is_signal"] = True
        notes["_dbus_interface"] = dbus_interface
        notes["_dbus_signature"] = signature
        notes["_dbus_args"] = names
        return emit_signal

    return decorator
