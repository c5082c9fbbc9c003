"""The limits of this deployment, as the setting JOBS_LIMITS has them: a name and the arguments of its class.

JOBS_LIMITS = {
    "model:anthropic": {"size": 20, "lease_s": 30, "reserved": {"high": 4}},     a ConcurrencyLimit: it has a size
    "model:anthropic:tokens": {"per_minute": 400_000},                           a TokenBucket
}
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from .bucket import TokenBucket
from .concurrency import ConcurrencyLimit
from .exceptions import UnknownLimit
from .states import BucketState, LimitState

_made: dict[str, tuple[Mapping[str, Any], ConcurrencyLimit | TokenBucket]] = {}
_lock = threading.Lock()


def get(name: str) -> ConcurrencyLimit:
    """Raises UnknownLimit."""
    limit = _get(name)
    if not isinstance(limit, ConcurrencyLimit):
        raise UnknownLimit(f"{name!r} in JOBS_LIMITS is a bucket: it has no size.")
    return limit


def get_bucket(name: str) -> TokenBucket:
    """Raises UnknownLimit."""
    limit = _get(name)
    if not isinstance(limit, TokenBucket):
        raise UnknownLimit(f"{name!r} in JOBS_LIMITS is no bucket: it has no per_minute.")
    return limit


def states() -> list[LimitState | BucketState]:
    """Of all limits in the settings, by name. Raises LimitUnreachable."""
    return [_get(name).state() for name in sorted(settings.JOBS_LIMITS)]


def make(name: str, options: Mapping[str, Any]) -> ConcurrencyLimit | TokenBucket:
    """Raises TypeError or ValueError where the options make no limit."""
    if "per_minute" in options:
        return TokenBucket(name, **options)
    return ConcurrencyLimit(name, **options)


def _get(name: str) -> ConcurrencyLimit | TokenBucket:
    try:
        options = settings.JOBS_LIMITS[name]
    except KeyError:
        raise UnknownLimit(f"JOBS_LIMITS has no limit called {name!r}.") from None
    with _lock:
        known = _made.get(name)
        if known is None or known[0] is not options:  # the settings of a test are others
            known = _made[name] = (options, make(name, options))
    return known[1]
