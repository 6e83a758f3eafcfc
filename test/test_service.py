# SPDX-License-Identifier: MIT
"""dbus.service: what goes beyond the reference's behaviour."""

import gc
import weakref

import pytest
from peers import Calls, attach, barrier, run_until

import dbus
import dbus.service
from dbus import lowlevel
from dbus.service import BusName, method, signal

I = "test.I"  # noqa: E741


class Service(dbus.service.Object):
    @method(I, in_signature="s", out_signature="s")
    def Echo(self, text):
        return text

    @method(I)
    def Fail(self):
        raise ValueError("secret \0 \ud800")

    @method(I, async_callbacks=("done", "failed"))
    def FailLater(self, done, failed):
        failed(ValueError("secret"))

    @method(I)
    def FailOddly(self):
        error = ValueError("odd")
        error._dbus_error_name = "no name"
        raise error

    @method(I)
    def FailPolitely(self):
        raise dbus.DBusException("text", name="test.Error.Polite")

    @signal(I, signature="s")
    def Said(self, text):
        pass


class Discreet(Service):
    SEND_TRACEBACKS = False


@pytest.fixture
def serving(bus):
    return attach(bus)


@pytest.fixture
def client(bus):
    return attach(bus)


def answer(client, serving, member, path="/service", interface=I, args=()):
    """The reply message to a call."""
    message = lowlevel.MethodCallMessage(serving.get_unique_name(), path, interface, member)
    message.append(*args)
    replies = []
    client.send_message_with_reply(message, replies.append)
    run_until(lambda: replies)
    return replies[0]


# -- errors --------------------------------------------------------------------------------------


def test_tracebacks_travel_by_default(client, serving):
    service = Service(serving, "/service")
    (text,) = answer(client, serving, "Fail").get_args_list()
    assert text.startswith("Traceback (most recent call last):")
    assert text.endswith("ValueError: secret \\0 \\ud800\n")
    assert service.SEND_TRACEBACKS is True


@pytest.mark.parametrize("member", ["Fail", "FailLater"])
def test_tracebacks_stay_at_home_on_request(client, serving, member):
    service = Discreet(serving, "/service")
    reply = answer(client, serving, member)
    assert reply.get_error_name() == "org.freedesktop.DBus.Python.ValueError"
    (text,) = reply.get_args_list()
    assert text.startswith("secret")
    assert "Traceback" not in text and "line" not in text
    assert service.SEND_TRACEBACKS is False


@pytest.mark.parametrize("cls", [Service, Discreet])
def test_a_dbus_exception_sends_its_text_either_way(client, serving, cls):
    service = cls(serving, "/service")
    reply = answer(client, serving, "FailPolitely")
    assert reply.get_error_name() == "test.Error.Polite"
    assert reply.get_args_list() == ["text"]
    assert service.connection is serving


def test_an_error_name_that_is_none_costs_the_caller_no_answer(client, serving):
    service = Service(serving, "/service")
    reply = answer(client, serving, "FailOddly")
    assert reply.get_error_name() == "org.freedesktop.DBus.Python.Exception"
    assert "odd" in reply.get_args_list()[0]
    assert service.connection is serving


def test_a_method_set_to_none_is_unknown(client, serving):
    class Less(Service):
        Echo = None

    service = Less(serving, "/service")
    reply = answer(client, serving, "Echo", args=("x",))
    assert reply.get_error_name() == "org.freedesktop.DBus.Error.UnknownMethod"
    assert service.connection is serving


# -- the globals that programs replace -----------------------------------------------------------


def test_the_lookup_can_be_replaced(client, serving, monkeypatch):
    def shout(self, text):
        return text.upper()

    shout._dbus_out_signature = "s"
    monkeypatch.setattr(dbus.service, "_method_lookup", lambda self, name, iface: (shout, shout))
    service = Service(serving, "/service")
    assert answer(client, serving, "Anything", args=("x",)).get_args_list() == ["X"]
    assert service.connection is serving


def test_the_reply_functions_can_be_replaced(client, serving, monkeypatch):
    seen = []
    real_return = dbus.service._method_reply_return
    real_error = dbus.service._method_reply_error

    def on_return(connection, message, name, signature, *values):
        seen.append((name, signature, values))
        real_return(connection, message, name, signature, *values)

    def on_error(connection, message, exception):
        seen.append(type(exception))
        real_error(connection, message, exception)

    monkeypatch.setattr(dbus.service, "_method_reply_return", on_return)
    monkeypatch.setattr(dbus.service, "_method_reply_error", on_error)
    service = Service(serving, "/service")
    answer(client, serving, "Echo", args=("x",))
    answer(client, serving, "Fail")
    answer(client, serving, "FailLater")
    assert seen == [("Echo", "s", ("x",)), ValueError, ValueError]
    assert service.connection is serving


# -- where an object is --------------------------------------------------------------------------


def test_an_object_can_move(client, serving):
    service = Service(serving, "/one")
    service.remove_from_connection()
    assert service._object_path == "/one"
    service.add_to_connection(client, "/two")
    assert list(service.locations) == [(client, "/two", False)]
    assert service.__dbus_object_path__ == "/two"
    assert service.connection is client
    assert answer(serving, client, "Echo", "/two", args=("x",)).get_args_list() == ["x"]


