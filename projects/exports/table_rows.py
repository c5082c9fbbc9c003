"""What the csv and the xlsx export have in common: their columns, and what our table reader makes of a row."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from projects.exports.proof import Content, clean, figure
from projects.exports.source import ExportBill
from projects.parsers.bill import BillPosition
from projects.parsers.numbering import Numbering
from projects.parsers.table_mapping import Mapping
from projects.parsers.table_words import normalise

SECTIONS = " › "
# Heading, and whether it is text. "{}" is the currency.
HEADINGS = (
    "Object", "Object name", "Section", "Number", "Kind", "Billing", "Code", "Code list", "Price system", "Description",
    "Note", "Unit", "Quantity", "Why no quantity", "Unit price [{}]", "Total [{}]", "VAT %", "In the total",
)  # fmt: skip
PLACES = {
    "object": 0, "section": 2, "number": 3, "code": 6, "price_system": 8, "description": 9, "note": 10, "unit": 11,
    "quantity": 12, "unit_price": 14, "total": 15, "vat_rate": 16,
}  # fmt: skip
QUANTITY, PRICE, TOTAL, COUNTED = 12, 14, 15, 17
_SUMS = ("celkem", "celkom", "soucet", "sucet", "mezisoucet", "medzisucet", "summe", "gesamtsumme", "zwischensumme",
         "total", "subtotal", "grand total", "sum")  # fmt: skip

Cell = str | Decimal | None


def headings(bill: ExportBill) -> list[str]:
    return [heading.format(bill.currency).replace(" []", "") for heading in HEADINGS]


def mapping(*, sheet: str, header_row: int, delimiter: str = "", encoding: str = "", mark: str = "") -> Mapping:
    return Mapping(dict(PLACES), sheet, header_row, delimiter, encoding, mark)


@dataclass(slots=True)
class Rows:
    """Positions as rows. `notes`: rows that a table can't tell from headings or sums, written and not read back."""

    bill: ExportBill
    numbering: Numbering
    notes: int = 0

    def row(self, position: BillPosition) -> list[Cell]:
        number = self.numbering.claim(clean(position.object_code), clean(position.number), "")
        return [
            clean(position.object_code), clean(position.object_name), clean(SECTIONS.join(position.section_path)),
            number, position.kind.value, position.billing.value, clean(position.code), clean(position.catalogue),
            clean(position.price_system), clean(position.description), clean(position.long_text), clean(position.unit),
            position.quantity, clean(position.quantity_reason), position.unit_price, self.bill.total_of(position),
            position.vat_rate, "yes" if position.billing.counts else "no",
        ]  # fmt: skip


def is_position(row: list[Cell]) -> bool:
    """Whether our table reader takes the row for a position; see `projects.parsers.table`."""
    quantity, price, total = row[QUANTITY], row[PRICE], row[TOTAL]
    if row[11]:
        return True
    if quantity is None and price is None and total is None:
        return False
    if quantity is not None or price is not None:
        return True
    words = (normalise(cell) for cell in row if isinstance(cell, str) and cell)
    return not any(word.startswith(_SUMS) for word in words)


def written(row: list[Cell]) -> Content:
    """What a row says, comparable with `read`."""
    told = [row[place] for place in PLACES.values()]
    return tuple(figure(cell) if isinstance(cell, Decimal) else cell or "" for cell in told)


def read(position: BillPosition) -> Content:
    return (
        position.object_code, position.section_path[0] if position.section_path else "", position.number, position.code,
        position.price_system, position.description, position.long_text, position.unit or "", figure(position.quantity),
        figure(position.unit_price), figure(position.total), figure(position.vat_rate),
    )  # fmt: skip
