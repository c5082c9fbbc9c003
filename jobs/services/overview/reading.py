"""The overview as a whole: each part read by itself, kept as long as suits it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from ... import limits, metrics
from ...limits import BucketState, LimitState
from . import surroundings, work
from .guarded import from_database, part
from .kept import Kept
from .shapes import (
    DatabaseState,
    DiskState,
    EventsState,
    Failures,
    Minute,
    Part,
    ProcessState,
    RedisState,
    RunningJob,
    TaskState,
    Webhooks,
    Work,
)

CacheReader = Callable[[], Mapping[str, Any]]
_cache_reader: CacheReader | None = None


def register_cache(reader: CacheReader) -> None:
    """The wiring knows how the cache is doing (`config.cache.cache_health`); it tells so when it starts."""
    global _cache_reader  # noqa: PLW0603 - set once, at start
    _cache_reader = reader


@dataclass(frozen=True)
class Overview:
    """Everything at about the same moment; what is slow to read or to change may be some seconds older."""

    at: datetime
    work: Part[Work]
    processes: Part[list[ProcessState]]
    running: Part[list[RunningJob]]
    failures: Part[Failures]
    minutes: Part[list[Minute]]
    tasks: Part[list[TaskState]]
    webhooks: Part[Webhooks]
    database: Part[DatabaseState]
    redis: Part[list[RedisState]]
    limits: Part[list[LimitState | BucketState]]
    events: EventsState
    cache: Part[Mapping[str, Any]]
    disk: Part[DiskState]

    @property
    def completed_last_hour(self) -> int | None:
        return sum(minute.completed for minute in self.minutes.value) if self.minutes.value is not None else None


def _cache() -> Mapping[str, Any]:
    return _cache_reader() if _cache_reader is not None else {"enabled": False, "ok": True}


_minutes = Kept(lambda: from_database("minutes", work.minutes), for_s=10)
_database = Kept(lambda: from_database("database", surroundings.database), for_s=10)
# A Redis that hangs costs its timeout: that must not make the figures of the database old.
_redis = Kept(lambda: part("redis", surroundings.redis_servers), for_s=1, times_its_cost=3)
_limits = Kept(lambda: part("limits", limits.states), for_s=1, times_its_cost=3)
_caches = Kept(lambda: part("cache", _cache), for_s=1, times_its_cost=3)
_disk = Kept(lambda: part("disk", surroundings.disk), for_s=30)


def read() -> Overview:
    """Now, whatever was kept of the quick parts. A fixed number of statements."""
    return Overview(
        at=timezone.now(),
        work=from_database("work", work.work),
        processes=from_database("processes", work.processes),
        running=from_database("running", work.running),
        failures=from_database("failures", work.failures),
        minutes=_minutes.get(),
        tasks=from_database("tasks", surroundings.tasks),
        webhooks=from_database("webhooks", surroundings.webhooks),
        database=_database.get(),
        redis=_redis.get(),
        limits=_limits.get(),
        cache=_caches.get(),
        disk=_disk.get(),
        events=EventsState(metrics.open_sockets(), metrics.event_lag_s()),
    )


_overview = Kept(read, for_s=1.0, times_its_cost=3)


def overview() -> Overview:
    """As it was at most a second ago (longer, where reading takes long). Never raises what a part ran into."""
    return _overview.get()


def forget() -> None:
    """The next overview is read anew, every part of it."""
    for kept in (_minutes, _database, _redis, _limits, _caches, _disk, _overview):
        kept.forget()
