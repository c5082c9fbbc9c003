"""A place among the calls in flight, for one request. Redis lines all callers up and makes them pause together; how
many are in flight is counted in the database once more (`ledger.Entry.take_off`), which nobody flushes.

While Redis is away nobody stands in line, nobody counts tokens: a quarter of the places is left, by the count alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings

from jobs import limits
from jobs.limits import LimitUnreachable

from ..configuration import Configuration

log = structlog.get_logger(__name__)


class Place:
    """`at_most`: requests in flight, this one included. `used`: tokens, set by who has the place."""

    def __init__(self, limit: limits.ConcurrencyLimit, lease: limits.Lease | None) -> None:
        self._lease = lease
        self.at_most = limit.size if lease else max(1, limit.size // 4)
        self.used = 0

    @property
    def request_s(self) -> float:
        """How long a request may take."""
        timeout_s = float(settings.AI_TIMEOUT_S)
        left_s = timeout_s if self._lease is None else self._lease.remaining_s
        return max(0.1, min(timeout_s, left_s))

    @property
    def flight_s(self) -> float:
        """When a request is over for certain, also if who sent it is gone: as long as a lease lasts."""
        return 2 * float(settings.AI_TIMEOUT_S)

    def succeeded(self) -> None:
        if self._lease is not None:
            self._lease.succeeded()

    def throttled(self, retry_after_s: float | None, reason: str) -> bool:
        """Have everybody pause; False: they can't be told, so at least this caller has to wait by itself."""
        if self._lease is None:
            return False
        try:
            self._lease.throttled(retry_after_s, reason)
        except LimitUnreachable as error:
            log.warning("model_pause_not_shared", error=str(error))
            return False
        return True


@contextmanager
def place(config: Configuration, *, tokens: int, wait_s: float, queue: str, who: str) -> Iterator[Place]:
    """Raises LimitBusy, LimitPaused, TooLarge. `tokens`: the most that the request may use."""
    limit = limits.get(config.limit_name)
    bucket = limits.get_bucket(f"{config.limit_name}:tokens")
    taken, lease = 0, None
    try:
        limits.get_bucket(f"{config.limit_name}:requests").take(1, timeout_s=wait_s)
        bucket.take(tokens, timeout_s=wait_s)
        taken = tokens
        lease = limit.acquire(timeout_s=wait_s, queue=queue, who=who)
    except LimitUnreachable as error:
        log.warning("model_asked_without_redis", at_most=max(1, limit.size // 4), error=str(error))
    except BaseException:
        _settle(bucket, taken, 0)
        raise
    found = Place(limit, lease)
    try:
        yield found
    finally:
        if lease is not None:
            lease.release()
        _settle(bucket, taken, found.used)


def _settle(bucket: limits.TokenBucket, taken: int, used: int) -> None:
    if not taken:
        return
    try:
        bucket.settle(taken, used)
    except LimitUnreachable as error:
        log.warning("model_tokens_not_settled", taken=taken, used=used, error=str(error))
