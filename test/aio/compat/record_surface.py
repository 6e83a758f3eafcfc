# SPDX-License-Identifier: MIT
"""The public surface of dbus-fast, as its modules show it when they are asked.

usage: record_surface.py

Prints names, bases, and the names, kinds and defaults of parameters: what `surface.json` has.  Run
it with the interpreter that has dbus-fast.
"""

from __future__ import annotations

import enum
import inspect
import json
import re
from importlib import import_module
from types import ModuleType
from typing import Any, Optional

PACKAGE = "dbus_fast"

# Relative to the package; the two packages export what their modules define.
MODULES = (
    "",
    "aio",
    "aio.message_bus",
    "aio.proxy_object",
    "annotations",
    "auth",
    "constants",
    "errors",
    "introspection",
    "message",
    "message_bus",
    "proxy_object",
    "service",
    "signature",
    "unpack",
    "validators",
)

Entry = dict[str, Any]


def signature_of(function: Any) -> Optional[list[list[str]]]:
    """Name, kind and default ("" for none) of each parameter; None if they cannot be known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [
        [p.name, p.kind.name, "" if p.default is inspect.Parameter.empty else repr(p.default)]
        for p in parameters
    ]


def function_entry(function: Any) -> Entry:
    """What is known of a function or method."""
    return {
        "kind": "function",
        "async": inspect.iscoroutinefunction(function),
        "parameters": signature_of(function),
    }


def is_function(value: Any) -> bool:
    """Whether it is a function or method, written in Python or compiled."""
    return callable(value) and inspect.isroutine(value)


def of_the_package(cls: type) -> bool:
    """Whether a class is one of dbus-fast's."""
    return cls.__module__.split(".")[0] == PACKAGE


def class_entry(cls: type) -> Entry:
    """What is known of a class; what it inherits from classes of other packages is left out."""
    members: dict[str, Entry] = {}
    for owner in reversed(cls.__mro__):
        if not of_the_package(owner):
            continue
        for name in vars(owner):
            if not name.startswith("_"):
                value = getattr(cls, name)
                if is_function(value):
                    members[name] = function_entry(value)
                elif not issubclass(cls, enum.Enum):  # how members show differs with Python
                    members[name] = {"kind": "attribute"}
        for name in re.findall(r":ivar (\w+):", owner.__doc__ or ""):
            members.setdefault(name, {"kind": "attribute"})
    if issubclass(cls, enum.Enum):
        for name, member in cls.__members__.items():
            members[name] = {"kind": "value", "value": repr(member.value)}
    return {
        "kind": "class",
        "bases": [base.__name__ for base in cls.__bases__],
        "parameters": None if issubclass(cls, enum.Enum) else signature_of(cls),
        "members": dict(sorted(members.items())),
    }


def entry_of(module: str, value: Any) -> Entry:
    """What is known of a public name of a module."""
    if inspect.isclass(value) or is_function(value):
        owner = value.__module__.partition(".")[2]
        if owner != module and owner in MODULES:
            return {"kind": "export", "of": f"{owner}:{value.__name__}"}
    if inspect.isclass(value):
        return class_entry(value)
    if is_function(value):
        return function_entry(value)
    return {"kind": "value", "value": type(value).__name__}


def is_public(module: ModuleType, name: str, value: Any) -> bool:
    """Whether a name is the module's own to offer, and not one of its imports."""
    if name.startswith("_") or inspect.ismodule(value):
        return False
    if name in getattr(module, "__all__", ()):
        return True
    owner = getattr(value, "__module__", None)
    if hasattr(module, "__path__"):
        return owner is not None and str(owner).split(".")[0] == PACKAGE
    if inspect.isclass(value) or is_function(value):
        return bool(owner == module.__name__)
    if name == "TYPE_CHECKING":
        return False
    # A constant; what typing makes has its module's name.
    return owner in (None, module.__name__) or module.__name__ == f"{PACKAGE}.annotations"


def record() -> dict[str, dict[str, Entry]]:
    """The surface: module, then public name, then what is known of it."""
    surface = {}
    for name in MODULES:
        module = import_module(f"{PACKAGE}.{name}".rstrip("."))
        surface[name] = {
            key: entry_of(name, value)
            for key, value in sorted(vars(module).items())
            if is_public(module, key, value)
        }
    return surface


if __name__ == "__main__":
    print(json.dumps(record(), indent=1, sort_keys=True))
