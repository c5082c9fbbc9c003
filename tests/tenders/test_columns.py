"""Tables whose headings say nothing: somebody says which column is which, and the file is read by that. And mending."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Organisation, User
from jobs.models import Job
from tenders.exceptions import NotANoticeFile
from tenders.models import Import, Rejection, Source, Tender
from tenders.services.uploads import read_upload
from tests.factories.notices import given_release, lines_of
from tests.projects.pages import signed_in
from tests.tenders.test_pages import page_of, url

pytestmark = pytest.mark.django_db(transaction=True)  # the import writes on a connection of its own
ROWS = [
    ["Sak", "Hvem", "Når"],
    ["Resurfacing of road II/385", "County of Vysočina", "2026-12-24"],
    ["Bridge over the Jihlava", "City of Jihlava", "2026-12-31"],
]
TABLE = "\n".join(";".join(row) for row in ROWS).encode()


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def workbook() -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in ROWS:
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def upload(user: User, content: bytes = TABLE, name: str = "list.csv") -> Import:
    signed_in(user).post(url("upload"), {"file": SimpleUploadedFile(name, content), "name": "Lists"})
    return read(Import.objects.latest("started_at"))


def read(record: Import) -> Import:
    """What the job does, its refusal told."""
    try:
        read_upload(import_id=record.pk, mapping=None, report=lambda done, total, message: None)
    except NotANoticeFile as error:
        assert "Say which column is which" in str(error)
    record.refresh_from_db()
    return record


def choose(user: User, record: Import, *fields: str) -> Any:
    return signed_in(user).post(url("columns", record.pk), {f"column-{at}": field for at, field in enumerate(fields)})


@pytest.mark.parametrize(("content", "name"), [(TABLE, "list.csv"), (workbook(), "list.xlsx")])
def test_a_table_that_is_not_understood_leads_to_a_choice_that_is_kept(member: User, content: bytes, name: str) -> None:
    record = upload(member, content, name)
    assert record.status == Import.Status.FAILED
    assert url("columns", record.pk) in page_of(member, url("import", record.pk))
    page = page_of(member, url("columns", record.pk))
    for words in ("Sak", "Bridge over the Jihlava", "City of Jihlava", "2026-12-24"):
        assert words in page
    answer = choose(member, record, "title", "buyer", "deadline")
    assert answer["Location"] == url("import", record.pk)
    assert Job.objects.filter(kind="tenders.import_file").count() == 2
    record = read(record)
    assert (record.status, record.created) == (Import.Status.COMPLETED, 2)
    tender = Tender.objects.get(title="Bridge over the Jihlava")
    assert tender.buyer_name == "City of Jihlava"
    assert tender.deadline_at is not None
    assert tender.deadline_at.date().isoformat() == "2026-12-31"
    assert record.source.mapping == {"title": "Sak", "buyer": "Hvem", "deadline": "Når"}
    assert 'value="buyer" selected' in page_of(member, url("columns", record.pk))
    assert "Hvem" in page_of(member, url("source", record.source_id))
    again = upload(member, content.replace(b"Jihlava", b"Sazava"), name) if name.endswith("csv") else record
    assert again.status == Import.Status.COMPLETED  # the next file needs no choice


def test_a_choice_that_can_not_be_is_refused_in_words(member: User) -> None:
    record = upload(member)
    for fields, words in (
        (("", "buyer", ""), "Say which column holds the title"),
        (("title", "title", ""), "Two columns are chosen for “Title”: Sak and Hvem"),
        (("title", "colour", ""), "There is no field"),
        ((), "Say which column holds the title"),
    ):
        answer = choose(member, record, *fields)
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert Source.objects.get().mapping == {}
    assert "“Title”: &lt;" not in page_of(member, url("columns", record.pk))


def test_headings_that_are_understood_are_proposed(member: User) -> None:
    record = upload(member, b"Title,Buyer,Value\nA road,County,500\n")
    assert record.created == 1
    page = page_of(member, url("columns", record.pk))
    assert page.count(" selected") == 3
    assert "Which column is which?" in page


def test_a_file_without_columns_has_none_to_choose(member: User) -> None:
    record = upload(member, lines_of(given_release(1)), "notices.jsonl")
    assert url("columns", record.pk) not in page_of(member, url("import", record.pk))
    answer = signed_in(member).get(url("columns", record.pk))
    assert answer.status_code == 400
    assert "no table" in answer.content.decode()


def test_the_choice_is_that_of_those_who_keep_the_source(
    member: User, viewer: User, stranger: User, organisation: Organisation
) -> None:
    record = upload(member)
    assert signed_in(stranger).get(url("columns", record.pk)).status_code == 404
    assert choose(stranger, record, "title").status_code == 404
    assert choose(viewer, record, "title").status_code == 403
    assert url("columns", record.pk) not in page_of(viewer, url("import", record.pk))
    assert Source.objects.get().mapping == {}


def test_a_file_that_is_being_read_is_not_read_twice(member: User) -> None:
    record = upload(member)
    assert choose(member, record, "title").status_code == 302
    assert choose(member, record, "title").status_code == 409
    assert Job.objects.filter(kind="tenders.import_file").count() == 2


# --- mending ---
def test_a_row_is_mended_below_its_headings(member: User) -> None:
    record = upload(member, b"Title,Buyer,Value\nA road,County,500\n,City,300\n")
    rejection = Rejection.objects.get()
    page = page_of(member, url("rejection", rejection.pk))
    assert "Title,Buyer,Value\n,City,300" in page
    assert "Only the start" not in page
    client = signed_in(member)
    refused = client.post(url("rejection", rejection.pk), {"text": "Title,Buyer,Value\n,City,301\n"})
    assert refused.status_code == 422
    assert "It still can" in refused.content.decode()
    assert ",City,301" in refused.content.decode()
    answer = client.post(url("rejection", rejection.pk), {"text": "Title,Buyer,Value\nA bridge,City,300\n"})
    assert answer["Location"] == url("rejections", record.source_id)
    assert Tender.objects.filter(title="A bridge").exists()
    assert "Nothing is open" in page_of(member, url("rejections", record.source_id))
    assert "Mended" in page_of(member, url("rejection", rejection.pk))


def test_a_line_of_json_is_mended(member: User) -> None:
    upload(member, lines_of(given_release(1)) + b"{broken\n", "notices.jsonl")
    rejection = Rejection.objects.get()
    client = signed_in(member)
    assert client.post(url("rejection", rejection.pk), {"text": ""}).status_code == 422
    answer = client.post(url("rejection", rejection.pk), {"text": lines_of(given_release(2)).decode()})
    assert answer.status_code == 302
    assert Tender.objects.count() == 2
