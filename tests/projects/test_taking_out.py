"""A document leaves the budget with all that came with it, and can be read in again."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from jobs.models import Job
from jobs.runner import run_here
from projects.exceptions import Missing, Refused
from projects.models import Document, Position, Project
from projects.services.access import ReadOnly
from projects.services.documents import read_again
from projects.services.editing import edit_position
from projects.services.opening import archive_project
from projects.services.taking_out import take_out
from projects.services.timeline import timeline
from projects.services.versions import restore_version
from tests.factories.bills import GivenPosition, write_csv, write_kros, write_unixml
from tests.factories.imports import given_bill, run_audit, upload
from tests.factories.projects import make_document, make_project
from tests.projects.pages import HTMX, rows_of, signed_in, url

pytestmark = pytest.mark.django_db

DIG = GivenPosition("1", "Odkopávky v hornině I", "m3", Decimal(10), Decimal(30), "121151113")
BED = GivenPosition("2", "Lože ze štěrkopísku", "m3", Decimal(5), Decimal(900), "451573111")
COST = DIG.total + BED.total


@pytest.fixture
def twice(owner: User, tmp_path: Path) -> tuple[Project, Document, Document]:
    """One bill in two formats: the budget counts it twice."""
    project = make_project(owner, "Novostavba")
    write_kros(tmp_path / "a.xlsx", given_bill(DIG, BED))
    write_unixml(tmp_path / "b.xml", given_bill(DIG, BED))
    first, second = upload(project, owner, tmp_path / "a.xlsx"), upload(project, owner, tmp_path / "b.xml")
    assert (project.total_positions, project.total_cost) == (4, 2 * COST)
    run_audit(project)
    return project, first, second


def test_what_came_with_it_leaves_as_one_version(owner: User, twice: tuple[Project, Document, Document]) -> None:
    project, first, second = twice
    dig = Position.objects.get(project=project, document=second, code=DIG.code)
    edit_position(
        project_id=project.pk, lineage=dig.lineage, actor=owner, seen=dig.pk, changes={"unit_price": Decimal(40)}
    )

    version = take_out(document_id=second.pk, actor=owner)

    project.refresh_from_db()
    assert (version.number, version.trigger, project.version_number) == (4, "document_removed", 4)
    assert (project.total_positions, project.total_cost) == (2, COST)
    assert {row.document_id for row in rows_of(project)} == {first.pk}
    assert version.delta_cost == version.delta_scope == -(COST + DIG.quantity * 10)
    assert version.trigger_details == {"document": str(second.pk), "filename": "b.xml"}
    assert project.positions.filter(document=second, removed_in=4).count() == 2
    told = timeline(project=project, limit=5)
    assert "b.xml" in str(told[0]) and "taken out" in str(told[0]).lower()
    job = run_audit(project)
    assert job.result["version"] == 4 and job.result["positions"] == 2


def test_it_can_be_read_in_again_or_restored(owner: User, twice: tuple[Project, Document, Document]) -> None:
    project, _, second = twice
    take_out(document_id=second.pk, actor=owner)
    restore_version(project_id=project.pk, number=2, actor=owner)
    assert Position.objects.filter(document=second, removed_in=None).count() == 2
    take_out(document_id=second.pk, actor=owner)
    job = read_again(document_id=second.pk, actor=owner).job
    assert job is not None
    run_here(job_id=job.pk)
    project.refresh_from_db()
    assert (project.version_number, project.total_positions, project.total_cost) == (6, 4, 2 * COST)
    assert Position.objects.filter(document=second, removed_in=None).count() == 2


def test_the_only_one_leaves_an_empty_budget(owner: User, tmp_path: Path) -> None:
    project = make_project(owner)
    write_csv(tmp_path / "a.csv", given_bill(DIG, BED))
    document = upload(project, owner, tmp_path / "a.csv")
    run_audit(project)
    assert take_out(document_id=document.pk, actor=owner).summary["removed"] == 2
    run_audit(project)
    assert (project.total_positions, project.total_cost) == (0, 0)
    assert (project.count_green, project.count_amber, project.count_red, project.count_not_checked) == (0, 0, 0, 0)
    assert signed_in(owner).get(url("detail", project.pk)).status_code == 200


def test_what_is_refused(owner: User, viewer: User, stranger: User, twice: tuple[Project, Document, Document]) -> None:
    project, _, second = twice
    model = make_document(project, "model.ifc", kind="drawing", file_type="ifc")
    unread = make_document(project, "c.xlsx")
    for document, code in ((model, "made_from_a_model"), (unread, "not_in_budget")):
        with pytest.raises(Refused) as refused:
            take_out(document_id=document.pk, actor=owner)
        assert refused.value.code == code
    with pytest.raises(Missing):
        take_out(document_id=second.pk, actor=stranger)
    with pytest.raises(ReadOnly):
        take_out(document_id=second.pk, actor=viewer)
    archive_project(project_id=project.pk, actor=owner)
    with pytest.raises(Refused, match="archived"):
        take_out(document_id=second.pk, actor=owner)
    assert Position.objects.filter(project=project, removed_in=None).count() == 4


def test_the_api_answers_with_the_version(owner: User, twice: tuple[Project, Document, Document]) -> None:
    project, _, second = twice
    client = APIClient()
    client.force_authenticate(owner)
    answer = client.post(f"/api/documents/{second.pk}/take-out/")
    assert answer.status_code == 200, answer.content
    assert (answer.json()["number"], answer.json()["trigger"]) == (3, "document_removed")
    again = client.post(f"/api/documents/{second.pk}/take-out/")
    assert (again.status_code, again.json()["code"]) == (400, "not_in_budget")
    assert Job.objects.filter(kind="projects.audit", subject_id=project.pk, status="queued").count() == 1


def test_the_page_takes_it_out_and_offers_to_read_it_again(
    owner: User, viewer: User, twice: tuple[Project, Document, Document]
) -> None:
    project, first, second = twice
    client = signed_in(owner)
    page = client.get(url("documents", project.pk)).text
    assert page.count("Take out of the budget") == 2 and "counts it twice" in page
    assert "Take out of the budget" not in signed_in(viewer).get(url("documents", project.pk)).text
    answer = client.post(url("document-take-out", project.pk, second.pk), headers=HTMX)
    assert answer.status_code == 204 and "b.xml is out of the budget" in answer["HX-Trigger"]
    page = client.get(url("documents", project.pk)).text
    assert page.count("Take out of the budget") == 1 and "Not in the budget" in page
    assert "Read it into the budget again" in page and "counts it twice" not in page
    elsewhere = make_project(owner, "Elsewhere")
    assert client.post(url("document-take-out", elsewhere.pk, first.pk)).status_code == 404
    assert client.post(url("document-take-out", project.pk, uuid4())).status_code == 404


def test_a_superseded_document_says_by_which(owner: User, tmp_path: Path) -> None:
    project = make_project(owner)
    names, replaced = ("a.csv", "b.csv", "c.csv"), None
    for index, name in enumerate(names):
        write_csv(tmp_path / name, given_bill(DIG, replace(BED, unit_price=Decimal(800 + index))))
        options = {"replaces": str(replaced)} if replaced else {}
        replaced = upload(project, owner, tmp_path / name, **options).pk
    page = signed_in(owner).get(url("documents", project.pk)).text
    assert page.count(">Superseded<") == 2 and page.count("<dd>c.csv</dd>") == 2
    assert page.count("Take out of the budget") == 1 and "Not in the budget" not in page
