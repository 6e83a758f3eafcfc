# SPDX-License-Identifier: MIT
"""What is wrong, for the cases of `aborts`: as Python source, which is the name of the case too."""

from __future__ import annotations

_DOTTED = (
    "''",
    "'name'",
    "'a..b'",
    "'a.b.'",
    "'a.1b'",
    "'a/b.c'",
    r"'a.\xe9'",
    r"'a.\ud800'",
    r"'a.b\0c'",
    "'a.' + 'b' * 254",
)

#: No names of their kind, nor are they rules, texts, addresses.
WRONG = {
    "bus name": (*_DOTTED, "':'"),
    "interface": _DOTTED,
    "error name": _DOTTED,
    "path": (
        "''",
        "'a'",
        "'/a/'",
        "'//'",
        "'/a b'",
        "'/a.b'",
        r"'/\xe9'",
        r"'/\ud800'",
        r"'/a\0b'",
    ),
    "member": (
        "''",
        "'a.b'",
        "'1a'",
        "'a-b'",
        r"'\xe9'",
        r"'\ud800'",
        r"'a\0b'",
        "'m' * 256",
    ),
    "signature": (
        "'z'",
        "'a'",
        "'('",
        "'()'",
        "'(i'",
        "'i)'",
        "'{sv}'",
        "'a{s}'",
        "'a{vs}'",
        "'a{sii}'",
        "'a{(s)i}'",
        "'e'",
        "'r'",
        r"'\xe9'",
        r"'\ud800'",
        r"'s\0'",
        "'s' * 256",
        "'a' * 33 + 'i'",
        "'(' * 33 + 'i' + ')' * 33",
    ),
    "rule": (
        "'garbage'",
        "\"type='nonsense'\"",
        "\"path='x'\"",
        '"member=\'a"',
        "\"arg99='x'\"",
        "\"type='signal',type='signal'\"",
        "\"arg0='\" + 'm' * 1100 + \"'\"",
        r"'\ud800'",
        r"'a\0b'",
    ),
    "text": (r"'\ud800'", r"'a\0b'", r"b'\xff'"),
    "address": (
        "''",
        "'nonsense'",
        "'nonsense:'",
        "';'",
        "'unix:'",
        "'unix:path=%zz'",
        "'unix:path=/nowhere/at/all'",
        "'unix:path=/' + 'x' * 200",
        r"'unix:path=/\0'",
        r"'unix:path=/\ud800'",
        r"'unix:path=/%00'",
        "'unix:path=/a,abstract=b'",
    ),
}

# Introspection data; what is large or deep is refused without being read to its end.
_BOMB = "".join(f"<!ENTITY a{n + 1} '{f'&a{n};' * 10}'>" for n in range(9))
XML = {
    "nothing": "",
    "no XML": "<",
    "an open end": "<node>",
    "another root": "<thing/>",
    "no name": "<node><interface/></node>",
    "a wrong name": "<node><interface name='a'/></node>",
    "no type": "<node><interface name='a.b'><method name='M'><arg/></method></interface></node>",
    "a wrong type": "<node><interface name='a.b'><signal name='S'><arg type='('/></signal>"
    "</interface></node>",
    "a wrong direction": "<node><interface name='a.b'><method name='M'>"
    "<arg type='s' direction='x'/></method></interface></node>",
    "entities in entities": f"<!DOCTYPE node [<!ENTITY a0 'aaaaaaaaaa'>{_BOMB}]>"
    "<node name='&a9;'/>",
    "5000 nodes deep": "<node name='a'>" * 5000 + "</node>" * 5000,
    "a zero": "<node name='\0'/>",
    "a surrogate": "<node name='\ud800'/>",
}

#: Given where a text belongs.  Some are taken: None by setters, bytes as text.
OF_WRONG_TYPE = ("None", "5", "b'a.b'")

#: Values that do not fit their signature.
VALUES = (
    ("y", "-1"),
    ("y", "256"),
    ("y", "'ab'"),
    ("y", "None"),
    ("b", "None"),
    ("n", "2**15"),
    ("n", "-2**15 - 1"),
    ("q", "-1"),
    ("q", "2**16"),
    ("i", "2**31"),
    ("i", "-2**31 - 1"),
    ("i", "'x'"),
    ("u", "-1"),
    ("u", "2**32"),
    ("x", "2**63"),
    ("x", "-2**63 - 1"),
    ("t", "-1"),
    ("t", "2**64"),
    ("t", "10**400"),
    ("d", "'x'"),
    ("d", "None"),
    ("d", "10**400"),
    ("s", "5"),
    ("s", r"'\ud800'"),
    ("s", r"'a\0b'"),
    ("s", r"b'\xff'"),
    ("s", "None"),
    ("o", "''"),
    ("o", "'a'"),
    ("o", "'/a/'"),
    ("o", r"'/\ud800'"),
    ("o", r"'/a\0b'"),
    ("o", "None"),
    ("g", "'z'"),
    ("g", "'()'"),
    ("g", "'s' * 256"),
    ("g", r"'\ud800'"),
    ("g", "None"),
    ("h", "-1"),
    ("h", "9999"),
    ("h", "2**40"),
    ("h", "'x'"),
    ("h", "None"),
)

