# SPDX-License-Identifier: MIT
"""The object paths of a connection, below dbus.service, and the answers where nothing is."""

import xml.etree.ElementTree as ElementTree

import pytest
from peers import (
    ERROR,
    INTROSPECTABLE,
    PEER,
    Calls,
    call,
    hooked,
    method_call,
    run_until,
    send_and_wait,
    serve,
)

UNKNOWN_METHOD = ERROR + "UnknownMethod"


def ask(client, server, path, member="M", interface="test.I", *args):
    return call(client, server, path, member, *args, interface=interface)


def test_a_handler_gets_connection_and_message(server, client):
    seen = []

    def handler(connection, message):
        seen.append((connection is server, message.get_path(), message.get_member()))

    server._register_object_path("/a/b", handler)
    client.send_message(method_call(server.get_unique_name(), "/a/b"))
    run_until(lambda: seen)
    assert seen == [(True, "/a/b", "M")]


def test_a_path_is_taken_once(server):
    server._register_object_path("/a", print)
    with pytest.raises(KeyError, match="Can't register the object-path handler for '/a'"):
        server._register_object_path("/a", print)
    with pytest.raises(KeyError):
        server._register_object_path("/a", print, None, True)


def test_unregistering_frees_the_path(server):
    server._register_object_path("/a", print)
    server._unregister_object_path("/a")
    with pytest.raises(KeyError, match="Can't unregister the object-path handler for '/a'"):
        server._unregister_object_path("/a")
    server._register_object_path("/a", print)


@pytest.mark.parametrize("path", ["/nope", "bad", "/a/"])
def test_unregistering_what_is_not_there(server, path):
    with pytest.raises(KeyError):
        server._unregister_object_path(path)


@pytest.mark.parametrize("path", ["", "a", "/a/", "//", "/a-b", "/a//b", "/\u20ac"])
def test_invalid_paths(server, path):
    with pytest.raises(ValueError):
        server._register_object_path(path, print)


@pytest.mark.parametrize("path", [None, 5, ["/"]])
def test_paths_of_the_wrong_type(server, path):
    with pytest.raises(TypeError):
        server._register_object_path(path, print)
    with pytest.raises(TypeError):
        server.list_exported_child_objects(path)


def test_paths_as_bytes(server):
    server._register_object_path(b"/x", print)
    assert server.list_exported_child_objects("/") == ["x"]
    server._unregister_object_path(b"/x")


def test_keyword_names(server):
    server._register_object_path(path="/g", on_message=print, on_unregister=print, fallback=True)
    server._unregister_object_path(path="/g")
    with pytest.raises(TypeError):
        server._register_object_path("/g")
    with pytest.raises(TypeError):
        server._unregister_object_path()


def test_an_explicit_removal_does_not_call_on_unregister(server):
    gone = Calls()
    server._register_object_path("/a", print, gone)
    server._unregister_object_path("/a")
    assert gone == []


def test_children(server):
    for path in ("/a/b/c", "/a/d", "/x"):
        server._register_object_path(path, print)
    children = server.list_exported_child_objects
    assert sorted(children("/")) == ["a", "x"]
    assert sorted(children("/a")) == ["b", "d"]
    assert children("/a/b") == ["c"]
    assert children("/a/b/c") == []
    assert children("/nope") == []
    assert children(path="/x") == []
    assert all(type(child) is str for child in children("/"))
    server._unregister_object_path("/a/b/c")
    assert children("/a") == ["d"]
    with pytest.raises(ValueError):
        children("bad")
    with pytest.raises(TypeError):
        children()


def test_a_fallback_serves_everything_below(server, client):
    low, high = Calls(), Calls()
    server._register_object_path("/f", lambda _c, m: low(str(m.get_path())), None, True)
    server._register_object_path("/f/x", lambda _c, m: high(str(m.get_path())))
    for path in ("/f", "/f/a", "/f/a/b", "/f/x", "/f/x/y"):
        client.send_message(method_call(server.get_unique_name(), path))
    # The exact handler has no fallback, so what is below it goes to the fallback above.
    assert ask(client, server, "/fa")[0] == UNKNOWN_METHOD
    assert low.firsts == ["/f", "/f/a", "/f/a/b", "/f/x/y"]
    assert high.firsts == ["/f/x"]


