"""Rows of a ruled table in a PDF: which cell is what, by the table's own titles."""

from __future__ import annotations

from decimal import Decimal

from projects.parsers.pdf_lines import NUMBER, Tail, figure_of
from projects.parsers.table_words import meaning_of

RowColumns = dict[str, int]


def row_columns(row: tuple[str, ...]) -> RowColumns:
    """Field → place in the row; empty unless it is a row of titles: a description, a quantity, a price or total."""
    found: RowColumns = {}
    for at, cell in enumerate(row):
        name, confidence = meaning_of(cell) if cell else ("", 0.0)
        if name == "number" and name in found:  # "P.č." is the number, then "Číslo položky" is the catalogue's
            name = "code"
        if confidence == 1.0:
            found.setdefault(name, at)
    is_heading = {"description", "quantity"} <= found.keys() and bool(found.keys() & {"unit_price", "total"})
    return found if is_heading else {}


def row_tail(row: tuple[str, ...], columns: RowColumns, mark: str) -> tuple[str, Tail | None]:
    """(number, what the row says); None for a row without a description or without any figure."""

    def cell(name: str) -> str:
        at = columns.get(name, -1)
        return row[at] if 0 <= at < len(row) else ""

    figures = {name: figure_of(cell(name), mark) for name in ("quantity", "unit_price", "total")}
    is_position = cell("description") and (figures["quantity"] is not None or figures["unit_price"] is not None)
    if not is_position:
        return "", None
    price = figures["unit_price"]
    tail = Tail(cell("description"), cell("code"), cell("unit"), figures["quantity"], price,
                offered(price, figures["total"]))  # fmt: skip
    return cell("number"), tail


def offered(price: Decimal | None, total: Decimal | None) -> Decimal | None:
    """The total, but for what a formula makes of a price that nobody has given: 0 is not what it would cost."""
    return None if price is None and total == 0 else total


def heading_of(row: tuple[str, ...], mark: str) -> str:
    """The words of a row without positions, but for its sum."""
    words = " ".join(cell for cell in row if cell).split()
    if len(words) > 1 and mark in words[-1] and figure_of(words[-1], mark) is not None:
        words.pop()
    return " ".join(words)


def unread_row(row: tuple[str, ...], columns: RowColumns) -> tuple[str, Tail] | None:
    """(number, what it says) of a row without figures that is a position all the same: it has a number and a unit. None
    for a heading."""
    number, text, unit, code = (
        row[at] if 0 <= (at := columns.get(name, -1)) < len(row) else ""
        for name in ("number", "description", "unit", "code")
    )
    if not (text and unit and NUMBER.fullmatch(number)):
        return None
    return number, Tail(text, code, unit)
