# SPDX-License-Identifier: MIT
"""The families of cases, generated; `record_golden.py` writes down what the reference makes of them.

Each family is a function that returns {group: [expression, ...]}.  Generation is deterministic: it
uses its own seeded generator, and nothing of the implementation under test.
"""

from __future__ import annotations

import random
from typing import Callable

INTEGERS = ("Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64")
SCALARS = (*INTEGERS, "Boolean", "Double", "String", "ObjectPath", "Signature", "ByteArray")
BASES = ("_LongBase", "_FloatBase", "_StrBase", "_BytesBase")
CONTAINERS = ("Array", "Dictionary", "Struct")
Groups = dict[str, list[str]]

BOUNDS = [
    str(sign * 2**bits + delta)
    for bits in (0, 7, 8, 15, 16, 31, 32, 53, 63, 64, 65, 100)
    for sign in (1, -1)
    for delta in (-1, 0, 1)
]
NUMBERS = [*dict.fromkeys(BOUNDS), "0", "10**30", "10**400", "-10**400"]
FLOATS = [
    "0.0", "-0.0", "1.5", "-1.5", "254.999", "255.5", "1e300", "-1e300", "5e-324", "1.7976931348623157e308",
    "float('inf')", "-float('inf')", "float('nan')",
]  # fmt: skip
TEXTS = [
    "''", "'a'", "'ab'", "'5'", "' 5 '", "'-5'", "'1.5'", "'x'", "'0x10'", "'1_0'", "'true'", "'\\u00e9'", "'\\u20ac'",
    "'\\U0001f600'", "'\\ufdd0'", "'\\ufffe'", "'\\0'", "'a\\0b'", "'\\ud800'", "'\\udc80'", "'a' * 300",
    "'\\n'", "'\\x7f'",
]  # fmt: skip
PATHS = [
    "'/'", "'/a'", "'/a/b'", "'/A_9/z'", "'/9'", "'//'", "'/a/'", "'/a//b'", "'/a-b'", "'/a b'", "'/a.b'", "'a/b'",
    "'/\\u00e9'", "'/a\\0'", "'/' + 'a' * 255", "'/' + 'a' * 5000", "'/' + '/'.join('abc' * 50)",
]  # fmt: skip
SIGNATURES = [
    "'y'", "'b'", "'n'", "'q'", "'i'", "'u'", "'x'", "'t'", "'d'", "'s'", "'o'", "'g'", "'h'", "'v'", "'ai'", "'aai'",
    "'(i)'", "'((i)s)'", "'a{sv}'", "'a{s(iai)}'", "'a{ya{sas}}'", "'ss'", "'s(iai)a{sv}v'", "'()'", "'a()'", "'(i'",
    "'i)'", "'a'", "'aa'", "'a{s}'", "'a{sss}'", "'a{vs}'", "'a{(s)s}'", "'a{ass}'", "'{sv}'", "'a{sv'", "'}'", "'r'",
    "'e'", "'m'", "'*'", "'?'", "'z'", "' s'", "'s '", "'a' * 32 + 's'", "'a' * 33 + 's'", "'(' * 32 + 's' + ')' * 32",
    "'(' * 33 + 's' + ')' * 33", "'a(' * 32 + 's' + ')' * 32", "'s' * 255", "'s' * 256", "'a{s' * 31 + 's' + '}' * 31",
    "'a{s' * 32 + 's' + '}' * 32", "'a{s' * 33 + 's' + '}' * 33",
]  # fmt: skip
BYTES = [
    "b''", "b'a'", "b'ab'", "b'5'", "b'/a'", "b'\\xff'", "b'\\xc3\\xa9'", "b'\\xed\\xa0\\x80'", "b'a\\0b'",
    "bytearray(b'a')", "bytearray()", "memoryview(b'a')", "BytesSub(b'a')",
]  # fmt: skip
OBJECTS = [
    "None", "True", "False", "1j", "...", "object()", "int", "[]", "[1]", "[1, 2]", "['a']", "()", "(1,)", "(1, 'a')",
    "{}", "{1: 2}", "{'a': 1}", "set()", "{5}", "frozenset()", "range(3)", "HasInt()", "HasIndex()", "HasFloat()",
    "Broken()", "IntSub(5)", "StrSub('a')", "FloatSub(1.5)", "ListSub([1])", "TupleSub((1,))", "DictSub({1: 2})",
    "HasPath()", "HasBadPath()", "HasIntPath()", "PathStr('x')", "PathInt(5)", "Sequenceish()", "BadIterator()",
    "iter([1, 2])", "(n for n in (1, 2))",
]  # fmt: skip
TYPED = [
    "Byte(65)", "Boolean(True)", "Int16(-5)", "UInt16(5)", "Int32(5)", "UInt32(5)", "Int64(5)", "UInt64(5)",
    "UInt64(2**64 - 1)", "Int64(-2**63)", "Double(2.5)", "String('s')", "String('/s')", "ObjectPath('/o')",
    "Signature('g')", "Signature('')", "ByteArray(b'ab')", "ByteArray(b'a')", "Array([1], signature='i')",
    "Array([], signature='s')", "Array([])", "Dictionary({1: 2}, signature='ii')", "Dictionary({}, signature='sv')",
    "Dictionary({})", "Struct((1, 'a'), signature='is')", "Struct((1,))", "Int16(5, variant_level=1)",
    "Int32(7, variant_level=2)", "String('v', variant_level=3)", "ObjectPath('/v', variant_level=1)",
    "Signature('v', variant_level=1)", "ByteArray(b'v', variant_level=1)", "Double(0.5, variant_level=1)",
    "Boolean(False, variant_level=1)", "Byte(1, variant_level=1)", "Array([1], signature='i', variant_level=1)",
    "Dictionary({1: 2}, signature='ii', variant_level=2)", "Struct((1, 2), signature='ii', variant_level=1)",
    "_LongBase(5)", "_LongBase(5, variant_level=1)", "_FloatBase(1.5)", "_StrBase('a')", "_BytesBase(b'a')",
]  # fmt: skip
LEVELS = [
    "0", "1", "2", "255", "2**31 - 1", "2**31", "2**62", "2**63 - 1", "2**63", "2**64", "-1", "-2**31", "-2**63",
    "-2**64", "'1'", "b'1'", "None", "1.0", "True", "False", "Int16(1)", "HasIndex()", "HasInt()", "Broken()", "[]",
]  # fmt: skip
EVERYTHING = [*NUMBERS, *FLOATS, *TEXTS, *PATHS, *SIGNATURES, *BYTES, *OBJECTS, *TYPED]

