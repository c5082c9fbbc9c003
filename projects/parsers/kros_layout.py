"""Where things stand in a KROS workbook: the titles of a bill sheet, and what the recapitulation says of the whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from projects.parsers.bill import StatedTotal
from projects.parsers.catalogues import currency_of
from projects.parsers.workbook import Row, Sheet, figure_of, text_of

EXPORT_MARK = "Export Komplet"
HEADER_ROWS = 400  # the titles stand below a cover and a recapitulation of the sheet's sections
_GUID = re.compile(r"\{[0-9a-fA-F-]{36}\}")
_BRACKETED = re.compile(r"\[([^\]]+)\]")
_DATE = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})")
_HELPERS_AFTER = 43  # from "PČ" to the hidden columns that repeat a row's type, its level, its kind of measure
_TITLES = {
    "number": ("PČ",),
    "type": ("Typ",),
    "code": ("Kód",),
    "text": ("Popis",),
    "unit": ("MJ",),
    "quantity": ("Množství", "Množstvo"),
    "price": ("J.cena", "J. cena", "Jedn. cena"),
    "total": ("Cena celkem", "Cena celkom", "Celkem"),
    "system": ("Cenová soustava", "Cenová sústava"),
    "vat": ("DPH",),
}
_LIST_TITLES = {
    **{key: _TITLES[key] for key in ("number", "type", "code", "text", "unit", "quantity", "price", "system")},
    "total": ("Cena", "Cena celkem", "Cena celkom", "Celkem", "Celkom"),
}
OUTERMOST = ("HSV", "PSV", "M", "VRN", "OST", "VP", "HZS", "N00")
_NEEDED = ("number", "type", "code", "text", "unit", "quantity")


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of a bill sheet's columns in its rows; -1 where the sheet has no such column."""

    header_row: int  # 0-based
    number: int
    type: int
    code: int
    text: int
    unit: int
    quantity: int
    price: int
    total: int
    system: int
    vat: int
    row_type: int  # hidden: repeats the row's type, then its level, its kind of measure, …, whether it is the quantity
    level: int
    measure: int
    is_quantity: int
    currency: str


