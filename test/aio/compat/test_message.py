# SPDX-License-Identifier: MIT
"""Messages: what can be made, what is refused, and how they show themselves."""

from __future__ import annotations

import copy
import pickle
import weakref
from typing import Any

import pytest
from api import REFERENCE, api_module, pick

Message = api_module("message").Message
constants = api_module("constants")
errors = api_module("errors")
signature = api_module("signature")
MessageFlag = constants.MessageFlag
MessageType = constants.MessageType
ErrorType = constants.ErrorType
SignatureTree = signature.SignatureTree
Variant = signature.Variant

CALL, RETURN = MessageType.METHOD_CALL, MessageType.METHOD_RETURN
ERROR, SIGNAL = MessageType.ERROR, MessageType.SIGNAL

DEFAULTS: dict[str, Any] = {
    "destination": None,
    "path": None,
    "interface": None,
    "member": None,
    "message_type": CALL,
    "flags": MessageFlag.NONE,
    "error_name": None,
    "reply_serial": 0,
    "sender": None,
    "unix_fds": [],
    "signature": "",
    "body": [],
    "serial": 0,
}


def fields(message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in DEFAULTS}


def call(**others: Any) -> Any:
    return Message(**{"path": "/a", "member": "M", **others})


def received_call() -> Any:
    return Message("a.b", "/a", "i.f", "M", sender=":1.7", serial=9)


def test_defaults() -> None:
    message = Message(validate=False)
    assert fields(message) == DEFAULTS
    assert message.signature_tree.signature == ""


def test_positions() -> None:
    values = ("a.b", "/a", "i.f", "M", SIGNAL, MessageFlag.NO_AUTOSTART, "e.r", 3, ":1.2", [4])
    message = Message(*values, "s", ["x"], 7, True)
    assert list(fields(message).values()) == [*values, "s", ["x"], 7]
    with pytest.raises(TypeError):
        Message(*values, "s", ["x"], 7, True, None)


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(TypeError):
        call(colour="red")


@pytest.mark.parametrize(
    "given",
    [
        {"message_type": CALL, "path": "/", "member": "M"},
        {"message_type": RETURN, "reply_serial": 1},
        {"message_type": ERROR, "reply_serial": 1, "error_name": "a.b"},
        {"message_type": SIGNAL, "path": "/", "member": "M", "interface": "a.b"},
    ],
)
def test_required_fields(given: dict[str, Any]) -> None:
    assert fields(Message(**given)) == {**DEFAULTS, **given}
    for name in given:
        if name == "message_type":
            continue
        rest = {key: value for key, value in given.items() if key != name}
        for empty in (rest, {**rest, name: None}):
            with pytest.raises(errors.InvalidMessageError) as caught:
                Message(**empty)
            assert name in str(caught.value)
            assert fields(Message(**empty, validate=False)) == {**DEFAULTS, **rest}


@pytest.mark.parametrize(
    ("kind", "name"), [(CALL, "path"), (RETURN, "reply_serial"), (ERROR, "error_name")]
)
def test_the_first_missing_field_is_named(kind: Any, name: str) -> None:
    with pytest.raises(errors.InvalidMessageError, match=name):
        Message(message_type=kind)


BAD_NAMES = [
    ("destination", "!", "InvalidBusNameError"),
    ("destination", "nodot", "InvalidBusNameError"),
    ("destination", "", "InvalidBusNameError"),
    ("path", "a", "InvalidObjectPathError"),
    ("path", "/a/", "InvalidObjectPathError"),
    ("path", "", "InvalidObjectPathError"),
    ("interface", "nodot", "InvalidInterfaceNameError"),
    ("interface", "", "InvalidInterfaceNameError"),
    ("member", "a.b", "InvalidMemberNameError"),
    ("member", "", "InvalidMemberNameError"),
    ("error_name", "nodot", "InvalidInterfaceNameError"),
    ("error_name", "", "InvalidInterfaceNameError"),
]


