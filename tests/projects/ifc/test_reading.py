"""Elements and their quantities: stated or from geometry, in m, m2 and m3 whatever the file's units."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from projects.ifc.container import unpacked
from projects.ifc.elements import GEOMETRY, STATED, Element, Model
from projects.ifc.reading import read_model
from projects.parsers.bill import ParseError
from tests.factories.models import FOOT, GivenElement, guid, write_model


def read(path: Path) -> Model:
    return read_model(unpacked(path, path.parent), report=lambda done, total, message: None)


def one(path: Path) -> Element:
    (element,) = read(path).elements
    return element


@pytest.mark.parametrize("schema", ["IFC2X3", "IFC4"])
@pytest.mark.parametrize("scale", [1.0, 0.001, FOOT], ids=["metres", "millimetres", "feet"])
def test_a_wall_is_measured_without_its_opening(tmp_path: Path, schema: str, scale: float) -> None:
    wall = GivenElement(guid(1), openings=((1.0, 0.5, 2.0),))
    element = one(write_model(tmp_path / "m.ifc", wall, schema=schema, scale=scale))
    assert element.quantities["volume"] == (Decimal("2.5000"), "m3", GEOMETRY)  # 4 x 0.25 x 3 less 1 x 0.25 x 2
    assert element.quantities["area"] == (Decimal("10.0000"), "m2", GEOMETRY)
    assert (element.storey, element.material) == ("Level 1", "Concrete C25/30")


@pytest.mark.parametrize("scale", [1.0, 0.001], ids=["metres", "millimetres"])
def test_what_the_model_states_counts_and_a_difference_is_noted(tmp_path: Path, scale: float) -> None:
    wall = GivenElement(guid(1), stated={"NetVolume": 2.8, "NetSideArea": 11.0, "Length": 4.0})
    element = one(write_model(tmp_path / "m.ifc", wall, scale=scale))
    assert element.quantities["volume"] == (Decimal("2.8000"), "m3", STATED)
    assert element.quantities["area"] == (Decimal("11.0000"), "m2", STATED)
    assert element.quantities["length"] == (Decimal("4.0000"), "m", STATED)
    assert element.notes == ["states 2.8 m3; its body measures 3 m3"]


def test_a_model_without_a_unit_of_length_says_that_metres_are_assumed(tmp_path: Path) -> None:
    model = read(write_model(tmp_path / "m.ifc", GivenElement(guid(1)), has_units=False))
    assert model.elements[0].value("volume") == Decimal(3)
    assert any("names no unit of length" in warning for warning in model.warnings)
    assert not read(write_model(tmp_path / "n.ifc", GivenElement(guid(1)))).warnings[1:]


def test_elements_that_share_an_identity_are_counted_once_and_the_others_told(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.ifc", GivenElement(guid(1)), GivenElement(guid(2)))
    path.write_text(path.read_text().replace(guid(2), guid(1)))
    model = read(path)
    assert len(model.elements) == 1
    assert any("1 IfcWall left out" in warning for warning in model.warnings)


def test_an_element_without_a_body_is_there_and_says_so(tmp_path: Path) -> None:
    model = read(write_model(tmp_path / "m.ifc", GivenElement(guid(1), size=None), GivenElement(guid(2))))
    bodiless, wall = model.elements
    assert bodiless.quantities == {} and bodiless.notes == ["no volume: the model gives this element no body"]
    assert wall.value("volume") == Decimal(3)
    assert any("1 IfcWall: no volume" in warning for warning in model.warnings)


def test_a_gross_volume_counts_only_where_nothing_else_is_known(tmp_path: Path) -> None:
    stated = {"GrossVolume": 3.0}
    path = write_model(
        tmp_path / "m.ifc",
        GivenElement(guid(1), size=None, stated=stated),
        GivenElement(guid(2), stated=stated, openings=((1.0, 0.5, 2.0),)),
    )
    bodiless, wall = read(path).elements
    assert bodiless.value("volume") == Decimal(3) and "gross" in bodiless.notes[-1]
    assert wall.quantities["volume"] == (Decimal("2.5000"), "m3", GEOMETRY)


def test_layers_and_storeys_come_along(tmp_path: Path) -> None:
    wall = GivenElement(guid(1), layers=(("Brick", 0.1), ("Concrete", 0.15)), storey="Level 2")
    model = read(write_model(tmp_path / "m.ifc", GivenElement(guid(2)), wall, scale=0.001))
    assert model.storeys == ["Level 1", "Level 2"]
    layered = next(element for element in model.elements if element.layers)
    assert [(layer.material, layer.thickness_m) for layer in layered.layers] == [
        ("Brick", Decimal("0.1000")),
        ("Concrete", Decimal("0.1500")),
    ]


def test_a_model_without_elements_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="no building elements") as refused:
        read(write_model(tmp_path / "m.ifc"))
    assert refused.value.code == "no_elements"


def test_a_damaged_data_section_is_refused_or_said(tmp_path: Path) -> None:
    """Lines that are no entities: the parser gives up, or gives what is left; never an unexplained error."""
    path = write_model(tmp_path / "m.ifc", GivenElement(guid(1)))
    head = path.read_text().partition("DATA;")[0]
    path.write_text(head + "DATA;\n#1=IFCWALL(((((;\nnonsense\nENDSEC;\nEND-ISO-10303-21;\n")
    with pytest.raises(ParseError) as refused:
        read(path)
    assert refused.value.code in ("damaged", "no_elements")