def find_columns(row: Row, index: int) -> Columns | None:
    """The columns, if this row holds the titles of a bill."""
    titles = [cell.strip() if type(cell) is str else "" for cell in row]
    if "Popis" not in titles:
        return None
    places = {key: next((i for i, t in enumerate(titles) if t.startswith(names)), -1) for key, names in _TITLES.items()}
    places["type"] = titles.index("Typ") if "Typ" in titles else -1
    if any(places[key] < 0 for key in _NEEDED):
        return None
    bracketed = _BRACKETED.search(titles[places["price"]]) if places["price"] >= 0 else None
    helper = places["number"] + _HELPERS_AFTER
    return Columns(
        header_row=index, **places, row_type=helper, level=helper + 1, measure=helper + 2, is_quantity=helper + 4,
        currency=currency_of(bracketed.group(1)) if bracketed else "",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListColumns:
    """Places of the list view's columns; -1 where the list has no such column."""

    number: int
    type: int
    code: int
    text: int
    unit: int
    quantity: int
    price: int
    total: int
    system: int
    currency: str


def find_list_columns(row: Row) -> ListColumns | None:
    """The columns, if this row holds the titles of a list view: those of a bill, without the export's hidden ones."""
    titles = [cell.strip() if type(cell) is str else "" for cell in row]
    if "Popis" not in titles or "Typ" not in titles:
        return None
    named = [_BRACKETED.sub("", title).strip() for title in titles]
    places = {
        key: next((i for i, title in enumerate(named) if title in names), -1) for key, names in _LIST_TITLES.items()
    }
    if any(places[key] < 0 for key in _NEEDED) or len(row) > places["number"] + _HELPERS_AFTER:
        return None
    bracketed = _BRACKETED.search(titles[places["price"]]) if places["price"] >= 0 else None
    return ListColumns(**places, currency=currency_of(bracketed.group(1)) if bracketed else "")


def section_level(code: str, path: tuple[str, ...]) -> int:
    """How deep a section lies where the file does not say: below a group of trades, if it stands in one."""
    return 1 if code not in OUTERMOST and path and path[0].partition(" ")[0] in OUTERMOST else 0


@dataclass(slots=True)
class Recapitulation:
    """The first sheet: the project, and the objects with their totals, by the id that their sheets carry."""

    code: str = ""
    title: str = ""
    client: str = ""
    currency: str = ""
    budget_on: date | None = None
    vat_rates: tuple[Decimal, ...] = ()  # percent: standard, reduced
    totals: list[StatedTotal] = field(default_factory=list)
    objects: dict[str, tuple[str, str]] = field(default_factory=dict)  # id or "code - name" → (code, name)


def read_recapitulation(sheet: Sheet) -> Recapitulation:
    recap = Recapitulation()
    rates: list[Decimal] = []
    table: tuple[int, int, int] | None = None  # columns of code, name, total
    parent = ""
    rows = list(sheet.rows())
    for index, row in enumerate(rows):
        if table is None:
            _read_project(recap, rates, rows, index)
            table = _find_table(row, recap)
        else:
            parent = _read_object(recap, row, table, f"{sheet.name}!{sheet.cell(index, table[2])}", parent)
    recap.vat_rates = tuple(rates)
    return recap


def _find_table(row: Row, recap: Recapitulation) -> tuple[int, int, int] | None:
    titles = [cell.strip() if type(cell) is str else "" for cell in row]
    total = next((i for i, title in enumerate(titles) if title.startswith("Cena bez DPH [")), -1)
    if total < 0 or "Kód" not in titles or "Popis" not in titles:
        return None
    bracketed = _BRACKETED.search(titles[total])
    recap.currency = currency_of(bracketed.group(1)) if bracketed else ""
    return titles.index("Kód"), titles.index("Popis"), total


def _read_project(recap: Recapitulation, rates: list[Decimal], rows: list[Row], index: int) -> None:
    row = rows[index]
    for place, cell in enumerate(row):
        if type(cell) is not str or not cell:
            continue
        label = cell.strip()
        if label == "Kód:" and not recap.code:
            recap.code = _next_text(row, place)
        elif label == "Stavba:" and not recap.title:
            recap.title = _next_text(row, place)
        elif label == "Datum:" and recap.budget_on is None:
            recap.budget_on = _date(row, place)
        elif label in ("Zadavatel:", "Objednávateľ:", "Objednatel:") and not recap.client and index + 1 < len(rows):
            recap.client = _next_text(rows[index + 1], place) or _next_text(row, place)
        elif label in ("základní", "snížená", "základná", "znížená") and len(rates) < 2:
            rate = next((c for c in row[place + 1 :] if type(c) is float and 0 < c < 1), None)
            if rate is not None:
                rates.append((figure_of(rate) or Decimal(0)) * 100)


def _next_text(row: Row, place: int) -> str:
    """The next text of the row, unless that is another label."""
    value = next((text_of(cell) for cell in row[place + 1 :] if cell != "" and text_of(cell)), "")
    return "" if value.endswith(":") else value


def _date(row: Row, place: int) -> date | None:
    for cell in row[place + 1 :]:
        if isinstance(cell, date):
            return date(cell.year, cell.month, cell.day)
        if match := _DATE.search(cell) if type(cell) is str else None:
            day, month, year = map(int, match.groups())
            try:
                return date(year, month, day)
            except ValueError:
                return None
    return None


def _read_object(recap: Recapitulation, row: Row, table: tuple[int, int, int], source: str, parent: str) -> str:
    """Takes in one row of the table of objects; returns the object that bills below it belong to."""
    code_from, name_from, total_at = table
    if len(row) <= total_at or type(row[total_at]) is not float:
        return parent
    amount = figure_of(row[total_at]) or Decimal(0)
    texts = [text_of(cell) for cell in row[code_from:name_from]]
    code = next((text for text in texts if text), "")
    name = next((text_of(cell) for cell in row[name_from:total_at] if cell != ""), "")
    if code.startswith(("Náklady z rozpo", "Náklady stavby celk")) or (name and not code):
        recap.totals.append(StatedTotal("bill", amount, source=source))
        return parent
    if not code:
        return parent
    is_part = "Soupis" in (text_of(cell) for cell in row[total_at:] if type(cell) is str)
    own = f"{parent}/{code}" if is_part and parent else code
    guid = next((cell for cell in row if type(cell) is str and _GUID.fullmatch(cell)), "")
    recap.objects[guid or own] = (own, name)
    recap.objects.setdefault(f"{code} - {name}", (own, name))
    recap.totals.append(StatedTotal("object", amount, object_code=own, source=source))
    return parent if is_part else code


def sheet_object(rows: list[Row], sheet_name: str, recap: Recapitulation) -> tuple[str, str]:
    """(code, name) of the object that a bill sheet is of: by the id both sheets carry, else by its cover's label."""
    label = ""
    for index, row in enumerate(rows):
        for cell in row:
            if type(cell) is str and cell:
                if cell in recap.objects and _GUID.fullmatch(cell):
                    return recap.objects[cell]
                if cell.strip() in ("Objekt:", "Soupis:", "Časť:", "Část:") and index + 1 < len(rows):
                    label = next((text_of(c) for c in rows[index + 1] if c != ""), "") or label
    label = label or sheet_name
    if label in recap.objects:
        return recap.objects[label]
    code, dash, name = label.partition(" - ")
    return (code.strip(), name.strip()) if dash else (label, label)
