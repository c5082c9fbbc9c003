"""Tenders read by a model, through a stand-in that fails as real ones do."""

# ruff: noqa: F811 - fixtures of other modules

from __future__ import annotations

import datetime as dt
import json
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Organisation, User
from ai.models import ModelCall
from jobs.models import Job
from tenders.analysis import Assessment
from tenders.models import Enrichment, Score
from tenders.services import comparing, runs, selecting
from tests.ai.conftest import anthropic, server  # noqa: F401 - fixtures
from tests.ai.stand_in import StandIn
from tests.jobs.processes import command, wait_until

from .answers import assessment
from .test_enriching import _clean, bring, drain, firm, member, scores  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)
FAULTS = ("429", "529", "500", "truncated", "refusal", "misfit", "fenced", "reset")


@pytest.fixture
def model(anthropic: StandIn) -> StandIn:
    anthropic.behaviour.answer = assessment
    return anthropic


def end_of_run(batch_id: Any, work: Callable[[], int]) -> Job:
    """Retries are due within seconds here; a scheduler would ring for them, so does this."""
    from jobs import sweeper

    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        work()
        sweeper.sweep()
        batch = Job.objects.get(pk=batch_id)
        if not batch.is_active:
            return batch
        time.sleep(0.05)
    raise AssertionError(Counter(Job.objects.filter(batch_id=batch_id).values_list("status", flat=True)))


def test_one_job_a_tender_and_what_is_made_up_is_dropped(
    firm: Organisation,
    drain: Callable[[], int],
    model: StandIn,
) -> None:
    tenders = bring(3)
    started = runs.start(organisation=firm)
    assert len(started["job_ids"]) == started["total_tenders"] == 3
    drain()
    row = Enrichment.objects.get(tender=tenders[1])
    assert (row.method, row.fell_back) == ("model", "")
    assert "claude-haiku-4-5" in row.analyser and "v1" in row.analyser
    assert row.tokens_in > 0 and row.cost_usd > 0
    assert row.result["relevance"] == "high"  # the score says so
    assert [each["text"] for each in row.result["risks"]] == ["two stages"]
    assert row.result["key_dates"] == []
    assert Score.objects.get(tender=tenders[1]).summary == "Read by the model: Resurfacing of road II/1"
    assert not selecting.unread(firm.pk, by_model=True).exists()


def test_contact_persons_and_the_firms_key_do_not_leave_with_the_notice(
    firm: Organisation,
    drain: Callable[[], int],
    model: StandIn,
) -> None:
    bring(1, tender={"description": "Contact: Jane Doe, jane.doe@example.org, +44 20 7946 0958. Milling of a road."})
    runs.start(organisation=firm)
    drain()
    sent = json.dumps(model.seen.requests)
    assert "Milling of a road" in sent
    for secret in ("jane.doe@example.org", "7946 0958", "Jane Doe"):
        assert secret not in sent


def test_a_hundred_and_twenty_tenders_with_faults_get_a_valid_row_each(
    firm: Organisation,
    drain: Callable[[], int],
    model: StandIn,
) -> None:
    model.behaviour.faults, model.behaviour.rate, model.behaviour.latency_s = FAULTS, 0.2, 0.02
    model.behaviour.retry_after = "0.05"
    bring(120)
    started = runs.start(organisation=firm)
    batch = end_of_run(started["batch_id"], drain)
    assert (batch.status, batch.done, batch.total) == (Job.Status.COMPLETED, 120, 120)
    rows = list(Enrichment.objects.all())
    assert len(rows) == len({row.tender_id for row in rows}) == Score.objects.count() == 120
    for row in rows:
        Assessment.model_validate(row.result)
        assert (row.method == "model") != bool(row.fell_back)
    assert 1 < model.seen.most_in_flight <= 20
    assert sum(model.seen.faults.values()) > 0
    assert ModelCall.objects.count() >= 120
    assert runs.start(organisation=firm)["total_tenders"] == 0


