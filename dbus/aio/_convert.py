# SPDX-License-Identifier: MIT
"""Between the messages of this package and those of the C module.

The contract, for whoever moves parts of it into C:

* `to_bindings` makes a message that can be sent: kind, flags, every header field that is set, and
  the body.  The serial is not set; the connection gives it.  Descriptors are duplicated.
* `header_of` reads the header fields as plain values.
* `body_of` reads the body once: ``ay`` as bytes, structs as tuples, a `Variant` for each ``v``, an
  index for each ``h``, with the descriptors themselves, which belong to the caller, in a list.

A body is converted by functions that are compiled from its signature and remembered.  Where the
type needs no change there is no function, and the values go to C, or come from there, as they are.

On the way out C knows the type of every place except what is inside a variant, which it takes from
the value; so only there the values become `_dbus_bindings.UInt32`, `Array` and so on.
"""

from __future__ import annotations

from functools import lru_cache

import _dbus_bindings as bindings
from dbus.aio.constants import MESSAGE_TYPE_MAP, MessageFlag, MessageType
from dbus.aio.errors import InvalidMessageError, SignatureBodyMismatchError
from dbus.aio.signature import SignatureType, Variant, get_signature_tree

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Callable, Optional

    from dbus.aio.message import Message

    # A value and the descriptors of the message.
    Outward = Callable[[Any, Sequence[int]], Any]
    # The same, and how many variants the value must announce: see `_typed`.
    Typed = Callable[[Any, Sequence[int], int], Any]
    # A value and where its descriptors are collected.
    Inward = Callable[[Any, list[bindings.UnixFd]], Any]

_REMEMBERED = 4096  # signatures; a peer chooses some of them

# Looking members up in an enumeration is slow, and flags are combined.
_NO_REPLY = MessageFlag.NO_REPLY_EXPECTED.value
_NO_AUTOSTART = MessageFlag.NO_AUTOSTART.value
_INTERACTIVE = MessageFlag.ALLOW_INTERACTIVE_AUTHORIZATION.value
_FLAGS = {number: MessageFlag(number) for number in range(8)}

_METHOD_CALL = MessageType.METHOD_CALL
_SIGNAL = MessageType.SIGNAL
_ERROR = MessageType.ERROR

_new_variant = Variant.__new__


# --- Messages


def to_bindings(message: Message) -> bindings.Message:
    """The message for the connection.

    TypeError or ValueError from C if a header field is missing or wrong;
    SignatureBodyMismatchError if the body cannot be sent with its signature.
    """
    kind = message.message_type
    path, interface, member = message.path, message.interface, message.member
    made: bindings.Message
    if kind is _METHOD_CALL:
        made = bindings.MethodCallMessage(
            message.destination,
            path,  # type: ignore[arg-type]  # what is missing is refused there
            interface,
            member,  # type: ignore[arg-type]
        )
    elif kind is _SIGNAL:
        made = bindings.SignalMessage(path, interface, member)  # type: ignore[arg-type]
        made.set_no_reply(False)  # libdbus sets the flag, dbus-fast does not
        if message.destination is not None:
            made.set_destination(message.destination)
    else:
        made = _reply_to_bindings(message)
        if path is not None:
            made.set_path(path)
        if interface is not None:
            made.set_interface(interface)
        if member is not None:
            made.set_member(member)
    if message.sender is not None:
        made.set_sender(message.sender)
    if message.reply_serial:
        made.set_reply_serial(message.reply_serial)
    if message.error_name is not None and kind is not _ERROR:
        made.set_error_name(message.error_name)
    flags = int(message.flags)
    if flags:
        if flags & _NO_REPLY:
            made.set_no_reply(True)
        if flags & _NO_AUTOSTART:
            made.set_auto_start(False)
        if flags & _INTERACTIVE:
            made.set_allow_interactive_authorization(True)
    if message.signature:
        _append(made, message.signature, message.body, message.unix_fds)
    return made


def _reply_to_bindings(message: Message) -> bindings.Message:
    made: bindings.Message
    if message.message_type is _ERROR:
        name = message.error_name
        made = bindings.ErrorMessage(_any_with_serial(), name, None)  # type: ignore[arg-type]
    else:
        made = bindings.MethodReturnMessage(_any_with_serial())
    # C has answered the wrong message, with a flag as in a signal.
    made.set_reply_serial(message.reply_serial)
    made.set_destination(message.destination)
    made.set_no_reply(False)
    return made


