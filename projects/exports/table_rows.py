"""What the csv and the xlsx export have in common: their columns, and what our table reader makes of a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from projects.exports.proof import Content, clean, figure
from projects.exports.source import ExportBill, ExportError
from projects.parsers.bill import BillPosition
from projects.parsers.decimals import LARGEST
from projects.parsers.numbering import Numbering
from projects.parsers.table_mapping import Mapping
from projects.parsers.table_sums import Sums

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
    _sums: Sums = field(default_factory=Sums)

    def row(self, position: BillPosition) -> list[Cell]:
        number = self.numbering.claim(clean(position.object_code), clean(position.number), "")
        total = self.bill.total_of(position)
        if total is not None and abs(total) > LARGEST:
            raise ExportError(
                f"The total of position {position.number} is {total:,.2f}: more than a table holds to the cent. "
                "Correct its quantity or its price.",
                code="too_large",
            )
        return [
            clean(position.object_code), clean(position.object_name), clean(SECTIONS.join(position.section_path)),
            number, position.kind.value, position.billing.value, clean(position.code), clean(position.catalogue),
            clean(position.price_system), clean(position.description), clean(position.long_text), clean(position.unit),
            position.quantity, clean(position.quantity_reason), position.unit_price, total,
            position.vat_rate, "yes" if position.billing.counts else "no",
        ]  # fmt: skip

    def is_position(self, row: list[Cell]) -> bool:
        """Whether our table reader takes the row, as written, for a position; to be asked row by row, in order."""
        is_one = bool(row[11]) or self._counts(row)
        if is_one:
            self._sums.open_section(str(row[2] or ""))
        return is_one

    def _counts(self, row: list[Cell]) -> bool:
        if row[QUANTITY] is not None or row[PRICE] is not None:
            return True
        cells = (cell for cell in row if isinstance(cell, str))
        return row[TOTAL] is not None and not self._sums.told(cells, code=str(row[6] or ""), text=str(row[9] or ""))


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
