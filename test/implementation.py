# SPDX-License-Identifier: MIT
"""Which D-Bus binding is under test, and how far it may differ from the others.

The suite runs against three implementations: this project, and the reference at two API levels.
Without a switch the modules must be this project's; `DBUS_SHIM_REFERENCE=1` says that the
reference is meant.  A test states a wanted difference with `differs`, which asserts one side on
ours and the other side on the reference, and every difference met is listed at the end of the run.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = os.environ.get("DBUS_SHIM_REFERENCE", "") not in ("", "0")

# The differences met in this run: reason -> how often it was asserted.
DIFFERENCES: dict[str, int] = {}
# Further lines for the summary: heading -> lines.
NOTES: dict[str, list[str]] = {}


def _forget_source_tree() -> None:
    """Take the source root off sys.path: its `dbus` has no C modules, and hides the built one."""
    kept = []
    for entry in sys.path:
        if Path(entry or os.getcwd()).resolve() != ROOT:
            kept.append(entry)
    sys.path[:] = kept


def _version_tuple(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


_forget_source_tree()
IMPORT_ERROR: Optional[BaseException] = None
try:
    import _dbus_bindings
    import dbus
except ImportError as error:  # Tests that import nothing of ours may still run.
    IMPORT_ERROR = error
    LEVEL: tuple[int, ...] = (0,)
    SHIM_VERSION: Optional[str] = None
    LIBRARY_DIR = ""
    BINDINGS_FILE = ""
else:
    # The API level of dbus-python that the implementation states, (1, 3, 2) for instance.
    LEVEL = _version_tuple(_dbus_bindings.__version__)
    SHIM_VERSION = getattr(dbus, "shim_version", None)
    BINDINGS_FILE = os.path.realpath(_dbus_bindings.__file__)
    # What PYTHONPATH must hold for another process to import the same modules.
    LIBRARY_DIR = os.path.dirname(_dbus_bindings.__file__)


def wrong_implementation() -> Optional[str]:
    """The reason why the imported modules are not those that the switch asks for, or None."""
    if IMPORT_ERROR is not None:
        return f"nothing to test: {IMPORT_ERROR}" if REFERENCE else None
    if REFERENCE:
        if SHIM_VERSION is not None:
            return f"DBUS_SHIM_REFERENCE is set, but {BINDINGS_FILE} is this project's own build"
        return None
    if SHIM_VERSION is None:
        return (
            f"{BINDINGS_FILE} is not this project's: put the directory that `./dev build` prints "
            "on PYTHONPATH, or set DBUS_SHIM_REFERENCE=1"
        )
    package_dir = os.path.dirname(os.path.dirname(os.path.realpath(dbus.__file__)))
    if package_dir != os.path.dirname(BINDINGS_FILE):
        return f"the package comes from {package_dir}, but the C module is {BINDINGS_FILE}"
    return None


def default_main_loop() -> Any:
    """The default main loop, which connections made without one would get."""
    return _dbus_bindings.get_default_main_loop()


def describe() -> str:
    """One line for the head of the test report."""
    if IMPORT_ERROR is not None:
        return f"implementation: none can be imported ({IMPORT_ERROR})"
    name = "the reference" if REFERENCE else f"dbus-shim {SHIM_VERSION}"
    level = ".".join(map(str, LEVEL))
    return f"implementation: {name}, API level {level}, {BINDINGS_FILE}"


def differs(*, ours: Any, reference: Any, why: str) -> Any:
    """Return the side that the implementation under test must show, and note the difference."""
    DIFFERENCES[why] = DIFFERENCES.get(why, 0) + 1
    return reference if REFERENCE else ours


def testing_module() -> ModuleType:
    """`dbus/testing.py` of the source tree, whatever `dbus` is installed."""
    name = "dbus_shim_testing"
    if name not in sys.modules:
        path = ROOT / "dbus" / "testing.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def child_environ(**extra: str) -> dict[str, str]:
    """An environment in which a child process imports the implementation under test."""
    environ = dict(os.environ)
    environ["PYTHONPATH"] = LIBRARY_DIR
    environ.update(extra)
    return environ


class SnippetResult:
    """How a snippet ended: `returncode` (negative: the signal), `stdout`, `stderr`."""

    def __init__(self, returncode: int, stdout: str, stderr: str) -> None:
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr

    @property
    def killed(self) -> bool:
        """True when a signal ended the process, as an abort or a crash does."""
        return self.returncode < 0

    @property
    def exception(self) -> Optional[str]:
        """The last line of stderr when the snippet ended with an uncaught exception."""
        lines = self.stderr.strip().splitlines()
        return lines[-1] if self.returncode == 1 and lines else None

    def __repr__(self) -> str:
        return f"<exit {self.returncode}\nstdout: {self.stdout}\nstderr: {self.stderr}>"


def _no_core_file() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_snippet(
    code: str, *args: str, timeout: float = 30.0, env: Optional[dict[str, str]] = None
) -> SnippetResult:
    """Run Python code in a process of its own, against the implementation under test.

    `args` become sys.argv[1:], `env` is added to the environment, `timeout` is in seconds
    (subprocess.TimeoutExpired when it passes).
    """
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        env=child_environ(**(env or {})),
        cwd="/",  # -c puts the working directory first on sys.path
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=timeout,
        preexec_fn=_no_core_file,
    )
    return SnippetResult(done.returncode, done.stdout, done.stderr)
