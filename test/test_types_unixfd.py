# SPDX-License-Identifier: MIT
"""types/unixfd.c: UnixFd, the owner of a descriptor."""

import copy
import errno
import fcntl
import os
import pickle

import pytest

from dbus.types import UnixFd


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for fd in ends:
        try:
            os.close(fd)
        except OSError as error:
            assert error.errno == errno.EBADF


def is_open(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_is_a_copy_and_take_gives_it_away(pipe):
    read_end, write_end = pipe
    holder = UnixFd(write_end)
    os.close(write_end)
    taken = holder.take()
    assert taken != write_end or is_open(taken)
    os.write(taken, b"x")
    assert os.read(read_end, 1) == b"x"
    with pytest.raises(ValueError, match="already taken"):
        holder.take()
    del holder
    assert is_open(taken)
    os.close(taken)


def test_the_copy_is_closed_with_the_object(pipe):
    read_end, write_end = pipe
    holder = UnixFd(write_end)
    os.close(write_end)
    del holder
    assert os.read(read_end, 1) == b""  # end of file: nobody has the other end any more


def test_the_copy_does_not_survive_exec(pipe):
    taken = UnixFd(pipe[0]).take()
    assert fcntl.fcntl(taken, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    os.close(taken)


def test_from_a_file(tmp_path):
    with open(tmp_path / "file", "w") as file:
        taken = UnixFd(file).take()
    assert is_open(taken)
    os.close(taken)


def test_level(pipe):
    assert UnixFd(pipe[0]).variant_level == 0
    assert UnixFd(pipe[0], 2).variant_level == 2
    assert UnixFd(fd=pipe[0], variant_level=3).variant_level == 3
    with pytest.raises(ValueError, match="non-negative|less than 0"):
        UnixFd(pipe[0], variant_level=-1)
    with pytest.raises(AttributeError):
        UnixFd(pipe[0]).variant_level = 1


def test_not_a_descriptor(pipe):
    class Fileno:
        def __init__(self, result):
            self.result = result

        def fileno(self):
            if isinstance(self.result, Exception):
                raise self.result
            return self.result

    os.close(pipe[0])
    with pytest.raises(ValueError, match="Invalid file descriptor"):
        UnixFd(pipe[0])
    for given in ("x", None, 1.5, UnixFd(pipe[1]), Fileno("x"), -1, Fileno(-1), 2**31):
        with pytest.raises(ValueError):
            UnixFd(given)
    with pytest.raises(OverflowError):
        UnixFd(10**20)
    with pytest.raises(KeyError):
        UnixFd(Fileno(KeyError("fileno")))
    with pytest.raises(TypeError):
        UnixFd()
    with pytest.raises(TypeError):
        UnixFd(pipe[1], colour=1)


def test_cannot_be_copied_pickled_or_subclassed(pipe):
    holder = UnixFd(pipe[0])
    with pytest.raises(TypeError, match="cannot pickle"):
        copy.copy(holder)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot pickle"):
            pickle.dumps(holder, protocol)
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Mine", (UnixFd,), {})
    with pytest.raises(AttributeError):
        holder.note = 1
