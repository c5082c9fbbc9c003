"""Tenders read in batches of the provider's, and read again where the rules stood in for the model."""

# ruff: noqa: F811 - fixtures of other modules

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.exceptions import Refused
from accounts.models import Organisation, User
from ai.models import ModelBatch, ModelCall
from ai.services import budget
from jobs.models import Job
from tenders.models import CompanyProfile, Enrichment, Score, Tender
from tenders.services import in_bulk, runs, selecting
from tests.ai.conftest import anthropic, openai, server  # noqa: F401 - fixtures
from tests.ai.stand_in import StandIn
from tests.jobs.processes import command, wait_until

from .answers import assessment
from .test_enriching import _clean, bring, drain, firm, member  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def model(anthropic: StandIn) -> StandIn:
    anthropic.behaviour.answer = assessment
    return anthropic


def work(drain: Callable[[], int]) -> None:
    """What waits for its next look is due at once."""
    from jobs import sweeper

    Job.objects.filter(status=Job.Status.RETRYING).update(next_retry_at=dt.datetime.now(dt.UTC))
    sweeper.sweep()
    drain()


def status_of(batch_id: Any) -> str:
    return Job.objects.get(pk=batch_id).status


def test_a_run_in_batches_waits_for_the_answers_and_writes_them_once(
    firm: Organisation, drain: Callable[[], int], model: StandIn
) -> None:
    model.batches.looks, model.batches.doubles = 1, True
    bring(3)
    started = runs.start(organisation=firm, mode="batch")
    assert (started["total_tenders"], len(started["job_ids"])) == (3, 1)
    work(drain)
    job = Job.objects.get(pk=started["job_ids"][0])
    assert job.status == "retrying" and "works on 3 questions" in (job.error or {})["message"]
    work(drain)
    assert status_of(started["batch_id"]) == "completed"
    assert (len(model.batches.made), model.seen.requests) == (1, [])
    rows = list(Enrichment.objects.all())
    assert len(rows) == len({row.tender_id for row in rows}) == Score.objects.count() == 3
    row = next(row for row in rows if row.result["summary"].endswith("II/1"))
    assert (row.method, row.fell_back, row.result["relevance"]) == ("model", "", "high")
    assert [each["text"] for each in row.result["risks"]] == ["two stages"]  # what is made up is dropped here too
    assert row.cost_usd == ModelCall.objects.filter(reference__startswith=str(row.tender_id)).get().cost_usd > 0
    assert "claude-haiku-4-5, tenders.assess v" in row.analyser
    assert runs.start(organisation=firm, mode="batch")["total_tenders"] == 0


def test_what_the_batch_does_not_answer_the_rules_read_and_a_later_run_may_ask_again(
    firm: Organisation, drain: Callable[[], int], model: StandIn
) -> None:
    model.batches.fates = ["errored", "expired", "wrong_schema", ""]
    bring(4)
    runs.start(organisation=firm, mode="batch")
    work(drain)
    reasons = sorted(Enrichment.objects.exclude(fell_back="").values_list("fell_back", flat=True))
    assert [reason.split(":")[0] for reason in reasons] == [
        "model_batch_errored", "model_batch_expired", "model_batch_unfit",
    ]  # fmt: skip
    assert runs.start(organisation=firm)["total_tenders"] == 0

    again = runs.start(organisation=firm, fell_back=True)
    assert again["total_tenders"] == 3
    work(drain)
    assert set(Score.objects.values_list("enrichment__method", flat=True)) == {"model"}
    assert Enrichment.objects.count() == 7  # what the rules said is kept
    assert runs.start(organisation=firm, fell_back=True)["total_tenders"] == 0


def test_in_batches_too_what_the_rules_stood_in_for_can_be_read_again(
    firm: Organisation, drain: Callable[[], int], model: StandIn
) -> None:
    model.behaviour.faults, model.behaviour.rate = ("refusal",), 1.0
    bring(2)
    runs.start(organisation=firm)
    work(drain)
    assert runs.standing(firm.pk)["fell_back"] == 2
    model.behaviour.rate = 0.0
    assert runs.start(organisation=firm, fell_back=True, mode="batch")["total_tenders"] == 2
    work(drain)
    assert runs.standing(firm.pk)["fell_back"] == 0


def test_a_tender_that_changed_meanwhile_stays_unread(
    firm: Organisation, drain: Callable[[], int], model: StandIn
) -> None:
    model.batches.looks = 1
    bring(2)
    runs.start(organisation=firm, mode="batch")
    work(drain)
    bring(1, start=1, tender={"title": "Now a swimming pool", "id": "T-1"})
    work(drain)
    assert list(selecting.unread(firm.pk, by_model=True)) == [Tender.objects.get(title="Now a swimming pool")]
    assert Enrichment.objects.count() == 1
    assert ModelCall.objects.filter(status="answered").count() == 2  # paid for, so on record


def test_answers_for_an_earlier_profile_are_kept_as_such(
    firm: Organisation, drain: Callable[[], int], model: StandIn
) -> None:
    model.batches.looks = 1
    bring(1)
    runs.start(organisation=firm, mode="batch")
    work(drain)
    CompanyProfile.objects.update(revision=5)
    work(drain)
    assert Score.objects.get().profile_revision == 1
    assert selecting.unread(firm.pk, by_model=True).count() == 1


