# SPDX-License-Identifier: MIT
"""What comes after the wrong thing: how a call and a connection have ended, and what works then."""

from __future__ import annotations

from cases import AIO, OURS, Lost, Place
from faces import LOST, Face
from observed import expect

_GOOD = "reply: good"


def expect_error(outcome: str, names: "frozenset[str]", ours: bool) -> None:
    """Lost if there was a reply, or, of this package, an error of another name."""
    if outcome.startswith("reply") or (ours and outcome not in names):
        raise Lost(f"{outcome!r} in place of an error")


def is_ours(place: Place) -> bool:
    return place.side in (OURS, AIO)


def later(face: Face, address: str) -> None:
    """A later connection is not disturbed."""
    other = face.again()
    other.open(address)
    expect(other.call("Good"), _GOOD)
    other.close()


def ended_once(face: Face) -> None:
    """The end of the connection is told, and once; a call on it fails."""
    if face.tells_end:
        if not face.until(lambda: face.gone, 10):
            raise Lost("nobody was told of the end of the connection")
        expect(face.is_connected(), False)
    # Where nobody is told, only a call finds out.
    expect_error(face.call("Good"), LOST, is_ours(face.place))
    if face.is_connected():
        raise Lost("the connection claims to go on")
    told_once(face)


def told_once(face: Face) -> None:
    face.close()
    if face.tells_end:
        face.until(lambda: face.gone > 1, 0.05)
        expect(face.gone, 1)


def survivor(face: Face) -> None:
    """The connection goes on, and its own end is told once."""
    expect(face.gone, 0)
    expect(face.call("Good"), _GOOD)
    told_once(face)


def after_call(face: Face, ends: "list[str]", call: str) -> str:
    """How the call ended, after time enough for a second end."""
    if not face.until(lambda: ends, 15):
        raise Lost(f"a call of {call} has no end")
    face.until(lambda: len(ends) > 1, 0.02)
    expect(len(ends), 1)
    return ends[0]
