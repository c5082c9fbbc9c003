"""Saying what was asked for and what has changed: into Redis streams, without ever holding up or failing the caller."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone
from prometheus_client import Counter

from jobs.connections import RedisError, breaker_of, events_redis, events_url

from ..streams.entries import FIELD, QuerySignal, encode_queries, encode_update

__all__ = [
    "QuerySignal",
    "losses",
    "publish_queries",
    "publish_updates",
    "queries_stream",
    "streams",
    "updates_stream",
]

log = structlog.get_logger(__name__)
SENT = Counter("plumbline_signals_published", "Demand signals and update requests sent.", ["stream"])
LOST = Counter("plumbline_signals_lost", "Those that were not, because Redis was away.", ["stream"])
MOST_KEYS = 500  # of a source in one request: a job each

_lock = threading.Lock()
_untold: dict[str, int] = {}  # lost by this process, to be told in Redis once it is back
_lost_here = 0


def queries_stream() -> str:
    return f"{settings.REDIS_KEY_PREFIX}:query_signals"


def updates_stream() -> str:
    return f"{settings.REDIS_KEY_PREFIX}:update_requests"


def streams() -> tuple[str, str]:
    return queries_stream(), updates_stream()


def lost_key() -> str:
    """A hash: stream -> signals that publishers of all processes could not send, told when Redis came back."""
    return f"{settings.REDIS_KEY_PREFIX}:signals:lost"


def publish_queries(signals: Sequence[QuerySignal]) -> int:
    """Send them in one round trip; how many were sent: all or none. Never raises, never waits for long."""
    return _publish(queries_stream(), encode_queries(signals), len(signals))


def publish_updates(*, source: str, source_ids: Sequence[str], operation: str = "refresh") -> int:
    """Ask for these things of a source to be refreshed; how many of them were asked for. To be called once the change
    is committed. Never raises: what is lost the nightly reindexing makes up."""
    now = timezone.now()
    blocks = [source_ids[start : start + MOST_KEYS] for start in range(0, len(source_ids), MOST_KEYS)]
    return _publish(
        updates_stream(), [encode_update(source, block, operation, now) for block in blocks], len(source_ids)
    )


def losses() -> int:
    """What this process has lost since its start."""
    return _lost_here


def _publish(stream: str, bodies: Sequence[bytes], count: int) -> int:
    if not bodies:
        return 0
    breaker = breaker_of(events_url())
    if breaker.is_open:
        return _lost(stream, count, None)
    try:
        _send(stream, bodies)
    except (RedisError, OSError) as error:
        breaker.failed()
        return _lost(stream, count, error)
    breaker.worked()
    SENT.labels(_short(stream)).inc(count)
    return count


def _send(stream: str, bodies: Sequence[bytes]) -> None:
    """Raises RedisError. In a transaction of Redis: a caller who was told "none" sends nothing half."""
    told = _take_untold()
    try:
        with events_redis().pipeline(transaction=len(bodies) > 1) as pipe:
            commands: Any = pipe
            for body in bodies:
                commands.execute_command("XADD", stream, "*", FIELD, body)
            for lost_stream, count in told.items():
                pipe.hincrby(lost_key(), lost_stream, count)
            pipe.execute()
    except BaseException:
        _keep_untold(told)
        raise


def _lost(stream: str, count: int, error: Exception | None) -> int:
    global _lost_here  # noqa: PLW0603 - the state of the process
    LOST.labels(_short(stream)).inc(count)
    with _lock:
        _lost_here += count
        _untold[stream] = _untold.get(stream, 0) + count
    if error is not None:  # while the breaker is open nothing new is to be said
        log.warning("signals_lost", stream=stream, count=count, error=type(error).__name__)
    return 0


def _take_untold() -> dict[str, int]:
    if not _untold:
        return {}
    with _lock:
        told = dict(_untold)
        _untold.clear()
    return told


def _keep_untold(told: dict[str, int]) -> None:
    with _lock:
        for stream, count in told.items():
            _untold[stream] = _untold.get(stream, 0) + count


def _short(stream: str) -> str:
    return stream.rpartition(":")[2]
