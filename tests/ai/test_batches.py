"""Many questions handed over together: what becomes of each, and of whoever dies in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

import ai
from accounts.exceptions import PlumblineError
from ai.models import ModelBatch, ModelCall
from ai.services import batching, budget, trimming
from jobs.registry import kind_of

from .conftest import Verdict
from .stand_in import StandIn

pytestmark = pytest.mark.django_db(transaction=True)
KEY = UUID("00000000-0000-4000-8000-000000000001")


def submit(count: int = 3, *, key: UUID = KEY, **changes: Any) -> ModelBatch:
    items = [batching.Item(f"notice {number}", f"Notice {number}, of mail@example.org") for number in range(count)]
    told: dict[str, Any] = {"key": key, "schema": Verdict, "items": items, "purpose": "test.batch", "max_tokens": 500}
    return batching.submit(**told | changes)


def collect(key: UUID = KEY) -> dict[str, batching.Outcome[Verdict]]:
    batch = ModelBatch.objects.get(pk=key)
    batch = batching.look(batch=batch)
    outcomes = batching.results(batch=batch, schema=Verdict)
    with transaction.atomic():
        batching.record(batch=batch, outcomes=outcomes)
    return {outcome.call.reference: outcome for outcome in outcomes}


def long_ago(key: UUID = KEY) -> None:
    ModelBatch.objects.filter(pk=key).update(submitted_at=timezone.now() - timedelta(hours=1))


def statuses() -> Sequence[str]:
    return sorted(ModelCall.objects.values_list("status", flat=True))


def test_each_question_gets_its_answer_at_half_the_price(anthropic: StandIn) -> None:
    anthropic.behaviour.answer = lambda body: {
        "title": body["messages"][0]["content"][:8],
        "score": 0.5,
        "tags": ["road"],
    }
    batch = submit()
    (sent,) = anthropic.batches.made.values()
    assert batch.provider_id == sent.id and "mail@example.org" not in str(sent.requests)
    assert budget.spent_today() == batch.reserved_usd > 0
    found = collect()
    assert {key: outcome.value.title for key, outcome in found.items() if outcome.value} == {
        f"notice {number}": f"Notice {number}"[:8] for number in range(3)
    }
    call = ModelCall.objects.filter(reference="notice 1").get()
    assert (call.status, call.tokens_in, call.tokens_out, call.cost_usd) == ("answered", 100, 20, Decimal("0.0001"))
    assert budget.spent_today() == ModelCall.objects.aggregate(spent=Sum("cost_usd"))["spent"] == Decimal("0.0003")
    assert ModelBatch.objects.get().status == "collected"


def test_a_batch_that_is_not_answered_yet_is_looked_at_again(anthropic: StandIn) -> None:
    anthropic.batches.looks = 2
    submit()
    for _ in range(2):
        with pytest.raises(ai.BatchUnderWay) as caught:
            collect()
        assert caught.value.retry_after_s == 60
    assert len(collect()) == 3
    assert statuses() == ["answered"] * 3


def test_what_fails_is_told_one_by_one(anthropic: StandIn) -> None:
    """They come in the reverse order of the questions."""
    fates = ["errored", "expired", "canceled", "missing", "wrong_schema", "truncated", "refusal", "fenced"]
    anthropic.batches.fates = fates
    submit(8)
    found = collect()
    told = [found[f"notice {7 - number}"].error.split(":")[0].removeprefix("model_batch_") for number in range(8)]
    assert told == ["errored", "expired", "canceled", "lost", "unfit", "truncated", "declined", ""]
    assert "Too long by half" in found["notice 7"].error
    costs = [found[f"notice {7 - number}"].call.cost_usd for number in range(8)]
    assert [cost > 0 for cost in costs] == [False] * 4 + [True] * 4  # who got an answer pays for it, a bad one too
    assert budget.spent_today() == sum(costs)
    assert statuses() == ["answered"] + ["failed"] * 7


def test_results_that_come_twice_count_once(anthropic: StandIn) -> None:
    anthropic.batches.doubles = True
    submit()
    assert all(outcome.value for outcome in collect().values())
    spent = budget.spent_today()
    assert collect() == {}  # a second collector finds nothing left
    assert (budget.spent_today(), statuses()) == (spent, ["answered"] * 3)


def test_two_collectors_at_once_record_it_once(anthropic: StandIn) -> None:
    batch = batching.look(batch=submit())
    both = [batching.results(batch=batch, schema=Verdict) for _ in range(2)]
    with transaction.atomic():
        assert batching.record(batch=batch, outcomes=both[0])
    with transaction.atomic():
        assert not batching.record(batch=batch, outcomes=both[1])
    assert budget.spent_today() == Decimal("0.0003")


def test_a_batch_is_handed_over_once_whoever_asks_again(anthropic: StandIn) -> None:
    assert submit() == submit()
    assert len(anthropic.batches.made) == 1 and ModelCall.objects.count() == 3


def test_an_answer_that_was_lost_is_found_in_the_providers_list(anthropic: StandIn) -> None:
    """It arrived, the connection broke, whoever asked is dead."""
    submit(2, key=uuid4())
    anthropic.behaviour.script = ["reset"]
    with pytest.raises(ai.ModelUnavailable):
        submit()
    assert ModelBatch.objects.get(pk=KEY).status == "submitting"
    with pytest.raises(ai.BatchUnderWay):  # it may still be on its way
        submit()
    long_ago()
    batch = submit()
    assert (batch.status, batch.provider_id) == ("under_way", "msgbatch_0002")
    assert len(anthropic.batches.made) == 2
    assert all(outcome.value for outcome in collect().values())


def test_one_that_never_arrived_is_handed_over_anew(anthropic: StandIn) -> None:
    anthropic.behaviour.script = ["500"]
    with pytest.raises(ai.ModelUnavailable):
        submit()
    long_ago()
    assert submit().provider_id == "msgbatch_0001"
    assert ModelCall.objects.count() == 3
    collect()
    assert budget.spent_today() == Decimal("0.0003")


@pytest.mark.parametrize(
    ("fate", "error"), [("429", ai.ModelUnavailable), ("401", ai.ProviderRefused), ("400", ai.RequestRejected)]
)
def test_what_was_refused_leaves_nothing_behind(anthropic: StandIn, fate: str, error: type[PlumblineError]) -> None:
    anthropic.behaviour.script = [fate]
    with pytest.raises(error):
        submit()
    assert not ModelBatch.objects.exists() and not ModelCall.objects.exists()
    assert budget.spent_today() == 0


def test_the_budget_covers_all_of_it_or_nothing_is_sent(anthropic: StandIn, settings: Any) -> None:
    settings.AI_DAILY_BUDGET_USD = Decimal("0.001")
    with pytest.raises(ai.BudgetSpent):
        submit()
    assert not anthropic.batches.made and not ModelBatch.objects.exists()


def test_a_batch_that_the_provider_has_forgotten_is_given_up(anthropic: StandIn) -> None:
    submit()
    anthropic.batches.made.clear()
    found = collect()
    assert {outcome.error for outcome in found.values()} == {
        "model_batch_lost: The provider does not know this batch any more."
    }
    assert (ModelBatch.objects.get().status, statuses()) == ("given_up", ["failed"] * 3)
    assert budget.spent_today() == 0


def test_a_cancelled_batch_is_stopped_and_what_was_billed_is_counted(anthropic: StandIn) -> None:
    anthropic.batches.looks = 10
    anthropic.batches.fates = [""]  # one had been answered already
    submit()
    assert batching.cancel(key=KEY) == "cancelled"
    assert anthropic.batches.made["msgbatch_0001"].is_canceled
    assert statuses() == ["answered", "failed", "failed"]
    assert budget.spent_today() == Decimal("0.0001")
    assert batching.cancel(key=KEY) == batching.cancel(key=uuid4()) == "nothing to cancel"


def test_the_key_goes_to_our_address_only(anthropic: StandIn) -> None:
    """The provider names another one for the results, which nobody reaches."""
    anthropic.behaviour.key = "key-of-the-test"
    submit()
    assert len(collect()) == 3


def test_a_provider_without_batches_says_so(openai: StandIn) -> None:
    assert not batching.takes_batches()
    with pytest.raises(ai.BatchesMissing):
        submit()


def test_the_nightly_tidying_leaves_a_batch_that_is_under_way_alone(anthropic: StandIn) -> None:
    submit()
    ModelCall.objects.update(created_at=timezone.now() - timedelta(hours=20))
    assert trimming.trim(report=lambda *args: None)["lost"] == 0
    assert statuses() == ["running"] * 3


def test_cancelling_is_a_job_that_comes_again() -> None:
    assert kind_of("ai.cancel_batch").max_retries > 1000
