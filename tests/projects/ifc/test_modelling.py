"""From an uploaded model to audited positions, and what a newer model, a price or another assumption changes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import User
from projects.exceptions import Refused
from projects.models import BudgetVersion, BuildingElement, Document, Finding, Position, Project
from projects.services.documents import read_again
from projects.services.editing import delete_position, edit_position
from projects.services.modelling import change_assumptions
from projects.services.opening import change_project
from projects.services.versions import restore_version
from tests.factories.imports import run_audit, upload
from tests.factories.models import GivenElement, guid, write_model
from tests.factories.projects import make_project

# What reads a model beats its lease from another connection: see tests/interop/test_models.py
pytestmark = pytest.mark.django_db(transaction=True)

WALLS = (GivenElement(guid(1)), GivenElement(guid(2), openings=((1.0, 0.5, 2.0),)))
DOOR = GivenElement(guid(3), "IfcDoor", name="Door", type_name="0.9 x 2.1", material="", size=(0.9, 0.1, 2.1))


@pytest.fixture
def project(owner: User) -> Project:
    return make_project(owner, workflow=Project.Workflow.FROM_DRAWINGS)


def rows(project: Project) -> dict[str, Position]:
    """Current positions by code, or by description where they have none."""
    live = Position.objects.filter(project=project, removed_in=None).order_by("ordinal")
    return {row.code or row.description: row for row in live}


def quantities(project: Project) -> dict[str, Decimal | None]:
    return {name: row.quantity for name, row in rows(project).items()}


def test_a_model_becomes_audited_positions(project: Project, owner: User, tmp_path: Path) -> None:
    document = upload(project, owner, write_model(tmp_path / "house.ifc", *WALLS, DOOR))
    assert (document.parse_status, document.kind, document.file_type) == ("completed", "drawing", "ifc")
    found = quantities(project)
    assert list(found) == ["311321.IFC", "311351.IFC", "311361.IFC", "Doors: 0.9 x 2.1, Level 1"]
    assert found["311321.IFC"] == Decimal("5.5") and found["Doors: 0.9 x 2.1, Level 1"] == Decimal(1)
    assert found["311361.IFC"] == Decimal("0.605")  # 110 kg a m3
    assert Decimal(46) < (found["311351.IFC"] or 0) <= Decimal(51)  # 25.5 m2 a wall, less the hole in both sides
    first = BudgetVersion.objects.get(project=project)
    assert (first.number, first.trigger, first.total_positions) == (1, "initial", 4)

    run_audit(project)

    assert not Finding.objects.filter(project=project, rule_id="V09").exists()
    steel = Position.objects.select_related("verdict").get(pk=rows(project)["311361.IFC"].pk)
    assert steel.verdict.grade != "green" and Finding.objects.filter(position=steel, rule_id="S09").exists()
    assert (steel.origin, steel.source) == ("generated", f"IFC {guid(1)}, {guid(2)}")
    wall = BuildingElement.objects.get(project=project, guid=guid(1))
    concrete = [str(rows(project)[code].lineage) for code in ("311321.IFC", "311351.IFC", "311361.IFC")]
    assert sorted(wall.positions) == sorted(concrete)


def test_a_newer_model_takes_the_place_of_the_older_and_prices_stay(
    project: Project, owner: User, tmp_path: Path
) -> None:
    upload(project, owner, write_model(tmp_path / "1.ifc", *WALLS, DOOR))
    concrete = rows(project)["311321.IFC"]
    edit_position(
        project_id=project.pk, lineage=concrete.lineage, actor=owner, seen=concrete.pk,
        changes={"unit_price": Decimal(3000), "description": "Walls of the cellar"},
    )  # fmt: skip
    grown = GivenElement(guid(1), size=(5.0, 0.25, 3.0))
    document = upload(project, owner, write_model(tmp_path / "2.ifc", grown, WALLS[1]))

    after = rows(project)["311321.IFC"]
    assert (after.lineage, after.description) == (concrete.lineage, "Walls of the cellar")
    assert (after.quantity, after.unit_price, after.total) == (Decimal("6.25"), Decimal(3000), Decimal(18750))
    assert len(rows(project)) == 3 and BuildingElement.objects.filter(project=project).count() == 2
    model = document.extracted_data["model"]
    assert (model["added"], model["removed"], model["changed"]) == (0, 1, 1)
    newest = BudgetVersion.objects.filter(project=project).first()
    assert newest is not None and newest.trigger == "document_added"
    assert newest.summary == {"added": 0, "removed": 1, "modified": 3}


def test_the_same_building_again_changes_nothing(project: Project, owner: User, tmp_path: Path) -> None:
    upload(project, owner, write_model(tmp_path / "1.ifc", *WALLS))
    before = rows(project)
    again = write_model(tmp_path / "2.ifc", *WALLS)
    again.write_text(again.read_text().replace("DATA;", "DATA;\n/* saved again */"))
    document = upload(project, owner, again)
    assert document.parse_status == "completed" and project.version_number == 1
    assert {name: row.pk for name, row in rows(project).items()} == {name: row.pk for name, row in before.items()}
    assert {row.document_id for row in rows(project).values()} == {document.pk}


def test_another_part_of_the_building_stands_beside_the_first(project: Project, owner: User, tmp_path: Path) -> None:
    upload(project, owner, write_model(tmp_path / "1.ifc", *WALLS))
    upload(project, owner, write_model(tmp_path / "2.ifc", GivenElement(guid(7)), GivenElement(guid(8))))
    volumes = Position.objects.filter(project=project, removed_in=None, code="311321.IFC")
    assert sorted(volumes.values_list("quantity", flat=True)) == [Decimal("5.5"), Decimal(6)]
    numbers = Position.objects.filter(project=project, removed_in=None).values_list("number", flat=True)
    assert len(set(numbers)) == len(numbers) == 6


def test_a_quantity_of_a_persons_own_stays_while_the_model_says_the_same(
    project: Project, owner: User, tmp_path: Path
) -> None:
    upload(project, owner, write_model(tmp_path / "1.ifc", *WALLS))
    steel = rows(project)["311361.IFC"]
    edit_position(
        project_id=project.pk, lineage=steel.lineage, actor=owner, seen=steel.pk, changes={"quantity": Decimal("0.9")}
    )
    upload(project, owner, write_model(tmp_path / "2.ifc", *WALLS, DOOR))
    kept = rows(project)["311361.IFC"]
    assert (kept.quantity, kept.quantity_reason) == (Decimal("0.9"), "")

    document = upload(project, owner, write_model(tmp_path / "3.ifc", GivenElement(guid(1), size=(5.0, 0.25, 3.0))))
    assert rows(project)["311361.IFC"].quantity == Decimal("0.4125")
    assert any("gave way" in warning for warning in document.extracted_data["warnings"])


def test_a_priced_estimate_stays_an_estimate(project: Project, owner: User, tmp_path: Path) -> None:
    upload(project, owner, write_model(tmp_path / "1.ifc", *WALLS))
    steel = rows(project)["311361.IFC"]
    edit_position(
        project_id=project.pk, lineage=steel.lineage, actor=owner, seen=steel.pk, changes={"unit_price": Decimal(50000)}
    )
    assert rows(project)["311361.IFC"].quantity_reason.startswith("estimate: 110 kg")


def test_other_assumptions_make_the_positions_anew(project: Project, owner: User, tmp_path: Path) -> None:
    upload(project, owner, write_model(tmp_path / "1.ifc", *WALLS))
    change_assumptions(project_id=project.pk, actor=owner, values={"steel.walls": "100"}, reason="Statics")
    steel = rows(project)["311361.IFC"]
    assert steel.quantity == Decimal("0.55") and "100 kg" in steel.quantity_reason
    newest = BudgetVersion.objects.filter(project=project).first()
    assert newest is not None and newest.trigger == "recalculation"
    assert newest.trigger_details == {"assumptions": {"steel.walls": "100"}, "reason": "Statics"}
    assert newest.summary == {"added": 0, "removed": 0, "modified": 1}
    with pytest.raises(Refused) as refused:
        change_assumptions(project_id=project.pk, actor=owner, values={"steel.walls": "100"})
    assert refused.value.code == "nothing_changed"


def test_reading_an_earlier_model_again_after_its_version_was_restored(
    project: Project, owner: User, tmp_path: Path
) -> None:
    path = write_model(tmp_path / "1.ifc", *WALLS)
    upload(project, owner, path)
    row = rows(project)["311321.IFC"]
    delete_position(project_id=project.pk, lineage=row.lineage, actor=owner, seen=row.pk)
    restore_version(project_id=project.pk, number=1, actor=owner)
    assert upload(project, owner, path).parse_status == "completed"
    assert rows(project)["311321.IFC"].quantity == Decimal("5.5")


def test_a_bill_project_keeps_a_model_as_a_drawing_until_it_is_told_otherwise(owner: User, tmp_path: Path) -> None:
    project = make_project(owner)
    document = upload(project, owner, write_model(tmp_path / "1.ifc", *WALLS))
    assert (document.kind, document.parse_status, project.version_number) == ("drawing", "pending", 0)
    with pytest.raises(Refused) as refused:
        read_again(document_id=document.pk, actor=owner)
    assert refused.value.code == "not_read_here"
    change_project(project_id=project.pk, actor=owner, changes={"workflow": "workflow_b"})
    assert upload(project, owner, tmp_path / "1.ifc").parse_status == "completed"
    assert len(rows(project)) == 3


def test_a_damaged_model_is_told_and_leaves_nothing(project: Project, owner: User, tmp_path: Path) -> None:
    path = write_model(tmp_path / "1.ifc", *WALLS)
    path.write_bytes(path.read_bytes()[:-40])
    document = upload(project, owner, path)
    assert (document.parse_status, document.parse_error_code) == ("failed", "damaged")
    assert "cut short" in document.parse_error
    project.refresh_from_db()
    assert (project.version_number, project.status) == (0, "draft")
    assert not BuildingElement.objects.filter(project=project).exists()


def test_documents_of_bills_are_untouched_by_models(project: Project, owner: User, tmp_path: Path) -> None:
    upload(project, owner, write_model(tmp_path / "1.ifc", *WALLS))
    manual = Position.objects.create(
        project=project, added_in=1, ordinal=10**9, number="X1", description="By hand", content_hash="0" * 32
    )
    upload(project, owner, write_model(tmp_path / "2.ifc", WALLS[0], GivenElement(guid(2), size=(2.0, 0.25, 3.0))))
    assert Position.objects.get(pk=manual.pk).removed_in is None
    assert Document.objects.filter(project=project).count() == 2


def test_a_model_that_should_only_be_looked_at_is_refused(project: Project, owner: User, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        upload(project, owner, write_model(tmp_path / "1.ifc", *WALLS), preview_only=True)
    assert refused.value.code == "no_preview" and not Document.objects.filter(project=project).exists()
