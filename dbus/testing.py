# SPDX-License-Identifier: MIT
"""A message bus of one's own, for tests, demonstrations and embedded use.

::

    from dbus.testing import PrivateBus

    with PrivateBus() as bus:
        connection = bus.connection()
        subprocess.run(["my-service"], env=bus.environ())

The bus listens on a Unix socket in a temporary directory with its own configuration; neither a
session bus nor a system bus is needed or touched.  Everything is gone when the ``with`` block is
left, when the object is collected, when the interpreter exits, and also when the process is killed.

This file needs nothing but the standard library until :meth:`PrivateBus.connection` is called, so
it can be loaded by path without the package around it.
"""

from __future__ import annotations

import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import weakref
from typing import IO, TYPE_CHECKING, Dict, List, Mapping, Optional, Tuple, Type
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from types import TracebackType

    from dbus.bus import BusConnection
    from dbus.mainloop import NativeMainLoop

__all__ = ("PrivateBus", "PrivateBusError")

# Unix socket paths end at 107 bytes; what lies under the temporary directory needs about 40.
_LONGEST_TEMP_DIR = 60

# Limits that no test reaches by accident; the daemon's own defaults are meant for desktops.
_LIMITS = {
    "max_incoming_bytes": 1_000_000_000,
    "max_incoming_unix_fds": 250_000_000,
    "max_outgoing_bytes": 1_000_000_000,
    "max_outgoing_unix_fds": 250_000_000,
    "max_message_size": 1_000_000_000,
    "service_start_timeout": 60_000,
    "auth_timeout": 240_000,
    "pending_fd_timeout": 150_000,
    "max_completed_connections": 100_000,
    "max_incomplete_connections": 10_000,
    "max_connections_per_user": 100_000,
    "max_pending_service_starts": 10_000,
    "max_names_per_connection": 50_000,
    "max_match_rules_per_connection": 50_000,
    "max_replies_per_connection": 50_000,
}

_CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
{limits}
{extra}
</busconfig>
"""

# The guard is a shell that waits for the end of a pipe whose other end only this process has.
# That end comes however this process ends, SIGKILL included, and then the guard cleans up.
_GUARD = 'read -r _; kill -s KILL -- "-$1" 2>/dev/null; rm -rf -- "$2"'

# Socket activation wants the listening socket as descriptor 3 and the pid of the very process.
_ACTIVATE = 'exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'


class PrivateBusError(RuntimeError):
    """The private bus could not be started; the text says why."""


class PrivateBus:
    """A message bus that belongs to this process alone.

    Use it as a context manager, or call :meth:`start` and :meth:`close`.  A closed bus can be
    started again, at another address.  One object is for one thread at a time; programs on the
    bus may be anywhere.

    :param services: bus names that the bus starts on demand, each with the command line that
        serves it (as in the ``Exec=`` line of a service file).
    :param config_extra: XML that goes to the end of ``<busconfig>``: policies, limits.
    :param daemon: ``"dbus-daemon"`` or ``"dbus-broker"``.  The latter is run by
        ``dbus-broker-launch``, which needs a system with systemd and its journal.
    :param timeout: how long the daemon may take to start or to stop, in seconds.
    :raises ValueError: for an unknown ``daemon`` or a name with a line break in ``services``.
    """

    def __init__(
        self,
        *,
        services: Optional[Mapping[str, str]] = None,
        config_extra: str = "",
        daemon: str = "dbus-daemon",
        timeout: float = 10.0,
    ) -> None:
        if daemon not in ("dbus-daemon", "dbus-broker"):
            raise ValueError(f"daemon must be 'dbus-daemon' or 'dbus-broker', not {daemon!r}")
        self._services = dict(services or {})
        for name, command in self._services.items():
            if "\n" in name + command or "/" in name:
                raise ValueError(f"not a service and its command line: {name!r}, {command!r}")
        self._config_extra = config_extra
        self._daemon = daemon
        self._timeout = timeout
        self._address = ""
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._connections: List[BusConnection] = []
        self._finalizer: Optional[weakref.finalize] = None  # type: ignore[type-arg]

    def __repr__(self) -> str:
        state = f"at {self._address!r}" if self._process else "not started"
        return f"<{type(self).__name__} of {self._daemon}, {state}>"

    def __enter__(self) -> PrivateBus:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    @property
    def address(self) -> str:
        """The address of the running bus, for example ``unix:path=/tmp/...,guid=...``.

        :raises PrivateBusError: if the bus is not started.
        """
        self._running()
        return self._address

    @property
    def pid(self) -> int:
        """The process id of the daemon (for dbus-broker: of its launcher).

        :raises PrivateBusError: if the bus is not started.
        """
        return self._running().pid

    def environ(self) -> Dict[str, str]:
        """A copy of :data:`os.environ` in which this bus is the session bus.

        :raises PrivateBusError: if the bus is not started.
        """
        environ = dict(os.environ)
        for name in ("SESSION_BUS_PID", "SESSION_BUS_WINDOWID", "STARTER_ADDRESS"):
            environ.pop("DBUS_" + name, None)
        environ.pop("DBUS_STARTER_BUS_TYPE", None)
        environ["DBUS_SESSION_BUS_ADDRESS"] = self.address
        return environ

    def connection(self, mainloop: Optional[NativeMainLoop] = None) -> BusConnection:
        """A new connection to the bus, shared with nobody.

        It does not end the process when the bus goes away, and is closed with the bus.

        :param mainloop: the main loop to serve it, such as ``DBusGMainLoop()``; None means the
            default main loop if one is set, else none.
        :raises PrivateBusError: if the bus is not started.
        :raises dbus.exceptions.DBusException: if the connection fails.
        """
        address = self.address
        from dbus.bus import BusConnection

        connection: BusConnection = BusConnection(address, mainloop=mainloop)
        self._connections.append(connection)
        connection.set_exit_on_disconnect(False)
        return connection

    def start(self) -> None:
        """Start the bus and wait until it takes connections.

        :raises PrivateBusError: if the daemon is not installed, refuses its configuration or is
            not ready within the time-out, or if the bus is started already.
        """
        if self._process is not None:
            raise PrivateBusError("the private bus is started already")
        directory = _temporary_directory()
        try:
            config = self._write_files(directory)
            if self._daemon == "dbus-daemon":
                process, address = self._start_daemon(directory, config)
            else:
                process, address = self._start_broker(directory, config)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise
        self._process = process
        self._address = address

    def close(self) -> None:
        """Close the connections, stop the daemon, remove its files.  Idempotent."""
        connections, self._connections = self._connections, []
        for connection in connections:
            connection.close()
        if self._finalizer is not None:
            self._finalizer()
            self._finalizer = None
        self._process = None
        self._address = ""

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise PrivateBusError("the private bus is not started")
        return self._process

    def _write_files(self, directory: str) -> str:
        """Write the configuration and the service files; give the configuration's path."""
        services = os.path.join(directory, "services")
        os.mkdir(services)
        for name, command in self._services.items():
            path = pathlib.Path(services, name + ".service")
            path.write_text(f"[D-BUS Service]\nName={name}\nExec={command}\n", encoding="utf-8")
        limits = "\n".join(
            f'  <limit name="{name}">{value}</limit>' for name, value in _LIMITS.items()
        )
        config = os.path.join(directory, "bus.conf")
        text = _CONFIG.format(
            socket=escape(os.path.join(directory, "bus")),
            services=escape(services),
            limits=limits,
            extra=self._config_extra,
        )
        pathlib.Path(config).write_text(text, encoding="utf-8")
        return config

    def _start_daemon(self, directory: str, config: str) -> Tuple[subprocess.Popen[bytes], str]:
        """Run dbus-daemon, which prints its address once it listens."""
        reader, writer = os.pipe()
        with open(reader, "rb", buffering=0) as output:
            try:
                process = self._spawn(
                    [
                        "dbus-daemon",
                        "--nofork",
                        "--nosyslog",
                        "--nopidfile",
                        f"--config-file={config}",
                        f"--print-address={writer}",
                    ],
                    directory,
                    pass_fds=(writer,),
                )
            finally:
                os.close(writer)
            line = self._read_line(output)
        if not line:
            raise self._failure(directory)
        return process, line

    def _start_broker(self, directory: str, config: str) -> Tuple[subprocess.Popen[bytes], str]:
        """Run dbus-broker-launch on a socket made here, and wait for the answer of a client."""
        path = os.path.join(directory, "bus")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(64)
            broker = ["dbus-broker-launch", "--scope", "user", "--config-file", config]
            if shutil.which(broker[0]) is None:
                raise PrivateBusError(_missing("dbus-broker-launch", "dbus-broker"))
            process = self._spawn(
                ["/bin/sh", "-c", _ACTIVATE, "sh", *broker], directory, stdin=listener.fileno()
            )
        if not self._answers(path):
            raise self._failure(directory)
        return process, f"unix:path={path}"

    def _spawn(
        self,
        command: List[str],
        directory: str,
        *,
        pass_fds: Tuple[int, ...] = (),
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Run the daemon in a process group of its own, so that its children end with it."""
        with open(os.path.join(directory, "log"), "wb") as log:
            try:
                process = subprocess.Popen(
                    command,
                    stdin=stdin,
                    stdout=log,
                    stderr=log,
                    pass_fds=pass_fds,
                    start_new_session=True,
                )
            except FileNotFoundError:
                raise PrivateBusError(_missing(command[0], command[0])) from None
        try:
            guard = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, "sh", str(process.pid), directory],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            process.kill()
            process.wait()
            raise
        self._finalizer = weakref.finalize(
            self, _clean_up, process, guard, directory, self._timeout, os.getpid()
        )
        return process

    def _read_line(self, output: IO[bytes]) -> str:
        """One line that the daemon prints; empty if it ends or the time is over."""
        deadline = time.monotonic() + self._timeout
        text = b""
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([output], [], [], max(0.0, deadline - time.monotonic()))
            chunk = output.read(4096) if ready else b""
            if not chunk:
                return ""
            text += chunk
        return text.decode().strip()

    def _answers(self, path: str) -> bool:
        """Whether the bus at ``path`` begins to authenticate a client within the time-out."""
        uid = str(os.getuid()).encode().hex().encode()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(self._timeout)
            try:
                client.connect(path)
                client.sendall(b"\0AUTH EXTERNAL " + uid + b"\r\n")
                return client.recv(2) == b"OK"
            except OSError:
                return False

    def _failure(self, directory: str) -> PrivateBusError:
        """Stop what was started; an error with the last words of the daemon."""
        log = pathlib.Path(directory, "log").read_text(encoding="utf-8", errors="replace")
        self.close()
        reason = log.strip() or f"it was not ready within {self._timeout} s"
        return PrivateBusError(f"{self._daemon} did not start: {reason}")


def _missing(program: str, package: str) -> str:
    return f"{program} is not installed or not on PATH (Debian and Ubuntu: package {package})"


def _temporary_directory() -> str:
    base: Optional[str] = tempfile.gettempdir()
    if base is not None and len(os.fsencode(base)) > _LONGEST_TEMP_DIR:
        base = "/tmp"
    return tempfile.mkdtemp(prefix="dbus-", dir=base)


def _clean_up(
    process: subprocess.Popen[bytes],
    guard: subprocess.Popen[bytes],
    directory: str,
    timeout: float,
    owner: int,
) -> None:
    """Stop the daemon and its children, then the guard, and remove the directory."""
    if os.getpid() != owner:
        # A forked child has a copy of the object, but the bus is its parent's.
        process.returncode = guard.returncode = 0
        return
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
    guard.kill()
    guard.communicate()
    shutil.rmtree(directory, ignore_errors=True)


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass
