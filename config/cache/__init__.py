"""Caches: what is kept (`policy`), how it is asked for (`reading`), how it lies in Redis (`store`), how well it does
(`health`); and Django's own cache, which sessions lie in (`backend`)."""

from .backend import ForgivingRedisCache
from .health import CacheHealth, Counts, cache_health, stats
from .keys import cache_key
from .reading import aget_or_set, forget, get_or_set, invalidate

__all__ = [
    "CacheHealth",
    "Counts",
    "ForgivingRedisCache",
    "aget_or_set",
    "cache_health",
    "cache_key",
    "forget",
    "get_or_set",
    "invalidate",
    "stats",
]
