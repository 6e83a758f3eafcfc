# SPDX-License-Identifier: MIT
"""Classes of service objects: inheritance, the class table, changes at run time, module hooks."""

import warnings

import pytest
from peers import ERROR, INTROSPECTABLE, barrier, call

import dbus
import dbus.service

I = "test.I"  # noqa: E741
UNKNOWN = ERROR + "UnknownMethod"


def method(interface=I, **keywords):
    return dbus.service.method(interface, **keywords)


# -- inheritance ----------------------------------------------------------------------------------


class Base(dbus.service.Object):
    @method(out_signature="s")
    def Kept(self):
        return "base"

    @method(out_signature="s")
    def Overridden(self):
        return "base"

    @method(out_signature="s")
    def Redecorated(self):
        return "base"

    @method("test.J", out_signature="s")
    def Kept(self):  # noqa: F811
        return "base of J"


class Derived(Base):
    def Overridden(self):
        return "derived"

    @method(out_signature="i")
    def Redecorated(self):
        return 5

    @method("test.K", out_signature="s")
    def New(self):
        return "new"


def test_an_undecorated_override_is_called(server, ask):
    Derived(server, "/t")
    assert ask("Overridden") == (None, ["derived"])


def test_a_decorated_override_replaces(server, ask):
    Derived(server, "/t")
    assert ask("Redecorated") == (None, [5])


def test_inherited_methods(server, ask):
    Derived(server, "/t")
    assert ask("Kept", interface="test.J") == (None, ["base of J"])
    assert ask("New", interface="test.K") == (None, ["new"])
    assert ask("New", interface="test.I")[0] == UNKNOWN


def test_the_derived_class_does_not_change_the_base(server, ask):
    Base(server, "/t")
    assert ask("Overridden") == (None, ["base"])
    assert ask("Redecorated") == (None, ["base"])
    assert ask("New", interface="test.K")[0] == UNKNOWN


def test_super_calls(server, ask):
    class Mine(Base):
        @method(out_signature="s")
        def Overridden(self):
            return super().Overridden() + " and mine"

    Mine(server, "/t")
    assert ask("Overridden") == (None, ["base and mine"])


def test_a_mixin_interface(server, ask):
    class Mixin(dbus.service.Interface):
        @method("test.Mixin", out_signature="s")
        def Mixed(self):
            return "mixed"

    class Both(Mixin, dbus.service.Object):
        pass

    Both(server, "/t")
    assert ask("Mixed", interface="test.Mixin") == (None, ["mixed"])
    assert "test.Mixin" in ask("Introspect", interface=INTROSPECTABLE)[1][0]


def test_the_same_member_in_two_interfaces(server, ask):
    class First(dbus.service.Interface):
        @method("test.First", out_signature="s")
        def M(self):
            return "first"

    class Second(dbus.service.Interface):
        @method("test.Second", out_signature="s")
        def M(self):
            return "second"

    class Both(First, Second, dbus.service.Object):
        pass

    Both(server, "/t")
    assert ask("M", interface="test.First") == (None, ["first"])
    assert ask("M", interface="test.Second") == (None, ["second"])


def test_an_override_with_another_signature(server, ask):
    class Mine(Base):
        @method(in_signature="s", out_signature="s")
        def Overridden(self, text):
            return text

    Mine(server, "/t")
    assert ask("Overridden", "x") == (None, ["x"])


def test_signals_are_inherited(server, client):
    class First(dbus.service.Object):
        @dbus.service.signal(I, signature="s")
        def Said(self, text):
            done.append("first")

    class Second(First):
        pass

    class Third(First):
        @dbus.service.signal("test.Other", signature="s")
        def Said(self, text):
            done.append("third")

    done, got = [], []
    client.add_signal_receiver(lambda *a, i=None: got.append((i, a)), "Said", interface_keyword="i")
    Second(server, "/t").Said("x")
    Third(server, "/u").Said("y")
    barrier(server, client)
    assert done == ["first", "third"]
    assert got == [(I, ("x",)), ("test.Other", ("y",))]


def test_a_signals_body_runs_first_and_may_veto(server, client):
    class Picky(dbus.service.Object):
        @dbus.service.signal(I, signature="i")
        def Said(self, number):
            if number < 0:
                raise ValueError("negative")

    got = []
    client.add_signal_receiver(got.append, "Said", I)
    picky = Picky(server, "/t")
    picky.Said(1)
    with pytest.raises(ValueError):
        picky.Said(-1)
    with pytest.raises(TypeError):
        picky.Said("x")
    with pytest.raises(TypeError):
        picky.Said()
    picky.Said(2)
    barrier(server, client)
    assert got == [1, 2]


