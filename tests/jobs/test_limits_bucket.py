"""Limits on how much per minute."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from jobs import limits
from jobs.connections import queue_redis
from jobs.limits import LimitBusy, LimitUnreachable, TokenBucket, TooLarge
from tests.jobs.places import redis_now
from tests.jobs.processes import wait_until


@pytest.fixture
def slow() -> TokenBucket:
    """Fills so slowly that nothing comes back while a test runs."""
    return TokenBucket("slow", per_minute=0.001, burst=100)


def available(bucket: TokenBucket) -> float:
    return round(bucket.state()["available"])


def test_what_is_taken_is_gone_for_everybody(slow: TokenBucket) -> None:
    slow.take(60)
    with pytest.raises(LimitBusy):
        TokenBucket("slow", per_minute=0.001, burst=100).take(60, timeout_s=0)
    slow.take(40, timeout_s=0)


def test_more_than_the_bucket_holds_is_refused_for_good(slow: TokenBucket) -> None:
    with pytest.raises(TooLarge, match="100"):
        slow.take(101)


def test_less_than_nothing_is_a_mistake(slow: TokenBucket) -> None:
    with pytest.raises(ValueError, match="negative"):
        slow.take(-1)


def test_it_fills_by_redis_clock() -> None:
    bucket = TokenBucket("quick", per_minute=60_000, burst=100)
    began = redis_now()
    bucket.take(100)
    for _ in range(5):
        bucket.take(100, timeout_s=60)
    assert redis_now() - began >= 0.49  # by that clock half a second's worth was made: nothing is given ahead of time


def test_unused_tokens_come_back_and_used_ones_are_charged(slow: TokenBucket) -> None:
    slow.take(50)
    slow.settle(50, 20)
    assert available(slow) == 80
    slow.settle(0, 30)
    assert available(slow) == 50


def test_it_never_holds_more_than_its_burst(slow: TokenBucket) -> None:
    slow.settle(50, 0)
    assert available(slow) == 100


def test_it_falls_below_zero_by_one_full_bucket_at_most(slow: TokenBucket) -> None:
    for _ in range(5):
        slow.settle(10, 90)
    assert available(slow) == -100


def test_a_large_request_is_not_overtaken_by_small_ones(slow: TokenBucket) -> None:
    slow.take(60)
    large = threading.Thread(target=slow.take, args=(80, 600))
    large.start()
    wait_until(lambda: slow.state()["waiting"] == 1, "the large one waits")
    with pytest.raises(LimitBusy):
        slow.take(1, timeout_s=0)
    slow.settle(60, 10)
    large.join(60)
    assert not large.is_alive()
    assert available(slow) == 10


def test_who_gives_up_leaves_the_line(slow: TokenBucket) -> None:
    slow.take(100)
    with pytest.raises(LimitBusy):
        slow.take(1, timeout_s=0.05)
    assert slow.state()["waiting"] == 0


async def test_threads_and_event_loops_share_a_bucket(slow: TokenBucket) -> None:
    await asyncio.gather(*(slow.atake(10) for _ in range(5)), *(asyncio.to_thread(slow.take, 10) for _ in range(5)))
    with pytest.raises(LimitBusy):
        await slow.atake(1, timeout_s=0)
    await slow.asettle(10, 0)
    assert round((await slow.astate())["available"]) == 10
    await limits.aclose()


def test_without_redis_nothing_is_given(redis_is_down: None, slow: TokenBucket) -> None:
    with pytest.raises(LimitUnreachable):
        slow.take(1)


def test_an_open_bucket_holds_nobody_up_without_redis(redis_is_down: None) -> None:
    bucket = TokenBucket("t", 1, when_redis_is_down="open")
    bucket.take(1)
    bucket.take(1, timeout_s=0)
    with pytest.raises(LimitUnreachable):
        bucket.state()


def test_a_flushed_redis_is_a_full_bucket(slow: TokenBucket) -> None:
    slow.take(100)
    assert available(slow) == 0
    queue_redis().flushdb()
    assert available(slow) == 100
    slow.take(100, timeout_s=0)


def test_buckets_come_from_the_settings(settings: Any) -> None:
    settings.JOBS_LIMITS = {"a": {"per_minute": 60, "burst": 5}}
    assert limits.get_bucket("a").burst == 5
