# SPDX-License-Identifier: MIT
"""What the interfaces for asyncio have in common: how a kind is repeated, and two of the kinds.

A scene is made of a place, then opened in the loop; its `ask` calls a method of the bus.
"""

from __future__ import annotations

import asyncio
from typing import Any

from cases import Place

from .figures import Figures, look
from .kinds import Kind


async def call(it: Any) -> None:
    await it.ask("NameHasOwner", "s", "com.example.Nobody")


async def cancelled_call(it: Any) -> None:
    task = asyncio.ensure_future(it.ask("GetId"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await it.ask("GetId")


def soak(scene: Any, place: Place, kind: Kind, counts: list[int]) -> list[Figures]:
    """The figures after each number of operations."""

    async def run() -> list[Figures]:
        it = await scene(place).open()
        if kind.before:
            await kind.before(it)
        seen = []
        for count in counts:
            for _ in range(count):
                await kind.run(it)
            seen.append(look())
        return seen

    return asyncio.run(run())
