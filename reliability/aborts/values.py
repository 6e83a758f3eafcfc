# SPDX-License-Identifier: MIT
"""Values that do not fit, and time-outs that are none, wherever the classic API takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable, Optional

from cases import Case

from . import tables
from .bench import DAEMON, Bench, classic

Entry = Callable[[Bench, Optional[str], Any], object]


def _called_back(bench: Bench, signature: Optional[str], value: Any) -> object:
    """The value is what an asynchronous method of a service returns."""

    def method(_self: object, done: Any, failed: Any) -> None:
        try:
            done(value)
        except Exception as error:
            failed(error)

    return bench.serve(method, out_signature=signature, async_callbacks=("done", "failed"))


# Where a value goes, with its signature or None, which means to guess.
ENTRIES: dict[str, Entry] = {
    "Message.append": lambda b, signature, value: b.append(signature, value),
    "call_blocking": lambda b, signature, value: b.conn.call_blocking(
        *DAEMON, "GetId", signature, (value,)
    ),
    "call_async": lambda b, signature, value: b.call_async(*DAEMON, "GetId", signature, (value,)),
    "a proxy": lambda b, signature, value: b.proxy.GetId(value, signature=signature),
    "a returned value": lambda b, signature, value: b.serve(
        lambda _self: value, out_signature=signature
    ),
    "an async callback": _called_back,
    "a signal": lambda b, signature, value: b.emit(signature, value),
}

# What a value is put into: its source, and that of the whole.
WRAPS = {
    "a{0}": "[{1}]",
    "(s{0})": "('', {1})",
    "a{{s{0}}}": "{{'a': {1}}}",
    "a{{{0}s}}": "{{{1}: 'a'}}",
}

# A bool is made of anything.
TAKEN = {("b", "None")}
RETURNED = ("None", "()", "nested_tuple(33)")


def _valued(signature: Optional[str], source: str, entry: str, must: bool = True) -> Case:
    attempt = ENTRIES[entry]
    return classic(
        f"{source} as {signature or 'guessed'} to {entry}",
        lambda bench: attempt(bench, signature, bench.value_of(source)),
        must,
    )


def _entries(source: str) -> tuple[str, ...]:
    large = source in tables.LARGE
    return ("Message.append", "a returned value") if large else tuple(ENTRIES)


def _values() -> Iterator[Case]:
    for signature, source in tables.VALUES:
        must = (signature, source) not in TAKEN
        for entry in ENTRIES:
            yield _valued(signature, source, entry, must)
        for outer, text in WRAPS.items():
            whole = outer.format(signature), text.format(signature, source)
            if whole not in tables.CONTAINERS:
                yield _valued(*whole, "Message.append", must)
                yield _valued(*whole, "a returned value", must)
    for signature, source in tables.CONTAINERS:
        for entry in _entries(source):
            yield _valued(signature, source, entry)
    for source in tables.UNGUESSABLE:
        for entry in _entries(source):
            # To return nothing or several values, is no mistake where the signature is guessed.
            returned = entry in ("a returned value", "an async callback")
            yield _valued(None, source, entry, not (returned and source in RETURNED))
        if ("v", source) not in tables.CONTAINERS and source not in tables.LARGE:
            yield _valued("v", source, "Message.append")
    for source in tables.FITTING:
        yield _valued(None, source, "Message.append", must=False)
        yield _valued("v", source, "a returned value", must=False)


# --- Time-outs

ID = (*DAEMON, "GetId", "", ())

TIMED: dict[str, Callable[[Bench, Any], object]] = {
    "call_blocking": lambda b, t: b.conn.call_blocking(*ID, timeout=t),
    "call_async": lambda b, t: b.call_async(*ID, timeout=t),
    "send_message_with_reply_and_block": lambda b, t: b.conn.send_message_with_reply_and_block(
        b.call(), t
    ),
    "send_message_with_reply": lambda b, t: b.conn.send_message_with_reply(
        b.call(), print, t, require_main_loop=False
    ).block(),
    "a proxy": lambda b, t: b.proxy.GetId(timeout=t),
    "Interface": lambda b, t: b.dbus.Interface(b.proxy, DAEMON[2]).GetId(timeout=t),
    "an asynchronous proxy": lambda b, t: b.outcome_of(
        lambda **handlers: b.looped.get_object(*DAEMON[:2], introspect=False).GetId(
            timeout=t, **handlers
        )
    ),
}


def _time_outs() -> Iterator[Case]:
    for source, good in tables.TIME_OUTS:
        for entry, attempt in TIMED.items():
            yield classic(
                f"time-out {source} to {entry}",
                lambda bench, attempt=attempt, source=source: attempt(
                    bench, bench.value_of(source)
                ),
                must=not good,
            )


# --- The constructors of dbus.types

INTEGERS = {
    "Byte": (0, 2**8 - 1),
    "Int16": (-(2**15), 2**15 - 1),
    "UInt16": (0, 2**16 - 1),
    "Int32": (-(2**31), 2**31 - 1),
    "UInt32": (0, 2**32 - 1),
    "Int64": (-(2**63), 2**63 - 1),
    "UInt64": (0, 2**64 - 1),
}
# An argument that fits, for the other keywords.
ARGUMENTS = {
    **dict.fromkeys(INTEGERS, "1"),
    "Boolean": "True",
    "Double": "1.0",
    "String": "'a'",
    "ObjectPath": "'/a'",
    "Signature": "'s'",
    "ByteArray": "b'a'",
    "Array": "[1]",
    "Dictionary": "{1: 2}",
    "Struct": "(1,)",
    "UnixFd": "0",
}
LEVELS = ("-1", "2**31", "2**63", "2**70", "'x'", "None", "1.5", "300")
# A level that is no wrong one, only too deep to be sent.
SIGNED = ("Array", "Dictionary", "Struct")


def _made() -> Iterator[str]:
    for name, (low, high) in INTEGERS.items():
        yield from (f"{name}({low - 1})", f"{name}({high + 1})", f"{name}('x')", f"{name}(None)")
        yield from (f"{name}(10**400)", f"{name}(Raises())", f"{name}([])")
    for name, argument in ARGUMENTS.items():
        yield from (f"{name}({argument}, variant_level={level})" for level in LEVELS)
        yield f"{name}({argument}, nonsense=1)"
        yield f"{name}({argument}, {argument}, {argument}, {argument})"
    for name in SIGNED:
        for signature in ("''", "'z'", "'ii'", "'v'", r"'\ud800'", "5", "'(' * 40", "'a' * 300"):
            yield f"{name}({ARGUMENTS[name]}, signature={signature})"
    yield from ("Double('x')", "Double(None)", "Double(10**400)", "String(b'\\xff')", "String(5)")
    yield from (r"String('\ud800')", r"String('a\0b')", "ByteArray('x')", "ByteArray(5)")
    yield from ("Array(5)", "Array(Raises())", "Dictionary(5)", "Dictionary([1])", "Struct(5)")
    yield from ("UnixFd(-1)", "UnixFd(9999)", "UnixFd(2**40)", "UnixFd('x')", "UnixFd(None)")
    yield from ("Boolean(Raises())", "ObjectPath(5)", "Signature(5)")


def _types() -> Iterator[Case]:
    """Made by hand and, where that is let pass, sent."""
    for source in _made():
        made = f"dbus.types.{source}"
        yield classic(
            made, lambda bench, made=made: bench.append(None, bench.value_of(made)), False
        )


CASES = (*_values(), *_time_outs(), *_types())
