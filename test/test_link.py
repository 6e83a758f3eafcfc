# SPDX-License-Identifier: MIT
"""The way of messages through a connection: order, waking, waiting threads, time-outs, endings."""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
import time
import weakref
from typing import Any

import pytest
from gi.repository import GLib

import _dbus_bindings as bindings
import dbus
from dbus.lowlevel import (
    ErrorMessage,
    Message,
    MethodCallMessage,
    MethodReturnMessage,
    SignalMessage,
)
from dbus.mainloop.glib import DBusGMainLoop

DAEMON = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
NO_REPLY = "org.freedesktop.DBus.Error.NoReply"


def daemon_call(member: str, *args: Any) -> MethodCallMessage:
    message = MethodCallMessage(*DAEMON, member)
    if args:
        message.append(*args)
    return message


def call_to(conn: Any, path: str = "/x", member: str = "M") -> MethodCallMessage:
    return MethodCallMessage(conn.get_unique_name(), path, "a.b", member)


@pytest.fixture
def looped(bus: Any) -> Any:
    return bus.connection(mainloop=DBusGMainLoop())


@pytest.fixture
def peer(bus: Any) -> Any:
    return bus.connection(mainloop=DBusGMainLoop())


def answer(conn: Any, message: Any) -> None:
    reply = MethodReturnMessage(message)
    reply.append(*message.get_args_list())
    conn.send_message(reply)


def test_signals_that_arrive_during_a_blocking_call_are_delivered_afterwards_in_order(
    looped: Any, peer: Any, run_until: Any
) -> None:
    seen: list[int] = []

    def keep(_conn: Any, message: Message) -> int:
        if message.get_member() == "Tick":
            seen.append(message.get_args_list()[0])
        return bindings.HANDLER_RESULT_NOT_YET_HANDLED

    looped.add_message_filter(keep)
    for number in range(200):
        tick = SignalMessage("/x", "a.b", "Tick")
        tick.set_destination(looped.get_unique_name())
        tick.append(number)
        peer.send_message(tick)
    peer.flush()
    # The daemon answers after what it has forwarded to us.
    peer.send_message_with_reply_and_block(daemon_call("GetId"))
    looped.send_message_with_reply_and_block(daemon_call("GetId"))
    assert seen == []
    run_until(lambda: len(seen) == 200)
    assert seen == list(range(200))


def test_handlers_may_call_block_and_run_the_loop(looped: Any, peer: Any, run_until: Any) -> None:
    log: list[str] = []
    context = GLib.MainContext.default()

    def on_message(conn: Any, message: Any) -> None:
        log.append("enter " + message.get_member())
        if message.get_member() == "Outer":
            conn.send_message_with_reply_and_block(daemon_call("GetId"))
            while "enter Inner" not in log:
                context.iteration(True)
        answer(conn, message)
        log.append("leave " + message.get_member())

    looped._register_object_path("/x", on_message)
    replies: list[Message] = []
    peer.send_message_with_reply(call_to(looped, member="Outer"), replies.append)
    peer.send_message_with_reply(call_to(looped, member="Inner"), replies.append)
    run_until(lambda: len(replies) == 2)
    assert log == ["enter Outer", "enter Inner", "leave Inner", "leave Outer"]
    assert all(isinstance(reply, MethodReturnMessage) for reply in replies)


def test_a_handler_may_close_the_connection(looped: Any, peer: Any, run_until: Any) -> None:
    done = []

    def on_message(conn: Any, _message: Any) -> None:
        conn.close()
        done.append(True)

    looped._register_object_path("/x", on_message)
    replies: list[Message] = []
    peer.send_message_with_reply(call_to(looped), replies.append)
    run_until(lambda: bool(replies))
    assert done == [True]
    assert isinstance(replies[0], ErrorMessage) and replies[0].get_error_name() == NO_REPLY


def test_deadlines_come_in_their_order(looped: Any, peer: Any, run_until: Any) -> None:
    peer._register_object_path("/x", lambda conn, message: None)
    ended: list[float] = []
    for seconds in (0.09, 0.03, 0.06, 0.0):
        looped.send_message_with_reply(
            call_to(peer), lambda reply, seconds=seconds: ended.append(seconds), seconds
        )
    run_until(lambda: len(ended) == 4)
    assert ended == [0.0, 0.03, 0.06, 0.09]


def test_a_late_reply_is_for_nobody(looped: Any, peer: Any, run_until: Any) -> None:
    late: list[Any] = []
    peer._register_object_path("/x", lambda conn, message: late.append(message))
    ends: list[Message] = []
    looped.send_message_with_reply(call_to(peer), ends.append, 0.01)
    run_until(lambda: bool(ends) and bool(late))
    assert ends[0].get_error_name() == NO_REPLY
    filtered: list[Message] = []
    looped.add_message_filter(lambda conn, message: filtered.append(message))
    answer(peer, late[0])
    run_until(lambda: bool(filtered))
    assert isinstance(filtered[0], MethodReturnMessage)
    assert len(ends) == 1


