"""The budget as the rules see it: positions in order, what the file says of itself, and indexes computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar

from projects.audit.arithmetic import Problem, evaluate
from projects.audit.codes import CodeClass, classify, family_of
from projects.audit.en206 import concrete_classes
from projects.audit.facts import Facts, Place, count_all
from projects.audit.families import Family, families_of, part_of
from projects.audit.file_facts import GAEB, SHEET, FileFacts
from projects.audit.references import ABSENT, CatalogueEntry, HistoryEntry
from projects.audit.units import normalise
from projects.parsers.bill import Billing, MeasureLine, PositionKind, Rounding, StatedTotal

if TYPE_CHECKING:
    from projects.parsers.bill import Bill, BillPosition

__all__ = ["AuditPosition", "BudgetView", "CatalogueEntry", "hash_of", "position_of", "round_to"]

ZERO = Decimal(0)
_ONE = Decimal(1)
_OF_POSITIONS = ("self", "positions", "facts")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class AuditPosition:
    """One position as it stands in the version being audited. Decimals exact; text as written."""

    key: str  # the database id as str
    ordinal: int
    number: str
    description: str
    kind: PositionKind = PositionKind.WORK
    billing: Billing = Billing.NORMAL
    object_code: str = ""
    section_path: tuple[str, ...] = ()
    code: str = ""
    catalogue: str = ""
    price_system: str = ""
    long_text: str = ""
    unit: str | None = None
    quantity: Decimal | None = None
    quantity_reason: str = ""
    unit_price: Decimal | None = None
    total: Decimal | None = None  # stated by the file; None: it states none
    vat_rate: Decimal | None = None
    measure: tuple[MeasureLine, ...] = ()
    source: str = ""
    content_hash: str = ""
    lineage: str = ""  # its identity through the versions, where there are any

    @property
    def identity(self) -> str:
        """What stays the same when the position's content changes: its object and number."""
        return f"{self.object_code}|{self.number}"

    @property
    def decided_as(self) -> str:
        """What a person's decision names: numbers need not be unique, nor be there at all."""
        return self.lineage or self.identity


def position_of(p: BillPosition) -> AuditPosition:
    """A position read from a file; its key is its ordinal."""
    return AuditPosition(
        key=str(p.ordinal), ordinal=p.ordinal, number=p.number, description=p.description, kind=p.kind,
        billing=p.billing, object_code=p.object_code, section_path=p.section_path, code=p.code,
        catalogue=p.catalogue, price_system=p.price_system, long_text=p.long_text, unit=p.unit,
        quantity=p.quantity, quantity_reason=p.quantity_reason, unit_price=p.unit_price, total=p.total,
        vat_rate=p.vat_rate, measure=p.measure, source=p.source, content_hash=hash_of(p),
    )  # fmt: skip


def hash_of(position: AuditPosition | BillPosition) -> str:
    """SHA-256 over the content that rules read; the same for 1.50 and 1.5, and wherever the position stands."""
    measure = [(line.text, line.kind, _plain(line.value), line.figure, line.is_quantity) for line in position.measure]
    content = (
        position.number, position.description, position.kind.value, position.billing.value, position.object_code,
        position.section_path, position.code, position.catalogue, position.price_system, position.long_text,
        position.unit, _plain(position.quantity), position.quantity_reason, _plain(position.unit_price),
        _plain(position.total), _plain(position.vat_rate), measure,
    )  # fmt: skip
    return hashlib.sha256(repr(content).encode()).hexdigest()


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else format(value.normalize(), "f")


def round_to(value: Decimal, step: Decimal) -> Decimal:
    """To the nearest step, halves away from 0: 2.345 by 0.01 gives 2.35; by 0.1, 2.3."""
    return (value / step).quantize(_ONE, ROUND_HALF_UP) * step if step > 0 else value


