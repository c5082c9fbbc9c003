"""Old files go, their rows before them; what is young, in use or being made stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.db import connections
from django.utils import timezone

from accounts.models import Organisation, User
from config.schedule import SCHEDULE
from jobs.registry import kind_of
from tenders.models import Export, Import, StoredContent, TenderDocument
from tenders.services import trimming
from tests.factories.tenders import make_source, make_tender

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: LazySettings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def files(media: Path) -> int:
    return len([path for path in media.rglob("*") if path.is_file()])


def made(owner: User, days: int, status: str = "completed") -> Export:
    export = Export(owner=owner, format="csv", order="published", status=status, created_at=ago(days))
    export.file.save("any", ContentFile(b"1"), save=False)
    export.save()
    return export


def upload(days: int, status: str = "completed") -> Import:
    record = Import(source=make_source(), filename="n.jsonl", status=status, finished_at=ago(days))
    record.file.save("n.jsonl", ContentFile(b"1"), save=False)
    record.save()
    return record


def test_old_exports_go_with_their_files(member: User, media: Path) -> None:
    made(member, 8)
    made(member, 9, "failed")
    young, running = made(member, 6), made(member, 8, "running")
    assert trimming.trim()["exports"] == 2
    assert set(Export.objects.all()) == {young, running}
    assert files(media) == 2


def test_an_old_upload_loses_its_file_and_keeps_its_story(media: Path) -> None:
    old = upload(91)
    young, waiting = upload(89), upload(91, "queued")
    Import.objects.create(source=young.source, filename="fetched", status="completed", finished_at=ago(91))
    assert trimming.trim()["uploads"] == 1
    for record in (old, young, waiting):
        record.refresh_from_db()
    assert [bool(record.file) for record in (old, young, waiting)] == [False, True, True]
    assert files(media) == 2
    assert trimming.trim() == {"exports": 0, "uploads": 0, "documents": 0}


def test_a_document_goes_when_its_last_tender_has_gone(organisation: Organisation, media: Path) -> None:
    content = StoredContent(sha256="a" * 64, size=1, created_at=ago(2))
    content.file.save("any", ContentFile(b"1"), save=False)
    content.save()
    fresh = StoredContent.objects.create(sha256="b" * 64, size=1, file="x")
    tender = make_tender()
    TenderDocument.objects.create(
        tender=tender, organisation=organisation, url="https://x", url_digest="x", content=content
    )
    assert trimming.trim()["documents"] == 0
    tender.delete()
    assert trimming.trim()["documents"] == 1
    assert list(StoredContent.objects.all()) == [fresh]
    assert files(media) == 0


def test_more_than_a_piece_goes_in_pieces(member: User, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trimming, "AT_ONCE", 2)
    for _ in range(5):
        made(member, 8)
    assert trimming.trim()["exports"] == 5
    assert files(media) == 0


@pytest.fixture
def another_connection() -> Any:
    opened = connections.create_connection("default")
    yield opened
    opened.close()


@pytest.mark.django_db(transaction=True)
def test_what_somebody_holds_stays_until_the_next_night(member: User, another_connection: Any) -> None:
    held = made(member, 8)
    made(member, 8)
    cursor = another_connection.cursor()
    cursor.execute("BEGIN")
    cursor.execute("SELECT 1 FROM tenders_export WHERE id = %s FOR UPDATE", [held.pk])
    assert trimming.trim()["exports"] == 1
    cursor.execute("ROLLBACK")
    assert trimming.trim()["exports"] == 1


def test_the_schedule_does_it_every_night() -> None:
    (task,) = [task for task in SCHEDULE if task.name == "trim-tender-files"]
    assert kind_of(task.kind).queue == "low"
