"""Real building models: read, made into positions, audited (see docs/development.md)."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import Membership, User
from projects.ifc.container import unpacked
from projects.ifc.elements import GEOMETRY, Model
from projects.ifc.reading import read_model
from projects.models import BuildingElement, Finding, Position, Project
from tests.factories.imports import run_audit, upload
from tests.factories.people import make_organisation, make_user
from tests.factories.projects import make_project

FOLDER = Path(os.environ.get("PLUMBLINE_REAL_FILES", "/nowhere")) / "construction" / "ifc"
pytestmark = [
    pytest.mark.skipif(not FOLDER.is_dir(), reason="PLUMBLINE_REAL_FILES names no folder of real files"),
]
OPENINGS = FOLDER / "project0-openings.ifc"
DUPLEX = FOLDER / "duplex_like_sample-project.ifc.gz"


def read(path: Path, folder: Path) -> Model:
    return read_model(unpacked(path, folder), report=lambda done, total, message: None)


def volumes(model: Model) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for element in model.elements:
        quantity = element.quantities.get("volume")
        if quantity is not None:
            assert quantity.basis == GEOMETRY  # neither file states a volume
            found[element.ifc_class] = found.get(element.ifc_class, Decimal(0)) + quantity.value
    return found


def test_walls_lose_their_openings(tmp_path: Path) -> None:
    model = read(OPENINGS, tmp_path)
    assert model.schema == "IFC4"
    assert round(volumes(model)["IfcWall"], 3) == Decimal("9.152")


def test_the_sample_building_measures_as_known(tmp_path: Path) -> None:
    model = read(DUPLEX, tmp_path)
    found = volumes(model)
    assert model.schema == "IFC2X3"
    assert round(found["IfcFooting"], 2) == Decimal("16.53")
    assert round(found["IfcSlab"], 2) == Decimal("125.33")
    assert round(found["IfcWallStandardCase"], 2) == Decimal("182.09")
    party = next(e for e in model.elements if e.ifc_class == "IfcWall")
    assert party.value("volume") is None and "not closed" in party.notes[0]  # its body is open: said, not guessed
    assert model.floor_area is not None and model.floor_area.value > 400


@pytest.fixture
def owner() -> User:
    return make_user("owner", organisation=make_organisation(), role=Membership.Role.OWNER)


@pytest.mark.django_db(transaction=True)  # its reading takes as long as a heartbeat, on a connection of its own
def test_the_sample_building_becomes_an_audited_budget(owner: User) -> None:
    project = make_project(owner, workflow=Project.Workflow.FROM_DRAWINGS)
    document = upload(project, owner, DUPLEX)
    assert document.parse_status == "completed", document.parse_error
    run_audit(project)

    rows = Position.objects.filter(project=project, removed_in=None)
    concrete = rows.get(description__startswith="Footings, reinforced concrete")
    assert concrete.quantity == Decimal("16.5280") and concrete.origin == "generated"
    companions = rows.filter(code__in=["274351.IFC", "274361.IFC"]).order_by("code")
    assert [row.unit for row in companions] == ["m2", "t"]
    assert not Finding.objects.filter(project=project, rule_id="V09").exists()  # every sheet proves its quantity
    estimated = rows.filter(quantity_reason__startswith="estimate:")
    assert estimated.count() == 3
    assert set(estimated.values_list("verdict__grade", flat=True)) <= {"amber", "red", "not_checked"}
    unlinked = BuildingElement.objects.filter(project=project, positions=[])
    assert sorted(unlinked.values_list("ifc_class", flat=True)) == ["IfcRoof", "IfcStair", "IfcStair"]
