# SPDX-License-Identifier: MIT
"""Faults that have no caller to raise into go to Python's logging.

Importing logging costs as much as the rest of the package, so it waits for the first fault.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Union


def _log(
    level: str,
    channel: str,
    text: str,
    values: tuple[object, ...],
    trace: Union[bool, BaseException],
) -> None:
    import logging

    # Without any configuration the program's standard error is the place, as it always was.
    logging.basicConfig()
    logging.getLogger(channel).log(getattr(logging, level), text, *values, exc_info=trace)


def error(channel: str, text: str, *values: object) -> None:
    """Log ``text % values`` as an error of the logger ``channel``."""
    _log("ERROR", channel, text, values, False)


def error_with_traceback(channel: str, text: str, *values: object) -> None:
    """The same with the exception that is being handled."""
    _log("ERROR", channel, text, values, True)


def debug(channel: str, text: str, *values: object) -> None:
    """Log ``text % values`` for people who debug."""
    _log("DEBUG", channel, text, values, False)


def signal_handler_failed(exception: BaseException) -> None:
    """Log what a handler of a signal has raised."""
    _log("ERROR", "dbus.connection", "Exception in handler for D-Bus signal:", (), exception)
