# SPDX-License-Identifier: MIT
"""types/array.c: Array."""

import gc
import weakref

import pytest

import dbus


def test_is_a_list():
    array = dbus.Array([1, 2])
    array.append(3)
    assert array == [1, 2, 3] and array[0:2] == [1, 2] and isinstance(array, list)
    assert dbus.Array() == [] and dbus.Array("ab") == ["a", "b"]
    assert dbus.Array(iterable=(1,)) == [1]
    with pytest.raises(TypeError, match="unhashable"):
        hash(array)


def test_signature_and_level():
    array = dbus.Array([1], signature="a{sv}", variant_level=2)
    assert repr(array.signature) == "dbus.Signature('a{sv}')"
    assert array.variant_level == 2
    assert dbus.Array([], "i").signature == "i"
    assert dbus.Array().signature is None
    kept = dbus.Signature("i", variant_level=1)
    assert dbus.Array([], signature=kept).signature is kept
    assert dbus.Array(array).signature is None


def test_repr():
    assert repr(dbus.Array()) == "dbus.Array([], signature=None)"
    assert repr(dbus.Array([1], "i", variant_level=1)) == (
        "dbus.Array([1], signature=dbus.Signature('i'), variant_level=1)"
    )
    loop = dbus.Array()
    loop.append(loop)
    assert repr(loop) == "dbus.Array([dbus.Array([...], signature=None)], signature=None)"


@pytest.mark.parametrize("signature", ["", "ii", "z", "{sv}", "a", "(i", "i\0", "\xe9"])
def test_signature_is_one_complete_type(signature):
    with pytest.raises(ValueError):
        dbus.Array([], signature=signature)


def test_signature_objects_are_checked_too():
    for signature in (dbus.Signature(""), dbus.Signature("ii")):
        with pytest.raises(ValueError, match="exactly one complete type"):
            dbus.Array([], signature=signature)
        with pytest.raises(ValueError, match="exactly one complete type"):
            dbus.Array.__new__(dbus.Array, signature=signature)


def test_arguments():
    for signature in (5, b"i"):
        with pytest.raises(TypeError):
            dbus.Array([], signature=signature)
    with pytest.raises(TypeError, match="iterable"):
        dbus.Array(5)
    with pytest.raises(TypeError):
        dbus.Array([], colour=1)
    with pytest.raises(TypeError):
        dbus.Array([], "i", 1, 2)
    with pytest.raises(ValueError, match="non-negative"):
        dbus.Array([], variant_level=-1)
    with pytest.raises(UnicodeEncodeError):
        dbus.Array([], signature="\ud800")


def test_attributes_are_read_only():
    array = dbus.Array([1], signature="i")
    for name in ("signature", "variant_level"):
        with pytest.raises(AttributeError):
            setattr(array, name, None)
        with pytest.raises(AttributeError):
            delattr(array, name)
    with pytest.raises(AttributeError):
        array.note = 1


def test_init_again_replaces_items_and_signature_but_not_the_level():
    array = dbus.Array([1], signature="i", variant_level=1)
    array.__init__(["x"], signature="s", variant_level=5)
    assert (list(array), array.signature, array.variant_level) == (["x"], "s", 1)
    array.__init__()
    assert (list(array), array.signature, array.variant_level) == ([], None, 1)


def test_a_failed_init_keeps_the_signature():
    array = dbus.Array([1], signature="i")
    with pytest.raises(ValueError):
        array.__init__([2], signature="ii")
    assert (list(array), array.signature) == ([1], "i")


def test_python_subclass():
    class Mine(dbus.Array):
        def __init__(self, count):
            super().__init__(range(count), signature="u")
            self.note = count

    array = Mine(3)
    assert (list(array), array.signature, array.note) == ([0, 1, 2], "u", 3)
    assert repr(array) == "Mine([0, 1, 2], signature=dbus.Signature('u'))"

    class Empty(dbus.Array):
        def __init__(self, *args):
            pass

    assert repr(Empty("x", 3)) == "Empty([], signature=None)"


def test_cycles_are_collected():
    class Mine(dbus.Array):
        pass

    class Mark(dbus.Signature):
        pass

    array = Mine(signature=Mark("i"))
    array.append(array)
    array.signature.__dict__["owner"] = array
    gone = weakref.ref(array)
    del array
    gc.collect()
    assert gone() is None


def test_deep_nesting_is_freed_without_recursion():
    array = dbus.Array()
    for _ in range(100_000):
        array = dbus.Array([array])
    del array
