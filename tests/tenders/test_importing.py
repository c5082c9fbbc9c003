"""Notices into the database: once, in bulk, and what changed is known."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from tenders.exceptions import NotANoticeFile, SourceBusy
from tenders.models import Import, Rejection, Source, Tender, TenderRelease
from tenders.services import importing, sources
from tests.factories.notices import eforms_notice, given_release, lines_of, package_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def source(transactional_db: None) -> Source:
    return sources.source_named(name="Test")


def bring(source: Source, content: bytes, **options: Any) -> Import:
    return sources.import_file(source=source, stream=io.BytesIO(content), filename="notices.jsonl", **options)


def counts(record: Import) -> tuple[int, ...]:
    return record.fetched, record.created, record.updated, record.unchanged, record.rejected


def test_a_file_is_stored_once_however_often_it_is_read(source: Source) -> None:
    content = lines_of(*(given_release(n) for n in range(5)))
    assert counts(bring(source, content)) == (5, 5, 0, 0, 0)
    stamps = list(Tender.objects.order_by("key").values_list("changed_at", "index__words"))
    assert counts(bring(source, content)) == (5, 0, 0, 5, 0)
    assert list(Tender.objects.order_by("key").values_list("changed_at", "index__words")) == stamps
    assert TenderRelease.objects.count() == 5
    assert None not in {search for _, search in stamps}


def test_an_amendment_changes_the_tender_and_keeps_both_releases(source: Source) -> None:
    bring(source, lines_of(given_release(1)))
    later = given_release(1, id="2", date="2026-11-09T00:00:00Z", tag=["tenderUpdate"], tender={"title": "Now longer"})
    assert counts(bring(source, lines_of(later))) == (1, 0, 1, 0, 0)
    tender = Tender.objects.get()
    assert (tender.title, tender.releases_count) == ("Now longer", 2)
    earlier = given_release(1, id="0", date="2026-10-01T00:00:00Z", tender={"title": "As first planned"})
    assert counts(bring(source, lines_of(earlier))) == (1, 0, 1, 0, 0)
    tender.refresh_from_db()
    assert (tender.title, tender.releases_count) == ("Now longer", 3)  # what came late was said early


def test_a_release_that_changes_nothing_people_read_leaves_the_tender_as_it_was(source: Source) -> None:
    bring(source, lines_of(given_release(1)))
    before = Tender.objects.get()
    bring(source, lines_of(given_release(1, id="2", initiationType="tender")))
    after = Tender.objects.get()
    assert (after.changed_at, after.content_hash) == (before.changed_at, before.content_hash)
    assert after.releases_count == 2
    assert after.index.words is not None


def test_releases_of_one_tender_meet_across_batches(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    releases = [given_release(n % 3, id=str(n), date=f"2026-11-{n + 1:02}T00:00:00Z") for n in range(9)]
    assert counts(bring(source, lines_of(*releases))) == (9, 3, 6, 0, 0)
    assert set(Tender.objects.values_list("releases_count", flat=True)) == {3}


def test_bad_records_are_kept_with_their_reason_and_stop_nothing(source: Source) -> None:
    nul = given_release(3, tender={"title": "With \x00 and a lone \\u0000 in it"})
    record = bring(source, lines_of(given_release(1)) + b"{broken\n" + lines_of({}, nul))
    assert counts(record) == (4, 2, 0, 0, 2)
    assert [r.number for r in Rejection.objects.order_by("number")] == [2, 3]
    assert Tender.objects.get(key="ocds-test-3").title == "With  and a lone \\u0000 in it"


def test_releases_that_contradict_each_other_are_rejected_and_the_tender_stays(source: Source) -> None:
    bring(source, lines_of(given_release(1)))
    odd = given_release(1, id="0", date="2026-10-01T00:00:00Z", tender={"value": "to be announced"})
    assert counts(bring(source, lines_of(odd))) == (1, 0, 0, 0, 1)
    assert Tender.objects.get().title == "Resurfacing of road II/1"
    assert "can't be merged" in Rejection.objects.get().reason


def test_a_file_that_ends_early_says_so_and_keeps_what_was_read(source: Source) -> None:
    content = package_of(*(given_release(n) for n in range(50)))
    record = bring(source, content[: len(content) // 2])
    assert record.status == Import.Status.COMPLETED
    assert record.created > 20
    assert "cut off" in record.error
    assert record.fetched == record.created + record.rejected


def test_what_is_no_file_of_notices_fails_and_is_remembered(source: Source) -> None:
    with pytest.raises(NotANoticeFile, match="web page"):
        bring(source, b"<html><body>no</body></html>")
    record = Import.objects.get()
    assert (record.status, record.fetched) == (Import.Status.FAILED, 0)
    assert "web page" in record.error


def test_two_imports_of_one_source_do_not_run_at_once(source: Source) -> None:
    import psycopg

    settings = connection.get_connection_params()
    with psycopg.connect(
        **{k: v for k, v in settings.items() if k in ("dbname", "host", "port", "user", "password")}
    ) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [source.id.int % (1 << 63)])
        with pytest.raises(SourceBusy):
            bring(source, lines_of(given_release(1)))
        # By name: a connection that is closed gives it up only when its server process has ended.
        other.execute("SELECT pg_advisory_unlock(%s)", [source.id.int % (1 << 63)])
    assert counts(bring(source, lines_of(given_release(1)))) == (1, 1, 0, 0, 0)


@pytest.mark.parametrize("size", [1, 50])
def test_the_number_of_queries_does_not_grow_with_the_file(
    source: Source, size: int, django_assert_max_num_queries: Any
) -> None:
    content = lines_of(*(given_release(n) for n in range(size)))
    with django_assert_max_num_queries(20):
        bring(source, content)


def test_the_command_prints_one_json_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], transactional_db: None
) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines_of(given_release(1), given_release(2)))
    (tmp_path / "b.xml").write_bytes(eforms_notice())
    call_command("sync_tenders", str(tmp_path), "--source", "Folder", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told.pop("seconds") >= 0
    assert told == {"fetched": 3, "created": 3, "updated": 0, "unchanged": 0, "rejected": 0}
    assert Tender.objects.filter(source__name="Folder").count() == 3
