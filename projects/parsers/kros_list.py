"""The list view of KROS, exported as it stands on the screen: one sheet, no cover, no recapitulation, no formulas.

Columns PČ, Typ, Kód, Popis, MJ, Množství, J.cena, Cena in any order, and whatever else the person had on the screen.
Rows by type as in the whole export: D section, K work, M material, VV measure line, P note. What object it is of is not
said: the sheet's name stands for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from projects.parsers.bill import (
    Bill,
    BillHeader,
    BillPosition,
    MeasureLine,
    ParseError,
    PositionKind,
    Score,
    StatedTotal,
)
from projects.parsers.catalogues import catalogue_of
from projects.parsers.filehead import FileHead
from projects.parsers.kros_layout import EXPORT_MARK, ListColumns, find_list_columns, section_level
from projects.parsers.numbering import Numbering
from projects.parsers.workbook import Row, Sheet, figure_of, text_of

NAME = "kros_list"
LABEL = "KROS list view"

_TITLE_ROWS = 30
_KINDS = {"K": PositionKind.WORK, "M": PositionKind.MATERIAL}
_NOTES = ("P", "PP", "PSC")
_WHOLE = ("celkem", "celkom", "cena celkem", "cena celkom")


def detect(head: FileHead) -> Score:
    if not head.is_workbook or not head.workbook.sheet_names:
        return Score(0)
    first = head.workbook.sheet_names[0]
    if any(EXPORT_MARK in row for row in head.first_rows(first, 3)):
        return Score(0)
    for name in head.workbook.sheet_names[:3]:
        for index, row in enumerate(head.first_rows(name, _TITLE_ROWS)):
            if find_list_columns(row):
                return Score(
                    85, (f"Sheet '{name}', row {index + 1}: the titles of a KROS list (PČ, Typ, Kód, Popis, …).",)
                )
    return Score(0)


def read(head: FileHead) -> Bill:
    """One pass over the sheets that have the titles. Raises ParseError("damaged") if none has."""
    found: list[tuple[str, tuple[int, ListColumns]]] = []
    for name in head.workbook.sheet_names:
        if place := _titles(head, name):
            found.append((name, place))
        if len(found) != 1:  # one stands in memory at a time; the first is read on at once
            head.workbook.release(name)
    if not found:
        raise ParseError(
            "No sheet has the titles of a KROS list (PČ, Typ, Kód, Popis, MJ, Množství). Export the list again.",
            code="damaged",
        )
    header = BillHeader(dialect=NAME, dialect_label=LABEL, title=found[0][0], currency=found[0][1][1].currency)
    bill = Bill(header=header, positions=iter(()))
    bill.positions = _positions(head, found, bill)
    return bill


def _titles(head: FileHead, name: str) -> tuple[int, ListColumns] | None:
    rows = enumerate(head.first_rows(name, _TITLE_ROWS))
    return next(((index, columns) for index, row in rows if (columns := find_list_columns(row))), None)


def _positions(head: FileHead, found: list[tuple[str, tuple[int, ListColumns]]], bill: Bill) -> Iterator[BillPosition]:
    numbering = Numbering(bill.warnings)
    ordinal = 0
    whole: list[StatedTotal] = []
    for name, (header_row, columns) in found:
        reader = _ListReader(head.workbook.sheet(name), header_row, columns, bill, numbering, ordinal)
        yield from reader.positions()
        ordinal = reader.ordinal
        whole += [reader.whole] if reader.whole else []
        head.workbook.release(name)
    if whole and len(whole) == len(found):
        amount = sum((total.amount for total in whole), Decimal(0))
        bill.totals.append(StatedTotal("bill", amount, source=whole[0].source))


@dataclass(slots=True)
class _Item:
    """An item whose measure lines and notes, if there are any, are still to come."""

    row: Row
    index: int
    kind: PositionKind
    path: tuple[str, ...]
    measure: list[MeasureLine] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class _ListReader:
    """Reads one list. `whole`: the sum of the list, where its last row states it."""

    def __init__(
        self, sheet: Sheet, header_row: int, columns: ListColumns, bill: Bill, numbering: Numbering, ordinal: int
    ) -> None:
        self.ordinal = ordinal
        self.whole: StatedTotal | None = None
        self._sheet, self._header_row, self._columns = sheet, header_row, columns
        self._bill, self._numbering = bill, numbering
        self._path: tuple[str, ...] = ()
        self._sections: dict[tuple[str, ...], int] = {}  # path → its place in bill.totals

    def positions(self) -> Iterator[BillPosition]:
        item: _Item | None = None
        for index, row in enumerate(self._sheet.rows()):
            if index <= self._header_row:
                continue
            mark = text_of(row[self._columns.type])
            if mark in _NOTES or mark == "VV":
                if item is not None:
                    self._add(item, mark, row, index)
                continue
            kind = self._kind(mark, row, index)
            if item is not None and (kind or mark):
                yield self._position(item)
                item = None
            if mark == "D":
                self._open_section(row, index)
            elif kind is not None:
                item = _Item(row, index, kind, self._path)
            elif not mark:
                self._state_whole(row, index)
        if item is not None:
            yield self._position(item)

    def _add(self, item: _Item, mark: str, row: Row, index: int) -> None:
        text = text_of(row[self._columns.text])
        if mark != "VV":
            item.notes.append(text)
            return
        value = self._figure(row, index, self._columns.quantity)
        if text or value is not None:
            item.measure.append(MeasureLine(text, "comment" if value is None else "expression", value))

    def _kind(self, mark: str, row: Row, index: int) -> PositionKind | None:
        if mark == "D":
            return None
        kind = _KINDS.get(mark)
        columns = self._columns
        if kind is None and type(row[columns.quantity]) is float and row[columns.text] != "" and row[columns.unit]:
            self._warn(index, columns.type, f"row type {mark!r} is not known; the row is read as a work")
            return PositionKind.WORK
        return kind

    def _open_section(self, row: Row, index: int) -> None:
        columns = self._columns
        code = text_of(row[columns.code])
        level = section_level(code, self._path)
        self._path = (*self._path[:level], f"{code} {text_of(row[columns.text])}".strip())
        amount = self._figure(row, index, columns.total)
        if amount is None:
            return
        totals, path = self._bill.totals, self._path
        source = self._place(index, columns.total)
        if path in self._sections:  # opened twice: its items are in both, so are its sums
            place = self._sections[path]
            totals[place] = StatedTotal("section", amount + totals[place].amount, self._sheet.name, path, source)
            return
        self._sections[path] = len(totals)
        totals.append(StatedTotal("section", amount, self._sheet.name, path, source))

    def _state_whole(self, row: Row, index: int) -> None:
        words = [text_of(cell).lower().rstrip(":") for cell in row if type(cell) is str and cell]
        if words and words[0] in _WHOLE:
            amount = self._figure(row, index, self._columns.total)
            if amount is not None:
                self.whole = StatedTotal("bill", amount, source=self._place(index, self._columns.total))

    def _position(self, item: _Item) -> BillPosition:
        columns, row, index = self._columns, item.row, item.index
        self.ordinal += 1
        name = self._sheet.name
        quantity = self._figure(row, index, columns.quantity)
        unit = text_of(row[columns.unit]) or None
        system = text_of(row[columns.system]) if columns.system >= 0 else ""
        place = self._place(index, columns.number)
        return BillPosition(
            ordinal=self.ordinal,
            number=self._numbering.claim(name, text_of(row[columns.number]), place),
            description=text_of(row[columns.text]),
            kind=item.kind,
            object_code=name,
            object_name=name,
            section_path=item.path,
            code=text_of(row[columns.code]),
            catalogue=catalogue_of(system) if system else "",
            price_system=system,
            long_text="\n".join(item.notes),
            unit=unit,
            quantity=quantity,
            quantity_reason="" if quantity is not None else self._why_no_quantity(row, index, unit),
            unit_price=self._figure(row, index, columns.price),
            total=self._figure(row, index, columns.total),
            measure=tuple(item.measure),
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
        try:
            return figure_of(row[at], ",")
        except ValueError:
            self._warn(index, at, f"{text_of(row[at])[:40]!r} is not a figure; the cell is left out")
            return None

    def _place(self, index: int, at: int) -> str:
        return f"{self._sheet.name}!{self._sheet.cell(index, at)}"

    def _warn(self, index: int, at: int, what: str) -> None:
        self._bill.warnings.append(f"Sheet '{self._sheet.name}', cell {self._sheet.cell(index, at)}: {what}.")
