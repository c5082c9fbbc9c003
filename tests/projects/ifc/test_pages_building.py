"""Pages and API of the building: elements, ratio profile, assumptions; who may see them, how many queries they take."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from jobs.models import Job
from projects.models import BuildingElement, Document, Position, Project
from tests.factories.models import guid
from tests.factories.projects import make_document, make_positions, make_project
from tests.projects.pages import HTMX, queries, signed_in, url

pytestmark = pytest.mark.django_db
MODEL = {"storeys": ["Cellar", "Level 1"], "floor_area_m2": "120.5", "floor_area_source": "as stated", "elements": 2}


@pytest.fixture
def project(owner: User) -> Project:
    return make_project(owner, workflow=Project.Workflow.FROM_DRAWINGS)


@pytest.fixture
def document(project: Project) -> Document:
    return make_document(
        project, "house.ifc", kind="drawing", file_type="ifc", parser="ifc", extracted_data={"model": MODEL}
    )


def make_elements(document: Document, how_many: int, **fields: Any) -> list[BuildingElement]:
    before = BuildingElement.objects.count()
    values: dict[str, Any] = {
        "project": document.project,
        "document": document,
        "ifc_class": "IfcWall",
        "name": "Wall",
        "type_name": "W250",
        "storey": "Level 1",
        "material": "Concrete",
        "quantities": {"volume": ["2.5", "m3", "geometry"], "area": ["10", "m2", "stated"]},
    } | fields
    return BuildingElement.objects.bulk_create(
        [BuildingElement(guid=guid(before + n), **values) for n in range(1, how_many + 1)]
    )


def make_generated(document: Document) -> Position:
    (position,) = make_positions(
        document.project, 1, document=document, origin="generated", code="311361.IFC", unit="t",
        quantity_reason="estimate: 110 kg of steel to a m3 of walls (usual: 70 to 150)",
        enrichment={
            "model": {"key": "k", "basis": "estimate", "is_estimate": True, "assumptions": [], "guids": [guid(1)]}
        },
    )  # fmt: skip
    make_elements(document, 1, positions=[str(position.lineage)])
    return position


PAGES = ("building", "profile-json", "assumptions")


@pytest.mark.parametrize("name", PAGES)
def test_strangers_find_nothing(project: Project, document: Document, stranger: User, name: str) -> None:
    make_elements(document, 1)
    assert signed_in(stranger).get(url(name, project.pk)).status_code == 404
    assert signed_in(stranger).get(url("element", project.pk, guid(1))).status_code == 404


@pytest.mark.parametrize("address", ["building", f"elements/{guid(1)}", "elements"])
def test_the_api_shows_strangers_nothing(
    project: Project, document: Document, owner: User, stranger: User, address: str
) -> None:
    make_elements(document, 1)
    full = f"/api/projects/{project.pk}/{address}"
    assert signed_in(stranger).get(full).status_code == 404
    assert signed_in(owner).get(full).status_code == 200


def test_elements_are_summed_by_class_and_filtered(project: Project, document: Document, owner: User) -> None:
    make_elements(document, 3)
    make_elements(document, 1, ifc_class="IfcSlab", storey="Cellar", quantities={}, notes=["no volume: no body"])
    client = signed_in(owner)
    whole = client.get(url("building", project.pk)).content.decode()
    assert "7.5" in whole and "IfcSlab" in whole and "120.5" in whole
    response = client.get(url("building", project.pk) + "?class=IfcSlab&storey=at:Cellar&unmeasured=yes", headers=HTMX)
    assert [one.ifc_class for one in response.context["page"].object_list] == ["IfcSlab"]
    assert response.context["shown_sums"][0]["unmeasured"] == 1
    nothing = client.get(url("building", project.pk) + "?q=nowhere&position=nonsense&page=x")
    assert nothing.status_code == 200 and b"No element matches" in nothing.content


@pytest.mark.parametrize("name", ["building"])
def test_queries_do_not_grow_with_the_elements(project: Project, document: Document, owner: User, name: str) -> None:
    make_elements(document, 1)
    client = signed_in(owner)
    address = url(name, project.pk)
    few = queries(client, address)
    make_elements(document, 49)
    assert queries(client, address) <= few <= 25


def test_api_queries_do_not_grow_with_the_elements(project: Project, document: Document, owner: User) -> None:
    make_elements(document, 1)
    client = signed_in(owner)
    address = f"/api/projects/{project.pk}/elements"
    few = queries(client, address)
    make_elements(document, 49)
    assert queries(client, address) <= few
    told = client.get(address, {"ifc_class": "IfcWall", "storey": "Level 1"}).json()["results"][0]
    assert told["quantities"]["area"] == {"value": "10", "unit": "m2", "basis": "stated"}


def test_an_element_names_its_positions_and_a_position_its_elements(
    project: Project, document: Document, owner: User
) -> None:
    position = make_generated(document)
    client = signed_in(owner)
    of_element = client.get(url("element", project.pk, guid(1))).content.decode()
    assert url("position", project.pk, position.lineage) in of_element and "Computed from its geometry" in of_element
    of_position = client.get(url("position", project.pk, position.lineage)).content.decode()
    assert url("element", project.pk, guid(1)) in of_position
    assert "estimate: 110 kg" in of_position and "Estimate: 110 kg" in of_position
    narrowed = client.get(url("building", project.pk) + f"?position={position.lineage}")
    assert narrowed.context["page"].paginator.count == 1
    missing = client.get(url("element", project.pk, guid(999)))
    assert missing.status_code == 404


def test_the_profile_compares_with_the_usual_ranges(project: Project, document: Document, owner: User) -> None:
    rows = [("311321.IFC", "m3", 10), ("311351.IFC", "m2", 80), ("311361.IFC", "t", 3)]
    for code, unit, quantity in rows:
        make_positions(project, 1, document=document, code=code, unit=unit, quantity=quantity, catalogue="")
    make_elements(document, 1)
    told = signed_in(owner).get(url("profile-json", project.pk)).json()["ratios"]
    ratios = {row["key"]: (row["value"], row["state"]) for row in told}
    assert ratios["steel.walls"] == ("300.000", "high")  # usual: 70 to 150 kg/m3
    assert ratios["formwork.walls"] == ("8.000", "usual")
    assert ratios["concrete.floor"] == ("0.083", "low")
    api = signed_in(owner).get(f"/api/projects/{project.pk}/building").json()
    assert api["floor_area_m2"] == "120.5000" and len(api["ratios"]) == len(told)
    assert {row["key"] for row in api["assumptions"]} >= {"steel.walls", "grouping.by_storey"}
    assert b"Ratio profile" in signed_in(owner).get(url("building", project.pk)).content


def test_a_ratio_that_was_assumed_never_looks_usual(project: Project, document: Document, owner: User) -> None:
    make_positions(project, 1, document=document, code="311321.IFC", unit="m3", quantity=10, catalogue="")
    reason = "estimate: 110 kg of steel to a m3 of walls (usual: 70 to 150)"
    make_positions(
        project, 1, document=document, code="311361.IFC", unit="t", quantity="1.1", catalogue="", quantity_reason=reason
    )
    told = signed_in(owner).get(url("profile-json", project.pk)).json()["ratios"]
    steel = next(row for row in told if row["key"] == "steel.walls")
    assert (steel["value"], steel["state"]) == ("110.000", "assumed")


def test_a_budget_without_concrete_has_no_profile(owner: User) -> None:
    project = make_project(owner)
    assert signed_in(owner).get(url("profile-json", project.pk)).json() == {"ratios": []}
    assert b"Nothing known of the building yet" in signed_in(owner).get(url("building", project.pk)).content


def test_assumptions_are_shown_with_their_sources_and_changed(project: Project, owner: User) -> None:
    client = signed_in(owner)
    address = url("assumptions", project.pk)
    shown = client.get(address).content.decode()
    assert "EN 1991-1-1" in shown and 'value="7850"' in shown
    values = {"steel.walls": "95,5", "grouping.by_storey": "1", "concrete.footings": "1", "density.steel": "7850"}
    assert client.post(address, values).status_code == 302
    project.refresh_from_db()
    assert project.assumptions == {"steel.walls": "95.5"}
    refused = client.post(address, values | {"steel.walls": "many"})
    assert refused.status_code == 400 and b"not a number" in refused.content


def test_viewers_may_look_at_assumptions_only(project: Project, viewer: User) -> None:
    client = signed_in(viewer)
    assert client.get(url("assumptions", project.pk)).status_code == 200
    assert client.post(url("assumptions", project.pk), {"steel.walls": "90"}).status_code == 403


def test_a_dropped_model_opens_a_project_of_its_kind(owner: User) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("house.ifc", b"ISO-10303-21;\nHEADER;\nEND-ISO-10303-21;\n")
    assert signed_in(owner).post(reverse("projects:drop"), {"file": file}).status_code == 302
    project = Project.objects.get(name="house")
    assert project.workflow == Project.Workflow.FROM_DRAWINGS
    assert Job.objects.get(subject_id=project.pk).kind == "projects.read_model"


def test_a_model_in_a_bill_project_is_kept_and_said(owner: User) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    project = make_project(owner)
    file = SimpleUploadedFile("house.ifc", b"ISO-10303-21;\nHEADER;\nEND-ISO-10303-21;\n")
    client = signed_in(owner)
    told = client.post(url("upload", project.pk), {"file": file}, headers={"Accept": "application/json"}).json()
    assert "kept as a drawing" in told["message"]
    assert b"Kept as a drawing" in client.get(url("documents", project.pk)).content
    assert not Job.objects.filter(subject_id=project.pk).exists()
