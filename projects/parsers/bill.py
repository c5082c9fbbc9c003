"""What every dialect reader produces: one bill of quantities, position by position.

Free of Django. Numbers are `Decimal`, never float; text is stripped; nothing is guessed that the file does not say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class PositionKind(StrEnum):
    WORK = "work"
    MATERIAL = "material"
    NOTE = "note"


class Billing(StrEnum):
    """How a position counts towards the totals (GAEB terms in brackets)."""

    NORMAL = "normal"
    ALTERNATIVE = "alternative"  # (Wahl-/Alternativposition) in no total until it is awarded
    OPTIONAL = "optional"  # (Bedarfsposition ohne Gesamtbetrag) in no total
    OPTIONAL_COUNTED = "optional_counted"  # (Bedarfsposition mit Gesamtbetrag) in the totals
    SURCHARGE = "surcharge"  # (Zuschlagsposition) a share of other positions; in the totals
    LUMP_SUM = "lump_sum"  # (Pauschale) in the totals, quantity 1 or none
    CHANGE = "change"  # (Nachtrag) change order: may be negative; in the totals

    @property
    def counts(self) -> bool:
        """Whether the position's total is part of the sums above it."""
        return self not in (Billing.ALTERNATIVE, Billing.OPTIONAL)


class MeasureLine(NamedTuple):
    """One line of a measure sheet (CZ: výkaz výměr; DE: Aufmaß).

    A comment with a `figure` and a `value` tells what a figure is that other lines of the sheet read by its name.
    """

    text: str  # as written in the file: an expression, a comment or the word for a subtotal
    kind: str  # "expression" | "subtotal" | "comment"
    value: Decimal | None = None  # the result the file states for this line, if it does
    figure: str = ""  # name of the figure the line defines or reads (uniXML kod_figury)
    is_quantity: bool = False  # the file says: this line's result is the position's quantity (uniXML prevzit_mnozstvi)


@dataclass(frozen=True, slots=True)
class Rounding:
    """The file's own rounding, as the step each figure is rounded to; Decimal("0.01") is two digits."""

    quantity: Decimal = Decimal("0.001")
    unit_price: Decimal = Decimal("0.01")
    total: Decimal = Decimal("0.01")
    is_stated: bool = False  # False: the file does not say, these are the fallback


# Not frozen: that makes creating one four times as slow (8 against 2 µs, half of what reading a position costs).
@dataclass(slots=True, unsafe_hash=True)
class BillPosition:
    """One line of the bill, never changed once it is read (`dataclasses.replace` makes another).

    `object_code` + `number` identify it in its file (unique; readers make it so).
    """

    ordinal: int  # 1, 2, … in the order of the file
    number: str  # "12", "001.002.0050", "0010.A"
    description: str
    kind: PositionKind = PositionKind.WORK
    billing: Billing = Billing.NORMAL
    object_code: str = ""  # the building object or sheet ("SO 1")
    object_name: str = ""
    section_path: tuple[
        str, ...
    ] = ()  # outermost first, each "code name": ("HSV Práce a dodávky HSV", "1 Zemní práce")
    code: str = ""  # the catalogue's code or the author's own
    catalogue: str = ""  # "ÚRS" | "RTS" | "OTSKP" | "GAEB" | "own" | "" (not known)
    price_system: str = ""  # edition as the file names it: "CS ÚRS 2025 02"
    long_text: str = ""
    unit: str | None = None  # as written; None: the file has none
    quantity: Decimal | None = None
    quantity_reason: str = ""  # why quantity is None: "percentage", "X84 carries no quantities", "empty cell", …
    unit_price: Decimal | None = None
    total: Decimal | None = None  # the total the file states, not one that we computed; None: it states none
    vat_rate: Decimal | None = None  # percent
    price_components: tuple[tuple[str, Decimal], ...] = ()  # shares of the unit price: (("Lohn", 12.50), …)
    measure: tuple[MeasureLine, ...] = ()
    source: str = ""  # where it stands: "SO 1!A15", "/unixml/stavba/…", "row 12"


@dataclass(frozen=True, slots=True)
class StatedTotal:
    """A sum the file itself states: what reconciliation and rule V08 compare with."""

    level: str  # "bill" | "object" | "section"
    amount: Decimal
    object_code: str = ""  # for "object" and "section"
    section_path: tuple[str, ...] = ()  # for "section": equal to the section_path of its positions, or a prefix of it
    source: str = ""
    discount: Decimal = Decimal(
        0
    )  # what is taken off `amount` afterwards (GAEB Nachlass): lowers the sums above, not this


@dataclass(frozen=True, slots=True)
class BillHeader:
    dialect: str  # registry name: "kros_xlsx", "unixml", "gaeb_xml", "table", "legacy_json"
    dialect_label: str  # for people: 'KROS "Export Komplet"'
    phase: str = ""  # GAEB: "X83" …
    title: str = ""
    reference: str = ""  # the project's own code or number in the file
    client: str = ""
    currency: str = ""  # ISO 4217; "" when the file does not say
    budget_on: date | None = None
    rounding: Rounding = Rounding()
    is_public_tender: bool = False
    vat_rates: tuple[Decimal, ...] = ()  # percent


@dataclass(slots=True)
class Bill:
    """A bill being read. `positions` is a single-pass iterator, so that a large file never stands in memory whole;
    `totals`, `objects`, `warnings` and `stated_count` are complete only once it is exhausted."""

    header: BillHeader
    positions: Iterator[BillPosition]
    totals: list[StatedTotal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)  # for people, with the place: "Sheet 'SO 2', row 31: …"
    stated_count: int | None = None  # the number of positions the file itself claims to have


@dataclass(frozen=True, slots=True)
class Score:
    """How sure a dialect is that a file is its own. 0: certainly not; 100: certainly."""

    value: int
    reasons: tuple[str, ...] = ()


class ParseError(Exception):
    """The file can't be read as a bill. `str()` says, to a person, what is wrong, where, and what to do next.

    `code` is stable, for clients: "empty_file", "unknown_dialect", "unsupported_dialect", "not_a_workbook",
    "archive_bomb", "xml_forbidden", "mapping_needed", "no_positions", "does_not_reconcile", "too_large", "damaged", ….
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
