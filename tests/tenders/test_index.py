"""The index of tenders: true to them whoever writes them, from the making of their words until they change or go."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, transaction

from accounts.models import User
from jobs.runner import run_here
from jobs.services import enqueue
from tenders.models import Tender, TenderIndex, Unindexed
from tenders.services import indexing, removing
from tenders.services.searchfields import filters_from
from tenders.services.searching import search_tenders
from tests.factories.tenders import make_source, make_tender

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = (
    "source_id", "country", "cpv_main", "buyer_name", "status", "value_amount", "value_currency", "published_at",
    "deadline_at", "created_at",
)  # fmt: skip


@pytest.fixture
def tender(transactional_db: None) -> Tender:
    return make_tender(title="Road")


@pytest.fixture
def other(tender: Tender) -> Iterator[psycopg.Connection]:
    settings = connection.get_connection_params()
    names = ("dbname", "host", "port", "user", "password")
    with psycopg.connect(**{name: settings[name] for name in names if name in settings}) as found:
        yield found


def waiting() -> list[Tender]:
    return [each.tender for each in Unindexed.objects.select_related("tender")]


def test_it_says_what_the_tender_says(tender: Tender) -> None:
    told = TenderIndex.objects.get(tender=tender)
    assert [getattr(told, name) for name in COLUMNS] == [getattr(tender, name) for name in COLUMNS]
    assert waiting() == []


@pytest.mark.parametrize(
    "change",
    [{"content_hash": "another"}, {"country": "SK"}, {"deadline_at": None}, {"value_amount": 1}, {"buyer_name": "B"}],
    ids=lambda change: next(iter(change)),
)
def test_a_tender_that_changes_is_out_of_it_until_its_words_are_made_anew(
    tender: Tender, change: dict[str, object]
) -> None:
    make_tender(title="Bridge")
    Tender.objects.filter(pk=tender.pk).update(**change)
    assert waiting() == [tender]
    assert [each.tender.title for each in TenderIndex.objects.all()] == ["Bridge"]
    assert indexing.index_words() == 1
    assert TenderIndex.objects.count() == 2 and waiting() == []


def test_what_nobody_searches_by_changes_without_it(tender: Tender) -> None:
    Tender.objects.update(releases_count=7)
    assert TenderIndex.objects.count() == 1 and waiting() == []


def test_tenders_that_go_leave_it_indexed_or_not(tender: Tender) -> None:
    source = tender.source
    make_tender(source, title="Bridge")
    Tender.objects.filter(title="Bridge").update(content_hash="another")
    removing.remove_source(source_id=source.pk, report=lambda *told: None)
    assert not TenderIndex.objects.exists() and not Unindexed.objects.exists()


def test_one_that_is_being_changed_is_left_to_whoever_changes_it(tender: Tender, other: psycopg.Connection) -> None:
    Tender.objects.update(content_hash="another")
    other.execute("UPDATE tenders_tender SET content_hash = 'a third', title = 'Tunnel'")
    assert indexing.index_words() == 0  # without waiting
    other.commit()
    assert waiting() == [tender]
    assert indexing.index_words() == 1
    assert search_titles("tunnel") == ["Tunnel"]


def test_who_changes_one_that_is_being_indexed_takes_it_out_again(tender: Tender, other: psycopg.Connection) -> None:
    Tender.objects.update(content_hash="another")
    (rows,) = indexing._chunks()
    other.execute("SET lock_timeout = '300ms'")
    with transaction.atomic():
        assert indexing._index(rows) == 1
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("UPDATE tenders_tender SET content_hash = 'a third'")
        other.rollback()
    other.execute("UPDATE tenders_tender SET content_hash = 'a third'")
    other.commit()
    assert waiting() == [tender] and not TenderIndex.objects.exists()


def test_two_at_once_index_each_tender_once(tender: Tender) -> None:
    Tender.objects.update(content_hash="another")
    (rows,) = indexing._chunks()
    assert indexing._index(rows) == 1
    assert indexing._index(rows) == 0
    assert TenderIndex.objects.count() == 1


def test_what_an_import_that_broke_off_has_left_is_indexed_by_the_hour(tender: Tender) -> None:
    Tender.objects.update(content_hash="another")
    job = enqueue(kind="tenders.sync_due", params={})
    run_here(job_id=job.pk)
    job.refresh_from_db()
    assert job.result == {"job_ids": [], "indexed": 1}
    assert TenderIndex.objects.count() == 1


@pytest.mark.parametrize("title", ["ŠKOLA Žďár", "SCHOOL"])
def test_capitals_and_marks_do_not_count(transactional_db: None, title: str) -> None:
    make_tender(title=title, buyer_name=f"Office of {title}")
    word = "skola" if title.startswith("Š") else "school"
    assert search_titles(word) == search_titles("", buyer=word) == [title]


def search_titles(q: str, **fields: str) -> list[str]:
    user = User.objects.filter(email="reader@example.com").first() or User.objects.create_user(
        "reader@example.com", "a long password"
    )
    make_source()
    return [row.title for row in search_tenders(user=user, filters=filters_from({"q": q, **fields}))]