SAMPLES = {
    "Byte": ("65", "0"), "Boolean": ("True", "0"), "Int16": ("-5", "7"), "UInt16": ("5", "7"), "Int32": ("-5", "7"),
    "UInt32": ("5", "7"), "Int64": ("-5", "7"), "UInt64": ("5", "7"), "Double": ("2.5", "-0.0"),
    "String": ("'text'", "''"), "ObjectPath": ("'/a/b'", "'/'"), "Signature": ("'a{sv}i'", "''"),
    "ByteArray": ("b'bytes'", "b''"), "Array": ("[1, 2]", "[]"), "Dictionary": ("{1: 2}", "{}"),
    "Struct": ("(1, 'a')", "(None,)"), "_LongBase": ("5", "300"), "_FloatBase": ("2.5", "-0.0"),
    "_StrBase": ("'text'", "''"), "_BytesBase": ("b'bytes'", "b''"),
}  # fmt: skip


def construction() -> Groups:
    """Every type from every kind of value, keyword and level."""
    groups: Groups = {}
    for name in (*SCALARS, *BASES, *CONTAINERS, "UnixFd"):
        cases = [f"{name}({value})" for value in ("", *EVERYTHING)]
        good = SAMPLES.get(name, ("0",))[0]
        cases += [f"{name}({good}, variant_level={level})" for level in LEVELS]
        cases += [f"str({name}({good}, variant_level={level}))" for level in ("0", "3")]
        cases += [
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
            f"type('Sub', ({name},), {{}})({good}, variant_level=4)",
            f"type('Sub', ({name},), {{}})({good}).variant_level",
            f"{name}({good}, variant_level=4).__class__.__mro__",
        ]
        groups[name] = cases
    for name in CONTAINERS:
        good = SAMPLES[name][0]
        cases = groups[name]
        for signature in (*SIGNATURES, "''", "None", "5", "b'i'", "Signature('ii')", "String('i')", "'\\0'", "'\\ud800'"):
            cases.append(f"{name}({good}, signature={signature})")
            cases.append(f"{name}({good}, {signature})")
            cases.append(f"{name}(signature={signature})")
        cases += [f"{name}({good}, signature='ii', variant_level={level})" for level in LEVELS[:6]]
        cases += [f"{name}(iterable={good})", f"{name}(mapping_or_iterable={good})", f"{name}(x={good})"]
    groups["UnixFd"] += [
        "UnixFd(fd=0)", "UnixFd(object=0)", "UnixFd(0).take() > 2", "UnixFd(0).take(1)", "UnixFd(0).fileno()",
        "(lambda u: (u.take() > 0, u.take()))(UnixFd(0))", "UnixFd(__import__('io').StringIO())",
        "UnixFd(__import__('sys').__stderr__)", "UnixFd(999999)",
    ]  # fmt: skip
    return groups


OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor", "lshift", "rshift",
             "eq", "ne", "lt", "le", "gt", "ge", "contains", "concat", "getitem", "is_")  # fmt: skip
UNARY = ("neg", "pos", "abs", "invert", "not_", "truth", "index", "length_hint")
CALLS = ("bool", "int", "float", "str", "repr", "bytes", "len", "list", "tuple", "sorted", "round", "format", "ascii",
         "complex", "hex", "chr", "iter", "reversed", "dict", "type", "callable", "memoryview", "abs", "sum")  # fmt: skip
METHODS = ("upper()", "encode()", "strip()", "split('/')", "join(['a', 'b'])", "replace('a', 'b')", "hex()", "decode()",
           "bit_length()", "conjugate()", "real", "imag", "numerator", "denominator", "as_integer_ratio()",
           "copy()", "keys()", "items()", "count(1)", "index(1)", "__len__()", "__sizeof__", "__dict__",
           "__weakref__", "__class__", "signature", "variant_level", "__doc__ is None", "fromkeys([1])", "__hash__",
           "__int__()", "__float__()", "__index__()", "__bool__()", "__bytes__()", "__iter__()", "__next__()",
           "__trunc__()", "__reversed__()", "nothing_of_this_name")  # fmt: skip


def behaviour() -> Groups:
    """Operators, conversions, attributes and immutability."""
    groups: Groups = {}
    others = ("1", "2.5", "'a'", "b'a'", "[1, 2]", "{1: 2}", "(1, 'a')", "None", "Int32(1)", "String('a')")
    for name in (*SCALARS, *BASES, *CONTAINERS):
        cases: list[str] = []
        for sample in SAMPLES[name]:
            for made in (f"{name}({sample})", f"{name}({sample}, variant_level=2)"):
                cases += [f"operator.{op}({made}, {other})" for op in OPERATORS for other in (*others, made)]
                cases += [f"operator.{op}({other}, {made})" for op in OPERATORS[:12] for other in others[:4]]
                cases += [f"operator.{op}({made})" for op in UNARY]
                cases += [f"{call}({made})" for call in CALLS]
                cases += [f"{made}.{method}" for method in METHODS]
                cases += [f"format({made}, {spec!r})" for spec in ("", "d", "s", "x", ">9", "05", ".1f")]
                cases += [f"{spec!r} % ({made},)" for spec in ("%s", "%r", "%d", "%x", "%c", "%.2f", "%10s", "%a")]
                cases += [f"f'{{{made}}}'", f"f'{{{made}!r}}'"] if "'" not in made else []
                cases += [
                    f"setattr({made}, 'foo', 1)", f"setattr({made}, 'variant_level', 1)", f"delattr({made}, 'foo')",
                    f"delattr({made}, 'variant_level')", f"setattr({made}, 'signature', 'i')", f"setattr({made}, 5, 1)",
                    f"setattr(type('Sub', ({name},), {{}})({sample}), 'foo', 1)",
                    f"{{{made}: 'value'}}[{sample}]", f"{{{sample}: 'value'}}[{made}]",
                    f"isinstance({made}, (int, float, str, bytes, list, dict, tuple))", f"[{made}] == [{sample}]",
                    f"hash({made}) == hash({sample})", f"max({made}, {made})", f"[10, 11, 12][{made}:]", f"range({made})",
                    f"bytes([{made}])", f"'abc'[{made}]", f"divmod({made}, 2)", f"pow(3, {made}, 7)",
                    f"type({name})", f"{name}.__module__", f"{name}.__qualname__", f"{made}.__reduce_ex__(2)[0] is None",
                    f"[*{made}]", f"__import__('json').dumps({made})",
                ]  # fmt: skip
        groups[name] = list(dict.fromkeys(cases))
    groups["Signature"] += [f"list(Signature({signature}))" for signature in SIGNATURES]
    groups["Signature"] += [
        "next(iter(Signature('')))", "list(iter(iter(Signature('si'))))", "[type(s) for s in Signature('s(i)')]",
        "(lambda i: (next(i), list(i), list(i)))(iter(Signature('sia{sv}')))", "type(iter(Signature('s')))()",
        "type(iter(Signature('s'))).__name__", "list(zip(Signature('sis'), Signature('uu')))", "len(iter(Signature('s')))",
        "iter(Signature('s')).foo", "'a{sv}' in Signature('ia{sv}')", "'x' in Signature('ia{sv}')", "sorted(Signature('si'))",
        "tuple(Signature('a{oa{sa{sv}}}as(ii)', variant_level=2))", "[len(s) for s in Signature('a(ii)(i(ss))')]",
    ]  # fmt: skip
    return groups


