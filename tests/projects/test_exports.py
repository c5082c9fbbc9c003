"""Exports as people and programs ask for them: who may, what comes out, what is told where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from jobs.models import Job
from projects.exceptions import ExportMissing, ExportRefused
from projects.models import Document, Position, Project, ProjectExport
from projects.models.exchange import export_path
from projects.parsers.registry import open_bill
from projects.services import exporting
from projects.services.access import ReadOnly
from projects.services.editing import edit_position
from projects.services.export_making import make_export
from tests.factories.bills import (
    GivenBill,
    GivenObject,
    GivenPosition,
    GivenSection,
    write_csv,
    write_gaeb,
    write_kros,
    write_unixml,
)
from tests.factories.imports import given_bill, upload
from tests.factories.projects import make_audited_project, make_document, make_project
from tests.projects.exports.workbooks import client_workbook
from tests.projects.pages import queries, rows_of, signed_in, url

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
Drain = Callable[[], int]


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def api(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def address(project: Project, *rest: object) -> str:
    return "/".join(["/api/projects", str(project.pk), "exports", *map(str, rest)]) + "/"


def made(project: Project, actor: User, drain: Drain, /, kind: str, **asked: Any) -> ProjectExport:
    export, _ = exporting.start_export(project_id=project.pk, actor=actor, kind=kind, **asked)
    drain()
    export.refresh_from_db()
    return export


def stored(export: ProjectExport, tmp_path: Path) -> Path:
    path = tmp_path / f"stored.{export.filename.rpartition('.')[2]}"
    path.write_bytes(export.file.read())
    return path


def read_in(owner: User, path: Path, **options: Any) -> tuple[Project, Document]:
    project = make_project(owner, currency="CZK")
    document = upload(project, owner, path, **options)
    assert document.parse_status == "completed", document.parse_error
    return project, document


def reprice(project: Project, actor: User, number: str, price: str, **changes: Any) -> None:
    row = next(row for row in rows_of(project) if row.number == number)
    edit_position(
        project_id=project.pk, lineage=row.lineage, actor=actor, seen=row.pk,
        changes={"unit_price": D(price), **changes}, reason="Offer of the subcontractor",
    )  # fmt: skip
    project.refresh_from_db()


BILL = given_bill(
    GivenPosition("1", "Výkop rýhy", "m3", D(10), D(300), "132151253", price_system="CS ÚRS 2025 02"),
    GivenPosition("2", "Zásyp", "m3", D(4), D(150), "174151101", price_system="CS ÚRS 2025 02"),
)


@pytest.mark.parametrize("kind", [kind for kind in ProjectExport.Kind.values if kind != "priced"])
def test_a_version_comes_out_in_every_format(owner: User, drain: Drain, tmp_path: Path, kind: str) -> None:
    write_kros(tmp_path / "bill.xlsx", BILL)
    project, _ = read_in(owner, tmp_path / "bill.xlsx")
    export = made(project, owner, drain, kind)
    assert (export.status, export.error) == ("completed", "")
    assert export.size == len(export.file.read()) and len(export.sha256) == 64
    assert export.report["positions"] == 2
    if kind != "pdf":
        assert export.report["read_back"] == 2
        assert D(export.report["total"]) == D(3600)


def test_an_earlier_version_comes_out_as_it_was(owner: User, drain: Drain, tmp_path: Path) -> None:
    write_kros(tmp_path / "bill.xlsx", BILL)
    project, _ = read_in(owner, tmp_path / "bill.xlsx")
    reprice(project, owner, "1", "333")
    then, now = (made(project, owner, drain, "unixml", version=number) for number in (1, 2))
    prices = [next(iter(open_bill(stored(each, tmp_path)).positions)).unit_price for each in (then, now)]
    assert prices == [D(300), D(333)]


def test_edited_prices_go_into_the_clients_workbook(owner: User, drain: Drain, tmp_path: Path) -> None:
    path = client_workbook(tmp_path / "bill.xlsx", formulas=False, typed_sum=50.0)
    project, _ = read_in(owner, path)
    reprice(project, owner, "1", "1250.5")
    reprice(project, owner, "2", "31000")
    export = made(project, owner, drain, "priced")
    assert (export.status, export.error) == ("completed", "")
    assert export.filename == "bill - priced v3.xlsx"
    assert [p.unit_price for p in open_bill(stored(export, tmp_path)).positions] == [D("1250.5"), D(31000)]
    assert (export.report["written"], export.report["total"]) == (2, "18001")


def test_what_was_changed_besides_the_price_is_not_written_and_is_told(
    owner: User, drain: Drain, tmp_path: Path
) -> None:
    write_kros(tmp_path / "bill.xlsx", BILL)
    project, _ = read_in(owner, tmp_path / "bill.xlsx")
    reprice(project, owner, "1", "333", quantity=D(11))
    reprice(project, owner, "2", "160")
    export = made(project, owner, drain, "priced")
    assert export.status == "completed", export.error
    assert export.report["skipped_count"] == {"its quantity was changed in the budget": 1}
    assert "1: its quantity was changed in the budget" in signed_in(owner).get(url("exports", project.pk)).text


def test_prices_go_into_csv_and_unixml_and_answer_a_gaeb_tender(owner: User, drain: Drain, tmp_path: Path) -> None:
    write_csv(tmp_path / "bill.csv", BILL)
    write_unixml(tmp_path / "bill.xml", BILL)
    for name in ("bill.csv", "bill.xml"):
        project, _ = read_in(owner, tmp_path / name)
        reprice(project, owner, "2", "175.5")
        export = made(project, owner, drain, "priced")
        assert (export.status, export.error) == ("completed", "")
        again = stored(export, tmp_path)
        assert [p.unit_price for p in open_bill(again).positions] == [D(300), D("175.5")]
        before, after = (tmp_path / name).read_bytes(), again.read_bytes()
        assert len(before.splitlines()) == len(after.splitlines())
    assert before.replace(b"<jednotkova_cena>150<", b"<jednotkova_cena>175,5<") == after, "every other byte stays"

    sections = (GivenSection("02", "Erdarbeiten", tuple(GivenPosition(f"00{i}0", f"Aushub {i}") for i in (1, 2))),)
    write_gaeb(tmp_path / "tender.x83", GivenBill((GivenObject("01", "Halle", sections),)), phase="83")
    project, _ = read_in(owner, tmp_path / "tender.x83")
    for row in rows_of(project):
        reprice(project, owner, row.number, "12.5")
    export = made(project, owner, drain, "priced")
    assert (export.status, export.error) == ("completed", "")
    assert export.filename == "tender - priced v3.x84"
    assert export.report["joined"]


def test_a_price_that_is_there_already_is_no_reason_for_a_file(owner: User, drain: Drain, tmp_path: Path) -> None:
    write_kros(tmp_path / "bill.xlsx", BILL)
    project, _ = read_in(owner, tmp_path / "bill.xlsx")
    export = made(project, owner, drain, "priced")
    assert export.status == "failed" and "2 cells hold these prices already" in export.error
    assert not export.file
    assert "2 cells hold these prices already" in signed_in(owner).get(url("exports", project.pk)).text


def test_files_that_take_no_prices_are_refused_with_what_to_do(owner: User, tmp_path: Path) -> None:
    project = make_audited_project(owner)
    document = make_document(project, "table.ods", file_type="ods", parser="table")
    with pytest.raises(ExportRefused, match=r"Save the client's file as \.xlsx"):
        exporting.start_export(project_id=project.pk, actor=owner, kind="priced", document_id=document.pk)
    with pytest.raises(ExportRefused, match="not in this project"):
        exporting.start_export(project_id=project.pk, actor=owner, kind="priced", document_id=uuid4())


def test_a_report_says_what_it_is_of(owner: User, drain: Drain) -> None:
    project = make_audited_project(owner)
    Position.objects.filter(project=project, number="1").update(description="Žlutý kůň, Größe Ø 12 #strong[x] $y$")
    export = made(project, owner, drain, "pdf")
    assert (export.status, export.error) == ("completed", "")
    assert export.file.read().startswith(b"%PDF-")
    assert (export.report["audited"], export.report["findings"]) == (True, 1)


def test_a_viewer_may_export_but_not_write_prices(owner: User, viewer: User, drain: Drain) -> None:
    project = make_audited_project(owner)
    assert made(project, viewer, drain, "csv").status == "completed"
    with pytest.raises(ReadOnly):
        exporting.start_export(project_id=project.pk, actor=viewer, kind="priced")
    assert api(viewer).post(address(project), {"kind": "priced"}).status_code == 403


def test_a_stranger_finds_nothing(owner: User, stranger: User, drain: Drain) -> None:
    project = make_audited_project(owner)
    export = made(project, owner, drain, "csv")
    client, rest = signed_in(stranger), api(stranger)
    assert client.get(url("exports", project.pk)).status_code == 404
    assert client.post(url("exports", project.pk), {"kind": "csv"}).status_code == 404
    assert client.get(url("export-file", project.pk, export.pk)).status_code == 404
    assert client.post(url("export-delete", project.pk, export.pk)).status_code == 404
    assert rest.get(address(project)).status_code == 404
    assert rest.post(address(project), {"kind": "csv"}).status_code == 404
    for call in (rest.get, rest.delete):
        assert call(address(project, export.pk)).status_code == 404
    assert rest.get(address(project, export.pk, "file")).status_code == 404
    own = make_project(stranger)
    assert client.get(url("export-file", own.pk, export.pk)).status_code == 404, "through a project of their own"
    assert APIClient().get(address(project)).status_code == 401


def test_rest_clients_ask_follow_and_fetch(owner: User, drain: Drain) -> None:
    project = make_audited_project(owner)
    asked = api(owner).post(address(project), {"kind": "csv", "delimiter": "comma", "bom": False}, format="json")
    assert asked.status_code == 202
    again = api(owner).post(address(project), {"kind": "csv", "delimiter": "comma", "bom": False}, format="json")
    assert again.json()["export_id"] == asked.json()["export_id"], "the same, still being made"
    assert api(owner).get(address(project, asked.json()["export_id"], "file")).status_code == 404, "not made yet"
    drain()
    told = api(owner).get(address(project, asked.json()["export_id"])).json()
    assert (told["status"], told["options"], told["version"]) == ("completed", {"bom": False, "delimiter": "comma"}, 1)
    answer: Any = api(owner).get(address(project, told["id"], "file"))
    assert b"".join(answer.streaming_content).startswith(b"Object,Object name,")
    assert answer["Content-Disposition"].startswith("attachment;") and "no-store" in answer["Cache-Control"]
    assert api(owner).delete(address(project, told["id"])).status_code == 204
    assert api(owner).get(address(project)).json()["count"] == 0


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"kind": "doc"}, "invalid"), ({"kind": "csv", "delimiter": "pipe"}, "invalid"),
        ({"kind": "csv", "version": 99}, "version_not_found"), ({"kind": "priced"}, "document_needed"),
    ],
    ids=["kind", "delimiter", "version", "document"],
)  # fmt: skip
def test_bad_input_is_told_not_made(owner: User, asked: dict[str, Any], code: str) -> None:
    project = make_audited_project(owner)
    Document.objects.update(file_type="ole")
    answer = api(owner).post(address(project), asked, format="json")
    assert answer.status_code == 400, answer.content
    if code != "invalid":
        assert answer.json()["code"] == code
    assert not ProjectExport.objects.exists()


@pytest.mark.parametrize(
    "asked", [{"kind": "x"}, {"kind": "csv", "version": "-1"}, {"kind": "priced", "document": "x"}], ids=str
)
def test_bad_forms_are_refused_in_words(owner: User, asked: dict[str, str]) -> None:
    project = make_audited_project(owner)
    assert signed_in(owner).post(url("exports", project.pk), asked).status_code == 400


def test_an_empty_project_has_nothing_to_export(owner: User) -> None:
    project = make_project(owner)
    with pytest.raises(ExportRefused, match="Upload a bill"):
        exporting.start_export(project_id=project.pk, actor=owner, kind="csv")
    assert "Nothing to export yet" in signed_in(owner).get(url("exports", project.pk)).text


def test_a_cancelled_job_leaves_an_export_that_says_so(owner: User) -> None:
    project = make_audited_project(owner)
    export, job = exporting.start_export(project_id=project.pk, actor=owner, kind="csv")
    from jobs.services import cancel

    cancel(job_id=job.pk, actor=owner)
    export.refresh_from_db()
    assert (export.status, Job.objects.get(pk=job.pk).status) == ("failed", "cancelled")


def test_an_export_that_is_deleted_while_it_is_made_leaves_no_file(owner: User, tmp_path: Path) -> None:
    write_kros(tmp_path / "bill.xlsx", BILL)
    project, _ = read_in(owner, tmp_path / "bill.xlsx")
    export, _ = exporting.start_export(project_id=project.pk, actor=owner, kind="xlsx")

    def deleting(done: int, total: int, message: str) -> None:
        ProjectExport.objects.filter(pk=export.pk).delete()

    @contextmanager
    def finishing() -> Iterator[Callable[[Any], None]]:
        with transaction.atomic():
            yield lambda result: None

    with pytest.raises(ExportMissing):
        make_export(export_id=export.pk, report=deleting, finishing=finishing)
    assert not export.file.storage.exists(export.file.field.generate_filename(export, export.filename))


def test_deleting_takes_the_file_and_waits_for_one_being_made(owner: User, member: User, drain: Drain) -> None:
    project = make_audited_project(owner)
    export, _ = exporting.start_export(project_id=project.pk, actor=owner, kind="csv")
    with pytest.raises(ExportRefused, match="Cancel its job"):
        exporting.delete_export(project_id=project.pk, export_id=export.pk, actor=owner)
    drain()
    export.refresh_from_db()
    storage, name = export.file.storage, str(export.file.name)
    assert storage.exists(name)
    assert signed_in(member).post(url("export-delete", project.pk, export.pk)).status_code == 302
    assert not storage.exists(name) and not ProjectExport.objects.exists()


def test_old_files_are_removed_and_others_stay(owner: User, drain: Drain) -> None:
    project = make_audited_project(owner)
    old, new = made(project, owner, drain, "csv"), made(project, owner, drain, "xlsx")
    ProjectExport.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    waiting, _ = exporting.start_export(project_id=project.pk, actor=owner, kind="unixml")
    ProjectExport.objects.filter(pk=waiting.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert exporting.trim_exports() == {"removed": 1}
    assert set(ProjectExport.objects.values_list("pk", flat=True)) == {new.pk, waiting.pk}
    assert not old.file.storage.exists(str(old.file.name)) and new.file.storage.exists(str(new.file.name))


def test_what_a_killed_attempt_has_stored_goes_with_its_row(owner: User) -> None:
    project = make_audited_project(owner)
    failed = [ProjectExport(project=project, created_by=owner, kind="csv", version_number=1, status="failed",
                            filename="bill.csv") for _ in range(2)]  # fmt: skip
    ProjectExport.objects.bulk_create(failed)
    storage = failed[0].file.storage
    names = [storage.save(export_path(export, export.filename), ContentFile(b"half")) for export in failed]
    exporting.delete_export(project_id=project.pk, export_id=failed[0].pk, actor=owner)
    ProjectExport.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert exporting.trim_exports() == {"removed": 1}
    assert [storage.exists(name) for name in names] == [False, False]


def test_a_sixth_file_waits(owner: User) -> None:
    project = make_audited_project(owner)
    for kind in ("csv", "xlsx", "unixml", "gaeb_x84", "gaeb_x86"):
        exporting.start_export(project_id=project.pk, actor=owner, kind=kind)
    with pytest.raises(ExportRefused) as refused:
        exporting.start_export(project_id=project.pk, actor=owner, kind="pdf")
    assert refused.value.code == "too_many"


def _exports(project: Project, owner: User, how_many: int) -> None:
    document = project.documents.first()
    ProjectExport.objects.bulk_create(
        ProjectExport(project=project, created_by=owner, kind="csv", version_number=1, status="completed",
                      filename=f"{i}.csv", document=document, report={"positions": 4, "total": "1"})
        for i in range(how_many)
    )  # fmt: skip


def test_page_and_api_take_the_same_queries_for_one_and_fifty(owner: User) -> None:
    project = make_audited_project(owner)
    _exports(project, owner, 1)
    client, rest = signed_in(owner), api(owner)

    def counted() -> tuple[int, int]:
        rest.get(address(project))
        with CaptureQueriesContext(connection) as captured:
            assert rest.get(address(project)).status_code == 200
        return queries(client, url("exports", project.pk)), len(captured)

    one = counted()
    _exports(project, owner, 49)
    assert counted() == one
