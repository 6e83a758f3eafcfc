# SPDX-License-Identifier: MIT
"""The authenticators as far as they are documented: names, bases, constructors."""

from __future__ import annotations

import pytest
from api import api_module

auth = api_module("auth")


def test_bases() -> None:
    assert issubclass(auth.AuthExternal, auth.Authenticator)
    assert issubclass(auth.AuthAnonymous, auth.Authenticator)
    assert not issubclass(auth.AuthAnonymous, auth.AuthExternal)


def test_no_user_is_a_number() -> None:
    assert auth.UID_NOT_SPECIFIED == -1


@pytest.mark.parametrize("uid", [None, 0, 1000, -1])
def test_external_user(uid: object) -> None:
    assert auth.AuthExternal(uid).uid == uid
    assert auth.AuthExternal(uid=uid).uid == uid


def test_external_default_user() -> None:
    assert auth.AuthExternal().uid is None


def test_external_takes_one_argument() -> None:
    with pytest.raises(TypeError):
        auth.AuthExternal(1, 2)


def test_anonymous_takes_no_argument() -> None:
    assert isinstance(auth.AuthAnonymous(), auth.Authenticator)
    with pytest.raises(TypeError):
        auth.AuthAnonymous(1)


def test_the_old_spelling() -> None:
    assert auth.AuthAnnonymous is auth.AuthAnonymous


def test_a_subclass_of_ones_own() -> None:
    class Mine(auth.Authenticator):  # type: ignore[misc, name-defined]
        pass

    assert isinstance(Mine(), auth.Authenticator)
