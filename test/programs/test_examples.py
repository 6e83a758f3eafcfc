# SPDX-License-Identifier: MIT
"""The example programs of Debian's python-dbus-doc, unmodified."""

from pathlib import Path

import pytest
from running import need_module

EXAMPLES = Path("/usr/share/doc/python-dbus-doc/examples")


@pytest.fixture(autouse=True)
def installed():
    if not EXAMPLES.is_dir():
        pytest.skip(f"no {EXAMPLES} (Debian: python-dbus-doc)")
    need_module("gi", "python3-gi")


def example(name):
    path = EXAMPLES / name
    if not path.exists():
        pytest.skip(f"no {path}")
    return str(path)


def test_service_and_client(programs):
    service = programs.serve("com.example.SampleService", example("example-service.py"))
    text = programs.python(example("example-client.py"), "--exit-service")
    lines = text.splitlines()
    assert sum(line.startswith("client:") for line in lines) == 5
    assert "from example-service.py" in text
    assert "com.example.DemoException" in text
    assert '<interface name="com.example.SampleInterface">' in text
    served = programs.output(service)
    assert "service: Hello from example-client.py!" in served
    assert "Traceback" not in text + served


def test_service_and_asynchronous_client(programs):
    service = programs.serve("com.example.SampleService", example("example-service.py"))
    text = programs.python(example("example-async-client.py"))
    assert "RaiseException raised an exception as expected" in text
    assert "com.example.DemoException" in text
    assert "not meant to happen" not in text
    service.terminate()
    served, _ = service.communicate(timeout=20)
    assert "service: Hello from example-async-client.py!" in served


def test_signal_emitter_and_recipient(programs):
    emitter = programs.serve("com.example.TestService", example("example-signal-emitter.py"))
    text = programs.python(example("example-signal-recipient.py"), "--exit-service")
    for part in (
        "(by connecting using remote object) and it says: Hello",
        "(in catchall handler)",
        "Received a hello signal and it says Hello",
        "com.example.TestService interface says Hello when it sent signal HelloSignal",
    ):
        assert part in text
    assert "Traceback" not in text
    programs.output(emitter)


def test_unix_fd_service_and_client(programs, tmp_path):
    given = tmp_path / "given"
    given.write_text("through the bus\n")
    programs.serve("com.example.SampleService", example("unix-fd-service.py"), str(given))
    text = programs.python(example("unix-fd-client.py"), str(given))
    assert "through the bus" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("option", [(), ("--session",), ("--system",)])
def test_list_system_services(programs, option):
    """The private bus stands in for the system bus too."""
    text = programs.python(example("list-system-services.py"), *option)
    assert "org.freedesktop.DBus" in text
    assert "Traceback" not in text


def test_list_system_services_refuses_nonsense(programs):
    programs.python(example("list-system-services.py"), "--nonsense", status=None)


def test_gconf_proxy(programs):
    programs.serve("com.example.GConfProxy", example("gconf-proxy-service2.py"))
    text = programs.python(example("gconf-proxy-client.py"))
    assert "client: Value of GConf key" in text
