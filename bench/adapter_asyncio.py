# SPDX-License-Identifier: MIT
"""What the adapters of the packages for asyncio have in common."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import Any, Callable, Optional

from adapter import Adapter, Work


class AsyncioAdapter(Adapter):
    """What the adapters of packages for asyncio have in common."""

    def __init__(self, address: str, peer: bool = False) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(_say_error)
        self._left = 0
        self._reached: Optional[asyncio.Future[None]] = None

    def run(self, operation: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """Begin an operation in the loop, and run the loop until it is done."""

        async def main() -> Any:
            return await operation(*arguments)

        return self.loop.run_until_complete(main())

    def awaiting(self, operation: Callable[[], Awaitable[object]]) -> Work:
        """An operation that is awaited, so many times."""

        async def repeat(count: int) -> None:
            for _ in range(count):
                await operation()

        return lambda count: self.run(repeat, count)

    def together(self, operation: Callable[[], Awaitable[object]], window: int) -> Work:
        """As many tasks as are to be in flight, each awaiting the operation again and again."""

        async def task(count: int) -> None:
            for _ in range(count):
                await operation()

        async def tasks(count: int) -> None:
            whole, rest = divmod(count, window)
            shares = [whole + (number < rest) for number in range(min(window, count))]
            await asyncio.gather(*map(task, shares))

        return lambda count: self.run(tasks, count)

    def count(self, _text: object) -> None:
        """The handler of signals."""
        self._left -= 1
        if self._reached is not None and self._left <= 0:
            self._reached.set_result(None)
            self._reached = None

    def receive(self, count: int) -> None:
        self._left += count
        if self._left > 0:
            self._reached = self.loop.create_future()
            self.loop.run_until_complete(self._reached)

    def done(self) -> None:
        """What Done of a service does."""
        assert self._reached is not None
        self._reached.set_result(None)

    def serve(self) -> None:
        self._reached = self.loop.create_future()
        self.loop.run_until_complete(self._reached)


def _say_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    print(f"{context['message']}: {type(error).__name__}: {error}", file=sys.stderr)
