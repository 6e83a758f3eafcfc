# SPDX-License-Identifier: MIT
"""The public names of dbus-fast and their signatures, as `surface.json` has them, against ours.

On dbus-fast the record must be true; on ours every name must be there, and be used in the same way.
"""

from __future__ import annotations

import enum
import inspect
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from api import PACKAGE, REFERENCE
from record_surface import Entry, record, signature_of

SURFACE: dict[str, dict[str, Entry]] = json.loads(
    (Path(__file__).resolve().parent / "surface.json").read_text(encoding="utf-8")
)

_INSIDE = "of its own inside, and in no documentation"
_ONE_BUS = "there is one kind of bus, whose methods are awaited; those of the base take callbacks"
_NOT_SHARED = "None is an empty list, too, but a new one each time"

# Modules of dbus-fast that are not compared.
LEFT_OUT = {
    "_private": "its inside",
    "__version__": "the version of another package",
    "aio.message_reader": "how it reads from its socket; libdbus does that",
    "glib": "another main loop; the classic interface serves GLib",
    "send_reply": "what its bus gives to its own handlers",
}

# Where ours differ: "module:Name" or "module:Name.member", and why.
SURFACE_DIFFERENCES = {
    "aio.message_bus:HELLO_1_SERIALIZED": _INSIDE,
    "aio.message_bus:NO_REPLY_EXPECTED_VALUE": _INSIDE,
    "aio.proxy_object:NO_REPLY_EXPECTED_VALUE": _INSIDE,
    "auth:AUTH_READ_CHUNK": _INSIDE,
    "auth:MAX_AUTH_LINE": _INSIDE,
    "introspection:Method": _NOT_SHARED,
    "message:MAX_MESSAGE_SIZE": _INSIDE,
    "message:Message.new_method_return": _NOT_SHARED,
    "message:REQUIRED_FIELDS": _INSIDE,
    "message_bus:BaseMessageBus.introspect": _ONE_BUS,
    "message_bus:BaseMessageBus.release_name": _ONE_BUS,
    "message_bus:BaseMessageBus.request_name": _ONE_BUS,
    "proxy_object:SignalHandler": _INSIDE,
    "signature:SignatureType.validators": _INSIDE,
}


def module_of(name: str) -> Any:
    """Our module for one of dbus-fast's: what it has in a package for asyncio, we have in one."""
    parts = name.split(".")
    if not REFERENCE:
        parts = [part for part in parts if part != "aio"]
    return import_module(".".join([PACKAGE, *filter(None, parts)]))


def resolve(key: str) -> Any:
    """What "module:Name" names; None if it is not there."""
    module, _, name = key.partition(":")
    try:
        return getattr(module_of(module), name, None)
    except ImportError:
        return None


# Every class of the surface by its name, to find bases.
CLASSES = {
    name: f"{module}:{name}"
    for module, names in SURFACE.items()
    for name, entry in names.items()
    if entry["kind"] == "class"
}

Parameters = list[list[str]]


def parameter_problem(theirs: Parameters, ours: Parameters) -> str:
    """What a caller of theirs would stumble over with ours; "" if nothing."""
    known = {name: (kind, default) for name, kind, default in ours}
    order = [name for name, kind, _ in ours if kind.startswith("POSITIONAL")]
    positional = [name for name, kind, _ in theirs if kind.startswith("POSITIONAL")]
    if order[: len(positional)] != positional:
        return f"takes {order} by position, not {positional}"
    for name, kind, default in theirs:
        if name not in known:
            return f"has no parameter {name}"
        our_kind, our_default = known[name]
        if kind != our_kind and kind != "POSITIONAL_ONLY":
            return f"parameter {name} is {our_kind}, not {kind}"
        if default and default != our_default:
            return f"parameter {name} has the default {our_default or 'none'}, not {default}"
    names = {name for name, _, _ in theirs}
    for name, kind, default in ours:
        if name not in names and not default and not kind.startswith("VAR_"):
            return f"requires {name}"
    return ""


