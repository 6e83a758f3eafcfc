# SPDX-License-Identifier: MIT
"""The families of cases about messages: constructors, header fields, guessed signatures."""

from __future__ import annotations

from case_values import (
    CONTAINERS,
    EVERYTHING,
    FLOATS,
    NAMES,
    NUMBERS,
    SAMPLES,
    SIGNATURES,
    TEXTS,
    TYPED,
    Groups,
    listed,
)

SETTERS = [f"set_{name}" for name in "path interface member error_name destination sender".split()]
SETTERS += [f"set_{name}" for name in "reply_serial no_reply auto_start".split()]
SETTERS += ["set_allow_interactive_authorization"]
HEADER_VALUES = [
    *NAMES[:50],
    *listed(
        """
        None | 5 | 0 | 1 | -1 | 2**31 | 2**32 - 1 | 2**32 | 2**64 | True | False | 'x' | b'a.b' |
        [] | [1] | String('a.b') | ObjectPath('/a') | StrSub('a.b') | HasPath() | HasIndex() |
        Broken()
        """
    ),
]
TESTS = (
    "has_path has_interface has_member has_destination has_sender has_signature is_method_call "
    "is_signal is_error"
).split()
PAIRS = listed(
    """
    'com.example.I', 'Sig' | 'com.example.I', 'Method' | 'com.example.I', 'No' | 'a.b', 'Sig' |
    'com.example.I', None | None, 'Sig' | None, None | 5, 'Sig' | 'com.example.I', 5 |
    'bad', 'Sig' | 'com.example.I', 'b.d'
    """
)
MATCHING = {
    "has_path": "'/a/b'",
    "has_interface": "'com.example.I'",
    "has_member": "'Sig'",
    "has_destination": "'com.example.Dest'",
}
MAKERS = listed(
    """
    call() | sig() | MethodCallMessage(None, '/', None, 'M') | SignalMessage('/', 'a.b', 'S') |
    MethodCallMessage(':1.5', '/a/b/c', 'x.y', 'M')
    """
)
CONSTRUCTIONS = listed(
    """
    MethodCallMessage() | MethodCallMessage('a.b') | MethodCallMessage('a.b', '/a', 'a.b') |
    MethodCallMessage('a.b', '/a', 'a.b', 'M', 1) |
    MethodCallMessage('a.b', '/a', 'a.b', member='M') |
    facts(MethodCallMessage(destination='a.b', path='/a', interface='a.b', method='M')) |
    SignalMessage() | SignalMessage('/a', 'a.b') | SignalMessage('/a', 'a.b', 'S', 1) |
    SignalMessage('/a', 'a.b', member='S') |
    facts(SignalMessage(path='/a', interface='a.b', name='S')) |
    MethodReturnMessage() | MethodReturnMessage(None) | MethodReturnMessage(1) |
    MethodReturnMessage(call()) | MethodReturnMessage(method_call=call()) |
    MethodReturnMessage(sig()) | MethodReturnMessage(call(), 1) |
    MethodReturnMessage(reply_to=call()) |
    ErrorMessage() | ErrorMessage(None, 'a.b', 'x') | ErrorMessage(call(), 'a.b', 'x') |
    ErrorMessage(call(), 'a.b') | ErrorMessage(call(), 'bad', 'x') |
    ErrorMessage(call(), None, 'x') | ErrorMessage(call(), 'a.b', None) |
    ErrorMessage(reply_to=call(), error_name='a.b', error_message='x') |
    ErrorMessage(call(), 'a.b', 'x', 1) | ErrorMessage(1, 'a.b', 'x') |
    Message() | Message(1) | Message(foo=1) | facts(Message()) | Message().append(1) |
    Message().get_args_list() | Message().copy() | Message().set_path('/a') | repr(Message()) |
    facts(type('Sub', (SignalMessage,), {})('/a', 'a.b', 'S')) |
    facts(type('Sub', (MethodCallMessage,), {})('a.b', '/a', 'a.b', 'M')) |
    SignalMessage.__new__(SignalMessage) | facts(SignalMessage.__new__(SignalMessage)) |
    (lambda m: (m.__init__('/b', 'c.d', 'E'), facts(m).text))(sig())[1] | PendingCall()
    """
)
COPIES = listed(
    """
    facts(MADE.copy()) | MADE.copy(1) | copy.copy(MADE) | copy.deepcopy(MADE) |
    pickle.dumps(MADE) | (lambda m: (m.append(1, 'a'), m.copy().get_args_list()))(MADE) |
    MADE == MADE | bool(MADE) |
    (lambda m: (m.append(1), m.append('b'), m.get_args_list(), m.get_signature()))(MADE) |
    (lambda m, n: (n.append(1), m.get_args_list()))(*(lambda m: (m, m.copy()))(MADE)) |
    setattr(MADE, 'foo', 1) | MADE.get_args_list(byte_arrays=True) |
    MADE.get_args_list(byte_arrays=None) | MADE.get_args_list(byte_arrays='x') |
    MADE.get_args_list(byte_arrays=Broken()) | MADE.get_args_list(True) |
    MADE.get_args_list(utf8_strings=True) | MADE.get_args_list(foo=1)
    """
)


