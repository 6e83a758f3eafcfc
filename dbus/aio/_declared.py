# SPDX-License-Identifier: MIT
"""What a declared function says about itself: its name, and the signatures in its annotations.

`inspect` is imported where it is used; a program that declares nothing does not pay for it.
"""

from __future__ import annotations

from dbus.aio.errors import InvalidSignatureError
from dbus.aio.signature import get_signature_tree

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from inspect import Parameter
    from typing import Any, Callable, Optional


def name_of(function: Callable[..., Any]) -> str:
    """The name of the function; TypeError if it is none."""
    if not callable(function):
        raise TypeError(f"a member is declared by a function, not {type(function).__name__}")
    return function.__name__


def parameters_of(function: Callable[..., Any]) -> list[Parameter]:
    """All parameters of the function."""
    from inspect import signature as signature_of

    return list(signature_of(function).parameters.values())


def arguments_of(function: Callable[..., Any], skip: int = 1) -> list[tuple[Optional[str], str]]:
    """Name and signature of each parameter, but for the first ``skip``.

    ValueError for a parameter without a signature.
    """
    found: list[tuple[Optional[str], str]] = []
    for parameter in parameters_of(function)[skip:]:
        signature = signature_in(parameter.annotation, function)
        if not signature:
            raise ValueError(
                f"parameter {parameter.name} of {function.__name__} has no signature as annotation"
            )
        found.append((parameter.name, signature))
    return found


def result_of(function: Callable[..., Any]) -> str:
    """The signature of the result; empty if there is none."""
    from inspect import signature as signature_of

    return signature_in(signature_of(function).return_annotation, function)


def signature_in(annotation: Any, function: Callable[..., Any]) -> str:
    """The signature that an annotation of ``function`` says; empty for None and for nothing.

    ValueError if it says none; what evaluating source text raises, if it is that.
    """
    from inspect import Parameter, unwrap

    if annotation is None or annotation is Parameter.empty:
        return ""
    if isinstance(annotation, str):
        try:
            return get_signature_tree(annotation).signature
        except InvalidSignatureError:
            # Source text, as in modules with `from __future__ import annotations`.
            said = eval(annotation, getattr(unwrap(function), "__globals__", {}))
        if isinstance(said, str):
            return get_signature_tree(said).signature
        return signature_in(said, function)
    from dbus.aio.annotations import DBusSignature

    for detail in getattr(annotation, "__metadata__", ()):
        if isinstance(detail, DBusSignature):
            return get_signature_tree(detail.signature).signature
    raise ValueError(
        f"an annotation of {function.__name__} is neither a signature nor an Annotated type "
        f"with a DBusSignature: {annotation!r}"
    )
