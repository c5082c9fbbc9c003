"""What is read from a building model: its elements, each with quantities that say where they are from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

STATED = "stated"  # the file says so (IfcElementQuantity)
GEOMETRY = "geometry"  # computed from the body, openings subtracted
MADE_OF_PARTS = "made of parts: they are counted, each by itself"
STEP = Decimal("0.0001")  # what a position's quantity holds
# Under these names in `Element.quantities`.
UNITS = {"volume": "m3", "area": "m2", "upright": "m2", "underside": "m2", "length": "m", "weight": "kg"}


class Quantity(NamedTuple):
    """In m, m2, m3 or kg, rounded to four digits."""

    value: Decimal
    unit: str
    basis: str  # STATED | GEOMETRY


class Layer(NamedTuple):
    material: str
    thickness_m: Decimal


@dataclass(slots=True)
class Element:
    """One element. `notes`: what could not be had and why, in words for people; nothing is left out silently."""

    guid: str
    ifc_class: str
    name: str = ""
    type_name: str = ""
    storey: str = ""
    predefined_type: str = ""
    material: str = ""  # all of them, comma-separated
    layers: tuple[Layer, ...] = ()
    quantities: dict[str, Quantity] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def is_made_of_parts(self) -> bool:
        """Counted by its parts, which are elements of their own."""
        return MADE_OF_PARTS in self.notes

    def value(self, name: str) -> Decimal | None:
        found = self.quantities.get(name)
        return found.value if found else None


class FloorArea(NamedTuple):
    """The building's floor area in m2; `source` says whose areas were summed."""

    value: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Model:
    schema: str
    elements: list[Element]
    storeys: list[str]  # from the lowest
    floor_area: FloorArea | None
    warnings: list[str]


def rounded(value: float | Decimal) -> Decimal:
    """A measurement as a figure of four digits. Geometry is computed in floats; from here on it is exact."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    return exact.quantize(STEP, ROUND_HALF_UP)


def natural(names: Iterable[str]) -> list[str]:
    """Each name once, in the order of its first appearance."""
    return list(dict.fromkeys(name for name in names if name))
