# SPDX-License-Identifier: MIT
"""Run programs that others wrote against the implementation under test, and prove that they did.

Each Python process started here writes down, at its start, where `import _dbus_bindings` will find
its module; `Programs.check` compares that with the module that the test itself has loaded.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Optional

import implementation
import pytest
from glibloop import run_until
from peers import attach

# Python imports a module of this name at its start; the one of the distribution does nothing else.
SITECUSTOMIZE = """\
import importlib.util, os, sys
_log = os.environ.get("DBUS_TEST_ORIGINS")
if _log:
    _spec = importlib.util.find_spec("_dbus_bindings")
    with open(_log, "a") as _file:
        print(os.path.realpath(_spec.origin) if _spec else "nowhere", file=_file)
"""


def need_command(name: str, package: str) -> str:
    """The path of a program; the test is skipped when it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed (Debian: {package})")
    return path


def need_module(name: str, package: str) -> None:
    """Skip the test when this interpreter cannot import a module."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"no module {name} for {sys.executable} (Debian: {package})")


class Programs:
    """The programs of one test, all on one private bus, ended with it."""

    def __init__(self, bus: Any, folder: Path) -> None:
        self.bus = bus
        self.origins = folder / "origins"
        self.running: list[subprocess.Popen[str]] = []
        self.started = 0
        site = folder / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(SITECUSTOMIZE)
        self.environ = bus.environ()
        self.environ.update(
            PYTHONPATH=os.pathsep.join([str(site), implementation.LIBRARY_DIR]),
            PYTHONUNBUFFERED="1",
            PYTHONDONTWRITEBYTECODE="1",
            DBUS_TEST_ORIGINS=str(self.origins),
            DBUS_SYSTEM_BUS_ADDRESS=bus.address,
            DBUS_STARTER_ADDRESS=bus.address,
        )
        self._watcher: Any = None

    def python(self, *arguments: str, **keywords: Any) -> str:
        """Run a Python program to its end; its output."""
        return self.run(sys.executable, *arguments, **keywords)

    def run(self, *command: str, timeout: float = 20, status: Optional[int] = 0) -> str:
        """Run a program to its end; what it printed.  `status` None takes any."""
        self.started += 1
        done = subprocess.run(
            command,
            env=self.environ,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            timeout=timeout,
        )
        assert status is None or done.returncode == status, (command, done.stdout, done.stderr)
        return done.stdout

    def serve(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a Python program and wait until it owns a bus name."""
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=self.environ,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
        self.running.append(process)
        self.started += 1
        if self._watcher is None:
            self._watcher = attach(self.bus)
        owners: list[str] = []
        watch = self._watcher.watch_name_owner(name, owners.append)
        run_until(lambda: any(owners) or process.poll() is not None, 20)
        watch.cancel()
        assert any(owners), process.communicate()[0]
        return process

    def output(self, process: subprocess.Popen[str], timeout: float = 20) -> str:
        """Wait for the end of a served program; what it printed."""
        text, _ = process.communicate(timeout=timeout)
        assert process.returncode == 0, text
        return text

    def check(self) -> None:
        """Every Python process found the module under test; none is started by what is skipped."""
        if not self.started:
            return
        found = self.origins.read_text().split()
        assert found
        assert set(found) == {implementation.BINDINGS_FILE}

    def end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.communicate()
