"""A file looked at before it goes into the budget; read as another dialect; what a failed reading had seen."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import User
from jobs.models import Job
from jobs.runner import run_here
from projects.models import Document, Position, Project
from projects.services.documents import read_again
from tests.factories.bills import GivenPosition, write_csv, write_kros
from tests.factories.bills_bc3 import write_bc3
from tests.factories.bills_pdf import HEADING, position_line, write_pdf
from tests.factories.imports import given_bill, upload
from tests.factories.projects import make_project
from tests.projects.pages import JSON, signed_in, url

pytestmark = pytest.mark.django_db

DIG = GivenPosition("1", "Odkopávky v hornině", "m3", Decimal("123"), Decimal("29.10"), "121151113")
BED = GivenPosition("2", "Lože ze štěrkopísku", "m3", Decimal("10.5"), Decimal("900"), "451573111")
BILL = given_bill(DIG, BED)


@pytest.fixture
def project(owner: User) -> Project:
    return make_project(owner)


def read(document: Document, owner: User, **options: object) -> Document:
    made = read_again(document_id=document.pk, actor=owner, options=options)
    assert made.job is not None
    run_here(job_id=made.job.pk)
    document.refresh_from_db()
    return document


def test_looked_at_first_nothing_is_in_the_budget_until_a_person_says_so(
    project: Project, owner: User, tmp_path: Path
) -> None:
    write_kros(tmp_path / "a.xlsx", BILL)
    document = upload(project, owner, tmp_path / "a.xlsx", preview_only=True)
    assert (document.parse_status, document.parse_error_code, project.version_number) == ("pending", "previewed", 0)
    preview = document.extracted_data["preview"]
    assert (preview["positions"], Decimal(preview["total"])) == (2, Decimal("13029.30"))
    assert Decimal(preview["stated_total"]) == Decimal("13029.30")
    assert [row["code"] for row in preview["first"]] == ["121151113", "451573111"]
    page = signed_in(owner).get(url("documents", project.pk)).content.decode()
    assert "is not in the budget yet" in page and "Put it into the budget" in page and "Odkopávky" in page
    assert not Job.objects.filter(kind="projects.audit").exists()

    read(document, owner, dialect="kros_xlsx")
    project.refresh_from_db()
    assert (document.parse_status, project.version_number, project.total_cost) == ("completed", 1, Decimal("13029.30"))


def test_a_document_says_how_it_was_recognised(project: Project, owner: User, tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", BILL)
    document = upload(project, owner, tmp_path / "a.csv")
    client = APIClient()
    client.force_authenticate(owner)
    told = client.get(f"/api/projects/{project.pk}/documents/{document.pk}").json()
    assert (told["detection"]["dialect"], told["detection"]["score"]) == ("table", 40)
    assert told["detection"]["reasons"] and told["detection"]["candidates"]
    assert told["preview"]["positions"] == 2
    page = signed_in(owner).get(url("documents", project.pk)).content.decode()
    assert "Recognised as Plain table (xlsx, ods, xls, csv), 40 of 100" in page
    assert 'name="dialect"' in page and "Titles found in row 3" in page


def test_a_document_in_the_budget_is_looked_at_as_another_dialect_without_touching_it(
    project: Project, owner: User, tmp_path: Path
) -> None:
    write_kros(tmp_path / "a.xlsx", BILL)
    document = upload(project, owner, tmp_path / "a.xlsx")
    before = list(Position.objects.values_list("pk", flat=True))
    mapping = {"columns": {"description": 4, "unit": 5, "quantity": 6, "unit_price": 7, "total": 9}, "sheet": "SO 1"}
    read(document, owner, preview_only=True, dialect="table", mapping=mapping)
    assert (document.parse_status, document.parser) == ("completed", "kros_xlsx")
    assert list(Position.objects.values_list("pk", flat=True)) == before


def test_another_dialect_that_fails_leaves_the_budget_as_it_is(project: Project, owner: User, tmp_path: Path) -> None:
    write_kros(tmp_path / "a.xlsx", BILL)
    document = upload(project, owner, tmp_path / "a.xlsx")
    read(document, owner, dialect="gaeb_xml")
    project.refresh_from_db()
    assert (document.parse_status, project.total_positions) == ("completed", 2)
    assert document.parse_error


def test_what_a_refused_reading_had_seen_is_shown(project: Project, owner: User, tmp_path: Path) -> None:
    body = [*HEADING, *position_line(150, "1.0010", "2,000", "St", "10,00", "20,00"), (120, 162, "Tür"),
            (50, 200, "Projektsumme"), (440, 200, "99,00 EUR")]  # fmt: skip
    document = upload(project, owner, write_pdf(tmp_path / "a.pdf", body))
    assert (document.parse_status, document.parse_error_code) == ("failed", "does_not_reconcile")
    assert document.extracted_data["preview"]["first"][0]["description"] == "Tür"
    page = signed_in(owner).get(url("documents", project.pk)).content.decode()
    assert "the file states 99.00" in page and "Printed bill (PDF), 60 of 100" in page


def test_a_print_says_on_its_page_that_it_is_to_be_confirmed(project: Project, owner: User, tmp_path: Path) -> None:
    body = [*HEADING, *position_line(150, "1.0010", "2,000", "St", "10,00", "20,00"), (120, 162, "Tür")]
    upload(project, owner, write_pdf(tmp_path / "a.pdf", body))
    page = signed_in(owner).get(url("documents", project.pk)).content.decode()
    assert "every position is to be confirmed" in page
    assert "The print states no total" in page
    assert Position.objects.get(project=project).source == "page 1 of the print, to be confirmed"


def test_a_bc3_whose_chapter_states_another_sum_is_imported_and_says_so(
    project: Project, owner: User, tmp_path: Path
) -> None:
    write_bc3(tmp_path / "a.bc3", BILL)
    path = tmp_path / "a.bc3"
    path.write_text(path.read_text("utf-8").replace(f"|{BILL.total}|", "|5000.23|"), "utf-8")
    document = upload(project, owner, path)
    assert (document.parse_status, document.parser, project.total_cost) == ("completed", "bc3", BILL.total)
    assert len(document.extracted_data["reconciliation"]["differences"]) == 3
    assert "5,000.23 stated, 13,029.30 computed" in signed_in(owner).get(url("documents", project.pk)).content.decode()


def test_the_page_takes_dialect_and_look_first_and_refuses_nonsense(
    project: Project, owner: User, viewer: User, stranger: User, tmp_path: Path
) -> None:
    write_kros(tmp_path / "a.xlsx", BILL)
    document = upload(project, owner, tmp_path / "a.xlsx")
    address = url("document-read", project.pk, document.pk)
    client = signed_in(owner)
    assert client.post(address, {"dialect": "nonsense"}, headers=JSON).status_code == 400
    for user, status in ((stranger, 404), (viewer, 403)):
        assert signed_in(user).post(address, {"preview_only": "yes"}, headers=JSON).status_code == status
    assert client.post(address, {"dialect": "table", "preview_only": "yes"}, headers=JSON).status_code == 200
    params = Job.objects.filter(kind="projects.parse_document").latest("created_at").params
    assert (params["dialect"], params["preview_only"]) == ("table", True)


def test_a_file_can_be_uploaded_to_be_looked_at(project: Project, owner: User) -> None:
    file = SimpleUploadedFile("one.csv", b"x")
    signed_in(owner).post(url("upload", project.pk), {"file": file, "preview_only": "yes"}, headers=JSON)
    assert Job.objects.get(kind="projects.parse_document").params["preview_only"] is True
