"""What the tests of limits share: Redis' own view of time and leases."""

from __future__ import annotations

from jobs import limits
from jobs.connections import queue_redis


def redis_now() -> float:
    seconds, microseconds = queue_redis().time()
    return float(seconds) + float(microseconds) / 1e6


def make_lost(lease: limits.Lease) -> None:
    """As if the lease had run out in Redis, whatever its holder believes."""
    queue_redis().zadd(lease.limit._keys[0], {lease.id: 1})
