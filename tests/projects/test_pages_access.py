"""Who may open which page, and what a page does with input that makes no sense."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from projects.models import BudgetVersion, Document, Finding, Project
from projects.services.opening import archive_project
from tests.projects.pages import HTMX, JSON, rows_of, signed_in, url

pytestmark = pytest.mark.django_db


def reading_pages(project: Project) -> dict[str, str]:
    row = rows_of(project)[0]
    document = Document.objects.get(project=project)
    return {
        "detail": url("detail", project.pk),
        "summary": url("summary", project.pk),
        "live": url("live", project.pk),
        "settings": url("settings", project.pk),
        "audit": url("audit", project.pk),
        "documents": url("documents", project.pk),
        "file": url("document-file", project.pk, document.pk),
        "positions": url("positions", project.pk),
        "filter options": url("filter-options", project.pk),
        "position": url("position", project.pk, row.lineage),
        "versions": url("versions", project.pk),
        "version": url("version", project.pk, 1),
        "version json": url("version-json", project.pk, 1),
        "versions json": url("versions-json", project.pk),
        "charts": url("charts", project.pk),
        "sections json": url("sections-json", project.pk),
        "roles json": url("roles-json", project.pk),
    }


def writing_pages(project: Project) -> dict[str, str]:
    row = rows_of(project)[0]
    document = Document.objects.get(project=project)
    finding = Finding.objects.filter(project=project, position__isnull=False).first()
    assert finding is not None
    return {
        "upload": url("upload", project.pk),
        "audit": url("audit-start", project.pk),
        "archive": url("archive", project.pk),
        "settings": url("settings", project.pk),
        "read again": url("document-read", project.pk, document.pk),
        "take out": url("document-take-out", project.pk, document.pk),
        "mapping": url("document-mapping", project.pk, document.pk),
        "add": url("position-add", project.pk),
        "edit": url("position-edit", project.pk, row.lineage),
        "resolve": url("position-resolve", project.pk, row.lineage),
        "delete": url("position-delete", project.pk, row.lineage),
        "override": url("finding-override", project.pk, finding.pk),
        "withdraw": url("finding-withdraw", project.pk, finding.pk),
        "restore": url("version-restore", project.pk, 1),
    }


def posted(project: Project) -> dict[str, object]:
    """Enough for every form at once, so that only the right to do it is in question."""
    return {
        "decision": "overridden",
        "reason": "Agreed with the author.",
        "seen": rows_of(project)[0].pk,
        "name": "Changed",
        "description": "Changed",
        "kind": "work",
        "billing": "normal",
        "file": SimpleUploadedFile("bill.xlsx", b"content"),
    }


def test_the_organisation_reads_every_page_of_a_project(
    project: Project, owner: User, member: User, viewer: User
) -> None:
    for user in (owner, member, viewer):
        client = signed_in(user)
        for name, address in reading_pages(project).items():
            assert client.get(address).status_code == 200, (user, name)


def test_a_stranger_finds_nothing(project: Project, stranger: User) -> None:
    client = signed_in(stranger)
    for name, address in reading_pages(project).items():
        assert client.get(address).status_code == 404, name
    for name, address in writing_pages(project).items():
        assert client.post(address, posted(project)).status_code == 404, name
    assert BudgetVersion.objects.filter(project=project).count() == 1


def test_somebody_not_signed_in_is_sent_to_sign_in(project: Project) -> None:
    browser = Client()
    for name, address in (reading_pages(project) | {"list": url("list"), "new": url("new")}).items():
        response = browser.get(address)
        assert response.status_code == 302 and "/accounts/login/" in response["Location"], name
    response = browser.post(url("upload", project.pk), headers=JSON)
    assert response.status_code == 401
    response = browser.get(url("positions", project.pk), headers=HTMX)
    assert "/accounts/login/" in response["HX-Redirect"]  # not the sign-in page inside the table


def test_a_viewer_is_told_that_he_may_only_look(project: Project, viewer: User) -> None:
    client = signed_in(viewer)
    for name, address in writing_pages(project).items():
        response = client.post(address, posted(project), headers=HTMX)
        assert response.status_code == 403, name
        assert "not change it" in response.content.decode(), name
        assert response["X-Refused"] == "read_only"
    assert BudgetVersion.objects.filter(project=project).count() == 1


def test_a_viewer_sees_no_controls_that_change_anything(project: Project, viewer: User, member: User) -> None:
    row = rows_of(project)[0]
    for address in (url("detail", project.pk), url("position", project.pk, row.lineage), url("documents", project.pk)):
        page = signed_in(viewer).get(address).content.decode()
        forms = page.count('method="post"')
        assert forms == 1, address  # signing out
        assert "Upload a bill" not in page and "Decide" not in page
        assert signed_in(member).get(address).content.decode().count('method="post"') > 1


def test_without_its_token_no_form_is_taken(project: Project, owner: User) -> None:
    client = signed_in(owner, enforce_csrf_checks=True)
    for name, address in writing_pages(project).items():
        assert client.post(address, posted(project)).status_code == 403, name
    assert BudgetVersion.objects.filter(project=project).count() == 1


def test_pages_that_write_do_nothing_on_get(project: Project, owner: User) -> None:
    client = signed_in(owner)
    for name in ("upload", "archive", "override", "withdraw", "restore", "read again"):
        assert client.get(writing_pages(project)[name]).status_code == 405, name


def test_what_is_not_there_is_404(project: Project, owner: User) -> None:
    client = signed_in(owner)
    missing = [
        url("detail", uuid4()),
        url("position", project.pk, uuid4()),
        url("version", project.pk, 99),
        url("version", project.pk, 99_999_999_999_999_999_999),
        url("detail", project.pk) + "?version=77",
        url("document-file", project.pk, uuid4()),
        "/projects/not-a-uuid/",
    ]
    for address in missing:
        assert client.get(address).status_code == 404, address
    assert client.post(url("finding-override", project.pk, 10**18), posted(project)).status_code == 404
    assert client.post(url("job-cancel", project.pk, uuid4())).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["page=abc", "page=-3", "page=999999", "grade=purple", "role=x", "sort=;drop", "section=none", "rule=Z99",
     "q=%00", "q=%F0%9F%92%A9", "version=x", "version=-1", "grade=%00&role=%00&section=%00&rule=%00"],
)  # fmt: skip
def test_filters_that_make_no_sense_are_ignored(project: Project, owner: User, query: str) -> None:
    client = signed_in(owner)
    for name in ("detail", "positions"):
        assert client.get(f"{url(name, project.pk)}?{query}").status_code == 200
    assert client.get(f"{url('list')}?{query}").status_code == 200
    assert client.get(f"{url('versions', project.pk)}?{query}").status_code == 200


def test_an_archived_project_reads_but_takes_no_changes(project: Project, owner: User) -> None:
    archive_project(project_id=project.pk, actor=owner)
    client = signed_in(owner)
    page = client.get(url("detail", project.pk)).content.decode()
    assert "in the archive" in page and "Upload a bill" not in page
    row = rows_of(project)[0]
    answer = client.post(url("position-delete", project.pk, row.lineage), {"seen": row.pk}, headers=HTMX)
    assert answer.status_code == 400 and "Take it out of the archive" in answer.content.decode()
    assert client.post(url("unarchive", project.pk)).status_code == 302
    assert "Upload a bill" in client.get(url("detail", project.pk)).content.decode()


def test_pages_carry_no_inline_script_or_style(project: Project, owner: User) -> None:
    client = signed_in(owner)
    for name, address in (reading_pages(project) | {"list": url("list")}).items():
        response = client.get(address)
        if not response["Content-Type"].startswith("text/html"):
            continue
        page = response.content.decode()
        assert "style=" not in page.replace("data-style=", ""), name
        assert "<script>" not in page and " onclick" not in page, name
        assert "'unsafe-inline'" not in response["Content-Security-Policy"]