def test_signal_decorators(server, client):
    with pytest.raises(ValueError):

        @dbus.service.signal(I, signature="s")
        def Two(self, a, b):
            pass

    with pytest.raises(ValueError):

        @dbus.service.signal(I, signature="(")
        def Broken(self, a):
            pass

    with pytest.raises(ValueError):

        @dbus.service.signal(I, rel_path_keyword="missing")
        def Missing(self, a):
            pass

    with warnings.catch_warnings(record=True) as warned, pytest.raises(TypeError):
        warnings.simplefilter("always")

        @dbus.service.signal(I, path_keyword="p", rel_path_keyword="p")
        def Both(self, p):
            pass

    assert [warning.category for warning in warned] == [DeprecationWarning]

    with pytest.raises(TypeError):
        dbus.service.signal(I, foo=1)

    @dbus.service.signal(I, signature="si", rel_path_keyword="rel")
    def Good(self, a, b, rel=None):
        """Documented."""

    assert Good.__name__ == "Good"
    assert Good.__doc__ == "Documented."
    assert Good._dbus_is_signal is True
    assert Good._dbus_interface == I
    assert Good._dbus_signature == "si"
    assert list(Good._dbus_args) == ["a", "b"]


# -- the class table ------------------------------------------------------------------------------


def test_the_class_table(server):
    key = f"{__name__}.Derived"
    table = Derived._dbus_class_table
    assert type(table) is dict
    assert table is dbus.service.Object._dbus_class_table
    assert set(table[key]) == {INTROSPECTABLE, "test.I", "test.J", "test.K"}
    assert table[key]["test.K"]["New"] is Derived.__dict__["New"]
    # An override that is not decorated does not show; one that is replaces.
    assert table[key]["test.I"]["Overridden"] is Base.__dict__["Overridden"]
    assert table[key]["test.I"]["Redecorated"] is Derived.__dict__["Redecorated"]
    base = table[f"{__name__}.Base"]
    assert set(base) == {INTROSPECTABLE, "test.I", "test.J"}
    assert base["test.I"] is not table[key]["test.I"]
    assert set(table["dbus.service.Object"]) == {INTROSPECTABLE}
    assert table["dbus.service.Interface"] == {}


def test_adding_a_method_to_the_class_at_run_time(server, ask):
    """What openrazer and others do: decorate, setattr, and put it into the table."""

    class Growing(dbus.service.Object):
        pass

    growing = Growing(server, "/t")
    assert ask("Late")[0] == UNKNOWN

    def Late(self):
        return "late"

    decorated = dbus.service.method(I, out_signature="s")(Late)
    Growing.Late = decorated
    key = f"{Growing.__module__}.{Growing.__name__}"
    table = growing._dbus_class_table
    table.setdefault(key, {}).setdefault(I, {})["Late"] = decorated
    assert ask("Late") == (None, ["late"])
    assert 'method name="Late"' in ask("Introspect", interface=INTROSPECTABLE)[1][0]
    del table[key][I]["Late"]
    delattr(Growing, "Late")
    assert ask("Late")[0] == UNKNOWN
    assert "Late" not in ask("Introspect", interface=INTROSPECTABLE)[1][0]


def test_a_method_set_on_the_class_alone_is_called(server, ask):
    class Growing(dbus.service.Object):
        pass

    Growing(server, "/t")
    Growing.Late = dbus.service.method(I, out_signature="s")(lambda self: "late")
    assert ask("Late") == (None, ["late"])
    assert "Late" not in ask("Introspect", interface=INTROSPECTABLE)[1][0]


def test_marks_set_by_hand(server, ask):
    def Hand(self, x):
        return x * 2

    Hand._dbus_is_method = True
    Hand._dbus_interface = I
    Hand._dbus_in_signature = "i"
    Hand._dbus_out_signature = "i"
    Hand._dbus_async_callbacks = None
    Hand._dbus_sender_keyword = None
    Hand._dbus_path_keyword = None
    Hand._dbus_rel_path_keyword = None
    Hand._dbus_destination_keyword = None
    Hand._dbus_message_keyword = None
    Hand._dbus_connection_keyword = None
    Hand._dbus_args = ["x"]
    Hand._dbus_get_args_options = {"byte_arrays": False}
    cls = type("Made", (dbus.service.Object,), {"Hand": Hand, "__module__": "made.up"})
    made = cls(server, "/t")
    assert ask("Hand", 4) == (None, [8])
    assert made._dbus_class_table["made.up.Made"][I]["Hand"] is Hand
    Hand._dbus_out_signature = "s"
    assert ask("Hand", "x") == (None, ["xx"])


def test_a_method_marked_on_an_undecorated_override(server, ask):
    class Mine(Base):
        pass

    Mine(server, "/t")
    Mine.Overridden = lambda self: "patched"
    assert ask("Overridden") == (None, ["patched"])