def function_problems(key: str, theirs: Entry, ours: Any) -> Iterator[tuple[str, str]]:
    if not callable(ours):
        yield key, "is no function"
        return
    if theirs["async"] and not inspect.iscoroutinefunction(ours):
        yield key, "is no coroutine function"
    parameters = signature_of(ours)
    if theirs["parameters"] is not None and parameters is not None:
        problem = parameter_problem(theirs["parameters"], parameters)
        if problem:
            yield key, problem


def has_attribute(cls: Any, name: str) -> bool:
    """Whether instances have an attribute: from the class, its fields or a constructor."""
    if hasattr(cls, name):
        return True
    for base in cls.__mro__:
        constructor = vars(base).get("__init__")
        if name in vars(base).get("__annotations__", ()):
            return True
        if inspect.isfunction(constructor) and name in constructor.__code__.co_names:
            return True
    return False


def class_problems(key: str, theirs: Entry, ours: Any) -> Iterator[tuple[str, str]]:
    if not inspect.isclass(ours):
        yield key, "is no class"
        return
    above = {base.__name__ for base in ours.__mro__}
    for base in theirs["bases"]:
        if base not in above and resolve(CLASSES.get(base, ":")) not in ours.__mro__:
            yield key, f"is no {base}"
    parameters = signature_of(ours)
    if theirs["parameters"] is not None and parameters is not None:
        problem = parameter_problem(theirs["parameters"], parameters)
        if problem:
            yield key, problem
    for name, entry in theirs["members"].items():
        member = f"{key}.{name}"
        if not has_attribute(ours, name):
            yield member, "is missing"
        elif entry["kind"] == "function":
            yield from function_problems(member, entry, getattr(ours, name, None))
        elif entry["kind"] == "value" and issubclass(ours, enum.Enum):
            if repr(ours[name].value) != entry["value"]:
                yield member, f"is {ours[name].value!r}, not {entry['value']}"


def problems() -> Iterator[tuple[str, str]]:
    """Each name that is not as recorded, and what is wrong with it."""
    for module, names in SURFACE.items():
        for name, entry in names.items():
            key = f"{module}:{name}"
            ours = resolve(key)
            if ours is None:
                yield key, "is missing"
            elif entry["kind"] == "export":
                if ours is not resolve(entry["of"]):
                    yield key, f"is not {entry['of']}"
            elif entry["kind"] == "class":
                yield from class_problems(key, entry, ours)
            elif entry["kind"] == "function":
                yield from function_problems(key, entry, ours)
            elif type(ours).__name__ != entry["value"]:
                yield key, f"is of type {type(ours).__name__}, not {entry['value']}"


@pytest.mark.skipif(not REFERENCE, reason="it is the record of dbus-fast")
def test_the_record_is_true() -> None:
    assert record() == SURFACE


@pytest.mark.skipif(not REFERENCE, reason="it is about the modules of dbus-fast")
def test_every_module_is_recorded_or_left_out() -> None:
    package = import_module(PACKAGE)
    for module in walk_packages(package.__path__, f"{PACKAGE}."):
        name = module.name.partition(".")[2]
        left_out = any(f"{name}.".startswith(f"{folder}.") for folder in LEFT_OUT)
        assert left_out is (name not in SURFACE), name


def test_every_name_is_there_and_used_in_the_same_way() -> None:
    expected = set() if REFERENCE else set(SURFACE_DIFFERENCES)
    unexpected = [f"{key} {problem}" for key, problem in problems() if key not in expected]
    assert unexpected == []


@pytest.mark.skipif(REFERENCE, reason="they are differences of ours")
def test_every_difference_is_one() -> None:
    assert set(SURFACE_DIFFERENCES) - {key for key, _ in problems()} == set()
    assert all(SURFACE_DIFFERENCES.values())
