"""Tenders in the admin: every page opens, what staff do goes through the services, others stay out."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Organisation, User
from jobs.models import Job
from tenders.models import (
    CalendarFeed,
    CompanyProfile,
    Decision,
    Enrichment,
    Export,
    Import,
    Rejection,
    SavedSearch,
    Score,
    Source,
    Tender,
    TenderDocument,
)
from tenders.services import sources
from tests.factories.notices import given_release, lines_of
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = sorted(
    (model for model in admin.site._registry if model._meta.app_label == "tenders"), key=lambda m: m.__name__
)


@pytest.fixture
def as_staff(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "a long password"))
    return client


@pytest.fixture
def own(organisation: Organisation, owner: User) -> Source:
    """An organisation's own, which no member of staff belongs to; one row of everything."""
    source = sources.source_named(name="Own", organisation=organisation)
    bring(source, lines_of(given_release(1)) + b"{broken\n")
    tender = Tender.objects.get()
    CompanyProfile.objects.create(organisation=organisation)
    common = {"tender": tender, "organisation": organisation, "content_hash": "", "profile_revision": 1}
    said = Enrichment.objects.create(method="rules", analyser="rules 1", result={}, confidence=1, **common)
    Score.objects.create(enrichment=said, relevance="high", relevance_score=0.9, **common)
    Decision.objects.create(tender=tender, organisation=organisation, choice="watch", by=owner)
    SavedSearch.objects.create(owner=owner, organisation=organisation, name="Roads")
    CalendarFeed.objects.create(user=owner, organisation=organisation)
    Export.objects.create(owner=owner, organisation=organisation, format="csv", order="published")
    TenderDocument.objects.create(tender=tender, organisation=organisation, url="https://example.com", url_digest="x")
    return source


def bring(source: Source, content: bytes) -> None:
    sources.import_file(source=source, stream=io.BytesIO(content), filename="notices.jsonl")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_list_and_every_row_opens(as_staff: Client, own: Source, model: Any) -> None:
    name = f"admin:tenders_{model._meta.model_name}"
    path = reverse(f"{name}_changelist")
    assert as_staff.get(path).status_code == as_staff.get(path, {"q": "road' -x \"y"}).status_code == 200
    row = model._default_manager.get()
    assert as_staff.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200
    assert as_staff.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("name", ["tender", "tenderrelease", "import", "rejection", "source"])
def test_lists_ask_as_many_queries_for_50_rows_as_for_1(as_staff: Client, own: Source, name: str) -> None:
    path = reverse(f"admin:tenders_{name}_changelist")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_staff.get(path).status_code == 200
        return len(captured)

    queries()  # content types are cached by the first
    few = queries()
    bring(own, lines_of(*(given_release(n) for n in range(2, 60))) + b"{broken\n" * 50)
    for number in range(50):
        Import.objects.create(source=sources.source_named(name=f"S{number}"), filename="x")
    assert queries() == few


def test_tenders_are_found_by_their_words(as_staff: Client, own: Source) -> None:
    bring(own, lines_of(given_release(2, tender={"title": "Škola"})))
    page = as_staff.get(reverse("admin:tenders_tender_changelist"), {"q": "skol"}).content.decode()
    assert "Škola" in page and "Resurfacing" not in page


def test_a_source_is_made_and_changed(as_staff: Client, own: Source) -> None:
    given = {"name": "Portal", "kind": "url", "location": "https://data.example.com/a.json", "mapping": "{}"}
    path = reverse("admin:tenders_source_add")
    assert as_staff.post(path, given | {"is_scheduled": "on"}).status_code == 302
    made = Source.objects.get(name="Portal")
    assert (made.organisation, made.is_scheduled) == (None, True)
    Source.objects.filter(pk=made.pk).update(etag='"1"')
    change = reverse("admin:tenders_source_change", args=[made.pk])
    assert as_staff.post(change, given | {"location": "https://data.example.com/b.json"}).status_code == 302
    made.refresh_from_db()
    assert (made.etag, made.is_scheduled, made.location) == ("", False, "https://data.example.com/b.json")
    for wrong in ({"location": "ftp://x"}, {"kind": "upload", "is_scheduled": "on"}, {"mapping": '{"colour": "x"}'}):
        assert as_staff.post(change, given | wrong).status_code == 200, wrong
    assert as_staff.post(path, given).status_code == 200  # the name is taken
    assert Source.objects.filter(name="Portal").count() == 1


