# SPDX-License-Identifier: MIT
"""Signatures as trees, values checked against them, and `Variant`, a value with its signature.

A type compiles its check when it is parsed, and parsed signatures are remembered: to check a value
is one comparison for most basic types and one call for the others, and the elements of an array
are checked together where their type allows it.
"""

from __future__ import annotations

from functools import lru_cache

from _dbus_bindings import _Variant
from dbus.aio.errors import InvalidSignatureError, SignatureBodyMismatchError
from dbus.aio.validators import is_object_path_valid

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any, Callable, NoReturn, Optional, Union

    Check = Callable[[Any], None]
    CheckAll = Callable[[Collection[Any]], None]

# Containers within containers; the specification allows 32 arrays and 32 structs.
MAX_SIGNATURE_DEPTH = 64
_MAX_SIGNATURE = 255  # bytes
_REMEMBERED = 512  # signatures; a peer chooses some of them, and each may take 100 KiB

_INTEGERS = {
    "y": (0, 2**8 - 1),
    "n": (-(2**15), 2**15 - 1),
    "q": (0, 2**16 - 1),
    "i": (-(2**31), 2**31 - 1),
    "u": (0, 2**32 - 1),
    "x": (-(2**63), 2**63 - 1),
    "t": (0, 2**64 - 1),
    "h": (0, 2**32 - 1),  # an index into the descriptors of the message
}
_BASIC_TYPES = frozenset("ybnqiuxtdhsog")
_SINGLE_TYPES = _BASIC_TYPES | {"v"}
# A container by its first character: the character that ends it.
_CLOSING = {"(": ")", "{": "}"}


class SignatureType:
    """One complete type of a signature; made by `SignatureTree`.

    ``token`` is its first character, ``signature`` the whole of it.  ``children`` are the types
    inside: one for an array, key and value for a dict entry, the members for a struct.
    InvalidSignatureError if ``token`` cannot have these ``children``.
    """

    __slots__ = ("token", "children", "signature", "_plain", "_check", "_check_all")

    # Values of exactly this class always fit; None if there is no such class.
    _plain: Optional[type]
    _check: Check
    _check_all: CheckAll

    def __init__(self, token: str, children: Sequence[SignatureType] = ()) -> None:
        self.token = token
        self.children = list(children)
        inside = "".join([child.signature for child in children])
        self.signature: str = token + inside + _CLOSING.get(token, "")
        self._plain = _plain_class(self)
        self._check = _check_of(self)
        self._check_all = _check_all_of(self)

    @property
    def token_as_int(self) -> int:
        """The code of ``token``."""
        return ord(self.token)

    def verify(self, body: Any) -> bool:
        """True if ``body`` is a value of this type, else SignatureBodyMismatchError."""
        self._check(body)
        return True

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SignatureType):
            return self.signature == other.signature
        return NotImplemented

    def __reduce__(self) -> tuple[Callable[..., SignatureType], tuple[Any, ...]]:
        return SignatureType, (self.token, self.children)


class SignatureTree:
    """A parsed signature of any number of complete types.

    ``signature`` is the string, ``types`` the list of its `SignatureType`, ``root_type`` the first
    of them (None if there is none).  InvalidSignatureError if ``signature`` is not valid.
    """

    __slots__ = ("signature", "types", "root_type")

    def __init__(self, signature: str = "") -> None:
        if not isinstance(signature, str):
            raise TypeError(f"a signature is a str, not {type(signature).__name__}")
        self.signature = signature
        self.types = _parse(signature)
        self.root_type = self.types[0] if self.types else None

    def verify(self, body: list[Any]) -> bool:
        """True if ``body`` has one fitting value for each type, else SignatureBodyMismatchError.

        TypeError if ``body`` is not a list.
        """
        if not isinstance(body, list):
            raise TypeError(f"a body is a list, not {type(body).__name__}")
        types = self.types
        if len(body) != len(types):
            raise SignatureBodyMismatchError(
                f"signature {self.signature!r} is for {len(types)} values, not {len(body)}"
            )
        for kind, value in zip(types, body):
            if type(value) is not kind._plain:
                kind._check(value)
        return True

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SignatureTree):
            return self.signature == other.signature
        return NotImplemented

    def __reduce__(self) -> tuple[Callable[..., SignatureTree], tuple[Any, ...]]:
        return SignatureTree, (self.signature,)


