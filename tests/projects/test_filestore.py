"""Folders of the older file store: what becomes of them, again and again, and what comes out of them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, User
from jobs.models import Job
from projects.models import BudgetVersion, Document, FileProject, Position, Project, StoreDivergence, Verdict
from projects.parsers.writers.kros_rows import MeasureRow
from projects.services.documents import upload_document
from projects.services.editing import add_position, delete_position, edit_position
from projects.services.opening import change_project
from tests.factories.bills import GivenPosition, write_kros
from tests.factories.folders import bytes_of, entry, state, write_folder
from tests.factories.imports import given_bill, upload
from tests.factories.people import make_organisation, make_user
from tests.factories.projects import make_project
from tests.factories.running import forget_folders, manage

pytestmark = pytest.mark.django_db
FILES = {
    "raw/vykaz_vymer/bill.xml": b"<xml>bill</xml>",
    "raw/drawing.pdf": b"%PDF-1.4 plan",
    "raw/table.csv": b"code;text",
    "raw/copy of bill.xml": b"<xml>bill</xml>",
    "artifacts/info.json": b'{"seen": true}',
}
POSITIONS = {
    "positions": [entry(1), entry(2, qty=3, total_price=None), entry(2, name="Zásyp", mj=None)],
    "total_positions": 3,
    "currency": "czk",
    "made_by": "agent 7",
}
FIRST = {"status": "done", "summary": {"green": 5, "amber": 2, "red": 1}, "preview": [{"status": "GREEN"}]}
SECOND = {"positions": [{"classification": "RED"}, {"classification": "green"}, {"classification": "?"}]}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two projects: one with everything, one bare."""
    write_folder(tmp_path / "store", "proj_1", positions=POSITIONS, audit=FIRST, files=FILES)
    write_folder(tmp_path / "store", "proj_2", project={"id": "proj_2", "name": "Most", "workflow": "workflow_b"})
    return tmp_path / "store"


