# SPDX-License-Identifier: MIT
"""What the message bus learns from an authenticator."""

from __future__ import annotations

import os
from typing import Optional

import pytest

from dbus.aio.auth import (
    UID_NOT_SPECIFIED,
    AuthAnonymous,
    Authenticator,
    AuthExternal,
    libdbus_mechanism,
)
from dbus.aio.errors import AuthError


@pytest.mark.parametrize(
    "auth, mechanism",
    [
        (None, "EXTERNAL"),
        (AuthExternal(), "EXTERNAL"),
        (AuthExternal(uid=os.geteuid()), "EXTERNAL"),
        (AuthExternal(UID_NOT_SPECIFIED), "EXTERNAL"),
        (AuthAnonymous(), "ANONYMOUS"),
    ],
)
def test_mechanism(auth: Optional[Authenticator], mechanism: str) -> None:
    assert libdbus_mechanism(auth) == mechanism


def test_another_user() -> None:
    with pytest.raises(AuthError, match="claims user"):
        libdbus_mechanism(AuthExternal(uid=os.geteuid() + 1))


class Own(Authenticator):
    """A protocol of its own."""

    mechanism = "OWN"


class OwnExternal(AuthExternal):
    """A known mechanism with a handshake of its own, as dbus-fast would call it."""

    def _receive_line(self, line: str) -> str:
        return line


@pytest.mark.parametrize("auth", [Own(), OwnExternal(), Authenticator()])
def test_own_handshakes_are_refused(auth: Authenticator) -> None:
    with pytest.raises(AuthError, match="libdbus only runs AuthExternal and AuthAnonymous"):
        libdbus_mechanism(auth)


def test_a_subclass_without_a_handshake_is_fine() -> None:
    class Named(AuthExternal):
        pass

    assert libdbus_mechanism(Named()) == "EXTERNAL"


@pytest.mark.parametrize("auth", [5, "EXTERNAL", AuthExternal])
def test_not_an_authenticator(auth: object) -> None:
    with pytest.raises(TypeError, match="an Authenticator is needed"):
        libdbus_mechanism(auth)  # type: ignore[arg-type]
