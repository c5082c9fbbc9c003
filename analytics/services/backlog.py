"""How far behind the consumers are: by age, since a count of what is unread is wrong after a trim and missing in
Redis 6.2."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from jobs.connections import events_redis

from ..models import DeadSignal
from ..streams.entries import shown
from .counting import clock
from .delivery import GROUP, Delivery, consumers_of, groups_of
from .signals import lost_key, streams

ALIVE_MS = 30_000
COUNTED_AT_MOST = 10_000
LATEST = 5


@dataclass(frozen=True, slots=True)
class StreamState:
    """`lag_s`: age of the oldest entry that waits (None: none does). `unread`: not handed out yet, counted up to
    10,000; `pending`: handed out, not acknowledged; `alive`: consumers heard of within half a minute."""

    name: str
    length: int
    groups: list[dict[str, Any]]
    consumers: list[dict[str, Any]]
    lag_s: float | None
    unread: int
    pending: int
    alive: int


@dataclass(frozen=True, slots=True)
class SignalsState:
    streams: list[StreamState]
    lost_by_publishers: int
    lost_by_redis: int
    dead: int

    @property
    def alive(self) -> int:
        return min((stream.alive for stream in self.streams), default=0)

    @property
    def lag_s(self) -> float:
        return max((stream.lag_s or 0.0 for stream in self.streams), default=0.0)


def signals_state() -> SignalsState:
    """Now. Raises RedisError, database errors."""
    delivery = _looker()
    lost = events_redis().hgetall(lost_key())
    return SignalsState(
        streams=[stream_state(delivery, stream) for stream in streams()],
        lost_by_publishers=sum(int(value) for value in lost.values()),
        lost_by_redis=clock().lost,
        dead=DeadSignal.objects.unsettled().count(),
    )


def _looker() -> Delivery:
    delivery = Delivery("")
    delivery.client = events_redis()  # quick to give up
    return delivery


def stream_state(delivery: Delivery, stream: str) -> StreamState:
    groups = groups_of(delivery, stream)
    consumers = consumers_of(delivery, stream)
    waiting, oldest_ms = _unread(delivery, stream, groups)
    pending = sum(int(group["pending"]) for group in groups if group["name"] == GROUP.encode())
    if pending:  # asked anew: it may have been acknowledged meanwhile, and then there is no first one
        pending, first, *_ = delivery.ask("XPENDING", stream, GROUP)
        if pending:
            oldest_ms = min(oldest_ms or _ms(first), _ms(first))
    lag_s = None if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000)
    return StreamState(
        name=stream,
        length=int(delivery.ask("XLEN", stream)),
        groups=[_plain(group) for group in groups],
        consumers=[_plain(consumer) for consumer in consumers],
        lag_s=lag_s,
        unread=waiting,
        pending=pending,
        alive=sum(consumer["idle"] < ALIVE_MS for consumer in consumers),
    )


def unread(delivery: Delivery, stream: str) -> tuple[int, int]:
    """Entries of the stream that are not acknowledged (counted up to 10,000 unread ones), and the newest's time."""
    groups = groups_of(delivery, stream)
    waiting, _ = _unread(delivery, stream, groups)
    pending = sum(int(group["pending"]) for group in groups if group["name"] == GROUP.encode())
    return waiting + pending, delivery.newest_ms(stream)


def _unread(delivery: Delivery, stream: str, groups: list[dict[str, Any]]) -> tuple[int, int | None]:
    """(entries, time of the first in ms) that our group was not handed yet. Without a group: all."""
    ours = [group for group in groups if group["name"] == GROUP.encode()]
    start = "(" + ours[0]["last-delivered-id"].decode() if ours else "-"
    told = ours[0].get("lag") if ours else None
    first = delivery.ask("XRANGE", stream, start, "+", "COUNT", 1)
    if not first:
        return 0, None
    if told is None:
        told = len(delivery.ask("XRANGE", stream, start, "+", "COUNT", COUNTED_AT_MOST))
    return min(int(told), COUNTED_AT_MOST) or 1, _ms(first[0][0])


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in row.items()}


def _ms(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])


def latest_entries(stream: str, count: int = LATEST) -> list[tuple[str, dict[str, str]]]:
    """Newest first. Raises RedisError."""
    return [
        (entry_id.decode(), shown(fields))
        for entry_id, fields in _looker().ask("XREVRANGE", stream, "+", "-", "COUNT", count)
    ]
