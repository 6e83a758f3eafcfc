# SPDX-License-Identifier: MIT
"""The enumerations of the asyncio face: numbers of the protocol, words of introspection, errors."""

from __future__ import annotations

from enum import Enum, IntFlag

_STANDARD = "org.freedesktop.DBus.Error."
# Programs compare these three with what a peer built on dbus-fast sends: the prefix is its own.
_LIBRARY = "com.dubstepdish.dbus.next."


class ArgDirection(Enum):
    """Whether an argument goes into a method or comes out of it."""

    IN = "in"
    OUT = "out"


class PropertyAccess(Enum):
    """What a client may do with a property; the values are those of introspection data."""

    READ = "read"
    WRITE = "write"
    READWRITE = "readwrite"

    def readable(self) -> bool:
        """True if the property has a value to get."""
        return self is not PropertyAccess.WRITE

    def writable(self) -> bool:
        """True if the property can be set."""
        return self is not PropertyAccess.READ


class BusType(Enum):
    """Which of the two buses of a machine is meant."""

    SESSION = 1  #: the bus of one login
    SYSTEM = 2  #: the bus of the machine


class NameFlag(IntFlag):
    """How a bus name is requested."""

    NONE = 0
    ALLOW_REPLACEMENT = 1  #: another connection may take the name over
    REPLACE_EXISTING = 2  #: take the name over from an owner that allows it
    DO_NOT_QUEUE = 4  #: fail rather than wait until the name is free


class ReleaseNameReply(Enum):
    """The bus daemon's answer to the release of a name."""

    RELEASED = 1
    NON_EXISTENT = 2
    NOT_OWNER = 3


class RequestNameReply(Enum):
    """The bus daemon's answer to a request for a name."""

    PRIMARY_OWNER = 1
    IN_QUEUE = 2
    EXISTS = 3
    ALREADY_OWNER = 4


class MessageFlag(IntFlag):
    """Flags in the header of a message; the values are those of the protocol."""

    NONE = 0
    NO_REPLY_EXPECTED = 1  #: a call whose sender does not want to hear of the outcome
    NO_AUTOSTART = 2  #: do not start the service for this message
    ALLOW_INTERACTIVE_AUTHORIZATION = 4  #: the caller can wait while the user is asked


class MessageType(Enum):
    """The four kinds of message; the values are those of the protocol."""

    METHOD_CALL = 1
    METHOD_RETURN = 2
    ERROR = 3
    SIGNAL = 4


#: The member for each number in the header of a message, quicker than calling the enumeration.
MESSAGE_TYPE_MAP: dict[int, MessageType] = {kind.value: kind for kind in MessageType}
MESSAGE_FLAG_MAP: dict[int, MessageFlag] = {0: MessageFlag.NONE} | {
    1 << bit: MessageFlag(1 << bit) for bit in range(3)
}


class ErrorType(str, Enum):
    """Names of errors: each member is a str that equals its error name."""

    SERVICE_ERROR = _LIBRARY + "ServiceError"  #: a service broke its own description
    INTERNAL_ERROR = _LIBRARY + "InternalError"  #: a method of a service raised
    CLIENT_ERROR = _LIBRARY + "ClientError"  #: a reply was not as described

    FAILED = _STANDARD + "Failed"
    NO_MEMORY = _STANDARD + "NoMemory"
    SERVICE_UNKNOWN = _STANDARD + "ServiceUnknown"
    NAME_HAS_NO_OWNER = _STANDARD + "NameHasNoOwner"
    NO_REPLY = _STANDARD + "NoReply"
    IO_ERROR = _STANDARD + "IOError"
    BAD_ADDRESS = _STANDARD + "BadAddress"
    NOT_SUPPORTED = _STANDARD + "NotSupported"
    LIMITS_EXCEEDED = _STANDARD + "LimitsExceeded"
    ACCESS_DENIED = _STANDARD + "AccessDenied"
    AUTH_FAILED = _STANDARD + "AuthFailed"
    NO_SERVER = _STANDARD + "NoServer"
    TIMEOUT = _STANDARD + "Timeout"
    NO_NETWORK = _STANDARD + "NoNetwork"
    ADDRESS_IN_USE = _STANDARD + "AddressInUse"
    DISCONNECTED = _STANDARD + "Disconnected"
    INVALID_ARGS = _STANDARD + "InvalidArgs"
    FILE_NOT_FOUND = _STANDARD + "FileNotFound"
    FILE_EXISTS = _STANDARD + "FileExists"
    UNKNOWN_METHOD = _STANDARD + "UnknownMethod"
    UNKNOWN_OBJECT = _STANDARD + "UnknownObject"
    UNKNOWN_INTERFACE = _STANDARD + "UnknownInterface"
    UNKNOWN_PROPERTY = _STANDARD + "UnknownProperty"
    PROPERTY_READ_ONLY = _STANDARD + "PropertyReadOnly"
    UNIX_PROCESS_ID_UNKNOWN = _STANDARD + "UnixProcessIdUnknown"
    INVALID_SIGNATURE = _STANDARD + "InvalidSignature"
    INCONSISTENT_MESSAGE = _STANDARD + "InconsistentMessage"
    TIMED_OUT = _STANDARD + "TimedOut"
    MATCH_RULE_NOT_FOUND = _STANDARD + "MatchRuleNotFound"
    MATCH_RULE_INVALID = _STANDARD + "MatchRuleInvalid"
    INTERACTIVE_AUTHORIZATION_REQUIRED = _STANDARD + "InteractiveAuthorizationRequired"
    INVALID_FILE_CONTENT = _STANDARD + "InvalidFileContent"
    SELINUX_SECURITY_CONTEXT_UNKNOWN = _STANDARD + "SELinuxSecurityContextUnknown"
    OBJECT_PATH_IN_USE = _STANDARD + "ObjectPathInUse"
