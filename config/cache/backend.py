"""The cache, and how it behaves without Redis."""

from __future__ import annotations

from typing import Any

import redis
from django.conf import settings
from django_redis.cache import RedisCache  # type: ignore[import-untyped]
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from config.redis_access import RedisAway, gate_of

# Asked even while Redis counts as away: a session that somebody ended must not come back with it.
ALWAYS_ASKED = ("DEL", "UNLINK")


class ForgivingRedisCache(RedisCache):  # type: ignore[misc]
    """With IGNORE_EXCEPTIONS a Redis that is down is an empty cache; here `add` succeeds then, as in any empty cache.

    Whoever takes a lock with `add` (the limits on sign-in attempts do) would else find it taken for ever, and nobody
    could sign in while Redis is away.
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        added = super().add(*args, **kwargs)  # None: the exception was ignored
        return True if added is None else bool(added)


class GatedRedis(redis.Redis):
    """Django's cache asks through it: a Redis that hangs costs its timeout once in a while, not with every question
    (signing in asks a dozen)."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        gate = gate_of(str(settings.REDIS_CACHE_URL))
        try:
            if args[0] not in ALWAYS_ASKED:
                gate.enter()
            answer = super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except RedisAway as away:
            raise RedisConnectionError(str(away)) from away
        except (RedisConnectionError, RedisTimeoutError) as error:
            gate.failed(error)
            raise
        gate.worked()
        return answer
