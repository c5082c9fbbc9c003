"""How long routes and statements take, summed over all processes and hosts, kept for a week: for `manage.py slowest`.

Each process adds up by itself and hands its sums to Redis every ten seconds, in one round trip. What a killed process
had not handed over is lost, and so is everything when Redis loses its data: these are observations, not records.
"""

from __future__ import annotations

import atexit
import hashlib
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import structlog
from django.conf import settings

from jobs.connections import RedisError, breaker_of, events_redis, events_url

log = structlog.get_logger(__name__)
What = Literal["route", "query"]

EVERY_S = 10.0
KEPT_DAYS = 7
# Names per process and hand-over; routes are bounded by the code, statements hardly vary. Beyond it: one name for all.
MOST_NAMES = 300
OTHERS = "(others)"
BOUNDS_MS = (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000)


@dataclass
class Sums:
    """Of one name: how often, how long altogether, and how many in each bucket (the last: beyond all bounds)."""

    count: int = 0
    total_ms: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))

    def add(self, took_ms: float) -> None:
        self.count += 1
        self.total_ms += took_ms
        self.buckets[bisect_left(BOUNDS_MS, took_ms)] += 1

    def add_all(self, other: Sums) -> None:
        self.count += other.count
        self.total_ms += other.total_ms
        self.buckets = [mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True)]

    def quantile_ms(self, fraction: float) -> float:
        """Upper bound of the bucket that holds it: "at most". Beyond all bounds: infinity."""
        wanted, seen = fraction * self.count, 0
        for number, bound in zip(self.buckets, BOUNDS_MS, strict=False):
            seen += number
            if seen >= wanted:
                return bound
        return float("inf")


class Ledger:
    """One per process. `note` and `add` may be called from any thread and never raise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[tuple[What, str], Sums] = {}
        self._handed_over_at = time.monotonic()

    def note(self, what: What, name: str, took_s: float) -> None:
        with self._lock:
            self._sums_of(what, name).add(took_s * 1000)
            if not self._is_due():
                return
        self.hand_over()

    def add(self, what: What, name: str, sums: Sums) -> None:
        """Many at once, added up elsewhere."""
        with self._lock:
            self._sums_of(what, name).add_all(sums)
            if not self._is_due():
                return
        self.hand_over()

    def _sums_of(self, what: What, name: str) -> Sums:
        key = (what, name)
        if key not in self._held and len(self._held) >= MOST_NAMES:
            key = (what, OTHERS)
        return self._held.setdefault(key, Sums())

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now - self._handed_over_at < EVERY_S:
            return False
        self._handed_over_at = now
        return True

    def hand_over(self) -> None:
        """Add what is held to the sums in Redis. Without Redis it is dropped, so that it does not grow."""
        with self._lock:
            held, self._held = self._held, {}
        if not held:
            return
        breaker = breaker_of(events_url())
        try:
            breaker.check()
            _add(held)
        except (RedisError, OSError) as error:
            breaker.failed()
            log.info("ledger_not_kept", error=type(error).__name__)


def read(what: What, *, days: int = 1) -> dict[str, Sums]:
    """Sums by name over the latest days (UTC), this one included. Raises RedisError."""
    today = datetime.now(UTC).date()
    keys = [_key(what, today - timedelta(days=back)) for back in range(min(days, KEPT_DAYS))]
    with events_redis().pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.hgetall(key)
        answers: list[dict[bytes, bytes]] = pipe.execute()
    found: dict[str, Sums] = {}
    for answer in answers:
        _merge(found, answer)
    return found


def _key(what: What, day: date) -> str:
    return f"{settings.REDIS_KEY_PREFIX}:ledger:{what}:{day:%Y%m%d}"


def _add(held: dict[tuple[What, str], Sums]) -> None:
    today = datetime.now(UTC).date()
    with events_redis().pipeline(transaction=False) as pipe:
        for (what, name), sums in held.items():
            key, number = _key(what, today), hashlib.sha256(name.encode()).hexdigest()[:16]
            pipe.hset(key, f"{number}:name", name)
            pipe.hincrby(key, f"{number}:n", sums.count)
            pipe.hincrbyfloat(key, f"{number}:ms", round(sums.total_ms, 3))
            for index, count in enumerate(sums.buckets):
                if count:
                    pipe.hincrby(key, f"{number}:{index}", count)
        for what in {what for what, _ in held}:
            pipe.expire(_key(what, today), (KEPT_DAYS + 1) * 24 * 3600)
        pipe.execute()


def _merge(found: dict[str, Sums], answer: dict[bytes, bytes]) -> None:
    names = {key[:16]: value.decode() for key, value in answer.items() if key.endswith(b":name")}
    for key, value in _pairs(answer):
        sums = found.setdefault(names.get(key[:16], OTHERS), Sums())
        match key[17:]:
            case b"n":
                sums.count += int(value)
            case b"ms":
                sums.total_ms += float(value)
            case index:
                sums.buckets[int(index)] += int(value)


def _pairs(answer: dict[bytes, bytes]) -> Iterable[tuple[bytes, Any]]:
    return ((key, value) for key, value in answer.items() if not key.endswith(b":name"))


ledger = Ledger()
atexit.register(ledger.hand_over)