NAME_FUNCTIONS = ("validate_bus_name", "validate_interface_name", "validate_member_name", "validate_error_name", "validate_object_path")
NAMES = [
    "''", "'a'", "'a.b'", "'a.b.c'", "'.a'", "'a.'", "'a..b'", "'.'", "'a.9'", "'9.a'", "'a.b9'", "'_a._b'", "'a-b.c'", "'a.-b'",
    "'a_b.c'", "':1.5'", "':1'", "':'", "':a.b'", "':1..5'", "':-._'", "'1.5'", "'a.b c'", "'a.b/c'", "'a.\\u00e9'", "'\\u00e9'",
    "'a.b\\0'", "'\\ud800.a'", "'a.' + 'b' * 253", "'a.' + 'b' * 254", "'b' * 255", "'b' * 256", "'/'", "'/a'", "'/a/b'", "'//'",
    "'/a/'", "'/a//b'", "'/a-b'", "'/\\u00e9'", "'/a\\0'", "'/' + 'a' * 5000", "'M'", "'Member'", "'M1'", "'1M'", "'M.n'", "'M-n'",
    "'_'", "'org.freedesktop.DBus'", "'org.freedesktop.DBus.Local'", "'/org/freedesktop/DBus/Local'", "None", "5", "b'a.b'", "1.5",
    "[]", "String('a.b')", "ObjectPath('/a')", "StrSub('a.b')", "Signature('')", "HasPath()", "'A.B'", "'a.b.'", "'a b'", "' a.b'",
]  # fmt: skip


def names() -> Groups:
    """The validators over good and bad names."""
    groups: Groups = {}
    for function in NAME_FUNCTIONS:
        cases = [f"{function}({name})" for name in NAMES]
        cases += [f"_dbus_bindings.{function}({name})" for name in NAMES[:30]]
        cases += [f"{function}()", f"{function}('a.b', foo=1)", f"{function}(name='a.b')", f"{function}(name='/a')",
                  f"{function}(path='/a')", f"{function}('a.b', 1, 1, 1)"]  # fmt: skip
        groups[function] = cases
    cases = groups["validate_bus_name"]
    for name in ("'a.b'", "':1.5'", "'a'", "'/'", "':'", "''"):
        for unique in ("0", "1", "True", "False", "None", "'x'"):
            cases.append(f"validate_bus_name({name}, {unique})")
            for known in ("0", "1"):
                cases.append(f"validate_bus_name({name}, {unique}, {known})")
                cases.append(f"validate_bus_name({name}, allow_unique={unique}, allow_well_known={known})")
    return groups


