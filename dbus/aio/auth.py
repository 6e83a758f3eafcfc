# SPDX-License-Identifier: MIT
"""Who a connection claims to be.

The handshake itself is libdbus' business.  An authenticator only says which mechanism is wanted;
the message bus asks `libdbus_mechanism` before it connects, so that a wish which libdbus cannot
fulfil is an error and is not silently ignored.
"""

from __future__ import annotations

import os

from dbus.aio.errors import AuthError

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Optional

#: For `AuthExternal`: let the server ask the kernel who is calling.
UID_NOT_SPECIFIED = -1

# What a subclass overrides to speak a protocol of its own, in dbus-fast.
_HANDSHAKE_HOOKS = ("_authentication_start", "_receive_line")


class Authenticator:
    """The base of the authenticators; not one by itself.

    ``mechanism`` is the name of the SASL mechanism, as in the D-Bus specification.
    """

    mechanism: str = ""


class AuthExternal(Authenticator):
    """Authentication by the credentials that the kernel passes along: what every bus accepts.

    ``uid`` is the numeric user id to claim; None, the default, is the user of this process, and
    `UID_NOT_SPECIFIED` claims none.
    """

    mechanism = "EXTERNAL"

    def __init__(self, uid: Optional[int] = None) -> None:
        self.uid = uid


class AuthAnonymous(Authenticator):
    """No identity at all, for servers that allow it."""

    mechanism = "ANONYMOUS"


# dbus-fast has kept this spelling for programs written for its first releases.
AuthAnnonymous = AuthAnonymous


def libdbus_mechanism(auth: Optional[Authenticator]) -> str:
    """The mechanism to connect with for ``auth``; None stands for `AuthExternal`.

    Raises AuthError for an authenticator that libdbus cannot run: one with a handshake of its own,
    or one that claims another user.  TypeError if ``auth`` is not an authenticator.
    """
    if auth is None:
        return AuthExternal.mechanism
    if not isinstance(auth, Authenticator):
        raise TypeError(f"an Authenticator is needed, not {type(auth).__name__}")
    name = type(auth).__name__
    if not isinstance(auth, (AuthExternal, AuthAnonymous)) or any(
        hasattr(auth, hook) for hook in _HANDSHAKE_HOOKS
    ):
        raise AuthError(
            f"{name} has a handshake of its own; libdbus only runs AuthExternal and AuthAnonymous"
        )
    if isinstance(auth, AuthExternal) and auth.uid not in (None, UID_NOT_SPECIFIED, os.geteuid()):
        raise AuthError(
            f"{name} claims user {auth.uid}; libdbus always speaks for the effective user, "
            f"{os.geteuid()}"
        )
    return auth.mechanism