@lru_cache(maxsize=1)
def _any_with_serial() -> bindings.Message:
    """Some message that was sent, for C makes replies only to such.

    It goes to a socket of our own, where nobody reads it: a serial is given when it is queued.
    """
    import socket  # seldom needed so early

    message = bindings.SignalMessage("/", "a.a", "a")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("")  # a free name outside the file system
        listening.listen(1)
        name = listening.getsockname()[1:].decode("ascii")
        connection = bindings.Connection(f"unix:abstract={name}")
        try:
            connection.send_message(message)
        finally:
            connection.close()
    return message


def _append(
    made: bindings.Message, signature: str, body: Sequence[Any], unix_fds: Sequence[int]
) -> None:
    try:
        converters = _body_outward(signature)
        if converters is not None and len(converters) == len(body):
            body = [
                value if convert is None else convert(value, unix_fds)
                for convert, value in zip(converters, body)
            ]
        made.append(*body, signature=signature)
    except SignatureBodyMismatchError:
        raise
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        # The check knows better what is wrong, if it finds anything: C takes more than it does.
        get_signature_tree(signature).verify(list(body))
        raise SignatureBodyMismatchError(f"cannot send a body of {signature!r}: {error}") from error


def header_of(
    message: bindings.Message,
) -> tuple[
    MessageType,
    MessageFlag,
    int,
    int,
    Optional[str],
    Optional[str],
    Optional[str],
    Optional[str],
    Optional[str],
    Optional[str],
    str,
]:
    """Type, flags, serial, reply serial; sender, destination, path, interface, member, error name;
    signature.

    An absent number is 0, an absent text None, an absent signature empty.

    InvalidMessageError if the type is one that the protocol does not have yet.
    """
    number = message.get_type()
    kind = MESSAGE_TYPE_MAP.get(number)
    if kind is None:
        raise InvalidMessageError(f"{number} is no type of message that is known")
    flags = 0
    if message.get_no_reply():
        flags = _NO_REPLY
    if not message.get_auto_start():
        flags |= _NO_AUTOSTART
    if message.get_allow_interactive_authorization():
        flags |= _INTERACTIVE
    path = message.get_path()
    return (
        kind,
        _FLAGS[flags],
        message.get_serial(),
        message.get_reply_serial(),
        message.get_sender(),
        message.get_destination(),
        None if path is None else str(path),
        message.get_interface(),
        message.get_member(),
        message.get_error_name(),
        str(message.get_signature()),
    )


def body_of(message: bindings.Message, signature: str) -> tuple[list[Any], list[int]]:
    """The values of the body, and the descriptors that they refer to, owned by the caller."""
    internal: Any = message  # the method is for this package, and in no stub
    values = internal._plain_args(True)
    converters = _body_inward(signature)
    if converters is None:
        return values, []
    found: list[bindings.UnixFd] = []
    body = [
        value if convert is None else convert(value, found)
        for convert, value in zip(converters, values)
    ]
    # Only now, when nothing fails any more, do they belong to the caller.
    return body, [descriptor.take() for descriptor in found]


# --- Values on their way in


@lru_cache(maxsize=_REMEMBERED)
def _body_inward(signature: str) -> Optional[list[Optional[Inward]]]:
    converters = [_inward(kind) for kind in get_signature_tree(signature).types]
    return converters if any(converters) else None


@lru_cache(maxsize=_REMEMBERED)
def _content_inward(signature: str) -> tuple[SignatureType, Optional[Inward]]:
    kind = get_signature_tree(signature).types[0]
    return kind, _inward(kind)


def _variant_inward(pair: tuple[str, Any], found: list[bindings.UnixFd]) -> Variant:
    # The constructor would look the signature up and check a value that cannot be wrong.
    variant = _new_variant(Variant)
    variant.signature, content = pair
    variant.type, convert = _content_inward(variant.signature)
    variant.value = content if convert is None else convert(content, found)
    return variant


def _fd_inward(value: bindings.UnixFd, found: list[bindings.UnixFd]) -> int:
    found.append(value)
    return len(found) - 1