#: The same for containers; the functions are those of `helpers`.
CONTAINERS = (
    ("ay", "5"),
    ("ay", "[256]"),
    ("ay", "bytes(2**26 + 1)"),
    ("as", "5"),
    ("as", "None"),
    ("as", "['x' * 2**20] * 70"),
    ("ai", "[1, None]"),
    ("ai", "(1 // n for n in (1, 0))"),
    ("ad", "[0.0] * (2**23 + 1)"),
    ("av", "[None]"),
    ("av", "endless_list()"),
    ("a{sv}", "5"),
    ("a{sv}", "[1]"),
    ("a{sv}", "{'a': None}"),
    ("a{sv}", "{1: 2}"),
    ("a{sv}", r"{'\ud800': 1}"),
    ("a{sv}", "endless_dict()"),
    ("a{ii}", "{'x': 1}"),
    ("a{oi}", "{'x': 1}"),
    ("(ii)", "5"),
    ("(ii)", "None"),
    ("(ii)", "(1,)"),
    ("(ii)", "(1, 2, 3)"),
    ("a(ss)", "[('a', 'b'), ('c',)]"),
    ("v", "None"),
    ("v", "object()"),
    ("v", "()"),
)

#: What a signature cannot be guessed for, or what nothing can carry.
UNGUESSABLE = (
    "None",
    "object()",
    "1j",
    "print",
    "2**63",
    "2**64",
    "()",
    r"'\ud800'",
    r"'a\0b'",
    "[None]",
    "[1, 'a']",
    "{'a': None}",
    "{(1, 2): 1}",
    "endless_list()",
    "endless_dict()",
    "nested_list(33)",
    "nested_tuple(33)",
    "nested_dict(33)",
    "nested_list(5000)",
    "nested_tuple(5000)",
    "nested_variant(65)",
    "nested_variant(5000)",
    "nested_list(32, nested_tuple(33))",
    "bytes(2**26 + 1)",
    "['x' * 2**20] * 70",
    "Raises()",
)

#: So large that they are tried at two places only.
LARGE = ("bytes(2**26 + 1)", "['x' * 2**20] * 70", "[0.0] * (2**23 + 1)")

#: Deep and large, but allowed.
FITTING = (
    "nested_list(32)",
    "nested_tuple(32)",
    "nested_list(32, nested_tuple(32))",
    "nested_variant(63)",
    "bytes(2**26)",
    "['x' * (2**20 - 5)] * 63",
    "''",
    r"'\ufdd0\uffff'",
    "-2**31",
)

#: Time-outs in seconds, and whether they are one.
TIME_OUTS = (
    ("-1", True),
    ("-0.002", True),
    ("-2**31", True),
    ("0.5", True),
    ("2**31 / 1000", True),
    ("True", True),
    ("float('nan')", False),
    ("float('inf')", False),
    ("1e300", False),
    ("10**400", False),
    ("'x'", False),
    ("None", False),
    ("[]", False),
    ("Raises()", False),
)


class Raises:
    """What raises when it is converted to something else."""

    def _raise(self, *_args: object) -> object:
        raise ZeroDivisionError

    __float__ = __int__ = __index__ = __str__ = __iter__ = __len__ = __bool__ = _raise


def nested_list(depth: int, inside: object = 1) -> object:
    """A value in lists in each other."""
    for _ in range(depth):
        inside = [inside]
    return inside


def nested_tuple(depth: int, inside: object = 1) -> object:
    """A value in tuples in each other."""
    for _ in range(depth):
        inside = (inside,)
    return inside


def nested_dict(depth: int) -> object:
    """A value in dicts in each other."""
    inside: object = 1
    for _ in range(depth):
        inside = {"a": inside}
    return inside


def endless_list() -> object:
    """A list within itself."""
    made: list[object] = []
    made.append(made)
    return made


def endless_dict() -> object:
    """A dict within itself."""
    made: dict[str, object] = {}
    made["a"] = made
    return made


def value_of(source: str, **names: object) -> object:
    """What the source of a table stands for, with the functions above."""
    return eval(source, {**globals(), **names})
