# SPDX-License-Identifier: MIT
"""Turning an expression into one line of text that is equal on two equal implementations.

A case is the text of a Python expression, evaluated with the names of `namespace()`.  Its outcome
is a line that holds the type, the value, variant_level, signature and repr of the result, or `!`
and the type of the exception; a case that kills the process has the outcome `fatal`.  Cases run
in forked workers, so that a fatal one costs a worker and not the run.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import re
import resource
import signal
import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Optional

import dbus
import dbus.lowlevel
import dbus.types
from dbus.lowlevel import Message, MethodCallMessage, SignalMessage

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
LONGEST = 600  # a longer outcome is cut and gets a digest of the whole
DEADLINE = 20  # seconds a worker may take for one case
MEMORY = 1 << 30  # bytes of address space a worker may have more than it starts with

FATAL = "fatal"


class HasInt:
    def __int__(self) -> int:
        return 7


class HasIndex:
    def __index__(self) -> int:
        return 7


class HasFloat:
    def __float__(self) -> float:
        return 1.5


class Broken:
    """Every conversion of it raises KeyError."""

    def __int__(self) -> int:
        raise KeyError("broken")

    __index__ = __float__ = __bool__ = __str__ = __len__ = __iter__ = __int__  # type: ignore


class IntSub(int):
    pass


class StrSub(str):
    pass


class BytesSub(bytes):
    pass


class FloatSub(float):
    pass


class ListSub(list):  # type: ignore[type-arg]
    pass


class TupleSub(tuple):  # type: ignore[type-arg]
    pass


class DictSub(dict):  # type: ignore[type-arg]
    pass


class HasPath:
    __dbus_object_path__ = "/has/path"


class HasBadPath:
    __dbus_object_path__ = "no path"


class HasIntPath:
    __dbus_object_path__ = 5


class PathStr(str):
    __dbus_object_path__ = "/path/of/str"


class PathInt(int):
    __dbus_object_path__ = "/path/of/int"


class Sequenceish:
    """The old sequence protocol: __len__ and __getitem__ only."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> int:
        if index >= 2:
            raise IndexError(index)
        return index + 1


class BadIterator:
    """Yields one item, then fails."""

    def __iter__(self) -> Any:
        yield 1
        raise KeyError("iterator")


def describe(value: Any) -> str:
    """The value with everything that D-Bus adds to it, in one line."""
    parts = [type(value).__name__]
    for name in ("variant_level", "signature"):
        if hasattr(value, name) and not isinstance(value, type):
            parts.append(f"{getattr(value, name)}")
    # Not repr: which characters it escapes depends on the interpreter.
    parts.append(_ADDRESS.sub("", ascii(value)))
    return " ".join(parts)


def describe_error(error: BaseException) -> str:
    """The exception's type, and the D-Bus error name where it has one."""
    text = "!" + type(error).__name__
    get_name = getattr(error, "get_dbus_name", None)
    if get_name is not None:
        text += f" {get_name()}"
    return text


def _message() -> SignalMessage:
    return SignalMessage("/a/b", "com.example.I", "Sig")


def rt(signature: Optional[str], *values: Any) -> Any:
    """Append the values and read them back, plainly and with byte_arrays."""
    message = _message()
    if signature is None:
        message.append(*values)
    else:
        message.append(*values, signature=signature)
    return Shown(
        describe(message.get_signature()),
        *map(describe, message.get_args_list()),
        "|",
        *map(describe, message.get_args_list(byte_arrays=True)),
    )


CLASSES = {
    "y": dbus.Byte,
    "b": dbus.Boolean,
    "n": dbus.Int16,
    "q": dbus.UInt16,
    "i": dbus.Int32,
    "u": dbus.UInt32,
    "x": dbus.Int64,
    "t": dbus.UInt64,
    "d": dbus.Double,
    "s": dbus.String,
    "o": dbus.ObjectPath,
    "g": dbus.Signature,
}


def every_way(code: str, value: Any) -> Any:
    """The value made by its class, and through messages: alone, guessed, in containers."""
    cls = CLASSES[code]
    ways = (
        lambda: cls(value),
        lambda: rt(code, value),
        lambda: rt(None, cls(value)),
        lambda: rt(f"a{code}", [value, value]),
        lambda: rt(f"(y{code}y)", (1, value, 2)),
        lambda: rt(f"a{{{code}y}}", {value: 3}),
        lambda: rt("v", cls(value, variant_level=1)),
    )
    shown: list[str] = []
    for way in ways:
        try:
            result = way()
            text = result.text.split(" ; | ")[0] if isinstance(result, Shown) else describe(result)
        except Exception as error:
            text = describe_error(error)
        shown.append("=" if text in shown else text)
    return Shown(*shown)