@pytest.mark.parametrize(("name", "value", "error"), BAD_NAMES)
def test_bad_names(name: str, value: str, error: str) -> None:
    with pytest.raises(getattr(errors, error)):
        call(**{name: value})
    assert getattr(call(**{name: value}, validate=False), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("destination", ":1.5"),
        ("destination", "a.b-c"),
        ("destination", "org.freedesktop.DBus"),
        ("path", "/"),
        ("member", "with-dash"),
        ("interface", "a.b_c"),
        ("sender", "anything at all"),
        ("sender", ""),
    ],
)
def test_good_names(name: str, value: str) -> None:
    assert getattr(call(**{name: value}), name) == value


def test_names_are_looked_at_before_what_is_missing() -> None:
    bad = {
        "destination": ("!", errors.InvalidBusNameError),
        "interface": ("x", errors.InvalidInterfaceNameError),
        "path": ("a", errors.InvalidObjectPathError),
        "member": ("M.", errors.InvalidMemberNameError),
        "error_name": ("e", errors.InvalidInterfaceNameError),
    }
    while bad:
        _, error = next(iter(bad.values()))
        with pytest.raises(error):
            Message(**{name: value for name, (value, _) in bad.items()})
        del bad[next(iter(bad))]
    with pytest.raises(errors.InvalidMessageError):
        Message()


@pytest.mark.parametrize("name", ["destination", "path", "interface", "member", "error_name"])
def test_a_name_of_another_class(name: str) -> None:
    with pytest.raises(TypeError):
        call(**{name: 5})


@pytest.mark.parametrize(
    ("name", "value"),
    [("signature", 5), ("signature", b"s"), ("body", ("x",)), ("body", 5), ("unix_fds", (1,))],
)
def test_values_of_another_class(name: str, value: Any) -> None:
    for validate in (True, False):
        with pytest.raises(TypeError):
            call(**{name: value}, validate=validate)


@pytest.mark.parametrize("name", ["body", "unix_fds"])
def test_none_for_a_list(name: str) -> None:
    if REFERENCE:
        with pytest.raises(TypeError):
            call(**{name: None})
    else:
        # The static constructors take it, so does this one.
        assert getattr(call(**{name: None}), name) == []


@pytest.mark.parametrize("kind", [1, "METHOD_CALL", None, 5])
def test_the_type_is_an_enumeration(kind: Any) -> None:
    error = pick(ours=TypeError, reference=AttributeError, why="the class of an argument")
    with pytest.raises(error):
        call(message_type=kind)


@pytest.mark.parametrize("number", range(8))
def test_flags_as_int(number: int) -> None:
    flags = call(flags=number).flags
    assert type(flags) is MessageFlag
    assert flags == MessageFlag(number)


@pytest.mark.parametrize("flags", list(MessageFlag))
def test_flags_as_they_are(flags: Any) -> None:
    assert call(flags=flags).flags is flags


@pytest.mark.parametrize("flags", ["x", None])
def test_bad_flags(flags: Any) -> None:
    with pytest.raises(ValueError):
        call(flags=flags)


@pytest.mark.parametrize("name", ["serial", "reply_serial"])
def test_serials(name: str) -> None:
    for number in (0, 1, 2**32 - 1):
        assert getattr(call(**{name: number}), name) == number
    assert getattr(call(**{name: None}), name) == 0
    for number in (-1, 2**32, 2**64):
        with pytest.raises(OverflowError):
            call(**{name: number})
    with pytest.raises(TypeError):
        call(**{name: "x"})


def test_signatures() -> None:
    message = call(signature="a{sv}i", body=[{}, 1])
    assert message.signature == "a{sv}i"
    assert isinstance(message.signature_tree, SignatureTree)
    assert message.signature_tree.signature == "a{sv}i"
    assert message.signature_tree is call(signature="a{sv}i").signature_tree
    tree = SignatureTree("ii")
    message = call(signature=tree)
    assert message.signature == "ii"
    assert message.signature_tree == tree
    assert call(signature=None).signature == ""


