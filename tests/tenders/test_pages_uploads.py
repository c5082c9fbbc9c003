"""Uploading files of notices, and the pages of what came of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Organisation, User
from tenders.models import Import, Source, Tender
from tenders.services.uploads import read_upload
from tests.factories.notices import given_release, lines_of
from tests.factories.tenders import make_source
from tests.projects.pages import JSON, signed_in
from tests.tenders.test_pages import page_of, url

pytestmark = pytest.mark.django_db(transaction=True)  # the import writes on a connection of its own
GOOD = lines_of(given_release(1), given_release(2))
MIXED = lines_of(given_release(1)) + b"{broken\n"


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def send(user: User, content: bytes = GOOD, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    file = SimpleUploadedFile("notices.jsonl", content)
    return signed_in(user).post(url("upload"), {"file": file, **fields}, headers=headers)


def read(record: Import) -> Import:
    """What the job does."""
    return read_upload(import_id=record.pk, mapping=None, report=lambda done, total, message: None)


def test_an_upload_leads_to_its_import_which_tells_what_came_of_it(member: User, organisation: Organisation) -> None:
    answer = send(member, MIXED, name="Mine")
    record = Import.objects.get()
    assert answer["Location"] == url("import", record.pk)
    assert (record.source.name, record.source.organisation) == ("Mine", organisation)
    assert "Waiting for a worker" in page_of(member, url("import", record.pk))
    read(record)
    page = page_of(member, url("import", record.pk))
    assert "Record 2" in page
    assert "broken" in page
    assert "How complete its notices are" in page
    assert "Resurfacing of road II/1" in page_of(member, f"{url('search')}?source={record.source_id}")


def test_a_script_gets_the_address_and_refusals_as_json(member: User) -> None:
    answer = send(member, headers=JSON)
    assert answer.status_code == 201
    assert answer.json()["url"] == url("import", Import.objects.get().pk)
    refused = send(member, b"\x89PNG\r\n\x00\x00", headers=JSON)
    assert refused.status_code == 400
    assert refused.json()["detail"]
    nothing = signed_in(member).post(url("upload"), {}, headers=JSON)
    assert nothing.json()["code"] == "no_file"
    assert Import.objects.count() == 1


def test_a_clean_file_says_so(member: User) -> None:
    send(member)
    record = read(Import.objects.get())
    page = page_of(member, url("import", record.pk))
    assert "Every record was read." in page
    assert "100\xa0%" in page


def test_what_a_firm_uploads_is_its_own(member: User, stranger: User) -> None:
    send(member, MIXED, name="Secret source")
    record = read(Import.objects.get())
    assert "Secret source" in page_of(member, url("imports"))
    page = page_of(stranger, url("imports"))
    assert "Secret source" not in page
    assert "notices.jsonl" not in page
    assert signed_in(stranger).get(url("import", record.pk)).status_code == 404
    assert "Resurfacing" not in page_of(stranger, url("search"))
    assert send(stranger, source=str(record.source_id)).status_code == 404
    assert Import.objects.count() == 1


def test_those_who_only_look_on_upload_nothing(viewer: User, organisation: Organisation) -> None:
    assert "Upload notices" not in page_of(viewer, url("imports"))
    assert send(viewer).status_code == 403
    assert send(viewer, source=str(make_source(organisation).pk)).status_code == 403
    assert not Import.objects.exists()


def test_nobody_uploads_into_a_shared_source(member: User) -> None:
    shared = make_source(name="Everybody's")
    assert send(member, source=str(shared.pk)).status_code == 403
    assert "Everybody&#x27;s" in page_of(member, url("sources"))
    assert f'<option value="{shared.pk}"' not in page_of(member, url("imports"))
    assert not Tender.objects.exists()


def test_empty_states_say_what_to_do(member: User) -> None:
    page = page_of(member, url("imports"))
    assert "No file yet" in page
    assert "Upload notices" in page
    assert not Source.objects.exists()
