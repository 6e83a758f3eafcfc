# SPDX-License-Identifier: MIT
"""The families of cases about types and names, and the list of all families.

A family is a function that returns {group: [expression, ...]}; `record_golden.py` writes down what
the reference makes of them.  Generation is deterministic, and uses nothing of the implementation
under test.
"""

from __future__ import annotations

from typing import Callable

from case_generated import bounds, nested, scalars
from case_messages import guesses, messages
from case_values import (
    BASES,
    CONTAINERS,
    EVERYTHING,
    LEVELS,
    NAMES,
    SAMPLES,
    SCALARS,
    SIGNATURES,
    Groups,
    listed,
)

SIGNATURE_ARGUMENTS = listed(
    r"'' | None | 5 | b'i' | Signature('ii') | String('i') | '\0' | '\ud800'"
)
DESCRIPTORS = listed(
    """
    UnixFd(fd=0) | UnixFd(object=0) | UnixFd(0).take() > 2 | UnixFd(0).take(1) |
    UnixFd(0).fileno() | (lambda u: (u.take() > 0, u.take()))(UnixFd(0)) |
    UnixFd(__import__('io').StringIO()) | UnixFd(__import__('sys').__stderr__) | UnixFd(999999)
    """
)


def one_construction(name: str) -> list[str]:
    """One type from every kind of value, keyword and level."""
    good = SAMPLES.get(name, ("0",))[0]
    sub = f"type('Sub', ({name},), {{}})"
    return [
        *(f"{name}({value})" for value in ("", *EVERYTHING)),
        *(f"{name}({good}, variant_level={level})" for level in LEVELS),
        *(f"str({name}({good}, variant_level={level}))" for level in ("0", "3")),
        f"{name}(variant_level=1)",
        f"{name}(value={good})",
        f"{name}({good}, foo=1)",
        f"{name}({good}, variant_level=1, foo=2)",
        f"{name}({good}, 1)",
        f"{name}({good}, 1, 2)",
        f"{name}({good}, 'i', 1, 2)",
        f"{name}(*[{good}], **{{'variant_level': 2}})",
        f"{name}({good}, **{{1: 2}})",
        f"{name}.__new__({name}, {good})",
        f"{name}.__new__()",
        f"{name}.__new__(int, {good})",
        f"{sub}({good}, variant_level=4)",
        f"{sub}({good}).variant_level",
        f"{name}({good}, variant_level=4).__class__.__mro__",
    ]


def construction() -> Groups:
    """Every type from every kind of value, keyword and level."""
    groups = {name: one_construction(name) for name in (*SCALARS, *BASES, *CONTAINERS, "UnixFd")}
    for name in CONTAINERS:
        good = SAMPLES[name][0]
        cases = groups[name]
        for signature in (*SIGNATURES, *SIGNATURE_ARGUMENTS):
            cases.append(f"{name}({good}, signature={signature})")
            cases.append(f"{name}({good}, {signature})")
            cases.append(f"{name}(signature={signature})")
        cases += [f"{name}({good}, signature='ii', variant_level={n})" for n in LEVELS[:6]]
        for keyword in ("iterable", "mapping_or_iterable", "x"):
            cases.append(f"{name}({keyword}={good})")
    groups["UnixFd"] += DESCRIPTORS
    return groups


