# SPDX-License-Identifier: MIT
"""UnixFd: it owns a duplicate, gives it away once, and closes what nobody took."""

from __future__ import annotations

import gc
import os
from typing import Any

import pytest

from dbus.lowlevel import SignalMessage
from dbus.types import UnixFd


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def open_count() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def pipe() -> Any:
    ends = os.pipe()
    yield ends
    for fd in ends:
        if is_open(fd):
            os.close(fd)


def test_takes_a_duplicate(pipe: Any) -> None:
    made = UnixFd(pipe[0])
    os.close(pipe[0])
    taken = made.take()
    try:
        assert taken != pipe[0] or is_open(taken)
        os.write(pipe[1], b"through")
        assert os.read(taken, 10) == b"through"
    finally:
        os.close(taken)


def test_the_duplicate_is_not_inherited(pipe: Any, differs: Any) -> None:
    taken = UnixFd(pipe[0]).take()
    inheritable = os.get_inheritable(taken)
    os.close(taken)
    why = "the duplicate that a UnixFd makes does not leak into programs that are started"
    assert inheritable is differs(ours=False, reference=True, why=why)


def test_taken_once_only(pipe: Any) -> None:
    made = UnixFd(pipe[0])
    os.close(made.take())
    with pytest.raises(ValueError, match="already taken"):
        made.take()


def test_closed_when_dropped(pipe: Any) -> None:
    before = open_count()
    made = UnixFd(pipe[0])
    assert open_count() == before + 1
    del made
    gc.collect()
    assert open_count() == before


def test_not_closed_when_taken(pipe: Any) -> None:
    made = UnixFd(pipe[0])
    taken = made.take()
    del made
    gc.collect()
    assert is_open(taken)
    os.close(taken)


def test_from_an_object_with_fileno(pipe: Any) -> None:
    with os.fdopen(os.dup(pipe[0]), "rb") as file:
        made = UnixFd(file)
    taken = made.take()
    assert is_open(taken)
    os.close(taken)


@pytest.mark.parametrize("wrong", [-1, 2**31, 999999])
def test_descriptors_that_are_not_open(wrong: int) -> None:
    with pytest.raises(ValueError):
        UnixFd(wrong)


def test_a_number_that_no_c_type_holds() -> None:
    with pytest.raises(OverflowError):
        UnixFd(2**70)


@pytest.mark.parametrize("wrong", ["0", None, 1.0, [], object(), b"0"])
def test_wrong_types(wrong: Any) -> None:
    with pytest.raises(ValueError, match="fileno"):
        UnixFd(wrong)


def test_exception_of_fileno_comes_through() -> None:
    class Angry:
        def fileno(self) -> int:
            raise KeyError("angry")

    with pytest.raises(KeyError, match="angry"):
        UnixFd(Angry())


def test_level(pipe: Any) -> None:
    assert UnixFd(pipe[0]).variant_level == 0
    assert UnixFd(pipe[0], variant_level=2).variant_level == 2
    assert UnixFd(pipe[0], 3).variant_level == 3
    with pytest.raises(ValueError, match="variant_level"):
        UnixFd(pipe[0], variant_level=-1)


def test_no_descriptor_is_lost_by_failing_constructors(pipe: Any) -> None:
    before = open_count()
    for arguments in ({"variant_level": -1}, {"variant_level": "x"}, {"foo": 1}):
        with pytest.raises((ValueError, TypeError)):
            UnixFd(pipe[0], **arguments)
    assert open_count() == before


def test_shape(pipe: Any) -> None:
    made = UnixFd(pipe[0])
    assert repr(made).startswith("<dbus.UnixFd object at 0x")
    assert not hasattr(made, "__dict__")
    assert made == made and made != UnixFd(pipe[0])
    assert isinstance(hash(made), int)
    with pytest.raises(AttributeError):
        made.variant_level = 1
    with pytest.raises(TypeError):
        type("Mine", (UnixFd,), {})


@pytest.mark.parametrize("signature", ["h", None])
def test_in_a_message(pipe: Any, signature: Any) -> None:
    before = open_count()
    message = SignalMessage("/", "a.b", "S")
    if signature:
        message.append(pipe[1], signature="h")
    else:
        message.append(UnixFd(pipe[1]))
    assert message.get_signature() == "h"
    found = message.get_args_list()[0]
    assert type(found) is UnixFd
    taken = found.take()
    os.write(taken, b"x")
    assert os.read(pipe[0], 1) == b"x"
    os.close(taken)
    del message, found
    gc.collect()
    assert open_count() == before


def test_every_reading_gives_another_duplicate(pipe: Any) -> None:
    message = SignalMessage("/", "a.b", "S")
    message.append(pipe[1], signature="h")
    first, second = (message.get_args_list()[0].take() for _ in range(2))
    assert first != second
    os.close(first)
    os.close(second)
    os.close(message.get_args_list()[0].take())


def test_in_containers(pipe: Any) -> None:
    message = SignalMessage("/", "a.b", "S")
    message.append(
        [pipe[0], UnixFd(pipe[1])], {"k": UnixFd(pipe[0])}, (pipe[0], "x"), signature="aha{sv}(hs)"
    )
    listed, mapped, struct = message.get_args_list()
    assert listed.signature == "h" and len(listed) == 2
    assert mapped["k"].variant_level == 1
    os.write(pipe[1], b"ab")
    taken = struct[0].take()
    assert os.read(taken, 2) == b"ab"
    os.close(taken)


def test_many_descriptors(pipe: Any) -> None:
    before = open_count()
    message = SignalMessage("/", "a.b", "S")
    message.append([pipe[0]] * 40, signature="ah")
    assert len(message.get_args_list()[0]) == 40
    del message
    gc.collect()
    assert open_count() == before