SETTERS = ("set_path", "set_interface", "set_member", "set_error_name", "set_destination", "set_sender",
           "set_reply_serial", "set_no_reply", "set_auto_start", "set_allow_interactive_authorization")  # fmt: skip
HEADER_VALUES = [
    *NAMES[:50], "None", "5", "0", "1", "-1", "2**31", "2**32 - 1", "2**32", "2**64", "True", "False", "'x'", "b'a.b'", "1.5", "[]", "[1]",
    "String('a.b')", "ObjectPath('/a')", "StrSub('a.b')", "HasPath()", "HasIndex()", "Broken()",
]  # fmt: skip
TESTS = ("has_path", "has_interface", "has_member", "has_destination", "has_sender", "has_signature", "is_method_call", "is_signal", "is_error")
MAKERS = (
    "call()",
    "sig()",
    "MethodCallMessage(None, '/', None, 'M')",
    "SignalMessage('/', 'a.b', 'S')",
    "MethodCallMessage(':1.5', '/a/b/c', 'x.y', 'M')",
)


def messages() -> Groups:
    """Constructors, accessors and setters of messages."""
    groups: Groups = {"accessors": [f"facts({maker})" for maker in MAKERS]}
    cases = groups["constructors"] = []
    good = {"destination": "'a.b'", "path": "'/a'", "interface": "'a.b'", "method": "'M'"}
    for field in good:
        for value in NAMES:
            arguments = ", ".join(value if name == field else given for name, given in good.items())
            cases.append(f"facts(MethodCallMessage({arguments}))")
    good = {"path": "'/a'", "interface": "'a.b'", "name": "'S'"}
    for field in good:
        for value in NAMES:
            arguments = ", ".join(value if name == field else given for name, given in good.items())
            cases.append(f"facts(SignalMessage({arguments}))")
    cases += [
        "MethodCallMessage()", "MethodCallMessage('a.b')", "MethodCallMessage('a.b', '/a', 'a.b')",
        "MethodCallMessage('a.b', '/a', 'a.b', 'M', 1)", "MethodCallMessage('a.b', '/a', 'a.b', member='M')",
        "facts(MethodCallMessage(destination='a.b', path='/a', interface='a.b', method='M'))", "SignalMessage()",
        "SignalMessage('/a', 'a.b')", "SignalMessage('/a', 'a.b', 'S', 1)", "SignalMessage('/a', 'a.b', member='S')",
        "facts(SignalMessage(path='/a', interface='a.b', name='S'))", "MethodReturnMessage()", "MethodReturnMessage(None)",
        "MethodReturnMessage(1)", "MethodReturnMessage(call())", "MethodReturnMessage(method_call=call())",
        "MethodReturnMessage(sig())", "MethodReturnMessage(call(), 1)", "MethodReturnMessage(reply_to=call())", "ErrorMessage()",
        "ErrorMessage(None, 'a.b', 'x')", "ErrorMessage(call(), 'a.b', 'x')", "ErrorMessage(call(), 'a.b')",
        "ErrorMessage(call(), 'bad', 'x')", "ErrorMessage(call(), None, 'x')", "ErrorMessage(call(), 'a.b', None)",
        "ErrorMessage(reply_to=call(), error_name='a.b', error_message='x')", "ErrorMessage(call(), 'a.b', 'x', 1)",
        "ErrorMessage(1, 'a.b', 'x')", "Message()", "Message(1)", "Message(foo=1)", "facts(Message())", "Message().append(1)",
        "Message().get_args_list()", "Message().copy()", "Message().set_path('/a')", "repr(Message())",
        "facts(type('Sub', (SignalMessage,), {})('/a', 'a.b', 'S'))", "facts(type('Sub', (MethodCallMessage,), {})('a.b', '/a', 'a.b', 'M'))",
        "SignalMessage.__new__(SignalMessage)", "facts(SignalMessage.__new__(SignalMessage))",
        "(lambda m: (m.__init__('/b', 'c.d', 'E'), facts(m).text))(sig())[1]", "PendingCall()",
    ]  # fmt: skip
    for setter in SETTERS:
        groups[setter] = [f"after({maker}, '{setter}', {value})" for maker in MAKERS[:2] for value in dict.fromkeys(HEADER_VALUES)]
        groups[setter] += [f"sig().{setter}()", f"sig().{setter}('a.b', 'a.b')", f"sig().{setter}(value='a.b')"]
    cases = groups["tests"] = []
    for test in TESTS:
        cases += [f"{maker}.{test}()" for maker in MAKERS]
        cases += [f"{maker}.{test}({value})" for maker in MAKERS[:2] for value in dict.fromkeys((*NAMES, *SIGNATURES[:20]))]
        pairs = ("'com.example.I', 'Sig'", "'com.example.I', 'Method'", "'com.example.I', 'No'", "'a.b', 'Sig'", "'com.example.I', None",
                 "None, 'Sig'", "None, None", "5, 'Sig'", "'com.example.I', 5", "'bad', 'Sig'", "'com.example.I', 'b.d'")  # fmt: skip
        cases += [f"{maker}.{test}({pair})" for maker in MAKERS[:2] for pair in pairs]
    matching = {"has_path": "'/a/b'", "has_interface": "'com.example.I'", "has_member": "'Sig'", "has_destination": "'com.example.Dest'"}
    cases += [f"{maker}.{test}({value})" for test, value in matching.items() for maker in MAKERS]
    cases = groups["copy"] = []
    for maker in MAKERS:
        cases += [f"facts({maker}.copy())", f"{maker}.copy(1)", f"copy.copy({maker})", f"copy.deepcopy({maker})", f"pickle.dumps({maker})",
                  f"(lambda m: (m.append(1, 'a'), m.copy().get_args_list()))({maker})", f"{maker} == {maker}", f"bool({maker})",
                  f"(lambda m: (m.append(1), m.append('b'), m.get_args_list(), m.get_signature()))({maker})",
                  f"(lambda m, n: (n.append(1), m.get_args_list()))(*(lambda m: (m, m.copy()))({maker}))",
                  f"setattr({maker}, 'foo', 1)", f"{maker}.get_args_list(byte_arrays=True)", f"{maker}.get_args_list(byte_arrays=None)",
                  f"{maker}.get_args_list(byte_arrays='x')", f"{maker}.get_args_list(byte_arrays=Broken())", f"{maker}.get_args_list(True)",
                  f"{maker}.get_args_list(utf8_strings=True)", f"{maker}.get_args_list(foo=1)"]  # fmt: skip
    return groups


