"""What tenders and releases name is there: as foreign keys would have it, though checked by statement."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from tenders.models import Import, Source, Tender, TenderRelease
from tenders.services import sources
from tests.factories.notices import given_release, lines_of

pytestmark = pytest.mark.django_db(transaction=True)
NOBODY = uuid.UUID(int=1)


@pytest.fixture
def tender(transactional_db: None) -> Tender:
    source = sources.source_named(name="Test")
    sources.import_file(source=source, stream=io.BytesIO(lines_of(given_release(1))), filename="notices.jsonl")
    return Tender.objects.get()


@pytest.fixture
def other(tender: Tender) -> Iterator[psycopg.Connection]:
    settings = connection.get_connection_params()
    names = ("dbname", "host", "port", "user", "password")
    with psycopg.connect(**{name: settings[name] for name in names if name in settings}) as found:
        yield found


def another(tender: Tender, **changes: object) -> Tender:
    return Tender(source_id=tender.source_id, key="another", title="Another", content_hash="0", **changes)


def test_a_tender_of_no_source_is_not_stored(tender: Tender) -> None:
    with pytest.raises(IntegrityError, match="tenders_source"):
        Tender.objects.create(source_id=NOBODY, key="k", title="t", content_hash="0")
    assert Tender.objects.count() == 1


@pytest.mark.parametrize("named", ["tender_id", "imported_by_id"])
def test_a_release_of_nothing_is_not_stored(tender: Tender, named: str) -> None:
    release = TenderRelease(tender=tender, release_id="r", digest="0", raw={})
    setattr(release, named, NOBODY)
    with pytest.raises(IntegrityError, match="is not in"):
        release.save()


def test_what_this_very_transaction_has_made_may_be_named(tender: Tender) -> None:
    with transaction.atomic():
        made = another(tender)
        made.save()
        with transaction.atomic():
            TenderRelease.objects.create(tender=made, release_id="r", digest="0", raw={})
    assert made.releases.count() == 1


def test_a_row_can_not_be_changed_to_name_nothing_but_to_name_none(tender: Tender) -> None:
    with pytest.raises(IntegrityError, match="is not in"):
        Tender.objects.update(source_id=NOBODY)
    with pytest.raises(IntegrityError, match="is not in"):
        TenderRelease.objects.update(imported_by_id=NOBODY)
    Import.objects.all().delete()
    assert TenderRelease.objects.get().imported_by_id is None


@pytest.mark.parametrize("table", ["tenders_source", "tenders_tender", "tenders_import"])
def test_what_is_named_is_not_removed(tender: Tender, table: str) -> None:
    with pytest.raises(IntegrityError, match="names"), transaction.atomic(), connection.cursor() as cursor:
        if table == "tenders_source":
            cursor.execute("DELETE FROM tenders_import")
        cursor.execute(f"DELETE FROM {table}")
    assert Source.objects.count() == Tender.objects.count() == Import.objects.count() == 1


def test_what_is_removed_with_all_that_names_it_goes_in_any_order(tender: Tender) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for table in ("source", "import", "tender", "tenderrelease"):
            cursor.execute(f"DELETE FROM tenders_{table}")
    assert not TenderRelease.objects.exists()
    source = sources.source_named(name="Another")
    source.delete()
    assert not Source.objects.exists()


def test_a_source_that_another_transaction_gives_a_tender_stays(tender: Tender, other: psycopg.Connection) -> None:
    with transaction.atomic():
        another(tender).save()
        other.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("DELETE FROM tenders_source")
        other.rollback()


def test_a_tender_that_another_transaction_gives_a_release_stays(tender: Tender, other: psycopg.Connection) -> None:
    with transaction.atomic():
        TenderRelease.objects.create(tender=tender, release_id="r", digest="0", raw={})
        other.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("DELETE FROM tenders_tender")
        other.rollback()
