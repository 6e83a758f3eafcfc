# SPDX-License-Identifier: MIT
"""The enumerations: kinds, members, values, order, helper methods."""

from __future__ import annotations

import enum

import pytest
from api import api_module

constants = api_module("constants")

NUMBERS = {
    "BusType": {"SESSION": 1, "SYSTEM": 2},
    "MessageType": {"METHOD_CALL": 1, "METHOD_RETURN": 2, "ERROR": 3, "SIGNAL": 4},
    "MessageFlag": {
        "NONE": 0,
        "NO_REPLY_EXPECTED": 1,
        "NO_AUTOSTART": 2,
        "ALLOW_INTERACTIVE_AUTHORIZATION": 4,
    },
    "NameFlag": {"NONE": 0, "ALLOW_REPLACEMENT": 1, "REPLACE_EXISTING": 2, "DO_NOT_QUEUE": 4},
    "RequestNameReply": {"PRIMARY_OWNER": 1, "IN_QUEUE": 2, "EXISTS": 3, "ALREADY_OWNER": 4},
    "ReleaseNameReply": {"RELEASED": 1, "NON_EXISTENT": 2, "NOT_OWNER": 3},
    "PropertyAccess": {"READ": "read", "WRITE": "write", "READWRITE": "readwrite"},
    "ArgDirection": {"IN": "in", "OUT": "out"},
}
FLAGS = ("MessageFlag", "NameFlag")

LIBRARY_ERRORS = ["ServiceError", "InternalError", "ClientError"]
STANDARD_ERRORS = """
    Failed NoMemory ServiceUnknown NameHasNoOwner NoReply IOError BadAddress NotSupported
    LimitsExceeded AccessDenied AuthFailed NoServer Timeout NoNetwork AddressInUse Disconnected
    InvalidArgs FileNotFound FileExists UnknownMethod UnknownObject UnknownInterface
    UnknownProperty PropertyReadOnly UnixProcessIdUnknown InvalidSignature InconsistentMessage
    TimedOut MatchRuleNotFound MatchRuleInvalid InteractiveAuthorizationRequired
    InvalidFileContent SELinuxSecurityContextUnknown ObjectPathInUse
""".split()


@pytest.mark.parametrize("name", NUMBERS)
def test_members(name: str) -> None:
    kind = getattr(constants, name)
    found = {key: member.value for key, member in kind.__members__.items()}
    assert list(found.items()) == list(NUMBERS[name].items())


@pytest.mark.parametrize("name", NUMBERS)
def test_kind(name: str) -> None:
    kind = getattr(constants, name)
    assert issubclass(kind, enum.IntFlag if name in FLAGS else enum.Enum)
    assert issubclass(kind, int) == (name in FLAGS)


@pytest.mark.parametrize("name", NUMBERS)
def test_lookup_by_value(name: str) -> None:
    kind = getattr(constants, name)
    for key, value in NUMBERS[name].items():
        assert kind(value) is kind[key]
        assert f"{name}.{key}" in repr(kind(value))


@pytest.mark.parametrize("name", [name for name in NUMBERS if name not in FLAGS])
def test_unknown_value(name: str) -> None:
    with pytest.raises(ValueError):
        getattr(constants, name)(99)


@pytest.mark.parametrize("name", FLAGS)
def test_flags_combine(name: str) -> None:
    kind = getattr(constants, name)
    both = kind(1) | kind(4)
    assert both == 5 and isinstance(both, kind)
    assert kind(1) in both and kind(2) not in both
    assert not kind.NONE


@pytest.mark.parametrize(
    "name, readable, writable",
    [("READ", True, False), ("WRITE", False, True), ("READWRITE", True, True)],
)
def test_property_access(name: str, readable: bool, writable: bool) -> None:
    access = constants.PropertyAccess[name]
    assert access.readable() is readable
    assert access.writable() is writable


def test_error_type_values() -> None:
    wanted = ["com.dubstepdish.dbus.next." + name for name in LIBRARY_ERRORS]
    wanted += ["org.freedesktop.DBus.Error." + name for name in STANDARD_ERRORS]
    assert [member.value for member in constants.ErrorType] == wanted


def test_error_type_member_names() -> None:
    special = {"IO_ERROR": "IOError", "SELINUX_SECURITY_CONTEXT_UNKNOWN": "SELinux"}
    for name, member in constants.ErrorType.__members__.items():
        last = member.value.rpartition(".")[2]
        if name in special:
            assert last.startswith(special[name])
        else:
            assert last == "".join(word.capitalize() for word in name.split("_"))


def test_error_type_is_a_string() -> None:
    failed = constants.ErrorType.FAILED
    assert isinstance(failed, str)
    assert failed == "org.freedesktop.DBus.Error.Failed"
    assert constants.ErrorType("org.freedesktop.DBus.Error.Failed") is failed
    assert {failed: 1}["org.freedesktop.DBus.Error.Failed"] == 1


def test_maps_of_numbers() -> None:
    assert constants.MESSAGE_TYPE_MAP == {kind.value: kind for kind in constants.MessageType}
    assert constants.MESSAGE_FLAG_MAP == {
        flag.value: flag for flag in constants.MessageFlag.__members__.values()
    }
