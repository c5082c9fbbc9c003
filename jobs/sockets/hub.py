"""The hub: one subscription per web process, each event handed to every client that joined its channel.

A frame is encoded once, by whoever published it, and never decoded here. A thousand clients cost a thousand queue
entries, where a group per channel layer costs as many messages to decode (measured 2026-11: p95 16 ms against 403 ms).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
import structlog
from redis.asyncio import Redis

from .. import metrics, tuning
from ..connections import RedisError, async_events_redis
from ..events import stream
from . import access, frames
from .patience import patience

if TYPE_CHECKING:
    from .client import Client

log = structlog.get_logger(__name__)
_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


class Hub:
    """Listens while it has clients. Everything here runs in the event loop: no locks."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.members: dict[str, set[Client]] = {}
        self.subscribed = asyncio.Event()
        self._tried = asyncio.Event()  # the first attempt to subscribe has ended, well or not
        self.redis: Redis = async_events_redis()
        # A thousand pages that come back at once must not need a thousand connections.
        self.reading = asyncio.Semaphore(tuning.SOCKET_READS_AT_ONCE)
        self._tasks: list[asyncio.Task[None]] = []
        self._helping: set[asyncio.Task[None]] = set()

    def add(self, client: Client) -> None:
        self.clients.add(client)
        metrics.socket_opened()
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._look_after_users())]

    async def remove(self, client: Client) -> None:
        if client in self.clients:
            self.clients.discard(client)
            metrics.socket_gone()
        for channel in list(client.seats):
            self.leave(client, channel)
        if not self.clients:
            await self._rest()

    def enter(self, client: Client, channel: str) -> None:
        self.members.setdefault(channel, set()).add(client)

    def leave(self, client: Client, channel: str) -> None:
        members = self.members.get(channel, set())
        members.discard(client)
        if not members:
            self.members.pop(channel, None)

    async def stands(self) -> bool:
        """Whether the subscription stands. An attempt under way, however busy the process, is not yet an outage."""
        await self._tried.wait()
        return self.subscribed.is_set()

    async def _rest(self) -> None:
        """Whatever is awaited here, a new client may come meanwhile: what it starts is not touched."""
        tasks, self._tasks = self._tasks, []
        self.subscribed.clear()
        self._tried.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not self.clients:
            await self.redis.aclose()

    async def _listen(self) -> None:
        """Stay subscribed. After every gap in the subscription each client catches up from the streams."""
        pause, had_gap = 0.1, False
        while True:
            try:
                async with self.redis.pubsub() as subscription:
                    async with patience(2 * tuning.REDIS_TIMEOUT_S):
                        await self._subscribe(subscription)
                    self.subscribed.set()
                    self._tried.set()
                    if had_gap:
                        self._tell_all(live=True)
                        self._catch_up()
                        self._help(self._catch_up_again())
                    pause = 0.1
                    await self._pass_on(subscription)
            except (RedisError, OSError) as error:
                log.warning("hub_lost_redis", error=str(error))
            except Exception:  # a fault of ours must not leave every page of this process silent
                log.exception("hub_failed")
            if self.subscribed.is_set():
                self.subscribed.clear()
                self._tell_all(live=False)
            self._tried.set()
            had_gap = True
            metrics.HUB_GAPS.inc()
            await asyncio.sleep(pause)
            pause = min(2.0, pause * 2)

    async def _pass_on(self, subscription: Any) -> None:
        """For ever, as long as Redis answers. One that hangs keeps its connections: only its silence tells."""
        clock = asyncio.get_running_loop().time
        heard_at = clock()
        while True:
            message = await subscription.get_message(
                ignore_subscribe_messages=True, timeout=tuning.SOCKET_REDIS_SILENT_S
            )
            if message is not None:
                heard_at = clock()
                if message["type"] == "message":
                    self._dispatch(message)
            elif clock() - heard_at >= 2 * tuning.SOCKET_REDIS_SILENT_S:
                raise TimeoutError("Redis does not answer.")
            elif clock() - heard_at >= tuning.SOCKET_REDIS_SILENT_S:
                await subscription.ping()

    def _catch_up(self) -> None:
        for client in list(self.clients):
            client.catch_up_everywhere()

    async def _catch_up_again(self) -> None:
        """Publishers notice later than we that Redis is back; what they could not say until then is in no stream."""
        await asyncio.sleep(tuning.REDIS_TIMEOUT_S + tuning.REDIS_PAUSE_S + 1)
        if self.subscribed.is_set():
            self._catch_up()

    def _help(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._helping.add(task)
        task.add_done_callback(self._helping.discard)

    def _tell_all(self, *, live: bool) -> None:
        """Pages say whether what they show is live."""
        told = frames.frame("live", live=live)
        for client in list(self.clients):
            client.tell(told)

    async def _subscribe(self, subscription: Any) -> None:
        """Returns when Redis has confirmed both: what is published from now on will arrive."""
        await subscription.subscribe(stream.messages_channel(), stream.control_channel())
        confirmed = 0
        while confirmed < 2:
            message = await subscription.get_message(timeout=None)
            confirmed += message is not None and message["type"] == "subscribe"

    def _dispatch(self, message: dict[str, Any]) -> None:
        if message["channel"] == stream.control_channel().encode():
            self._obey(orjson.loads(message["data"]))
            return
        channel, seq, frame = message["data"].decode().split("\n", 2)
        metrics.event_arrived(frame)
        members = self.members.get(channel)
        if members:
            number = int(seq)
            for client in list(members):
                client.hear(channel, number, frame)

    def _obey(self, order: dict[str, Any]) -> None:
        """A withdrawal: of everything, of one channel, or of whatever the user can't see any more."""
        user_id = UUID(order["user_id"])
        for client in [client for client in self.clients if client.user_id == user_id]:
            if order["what"] == "all":
                client.close(frames.CLOSE_NOT_SIGNED_IN)
            elif order["what"] == "channel":
                client.drop(order["channel"])
            else:
                self._help(self._recheck(client))

    async def _recheck(self, client: Client) -> None:
        await self._close_ended([client])
        if client.closed:
            return
        visible = await access.in_thread(access.visible_channels, client.user_id, list(client.seats))
        for channel in set(client.seats) - visible:
            client.drop(channel)

    async def _look_after_users(self) -> None:
        while True:
            await asyncio.sleep(tuning.SOCKET_USERS_CHECKED_EVERY_S)
            try:
                await self._close_ended(list(self.clients))
            except Exception as error:
                log.warning("users_not_checked", error=str(error))

    async def _close_ended(self, clients: list[Client]) -> None:
        """Whoever is out is told so; whoever must sign in anew comes back, and is then asked by what."""
        out, changed = await access.in_thread(access.ended, {client.sign_in for client in clients})
        for client in clients:
            if client.sign_in in out:
                client.close(frames.CLOSE_NOT_SIGNED_IN)
            elif client.sign_in in changed:
                client.close(frames.CLOSE_SIGN_IN_CHANGED)


def hub() -> Hub:
    """The hub of the running event loop: one per web process."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
