"""The projects API: what each endpoint answers to those who may, and 404 to those who may not."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from jobs.models import Job
from projects.models import Finding, Position, Project
from tests.factories.bills import GivenPosition, write_kros
from tests.factories.imports import given_bill
from tests.factories.projects import make_document, make_finding, make_positions, make_project, make_verdict

pytestmark = pytest.mark.django_db
As = Callable[[User], APIClient]


@pytest.fixture
def as_() -> As:
    def client_of(user: User) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return client_of


def paths_of(project: Project) -> dict[str, str]:
    """Every address of the project that reads."""
    base = f"/api/projects/{project.pk}/"
    row = Position.objects.filter(project=project, removed_in=None)[0]
    document = make_document(project)
    return {
        "project": base,
        "audits": base + "audits/",
        "documents": base + "documents/",
        "document": f"{base}documents/{document.pk}/",
        "versions": base + "versions/",
        "version": base + "versions/1/",
        "positions": base + "positions/",
        "position": f"{base}positions/{row.lineage}/",
        "findings": base + "findings/",
    }


def writes_of(project: Project) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Every address of the project that writes: (method, path, body)."""
    base = f"/api/projects/{project.pk}/"
    row = Position.objects.filter(project=project, removed_in=None)[0]
    finding = Finding.objects.filter(project=project, position__isnull=False)[0]
    document = make_document(project, parse_status="failed")
    return {
        "rename": ("patch", base, {"name": "Mine now"}),
        "audit": ("post", base + "audit/", {}),
        "archive": ("post", base + "archive/", {}),
        "unarchive": ("post", base + "unarchive/", {}),
        "restore": ("post", base + "versions/1/restore/", {}),
        "add": ("post", base + "positions/", {"description": "New"}),
        "edit": ("patch", f"{base}positions/{row.lineage}/", {"seen": row.pk, "unit_price": "1"}),
        "delete": ("delete", f"{base}positions/{row.lineage}/?seen={row.pk}", {}),
        "override": ("post", f"/api/findings/{finding.pk}/override/", {"reason": "It is in the text"}),
        "withdraw": ("post", f"/api/findings/{finding.pk}/withdraw/", {}),
        "read": ("post", f"/api/documents/{document.pk}/read/", {}),
        "take out": ("post", f"/api/documents/{document.pk}/take-out/", {}),
    }


def test_members_read_everything_and_strangers_find_nothing(
    project: Project, member: User, viewer: User, stranger: User, as_: As
) -> None:
    for name, path in paths_of(project).items():
        assert as_(member).get(path).status_code == 200, name
        assert as_(viewer).get(path).status_code == 200, name
        assert as_(stranger).get(path).status_code == 404, name
        assert APIClient().get(path).status_code == 401, name


def test_strangers_change_nothing_and_learn_nothing(project: Project, stranger: User, as_: As) -> None:
    before = list(Position.objects.values())
    for name, (method, path, body) in writes_of(project).items():
        assert getattr(as_(stranger), method)(path, body).status_code == 404, name
        assert getattr(APIClient(), method)(path, body).status_code == 401, name
    assert list(Position.objects.values()) == before and not Job.objects.exists()


def test_viewers_may_not_write_and_are_told_so(project: Project, viewer: User, as_: As) -> None:
    for name, (method, path, body) in writes_of(project).items():
        response = getattr(as_(viewer), method)(path, body)
        assert response.status_code in (400, 403), (name, response.status_code)
        assert response["content-type"] == "application/problem+json"
    assert not Job.objects.exists()


def test_lists_hold_only_what_one_may_see(project: Project, owner: User, stranger: User, as_: As) -> None:
    make_project(stranger, "Theirs")
    assert [row["name"] for row in as_(owner).get("/api/projects/").data["results"]] == [project.name]
    assert [row["name"] for row in as_(stranger).get("/api/projects/").data["results"]] == ["Theirs"]


