# SPDX-License-Identifier: MIT
"""The API under test: `dbus.aio`, or dbus-fast when `DBUS_AIO_REFERENCE=1`.

`api` is the top-level module, `api_module(name)` a submodule; `pick` chooses what to expect where
the two differ on purpose.
"""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType
from typing import TypeVar

REFERENCE = os.environ.get("DBUS_AIO_REFERENCE", "") not in ("", "0")
PACKAGE = "dbus_fast" if REFERENCE else "dbus.aio"

T = TypeVar("T")

api: ModuleType = import_module(PACKAGE)


def api_module(name: str) -> ModuleType:
    """The submodule ``name`` ("introspection") of the package under test."""
    return import_module(f"{PACKAGE}.{name}")


def pick(*, ours: T, reference: T, why: str) -> T:
    """What to expect of the implementation under test; ``why`` says why the two differ."""
    assert why
    return reference if REFERENCE else ours
