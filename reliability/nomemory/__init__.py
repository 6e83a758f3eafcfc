# SPDX-License-Identifier: MIT
"""Out of memory: each allocation of an operation fails once, and then the next one, and so on.

An operation is what a program does in one step; it is tried with the failures of several kinds of
allocations (`failing`).  It gives MemoryError or does what it is to do, leaves nothing behind, and
the same objects can be used at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cases import AIO, CLASSIC, OURS, Case, Place

from .aio import (
    aio_call,
    aio_connect,
    aio_emit,
    aio_export,
    aio_hear,
    aio_message,
    aio_names,
    aio_proxy,
    aio_send,
    aio_serve,
    aio_subscribe,
)
from .calls import (
    accept,
    call_async,
    call_blocking,
    call_error,
    call_unanswered,
    connect,
    filters,
    listen,
    match_rules,
    names,
    proxy,
    send_and_flush,
    send_with_reply_and_block,
)
from .failing import ALL, BELOW, LIBDBUS, LIBDBUS_ON, Action, Mode, exhaust, under_failmalloc
from .messages import (
    append,
    append_descriptor,
    copy_message,
    guess,
    make_message,
    read,
    set_fields,
)
from .objects import (
    add_receiver,
    emit,
    export,
    hear_signal,
    serve,
    withdraw,
)
from .scene import PATH, Scene

Operation = Callable[[Scene], Action]
BODIES = tuple(
    "basic,array of strings,array of numbers,bytes,dictionary,struct,variant,nested,long string,"
    "large array,large dictionary,large bytes".split(",")
)
# Python 3.11 dies itself without memory where it compiles the lines of a traceback that it
# formats, and where it makes a parser of XML.
DEADLY = ("serve a method that raises", "serve an unknown method", "a proxy")
SOME_BODIES = ("basic", "dictionary", "large dictionary", "large bytes")


def _classic() -> Iterator[tuple[str, Operation]]:
    for kind in ("call", "signal", "return", "error"):
        yield f"a {kind} message", make_message(kind)
    yield "header fields", set_fields
    for body in BODIES:
        yield f"append {body}", append(body, ("", []))
        yield f"append {body} after others", append(body, ("su", ["before", 1]))
        yield f"read {body}", read(body)
    yield "append descriptors", append_descriptor
    yield "copy", copy_message
    yield "guess_signature", guess
    for call in ("no arguments", "a string", "guessed", "many strings", "long argument"):
        yield f"call_blocking, {call}", call_blocking(call)
        yield f"call_async, {call}", call_async(call)
    yield "call_blocking, an error", call_error
    yield "call_async, unanswered", call_unanswered
    yield "send_message_with_reply_and_block", send_with_reply_and_block
    yield "send_message and flush", send_and_flush
    for name, words in {
        "any sender": {}, "one path": {"path": PATH}, "a unique name": {"bus_name": "unique"},
        "an argument": {"arg0": "said", "path": PATH}, "a name": {"bus_name": "a.b"},
    }.items():  # fmt: skip
        if name not in ("an argument", "a name"):
            yield f"add_signal_receiver, {name}", add_receiver(words)
    for body in SOME_BODIES:
        yield f"a signal, {body}", hear_signal(body, {})
    yield (
        "a signal, with keywords",
        hear_signal("dictionary", {"sender_keyword": "sender", "path_keyword": "path"}),
    )
    yield "export", export
    yield "withdraw", withdraw
    yield "serve a method", serve("Keys", {"a": 1, "b": "two"})
    yield "serve a method with keywords", serve("Who", "text")
    yield "serve a method that raises", serve("Fail")
    yield "serve an unknown method", serve("Unknown")
    yield "emit a signal", emit
    yield "connect", connect(served=False)
    yield "connect, with a loop", connect(served=True)
    yield "request_name, release_name", names
    yield "add_match, remove_match", match_rules
    yield "a proxy", proxy
    yield "message filters", filters
    yield "Server", listen
    yield "Server, a client", accept


def _asyncio() -> Iterator[tuple[str, Operation]]:
    for body in BODIES:
        yield f"a message, {body}", aio_message(body)
    for member in ("GetId", "ListNames", "Unknown"):
        yield f"call {member}", aio_call(member)
    yield "send", aio_send
    yield "connect", aio_connect
    yield "request_name, release_name", aio_names
    yield "export", aio_export
    yield "serve a method", aio_serve("Who")
    yield "serve a coroutine", aio_serve("Later")
    yield "emit a signal", aio_emit
    yield "subscribe", aio_subscribe
    yield "a signal", aio_hear
    yield "introspect and a proxy", aio_proxy


def _case(name: str, operation: Operation, mode: Mode, sides: tuple[str, ...]) -> Case:
    def run(place: Place) -> str:
        under_failmalloc(mode.python)
        accepted = (
            ("MemoryError",) if place.side in (OURS, AIO) else ("MemoryError", "DBusException")
        )
        return exhaust(mode, operation(Scene(place, mode)), accepted)

    return Case(f"{mode.name}: {name}", run, sides)


def _cases() -> Iterator[Case]:
    for mode in (LIBDBUS, LIBDBUS_ON, BELOW, ALL):
        classic = CLASSIC if mode is LIBDBUS else (OURS,)
        for name, operation in _classic():
            if mode is not ALL or name not in DEADLY:
                yield _case(name, operation, mode, classic)
        for name, operation in _asyncio():
            # A task whose step fails is never continued, by asyncio itself.
            if mode is not ALL or name.startswith("a message"):
                yield _case(name, operation, mode, (AIO,))


CASES = tuple(_cases())
