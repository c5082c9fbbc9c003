"""The windows themselves: whole or not at all, one step for all of them, honest about when calls come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import RequestFactory
from limits import RateLimitItem, parse
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from structlog.testing import capture_logs

from config import redis_access
from config.checks import throttles_can_be_read
from config.redis_access import RedisAway, client_of
from config.throttling import Window, client_address, count, place_of
from config.throttling.windows import _standing, give_back
from tests.platform.throttled import DEAD_REDIS, limit, throttled

__all__ = ["throttled"]
pytestmark = pytest.mark.usefixtures("throttled")
PATIENCE_S = 60.0


def window(rate: str, who: str = "somebody", name: str = "user") -> Window:
    item = parse(rate)
    item.namespace = name
    return Window(item, who)


def allowed(*windows: Window) -> bool:
    verdict = count(windows)
    assert verdict is not None
    return verdict.is_allowed


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.05)


def test_of_many_calls_at_once_no_more_than_the_limit_pass() -> None:
    windows = (window("10/hour"), window("15/hour", "all", "organisation"))
    start = threading.Barrier(8)

    def calls() -> int:
        start.wait()
        return sum(allowed(*windows) for _ in range(5))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: calls(), range(8))) == 10


def test_a_full_window_keeps_all_others_as_they_were() -> None:
    small, large = window("1/hour"), window("5/hour", name="organisation")
    assert allowed(small, large)
    assert not allowed(small, large)
    verdict = count([large])
    assert verdict is not None and verdict.standings[0].remaining == 3


def test_all_windows_take_one_question_to_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    original = redis_access.ask

    def counted(question: Any) -> Any:
        nonlocal asked
        asked += 1
        return original(question)

    windows = [window("10/hour", name=name) for name in ("user", "organisation", "expensive")]
    allowed(*windows)
    monkeypatch.setattr(redis_access, "ask", counted)
    allowed(*windows)
    assert asked == 1


def test_calls_come_back_when_the_time_that_was_named_has_passed() -> None:
    second = window("2/second")
    until(lambda: not allowed(second), "the window is full")
    until(lambda: allowed(second), "a call comes back")


@pytest.mark.parametrize(
    ("before", "before_ttl", "now", "now_ttl"),
    [
        (0, 0, 10, 90_000),
        (10, 60_000, 0, 120_000),
        (10, 30_000, 5, 90_000),
        (7, 59_999, 4, 119_999),
        (0, 0, 13, 70_000),
    ],
)
def test_the_named_time_is_the_first_at_which_there_is_room(
    before: int, before_ttl: int, now: int, now_ttl: int
) -> None:
    """The window's own arithmetic at the named time, and a little before it."""
    minute, expiry, maximum = window("10/minute"), 60_000, 10
    standing = _standing(minute, False, before, before_ttl, now, now_ttl)
    assert standing.is_full

    def used(after_ms: int) -> int:
        if after_ms < now_ttl - expiry:
            return before * max(0, before_ttl - after_ms) // expiry + now
        return now * max(0, now_ttl - after_ms) // expiry

    assert used(standing.reset_s * 1000) < maximum
    if standing.reset_s > 1:
        assert used((standing.reset_s - 1) * 1000 - 2) >= maximum


def test_the_count_is_kept_as_the_library_keeps_it(throttled: LazySettings) -> None:
    """So its own tools can read our windows."""
    used = window("10/hour", "reader")
    for _ in range(3):
        allowed(used)
    storage = RedisStorage(
        throttled.REDIS_CACHE_URL,
        connection_pool=client_of(throttled.REDIS_CACHE_URL).connection_pool,
        key_prefix=f"{throttled.REDIS_KEY_PREFIX}:throttle",
    )
    stats = SlidingWindowCounterRateLimiter(storage).get_window_stats(used.limit, used.who)
    assert stats.remaining == 7


def test_a_call_given_back_is_one_call() -> None:
    hour = window("3/hour")
    for _ in range(3):
        assert allowed(hour)
    give_back([hour])
    assert [allowed(hour), allowed(hour)] == [True, False]
    for _ in range(9):
        give_back([hour])
    assert [allowed(hour) for _ in range(4)] == [True, True, True, False], "never below nothing"


def test_limits_of_the_same_caller_do_not_mix() -> None:
    assert allowed(window("1/hour", "a"))
    assert allowed(window("1/hour", "b"))
    assert allowed(window("1/hour", "a", "expensive"))
    assert not allowed(window("1/hour", "a"))


def test_a_redis_that_is_away_is_asked_once_a_pause_and_logged_once(
    throttled: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    throttled.REDIS_CACHE_URL = DEAD_REDIS + "?throttles"
    tried = 0
    original = redis_access.client_of

    def client(url: str) -> Any:
        nonlocal tried
        tried += 1
        return original(url)

    monkeypatch.setattr(redis_access, "client_of", client)
    monkeypatch.setattr(redis_access, "PAUSE_S", 3600.0)
    with capture_logs() as logs:
        assert [count([window("1/hour")]) for _ in range(20)] == [None] * 20
    assert tried == 1
    assert [entry["event"] for entry in logs] == ["redis.away"]


def test_after_the_pause_one_caller_finds_out_and_all_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = redis_access.Gate()
    monkeypatch.setattr(redis_access, "PAUSE_S", 0.0)
    gate.failed(OSError("down"))
    monkeypatch.setattr(redis_access, "PAUSE_S", 3600.0)
    gate.enter()  # passes: it is the one that tries
    with pytest.raises(RedisAway):
        gate.enter()
    gate.worked()
    gate.enter()
    assert not gate.is_closed


def test_each_pause_is_logged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = redis_access.Gate()
    monkeypatch.setattr(redis_access, "PAUSE_S", 0.0)
    with capture_logs() as logs:
        gate.failed(OSError("down"))
        gate.failed(OSError("another thread's call that was under way"))
        gate.enter()
        gate.failed(OSError("still down"))
    assert [entry["event"] for entry in logs] == ["redis.away", "redis.away"]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "nonsense", "192.0.2.1"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
def test_only_trusted_proxies_say_where_a_call_comes_from(
    throttled: LazySettings, proxies: int, forwarded: str, expected: str
) -> None:
    throttled.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == expected


def test_a_caller_without_an_address_has_a_name_all_the_same() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="")
    assert place_of(client_address(request)) == "unknown"


def test_whoever_owns_a_network_of_addresses_is_one_caller() -> None:
    assert place_of("2001:db8:1:2::1") == place_of("2001:db8:1:2:ffff::9") != place_of("2001:db8:1:3::1")
    assert place_of("203.0.113.9") != place_of("203.0.113.10")


@pytest.mark.parametrize("text", ["a hundred", "0/minute", "10/fortnight"])
def test_limits_that_nobody_can_read_keep_the_site_from_starting(throttled: LazySettings, text: str) -> None:
    assert throttles_can_be_read(None) == []
    limit(throttled, user=text)
    assert [found.id for found in throttles_can_be_read(None)] == ["plumbline.E006"]


def test_a_misspelt_throttle_keeps_the_site_from_starting(throttled: LazySettings) -> None:
    limit(throttled, anonimous="1/minute")
    assert [found.id for found in throttles_can_be_read(None)] == ["plumbline.E006"]


def test_items_of_the_policy_are_limits_of_the_library(throttled: LazySettings) -> None:
    from config.throttling.policy import NAMES, limits_of

    for name in NAMES:
        assert limits_of(name)
        assert all(isinstance(item, RateLimitItem) and item.namespace == name for item in limits_of(name))
