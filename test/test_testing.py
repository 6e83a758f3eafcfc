# SPDX-License-Identifier: MIT
"""dbus.testing: the bus comes up, answers, and leaves nothing behind."""

from __future__ import annotations

import gc
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import implementation
import pytest

testing = implementation.testing_module()
PrivateBus = testing.PrivateBus
PrivateBusError = testing.PrivateBusError

SOURCE = Path(testing.__file__)
SECONDS = 20.0


def socket_path(bus) -> str:
    """The path in a bus' address."""
    return bus.address.split("path=")[1].split(",")[0]


def wait_until_gone(pid: int, directory: str) -> None:
    """Wait for the end of a process that is not our child, and of a directory."""
    deadline = time.monotonic() + SECONDS
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        pass
    else:
        try:
            assert select.select([descriptor], [], [], SECONDS)[0], f"process {pid} lives on"
        finally:
            os.close(descriptor)
    while os.path.exists(directory):
        assert time.monotonic() < deadline, f"{directory} is still there"
        time.sleep(0.01)


def greeting(path: str) -> bytes:
    """What the bus at this path says to a client that wants to authenticate."""
    uid = str(os.getuid()).encode().hex().encode()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(SECONDS)
        client.connect(path)
        client.sendall(b"\0AUTH EXTERNAL " + uid + b"\r\n")
        return client.recv(100)


def test_the_bus_accepts_this_user_while_it_runs():
    with PrivateBus() as bus:
        path = socket_path(bus)
        assert greeting(path).startswith(b"OK ")
        os.kill(bus.pid, 0)
        pid = bus.pid
    assert not os.path.exists(os.path.dirname(path))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_environ_names_the_bus_and_changes_nothing_of_ours(monkeypatch):
    monkeypatch.setenv("DBUS_STARTER_ADDRESS", "unix:path=/nowhere")
    monkeypatch.setenv("OTHER", "kept")
    before = dict(os.environ)
    with PrivateBus() as bus:
        environ = bus.environ()
        assert environ["DBUS_SESSION_BUS_ADDRESS"] == bus.address
        assert "DBUS_STARTER_ADDRESS" not in environ
        assert environ["OTHER"] == "kept"
    assert dict(os.environ) == before


def test_two_buses_are_two():
    with PrivateBus() as one, PrivateBus() as two:
        assert one.address != two.address
        assert one.pid != two.pid


def test_close_twice_and_start_again():
    bus = PrivateBus()
    bus.start()
    first = bus.address
    bus.close()
    bus.close()
    bus.start()
    try:
        assert bus.address != first
    finally:
        bus.close()


def test_what_needs_a_running_bus_says_so():
    bus = PrivateBus()
    for use in (lambda: bus.address, lambda: bus.pid, bus.environ, bus.connection):
        with pytest.raises(PrivateBusError, match="not started"):
            use()
    with bus:
        with pytest.raises(PrivateBusError, match="started already"):
            bus.start()


def test_wrong_arguments_are_value_errors():
    with pytest.raises(ValueError, match="dbus-daemon"):
        PrivateBus(daemon="inetd")
    with pytest.raises(ValueError, match="not a service"):
        PrivateBus(services={"a.b": "true\nUser=root"})
    with pytest.raises(ValueError, match="not a service"):
        PrivateBus(services={"../../a.b": "true"})


def test_a_daemon_that_refuses_its_configuration_is_quoted(monkeypatch):
    # A short directory: one of pytest's would be too long for a socket, and /tmp is not ours alone.
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setattr(tempfile, "tempdir", directory)
        with pytest.raises(PrivateBusError, match="nonsense"):
            PrivateBus(config_extra="<nonsense/>").start()
        assert os.listdir(directory) == []
        with PrivateBus():
            assert os.listdir(directory) != []
        assert os.listdir(directory) == []


def test_a_missing_daemon_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PrivateBusError, match="dbus-daemon is not installed"):
        PrivateBus().start()


