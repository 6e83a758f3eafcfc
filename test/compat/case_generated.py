# SPDX-License-Identifier: MIT
"""The generated families: values at and beyond the bounds of every type, through messages."""

from __future__ import annotations

import random
from collections.abc import Sequence

from case_values import (
    BYTES,
    EVERYTHING,
    FLOATS,
    NUMBERS,
    OBJECTS,
    SIGNATURES,
    TEXTS,
    TYPED,
    Groups,
    listed,
)

CODES = "ybnqiuxtdsogvh"
WHOLES = "(i) (is) a{sv} a{is} (ay) aai a(i) a{ia{is}}".split()
WHOLE_VALUES = [*TEXTS[:4], *BYTES, *OBJECTS, *TYPED]
WHOLE_VALUES += ["{1: 'a'}", "{'a': None}", "[[1]]", "[(1,)]"]
SIGNATURE_ARGUMENTS = ["None", "''", *SIGNATURES]
SIGNATURE_ARGUMENTS += listed(
    r"Signature('i') | String('s') | 5 | b'i' | 1.5 | [] | '\0' | '\ud800'"
)
VALUE_ARGUMENTS = listed("1 | 'a' | 1, 2 | 'a', 'b' | [1] | [] | {}")


def under_signature(code: str) -> list[str]:
    """Every value under one basic signature, alone, in arrays, structs, dicts and variants."""
    few = [*NUMBERS[::5], *TEXTS[::4], *TYPED]
    more = [*NUMBERS[::3], *FLOATS[::2], *TEXTS[::2], *BYTES, *TYPED]
    keys = [v for v in few if not v.startswith(("Array", "Dictionary"))]
    cases = [f"rt('{code}', {v})" for v in EVERYTHING]
    cases += [f"rt('a{code}', [{v}])" for v in more]
    cases += [f"rt('({code}i)', ({v}, 1))" for v in (*few, *OBJECTS[::3])]
    cases += [f"rt('a{{s{code}}}', {{'k': {v}}})" for v in few]
    if code != "v":
        cases += [f"rt('a{{{code}i}}', {{{v}: 1}})" for v in keys]
    cases += [f"rt('a{code}', {v})" for v in (*TEXTS[:4], *BYTES, *OBJECTS, *TYPED)]
    return cases


def scalars() -> Groups:
    """Every value under every signature, given and guessed."""
    groups = {code: under_signature(code) for code in CODES}
    for whole in WHOLES:
        groups[whole] = [f"rt('{whole}', {v})" for v in WHOLE_VALUES]
    groups["guessed"] = [f"rt(None, {v})" for v in EVERYTHING]
    groups["guessed in list"] = [f"rt(None, [{v}])" for v in EVERYTHING]
    groups["guessed in tuple"] = [f"rt(None, ({v}, 1))" for v in EVERYTHING]
    groups["guessed in dict"] = [f"rt(None, {{'k': {v}}})" for v in EVERYTHING]
    groups["levels"] = [
        f"rt({signature}, {name}(5, variant_level={level}))"
        for name in ("Int16", "Byte", "Double")
        for signature in ("'v'", "None", "'av'", "'d'")
        for level in (1, 2, 3, 30, 31, 32, 33, 60, 62)
    ]
    groups["arguments"] = [
        f"rt({signature}, {values})"
        for signature in SIGNATURE_ARGUMENTS
        for values in (*VALUE_ARGUMENTS, "")
    ]
    return groups


RANGES = {
    "y": (0, 2**8 - 1),
    "n": (-(2**15), 2**15 - 1),
    "q": (0, 2**16 - 1),
    "i": (-(2**31), 2**31 - 1),
    "u": (0, 2**32 - 1),
    "x": (-(2**63), 2**63 - 1),
    "t": (0, 2**64 - 1),
}
CLASSES = dict(
    zip(
        "ybnqiuxtdsog",
        "Byte Boolean Int16 UInt16 Int32 UInt32 Int64 UInt64 Double".split()
        + "String ObjectPath Signature".split(),
    )
)


