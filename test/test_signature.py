# SPDX-License-Identifier: MIT
"""signature.c: the rules of signatures, dbus.Signature and its iterator."""

import copy

import pytest

import dbus
from _dbus_bindings import _SignatureIter, _StrBase

VALID = {
    "": [],
    "i": ["i"],
    "ybnqiuxtdsoghv": list("ybnqiuxtdsoghv"),
    "aai": ["aai"],
    "a{sv}i(ii)as": ["a{sv}", "i", "(ii)", "as"],
    "(i(i(i)))v": ["(i(i(i)))", "v"],
    "a{s(a{ii}(ss))}a(ii)": ["a{s(a{ii}(ss))}", "a(ii)"],
    "aa{ya{yv}}": ["aa{ya{yv}}"],
    "a" * 32 + "i": ["a" * 32 + "i"],
    "(" * 32 + "i" + ")" * 32: ["(" * 32 + "i" + ")" * 32],
    "a{s" * 32 + "i" + "}" * 32: ["a{s" * 32 + "i" + "}" * 32],
    "a(" * 32 + "i" + ")" * 32: ["a(" * 32 + "i" + ")" * 32],
    "v" * 255: ["v"] * 255,
}

INVALID = [
    "z", "e", "r", "m", " i", "i ", "\xe9", "/",
    "a", "aa", "ia", "(a)", "a)", "a}", "a{sa}",
    "(", ")", "()", "i)", "(i", "((i)", "(i))", "a(i", "(}", "(a{ss)}",
    "{", "}", "{si}", "({si})", "a{", "a{}", "a{s", "a{s}", "a{si", "a{sss}", "a{ss}}", "a{s)",
    "a{vs}", "a{(i)s}", "a{ass}", "a{a}", "a{s{si}}",
    "a" * 33 + "i",
    "(" * 33 + "i" + ")" * 33,
    "a{s" * 33 + "i" + "}" * 33,
    "(" + "a" * 33 + "i)",
    "i" * 256,
]  # fmt: skip


@pytest.mark.parametrize("text", VALID, ids=lambda text: text[:20])
def test_valid(text):
    signature = dbus.Signature(text, variant_level=1)
    assert signature == text and hash(signature) == hash(text)
    assert repr(signature) == f"dbus.Signature({text!r}, variant_level=1)"
    parts = list(signature)
    assert parts == VALID[text]
    assert all(type(part) is dbus.Signature and part.variant_level == 0 for part in parts)


@pytest.mark.parametrize("text", INVALID, ids=lambda text: ascii(text[:20]))
def test_invalid(text):
    with pytest.raises(ValueError, match="Corrupt type signature"):
        dbus.Signature(text)
    with pytest.raises(ValueError):
        dbus.Struct((1,), signature=text)


def test_the_text_names_the_rule():
    rules = {
        "()": "must not be empty",
        "i" * 256: "255",
        "a" * 33 + "i": "32 arrays",
        "a{vs}": "basic type",
        "{ss}": "item of an array",
        "a": "without the type of its items",
    }
    for text, words in rules.items():
        with pytest.raises(ValueError, match=words):
            dbus.Signature(text)


def test_nul_and_surrogates():
    with pytest.raises(ValueError, match="null"):
        dbus.Signature("i\0")
    with pytest.raises(UnicodeEncodeError):
        dbus.Signature("\ud800")


def test_still_a_str():
    signature = dbus.Signature("a{sv}i")
    assert len(signature) == 6 and signature[0] == "a" and "sv" in signature
    assert list(reversed(signature)) == list("i}vs{a")
    assert dbus.Signature.__mro__[1:] == (_StrBase, str, object)


def test_iterator():
    iterator = iter(dbus.Signature("ia{sv}"))
    assert type(iterator) is _SignatureIter and iter(iterator) is iterator
    assert [next(iterator), next(iterator)] == ["i", "a{sv}"]
    for _ in range(2):
        with pytest.raises(StopIteration):
            next(iterator)
    with pytest.raises(TypeError):
        _SignatureIter()
    with pytest.raises(TypeError):
        type("Mine", (_SignatureIter,), {})
    with pytest.raises(TypeError, match="pickle"):
        copy.copy(iterator)


def test_the_iterator_keeps_the_signature_alive():
    class Mine(dbus.Signature):
        pass

    iterator = iter(Mine("i" * 200))
    assert [str(part) for part in iterator] == ["i"] * 200
