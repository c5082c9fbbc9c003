"""What the apps do for things that are wanted: fetch their notices again, assess them again, read banks again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Organisation
from analytics.models import Entity
from analytics.registry import source_named
from analytics.services import refreshing, signals
from analytics.services.signals import queries_stream, updates_stream
from jobs.connections import events_redis
from jobs.models import Job
from jobs.services import enqueue
from quiz.entities import refresh_clauses
from quiz.models import Bank, Citation
from quiz.services import banks
from tenders.entities import refresh_tenders
from tenders.models import CompanyProfile, Score, Source, Tender
from tenders.services import fetching, runs
from tests.factories.notices import given_release, package_of
from tests.factories.people import make_organisation
from tests.factories.quiz import make_category, make_clause, make_question
from tests.factories.tenders import make_score, make_source, make_tender
from tests.tenders.publisher import Publisher, publisher

from .demand_cast import counted as count_all
from .demand_cast import put_often
from .loop_cast import age
from .search_cast import forget, index

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    forget()
    events_redis().delete(queries_stream(), updates_stream(), signals.lost_key())
    yield
    events_redis().delete(queries_stream(), updates_stream(), signals.lost_key())


@pytest.fixture
def there(settings: Any) -> Iterator[Publisher]:
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with publisher() as running:
        yield running


def wanted(entity: Entity) -> None:
    put_often(entity, 8)
    count_all()
    age(entity, days=40)


def look(drain: Callable[[], int]) -> None:
    """As the schedule and a consumer do it."""
    enqueue(kind=refreshing.WANTED, params={})
    drain()
    count_all()
    drain()


def long_after(kind: str, **ago: float) -> None:
    """As if its jobs had ended so long ago."""
    Job.objects.filter(kind=kind).update(finished_at=timezone.now() - timedelta(**ago))


def test_a_wanted_tender_is_fetched_again_and_found_by_its_new_words(
    there: Publisher, drain: Callable[[], int]
) -> None:
    there.files["/all.json"], there.etag = package_of(given_release(1)), '"1"'
    source = Source.objects.create(name="Portal", kind="url", location=there.url("/all.json"))
    fetching.sync_source(source_id=source.pk)
    count_all()
    drain()
    index()
    entity = Entity.objects.get(source="tenders.tender")
    wanted(entity)
    changed = given_release(1, id="ocds-test-1-2", date="2026-11-05T08:00:00Z", tender={"title": "A new bridge"})
    there.files["/all.json"], there.etag = package_of(changed), '"2"'

    look(drain)

    job = Job.objects.get(kind="tenders.sync")
    assert (job.status, job.result["updated"]) == ("completed", 1)
    assert Job.objects.get(kind=refreshing.OF_SOURCE).result["asked"].startswith("1 of 1 sources being fetched")
    entity.refresh_from_db()
    assert (entity.name, entity.needs_update) == ("A new bridge", False)
    assert [given.get("if-none-match") for _, given in there.came] == [None, '"1"']


def test_a_source_is_not_fetched_for_every_tender_that_is_wanted(there: Publisher) -> None:
    there.files["/all.json"] = package_of(given_release(1), given_release(2))
    source = Source.objects.create(name="Portal", kind="url", location=there.url("/all.json"))
    tenders = [make_tender(source), make_tender(source), make_tender(make_source())]
    keys = [str(each.pk) for each in tenders]
    assert refresh_tenders(keys).startswith("1 of 2 sources being fetched")
    assert refresh_tenders(keys[:1]).startswith("0 of 1")  # it is being fetched
    Job.objects.update(status=Job.Status.COMPLETED, finished_at=timezone.now() - timedelta(hours=5))
    assert refresh_tenders(keys[:1]).startswith("0 of 1")  # it was, lately
    long_after("tenders.sync", hours=7)
    assert refresh_tenders(keys[:1]).startswith("1 of 1")
    assert Job.objects.filter(kind="tenders.sync").count() == 2


def test_a_source_that_fails_is_left_alone_longer_each_time(there: Publisher, drain: Callable[[], int]) -> None:
    source = Source.objects.create(name="Portal", kind="url", location=there.url("/gone.json"))
    keys = [str(make_tender(source).pk)]
    for failures, rest_h in ((1, 12), (2, 24), (3, 48)):
        assert refresh_tenders(keys).startswith("1 of 1")
        drain()
        assert Job.objects.filter(kind="tenders.sync", status="failed").count() == failures
        long_after("tenders.sync", hours=rest_h - 1)
        assert refresh_tenders(keys).startswith("0 of 1")
        long_after("tenders.sync", hours=rest_h + 1)


def profile(organisation: Organisation) -> CompanyProfile:
    return CompanyProfile.objects.create(organisation=organisation, keywords=["road"])


def test_assessments_that_are_out_of_date_are_made_anew_for_whoever_had_them(
    organisation: Organisation, drain: Callable[[], int]
) -> None:
    other, without_profile = make_organisation("Other"), make_organisation("Silent")
    own, _ = profile(organisation), profile(other)
    changed, same = make_tender(), make_tender()
    closed = make_tender(deadline_at=timezone.now() - timedelta(days=1))
    for tender in (changed, same, closed):
        make_score(tender, organisation)
    make_score(changed, without_profile)
    Tender.objects.filter(pk__in=[changed.pk, closed.pk]).update(content_hash="f" * 32)
    keys = [str(each.pk) for each in (changed, same, closed)]

    assert refresh_tenders(keys).endswith("1 assessments being made anew")
    assert refresh_tenders(keys).endswith("1 assessments being made anew")

    job = Job.objects.get(kind=runs.ONE)
    assert job.params == {"organisation_id": str(organisation.pk), "tender_id": str(changed.pk)}
    assert (job.organisation_id, job.priority) == (organisation.pk, Job.Priority.LOW)
    drain()
    assert Score.objects.get(tender=changed, organisation=organisation).content_hash == "f" * 32
    assert refresh_tenders(keys).endswith("0 assessments being made anew")
    own.revision = 2
    own.save()
    assert refresh_tenders(keys).endswith("2 assessments being made anew")
    assert runs.read_wanted(tender_ids=[each.pk for each in (changed, same)], most=1) != []


@pytest.fixture
def bank(db: None) -> Bank:
    return Bank.objects.create(
        name="Welding", kind="airtable", base_id="appAAAAAAAAAA", table_id="tblAAAAAAAAAA", is_scheduled=True
    )


def cite(bank: Bank) -> str:
    clause = make_clause()
    Citation.objects.create(question=make_question(make_category(), bank), clause=clause, as_written="4.1.2")
    return str(clause.pk)


def test_banks_whose_questions_cite_a_wanted_clause_are_read_again(bank: Bank, settings: Any) -> None:
    key = cite(bank)
    assert refresh_clauses([str(make_clause("9.9", "Paint").pk)]) == ""
    assert refresh_clauses([key]).startswith("1 banks")
    job = Job.objects.get()
    assert (job.kind, job.params["bank_id"], job.params["is_full"]) == (banks.SYNC, str(bank.pk), True)
    assert refresh_clauses([key]) == ""
    Job.objects.update(status=Job.Status.COMPLETED, finished_at=timezone.now() - timedelta(hours=7))
    Bank.objects.update(webhook_id="ach1")
    assert refresh_clauses([key]).startswith("1 banks")
    assert Job.objects.filter(params__is_full=False).count() == 1


@pytest.mark.parametrize("change", [{"is_scheduled": False}, {"kind": "files"}], ids=["by_hand", "files"])
def test_banks_that_are_not_read_by_the_clock_are_left_to_people(bank: Bank, change: dict[str, Any]) -> None:
    key = cite(bank)
    Bank.objects.update(**change)
    assert refresh_clauses([key]) == ""


def test_reading_from_airtable_may_be_turned_off(bank: Bank, settings: Any) -> None:
    key = cite(bank)
    settings.SYNC_MODE = "off"
    assert refresh_clauses([key]) == ""


def test_a_wanted_project_is_read_from_its_own_row() -> None:
    for name in ("projects.project", "projects.document", "projects.section", "tenders.buyer"):
        found = source_named(name)
        assert found is not None and found.refresh is None


def test_a_clause_without_a_bank_is_read_again_all_the_same(drain: Callable[[], int]) -> None:
    clause = make_clause()
    index()
    entity = Entity.objects.get()
    wanted(entity)
    clause.title = "Preheat"
    clause.save(update_fields=["title"])
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        look(drain)
    entity.refresh_from_db()
    assert entity.name == "AWS D1.1 4.1.2 Preheat"
