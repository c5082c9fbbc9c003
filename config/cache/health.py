"""How well the caches do: hits and misses by namespace, and the state of their Redis."""

from __future__ import annotations

from typing import Any, TypedDict

import redis
from django.conf import settings

from config.redis_access import RedisAway, ask

from .policy import NAMESPACES
from .store import counts_key


class Counts(TypedDict):
    """Since the counts were last lost with Redis. `hit_rate`: 0 to 1, None before the first question.

    A hit is an answer from the cache, also with an old value while another caller makes the new one; a miss is a value
    that had to be made; an error is a making that failed.
    """

    hits: int
    misses: int
    hit_rate: float | None
    errors: int


class CacheHealth(TypedDict):
    """`ok`: Redis answers. Figures of the server (None without it) are of all that lies on it, sessions too."""

    enabled: bool
    ok: bool
    hit_rate: float | None
    namespaces: dict[str, Counts]
    keyspace_hits: int | None
    keyspace_misses: int | None
    memory_bytes: int | None
    memory_limit_bytes: int | None
    evicted: int | None


def stats() -> dict[str, Counts]:
    """By namespace, declared ones only, in their order. RedisAway."""

    def asked(client: redis.Redis) -> Any:
        return client.hgetall(counts_key())

    return _stats(ask(asked))


def cache_health() -> CacheHealth:
    """Never raises: a cache that is away is an answer. `memory_limit_bytes` is None where there is no limit."""

    def asked(client: redis.Redis) -> tuple[Any, Any]:
        return client.hgetall(counts_key()), {**client.info("stats"), **client.info("memory")}

    try:
        counts, server = ask(asked)
    except RedisAway:
        counts, server = {}, {}
    namespaces = _stats(counts)
    hits, misses = (sum(each[what] for each in namespaces.values()) for what in ("hits", "misses"))
    return {
        "enabled": bool(settings.CACHES_ENABLED),
        "ok": bool(server),
        "hit_rate": _rate(hits, misses),
        "namespaces": namespaces,
        "keyspace_hits": server.get("keyspace_hits"),
        "keyspace_misses": server.get("keyspace_misses"),
        "memory_bytes": server.get("used_memory"),
        "memory_limit_bytes": server.get("maxmemory") or None,
        "evicted": server.get("evicted_keys"),
    }


def _stats(counts: dict[bytes, bytes]) -> dict[str, Counts]:
    def of(name: str, what: str) -> int:
        return int(counts.get(f"{name}:{what}".encode(), 0))

    return {
        name: {
            "hits": of(name, "hits"),
            "misses": of(name, "misses"),
            "hit_rate": _rate(of(name, "hits"), of(name, "misses")),
            "errors": of(name, "errors"),
        }
        for name in NAMESPACES
    }


def _rate(hits: int, misses: int) -> float | None:
    return round(hits / (hits + misses), 4) if hits + misses else None