def _inward(kind: SignatureType) -> Optional[Inward]:
    """What turns a value from C into one of ours; None if it is that already."""
    token = kind.token
    if token == "v":
        return _variant_inward
    if token == "h":
        return _fd_inward
    if token == "(":
        return _struct_inward(kind)
    if token != "a":
        return None
    element = kind.children[0]
    if element.token == "{":
        return _dict_inward(element)
    convert = _inward(element)
    if convert is None:
        return None

    def array(values: list[Any], found: list[bindings.UnixFd]) -> list[Any]:
        return [convert(value, found) for value in values]

    return array


def _struct_inward(kind: SignatureType) -> Optional[Inward]:
    members = [_inward(member) for member in kind.children]
    if not any(members):
        return None

    def struct(values: tuple[Any, ...], found: list[bindings.UnixFd]) -> tuple[Any, ...]:
        return tuple(
            [
                value if convert is None else convert(value, found)
                for convert, value in zip(members, values)
            ]
        )

    return struct


def _dict_inward(entry: SignatureType) -> Optional[Inward]:
    convert_key, convert = map(_inward, entry.children)
    if convert_key is not None:
        of_key = convert_key

        def with_keys(values: dict[Any, Any], found: list[bindings.UnixFd]) -> dict[Any, Any]:
            return {
                of_key(key, found): value if convert is None else convert(value, found)
                for key, value in values.items()
            }

        return with_keys
    if convert is None:
        return None
    of_value = convert

    def with_values(values: dict[Any, Any], found: list[bindings.UnixFd]) -> dict[Any, Any]:
        return {key: of_value(value, found) for key, value in values.items()}

    return with_values


# --- Values on their way out, where C knows the type


@lru_cache(maxsize=_REMEMBERED)
def _body_outward(signature: str) -> Optional[list[Optional[Outward]]]:
    converters = [_outward(kind) for kind in get_signature_tree(signature).types]
    return converters if any(converters) else None


def _descriptor(index: int, unix_fds: Sequence[int]) -> int:
    if not isinstance(index, int) or not 0 <= index < len(unix_fds):
        raise SignatureBodyMismatchError(
            f"type 'h' needs an index into the {len(unix_fds)} unix_fds, not {index!r:.60}"
        )
    return unix_fds[index]


def _bytes_outward(value: Any, unix_fds: Sequence[int]) -> bytes:
    # C copies bytes at once; other buffers it would take apart.
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise SignatureBodyMismatchError(f"type 'ay' needs bytes, not {type(value).__name__}")


def _outward(kind: SignatureType) -> Optional[Outward]:
    """What makes a value fit for a place of this type; None if it is."""
    token = kind.token
    if token == "v":
        return _variant_outward
    if token == "h":
        return _descriptor
    if token == "(":
        return _struct_outward(kind)
    if token != "a":
        return None
    element = kind.children[0]
    if element.token == "y":
        return _bytes_outward
    if element.token == "{":
        return _dict_outward(element)
    convert = _outward(element)
    if convert is None:
        return None

    def array(values: Any, unix_fds: Sequence[int]) -> list[Any]:
        return [convert(value, unix_fds) for value in values]

    return array


def _refuse_count(kind: SignatureType, values: Sequence[Any]) -> None:
    if len(values) != len(kind.children):
        raise SignatureBodyMismatchError(
            f"type {kind.signature!r} is for {len(kind.children)} values, not {len(values)}"
        )


def _struct_outward(kind: SignatureType) -> Optional[Outward]:
    members = [_outward(member) for member in kind.children]
    if not any(members):
        return None

    def struct(values: Any, unix_fds: Sequence[int]) -> tuple[Any, ...]:
        _refuse_count(kind, values)
        return tuple(
            [
                value if convert is None else convert(value, unix_fds)
                for convert, value in zip(members, values)
            ]
        )

    return struct


def _dict_outward(entry: SignatureType) -> Optional[Outward]:
    convert_key, convert = map(_outward, entry.children)
    if convert_key is None and convert is None:
        return None

    def mapping(values: Any, unix_fds: Sequence[int]) -> dict[Any, Any]:
        return {
            key if convert_key is None else convert_key(key, unix_fds): (
                value if convert is None else convert(value, unix_fds)
            )
            for key, value in values.items()
        }

    if convert_key is None:
        return mapping

    def mapping_by_descriptor(values: Any, unix_fds: Sequence[int]) -> dict[Any, Any]:
        made = mapping(values, unix_fds)
        # Two indexes of one descriptor would become one entry, silently.
        if len(made) != len(values):
            raise SignatureBodyMismatchError("two keys are the same descriptor")
        return made

    return mapping_by_descriptor


