"""Where things stand in a BUILDpower workbook: a bill's titles, and what the sheet "Stavba" says of the whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from projects.parsers.bill import BillHeader, StatedTotal
from projects.parsers.catalogues import currency_of
from projects.parsers.filehead import FileHead
from projects.parsers.sheet_rounding import stated_rounding
from projects.parsers.workbook import Row, Sheet, figure_of, text_of

MARK = "#RTSROZP#"  # on the sheet of the whole
BILL_MARK = "#TypZaznamu#"  # above the column of row types of each bill

_TITLES = {
    "number": ("P.č.",),
    "code": ("Číslo položky",),
    "text": ("Název položky",),
    "unit": ("MJ",),
    "quantity": ("Množství",),
    "price": ("Cena / MJ",),
    "total": ("Celkem",),
    "vat": ("DPH",),
    "system": ("Cen. soustava / platnost", "Cen. soustava"),
    "kind": ("Typ položky",),
}
_NEEDED = ("number", "code", "text", "unit", "quantity", "price", "total")
_PARTS_MARK = "#CASTI>>"  # before the titles of the parts' recapitulation
_DATE = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})")


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of a bill sheet's columns in its rows; -1 where the sheet has no such column."""

    type: int
    number: int
    code: int
    text: int
    unit: int
    quantity: int
    price: int
    total: int
    vat: int
    system: int
    kind: int


def find_columns(row: Row, type_at: int) -> Columns | None:
    """The columns, if this row holds the titles of a bill."""
    titles = [cell.strip() if type(cell) is str else "" for cell in row]
    places = {key: next((i for i, t in enumerate(titles) if t in names), -1) for key, names in _TITLES.items()}
    if any(places[key] < 0 for key in _NEEDED):
        return None
    return Columns(type=type_at, **places)


@dataclass(slots=True)
class _Whole:
    """What the sheet "Stavba" says."""

    code: str = ""
    title: str = ""
    client: str = ""
    currency: str = ""
    budget_on: date | None = None
    rates: list[Decimal] = field(default_factory=list)
    totals: list[StatedTotal] = field(default_factory=list)


def read_header(head: FileHead, dialect: str, label: str) -> tuple[BillHeader, list[StatedTotal]]:
    """The header, and the totals that the recapitulation states. Without such a sheet: as little as there is."""
    whole = _Whole()
    for name in head.workbook.sheet_names:
        if any(MARK in row for row in head.first_rows(name, 3)):
            _read_whole(head.workbook.sheet(name), whole)
        head.workbook.release(name)
        if whole.title or whole.totals:
            break
    header = BillHeader(
        dialect=dialect, dialect_label=label, title=whole.title, reference=whole.code, client=whole.client,
        currency=whole.currency, budget_on=whole.budget_on, rounding=stated_rounding(head),
        vat_rates=tuple(sorted(whole.rates, reverse=True)),
    )  # fmt: skip
    return header, whole.totals


def _read_whole(sheet: Sheet, whole: _Whole) -> None:
    group = ""
    in_parts = False
    for index, row in enumerate(sheet.rows()):
        if _PARTS_MARK in row:
            in_parts = True
        elif in_parts:
            if row[0] == "" or type(row[0]) is not float:
                return  # behind the parts stand conditions in prose
            group = _read_part(sheet, whole, row, index, group)
        else:
            _read_label(sheet, whole, row, index)


def _read_label(sheet: Sheet, whole: _Whole, row: Row, index: int) -> None:
    for place, cell in enumerate(row):
        label = cell.strip() if type(cell) is str else ""
        if label == "Stavba:" and not whole.title:
            texts = _texts(row, place)
            whole.code, whole.title = (texts[0], " ".join(texts[1:])) if len(texts) > 1 else ("", " ".join(texts))
        elif label == "Objednatel:" and not whole.client:
            whole.client = next(iter(_texts(row, place)), "")
        elif label.startswith("Základ pro "):
            rate = next((c for c in row[place + 1 :] if type(c) is float and c > 0), None)
            if rate is not None and "%" in row:
                whole.rates.append(figure_of(rate) or Decimal(0))
        elif label == "dne" and whole.budget_on is None:
            whole.budget_on = _date(row[place + 1 :])
        elif label == "Cena celkem bez DPH":
            _state_whole(sheet, whole, row, index, place)
        if label.startswith(("Základ pro ", "Cena celkem")) and not whole.currency:
            whole.currency = next((c for text in _texts(row, place)[-1:] if (c := currency_of(text))), "")


def _read_part(sheet: Sheet, whole: _Whole, row: Row, index: int, group: str) -> str:
    """One row of the parts: level, code, name, then the bases of both rates of tax. Returns the object it stands in.

    A bill's total without tax is the sum of both bases; the object's own row only adds its bills up.
    """
    level, code = int(row[0]), text_of(row[1])
    if level == 2:
        return code
    bases = [c for c in row[5:7] if type(c) is float]
    if level == 3 and len(bases) == 2:
        amount = sum((figure_of(base) or Decimal(0) for base in bases), Decimal(0))
        own = "/".join(part for part in (group, code) if part)
        whole.totals.append(StatedTotal("object", amount, own, source=f"{sheet.name}!{sheet.cell(index, 5)}"))
    return group


def _state_whole(sheet: Sheet, whole: _Whole, row: Row, index: int, place: int) -> None:
    at = next((i for i in range(place + 1, len(row)) if type(row[i]) is float), -1)
    if at >= 0:
        amount = figure_of(row[at]) or Decimal(0)
        whole.totals.append(StatedTotal("bill", amount, source=f"{sheet.name}!{sheet.cell(index, at)}"))


def _texts(row: Row, place: int) -> list[str]:
    """The texts behind a label, up to the next label."""
    texts: list[str] = []
    for cell in row[place + 1 :]:
        text = text_of(cell) if cell != "" else ""
        if text.endswith(":"):
            break
        if text:
            texts.append(text)
    return texts


def _date(cells: Row) -> date | None:
    for cell in cells:
        if isinstance(cell, date):
            return date(cell.year, cell.month, cell.day)
        if match := _DATE.search(cell) if type(cell) is str else None:
            day, month, year = map(int, match.groups())
            try:
                return date(year, month, day)
            except ValueError:
                return None
    return None
