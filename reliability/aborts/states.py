# SPDX-License-Identifier: MIT
"""Messages, connections and pending calls of the classic API at the wrong time, and the limits."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, Callable

from cases import ROOT, Case, Lost

from . import tables
from .bench import DAEMON, Bench, Try, classic

# --- A message that has been sent

SETTERS = {
    "set_path": "/b",
    "set_interface": "a.b",
    "set_member": "M",
    "set_error_name": "a.b",
    "set_destination": "a.b",
    "set_sender": ":1.9",
    "set_reply_serial": 5,
    "set_no_reply": True,
    "set_auto_start": False,
    "set_allow_interactive_authorization": True,
    "append": 1,
}

SENDERS: dict[str, Callable[[Bench, Any], object]] = {
    "send_message": lambda b, m: b.conn.send_message(m),
    "send_message_with_reply": lambda b, m: b.conn.send_message_with_reply(
        m, print, require_main_loop=False
    ),
    "send_message_with_reply_and_block": lambda b, m: b.conn.send_message_with_reply_and_block(
        m, 5
    ),
}


def _sent() -> Iterator[Case]:
    for sender, send in SENDERS.items():
        for setter, value in SETTERS.items():

            def attempt(b: Bench, send: Any = send, setter: str = setter, v: Any = value) -> object:
                message = b.call()
                send(b, message)
                return getattr(message, setter)(v)

            yield classic(f"{setter} after {sender}", attempt)
        for again, send_again in SENDERS.items():

            def twice(b: Bench, send: Any = send, send_again: Any = send_again) -> object:
                message = b.call()
                send(b, message)
                return send_again(b, message)

            yield classic(f"{again} after {sender}", twice, must=False)


# --- Fields without which a message is none


def _cleared() -> Iterator[Case]:
    makers: dict[str, tuple[Callable[[Bench], Any], tuple[str, ...]]] = {
        "signal": (lambda b: b.signal(), ("path", "interface", "member")),
        "call": (lambda b: b.call(), ("path", "member")),
        "error": (
            lambda b: b.low.ErrorMessage(b.called(), "a.b", "text"),
            ("error_name",),
        ),
    }
    for kind, (make, fields) in makers.items():
        for field in fields:
            for sender, send in SENDERS.items():

                def attempt(b: Bench, make: Any = make, f: str = field, send: Any = send) -> object:
                    message = make(b)
                    getattr(message, f"set_{f}")(None)
                    send(b, message)
                    return b.conn.flush()

                yield classic(f"{sender} of a {kind} without {field}", attempt)


# --- What is asked of messages with nothing in them

GETTERS = (
    *("get_allow_interactive_authorization", "get_args_list", "get_auto_start", "get_destination"),
    *("get_error_name", "get_interface", "get_member", "get_no_reply", "get_path"),
    *("get_path_decomposed", "get_reply_serial", "get_sender", "get_serial", "get_signature"),
    *("get_type", "copy", "__repr__"),
)
EMPTY: dict[str, Callable[[Bench], Any]] = {
    "Message()": lambda b: b.low.Message(),
    "SignalMessage without __init__": lambda b: b.low.SignalMessage.__new__(b.low.SignalMessage),
    "ErrorMessage without __init__": lambda b: b.low.ErrorMessage.__new__(b.low.ErrorMessage),
    "a call": lambda b: b.low.MethodCallMessage(None, "/", None, "M"),
    "a reply": lambda b: b.low.MethodReturnMessage(b.called()),
    "an error": lambda b: b.low.ErrorMessage(b.called(), "a.b", None),
}
OPTIONS = (
    "byte_arrays='x'",
    "byte_arrays=None",
    "byte_arrays=2**70",
    "utf8_strings=True",
    "nonsense=1",
    "byte_arrays=1, nonsense=1",
)


def _empty() -> Iterator[Case]:
    for kind, make in EMPTY.items():
        for getter in GETTERS:
            yield classic(
                f"{getter} of {kind}",
                lambda b, make=make, getter=getter: getattr(make(b), getter)(),
                must=False,
            )
        for setter, value in SETTERS.items():
            yield classic(
                f"{setter} of {kind}",
                lambda b, make=make, s=setter, v=value: getattr(make(b), s)(v),
                must=False,
            )
        yield classic(f"{kind}, sent", lambda b, make=make: b.sent(make(b)), must=False)
    for options in OPTIONS:
        yield classic(
            f"get_args_list({options})",
            lambda b, options=options: eval(f"m.get_args_list({options})", {"m": b.signal()}),
            must="None" not in options,
        )
    yield classic("get_args_list(True)", lambda b: b.signal().get_args_list(True))


# --- Connections that have ended

ACTIONS: dict[str, Callable[[Bench, Any], object]] = {
    "send_message": lambda b, c: c.send_message(b.signal()),
    "send_message_with_reply": lambda b, c: c.send_message_with_reply(
        b.call(), print, require_main_loop=False
    ),
    "send_message_with_reply, block": lambda b, c: c.send_message_with_reply(
        b.call(), print, require_main_loop=False
    ).block(),
    "send_message_with_reply_and_block": lambda b, c: c.send_message_with_reply_and_block(b.call()),
    "call_blocking": lambda b, c: c.call_blocking(*DAEMON, "GetId", "", ()),
    "call_async": lambda b, c: c.call_async(
        *DAEMON, "GetId", "", (), print, print, require_main_loop=False
    ),
    "flush": lambda b, c: c.flush(),
    "close": lambda b, c: c.close(),
    "request_name": lambda b, c: c.request_name("a.b"),
    "release_name": lambda b, c: c.release_name("a.b"),
    "get_name_owner": lambda b, c: c.get_name_owner("a.b"),
    "list_names": lambda b, c: c.list_names(),
    "add_match_string": lambda b, c: c.add_match_string("type='signal'"),
    "add_match_string_non_blocking": lambda b, c: c.add_match_string_non_blocking("type='signal'"),
    "remove_match_string_non_blocking": lambda b, c: c.remove_match_string_non_blocking("x"),
    "add_signal_receiver": lambda b, c: c.add_signal_receiver(print),
    "add_message_filter": lambda b, c: c.add_message_filter(print),
    "remove_message_filter": lambda b, c: c.remove_message_filter(print),
    "get_object": lambda b, c: c.get_object("a.b", "/a"),
    "BusName": lambda b, c: b.dbus.service.BusName("a.b", c),
    "Object": lambda b, c: b.dbus.service.Object(c, "/a"),
    "watch_name_owner": lambda b, c: c.watch_name_owner("a.b", print),
    "get_unique_name": lambda b, c: c.get_unique_name(),
    "get_unix_fd": lambda b, c: c.get_unix_fd(),
    "get_peer_unix_user": lambda b, c: c.get_peer_unix_user(),
    "get_peer_unix_process_id": lambda b, c: c.get_peer_unix_process_id(),
    "get_is_authenticated": lambda b, c: c.get_is_authenticated(),
    "set_allow_anonymous": lambda b, c: c.set_allow_anonymous(True),
    "set_unique_name": lambda b, c: c.set_unique_name(":1.5"),
    "list_exported_child_objects": lambda b, c: c.list_exported_child_objects("/"),
    "call_on_disconnection": lambda b, c: c.call_on_disconnection(print),
    "_register_object_path": lambda b, c: c._register_object_path("/a", print),
    "_unregister_object_path": lambda b, c: c._unregister_object_path("/a"),
}
# What can have no result on a connection that has ended.
REFUSED = (
    *("call_blocking", "send_message_with_reply_and_block", "request_name", "release_name"),
    *("get_name_owner", "list_names", "add_match_string", "get_object", "BusName"),
)


def _closed(bench: Bench, looped: bool) -> Any:
    ended = bench.connect(bench.address, **({"mainloop": bench.loop} if looped else {}))
    ended.close()
    return ended


def _abandoned(bench: Bench, looped: bool) -> Any:
    ended = bench.connect(bench.own_bus.address, **({"mainloop": bench.loop} if looped else {}))
    bench.own_bus.close()
    return ended


def _noticed(bench: Bench, looped: bool) -> Any:
    """One whose end has been seen, by a loop or by a call."""
    ended = _abandoned(bench, looped)
    try:
        ended.call_blocking(*DAEMON, "GetId", "", (), timeout=5)
    except bench.dbus.DBusException:
        return ended
    raise Lost("a call was answered by nobody")


def _ended() -> Iterator[Case]:
    ends = {"closed": _closed, "abandoned": _abandoned, "known to be abandoned": _noticed}
    for end, make in ends.items():
        for looped in (False, True):
            for action, act in ACTIONS.items():
                yield classic(
                    f"{action} on a connection {end}{' with a loop' * looped}",
                    lambda b, make=make, looped=looped, act=act: act(b, make(b, looped)),
                    action in REFUSED,
                )


# --- Limits


def _header(make: Callable[[Bench, Any], object], source: str) -> Try:
    return lambda bench: make(bench, bench.value_of(source))


def _room(bench: Bench, first: int, path: int) -> object:
    """A body, and then a path that leaves no room for it."""
    message = bench.signal()
    message.append(bytes(2**26 - 8), signature="ay")
    message.append(bytes(first), signature="ay")
    message.set_path("/" + "a" * path)
    return bench.sent(message)


def _many_fds(bench: Bench, count: int) -> object:
    """On a bus that takes any number of them."""
    extra = '<limit name="max_message_unix_fds">4096</limit>'
    bus = bench.place.stack.enter_context(type(bench.place.bus)(config_extra=extra))
    conn = bench.connect(bus.address)
    bench.used.append(conn)
    message = bench.signal()
    message.append([bench.dbus.types.UnixFd(0)] * count, signature="ah")
    conn.send_message(message)
    return conn.flush()


def _error_text(bench: Bench, length: int) -> object:
    def fails(_self: object) -> None:
        raise bench.dbus.DBusException("x" * length, name="a.b")

    return bench.serve(fails)


def _limits() -> Iterator[Case]:
    paths = {
        "SignalMessage": lambda b, path: b.sent(b.low.SignalMessage(path, "a.b", "S")),
        "MethodCallMessage": lambda b, path: b.sent(
            b.low.MethodCallMessage(DAEMON[0], path, "a.b", "S")
        ),
        "Message.set_path": lambda b, path: b.set("set_path", path),
        "call_blocking": lambda b, path: b.conn.call_blocking(DAEMON[0], path, "a.b", "M", "", ()),
        "call_async": lambda b, path: b.call_async(DAEMON[0], path, "a.b", "M", "", ()),
        "get_object": lambda b, path: b.conn.get_object(DAEMON[0], path),
        "Object": lambda b, path: b.dbus.service.Object(b.looped, path),
    }
    for source in ("'/' + 'a' * 2**26", "'/' + 'a' * 2**27"):
        for entry, make in paths.items():
            yield classic(f"path {source} to {entry}", _header(make, source))
    yield classic(
        "path '/' + 'a' * 2**25 to SignalMessage",
        _header(paths["SignalMessage"], "'/' + 'a' * 2**25"),
        must=False,
    )
    yield classic("128 MiB in all, by a path", lambda b: _room(b, 2**25, 2**25))
    yield classic("128 MiB in all, by names", lambda b: _room(b, 2**26 - 100, 1))
    yield classic(
        "128 MiB in an ErrorMessage",
        lambda b: b.sent(b.low.ErrorMessage(b.called(), "a.b", "x" * 2**27)),
    )
    yield classic("128 MiB in a text", lambda b: b.append("s", "x" * 2**27))
    yield classic("128 MiB in a DBusException of a method", lambda b: _error_text(b, 2**27))
    for count in (1, 16, 17, 253):
        yield classic(f"{count} descriptors", lambda b, n=count: _many_fds(b, n), must=False)
    for count in (254, 1000):
        yield classic(f"{count} descriptors", lambda b, n=count: _many_fds(b, n))


# --- Pending calls, and classes that nobody may make


def _pending(bench: Bench) -> Any:
    return bench.conn.send_message_with_reply(
        bench.call(), lambda _m: None, require_main_loop=False
    )


def _in_its_own_handler(method: str) -> Try:
    def attempt(bench: Bench) -> object:
        seen: list[Any] = []

        def handler(_message: Any) -> None:
            getattr(pending, method)()
            seen.append(1)

        pending = bench.looped.send_message_with_reply(bench.call(), handler)
        bench.turn_until(lambda: seen)
        return None

    return attempt


def _methods(*names: str) -> Try:
    def attempt(bench: Bench) -> object:
        pending = _pending(bench)
        return [getattr(pending, name)() for name in names]

    return attempt


def _closed_below(method: str) -> Try:
    def attempt(bench: Bench) -> object:
        other = bench.connect(bench.address)
        pending = other.send_message_with_reply(
            bench.call(), lambda _m: None, require_main_loop=False
        )
        other.close()
        return getattr(pending, method)()

    return attempt


def _pending_calls() -> Iterator[Case]:
    for methods in (
        ("block", "block"),
        ("cancel", "block"),
        ("block", "cancel"),
        ("cancel", "cancel"),
        ("get_completed", "block", "get_completed"),
    ):
        yield classic(f"pending call: {', '.join(methods)}", _methods(*methods), must=False)
    for method in ("block", "cancel", "get_completed"):
        yield classic(
            f"{method} of a pending call in its handler", _in_its_own_handler(method), False
        )
        yield classic(f"{method} of a pending call after close", _closed_below(method), False)
    for name in ("PendingCall", "NativeMainLoop", "_LibDBusConnection", "_SignatureIter"):
        for how in ("{}()", "{0}.__new__({0})", "object.__new__({})", "type('X', ({},), {{}})"):
            source = how.format(name)
            yield classic(
                source,
                lambda b, source=source: eval(source, vars(b.bindings).copy()),
                must=name in ("PendingCall", "NativeMainLoop"),
            )


# --- Connections, servers and loops made of wrong things, and results of handlers

MADE = (
    "dbus.connection.Connection(address, mainloop='x')",
    "dbus.connection.Connection(address, mainloop=5)",
    "dbus.connection.Connection(address, nonsense=1)",
    "dbus.connection.Connection()",
    "dbus.connection.Connection(conn)",
    "dbus.bus.BusConnection(address, mainloop='x')",
    "dbus.bus.BusConnection(-1)",
    "dbus.bus.BusConnection(2**31)",
    "dbus.bus.BusConnection(2**70)",
    "dbus.bus.BusConnection(1.5)",
    "Server(fresh, mainloop='x')",
    "Server(fresh, connection_class=int, mainloop=loop)",
    "Server(fresh, connection_class='x', mainloop=loop)",
    "Server(fresh, auth_mechanisms='EXTERNAL', mainloop=loop)",
    "Server(fresh, auth_mechanisms=5, mainloop=loop)",
    "Server(fresh, auth_mechanisms=(5,), mainloop=loop)",
    r"Server(fresh, auth_mechanisms=('\ud800',), mainloop=loop)",
    r"Server(fresh, auth_mechanisms=('a\0b',), mainloop=loop)",
    "Server(fresh)",
    "dbus.set_default_main_loop('x')",
    "dbus.mainloop.glib.DBusGMainLoop('x')",
    "dbus.mainloop.glib.DBusGMainLoop(nonsense=1)",
    "conn.set_unique_name(':1')",
    "conn.set_allow_anonymous(Raises())",
    "conn.set_exit_on_disconnect(Raises())",
    "conn.add_message_filter(5)",
    "conn.add_signal_receiver(5)",
    "conn.call_on_disconnection(5)",
    "looped._register_object_path('/a', 5)",
    "looped.add_signal_receiver(5)",
    "looped.add_signal_receiver(print, nonsense=1)",
    "looped.add_signal_receiver(print, arg64='x')",
    "looped.add_signal_receiver(print, arg99999999999999999999='x')",
    "looped.add_signal_receiver(print, arg0=5)",
    "looped.add_signal_receiver(print, sender_keyword=5)",
)
# What says so when it is used, if ever.
LATER = (
    "call_on_disconnection(5)",
    "receiver(5)",
    "arg0=5",
    "keyword=5",
    "filter(5)",
    "path('/a', 5)",
)
LATER += ("allow_anonymous", "exit_on", "connection_class", "DBusGMainLoop('x')")
LATER += ("(5,)", "unique_name")


def _made(bench: Bench, source: str) -> object:
    directory = bench.place.stack.enter_context(tempfile.TemporaryDirectory())
    names = {**bench.names(), "conn": bench.conn, "Server": bench.dbus.server.Server}
    names.update(address=bench.address, fresh=f"unix:tmpdir={directory}")
    if "loop" in source:
        names.update(loop=bench.loop, looped=bench.looped)
    made = tables.value_of(source, **names)
    if source.startswith("Server"):
        made.disconnect()
    return made


RESULTS = ("None", "True", "-1", "3", "2**70", "'x'", "object()", "lowlevel_need_memory")


def _returns(bench: Bench, source: str, where: str) -> object:
    """A filter, or the handler of an object path, that returns this."""
    result = tables.value_of(source, lowlevel_need_memory=bench.bindings.HANDLER_RESULT_NEED_MEMORY)
    seen: list[Any] = []

    def handler(_connection: Any, message: Any) -> Any:
        if message.get_member() == "M":
            seen.append(message)
            return result
        return bench.low.HANDLER_RESULT_NOT_YET_HANDLED

    if where == "a filter":
        bench.looped.add_message_filter(handler)
    else:
        bench.looped._register_object_path("/a", handler)
    fields = (bench.looped.get_unique_name(), "/a", "a.b", "M")
    bench.conn.send_message(bench.low.MethodCallMessage(*fields))
    bench.turn_until(lambda: seen)
    if where == "a filter":
        return bench.looped.remove_message_filter(handler)
    return bench.looped._unregister_object_path("/a")


def _others() -> Iterator[Case]:
    for source in MADE:
        must = not any(words in source for words in LATER)
        yield classic(source, lambda b, source=source: _made(b, source), must)
    for source in RESULTS:
        for where in ("a filter", "an object path"):
            yield classic(
                f"{source} returned by {where}",
                lambda b, source=source, where=where: _returns(b, source, where),
                must=False,
            )


# --- The snippets of test/compat, which know more ways


def _snippets() -> Iterator[Case]:
    sys.path.append(str(ROOT / "test" / "compat"))
    from fatal_snippets import SNIPPETS

    def run(bench: Bench, code: str) -> None:
        names = {**bench.names(), "conn": bench.conn, "lowlevel": bench.low, "os": os}
        names.update(call=bench.call, sig=bench.signal, address=bench.address)
        names["other"] = lambda: bench.connect(bench.address)
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = bench.address
        if "looped" in code:
            names["looped"] = bench.looped
        exec(code, names)

    for name, code, exception in SNIPPETS:
        yield classic(f"snippet: {name}", lambda b, code=code: run(b, code), exception != "-")


CASES = (
    *_sent(),
    *_cleared(),
    *_empty(),
    *_ended(),
    *_limits(),
    *_pending_calls(),
    *_others(),
    *_snippets(),
)
