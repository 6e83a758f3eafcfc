# SPDX-License-Identifier: MIT
"""What most tests of the public API share: two programs on a bus, and a call between them."""

from __future__ import annotations

from typing import Any, Callable

import pytest


@pytest.fixture
def server(bus: Any) -> Any:
    """A connection that exports or emits, served by the default GLib main context."""
    from peers import attach

    return attach(bus)


@pytest.fixture
def client(bus: Any) -> Any:
    """Another one, that calls or listens."""
    from peers import attach

    return attach(bus)


@pytest.fixture
def ask(server: Any, client: Any) -> Callable[..., Any]:
    """Call a member of the server's object at ``/t``; (error name or None, arguments)."""
    from peers import call

    def ask(member: str, *args: Any, interface: str = "test.I", path: str = "/t") -> Any:
        return call(client, server, path, member, *args, interface=interface)

    return ask
