"""The rows a KROS workbook is written from: an object opens a sheet, a section groups items, measures and notes follow
their item. Plain values in the order in which they stand in the file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """A building object: a sheet of its own. `code` is unique in the bill."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class SectionRow:
    """A section of the object; `level` 0 is the outermost. `stated_total` replaces the sum: a fault on purpose."""

    code: str
    name: str
    level: int = 0
    stated_total: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A work ("K") or a material ("M"). `number` "" is counted up per object; `total` None is quantity × unit price
    rounded half up to two digits; a stated one replaces it, without a formula: a fault on purpose."""

    code: str
    description: str
    unit: str
    quantity: Decimal | None
    unit_price: Decimal | None
    type: str = "K"
    number: str = ""
    total: Decimal | None = None
    price_system: str = ""
    vat: str = "základní"


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """One line of the measure sheet of the item above. `kind`: "expression", "subtotal" or "comment"."""

    text: str
    value: Decimal | None = None
    kind: str = "expression"
    figure: str = ""
    is_quantity: bool = False


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note to the item above."""

    text: str


KrosRow = ObjectRow | SectionRow | ItemRow | MeasureRow | NoteRow


@dataclass(frozen=True, slots=True)
class KrosBill:
    """What the recapitulation says of the whole. `stated_total` replaces the sum of the objects: a fault on purpose."""

    code: str = "2026-001"
    title: str = "Stavba"
    currency: str = "CZK"
    budget_on: date | None = None
    client: str = ""
    vat_percent: tuple[Decimal, Decimal] = (Decimal(21), Decimal(12))  # standard, reduced
    stated_total: Decimal | None = None
