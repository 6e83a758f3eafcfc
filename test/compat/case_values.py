# SPDX-License-Identifier: MIT
"""The values that cases are made of, as the text of Python expressions."""

from __future__ import annotations

Groups = dict[str, list[str]]


def listed(text: str) -> list[str]:
    """The expressions between the bars."""
    return [part.strip() for part in text.strip().split(" |")]


INTEGERS = "Byte Int16 UInt16 Int32 UInt32 Int64 UInt64".split()
SCALARS = [*INTEGERS, *"Boolean Double String ObjectPath Signature ByteArray".split()]
BASES = "_LongBase _FloatBase _StrBase _BytesBase".split()
CONTAINERS = "Array Dictionary Struct".split()

BOUNDS = [
    str(sign * 2**bits + delta)
    for bits in (0, 7, 8, 15, 16, 31, 32, 53, 63, 64, 65, 100)
    for sign in (1, -1)
    for delta in (-1, 0, 1)
]
NUMBERS = [*dict.fromkeys(BOUNDS), "0", "10**30", "10**400", "-10**400"]
FLOATS = listed(
    r"""
    0.0 | -0.0 | 1.5 | -1.5 | 254.999 | 255.5 | 1e300 | -1e300 | 5e-324 | 1.7976931348623157e308 |
    float('inf') | -float('inf') | float('nan')
    """
)
TEXTS = listed(
    r"""
    '' | 'a' | 'ab' | '5' | ' 5 ' | '-5' | '1.5' | 'x' | '0x10' | '1_0' | 'true' | '\u00e9' |
    '\u20ac' | '\U0001f600' | '\ufdd0' | '\ufffe' | '\0' | 'a\0b' | '\ud800' | '\udc80' |
    'a' * 300 | '\n' | '\x7f'
    """
)
PATHS = listed(
    r"""
    '/' | '/a' | '/a/b' | '/A_9/z' | '/9' | '//' | '/a/' | '/a//b' | '/a-b' | '/a b' | '/a.b' |
    'a/b' | '/\u00e9' | '/a\0' | '/' + 'a' * 255 | '/' + 'a' * 5000 | '/' + '/'.join('abc' * 50)
    """
)
SIGNATURES = listed(
    r"""
    'y' | 'b' | 'n' | 'q' | 'i' | 'u' | 'x' | 't' | 'd' | 's' | 'o' | 'g' | 'h' | 'v' | 'ai' |
    'aai' | '(i)' | '((i)s)' | 'a{sv}' | 'a{s(iai)}' | 'a{ya{sas}}' | 'ss' | 's(iai)a{sv}v' |
    '()' | 'a()' | '(i' | 'i)' | 'a' | 'aa' | 'a{s}' | 'a{sss}' | 'a{vs}' | 'a{(s)s}' | 'a{ass}' |
    '{sv}' | 'a{sv' | '}' | 'r' | 'e' | 'm' | '*' | '?' | 'z' | ' s' | 's ' | 'a' * 32 + 's' |
    'a' * 33 + 's' | '(' * 32 + 's' + ')' * 32 | '(' * 33 + 's' + ')' * 33 |
    'a(' * 32 + 's' + ')' * 32 | 's' * 255 | 's' * 256 | 'a{s' * 31 + 's' + '}' * 31 |
    'a{s' * 32 + 's' + '}' * 32 | 'a{s' * 33 + 's' + '}' * 33
    """
)
BYTES = listed(
    r"""
    b'' | b'a' | b'ab' | b'5' | b'/a' | b'\xff' | b'\xc3\xa9' | b'\xed\xa0\x80' | b'a\0b' |
    bytearray(b'a') | bytearray() | memoryview(b'a') | BytesSub(b'a')
    """
)
OBJECTS = listed(
    r"""
    None | True | False | 1j | ... | object() | int | [] | [1] | [1, 2] | ['a'] | () | (1,) |
    (1, 'a') | {} | {1: 2} | {'a': 1} | set() | {5} | frozenset() | range(3) | HasInt() |
    HasIndex() | HasFloat() | Broken() | IntSub(5) | StrSub('a') | FloatSub(1.5) | ListSub([1]) |
    TupleSub((1,)) | DictSub({1: 2}) | HasPath() | HasBadPath() | HasIntPath() | PathStr('x') |
    PathInt(5) | Sequenceish() | BadIterator() | iter([1, 2]) | (n for n in (1, 2))
    """
)
TYPED = listed(
    r"""
    Byte(65) | Boolean(True) | Int16(-5) | UInt16(5) | Int32(5) | UInt32(5) | Int64(5) |
    UInt64(5) | UInt64(2**64 - 1) | Int64(-2**63) | Double(2.5) | String('s') | String('/s') |
    ObjectPath('/o') | Signature('g') | Signature('') | ByteArray(b'ab') | ByteArray(b'a') |
    Array([1], signature='i') | Array([], signature='s') | Array([]) |
    Dictionary({1: 2}, signature='ii') | Dictionary({}, signature='sv') | Dictionary({}) |
    Struct((1, 'a'), signature='is') | Struct((1,)) | Int16(5, variant_level=1) |
    Int32(7, variant_level=2) | String('v', variant_level=3) | ObjectPath('/v', variant_level=1) |
    Signature('v', variant_level=1) | ByteArray(b'v', variant_level=1) |
    Double(0.5, variant_level=1) | Boolean(False, variant_level=1) | Byte(1, variant_level=1) |
    Array([1], signature='i', variant_level=1) |
    Dictionary({1: 2}, signature='ii', variant_level=2) |
    Struct((1, 2), signature='ii', variant_level=1) | _LongBase(5) |
    _LongBase(5, variant_level=1) | _FloatBase(1.5) | _StrBase('a') | _BytesBase(b'a')
    """
)
LEVELS = listed(
    r"""
    0 | 1 | 2 | 255 | 2**31 - 1 | 2**31 | 2**62 | 2**63 - 1 | 2**63 | 2**64 | -1 | -2**31 |
    -2**63 | -2**64 | '1' | b'1' | None | 1.0 | True | False | Int16(1) | HasIndex() | HasInt() |
    Broken() | []
    """
)
NAMES = listed(
    r"""
    '' | 'a' | 'a.b' | 'a.b.c' | '.a' | 'a.' | 'a..b' | '.' | 'a.9' | '9.a' | 'a.b9' | '_a._b' |
    'a-b.c' | 'a.-b' | 'a_b.c' | ':1.5' | ':1' | ':' | ':a.b' | ':1..5' | ':-._' | '1.5' |
    'a.b c' | 'a.b/c' | 'a.\u00e9' | '\u00e9' | 'a.b\0' | '\ud800.a' | 'a.' + 'b' * 253 |
    'a.' + 'b' * 254 | 'b' * 255 | 'b' * 256 | '/' | '/a' | '/a/b' | '//' | '/a/' | '/a//b' |
    '/a-b' | '/\u00e9' | '/a\0' | '/' + 'a' * 5000 | 'M' | 'Member' | 'M1' | '1M' | 'M.n' |
    'M-n' | '_' | 'org.freedesktop.DBus' | 'org.freedesktop.DBus.Local' |
    '/org/freedesktop/DBus/Local' | None | 5 | b'a.b' | 1.5 | [] | String('a.b') |
    ObjectPath('/a') | StrSub('a.b') | Signature('') | HasPath() | 'A.B' | 'a.b.' | 'a b' |
    ' a.b'
    """
)
EVERYTHING = [*NUMBERS, *FLOATS, *TEXTS, *PATHS, *SIGNATURES, *BYTES, *OBJECTS, *TYPED]

# A typical value of each type, and its least one.
SAMPLES = {
    "Byte": ("65", "0"),
    "Boolean": ("True", "0"),
    "Int16": ("-5", "7"),
    "UInt16": ("5", "7"),
    "Int32": ("-5", "7"),
    "UInt32": ("5", "7"),
    "Int64": ("-5", "7"),
    "UInt64": ("5", "7"),
    "Double": ("2.5", "-0.0"),
    "String": ("'text'", "''"),
    "ObjectPath": ("'/a/b'", "'/'"),
    "Signature": ("'a{sv}i'", "''"),
    "ByteArray": ("b'bytes'", "b''"),
    "Array": ("[1, 2]", "[]"),
    "Dictionary": ("{1: 2}", "{}"),
    "Struct": ("(1, 'a')", "(None,)"),
    "_LongBase": ("5", "300"),
    "_FloatBase": ("2.5", "-0.0"),
    "_StrBase": ("'text'", "''"),
    "_BytesBase": ("b'bytes'", "b''"),
}