OPERATORS = (
    "add sub mul truediv floordiv mod pow and_ or_ xor lshift rshift eq ne lt le gt ge contains "
    "concat getitem is_"
).split()
UNARY = "neg pos abs invert not_ truth index length_hint".split()
CALLS = (
    "bool int float str repr bytes len list tuple sorted round format ascii complex hex chr iter "
    "reversed dict type callable memoryview abs sum"
).split()
METHODS = listed(
    """
    upper() | encode() | strip() | split('/') | join(['a', 'b']) | replace('a', 'b') | hex() |
    decode() | bit_length() | conjugate() | real | imag | numerator | denominator |
    as_integer_ratio() | copy() | keys() | items() | count(1) | index(1) | __len__() | __sizeof__ |
    __dict__ | __weakref__ | __class__ | signature | variant_level | __doc__ is None |
    fromkeys([1]) | __hash__ | __int__() | __float__() | __index__() | __bool__() | __bytes__() |
    __iter__() | __next__() | __trunc__() | __reversed__() | nothing_of_this_name
    """
)
OTHERS = listed("1 | 2.5 | 'a' | b'a' | [1, 2] | {1: 2} | (1, 'a') | None | Int32(1) | String('a')")
FORMATS = ("", "d", "s", "x", ">9", "05", ".1f")
PERCENTS = ("%s", "%r", "%d", "%x", "%c", "%.2f", "%10s", "%a")
# MADE is an instance, SAMPLE the built-in value it was made of, TYPE its class.
USES = listed(
    """
    setattr(MADE, 'foo', 1) | setattr(MADE, 'variant_level', 1) | delattr(MADE, 'foo') |
    delattr(MADE, 'variant_level') | setattr(MADE, 'signature', 'i') | setattr(MADE, 5, 1) |
    setattr(type('Sub', (TYPE,), {})(SAMPLE), 'foo', 1) | {MADE: 'value'}[SAMPLE] |
    {SAMPLE: 'value'}[MADE] | isinstance(MADE, (int, float, str, bytes, list, dict, tuple)) |
    [MADE] == [SAMPLE] | hash(MADE) == hash(SAMPLE) | max(MADE, MADE) | [10, 11, 12][MADE:] |
    range(MADE) | bytes([MADE]) | 'abc'[MADE] | divmod(MADE, 2) | pow(3, MADE, 7) | type(TYPE) |
    TYPE.__module__ | TYPE.__qualname__ | MADE.__reduce_ex__(2)[0] is None | [*MADE] |
    __import__('json').dumps(MADE)
    """
)
ITERATIONS = listed(
    """
    next(iter(Signature(''))) | list(iter(iter(Signature('si')))) |
    [type(s) for s in Signature('s(i)')] |
    (lambda i: (next(i), list(i), list(i)))(iter(Signature('sia{sv}'))) |
    type(iter(Signature('s')))() | type(iter(Signature('s'))).__name__ |
    list(zip(Signature('sis'), Signature('uu'))) | len(iter(Signature('s'))) |
    iter(Signature('s')).foo | 'a{sv}' in Signature('ia{sv}') | 'x' in Signature('ia{sv}') |
    sorted(Signature('si')) | tuple(Signature('a{oa{sa{sv}}}as(ii)', variant_level=2)) |
    [len(s) for s in Signature('a(ii)(i(ss))')]
    """
)


def uses_of(name: str, sample: str, made: str) -> list[str]:
    """What can be done with one instance."""
    cases = [f"operator.{op}({made}, {other})" for op in OPERATORS for other in (*OTHERS, made)]
    cases += [f"operator.{op}({other}, {made})" for op in OPERATORS[:12] for other in OTHERS[:4]]
    cases += [f"operator.{op}({made})" for op in UNARY]
    cases += [f"{call}({made})" for call in CALLS]
    cases += [f"{made}.{method}" for method in METHODS]
    cases += [f"format({made}, {spec!r})" for spec in FORMATS]
    cases += [f"{spec!r} % ({made},)" for spec in PERCENTS]
    if "'" not in made:
        cases += [f"f'{{{made}}}'", f"f'{{{made}!r}}'"]
    for use in USES:
        cases.append(use.replace("MADE", made).replace("SAMPLE", sample).replace("TYPE", name))
    return cases


def behaviour() -> Groups:
    """Operators, conversions, attributes and immutability."""
    groups: Groups = {}
    for name in (*SCALARS, *BASES, *CONTAINERS):
        cases: list[str] = []
        for sample in SAMPLES[name]:
            for made in (f"{name}({sample})", f"{name}({sample}, variant_level=2)"):
                cases += uses_of(name, sample, made)
        groups[name] = cases
    groups["Signature"] += [f"list(Signature({signature}))" for signature in SIGNATURES]
    groups["Signature"] += ITERATIONS
    return groups


NAME_FUNCTIONS = [f"validate_{kind}" for kind in "bus_name interface_name member_name".split()]
NAME_FUNCTIONS += ["validate_error_name", "validate_object_path"]


def names() -> Groups:
    """The validators over good and bad names."""
    groups: Groups = {}
    for function in NAME_FUNCTIONS:
        cases = [f"{function}({name})" for name in NAMES]
        cases += [f"_dbus_bindings.{function}({name})" for name in NAMES[:30]]
        arguments = ["", "'a.b', foo=1", "name='a.b'", "name='/a'", "path='/a'", "'a.b', 1, 1, 1"]
        cases += [f"{function}({given})" for given in arguments]
        groups[function] = cases
    cases = groups["validate_bus_name"]
    for name in ("'a.b'", "':1.5'", "'a'", "'/'", "':'", "''"):
        for unique in ("0", "1", "True", "False", "None", "'x'"):
            cases.append(f"validate_bus_name({name}, {unique})")
            for known in ("0", "1"):
                cases.append(f"validate_bus_name({name}, {unique}, {known})")
                keywords = f"allow_unique={unique}, allow_well_known={known}"
                cases.append(f"validate_bus_name({name}, {keywords})")
    return groups


FAMILIES: dict[str, Callable[[], Groups]] = {
    "construction": construction,
    "behaviour": behaviour,
    "names": names,
    "messages": messages,
    "guesses": guesses,
    "generated_scalars": scalars,
    "generated_random": nested,
    "generated_bounds": bounds,
}
