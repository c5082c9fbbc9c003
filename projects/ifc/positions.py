"""Elements to budget positions: grouped by what they are, are made of, their type and storey; each with its sheet."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from projects.ifc.assumptions import Assumptions
from projects.ifc.companions import CONCRETES, companions, family_of
from projects.ifc.elements import Element
from projects.ifc.makes import (
    COUNTED,
    FINISH,
    LIGHT,
    PLAIN,
    STEEL,
    STRUCTURE,
    TIMBER,
    UNKNOWN,
    Make,
    kind_of,
    label_of,
    make_of,
)
from projects.ifc.sheets import COUNT, BuiltPosition, Share, basis_of, plain, share, sheet, total

SECTIONS = (
    "footings", "walls", "columns", "slabs", "beams", "stairs", "roofs", "members", "plates", "curtain walls",
    "coverings", "railings", "doors", "windows", "furniture", "other",
)  # fmt: skip
_SURFACES = frozenset({"walls", "slabs", "roofs", "coverings", "plates", "curtain walls"})
_REASON = 120


class Group(NamedTuple):
    kind: str
    make: str
    label: str
    storey: str


class Member(NamedTuple):
    element: Element
    make: Make


def build_positions(
    elements: Sequence[Element], *, assumptions: Assumptions, storeys: Sequence[str] = ()
) -> list[BuiltPosition]:
    """In the order of the building: by kind of element, then storey from the lowest, then type. Concrete is followed
    by its formwork and reinforcement. Every element is in one position at least, or made of parts that are."""
    groups: dict[Group, list[Member]] = {}
    by_storey = assumptions.is_on("grouping.by_storey")
    for element in elements:
        if element.is_made_of_parts:
            continue
        make = make_of(element, assumptions)
        group = Group(kind_of(element), make.name, label_of(element), element.storey if by_storey else "")
        groups.setdefault(group, []).append(Member(element, make))
    height = {name: place for place, name in enumerate(storeys)}
    ordered = sorted(groups, key=lambda g: (SECTIONS.index(g.kind), height.get(g.storey, -1), g.storey, g[1:3]))
    built: list[BuiltPosition] = []
    for kind in SECTIONS:
        of_kind = [group for group in ordered if group.kind == kind]
        for group in of_kind:
            built.extend(_of_group(group, groups[group], assumptions))
        cast = [(group.storey, groups[group]) for group in of_kind if group.make in CONCRETES]
        built.extend(companions(kind, section_of(kind), cast, assumptions))
    return built


def section_of(kind: str) -> str:
    return f"{SECTIONS.index(kind) + 1} {kind.capitalize()}"


def _of_group(group: Group, members: list[Member], assumptions: Assumptions) -> list[BuiltPosition]:
    """Those that can be measured, and those that can't: they stand in the budget without a quantity."""
    unit, name = _measured_by(group, members)
    if name == COUNT:
        shares = [Share(member.element, "1", Decimal(1), COUNT) for member in members]
    else:
        shares = [one for member in members if (one := _share(member, name, assumptions)) is not None]
    there = {one.element.guid for one in shares}
    missing = [member.element for member in members if member.element.guid not in there]
    built = []
    if shares:
        built.append(_position(group, members, shares, unit, assumptions))
    if missing:
        built.append(_unmeasured(group, missing, unit))
    return built


def _measured_by(group: Group, members: list[Member]) -> tuple[str, str]:
    """(unit, name of the quantity)."""
    kind, make = group.kind, group.make
    if kind == "railings" and any("length" in member.element.quantities for member in members):
        return "m", "length"
    if kind in COUNTED:
        return "pcs", COUNT
    if kind in ("coverings", "plates", "curtain walls"):
        return ("t", "weight") if make == STEEL else ("m2", "area")
    if make == STEEL:
        return "t", "weight"
    if kind == "stairs" and make not in CONCRETES:
        return "pcs", COUNT
    if kind in _SURFACES and make in (TIMBER, LIGHT, FINISH):
        return "m2", "area"
    return "m3", "volume"


def _share(member: Member, name: str, assumptions: Assumptions) -> Share | None:
    element, make = member
    if name == "weight":
        found = element.quantities.get("weight")
        if found is not None:
            return Share(element, f"{plain(found.value)} / 1000", found.value / 1000, found.basis)
        body = share(element, "volume", part=make.part, whole=make.whole)
        density = assumptions.value("density.steel")
        if body is None:
            return None
        return Share(element, f"{body.expression} * {plain(density)} / 1000", body.value * density / 1000, body.basis)
    if name == "volume":
        return share(element, name, part=make.part, whole=make.whole)
    return share(element, name)


def _position(
    group: Group, members: list[Member], shares: list[Share], unit: str, assumptions: Assumptions
) -> BuiltPosition:
    assumed = sorted({member.make.assumed for member in members if member.make.assumed})
    used = (*assumed, *(("density.steel",) if unit == "t" else ()))
    code = ""
    if group.make in CONCRETES and group.kind in STRUCTURE:
        code = family_of(members[0].element).code("31" if group.make == PLAIN else "32")
    return BuiltPosition(
        key=_key(group),
        section=section_of(group.kind),
        description=_description(group),
        unit=unit,
        quantity=total(shares).quantize(Decimal("0.0001")),
        reason="assumed: the model names no material; concrete is taken for granted"[:_REASON] if assumed else "",
        code=code,
        basis=basis_of(shares),
        assumptions=used,
        measure=sheet(shares),
        guids=[one.element.guid for one in shares],
    )


def _unmeasured(group: Group, elements: list[Element], unit: str) -> BuiltPosition:
    reasons = [note for element in elements for note in element.notes if note.startswith("no volume")]
    why = reasons[0] if reasons else "the model gives no quantity"
    number = f"{len(elements)} element{'s' if len(elements) > 1 else ''}"
    return BuiltPosition(
        key=f"{_key(group)}|unmeasured",
        section=section_of(group.kind),
        description=f"{_description(group)} ({number} that can't be measured)",
        unit=unit,
        quantity=None,
        reason=f"{number}: {why}"[:_REASON],
        guids=[element.guid for element in elements],
    )


def _key(group: Group) -> str:
    return "|".join((*group[:3], group.storey))


def _description(group: Group) -> str:
    """ "Walls, masonry: Exterior brick on block, Level 1"."""
    what = group.kind.capitalize() if group.kind != "other" else "Other elements"
    of_it = f", {group.make}" if group.make != UNKNOWN or group.kind in STRUCTURE else ""
    return f"{what}{of_it}{f': {group.label}' if group.label else ''}{f', {group.storey}' if group.storey else ''}"
