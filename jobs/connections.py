"""Redis, reached so that its absence costs a caller nothing worth noticing.

redis-py's defaults retry for seconds per call. Here: short timeouts, no retry, and after a failure a pause in which
Redis is taken to be down without asking (a circuit breaker per process and URL).
"""

from __future__ import annotations

import time
from functools import lru_cache

import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from . import tuning

__all__ = ["RedisError", "async_events_redis", "breaker_of", "events_redis", "notice", "queue_redis", "worker_redis"]


class Breaker:
    """Remembers for a moment that Redis failed. Threads may race on it: the worst is one call more."""

    def __init__(self) -> None:
        self.closed_until = 0.0

    def check(self) -> None:
        """Raise ConnectionError while the pause lasts."""
        if self.is_open:
            raise RedisConnectionError("Redis failed a moment ago and is not asked again yet.")

    @property
    def is_open(self) -> bool:
        """Redis failed a moment ago, and is taken to be down."""
        return time.monotonic() < self.closed_until

    def failed(self) -> None:
        self.closed_until = time.monotonic() + tuning.REDIS_PAUSE_S

    def worked(self) -> None:
        self.closed_until = 0.0


@lru_cache(maxsize=16)
def breaker_of(url: str) -> Breaker:
    return Breaker()


@lru_cache(maxsize=16)
def _quick(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=tuning.REDIS_CONNECT_TIMEOUT_S,
        socket_timeout=tuning.REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=30,
    )


def queue_url() -> str:
    return str(settings.REDIS_QUEUE_URL)


def events_url() -> str:
    return str(settings.REDIS_EVENTS_URL)


def queue_redis() -> redis.Redis:
    """For ringing doorbells: quick to give up."""
    return _quick(queue_url())


def events_redis() -> redis.Redis:
    """For publishing and reading events: quick to give up."""
    return _quick(events_url())


def notice() -> str:
    """What to tell whoever has just asked for work: "" while all is well, else what happens without Redis. Costs
    nothing: known from the call before."""
    if not breaker_of(queue_url()).is_open:
        return ""
    return (
        "Redis can't be reached just now. The job is stored and starts all the same, within some seconds; live updates "
        "are paused: ask for its status."
    )


def worker_redis() -> redis.Redis:
    """A client of the worker's own: RQ raises its socket timeout to minutes, for the blocking pop."""
    return redis.Redis.from_url(queue_url(), socket_connect_timeout=tuning.REDIS_CONNECT_TIMEOUT_S)


def async_events_redis() -> redis.asyncio.Redis:
    """A client of the running event loop; the caller closes it, and bounds what it asks (jobs/sockets/patience.py):
    reads of a subscription block for as long as they like, and a busy loop takes long to connect."""
    return redis.asyncio.Redis.from_url(
        events_url(),
        socket_connect_timeout=None,
        health_check_interval=15,
        retry=redis.asyncio.retry.Retry(NoBackoff(), 0),
    )