GUESSED = [*EVERYTHING, *(f"[{v}]" for v in EVERYTHING), *(f"({v},)" for v in EVERYTHING)]


def guesses() -> Groups:
    """What guess_signature makes of values, of lists, tuples and dictionaries of them."""
    keys = [v for v in (*NUMBERS[:20], *FLOATS, *TEXTS[:8], *TYPED) if not v.startswith(("Array", "Dictionary"))]
    return {
        "single": [f"gs({v})" for v in EVERYTHING],
        "in list": [f"gs([{v}])" for v in EVERYTHING],
        "in tuple": [f"gs(({v}, 1))" for v in EVERYTHING],
        "as value": [f"gs({{'k': {v}}})" for v in EVERYTHING],
        "as key": [f"gs({{{v}: 1}})" for v in keys],
        "second": [f"gs([1, {v}])" for v in TYPED] + [f"gs(Struct(({v},)))" for v in TYPED] + [f"gs(Array([{v}]))" for v in TYPED],
        "typed": [f"gs({name}({sample}, signature={s}))" for name in CONTAINERS for sample in SAMPLES[name] for s in SIGNATURES[:30]],
        "many": ["gs()", "gs(1, 'a', [2])", "gs(*range(255))", "gs(*range(256))", "gs(*['a'] * 300)", "gs(*[(1,)] * 85)",
                 "gs(*[(1,)] * 86)", "gs(1, signature='i')", "Message.guess_signature()", "sig().guess_signature(1)",
                 "gs([[[[1]]]])", "gs([[], [1]])", "gs([[1], []])", "gs({1: {}})", "gs({1: {2: {3: 4}}})", "gs([{}])", "gs([()])",
                 "gs(eval('[' * 32 + '1' + ']' * 32))", "gs(eval('[' * 33 + '1' + ']' * 33))", "gs(eval('[' * 90 + '1' + ']' * 90))",
                 "gs(eval('(' * 32 + '1' + ',)' * 32))", "gs(eval('(' * 33 + '1' + ',)' * 33))", "gs(eval('(' * 80 + '1' + ',)' * 80))",
                 "gs(eval('[(' * 32 + '1' + ',)]' * 32))", "gs(Int32(1, variant_level=1), 1)", "gs(1, object())", "gs(object(), 1)",
                 "gs({'a': 1, 2: 'b'})", "gs({(1, 2): 3})", "gs({None: 3})", "gs({1: None})", "gs(collections.OrderedDict(a=1))",
                 "gs(collections.defaultdict(int, a=1))", "gs(collections.namedtuple('N', 'a b')(1, 'b'))",
                 "gs(collections.deque([1]))", "gs(collections.UserList([1]))", "gs(collections.UserDict(a=1))", "gs(array)"],
    }  # fmt: skip


