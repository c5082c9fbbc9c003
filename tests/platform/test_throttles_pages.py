"""Costly pages are counted in a window of their own, and say so in the page's own words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from projects.models import Document
from projects.services.opening import open_project
from tests.factories.people import make_organisation, make_user
from tests.projects.pages import HTMX, JSON, signed_in

from .throttled import DEAD_REDIS, limit, throttled

pytestmark = pytest.mark.django_db
__all__ = ["throttled"]


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def owner(db: None) -> User:
    return make_user("owner", organisation=make_organisation())


@pytest.fixture
def address(owner: User) -> str:
    return reverse("projects:upload", args=[open_project(actor=owner, name="Valcha").pk])


def send(client: Client, address: str, number: int, headers: dict[str, str] | None = None) -> Any:
    file = SimpleUploadedFile("bill.csv", f"number;{number}".encode())
    return client.post(address, {"file": file}, headers=headers)


def test_uploads_beyond_the_limit_are_refused_in_the_pages_words(
    throttled: LazySettings, owner: User, address: str
) -> None:
    limit(throttled, by_hand="2/minute")
    client = signed_in(owner)
    assert [send(client, address, number, JSON).status_code for number in range(3)] == [201, 201, 429]
    assert Document.objects.count() == 2
    told = send(client, address, 4, JSON)
    assert told.json()["code"] == "throttled"
    assert "at most 2 of this costly kind" in told.json()["detail"]
    assert 0 < int(told["Retry-After"]) <= 60
    page = send(client, address, 5)
    assert page.status_code == 429
    assert "This was not done" in page.content.decode()
    part = send(client, address, 6, HTMX)
    assert (part.status_code, part["X-Refused"]) == (429, "throttled")


def test_what_is_sent_elsewhere_by_the_same_person_counts_too_and_looking_does_not(
    throttled: LazySettings, owner: User, address: str
) -> None:
    limit(throttled, by_hand="1/minute")
    client = signed_in(owner)
    for _ in range(3):
        assert client.get(reverse("tenders:exports")).status_code == 200
    exported = client.post(reverse("tenders:exports"), {"format": "csv"})
    assert exported.status_code == 302
    assert send(client, address, 1, JSON).status_code == 429
    notices = SimpleUploadedFile("notices.jsonl", b"{}")
    assert client.post(reverse("tenders:upload"), {"file": notices}, headers=JSON).status_code == 429


def test_without_redis_pages_work(throttled: LazySettings, owner: User, address: str) -> None:
    limit(throttled, by_hand="1/minute")
    throttled.REDIS_CACHE_URL = DEAD_REDIS
    client = signed_in(owner)
    assert [send(client, address, number, JSON).status_code for number in range(2)] == [201, 201]
