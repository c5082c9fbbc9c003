"""A time-out that a busy process does not shorten for others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

TICK_S = 0.1


@asynccontextmanager
async def patience(seconds: float) -> AsyncIterator[None]:
    """TimeoutError after so many seconds in which this loop was free to hear an answer.

    While five hundred pages come back at once, a loop may turn once a second: answers that came long ago wait to be
    read then, and by the clock on the wall Redis would be away. So each turn counts for two ticks at the most.
    """
    loop = asyncio.get_running_loop()
    waited, looked_at = 0.0, loop.time()
    async with asyncio.timeout(None) as scope:
        handle: asyncio.TimerHandle

        def look() -> None:
            nonlocal waited, looked_at
            now = loop.time()
            waited, looked_at = waited + min(now - looked_at, 2 * TICK_S), now
            if waited >= seconds:
                scope.reschedule(now)
            else:
                again()

        def again() -> None:
            nonlocal handle
            handle = loop.call_later(TICK_S, look)

        again()
        try:
            yield
        finally:
            handle.cancel()
