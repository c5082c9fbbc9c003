"""Quantities of an element: as the file states them, else from its geometry. Each says which."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from projects.ifc.elements import GEOMETRY, STATED, UNITS, Element, Quantity, rounded
from projects.ifc.geometry import Measured

# Names in IfcElementQuantity (buildingSMART Qto_*BaseQuantities), the best first.
_STATED = {
    "volume": ("NetVolume", "Volume"),
    "area": ("NetSideArea", "NetArea", "NetFloorArea", "GrossSideArea", "GrossArea", "Area"),
    "length": ("Length", "NetLength"),
    "weight": ("NetWeight", "GrossWeight", "Weight"),
}
_GROSS_VOLUME = "GrossVolume"
_KINDS = {
    "IfcQuantityVolume": ("VolumeValue", "VOLUMEUNIT", 3),
    "IfcQuantityArea": ("AreaValue", "AREAUNIT", 2),
    "IfcQuantityLength": ("LengthValue", "LENGTHUNIT", 1),
    "IfcQuantityWeight": ("WeightValue", "MASSUNIT", 0),
}
_APART = Decimal("0.05")  # share by which what is stated and what is measured may differ unmentioned
_PLATES = ("IfcSlab", "IfcRoof", "IfcPlate", "IfcCovering", "IfcFooting", "IfcSpace", "IfcRamp", "IfcRampFlight")
_WALLS = ("IfcWall", "IfcWallStandardCase", "IfcCurtainWall", "IfcWallElementedCase")
# What may be cast: its faces are kept, for the formwork.
_CAST = (
    *_WALLS, "IfcSlab", "IfcRoof", "IfcFooting", "IfcPile", "IfcColumn", "IfcColumnStandardCase", "IfcBeam",
    "IfcBeamStandardCase", "IfcMember", "IfcStair", "IfcStairFlight", "IfcRamp", "IfcRampFlight",
)  # fmt: skip


class Units:
    """Factors from the file's units to m, m2, m3 and kg."""

    def __init__(self, model: Any) -> None:
        from ifcopenshell.util import unit

        assigned = unit.get_unit_assignment(model)
        named = {getattr(one, "UnitType", "") for one in (assigned.Units if assigned else ())}
        self.length = float(unit.calculate_unit_scale(model))
        self.warnings: list[str] = []
        if "LENGTHUNIT" not in named:
            self.warnings.append(
                "The model names no unit of length: metres are assumed. Compare the length of a wall with the drawing "
                "before you rely on any quantity."
            )
        self._scales: dict[str, float | None] = {}
        for _, kind, power in _KINDS.values():
            if kind in named:
                scale = float(unit.calculate_unit_scale(model, kind))
                self._scales[kind] = scale / 1000 if kind == "MASSUNIT" else scale  # its SI unit here is the gram
            else:
                self._scales[kind] = self.length**power if power else None

    def scale_of(self, quantity: Any, kind: str) -> float | None:
        """None for a mass where the file names no unit of mass."""
        own = getattr(quantity, "Unit", None)
        if own is None:
            return self._scales[kind]
        from ifcopenshell.util import unit

        scale = float(unit.get_unit_scale(own))
        return scale / 1000 if kind == "MASSUNIT" else scale


def stated(entity: Any, units: Units, *, only: str = "") -> dict[str, Decimal]:
    """Name in the file: value in m, m2, m3 or kg; `only` of one kind. A zero or a negative one states nothing."""
    found: dict[str, Decimal] = {}
    for relation in getattr(entity, "IsDefinedBy", None) or ():
        group = getattr(relation, "RelatingPropertyDefinition", None)
        if group is None or not group.is_a("IfcElementQuantity"):
            continue
        for quantity in group.Quantities or ():
            kind = _KINDS.get(quantity.is_a())
            if kind is None or not quantity.Name or (only and not quantity.is_a(only)):
                continue
            value, scale = getattr(quantity, kind[0]), units.scale_of(quantity, kind[1])
            if scale is not None and value is not None and 0 < value * scale < 1e12:
                found.setdefault(quantity.Name, rounded(value * scale))
    return found


def take_stated(element: Element, values: dict[str, Decimal]) -> None:
    for name, words in _STATED.items():
        value = next((values[word] for word in words if word in values), None)
        if value:
            element.quantities[name] = Quantity(value, UNITS[name], STATED)


def take_measured(element: Element, body: Measured | None, values: dict[str, Decimal]) -> None:
    """What is not stated, from the body; where both are there and differ, that is noted."""
    if body is None:
        element.notes.append("no volume: the model gives this element no body")
    else:
        _volume(element, body)
        _put(element, "area", _area(element, body))
        if element.ifc_class in _CAST:
            _put(element, "upright", body.upright)
            _put(element, "underside", body.down)
    if "volume" not in element.quantities and values.get(_GROSS_VOLUME):
        element.quantities["volume"] = Quantity(values[_GROSS_VOLUME], UNITS["volume"], STATED)
        element.notes.append("the stated volume is gross: openings are not subtracted")


def _volume(element: Element, body: Measured) -> None:
    if body.volume is None:
        if "volume" not in element.quantities:
            element.notes.append("no volume: its body is not closed, so what it holds can't be told")
        return
    measured, said = rounded(body.volume), element.value("volume")
    if said is None:
        _put(element, "volume", body.volume)
    elif abs(said - measured) > _APART * max(said, measured):
        element.notes.append(f"states {said.normalize():f} m3; its body measures {measured.normalize():f} m3")


def _put(element: Element, name: str, value: float) -> None:
    figure = rounded(value)
    if name not in element.quantities and figure > 0:
        element.quantities[name] = Quantity(figure, UNITS[name], GEOMETRY)


def _area(element: Element, body: Measured) -> float:
    """One side of what stands, the plan of what lies."""
    if element.ifc_class in _WALLS:
        return body.side
    if element.ifc_class in _PLATES:
        return max(body.plan, body.side) if element.ifc_class in ("IfcCovering", "IfcPlate") else body.plan
    return 0.0
