"""What counting a call costs: one view in one process, asked in turn with throttles and without."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from benchmarks.report import Report

TIMES = 600
ADDED_MS = 1.0
NEVER_FULL = "10000000/minute; 10000000/15 minutes"


def measure() -> Iterator[Report]:
    pairs = _in_turn()
    with_throttles, without = ([pair[at].wall_ms for pair in pairs] for at in (0, 1))
    added = statistics.median(with_throttles) - statistics.median(without)
    cpu_ms = statistics.median([pair[0].cpu_ms - pair[1].cpu_ms for pair in pairs])
    report = Report(f"A call of the API, counted in three windows, {TIMES} times in turn with one that is not")
    report.claim(
        "added by throttles, at the median",
        added,
        "ms",
        ADDED_MS,
        reference=f"without {statistics.median(without):.2f} ms, with {statistics.median(with_throttles):.2f} ms",
    )
    report.figure(
        "of it, time on this process's processor", f"median {cpu_ms:.3f} ms: what a busy machine does not alter"
    )
    alone = _alone()
    report.figure("counting alone", f"median {statistics.median(alone):.3f} ms, p95 {_p95(alone):.3f} ms")
    one_by_one = _one_by_one()
    report.figure("the library, window by window", f"median {statistics.median(one_by_one):.3f} ms, not atomic")
    yield report


class Taken(NamedTuple):
    wall_ms: float
    cpu_ms: float


def _in_turn() -> list[tuple[Taken, Taken]]:
    """With and without, in turn, so that the machine's load falls on both; the first twenty left out."""
    from django.test.utils import override_settings

    client, token = _client()

    def asked(*, enabled: bool) -> Taken:
        with override_settings(
            THROTTLES_ENABLED=enabled, THROTTLES={"user": NEVER_FULL, "organisation": "10000000/15 minutes"}
        ):
            began, cpu_began = time.perf_counter(), time.process_time()
            answer = client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})
            cpu_ms = (time.process_time() - cpu_began) * 1000
            taken = Taken((time.perf_counter() - began) * 1000, cpu_ms)
        if answer.status_code != 200 or ("RateLimit" in answer) != enabled:
            raise RuntimeError(f"GET /api/auth/me: {answer.status_code} {answer.headers}")
        return taken

    return [(asked(enabled=True), asked(enabled=False)) for _ in range(TIMES + 20)][20:]


def _client() -> tuple[Any, str]:
    from django.test import Client

    from accounts.services import create_person, ensure_organisation, tokens_for

    user = create_person(email="often@plumbline.example", password=None, full_name="Often")
    ensure_organisation(user=user)
    return Client(headers={"host": "127.0.0.1"}), tokens_for(user=user).access


def _alone() -> list[float]:
    from limits import parse_many

    from config.throttling import Window, count

    windows = [Window(item, "benchmark") for item in (*parse_many(NEVER_FULL), *parse_many("10000000/hour"))]
    return _times(lambda: count(windows))


def _one_by_one() -> list[float]:
    from django.conf import settings
    from limits import parse_many
    from limits.storage import RedisStorage
    from limits.strategies import SlidingWindowCounterRateLimiter

    from config.redis_access import client_of

    url = settings.REDIS_CACHE_URL
    storage = RedisStorage(url, connection_pool=client_of(url).connection_pool, key_prefix="bench:reference")
    limiter = SlidingWindowCounterRateLimiter(storage)
    items = (*parse_many(NEVER_FULL), *parse_many("10000000/hour"))

    def step() -> None:
        for item in items:
            limiter.hit(item, "benchmark")
            limiter.get_window_stats(item, "benchmark")

    return _times(step)


def _times(step: Callable[[], object]) -> list[float]:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        step()
        taken.append((time.perf_counter() - began) * 1000)
    return taken[20:]


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
