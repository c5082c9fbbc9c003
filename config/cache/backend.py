"""The cache, and how it behaves without Redis."""

from __future__ import annotations

from typing import Any

from django_redis.cache import RedisCache  # type: ignore[import-untyped]


class ForgivingRedisCache(RedisCache):  # type: ignore[misc]
    """With IGNORE_EXCEPTIONS a Redis that is down is an empty cache; here `add` succeeds then, as in any empty cache.

    Whoever takes a lock with `add` (the limits on sign-in attempts do) would else find it taken for ever, and nobody
    could sign in while Redis is away.
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        added = super().add(*args, **kwargs)  # None: the exception was ignored
        return True if added is None else bool(added)
