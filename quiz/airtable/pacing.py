"""How often Airtable is asked: it answers five requests a second of a base, and locks the base out for 30 s after one
more. All processes count together; one that was locked out tells the others to wait too."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable

from django.conf import settings

from jobs.limits import ConcurrencyLimit, LimitUnreachable, TokenBucket

AT_ONCE = 4
SLICE_S = 0.25
CLOCKS_S = 0.002  # a clock of Redis and one of ours, in milliseconds each


class Pace:
    """Of one base. `tick` is called now and then while waiting, and may raise to end it."""

    def __init__(self, base_id: str, tick: Callable[[str], None]) -> None:
        name, self._tick = f"airtable:{base_id}", tick
        # One at a time, never a burst: five at once and the next ones at 4.5 a second would be one too many.
        self._apart_s = 1 / settings.AIRTABLE_REQUESTS_PER_S
        self._bucket = TokenBucket(name, 60 / self._apart_s, 1, when_redis_is_down="open")
        self.places = ConcurrencyLimit(f"{name}:calls", AT_ONCE, when_redis_is_down="open")
        self._not_before = 0.0

    def wait_for_turn(self, timeout_s: float) -> None:
        """Raises LimitBusy."""
        # Where nobody else asks, the bucket is full again just now. Waiting for it in Redis would end at Redis' own
        # pace, every tenth of a second. It also keeps the pace while Redis is away.
        time.sleep(max(0.0, self._not_before - time.monotonic()))
        self._bucket.take(1, timeout_s=timeout_s)
        self._not_before = time.monotonic() + self._apart_s + CLOCKS_S

    def locked_out(self) -> None:
        """Wait for as long as Airtable locks a base out, and have everybody wait."""
        wait_s = settings.AIRTABLE_LOCKOUT_S * random.uniform(1.0, 1.2)  # noqa: S311 - nothing secret
        with contextlib.suppress(LimitUnreachable):  # then the others find out by themselves
            self.places.pause(wait_s, "Airtable has locked the base out for too many requests.")
        self.sleep(wait_s, f"Airtable asks us to wait {wait_s:.0f} s")

    def backed_off(self, attempt: int) -> None:
        wait_s = settings.AIRTABLE_BACKOFF_S * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311
        self.sleep(wait_s, "Airtable did not answer; asking again")

    def sleep(self, seconds: float, message: str) -> None:
        until = time.monotonic() + seconds
        while (left_s := until - time.monotonic()) > 0:
            self._tick(message)
            time.sleep(min(SLICE_S, left_s))