def valid(name: str) -> Any:
    """Which validators and classes accept the text."""
    accepted = []
    checks = (
        dbus.validate_bus_name,
        dbus.validate_interface_name,
        dbus.validate_error_name,
        dbus.validate_member_name,
        dbus.validate_object_path,
        dbus.ObjectPath,
        dbus.Signature,
        lambda text: dbus.Array([], signature=text),
        lambda text: dbus.Dictionary({}, signature=text),
        lambda text: MethodCallMessage(text, "/", None, "M"),
        lambda text: SignalMessage("/", text, "M"),
        lambda text: SignalMessage("/", "a.b", text),
        lambda text: SignalMessage(text, "a.b", "M"),
        lambda text: list(dbus.Signature(text)),
    )
    for check in checks:
        try:
            result = check(name)
            accepted.append(
                "".join(f"[{part}]" for part in result) if isinstance(result, list) else "yes"
            )
        except Exception as error:
            accepted.append(describe_error(error)[1:3])
    return Shown(" ".join(accepted))


def gs(*values: Any) -> Any:
    """What the values' signature is guessed to be."""
    return Message.guess_signature(*values)


class Shown:
    """A result that is already described."""

    def __init__(self, *parts: str) -> None:
        self.text = " ; ".join(parts)


ACCESSORS = (
    "get_type",
    "get_path",
    "get_path_decomposed",
    "get_interface",
    "get_member",
    "get_error_name",
    "get_destination",
    "get_sender",
    "get_signature",
    "get_serial",
    "get_reply_serial",
    "get_no_reply",
    "get_auto_start",
    "get_allow_interactive_authorization",
)


def facts(message: Any) -> Any:
    """Every accessor of a message that takes no argument."""
    shown = [describe(getattr(message, name)()) for name in ACCESSORS]
    return Shown(type(message).__name__, repr(message), *shown)


def after(message: Any, method: str, *args: Any) -> Any:
    """What a setter returned, and all accessors after it."""
    result = getattr(message, method)(*args)
    return Shown(describe(result), facts(message).text)


def call() -> Any:
    return MethodCallMessage("com.example.Dest", "/a/b", "com.example.I", "Method")


def namespace() -> dict[str, Any]:
    """The names that expressions may use."""
    import collections
    import copy
    import operator

    names: dict[str, Any] = dict(vars(dbus.lowlevel))
    for module in (dbus.types, dbus):
        for name in dir(module):
            if not name.startswith("_"):
                names[name] = getattr(module, name)
    import _dbus_bindings

    for name in ("_LongBase", "_StrBase", "_BytesBase", "_FloatBase"):
        names[name] = getattr(_dbus_bindings, name)
    for value in globals().copy().values():
        if getattr(value, "__module__", None) == __name__:
            names[value.__name__] = value
    names.update(copy=copy, operator=operator, collections=collections, pickle=pickle, dbus=dbus)
    names["_dbus_bindings"] = _dbus_bindings
    names["sig"] = _message
    return names


def evaluate(expression: str, names: dict[str, Any]) -> str:
    """The outcome of one case, in this process."""
    try:
        value = eval(expression, names)
        text = value.text if isinstance(value, Shown) else describe(value)
    except Exception as error:
        text = describe_error(error)
    text = _ADDRESS.sub("", text.encode("utf-8", "backslashreplace").decode())
    text = text.replace("\n", "\\n").replace("\t", "\\t")
    if len(text) > LONGEST:
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        text = f"{text[:LONGEST]}... {digest}"
    return text


def sanitized() -> bool:
    """AddressSanitizer reserves terabytes of addresses, which a limit would forbid."""
    return os.environ.get("DBUS_SHIM_SANITIZED") == "1"


def _work(cases: Sequence[str], pipe: int) -> None:
    # Only 0, 1 and 2 are open, or the outcome of descriptor 5 would depend on the caller.
    os.dup2(pipe, 1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 2)
    os.closerange(3, 1024)
    sys.stdout = io.StringIO()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not sanitized():
        with open("/proc/self/statm", encoding="ascii") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    warnings.simplefilter("ignore")
    names = namespace()
    with os.fdopen(1, "w", encoding="utf-8") as out:
        for case in cases:
            signal.alarm(DEADLINE)
            out.write(evaluate(case, names) + "\n")
            out.flush()


def outcomes(cases: Iterable[str]) -> list[str]:
    """The outcome of every case, in order."""
    waiting = list(cases)
    found: list[str] = []
    while len(found) < len(waiting):
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(read_end)
                _work(waiting[len(found) :], write_end)
                status = 0
            finally:
                os._exit(status)
        os.close(write_end)
        with os.fdopen(read_end, encoding="utf-8") as source:
            found.extend(line.rstrip("\n") for line in source)
        _, status = os.waitpid(child, 0)
        if status != 0:
            assert os.WIFSIGNALED(status), f"worker failed at {waiting[len(found)]}"
            found.append(FATAL)
    return found
