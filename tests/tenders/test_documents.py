"""Documents of tenders: fetched from their publishers, kept once, a firm's own, carried into the project of a bid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.db import connections
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.exceptions import Temporary
from accounts.models import Membership, Organisation, User
from jobs.models import Job
from projects.models import Document
from projects.services.documents import upload_document
from tenders.exceptions import NothingToFetch, OnlyReads
from tenders.models import StoredContent, Tender, TenderDocument
from tenders.services import document_fetching, documents, downloads
from tenders.services.decisions import bid_on
from tests.factories.tenders import make_tender
from tests.projects.pages import signed_in
from tests.tenders.publisher import Publisher, publisher
from tests.tenders.test_pages import page_of, queries, url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(document_fetching, "PAUSE_S", 0.0)


@pytest.fixture
def there(settings: Any) -> Iterator[Publisher]:
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with publisher() as running:
        yield running


@pytest.fixture
def tender(there: Publisher) -> Tender:
    """Names two documents that are there, in two places each."""
    there.files |= {"/spec.pdf": b"%PDF-1.7 spec", "/bill.csv": b"number;quantity"}
    return named(there, "/spec.pdf", "/bill.csv")


def named(there: Publisher, *paths: str) -> Tender:
    return make_tender(documents=[{"title": path.strip("/"), "url": there.url(path)} for path in paths])


def fetch(tender: Tender, actor: User, **params: Any) -> dict[str, int]:
    """What the job does."""
    job = documents.start_fetching(tender_id=tender.pk, actor=actor)
    return run(job)


def run(job: Job) -> dict[str, int]:
    ids = {name: job.params[name] for name in ("tender_id", "organisation_id", "actor_id", "project_id")}
    return document_fetching.fetch_documents(**ids, report=lambda done, total, message: None)


def states(tender: Tender) -> dict[str, str]:
    return dict(TenderDocument.objects.filter(tender=tender).values_list("title", "state"))


def test_documents_are_fetched_and_shown_with_what_came(
    tender: Tender, member: User, there: Publisher, drain: Callable[[], int]
) -> None:
    there.headers = {"Content-Type": "application/pdf; charset=x"}
    assert "Fetch 2 documents" in page_of(member, url("detail", tender.pk))
    answer = signed_in(member).post(url("documents-fetch", tender.pk))
    assert answer["Location"].endswith(f"/{tender.pk}/#documents")
    page = page_of(member, url("detail", tender.pk))
    assert "Waiting for a worker" in page
    assert "jobs.js" in page
    assert drain() == 1
    page = page_of(member, url("detail", tender.pk))
    assert "spec.pdf</bdi>" in page
    assert "Fetch 2 documents" not in page
    document = TenderDocument.objects.get(title="spec.pdf")
    assert (document.state, document.content_type) == ("fetched", "application/pdf")
    sent: Any = signed_in(member).get(url("document", tender.pk, document.pk))
    assert b"".join(sent.streaming_content) == b"%PDF-1.7 spec"
    assert sent["Content-Disposition"] == 'attachment; filename="spec.pdf"'
    assert (sent["Content-Type"], sent["X-Content-Type-Options"]) == ("application/pdf", "nosniff")


def test_what_a_firm_has_fetched_is_its_own(tender: Tender, member: User, viewer: User, stranger: User) -> None:
    fetch(tender, member)
    document = TenderDocument.objects.get(title="spec.pdf")
    address = url("document", tender.pk, document.pk)
    assert signed_in(viewer).get(address).status_code == 200
    assert signed_in(stranger).get(address).status_code == 404
    assert signed_in(stranger).get(f"/api/tenders/documents/{document.pk}/file/").status_code in (401, 404)
    assert "spec.pdf</bdi>" not in page_of(stranger, url("detail", tender.pk))
    assert signed_in(member).get(url("document", make_tender().pk, document.pk)).status_code == 404
    Membership.objects.filter(user=member).delete()
    assert signed_in(member).get(address).status_code == 404


def test_who_only_looks_on_fetches_nothing(tender: Tender, viewer: User) -> None:
    with pytest.raises(OnlyReads):
        documents.start_fetching(tender_id=tender.pk, actor=viewer)
    assert signed_in(viewer).post(url("documents-fetch", tender.pk)).status_code == 403
    assert "Fetch 2 documents" not in page_of(viewer, url("detail", tender.pk))


def test_the_same_bytes_are_kept_once_whoever_fetches_them(
    tender: Tender, member: User, stranger: User, there: Publisher, tmp_path: Path
) -> None:
    there.files["/copy.pdf"] = there.files["/spec.pdf"]
    again = named(there, "/copy.pdf")
    fetch(tender, member)
    fetch(tender, stranger)
    fetch(again, member)
    assert TenderDocument.objects.filter(state="fetched").count() == 5
    assert StoredContent.objects.count() == 2
    assert len([path for path in (tmp_path / "tenders" / "documents").rglob("*") if path.is_file()]) == 2


def test_one_that_is_not_there_does_not_stop_the_others(member: User, there: Publisher) -> None:
    there.files |= {"/good.pdf": b"good", "/empty.pdf": b""}
    tender = named(there, "/gone.pdf", "/empty.pdf", "/good.pdf")
    assert fetch(tender, member) == {"fetched": 1, "failed": 2, "carried": 0}
    page = page_of(member, url("detail", tender.pk))
    assert "there is nothing at this address" in page
    assert "sent an empty file" in page
    there.files["/gone.pdf"] = b"back"
    assert fetch(tender, member) == {"fetched": 2, "failed": 1, "carried": 0}


def test_one_whose_server_is_busy_is_tried_later_after_all_others(member: User, there: Publisher) -> None:
    there.files |= {"/first.pdf": b"1", "/second.pdf": b"2"}
    there.refusals = [(503, {"Retry-After": "120"})]
    tender = named(there, "/first.pdf", "/second.pdf")
    with pytest.raises(Temporary) as raised:
        fetch(tender, member)
    assert raised.value.retry_after_s == 120
    assert states(tender) == {"first.pdf": "waiting", "second.pdf": "fetched"}
    assert run(Job.objects.get()) == {"fetched": 2, "failed": 0, "carried": 0}
    assert [path for path, _ in there.came].count("/second.pdf") == 1


def test_a_job_that_gives_up_says_so_of_what_waits(member: User, there: Publisher) -> None:
    there.files["/first.pdf"] = b"1"
    there.refusals = [(503, {})]
    tender = named(there, "/first.pdf")
    with pytest.raises(Temporary):
        fetch(tender, member)
    params = Job.objects.get().params
    document_fetching.record_failure(
        tender_id=params["tender_id"], organisation_id=params["organisation_id"], message="Too often."
    )
    document = TenderDocument.objects.get()
    assert document.state == "failed"
    assert "answered 503" in document.error


def test_no_address_of_ones_own_network_is_asked(member: User, there: Publisher, settings: Any) -> None:
    tender = named(there, "/spec.pdf")
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    assert fetch(tender, member)["failed"] == 1
    assert there.came == []
    assert "private or special network" in TenderDocument.objects.get().error


def test_what_is_too_large_is_refused(member: User, there: Publisher, settings: Any) -> None:
    there.files |= {"/large.pdf": b"x" * 2000, "/small.pdf": b"x" * 500}
    settings.UPLOAD_LIMIT_BYTES = 1000
    tender = named(there, "/large.pdf", "/small.pdf")
    assert fetch(tender, member) == {"fetched": 1, "failed": 1, "carried": 0}
    assert "larger than 1000\xa0bytes" in TenderDocument.objects.get(state="failed").error


def test_two_jobs_do_not_ask_one_host_at_once(tender: Tender, member: User) -> None:
    job = documents.start_fetching(tender_id=tender.pk, actor=member)
    with closing(connections.create_connection("default")) as other:  # another worker
        key = "('x' || left(encode(sha256('tender-documents:127.0.0.1'), 'hex'), 16))::bit(64)::bigint"
        other.cursor().execute(f"SELECT pg_advisory_lock({key})")
        with pytest.raises(Temporary):
            run(job)
        other.cursor().execute(f"SELECT pg_advisory_unlock({key})")  # closing gives it up a little later
    assert set(states(tender).values()) == {"waiting"}
    assert run(job)["fetched"] == 2


def test_a_bid_brings_the_documents_into_its_project(tender: Tender, member: User, drain: Callable[[], int]) -> None:
    project = bid_on(tender_id=tender.pk, actor=member)
    bid_on(tender_id=tender.pk, actor=member)
    assert Job.objects.filter(kind=documents.FETCH).count() == 1
    drain()
    carried = Document.objects.filter(project=project).order_by("original_filename")
    assert [(each.original_filename, each.kind) for each in carried] == [("bill.csv", "other"), ("spec.pdf", "other")]
    with carried[1].file.open("rb") as stored:
        assert stored.read() == b"%PDF-1.7 spec"
    assert not Job.objects.filter(kind="projects.parse_document").exists()  # which one is the bill, a person says


def test_a_document_that_came_along_becomes_the_bill_when_somebody_uploads_it_as_one(
    tender: Tender, member: User, drain: Callable[[], int], tmp_path: Path
) -> None:
    project = bid_on(tender_id=tender.pk, actor=member)
    drain()
    file = ContentFile(b"number;quantity", name="bill.csv")
    made = upload_document(project_id=project.pk, actor=member, file=file, filename="bill.csv")
    assert (made.is_new, made.job is not None, made.document.kind) == (False, True, "bill")
    assert Document.objects.filter(project=project, kind="bill").count() == 1


def test_a_bid_on_a_tender_without_documents_starts_nothing(member: User) -> None:
    bid_on(tender_id=make_tender().pk, actor=member)
    bid_on(tender_id=make_tender(documents=[{"title": "By mail", "url": ""}]).pk, actor=member)
    assert not Job.objects.exists()


@pytest.mark.parametrize("address", ["", "ftp://example.com/x", "javascript:alert(1)", "https://[", "/relative"])
def test_what_has_no_address_of_the_web_is_named_and_not_fetched(member: User, address: str) -> None:
    tender = make_tender(documents=[{"title": "Terms", "url": address}])
    with pytest.raises(NothingToFetch):
        documents.start_fetching(tender_id=tender.pk, actor=member)
    page = page_of(member, url("detail", tender.pk))
    assert "without an address that can be followed" in page
    assert "Fetch 1" not in page


def test_old_addresses_are_asked_by_https(settings: Any) -> None:
    settings.OUTBOUND_ALLOW_HTTP = False
    assert document_fetching._secured("http://example.com/a?b=http://c") == "https://example.com/a?b=http://c"


@pytest.mark.parametrize(
    ("sent", "content_type", "name"),
    [
        ("spec.pdf", "application/pdf", "spec.pdf"),
        ("../../etc/passwd.txt", "", "passwd.txt"),
        ("C:\\temp\\výkaz výměr.xlsx", "", "výkaz výměr.xlsx"),
        ("download", "application/pdf", "The terms.pdf"),
        ("notices", "application/zip", "The terms.zip"),
        ('a"b\r\nc\u202efdp.exe', "", "a_bcfdp.exe"),
        ("x" * 300 + ".pdf", "", "x" * 170 + ".pdf"),
        ("..", "", "The terms"),
    ],
)
def test_names_of_files_are_made_safe(sent: str, content_type: str, name: str) -> None:
    answer = downloads.Download(False, "", "", "https://example.com", sent, content_type, "")
    assert document_fetching.safe_name(answer, "The terms") == name


def test_a_name_that_the_server_states_goes_before_the_address(member: User, there: Publisher) -> None:
    there.files["/get?id=7"] = b"7"
    there.headers = {"Content-Disposition": "attachment; filename*=UTF-8''v%C3%BDkaz.xlsx", "Content-Type": "text/html"}
    fetch(named(there, "/get?id=7"), member)
    document = TenderDocument.objects.get()
    assert (document.filename, document.error) == ("výkaz.xlsx", document_fetching.PAGE_NOTE)


def test_the_page_asks_as_often_for_fifty_documents_as_for_one(member: User, organisation: Organisation) -> None:
    def fetched(count: int) -> Tender:
        urls = [f"https://example.com/{number}" for number in range(count)]
        tender = make_tender(documents=[{"title": address, "url": address} for address in urls])
        for address in urls:
            content, _ = StoredContent.objects.get_or_create(sha256=address, defaults={"size": 1, "file": "x"})
            TenderDocument.objects.create(
                tender=tender, organisation=organisation, url=address, url_digest=documents.digest_of(address),
                title=address, state="fetched", content=content, filename="x", fetched_at=timezone.now(),
            )  # fmt: skip
        return tender

    client = signed_in(member)
    one, fifty = fetched(1), fetched(50)
    assert queries(client, url("detail", fifty.pk)) == queries(client, url("detail", one.pk))


def test_rest_lists_fetches_and_sends_them(tender: Tender, member: User, stranger: User, viewer: User) -> None:
    client, theirs, looking = APIClient(), APIClient(), APIClient()
    for each, who in ((client, member), (theirs, stranger), (looking, viewer)):
        each.force_authenticate(who)
    address = f"/api/tenders/{tender.pk}/documents/"
    assert [row["state"] for row in client.get(address).json()] == [None, None]
    assert looking.post(address).status_code == 403
    started = client.post(address)
    assert started.status_code == 202
    assert started.json()["job_id"] == str(Job.objects.get().pk)
    run(Job.objects.get())
    rows = client.get(address).json()
    assert [(row["state"], row["filename"]) for row in rows] == [("fetched", "spec.pdf"), ("fetched", "bill.csv")]
    file = f"/api/tenders/documents/{rows[0]['id']}/file/"
    answer: Any = client.get(file)
    assert b"".join(answer.streaming_content) == b"%PDF-1.7 spec"
    assert theirs.get(file).status_code == 404
    assert [row["state"] for row in theirs.get(address).json()] == [None, None]
    assert client.post(address).json()["code"] == "nothing_to_fetch"
    assert client.get("/api/tenders/00000000-0000-4000-8000-000000000000/documents/").status_code == 404