@pytest.mark.parametrize("bad", ["((", "a", "z", "{sv}", "()", "a{s}", "i" * 256])
def test_bad_signatures(bad: str) -> None:
    # Not even without validation.
    for validate in (True, False):
        if bad == "{sv}":  # dbus-fast parses it as a type of its own
            continue
        with pytest.raises(errors.InvalidSignatureError):
            call(signature=bad, validate=validate)


def test_the_body_is_not_checked_and_not_copied() -> None:
    body, unix_fds = ["not an int"], [77]
    message = call(signature="ii", body=body, unix_fds=unix_fds)
    assert message.body is body
    assert message.unix_fds is unix_fds


def test_default_lists() -> None:
    shared = pick(ours=False, reference=True, why="changing one message must not change another")
    assert (call().body is call().body) is shared
    assert (call().unix_fds is call().unix_fds) is shared
    replies = [Message.new_method_return(received_call()) for _ in range(2)]
    assert (replies[0].body is replies[1].body) is shared
    signals = [Message.new_signal("/", "a.b", "C") for _ in range(2)]
    assert signals[0].body is not signals[1].body


def test_error_names() -> None:
    message = Message(message_type=ERROR, reply_serial=1, error_name=ErrorType.FAILED)
    assert message.error_name == "org.freedesktop.DBus.Error.Failed"
    assert type(message.error_name) is str


def test_fields_can_be_set_to_anything() -> None:
    message = call()
    for name in ("destination", "path", "interface", "member", "error_name", "sender"):
        setattr(message, name, "not checked")
        assert getattr(message, name) == "not checked"
        setattr(message, name, None)
        assert getattr(message, name) is None
    message.body = [1]
    message.unix_fds = [2]
    message.serial = 3
    message.reply_serial = 4
    message.message_type = SIGNAL
    message.flags = MessageFlag.NO_AUTOSTART
    message.signature = "s"
    assert message.signature_tree.signature == pick(
        ours="s", reference="", why="the tree is always that of the signature"
    )
    message.signature_tree = SignatureTree("s")
    assert [message.body, message.unix_fds, message.serial, message.reply_serial] == [
        [1],
        [2],
        3,
        4,
    ]
    assert (message.message_type, message.flags) == (SIGNAL, MessageFlag.NO_AUTOSTART)


def test_there_are_no_other_attributes() -> None:
    message = call()
    with pytest.raises(AttributeError):
        message.colour = "red"
    assert not hasattr(message, "__dict__")
    with pytest.raises(TypeError):
        weakref.ref(message)
    public = {name for name in dir(message) if not name.startswith("_")}
    methods = {name for name in public if callable(getattr(message, name))}
    assert public - methods == {*DEFAULTS, "signature_tree"}


def test_subclasses() -> None:
    class Own(Message):  # type: ignore[misc, valid-type]
        pass

    message = Own("a.b", "/a", "i.f", "M")
    message.colour = "red"
    assert message.path == "/a"
    assert type(Own.new_signal("/", "a.b", "C")) is Message


def test_new_error() -> None:
    expected = {
        **DEFAULTS,
        "message_type": ERROR,
        "destination": ":1.7",
        "reply_serial": 9,
        "error_name": "a.b",
        "signature": "s",
        "body": ["text"],
    }
    assert fields(Message.new_error(received_call(), "a.b", "text")) == expected
    made = Message.new_error(msg=received_call(), error_name="a.b", error_text="text")
    assert fields(made) == expected
    made = Message.new_error(received_call(), ErrorType.FAILED, "")
    assert (made.error_name, made.body) == ("org.freedesktop.DBus.Error.Failed", [""])