def test_one_location_left_of_many_is_the_one(serving, client):
    class Many(Service):
        SUPPORTS_MULTIPLE_OBJECT_PATHS = True
        SUPPORTS_MULTIPLE_CONNECTIONS = True

    service = Many(serving, "/one")
    service.add_to_connection(client, "/two")
    with pytest.raises(AttributeError, match="more than one object path"):
        service.__dbus_object_path__  # noqa: B018
    with pytest.raises(AttributeError, match="more than one Connection"):
        service.connection  # noqa: B018
    service.remove_from_connection(serving)
    assert service.__dbus_object_path__ == "/two"
    assert service.connection is client


def test_locations_are_a_snapshot(serving):
    class Many(Service):
        SUPPORTS_MULTIPLE_OBJECT_PATHS = True

    service = Many(serving, "/one")
    service.add_to_connection(serving, "/two")
    seen = []
    for location in service.locations:
        service.remove_from_connection(path=location[1])
        seen.append(location[1])
    assert seen == ["/one", "/two"]


def test_an_object_that_is_exported_nowhere_is_collected(serving):
    class Cyclic(Service):
        pass

    service = Cyclic(serving, "/service")
    service.me = service
    gone = weakref.ref(service)
    service.remove_from_connection()
    del service
    gc.collect()
    assert gone() is None


def test_an_exported_object_is_kept_by_its_connection(client, serving):
    gone = weakref.ref(Service(serving, "/service"))
    gc.collect()
    assert gone() is not None
    assert answer(client, serving, "Echo", args=("x",)).get_args_list() == ["x"]


# -- signals -------------------------------------------------------------------------------------


def test_signals_below_the_root(serving, client):
    class Root(dbus.service.FallbackObject):
        @signal(I, signature="s", rel_path_keyword="rel")
        def Said(self, text, rel=None):
            pass

    got = Calls()
    client.add_signal_receiver(got, "Said", path_keyword="path")
    root = Root(serving, "/")
    root.Said("x", rel="/below")
    root.Said("x", rel="/")
    root.Said("x")
    barrier(serving, client)
    assert [keywords["path"] for _args, keywords in got] == ["/below", "/", "/"]


def test_the_deprecated_path_keyword(serving, client):
    with pytest.warns(DeprecationWarning, match="path_keyword"):

        class Old(dbus.service.Object):
            @signal(I, signature="s", path_keyword="path")
            def Said(self, text, path=None):
                pass

    got = Calls()
    client.add_signal_receiver(got, "Said", path_keyword="path")
    old = Old(serving, "/old")
    old.Said("x")
    old.Said("x", path="/old")
    old.Said("x", path="/old/below")
    for path in ("/older", "/"):
        with pytest.raises(ValueError, match="is not below '/old'"):
            old.Said("x", path=path)
    barrier(serving, client)
    assert [keywords["path"] for _args, keywords in got] == ["/old", "/old", "/old/below"]


def test_an_exception_in_the_body_of_a_signal_sends_nothing(serving, client):
    class Careful(dbus.service.Object):
        @signal(I, signature="s")
        def Said(self, text):
            if not text:
                raise ValueError("nothing said")

    got = Calls()
    client.add_signal_receiver(got, "Said")
    careful = Careful(serving, "/careful")
    with pytest.raises(ValueError, match="nothing said"):
        careful.Said("")
    careful.Said("x")
    barrier(serving, client)
    assert got.args == [("x",)]


# -- names ---------------------------------------------------------------------------------------


def test_a_name_released_by_hand_can_be_requested_again(serving):
    first = BusName("test.Name", serving)
    first.__del__()
    assert not serving.name_has_owner("test.Name")
    second = BusName("test.Name", serving)
    assert second is not first
    assert serving.name_has_owner("test.Name")
    # The end of the first one must not take the name from the second.
    first.__del__()
    del first
    gc.collect()
    assert serving.name_has_owner("test.Name")
    assert BusName("test.Name", serving) is second


def test_a_name_outlives_its_connection_silently(bus, recwarn):
    conn = attach(bus)
    conn.set_exit_on_disconnect(False)
    name = BusName("test.Name", conn)
    conn.close()
    name.__del__()
    assert [str(warning.message) for warning in recwarn] == []


# -- classes -------------------------------------------------------------------------------------


def test_the_class_table_and_the_call_agree_about_mixins(serving, client):
    class Left(dbus.service.Interface):
        @method(I, in_signature="", out_signature="s")
        def Same(self):
            return "left"

    class Right(dbus.service.Interface):
        @method(I, in_signature="s", out_signature="s")
        def Same(self, text):
            return "right"

    class Both(dbus.service.Object, Left, Right):
        pass

    service = Both(serving, "/service")
    assert Both._dbus_class_table[f"{__name__}.Both"][I]["Same"] is Left.Same
    assert answer(client, serving, "Same").get_args_list() == ["left"]
    assert service.connection is serving


def test_a_method_added_to_a_class_later(serving, client):
    def Late(self):
        return "late"

    Late = method(I, out_signature="s")(Late)

    class Growing(Service):
        pass

    service = Growing(serving, "/service")
    Growing.Late = Late
    assert answer(client, serving, "Late").get_args_list() == ["late"]
    Growing._dbus_class_table[f"{__name__}.Growing"][I]["Late"] = Late
    assert "Late" in service.Introspect("/service", serving)
    del Growing.Late
    assert (
        answer(client, serving, "Late").get_error_name()
        == "org.freedesktop.DBus.Error.UnknownMethod"
    )
