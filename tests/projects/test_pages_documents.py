"""Uploading through the page, and what becomes of a document."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from accounts.models import User
from jobs.models import Job
from projects.models import Document, Position, Project
from tests.factories.projects import make_document, make_position, make_project
from tests.projects.pages import HTMX, JSON, queries, signed_in, url

pytestmark = pytest.mark.django_db
TABLE = "Co;Kolik;Za kolik;V čem\nVýkop rýh;12,5;100;m3\nBeton základů;3;2000;m3\nOcel;1,5;30000;t\n"


def failed(project: Project, code: str, message: str = "It can't be read.", content: bytes = b"content") -> Document:
    return make_document(
        project,
        name="table.csv",
        content=content,
        parse_status=Document.ParseStatus.FAILED,
        parse_error=message,
        parse_error_code=code,
        parser="",
        extracted_data={},
    )


def reading_jobs(document: Document) -> list[Job]:
    return list(Job.objects.filter(kind="projects.parse_document", params__document_id=str(document.pk)))


def test_an_uploaded_file_is_queued_for_reading(owner: User) -> None:
    project = make_project(owner)
    files = [SimpleUploadedFile("one.xlsx", b"1"), SimpleUploadedFile("../../two.xml", b"2")]
    answer = signed_in(owner).post(url("upload", project.pk), {"file": files}, headers=JSON)
    assert answer.status_code == 201
    documents = list(Document.objects.filter(project=project).order_by("original_filename"))
    assert [document.original_filename for document in documents] == ["one.xlsx", "two.xml"]
    assert all(len(reading_jobs(document)) == 1 for document in documents)
    bar = signed_in(owner).get(url("live", project.pk)).content.decode()
    assert bar.count("data-job=") == 2 and "Waiting for a worker" in bar


def test_the_same_file_again_is_told_to_be_there(owner: User) -> None:
    project = make_project(owner)
    client = signed_in(owner)
    client.post(url("upload", project.pk), {"file": SimpleUploadedFile("one.xlsx", b"1")})
    Document.objects.update(parse_status=Document.ParseStatus.COMPLETED)
    make_position(project, document=Document.objects.get())
    answer = client.post(url("upload", project.pk), {"file": SimpleUploadedFile("again.xlsx", b"1")}, headers=JSON)
    assert "is here already" in answer.json()["message"]
    assert Document.objects.count() == 1


def test_without_script_the_form_works_and_tells_what_was_wrong(owner: User) -> None:
    project = make_project(owner)
    client = signed_in(owner)
    answer = client.post(url("upload", project.pk), {"file": SimpleUploadedFile("one.xlsx", b"1")}, follow=True)
    assert "one.xlsx is uploaded." in answer.content.decode()
    answer = client.post(url("upload", project.pk), {"file": SimpleUploadedFile("none.xlsx", b"")})
    assert answer.status_code == 400 and "This file is empty." in answer.content.decode()
    assert client.post(url("upload", project.pk)).status_code == 400


@override_settings(UPLOAD_LIMIT_BYTES=10)
def test_a_file_over_the_limit_is_refused_with_both_figures(owner: User) -> None:
    project = make_project(owner)
    file = SimpleUploadedFile("big.xlsx", b"x" * 11)
    answer = signed_in(owner).post(url("upload", project.pk), {"file": file}, headers=JSON)
    assert answer.status_code == 413
    assert "11\xa0bytes" in answer.json()["detail"] and "10\xa0bytes" in answer.json()["detail"]
    assert not Document.objects.exists()


def test_a_document_says_what_was_read_and_whether_it_adds_up(owner: User) -> None:
    project = make_project(owner)
    sums = {
        "positions": 298,
        "computed_total": "8205797.76",
        "stated_total": "8205797.76",
        "stated_count": None,
        "unpriced": 2,
        "differences": [{"level": "object", "where": "SO 1", "stated": "10", "computed": "12"}],
    }
    header = {"dialect_label": "uniXML 1.2", "title": "RD Valcha", "currency": "CZK"}
    warnings = ["Sheet 'SO 2', row 31: <b>no unit</b>"]
    make_document(project, extracted_data={"header": header, "reconciliation": sums, "warnings": warnings})
    page = signed_in(owner).get(url("documents", project.pk)).content.decode()
    for text in (
        "uniXML 1.2",
        "RD Valcha",
        "298",
        "8,205,797.76\xa0CZK",
        "2 without a price",
        "1 warning from reading",
    ):
        assert text in page, text
    assert "SO 1: 10.00 stated, 12.00 computed" in page
    assert "&lt;b&gt;no unit&lt;/b&gt;" in page


def test_one_bill_in_two_formats_is_told_while_both_are_in_the_budget(owner: User) -> None:
    project = make_project(owner)
    sums = {"positions": 2, "computed_total": "30.00", "stated_total": None, "unpriced": 0, "differences": []}
    said = {"header": {}, "reconciliation": sums}
    first = make_document(project, name="bill.xlsx", content=b"1", extracted_data=said)
    second = make_document(project, name="bill.xml", content=b"2", extracted_data=said)
    make_position(project, document=first)
    client, told = signed_in(owner), "same total as bill.xlsx"
    assert told not in client.get(url("documents", project.pk)).content.decode()
    row = make_position(project, document=second)
    page = client.get(url("documents", project.pk)).content.decode()
    assert page.count("the same total as") == 1 and told in page
    assert f"?left={first.pk}&amp;right={second.pk}" in page
    Position.objects.filter(pk=row.pk).update(removed_in=9)
    assert told not in client.get(url("documents", project.pk)).content.decode()


def test_a_failed_document_is_told_on_the_project_and_can_be_read_again(owner: User) -> None:
    project = make_project(owner)
    document = failed(project, "damaged", "The file ends in the middle.")
    client = signed_in(owner)
    page = client.get(url("detail", project.pk)).content.decode()
    assert "table.csv" in page and "The file ends in the middle." in page
    assert "Choose the columns" not in page and "Accept the difference" not in page
    assert client.post(url("document-read", project.pk, document.pk), headers=HTMX).status_code == 204
    assert len(reading_jobs(document)) == 1
    assert "was not imported" not in client.get(url("detail", project.pk)).content.decode()


def test_a_reading_that_nobody_works_on_is_not_shown_as_going_on(owner: User) -> None:
    project = make_project(owner, status=Project.Status.PARSING)
    make_document(project, parse_status=Document.ParseStatus.PARSING)
    page = signed_in(owner).get(url("documents", project.pk)).content.decode()
    assert "Reading it stopped before it was finished." in page and "Stopped" in page


def test_a_document_that_was_read_is_not_read_again(project: Project, owner: User) -> None:
    document = Document.objects.get(project=project)
    answer = signed_in(owner).post(url("document-read", project.pk, document.pk), headers=HTMX)
    assert answer.status_code == 409 and "has been read already" in answer.content.decode()
    assert signed_in(owner).get(url("document-mapping", project.pk, document.pk)).status_code == 400


def test_a_difference_can_be_accepted(owner: User) -> None:
    project = make_project(owner)
    document = failed(project, "does_not_reconcile")
    client = signed_in(owner)
    assert "Accept the difference" in client.get(url("documents", project.pk)).content.decode()
    client.post(url("document-read", project.pk, document.pk), {"accept_difference": "yes"})
    assert reading_jobs(document)[0].params["accept_difference"] is True


def test_a_table_is_read_with_the_columns_a_person_confirmed(owner: User) -> None:
    project = make_project(owner)
    document = failed(project, "mapping_needed", content=TABLE.encode())
    client = signed_in(owner)
    assert "Choose the columns" in client.get(url("detail", project.pk)).content.decode()
    page = client.get(url("document-mapping", project.pk, document.pk)).content.decode()
    assert "Výkop rýh" in page and page.count('name="column_') == 4
    chosen = {"column_0": "description", "column_1": "quantity", "column_2": "unit_price", "column_3": "unit"}
    sent = chosen | {"header_row": "1", "decimal_mark": ",", "currency": "czk", "sheet": ""}
    answer = client.post(url("document-mapping", project.pk, document.pk), sent)
    assert answer["Location"] == url("detail", project.pk)
    mapping = reading_jobs(document)[0].params["mapping"]
    assert mapping["columns"] == {"description": 0, "quantity": 1, "unit_price": 2, "unit": 3}
    assert (mapping["header_row"], mapping["decimal_mark"], mapping["currency"]) == (0, ",", "CZK")
    assert mapping["delimiter"] == ";"


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"column_0": "unit"}, "Say which column holds the description."),
        ({"column_0": "description", "column_1": "description"}, "Two columns can&#x27;t hold the same: Description."),
        ({"column_0": "nonsense"}, "Select a valid choice"),
        ({"column_0": "description", "header_row": "x"}, "Enter a whole number"),
    ],
)
def test_columns_that_make_no_sense_are_refused(owner: User, chosen: dict[str, str], message: str) -> None:
    project = make_project(owner)
    document = failed(project, "mapping_needed", content=TABLE.encode())
    answer = signed_in(owner).post(url("document-mapping", project.pk, document.pk), {"header_row": "1"} | chosen)
    assert answer.status_code == 422 and message in answer.content.decode()
    assert not reading_jobs(document)


def test_a_file_that_is_no_table_has_no_mapping(owner: User) -> None:
    project = make_project(owner)
    document = failed(project, "damaged", content=b"\x00\x01\x02 not a table")
    answer = signed_in(owner).get(url("document-mapping", project.pk, document.pk))
    assert answer.status_code == 400 and "This was not done" in answer.content.decode()


def test_a_download_is_never_shown_by_the_browser(owner: User) -> None:
    project = make_project(owner)
    document = make_document(project, name="evil.html", content=b"<script>alert(1)</script>")
    answer = signed_in(owner).get(url("document-file", project.pk, document.pk))
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")


def test_a_document_of_another_project_is_not_found(project: Project, owner: User) -> None:
    other = make_document(make_project(owner, "Another"))
    assert signed_in(owner).get(url("document-file", project.pk, other.pk)).status_code == 404


def test_fifty_documents_take_as_many_queries_as_one(owner: User) -> None:
    client = signed_in(owner)
    few, many = make_project(owner), make_project(owner)
    failed(few, "damaged")
    for _ in range(50):
        failed(many, "damaged")
    assert queries(client, url("documents", many.pk)) == queries(client, url("documents", few.pk))


def test_an_empty_list_says_what_will_be_there(owner: User) -> None:
    page = signed_in(owner).get(url("documents", make_project(owner).pk)).content.decode()
    assert "No documents yet" in page