def test_a_provider_that_refuses_the_key_stops_the_run_not_a_thousand_tenders(
    firm: Organisation,
    drain: Callable[[], int],
    model: StandIn,
    settings: Any,
) -> None:
    from ai.services import pausing

    model.behaviour.key = "another key"
    bring(30)
    started = runs.start(organisation=firm)
    drain()
    assert len(model.seen.requests) <= 20
    assert not Enrichment.objects.exists()
    assert set(Job.objects.filter(batch=started["batch_id"]).values_list("status", flat=True)) == {"retrying"}
    model.behaviour.key = None
    pausing.resume()
    Job.objects.filter(batch=started["batch_id"]).update(next_retry_at=dt.datetime.now(dt.UTC))
    assert end_of_run(started["batch_id"], drain).status == Job.Status.COMPLETED
    assert set(Enrichment.objects.values_list("method", flat=True)) == {"model"}
    assert Enrichment.objects.count() == 30


def test_a_budget_that_is_spent_makes_the_run_wait(
    firm: Organisation,
    drain: Callable[[], int],
    model: StandIn,
    settings: Any,
) -> None:
    settings.AI_DAILY_BUDGET_USD = Decimal("0.000001")
    bring(3)
    started = runs.start(organisation=firm)
    drain()
    assert model.seen.requests == []
    assert not Enrichment.objects.exists()
    assert set(Job.objects.filter(batch=started["batch_id"]).values_list("status", flat=True)) == {"retrying"}


def test_the_model_is_compared_with_the_rules(
    firm: Organisation,
    drain: Callable[[], int],
    model: StandIn,
    settings: Any,
) -> None:
    tender = bring(1)[0]
    assert comparing.comparison(tender, firm.pk) is None
    runs.start(organisation=firm)
    drain()
    found = comparing.comparison(tender, firm.pk)
    assert found is not None
    assert (found.model.score, found.is_same_relevance) == (0.9, True)
    assert found.difference == pytest.approx(0.9 - found.rules.score, abs=1e-3)
    terms = next(pair for pair in found.factors if pair.name == "terms")
    assert terms.rules is not None and terms.model == pytest.approx(0.9)
    assert Enrichment.objects.count() == 1


def test_what_only_the_rules_have_read_is_left_for_the_model(
    firm: Organisation,
    drain: Callable[[], int],
    model: StandIn,
    settings: Any,
) -> None:
    bring(2)
    provider, settings.AI_PROVIDER = settings.AI_PROVIDER, "offline"
    runs.start(organisation=firm)
    drain()
    assert not selecting.unread(firm.pk, by_model=False).exists()
    settings.AI_PROVIDER = provider
    started = runs.start(organisation=firm)
    assert started["total_tenders"] == 2
    drain()
    assert Enrichment.objects.count() == 4
    assert set(Score.objects.values_list("enrichment__method", flat=True)) == {"model"}


def test_workers_that_are_killed_lose_no_tender_and_read_none_twice(
    firm: Organisation, model: StandIn, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs import sweeper

    model.behaviour.latency_s = 0.1
    told = {"PROVIDER": "anthropic", "MODEL": settings.AI_MODEL, "API_KEY": "key", "BASE_URL": model.url}
    for name, value in (told | {"TIMEOUT_S": "5"}).items():  # places of the dead are free after twice the timeout
        monkeypatch.setenv(f"AI_{name}", value)
    bring(60)
    started = runs.start(organisation=firm)
    read = Enrichment.objects.filter(organisation=firm)
    with command("work", "default") as first:
        wait_until(lambda: read.count() >= 5, "the first worker reads", 120)
        first.kill()
        first.wait()
    # What it held is free at once, as if its lease had run out.
    Job.objects.filter(status=Job.Status.RUNNING, batch=started["batch_id"]).update(
        lease_until=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    )

    def is_over() -> bool:
        sweeper.sweep()
        Job.objects.filter(status=Job.Status.RETRYING).update(next_retry_at=dt.datetime.now(dt.UTC))
        return not Job.objects.get(pk=started["batch_id"]).is_active

    with command("work", "default"):
        wait_until(is_over, "a second worker reads the rest", 240)
    assert Job.objects.get(pk=started["batch_id"]).status == Job.Status.COMPLETED
    assert read.count() == len({row.tender_id for row in read}) == 60
    assert model.seen.most_in_flight <= 20


def test_the_page_shows_what_the_model_allows_and_costs(
    client: Any, firm: Organisation, member: User, drain: Callable[[], int], model: StandIn
) -> None:
    bring(3)
    runs.start(organisation=firm, limit=2)
    drain()
    client.force_login(member)
    page = client.get("/tenders/enrichment/").content.decode()
    assert "Calls in flight" in page and "0 of 20" in page
    assert "To read the rest" in page
    assert "1 of 3 are unread" in page
