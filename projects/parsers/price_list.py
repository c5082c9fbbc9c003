"""Price lists and price indices as tables (xlsx, ods, xls, csv): columns known by titles, rows streamed, bad ones told.

A price list has a code and a text or a price; unit, currency and date may stand in columns of their own. An index has
a month or quarter and a value, and may name its series. Titles in Czech, Slovak, German and English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from projects.parsers.bill import ParseError
from projects.parsers.filehead import FileHead
from projects.parsers.table_rows import TableFormat, read_format, table_rows, table_sheets
from projects.parsers.table_words import meaning_of, normalise
from projects.parsers.workbook import Row, figure_of, text_of

HEADER_ROWS = 50
MOST_ROWS = 2_000_000
_LARGEST = Decimal(10) ** 14
_WORDS = {
    "currency": ("mena", "currency", "wahrung", "waehrung"),
    "on": ("datum", "date", "platnost", "platnost od", "cena k", "priced on", "valid from", "stand", "gultig ab",
           "mesic", "month", "monat", "obdobi", "period", "quartal", "quarter", "ctvrtleti", "cas", "time"),
    "value": ("index", "hodnota", "value", "wert", "hodnota indexu"),
    "series": ("rada", "series", "reihe", "nazev rady", "ukazatel"),
}  # fmt: skip
_MEANINGS = {word: name for name, words in _WORDS.items() for word in words}
_CURRENCY = re.compile(r"\b(CZK|EUR|USD|PLN|GBP|CHF|HUF)\b|\b(Kč)|(€)")
_MONTH = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:[T ].*)?")
_QUARTER = re.compile(r"(\d{4})\s*[-/]?\s*Q([1-4])|Q([1-4])\s*[-/]?\s*(\d{4})", re.IGNORECASE)
_DAY_FIRST = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")


@dataclass(frozen=True, slots=True)
class PricedItem:
    place: str
    code: str
    text: str
    unit: str
    unit_price: Decimal | None
    currency: str
    priced_on: date | None


@dataclass(frozen=True, slots=True)
class IndexMonth:
    place: str
    series: str
    on: date
    value: Decimal


@dataclass(frozen=True, slots=True)
class Rejected:
    place: str
    reason: str


def read_prices(path: Path, filename: str = "", *, currency: str = "") -> Iterator[PricedItem | Rejected]:
    """Rows of the first sheet that has the columns of a price list. `currency` where the file names none.

    Raises ParseError("no_columns" | "damaged" | …), "too_large" above MOST_ROWS.
    """
    columns, titles, layout, rows = _table(path, filename, ("code",), ("description", "unit_price"))
    named = _CURRENCY.search(" ".join(titles))
    stated = (named[1] or ("CZK" if named[2] else "EUR")) if named else ""
    for place, row in rows:
        try:
            yield _item(place, _Cells(row, columns, layout), currency or stated)
        except ValueError as error:
            yield Rejected(place, str(error))


def read_indices(path: Path, filename: str = "", *, series: str = "") -> Iterator[IndexMonth | Rejected]:
    """Months of the first sheet that has an index's columns; `series` where the file names none. Raises as above."""
    columns, _, layout, rows = _table(path, filename, ("on", "value"), ("on",))
    for place, row in rows:
        cells = _Cells(row, columns, layout)
        try:
            value, on = cells.figure("value"), cells.day("on")
            name = (cells.text("series") or series)[:60]
            if value is None or on is None or not name:
                raise ValueError("month, value or the series' name is missing")
            if not 0 < value < 1_000_000:
                raise ValueError(f"an index of {value:f} is not possible")
            yield IndexMonth(place, name, on.replace(day=1), value)
        except ValueError as error:
            yield Rejected(place, str(error))


def _table(
    path: Path, filename: str, needed: Sequence[str], one_of: Sequence[str]
) -> tuple[dict[str, int], list[str], TableFormat, Iterator[tuple[str, Row]]]:
    """(field -> column, titles, format, rows below the titles that are not empty)."""
    head = FileHead(path, filename)
    layout = _format(head)
    for sheet in table_sheets(head) or [""]:
        for number, (_, row) in enumerate(islice(table_rows(head, layout, sheet), HEADER_ROWS)):
            titles = [text_of(cell) for cell in row]
            columns = _columns(titles)
            if all(name in columns for name in needed) and any(name in columns for name in one_of):
                return columns, titles, layout, _below(head, layout, sheet, number)
    raise ParseError(
        f"No row of titles was found in '{head.filename}': it needs columns for {' and '.join(needed)}, and "
        f"{' or '.join(one_of)}. Name the columns in the first row.",
        code="no_columns",
    )


