"""What a firm's endpoints are told of its sources: each reading once, each failure once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile

from accounts.models import Organisation, User
from jobs.models import Job, WebhookDelivery, WebhookEndpoint
from jobs.runner import run_here
from jobs.services import cancel
from tenders import handlers
from tenders.models import Import, Source
from tenders.services import fetching, uploads
from tests.factories.notices import given_release, lines_of, package_of
from tests.tenders.publisher import Publisher, publisher

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = lines_of(given_release(1), given_release(2))


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture(autouse=True)
def _endpoint(organisation: Organisation) -> None:
    names = ["tender_source.imported", "tender_source.import_failed"]
    WebhookEndpoint.objects.create(organisation=organisation, url="https://example.com/hook", event_types=names)


@pytest.fixture
def there(settings: Any) -> Iterator[Publisher]:
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with publisher() as running:
        yield running


def told() -> list[tuple[str, dict[str, Any]]]:
    found = WebhookDelivery.objects.order_by("created_at", "pk")
    return [(each.event_type, each.payload["data"]) for each in found]


def upload(actor: User, content: bytes = GOOD) -> tuple[Import, Job]:
    return uploads.upload_notices(actor=actor, file=ContentFile(content, "n.jsonl"), filename="n.jsonl")


def test_a_file_that_was_read_is_told_of_once_with_its_counts(member: User) -> None:
    record, job = upload(member)
    run_here(job_id=job.pk)
    ((event, data),) = told()
    assert event == "tender_source.imported"
    assert data["import_id"] == str(record.pk)
    assert (data["source"], data["fetched"], data["created"], data["rejected"]) == ("Uploads", 2, 2, 0)
    assert data["link"].endswith(f"/tenders/imports/{record.pk}/")
    run_here(job_id=job.pk)  # rung for twice
    assert len(told()) == 1
    job.refresh_from_db()
    assert job.result["created"] == 2


def test_a_file_that_could_not_be_read_is_told_of(member: User) -> None:
    record, job = upload(member)
    record.file.delete()
    run_here(job_id=job.pk)
    ((event, data),) = told()
    assert (event, data["import_id"]) == ("tender_source.import_failed", str(record.pk))
    assert "Upload it again" in data["error"]


def test_whoever_cancels_a_reading_is_told_nothing(member: User) -> None:
    _, job = upload(member)
    cancel(job.pk, member)
    assert told() == []
    assert Import.objects.get().status == "failed"


def test_a_source_at_an_address_tells_of_what_is_new_and_of_each_failure_once(
    organisation: Organisation, there: Publisher
) -> None:
    source = Source.objects.create(
        organisation=organisation, name="Portal", kind="url", location=there.url("/all.json"), is_scheduled=True
    )

    def fetched() -> list[str]:
        before = WebhookDelivery.objects.count()
        (job_id,) = fetching.start_due()
        run_here(job_id=job_id)
        return [event for event, _ in told()[before:]]

    there.files["/all.json"], there.etag = package_of(given_release(1)), '"1"'
    assert fetched() == ["tender_source.imported"]
    assert fetched() == []  # nothing has changed
    del there.files["/all.json"]
    assert fetched() == ["tender_source.import_failed"]
    assert fetched() == []  # the same again
    assert "there is nothing at this address" in told()[-1][1]["error"]
    there.files["/all.json"], there.etag = package_of(given_release(1), given_release(2)), '"2"'
    assert fetched() == ["tender_source.imported"]
    assert (told()[-1][1]["created"], told()[-1][1]["import_id"]) == (1, None)
    assert source.pk


def test_nobody_is_told_of_shared_sources(there: Publisher) -> None:
    there.files["/all.json"] = package_of(given_release(1))
    Source.objects.create(name="Everybody's", kind="url", location=there.url("/all.json"), is_scheduled=True)
    (job_id,) = fetching.start_due()
    run_here(job_id=job_id)
    assert Import.objects.get().status == "completed"
    assert told() == []


def test_an_import_that_is_gone_is_told_to_nobody() -> None:
    handlers.import_failed({"import_id": str(uuid4())}, {"message": "Gone."})
    handlers.sync_failed({"source_id": str(uuid4())}, {"message": "Gone."})
    assert told() == []
