"""The pages of sources: what each holds, how its runs went; adding, fetching, changing, removing; mending records."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation, User
from jobs.models import Job, ScheduledTask
from projects.models import Project
from tenders.models import Import, Rejection, Source, Tender
from tenders.services.decisions import bid_on
from tenders.services.removing import REMOVE, remove_source
from tests.factories.people import make_user
from tests.factories.tenders import make_source, make_tender
from tests.projects.pages import queries, signed_in
from tests.tenders.test_pages import page_of, url

pytestmark = pytest.mark.django_db
ADDRESS = "https://publisher.example/releases.json"


def silent(done: int, total: int, message: str) -> None:
    pass


def fetched(organisation: Organisation | None, **fields: Any) -> Source:
    values = {"kind": Source.Kind.URL, "location": ADDRESS, "is_scheduled": True, "name": "Portal"} | fields
    return Source.objects.create(organisation=organisation, **values)


def failed(source: Source, error: str = "publisher.example answered 404: there is nothing.") -> Import:
    return Import.objects.create(source=source, filename="releases.json", status=Import.Status.FAILED, error=error)


def rejected(source: Source, **fields: Any) -> Rejection:
    record = Import.objects.create(source=source, filename="notices.jsonl", status="completed", rejected=1)
    values = {"number": 7, "reason": "It has no ocid.", "raw": '{"tender": {}}'} | fields
    return Rejection.objects.create(source=source, imported_by=record, **values)


# --- looking ---
def test_the_list_says_what_each_holds_and_how_its_last_run_went(member: User, organisation: Organisation) -> None:
    due = {"cron": "20 * * * *", "kind": "tenders.sync_due", "next_due_at": datetime(2026, 11, 22, 9, 20, tzinfo=UTC)}
    ScheduledTask.objects.update_or_create(name="sync-tenders", defaults=due)
    source = fetched(organisation)
    make_tender(source)
    make_tender(source)
    failed(source)
    rejected(source)
    row = page_of(member, url("sources")).split(">Portal</a>")[1].split("</tr>")[0]
    assert 'data-label="Tenders">2<' in row
    assert f'<a href="{url("rejections", source.pk)}">1</a>' in row
    assert "22 Nov, 09:20 UTC" in row
    assert organisation.name in row


def test_the_newest_run_counts_and_a_failure_says_why(member: User, organisation: Organisation) -> None:
    source = fetched(organisation)
    failed(source)
    assert "answered 404" in page_of(member, url("sources"))
    assert "answered 404" in page_of(member, url("source", source.pk))
    Import.objects.create(source=source, filename="releases.json", status=Import.Status.COMPLETED)
    assert "answered 404" not in page_of(member, url("sources"))


def test_a_schedule_that_stands_still_is_told(member: User, organisation: Organisation) -> None:
    fetched(organisation)
    ScheduledTask.objects.filter(name="sync-tenders").update(is_paused=True)
    assert "the schedule stands still" in page_of(member, url("sources"))


def test_what_is_not_ones_own_is_not_there(
    member: User, stranger: User, viewer: User, organisation: Organisation
) -> None:
    source = fetched(organisation, name="Secret portal")
    rejection = rejected(source)
    shared = make_source(name="Everybody's portal")
    page = page_of(stranger, url("sources"))
    assert "Secret portal" not in page
    assert "Everybody&#x27;s portal" in page
    client = signed_in(stranger)
    for name in ("source", "source-edit", "source-remove", "rejections"):
        assert client.get(url(name, source.pk)).status_code == 404, name
    for name in ("source-edit", "source-remove", "source-sync"):
        assert client.post(url(name, source.pk)).status_code == 404, name
        assert signed_in(viewer).post(url(name, source.pk)).status_code == 403, name
        assert signed_in(member).post(url(name, shared.pk)).status_code == 403, name
    assert client.get(url("rejection", rejection.pk)).status_code == 404
    assert client.post(url("rejection", rejection.pk), {"text": "{}"}).status_code == 404
    assert signed_in(viewer).post(url("rejection", rejection.pk), {"text": "{}"}).status_code == 403
    assert Source.objects.filter(pk=source.pk).exists()
    assert not Job.objects.exists()


def test_those_who_only_look_on_see_no_buttons(viewer: User, organisation: Organisation) -> None:
    source = fetched(organisation)
    assert "Add an address" not in page_of(viewer, url("sources"))
    page = page_of(viewer, url("source", source.pk))
    for words in ("Fetch now", "Edit", "Remove this source"):
        assert words not in page
    assert "You may look at what your firm reads" in page_of(viewer, url("source-new"))
    assert signed_in(viewer).post(url("source-new"), {"name": "A", "location": ADDRESS}).status_code == 403


def test_empty_states_say_what_to_do(member: User) -> None:
    assert "No source yet" in page_of(member, url("sources"))
    source = make_source()
    assert "Nothing was read yet" in page_of(member, url("source", source.pk))
    assert "Nothing is open" in page_of(member, url("rejections", source.pk))


def test_the_number_of_queries_does_not_grow(member: User, organisation: Organisation) -> None:
    client = signed_in(member)
    source = fetched(organisation)
    rejected(source)
    addresses = [url("sources"), url("source", source.pk), url("rejections", source.pk) + "?show=all"]
    few = [queries(client, address) for address in addresses]
    for number in range(50):
        failed(fetched(organisation, name=f"Portal {number}"))
        rejected(source, number=number)
    assert [queries(client, address) for address in addresses] <= few
    assert max(few) < 25


# --- adding, changing, fetching ---
def test_an_address_is_added_for_the_firm_and_fetched_on_demand(member: User, organisation: Organisation) -> None:
    client = signed_in(member)
    values = {"name": "Portal", "location": ADDRESS, "country": "cz", "is_scheduled": "on"}
    answer = client.post(url("source-new"), values)
    source = Source.objects.get()
    assert answer["Location"] == url("source", source.pk)
    assert (source.organisation, source.kind, source.country, source.is_scheduled) == (organisation, "url", "CZ", True)
    assert client.post(url("source-sync", source.pk))["Location"] == url("source", source.pk)
    job = Job.objects.get()
    assert (job.kind, job.subject_id) == ("tenders.sync", source.pk)
    page = page_of(member, url("source", source.pk))
    assert f'data-channel="job:{job.pk}"' in page
    assert "Waiting for a worker" in page
    assert "Fetch now" not in page
    assert "Fetch notices" in page_of(member, url("sources"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"location": "http://127.0.0.1/"}, "The address"),
        ({"location": "https://127.0.0.1/"}, "address"),
        ({"location": "file:///etc/passwd"}, "The address must begin with"),
        ({"location": "https://user:secret@publisher.example/"}, "user name or password"),
        ({"location": ""}, "required"),
        ({"name": ""}, "required"),
        ({"country": "Germany"}, "A country has two letters"),
        ({"name": "Taken"}, "There is a source of this name already"),
    ],
)
def test_what_can_be_no_source_is_refused_in_words(
    member: User, organisation: Organisation, values: dict[str, str], words: str
) -> None:
    make_source(organisation, name="Taken")
    answer = signed_in(member).post(url("source-new"), {"name": "Portal", "location": ADDRESS} | values)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Source.objects.count() == 1


def test_a_new_address_begins_anew(member: User, organisation: Organisation) -> None:
    source = fetched(organisation, etag='"1"', cursor="https://publisher.example/2")
    values = {"name": "Portal, new", "location": "https://publisher.example/other.json", "country": ""}
    assert signed_in(member).post(url("source-edit", source.pk), values).status_code == 302
    source.refresh_from_db()
    assert (source.name, source.etag, source.cursor, source.is_scheduled) == ("Portal, new", "", "", False)


def test_a_source_of_uploads_keeps_its_kind(member: User, organisation: Organisation) -> None:
    source = make_source(organisation, name="Mine")
    assert "Address" not in page_of(member, url("source-edit", source.pk)).split("<form")[-1]
    signed_in(member).post(url("source-edit", source.pk), {"name": "Ours", "location": ADDRESS, "country": "sk"})
    source.refresh_from_db()
    assert (source.name, source.kind, source.location, source.country) == ("Ours", "upload", "", "SK")
    assert signed_in(member).post(url("source-sync", source.pk)).status_code == 400


# --- removing ---
def test_removing_says_what_would_go_and_is_done_by_a_job(member: User, organisation: Organisation) -> None:
    source = make_source(organisation, name="Old portal")
    bid_on(tender_id=make_tender(source).pk, actor=member)
    page = page_of(member, url("source-remove", source.pk))
    assert "<strong>1</strong> tender," in page
    assert "1</strong> of them decided on" in page
    signed_in(member).post(url("source-remove", source.pk))
    signed_in(member).post(url("source-remove", source.pk))
    assert Job.objects.filter(kind=REMOVE).count() == 1
    assert Source.objects.filter(pk=source.pk).exists()


def test_what_is_removed_is_gone_with_its_files_and_a_project_stays(
    member: User, organisation: Organisation, settings: LazySettings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    source, other = make_source(organisation), make_tender(title="Stays")
    project = bid_on(tender_id=make_tender(source).pk, actor=member)
    record = rejected(source).imported_by
    record.file.save("notices.jsonl", ContentFile(b"{}"))
    assert remove_source(source_id=source.pk, report=silent) == 1
    assert list(Tender.objects.all()) == [other]
    assert not Source.objects.filter(pk=source.pk).exists()
    assert not list(tmp_path.rglob("notices*"))
    assert Project.objects.filter(pk=project.pk).exists()
    assert remove_source(source_id=source.pk, report=silent) == 0  # again, as after a crash


def test_removing_many_takes_chunks_not_a_query_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenders.services.removing.CHUNK", 10)
    source = make_source()
    for _ in range(20):
        make_tender(source)
    with CaptureQueriesContext(connection) as captured:
        assert remove_source(source_id=source.pk, report=silent) == 20
    assert len(captured) < 120


# --- records that could not be read ---
def test_open_records_are_listed_with_their_reason_and_mended_ones_on_demand(
    member: User, organisation: Organisation
) -> None:
    source = make_source(organisation)
    rejected(source, number=7, reason="It has no ocid.")
    rejected(source, number=9, reason="It is no JSON.", mended_at=datetime(2026, 11, 1, tzinfo=UTC))
    page = page_of(member, url("rejections", source.pk))
    assert "It has no ocid." in page
    assert "It is no JSON." not in page
    assert "It is no JSON." in page_of(member, url("rejections", source.pk) + "?show=all")


def test_a_record_is_shown_to_be_mended_and_a_cut_one_says_so(
    member: User, viewer: User, organisation: Organisation
) -> None:
    source = make_source(organisation)
    rejection = rejected(source, raw="<b>x</b>" * 500)
    page = page_of(member, url("rejection", rejection.pk))
    assert "&lt;b&gt;x" in page
    assert "<b>x</b>" not in page
    assert "Only the start of the record is kept" in page
    assert "Read it again" in page
    assert "Read it again" not in page_of(viewer, url("rejection", rejection.pk))


def test_nothing_is_shown_to_who_is_not_signed_in(organisation: Organisation) -> None:
    for name, args in (("sources", []), ("source", [make_source(organisation).pk]), ("source-new", [])):
        assert Client().get(url(name, *args)).status_code == 302, name


def test_a_shared_source_is_kept_by_staff(organisation: Organisation) -> None:
    staff = make_user("staff", is_staff=True)
    User.objects.filter(pk=staff.pk).update(is_superuser=True)
    source = fetched(None)
    assert "Fetch now" in page_of(staff, url("source", source.pk))
    assert signed_in(staff).post(url("source-sync", source.pk)).status_code == 302