@lru_cache(maxsize=_REMEMBERED)
def get_signature_tree(signature: str = "") -> SignatureTree:
    """The `SignatureTree` of ``signature``, shared by all who ask; errors are the same."""
    return SignatureTree(signature)


class Variant(_Variant):
    """A value that travels with its signature: the D-Bus type ``v``.

    ``signature`` is the signature as a str, ``value`` the value.

    The constructor takes the signature as a str, a tree or a type.  InvalidSignatureError if it is
    not that of a single complete type; SignatureBodyMismatchError if ``value`` does not fit it,
    unless ``verify`` is false; TypeError for a signature of another class.
    """

    __slots__ = ()

    def __init__(
        self,
        signature: Union[str, SignatureTree, SignatureType],
        value: Any,
        verify: bool = True,
    ) -> None:
        if isinstance(signature, str):
            kind = _single_type(signature)
            self.signature = signature
        else:
            kind = _type_of(signature)
            self.signature = kind.signature
        self.value = value
        if verify and type(value) is not kind._plain:
            kind._check(value)

    @property
    def type(self) -> SignatureType:
        """The `SignatureType` of the value."""
        return _single_type(self.signature)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Variant):
            return self.signature == other.signature and bool(self.value == other.value)
        return NotImplemented

    def __repr__(self) -> str:
        return f"<dbus.aio.signature.Variant ('{self.signature}', {self.value})>"

    def __reduce__(self) -> tuple[Callable[..., Variant], tuple[Any, ...]]:
        return Variant, (self.signature, self.value, False)


@lru_cache(maxsize=_REMEMBERED)
def _single_type(signature: str) -> SignatureType:
    return _type_of(get_signature_tree(signature))


def _type_of(signature: Union[SignatureTree, SignatureType]) -> SignatureType:
    """The one type of a signature that is not a string."""
    if isinstance(signature, SignatureType):
        return signature
    if not isinstance(signature, SignatureTree):
        raise TypeError(
            "the signature of a variant is a str, SignatureTree or SignatureType, "
            f"not {type(signature).__name__}"
        )
    if len(signature.types) != 1:
        raise InvalidSignatureError(
            f"a variant has one complete type; {signature.signature!r} has {len(signature.types)}"
        )
    return signature.types[0]


# --- Parsing


def _parse(signature: str) -> list[SignatureType]:
    if len(signature) > _MAX_SIGNATURE:
        raise InvalidSignatureError(f"a signature has at most {_MAX_SIGNATURE} characters")
    types = []
    position = 0
    while position < len(signature):
        kind, position = _parse_type(signature, position, 0)
        types.append(kind)
    return types


@lru_cache(maxsize=None)  # there are few
def _single(token: str) -> SignatureType:
    return SignatureType(token)


def _parse_type(signature: str, start: int, depth: int) -> tuple[SignatureType, int]:
    """The complete type that begins at ``start``, inside ``depth`` containers; where it ends."""
    token = signature[start : start + 1]
    if token in _SINGLE_TYPES:
        return _single(token), start + 1
    if token not in ("a", "(", "{"):
        what = f"{token!r} at {start}" if token else "the end"
        raise InvalidSignatureError(f"a type is missing in signature {signature!r}: found {what}")
    if depth == MAX_SIGNATURE_DEPTH:
        raise InvalidSignatureError(
            f"signature {signature!r} has more than {MAX_SIGNATURE_DEPTH} containers in each other"
        )
    if token == "a":
        child, position = _parse_type(signature, start + 1, depth + 1)
        return SignatureType(token, [child]), position
    children: list[SignatureType] = []
    position = start + 1
    while not children or not signature.startswith(_CLOSING[token], position):
        child, position = _parse_type(signature, position, depth + 1)
        children.append(child)
    return SignatureType(token, children), position + 1


# --- Checking: each function makes a check for one kind of type


def _mismatch(kind: SignatureType, needed: str, body: object) -> NoReturn:
    raise SignatureBodyMismatchError(
        f"type {kind.signature!r} needs {needed}, not {type(body).__name__}{_shown(body)}"
    )


def _shown(body: object) -> str:
    """A value to name in an error: only what is short, and whose repr cannot fail."""
    if (type(body) is str and len(body) <= 60) or (type(body) is int and body.bit_length() <= 128):
        return f" {body!r}"
    return ""


