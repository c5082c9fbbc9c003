"""RTS BUILDpower workbooks (`#RTSROZP#`): a recapitulation and one sheet per bill, each row's type in a hidden column.

Types: STA, OBJ, ROZ the site, object and bill; DIL a section; POL… a position; POP its text; VV a measure line; DPH and
SUM the sums at the sheet's end. Nothing else is positional: columns are found by their titles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from projects.parsers.bill import (
    Bill,
    BillPosition,
    MeasureLine,
    ParseError,
    PositionKind,
    Score,
    StatedTotal,
)
from projects.parsers.catalogues import catalogue_of
from projects.parsers.decimals import decimal_from_text
from projects.parsers.filehead import FileHead
from projects.parsers.numbering import Numbering
from projects.parsers.rts_layout import BILL_MARK, MARK, Columns, find_columns, read_header
from projects.parsers.workbook import Row, Sheet, figure_of, text_of

NAME = "rts_xlsx"
LABEL = "RTS BUILDpower"

_SHEETS_LOOKED_AT = 5  # instructions, then the whole, then a template
_HEADER_ROWS = 40  # the titles stand in row 6
# What a row is said to be ("Typ položky"), and what its type says where that column is empty.
_MATERIALS = ("Specifikace", "Materiál")
_MATERIAL_TYPE = "POL3"
_NOTE_LEAD = "Poznámka k položce:"
_COEFFICIENT = 4.0  # the kind of a measure line, in the column behind the row's type
_COEFFICIENT_TOLERANCE = Decimal("0.01")
_ROUNDED_AWAY = Decimal("0.005")  # of a result that stands beside its figure in two digits
_BARE_FIGURE = re.compile(r"-?[\d\s\u00a0]+(?:[.,]\d+)?")


def detect(head: FileHead) -> Score:
    if not head.is_workbook:
        return Score(0)
    for name in head.workbook.sheet_names[:_SHEETS_LOOKED_AT]:
        for row in head.first_rows(name, 3):
            for mark in (MARK, BILL_MARK):
                if mark in row:
                    return Score(100, (f"Sheet '{name}' is marked '{mark}'.",))
    return Score(0)


def read(head: FileHead) -> Bill:
    """One pass over the sheets; each is let go of when its last position is out."""
    header, totals = read_header(head, NAME, LABEL)
    bill = Bill(header=header, positions=iter(()), totals=totals)
    bill.positions = _positions(head, bill)
    return bill


def _positions(head: FileHead, bill: Bill) -> Iterator[BillPosition]:
    numbering = Numbering(bill.warnings)
    ordinal = 0
    for name in head.workbook.sheet_names:
        if any(BILL_MARK in row for row in head.first_rows(name, 1)):
            reader = _SheetReader(head.workbook.sheet(name), bill, numbering, ordinal)
            yield from reader.positions()
            ordinal = reader.ordinal
        head.workbook.release(name)


@dataclass(slots=True)
class _Item:
    """A position whose texts and measure lines are still to come."""

    row: Row
    index: int
    path: tuple[str, ...]
    texts: list[str] = field(default_factory=list)
    measure: list[MeasureLine] = field(default_factory=list)


class _SheetReader:
    """Reads one bill. Rows before the titles say of what; those after the sum are the bidder's own notes."""

    def __init__(self, sheet: Sheet, bill: Bill, numbering: Numbering, ordinal: int) -> None:
        self.ordinal = ordinal
        self._sheet, self._bill, self._numbering = sheet, bill, numbering
        self._columns: Columns
        self._object = ("", "")
        self._path: tuple[str, ...] = ()
        self._sections: dict[tuple[str, ...], int] = {}  # path → its place in bill.totals

    def positions(self) -> Iterator[BillPosition]:
        rows = enumerate(self._sheet.rows())
        self._find_bill(rows)
        item: _Item | None = None
        for index, row in rows:
            mark = text_of(row[self._columns.type])
            if mark == "POP" and item is not None:
                item.texts.append(text_of(row[self._columns.text]))
            elif mark == "VV" and item is not None:
                if (line := self._measure(row, index, item.measure)) is not None:
                    item.measure.append(line)
            elif mark.startswith("POL") or mark in ("DIL", "SUM"):
                if item is not None:
                    yield self._position(item)
                    item = None
                if mark == "SUM":
                    self._state_total("object", row, index)
                    return
                if mark == "DIL":
                    self._open_section(row, index)
                else:
                    item = _Item(row, index, self._path)
            elif self._is_unmarked_position(row):
                self._warn(index, self._columns.type, f"the row's type {mark!r} is not known; it is read as a position")
                if item is not None:
                    yield self._position(item)
                item = _Item(row, index, self._path)
        if item is not None:
            yield self._position(item)
        self._bill.warnings.append(f"Sheet '{self._sheet.name}': the row with its sum is missing.")

    def _find_bill(self, rows: Iterator[tuple[int, Row]]) -> None:
        marks: dict[str, tuple[str, str]] = {}
        type_at = -1
        for index, row in rows:
            if BILL_MARK in row:
                type_at = row.index(BILL_MARK)
            elif type_at >= 0 and (columns := find_columns(row, type_at)):
                self._columns = columns
                codes = [marks[mark][0] for mark in ("OBJ", "ROZ") if mark in marks]
                names = [marks[mark][1] for mark in ("OBJ", "ROZ") if mark in marks]
                code = "/".join(part for part in codes if part) or self._sheet.name
                self._object = (code, " – ".join(part for part in names if part) or code)
                return
            elif type_at >= 0:
                marks[text_of(row[type_at])] = (text_of(row[1]), text_of(row[2]))
            if index >= _HEADER_ROWS:
                break
        raise ParseError(
            f"Sheet '{self._sheet.name}' is marked as a bill of BUILDpower, but the row with its titles (P.č., Číslo "
            f"položky, Název položky, MJ, Množství) is not among its first {_HEADER_ROWS}. Nothing was imported. "
            "Export the bill again.",
            code="damaged",
        )

    def _is_unmarked_position(self, row: Row) -> bool:
        columns = self._columns
        return type(row[columns.quantity]) is float and row[columns.code] != "" and row[columns.unit] != ""

    def _open_section(self, row: Row, index: int) -> None:
        columns = self._columns
        self._path = (f"{text_of(row[columns.code])} {text_of(row[columns.text])}".strip(),)
        self._state_total("section", row, index)

    def _state_total(self, level: str, row: Row, index: int) -> None:
        amount = self._figure(row, index, self._columns.total)
        if amount is None:
            return
        totals, path = self._bill.totals, self._path if level == "section" else ()
        source = f"{self._sheet.name}!{self._sheet.cell(index, self._columns.total)}"
        if path and path in self._sections:  # opened twice: its positions are in both, so are its sums
            place = self._sections[path]
            totals[place] = StatedTotal(level, amount + totals[place].amount, self._object[0], path, source)
            return
        self._sections[path] = len(totals)
        totals.append(StatedTotal(level, amount, self._object[0], path, source))

    def _measure(self, row: Row, index: int, above: list[MeasureLine]) -> MeasureLine | None:
        """A line without a result beside it is a remark. A coefficient is of all the lines above it."""
        columns = self._columns
        text, value = text_of(row[columns.text]), self._figure(row, index, columns.quantity)
        if not text and value is None:
            return None
        if value is None:
            return MeasureLine(text, "comment")
        kind_at = columns.type + 1
        if kind_at < len(row) and row[kind_at] == _COEFFICIENT:
            text = _spelled_out(text, value, sum((line.value or Decimal(0) for line in above), Decimal(0)))
        return MeasureLine(text, "expression", _as_written(text, value))

    def _position(self, item: _Item) -> BillPosition:
        columns, row, index = self._columns, item.row, item.index
        self.ordinal += 1
        place = f"{self._sheet.name}!{self._sheet.cell(index, columns.number)}"
        quantity = self._figure(row, index, columns.quantity)
        unit = text_of(row[columns.unit]) or None
        system = text_of(row[columns.system]) if columns.system >= 0 else ""
        kind = text_of(row[columns.kind]) if columns.kind >= 0 else ""
        is_material = kind in _MATERIALS or (not kind and text_of(row[columns.type]).startswith(_MATERIAL_TYPE))
        price = self._figure(row, index, columns.price)
        # Without a price the cell's formula gives 0: nothing was offered, and 0 is not what it would cost.
        total = self._figure(row, index, columns.total) if price is not None else None
        texts = item.texts[1:] if item.texts and item.texts[0] == _NOTE_LEAD else item.texts
        return BillPosition(
            ordinal=self.ordinal,
            number=self._numbering.claim(self._object[0], text_of(row[columns.number]), place),
            description=text_of(row[columns.text]),
            kind=PositionKind.MATERIAL if is_material else PositionKind.WORK,
            object_code=self._object[0],
            object_name=self._object[1],
            section_path=item.path,
            code=text_of(row[columns.code]),
            catalogue=catalogue_of(system) if system else "",
            price_system=system,
            long_text="\n".join(texts),
            unit=unit,
            quantity=quantity,
            quantity_reason="" if quantity is not None else self._why_no_quantity(row, index, unit),
            unit_price=price,
            total=total,
            vat_rate=self._figure(row, index, columns.vat),
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

    def _warn(self, index: int, at: int, what: str) -> None:
        self._bill.warnings.append(f"Sheet '{self._sheet.name}', cell {self._sheet.cell(index, at)}: {what}.")


def _spelled_out(text: str, value: Decimal, above: Decimal) -> str:
    """ "Koeficient ztratné: 0,15" with what it is of, "Koeficient ztratné: 0,15*1209,6", if that comes to `value`."""
    try:
        rate = decimal_from_text(text.rpartition(":")[2], ",")
    except ValueError:
        rate = None
    if rate is None or abs(rate * above - value) > _COEFFICIENT_TOLERANCE:
        return text
    return f"{text}*{above:f}".replace(".", ",")


def _as_written(text: str, value: Decimal) -> Decimal:
    """The result beside a bare figure is rounded to two digits there (88,073 | 88.07): the figure itself is exact. A
    text that says anything else (a year, a part's number) is none of the result's."""
    if not _BARE_FIGURE.fullmatch(text):
        return value
    try:
        exact = decimal_from_text(text, ",")
    except ValueError:
        return value
    return exact if exact is not None and abs(exact - value) <= _ROUNDED_AWAY else value
