# SPDX-License-Identifier: MIT
"""Any text as a signature, a name, a path: ours and libdbus must agree on what it is."""

from __future__ import annotations

import ctypes
from typing import Any, Callable

from fuzzing.source import Source
from fuzzing.values import expect
from fuzzing.wire import complete_types

import _dbus_bindings
import dbus
from dbus.aio import Variant, validators
from dbus.aio.errors import InvalidSignatureError
from dbus.aio.signature import SignatureTree, get_signature_tree

LIBDBUS = ctypes.CDLL("libdbus-1.so.3")
LIBDBUS.dbus_signature_validate.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
NAMES = {
    "bus_name": "dbus_validate_bus_name",
    "interface_name": "dbus_validate_interface",
    "member_name": "dbus_validate_member",
    "error_name": "dbus_validate_error_name",
    "object_path": "dbus_validate_path",
}
ALPHABETS = (
    "ybnqiuxtdsoghva(){}",
    "a(){}ysv",
    "abz.:/_-09AZ",
    "a./",
    "\x00\x7f \xe9\u20ac\U0001f600a./",
)


def accepted(function: Callable[..., Any], *arguments: Any, refusal: Any = ValueError) -> bool:
    """Whether it takes the arguments; the refusal is an exception of exactly these classes."""
    try:
        function(*arguments)
    except refusal as error:
        expect(type(error) in (ValueError, UnicodeEncodeError) or refusal is not ValueError, error)
        return False
    return True


def libdbus_accepts(name: str, text: str) -> bool:
    """What libdbus says, of text that it may be asked about."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return False
    if b"\0" in data or not LIBDBUS.dbus_validate_utf8(data, None):
        return False
    function: Any = getattr(LIBDBUS, name)
    return bool(function(data, None))


def signature(text: str) -> None:
    """As a signature."""
    right = libdbus_accepts("dbus_signature_validate", text)
    expect(accepted(dbus.Signature, text) is right, text)
    try:
        tree = SignatureTree(text)
    except InvalidSignatureError:
        # What libdbus takes we take, but for more than 64 containers in each other.
        expect(not right or text.count("a") + text.count("(") > 64, text)
        expect(accepted(get_signature_tree, text, refusal=InvalidSignatureError) is False, text)
        return
    expect(get_signature_tree(text) == tree and tree.signature == text, text)
    expect("".join(kind.signature for kind in tree.types) == text, text)
    if right:
        parts = list(complete_types(text))
        expect([str(part) for part in dbus.Signature(text)] == parts, text)
        expect([kind.signature for kind in tree.types] == parts, text)
    accepted(Variant, text, None, refusal=(ValueError, TypeError))


def names(text: str) -> None:
    """As names of all sorts."""
    for name, function in NAMES.items():
        right = libdbus_accepts(function, text)
        if name == "bus_name" and text[:1] == ":":  # libdbus takes what is left of these as well
            right = right and "." in text and text[1] != "."
        check = getattr(_dbus_bindings, f"validate_{name}")
        expect(accepted(check, text) is right, name, text)
        if name == "bus_name":
            unique, known = accepted(check, text, True, False), accepted(check, text, False, True)
            expect((unique or known) is right and not (unique and known), text)
        if hasattr(validators, f"is_{name}_valid"):
            wide = getattr(validators, f"is_{name}_valid")(text)
            expect(wide or not right, name, text)
    expect(accepted(dbus.ObjectPath, text) is libdbus_accepts("dbus_validate_path", text), text)


def target(data: bytes) -> None:
    """One input."""
    source = Source(data)
    how = source.byte()
    if how % 2:
        alphabet = ALPHABETS[how // 2 % len(ALPHABETS)]
        text = "".join(alphabet[byte % len(alphabet)] for byte in source.rest())
    else:
        text = source.wild_text()
    signature(text)
    names(text)