def test_what_is_not_handled_goes_up_to_the_next_fallback(server, client):
    seen = []
    not_mine = 1
    server._register_object_path("/f", lambda _c, m: seen.append("low"), None, True)
    server._register_object_path("/f/x", lambda _c, m: seen.append("mid") or not_mine, None, True)
    server._register_object_path("/f/x/y", lambda _c, m: seen.append("high") or not_mine)
    client.send_message(method_call(server.get_unique_name(), "/f/x/y"))
    assert ask(client, server, "/none")[0] == UNKNOWN_METHOD
    assert seen == ["high", "mid", "low"]


@pytest.mark.parametrize(
    ("result", "handled"),
    [(0, True), (None, True), (False, True), (1, False), (True, False), (NotImplemented, False)],
)
def test_what_a_handler_may_return(server, client, result, handled):
    server._register_object_path("/r", lambda _c, _m: result)
    reply = send_and_wait(client, method_call(server.get_unique_name(), "/r"), 0.1)
    expected = ERROR + "NoReply" if handled else UNKNOWN_METHOD
    assert reply.get_error_name() == expected


@pytest.mark.parametrize(
    ("result", "error"), [("x", TypeError), (1.5, TypeError), (5, ValueError), (-1, ValueError)]
)
def test_a_handler_that_returns_nonsense(server, client, result, error):
    server._register_object_path("/r", lambda _c, _m: result)
    with hooked() as caught:
        assert ask(client, server, "/r")[0] == UNKNOWN_METHOD
    assert [type(one) for one in caught] == [error]


def test_a_handler_that_raises(server, client):
    def handler(_connection, _message):
        raise RuntimeError("boo")

    server._register_object_path("/r", handler)
    with hooked() as caught:
        assert ask(client, server, "/r")[0] == UNKNOWN_METHOD
        assert ask(client, server, "/r")[0] == UNKNOWN_METHOD
    assert [str(one) for one in caught] == ["boo", "boo"]


UNCALLABLE = "a handler that cannot be called is refused at once, not when a message comes"


def test_a_handler_that_cannot_be_called(server, client, differs):
    """The reference finds out with the first message."""
    at_once = differs(ours=True, reference=False, why="a handler must be callable, or is refused")
    if at_once:
        with pytest.raises(TypeError):
            server._register_object_path("/r", 5)
        assert server.list_exported_child_objects("/") == []
        return
    server._register_object_path("/r", 5)
    with hooked() as caught:
        assert ask(client, server, "/r")[0] == UNKNOWN_METHOD
    assert [type(one) for one in caught] == [TypeError]


def test_a_handler_may_unregister_itself(server, client):
    def once(message):
        server._unregister_object_path("/once")
        return ()

    serve(server, "/once", M=once)
    assert ask(client, server, "/once") == (None, [])
    assert ask(client, server, "/once")[0] == UNKNOWN_METHOD


def test_a_handler_may_register_others(server, client):
    def more(message):
        serve(server, "/new", M=lambda _m: ("new",))
        return ()

    serve(server, "/first", M=more)
    assert ask(client, server, "/first") == (None, [])
    assert ask(client, server, "/new") == (None, ["new"])


def test_signals_sent_to_a_path_reach_its_handler(server, client):
    import dbus.lowlevel

    seen = serve(server, "/a")
    signal = dbus.lowlevel.SignalMessage("/a", "test.I", "S")
    signal.set_destination(server.get_unique_name())
    client.send_message(signal)
    run_until(lambda: seen)
    assert [message.get_member() for message in seen] == ["S"]


