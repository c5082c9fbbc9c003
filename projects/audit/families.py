"""Families of the structure: which positions make one element of one object, and what they sum up to.

A family is a code's first three digits: 274 strip footings, 311 walls, 417 ring beams. Digits four and five say what is
done: 31 plain concrete, 32 reinforced concrete, 35 formwork, 36 reinforcement (274321 / 274351 / 274361).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from projects.audit.codes import CodeClass
from projects.audit.units import TO_TONNES

if TYPE_CHECKING:
    from projects.audit.view import AuditPosition

_PARTS = {"31": "concrete", "32": "reinforced concrete", "35": "formwork", "36": "reinforcement"}
STRUCK = re.compile(r"^\s*(odstranění|odbednění|demontáž|abbau|ausschalen|strike)", re.IGNORECASE)
WITH_FAMILIES = frozenset({CodeClass.URS_WORK, CodeClass.RTS, CodeClass.MODEL})
# Columns share formwork and reinforcement: 330321 concrete, 331351 formwork, 331361 steel
_ALIASES = {"330": "331", "332": "331", "333": "331"}
_ELEMENTS = {
    "271": "footings", "272": "footings", "273": "footings", "274": "footings", "275": "footings", "279": "walls",
    "311": "walls", "312": "walls", "341": "walls", "342": "walls", "331": "columns", "411": "slabs", "413": "beams",
    "417": "beams", "430": "stairs", "431": "stairs", "434": "stairs",
}  # fmt: skip


@dataclass(slots=True)
class Family:
    """One element of one object: the positions that make it, and their sums in m3, m2 and tonnes."""

    object_code: str
    code: str
    parts: dict[str, list[int]] = field(default_factory=dict)
    concrete_m3: Decimal = Decimal(0)
    reinforced_m3: Decimal = Decimal(0)
    formwork_m2: Decimal = Decimal(0)
    steel_t: Decimal = Decimal(0)

    @property
    def element(self) -> str:
        return _ELEMENTS.get(self.code, "")

    @property
    def concrete(self) -> list[int]:
        return [*self.parts.get("reinforced concrete", ()), *self.parts.get("concrete", ())]

    def members(self, but: int) -> tuple[int, ...]:
        return tuple(i for part in self.parts.values() for i in part if i != but)


@lru_cache(maxsize=65536)
def part_of(code: str, code_class: CodeClass) -> str:
    """What a code does for its element: "concrete", "formwork", …; "" where it is none of them."""
    if code_class not in WITH_FAMILIES:
        return ""
    return _PARTS.get(code[3:5], "") if family_code(code) in _ELEMENTS else ""


def family_code(code: str) -> str:
    return _ALIASES.get(code[:3], code[:3])


def written_families(family: str) -> tuple[str, ...]:
    """The first three digits of the codes that belong to a family: its own, and those that share its parts."""
    return (family, *(written for written, shared in _ALIASES.items() if shared == family))


def families_of(positions: Sequence[AuditPosition], parts: Sequence[str], units: Sequence[str | None]) -> list[Family]:
    """Every family that has a part, in the order of the file. `parts` and `units`: one per position."""
    found: dict[tuple[str, str], Family] = {}
    for index, (position, part) in enumerate(zip(positions, parts, strict=True)):
        if not part:
            continue
        key = (position.object_code, family_code(position.code))
        family = found.get(key)
        if family is None:
            family = found[key] = Family(*key)
        family.parts.setdefault(part, []).append(index)
        _measure(position, units[index], part, family)
    return list(found.values())


def _measure(position: AuditPosition, unit: str | None, part: str, family: Family) -> None:
    concrete_m3, steel_t = mass_of(position, unit, part)
    family.steel_t += steel_t
    family.concrete_m3 += concrete_m3
    if part == "reinforced concrete":
        family.reinforced_m3 += concrete_m3
    elif part == "formwork" and unit == "m2" and not STRUCK.search(position.description):
        family.formwork_m2 += position.quantity or Decimal(0)


def mass_of(position: AuditPosition, unit: str | None, part: str) -> tuple[Decimal, Decimal]:
    """m3 of concrete and tonnes of steel that a position brings to its element."""
    quantity = position.quantity or Decimal(0)
    if part == "reinforcement" and unit in TO_TONNES:
        return Decimal(0), quantity * Decimal(TO_TONNES[unit])
    if part in ("concrete", "reinforced concrete") and unit == "m3":
        return quantity, Decimal(0)
    return Decimal(0), Decimal(0)