class Random:
    """Random D-Bus types, and the text of values that fit them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def below(self, limit: int) -> int:
        return self.random.randrange(limit)

    def pick(self, items: Sequence[str]) -> str:
        return items[self.below(len(items))]

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def type(self, depth: int) -> str:
        """One complete type, at most `depth` containers deep."""
        kind = self.below(10)
        if depth == 0 or kind < 5:
            return self.pick("ybnqiuxtdsogv")
        if kind < 7:
            return "a" + self.type(depth - 1)
        if kind < 9:
            return "(" + "".join(self.type(depth - 1) for _ in range(1 + self.below(3))) + ")"
        return "a{" + self.pick("ybnqiuxtdsog") + self.type(depth - 1) + "}"

    def plain(self, code: str) -> str:
        """A built-in value of a basic type."""
        if code in RANGES:
            low, high = RANGES[code]
            numbers = (low, high, 0, 1, self.random.randrange(low, high + 1), self.below(100))
            return str(numbers[self.below(len(numbers))])
        if code == "b":
            return self.pick(("True", "False"))
        if code == "d":
            return repr(self.random.randrange(-(10**6), 10**6) / 64)
        if code == "s":
            letters = "ab \u00e9\u20ac\U0001f600/\n"
            return ascii("".join(self.pick(letters) for _ in range(self.below(6))))
        if code == "o":
            return repr("/" + "/".join(self.pick(("a", "b_", "C9")) for _ in range(self.below(3))))
        return repr("".join(self.type(1) for _ in range(self.below(3))))

    def basic(self, code: str) -> str:
        """A value of a basic type, now and then of the D-Bus class, in a variant."""
        text = self.plain(code)
        if self.chance(30):
            level = f", variant_level={1 + self.below(2)}" if self.chance(30) else ""
            text = f"{CLASSES[code]}({text}{level})"
        return text

    def value(self, signature: str) -> str:
        """A value of one complete type."""
        code = signature[0]
        if code == "v":
            return self.basic(self.pick("ybnqiuxtdsog"))
        if code not in "a(":
            return self.basic(code)
        level = f", variant_level={1 + self.below(2)}" if self.chance(8) else ""
        count = self.below(4)
        if code == "(":
            kind, inner = "Struct", signature[1:-1]
            text = "(" + "".join(self.value(part) + ", " for part in split(inner)) + ")"
        elif signature[1] == "{":
            kind, inner = "Dictionary", signature[2:-1]
            key, item = split(inner)
            pairs = [f"{self.basic(key)}: {self.value(item)}" for _ in range(count)]
            text = "{" + ", ".join(pairs) + "}"
        elif signature == "ay" and self.chance(40):
            return repr(bytes(self.below(256) for _ in range(count)))
        else:
            kind, inner = "Array", signature[1:]
            text = "[" + ", ".join(self.value(inner) for _ in range(count)) + "]"
        if self.chance(30) or level:
            given = f", signature={inner!r}" if self.chance(60) or count == 0 else ""
            return f"{kind}({text}{given}{level})"
        return text


def split(signature: str) -> list[str]:
    """The complete types of a valid signature."""
    found, at = [], 0
    while at < len(signature):
        start = at
        while signature[at] == "a":
            at += 1
        depth = 0
        while True:
            depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(signature[at], 0)
            at += 1
            if depth == 0:
                break
        found.append(signature[start:at])
    return found


def spoiled(rng: Random, signature: str) -> str:
    """A value that is probably not of the type."""
    kind = rng.below(3)
    if kind == 0:
        return rng.value(rng.type(2))
    if kind == 1 and signature[0] in "a(":
        wrong = rng.pick((*NUMBERS, *TEXTS, *OBJECTS, *TYPED))
        value = rng.value(signature)
        return f"{value[:1]}{wrong}, {value[1:]}" if value[0] in "[(" else wrong
    return rng.pick(EVERYTHING)


def nested() -> Groups:
    """Random nested types with fitting, nearly fitting and wrong values."""
    rng = Random(20240229)
    groups: Groups = {"fitting": [], "guessed": [], "wrong": [], "several": []}
    for _ in range(2200):
        signature = rng.type(3)
        value = rng.value(signature)
        groups["fitting"].append(f"rt({signature!r}, {value})")
        if rng.chance(50):
            groups["guessed"].append(f"rt(None, {value})")
    for _ in range(1500):
        signature = rng.type(2)
        groups["wrong"].append(f"rt({signature!r}, {spoiled(rng, signature)})")
    for _ in range(500):
        types = [rng.type(1) for _ in range(1 + rng.below(3))]
        values = [rng.value(t) for t in types]
        if rng.chance(15):
            values.pop()
        if rng.chance(15):
            values.append("1")
        groups["several"].append(f"rt({''.join(types)!r}{''.join(', ' + v for v in values)})")
    return groups


def integers(rng: Random, code: str) -> list[int]:
    """Near every power of two, near the bounds, and anywhere."""
    low, high = RANGES[code]
    numbers = [base + near for base in (0, low, high) for near in range(-40, 41)]
    for power in range(72):
        numbers += [sign * 2**power + near for sign in (1, -1) for near in (-1, 0, 1)]
    for _ in range(900):
        number = rng.random.getrandbits(1 + rng.below(high.bit_length() + 1))
        numbers.append(-number if rng.chance(50) else number)
    numbers += [rng.random.getrandbits(60 + rng.below(240)) for _ in range(100)]
    return numbers


def double(rng: Random) -> str:
    """Any finite double, as text that is exact."""
    sign = "-" if rng.chance(50) else ""
    mantissa = f"{rng.random.getrandbits(52):013x}"
    return f"float.fromhex('{sign}0x1.{mantissa}p{rng.below(2104) - 1080}')"


# Where the rules for characters change.
EDGES = [0, 1, 9, 0x20, 0x7E, 0x7F, 0x80, 0xFF, 0x7FF, 0x800, 0xD7FF, 0xD800, 0xDBFF, 0xDC00]
EDGES += [0xDFFF, 0xE000, 0xFDCF, 0xFDD0, 0xFDEF, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFE]
EDGES += [0x1FFFF, 0x10FFFD, 0x10FFFE, 0x10FFFF]


def texts(rng: Random) -> list[str]:
    """Strings with characters around every edge."""
    found = [chr(edge) for edge in EDGES] + [f"a{chr(edge)}b" for edge in EDGES]
    for _ in range(900):
        characters = []
        for _ in range(1 + rng.below(11)):
            edge = EDGES[rng.below(len(EDGES))]
            characters.append(chr(edge if rng.chance(4) else 0x20 + rng.below(0x2FE0)))
        found.append("".join(characters))
    return found


def octets() -> list[bytes]:
    """Bytes around the rules of UTF-8."""
    found = [bytes([n]) for n in range(256)] + [bytes([n, 0x80]) for n in range(0xC0, 256)]
    for second in range(0x70, 0xD0, 4):
        found += [bytes([lead, second, 0x80]) for lead in (0xE0, 0xED, 0xEF)]
        found += [bytes([lead, second, 0x80, 0x80]) for lead in (0xF0, 0xF4, 0xF5)]
    return found


ALPHABETS = "ab9._ aB_.-9 /ab_9 /a- :1.9a aisv a{}()si (){}asvy ybnqiuxtdsogvh()a{}".split()


def words(rng: Random) -> list[str]:
    """Names, paths and signatures, valid or nearly."""
    found = []
    for alphabet in (*ALPHABETS, "abc \u00e9"):
        for first in alphabet:
            for _ in range(60):
                found.append(first + "".join(rng.pick(alphabet) for _ in range(rng.below(10))))
    for _ in range(600):
        good = "".join(rng.type(3) for _ in range(1 + rng.below(3)))
        at = rng.below(len(good))
        found += [
            good,
            good[:at] + rng.pick("a(){}sv") + good[at + 1 :],
            good[:at] + good[at + 1 :],
        ]
    return found


def bounds() -> Groups:
    """Thousands of values a type; random strings, names, paths and signatures."""
    rng = Random(1976)
    groups: Groups = {}
    for code in RANGES:
        groups[code] = [f"every_way({code!r}, {n})" for n in integers(rng, code)]
    doubles = [*(double(rng) for _ in range(1000)), *FLOATS, *NUMBERS]
    groups["d"] = [f"every_way('d', {value})" for value in doubles]
    anything = (*NUMBERS, *FLOATS, *TEXTS, *BYTES, *OBJECTS, *TYPED)
    groups["b"] = [f"every_way('b', {value})" for value in anything]
    groups["s"] = [f"every_way('s', {ascii(text)})" for text in texts(rng)]
    groups["bytes for s"] = [f"rt('s', {text!r})" for text in octets()]
    groups["names"] = [f"valid({ascii(word)})" for word in words(rng)]
    return groups
