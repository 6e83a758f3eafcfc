# SPDX-License-Identifier: MIT
"""Write the dist-info directory that makes an installed tree known as the distribution dbus-python.

usage: distinfo.py SITE VERSION FILE...

SITE is the directory the modules were installed in (DESTDIR included); the FILEs are what was
installed, relative to it.  Files that the RECORD of an earlier installation in the same place names
and this one does not have are removed: a module that moved must not stay importable.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import sys
from pathlib import Path

METADATA = """\
Metadata-Version: 2.1
Name: dbus-python
Version: {version}
Summary: Python bindings for D-Bus on libdbus (dbus-shim, API-compatible with dbus-python)
License: MIT
Requires-Python: >=3.9
Classifier: License :: OSI Approved :: MIT License
Classifier: Programming Language :: C
Classifier: Programming Language :: Python :: 3
Classifier: Operating System :: POSIX
"""


def digest(path: Path) -> tuple[str, int]:
    """The hash of a file in RECORD's notation, and its size."""
    data = path.read_bytes()
    text = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={text}", len(data)


def remove_stale(site: Path, info: Path, files: list[str]) -> None:
    """Remove what the previous RECORD names and ``files`` does not."""
    record = info / "RECORD"
    if not record.exists():
        return
    with record.open(newline="", encoding="utf-8") as lines:
        for name, *_ in csv.reader(lines):
            if name not in files and not name.startswith(info.name + "/"):
                (site / name).unlink(missing_ok=True)


def write(site: Path, version: str, files: list[str]) -> None:
    """Make the directory and its files."""
    info = site / f"dbus_python-{version}.dist-info"
    remove_stale(site, info, files)
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(METADATA.format(version=version), encoding="utf-8")
    (info / "INSTALLER").write_text("make\n", encoding="utf-8")
    (info / "top_level.txt").write_text(
        "_dbus_bindings\n_dbus_glib_bindings\ndbus\n", encoding="utf-8"
    )
    own = [f"{info.name}/{name}" for name in ("INSTALLER", "METADATA", "top_level.txt")]
    with (info / "RECORD").open("w", newline="", encoding="utf-8") as record:
        writer = csv.writer(record, lineterminator="\n")
        for name in sorted(files + own):
            writer.writerow([name, *digest(site / name)])
        writer.writerow([f"{info.name}/RECORD", "", ""])


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    write(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
