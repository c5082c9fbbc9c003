"""Input of attackers and of the clumsy: other projects' ids, figures and mappings that are none."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import suspend
from accounts.services.tokens import tokens_for
from jobs.models import Job
from projects.channels import may_join
from projects.exceptions import Refused
from projects.models import BudgetVersion, Document, Finding, Position, Project
from projects.parsers.registry import open_bill
from projects.services.auditing import start_audit
from projects.services.opening import change_project, open_project
from tests.factories.projects import make_audited_project, make_document, make_project
from tests.projects.pages import rows_of, signed_in, url

pytestmark = pytest.mark.django_db
FORM = {
    "number": "1",
    "code": "",
    "description": "d",
    "unit": "m",
    "kind": "work",
    "billing": "normal",
    "unit_price": 1,
}


@pytest.fixture
def api(owner: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(owner)
    return client


@pytest.fixture
def other(owner: User) -> Project:
    """A second project of the same people: only the address is wrong."""
    return make_audited_project(owner)


def test_what_is_of_one_project_is_not_found_through_another(
    project: Project, other: Project, owner: User, api: APIClient
) -> None:
    row, document = rows_of(other)[0], make_document(other, parse_status="failed")
    finding = Finding.objects.filter(project=other, position__isnull=False)[0]
    job = start_audit(project_id=other.pk, actor=owner)
    base, client = f"/api/projects/{project.pk}", signed_in(owner)
    assert api.get(f"{base}/documents/{document.pk}").status_code == 404
    assert api.get(f"{base}/positions/{row.lineage}").status_code == 404
    assert api.patch(f"{base}/positions/{row.lineage}", {"seen": row.pk, "unit_price": "1"}).status_code == 404
    assert api.delete(f"{base}/positions/{row.lineage}?seen={row.pk}").status_code == 404
    for name in ("document-file", "document-mapping"):
        assert client.get(url(name, project.pk, document.pk)).status_code == 404
    assert client.get(url("position", project.pk, row.lineage)).status_code == 404
    form = {"seen": row.pk, "decision": "overridden", "reason": "Not through here."}
    writes = [("document-read", document.pk), ("finding-override", finding.pk), ("finding-withdraw", finding.pk)]
    for name, key in [*writes, ("position-delete", row.lineage), ("job-cancel", job.pk)]:
        assert client.post(url(name, project.pk, key), form).status_code in (400, 404), name
    job.refresh_from_db()
    assert job.status == Job.Status.QUEUED and BudgetVersion.objects.count() == 2


def test_only_a_document_of_the_same_project_is_replaced(project: Project, stranger: User, api: APIClient) -> None:
    failed = make_document(project, parse_status="failed")
    for replaced in (make_document(make_project(stranger)).pk, uuid4()):
        file = SimpleUploadedFile("a.csv", b"a;b;c")
        body = {"file": file, "replaces": str(replaced)}
        sent = api.post(f"/api/projects/{project.pk}/documents", body, format="multipart")
        again = api.post(f"/api/documents/{failed.pk}/read", {"replaces": str(replaced)})
        assert [sent.status_code, sent.data["code"]] == [again.status_code, again.data["code"]]
        assert [sent.status_code, sent.data["code"]] == [400, "replaces_unknown"]
    assert not Document.objects.filter(original_filename="a.csv").exists() and not Job.objects.exists()


MAPPINGS = {
    "deep": "[" * 100_000 + "]" * 100_000,
    "infinite": json.dumps('{"columns": {"description": Infinity}}'),
    "too large a float": '{"columns": {"description": 1e999}}',
    "NUL": '{"columns": {"description": 1}, "sheet": "a\\u0000"}',
    "surrogate": '{"columns": {"description": 1}, "sheet": "a\\ud800"}',
    "long sheet": '{"columns": {"description": 1}, "sheet": "' + "a" * 300 + '"}',
    "list": "[1]",
    "columns as list": '{"columns": [1]}',
    "far row": '{"columns": {"description": 1}, "header_row": ' + "9" * 400 + "}",
    "far column": '{"columns": {"description": ' + "9" * 400 + "}}",
    "codec that is no encoding": '{"columns": {"description": 1}, "encoding": "zlib"}',
    "line end as delimiter": '{"columns": {"description": 1}, "delimiter": "\\n"}',
    "long currency": '{"columns": {"description": 1}, "currency": "CZKCZK"}',
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_mapping_that_is_none_is_refused(project: Project, api: APIClient, name: str) -> None:
    failed = make_document(project, parse_status="failed")
    body = f'{{"mapping": {MAPPINGS[name]}}}'
    assert api.generic("POST", f"/api/documents/{failed.pk}/read", body, "application/json").status_code == 400
    form = {"file": SimpleUploadedFile("a.csv", b"a;b;c"), "mapping": MAPPINGS[name]}
    assert api.post(f"/api/projects/{project.pk}/documents", form, format="multipart").status_code == 400
    assert not Job.objects.exists()


@pytest.mark.parametrize("currency", ["ßßß", "<\n>", "CZ", "1$x", "ČZK"])
def test_a_currency_has_three_letters(project: Project, owner: User, api: APIClient, currency: str) -> None:
    made = api.post("/api/projects", {"name": "x", "currency": currency})
    changed = api.patch(f"/api/projects/{project.pk}", {"currency": currency})
    assert made.status_code == changed.status_code == 400 and "currency" in made.data["errors"]
    with pytest.raises(Refused, match="three letters"):
        open_project(actor=owner, name="x", currency=currency)
    with pytest.raises(Refused, match="three letters"):
        change_project(project_id=project.pk, actor=owner, changes={"currency": currency})


def test_sums_that_no_budget_holds_are_refused(project: Project, api: APIClient) -> None:
    path = f"/api/projects/{project.pk}/positions"
    large = {"description": "Gold", "quantity": "9999999999999", "unit_price": "999"}
    assert api.post(path, large).status_code == 201
    second = api.post(path, large)  # the sum of both
    assert second.status_code == 400 and second.data["code"] == "too_large"
    one = api.post(path, {"description": "Gold", "quantity": "1", "unit_price": "10000000000"}).data
    changes = {"seen": one["id"], "quantity": "10000000000", "unit_price": "0.0001"}
    effect = api.patch(f"{path}/{one['lineage']}", changes)
    assert effect.status_code in (200, 400)  # a small total by an effect of 10^20: told otherwise, or refused


def test_a_zero_with_an_endless_exponent_is_a_zero(project: Project, owner: User) -> None:
    row = rows_of(project)[0]
    answer = signed_in(owner).post(
        url("position-edit", project.pk, row.lineage), {**FORM, "quantity": "0e999999999", "seen": row.pk}
    )
    assert answer.status_code == 302
    edited = Position.objects.get(lineage=row.lineage, removed_in=None)
    assert (edited.quantity, edited.total) == (0, 0)


def test_a_figure_with_an_endless_exponent_is_read_as_what_it_is(tmp_path: Path) -> None:
    rows = [{"description": "Beton", "unit": "m3", "quantity": 1, "unit_price": "PRICE"}]
    file = tmp_path / "positions.json"
    file.write_text(json.dumps({"positions": rows}).replace('"PRICE"', "1e-999999999"))
    (position,) = open_bill(file).positions
    assert position.unit_price == Decimal(0) and len(f"{position.unit_price:f}") < 20


@pytest.mark.parametrize("version", ["0", "77", "999999999"])
def test_a_version_that_never_was_has_no_positions(project: Project, api: APIClient, version: str) -> None:
    answer = api.get(f"/api/projects/{project.pk}/positions?version={version}")
    assert answer.status_code == 404 and answer.data["code"] == "version_not_found"


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: x=1.csv", 'a";x="\u202e.csv', "../../etc/passwd", "a\x00.csv"])
def test_a_name_of_a_file_is_only_a_name(project: Project, owner: User, api: APIClient, name: str) -> None:
    file = SimpleUploadedFile("a.csv", name.encode())
    file._name = name
    sent = api.post(f"/api/projects/{project.pk}/documents", {"file": file}, format="multipart")
    assert sent.status_code == 202
    answer = signed_in(owner).get(url("document-file", project.pk, sent.data["document"]["id"]))
    told = answer["Content-Disposition"]
    assert told.startswith("attachment") and not set(told) & set("\r\n\x00/")
    assert answer["Content-Type"] == "application/octet-stream" and "Set-Cookie" not in answer
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_suspended_are_out_of_pages_and_api_at_once(project: Project, owner: User, staff: User) -> None:
    client, token = signed_in(owner), tokens_for(user=owner).access
    api, path = APIClient(), f"/api/projects/{project.pk}"
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert api.get(path).status_code == client.get(url("detail", project.pk)).status_code == 200
    suspend(user_id=owner.pk, actor=staff)
    assert api.get(path).status_code == 401
    assert client.get(url("detail", project.pk)).status_code == 302
    assert client.post(url("archive", project.pk)).status_code == 302
    project.refresh_from_db()
    assert project.status != Project.Status.ARCHIVED


@pytest.mark.parametrize("spell", [str.upper, "{{{}}}".format, "urn:uuid:{}".format, "{}\x00".format, "{} ".format])
def test_a_project_has_one_channel(project: Project, owner: User, stranger: User, spell: Any) -> None:
    assert may_join(owner, str(project.pk)) and not may_join(stranger, str(project.pk))
    assert not may_join(owner, spell(str(project.pk)))


def test_the_way_back_is_never_to_another_site(project: Project, owner: User) -> None:
    row = rows_of(project)[0]
    address = url("position-edit", project.pk, row.lineage)
    for came_from in ("http://testserver//evil.example/", "http://evil.example/x"):
        page = signed_in(owner).post(address, {"seen": "x"}, headers={"Referer": came_from}).content.decode()
        assert "evil.example" not in page and "/projects/" in page


@pytest.mark.parametrize(
    "path", ["project/{}/audit/", "project/{}/page/", "finding/{}/withdraw/", "finding/{}/decide/"]
)
def test_the_admin_takes_no_id_for_granted(path: str) -> None:
    client = signed_in(User.objects.create_superuser("root@example.com", "a long password"))
    for key in ("junk", "9" * 30, uuid4()):
        address = f"/admin/projects/{path.format(key)}"
        assert client.get(address).status_code == client.post(address).status_code == 302
