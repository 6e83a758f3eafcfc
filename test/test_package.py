# SPDX-License-Identifier: MIT
"""The package as a whole: what importing it costs, versions, and the smaller modules."""

import importlib
import subprocess
import sys

import pytest
from peers import run_until

import dbus
from dbus.connection import Connection
from dbus.exceptions import DBusException
from dbus.server import Server

HEAVY = [
    "asyncio",
    "ctypes",
    "email",
    "inspect",
    "logging",
    "pyexpat",
    "socket",
    "subprocess",
    "threading",
    "re",
    "traceback",
    "typing",
    "typing_extensions",
    "xml",
]


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


@pytest.mark.parametrize("module", ["dbus", "dbus.service", "dbus.server", "dbus.lowlevel"])
def test_importing_brings_nothing_heavy(module):
    code = (
        f"import sys; before = set(sys.modules); import {module};"
        f"print(sorted((set(sys.modules) - before) & set({HEAVY!r})))"
    )
    assert run(code).stdout == "[]\n"


def test_versions():
    assert dbus.version == (1, 5, 1)
    assert dbus.__version__ == "1.5.1"
    assert dbus.shim_version.count(".") == 2


@pytest.mark.parametrize(
    "name",
    ["_compat", "_dbus", "_expat_introspect_parser", "bus", "connection", "decorators"]
    + ["exceptions", "lowlevel", "mainloop", "proxies", "server", "service", "types"],
)
def test_modules_are_documented_and_export_what_they_say(name):
    module = importlib.import_module(f"dbus.{name}")
    assert module.__doc__
    for public in getattr(module, "__all__", ()):
        if (name, public) != ("mainloop", "glib"):
            assert hasattr(module, public)


def test_everything_that_the_package_exports_is_there():
    namespace = {}
    exec("from dbus import *", namespace)
    assert set(dbus.__all__) <= set(namespace)


def test_python_versions_for_programs_that_ask():
    from dbus import _compat

    assert _compat.is_py3 is True
    assert _compat.is_py2 is False


def test_the_text_of_exceptions_is_always_text():
    assert DBusException(3, name="a.b").get_dbus_message() == "3"
    assert DBusException(b"x").get_dbus_message() == "b'x'"
    assert DBusException("x", name="a.b").__unicode__() == "a.b: x"


def test_a_name_none_does_not_hide_that_of_the_class():
    class Mine(DBusException):
        _dbus_error_name = "a.b.C"

    assert Mine("x", name=None).get_dbus_name() == "a.b.C"
    assert Mine("x", name="d.e.F").get_dbus_name() == "d.e.F"


def test_a_server_keeps_its_connections_until_they_are_gone(tmp_path):
    from dbus.mainloop.glib import DBusGMainLoop

    loop = DBusGMainLoop()
    server = Server(f"unix:path={tmp_path / 's'}", mainloop=loop, auth_mechanisms=["EXTERNAL"])
    added, removed = [], []
    server.on_connection_added.append(lambda conn: added.append(id(conn)))
    server.on_connection_removed.append(lambda conn: removed.append(id(conn)))
    client = Connection(server.address, mainloop=loop)
    run_until(lambda: added)
    client.close()
    run_until(lambda: removed)
    assert added == removed
    server.disconnect()


def test_one_string_is_no_list_of_mechanisms(tmp_path):
    with pytest.raises(TypeError, match="auth_mechanisms"):
        Server(f"unix:path={tmp_path / 's'}", auth_mechanisms="EXTERNAL")


def test_importing_dbus_glib_sets_the_default_loop():
    pytest.importorskip("_dbus_glib_bindings")
    done = run(
        "import warnings; warnings.simplefilter('ignore')\n"
        "import dbus; assert dbus.get_default_main_loop() is None\n"
        "import dbus.glib; assert dbus.get_default_main_loop() is not None\n"
        "dbus.glib.init_threads(); dbus.glib.threads_init(); print('done')"
    )
    assert done.stdout == "done\n"
