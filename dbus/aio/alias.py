# SPDX-License-Identifier: MIT
"""`dbus.aio` under the name of dbus-fast, for programs that import that."""

from __future__ import annotations

import sys
from importlib import import_module

_OURS = "dbus.aio"
_THEIRS = "dbus_fast"

# Submodules of both, one a line: `dbus_fast.<name>` is our `dbus.aio.<name>`.
SUBMODULES = (
    "annotations",
    "auth",
    "constants",
    "errors",
    "introspection",
    "message",
    "message_bus",
    "proxy_object",
    "service",
    "signature",
    "unpack",
    "validators",
)

# Under dbus-fast the asyncio bus lives in a package below the top one; here both are one.
PACKAGES = ("", ".aio")
BELOW_AIO = ("message_bus", "proxy_object")


def install_as_dbus_fast() -> None:
    """Make ``import dbus_fast`` and its submodules give this package.

    Call it before anything imports dbus_fast; calling it again is harmless.  RuntimeError if the
    real dbus_fast is loaded already, as a program with both would have two of every class.
    """
    package = import_module(_OURS)
    wanted = {_THEIRS + below: package for below in PACKAGES}
    for name in SUBMODULES:
        wanted[f"{_THEIRS}.{name}"] = import_module(f"{_OURS}.{name}")
    for name in BELOW_AIO:
        wanted[f"{_THEIRS}.aio.{name}"] = wanted[f"{_THEIRS}.{name}"]
    for name, module in list(sys.modules.items()):
        below_theirs = name == _THEIRS or name.startswith(_THEIRS + ".")
        if below_theirs and wanted.get(name) is not module:
            raise RuntimeError(f"{name} is already imported, and is not this package")
    # `import dbus_fast.aio as x` and `from dbus_fast import aio` read the attribute.
    setattr(package, "aio", package)  # noqa: B010  # no such name in the stub of the package
    sys.modules.update(wanted)
