"""Many at once: never more in flight than allowed, each answered, every failure on record, no dollar twice."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

import ai
from ai.models import ModelCall, ProviderPause
from ai.services import budget, pausing

from .conftest import Verdict, by_rules, limits_of
from .stand_in import StandIn

pytestmark = pytest.mark.django_db(transaction=True)

CODES = {
    "429": "throttled",
    "529": "throttled",
    "500": "server_error",
    "reset": "connection_lost",
    "truncated": "truncated",
    "refusal": "declined",
    "wrong_schema": "unfit",
}


def ask(number: int, **options: Any) -> ai.Answer[Verdict] | Exception:
    try:
        return ai.ask(Verdict, f"Notice {number}", purpose="test.many", fallback=by_rules, **options)
    except Exception as error:
        return error
    finally:
        connection.close()


def test_200_questions_with_a_fifth_of_faults(anthropic: StandIn, settings: Any) -> None:
    settings.JOBS_LIMITS = limits_of("anthropic", size=20)
    told = anthropic.behaviour
    told.faults, told.rate = tuple(CODES), 0.2
    told.retry_after, told.latency_s = "0.05", 0.02
    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(ask, range(200)))
    assert all(isinstance(answer, ai.Answer) and isinstance(answer.value, Verdict) for answer in answers)
    seen = anthropic.seen
    assert 1 < seen.most_in_flight <= 20
    assert sum(seen.faults.values()) > 20

    calls = list(ModelCall.objects.all())
    assert len(calls) == 200
    methods = Counter(answer.method for answer in answers if isinstance(answer, ai.Answer))
    assert Counter(call.status for call in calls) == {
        status: count for status, count in (("answered", methods["model"]), ("failed", methods["fallback"])) if count
    }
    noted = Counter(fault["code"] for call in calls for fault in call.faults)
    made: Counter[str] = Counter()
    for fault, count in seen.faults.items():
        made[CODES[fault]] += count
    assert noted == made
    assert sum(call.attempts for call in calls) == len(seen.requests)
    spent = ModelCall.objects.aggregate(spent=Sum("cost_usd"))["spent"]
    assert budget.spent_today() == spent > 0


def test_the_budget_holds_for_all_together(anthropic: StandIn, settings: Any) -> None:
    settings.AI_DAILY_BUDGET_USD = Decimal("0.03")  # each question may cost 0.005 and more, and costs 0.0002
    anthropic.behaviour.latency_s = 0.05
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda number: ask(number, max_tokens=1000), range(20)))
    assert anthropic.seen.most_in_flight <= 5
    told = Counter(answer.error.split(":")[0] for answer in answers if isinstance(answer, ai.Answer))
    assert told[""] + told["model_budget_spent"] == 20 and told[""] >= 5
    assert budget.spent_today() == told[""] * Decimal("0.0002")


@pytest.mark.parametrize("fault", ["401", "402", "403"])
def test_a_refused_key_pauses_the_run(anthropic: StandIn, fault: str) -> None:
    anthropic.behaviour.faults, anthropic.behaviour.rate = (fault,), 1.0
    with ThreadPoolExecutor(30) as threads:
        answers = list(threads.map(lambda number: ask(number, raises=(ai.ProviderRefused,)), range(100)))
    assert all(isinstance(answer, ai.ProviderRefused) for answer in answers)
    assert len(anthropic.seen.requests) <= 20  # those in flight when the first was refused
    assert ProviderPause.objects.count() == 1
    assert ai.state()["paused_since"] is not None

    anthropic.behaviour.rate = 0.0
    asked = len(anthropic.seen.requests)
    assert isinstance(ask(0, raises=(ai.ProviderRefused,)), ai.ProviderRefused)
    assert len(anthropic.seen.requests) == asked
    assert pausing.resume() == 1
    answer = ask(0)
    assert isinstance(answer, ai.Answer) and answer.method == "model"


def test_a_new_key_is_not_held_up_by_what_was_said_of_the_old_one(anthropic: StandIn, settings: Any) -> None:
    anthropic.behaviour.key = "the new key"
    anthropic.behaviour.message = "No such key: key-of-the-test"
    refused = ask(0)
    assert isinstance(refused, ai.Answer) and refused.error.startswith("model_paused")
    assert "No such key: ***" in ProviderPause.objects.get().reason
    settings.AI_API_KEY = "the new key"
    answer = ask(0)
    assert isinstance(answer, ai.Answer) and answer.method == "model"


def test_no_money_left_pauses_although_it_comes_as_another_status(anthropic: StandIn) -> None:
    anthropic.behaviour.script = ["400"]
    anthropic.behaviour.message = "Your credit balance is too low to access the API."
    refused = ask(0)
    assert isinstance(refused, ai.Answer) and refused.error.startswith("model_paused")


def test_connections_are_kept_for_the_next_call(anthropic: StandIn) -> None:
    for number in range(5):
        ask(number)
    assert anthropic.seen.connections == 1
