"""Projects in the admin: every page opens, what staff do goes through the services, others stay out."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from jobs.models import Job
from projects.models import Finding, Position, Project, ProjectExport
from tests.factories.bills import GivenPosition, write_kros
from tests.factories.imports import given_bill
from tests.factories.projects import make_document, make_finding, make_positions, make_verdict

pytestmark = pytest.mark.django_db
MODELS = sorted(
    (model for model in admin.site._registry if model._meta.app_label == "projects"), key=lambda m: m.__name__
)


@pytest.fixture
def as_staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "a long password"))
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_list_and_every_row_opens(as_staff: Client, project: Project, model: type) -> None:
    name = f"admin:projects_{model._meta.model_name}"  # type: ignore[attr-defined]
    assert as_staff.get(reverse(f"{name}_changelist"), {"q": "Valcha"}).status_code == 200
    row = model._default_manager.first()  # type: ignore[attr-defined]
    if row is not None and model.__name__ != "ProjectAnalytics":
        assert as_staff.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200


def test_exports_are_listed_with_why_one_was_not_made(as_staff: Client, project: Project) -> None:
    kept = {"project": project, "version_number": 1}
    failed = ProjectExport.objects.create(kind="priced", status="failed", error="No price was written.", **kept)
    ProjectExport.objects.create(kind="csv", status="completed", filename="Valcha - v1.csv", size=2048, **kept)
    listed = as_staff.get(reverse("admin:projects_projectexport_changelist")).content.decode()
    assert "Valcha - v1.csv" in listed and "2.0\xa0KB" in listed and "Failed" in listed
    page = as_staff.get(reverse("admin:projects_projectexport_change", args=[failed.pk])).content.decode()
    assert "No price was written." in page and 'name="_save"' not in page


@pytest.mark.parametrize("name", ["position", "finding", "document", "project"])
def test_lists_ask_as_many_queries_for_50_rows_as_for_1(as_staff: Client, project: Project, name: str) -> None:
    path = reverse(f"admin:projects_{name}_changelist")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_staff.get(path).status_code == 200
        return len(captured)

    make_document(project)
    queries()  # content types are cached by the first
    few = queries()
    for row in make_positions(project, 50):
        make_verdict(row)
        make_finding(row)
        make_document(project)
    assert queries() == few


def test_a_bill_is_imported_and_an_audit_started(as_staff: Client, project: Project, tmp_path: Path) -> None:
    write_kros(tmp_path / "bill.xlsx", given_bill(GivenPosition("1", "Odkopávky", "m3", Decimal(2), Decimal(10))))
    path = reverse("admin:projects_project_import_bill", args=[project.pk])
    asked = as_staff.get(path).content.decode()
    assert "Import a bill into" in asked and re.search(r"<button[^>]*>\s*Import\s*</button>", asked)
    file = SimpleUploadedFile("bill.xlsx", (tmp_path / "bill.xlsx").read_bytes())
    answer = as_staff.post(path, {"file": file})
    job = Job.objects.get(kind="projects.parse_document")
    assert answer.status_code == 302 and str(job.pk) in answer["location"]
    empty = as_staff.post(path, {"file": SimpleUploadedFile("x.xlsx", b" " * 0 + b"")})
    assert empty.status_code == 200 and b"empty" in empty.content

    as_staff.post(
        reverse("admin:projects_project_changelist"), {"action": "start_audits", "_selected_action": project.pk}
    )
    assert Job.objects.filter(kind="projects.audit", subject_id=project.pk).count() == 1


def test_a_finding_is_decided_on_and_taken_back(as_staff: Client, project: Project) -> None:
    finding = Finding.objects.filter(project=project, grade="red", position__isnull=False)[0]
    path = reverse("admin:projects_finding_decide", args=[finding.pk])
    assert as_staff.get(path).status_code == 200
    short = as_staff.post(path, {"decision": "overridden", "reason": "ok"})
    assert short.status_code == 200 and b"Say why" in short.content
    assert as_staff.post(path, {"decision": "overridden", "reason": "The unit is in the text"}).status_code == 302
    finding.refresh_from_db()
    assert finding.override is not None
    back = reverse("admin:projects_finding_withdraw", args=[finding.pk])
    assert as_staff.get(back).status_code == 200
    finding.refresh_from_db()
    assert finding.override is not None  # a link changes nothing
    as_staff.post(back)
    finding.refresh_from_db()
    assert finding.override is None


def test_rows_that_only_services_write_can_not_be_edited_here(as_staff: Client, project: Project) -> None:
    row = Position.objects.filter(project=project)[0]
    answer = as_staff.post(reverse("admin:projects_position_change", args=[row.pk]), {"unit_price": "1"})
    assert answer.status_code == 403
    assert as_staff.get(reverse("admin:projects_position_add")).status_code == 403
    assert (
        as_staff.post(reverse("admin:projects_project_delete", args=[project.pk]), {"post": "yes"}).status_code == 403
    )


def test_without_the_permission_staff_see_nothing(staff: User, member: User, project: Project) -> None:
    client = Client()
    client.force_login(staff)
    path = reverse("admin:projects_project_changelist")
    assert client.get(path).status_code == 403
    assert client.get(f"/projects/{project.pk}/").status_code == 404
    staff.user_permissions.add(Permission.objects.get(codename="view_project"))
    assert client.get(path).status_code == 200
    decide = reverse("admin:projects_project_import_bill", args=[project.pk])
    assert client.get(decide).status_code in (302, 403)
    client.force_login(member)
    assert client.get(path).status_code in (302, 403)