def test_whoever_leaves_the_organisation_leaves_its_projects(project: Project, owner: User, as_: As) -> None:
    path = f"/api/projects/{project.pk}/"
    owner.memberships.update(role="viewer")
    assert as_(owner).get(path).status_code == 200
    assert as_(owner).patch(path, {"name": "Mine"}).data["code"] == "read_only"
    owner.memberships.all().delete()
    assert as_(owner).get(path).status_code == 404
    assert as_(owner).get("/api/projects/").data["count"] == 0


def test_a_project_is_opened_renamed_and_archived(owner: User, as_: As) -> None:
    client = as_(owner)
    made = client.post("/api/projects/", {"name": "Hala", "currency": "CZK", "budget_on": "2026-09-01"})
    assert made.status_code == 201 and made.data["version"] == 0 and made.data["budget_on"] == "2026-09-01"
    path = f"/api/projects/{made.data['id']}"  # without the slash
    assert client.patch(path, {"name": "Hala Bohumín"}).data["name"] == "Hala Bohumín"
    assert client.post(path + "/archive").data["status"] == "archived"
    assert client.patch(path, {"name": "Other"}).data["code"] == "project_archived"
    assert client.post(path + "/unarchive").data["status"] == "draft"


def test_an_upload_answers_202_and_its_job_fills_the_project(owner: User, as_: As, tmp_path: Path) -> None:
    project = make_project(owner)
    write_kros(tmp_path / "bill.xlsx", given_bill(GivenPosition("1", "Odkopávky", "m3", Decimal(2), Decimal(10))))
    client = as_(owner)
    with (tmp_path / "bill.xlsx").open("rb") as file:
        response = client.post(f"/api/projects/{project.pk}/documents/", {"file": file}, format="multipart")
    assert response.status_code == 202, response.data
    assert response.data["is_new"] and response.data["job"]["status"] == "queued"

    from jobs.runner import run_here

    run_here(job_id=response.data["job"]["job_id"])
    job = client.get(f"/api/jobs/{response.data['job']['job_id']}/status/").data
    assert job["status"] == "completed" and job["result"]["positions"] == 1
    rows = client.get(f"/api/projects/{project.pk}/positions/").data
    assert rows["count"] == 1 and rows["results"][0]["total"] == "20.00"


def test_bad_uploads_are_refused_in_words(project: Project, owner: User, as_: As, settings: Any) -> None:
    client, path = as_(owner), f"/api/projects/{project.pk}/documents/"
    missing = client.post(path, {}, format="multipart")
    assert missing.status_code == 400 and "file" in missing.data["errors"]
    from django.core.files.uploadedfile import SimpleUploadedFile

    settings.UPLOAD_LIMIT_BYTES = 10
    big = client.post(path, {"file": SimpleUploadedFile("a.xlsx", b"x" * 11)}, format="multipart")
    assert big.status_code == 413 and big.data["code"] == "file_too_large" and "limit" in big.data["detail"]
    bad = client.post(
        path, {"file": SimpleUploadedFile("a.csv", b"x"), "mapping": '{"columns": {"colour": 1}}'}, format="multipart"
    )
    assert bad.status_code == 400 and bad.data["code"] == "bad_mapping"


def test_an_audit_is_asked_for_once(project: Project, owner: User, as_: As) -> None:
    client, path = as_(owner), f"/api/projects/{project.pk}/audit"
    one, two = client.post(path), client.post(path)
    assert one.status_code == two.status_code == 202
    assert one.data["job_id"] == two.data["job_id"] and one.data["status"] == "queued"