def test_a_worker_killed_between_handing_over_and_looking_loses_and_doubles_nothing(
    firm: Organisation, model: StandIn, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs import sweeper

    told = {"PROVIDER": "anthropic", "MODEL": settings.AI_MODEL, "API_KEY": "key", "BASE_URL": model.url}
    for name, value in told.items():
        monkeypatch.setenv(f"AI_{name}", value)
    model.batches.looks = 10**6
    bring(20)
    started = runs.start(organisation=firm, mode="batch")
    with command("work", "default") as first:
        wait_until(lambda: ModelBatch.objects.filter(status="under_way").exists(), "it is handed over", 120)
        first.kill()
        first.wait()
    Job.objects.filter(status=Job.Status.RUNNING, batch=started["batch_id"]).update(
        lease_until=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    )
    model.batches.looks = 0

    def is_over() -> bool:
        sweeper.sweep()
        Job.objects.filter(status=Job.Status.RETRYING).update(next_retry_at=dt.datetime.now(dt.UTC))
        return status_of(started["batch_id"]) not in Job.ACTIVE

    with command("work", "default"):
        wait_until(is_over, "a second worker fetches the answers", 240)
    assert status_of(started["batch_id"]) == "completed"
    assert len(model.batches.made) == 1
    assert Enrichment.objects.filter(method="model").count() == Score.objects.count() == 20


def test_a_run_that_is_paused_has_the_provider_stop(
    firm: Organisation, member: User, drain: Callable[[], int], model: StandIn
) -> None:
    model.batches.looks = 10
    bring(2)
    runs.start_by(actor=member, mode="batch")
    work(drain)
    runs.pause(actor=member)
    work(drain)
    assert next(iter(model.batches.made.values())).is_canceled
    assert set(ModelCall.objects.values_list("status", flat=True)) == {"failed"}
    assert budget.spent_today() == Decimal(0) and not Enrichment.objects.exists()
    assert runs.start(organisation=firm)["total_tenders"] == 2


def test_many_tenders_make_several_batches(
    firm: Organisation, drain: Callable[[], int], model: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_bulk, "PER_BATCH", 2)
    bring(5)
    started = runs.start(organisation=firm, mode="batch")
    assert (started["total_tenders"], len(started["job_ids"])) == (5, 3)
    work(drain)
    assert sorted(len(batch.requests) for batch in model.batches.made.values()) == [1, 2, 2]
    assert Enrichment.objects.filter(method="model").count() == 5


def test_without_batches_nothing_is_started(firm: Organisation, member: User, openai: StandIn) -> None:
    bring(1)
    with pytest.raises(Refused, match="takes no batches"):
        runs.start(organisation=firm, mode="batch")
    api = APIClient()
    api.force_authenticate(member)
    answer = api.post("/api/tenders/enrichment?mode=batch")
    assert (answer.status_code, answer.json()["code"]) == (409, "model_takes_no_batches")
    with pytest.raises(CommandError, match="takes no batches"):
        call_command("enrich_tenders", "--mode", "batch")
    assert not Job.objects.exists()


def test_the_night_goes_in_batches_where_that_is_set(firm: Organisation, model: StandIn, settings: Any) -> None:
    bring(1)
    settings.AI_BATCHES = True
    runs.start_nightly()
    assert Job.objects.filter(kind=runs.IN_BULK).count() == 1


@pytest.mark.parametrize(("query", "code"), [("fell_back=perhaps", "bad_option"), ("mode=slow", "bad_option")])
def test_the_api_says_what_an_option_may_be(firm: Organisation, member: User, query: str, code: str) -> None:
    api = APIClient()
    api.force_authenticate(member)
    answer = api.post(f"/api/tenders/enrichment?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_the_api_the_page_and_the_command_start_such_runs(
    client: Any, firm: Organisation, member: User, model: StandIn, drain: Callable[[], int], capsys: Any
) -> None:
    model.behaviour.faults, model.behaviour.rate = ("refusal",), 1.0
    bring(3)
    runs.start(organisation=firm)
    work(drain)
    client.force_login(member)
    page = client.get("/tenders/enrichment/").content.decode()
    assert "Ask the model again about the 3" in page and 'value="batch"' in page

    api = APIClient()
    api.force_authenticate(member)
    assert api.post("/api/tenders/enrichment").json()["status"] == "idle"
    assert api.post("/api/tenders/enrichment?fell_back=true&mode=batch").json()["total_tenders"] == 3
    runs.pause(actor=member)
    client.post("/tenders/enrichment/", {"action": "start", "fell_back": "on"})
    assert Job.objects.filter(kind=runs.ONE, status="queued", params__fell_back=True).count() == 3
    runs.pause(actor=member)
    capsys.readouterr()
    call_command("enrich_tenders", "--fell-back", "--dry-run", "--json")
    assert json.loads(capsys.readouterr().out)["total_tenders"] == 3
    call_command("enrich_tenders", "--fell-back", "--mode", "batch", "--json", stdout=io.StringIO())
    assert json.loads(capsys.readouterr().out)["total_jobs"] == 1
