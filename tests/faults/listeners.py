"""Light clients of the socket, hundreds of them in one event loop: each keeps what it was told, and comes back after
every break with the last number it has."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

PATIENCE_S = 120  # for loaded machines: only a failure waits to its end
NOT_THERE = (ConnectionClosed, InvalidHandshake, InvalidMessage, OSError, TimeoutError)


class Listener:
    """One client on one channel. `numbers` are those of all events it was handed, in the order in which they came."""

    def __init__(self, address: str, channel: str) -> None:
        self.address, self.channel = address, channel
        self.numbers: list[int] = []
        self.snapshots: list[dict[str, Any]] = []
        self.live: list[bool] = []
        self.closes: list[int | None] = []
        self.last: dict[str, Any] = {}
        self.since = 0

    async def listen(self) -> None:
        """For ever; to be cancelled."""
        while True:
            try:
                async with connect(self.address, compression=None, open_timeout=60, ping_interval=None) as connection:
                    await self._hear_all(connection)
            except ConnectionClosed as closed:
                self.closes.append(closed.rcvd.code if closed.rcvd else None)
            except NOT_THERE:
                pass
            await asyncio.sleep(random.uniform(0.1, 1))

    async def _hear_all(self, connection: ClientConnection) -> None:
        asked: dict[str, Any] = {"action": "join", "channel": self.channel}
        await say(connection, **asked | ({"since": self.since} if self.since else {}))
        while True:
            frame = orjson.loads(await connection.recv())
            if frame["type"] == "ping":
                await say(connection, action="pong")
            elif frame["type"] == "live":
                self.live.append(frame["live"])
            elif frame["type"] == "snapshot":
                self.snapshots.append(frame)
                if not frame["resumed"]:
                    self.since = frame["seq"]
            elif "seq" in frame:
                self.numbers.append(frame["seq"])
                self.since, self.last = frame["seq"], frame


@asynccontextmanager
async def listening(listeners: Iterable[Listener]) -> AsyncIterator[None]:
    """All of them, for as long as the block lasts; a fault in one fails the test."""
    tasks = [asyncio.create_task(listener.listen()) for listener in listeners]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def until(is_so: Callable[[], object], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"Waited {PATIENCE_S} s in vain: {what}") from None


async def say(connection: ClientConnection, **message: Any) -> None:
    await connection.send(orjson.dumps(message).decode())


async def hear(connection: ClientConnection, *kinds: str) -> dict[str, Any]:
    """The next frame of one of the kinds; the ones before are passed over."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            frame: dict[str, Any] = orjson.loads(await connection.recv())
            if frame["type"] in kinds:
                return frame


async def closed_with(connection: ClientConnection) -> int | None:
    """The code with which the server closes; None: it went without a word."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            while True:
                await connection.recv()
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else None
