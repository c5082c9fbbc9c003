"""Aspe / Esticon workbooks, form SŽDC05: one sheet per object, each row's type in the first column.

Types: S the site, O the group of objects, O1 an object, O2 its part, SD a section, P a position; PP its full text, VV
its measure sheet, all lines in one cell, TS its technical specification. The program writes 0 where no price has been
given, and counts those itself ("Počet položek s nulovou cenou"): such a price is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from projects.parsers.aspe_layout import (
    ASPE_FORMS,
    HEADER_ROWS,
    Columns,
    FormHead,
    find_columns,
    measure_lines,
    read_form_head,
)
from projects.parsers.bill import Bill, BillHeader, BillPosition, ParseError, PositionKind, Score, StatedTotal
from projects.parsers.catalogues import catalogue_of
from projects.parsers.filehead import FileHead
from projects.parsers.numbering import Numbering
from projects.parsers.sheet_rounding import stated_rounding
from projects.parsers.workbook import Row, Sheet, figure_of, text_of

NAME = "aspe_xlsx"
LABEL = "Aspe / Esticon, form SŽDC05"

_OWN = ("R", "vlastn")  # price systems of the author's own positions


def detect(head: FileHead) -> Score:
    if not head.is_workbook:
        return Score(0)
    for name in head.workbook.sheet_names[:3]:
        if _form(head.first_rows(name, 1)):
            return Score(100, (f"Sheet '{name}' is the form {text_of(head.first_rows(name, 1)[0][0])}.",))
    for name in head.workbook.sheet_names[:3]:
        for index, row in enumerate(head.first_rows(name, HEADER_ROWS)):
            if find_columns(row):
                return Score(90, (f"Sheet '{name}', row {index + 1}: the titles of an Aspe bill.",))
    return Score(0)


def _form(rows: list[Row]) -> bool:
    return any(text_of(cell) in ASPE_FORMS for row in rows for cell in row[:2] if cell != "")


def read(head: FileHead) -> Bill:
    """One pass over the sheets; each is let go of when its last position is out."""
    forms: list[tuple[str, FormHead]] = []
    for name in head.workbook.sheet_names:
        if (form := read_form_head(head.first_rows(name, HEADER_ROWS))) is not None:
            forms.append((name, form))
        if len(forms) != 1:  # one stands in memory at a time; the first is read on at once
            head.workbook.release(name)
    if not forms:
        raise ParseError(
            "The workbook is marked as an Aspe bill, but no sheet has the row with its titles (Typ, Poř. číslo, Kód "
            "položky, Název položky, MJ, Množství). Nothing was imported. Export the bill again.",
            code="damaged",
        )
    first = forms[0][1]
    header = BillHeader(
        dialect=NAME, dialect_label=LABEL, title=first.title, reference=first.reference,
        rounding=stated_rounding(head), vat_rates=tuple(sorted({r for r in first.vat_rates if r}, reverse=True)),
    )  # fmt: skip
    bill = Bill(header=header, positions=iter(()))
    bill.positions = _positions(head, forms, bill)
    return bill


def _positions(head: FileHead, forms: list[tuple[str, FormHead]], bill: Bill) -> Iterator[BillPosition]:
    numbering = Numbering(bill.warnings)
    whole: list[StatedTotal] = []
    stated, counted, ordinal = 0, True, 0
    for name, form in forms:
        reader = _SheetReader(head.workbook.sheet(name), form, bill, numbering, ordinal)
        yield from reader.positions()
        whole += reader.objects
        ordinal = reader.ordinal
        if form.unpriced is None:
            counted = False
        else:  # the program counts what has no price: with what has one, those are all
            stated += int(form.unpriced) - reader.extra_unpriced + reader.priced
        head.workbook.release(name)
    if whole:
        amount = sum((total.amount for total in whole), Decimal(0))
        bill.totals.append(StatedTotal("bill", amount, source=", ".join(total.source for total in whole[:5])))
    if counted:
        bill.stated_count = stated


@dataclass(slots=True)
class _Item:
    """A position whose texts and measure sheet are still to come."""

    row: Row
    index: int
    object: tuple[str, str]
    path: tuple[str, ...]
    texts: list[str] = field(default_factory=list)
    measure: str = ""


class _SheetReader:
    """Reads one form. `objects`: its objects' totals. `priced`: positions with a price."""

    def __init__(self, sheet: Sheet, form: FormHead, bill: Bill, numbering: Numbering, ordinal: int) -> None:
        self.ordinal, self.priced, self.extra_unpriced = ordinal, 0, 0
        self.objects: list[StatedTotal] = []
        self._sheet, self._form, self._bill, self._numbering = sheet, form, bill, numbering
        self._columns: Columns = form.columns
        self._outer = ("", "")  # the object (O1)
        self._outer_total: StatedTotal | None = None  # held back: where the object has parts, theirs are stated
        self._object = (sheet.name, sheet.name)
        self._path: tuple[str, ...] = ()
        self._sections: dict[tuple[str, tuple[str, ...]], int] = {}  # its place in bill.totals

    def positions(self) -> Iterator[BillPosition]:
        item: _Item | None = None
        for index, row in enumerate(self._sheet.rows()):
            if index <= self._form.header_row:
                continue
            mark = text_of(row[self._columns.type])
            if mark in ("PP", "TS"):
                if item is not None:
                    item.texts.append(text_of(row[self._columns.text]))
                continue
            if mark == "VV":
                if item is not None:
                    item.measure = f"{item.measure}\n{text_of(row[self._columns.text])}".strip()
                continue
            if item is not None and mark:
                yield self._position(item)
                item = None
            item = self._open(mark, row, index) or item
        if item is not None:
            yield self._position(item)

    def _open(self, mark: str, row: Row, index: int) -> _Item | None:
        """Takes in a row that begins something; the position, if it begins one."""
        if mark in ("P", "O1", "O2", "SD"):
            if mark == "P":
                self._settle_outer()
                return _Item(row, index, self._object, self._path)
            self._open_group(mark, row, index)
        elif mark and row[self._columns.code] != "" and type(row[self._columns.quantity]) is float:
            self._warn(index, self._columns.type, f"row type '{mark}' is not known; the row is read as a position")
            return _Item(row, index, self._object, self._path)
        return None

    def _open_group(self, mark: str, row: Row, index: int) -> None:
        columns = self._columns
        code, name = text_of(row[columns.code]), text_of(row[columns.text])
        amount = self._figure(row, index, columns.total)
        source = f"{self._sheet.name}!{self._sheet.cell(index, columns.total)}"
        if mark == "SD":
            self._path = (f"{code} {name}".strip(),)
            self._state_section(amount, source)
            return
        self._path = ()
        if mark == "O1":
            self._outer = self._object = (code, name)
            self._outer_total = StatedTotal("object", amount, code, source=source) if amount is not None else None
            self.objects += [self._outer_total] if self._outer_total else []
            return
        self._outer_total = None
        self._object = ("/".join(part for part in (self._outer[0], code) if part), name)
        if amount is not None:
            self._bill.totals.append(StatedTotal("object", amount, self._object[0], source=source))

    def _settle_outer(self) -> None:
        """The first position of an object without parts: the object's own total is one of positions."""
        if self._outer_total is not None:
            self._bill.totals.append(self._outer_total)
            self._outer_total = None

    def _state_section(self, amount: Decimal | None, source: str) -> None:
        if amount is None:
            return
        totals, key = self._bill.totals, (self._object[0], self._path)
        if key in self._sections:  # opened twice: its positions are in both, so are its sums
            place = self._sections[key]
            totals[place] = StatedTotal("section", amount + totals[place].amount, *key, source)
            return
        self._sections[key] = len(totals)
        totals.append(StatedTotal("section", amount, *key, source))

    def _position(self, item: _Item) -> BillPosition:
        columns, row, index = self._columns, item.row, item.index
        self.ordinal += 1
        place = f"{self._sheet.name}!{self._sheet.cell(index, columns.number)}"
        description = text_of(row[columns.text])
        quantity = self._figure(row, index, columns.quantity)
        unit = text_of(row[columns.unit]) or None
        system = text_of(row[columns.system]) if columns.system >= 0 else ""
        price = self._figure(row, index, columns.price) or None
        self.priced += price is not None
        self._count_extra(row)
        return BillPosition(
            ordinal=self.ordinal,
            number=self._numbering.claim(item.object[0], text_of(row[columns.number]), place),
            description=description,
            kind=PositionKind.WORK,
            object_code=item.object[0],
            object_name=item.object[1],
            section_path=item.path,
            code=text_of(row[columns.code]),
            catalogue=_catalogue(system),
            price_system=system,
            long_text=self._long_text(item, description),
            unit=unit,
            quantity=quantity,
            quantity_reason="" if quantity is not None else self._why_no_quantity(row, index, unit),
            unit_price=price,
            total=self._figure(row, index, columns.total) if price is not None else None,
            vat_rate=self._form.rate_of(row),
            measure=measure_lines(item.measure),
            source=place,
        )

    def _long_text(self, item: _Item, description: str) -> str:
        variant = text_of(item.row[self._columns.variant]) if self._columns.variant >= 0 else ""
        texts = dict.fromkeys(text for text in item.texts if text and text != description)
        return "\n".join([f"Varianta {variant}", *texts] if variant else texts)

    def _count_extra(self, row: Row) -> None:
        """The footer adds a column of its own to the positions without a price."""
        at = self._form.extra_column
        if 0 <= at < len(row) and type(row[at]) is float:
            self.extra_unpriced += int(row[at])

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


def _catalogue(system: str) -> str:
    if system == _OWN[0] or _OWN[1] in system.lower():
        return "own"
    return catalogue_of(system) if system else ""
