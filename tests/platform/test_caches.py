"""What is kept, for how long, and by whom it is made."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings

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
from tests.platform.caching import NAME, PATIENCE_S, Maker, until
from tests.platform.throttled import DEAD_REDIS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_namespace")]


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
