"""Tenders read for an organisation: what is read, once, and what a run says."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.db.models import Exists, OuterRef
from rest_framework.test import APIClient

from accounts.models import Membership, Organisation, User
from jobs import worker
from jobs.connections import events_redis, queue_redis
from jobs.models import BATCH_KIND, Job
from tenders.models import CompanyProfile, Enrichment, Score, Source, Tender
from tenders.services import comparing, corpora, enriching, runs, selecting, sources
from tests.factories.notices import given_release, lines_of
from tests.factories.people import make_organisation, make_user

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "a secret of forty letters, for tests only"


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    queue_redis().flushdb()
    events_redis().flushdb()
    corpora.forget()
    yield


@pytest.fixture
def firm(transactional_db: None) -> Organisation:
    organisation = make_organisation("Road builder")
    CompanyProfile.objects.create(
        organisation=organisation, cpv_codes=["45233"], keywords=["road", "resurfacing"], days_to_prepare=14
    )
    return organisation


@pytest.fixture
def member(firm: Organisation) -> User:
    return make_user("member", organisation=firm)


@pytest.fixture
def drain() -> Iterator[Callable[[], int]]:
    """Runs all that is queued. The heart's thread may still be counting the batch then: waits for it."""
    drain = worker.Drain()

    def run() -> int:
        count = drain.all_of(Job.Queue.values)
        deadline = time.monotonic() + 60
        going_on = Job.objects.filter(batch=OuterRef("pk"), status__in=Job.ACTIVE)
        uncounted = Job.objects.filter(~Exists(going_on), kind=BATCH_KIND, status__in=Job.ACTIVE)
        while uncounted.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        return count

    yield run
    drain.heart.stop()


def bring(count: int, *, source: Source | None = None, start: int = 0, **changes: Any) -> list[Tender]:
    source = source or sources.source_named(name="Published")
    releases = [
        given_release(
            n,
            tender={"tenderPeriod": {"endDate": f"2099-01-{n % 27 + 1:02}T10:00:00Z"}}
            | dict(changes.get("tender", {})),
        )
        for n in range(start, start + count)
    ]
    sources.import_file(source=source, stream=io.BytesIO(lines_of(*releases)), filename="notices.jsonl")
    return list(Tender.objects.filter(source=source).order_by("key"))


@contextmanager
def finishing() -> Iterator[Callable[[Any], None]]:
    yield lambda result: None


def scores(firm: Organisation) -> dict[str, tuple[str, int]]:
    rows = Score.objects.filter(organisation=firm).values_list("tender__key", "relevance", "profile_revision")
    return {key: (relevance, revision) for key, relevance, revision in rows}


def test_a_run_reads_every_tender_once_and_a_second_finds_nothing(firm: Organisation, drain: Callable[[], int]) -> None:
    bring(5)
    started = runs.start(organisation=firm)
    assert (started["total_tenders"], started["is_new"]) == (5, True)
    drain()
    assert len(scores(firm)) == Enrichment.objects.count() == 5
    assert {relevance for relevance, _ in scores(firm).values()} == {"high"}
    assert Job.objects.get(pk=started["batch_id"]).status == Job.Status.COMPLETED
    again = runs.start(organisation=firm)
    assert (again["batch_id"], again["total_tenders"]) == (None, 0)


def test_only_what_changed_is_read_again(firm: Organisation, drain: Callable[[], int]) -> None:
    bring(4)
    runs.start(organisation=firm)
    drain()
    bring(1, start=2, tender={"title": "Now a swimming pool", "id": "T-2"})
    changed = Tender.objects.get(title="Now a swimming pool")
    assert list(selecting.unread(firm.pk, by_model=False)) == [changed]
    CompanyProfile.objects.filter(organisation=firm).update(revision=2)
    assert selecting.unread(firm.pk, by_model=False).count() == 4


def test_what_people_said_of_a_score_outlives_a_new_reading(firm: Organisation, drain: Callable[[], int]) -> None:
    bring(1)
    runs.start(organisation=firm)
    drain()
    Score.objects.update(is_useful=True)
    CompanyProfile.objects.filter(organisation=firm).update(revision=2)
    runs.start(organisation=firm)
    drain()
    assert Score.objects.get().is_useful is True
    assert (Score.objects.get().profile_revision, Enrichment.objects.count()) == (2, 2)


def test_the_latest_deadline_comes_first_and_none_last(firm: Organisation) -> None:
    bring(3)
    Tender.objects.filter(key="ocds-test-0").update(deadline_at=None)
    assert [tender.key for tender in selecting.unread(firm.pk, by_model=False)] == [
        "ocds-test-2",
        "ocds-test-1",
        "ocds-test-0",
    ]