def _format(head: FileHead) -> TableFormat:
    """As bills are read; a csv of two columns, which no bill has, is divided by what stands in its first line."""
    try:
        return read_format(head)
    except ParseError as error:
        first = next((line for line in head.text.splitlines() if line.strip()), "") if head.kind == "text" else ""
        mark = max(";\t,", key=first.count)
        if error.code != "unknown_dialect" or mark not in first:
            raise
        return TableFormat(mark, head.encoding, "")


def _below(head: FileHead, layout: TableFormat, sheet: str, header: int) -> Iterator[tuple[str, Row]]:
    for number, (place, row) in enumerate(table_rows(head, layout, sheet)):
        if number - header > MOST_ROWS:
            raise ParseError(f"The list has more than {MOST_ROWS:,} rows. Split it.", code="too_large")
        if number > header and any(cell not in ("", None) for cell in row):
            yield place, row


def _columns(titles: Sequence[str]) -> dict[str, int]:
    found: dict[str, tuple[float, int]] = {}
    for column, title in enumerate(titles):
        name, certainty = (_MEANINGS.get(normalise(title), ""), 1.0)
        if not name:
            name, certainty = meaning_of(title)
        if name and certainty > found.get(name, (0.0, 0))[0]:
            found[name] = (certainty, column)
    columns = {name: column for name, (_, column) in found.items()}
    if "unit_price" not in columns and "total" in columns:
        columns["unit_price"] = columns["total"]  # a price list's "Cena" is of one unit
    return columns


class _Cells:
    def __init__(self, row: Row, columns: dict[str, int], layout: TableFormat) -> None:
        self._row, self._columns, self._layout = row, columns, layout

    def _cell(self, name: str) -> Any:
        column = self._columns.get(name, -1)
        return self._row[column] if 0 <= column < len(self._row) else ""

    def text(self, name: str) -> str:
        return text_of(self._cell(name)).replace("\x00", "")

    def figure(self, name: str) -> Decimal | None:
        cell = self._cell(name)
        try:
            return figure_of(cell, self._layout.decimal_mark)
        except ValueError:
            raise ValueError(f"{text_of(cell)[:40]!r} is no figure ({name.replace('_', ' ')})") from None

    def day(self, name: str) -> date | None:
        cell = self._cell(name)
        if isinstance(cell, date):
            return cell if type(cell) is date else cell.date()  # type: ignore[attr-defined]
        return day_of(text_of(cell))


def day_of(text: str) -> date | None:
    """ "2024-03", "2024-03-15", "15. 3. 2024", "2024 Q1" (its first day); None for an empty text. ValueError else."""
    text = text.strip()
    if not text:
        return None
    if quarter := _QUARTER.fullmatch(text):
        year, number = quarter[1] or quarter[4], int(quarter[2] or quarter[3])
        return date(int(year), number * 3 - 2, 1)
    if found := _MONTH.fullmatch(text):
        return date(int(found[1]), int(found[2]), int(found[3] or 1))
    if found := _DAY_FIRST.fullmatch(text):
        return date(int(found[3]), int(found[2]), int(found[1]))
    raise ValueError(f"{text[:40]!r} is no date; write 2024-03 or 2024-03-15")


def _item(place: str, cells: _Cells, currency: str) -> PricedItem:
    code, text, price = cells.text("code"), " ".join(cells.text("description").split()), cells.figure("unit_price")
    if not code:
        raise ValueError("there is no code")
    if len(code) > 60:
        raise ValueError("the code is longer than 60 characters")
    if not text and price is None:
        raise ValueError("there is neither a text nor a price")
    if price is not None and not 0 <= price < _LARGEST:
        raise ValueError(f"a price of {price:f} is not possible")
    money = (cells.text("currency") or currency).upper().replace("KČ", "CZK").replace("€", "EUR")
    if money and not re.fullmatch(r"[A-Z]{3}", money):
        raise ValueError(f"{money[:20]!r} is no currency; write CZK or EUR")
    price = None if price is None else price.quantize(Decimal("0.0001"))
    unit = cells.text("unit")[:40]
    return PricedItem(place, code, text[:20_000], unit, price, money if price is not None else "", cells.day("on"))
