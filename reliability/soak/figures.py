# SPDX-License-Identifier: MIT
"""What a process holds, and by how much that may grow."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from pathlib import Path
from typing import NamedTuple


class Figures(NamedTuple):
    """A process, looked at."""

    rss: int  # bytes
    malloc: int  # bytes
    blocks: int
    fds: int


# What may be there afterwards that was not there before: caches and the heap's fragments.
ALLOWED = Figures(rss=2 << 20, malloc=128 << 10, blocks=300, fds=0)


class Mallinfo(ctypes.Structure):
    """struct mallinfo2."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def look() -> Figures:
    """This process, with nothing left to collect, and nothing in caches."""
    while gc.collect():
        pass
    bindings = sys.modules.get("_dbus_bindings")
    getattr(bindings, "_clear_caches", lambda: None)()
    libc = ctypes.CDLL("libc.so.6")
    libc.mallinfo2.restype = Mallinfo
    libc.malloc_trim(0)
    info = libc.mallinfo2()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Figures(
        pages * os.sysconf("SC_PAGE_SIZE"),
        info.uordblks + info.hblkhd,
        sys.getallocatedblocks(),
        len(os.listdir("/proc/self/fd")),
    )