# --- Values on their way out, inside a variant

# Exactly these classes are what C takes them for, in the one variant that is there anyway.
_SELF_EVIDENT = {"s": str, "i": int, "b": bool, "d": float}

_TYPES: dict[str, Callable[..., Any]] = {
    "y": bindings.Byte,
    "b": bindings.Boolean,
    "n": bindings.Int16,
    "q": bindings.UInt16,
    "i": bindings.Int32,
    "u": bindings.UInt32,
    "x": bindings.Int64,
    "t": bindings.UInt64,
    "d": bindings.Double,
    "s": bindings.String,
    "o": bindings.ObjectPath,
    "g": bindings.Signature,
}


def _innermost(variant: Any) -> tuple[Variant, int]:
    """The variant with the content that is no variant, and how many there are."""
    count = 1
    while True:
        if not isinstance(variant, Variant):
            raise SignatureBodyMismatchError(
                f"type 'v' needs Variant, not {type(variant).__name__} {variant!r:.60}"
            )
        if variant.signature != "v":
            return variant, count
        variant = variant.value
        count += 1


def _variant_outward(variant: Any, unix_fds: Sequence[int]) -> Any:
    count = 0
    if not isinstance(variant, Variant) or variant.signature == "v":
        variant, count = _innermost(variant)
    signature, value = variant.signature, variant.value
    if count == 0 and value.__class__ is _SELF_EVIDENT.get(signature):
        return value
    return _content_outward(signature)(value, unix_fds, count)


@lru_cache(maxsize=_REMEMBERED)
def _content_outward(signature: str) -> Typed:
    return _typed(get_signature_tree(signature).types[0])


def _typed(kind: SignatureType) -> Typed:
    """What makes a value that shows this type to C.

    The last argument of what is returned is the number of variants around the value.  It is 0 if
    C knows of exactly one, from the type of the place, and for a member of a struct that is in none
    by itself.
    """
    token = kind.token
    if token == "v":
        return _typed_variant
    if token == "h":
        return _typed_descriptor
    if token == "(":
        return _typed_struct(kind)
    if token == "a":
        return _typed_array(kind)
    made_of = _TYPES[token]

    def basic(value: Any, unix_fds: Sequence[int], level: int) -> Any:
        return made_of(value, variant_level=level)

    return basic


def _typed_variant(value: Any, unix_fds: Sequence[int], level: int) -> Any:
    variant, count = _innermost(value)
    return _content_outward(variant.signature)(variant.value, unix_fds, level + count)


def _typed_descriptor(value: Any, unix_fds: Sequence[int], level: int) -> Any:
    if level:
        raise SignatureBodyMismatchError(
            "a descriptor cannot be sent in a variant that is itself in a variant or its struct"
        )
    return bindings.UnixFd(_descriptor(value, unix_fds))


def _typed_struct(kind: SignatureType) -> Typed:
    members = [_typed(member) for member in kind.children]

    def struct(values: Any, unix_fds: Sequence[int], level: int) -> Any:
        _refuse_count(kind, values)
        made = [convert(value, unix_fds, 0) for convert, value in zip(members, values)]
        return bindings.Struct(made, variant_level=level)

    return struct


def _typed_array(kind: SignatureType) -> Typed:
    element = kind.children[0]
    convert = _outward(kind)
    if element.token == "y":

        def block(value: Any, unix_fds: Sequence[int], level: int) -> Any:
            return bindings.ByteArray(_bytes_outward(value, unix_fds), variant_level=level)

        return block
    made_of: Callable[..., Any] = bindings.Array
    signature = element.signature
    if element.token == "{":
        made_of = bindings.Dictionary
        signature = signature[1:-1]

    def container(values: Any, unix_fds: Sequence[int], level: int) -> Any:
        if convert is not None:
            values = convert(values, unix_fds)
        return made_of(values, signature=signature, variant_level=level)

    return container