def test_positions_are_filtered_and_sorted(project: Project, owner: User, as_: As) -> None:
    client, path = as_(owner), f"/api/projects/{project.pk}/positions/"

    def numbers(query: str) -> list[str]:
        response = client.get(f"{path}?{query}")
        assert response.status_code == 200, response.data
        return [row["number"] for row in response.data["results"]]

    everything = numbers("sort=ordinal")
    assert len(everything) == 4
    for grade in ("red", "amber", "green", "not_checked"):
        assert len(numbers(f"grade={grade}")) == 1
    stakes = [Decimal(row["verdict"]["money_at_stake"]) for row in client.get(f"{path}?sort=money").data["results"]]
    assert stakes == sorted(stakes, reverse=True)
    assert numbers("search=STRIP 20004") == ["4"]
    assert numbers("section=HSV Práce a dodávky HSV") == everything
    assert numbers("section=PSV") == []
    assert numbers("role=validator") and set(numbers("role=validator")) <= set(everything)
    assert client.get(f"{path}?grade=purple").status_code == 400
    assert client.get(f"{path}?version=x").data["code"] == "invalid_version"
    assert client.get(f"{path}?page=99").status_code == 404


def test_a_position_is_edited_and_the_late_editor_gets_409(project: Project, owner: User, as_: As) -> None:
    client = as_(owner)
    row = Position.objects.filter(project=project, removed_in=None)[0]
    path = f"/api/projects/{project.pk}/positions/{row.lineage}/"
    edited = client.patch(path, {"seen": row.pk, "unit_price": "15.5", "reason": "New offer"})
    assert edited.status_code == 200 and edited.data["unit_price"] == "15.5000" and edited.data["added_in"] == 2
    late = client.patch(path, {"seen": row.pk, "unit_price": "99"})
    assert late.status_code == 409 and late.data["code"] == "edit_conflict"
    assert (late.data["current"], late.data["yours"]) == ({"unit_price": "15.5000"}, {"unit_price": "99.0000"})
    version = client.get(f"/api/projects/{project.pk}/versions/2/").data
    assert version["trigger_details"]["reason"] == "New offer" and version["changes"][0]["change"] == "modified"
    then = client.get(f"{path}?version=1")
    assert then.status_code == 200 and then.data["unit_price"] != "15.5000"
    restored = client.post(f"/api/projects/{project.pk}/versions/1/restore/")
    assert restored.status_code == 201 and restored.data["number"] == 3


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e99", "abc", "-", "99999999999999999999"])
def test_figures_that_are_none_are_refused(project: Project, owner: User, as_: As, value: str) -> None:
    row = Position.objects.filter(project=project, removed_in=None)[0]
    path = f"/api/projects/{project.pk}/positions/{row.lineage}/"
    response = as_(owner).patch(path, {"seen": row.pk, "quantity": value})
    assert response.status_code == 400 and "quantity" in response.data["errors"]


def test_a_finding_is_overridden_and_taken_back(project: Project, owner: User, as_: As) -> None:
    client = as_(owner)
    finding = Finding.objects.filter(project=project, grade="red", position__isnull=False)[0]
    path = f"/api/findings/{finding.pk}"
    assert client.post(f"{path}/override", {"reason": "ok"}).data["code"] == "reason_missing"
    decided = client.post(f"{path}/override", {"reason": "The unit is in the text"})
    assert decided.status_code == 200 and decided.data["override"]["reason"] == "The unit is in the text"
    assert client.post(f"{path}/override", {"reason": "The unit is in the text"}).status_code == 409
    assert client.post(f"{path}/withdraw").data["override"] is None


@pytest.mark.parametrize("name", ["positions", "findings", "documents", "versions"])
def test_lists_ask_as_many_queries_for_50_rows_as_for_1(project: Project, owner: User, as_: As, name: str) -> None:
    path, client = f"/api/projects/{project.pk}/{name}/", as_(owner)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    make_document(project)
    few = queries()
    for row in make_positions(project, 50):
        make_verdict(row)
        make_finding(row)
    for _ in range(50):
        make_document(project)
    assert queries() == few <= 6


def test_ids_that_do_not_exist_are_404(owner: User, as_: As) -> None:
    client = as_(owner)
    assert client.get(f"/api/projects/{uuid4()}/").status_code == 404
    assert client.get("/api/projects/not-a-uuid/").status_code == 404
    assert client.post("/api/findings/999999999/override/", {"reason": "Not there at all"}).status_code == 404
