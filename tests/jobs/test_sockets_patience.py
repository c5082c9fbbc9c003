"""How long a socket waits for Redis: by the time in which its process could hear."""

from __future__ import annotations

import asyncio
import time

import pytest

from jobs.sockets.patience import TICK_S, patience


async def test_silence_has_an_end() -> None:
    with pytest.raises(TimeoutError):
        async with patience(3 * TICK_S):
            await asyncio.Event().wait()


async def test_what_came_while_the_loop_was_busy_is_heard() -> None:
    """By the clock on the wall the answer is late, many times over: the loop stood still twice."""
    answer = asyncio.get_running_loop().create_future()
    async with patience(6 * TICK_S):
        for _ in range(2):
            await asyncio.sleep(0)
            time.sleep(10 * TICK_S)
        answer.set_result("+OK")
        assert await answer == "+OK"


async def test_an_error_within_is_told_as_it_is_and_nothing_is_left_behind() -> None:
    with pytest.raises(ConnectionError):
        async with patience(2 * TICK_S):
            raise ConnectionError("refused")
    async with patience(2 * TICK_S):
        pass
    await asyncio.sleep(4 * TICK_S)  # a time-out that outlived its block would cancel this
