"""What concrete brings with it: formwork, from its faces where it has any, and reinforcement, always an estimate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from projects.ifc.assumptions import BY_KEY, Assumptions
from projects.ifc.elements import Element
from projects.ifc.makes import CONCRETE, PLAIN, STRUCTURE, is_foundation, is_on_ground, kind_of
from projects.ifc.sheets import ESTIMATE, BuiltPosition, Share, basis_of, plain, share, sheet, total

if TYPE_CHECKING:
    from projects.ifc.positions import Member

CONCRETES = (CONCRETE, PLAIN)
# Held from below by what is under them: the ground, or the storey's slab.
_STANDING = frozenset({"footings", "walls", "columns"})
_FAMILIES = {"footings": "275", "walls": "311", "columns": "331", "slabs": "411", "beams": "413", "stairs": "430"}


class Family(NamedTuple):
    """A group of works as the structure of CS ÚRS has it: three digits; a code here is no item of that catalogue."""

    digits: str
    words: str
    kind: str  # whose ratios hold

    def code(self, part: str) -> str:
        """`part`: 31 plain, 32 reinforced concrete, 35 formwork, 36 reinforcement. The suffix says where it is from."""
        return f"{self.digits}{part}1.IFC"


def family_of(element: Element) -> Family:
    kind = kind_of(element)
    if kind == "slabs" and is_on_ground(element):
        return Family("273", "slabs on the ground", "footings")
    if kind == "footings" and element.predefined_type == "STRIP_FOOTING":
        return Family("274", "strip footings", "footings")
    if kind == "walls" and is_foundation(element):
        return Family("279", "foundation walls", "walls")
    return Family(_FAMILIES[kind], kind, kind)


def companions(
    kind: str, section: str, cast: Iterable[tuple[str, Sequence[Member]]], assumptions: Assumptions
) -> list[BuiltPosition]:
    """Formwork and reinforcement of the concrete of one kind, by storey and family: (storey, its members) each."""
    if kind not in STRUCTURE:
        return []
    gathered: dict[tuple[str, Family], list[Member]] = {}
    for storey, members in cast:
        for member in members:
            gathered.setdefault((storey, family_of(member.element)), []).append(member)
    built: list[BuiltPosition] = []
    for (storey, family), members in gathered.items():
        built.extend(_formwork(section, storey, family, members, assumptions))
        steel = _steel(section, storey, family, members, assumptions)
        built.extend([steel] if steel else [])
    return built


def _faces(element: Element, family: Family) -> Share | None:
    """Upright faces, and what hangs over nothing."""
    upright = share(element, "upright")
    if family.kind in _STANDING or upright is None:
        return upright
    below = share(element, "underside")
    if below is None:
        return upright
    return Share(element, f"{upright.expression} + {below.expression}", upright.value + below.value, upright.basis)


def _formwork(
    section: str, storey: str, family: Family, members: list[Member], assumptions: Assumptions
) -> list[BuiltPosition]:
    measured = [one for member in members if (one := _faces(member.element, family)) is not None]
    there = {one.element.guid for one in measured}
    key = f"formwork.{family.kind}"
    rate = assumptions.value(key)
    guessed = [
        one for member in members if member.element.guid not in there and (one := _by_volume(member, rate)) is not None
    ]
    built = []
    if measured:
        built.append(_position("formwork", section, storey, family, measured, basis=basis_of(measured)))
    if guessed:
        position = _position("formwork", section, storey, family, guessed, basis=ESTIMATE)
        position.key += "|estimate"
        position.description += " (by the m3)"
        position.assumptions, position.reason = (key,), _reason(rate, "m2 of formwork", key, family)
        built.append(position)
    return built


def _steel(
    section: str, storey: str, family: Family, members: list[Member], assumptions: Assumptions
) -> BuiltPosition | None:
    key = f"steel.{family.kind}"
    rate = assumptions.value(key)
    reinforced = [member for member in members if member.make.name == CONCRETE]
    shares = [one for member in reinforced if (one := _by_volume(member, rate, per=1000)) is not None]
    if not shares or not rate:
        return None
    position = _position("reinforcement", section, storey, family, shares, basis=ESTIMATE)
    position.assumptions, position.reason = (key,), _reason(rate, "kg of steel", key, family)
    return position


def _by_volume(member: Member, rate: Decimal, *, per: int = 1) -> Share | None:
    body = share(member.element, "volume", part=member.make.part, whole=member.make.whole)
    if body is None or not rate:
        return None
    expression = f"{body.expression} * {plain(rate)}" + (f" / {per}" if per != 1 else "")
    return Share(member.element, expression, body.value * rate / per, ESTIMATE)


def _reason(rate: Decimal, what: str, key: str, family: Family) -> str:
    known = BY_KEY[key]
    usual = f" (usual: {plain(known.low)} to {plain(known.high)})" if known.low is not None and known.high else ""
    return f"estimate: {plain(rate)} {what} to a m3 of {family.words}{usual}"[:120]


def _position(
    what: str, section: str, storey: str, family: Family, shares: list[Share], *, basis: str
) -> BuiltPosition:
    part, unit = ("35", "m2") if what == "formwork" else ("36", "t")
    return BuiltPosition(
        key=f"{what}|{family.digits}|{storey}",
        section=section,
        description=f"{what.capitalize()} of {family.words}{f', {storey}' if storey else ''}",
        unit=unit,
        quantity=total(shares).quantize(Decimal("0.0001")),
        code=family.code(part),
        basis=basis,
        measure=sheet(shares),
        guids=[one.element.guid for one in shares],
    )
