# SPDX-License-Identifier: MIT
"""Array, Dictionary, Struct: signatures, levels, texts, and behaving like list, dict and tuple."""

from __future__ import annotations

from typing import Any

import pytest

import dbus

MADE: "list[tuple[Any, Any, str]]" = [
    (dbus.Array, [1, 2], "i"),
    (dbus.Dictionary, {1: 2}, "ii"),
    (dbus.Struct, (1, 2), "ii"),
]
each_type = pytest.mark.parametrize(
    "cls, value, signature", MADE, ids=["Array", "Dictionary", "Struct"]
)


@each_type
def test_repr(cls: Any, value: Any, signature: str) -> None:
    name = f"dbus.{cls.__name__}"
    assert repr(cls(value)) == f"{name}({value!r}, signature=None)"
    assert (
        repr(cls(value, signature=signature))
        == f"{name}({value!r}, signature=dbus.Signature({signature!r}))"
    )
    made = cls(value, signature=signature, variant_level=1)
    assert (
        repr(made) == f"{name}({value!r}, signature=dbus.Signature({signature!r}), variant_level=1)"
    )
    assert (
        repr(cls(value, variant_level=2)) == f"{name}({value!r}, signature=None, variant_level=2)"
    )


@each_type
def test_repr_of_typed_items(cls: Any, value: Any, signature: str) -> None:
    item = dbus.Int16(5, variant_level=1)
    made = {dbus.Array: [item], dbus.Dictionary: {"k": item}, dbus.Struct: (item,)}[cls]
    assert repr(cls(made)) == f"dbus.{cls.__name__}({made!r}, signature=None)"


@each_type
def test_signature_is_a_signature(cls: Any, value: Any, signature: str) -> None:
    assert cls(value).signature is None
    assert cls(value, signature=None).signature is None
    for given in (signature, dbus.Signature(signature), dbus.String(signature)):
        found = cls(value, signature=given).signature
        assert type(found) is dbus.Signature
        assert found == signature


@each_type
def test_equal_whatever_signature_and_level(cls: Any, value: Any, signature: str) -> None:
    assert cls(value) == value
    assert cls(value, signature=signature) == cls(value, variant_level=3)
    assert cls(value) != type(value)()


@each_type
def test_signature_and_level_are_not_inherited(cls: Any, value: Any, signature: str) -> None:
    made = cls(cls(value, signature=signature, variant_level=2))
    assert (made.signature, made.variant_level) == (None, 0)


@each_type
def test_attributes_cannot_be_set(cls: Any, value: Any, signature: str) -> None:
    made = cls(value, signature=signature, variant_level=1)
    for name in ("signature", "variant_level", "anything"):
        with pytest.raises(AttributeError):
            setattr(made, name, None)
        with pytest.raises(AttributeError):
            delattr(made, name)
    assert (made.signature, made.variant_level) == (signature, 1)
    assert not hasattr(made, "__dict__")


@each_type
@pytest.mark.parametrize("wrong", ["z", "a", "(i", "()", "a{vs}", "i)", "s" * 256])
def test_bad_signatures(cls: Any, value: Any, signature: str, wrong: str) -> None:
    with pytest.raises(ValueError):
        cls(value, signature=wrong)


@each_type
@pytest.mark.parametrize("wrong", [5, b"i", 1.5, [], object()])
def test_signatures_of_wrong_type(cls: Any, value: Any, signature: str, wrong: Any) -> None:
    with pytest.raises(TypeError):
        cls(value, signature=wrong)


@each_type
def test_bad_levels(cls: Any, value: Any, signature: str) -> None:
    for wrong in ("1", None, []):
        with pytest.raises(TypeError):
            cls(value, variant_level=wrong)
    with pytest.raises(OverflowError):
        cls(value, variant_level=2**64)


@each_type
def test_unknown_keyword_is_named(cls: Any, value: Any, signature: str) -> None:
    with pytest.raises(TypeError, match="foo"):
        cls(value, foo=1)


@pytest.mark.parametrize("wrong", ["", "ii", "si", "a{sv}i"])
def test_array_takes_one_complete_type(wrong: str) -> None:
    with pytest.raises(ValueError, match="Array"):
        dbus.Array([], signature=wrong)


@pytest.mark.parametrize("wrong", ["", "i", "iii", "vi", "(i)i", "aii", "a{ii}i"])
def test_dictionary_takes_a_basic_key_and_a_value(wrong: str) -> None:
    with pytest.raises(ValueError, match="Dictionary"):
        dbus.Dictionary({}, signature=wrong)


@pytest.mark.parametrize("good", ["yi", "bv", "sas", "oa{sv}", "g(ii)", "ha{sa{sv}}", "dd"])
def test_dictionary_signatures(good: str) -> None:
    assert dbus.Dictionary({}, signature=good).signature == good


def test_struct_is_never_empty() -> None:
    for empty in ((), [], "", {}):
        with pytest.raises(ValueError, match="empty"):
            dbus.Struct(empty)


