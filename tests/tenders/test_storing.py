"""Storing in bulk: what is cut short goes on, every column holds what a publisher may write, words come in chunks."""

from __future__ import annotations

import io
import itertools
from typing import Any
from uuid import UUID

import pytest

from tenders.models import Import, Source, Tender, TenderIndex, TenderRelease, Unindexed
from tenders.services import importing, indexing, rows, sources
from tests.factories.notices import given_release, lines_of

pytestmark = pytest.mark.django_db(transaction=True)
ODD = "tab\t, line\n, return\r, back\\slash \\N \\. “quoted”, \x00 and \x07; "


class Stopped(Exception):
    pass


@pytest.fixture
def source(transactional_db: None) -> Source:
    return sources.source_named(name="Test")


def bring(source: Source, content: bytes, **options: Any) -> Import:
    return sources.import_file(source=source, stream=io.BytesIO(content), filename="notices.jsonl", **options)


def test_an_import_that_was_stopped_goes_on_where_it_was(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 3)
    content = lines_of(*(given_release(n) for n in range(10)))

    def stop(done: int, total: int, message: str) -> None:
        if done >= 6:
            raise Stopped

    with pytest.raises(Stopped):
        bring(source, content, report=stop)
    first = Import.objects.get()
    assert first.status == Import.Status.FAILED
    stored = Tender.objects.count()
    assert 3 <= first.created <= stored < 10
    second = bring(source, content)
    assert (second.fetched, second.created, second.unchanged) == (10, 10 - stored, stored)
    assert Tender.objects.count() == TenderRelease.objects.count() == 10
    assert not Unindexed.objects.exists() and TenderIndex.objects.count() == 10


def test_every_column_holds_what_is_odd_or_too_long(source: Source) -> None:
    long = ODD + "x" * 4000
    release = given_release(
        1,
        id=long,
        date=long,
        tag=[long],
        buyer={"name": long, "identifier": {"id": long}},
        parties=[],
        tender={
            "title": long, "description": long, "status": long, "procurementMethod": long,
            "mainProcurementCategory": long, "items": [{"deliveryAddress": {"region": long}}],
            "lots": [{"id": long, "title": long, "description": long}],
            "documents": [{"title": long, "url": "https://tenders.example/1", "documentType": long, "format": long}],
        },
    )  # fmt: skip
    record = bring(source, lines_of(release, given_release(2)))
    assert (record.created, [each.reason for each in record.rejections.all()]) == (2, [])
    tender = Tender.objects.get(key="ocds-test-1")
    assert tender.description == long.replace("\x00", "").replace("\x07", "")
    assert tender.title.startswith("tab\t, line\n, return\r, back\\slash \\N \\. “quoted”,")
    assert len(tender.title) == 500
    assert tender.documents[0]["title"].startswith("tab\t, line\n")
    assert bring(source, lines_of(release)).unchanged == 1


def test_ids_are_of_version_7_and_in_the_order_they_were_made() -> None:
    ids = [UUID(text) for text in itertools.islice(rows.new_ids(), 1000)]
    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}
    assert len(set(ids)) == 1000
    moments = [each.int >> 80 for each in ids]
    assert moments == sorted(moments)


@pytest.mark.parametrize("chunk", [1, 4, 10, 1000])
def test_words_are_indexed_once_in_chunks_of_any_size(
    source: Source, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(source, lines_of(*(given_release(n) for n in range(10))))
    Tender.objects.update(content_hash="changed")
    assert not TenderIndex.objects.exists()
    monkeypatch.setattr(indexing, "CHUNK", chunk)
    told: list[int] = []
    assert indexing.index_words(report=lambda done, total, message: told.append(done)) == 10
    assert told[-1] == 10
    assert not Unindexed.objects.exists() and TenderIndex.objects.count() == 10
    assert indexing.index_words() == 0


def test_a_tender_that_changes_while_its_words_are_made_keeps_none(source: Source) -> None:
    bring(source, lines_of(given_release(1)))
    Tender.objects.update(content_hash="changed")
    (chunk,) = indexing._chunks()
    Tender.objects.update(content_hash="changed again")
    assert indexing._index(chunk) == 0
    assert Unindexed.objects.get().tender == Tender.objects.get()
    assert not TenderIndex.objects.exists()
    assert indexing.index_words() == 1
