"""What makes a kept value stale, and what is served meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import transaction

from config.cache import (
    aget_or_set,
    cache_key,
    forget,
    get_or_set,
    invalidate,
    policy,
    store,
)
from config.redis_access import ask
from tests.platform.caching import NAME, Maker
from tests.platform.throttled import DEAD_REDIS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_namespace")]


def grow_old(*parts: Any) -> None:
    """It was fresh until now."""
    ask(lambda client: client.hset(cache_key(NAME, *parts), "u", int(time.time() * 1000) - 1))


def test_an_old_value_is_made_anew_by_one_while_others_get_it() -> None:
    make, seen = Maker(), []

    def again() -> int:
        seen.append(get_or_set(NAME, ("a",), make))  # others ask while the new one is being made
        return 10

    get_or_set(NAME, ("a",), make)
    grow_old("a")
    assert get_or_set(NAME, ("a",), again) == 10
    assert seen == [1]
    assert get_or_set(NAME, ("a",), make) == 10


def test_a_value_is_made_anew_a_little_early_the_sooner_the_slower_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store.random, "random", lambda: 0.0)  # the least eager draw: not early at all
    make = Maker()
    get_or_set(NAME, ("a",), make)
    ask(lambda client: client.hset(cache_key(NAME, "a"), "m", 3_600_000))  # took an hour
    assert get_or_set(NAME, ("a",), make) == 1
    monkeypatch.setattr(store.random, "random", lambda: 0.9)
    assert get_or_set(NAME, ("a",), make) == 2


def test_when_making_anew_fails_the_old_value_is_still_there() -> None:
    def fail() -> int:
        raise OSError

    get_or_set(NAME, ("a",), Maker())
    grow_old("a")
    with pytest.raises(OSError):
        get_or_set(NAME, ("a",), fail)
    namespace = policy.NAMESPACES[NAME]
    found = store.read(namespace, cache_key(NAME, "a"))
    assert (found.state, found.value) == (store.State.DUE, 1)


def test_a_value_of_ones_own_time_ends_with_it() -> None:
    get_or_set(NAME, ("a",), Maker(), ttl_s=10)
    left = ask(lambda client: client.pttl(cache_key(NAME, "a")))
    assert 0 < left <= (10 + policy.NAMESPACES[NAME].grace_s) * 1000


@pytest.mark.django_db(transaction=True)
def test_what_is_invalidated_is_made_anew() -> None:
    make = Maker()
    get_or_set(NAME, ("a",), make), get_or_set(NAME, ("b",), make)
    invalidate(NAME)
    assert [get_or_set(NAME, (part,), make) for part in "aabb"] == [3, 3, 4, 4]


@pytest.mark.django_db(transaction=True)
def test_what_is_forgotten_is_made_anew_and_its_neighbours_stay() -> None:
    make = Maker()
    get_or_set(NAME, ("a",), make), get_or_set(NAME, ("b",), make)
    forget(NAME, "a")
    assert [get_or_set(NAME, (part,), make) for part in "aabb"] == [3, 3, 2, 2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stale", [lambda: invalidate(NAME), lambda: forget(NAME, "a")])
def test_a_value_is_stale_with_the_commit_and_not_before(stale: Callable[[], None]) -> None:
    make = Maker()
    get_or_set(NAME, ("a",), make)
    with transaction.atomic():
        stale()
        with ThreadPoolExecutor(1) as others:
            assert others.submit(get_or_set, NAME, ("a",), make).result() == 1, "others do not see the change yet"
        assert get_or_set(NAME, ("a",), lambda: 100) == 100, "whoever made it does"
        with ThreadPoolExecutor(1) as others:
            assert others.submit(get_or_set, NAME, ("a",), make).result() == 1, "and keeps it from others"
    assert get_or_set(NAME, ("a",), make) == 2


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_rolled_back_makes_nothing_stale() -> None:
    make = Maker()
    get_or_set(NAME, ("a",), make)
    with pytest.raises(OSError), transaction.atomic():
        invalidate(NAME)
        forget(NAME, "a")
        raise OSError
    assert get_or_set(NAME, ("a",), make) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stale", [lambda: invalidate(NAME), lambda: forget(NAME, "a")])
def test_what_was_read_before_a_change_is_not_kept_after_it(stale: Callable[[], None]) -> None:
    """The reader read its rows, then somebody committed, then the reader is done."""

    def read_then_changed() -> str:
        stale()
        return "old"

    assert get_or_set(NAME, ("a",), read_then_changed) == "old"
    assert get_or_set(NAME, ("a",), lambda: "new") == "new"


@pytest.mark.django_db(transaction=True)
def test_a_generation_that_redis_has_lost_does_not_bring_old_values_back() -> None:
    make = Maker()
    get_or_set(NAME, ("a",), make)
    ask(lambda client: client.delete(store.generation_key(policy.NAMESPACES[NAME])))
    assert get_or_set(NAME, ("a",), make) == 2


def test_without_redis_everything_is_made_and_nobody_waits(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_CACHE_URL = DEAD_REDIS
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("waited"))
    make = Maker()
    assert [get_or_set(NAME, ("a",), make) for _ in range(3)] == [1, 2, 3]
    assert asyncio.run(aget_or_set(NAME, ("a",), amake)) == "made"


async def amake() -> str:
    return "made"


@pytest.mark.django_db(transaction=True)
def test_what_became_stale_while_redis_was_away_is_stale_when_it_is_back(settings: LazySettings) -> None:
    make, url = Maker(), settings.REDIS_CACHE_URL
    get_or_set(NAME, ("a",), make), get_or_set(NAME, ("b",), make)
    settings.REDIS_CACHE_URL = DEAD_REDIS
    forget(NAME, "a")
    settings.REDIS_CACHE_URL = url
    assert [get_or_set(NAME, (part,), make) for part in "ab"] == [3, 2]
    settings.REDIS_CACHE_URL = DEAD_REDIS
    invalidate(NAME)
    settings.REDIS_CACHE_URL = url
    assert [get_or_set(NAME, (part,), make) for part in "ab"] == [4, 5]