def test_a_source_is_fetched_now(as_staff: Client, own: Source) -> None:
    Source.objects.filter(pk=own.pk).update(kind="url", location="https://data.example.com/a.json")
    path = reverse("admin:tenders_source_fetch", args=[own.pk])
    assert as_staff.get(path).status_code == 200 and not Job.objects.exists()
    job = as_staff.post(path)
    assert job.status_code == 302 and Job.objects.get().kind == "tenders.sync"
    action = {"action": "fetch_now", "_selected_action": [str(own.pk)]}
    as_staff.post(reverse("admin:tenders_source_changelist"), action)
    assert Job.objects.count() == 1  # the one that is under way


def test_a_file_is_uploaded(as_staff: Client, own: Source, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    path = reverse("admin:tenders_source_upload", args=[own.pk])
    assert as_staff.get(path).status_code == 200
    wrong = as_staff.post(path, {"file": SimpleUploadedFile("a.json", b"<html></html>")})
    assert b"web page" in wrong.content and not Job.objects.exists()
    as_staff.post(path, {"file": SimpleUploadedFile("a.json", lines_of(given_release(5)))})
    assert Job.objects.get().kind == "tenders.import_file"
    assert Import.objects.filter(source=own, status="queued").count() == 1


def test_a_rejected_record_is_mended(as_staff: Client, own: Source) -> None:
    rejection = Rejection.objects.get()
    path = reverse("admin:tenders_rejection_mend", args=[rejection.pk])
    assert b"{broken" in as_staff.get(path).content
    assert b"no JSON" in as_staff.post(path, {"text": "{still"}).content
    assert as_staff.post(path, {"text": json.dumps(given_release(3), indent=1)}).status_code == 302
    rejection.refresh_from_db()
    assert rejection.mended_at and Tender.objects.filter(source=own, key="ocds-test-3").exists()


def test_the_pages_that_actions_lead_to_open(as_staff: Client, own: Source) -> None:
    record, tender = Import.objects.get(), Tender.objects.get()
    for name, pk in (("source_show_imports", own.pk), ("import_show_rejections", record.pk),
                     ("tender_show_releases", tender.pk)):  # fmt: skip
        answer = as_staff.get(reverse(f"admin:tenders_{name}", args=[pk]), follow=True)
        assert answer.status_code == 200 and len(answer.redirect_chain) == 1, name


def test_staff_without_permission_and_others_stay_out(own: Source) -> None:
    rejection = Rejection.objects.get()
    paths = [
        reverse("admin:tenders_source_fetch", args=[own.pk]),
        reverse("admin:tenders_source_upload", args=[own.pk]),
        reverse("admin:tenders_rejection_mend", args=[rejection.pk]),
    ]
    clerk = make_user("clerk", is_staff=True)
    codes = ["view_source", "view_rejection", "view_import"]
    clerk.user_permissions.add(*Permission.objects.filter(content_type__app_label="tenders", codename__in=codes))
    client = Client()
    client.force_login(clerk)
    assert client.get(reverse("admin:tenders_rejection_changelist")).status_code == 200
    assert client.get(reverse("admin:tenders_tender_changelist")).status_code == 403
    for path in paths:
        assert client.post(path, {"text": "{}"}).status_code == 403, path
    client.force_login(make_user("nobody"))
    for path in [*paths, reverse("admin:tenders_tender_changelist")]:
        assert client.get(path).status_code == 302, path
    assert not Job.objects.exists()
