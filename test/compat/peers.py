# SPDX-License-Identifier: MIT
"""What the tests of connections, calls, signals and services share: peers on a private bus.

Everything here waits for a message, never for time: `barrier` is a round trip to the bus on each
connection in turn, so that whatever was sent before it has been handled after it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import threading
from typing import Any, Callable, Iterator, Optional

import pytest
from glibloop import run_pending, run_until, wakeup

import dbus.lowlevel

# A build without GLib has nothing to run these tests on.
DBusGMainLoop = pytest.importorskip("dbus.mainloop.glib").DBusGMainLoop

# For tests whose code runs in a process of its own with PyGObject's main loop.
needs_gi = pytest.mark.skipif(
    importlib.util.find_spec("gi") is None, reason="this interpreter has no gi (python3-gi)"
)

BUS = "org.freedesktop.DBus"
BUS_PATH = "/org/freedesktop/DBus"
INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
PEER = "org.freedesktop.DBus.Peer"
ERROR = "org.freedesktop.DBus.Error."

NO_REPLY_TEXT = (
    "Did not receive a reply. Possible causes include: the remote application did not send a "
    "reply, the message bus security policy blocked the reply, the reply timeout expired, or the "
    "network connection was broken."
)
NEEDS_LOOP_TEXT = (
    "To make asynchronous calls, receive signals or export objects, D-Bus connections must be "
    "attached to a main loop by passing mainloop=... to the constructor or calling "
    "dbus.set_default_main_loop(...)"
)

__all__ = [name for name in dir() if name.isupper()] + [
    "Calls",
    "attach",
    "barrier",
    "bus_call",
    "call",
    "describe",
    "emit",
    "hooked",
    "is_error",
    "method_call",
    "needs_gi",
    "note",
    "run_pending",
    "run_until",
    "run_while_serving",
    "send_and_wait",
    "serve",
]


def attach(bus: Any) -> Any:
    """A private connection to `bus`, served by the default GLib main context."""
    return bus.connection(mainloop=DBusGMainLoop())


class Calls(list):  # type: ignore[type-arg]
    """A handler that remembers how it was called: a list of (args, keywords)."""

    result: Any = None

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        self.append((args, keywords))
        return self.result

    @property
    def args(self) -> list[tuple[Any, ...]]:
        return [args for args, _ in self]

    @property
    def firsts(self) -> list[Any]:
        return [args[0] for args, _ in self]

    def wait(self, count: int = 1) -> Calls:
        run_until(lambda: len(self) >= count)
        return self


def method_call(
    destination: Optional[str],
    path: str = "/",
    interface: Optional[str] = "test.I",
    member: str = "M",
    args: tuple[Any, ...] = (),
    signature: Optional[str] = None,
) -> Any:
    message = dbus.lowlevel.MethodCallMessage(destination, path, interface, member)
    if signature is not None:
        message.append(*args, signature=signature)
    elif args:
        message.append(*args)
    return message


def emit(
    connection: Any,
    member: str = "S",
    args: tuple[Any, ...] = (),
    interface: str = "test.I",
    path: str = "/s",
    signature: Optional[str] = None,
    to: Optional[str] = None,
) -> None:
    """Send a signal, to one connection or to all that have a match for it."""
    signal = dbus.lowlevel.SignalMessage(path, interface, member)
    if signature is not None:
        signal.append(*args, signature=signature)
    elif args:
        signal.append(*args)
    if to is not None:
        signal.set_destination(to)
    connection.send_message(signal)


def note(message: Any, seen: list[Any]) -> int:
    """A filter's deed: remember the member of a signal, and let it pass."""
    if message.get_type() == dbus.lowlevel.MESSAGE_TYPE_SIGNAL:
        seen.append(message.get_member())
    return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED


def bus_call(member: str = "GetId", *args: Any) -> Any:
    """A call to the bus itself."""
    return method_call(BUS, BUS_PATH, BUS, member, args)


def send_and_wait(connection: Any, message: Any, timeout: float = 5.0) -> Any:
    """Send a call, turn the loop until its reply is here, and return the reply message."""
    replies: list[Any] = []
    pending = connection.send_message_with_reply(message, replies.append, timeout)
    assert pending is not None
    run_until(lambda: replies)
    assert len(replies) == 1
    return replies[0]


def barrier(*connections: Any) -> None:
    """A round trip to the bus on each connection, in the order given."""
    for connection in connections:
        send_and_wait(connection, bus_call())


def is_error(message: Any) -> Optional[str]:
    """The error name of an error message, None for another kind."""
    if isinstance(message, dbus.lowlevel.ErrorMessage):
        return str(message.get_error_name())
    return None


def describe(message: Any) -> tuple[Optional[str], list[Any]]:
    """(error name or None, arguments) of a reply."""
    return is_error(message), message.get_args_list()


def call(
    client: Any, server: Any, path: str, member: str, *args: Any, interface: Any = "test.I"
) -> tuple[Optional[str], list[Any]]:
    """Call from one connection to the other over the loop; (error name or None, arguments)."""
    name = server if isinstance(server, str) else server.get_unique_name()
    return describe(send_and_wait(client, method_call(name, path, interface, member, args)))


def serve(connection: Any, path: str = "/s", **handlers: Callable[..., Any]) -> list[Any]:
    """Export raw handlers: member -> function(message) that returns a tuple of results.

    A handler that returns None leaves the call unanswered.  The list returned holds every message.
    """
    seen: list[Any] = []

    def on_message(conn: Any, message: Any) -> int:
        seen.append(message)
        handler = handlers.get(message.get_member())
        if handler is None:
            return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED
        results = handler(message)
        if results is not None:
            reply = dbus.lowlevel.MethodReturnMessage(message)
            if results:
                reply.append(*results)
            conn.send_message(reply)
        return dbus.lowlevel.HANDLER_RESULT_HANDLED

    connection._register_object_path(path, on_message)
    return seen


@contextlib.contextmanager
def hooked() -> Iterator[list[BaseException]]:
    """Collect what reaches sys.excepthook: exceptions of callbacks that nobody else can catch."""
    caught: list[BaseException] = []

    def hook(_kind: Any, value: BaseException, _traceback: Any) -> None:
        caught.append(value)

    before = sys.excepthook
    sys.excepthook = hook
    try:
        yield caught
    finally:
        sys.excepthook = before


def run_while_serving(function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """Run a function that blocks, such as `run_snippet`, while this thread turns the loop."""
    results: list[Any] = []

    def work() -> None:
        try:
            results.append(function(*args, **keywords))
        finally:
            wakeup()

    thread = threading.Thread(target=work)
    thread.start()
    run_until(lambda: not thread.is_alive() or wakeup() if results else False, 30)
    thread.join()
    return results[0]