def test_tenders_of_another_organisations_own_source_are_never_read(firm: Organisation) -> None:
    own = sources.source_named(name="Private", organisation=make_organisation("Other"))
    private = bring(2, source=own)
    assert not selecting.unread(firm.pk, by_model=False).exists()
    enriching.enrich(tender_id=private[0].pk, organisation_id=firm.pk, again=True, finishing=finishing)
    assert not Score.objects.exists()


def test_while_a_run_goes_on_a_second_call_gets_that_one(firm: Organisation) -> None:
    bring(3)
    first = runs.start(organisation=firm)
    second = runs.start(organisation=firm)
    assert (second["batch_id"], second["is_new"], second["job_ids"]) == (first["batch_id"], False, first["job_ids"])


def test_two_calls_at_once_start_one_run(firm: Organisation) -> None:
    bring(3)
    found: list[Any] = []

    def begin() -> None:
        try:
            found.append(runs.start(organisation=firm)["batch_id"])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4 and len(set(found)) == 1


def test_a_tender_that_another_reads_just_now_is_left_alone(firm: Organisation) -> None:
    tender = bring(1)[0]
    with enriching._alone(firm.pk, tender.pk) as is_alone:
        assert is_alone
        results: list[Any] = []

        def read() -> None:
            try:
                results.append(
                    enriching.enrich(tender_id=tender.pk, organisation_id=firm.pk, again=True, finishing=finishing)
                )
            finally:
                connections.close_all()

        thread = threading.Thread(target=read)
        thread.start()
        thread.join(60)
    assert results[0]["skipped"] == 1
    assert not Enrichment.objects.exists()


def test_a_job_run_twice_writes_once(firm: Organisation) -> None:
    tender = bring(1)[0]
    for _ in range(2):
        enriching.enrich_some(organisation_id=firm.pk, tender_ids=[tender.pk], finishing=finishing)
    assert Enrichment.objects.count() == 1


def test_the_queries_of_a_job_do_not_grow_with_its_tenders(
    firm: Organisation, django_assert_max_num_queries: Any
) -> None:
    tenders = bring(40)
    enriching.enrich_some(organisation_id=firm.pk, tender_ids=[tenders[0].pk], finishing=finishing)
    with django_assert_max_num_queries(10):
        enriching.enrich_some(
            organisation_id=firm.pk, tender_ids=[tender.pk for tender in tenders], finishing=finishing
        )
    assert Score.objects.count() == 40