def test_ten_thousand_calls_in_flight(looped: Any, run_until: Any) -> None:
    replies: list[Message] = []
    for _ in range(10000):
        looped.send_message_with_reply(daemon_call("GetId"), replies.append)
    run_until(lambda: len(replies) == 10000, timeout=60)
    serials = [reply.get_reply_serial() for reply in replies]
    assert serials == sorted(serials) and len(set(serials)) == 10000


def test_a_cancelled_call_is_forgotten(looped: Any, run_until: Any) -> None:
    ends: list[Any] = []
    cancelled = looped.send_message_with_reply(daemon_call("GetId"), ends.append)
    cancelled.cancel()
    kept = looped.send_message_with_reply(daemon_call("GetId"), lambda reply: ends.append("kept"))
    run_until(kept.get_completed)
    assert ends == ["kept"]
    assert not cancelled.get_completed()
    cancelled.block()
    assert ends == ["kept"]


def test_blocking_on_a_pending_call_runs_its_handler_once(looped: Any, run_until: Any) -> None:
    ends: list[Message] = []
    pending = looped.send_message_with_reply(daemon_call("GetId"), ends.append)
    pending.block()
    assert len(ends) == 1 and pending.get_completed()
    other = looped.send_message_with_reply(daemon_call("GetId"), ends.append)
    run_until(other.get_completed)
    assert len(ends) == 2


def test_two_threads_block_on_one_pending_call(conn: Any) -> None:
    ends: list[Message] = []
    pending = conn.send_message_with_reply(daemon_call("GetId"), ends.append)
    threads = [threading.Thread(target=pending.block) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert len(ends) == 1


def test_a_signal_handler_interrupts_a_blocking_call(conn: Any, peer: Any) -> None:
    peer._register_object_path("/x", lambda connection, message: None)

    class Stop(Exception):
        pass

    def stop(_number: int, _frame: Any) -> None:
        raise Stop

    old = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        started = time.monotonic()
        with pytest.raises(Stop):
            conn.send_message_with_reply_and_block(call_to(peer), 20)
        assert time.monotonic() - started < 10
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert conn.send_message_with_reply_and_block(daemon_call("GetId")).get_args_list()


def test_closing_ends_the_calls_of_other_threads(conn: Any, peer: Any) -> None:
    peer._register_object_path("/x", lambda connection, message: None)
    errors: list[dbus.DBusException] = []
    started = threading.Barrier(4)

    def block() -> None:
        started.wait()
        try:
            conn.send_message_with_reply_and_block(call_to(peer), 30)
        except dbus.DBusException as error:
            errors.append(error)

    threads = [threading.Thread(target=block) for _ in range(3)]
    for thread in threads:
        thread.start()
    started.wait()
    # A call of our own is answered after those of the threads that were sent before it.
    conn.send_message_with_reply_and_block(daemon_call("GetId"))
    conn.close()
    for thread in threads:
        thread.join(20)
    assert len(errors) == 3
    assert {error.get_dbus_name() for error in errors} == {
        "org.freedesktop.DBus.Error.Disconnected"
    }


def test_a_lost_bus_ends_every_call_once(bus: Any, looped: Any, peer: Any, run_until: Any) -> None:
    peer._register_object_path("/x", lambda conn, message: None)
    ends: list[Any] = []
    for _ in range(50):
        looped.send_message_with_reply(call_to(peer), ends.append)
    looped.flush()
    os.kill(bus.pid, signal.SIGKILL)
    run_until(lambda: len(ends) >= 50)
    assert len(ends) == 50
    assert {end.get_error_name() for end in ends} == {NO_REPLY}
    with pytest.raises(dbus.DBusException):
        looped.send_message_with_reply(call_to(peer), ends.append)
    with pytest.raises(dbus.DBusException):
        looped.send_message_with_reply_and_block(call_to(peer))


def test_the_loop_of_the_creating_thread_serves_the_connection(bus: Any, conn: Any) -> None:
    seen: list[threading.Thread] = []

    def serve() -> None:
        context = GLib.MainContext.new()
        context.push_thread_default()
        try:
            mine = bus.connection(mainloop=DBusGMainLoop())
            loop = GLib.MainLoop.new(context, False)

            def on_message(connection: Any, message: Any) -> None:
                seen.append(threading.current_thread())
                answer(connection, message)
                if message.get_member() == "Quit":
                    loop.quit()

            mine._register_object_path("/x", on_message)
            names.append(mine)
            ready.set()
            loop.run()
        finally:
            context.pop_thread_default()

    names: list[Any] = []
    ready = threading.Event()
    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(20)
    conn.send_message_with_reply_and_block(call_to(names[0]))
    conn.send_message_with_reply_and_block(call_to(names[0], member="Quit"))
    thread.join(20)
    assert seen == [thread, thread]
    names[0].close()  # from another thread than the one that made it


def test_without_a_loop_nothing_piles_up(bus: Any, conn: Any, peer: Any) -> None:
    name = conn.get_unique_name()
    payload = "x" * 100_000
    for _ in range(100):
        for _ in range(20):
            noise = SignalMessage("/x", "a.b", "Noise")
            noise.set_destination(name)
            noise.append(payload)
            peer.send_message(noise)
        peer.flush()
        # 200 MB in all, more than libdbus keeps unread before it stops to read.
        assert conn.send_message_with_reply_and_block(daemon_call("GetId"), 20)


def test_connections_are_collected_in_cycles(bus: Any) -> None:
    class Owner:
        def __init__(self) -> None:
            self.conn = bindings.Connection._new_for_bus(bus.address, DBusGMainLoop())
            self.conn.set_exit_on_disconnect(False)
            self.conn.add_message_filter(self.on_message)
            self.conn._register_object_path("/x", self.on_message)
            self.pending = self.conn.send_message_with_reply(daemon_call("GetId"), self.on_reply)

        def on_message(self, conn: Any, message: Any) -> None:
            pass

        def on_reply(self, reply: Any) -> None:
            pass

    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    owners = [Owner() for _ in range(5)]
    refs = [weakref.ref(owner.conn) for owner in owners] + [weakref.ref(o) for o in owners]
    del owners
    gc.collect()
    assert [ref() for ref in refs] == [None] * 10
    context = GLib.MainContext.default()
    while context.iteration(False):
        pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_flush_waits_for_a_slow_reader(tmp_path: Any) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "s"))
    server.listen()

    def authenticate_then_read() -> None:
        peer, _ = server.accept()
        with peer:
            data = b""
            while b"BEGIN\r\n" not in data:
                data += peer.recv(4096)
                if data.endswith(b"AUTH\r\n"):
                    peer.sendall(b"REJECTED EXTERNAL\r\n")
                elif b"AUTH EXTERNAL" in data and not sent:
                    sent.append(True)
                    peer.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
                elif data.endswith(b"NEGOTIATE_UNIX_FD\r\n"):
                    peer.sendall(b"AGREE_UNIX_FD\r\n")
            begun.set()
            go.wait(20)
            total = len(data)
            while total < 5_000_000:
                chunk = peer.recv(1 << 20)
                if not chunk:
                    break
                total += len(chunk)
            totals.append(total)

    sent: list[bool] = []
    totals: list[int] = []
    begun, go = threading.Event(), threading.Event()
    thread = threading.Thread(target=authenticate_then_read)
    thread.start()
    conn = bindings.Connection(f"unix:path={tmp_path / 's'}")
    for _ in range(5):
        message = SignalMessage("/x", "a.b", "S")
        message.append("x" * 1_000_000)
        conn.send_message(message)
    go.set()
    conn.flush()
    thread.join(20)
    assert totals and totals[0] >= 5_000_000
    conn.close()
    server.close()


