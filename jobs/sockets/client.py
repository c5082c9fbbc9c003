"""One signed-in socket: its channels, and the queue between the hub and the network."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import structlog
from django.core.exceptions import ObjectDoesNotExist

from accounts.models import User

from .. import metrics, tuning
from ..connections import RedisError
from ..events import stream
from . import access, frames
from .hub import Hub
from .patience import patience

log = structlog.get_logger(__name__)
# Where the snapshot stands: before the events that were missed, after them, or left out if they say it all.
SnapshotAt = Literal["first", "last", "if_needed"]


@dataclass(eq=False)
class Seat:
    """A client's place on a channel. While `held` is there, events are collected in it; None: they go straight
    through."""

    channel: str
    last_seq: int = 0
    held: deque[tuple[int, str]] | None = field(default_factory=deque)
    filling: asyncio.Task[None] | None = None


class Client:
    """Without gap and without duplicate: the seat is known to the hub *before* the stream is read, live events are
    held meanwhile, and afterwards numbers decide what is new."""

    def __init__(
        self, user: User, sign_in: access.SignIn, hub: Hub, send: Callable[[dict[str, Any]], Awaitable[None]]
    ) -> None:
        self.user = user
        self.user_id: UUID = user.pk
        self.sign_in = sign_in
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
        self._start_filling(seat, since, snapshot_at="first")

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
        """The hub may have missed something on any channel; and what could not be said at all is in no stream, so the
        state is told anew after what is."""
        for seat in self.seats.values():
            if seat.held is None:
                self._catch_up(seat, snapshot_at="last")

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
            metrics.CLOSES.labels(str(code)).inc()
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

    def _catch_up(self, seat: Seat, *first: tuple[int, str], snapshot_at: SnapshotAt = "if_needed") -> None:
        seat.held = deque(first)
        since = seat.last_seq or None
        self._start_filling(seat, since, snapshot_at=snapshot_at if since else "first")

    def _start_filling(self, seat: Seat, since: int | None, *, snapshot_at: SnapshotAt) -> None:
        seat.filling = asyncio.create_task(self._fill(seat, since, snapshot_at=snapshot_at))
        seat.filling.add_done_callback(self._when_filled)

    def _when_filled(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("channel_not_filled", exc_info=error)
            self.close(frames.CLOSE_OUR_FAULT)  # it comes back, and is asked for what it missed

    async def _fill(self, seat: Seat, since: int | None, *, snapshot_at: SnapshotAt) -> None:
        """Bring the seat up to date and let live events through. Without Redis: a snapshot now, the rest later."""
        replay = await self._read(seat.channel, since)
        if replay is None and snapshot_at == "first":
            await self._tell_snapshot(seat, seq=0, resumed=False, live=False)
        while replay is None:
            await asyncio.sleep(1)
            replay = await self._read(seat.channel, since)
        resumed = since is not None and replay.complete
        if snapshot_at == "first" or not resumed:
            await self._tell_snapshot(seat, seq=replay.last_seq, resumed=resumed, live=True)
        seat.last_seq = replay.last_seq
        for _, frame in replay.events if resumed else ():
            await self._frames.put(frame)
        if snapshot_at == "last" and resumed:
            await self._tell_snapshot(seat, seq=replay.last_seq, resumed=False, live=True)
        while seat.held:
            seq, frame = seat.held.popleft()
            if seq > seat.last_seq:
                seat.last_seq = seq
                await self._frames.put(frame)
        seat.held = None

    async def _read(self, channel: str, since: int | None) -> stream.Replay | None:
        """What was missed; None: Redis can't be reached. Read once the subscription stands: nothing falls between."""
        async with self._hub.reading:  # standing in this line, as a thousand pages that come back do, is no outage
            if not await self._hub.stands():
                return None
            try:
                async with patience(tuning.REDIS_TIMEOUT_S):
                    return await stream.read_since_async(self._hub.redis, channel, since)
            except (RedisError, OSError):
                return None

    async def _tell_snapshot(self, seat: Seat, *, seq: int, resumed: bool, live: bool) -> None:
        try:
            data = await access.in_thread(access.snapshot_of, self.user, seat.channel)
        except Exception as error:
            log.warning("snapshot_failed", channel=seat.channel, error=str(error))
            self.leave(seat.channel)
            if isinstance(error, ObjectDoesNotExist):  # gone since the access check
                self.tell(frames.error(frames.CLOSE_NOT_VISIBLE, "There is no such channel.", seat.channel))
            else:
                self.tell(frames.error(frames.NOT_NOW, "This can't be shown just now. Join again.", seat.channel))
            return
        await self._frames.put(frames.snapshot(seat.channel, seq=seq, resumed=resumed, live=live, data=data))

    @staticmethod
    def _stop_filling(seat: Seat | None) -> None:
        if seat is not None and seat.filling is not None:
            seat.filling.cancel()
