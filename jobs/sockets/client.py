"""One signed-in socket: its channels, and the queue between the hub and the network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog

from accounts.models import User

from .. import tuning
from ..connections import RedisError
from ..events import stream
from . import access, frames
from .hub import Hub

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class Seat:
    """A client's place on a channel. While `held` is a list, events are collected in it; None: they go straight
    through."""

    channel: str
    last_seq: int = 0
    held: list[tuple[int, str]] | None = field(default_factory=list)
    filling: asyncio.Task[None] | None = None


class Client:
    """Without gap and without duplicate: the seat is known to the hub *before* the stream is read, live events are
    held meanwhile, and afterwards numbers decide what is new."""

    def __init__(self, user: User, hub: Hub, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self.user = user
        self.user_id: UUID = user.pk
        self.seats: dict[str, Seat] = {}
        self.closed = False
        self._hub = hub
        self._send = send
        self._frames: asyncio.Queue[str] = asyncio.Queue(tuning.SOCKET_FRAMES_WAITING)
        self._writer = asyncio.create_task(self._write())
        self._closer: asyncio.Task[None] | None = None
        hub.add(self)

    def join(self, channel: str, since: int | None) -> None:
        """Take a seat (or take it anew); snapshot, missed events and live ones follow. Access has been checked."""
        self._stop_filling(self.seats.get(channel))
        seat = self.seats[channel] = Seat(channel)
        self._hub.enter(self, channel)
        seat.filling = asyncio.create_task(self._fill(seat, since, with_snapshot=True))

    def leave(self, channel: str) -> None:
        self._stop_filling(self.seats.pop(channel, None))
        self._hub.leave(self, channel)

    def drop(self, channel: str) -> None:
        """Access was withdrawn."""
        if channel in self.seats:
            self.leave(channel)
            self.tell(frames.error(frames.CLOSE_NOT_VISIBLE, "You no longer have access to this.", channel))

    def hear(self, channel: str, seq: int, frame: str) -> None:
        """An event from the hub, in the order of the channel."""
        seat = self.seats.get(channel)
        if seat is None or self.closed:
            return
        if seat.held is not None:
            seat.held.append((seq, frame))
            if len(seat.held) > 2 * tuning.EVENTS_KEPT:
                self.close(frames.CLOSE_TOO_SLOW)
        elif seq == seat.last_seq + 1 or seat.last_seq == 0:  # 0: the channel was silent when we came
            seat.last_seq = seq
            self.tell(frame)
        elif seq > seat.last_seq:
            self._catch_up(seat, (seq, frame))

    def catch_up_everywhere(self) -> None:
        """The hub may have missed something on any channel."""
        for seat in self.seats.values():
            if seat.held is None:
                self._catch_up(seat)

    def tell(self, frame: str) -> None:
        """Send without waiting. Whoever does not read is cut off, and can come back and catch up."""
        if self.closed:
            return
        try:
            self._frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.close(frames.CLOSE_TOO_SLOW)

    def close(self, code: int) -> None:
        if not self.closed:
            self.closed = True
            self._closer = asyncio.create_task(self._close(code))

    async def gone(self) -> None:
        """The connection is over: give everything back."""
        self.closed = True
        for seat in self.seats.values():
            self._stop_filling(seat)
        await self._hub.remove(self)
        self._writer.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self._writer

    async def _close(self, code: int) -> None:
        self._writer.cancel()  # it may be stuck with a frame that nobody takes
        with suppress(asyncio.CancelledError, Exception):
            await self._writer
        with suppress(Exception):
            await self._send({"type": "websocket.close", "code": code})

    async def _write(self) -> None:
        try:
            while True:
                await self._send({"type": "websocket.send", "text": await self._frames.get()})
        except Exception as error:  # the peer has gone: the consumer hears of it and cleans up
            log.debug("socket_not_written", error=str(error))

    def _catch_up(self, seat: Seat, *first: tuple[int, str]) -> None:
        seat.held = list(first)
        since = seat.last_seq or None
        seat.filling = asyncio.create_task(self._fill(seat, since, with_snapshot=since is None))

    async def _fill(self, seat: Seat, since: int | None, *, with_snapshot: bool) -> None:
        """Bring the seat up to date and let live events through. Without Redis: a snapshot now, the rest when it is
        back."""
        while True:
            try:
                async with asyncio.timeout(tuning.REDIS_TIMEOUT_S):
                    await self._hub.subscribed.wait()
                replay = await stream.read_since_async(self._hub.redis, seat.channel, since)
                break
            except (RedisError, OSError):
                if with_snapshot:
                    await self._tell_snapshot(seat, seq=0, resumed=False, live=False)
                with_snapshot, since = True, since if since is not None and not with_snapshot else None
                await asyncio.sleep(1)
        resumed = since is not None and replay.complete
        if with_snapshot or not resumed:
            await self._tell_snapshot(seat, seq=replay.last_seq, resumed=resumed, live=True)
        seat.last_seq = replay.last_seq
        for _, frame in replay.events if resumed else ():
            await self._frames.put(frame)
        while seat.held:
            seq, frame = seat.held.pop(0)
            if seq > seat.last_seq:
                seat.last_seq = seq
                await self._frames.put(frame)
        seat.held = None

    async def _tell_snapshot(self, seat: Seat, *, seq: int, resumed: bool, live: bool) -> None:
        try:
            data = await access.in_thread(access.snapshot_of, self.user, seat.channel)
        except Exception as error:
            # Gone since the access check, or the database is away: the client asks again.
            log.warning("snapshot_failed", channel=seat.channel, error=str(error))
            self.leave(seat.channel)
            self.tell(frames.error(frames.CLOSE_NOT_VISIBLE, "This can't be shown just now. Try again.", seat.channel))
            return
        await self._frames.put(frames.snapshot(seat.channel, seq=seq, resumed=resumed, live=live, data=data))

    @staticmethod
    def _stop_filling(seat: Seat | None) -> None:
        if seat is not None and seat.filling is not None:
            seat.filling.cancel()
