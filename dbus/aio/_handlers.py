# SPDX-License-Identifier: MIT
"""The message handlers of a bus, which see all that comes in, and see it first."""

from __future__ import annotations

import asyncio
from os import close

from dbus.aio.constants import ErrorType, MessageType
from dbus.aio.errors import DBusError, DisconnectedError
from dbus.aio.message import Message

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, Callable, Optional, Protocol, Union

    Handler = Callable[[Message], Union[Message, bool, None]]

    class Bus(Protocol):
        """What is needed of a MessageBus."""

        def _post(self, msg: Message) -> None: ...
        def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> object: ...
        def _report(self, message: str, error: BaseException) -> None: ...


def wants_reply(msg: Message) -> bool:
    """Whether the sender of a call waits for the outcome."""
    # The operators of an IntFlag are slow.
    return not int.__and__(msg.flags, 1)


class Handlers:
    """Functions of one message each, in ``all``; `MessageBus.add_message_handler` has the rules."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.all: list[Handler] = []

    def add(self, handler: Handler) -> None:
        """Take one in; TypeError if it cannot be called."""
        if not callable(handler):
            raise TypeError("a message handler must be callable with a single parameter")
        self.all.append(handler)

    def remove(self, handler: Handler) -> None:
        """Forget one, if it is there."""
        if handler in self.all:
            self.all.remove(handler)

    def offer(self, msg: Message) -> bool:
        """Show a message to the handlers; True if one has dealt with it.

        The C module does the same for whatever is no reply.
        """
        for handler in tuple(self.all):
            try:
                result: Any = handler(msg)
            except Exception as error:
                if self.settle(msg, None, error):
                    return True
                continue
            if result and self.settle(msg, result, None):
                return True
        return False

    def settle(self, msg: Message, result: Any, error: Optional[Exception]) -> bool:
        """See to a handler's result that is true, or to its exception; True ends the matter."""
        if error is not None:
            return self._failed(msg, error)
        if isinstance(result, Message):
            self._bus._post(result)
        elif asyncio.iscoroutine(result):
            self._bus._spawn(self._finish(msg, result))
        return True

    def end_call(
        self,
        future: asyncio.Future[Message],
        outcome: Union[Message, Exception, None],
        timed_out: bool,
        with_fds: bool,
    ) -> None:
        """Complete the future of a call; the handlers see its reply too, and may keep it."""
        if isinstance(outcome, Message):
            if outcome.unix_fds and not with_fds:
                outcome = without_fds(outcome)
            if self.offer(outcome):
                return
            if future.done():
                close_fds(outcome)  # it was cancelled a moment ago
            else:
                future.set_result(outcome)
        elif future.done():
            pass
        elif outcome is not None:
            future.set_exception(outcome)
        elif timed_out:
            future.set_exception(asyncio.TimeoutError("no reply in time"))
        else:
            future.set_exception(DisconnectedError("the connection ended before the reply"))

    async def _finish(self, msg: Message, result: Coroutine[Any, Any, Any]) -> None:
        try:
            reply = await result
            if isinstance(reply, Message):
                self._bus._post(reply)
        except Exception as error:
            self._failed(msg, error)

    def _failed(self, msg: Message, error: Exception) -> bool:
        """True if the exception was the answer to a call."""
        is_call = msg.message_type is MessageType.METHOD_CALL
        if not (is_call and isinstance(error, DBusError)):
            self._bus._report("Exception in a message handler", error)
        if is_call and wants_reply(msg):
            if isinstance(error, DBusError):
                name, text = error.type, error.text
            else:
                name = ErrorType.INTERNAL_ERROR.value
                text = f"An internal error occurred: {type(error).__name__}"
            self._bus._post(Message.new_error(msg, name, text))
        return is_call


# --- Descriptors; libdbus takes them in on a bus that was not asked for any, too


def close_fds(msg: Message) -> None:
    """Close the descriptors of a message that nobody takes."""
    for fd in msg.unix_fds:
        close(fd)


def refuse_fds(msg: Message) -> Optional[Message]:
    """Close the descriptors of a message; the reply to it, if it is a call that wants one."""
    close_fds(msg)
    if msg.message_type is MessageType.METHOD_CALL and wants_reply(msg):
        text = "this connection does not take file descriptors"
        return Message.new_error(msg, ErrorType.NOT_SUPPORTED, text)
    return None


def without_fds(reply: Message) -> Message:
    """Close the descriptors of a reply; the error that stands for it."""
    close_fds(reply)
    return Message(
        message_type=MessageType.ERROR,
        error_name=ErrorType.NOT_SUPPORTED,
        reply_serial=reply.reply_serial,
        sender=reply.sender,
        destination=reply.destination,
        serial=reply.serial,
        signature="s",
        body=["the reply has file descriptors: the bus needs negotiate_unix_fd=True"],
    )
