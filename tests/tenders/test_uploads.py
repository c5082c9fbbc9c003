"""Uploads: refused at once or read by a job, once, whatever happens to the worker in between."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from jobs.models import Job
from tenders.models import Import, Rejection, Source, Tender, TenderRelease
from tenders.services import importing, sources, uploads
from tests.factories.notices import eforms_notice, given_release, lines_of, package_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _stored_apart(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def upload(user: User, content: bytes, name: str = "notices.json", **body: Any) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    return client.post("/api/tenders/imports/", {"file": SimpleUploadedFile(name, content), **body}, format="multipart")


@pytest.mark.parametrize(
    ("content", "name", "tenders"),
    [
        (package_of(given_release(1), given_release(2)), "a.json", 2),
        (gzip.compress(lines_of(given_release(1), given_release(2)), mtime=0), "a.jsonl.gz", 2),
        (eforms_notice(), "a.xml", 1),
        (b"Ausschreibung;Frist\nDach;2026-12-01\nKeller;2026-12-02\n", "a.csv", 2),
        (package_of(given_release(1)), "../../../a.exe", 1),
    ],
)
def test_a_file_is_read_by_a_job_into_the_named_source(
    member: User, organisation: Organisation, drain: Callable[[], int], content: bytes, name: str, tenders: int
) -> None:
    mapping = '{"title": "Ausschreibung", "deadline": "Frist"}'
    started = upload(member, content, name, source="Portal", mapping=mapping)
    assert started.status_code == 202, started.data
    record = Import.objects.get(pk=started.data["import_id"])
    assert (record.status, record.source.organisation_id) == ("queued", organisation.pk)
    assert "/" not in record.filename and record.sha256
    drain()
    job = Job.objects.get(pk=started.data["job_id"])
    assert (job.status, job.organisation_id, job.subject_id) == ("completed", organisation.pk, record.source_id)
    assert job.result["created"] == tenders
    record.refresh_from_db()
    assert (record.status, record.created, record.started_by_id) == ("completed", tenders, member.pk)
    assert Tender.objects.filter(source__name="Portal").count() == tenders


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x00", "not_a_notice_file"),
        (b"<!doctype html><html><body>Sign in</body></html>", "not_a_notice_file"),
        (b"   \n", "not_a_notice_file"),
        (gzip.compress(b"x", mtime=0)[:4], "not_a_notice_file"),
    ],
)
def test_what_is_no_file_of_notices_is_refused_at_once(member: User, content: bytes, code: str) -> None:
    answer = upload(member, content)
    assert (answer.status_code, answer.data["code"]) == (400, code)
    assert not Import.objects.exists() and not Job.objects.exists()


def test_a_file_beyond_the_limit_is_refused(member: User, settings: Any) -> None:
    settings.UPLOAD_LIMIT_BYTES = 100
    answer = upload(member, package_of(given_release(1)))
    assert (answer.status_code, answer.data["code"], answer.data["limit_bytes"]) == (413, "file_too_large", 100)


@pytest.mark.parametrize("mapping", ["[]", "{", '{"colour": "x"}', '{"title": {"a": 1}}', "[" * 100_000])
def test_a_mapping_that_is_none_is_refused(member: User, mapping: str) -> None:
    answer = upload(member, b"a;b\n1;2\n", mapping=mapping)
    assert (answer.status_code, list(answer.data["errors"])) == (400, ["mapping"])


def test_the_same_file_that_still_waits_is_not_read_twice(member: User, drain: Callable[[], int]) -> None:
    content = package_of(given_release(1))
    first, second = upload(member, content), upload(member, content)
    assert first.data["import_id"] == second.data["import_id"]
    assert first.data["job_id"] == second.data["job_id"]
    drain()
    third = upload(member, content)
    assert third.data["import_id"] != first.data["import_id"]
    drain()
    record = Import.objects.get(pk=third.data["import_id"])
    assert (record.created, record.unchanged) == (0, 1)


def test_an_attempt_after_a_killed_one_counts_right_and_stores_nothing_twice(
    member: User, drain: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill leaves: some batches committed, the import "running", its rejections."""
    monkeypatch.setattr(importing, "BATCH", 10)
    content = b'{"bad}\n' + lines_of(*(given_release(n) for n in range(50)))
    started = upload(member, content)
    record = Import.objects.get(pk=started.data["import_id"])
    reports = 0

    class Killed(BaseException):
        pass

    def die(done: int, total: int, message: str) -> None:
        nonlocal reports
        reports += 1
        if reports == 3:
            raise Killed

    with pytest.raises(Killed):
        uploads.read_upload(import_id=record.pk, mapping=None, report=die)
    Import.objects.update(status="running", finished_at=None)
    assert 0 < Tender.objects.count() < 50 and Rejection.objects.count() == 1
    stored = Tender.objects.count()
    drain()
    record.refresh_from_db()
    assert (record.status, record.fetched, record.rejected) == ("completed", 51, 1)
    assert (record.created, record.unchanged) == (50 - stored, stored)
    assert Tender.objects.count() == TenderRelease.objects.count() == 50
    assert Rejection.objects.count() == 1


def test_a_job_that_fails_for_good_says_so_on_the_import(member: User, drain: Callable[[], int]) -> None:
    started = upload(member, package_of(given_release(1)))
    record = Import.objects.get(pk=started.data["import_id"])
    record.file.delete(save=False)
    drain()
    assert Job.objects.get(pk=started.data["job_id"]).status == "failed"
    record.refresh_from_db()
    assert record.status == "failed" and record.error and record.finished_at


def test_an_upload_into_a_source_by_id_or_by_its_default_name(member: User, organisation: Organisation) -> None:
    source = sources.source_named(name="Portal", organisation=organisation)
    by_id = upload(member, package_of(given_release(1)), source=str(source.pk))
    assert by_id.data["source_id"] == str(source.pk)
    upload(member, package_of(given_release(2)))
    assert Source.objects.get(name="Uploads").organisation_id == organisation.pk