def test_classes_made_by_type(server, ask):
    members = {"M": method(out_signature="s")(lambda self: "made"), "__module__": "made.up"}
    cls = type("Typed", (dbus.service.Object,), members)
    assert type(cls) is dbus.service.InterfaceType
    cls(server, "/t")
    assert ask("M") == (None, ["made"])


def test_two_classes_of_one_name(server, client):
    def make(text):
        class Same(dbus.service.Object):
            @method(out_signature="s")
            def M(self):
                return text

        return Same

    first, second = make("first"), make("second")
    first(server, "/a")
    second(server, "/b")
    assert call(client, server, "/a", "M", interface=I) == (None, ["first"])
    assert call(client, server, "/b", "M", interface=I) == (None, ["second"])


# -- module globals -------------------------------------------------------------------------------


def test_method_lookup_is_a_module_global(server, ask, monkeypatch):
    """python-dbusmock replaces it to find methods on the instance."""
    original = dbus.service._method_lookup
    asked = []

    def lookup(self, method_name, dbus_interface):
        asked.append((type(self).__name__, str(method_name), dbus_interface))
        return original(self, "Kept", "test.J")

    Base(server, "/t")
    assert ask("Kept", interface="test.J") == (None, ["base of J"])
    monkeypatch.setattr(dbus.service, "_method_lookup", lookup)
    assert ask("Anything") == (None, ["base of J"])
    assert asked == [("Base", "Anything", I)]
    monkeypatch.undo()
    assert ask("Anything")[0] == UNKNOWN


def test_method_lookup_by_hand(server):
    thing = Derived(server, "/t")
    found, parent = dbus.service._method_lookup(thing, "Overridden", I)
    assert found is Derived.__dict__["Overridden"]
    assert parent is Base.__dict__["Overridden"]
    found, parent = dbus.service._method_lookup(thing, "New", "test.K")
    assert found is parent is Derived.__dict__["New"]
    with pytest.raises(dbus.exceptions.UnknownMethodException):
        dbus.service._method_lookup(thing, "Nope", I)
    found, _ = dbus.service._method_lookup(thing, "New", None)
    assert found is Derived.__dict__["New"]


def test_method_reply_return_is_a_module_global(server, ask, monkeypatch):
    original = dbus.service._method_reply_return
    seen = []

    def reply(connection, message, method_name, signature, *retval):
        seen.append((connection is server, message.get_member(), str(method_name), retval))
        return original(connection, message, method_name, "s", "replaced")

    Base(server, "/t")
    monkeypatch.setattr(dbus.service, "_method_reply_return", reply)
    assert ask("Overridden") == (None, ["replaced"])
    assert seen == [(True, "Overridden", "Overridden", ("base",))]


def test_method_reply_error_is_a_module_global(server, ask, monkeypatch):
    original = dbus.service._method_reply_error
    seen = []

    def reply(connection, message, exception):
        seen.append((connection is server, message.get_member(), type(exception)))
        return original(connection, message, dbus.DBusException("replaced", name="x.y.Z"))

    Base(server, "/t")
    monkeypatch.setattr(dbus.service, "_method_reply_error", reply)
    assert ask("Nope") == ("x.y.Z", ["replaced"])
    assert seen == [(True, "Nope", dbus.exceptions.UnknownMethodException)]


def test_introspect_may_be_overridden(server, ask):
    class Mine(Base):
        @method(
            INTROSPECTABLE,
            in_signature="",
            out_signature="s",
            path_keyword="object_path",
            connection_keyword="connection",
        )
        def Introspect(self, object_path, connection):
            text = dbus.service.Object.Introspect(self, object_path, connection)
            return text.replace("Overridden", "Renamed")

    thing = Mine(server, "/t")
    assert "Renamed" in ask("Introspect", interface=INTROSPECTABLE)[1][0]
    assert "Renamed" in thing.Introspect("/t", server)
    assert "Overridden" in super(Mine, thing).Introspect("/t", server)


def test_message_cb_may_be_overridden(server, ask):
    seen = []

    class Mine(Base):
        def _message_cb(self, connection, message):
            seen.append((connection is server, message.get_member()))
            return super()._message_cb(connection, message)

    Mine(server, "/t")
    assert ask("Overridden") == (None, ["base"])
    assert seen == [(True, "Overridden")]


def test_metaclasses_combine(server, ask):
    class Meta(type):
        pass

    class Combined(Meta, dbus.service.InterfaceType):
        pass

    Thing = Combined(
        "Thing",
        (dbus.service.Object,),
        {"M": method(out_signature="s")(lambda self: "m"), "__module__": __name__},
    )
    Thing(server, "/t")
    assert ask("M") == (None, ["m"])
