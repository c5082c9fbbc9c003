"""Elements to positions: groups, companions, sheets that prove, estimates that say so."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from projects.audit.measure import evaluate_sheet
from projects.ifc.assumptions import BY_KEY, Assumptions
from projects.ifc.elements import GEOMETRY, MADE_OF_PARTS, Element, Layer, Quantity
from projects.ifc.makes import label_of, make_of
from projects.ifc.positions import build_positions
from projects.ifc.sheets import ESTIMATE, LISTED, BuiltPosition

D = Decimal
TABLE = Assumptions.with_own({})
UNITS = {"volume": "m3", "area": "m2", "upright": "m2", "underside": "m2"}


def element(number: int = 1, ifc_class: str = "IfcWall", material: str = "Concrete", **values: Any) -> Element:
    """3 m3 of a wall, 12 m2 a side."""
    figures = values.pop("figures", {"volume": "3", "area": "12", "upright": "25.5", "underside": "1"})
    quantities = {name: Quantity(D(value), UNITS[name], GEOMETRY) for name, value in figures.items()}
    fields = {"name": "W", "type_name": "W250", "storey": "Level 1", "material": material} | values
    return Element(f"{number:022d}", ifc_class, quantities=quantities, **fields)


def build(*elements: Element, assumptions: Assumptions = TABLE) -> list[BuiltPosition]:
    return build_positions(elements, assumptions=assumptions, storeys=["Level 1", "Level 2"])


def test_concrete_brings_formwork_and_reinforcement() -> None:
    concrete, formwork, steel = build(element(1), element(2))
    assert (concrete.quantity, concrete.unit, concrete.code) == (D(6), "m3", "311321.IFC")
    assert (formwork.quantity, formwork.unit, formwork.code, formwork.basis) == (D(51), "m2", "311351.IFC", GEOMETRY)
    assert (steel.quantity, steel.unit, steel.code, steel.basis) == (D("0.66"), "t", "311361.IFC", ESTIMATE)
    assert steel.reason == "estimate: 110 kg of steel to a m3 of walls (usual: 70 to 150)"
    assert not concrete.reason and not formwork.reason
    assert concrete.guids == formwork.guids == steel.guids == [f"{1:022d}", f"{2:022d}"]


def test_plain_concrete_takes_no_steel_and_masonry_nothing() -> None:
    assert [one.code for one in build(element(material="Plain concrete"))] == ["311311.IFC", "311351.IFC"]
    (wall,) = build(element(material="Brick"))
    assert (wall.code, wall.unit, wall.quantity) == ("", "m3", D(3))


def test_formwork_without_faces_is_an_estimate_by_the_volume() -> None:
    _, formwork, _ = build(element(figures={"volume": "3"}))
    assert (formwork.quantity, formwork.basis) == (D(24), ESTIMATE)
    assert formwork.reason.startswith("estimate: 8 m2 of formwork to a m3 of walls")


def test_slabs_are_held_from_below_and_those_on_the_ground_are_not() -> None:
    figures = {"volume": "10", "area": "50", "upright": "6", "underside": "50"}
    hanging = build(element(ifc_class="IfcSlab", figures=figures, type_name="Slab 200"))
    lying = build(element(ifc_class="IfcSlab", figures=figures, type_name="Slab on grade"))
    assert [one.quantity for one in hanging if one.unit == "m2"] == [D(56)]
    assert [one.quantity for one in lying if one.unit == "m2"] == [D(6)]
    assert lying[0].code == "273321.IFC"


def test_of_layers_only_the_bearing_ones_are_counted() -> None:
    layers = (Layer("Brick", D("0.1")), Layer("Air space", D("0.05")), Layer("Masonry - Block", D("0.15")))
    (wall,) = build(element(layers=layers, figures={"volume": "3"}))
    assert "masonry" in wall.description and wall.quantity == D("2.5")


def test_what_is_counted_is_counted_by_type() -> None:
    doors = [element(n, "IfcDoor", name="D", type_name="0.9 x 2.1") for n in (1, 2)]
    (position,) = build(*doors)
    assert (position.quantity, position.unit, position.description) == (D(2), "pcs", "Doors: 0.9 x 2.1, Level 1")


def test_what_can_not_be_measured_stands_without_a_quantity() -> None:
    note = "no volume: the model gives this element no body"
    measured, missing, *_ = build(element(1), element(2, figures={}, notes=[note]))
    assert measured.quantity == D(3)
    assert (missing.quantity, missing.reason) == (None, f"1 element: {note}")


def test_every_element_is_counted_unless_its_parts_are() -> None:
    elements = [
        element(n, ifc_class)
        for n, ifc_class in enumerate(
            ("IfcWall", "IfcDoor", "IfcFlowSegment", "IfcRailing", "IfcPlate", "IfcMember"), 1
        )
    ]
    whole = element(9, "IfcRoof", figures={}, notes=[MADE_OF_PARTS])
    counted = {guid for position in build(*elements, whole) for guid in position.guids}
    assert counted == {one.guid for one in elements}


def test_footings_without_a_material_are_concrete_by_assumption_and_say_so() -> None:
    concrete, *_ = build(element(ifc_class="IfcFooting", material="", type_name="900 x 300"))
    assert concrete.reason.startswith("assumed:") and concrete.assumptions == ("concrete.footings",)
    (unknown,) = build(
        element(ifc_class="IfcFooting", material="", type_name="900 x 300"),
        assumptions=Assumptions.with_own({"concrete.footings": "0"}),
    )
    assert "material not stated" in unknown.description


def test_a_project_without_storeys_has_one_position_for_all() -> None:
    walls = (element(1), element(2, storey="Level 2"))
    assert len(build(*walls)) == 6
    whole = build(*walls, assumptions=Assumptions.with_own({"grouping.by_storey": "0"}))
    assert [one.quantity for one in whole] == [D(6), D(51), D("0.66")]


def test_every_sheet_proves_its_quantity() -> None:
    layers = (Layer("Concrete", D("0.2")), Layer("Insulation", D("0.1")))
    many = [element(n, figures={"volume": f"1.{n:04d}", "upright": "3.3333"}) for n in range(1, LISTED + 50)]
    for position in build(*many, element(9999, layers=layers), element(9998, "IfcBeam", "Steel S355")):
        assert position.quantity is not None
        sheet = evaluate_sheet(position.measure, {})
        assert not sheet.problem and len(position.measure) <= LISTED + 1
        assert (
            min(abs(value - position.quantity) for value in sheet.candidates) < D("0.0015") + position.quantity / 10000
        )


def test_names_do_not_break_the_sheet() -> None:
    for name in ('Wall "A"', "Wall: 12,5 = {x}", "Zeď „nosná“", "1+1", "a'b"):
        (position,) = build(element(material="Brick", type_name=name))
        assert evaluate_sheet(position.measure, {}).candidates == (D(3),)


def test_keys_differ_and_do_not_depend_on_the_order() -> None:
    elements = [element(1), element(2, storey="Level 2"), element(3, "IfcDoor"), element(4, material="Brick")]
    keys = [one.key for one in build(*elements)]
    assert len(set(keys)) == len(keys)
    assert [one.key for one in build(*reversed(elements))] == keys


@pytest.mark.parametrize(
    ("material", "make"),
    [
        ("Masonry - Concrete Block", "masonry"),
        ("Železobeton C30/37", "reinforced concrete"),
        ("Stahlbeton", "reinforced concrete"),
        ("Metal - Stud Layer", "lightweight"),
        ("Wood - Flooring", "finish"),
        ("Ocel S235", "steel"),
        ("Prostý beton", "plain concrete"),
        ("Unknown", "material not stated"),
    ],
)
def test_materials_are_known_by_their_words(material: str, make: str) -> None:
    assert make_of(element(material=material, type_name="T"), TABLE).name == make


def test_labels_leave_out_what_programs_append() -> None:
    assert label_of(element(type_name="Basic Wall:Brick:128360")) == "Basic Wall:Brick"
    assert label_of(element(name="M_Fixed:800mm:800mm:1234567", type_name="800mm")) == "M_Fixed:800mm"


@pytest.mark.parametrize(
    ("key", "value"), [("steel.walls", "x"), ("steel.walls", "-1"), ("steel.walls", "NaN"), ("nothing", "1")]
)
def test_assumptions_that_can_not_be_are_refused(key: str, value: str) -> None:
    with pytest.raises(ValueError):
        Assumptions.with_own({key: value})


def test_a_value_equal_to_the_table_is_the_tables() -> None:
    own = Assumptions.with_own({"steel.walls": "110,0", "steel.slabs": "95,5"})
    assert own.as_json() == {"steel.slabs": "95.5"}
    assert all(one.source for one in BY_KEY.values())