# -- what is answered where nothing is exported ---------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/other", "/deep", "/deep/er", "/deep/er/one"])
def test_nobody_answers(server, client, path):
    server._register_object_path("/deep/er/one", lambda _c, _m: 1)
    text = 'Method "M" with signature "" on interface "test.I" doesn\'t exist\n'
    assert ask(client, server, path) == (UNKNOWN_METHOD, [text])


def test_the_text_names_signature_and_missing_interface(server, client):
    assert ask(client, server, "/", "M", "test.I", 1, "s") == (
        UNKNOWN_METHOD,
        ['Method "M" with signature "is" on interface "test.I" doesn\'t exist\n'],
    )
    assert ask(client, server, "/", "M", None) == (
        UNKNOWN_METHOD,
        ['Method "M" with signature "" on interface "(null)" doesn\'t exist\n'],
    )


@pytest.mark.parametrize(
    ("path", "children"),
    [
        ("/", ["deep", "x"]),
        ("/deep", ["er"]),
        ("/deep/er", ["one"]),
        ("/deep/er/one", []),
        ("/other", []),
    ],
)
@pytest.mark.parametrize("interface", [INTROSPECTABLE, None])
def test_default_introspection_lists_the_children(server, client, path, children, interface):
    for exported in ("/x", "/deep/er/one"):
        server._register_object_path(exported, lambda _c, _m: 1)
    error, (text,) = ask(client, server, path, "Introspect", interface)
    assert error is None
    root = ElementTree.fromstring(text)
    assert root.tag == "node"
    assert sorted(child.get("name") for child in root) == children
    assert {child.tag for child in root} <= {"node"}


def test_a_handler_may_introspect_itself(server, client):
    serve(server, "/mine", Introspect=lambda _m: ("<node/>",))
    assert ask(client, server, "/mine", "Introspect", INTROSPECTABLE) == (None, ["<node/>"])


@pytest.mark.parametrize("path", ["/", "/nowhere", "/exported"])
def test_peer_is_answered_everywhere(server, client, path):
    seen = serve(server, "/exported")
    assert ask(client, server, path, "Ping", PEER) == (None, [])
    error, (identifier,) = ask(client, server, path, "GetMachineId", PEER)
    assert error is None
    assert len(identifier) == 32
    assert seen == []


def test_an_unknown_method_of_peer(server, client):
    serve(server, "/exported", Foo=lambda _m: ())
    text = "Unknown method invoked on org.freedesktop.DBus.Peer interface"
    for path in ("/", "/exported"):
        assert ask(client, server, path, "Foo", PEER) == (UNKNOWN_METHOD, [text])


def test_ping_without_interface_is_not_the_peers(server, client):
    serve(server, "/exported", Ping=lambda _m: ("mine",))
    assert ask(client, server, "/exported", "Ping", None) == (None, ["mine"])


def test_when_the_object_is_unknown(server, client):
    """The root stands for all paths until it is exported itself, as no fallback."""
    unknown_object = "org.freedesktop.DBus.Error.UnknownObject"
    server._register_object_path("/a/b", lambda connection, message: NotImplemented)
    assert ask(client, server, "/nowhere")[0] == UNKNOWN_METHOD
    server._register_object_path("/", lambda connection, message: NotImplemented)
    assert ask(client, server, "/nowhere")[0] == unknown_object
    assert ask(client, server, "/a/b/c")[0] == unknown_object
    for known in ("/", "/a", "/a/b"):
        assert ask(client, server, known)[0] == UNKNOWN_METHOD
    server._unregister_object_path("/")
    assert ask(client, server, "/nowhere")[0] == unknown_object
    server._register_object_path("/f", lambda connection, message: NotImplemented, None, True)
    assert ask(client, server, "/f/x/y")[0] == UNKNOWN_METHOD
    server._register_object_path("/", lambda connection, message: NotImplemented, None, True)
    assert ask(client, server, "/nowhere")[0] == UNKNOWN_METHOD
