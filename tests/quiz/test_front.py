"""The quiz endpoint ahead of Django: what it says of limits, pools that change size, answers to whom they belong."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from django.conf import settings
from limits import parse_many

from config.api.throttles import headers_of
from config.redis_access import ask
from config.redis_line import NumbersOf, RedisLine, ScriptCall, packed
from config.throttling import LimitHeaders, Window, verdict_of
from quiz.models import Category
from quiz.services import pool_store
from tests.factories.quiz import make_category
from tests.quiz.test_pool import Front

MINUTE_MS, QUARTER_MS = 60_000, 900_000


@pytest.fixture
def category() -> Category:
    ask(lambda client: client.flushdb())
    return make_category("Structural Welding")


def make_pool(count: int, name: bytes = b"q") -> None:
    keys = pool_store.keys_of("", "")
    ask(lambda client: client.delete(keys[1], keys[2]))
    assert pool_store.keep(keys, pool_store.draw(keys, 1), [b'{"id":"%b%d"}' % (name, at) for at in range(count)])


@pytest.mark.parametrize(
    ("limits", "answer"),
    [
        ("100/minute", [1, 0, 0, 1, 2 * MINUTE_MS]),
        ("100/minute", [1, 0, 0, 100, MINUTE_MS + 1]),
        ("100/minute", [1, 77, 30_001, 12, MINUTE_MS + 30_001]),
        ("100/minute", [1, 100, MINUTE_MS, 1, 2 * MINUTE_MS]),
        ("100/minute", [1, 90, 59_000, 99, MINUTE_MS + 59_000]),
        ("100/minute; 1000/15 minutes", [1, 0, 0, 1, 2 * MINUTE_MS, 0, 0, 1, 2 * QUARTER_MS]),
        ("100/minute; 1000/15 minutes", [1, 3, 9, 9, 70_000, 900, QUARTER_MS - 5, 80, 2 * QUARTER_MS - 5]),
        ("5/minute; 5/15 minutes", [1, 0, 0, 2, 2 * MINUTE_MS, 0, 0, 2, 2 * QUARTER_MS]),
    ],
)
def test_limits_are_told_as_everywhere_else(limits: str, answer: list[int]) -> None:
    windows = [Window(limit, "198.51.100.7") for limit in parse_many(limits)]
    told = LimitHeaders(windows).of_counted(answer)
    expected = headers_of(verdict_of(windows, answer))
    assert {name.decode(): value.decode() for name, value in told} == {
        name.lower(): value for name, value in expected.items()
    }
    assert LimitHeaders([]).of_counted([]) == []


@pytest.mark.django_db(transaction=True)
def test_a_pool_that_has_become_larger_or_smaller_is_drawn_whole(category: Category) -> None:
    async def drawn() -> list[int]:
        front, counts = Front(), []
        for count in (3, 40, 7, 0, 12):
            await asyncio.to_thread(make_pool, count)
            [(status, headers, body)] = await front.answers(["count=50"])
            assert status == 200 and headers["x-cache"] == "hit"
            assert len({each["id"] for each in body["questions"]}) == body["count"]
            counts.append(body["count"])
        return counts

    assert asyncio.run(drawn()) == [3, 40, 7, 0, 12]


@pytest.mark.parametrize(("size", "count"), [(10_000, 10), (41, 10), (39, 10), (10, 10), (3, 10), (1, 1), (0, 10)])
def test_numbers_drawn_are_different_ones_of_the_pool(size: int, count: int) -> None:
    for _ in range(50):
        numbers = pool_store.numbers_of(size, count)
        assert len(set(numbers)) == len(numbers) == min(size, count)
        assert set(numbers) <= set(range(size))


def test_numbers_drawn_have_no_favourites_and_no_order() -> None:
    times, firsts = Counter[int](), Counter[int]()
    for _ in range(20_000):
        numbers = pool_store.numbers_of(50, 10)
        times.update(numbers)
        firsts[numbers[0]] += 1
    assert set(times) == set(firsts) == set(range(50))
    assert max(times.values()) < 1.2 * min(times.values())  # 4,000 each, deviating by some 57
    assert max(firsts.values()) < 2 * min(firsts.values())  # 400 each, deviating by some 20


@pytest.mark.django_db(transaction=True)
def test_answers_of_one_and_two_commands_come_to_whom_they_belong(category: Category) -> None:
    make_pool(1)
    keys = pool_store.keys_of("", "")

    async def many() -> list[tuple[object, object]]:
        line = RedisLine(str(settings.REDIS_CACHE_URL))
        call = ScriptCall(pool_store.LOOK, keys, ["", 0])

        async def one(at: int) -> tuple[object, object]:
            echo = packed("ECHO", at)
            if at % 3:
                return (await line.run(call, echo))[1], b"%d" % at
            return await line.ask(echo), b"%d" % at

        try:
            return await asyncio.gather(*(one(at) for at in range(60)))
        finally:
            line.close()

    assert all(told == expected for told, expected in asyncio.run(many()))


@pytest.mark.parametrize("numbers", [[], [0], [9, 10, 11], [123_456, 7, 99, 100]])
def test_a_command_of_numbers_goes_out_as_any_other(numbers: list[int]) -> None:
    assert NumbersOf("HMGET", "pl:é").packed(numbers) == packed("HMGET", "pl:é", *numbers)
