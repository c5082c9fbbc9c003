"""KROS "Export Komplet": a workbook with a recapitulation and one sheet per bill of quantities.

Titles move from sheet to sheet (covers and recapitulations differ in length), so the header row is found by its titles.
Rows by type: D section, K work, M material, VV measure line, P and PSC notes, PP full description. Hidden columns at
the far right repeat the type and say how deep a section lies, what kind a measure line is, and which is the quantity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from projects.parsers.bill import (
    Bill,
    BillHeader,
    BillPosition,
    MeasureLine,
    PositionKind,
    Score,
    StatedTotal,
)
from projects.parsers.catalogues import catalogue_of
from projects.parsers.decimals import decimal_from_float
from projects.parsers.filehead import FileHead
from projects.parsers.kros_layout import (
    EXPORT_MARK,
    HEADER_ROWS,
    Columns,
    Recapitulation,
    find_columns,
    read_recapitulation,
    section_level,
    sheet_object,
)
from projects.parsers.numbering import Numbering
from projects.parsers.sheet_rounding import stated_rounding
from projects.parsers.workbook import Row, Sheet, figure_of, text_of

NAME = "kros_xlsx"
LABEL = 'KROS "Export Komplet"'

_ITEM_KINDS = {"K": PositionKind.WORK, "M": PositionKind.MATERIAL}
_MEASURE_KINDS = {"1": "comment", "2": "expression", "3": "subtotal", "4": "subtotal"}
_SUBTOTALS = ("součet", "mezisoučet", "súčet", "medzisúčet")
_NOTE_LEAD = re.compile(r"^Poznámka k (?:položke|položce):\s*", re.IGNORECASE)


def detect(head: FileHead) -> Score:
    if not head.is_workbook:
        return Score(0)
    first = head.workbook.sheet_names[0] if head.workbook.sheet_names else ""
    if first and any(EXPORT_MARK in row for row in head.first_rows(first, 3)):
        return Score(100, (f"The first sheet, '{first}', is marked '{EXPORT_MARK}'.",))
    for name in head.workbook.sheet_names[:3]:
        for index, row in enumerate(head.first_rows(name, HEADER_ROWS)):
            if find_columns(row, index):
                return Score(
                    80, (f"Sheet '{name}', row {index + 1}: the titles of a KROS bill (PČ, Typ, Kód, Popis, …).",)
                )
    return Score(0)


def read(head: FileHead) -> Bill:
    """One pass over the sheets; each is let go of when its last position is out."""
    names = head.workbook.sheet_names
    recap = Recapitulation()
    if names and any(EXPORT_MARK in row for row in head.first_rows(names[0], 3)):
        recap = read_recapitulation(head.workbook.sheet(names[0]))
        names = names[1:]
    header = BillHeader(
        dialect=NAME, dialect_label=LABEL, title=recap.title, reference=recap.code, client=recap.client,
        currency=recap.currency or _currency(head, names), budget_on=recap.budget_on,
        rounding=stated_rounding(head, sheets=4), vat_rates=recap.vat_rates,
    )  # fmt: skip
    bill = Bill(header=header, positions=iter(()), totals=recap.totals)
    bill.positions = _positions(head, names, recap, bill)
    return bill


def _currency(head: FileHead, names: list[str]) -> str:
    for name in names[:1]:
        for index, row in enumerate(head.first_rows(name, HEADER_ROWS)):
            if columns := find_columns(row, index):
                return columns.currency
    return ""


def _one_quantity(lines: list[MeasureLine]) -> tuple[MeasureLine, ...]:
    """A quantity recomputed with a coefficient has two lines marked: the last one is the quantity."""
    marked = [place for place, line in enumerate(lines) if line.is_quantity]
    for place in marked[:-1]:
        lines[place] = lines[place]._replace(is_quantity=False)
    return tuple(lines)


def _positions(head: FileHead, names: list[str], recap: Recapitulation, bill: Bill) -> Iterator[BillPosition]:
    numbering = Numbering(bill.warnings)
    ordinal = 0
    for name in names:
        reader = _SheetReader(head.workbook.sheet(name), recap, bill, numbering, ordinal)
        yield from reader.positions()
        ordinal = reader.ordinal
        head.workbook.release(name)


@dataclass(slots=True)
class _Item:
    """An item whose measure lines and notes are still to come."""

    row: Row
    index: int
    kind: PositionKind
    path: tuple[str, ...]
    measure: list[MeasureLine] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class _SheetReader:
    """Reads one bill sheet. Rows before the titles are cover; a sheet without titles has no bill."""

    def __init__(self, sheet: Sheet, recap: Recapitulation, bill: Bill, numbering: Numbering, ordinal: int) -> None:
        self.ordinal = ordinal
        self._sheet, self._recap, self._bill, self._numbering = sheet, recap, bill, numbering
        self._columns: Columns
        self._object = ("", "")
        self._path: tuple[str, ...] = ()
        self._sections: dict[tuple[str, ...], int] = {}  # path → its place in bill.totals
        self._vat = self._vat_rates()

    def positions(self) -> Iterator[BillPosition]:
        rows = enumerate(self._sheet.rows())
        if not self._find_bill(rows):
            return
        columns, type_at = self._columns, self._columns.type
        item: _Item | None = None
        for index, row in rows:
            mark = row[type_at]
            if mark == "VV":
                if item is not None and (line := self._measure(row, index)) is not None:
                    item.measure.append(line)
                continue
            if mark == "":
                if index <= columns.header_row + 2 and type(row[columns.total]) is float:
                    self._state_total("object", row, index)
                continue
            mark = text_of(mark)
            if mark in ("P", "PP", "PSC"):
                if item is not None:
                    item.notes.append(_NOTE_LEAD.sub("", text_of(row[columns.text])))
                continue
            if item is not None:
                yield self._position(item)
                item = None
            if mark == "D":
                self._open_section(row, index)
            elif (kind := self._item_kind(mark, row, index)) is not None:
                item = _Item(row, index, kind, self._path)
        if item is not None:
            yield self._position(item)

    def _find_bill(self, rows: Iterator[tuple[int, Row]]) -> bool:
        cover: list[Row] = []
        for index, row in rows:
            if columns := find_columns(row, index):
                self._columns = columns
                self._object = sheet_object(cover, self._sheet.name, self._recap)
                return True
            cover.append(row)
            if index >= HEADER_ROWS:
                break
        return False

    def _item_kind(self, mark: str, row: Row, index: int) -> PositionKind | None:
        kind = _ITEM_KINDS.get(mark)
        if kind is not None:
            return kind
        if type(row[self._columns.quantity]) is float and row[self._columns.text] != "":
            self._warn(index, self._columns.type, f"row type '{mark}' is not known; the row is read as a work")
            return PositionKind.WORK
        return None

    def _open_section(self, row: Row, index: int) -> None:
        columns = self._columns
        code, name = text_of(row[columns.code]), text_of(row[columns.text])
        level = self._level(row, code)
        self._path = (*self._path[:level], f"{code} {name}".strip())
        if columns.total >= 0 and type(row[columns.total]) is float:
            self._state_total("section", row, index)

    def _level(self, row: Row, code: str) -> int:
        at = self._columns.level
        if at < len(row) and row[at - 1] == "D" and text_of(row[at]).isdigit():
            return int(text_of(row[at]))
        return section_level(code, self._path)

    def _state_total(self, level: str, row: Row, index: int) -> None:
        amount = self._figure(row, index, self._columns.total)
        if amount is None:
            return
        totals, path = self._bill.totals, self._path if level == "section" else ()
        if path and path in self._sections:  # a section opened twice: its items are in both, so are its totals
            place = self._sections[path]
            amount += totals.pop(place).amount
            totals.insert(place, StatedTotal(level, amount, self._object[0], path, self._place(index)))
            return
        self._sections[path] = len(totals)
        totals.append(StatedTotal(level, amount, self._object[0], path, self._place(index)))

    def _measure(self, row: Row, index: int) -> MeasureLine | None:
        columns = self._columns
        text, figure = text_of(row[columns.text]), text_of(row[columns.code])
        value = self._figure(row, index, columns.quantity)
        if not text and value is None and not figure:
            return None
        kind, is_quantity = "", False
        if columns.is_quantity < len(row) and row[columns.row_type] == "VV":
            kind = _MEASURE_KINDS.get(row[columns.measure], "")
            is_quantity = row[columns.is_quantity] in ("1", 1.0)
        if not kind:
            kind = "comment" if value is None else "subtotal" if text.lower() in _SUBTOTALS else "expression"
        return MeasureLine(text, kind, value, figure, is_quantity)

    def _position(self, item: _Item) -> BillPosition:
        columns, row, index = self._columns, item.row, item.index
        self.ordinal += 1
        place = self._place(index)
        quantity = self._figure(row, index, columns.quantity)
        unit = text_of(row[columns.unit]) or None
        system = text_of(row[columns.system]) if columns.system >= 0 else ""
        object_code, object_name = self._object
        return BillPosition(
            ordinal=self.ordinal,
            number=self._numbering.claim(object_code, text_of(row[columns.number]), place),
            description=text_of(row[columns.text]),
            kind=item.kind,
            object_code=object_code,
            object_name=object_name,
            section_path=item.path,
            code=text_of(row[columns.code]),
            catalogue=catalogue_of(system) if system else "",
            price_system=system,
            long_text="\n".join(item.notes) if item.notes else "",
            unit=unit,
            quantity=quantity,
            quantity_reason="" if quantity is not None else self._why_no_quantity(row, index, unit),
            unit_price=self._figure(row, index, columns.price),
            total=self._figure(row, index, columns.total),
            vat_rate=self._vat.get(row[columns.vat]) if columns.vat >= 0 else None,
            measure=_one_quantity(item.measure),
            source=place,
        )

    def _why_no_quantity(self, row: Row, index: int, unit: str | None) -> str:
        at = self._columns.quantity
        if row[at] != "":
            return f"no figure in cell {self._sheet.cell(index, at)}: {text_of(row[at])[:40]!r}"
        return "percentage" if unit == "%" else f"empty cell {self._sheet.cell(index, at)}"

    def _figure(self, row: Row, index: int, at: int) -> Decimal | None:
        if at < 0:
            return None
        value = row[at]
        try:
            if type(value) is float:
                return decimal_from_float(value)
            return figure_of(value, ",")
        except ValueError:
            self._warn(index, at, f"{text_of(value)[:40]!r} is not a figure; the cell is left out")
            return None

    def _vat_rates(self) -> dict[str, Decimal]:
        rates = {"nulová": Decimal(0)}
        for names, rate in zip((("základní", "zákl. přenesená"), ("snížená", "sníž. přenesená")), self._recap.vat_rates,
                               strict=False):  # fmt: skip
            rates |= dict.fromkeys(names, rate)
        return rates

    def _place(self, index: int) -> str:
        return f"{self._sheet.name}!{self._sheet.cell(index, self._columns.number)}"

    def _warn(self, index: int, at: int, what: str) -> None:
        self._bill.warnings.append(f"Sheet '{self._sheet.name}', cell {self._sheet.cell(index, at)}: {what}.")
