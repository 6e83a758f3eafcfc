# SPDX-License-Identifier: MIT
"""Generated signatures with values that fit them, and with values that do not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple

BOUNDS = {
    "y": (0, 2**8 - 1),
    "n": (-(2**15), 2**15 - 1),
    "q": (0, 2**16 - 1),
    "i": (-(2**31), 2**31 - 1),
    "u": (0, 2**32 - 1),
    "x": (-(2**63), 2**63 - 1),
    "t": (0, 2**64 - 1),
    "h": (0, 2**32 - 1),
}
BASIC = "ybnqiuxtdhsog"


class Case(NamedTuple):
    """One signature of a single complete type with a value, and whether the value fits."""

    signature: str
    value: Any
    fits: bool


class Generator:
    """Deterministic for a seed; ``variant`` makes a Variant of the implementation under test."""

    def __init__(self, seed: int, variant: Callable[..., Any]) -> None:
        self.random = random.Random(seed)
        self.variant = variant

    def signature(self, depth: int = 0) -> str:
        """A random complete type."""
        choice = self.random.random()
        if depth > 3 or choice < 0.45:
            return self.random.choice(BASIC)
        if choice < 0.52:
            return "v"
        if choice < 0.7:
            return "a" + self.signature(depth + 1)
        if choice < 0.85:
            key = self.random.choice(BASIC)
            return "a{" + key + self.signature(depth + 1) + "}"
        members = range(self.random.randint(1, 3))
        return "(" + "".join(self.signature(depth + 1) for _ in members) + ")"

    def fitting(self, signature: str, full: bool = False) -> Any:
        """A value of the type; with ``full``, no container in it is empty."""
        token = signature[0]
        if token in BOUNDS:
            low, high = BOUNDS[token]
            return self.random.choice([low, high, self.random.randint(low, high), 0, True])
        if token in "bdsogv":
            return self._fitting_other(token)
        if token == "(":
            values = [self.fitting(member, full) for member in split(signature[1:-1])]
            return tuple(values) if self.random.random() < 0.5 else values
        count = self.random.randint(1 if full else 0, 3)
        if signature == "ay":
            kind = self.random.choice([bytes, bytearray])
            return kind(self.random.randrange(256) for _ in range(count))
        if signature[1] == "{":
            key, value = split(signature[2:-1])
            return {self.fitting(key): self.fitting(value, full) for _ in range(count)}
        return [self.fitting(signature[1:], full) for _ in range(count)]

    def _fitting_other(self, token: str) -> Any:
        pick = self.random.choice
        if token == "b":
            return pick([True, False])
        if token == "d":
            return pick([0.5, -1e300, float("inf"), 3, 2**70, True])
        if token == "o":
            return pick(["/", "/a", "/a/b_1"])
        if token == "g":
            return pick(["", "s", "a{sv}", "not one", "s" * 255])
        if token == "v":
            return pick([self.variant("i", 1), self.variant("as", ["x"])])
        return pick(["", "text", "\u20ac", "a\0b"])

    def unfit(self, signature: str) -> Any:
        """A value that is wrong in one place, which may be deep inside."""
        token = signature[0]
        inside = self.random.random() < 0.7
        if token == "(" and inside:
            members = split(signature[1:-1])
            values = [self.fitting(member) for member in members]
            place = self.random.randrange(len(members))
            values[place] = self.unfit(members[place])
            return values
        if token == "a" and signature != "ay" and inside:
            if signature[1] == "{":
                return self._unfit_dict(*split(signature[2:-1]))
            values = [self.fitting(signature[1:]) for _ in range(self.random.randint(0, 3))]
            values.insert(self.random.randint(0, len(values)), self.unfit(signature[1:]))
            return values
        return self.random.choice(list(wrong(signature, self.variant)))

    def _unfit_dict(self, key: str, value: str) -> dict[Any, Any]:
        if self.random.random() < 0.4:
            keys = [bad for bad in wrong(key, self.variant) if hashable(bad)]
            return {self.random.choice(keys): self.fitting(value)}
        result = {self.fitting(key): self.fitting(value) for _ in range(2)}
        result[self.fitting(key)] = self.unfit(value)
        return result

    def cases(self, count: int) -> Iterator[Case]:
        """``count`` cases, about half of which fit."""
        for number in range(count):
            signature = self.signature()
            if number % 2:
                yield Case(signature, self.fitting(signature), True)
            else:
                yield Case(signature, self.unfit(signature), False)


def hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def wrong(signature: str, variant: Callable[..., Any]) -> Iterator[Any]:
    """Values that are no value of the type, whose outermost object is at fault."""
    token = signature[0]
    yield None
    yield object()
    if token in BOUNDS:
        low, high = BOUNDS[token]
        yield from (low - 1, high + 1, 10**30, -(10**30))
        if token != "i":  # see test_int32_is_strict
            yield from (1.0, "1", b"1", [], {})
        return
    yield from (1j, {1}, frozenset(), iter([]))
    if token != "d":
        yield from (1, 0, 1.0)
    if token not in "sog":
        yield from ("text", "")
    if token == "o":
        yield from ("", "a", "/a/", "//", "/a-b", "a.b")
    if token == "g":
        yield "s" * 256
    if signature != "ay":
        yield from (b"", b"bytes", bytearray())
    if token == "(":
        count = len(split(signature[1:-1]))
        yield from ((), [], [1] * (count + 1), (1,) * (count + 1))
        yield from ({}, {1: 2})
    elif token == "a":
        yield ()
        if signature == "ay":
            yield from ([], [1], {})
        elif signature[1] == "{":
            yield from ([], [1], [("a", 1)])
        else:
            yield from ({}, {"a": 1}, range(0))
    else:
        yield from ([], (), {})
    if token != "v":
        yield variant("s", "x")


def split(signature: str) -> list[str]:
    """The complete types of a valid signature."""
    types = []
    start = 0
    while start < len(signature):
        end = start
        while signature[end] == "a":
            end += 1
        depth = 0
        while True:
            depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(signature[end], 0)
            end += 1
            if depth == 0:
                break
        types.append(signature[start:end])
        start = end
    return types
