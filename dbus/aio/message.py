# SPDX-License-Identifier: MIT
"""`Message`, what travels on a bus, as plain values."""

from __future__ import annotations

from _dbus_bindings import _plain_classes, _PlainMessage
from dbus.aio.constants import ErrorType, MessageFlag, MessageType
from dbus.aio.errors import InvalidMessageError, SignatureBodyMismatchError
from dbus.aio.signature import SignatureTree, Variant, get_signature_tree
from dbus.aio.validators import (
    assert_bus_name_valid,
    assert_interface_name_valid,
    assert_member_name_valid,
    assert_object_path_valid,
)

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, Union

# What a message of each type must have, in the order in which it is asked for.
_REQUIRED = {
    MessageType.METHOD_CALL: ("path", "member"),
    MessageType.METHOD_RETURN: ("reply_serial",),
    MessageType.ERROR: ("error_name", "reply_serial"),
    MessageType.SIGNAL: ("path", "member", "interface"),
}
_MAX_SERIAL = 2**32 - 1


class Message(_PlainMessage):
    """A message that is sent or was received.

    The attributes are the parameters of the constructor, and ``signature_tree``, the parsed
    signature.  All can be set; they are not checked again before the message is sent.  Texts that
    are absent are None, numbers 0.

    :param destination: the bus name it goes to
    :param path: the object it goes to, or comes from if it is a signal
    :param interface: the interface of the member
    :param member: the name of the method or signal
    :param message_type: the kind of message
    :param flags: a `MessageFlag`, or its int
    :param error_name: what kind of error it is
    :param reply_serial: the serial of the message it answers
    :param sender: the unique name it comes from; the bus fills it in
    :param unix_fds: file descriptors; a value of type ``h`` in the body is an index into these
    :param signature: the types of the body, as a str or a `SignatureTree`
    :param body: the values; they are checked when the message is sent
    :param serial: its own number; the bus object gives it one if it is 0
    :param validate: False leaves out the checks of names and of missing fields

    InvalidMessageError if the type of message requires a field that is missing;
    InvalidBusNameError, InvalidObjectPathError, InvalidInterfaceNameError (for ``error_name`` too)
    or InvalidMemberNameError for a name that is none; InvalidSignatureError for a signature that
    is none; TypeError for a parameter of the wrong type; ValueError for flags that are none;
    OverflowError for a serial out of range.
    """

    __slots__ = ()

    def __init__(
        self,
        destination: Optional[str] = None,
        path: Optional[str] = None,
        interface: Optional[str] = None,
        member: Optional[str] = None,
        message_type: MessageType = MessageType.METHOD_CALL,
        flags: Union[MessageFlag, int] = MessageFlag.NONE,
        error_name: Optional[Union[str, ErrorType]] = None,
        reply_serial: Optional[int] = 0,
        sender: Optional[str] = None,
        unix_fds: Optional[list[int]] = None,
        signature: Optional[Union[SignatureTree, str]] = "",
        body: Optional[list[Any]] = None,
        serial: Optional[int] = 0,
        validate: bool = True,
    ) -> None:
        # The C module has a quicker way for arguments that need no second look (_plain_classes).
        self.destination = destination
        self.path = path
        self.interface = interface
        self.member = member
        self.message_type = message_type
        self.flags = flags if flags.__class__ is MessageFlag else MessageFlag(flags)
        self.error_name = error_name.value if isinstance(error_name, ErrorType) else error_name
        self.reply_serial = reply_serial or 0
        self.sender = sender
        self.unix_fds = [] if unix_fds is None else unix_fds
        if isinstance(signature, SignatureTree):
            self.signature = signature.signature
        else:
            self.signature = signature or ""
            if signature:
                get_signature_tree(signature)
        self.body = [] if body is None else body
        self.serial = serial or 0
        if (
            message_type.__class__ is not MessageType
            or self.body.__class__ is not list
            or self.unix_fds.__class__ is not list
            or self.serial
            or self.reply_serial
        ):
            self._check_types()
        if validate:
            self._check_fields()

    def _check_types(self) -> None:
        """Raise the error for the first parameter of a wrong type or range."""
        if not isinstance(self.message_type, MessageType):
            raise TypeError(
                f"message_type is a MessageType, not {type(self.message_type).__name__}"
            )
        for name in ("body", "unix_fds"):
            value = getattr(self, name)
            if not isinstance(value, list):
                raise TypeError(f"{name} is a list, not {type(value).__name__}")
        for name in ("serial", "reply_serial"):
            number = getattr(self, name)
            if number == 0:
                continue
            if not isinstance(number, int):
                raise TypeError(f"{name} is an int, not {type(number).__name__}")
            if not 0 < number <= _MAX_SERIAL:
                raise OverflowError(f"{name} is from 0 to {_MAX_SERIAL}, not {number}")

    def _check_fields(self) -> None:
        """Raise the error for the first field that is no valid name or is missing."""
        if self.destination is not None:
            assert_bus_name_valid(self.destination)
        if self.interface is not None:
            assert_interface_name_valid(self.interface)
        if self.path is not None:
            assert_object_path_valid(self.path)
        if self.member is not None:
            assert_member_name_valid(self.member)
        if self.error_name is not None:
            assert_interface_name_valid(self.error_name)
        for name in _REQUIRED[self.message_type]:
            if not getattr(self, name):
                raise InvalidMessageError(f"a {self.message_type.name} must have its {name}")

    @staticmethod
    def new_error(msg: Message, error_name: Union[str, ErrorType], error_text: str) -> Message:
        """The error reply to the call ``msg``, with a text for people to read.

        InvalidInterfaceNameError if ``error_name`` is not the name of an error;
        InvalidMessageError if ``msg`` has no serial; TypeError for arguments of the wrong type.
        """
        if not isinstance(error_text, str):
            raise TypeError(f"error_text is a str, not {type(error_text).__name__}")
        return Message(
            message_type=MessageType.ERROR,
            destination=_call(msg).sender,
            reply_serial=msg.serial,
            error_name=error_name,
            signature="s",
            body=[error_text],
        )

    @staticmethod
    def new_method_return(
        msg: Message,
        signature: str = "",
        body: Optional[list[Any]] = None,
        unix_fds: Optional[list[int]] = None,
    ) -> Message:
        """The reply to the call ``msg`` that brings its result, ``body``.

        InvalidSignatureError if ``signature`` is none; InvalidMessageError if ``msg`` has no
        serial; TypeError for arguments of the wrong type.
        """
        return Message(
            message_type=MessageType.METHOD_RETURN,
            destination=_call(msg).sender,
            reply_serial=msg.serial,
            signature=signature,
            body=body,
            unix_fds=unix_fds,
        )

    @staticmethod
    def new_signal(
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: Optional[list[Any]] = None,
        unix_fds: Optional[list[int]] = None,
    ) -> Message:
        """The signal ``member`` of ``interface``, from the object at ``path``.

        InvalidObjectPathError, InvalidInterfaceNameError, InvalidMemberNameError or
        InvalidSignatureError for an argument that is none; InvalidMessageError for one that is
        missing.
        """
        return Message(
            message_type=MessageType.SIGNAL,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=body,
            unix_fds=unix_fds,
        )

    def __repr__(self) -> str:
        return (
            f"<Message {self.message_type.name} serial={self.serial} "
            f"reply_serial={self.reply_serial} sender={self.sender} "
            f"destination={self.destination} path={self.path} interface={self.interface} "
            f"member={self.member} error_name={self.error_name} signature={self.signature} "
            f"body={self.body}>"
        )

    @property
    def signature_tree(self) -> SignatureTree:
        """The parsed signature.  Setting it sets ``signature``."""
        return get_signature_tree(self.signature)

    @signature_tree.setter
    def signature_tree(self, tree: SignatureTree) -> None:
        self.signature = tree.signature

    def __reduce__(self) -> tuple[Callable[..., Message], tuple[Any, ...]]:
        return _restored, tuple(getattr(self, name) for name in _FIELDS)


