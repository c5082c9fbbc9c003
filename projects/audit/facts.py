"""Sums and counts over a whole budget: what rules read of all positions at once.

Everything here is additive: a position that leaves is subtracted, one that comes is added, and the facts are those that
counting everything anew would give. So an audit of one edit need not look at the other positions to know them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from projects.audit.codes import CodeClass, declared_catalogue
from projects.audit.families import family_code, mass_of
from projects.audit.units import LUMP_SUMS
from projects.parsers.bill import Billing

if TYPE_CHECKING:
    from projects.audit.view import AuditPosition, BudgetView

ZERO = Decimal(0)
Place: TypeAlias = tuple[str, tuple[str, ...]]  # object, section path
Element: TypeAlias = tuple[str, str]  # object, family

# The digest is a sum of hashes modulo 2 ** 2048, so that a position can be taken out of it again. As wide, because sums
# of narrow hashes can be forged (Wagner, "A generalized birthday problem", 2002).
_DIGEST_BYTES = 256
_MODULUS = 1 << (8 * _DIGEST_BYTES)
_TRANSPORT = re.compile(r"přesun hmot", re.IGNORECASE)
_MOVED = frozenset("2345678")  # families of HSV and PSV that a 998 line carries to the site; earthworks (1) need none


@dataclass(slots=True)
class OfSection:
    rows: int = 0
    with_quantity: int = 0  # more than 0
    counted: int = 0  # in the sums above
    amount: Decimal = ZERO  # of those


@dataclass(slots=True)
class OfElement:
    rows: int = 0  # concrete and reinforcement
    concrete_m3: Decimal = ZERO
    steel_t: Decimal = ZERO

    @property
    def steel_rate(self) -> Decimal | None:
        """kg of steel in a m3 of concrete; None where either is not there."""
        if not self.steel_t or not self.concrete_m3:
            return None
        return self.steel_t * 1000 / self.concrete_m3


@dataclass(slots=True)
class Facts:
    """Counts without their zeros, so that equal budgets have equal facts."""

    positions: int = 0
    priced: int = 0  # with a unit price or a total
    total: Decimal = ZERO  # what the counted positions cost
    lumps: int = 0  # counted lump sums that are no notes
    lumps_amount: Decimal = ZERO
    coded: int = 0
    own_codes: int = 0
    urs_works: int = 0
    digest: int = 0  # of everything that rules read of positions
    sections: dict[Place, OfSection] = field(default_factory=dict)
    elements: dict[Element, OfElement] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)  # price system ("" where none is named), notes left out
    catalogues: dict[tuple[str, str], int] = field(default_factory=dict)  # (catalogue, price system)
    vat_rates: dict[Decimal, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)  # as written
    works: dict[str, int] = field(default_factory=dict)  # by object: HSV and PSV works whose material is to be moved
    transports: dict[str, int] = field(default_factory=dict)  # by object: lines that move it
    figures: dict[str, dict[str, Decimal]] = field(default_factory=dict)  # by object and name; not additive

    def add(self, view: BudgetView, index: int, sign: int = 1) -> None:
        """Count one position of a view of the same context; `sign` -1 takes it out."""
        p = view.positions[index]
        is_note = view.is_note[index]
        counts = view.counted[index]
        amount = view.amounts[index]
        self.positions += sign
        self.priced += sign * bool(p.unit_price or p.total)
        self.digest = (self.digest + sign * digest_of(p)) % _MODULUS
        self._add_to_section(p, counts, amount, sign)
        self._add_to_element(view, index, sign)
        if counts:
            self.total += sign * amount
            if not is_note and is_lump_sum(view, index):
                self.lumps += sign
                self.lumps_amount += sign * amount
        self._add_code(p, view.code_classes[index], sign)
        if not is_note:
            _count(self.levels, p.price_system, sign)
        _count(self.catalogues, (p.catalogue, p.price_system), sign)
        if p.vat_rate is not None:
            _count(self.vat_rates, p.vat_rate, sign)
        if p.unit is not None:
            _count(self.units, p.unit, sign)

    def _add_to_section(self, p: AuditPosition, counts: bool, amount: Decimal, sign: int) -> None:
        place = (p.object_code, p.section_path)
        section = self.sections.get(place)
        if section is None:
            section = self.sections[place] = OfSection()
        section.rows += sign
        section.with_quantity += sign * bool(p.quantity and p.quantity > 0)
        if counts:
            section.counted += sign
            section.amount += sign * amount
        if not section.rows:
            del self.sections[place]

    def _add_to_element(self, view: BudgetView, index: int, sign: int) -> None:
        part = view.parts[index]
        if part not in ("concrete", "reinforced concrete", "reinforcement"):
            return
        p = view.positions[index]
        key = (p.object_code, family_code(p.code))
        element = self.elements.get(key)
        if element is None:
            element = self.elements[key] = OfElement()
        concrete_m3, steel_t = mass_of(p, view.units[index], part)
        element.rows += sign
        element.concrete_m3 += sign * concrete_m3
        element.steel_t += sign * steel_t
        if not element.rows:
            del self.elements[key]

    def _add_code(self, p: AuditPosition, code_class: CodeClass, sign: int) -> None:
        if code_class is not CodeClass.NONE:
            self.coded += sign
            self.own_codes += sign * (code_class is CodeClass.OWN)
        if code_class is CodeClass.URS_WORK:
            self.urs_works += sign
            if p.code[0] in _MOVED:
                _count(self.works, p.object_code, sign)
        if p.code.startswith("998") or _TRANSPORT.search(p.description) is not None:
            _count(self.transports, p.object_code, sign)

    @property
    def catalogues_used(self) -> frozenset[str]:
        return frozenset(name for name in (declared_catalogue(*pair) for pair in self.catalogues) if name)

    @property
    def sections_with_quantities(self) -> frozenset[Place]:
        return frozenset(place for place, section in self.sections.items() if section.with_quantity)

    def as_json(self) -> dict[str, Any]:
        """For keeping; `facts_from` is the way back."""
        plain = {name: getattr(self, name) for name in _NUMBERS}
        return plain | {
            "total": str(self.total),
            "lumps_amount": str(self.lumps_amount),
            "digest": f"{self.digest:x}",
            "sections": [
                [place[0], place[1], s.rows, s.with_quantity, s.counted, str(s.amount)]
                for place, s in self.sections.items()
            ],
            "elements": [[*key, e.rows, str(e.concrete_m3), str(e.steel_t)] for key, e in self.elements.items()],
            "catalogues": [[*pair, count] for pair, count in self.catalogues.items()],
            "vat_rates": [[str(rate), count] for rate, count in self.vat_rates.items()],
            **{name: getattr(self, name) for name in _TALLIES},
            "figures": {
                of: {name: str(value) for name, value in figures.items()} for of, figures in self.figures.items()
            },
        }


_NUMBERS = ("positions", "priced", "lumps", "coded", "own_codes", "urs_works")
_TALLIES = ("levels", "units", "works", "transports")


def facts_from(data: dict[str, Any]) -> Facts:
    """Raises KeyError, ValueError, TypeError or ArithmeticError for anything but what `as_json` gave."""
    numbers: dict[str, Any] = {name: int(data[name]) for name in _NUMBERS}
    tallies: dict[str, Any] = {name: {str(k): int(n) for k, n in data[name].items()} for name in _TALLIES}
    return Facts(
        **numbers,
        **tallies,
        total=Decimal(data["total"]),
        lumps_amount=Decimal(data["lumps_amount"]),
        digest=int(data["digest"], 16),
        sections={
            (of, tuple(path)): OfSection(rows, quantities, counted, Decimal(amount))
            for of, path, rows, quantities, counted, amount in data["sections"]
        },
        elements={
            (of, family): OfElement(rows, Decimal(concrete), Decimal(steel))
            for of, family, rows, concrete, steel in data["elements"]
        },
        catalogues={(catalogue, system): count for catalogue, system, count in data["catalogues"]},
        vat_rates={Decimal(rate): count for rate, count in data["vat_rates"]},
        figures={
            of: {name: Decimal(value) for name, value in figures.items()} for of, figures in data["figures"].items()
        },
    )


def count_all(view: BudgetView) -> Facts:
    facts = Facts()
    for index in range(len(view.positions)):
        facts.add(view, index)
    return facts


def is_lump_sum(view: BudgetView, index: int) -> bool:
    return view.units[index] in LUMP_SUMS or view.positions[index].billing is Billing.LUMP_SUM


def lump_units(units: Iterable[str], normalised: Iterable[str | None]) -> list[str]:
    """Of units as written, those that name a lump sum."""
    return [unit for unit, canonical in zip(units, normalised, strict=True) if canonical in LUMP_SUMS]


def digest_of(p: AuditPosition) -> int:
    """Of everything that rules read of one position, its place in the order included."""
    # content_hash covers code, description, unit, quantity, price, stated total, billing, kind and measure sheet
    vat_rate = "" if p.vat_rate is None else f"{p.vat_rate.normalize():f}"
    content = (
        f"{p.ordinal}\x1f{p.object_code}\x1f{p.number}\x1f{p.section_path}\x1f{p.catalogue}\x1f{p.price_system}\x1f"
        f"{p.long_text}\x1f{p.quantity_reason}\x1f{vat_rate}\x1f{p.content_hash}"
    )
    return int.from_bytes(hashlib.shake_256(content.encode()).digest(_DIGEST_BYTES), "big")


def _count(tally: dict[Any, int], key: Any, sign: int) -> None:
    count = tally.get(key, 0) + sign
    if count:
        tally[key] = count
    else:
        tally.pop(key, None)