CODES = "ybnqiuxtdsogvh"


def generated_scalars() -> Groups:
    """Every value under every basic signature, given; plus in arrays, structs, dicts and variants."""
    groups: Groups = {}
    for code in CODES:
        cases = [f"rt('{code}', {v})" for v in EVERYTHING]
        cases += [f"rt('a{code}', [{v}])" for v in (*NUMBERS[::3], *FLOATS[::2], *TEXTS[::2], *BYTES, *TYPED)]
        cases += [f"rt('({code}i)', ({v}, 1))" for v in (*NUMBERS[::5], *TEXTS[::4], *OBJECTS[::3], *TYPED)]
        cases += [f"rt('a{{s{code}}}', {{'k': {v}}})" for v in (*NUMBERS[::5], *TEXTS[::4], *TYPED)]
        if code not in "v":
            keys = [v for v in TYPED if not v.startswith(("Array", "Dictionary"))]
            cases += [f"rt('a{{{code}i}}', {{{v}: 1}})" for v in (*NUMBERS[::5], *TEXTS[::4], *keys)]
        cases += [f"rt('a{code}', {v})" for v in (*TEXTS[:4], *BYTES, *OBJECTS, *TYPED)]
        groups[code] = cases
    for whole in ("(i)", "(is)", "a{sv}", "a{is}", "(ay)", "aai", "a(i)", "a{ia{is}}"):
        groups[whole] = [f"rt('{whole}', {v})" for v in (*TEXTS[:4], *BYTES, *OBJECTS, *TYPED, "{1: 'a'}", "{'a': None}", "[[1]]", "[(1,)]")]
    groups["guessed"] = [f"rt(None, {v})" for v in EVERYTHING]
    groups["guessed in list"] = [f"rt(None, [{v}])" for v in EVERYTHING]
    groups["guessed in tuple"] = [f"rt(None, ({v}, 1))" for v in EVERYTHING]
    groups["guessed in dict"] = [f"rt(None, {{'k': {v}}})" for v in EVERYTHING]
    groups["levels"] = [f"rt({s}, {t}(5, variant_level={n}))" for t in ("Int16", "Byte", "Double") for s in ("'v'", "None", "'av'", "'d'")
                        for n in (1, 2, 3, 30, 31, 32, 33, 60, 62)]  # fmt: skip
    groups["arguments"] = [
        f"rt({signature}, {values})"
        for signature in (None, "''", *SIGNATURES, "Signature('i')", "String('s')", "5", "b'i'", "1.5", "[]", "'\\0'", "'\\ud800'")
        for values in ("1", "'a'", "1, 2", "'a', 'b'", "[1]", "[]", "{}", "")
    ]
    return groups


