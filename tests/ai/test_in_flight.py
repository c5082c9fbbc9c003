"""How many are in flight, by the server's count, whatever becomes of Redis."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

import ai
from ai.models import ModelCall
from ai.services import conversation
from jobs.connections import breaker_of, queue_redis, queue_url
from jobs.limits import LimitBusy
from tests.jobs.processes import wait_until

from .conftest import Verdict, by_rules, limits_of
from .stand_in import StandIn

pytestmark = pytest.mark.django_db(transaction=True)


def ask(number: int = 0, **options: Any) -> ai.Answer[Verdict]:
    try:
        return ai.ask(Verdict, f"Notice {number}", purpose="test.flight", **options)
    finally:
        connection.close()


@pytest.fixture
def no_redis(anthropic: StandIn, settings: Any) -> StandIn:
    settings.REDIS_QUEUE_URL = "redis://127.0.0.1:1/0"
    breaker_of(queue_url()).worked()
    return anthropic


def in_flight_elsewhere(count: int, *, for_s: float) -> None:
    """Requests of other processes."""
    until = timezone.now() + timedelta(seconds=for_s)
    told = {"purpose": "test", "provider": "anthropic", "model": "m", "prompt_hash": "0", "in_flight_until": until}
    ModelCall.objects.bulk_create(ModelCall(**told) for _ in range(count))


def test_a_redis_that_is_flushed_lets_no_more_out(anthropic: StandIn, settings: Any) -> None:
    settings.JOBS_LIMITS = limits_of("anthropic", size=6)
    anthropic.behaviour.latency_s = 0.4
    is_over = threading.Event()

    def flush() -> None:
        while not is_over.wait(0.1):
            queue_redis().flushdb()

    flusher = threading.Thread(target=flush)
    flusher.start()
    with ThreadPoolExecutor(24) as threads:
        answers = list(threads.map(ask, range(60)))
    is_over.set()
    flusher.join()
    assert {answer.method for answer in answers} == {"model"}
    assert anthropic.seen.most_in_flight <= 6
    assert not ModelCall.objects.in_flight("anthropic", now=timezone.now()).exists()


def test_without_redis_a_quarter_of_the_places_is_left(no_redis: StandIn) -> None:
    no_redis.behaviour.latency_s = 0.1
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(ask, range(30)))
    assert {answer.method for answer in answers} == {"model"}
    assert 1 < no_redis.seen.most_in_flight <= 5  # of 20


def test_without_redis_those_that_began_with_it_count(no_redis: StandIn) -> None:
    in_flight_elsewhere(5, for_s=600)
    with pytest.raises(LimitBusy):
        ask(wait_s=0.1)
    assert ask(fallback=by_rules, wait_s=0).error.startswith("limit_busy")
    assert no_redis.seen.requests == []
    assert ModelCall.objects.count() == 5  # nothing was asked, so nothing is on record


def test_without_redis_who_is_told_to_slow_down_waits_by_itself(no_redis: StandIn) -> None:
    no_redis.behaviour.script = ["429"]
    no_redis.behaviour.retry_after = "3600"  # longer than anybody waits: AI_BACKOFF_S says how long
    answer = ask()
    assert (answer.method, answer.attempts) == ("model", 2)


def test_requests_of_the_killed_count_until_they_are_over_for_certain(anthropic: StandIn) -> None:
    in_flight_elsewhere(20, for_s=600)
    with pytest.raises(LimitBusy):
        ask(wait_s=0)
    ModelCall.objects.update(in_flight_until=timezone.now() - timedelta(seconds=1))
    assert ask().method == "model"


def test_a_place_that_becomes_free_is_taken(anthropic: StandIn) -> None:
    in_flight_elsewhere(20, for_s=600)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(ask)
        wait_until(lambda: ai.state()["in_flight"] == 1, "it has its place in Redis", 60)
        time.sleep(0.1)
        assert anthropic.seen.requests == []
        ModelCall.objects.filter(purpose="test").update(status="answered")
        assert waiting.result(60).method == "model"


def test_a_call_that_waits_for_its_next_attempt_is_not_in_flight(
    anthropic: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    anthropic.behaviour.script = ["500"]
    monkeypatch.setattr(
        conversation, "_sleep", lambda seconds: seen.append(ModelCall.objects.filter(in_flight_until=None).count())
    )
    assert ask().attempts == 2
    assert seen == [1]