def _plain_class(kind: SignatureType) -> Optional[type]:
    if kind.signature == "ay":
        return bytes
    return {"s": str, "b": bool, "d": float, "v": Variant}.get(kind.token)


def _check_of(kind: SignatureType) -> Check:
    token, count = kind.token, len(kind.children)
    if token in _SINGLE_TYPES and count == 0:
        if token in _INTEGERS:
            return _integer_check(kind, *_INTEGERS[token])
        if token in ("o", "g"):
            return _path_check(kind) if token == "o" else _signature_check(kind)
        return _instance_check(kind)
    if token == "a" and count == 1:
        element = kind.children[0]
        if element.token == "y":
            return _bytes_check(kind)
        return _dict_check(kind) if element.token == "{" else _list_check(kind)
    if token == "(" and count:
        return _struct_check(kind)
    # A variant as key is no D-Bus type, but dbus-fast parses it, and such data is around.
    if token == "{" and count == 2 and kind.children[0].token in _SINGLE_TYPES:
        return _entry_check(kind)
    raise InvalidSignatureError(f"{kind.signature!r} is not a complete type")


def _check_all_of(kind: SignatureType) -> CheckAll:
    """A check of many values of one type, in as few steps as the type allows."""
    check, plain = kind._check, kind._plain
    bounds = _INTEGERS.get(kind.token)

    def check_each(values: Collection[Any]) -> None:
        for value in values:
            check(value)

    def check_classes(values: Collection[Any]) -> None:
        if not set(map(type, values)) <= {plain}:
            check_each(values)

    def check_integers(values: Collection[Any]) -> None:
        if set(map(type, values)) == {int} and bounds is not None:
            low, high = bounds
            if low <= min(values) and max(values) <= high:
                return
        check_each(values)

    if bounds is not None:
        return check_integers
    return check_each if plain is None else check_classes


def _integer_check(kind: SignatureType, low: int, high: int) -> Check:
    def check(body: Any) -> None:
        if not isinstance(body, int) or not low <= body <= high:
            _mismatch(kind, f"an int from {low} to {high}", body)

    return check


def _instance_check(kind: SignatureType) -> Check:
    plain = kind._plain
    assert plain is not None
    classes = (float, int) if plain is float else (plain,)
    needed = "float or int" if plain is float else plain.__name__

    def check(body: Any) -> None:
        if not isinstance(body, classes):
            _mismatch(kind, needed, body)

    return check


def _path_check(kind: SignatureType) -> Check:
    def check(body: Any) -> None:
        if not isinstance(body, str) or not is_object_path_valid(body):
            _mismatch(kind, "an object path as str", body)

    return check


def _signature_check(kind: SignatureType) -> Check:
    # Only the length: what a signature may say is the business of those who use it.
    def check(body: Any) -> None:
        if not isinstance(body, str) or len(body.encode("utf-8", "surrogatepass")) > _MAX_SIGNATURE:
            _mismatch(kind, f"a str of at most {_MAX_SIGNATURE} bytes", body)

    return check


def _bytes_check(kind: SignatureType) -> Check:
    def check(body: Any) -> None:
        if not isinstance(body, (bytes, bytearray)):
            _mismatch(kind, "bytes", body)

    return check


def _list_check(kind: SignatureType) -> Check:
    check_elements = kind.children[0]._check_all

    def check(body: Any) -> None:
        if not isinstance(body, list):
            _mismatch(kind, "a list", body)
        check_elements(body)

    return check


def _dict_check(kind: SignatureType) -> Check:
    key, value = kind.children[0].children
    check_keys, check_values = key._check_all, value._check_all

    def check(body: Any) -> None:
        if not isinstance(body, dict):
            _mismatch(kind, "a dict", body)
        check_keys(body.keys())
        check_values(body.values())

    return check


def _struct_check(kind: SignatureType) -> Check:
    members = [(member._plain, member._check) for member in kind.children]

    def check(body: Any) -> None:
        if not isinstance(body, (tuple, list)) or len(body) != len(members):
            _mismatch(kind, f"a tuple or list of {len(members)}", body)
        for value, (plain, check_member) in zip(body, members):
            if type(value) is not plain:
                check_member(value)

    return check


def _entry_check(kind: SignatureType) -> Check:
    def check(body: Any) -> None:
        _mismatch(kind, "to be inside an array", body)

    return check
