# SPDX-License-Identifier: MIT
"""What `make install` puts where, seen in the staged tree that `./dev build` makes."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("DBUS_SHIM_BUILD") or "/nowhere")
SANITIZED = bool(os.environ.get("DBUS_SHIM_SANITIZED"))
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
API_LEVEL = "1.5.1"
MODULES = ("_dbus_bindings", "_dbus_glib_bindings")

pytestmark = pytest.mark.skipif(
    not (BUILD / "Makefile").exists(),
    reason="DBUS_SHIM_BUILD names no build directory (./dev test and make check set it)",
)


def quiet_environ(**extra: str) -> dict[str, str]:
    """Our environment without what a surrounding make, test run or sanitizer put into it."""
    gone = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "DESTDIR", "LD_PRELOAD", "PYTHONMALLOC")
    environ = {name: value for name, value in os.environ.items() if name not in gone}
    environ.update(extra)
    return environ


def run(*command: str, **extra: str) -> str:
    """The output of a command that has to succeed; `extra` goes to its environment."""
    done = subprocess.run(
        command,
        env=quiet_environ(**extra),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return done.stdout


def make(*arguments: str) -> str:
    """The output of make in the build directory."""
    return run("make", "-s", "--no-print-directory", "-C", str(BUILD), *arguments)


def files_below(directory: Path) -> set[str]:
    """The files in a tree, as relative paths."""
    return {
        str(path.relative_to(directory))
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def site() -> Path:
    """The staged directory that PYTHONPATH takes."""
    return Path(make("print-stage").strip())


@pytest.fixture(scope="module")
def prefix() -> Path:
    """The staged prefix."""
    header = list((BUILD / "stage").rglob("dbus-python.h"))
    assert len(header) == 1
    return header[0].parents[3]


@pytest.fixture(scope="module")
def modules(site) -> list[Path]:
    """The extension modules that this configuration builds."""
    found = [site / (name + SUFFIX) for name in MODULES]
    assert found[0].exists()
    return [path for path in found if path.exists()]


def test_site_directory_has_the_modules_the_package_and_nothing_else(site, modules):
    wanted = {str(p.relative_to(ROOT)) for p in (ROOT / "dbus").rglob("*.py*")}
    wanted = {name for name in wanted if "__pycache__" not in name} | {"dbus/py.typed"}
    have = {name for name in files_below(site) if ".dist-info/" not in name}
    assert have - wanted == {path.name for path in modules}
    # A file added after the build is not there yet, one that was removed must not be there.
    assert {"dbus/__init__.py", "dbus/testing.py"} <= have


def test_one_exported_symbol_a_module(modules):
    for path in modules:
        symbols = [
            line.split()[-1] for line in run("nm", "-D", "--defined-only", str(path)).splitlines()
        ]
        ours = [name for name in symbols if not (SANITIZED and name.startswith("__"))]
        assert ours == ["PyInit_" + path.name[: -len(SUFFIX)]]


def test_modules_do_not_link_python_and_have_no_search_path(modules):
    if not shutil.which("readelf"):
        pytest.skip("there is no readelf")
    for path in modules:
        dynamic = run("readelf", "-d", str(path))
        assert ("libdbus-1.so.3" in dynamic) == (path == modules[0])
        assert "libpython" not in dynamic
        assert "RPATH" not in dynamic
        assert "RUNPATH" not in dynamic


def test_header_is_where_dbus_1_looks(prefix):
    installed = prefix / "include" / "dbus-1.0" / "dbus" / "dbus-python.h"
    assert installed.read_bytes() == (ROOT / "include/dbus/dbus-python.h").read_bytes()


def test_pkg_config_file(prefix):
    path = {"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    assert run("pkg-config", "--modversion", "dbus-python", **path).strip() == API_LEVEL
    flags = run("pkg-config", "--cflags", "dbus-python", **path).split()
    assert flags[0].endswith("/include/dbus-1.0")
    assert set(run("pkg-config", "--cflags", "dbus-1").split()) <= set(flags)


def test_distribution_is_known_to_importlib(site):
    program = (
        "import importlib.metadata as m; print(m.version('dbus-python'), m.files('dbus-python')[0])"
    )
    version, first = run(sys.executable, "-c", program, PYTHONPATH=str(site)).split()
    assert version == API_LEVEL
    assert (site / first).exists()


def test_record_lists_every_file_with_its_hash(site):
    record = site / f"dbus_python-{API_LEVEL}.dist-info" / "RECORD"
    with record.open(newline="", encoding="utf-8") as lines:
        rows = {name: (digest, size) for name, digest, size in csv.reader(lines)}
    assert set(rows) == files_below(site)
    for name, (digest, size) in rows.items():
        if name.endswith("/RECORD"):
            assert (digest, size) == ("", "")
            continue
        data = (site / name).read_bytes()
        text = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        assert (digest, int(size)) == (f"sha256={text}", len(data)), name


def test_install_elsewhere_and_uninstall_leaves_nothing(tmp_path, site):
    make("install", f"DESTDIR={tmp_path}", "prefix=/opt/shim", "pyexecdir=/opt/shim/python")
    installed = files_below(tmp_path / "opt/shim")
    assert {name for name in installed if name.startswith("python/")} == {
        f"python/{name}" for name in files_below(site)
    }
    assert "include/dbus-1.0/dbus/dbus-python.h" in installed
    make("uninstall", f"DESTDIR={tmp_path}", "prefix=/opt/shim", "pyexecdir=/opt/shim/python")
    assert files_below(tmp_path) == set()


def test_an_installation_over_an_older_one_removes_what_moved(tmp_path):
    place = (f"DESTDIR={tmp_path}", "pyexecdir=/python")
    make("install", *place)
    site = tmp_path / "python"
    record = site / f"dbus_python-{API_LEVEL}.dist-info" / "RECORD"
    (site / "dbus/moved.py").write_text("")
    (site / "dbus/foreign.py").write_text("")
    record.write_text(record.read_text() + "dbus/moved.py,,\n")
    make("install", *place)
    assert not (site / "dbus/moved.py").exists()
    assert (site / "dbus/foreign.py").exists()


CONSUMER = """
#include <dbus/dbus-python.h>

/* What a module with a main loop of its own does with the header. */
static dbus_bool_t set_up(DBusConnection *connection, void *data)
{
    return connection != NULL && data == NULL;
}

PyObject *use(PyObject *connection);

PyObject *use(PyObject *connection)
{
    if (import_dbus_bindings("consumer") < 0)
        return NULL;
    if (DBusPyConnection_BorrowDBusConnection(connection) == NULL)
        return NULL;
    return DBusPyNativeMainLoop_New4(set_up, NULL, NULL, NULL);
}
"""


@pytest.mark.parametrize(("compiler", "suffix"), [("cc", ".c"), ("c++", ".cpp")])
def test_header_compiles_without_a_warning(prefix, tmp_path, compiler, suffix):
    if not shutil.which(compiler):
        pytest.skip(f"there is no {compiler}")
    source = tmp_path / ("consumer" + suffix)
    source.write_text(CONSUMER)
    flags = run(
        "pkg-config", "--cflags", "dbus-python", PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig")
    ).split()
    staged = f"-I{prefix}/include/dbus-1.0"
    python = sysconfig.get_path("include")
    warnings = ("-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror")
    run(compiler, *warnings, "-fsyntax-only", staged, *flags, "-isystem", python, str(source))