def test_new_error_refuses() -> None:
    with pytest.raises(errors.InvalidInterfaceNameError):
        Message.new_error(received_call(), "nodot", "text")
    with pytest.raises(errors.InvalidMessageError):
        Message.new_error(call(), "a.b", "text")
    for given in ((None, "a.b", "text"), (received_call(), "a.b", None)):
        with pytest.raises(TypeError):
            Message.new_error(*given)


def test_new_method_return() -> None:
    expected = {
        **DEFAULTS,
        "message_type": RETURN,
        "destination": ":1.7",
        "reply_serial": 9,
    }
    assert fields(Message.new_method_return(received_call())) == expected
    expected.update(signature="sh", body=["x", 0], unix_fds=[3])
    assert fields(Message.new_method_return(received_call(), "sh", ["x", 0], [3])) == expected
    made = Message.new_method_return(
        msg=received_call(), signature="sh", body=["x", 0], unix_fds=[3]
    )
    assert fields(made) == expected


def test_new_method_return_refuses() -> None:
    with pytest.raises(errors.InvalidSignatureError):
        Message.new_method_return(received_call(), "(")
    with pytest.raises(errors.InvalidMessageError):
        Message.new_method_return(call())
    with pytest.raises(TypeError):
        Message.new_method_return("call")


def test_new_signal() -> None:
    expected = {
        **DEFAULTS,
        "message_type": SIGNAL,
        "path": "/a",
        "interface": "a.b",
        "member": "C",
    }
    assert fields(Message.new_signal("/a", "a.b", "C")) == expected
    assert fields(Message.new_signal("/a", "a.b", "C", "", None, None)) == expected
    expected.update(signature="sh", body=["x", 0], unix_fds=[3])
    assert fields(Message.new_signal("/a", "a.b", "C", "sh", ["x", 0], [3])) == expected
    made = Message.new_signal(
        path="/a", interface="a.b", member="C", signature="sh", body=["x", 0], unix_fds=[3]
    )
    assert fields(made) == expected


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (("a", "a.b", "C"), "InvalidObjectPathError"),
        (("/a", "nodot", "C"), "InvalidInterfaceNameError"),
        (("/a", "a.b", "C D"), "InvalidMemberNameError"),
        (("/a", "a.b", "C", "("), "InvalidSignatureError"),
    ],
)
def test_new_signal_refuses(given: tuple[str, ...], error: str) -> None:
    with pytest.raises(getattr(errors, error)):
        Message.new_signal(*given)


def test_messages_are_equal_to_themselves_only() -> None:
    message = received_call()
    twin = received_call()
    assert message == message
    assert message != twin
    assert message != 5
    assert hash(message) == hash(message)
    assert len({message, twin}) == 2


def test_repr() -> None:
    assert repr(received_call()) == (
        "<Message METHOD_CALL serial=9 reply_serial=0 sender=:1.7 destination=a.b path=/a "
        "interface=i.f member=M error_name=None signature= body=[]>"
    )
    variant = Variant("i", 3)
    signal = Message.new_signal("/a", "a.b", "C", "sv", ["x", variant])
    assert (
        repr(signal)
        == str(signal)
        == (
            "<Message SIGNAL serial=0 reply_serial=0 sender=None destination=None path=/a "
            f"interface=a.b member=C error_name=None signature=sv body=['x', {variant!r}]>"
        )
    )


def test_copies() -> None:
    message = Message("a.b", "/a", "i.f", "M", signature="sv", body=["x", Variant("i", 3)], flags=1)
    for made in (copy.copy(message), pickle.loads(pickle.dumps(message))):
        assert type(made) is Message
        assert fields(made) == fields(message)
        assert made.signature_tree.signature == "sv"


def test_an_error_can_carry_its_reply() -> None:
    reply = Message.new_error(received_call(), "a.b", "text")
    assert errors.DBusError("a.b", "text", reply).reply is reply
    with pytest.raises(TypeError):
        errors.DBusError("a.b", "text", "reply")
