"""Positions made from a model, and the measure sheets that prove their quantities element by element."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from projects.ifc.elements import Element, rounded
from projects.ifc.makes import label_of
from projects.parsers.bill import MeasureLine

LISTED = 500  # elements by name in one sheet; the rest is one line, and listed with the elements
ESTIMATE, COUNT = "estimate", "count"


class Share(NamedTuple):
    """What one element adds to a position: `expression` gives `value`."""

    element: Element
    expression: str
    value: Decimal
    basis: str


@dataclass(slots=True)
class BuiltPosition:
    """A position as a model makes it. `key` names it through all readings of the model."""

    key: str
    section: str
    description: str
    unit: str
    quantity: Decimal | None
    reason: str = ""  # why there is no quantity, or that it is an estimate, and on what
    code: str = ""
    basis: str = ""
    assumptions: tuple[str, ...] = ()
    measure: tuple[MeasureLine, ...] = ()
    guids: list[str] = field(default_factory=list)


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def share(element: Element, name: str, *, part: Decimal = Decimal(1), whole: Decimal = Decimal(1)) -> Share | None:
    """A quantity of the element, or the part of it that some of its layers make up. None where it has none."""
    found = element.quantities.get(name)
    if found is None:
        return None
    if part == whole:
        return Share(element, plain(found.value), found.value, found.basis)
    value = rounded(found.value * part / whole)
    return Share(element, f"{plain(found.value)} * {plain(part)} / {plain(whole)}", value, found.basis)


def sheet(shares: list[Share]) -> tuple[MeasureLine, ...]:
    lines = [
        MeasureLine(f'"{label_of(one.element)[:80]} #{one.element.guid}" {one.expression}', "expression", one.value)
        for one in shares[:LISTED]
    ]
    rest = shares[LISTED:]
    if rest:
        value = total(rest)
        lines.append(MeasureLine(f'"{len(rest)} more, listed with the elements" {plain(value)}', "expression", value))
    return tuple(lines)


def total(shares: Iterable[Share]) -> Decimal:
    return sum((one.value for one in shares), Decimal(0))


def basis_of(shares: Iterable[Share]) -> str:
    return " and ".join(sorted({one.basis for one in shares}))
