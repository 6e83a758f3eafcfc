# SPDX-License-Identifier: MIT
"""dbus._core.match: conditions on arguments, rule texts, and the index of matches."""

import pytest

from dbus._core import match
from dbus.types import Int32, ObjectPath, Signature, String

S, O = String, ObjectPath  # noqa: E741


def conditions(**keywords):
    return match.ArgumentMatch(keywords)


@pytest.mark.parametrize(
    ("keywords", "args", "accepted"),
    [
        ({"arg0": "x"}, [S("x")], True),
        ({"arg0": "x"}, [S("y")], False),
        ({"arg0": "x"}, [], False),
        ({"arg0": "/x"}, [O("/x")], False),
        ({"arg0": "ai"}, [Signature("ai")], False),
        ({"arg0": "1"}, [Int32(1)], False),
        ({"arg1": "x"}, [S("x"), S("x")], True),
        ({"arg1": "x"}, [S("x")], False),
        ({"arg0": "x", "arg2": "z"}, [S("x"), Int32(1), S("z")], True),
        ({"arg0": "x", "arg2": "z"}, [S("x"), Int32(1), S("y")], False),
        ({"arg0": ""}, [S("")], True),
        ({"arg0path": "/a/"}, [S("/a/")], True),
        ({"arg0path": "/a/"}, [O("/a/b")], True),
        ({"arg0path": "/a/"}, [O("/a")], False),
        ({"arg0path": "/a/"}, [O("/")], True),
        ({"arg0path": "/a/"}, [O("/ab")], False),
        ({"arg0path": "/a"}, [O("/a")], True),
        ({"arg0path": "/a"}, [S("/a/")], False),
        ({"arg0path": "/a"}, [Int32(1)], False),
        ({"arg0path": "/a"}, [], False),
        ({"arg0namespace": "a.b"}, [S("a.b")], True),
        ({"arg0namespace": "a.b"}, [S("a.b.c")], True),
        ({"arg0namespace": "a.b"}, [S("a.bc")], False),
        ({"arg0namespace": "a.b"}, [S("a")], False),
        ({"arg0namespace": "a.b"}, [O("/a")], False),
        ({"arg0namespace": "a.b"}, [], False),
        ({"arg0": 1}, [S("1")], False),
        ({"arg0path": None}, [S("/a")], False),
        ({"arg0path": ("/a",)}, [O("/a")], False),
        ({"arg0namespace": 1}, [S("1")], False),
        ({"arg0namespace": "a", "arg0": "a.b", "arg1path": "/"}, [S("a.b"), O("/x")], True),
        ({"arg0namespace": "a", "arg0": "a.b", "arg1path": "/"}, [S("a.c"), O("/x")], False),
    ],
)
def test_conditions_on_arguments(keywords, args, accepted):
    assert conditions(**keywords).accepts(args) is accepted


@pytest.mark.parametrize(
    "keyword",
    ["argx", "arg", "arg 1", "arg+1", "arg-1", "arg1_0", "arg1 ", "arg\u0663", "arg0paths", "xarg0"]
    + ["arg1namespace", "arg_path", "ARG0", "foo", ""],
)
def test_keywords_that_mean_nothing(keyword):
    with pytest.raises(TypeError, match="unknown keyword argument"):
        conditions(**{keyword: "x"})


@pytest.mark.parametrize("keyword", ["arg64", "arg64path", "arg100"])
def test_argument_numbers_have_a_limit(keyword):
    with pytest.raises(TypeError, match=r"must be in range\(64\)"):
        conditions(**{keyword: "x"})
    assert conditions(arg63="x").equal == ((63, "x"),)


def test_leading_zeros_of_an_argument_number():
    assert conditions(arg01="x").equal == ((1, "x"),)
    assert conditions(arg00path="/x").paths == ((0, "/x"),)


@pytest.mark.parametrize(
    ("parts", "keywords", "text"),
    [
        ((None, None, None, None), {}, "type='signal'"),
        (
            ("x.y", "/p", "a.b", "S"),
            {},
            "type='signal',sender='x.y',path='/p',interface='a.b',member='S'",
        ),
        ((None, None, None, "S"), {"arg0": ""}, "type='signal',member='S',arg0=''"),
        (
            (None, None, None, "S"),
            {"arg2path": "/p", "arg10": "b", "arg2": "a", "arg0namespace": "n.s"},
            "type='signal',member='S',arg0namespace='n.s',arg10='b',arg2='a',arg2path='/p'",
        ),
        ((None, None, None, None), {"arg0": 3}, "type='signal',arg0='3'"),
        ((None, None, None, None), {"arg0": "it's"}, "type='signal',arg0='it'\\''s'"),
        ((None, None, None, None), {"arg0": "a\\b"}, "type='signal',arg0='a\\b'"),
    ],
)
def test_rule_text(parts, keywords, text):
    arguments = conditions(**keywords) if keywords else None
    assert match.rule_text(*parts, arguments) == text


def test_same_conditions():
    both = conditions(arg1="x", arg0namespace="a.b")
    assert match.same_conditions(both, {"arg1": "x", "arg0namespace": "a.b"})
    assert match.same_conditions(both, {"arg1": "x"})
    assert not match.same_conditions(both, {"arg1": "x", "arg0namespace": "a.c"})
    assert not match.same_conditions(both, {})
    assert not match.same_conditions(both, {"arg1": "x", "sender_keyword": "s"})
    assert match.same_conditions(None, {})
    assert not match.same_conditions(None, {"arg0": "x"})


def test_entries_of_one_place_keep_their_order():
    tree = {}
    for entry in "xyz":
        match.insert(tree, "/p", "a.b", "S", entry)
    match.insert(tree, None, "a.b", None, "w")
    assert tree == {"/p": {"a.b": {"S": ["x", "y", "z"]}}, None: {"a.b": {None: ["w"]}}}


def test_discard_leaves_no_empty_levels():
    tree = {}
    places = [(p, i, m) for p in (None, "/p") for i in (None, "a.b") for m in (None, "S")]
    for place in places:
        match.insert(tree, *place, place)
        match.insert(tree, *place, "second")
    for place in places:
        match.discard(tree, *place, "none")
        match.discard(tree, *place, place)
        assert tree[place[0]][place[1]][place[2]] == ["second"]
        match.discard(tree, *place, "second")
        match.discard(tree, *place, "second")
    assert tree == {}


def test_the_first_argument():
    assert match.first_argument({}) is None
    assert match.first_argument({"arg1": "x"}) is None
    assert match.first_argument({"arg0": "x", "arg1": "y"}) == "x"
    assert match.first_argument({"arg00": "x"}) == "x"
    assert match.first_argument({"arg0": 5}) is None
    assert match.first_argument({"colour": "red"}) is None
