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
    assert conditions(arg63="x").equal == {63: "x"}


def test_leading_zeros_of_an_argument_number():
    assert conditions(arg01="x").equal == {1: "x"}
    assert conditions(arg00path="/x").paths == {0: "/x"}


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


PLACES = [
    (path, interface, member)
    for path in (None, "/p", "/q")
    for interface in (None, "a.b", "c.d")
    for member in (None, "S", "T")
]


@pytest.fixture
def full():
    tree = {}
    for place in PLACES:
        match.insert(tree, *place, place)
    return tree


def test_candidates_are_all_that_fit_in_their_order(full):
    assert match.candidates(full, "/p", "a.b", "S") == [
        (None, None, None),
        (None, None, "S"),
        (None, "a.b", None),
        (None, "a.b", "S"),
        ("/p", None, None),
        ("/p", None, "S"),
        ("/p", "a.b", None),
        ("/p", "a.b", "S"),
    ]


def test_candidates_for_what_nobody_asked_for(full):
    assert match.candidates(full, "/z", "z.z", "Z") == [(None, None, None)]
    assert match.candidates(full, None, None, None) == [(None, None, None)]
    assert match.candidates({}, "/p", "a.b", "S") == []


def test_candidates_are_a_copy(full):
    match.candidates(full, "/p", "a.b", "S").clear()
    assert len(match.candidates(full, "/p", "a.b", "S")) == 8


def test_entries_of_one_place_keep_their_order():
    tree = {}
    for entry in "xyz":
        match.insert(tree, "/p", "a.b", "S", entry)
    assert tree == {"/p": {"a.b": {"S": ["x", "y", "z"]}}}
    assert match.at_place(tree, "/p", "a.b", "S") == ["x", "y", "z"]
    assert match.at_place(tree, None, "a.b", "S") == []


def test_discard_leaves_no_empty_levels(full):
    for place in PLACES:
        entry = match.at_place(full, *place)[0]
        assert match.discard(full, *place, entry) is True
        assert match.discard(full, *place, entry) is False
    assert full == {}


def test_discard_takes_the_very_entry():
    one, other = [1], [1]
    tree = {}
    match.insert(tree, None, None, None, one)
    assert match.discard(tree, None, None, None, other) is False
    match.insert(tree, None, None, None, other)
    assert match.discard(tree, None, None, None, one) is True
    assert tree[None][None][None][0] is other
