"""Caches: what is kept (`policy`), how it is asked for (`reading`), how it lies in Redis (`store`), how well it does
(`health`); and Django's own cache, that sessions lie in (`backend`)."""

from .backend import ForgivingRedisCache

__all__ = ["ForgivingRedisCache"]
