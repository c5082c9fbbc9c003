"""Sources at an address: asked for only what changed, page after page, and taken up where it broke."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.exceptions import Temporary
from accounts.models import Organisation, User
from jobs.models import Job
from jobs.outbound import AddressForbidden, AnswerTooLarge, Unreachable
from tenders.exceptions import NotANoticeFile, NotFetched, OnlyReads, SourceMissing, SourceRefused
from tenders.models import Import, Source, Tender
from tenders.services import downloads, fetching
from tests.factories.notices import given_release, lines_of, package_of

from .publisher import Publisher, publisher

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def there(settings: Any) -> Iterator[Publisher]:
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with publisher() as running:
        yield running


@pytest.fixture
def source(there: Publisher, transactional_db: None) -> Source:
    return Source.objects.create(name="Portal", kind="url", location=there.url("/all.json"), is_scheduled=True)


def page(*releases: Any, following: str = "") -> bytes:
    return json.dumps({"releases": list(releases), "links": {"next": following} if following else {}}).encode()


def sync(source: Source) -> dict[str, Any]:
    return fetching.sync_source(source_id=source.pk)


def test_what_has_not_changed_is_not_sent_again(source: Source, there: Publisher) -> None:
    there.files["/all.json"], there.etag = package_of(given_release(1)), '"1"'
    assert sync(source)["created"] == 1
    told = sync(source)
    assert (told["is_unchanged"], told["fetched"], Import.objects.count()) == (True, 0, 1)
    assert there.came[1][1]["if-none-match"] == '"1"'
    there.files["/all.json"], there.etag = package_of(given_release(1), given_release(2)), '"2"'
    told = sync(source)
    assert (told["created"], told["unchanged"]) == (1, 1)
    source.refresh_from_db()
    assert source.etag == '"2"' and source.last_run_at


def test_pages_are_followed_and_the_place_is_kept_when_one_fails(source: Source, there: Publisher) -> None:
    there.files["/all.json"] = page(given_release(1), following="/all.json?page=2")
    there.files["/all.json?page=2"] = page(given_release(2), following=there.url("/last.json"))
    there.etag = '"1"'
    with pytest.raises(NotFetched, match="404"):
        sync(source)
    source.refresh_from_db()
    assert source.cursor == ""  # the publisher does not have it: from the beginning
    there.files["/last.json"] = page(given_release(3))
    there.refusals = []
    assert sync(source)["pages"] == 3
    assert Tender.objects.count() == 3


def test_a_run_that_stopped_goes_on_at_its_page(source: Source, there: Publisher) -> None:
    there.files["/all.json"] = page(given_release(1), following="/2.json")
    there.files["/2.json"] = page(given_release(2))

    def overloaded(done: int, total: int, message: str) -> None:
        if not there.refusals and len(there.came) == 1:
            there.refusals = [(503, {"Retry-After": "7"})]

    with pytest.raises(Temporary) as told:
        fetching.sync_source(source_id=source.pk, report=overloaded)
    assert told.value.retry_after_s == 7
    source.refresh_from_db()
    assert (source.cursor, source.etag) == (there.url("/2.json"), "")
    there.came.clear()
    assert sync(source)["created"] == 1
    assert [path for path, _ in there.came] == ["/2.json"]
    source.refresh_from_db()
    assert source.cursor == ""


def test_pages_that_lead_back_to_themselves_end(source: Source, there: Publisher) -> None:
    there.files["/all.json"] = page(given_release(1), following="/2.json")
    there.files["/2.json"] = page(given_release(2), following="/all.json")
    with pytest.raises(SourceRefused, match="lead back"):
        sync(source)
    source.refresh_from_db()
    assert source.cursor == "" and Tender.objects.count() == 2


def test_the_next_page_may_stand_in_a_header(source: Source, there: Publisher) -> None:
    there.files["/all.json"] = lines_of(given_release(1), given_release(2))
    there.headers = {"Link": '</first>; rel="first", </2.jsonl>; rel="next"'}
    there.files["/2.jsonl"] = gzip.compress(lines_of(given_release(3), given_release(4)))
    with pytest.raises(SourceRefused):  # the second says that it is followed by itself
        sync(source)
    assert Tender.objects.count() == 4


def big(count: int = 400) -> bytes:
    return package_of(*(given_release(n) for n in range(count)))


@pytest.mark.parametrize("has_ranges", [True, False])
def test_a_broken_connection_is_taken_up_where_it_broke(source: Source, there: Publisher, has_ranges: bool) -> None:
    there.files["/all.json"], there.etag, there.has_ranges = big(), '"1"', has_ranges
    there.cut_after, there.cuts = 100_000, 2 if has_ranges else 1
    assert sync(source)["created"] == 400
    starts = [headers.get("range") for _, headers in there.came]
    assert starts == ([None, "bytes=100000-", "bytes=200000-"] if has_ranges else [None, "bytes=100000-"])


def test_another_file_than_the_one_begun_is_fetched_anew(source: Source, there: Publisher) -> None:
    there.files["/all.json"], there.etag = big(), '"1"'
    there.cut_after, there.cuts = 100_000, 1

    def replaced(done: int, total: int, message: str) -> None:
        there.files["/all.json"], there.etag = big(410), '"2"'

    assert fetching.sync_source(source_id=source.pk, report=replaced)["created"] == 410
    source.refresh_from_db()
    assert source.etag == '"2"'


def test_a_connection_that_always_breaks_is_tried_later_by_the_job(source: Source, there: Publisher) -> None:
    there.files["/all.json"], there.cut_after, there.cuts = big(), 0, 1000
    with pytest.raises(Unreachable):
        sync(source)
    assert not Tender.objects.exists()


@pytest.mark.parametrize(("status", "error"), [(404, NotFetched), (401, NotFetched), (500, Temporary)])
def test_a_refusal_says_what_it_is(source: Source, there: Publisher, status: int, error: type[Exception]) -> None:
    there.refusals = [(status, {})]
    with pytest.raises(error, match=str(status)):
        sync(source)


def test_a_page_for_people_is_refused(source: Source, there: Publisher) -> None:
    there.files["/all.json"] = b"<!doctype html><html>Please sign in</html>"
    with pytest.raises(NotANoticeFile, match="web page"):
        sync(source)
    assert Import.objects.get().status == "failed"


def test_a_file_beyond_the_limit_is_not_kept(source: Source, there: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "LARGEST", 1000)
    there.files["/all.json"] = big(10)
    with pytest.raises(AnswerTooLarge):
        sync(source)


def test_addresses_of_our_own_network_are_not_fetched(source: Source, there: Publisher, settings: Any) -> None:
    there.files["/all.json"] = page(given_release(1), following="http://169.254.169.254/latest/meta-data/")
    with pytest.raises(AddressForbidden):
        sync(source)
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    with pytest.raises(AddressForbidden):
        sync(source)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("120", 120, 120),
        ("99999999", 86400, 86400),
        (format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True), 60, 1800),
        (format_datetime(datetime.now(UTC) - timedelta(minutes=30), usegmt=True), 0, 0),
    ],
    ids=["seconds", "too_long", "date", "past"],
)
def test_retry_after_is_seconds_or_a_date(text: str, low: float, high: float) -> None:
    found = downloads.wait_stated(text)
    assert found is not None and low <= found <= high


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e9"])
def test_retry_after_may_say_nothing(text: str) -> None:
    assert downloads.wait_stated(text) is None


def test_scheduled_sources_are_fetched_each_by_its_job_once(
    source: Source, there: Publisher, drain: Callable[[], int]
) -> None:
    there.files["/all.json"] = package_of(given_release(1))
    Source.objects.create(name="By hand", kind="url", location=there.url("/other.json"))
    assert fetching.start_due() == fetching.start_due()
    drain()
    job = Job.objects.get(kind="tenders.sync")
    assert (job.status, job.result["created"], job.about) == ("completed", 1, "Portal")
    assert Import.objects.get().job_id == job.pk


def test_a_source_that_can_not_be_fetched_shows_why(source: Source, there: Publisher, drain: Callable[[], int]) -> None:
    for _ in range(2):
        fetching.start_due()
        drain()
    assert [job.status for job in Job.objects.filter(kind="tenders.sync")] == ["failed", "failed"]
    record = Import.objects.get()
    assert record.status == "failed" and "404" in record.error
    source.refresh_from_db()
    assert source.last_run_at


def test_a_retry_waits_as_long_as_the_publisher_asks(
    source: Source, there: Publisher, drain: Callable[[], int]
) -> None:
    there.refusals = [(429, {"Retry-After": "600"})]
    fetching.start_due()
    drain()
    job = Job.objects.get(kind="tenders.sync")
    assert job.status == "retrying" and job.next_retry_at is not None
    assert job.next_retry_at > datetime.now(UTC) + timedelta(seconds=500)


def test_only_those_who_may_write_start_it(
    there: Publisher, owner: User, viewer: User, stranger: User, organisation: Organisation
) -> None:
    own = Source.objects.create(name="Own", kind="url", location=there.url("/x"), organisation=organisation)
    assert fetching.start_sync(source_id=own.pk, actor=owner).organisation_id == organisation.pk
    with pytest.raises(OnlyReads):
        fetching.start_sync(source_id=own.pk, actor=viewer)
    with pytest.raises(SourceMissing):
        fetching.start_sync(source_id=own.pk, actor=stranger)
    files = Source.objects.create(name="Files", organisation=organisation)
    with pytest.raises(SourceRefused):
        fetching.start_sync(source_id=files.pk, actor=owner)


def told_by(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    call_command("sync_tenders", *arguments, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_command_fetches_an_address_and_later_its_source_by_name(
    there: Publisher, transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    there.files["/all.json"], there.etag = page(given_release(1), following="/2"), '"1"'
    there.files["/2"] = page(given_release(2))
    told = told_by(capsys, there.url("/all.json"), "--source", "Portal")
    assert (told["fetched"], told["created"]) == (2, 2)
    assert told_by(capsys, "--source", "Portal")["fetched"] == 0  # not changed
    there.etag = '"2"'
    assert told_by(capsys, there.url("/all.json"), "--source", "Portal")["unchanged"] == 2
    for arguments in (["--source", "Nobody"], [there.url("/other"), "--source", "Portal"], ["ftp://x"], []):
        with pytest.raises(CommandError):
            call_command("sync_tenders", *arguments)


def test_the_command_reads_a_source_from_its_path(
    transactional_db: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_bytes(package_of(given_release(1)))
    Source.objects.create(name="Folder", kind="path", location=str(tmp_path))
    assert told_by(capsys, "--source", "Folder")["created"] == 1
