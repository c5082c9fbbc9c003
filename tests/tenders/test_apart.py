"""Large files are read by a process of their own: the same comes of it, and its end is noticed, however it ends."""

from __future__ import annotations

import gzip
import io
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tenders.exceptions import NotANoticeFile
from tenders.models import Import, Source, Tender, TenderRelease
from tenders.services import apart, importing, sources
from tests.factories.notices import given_release, lines_of, package_of

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 2500  # more than the pipe and what lies at both its ends hold


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> list[apart.Apart]:
    started: list[apart.Apart] = []

    class Watched(apart.Apart):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(apart, "SMALLEST", 1)
    monkeypatch.setattr(apart, "Apart", Watched)
    return started


@pytest.fixture
def source(transactional_db: None) -> Source:
    return sources.source_named(name="Test")


def bring(source: Source, path: Path, **options: Any) -> Import:
    with path.open("rb") as stream:
        return sources.import_file(source=source, stream=stream, filename=path.name, **options)


def counts(record: Import) -> tuple[int, ...]:
    return record.fetched, record.created, record.updated, record.unchanged, record.rejected


def many(count: int = MANY) -> bytes:
    return lines_of(*(given_release(n, tender={"description": f"{n} " * 200}) for n in range(count)))


def odd() -> bytes:
    """What a publisher may do: amendments, the same twice, contradictions, faults, NULs, tabs and backslashes."""
    later = given_release(1, id="2", date="2026-11-09T00:00:00Z", tender={"title": "Now longer"})
    contrary = given_release(1, id="0", date="2026-10-01T00:00:00Z", tender={"value": "to be announced"})
    texts = given_release(3, tender={"title": "With \x00, \t, \\N and \\u0000", "documents": [
        {"title": 'a "quoted" \\ name', "url": "https://tenders.example/1"}]})  # fmt: skip
    good = (given_release(n) for n in range(5))
    return lines_of(*good, later, given_release(2)) + b"{broken\n\n" + lines_of({}, contrary, texts, later)


def stored() -> list[tuple[Any, ...]]:
    fields = [f.name for f in Tender._meta.concrete_fields if f.name not in ("id", "created_at", "changed_at")]
    tenders = list(Tender.objects.order_by("key").values_list(*fields))
    return tenders + list(TenderRelease.objects.order_by("digest").values_list("tender__key", "digest", "raw", "tags"))


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_another_process_reads_what_this_one_would(
    source: Source, watched: list[apart.Apart], tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", size)
    path = tmp_path / "odd.jsonl"
    path.write_bytes(odd())
    by_another, rows = bring(source, path), stored()
    assert len(watched) == 1
    Tender.objects.all().delete()
    here = sources.import_file(source=source, stream=io.BytesIO(odd()), filename="odd.jsonl")
    assert len(watched) == 1
    assert counts(by_another) == counts(here)
    assert by_another.fetched == sum(counts(by_another)[1:])
    assert by_another.quality == here.quality
    assert rows == stored()
    reasons = [list(r.rejections.order_by("id").values_list("number", "offset", "reason", "raw"))
               for r in (by_another, here)]  # fmt: skip
    assert reasons[0] == reasons[1]


def test_a_second_run_writes_nothing_and_new_ones_among_the_known_come_in(
    source: Source, watched: list[apart.Apart], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 100)
    path = tmp_path / "many.jsonl"
    path.write_bytes(many(1000))
    assert counts(bring(source, path)) == (1000, 1000, 0, 0, 0)
    path.write_bytes(many(1200))
    assert counts(bring(source, path)) == (1200, 200, 0, 1000, 0)
    assert counts(bring(source, path)) == (1200, 0, 0, 1200, 0)
    assert len(watched) == 3
    assert Tender.objects.count() == TenderRelease.objects.count() == 1200


@pytest.mark.parametrize("name", ["package.json", "lines.jsonl.gz", "cut.jsonl.gz", "table.csv"])
def test_any_format_is_read_apart(source: Source, watched: list[apart.Apart], tmp_path: Path, name: str) -> None:
    releases = [given_release(n) for n in range(300)]
    packed = gzip.compress(lines_of(*releases), mtime=0)
    contents = {
        "package.json": package_of(*releases),
        "lines.jsonl.gz": packed,
        "cut.jsonl.gz": packed[: len(packed) // 2],
        "table.csv": b"Reference,Title,Deadline\n"
        + b"".join(b"T-%d,Road %d,2026-12-01\n" % (n, n) for n in range(300)),
    }
    path = tmp_path / name
    path.write_bytes(contents[name])
    record = bring(source, path)
    assert len(watched) == 1
    if name.startswith("cut"):
        assert "ends early" in record.error
        assert record.fetched == record.created + record.rejected
    else:
        assert counts(record) == (300, 300, 0, 0, 0)


def test_what_is_no_file_of_notices_is_refused_as_here(
    source: Source, watched: list[apart.Apart], tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(b"<html><body>no</body></html>")
    with pytest.raises(NotANoticeFile, match="web page"):
        bring(source, path)
    assert Import.objects.get().status == Import.Status.FAILED


def test_a_reader_that_is_killed_ends_the_import_and_the_next_one_goes_on(
    source: Source, watched: list[apart.Apart], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 100)
    path = tmp_path / "many.jsonl"
    path.write_bytes(many())

    def kill(done: int, total: int, message: str) -> None:
        if done == 300:
            os.kill(watched[0].pid, signal.SIGKILL)

    with pytest.raises(apart.ReadingStopped, match="signal 9"):
        bring(source, path, report=kill)
    first, kept = Import.objects.get(), Tender.objects.count()
    assert (first.status, "signal 9" in first.error) == (Import.Status.FAILED, True)
    assert 200 <= first.created <= kept < MANY
    assert counts(bring(source, path)) == (MANY, MANY - kept, 0, kept, 0)
    assert Tender.objects.count() == TenderRelease.objects.count() == MANY


def test_an_import_that_is_stopped_leaves_no_reader_behind(
    source: Source, watched: list[apart.Apart], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 100)
    path = tmp_path / "many.jsonl"
    path.write_bytes(many())

    def stop(done: int, total: int, message: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(source, path, report=stop)
    with pytest.raises(ProcessLookupError):
        os.kill(watched[0].pid, 0)


def test_where_no_process_can_be_started_this_one_reads(
    source: Source, watched: list[apart.Apart], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    path = tmp_path / "few.jsonl"
    path.write_bytes(many(10))
    assert counts(bring(source, path)) == (10, 10, 0, 0, 0)
    assert watched == []


def test_only_large_files_of_this_machine_are_read_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "SMALLEST", 100)
    assert apart.descriptor_of(io.BytesIO(b"x" * 1000)) is None
    packed = tmp_path / "x.gz"
    packed.write_bytes(gzip.compress(os.urandom(1000)))
    with gzip.open(packed) as unpacked:
        assert apart.descriptor_of(unpacked) is None
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x" * 99)
        file.seek(0)
        assert apart.descriptor_of(file) is None
        file.write(b"x" * 300)
        file.seek(50)
        found = apart.descriptor_of(file)
        assert found is not None and found[1] == 50