def test_a_daemon_that_says_nothing_is_given_up(monkeypatch, tmp_path):
    program = tmp_path / "dbus-daemon"
    program.write_text("#!/bin/sh\necho dull >&2\nexec sleep 1000\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    bus = PrivateBus(timeout=0.3)
    with pytest.raises(PrivateBusError, match="dull"):
        bus.start()
    assert "not started" in repr(bus)


def test_a_collected_bus_is_stopped():
    bus = PrivateBus()
    bus.start()
    pid, directory = bus.pid, os.path.dirname(socket_path(bus))
    del bus
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not os.path.exists(directory)


def test_a_forked_child_leaves_the_bus_alone():
    with PrivateBus() as bus:
        child = os.fork()
        if child == 0:
            bus.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert greeting(socket_path(bus)).startswith(b"OK ")


# A process that starts a bus, tells its pid and directory, and then ends in one of several ways.
CHILD = """
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("standalone_testing", sys.argv[1])
testing = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = testing
spec.loader.exec_module(testing)
assert "dbus" not in sys.modules
bus = testing.PrivateBus()
bus.start()
print(bus.pid, os.path.dirname(bus.address.split("path=")[1].split(",")[0]), flush=True)
exec(sys.argv[2])
"""


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("pass", 0),
        ("raise SystemExit(3)", 3),
        ("1 / 0", 1),
        ("os._exit(4)", 4),
        ("os.abort()", -signal.SIGABRT),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL),
    ],
)
def test_nothing_is_left_however_the_process_ends(ending, status, tmp_path):
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(SOURCE), ending],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        text=True,
        timeout=60,
    )
    assert child.returncode == status
    pid, directory = child.stdout.split()
    wait_until_gone(int(pid), directory)


def test_a_long_temporary_directory_does_not_break_the_socket(monkeypatch, tmp_path):
    deep = tmp_path / ("x" * 90)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with PrivateBus() as bus:
        assert greeting(socket_path(bus)).startswith(b"OK ")


def test_connections_are_private_and_closed_with_the_bus():
    pytest.importorskip("dbus")
    with PrivateBus() as bus:
        one, two = bus.connection(), bus.connection()
        assert one.get_unique_name() != two.get_unique_name()
        assert two.get_unique_name() in one.list_names()
    assert not one.get_is_connected()
    assert not two.get_is_connected()


def test_connections_outlive_a_bus_that_dies():
    pytest.importorskip("dbus")
    import dbus

    with PrivateBus() as bus:
        connection = bus.connection()
        os.kill(bus.pid, signal.SIGKILL)
        with pytest.raises(dbus.DBusException):
            connection.list_names()
            connection.list_names()


def test_services_are_started_on_demand(tmp_path):
    pytest.importorskip("dbus")
    log = tmp_path / "started"
    program = tmp_path / "a service"
    program.write_text(f"#!/bin/sh\necho $DBUS_STARTER_BUS_TYPE >'{log}'\nexit 7\n")
    program.chmod(0o755)
    import dbus

    with PrivateBus(services={"org.example.Started": f"'{program}'"}) as bus:
        connection = bus.connection()
        assert "org.example.Started" in connection.list_activatable_names()
        with pytest.raises(dbus.DBusException, match="7"):
            connection.start_service_by_name("org.example.Started")
    assert log.read_text() == "session\n"


def test_dbus_broker_runs_or_tells_why_not():
    bus = PrivateBus(daemon="dbus-broker", timeout=5.0)
    try:
        bus.start()
    except PrivateBusError as error:
        reason = "not installed" if shutil.which("dbus-broker-launch") is None else "did not start"
        assert reason in str(error)
    else:
        with bus_closing(bus):
            assert greeting(socket_path(bus)).startswith(b"OK ")


class bus_closing:
    """Closes a bus that is started already."""

    def __init__(self, bus):
        self.bus = bus

    def __enter__(self):
        return self.bus

    def __exit__(self, *_):
        self.bus.close()