def test_struct_takes_one_positional_argument() -> None:
    with pytest.raises(TypeError):
        dbus.Struct()
    with pytest.raises(TypeError):
        dbus.Struct((1,), "i")


def test_struct_signature_is_not_compared_with_the_items() -> None:
    assert dbus.Struct((1,), signature="ss").signature == "ss"
    assert dbus.Struct((1,), signature="").signature == ""


def test_struct_is_immutable_and_hashable() -> None:
    made = dbus.Struct((1, "a"), variant_level=1)
    assert hash(made) == hash((1, "a"))
    assert {made: 5}[(1, "a")] == 5
    for obj in (made, type("Mine", (dbus.Struct,), {})((1,))):
        with pytest.raises(AttributeError, match="Object is immutable"):
            obj.anything = 1
        with pytest.raises(AttributeError, match="Object is immutable"):
            del obj.anything
    with pytest.raises(TypeError):
        hash(dbus.Struct(([],)))


def test_array_is_a_list() -> None:
    made = dbus.Array([1], signature="i", variant_level=1)
    made.append("two")
    made += [3.0]
    made[0] = None
    made.extend(x for x in "ab")
    made.insert(0, made)
    assert len(made) == 6
    assert made.pop() == "b"
    del made[0]
    assert list(made) == [None, "two", 3.0, "a"]
    assert (made.signature, made.variant_level) == ("i", 1)
    assert type(made) is dbus.Array
    with pytest.raises(TypeError):
        hash(made)


def test_results_of_list_operations_are_lists() -> None:
    made = dbus.Array([1, 2], signature="i")
    for result in (made + [3], [3] + made, made * 2, made[:], made.copy(), sorted(made)):
        assert type(result) is list
    assert type(dbus.Struct((1, 2)) + (3,)) is tuple
    assert type(dbus.Struct((1, 2))[:]) is tuple
    assert type(dbus.Dictionary({1: 2}).copy()) is dict


def test_dictionary_is_a_dict() -> None:
    made = dbus.Dictionary([("b", 1), ("a", 2)], signature="si")
    assert list(made) == ["b", "a"]
    made["c"] = 3
    made.update(a=5)
    del made["b"]
    assert made == {"a": 5, "c": 3}
    assert made.pop("c") == 3
    assert made.get("x") is None
    assert made.setdefault("y", 7) == 7
    assert (made.signature, type(made)) == ("si", dbus.Dictionary)
    assert type(dbus.Dictionary.fromkeys([1, 2])) is dbus.Dictionary
    with pytest.raises(TypeError):
        hash(made)


def test_dictionary_keys_interchange_with_builtins() -> None:
    made = dbus.Dictionary({dbus.String("a"): 1, dbus.ObjectPath("/o"): 2, dbus.Int32(3): 3})
    assert (made["a"], made["/o"], made[3]) == (1, 2, 3)


def test_subclasses_keep_their_name_and_dict() -> None:
    for cls, value, signature in MADE:
        sub = type("Mine", (cls,), {"hello": lambda self: "hello"})
        made = sub(value, signature=signature, variant_level=1)
        assert made.hello() == "hello"
        assert (made.signature, made.variant_level) == (signature, 1)
        assert repr(made).endswith(
            f"Mine({value!r}, signature=dbus.Signature({signature!r}), variant_level=1)"
        )
    made = type("Mine", (dbus.Array,), {})([1])
    made.anything = 5
    assert made.anything == 5


def test_bases() -> None:
    assert dbus.Array.__mro__ == (dbus.Array, list, object)
    assert dbus.Dictionary.__mro__ == (dbus.Dictionary, dict, object)
    assert dbus.Struct.__mro__ == (dbus.Struct, tuple, object)


def test_containers_holding_themselves_can_be_written_and_collected() -> None:
    import gc

    for _ in range(3):
        array = dbus.Array()
        array.append(array)
        assert "..." in repr(array)
        mapping = dbus.Dictionary()
        mapping["me"] = mapping
        assert "..." in repr(mapping)
        array.append(dbus.Struct((array,)))
    del array, mapping
    assert gc.collect() >= 0


def test_array_init_again() -> None:
    made = dbus.Array([1], signature="i", variant_level=1)
    made.__init__([2, 3], signature="i")  # type: ignore[misc]
    assert list(made) == [2, 3]


def test_iterables() -> None:
    assert dbus.Array(x for x in "ab") == ["a", "b"]
    assert dbus.Array({1: 2}) == [1]
    assert dbus.Array("ab") == ["a", "b"]
    assert dbus.Struct(iter([1, 2])) == (1, 2)
    assert dbus.Dictionary(iter([(1, 2)])) == {1: 2}
    for cls in (dbus.Array, dbus.Struct, dbus.Dictionary):
        for wrong in (5, None, object()):
            with pytest.raises(TypeError):
                cls(wrong)