def test_a_paused_run_leaves_the_rest_for_the_next(
    firm: Organisation, member: User, drain: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PER_JOB", 1)
    bring(4)
    runs.start(organisation=firm)
    assert runs.pause(actor=member) == 4
    drain()
    assert not scores(firm)
    runs.start(organisation=firm)
    drain()
    assert len(scores(firm)) == 4


def test_without_a_profile_nothing_is_called_relevant(drain: Callable[[], int]) -> None:
    organisation = make_organisation("Silent")
    bring(1)
    runs.start(organisation=organisation)
    drain()
    row = Enrichment.objects.get()
    assert (row.result["relevance"], row.profile_revision) == ("medium", 0)
    assert row.confidence <= 0.1
    assert "profile is empty" in row.result["factors"][0]["why"]


def test_the_cron_endpoint_says_what_it_started_and_is_safe_to_repeat(
    firm: Organisation, settings: Any, drain: Callable[[], int]
) -> None:
    settings.CRON_SECRET = SECRET
    bring(5)
    client = APIClient()
    assert client.post("/api/cron/enrich_tenders").status_code == 401
    headers = {"Authorization": f"Bearer {SECRET}"}
    told = client.post("/api/cron/enrich_tenders?limit=3", headers=headers).json()
    assert {key: told[key] for key in ("status", "total_tenders", "mode")} == {
        "status": "queued",
        "total_tenders": 3,
        "mode": "queued",
    }
    assert told["job_info"]["total_jobs"] == len(told["job_info"]["job_ids"]) == 1
    again = client.post("/api/cron/enrich_tenders", headers=headers).json()
    assert (again["status"], again["batch_id"]) == ("running", told["batch_id"])
    drain()
    assert len(scores(firm)) == 3
    rest = client.post("/api/cron/enrich_tenders", headers=headers).json()
    assert rest["total_tenders"] == 2
    drain()
    assert client.post("/api/cron/enrich_tenders", headers=headers).json()["status"] == "idle"


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1000000000000", "٣"])
def test_a_limit_that_is_none_is_refused(firm: Organisation, settings: Any, limit: str) -> None:
    settings.CRON_SECRET = SECRET
    answer = APIClient().post(f"/api/cron/enrich_tenders?limit={limit}", headers={"Authorization": f"Bearer {SECRET}"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_limit")


def test_the_nightly_task_starts_a_run_for_each_firm_with_a_profile(
    firm: Organisation, drain: Callable[[], int]
) -> None:
    from jobs.services import enqueue

    make_organisation("Without a profile")
    bring(2)
    enqueue(kind="tenders.enrich_nightly", params={})
    drain()
    assert len(scores(firm)) == Score.objects.count() == 2


def test_reading_one_tender_again_asks_for_one_job(firm: Organisation, member: User, drain: Callable[[], int]) -> None:
    tender = bring(1)[0]
    first = runs.read_again(actor=member, tender_id=tender.pk)
    assert runs.read_again(actor=member, tender_id=tender.pk).pk == first.pk
    drain()
    runs.read_again(actor=member, tender_id=tender.pk)
    drain()
    assert Enrichment.objects.count() == 2


def test_the_page_is_for_the_own_organisation(client: Any, firm: Organisation, member: User) -> None:
    bring(3)
    stranger = make_user("stranger", organisation=make_organisation("Elsewhere"))
    viewer = make_user("viewer", organisation=firm, role=Membership.Role.VIEWER)
    started = runs.start(organisation=firm)
    client.force_login(member)
    assert str(started["batch_id"]) in client.get("/tenders/enrichment/").content.decode()
    client.force_login(stranger)
    assert str(started["batch_id"]) not in client.get("/tenders/enrichment/").content.decode()
    client.force_login(viewer)
    assert client.post("/tenders/enrichment/", {"action": "pause"}).status_code == 403
    assert Job.objects.get(pk=started["batch_id"]).status == Job.Status.RUNNING
    client.force_login(member)
    assert client.post("/tenders/enrichment/", {"action": "pause"}).status_code == 302
    assert (
        runs.active_run(firm.pk) is None or Job.objects.filter(batch=started["batch_id"], status="cancelled").exists()
    )


def test_the_command_reads_here_and_now(firm: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from django.core.management import call_command

    bring(3)
    call_command("enrich_tenders", "--organisation", str(firm.pk), "--here", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["total_tenders"], told["read"]) == (3, 3)
    assert len(scores(firm)) == 3


def test_precision_counts_what_people_judged(firm: Organisation, drain: Callable[[], int]) -> None:
    bring(6)
    runs.start(organisation=firm)
    drain()
    ranked = list(Score.objects.order_by("-relevance_score", "tender_id"))
    for score, thumb in zip(ranked, [True, False, True, None, None, True], strict=True):
        Score.objects.filter(pk=score.pk).update(is_useful=thumb)
    at_5, at_10, _ = comparing.precision(firm.pk)
    assert (at_5.judged, at_5.useful, at_10.judged, at_10.useful) == (3, 2, 4, 3)


def test_a_missing_tender_fails_nothing(firm: Organisation) -> None:
    result = enriching.enrich(tender_id=uuid4(), organisation_id=firm.pk, finishing=finishing)
    assert (result["read"], result["skipped"]) == (0, 1)


def test_the_api_is_for_the_own_organisation(firm: Organisation, member: User, drain: Callable[[], int]) -> None:
    bring(3)
    viewer = make_user("viewer", organisation=firm, role=Membership.Role.VIEWER)
    stranger = make_user("stranger", organisation=make_organisation("Elsewhere"))
    client = APIClient()
    assert client.post("/api/tenders/enrichment").status_code in (401, 403)
    client.force_authenticate(viewer)
    assert client.post("/api/tenders/enrichment").status_code == 403
    client.force_authenticate(member)
    told = client.post("/api/tenders/enrichment?limit=2").json()
    assert (told["status"], told["total_tenders"]) == ("queued", 2)
    client.force_authenticate(stranger)
    seen = client.get("/api/tenders/enrichment").json()
    assert (seen["tenders"], seen["unread"], seen["batch_id"]) == (3, 3, None)
    drain()
    client.force_authenticate(member)
    seen = client.get("/api/tenders/enrichment").json()
    assert (seen["high"], seen["unread"], seen["batch_id"]) == (2, 1, None)
    assert client.delete("/api/tenders/enrichment").status_code == 409


def test_staff_have_a_firms_tenders_read_from_the_admin(client: Any, firm: Organisation) -> None:
    bring(2)
    client.force_login(User.objects.create_superuser("staff@example.com", "a long password"))
    chosen = {"action": "have_tenders_read", "_selected_action": [str(firm.pk)]}
    assert client.post("/admin/tenders/companyprofile/", chosen).status_code == 302
    assert runs.active_run(firm.pk) is not None
