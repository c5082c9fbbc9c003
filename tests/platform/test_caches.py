"""What is kept, for how long, by whom it is made, and what makes it stale."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import transaction

from config import cache
from config.cache import (
    aget_or_set,
    cache_health,
    cache_key,
    forget,
    get_or_set,
    invalidate,
    policy,
    reading,
    stats,
    store,
)
from config.redis_access import RedisAway, ask, key
from tests.platform.throttled import DEAD_REDIS

pytestmark = pytest.mark.django_db
NAME = "tests"
PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def _namespace(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> Iterator[None]:
    """A namespace of the tests' own, empty."""
    own = policy.Namespace(NAME, ttl_s=3600, purpose="tests", invalidated_by="tests")
    monkeypatch.setitem(policy.NAMESPACES, NAME, own)
    url = settings.REDIS_CACHE_URL
    _empty()
    yield
    settings.REDIS_CACHE_URL = url
    reading._lost.clear()
    _empty()


def _empty() -> None:
    def drop(client: Any) -> None:
        for name in client.scan_iter(key("cache*")):
            client.delete(name)

    ask(drop)


class Maker:
    """Makes 1, 2, 3 …: the value says how often it was asked."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        return self.made


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


def test_a_value_is_made_once_and_then_served() -> None:
    make = Maker()
    assert [get_or_set(NAME, ("a",), make) for _ in range(5)] == [1] * 5


@pytest.mark.parametrize("value", [None, False, 0, "", b"\x00", Decimal("1.10"), [Decimal(2), None], "ž" * 20_000])
def test_whatever_is_made_comes_back_as_it_was(value: object) -> None:
    made: list[object] = []

    def make() -> object:
        made.append(value)
        return value

    found = [get_or_set(NAME, (1,), make) for _ in range(2)]
    assert found == [value, value]
    assert type(found[1]) is type(value)
    assert len(made) == 1


def test_other_parts_are_other_values() -> None:
    ids = UUID(int=1), UUID(int=2)
    parts: list[tuple[Any, ...]] = [
        ("a", "bc"), ("ab", "c"), ("abc",), ("a", "b", "c"), ("a,s2:bc",), ("a,s1:b", "c"), (), ("",), (None,), ("n",),
        (1,), ("1",), (True,), (Decimal(1),), ("i1",), (1, None), (1, ""), (11,), (1, 1), ids, ids[:1], (ids[0].hex,),
        (date(2026, 1, 2),), (datetime(2026, 1, 2),), ("2026-01-02",), ("x" * 500,), ("x" * 501,), ("x" * 500, ""),
    ]  # fmt: skip
    for one, other in combinations(parts, 2):
        assert cache_key(NAME, *one) != cache_key(NAME, *other), (one, other)
    assert cache_key(NAME, "a") != cache_key("sections", "a")
    assert len(cache_key(NAME, "x" * 10_000)) < 200


def test_what_has_no_one_spelling_is_no_part_of_a_key() -> None:
    for part in (1.5, b"a", ["a"], {"a": 1}, object()):
        with pytest.raises(TypeError):
            cache_key(NAME, part)  # type: ignore[arg-type]


def test_a_namespace_has_to_be_declared() -> None:
    for ask_for in (
        lambda: get_or_set("undeclared", (), int),
        lambda: invalidate("undeclared"),
        lambda: forget("undeclared"),
    ):
        with pytest.raises(KeyError, match="policy"):
            ask_for()
    for namespace in policy.DECLARED:
        assert namespace.purpose and namespace.invalidated_by and namespace.ttl_s > 0


def test_a_value_of_another_shape_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    make = Maker()
    get_or_set(NAME, ("a",), make)
    other = policy.Namespace(NAME, ttl_s=3600, purpose="tests", invalidated_by="tests", shape=2)
    monkeypatch.setitem(policy.NAMESPACES, NAME, other)
    assert get_or_set(NAME, ("a",), make) == 2


def test_a_value_that_nobody_can_read_any_more_is_made_anew() -> None:
    make = Maker()
    get_or_set(NAME, ("a",), make)
    ask(lambda client: client.hset(cache_key(NAME, "a"), "v", b"pnonsense"))
    assert [get_or_set(NAME, ("a",), make) for _ in range(2)] == [2, 2]


def test_errors_are_raised_and_never_kept() -> None:
    class Oops(Exception):
        pass

    def fail() -> int:
        raise Oops

    for _ in range(2):
        with pytest.raises(Oops):
            get_or_set(NAME, ("a",), fail)
    assert get_or_set(NAME, ("a",), Maker()) == 1
    assert stats()[NAME]["errors"] == 2


def test_of_many_who_miss_at_once_one_makes_the_value() -> None:
    started, may_finish, make = threading.Event(), threading.Event(), Maker()

    def slowly() -> int:
        started.set()
        assert may_finish.wait(PATIENCE_S)
        return make()

    def waits() -> bool:
        return ask(lambda client: int(client.hget(key("cache-counts"), f"{NAME}:misses") or 0)) == 6

    with ThreadPoolExecutor(6) as pool, pytest.MonkeyPatch.context() as patience:
        patience.setattr(reading, "WAIT_S", PATIENCE_S)
        first = pool.submit(get_or_set, NAME, ("a",), slowly)
        assert started.wait(PATIENCE_S)
        others = [pool.submit(get_or_set, NAME, ("a",), make) for _ in range(5)]
        until(waits, "all have asked")
        may_finish.set()
        assert [first.result(), *(other.result() for other in others)] == [1] * 6
    assert make.made == 1


def test_nobody_waits_for_ever_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WAIT_S", 0.05)
    make, namespace, entry = Maker(), policy.NAMESPACES[NAME], cache_key(NAME, "a")
    assert store.read(namespace, entry).is_mine  # and is never heard of again
    assert [get_or_set(NAME, ("a",), make) for _ in range(2)] == [1, 1], "made once more, and kept"


def test_a_maker_that_fails_lets_the_next_one_try() -> None:
    namespace, entry = policy.NAMESPACES[NAME], cache_key(NAME, "a")
    held = store.read(namespace, entry)
    assert not store.read(namespace, entry).is_mine
    store.failed(namespace, entry, held.token)
    assert store.read(namespace, entry).is_mine


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


def test_caches_can_be_turned_off(settings: LazySettings) -> None:
    settings.CACHES_ENABLED = False
    make = Maker()
    assert [get_or_set(NAME, ("a",), make) for _ in range(3)] == [1, 2, 3]
    assert cache_health()["enabled"] is False


def test_coroutines_share_values_with_everybody() -> None:
    async def make() -> int:
        await asyncio.sleep(0)
        return 7

    async def many() -> list[int]:
        return await asyncio.gather(*(aget_or_set(NAME, ("a",), make) for _ in range(5)))

    assert asyncio.run(many()) == [7] * 5
    assert get_or_set(NAME, ("a",), Maker()) == 7


def test_of_many_coroutines_one_makes_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WAIT_S", PATIENCE_S)
    made = []

    async def make() -> int:
        made.append(1)
        await asyncio.sleep(0.1)
        return len(made)

    async def many() -> list[int]:
        return await asyncio.gather(*(aget_or_set(NAME, ("a",), make) for _ in range(5)))

    assert asyncio.run(many()) == [1] * 5


def test_errors_of_coroutines_are_raised_and_never_kept() -> None:
    async def fail() -> int:
        raise OSError

    for _ in range(2):
        with pytest.raises(OSError):
            asyncio.run(aget_or_set(NAME, ("a",), fail))
    assert stats()[NAME]["errors"] == 2
    assert get_or_set(NAME, ("a",), Maker()) == 1


def test_hits_and_misses_are_counted_by_namespace() -> None:
    make = Maker()
    assert stats()[NAME] == {"hits": 0, "misses": 0, "hit_rate": None, "errors": 0}
    for part in "aaab":
        get_or_set(NAME, (part,), make)
    assert stats()[NAME] == {"hits": 2, "misses": 2, "hit_rate": 0.5, "errors": 0}
    assert stats()["sections"]["hits"] == 0


def test_a_hit_asks_redis_once(monkeypatch: pytest.MonkeyPatch) -> None:
    get_or_set(NAME, ("a",), Maker())
    asked = 0
    original = store.READ.run

    def run(*given: Any) -> Any:
        nonlocal asked
        asked += 1
        return original(*given)

    monkeypatch.setattr(store.READ, "run", run)
    for script in (store.STORE, store.FAILED, store.FORGET, store.INVALIDATE):
        monkeypatch.setattr(script, "run", lambda *_: pytest.fail("asked for more"))
    get_or_set(NAME, ("a",), Maker())
    assert asked == 1


def test_the_health_of_the_caches_is_told() -> None:
    get_or_set(NAME, ("a",), Maker())
    get_or_set(NAME, ("a",), Maker())
    told = cache_health()
    assert (told["enabled"], told["ok"], told["hit_rate"]) == (True, True, 0.5)
    assert told["namespaces"][NAME]["hits"] == 1
    assert told["memory_bytes"] and told["memory_bytes"] > 0
    assert told["keyspace_hits"] is not None and told["evicted"] is not None


def test_caches_that_are_away_are_an_answer_too(settings: LazySettings) -> None:
    settings.REDIS_CACHE_URL = DEAD_REDIS
    told = cache_health()
    assert (told["ok"], told["hit_rate"], told["memory_bytes"]) == (False, None, None)
    with pytest.raises(RedisAway):
        stats()


def test_the_cache_of_the_settings_is_found_where_it_was() -> None:
    assert cache.ForgivingRedisCache.__name__ == "ForgivingRedisCache"