@pytest.fixture
def migrate(store: Path, owner: User, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(**options: Any) -> tuple[int, dict[str, Any]]:
        code, told = manage(capsys, "migrate_file_projects", store, **({"owner": owner.email} | options))
        return code, {row.get("legacy_id", row["folder"]): row for row in told["projects"]}

    return run


def one(legacy_id: str = "proj_1") -> Project:
    return Project.objects.get(file_project__legacy_id=legacy_id)


def rows(project: Project) -> list[Position]:
    return list(Position.objects.filter(project=project, removed_in=None).order_by("ordinal"))


def test_a_folder_becomes_a_project_with_positions_documents_and_history(migrate: Any, owner: User) -> None:
    code, told = migrate()
    assert code == 0
    assert told["proj_1"]["counts"] == {"files": 8, "bytes": told["proj_1"]["counts"]["bytes"], "raw_files": 4,
                                        "positions": 3, "documents": 4}  # fmt: skip
    project = one()
    assert (project.name, project.workflow, project.currency, project.owner) == (
        "Stavba proj_1", "workflow_a", "CZK", owner,
    )  # fmt: skip
    assert [(row.number, row.quantity, row.total, row.unit) for row in rows(project)] == [
        ("1", Decimal("12.5"), Decimal(1250), "m3"), ("2", Decimal(3), Decimal(300), "m3"),
        ("2/2", Decimal("12.5"), Decimal(1250), None),
    ]  # fmt: skip
    assert (project.version_number, project.total_cost) == (1, Decimal(2800))
    kinds = dict(project.documents.values_list("original_filename", "kind"))
    assert kinds["drawing.pdf"] == "specification" and kinds["table.csv"] == "bill"
    assert len({*kinds} & {"bill.xml", "copy of bill.xml"}) == 1  # the same content is one document
    known = FileProject.objects.get(legacy_id="proj_1")
    assert known.contents["unknown"] == {"budget_kind": 3}
    assert one("proj_2").workflow == "workflow_b" and one("proj_2").version_number == 0


def test_older_verdicts_are_history_and_nothing_counts_as_checked(migrate: Any, store: Path) -> None:
    write_folder(store, "proj_3", positions=[entry(1, classification="GREEN")], audit=SECOND)
    migrate()
    assert one().metadata["older_audit"] == {
        "status": "done", "generation": 1, "counts": {"green": 5, "amber": 2, "red": 1}, "entries": 1,
    }  # fmt: skip
    assert one("proj_3").metadata["older_audit"]["counts"] == {"red": 1, "green": 1, "not_checked": 1}
    assert (one().count_not_checked, one().count_green, one().audited_version) == (3, 0, None)
    assert not Verdict.objects.exists() and not Job.objects.exists()


def test_an_audit_is_asked_for_where_that_is_wanted(migrate: Any) -> None:
    migrate(audit=True)
    assert Job.objects.get(kind="projects.audit").subject_id == one().pk


def test_bills_that_came_along_say_that_they_have_not_been_read(migrate: Any) -> None:
    migrate()
    document = Document.objects.get(original_filename="table.csv")
    assert (document.parse_status, document.parse_error_code) == ("failed", "not_read")
    assert one().documents.get(original_filename="positions.json").parse_status == "completed"


def test_a_second_run_writes_nothing(migrate: Any) -> None:
    migrate()
    with CaptureQueriesContext(connection) as asked:
        code, told = migrate()
    assert code == 0 and {row["state"] for row in told.values()} == {"unchanged"}
    writes = ("INSERT", "UPDATE", "DELETE", "COPY")
    assert not [query["sql"] for query in asked if query["sql"].startswith(writes)]


def test_a_dry_run_counts_everything_and_writes_nothing(migrate: Any, store: Path) -> None:
    write_folder(store, "bad", project=b"{")
    code, told = migrate(dry_run=True, owner="")
    assert code == 1 and told["bad"]["state"] == "failed"
    assert (told["proj_1"]["state"], told["proj_1"]["counts"]["positions"]) == ("would_migrate", 3)
    assert not Project.objects.exists() and not FileProject.objects.exists() and not Document.objects.exists()


def test_one_alone_may_be_asked_for(migrate: Any, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = migrate(only="proj_2")
    assert (code, list(told)) == (0, ["proj_2"]) and Project.objects.count() == 1
    code, answer = manage(capsys, "migrate_file_projects", store, dry_run=True, only="proj_9")
    assert (code, answer["error"]["code"]) == (1, "project_not_found")


def test_what_nobody_changed_comes_back_byte_for_byte(
    migrate: Any, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate()
    code, told = manage(capsys, "export_file_projects", tmp_path / "out")
    assert (code, told["states"]) == (0, {"written": 2})
    assert bytes_of(tmp_path / "out") == bytes_of(store)
    assert manage(capsys, "export_file_projects", tmp_path / "out")[1]["states"] == {"unchanged": 2}


def change(project: Project, owner: User) -> None:
    """One edited, one deleted, one added, renamed, a document more."""
    first, second, _ = rows(project)
    changes = {"quantity": Decimal("7.25"), "billing": "optional", "unit": None}
    edit_position(project_id=project.pk, lineage=first.lineage, actor=owner, seen=first.pk, changes=changes)
    delete_position(project_id=project.pk, lineage=second.lineage, actor=owner, seen=second.pk)
    fields = {"description": "Navíc", "quantity": Decimal("0.3333"), "unit_price": Decimal("1.1"), "category": "own"}
    add_position(project_id=project.pk, actor=owner, fields=fields)
    change_project(project_id=project.pk, actor=owner, changes={"name": "Nová", "description": "Text"})
    upload_document(
        project_id=project.pk, actor=owner, file=ContentFile(b"%PDF-1.7 new"), filename="table.csv", kind="drawing"
    )


def test_what_was_changed_here_goes_back_with_every_field_of_its_own(
    migrate: Any, owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate()
    change(one(), owner)
    code, told = manage(capsys, "export_file_projects", tmp_path / "out", only="proj_1")
    assert (code, told["states"]) == (0, {"written": 1}), told["projects"][0].get("differences")
    written = json.loads((tmp_path / "out/proj_1/positions.json").read_text())
    assert (written["made_by"], written["total_positions"], len(written["positions"])) == ("agent 7", 3, 3)
    first, last, added = written["positions"]
    assert (first["qty"], first["mj"], first["tags"], first["confidence"]) == (7.25, None, ["x", None], 0.875)
    assert first["plumbline"]["billing"] == "optional"
    assert last == POSITIONS["positions"][2] | {"position_number": "2/2"}  # type: ignore[index]
    assert (added["description"], added["quantity"], added["plumbline"]["category"]) == ("Navíc", 0.3333, "own")
    described = json.loads((tmp_path / "out/proj_1/project.json").read_text())
    assert (described["project_name"], described["budget_kind"]) == ("Nová", 3)
    assert (tmp_path / "out/proj_1/raw/vykresy/table.csv").read_bytes() == b"%PDF-1.7 new"

    before = state()["proj_1"]
    forget_folders()
    manage(capsys, "migrate_file_projects", tmp_path / "out", owner=owner.email)
    assert state()["proj_1"] == before


def test_verifying_finds_each_figure_that_differs_and_records_it(
    migrate: Any, owner: User, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate()
    assert manage(capsys, "verify_file_projects", store)[1]["states"] == {"equal": 2}
    change(one(), owner)
    (store / "proj_1/raw/table.csv").write_bytes(b"other")
    write_folder(store, "proj_new")
    code, told = manage(capsys, "verify_file_projects", store)
    found = {row["folder"]: row for row in told["projects"]}
    assert code == 1 and found["proj_2"]["state"] == "equal"
    assert found["proj_new"]["differences"] == [{"what": "project", "only_in": "files"}]
    told_of = found["proj_1"]["differences"]
    assert {"what": "field", "field": "name", "files": "Stavba proj_1", "tables": "Nová"} in told_of
    assert {row["path"] for row in told_of if row["what"] == "file"} == {"raw/table.csv"}
    by_number = {row["number"]: row for row in told_of if row["what"] == "position"}
    assert by_number["1"]["files"]["quantity"] == 12.5 and by_number["1"]["tables"]["quantity"] == 7.25
    assert by_number["2"]["only_in"] == "files" and by_number["3"]["only_in"] == "tables"
    assert StoreDivergence.objects.get().legacy_id == "proj_1"


def test_stored_bytes_that_rotted_and_folders_that_went_are_told(
    migrate: Any, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate()
    document = Document.objects.get(original_filename="drawing.pdf")
    Path(document.file.path).write_bytes(b"rotten")
    (store / "proj_2/project.json").unlink()
    (store / "proj_2").rmdir()
    code, told = manage(capsys, "verify_file_projects", store)
    found = {row["folder"]: row for row in told["projects"]}
    assert (code, found["proj_2"]["state"]) == (1, "missing")
    assert [row["what"] for row in found["proj_1"]["differences"]] == ["document"]
    code, told = manage(capsys, "export_file_projects", store.parent / "out", only="proj_1")
    assert code == 1 and "other digest" in told["projects"][0]["error"]
    assert not (store.parent / "out/proj_1/project.json").exists()


def test_what_the_older_system_wrote_since_becomes_the_next_version(migrate: Any, store: Path) -> None:
    migrate()
    lineages = {row.number: row.lineage for row in rows(one())}
    newer = POSITIONS | {"positions": [entry(1, unit_price=110, total_price=None), entry(2, qty=3, total_price=None)]}
    write_folder(store, "proj_1", positions=newer, project={"project_id": "proj_1", "project_name": "Later"})
    code, told = migrate()
    assert (code, told["proj_1"]["state"], told["proj_2"]["state"]) == (0, "updated", "unchanged")
    project = one()
    assert (project.name, project.version_number, project.total_cost) == ("Later", 2, Decimal("1675.00"))
    assert BudgetVersion.objects.get(number=2).summary == {"added": 0, "removed": 1, "modified": 1}
    assert {row.number: row.lineage for row in rows(project)} == {n: lineages[n] for n in ("1", "2")}
    assert migrate()[1]["proj_1"]["state"] == "unchanged"


def test_a_project_changed_on_both_sides_is_left_as_it_is(migrate: Any, owner: User, store: Path) -> None:
    migrate()
    change(one(), owner)
    write_folder(store, "proj_1", positions=[entry(9)])
    before = state()
    code, told = migrate()
    assert (code, told["proj_1"]["code"]) == (1, "both_changed") and state() == before
    assert StoreDivergence.objects.get().operation == "migrate"


def test_an_export_does_not_overwrite_what_somebody_else_wrote(
    migrate: Any, owner: User, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate()
    change(one(), owner)
    positions = (store / "proj_1/positions.json").read_bytes()
    (store / "proj_1/positions.json").write_bytes(positions + b" ")
    code, told = manage(capsys, "export_file_projects", store, only="proj_1")
    assert (code, told["projects"][0]["code"]) == (1, "changed_elsewhere")
    assert (store / "proj_1/positions.json").read_bytes() == positions + b" "
    assert manage(capsys, "export_file_projects", store, only="proj_1", overwrite=True)[0] == 0
    edited = rows(one())[0]
    edit_position(project_id=one().pk, lineage=edited.lineage, actor=owner, seen=edited.pk, changes={"code": "132"})
    assert manage(capsys, "export_file_projects", store, only="proj_1")[1]["states"] == {"written": 1}
    assert manage(capsys, "verify_file_projects", store)[0] == 0


def test_projects_opened_here_get_folders_where_all_are_wanted(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = (MeasureRow("2*1,5", Decimal(3)),)
    dig = GivenPosition("1", "Výkop", "m3", Decimal(3), Decimal("29.1"), "121151113", measure=sheet)
    write_kros(tmp_path / "bill.xlsx", given_bill(dig, GivenPosition("2", "Trouba", "m", Decimal(2), None, "ab1")))
    upload(make_project(owner, "Opened here", currency="CZK"), owner, tmp_path / "bill.xlsx")
    assert manage(capsys, "export_file_projects", tmp_path / "out")[1]["projects"] == []
    code, told = manage(capsys, "export_file_projects", tmp_path / "out", all=True)
    assert (code, told["states"]) == (0, {"written": 1}), told["projects"][0].get("differences")
    before = state()
    forget_folders()
    manage(capsys, "migrate_file_projects", tmp_path / "out", owner=owner.email)
    (was,), (now,) = before.values(), state().values()
    assert now["positions"] == was["positions"] and now["project"] == was["project"]


def test_the_owner_says_which_of_several_organisations(
    migrate: Any, owner: User, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_organisation("Elsewhere")
    Membership.objects.create(user=owner, organisation=other, role=Membership.Role.MEMBER)
    code, told = manage(capsys, "migrate_file_projects", store, owner=owner.email)
    assert (code, told["error"]["code"]) == (1, "no_organisation")
    onlooker = make_user("onlooker", organisation=other, role=Membership.Role.VIEWER)
    code, told = manage(capsys, "migrate_file_projects", store, owner=onlooker.email, organisation="Elsewhere")
    assert (code, told["error"]["code"]) == (1, "organisation_not_found")
    migrate(organisation="elsewhere")
    assert one().organisation == other