class BudgetView:
    """Positions and context. Treat as immutable: the indexes are computed lazily, once.

    References that some rules need; None: not loaded, and those rules say that they could not run, with the reason
    in `absent` (reference -> reason) if it is there. `catalogue` (code -> entry) is the one and the edition named;
    `history` (`history_key` -> entry) own prices; `blank` the positions of the file before it was priced;
    `file_facts` what was seen in the files besides positions.
    """

    def __init__(
        self,
        positions: Sequence[AuditPosition],
        *,
        currency: str = "",
        phase: str = "",
        rounding: Rounding | None = None,
        budget_on: date | None = None,
        dialect: str = "",
        is_public_tender: bool = False,
        vat_rates: Sequence[Decimal] = (),
        totals: Sequence[StatedTotal] = (),
        is_priced: bool | None = None,
        figures: Mapping[tuple[str, str], Decimal] | None = None,
        catalogue: Mapping[str, CatalogueEntry] | None = None,
        catalogue_name: str = "",
        catalogue_edition: str = "",
        history: Mapping[str, HistoryEntry] | None = None,
        blank: Sequence[AuditPosition] | None = None,
        file_facts: Sequence[FileFacts] | None = None,
        absent: Mapping[str, str] | None = None,
        facts: Facts | None = None,
    ) -> None:
        """`facts`: of the whole budget, where `positions` are only some of it (see `incremental`)."""
        self.positions = list(positions)
        self.currency, self.phase, self.dialect = currency, phase, dialect
        self.rounding = rounding or Rounding()
        self.budget_on, self.is_public_tender = budget_on, is_public_tender
        self.vat_rates = tuple(vat_rates)
        self.totals = list(totals)
        self.is_priced = any(p.unit_price or p.total for p in self.positions) if is_priced is None else is_priced
        self.stated_figures = dict(figures or {})
        self.catalogue, self.catalogue_name, self.catalogue_edition = catalogue, catalogue_name, catalogue_edition
        self.history, self.absent = history, dict(absent or {})
        self.blank = None if blank is None else list(blank)
        self.file_facts = None if file_facts is None else tuple(file_facts)
        if facts is not None:
            self.facts = facts
            self.figures = facts.figures

    @classmethod
    def from_bill(cls, bill: Bill, *, file_facts: Sequence[FileFacts] | None = None) -> BudgetView:
        """Read a bill to its end. Keys are the ordinals; for the terminal and for tests."""
        positions = [position_of(p) for p in bill.positions]
        header = bill.header
        return cls(
            positions,
            currency=header.currency,
            phase=header.phase,
            rounding=header.rounding,
            budget_on=header.budget_on,
            dialect=header.dialect,
            is_public_tender=header.is_public_tender,
            vat_rates=header.vat_rates,
            totals=bill.totals,
            file_facts=file_facts,
        )

    def lacks(self, reference: str) -> str:
        """Why a rule that needs the reference can't run; "" if it is loaded."""
        loaded = {
            "catalogue": self.catalogue is not None,
            "prices": self.catalogue is not None or self.history is not None,
            "blank": self.blank is not None,
            "file_facts": self.file_facts is not None,
        }
        return "" if loaded[reference] else self.absent.get(reference) or ABSENT[reference]

    @cached_property
    def comes_from_sheet(self) -> bool:
        """Whether a workbook is among the files: rows and cells may hide something."""
        return self.dialect in SHEET or any(facts.dialect in SHEET for facts in self.file_facts or ())

    @cached_property
    def comes_from_gaeb(self) -> bool:
        return self.dialect in GAEB or any(facts.dialect in GAEB for facts in self.file_facts or ())

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def context(self) -> dict[str, Any]:
        """Everything but the positions, by the names of the arguments that would give it again."""
        names = [name for name in signature(BudgetView.__init__).parameters if name not in _OF_POSITIONS]
        return {name: self.stated_figures if name == "figures" else getattr(self, name) for name in names}

    # Facts, one per position, in the order of `positions`

    @cached_property
    def code_classes(self) -> list[CodeClass]:
        known: dict[tuple[str, str, str], CodeClass] = {}
        found = []
        for p in self.positions:
            key = (p.code, p.catalogue, p.price_system)
            if key not in known:
                known[key] = classify(p.code, catalogue=p.catalogue, price_system=p.price_system)
            found.append(known[key])
        return found

    @cached_property
    def is_catalogue_code(self) -> list[bool]:
        return [code_class.is_catalogue for code_class in self.code_classes]

    @cached_property
    def units(self) -> list[str | None]:
        """The canonical unit; None where there is none, or where it is not known."""
        return [normalise(p.unit) for p in self.positions]

    @cached_property
    def amounts(self) -> list[Decimal]:
        """What each position costs: its stated total, else quantity x price by the file's rounding; 0 if unknown."""
        step = self.rounding.total
        amounts = []
        for p in self.positions:
            if p.total is not None:
                amounts.append(p.total)
            elif p.quantity is not None and p.unit_price is not None:
                amounts.append(round_to(p.quantity * p.unit_price, step))
            else:
                amounts.append(ZERO)
        return amounts

    @cached_property
    def is_note(self) -> list[bool]:
        return [p.kind is PositionKind.NOTE for p in self.positions]

    @cached_property
    def counted(self) -> list[bool]:
        """Whether the position's total is part of the sums above it."""
        known = {billing: billing.counts for billing in Billing}
        return [known[p.billing] for p in self.positions]

    @cached_property
    def is_to_be_priced(self) -> list[bool]:
        """In a priced budget: positions that count and are no notes."""
        if not self.is_priced:
            return [False] * len(self.positions)
        return [counts and not note for counts, note in zip(self.counted, self.is_note, strict=True)]

    @cached_property
    def parts(self) -> list[str]:
        """What each position does for an element of the structure: "concrete", "formwork", …; "" for the others."""
        notes = self.is_note
        return [
            "" if notes[i] else part_of(p.code, code_class)
            for i, (p, code_class) in enumerate(zip(self.positions, self.code_classes, strict=True))
        ]

    @cached_property
    def families(self) -> list[Family]:
        return families_of(self.positions, self.parts, self.units)

    # Sums and groups

    @cached_property
    def facts(self) -> Facts:
        """Sums and counts over the whole budget. Rules that speak of all positions read these and nothing else."""
        facts = count_all(self)
        facts.figures = self.figures
        return facts

    @property
    def grand_total(self) -> Decimal:
        return self.facts.total

    @cached_property
    def by_object(self) -> dict[str, list[int]]:
        return _grouped((p.object_code, i) for i, p in enumerate(self.positions))

    @cached_property
    def by_section(self) -> dict[tuple[str, tuple[str, ...]], list[int]]:
        return _grouped(((p.object_code, p.section_path), i) for i, p in enumerate(self.positions))

    @cached_property
    def by_code(self) -> dict[str, list[int]]:
        """Catalogue codes only: an author's own codes mean something else each time."""
        flags = self.is_catalogue_code
        return _grouped((p.code, i) for i, p in enumerate(self.positions) if flags[i])

    @cached_property
    def by_group(self) -> dict[tuple[PositionKind, str, str], list[int]]:
        """Priced positions that may be compared: kind, code family, unit."""
        units = self.units
        return _grouped(
            ((p.kind, family_of(p.code), units[i] or p.unit or ""), i)
            for i, p in enumerate(self.positions)
            if p.code and p.unit_price is not None and p.unit_price > 0
        )

    @cached_property
    def sections_with_quantities(self) -> frozenset[Place]:
        return self.facts.sections_with_quantities

    @cached_property
    def catalogues_used(self) -> frozenset[str]:
        return self.facts.catalogues_used

    @cached_property
    def uses_urs(self) -> bool:
        """Whether the budget is priced by CS ÚRS: declared, or its codes look like it (RTS shares the nine digits)."""
        if "ÚRS" in self.catalogues_used:
            return True
        return not self.catalogues_used and self.facts.urs_works > 0 and self.currency in ("", "CZK")

    @cached_property
    def concrete_classes(self) -> dict[int, tuple[tuple[tuple[str, int, int], ...], tuple[str, ...]]]:
        """Positions whose text names a concrete class: strength classes (prefix, cylinder, cube), exposure classes."""
        found = {}
        for index, p in enumerate(self.positions):
            classes = concrete_classes(p.description, p.long_text, p.code)
            if classes is not None:
                found[index] = classes
        return found

    @cached_property
    def figures(self) -> dict[str, dict[str, Decimal]]:
        """Figures by object: those the file states, and those that a measure line defines."""
        found: dict[str, dict[str, Decimal]] = {}
        for (object_code, name), value in self.stated_figures.items():
            found.setdefault(object_code, {})[name] = value
        for p in self.positions:
            for line in p.measure:
                if line.figure:
                    figure = _figure_value(line)
                    if figure is not None:
                        found.setdefault(p.object_code, {}).setdefault(line.figure, figure)
        return found


def _figure_value(line: MeasureLine) -> Decimal | None:
    if line.value is not None or line.kind == "comment":
        return line.value
    value = evaluate(line.text)
    return None if value is None or isinstance(value, Problem) else value


def _grouped(pairs: Iterable[tuple[K, int]]) -> dict[K, list[int]]:
    groups: dict[K, list[int]] = {}
    for key, index in pairs:
        groups.setdefault(key, []).append(index)
    return groups
