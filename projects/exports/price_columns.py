"""Where a workbook keeps its prices: by the titles above its positions, or by the mapping that a person confirmed.

Only a proposal: what was written is read back by the dialect's own reader, and anything else than the prices that were
meant ends the export.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from projects.exports.functions import Value
from projects.exports.recalculate import Place, SheetCells
from projects.parsers.table_mapping import Mapping
from projects.parsers.table_words import meaning_of

_TITLE_ROWS = 400  # a KROS sheet has a cover and a recapitulation of its sections above its titles
_COLUMNS = 60


@dataclass(frozen=True, slots=True)
class PriceColumns:
    """Columns from 1; 0 where the sheet has none."""

    title_row: int
    price: int
    total: int


def price_columns(cells: SheetCells, mapping: Mapping | None, before_row: int) -> PriceColumns | None:
    """Of the sheet whose first position stands in `before_row`; None where no title says which column it is."""
    if mapping is not None:
        price, total = (mapping.columns.get(name, -1) + 1 for name in ("unit_price", "total"))
        return PriceColumns(mapping.header_row + 1, price, total) if price else None
    for row in range(1, min(cells.last_row, before_row - 1, _TITLE_ROWS) + 1):
        found = _titles(cells, row)
        if "unit_price" in found and len(found.keys() & {"description", "quantity", "unit", "number"}) >= 2:
            # Without a title of its own ("Celkem" below a title that spans): the column after the price.
            return PriceColumns(row, found["unit_price"], found.get("total", 0))
    return None


def _titles(cells: SheetCells, row: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for column in range(1, min(cells.last_column, _COLUMNS) + 1):
        value: Value | None = cells.values.get((row, column))
        if isinstance(value, str) and value.strip():
            name, confidence = meaning_of(value.strip())
            if name and confidence == 1.0:
                found.setdefault(name, column)
    return found


def holds(cells: SheetCells, place: Place, amount: Decimal) -> bool:
    """Whether a figure that the reader found is a typed one in this very cell."""
    return place not in cells.formulas and cells.values.get(place) == amount
