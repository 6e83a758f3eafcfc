# SPDX-License-Identifier: MIT
"""A program that embeds Python: many interpreters, one after the other, in one process."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import implementation
import pytest

SOURCE = Path(__file__).resolve().with_name("embed.c")


@pytest.fixture(scope="module")
def embed(tmp_path_factory):
    paths = sysconfig.get_paths()
    folder = sysconfig.get_config_var("LIBDIR")
    name = f"python{sysconfig.get_config_var('LDVERSION')}"
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    if not os.path.exists(os.path.join(paths["include"], "Python.h")):
        pytest.skip(f"no Python.h in {paths['include']}")
    output = tmp_path_factory.mktemp("embed") / "embed"
    command = ["gcc", f"-I{paths['include']}", str(SOURCE), "-o", str(output), f"-L{folder}"]
    done = subprocess.run(
        [*command, f"-l{name}", f"-Wl,-rpath,{folder}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    if f"cannot find -l{name}" in done.stdout:
        pytest.skip(f"no lib{name} to link with")
    assert done.returncode == 0, done.stdout
    return str(output)


CALL = (
    "import dbus, dbus.bus, dbus.service; "
    "conn = dbus.bus.BusConnection({address!r}); "
    "conn.set_exit_on_disconnect(False); "
    "assert conn.list_names(); "
)


@pytest.mark.parametrize(
    "line",
    ["import dbus", "import dbus, dbus.service, dbus.mainloop.glib", CALL + "conn.close()", CALL],
)
def test_interpreters_in_a_row(embed, bus, line):
    done = subprocess.run(
        [embed, "100" if line == "import dbus" else "20", line.format(address=bus.address)],
        env=implementation.child_environ(PYTHONHOME=sys.base_prefix),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "done\n")