class Random:
    """Random D-Bus types, and values that fit them or nearly do, as text."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pick(self, items: "list[str] | tuple[str, ...] | str") -> str:
        return items[self.random.randrange(len(items))]

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def type(self, depth: int) -> str:
        kind = self.random.randrange(10)
        if depth == 0 or kind < 5:
            return self.pick("ybnqiuxtdsogv")
        if kind < 7:
            return "a" + self.type(depth - 1)
        if kind < 9:
            return "(" + "".join(self.type(depth - 1) for _ in range(self.random.randrange(1, 4))) + ")"
        return "a{" + self.pick("ybnqiuxtdsog") + self.type(depth - 1) + "}"

    RANGES = {"y": (0, 8), "n": (1, 15), "q": (0, 16), "i": (1, 31), "u": (0, 32), "x": (1, 63), "t": (0, 64)}
    CLASSES = {"y": "Byte", "b": "Boolean", "n": "Int16", "q": "UInt16", "i": "Int32", "u": "UInt32", "x": "Int64", "t": "UInt64",
               "d": "Double", "s": "String", "o": "ObjectPath", "g": "Signature"}  # fmt: skip

    def basic(self, code: str) -> str:
        if code in self.RANGES:
            signed, bits = self.RANGES[code]
            low, high = (-(2**bits) if signed else 0), 2**bits - 1
            kind = self.random.randrange(6)
            number = (low, high, 0, 1, self.random.randrange(low, high + 1), self.random.randrange(100))[kind]
            text = str(number)
        elif code == "b":
            text = self.pick(("True", "False"))
        elif code == "d":
            text = repr(self.random.randrange(-(10**6), 10**6) / 64)
        elif code == "s":
            text = repr("".join(self.pick("ab \u00e9\u20ac\U0001f600/\n") for _ in range(self.random.randrange(6))))
        elif code == "o":
            text = repr("/" + "/".join(self.pick(("a", "b_", "C9")) for _ in range(self.random.randrange(3))))
        else:
            text = repr("".join(self.type(1) for _ in range(self.random.randrange(3))))
        if self.chance(30):
            level = self.random.randrange(1, 3) if self.chance(30) else 0
            text = f"{self.CLASSES[code]}({text}" + (f", variant_level={level})" if level else ")")
        return text

    def value(self, signature: str) -> str:
        """Text of a value of one complete type."""
        code = signature[0]
        if code == "v":
            inner = self.type(1)
            while "v" in inner or inner[0] in "a(":
                inner = self.pick("ybnqiuxtdsog")
            return self.basic(inner)
        if code not in "a(":
            return self.basic(code)
        level = f", variant_level={self.random.randrange(1, 3)}" if self.chance(8) else ""
        if code == "(":
            text = "(" + "".join(self.value(part) + ", " for part in split(signature[1:-1])) + ")"
            if self.chance(25) or level:
                given = f", signature={signature[1:-1]!r}" if self.chance(50) else ""
                return f"Struct({text}{given}{level})"
            return text
        count = self.random.randrange(4)
        if signature[1] == "{":
            key, item = split(signature[2:-1])
            text = "{" + ", ".join(f"{self.basic(key)}: {self.value(item)}" for _ in range(count)) + "}"
            kind, inner = "Dictionary", signature[2:-1]
        elif signature == "ay" and self.chance(40):
            return repr(bytes(self.random.randrange(256) for _ in range(count)))
        else:
            text = "[" + ", ".join(self.value(signature[1:]) for _ in range(count)) + "]"
            kind, inner = "Array", signature[1:]
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


def generated_random() -> Groups:
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
        value = rng.value(signature)
        kind = rng.random.randrange(3)
        if kind == 0:
            value = rng.value(rng.type(2))
        elif kind == 1 and signature[0] in "a(":
            wrong = rng.pick((*NUMBERS, *TEXTS, *OBJECTS, *TYPED))
            inserted = f"{value[:1]}{wrong}, {value[1:]}"
            value = inserted if value[0] in "[(" else wrong
        else:
            value = rng.pick(EVERYTHING)
        groups["wrong"].append(f"rt({signature!r}, {value})")
    for _ in range(500):
        types = [rng.type(1) for _ in range(rng.random.randrange(1, 4))]
        values = [rng.value(t) for t in types]
        if rng.chance(15):
            values.pop()
        if rng.chance(15):
            values.append("1")
        groups["several"].append(f"rt({''.join(types)!r}{''.join(', ' + v for v in values)})")
    return groups


FAMILIES: dict[str, Callable[[], Groups]] = {
    "construction": construction,
    "behaviour": behaviour,
    "names": names,
    "messages": messages,
    "guesses": guesses,
    "generated_scalars": generated_scalars,
    "generated_random": generated_random,
}
