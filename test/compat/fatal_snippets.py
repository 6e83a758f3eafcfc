# SPDX-License-Identifier: MIT
"""Wrong uses that kill the reference's process, or look as if they could.

`# name -> exception` heads the code, with "-" when nothing may be raised.  The code has `conn` (a
private connection without a loop), `looped` (one with a GLib loop), `other()` (one more), `call()`
and `sig()` (a new call to the bus daemon, a new signal), `address`, `dbus`, `lowlevel`, `os`, `gc`.
"""

from __future__ import annotations

TEXT = r"""
## A message that has been sent is locked.
# append after send -> ValueError
m = sig()
conn.send_message(m)
m.append(1)
# append after a call -> ValueError
m = call()
conn.send_message_with_reply_and_block(m)
m.append(1)
# set_path after send -> ValueError
m = sig()
conn.send_message(m)
m.set_path('/b')
# set_interface after send -> ValueError
m = sig()
conn.send_message(m)
m.set_interface('a.b')
# set_member after send -> ValueError
m = sig()
conn.send_message(m)
m.set_member('M')
# set_error_name after send -> ValueError
m = sig()
conn.send_message(m)
m.set_error_name('a.b')
# set_destination after send -> ValueError
m = sig()
conn.send_message(m)
m.set_destination('a.b')
# set_sender after send -> ValueError
m = sig()
conn.send_message(m)
m.set_sender(':1.9')
# set_reply_serial after send -> ValueError
m = sig()
conn.send_message(m)
m.set_reply_serial(5)
# set_no_reply after send -> ValueError
m = sig()
conn.send_message(m)
m.set_no_reply(True)
# set_auto_start after send -> ValueError
m = sig()
conn.send_message(m)
m.set_auto_start(False)
# set_allow_interactive_authorization after send -> ValueError
m = sig()
conn.send_message(m)
m.set_allow_interactive_authorization(True)
# sent twice -> -
m = sig()
conn.send_message(m)
conn.send_message(m)
# called twice -> -
m = call()
[conn.send_message_with_reply_and_block(m) for _ in 'ab']
# sent on two connections -> -
m = sig()
conn.send_message(m)
other().send_message(m)

## Serials and replies.
# reply serial 0 -> ValueError
sig().set_reply_serial(0)
# reply serial 2**32 -> OverflowError
sig().set_reply_serial(2**32)
# reply serial -1 -> OverflowError
sig().set_reply_serial(-1)
# reply to a call never sent -> ValueError
lowlevel.MethodReturnMessage(call())
# error for a call never sent -> ValueError
lowlevel.ErrorMessage(call(), 'a.b', 'text')
# error without text -> -
m = call()
conn.send_message(m)
lowlevel.ErrorMessage(m, 'a.b', None)
# error with a surrogate -> UnicodeEncodeError
m = call()
conn.send_message(m)
lowlevel.ErrorMessage(m, 'a.b', '\ud800')
# error with NUL -> ValueError
m = call()
conn.send_message(m)
lowlevel.ErrorMessage(m, 'a.b', 'a\0b')
# error with a bad name -> ValueError
m = call()
conn.send_message(m)
lowlevel.ErrorMessage(m, 'bad', 'text')
# reply to a reply -> ValueError
m = call()
conn.send_message(m)
r = lowlevel.MethodReturnMessage(m)
lowlevel.MethodReturnMessage(r)

## Header fields without which a message is invalid.
# set_destination None -> -
m = call()
m.set_destination(None)
assert m.get_destination() is None
# set_sender None -> -
m = call()
m.set_sender(None)
assert m.get_sender() is None
# signal without interface -> ValueError
m = sig()
m.set_interface(None)
conn.send_message(m)
# signal without member -> ValueError
m = sig()
m.set_member(None)
conn.send_message(m)
# signal without path -> ValueError
m = sig()
m.set_path(None)
conn.send_message(m)
# call without member -> ValueError
m = call()
m.set_member(None)
conn.send_message(m)
# call without path -> ValueError
m = call()
m.set_path(None)
conn.send_message(m)
# error without name -> ValueError
m = call()
conn.send_message(m)
e = lowlevel.ErrorMessage(m, 'a.b', 'x')
e.set_error_name(None)
conn.send_message(e)
# bare Message sent -> DBusException
conn.send_message(lowlevel.Message())
# bare Message used -> DBusException
lowlevel.Message().get_type()
# signal without __init__ -> -
repr(lowlevel.SignalMessage.__new__(lowlevel.SignalMessage))
# call without __init__ -> -
repr(lowlevel.MethodCallMessage.__new__(lowlevel.MethodCallMessage))
# signal without __init__ sent -> DBusException
conn.send_message(lowlevel.SignalMessage.__new__(lowlevel.SignalMessage))
# __init__ after send -> -
m = sig()
conn.send_message(m)
m.__init__('/a', 'a.b', 'M')
m.append(1)

## Values.
# Byte() -> TypeError
dbus.Byte()
# Byte(variant_level=1) -> TypeError
dbus.Byte(variant_level=1)
# bad object path -> ValueError
sig().append('no path', signature='o')
# empty object path -> ValueError
sig().append('', signature='o')
# bad path from __dbus_object_path__ -> ValueError
sig().append(type('P', (), {'__dbus_object_path__': 'bad'})())
# bad signature -> ValueError
sig().append('z', signature='g')
# long signature -> ValueError
sig().append('s' * 256, signature='g')
# surrogate -> UnicodeEncodeError
sig().append('\ud800')
# NUL in a string -> ValueError
sig().append('a\0b')
# NUL in bytes for a string -> ValueError
sig().append(b'a\0b', signature='s')
# bytes that are not UTF-8 -> UnicodeError
sig().append(b'\xff', signature='s')
# bytes that are not UTF-8 in a variant -> UnicodeError
sig().append({'a': b'\xff'}, signature='a{sv}')
# bytes that are not a path -> ValueError
sig().append(b'nopath', signature='o')
# boolean 2 -> -
sig().append(2, signature='b')
# descriptor -1 -> ValueError
sig().append(-1, signature='h')
# descriptor closed -> ValueError
sig().append(9999, signature='h')
# descriptor of wrong type -> TypeError
sig().append('x', signature='h')
# UnixFd taken -> ValueError
u = dbus.types.UnixFd(0)
os.close(u.take())
sig().append(u)
# list within itself -> ValueError
l = []
l.append(l)
sig().append(l)
# list within itself, av -> ValueError
l = []
l.append(l)
sig().append(l, signature='av')
# list within itself, guessed -> ValueError
l = []
l.append(l)
lowlevel.Message.guess_signature(l)
# dict within itself -> ValueError
d = {}
d['d'] = d
sig().append(d, signature='a{sv}')
# dict within itself, guessed -> ValueError
d = {}
d['d'] = d
lowlevel.Message.guess_signature(d)
# tuple through a list -> ValueError
l = []
t = (l,)
l.append(t)
sig().append(t)
# Array within itself -> ValueError
a = dbus.Array(signature='v')
a.append(a)
sig().append(a)
# variant as a key -> ValueError
sig().append({dbus.Int32(1, variant_level=1): 1})
# struct as a key -> ValueError
sig().append({(1, 2): 1})
# variant as a key inside -> ValueError
sig().append([{dbus.Int32(1, variant_level=1): 1}])
# variant as a key in a variant -> ValueError
sig().append({dbus.Int32(1, variant_level=1): 1}, signature='v')
# 64 variants -> -
sig().append(dbus.Int32(1, variant_level=64))
# 65 variants sent -> ValueError
m = sig()
m.append(dbus.Int32(1, variant_level=65))
conn.send_message(m)
conn.flush()
# 300 variants -> ValueError
sig().append(dbus.Int32(1, variant_level=300))
# 2**31 variants -> ValueError
sig().append(dbus.Int32(1, variant_level=2**31))
# 2**62 variants -> ValueError
sig().append(dbus.Int32(1, variant_level=2**62), signature='v')
# 33 structs -> ValueError
sig().append(eval('(' * 33 + '1' + ',)' * 33))
# 33 structs, given -> ValueError
sig().append(1, signature='(' * 33 + 'i' + ')' * 33)
# 33 structs over a variant -> -
inner = dbus.Struct(eval('(' * 20 + '1' + ',)' * 20), variant_level=1)
sig().append(eval('(' * 20 + 'inner' + ',)' * 20))
# 33 arrays -> ValueError
sig().append(eval('[' * 33 + '1' + ']' * 33))
# empty struct -> ValueError
sig().append((), signature='()')
# empty struct in a variant -> ValueError
sig().append((), signature='v')
# empty list in a variant -> ValueError
sig().append([], signature='v')
# None in a variant -> TypeError
sig().append(None, signature='v')
# signature of 256 -> ValueError
sig().append(*['a'] * 256)
# signature of 400 in two steps -> ValueError
m = sig()
[m.append(*['a'] * 200) for _ in 'ab']
conn.send_message(m)
conn.flush()
# 64 MiB and one byte -> ValueError
sig().append(bytes(2**26 + 1), signature='ay')
# 64 MiB and one byte, ByteArray -> ValueError
sig().append(dbus.ByteArray(2**26 + 1))
# 64 MiB of strings -> ValueError
m = sig()
m.append(['x' * 2**20] * 70)
conn.send_message(m)
conn.flush()
# 128 MiB in one message -> ValueError
m = sig()
[m.append(bytes(2**26 - 8), signature='ay') for _ in 'abc']
conn.send_message(m)
conn.flush()
# iterator that raises -> ZeroDivisionError
sig().append((1 / n for n in (1, 0)), signature='ad')
# list that grows -> -
l = [1]
class G:

    def __index__(s):
        l.append(s) if len(l) < 9 else None
        return 5
l.append(G())
sig().append(l, signature='ai')
# list that shrinks -> -
l = [1, 2, 3]
class G:

    def __index__(s):
        l.clear()
        return 5
l[0] = G()
sig().append(l, signature='ai')
# dict that changes -> RuntimeError
d = {}
class G:

    def __index__(s):
        d[len(d) + 10] = 1
        return 5
d[0] = G()
d[1] = G()
sig().append(d, signature='a{ii}')
# append to itself while appending -> -
m = sig()
class G:

    def __index__(s):
        m.append('inner')
        return 5
m.append(G(), signature='i')
m.get_args_list()
# sent while appending -> ValueError
m = sig()
class G:

    def __index__(s):
        conn.send_message(m)
        return 5
m.append(G(), signature='i')
m.get_args_list()
# bad key signature -> ValueError
dbus.Dictionary({}, signature='vv')
# Dictionary signature '' -> ValueError
dbus.Dictionary({}, signature='')

## Calls and time-outs.
# negative time-out -> -
conn.send_message_with_reply_and_block(call(), -0.002)
# negative time-out, asynchronous -> -
conn.send_message_with_reply(call(), print, -0.002, require_main_loop=False)
# negative time-out, call_blocking -> -
name = 'org.freedesktop.DBus'
conn.call_blocking(name, '/', name, 'GetId', '', (), timeout=-0.002)
# NaN time-out -> ValueError
conn.send_message_with_reply_and_block(call(), float('nan'))
# endless time-out -> ValueError
conn.send_message_with_reply_and_block(call(), float('inf'))
# huge time-out -> ValueError
conn.send_message_with_reply_and_block(call(), 1e300)
# time-out of wrong type -> TypeError
conn.send_message_with_reply_and_block(call(), 'x')
# call without a message -> TypeError
conn.send_message_with_reply_and_block(None)
# send without a message -> TypeError
conn.send_message(None)
# handler that cannot be called -> TypeError
conn.send_message_with_reply(call(), 5, require_main_loop=False)
# pending call blocked twice -> -
p = conn.send_message_with_reply(call(), lambda m: None, require_main_loop=False)
p.block()
p.block()
# pending call cancelled, then blocked -> -
p = conn.send_message_with_reply(call(), lambda m: None, require_main_loop=False)
p.cancel()
p.block()
# pending call blocked, then cancelled -> -
p = conn.send_message_with_reply(call(), lambda m: None, require_main_loop=False)
p.block()
p.cancel()
p.cancel()
# pending call dropped -> -
conn.send_message_with_reply(call(), lambda m: None, require_main_loop=False)
gc.collect()
# a signal as a call -> DBusException
conn.send_message_with_reply_and_block(sig(), 0.2)

## Names and matches.
# request a bad name -> ValueError
conn.request_name('bad')
# request a name with a surrogate -> UnicodeEncodeError
conn.request_name('a.\ud800')
# request a unique name -> ValueError
conn.request_name(':1.99')
# request None -> TypeError
conn.request_name(None)
# release a bad name -> ValueError
conn.release_name('bad')
# owner of a bad name -> ValueError
conn.get_name_owner('bad')
# has a bad name an owner -> -
conn.name_has_owner('bad')
# start a bad name -> ValueError
conn.start_service_by_name('bad')
# user of a bad name -> ValueError
conn.get_unix_user('bad')
# match with a surrogate -> UnicodeEncodeError
conn.add_match_string('\ud800')
# match with NUL -> ValueError
conn.add_match_string('a\0')
# match that is none -> DBusException
conn.add_match_string('garbage')
# match removed that was never added -> DBusException
conn.remove_match_string("type='signal'")
# match without waiting, with a surrogate -> UnicodeEncodeError
conn.add_match_string_non_blocking('\ud800')
# own unique name set twice -> ValueError
conn.set_unique_name(':1.999')

## Object paths and filters.
# path without slash -> ValueError
looped._register_object_path('x', lambda *a: None)
# path with a trailing slash -> ValueError
looped._register_object_path('/x/', lambda *a: None)
# path registered twice -> KeyError
[looped._register_object_path('/x', lambda *a: None) for _ in 'ab']
# unknown path unregistered -> KeyError
looped._unregister_object_path('/x')
# unregistered twice -> KeyError
looped._register_object_path('/x', lambda *a: None)
[looped._unregister_object_path('/x') for _ in 'ab']
# children of a bad path -> ValueError
conn.list_exported_child_objects('x')
# unknown filter removed -> ValueError
conn.remove_message_filter(print)
# filter removed twice -> ValueError
f = lambda *a: None
conn.add_message_filter(f)
[conn.remove_message_filter(f) for _ in 'ab']
# filter added twice -> -
f = lambda *a: None
[conn.add_message_filter(f) for _ in 'ab']
[conn.remove_message_filter(f) for _ in 'ab']

## Connections and servers.
# closed twice -> -
c = other()
c.close()
c.close()
# closed, then sent -> -
c = other()
c.close()
c.send_message(sig())
# closed, then called -> DBusException
c = other()
c.close()
c.send_message_with_reply_and_block(call())
# closed, then everything -> -
c = other()
c.close()
c.flush()
c.get_is_connected()
c.get_unique_name()
c.get_unix_fd()
c.get_peer_unix_user()
# dropped without close -> -
c = other()
del c
gc.collect()
# low-level connection dropped without close -> -
import _dbus_bindings as b
c = b.Connection(address)
del c
gc.collect()
# shared bus closed -> -
b = dbus.SessionBus()
b.set_exit_on_disconnect(False)
b.close()
# empty address -> DBusException
dbus.connection.Connection('')
# address with NUL -> ValueError
dbus.connection.Connection('unix:path=/\0')
# address with a surrogate -> UnicodeEncodeError
dbus.connection.Connection('unix:path=/\ud800')
# address of no transport -> DBusException
dbus.connection.Connection('nonsense:')
# address None -> TypeError
dbus.connection.Connection(None)
# bus number -> ValueError
dbus.bus.BusConnection(77)
# server at a bad address -> DBusException
import dbus.server, dbus.mainloop
dbus.server.Server('bad', mainloop=dbus.mainloop.NULL_MAIN_LOOP)
# server at an empty address -> DBusException
import dbus.server, dbus.mainloop
dbus.server.Server('', mainloop=dbus.mainloop.NULL_MAIN_LOOP)
# server at NUL -> ValueError
import dbus.server
dbus.server.Server('\0')
# server dropped without disconnect -> -
import dbus.server, dbus.mainloop
s = dbus.server.Server('unix:tmpdir=/tmp', mainloop=dbus.mainloop.NULL_MAIN_LOOP)
del s
gc.collect()
# server disconnected twice -> -
import dbus.server, dbus.mainloop
s = dbus.server.Server('unix:tmpdir=/tmp', mainloop=dbus.mainloop.NULL_MAIN_LOOP)
s.disconnect()
s.disconnect()
# default loop None -> TypeError
dbus.set_default_main_loop(None)
# export without a loop -> RuntimeError
import dbus.service
dbus.service.Object(conn, '/x')
# receiver without a loop -> RuntimeError
conn.add_signal_receiver(print, bus_name='org.freedesktop.DBus')
"""


def parse(text: str) -> list[tuple[str, str, str]]:
    """(name, code, exception) of every block."""
    found: list[tuple[str, list[str], str]] = []
    for line in text.splitlines():
        if line.startswith("# "):
            name, _, exception = line[2:].rpartition(" -> ")
            found.append((name, [], exception))
        elif line and not line.startswith("## "):
            found[-1][1].append(line)
    return [(name, "\n".join(code), exception) for name, code, exception in found]


SNIPPETS = parse(TEXT)