def test_exceptions_of_handlers_are_printed_and_the_way_goes_on(
    looped: Any, peer: Any, run_until: Any, capfd: Any
) -> None:
    def fail(_conn: Any, _message: Any) -> None:
        raise ValueError("from the filter")

    looped.add_message_filter(fail)
    looped._register_object_path("/x", answer)
    replies: list[Message] = []
    peer.send_message_with_reply(call_to(looped), replies.append)
    run_until(lambda: bool(replies))
    assert isinstance(replies[0], MethodReturnMessage)
    assert "ValueError: from the filter" in capfd.readouterr().err


@pytest.mark.parametrize("result", ["x", 2, 7, 1.5, 1 << 80])
def test_a_handler_with_a_bad_result_is_told(
    looped: Any, peer: Any, run_until: Any, capfd: Any, result: Any
) -> None:
    looped._register_object_path("/x", lambda conn, message: result)
    replies: list[Message] = []
    peer.send_message_with_reply(call_to(looped), replies.append)
    run_until(lambda: bool(replies))
    assert replies[0].get_error_name() == "org.freedesktop.DBus.Error.UnknownMethod"
    assert "must return None, NotImplemented" in capfd.readouterr().err


def test_no_reply_calls_get_no_answer_of_ours(looped: Any, peer: Any, run_until: Any) -> None:
    got: list[Message] = []
    peer.add_message_filter(lambda conn, message: got.append(message))
    silent = call_to(looped, "/nowhere", "Silent")
    silent.set_no_reply(True)
    peer.send_message(silent)
    peer.send_message(call_to(looped, "/nowhere", "Loud"))
    run_until(lambda: any("Loud" in str(m.get_args_list()) for m in got))
    assert not any("Silent" in str(m.get_args_list()) for m in got)
