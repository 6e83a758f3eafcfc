# SPDX-License-Identifier: MIT
"""What hypothesis makes for the round trips: types, values in wire form, and headers."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from fuzzing import values, wire
from hypothesis import strategies as st

FILES = [os.memfd_create(f"file {number}") for number in range(4)]  # what a handle stands for


def containers(inner: Any) -> Any:
    """Types that have others inside."""
    return st.one_of(
        inner.map(lambda code: "a" + code),
        st.lists(inner, min_size=1, max_size=4).map(lambda codes: f"({''.join(codes)})"),
        st.tuples(st.sampled_from(values.BASIC), inner).map(lambda pair: "a{%s%s}" % pair),
    )


def types_of(letters: str) -> Any:
    """Complete types of these and of containers."""
    return st.recursive(st.sampled_from(letters), containers, max_leaves=6)


TYPES = types_of(values.BASIC + "v")
WITH_HANDLES = types_of("hhhsyvvgo")
# The variant level of a UnixFd counts for nothing in dbus-python, nor here, so that values with a
# variant of a handle come back from within another variant without it.
IN_VARIANTS = types_of("hhhsygo")
PATHS = st.lists(st.text("abcXYZ019_", min_size=1, max_size=6), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
SIGNATURES = st.lists(TYPES, max_size=4).map("".join)
# What UTF-8 can say, but NUL.
TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=40)
BASIC: dict[str, Any] = {
    **{code: st.integers(low, high) for code, (low, high) in values.RANGES.items()},
    "d": st.floats(),
    "s": TEXTS,
    "o": PATHS,
    "g": SIGNATURES,
    "h": st.integers(0, len(FILES) - 1),
}


@lru_cache(maxsize=4096)  # to make a strategy costs more than to use it
def value(code: str, inner: Any = TYPES, depth: int = 0) -> Any:
    """Values of a complete type, in wire form; what is in variants is of the types ``inner``."""
    if code == "v":
        kinds = inner if depth < 3 else st.sampled_from(values.BASIC)
        return kinds.flatmap(lambda kind: st.tuples(st.just(kind), value(kind, inner, depth + 1)))
    if code in BASIC:
        return BASIC[code]
    if code[0] == "(":
        return st.tuples(*[value(part, inner, depth) for part in wire.complete_types(code[1:-1])])
    if code[1] == "{":
        return st.dictionaries(value(code[2]), value(code[3:-1], inner, depth), max_size=4)
    return st.lists(value(code[1:], inner, depth), max_size=5)


def bodies(outer: Any, inner: Any) -> Any:
    """Types, and a value of each."""
    return st.lists(outer, max_size=4).flatmap(
        lambda types: st.tuples(
            st.just(tuple(types)), st.tuples(*[value(code, inner) for code in types])
        )
    )


BODIES = bodies(TYPES, TYPES)
BODIES_WITH_HANDLES = bodies(WITH_HANDLES, IN_VARIANTS)
NAMES = st.sampled_from(("a.b", "com.example.Name", "A_1.b2.c3", "x" * 126 + "." + "y" * 126))
MEMBERS = st.sampled_from(("M", "Do_1", "z" * 255))
FLAGS = st.tuples(st.booleans(), st.booleans(), st.booleans())
HEADERS = st.tuples(PATHS, NAMES, MEMBERS, FLAGS)