def constructions(kind: str, good: dict[str, str]) -> list[str]:
    """One kind of message, each of its arguments in turn with every name."""
    cases = []
    for field in good:
        for value in NAMES:
            given = {**good, field: value}
            cases.append(f"facts({kind}({', '.join(given.values())}))")
    return cases


def messages() -> Groups:
    """Constructors, accessors and setters of messages."""
    call = {"destination": "'a.b'", "path": "'/a'", "interface": "'a.b'", "method": "'M'"}
    signal = {"path": "'/a'", "interface": "'a.b'", "name": "'S'"}
    groups: Groups = {
        "accessors": [f"facts({maker})" for maker in MAKERS],
        "constructors": [
            *constructions("MethodCallMessage", call),
            *constructions("SignalMessage", signal),
            *CONSTRUCTIONS,
        ],
    }
    for setter in SETTERS:
        groups[setter] = [
            f"after({maker}, '{setter}', {value})"
            for maker in MAKERS[:2]
            for value in HEADER_VALUES
        ]
        groups[setter] += [
            f"sig().{setter}({given})" for given in ("", "'a.b', 'a.b'", "value='a.b'")
        ]
    cases = groups["tests"] = []
    for test in TESTS:
        cases += [f"{maker}.{test}()" for maker in MAKERS]
        for maker in MAKERS[:2]:
            cases += [f"{maker}.{test}({value})" for value in (*NAMES, *SIGNATURES[:20], *PAIRS)]
    cases += [f"{maker}.{test}({value})" for test, value in MATCHING.items() for maker in MAKERS]
    groups["copy"] = [case.replace("MADE", maker) for maker in MAKERS for case in COPIES]
    return groups


KEYS = [
    value
    for value in (*NUMBERS[:20], *FLOATS, *TEXTS[:8], *TYPED)
    if not value.startswith(("Array", "Dictionary"))
]
MANY = listed(
    """
    gs() | gs(1, 'a', [2]) | gs(*range(255)) | gs(*range(256)) | gs(*['a'] * 300) |
    gs(*[(1,)] * 85) | gs(*[(1,)] * 86) | gs(1, signature='i') | Message.guess_signature() |
    sig().guess_signature(1) | gs([[[[1]]]]) | gs([[], [1]]) | gs([[1], []]) | gs({1: {}}) |
    gs({1: {2: {3: 4}}}) | gs([{}]) | gs([()]) | gs(eval('[' * 32 + '1' + ']' * 32)) |
    gs(eval('[' * 33 + '1' + ']' * 33)) | gs(eval('[' * 90 + '1' + ']' * 90)) |
    gs(eval('(' * 32 + '1' + ',)' * 32)) | gs(eval('(' * 33 + '1' + ',)' * 33)) |
    gs(eval('(' * 80 + '1' + ',)' * 80)) | gs(eval('[(' * 32 + '1' + ',)]' * 32)) |
    gs(Int32(1, variant_level=1), 1) | gs(1, object()) | gs(object(), 1) | gs({'a': 1, 2: 'b'}) |
    gs({(1, 2): 3}) | gs({None: 3}) | gs({1: None}) | gs(collections.OrderedDict(a=1)) |
    gs(collections.defaultdict(int, a=1)) | gs(collections.namedtuple('N', 'a b')(1, 'b')) |
    gs(collections.deque([1])) | gs(collections.UserList([1])) | gs(collections.UserDict(a=1))
    """
)


def guesses() -> Groups:
    """What guess_signature makes of values, and of lists, tuples and dictionaries of them."""
    second = [f"gs([1, {v}])" for v in TYPED]
    second += [f"gs(Struct(({v},)))" for v in TYPED]
    second += [f"gs(Array([{v}]))" for v in TYPED]
    return {
        "single": [f"gs({v})" for v in EVERYTHING],
        "in list": [f"gs([{v}])" for v in EVERYTHING],
        "in tuple": [f"gs(({v}, 1))" for v in EVERYTHING],
        "as value": [f"gs({{'k': {v}}})" for v in EVERYTHING],
        "as key": [f"gs({{{v}: 1}})" for v in KEYS],
        "second": second,
        "typed": [
            f"gs({name}({sample}, signature={signature}))"
            for name in CONTAINERS
            for sample in SAMPLES[name]
            for signature in SIGNATURES[:30]
        ],
        "many": MANY,
    }
