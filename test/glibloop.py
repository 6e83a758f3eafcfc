# SPDX-License-Identifier: MIT
"""The default GLib main context, driven from a test until a condition holds.

It goes to libglib by ctypes, so that interpreters without PyGObject run the same tests.
"""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Optional

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_glib: Optional[Any] = None


def _library() -> Any:
    global _glib
    if _glib is None:
        lib = ctypes.CDLL("libglib-2.0.so.0")
        lib.g_main_context_iteration.argtypes = [ctypes.c_void_p, ctypes.c_int]
        lib.g_main_context_iteration.restype = ctypes.c_int
        lib.g_main_context_pending.argtypes = [ctypes.c_void_p]
        lib.g_main_context_wakeup.argtypes = [ctypes.c_void_p]
        lib.g_timeout_add.argtypes = [ctypes.c_uint, _CALLBACK, ctypes.c_void_p]
        lib.g_timeout_add.restype = ctypes.c_uint
        lib.g_source_remove.argtypes = [ctypes.c_uint]
        _glib = lib
    return _glib


def run_until(condition: Callable[[], Any], timeout: float = 10.0, context: Any = None) -> Any:
    """Turn the main context until `condition()` is true, and return what it returned.

    `timeout` is in seconds; AssertionError when it passes.  The condition is tested after every
    turn: whatever changes it from another thread must call `wakeup` afterwards.  `context` is the
    address of a GMainContext, None the default one; the deadline only works for the default one.
    """
    lib = _library()
    expired = []

    def expire(_data: Any) -> int:
        expired.append(True)
        return 1  # stays until g_source_remove

    callback = _CALLBACK(expire)
    source = lib.g_timeout_add(max(1, int(timeout * 1000)), callback, None)
    try:
        while True:
            value = condition()
            if value:
                return value
            assert not expired, f"condition not true after {timeout} s: {condition}"
            lib.g_main_context_iteration(context, 1)
    finally:
        lib.g_source_remove(source)


def run_pending(context: Any = None) -> None:
    """Dispatch what is ready, without waiting."""
    lib = _library()
    while lib.g_main_context_pending(context):
        lib.g_main_context_iteration(context, 0)


def wakeup(context: Any = None) -> None:
    """Make a `run_until` in another thread look at its condition again."""
    _library().g_main_context_wakeup(context)
