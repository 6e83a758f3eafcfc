# SPDX-License-Identifier: MIT
"""The asyncio event loop as the main loop of connections and servers.

A program that makes ``DBusAsyncioMainLoop(set_as_default=True)`` before its first connection can
use the whole classic interface inside asyncio: asynchronous calls, signal receivers, exported
objects and name watches are served by the loop that runs when a connection is made.  Blocking calls
block that loop, as they block any other.
"""

from __future__ import annotations

import asyncio
from typing import Any, Callable, Optional
from weakref import WeakKeyDictionary, WeakSet

from _dbus_bindings import NativeMainLoop, _LoopSource, _native_main_loop, set_default_main_loop

__all__ = ("DBusAsyncioMainLoop",)


class Served:
    """A connection or server on a loop; the C side tells it what happens there.

    ``keep`` is whatever is to live as long as it is served.
    """

    __slots__ = ("_loop", "_source", "_number", "keep", "__weakref__")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, source: _LoopSource, keep: object = None
    ) -> None:
        self._loop = loop
        self.keep = keep
        self._source: Optional[_LoopSource] = source
        self._number = source.fileno()
        self._in_loop(loop.add_reader, self._number, source.serve)
        _served_by(loop).add(self)

    def _in_loop(self, function: Callable[..., Any], *args: Any) -> None:
        """Call a method of the loop that is for the loop's thread alone."""
        if self._loop.is_running() and _running_loop() is not self._loop:
            self._loop.call_soon_threadsafe(function, *args)
        else:
            function(*args)

    def detach(self) -> None:
        """The connection has come to its end."""
        self._source = self.keep = None
        if not self._loop.is_closed():
            self._in_loop(self._loop.remove_reader, self._number)

    def failed(self, exception: BaseException) -> None:
        """A handler has raised."""
        self._loop.call_exception_handler(
            {"message": "Exception in a D-Bus handler", "exception": exception}
        )

    def close(self) -> None:
        """The loop comes to its end, and takes the connection with it."""
        source, self._source, self.keep = self._source, None, None
        if source is not None:
            self._loop.remove_reader(self._number)
            source.close()


# What each loop serves.  The loop's close() is wrapped when the first one comes.
_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakSet[Served]] = WeakKeyDictionary()


def _served_by(loop: asyncio.AbstractEventLoop) -> WeakSet[Served]:
    served = _loops.get(loop)
    if served is None:
        made: WeakSet[Served] = WeakSet()
        served = _loops.setdefault(loop, made)
        if served is made:  # and no other thread was faster
            _close_with(loop, served)
    return served


def _close_with(loop: asyncio.AbstractEventLoop, served: WeakSet[Served]) -> None:
    """Have the connections closed before the loop is: afterwards nobody would."""
    close_loop = loop.close

    def close() -> None:
        if not loop.is_running():
            for one in list(served):
                one.close()
        close_loop()

    setattr(loop, "close", close)  # noqa: B010  # a method, to the type checker


def _running_loop() -> Optional[asyncio.AbstractEventLoop]:
    """The loop that runs in this thread, or None."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def DBusAsyncioMainLoop(
    loop: Optional[asyncio.AbstractEventLoop] = None, set_as_default: bool = False
) -> NativeMainLoop:
    """Return a main loop for the ``mainloop`` argument of connections and servers.

    They are served by ``loop``, or, where that is None, by the loop that runs when they are made:
    RuntimeError then if none does.  ``set_as_default``: also make it the default main loop.

    Handlers run in the loop's thread.  Their exceptions go to the loop's exception handler;
    SystemExit and KeyboardInterrupt end the loop.  Closing the loop closes what it serves.
    """
    if loop is not None and not isinstance(loop, asyncio.AbstractEventLoop):
        raise TypeError(f"loop must be an asyncio event loop or None, not {type(loop).__name__}")

    def attach(source: _LoopSource) -> Served:
        chosen = loop if loop is not None else _running_loop()
        if chosen is None:
            raise RuntimeError(
                "no asyncio event loop is running: make the connection inside a coroutine, "
                "or give DBusAsyncioMainLoop a loop"
            )
        if chosen.is_closed():
            raise RuntimeError("the asyncio event loop is closed")
        return Served(chosen, source)

    main_loop = _native_main_loop(attach)
    if set_as_default:
        set_default_main_loop(main_loop)
    return main_loop