_FIELDS = (
    "destination",
    "path",
    "interface",
    "member",
    "message_type",
    "flags",
    "error_name",
    "reply_serial",
    "sender",
    "unix_fds",
    "signature",
    "body",
    "serial",
)


def _restored(*fields: Any) -> Message:
    """The message with these fields, unchecked: for copies and pickles."""
    return Message(**dict(zip(_FIELDS, fields)), validate=False)


_plain_classes(
    Message, Variant, (None, *MessageType), tuple(MessageFlag(number) for number in range(8))
)

#: What the C module raises for a message that cannot be sent.
NOT_SENDABLE = (TypeError, ValueError, OverflowError)


def refusal(message: Message, error: Exception) -> Exception:
    """Why ``message`` cannot be sent: what to raise in the place of the C module's ``error``.

    The errors of the constructor, if fields were set wrongly since; SignatureBodyMismatchError if
    the body does not fit the signature; InvalidMessageError for what can be a message but not one
    that libdbus sends.
    """
    try:
        message._check_types()
        message._check_fields()
        # C takes more than this check, which is better at saying what is wrong.
        message.signature_tree.verify(message.body)
    except NOT_SENDABLE as better:
        return better
    header = _restored(*[getattr(message, name) for name in _FIELDS])
    header.signature = ""
    try:
        header._to_bindings()
    except NOT_SENDABLE:
        return InvalidMessageError(f"this message cannot be sent: {error}")
    return SignatureBodyMismatchError(f"cannot send a body of {message.signature!r}: {error}")


def _call(msg: Message) -> Message:
    if not isinstance(msg, Message):
        raise TypeError(f"a reply is made to a Message, not {type(msg).__name__}")
    return msg
