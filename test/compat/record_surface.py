# SPDX-License-Identifier: MIT
"""What a program can see of the modules: names, kinds, signatures, bases, constants, flags.

`python3 record_surface.py` prints it as JSON; `--store` writes golden/surface-<level>.json.gz and
must run on the reference.  It runs in a process of its own, because importing `dbus.glib` has
side effects.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import types
import warnings
from typing import Any, Optional

MODULES = (
    "dbus",
    "dbus.bus",
    "dbus.connection",
    "dbus.decorators",
    "dbus.exceptions",
    "dbus.gi_service",
    "dbus.glib",
    "dbus.lowlevel",
    "dbus.mainloop",
    "dbus.mainloop.glib",
    "dbus.proxies",
    "dbus.server",
    "dbus.service",
    "dbus.types",
    "dbus._dbus",
    "dbus._compat",
    "dbus._expat_introspect_parser",
    "_dbus_bindings",
    "_dbus_glib_bindings",
)

# Private names that programs in the wild use; every other underscored name of the package may go.
PRIVATE = {
    "dbus.service": ["_method_lookup", "_method_reply_return", "_method_reply_error"],
    "dbus.service.Object": [
        "_dbus_class_table",
        "SUPPORTS_MULTIPLE_OBJECT_PATHS",
        "SUPPORTS_MULTIPLE_CONNECTIONS",
    ],
    "dbus.proxies": ["_ProxyMethod", "_DeferredMethod"],
    "dbus.connection.Connection": [
        "_new_for_bus",
        "_register_object_path",
        "_require_main_loop",
        "_unregister_object_path",
    ],
    "dbus.proxies.ProxyObject": ["_Introspect", "_named_service"],
    "dbus.exceptions.DBusException": ["include_traceback", "_dbus_error_name"],
}


def is_ours(value: Any) -> bool:
    """Whether the value belongs to the binding rather than to the standard library."""
    if isinstance(value, types.ModuleType):
        home = value.__name__
    elif callable(value):
        home = getattr(value, "__module__", None) or ""
    else:
        return True
    return home.split(".")[0] in ("dbus", "_dbus_bindings", "_dbus_glib_bindings", "")


def signature(value: Any) -> Optional[str]:
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in found.parameters.values()]
    return str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def kind(value: Any) -> str:
    if isinstance(value, type):
        return "class"
    if isinstance(value, types.ModuleType):
        return "module"
    if isinstance(value, (staticmethod, classmethod)):
        return "callable"
    if callable(value):
        return "callable"
    if inspect.isdatadescriptor(value):
        return "attribute"
    return "value"


def constant(value: Any) -> Optional[str]:
    if isinstance(value, (bool, int, float, str, bytes, tuple, type(None))):
        return repr(value)
    return None


def subclassable(cls: type) -> bool:
    try:
        type("Sub", (cls,), {})
    except TypeError:
        return False
    return True


def members(cls: type) -> dict[str, Any]:
    """Public attributes that the class or its bases within the binding define."""
    found: dict[str, Any] = {}
    wanted = PRIVATE.get(f"{cls.__module__}.{cls.__qualname__}", [])
    for base in reversed(cls.__mro__):
        if not is_ours(base):
            continue
        for name, raw in vars(base).items():
            if name.startswith("_") and name not in wanted:
                continue
            bound = getattr(cls, name)
            found[name] = {
                "kind": kind(raw),
                "doc": bool(getattr(bound, "__doc__", None)),
                "signature": signature(bound) if callable(bound) else None,
                "value": constant(raw),
            }
    return found


def describe_class(cls: type) -> dict[str, Any]:
    made_in_python = isinstance(
        vars(cls).get("__init__", vars(cls).get("__new__")), types.FunctionType
    )
    return {
        "mro": [base.__module__ + "." + base.__qualname__ for base in cls.__mro__],
        "metaclass": type(cls).__name__,
        "subclassable": subclassable(cls),
        "has dict": cls.__dictoffset__ != 0,
        "weakly referable": cls.__weakrefoffset__ != 0,
        "signature": signature(cls) if made_in_python else None,
        "members": members(cls),
    }


def describe(value: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": kind(value)}
    if entry["kind"] == "class":
        entry.update(describe_class(value))
    elif entry["kind"] == "callable":
        entry["signature"] = signature(value)
    elif entry["kind"] == "value":
        entry["type"] = type(value).__name__
        entry["value"] = constant(value)
    if entry["kind"] in ("class", "callable"):
        entry["module"] = value.__module__
        entry["doc"] = bool(value.__doc__)
    return entry


def surface() -> dict[str, Any]:
    """{module: {name: description}}; a module that cannot be imported maps to its error."""
    warnings.simplefilter("ignore")
    found: dict[str, Any] = {}
    for name in MODULES:
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            found[name] = f"{type(error).__name__}: {error}"
            continue
        names = set(PRIVATE.get(name, []))
        public = getattr(module, "__all__", None)
        names.update(public or ())
        for other in vars(module):
            keep = not other.startswith("_") or (
                name == "_dbus_bindings" and not other.startswith("__")
            )
            if keep and is_ours(vars(module)[other]):
                names.add(other)
        found[name] = {
            other: describe(getattr(module, other))
            for other in sorted(names)
            if hasattr(module, other)
        }
        found[name]["__all__"] = {
            "kind": "value",
            "type": type(public).__name__,
            "value": repr(sorted(public or [])),
        }
        found[name]["__doc__"] = {
            "kind": "value",
            "type": "str",
            "value": str(bool(module.__doc__)),
        }
    return found


def main() -> None:
    found = surface()
    if "--store" not in sys.argv:
        json.dump(found, sys.stdout)
        return
    sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
    import golden_store

    import _dbus_bindings

    golden_store.store(f"surface-{_dbus_bindings.__version__}", found)


if __name__ == "__main__":
    main()
