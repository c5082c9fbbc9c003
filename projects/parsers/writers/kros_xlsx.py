"""Writes a bill as a KROS "Export Komplet" workbook: a recapitulation sheet and one sheet per building object.

Straight to XML, row by row: 100,000 items with their measures take a few seconds, and one object at a time stands in
memory. Totals are formulas with their results cached, as the program itself writes them, so that a spreadsheet
recalculates the file and a reader that never evaluates a formula still finds every figure.
"""

from __future__ import annotations

import uuid
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TextIO

from projects.parsers.writers.kros_rows import (
    ItemRow,
    KrosBill,
    KrosRow,
    MeasureRow,
    NoteRow,
    ObjectRow,
    SectionRow,
)
from projects.parsers.writers.spreadsheet_parts import SharedStrings, number, open_part, write_package

_CENT = Decimal("0.01")
_TITLE_ROW = 20  # the row of the column titles; the items begin two rows below
_COVER = "KRYCÍ LIST SOUPISU PRACÍ"
_MEASURE_TYPES = {"comment": "1", "expression": "2", "subtotal": "4"}
_COLUMNS = ("PČ", "Typ", "Kód", "Popis", "MJ", "Množství", "J.cena [{}]", "Cena celkem [{}]", "Cenová soustava")
_WIDTHS = ((1, 2, 2), (3, 3, 5), (4, 4, 5), (5, 5, 16), (6, 6, 70), (7, 7, 8), (8, 8, 13), (9, 9, 14), (10, 11, 20))
_HELPER_COLUMNS = (44, 50)  # AR … AX, hidden as the program hides them
_LINES_AT_ONCE = 500


def write_kros_xlsx(path: Path, rows: Iterable[KrosRow], *, bill: KrosBill | None = None) -> Decimal:
    """Writes `rows` and returns the grand total without VAT, as the file states it.

    Raises ValueError for rows before the first `ObjectRow`.
    """
    bill = bill or KrosBill()
    strings = SharedStrings()
    sheets: list[_Sheet] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for obj, content in _by_object(rows):
            sheet = _Sheet(obj, index=len(sheets) + 2, guid=_guid(bill, obj.code))
            with open_part(archive, f"xl/worksheets/sheet{sheet.index}.xml") as out:
                _write_object(out, sheet, content, strings, bill)
            sheets.append(sheet)
        total = sum((sheet.total for sheet in sheets), Decimal(0))
        with open_part(archive, "xl/worksheets/sheet1.xml") as out:
            _write_recapitulation(out, sheets, total, strings, bill)
        names = ["Rekapitulace stavby", *_sheet_names(sheets)]
        write_package(archive, names, strings)
    return bill.stated_total if bill.stated_total is not None else total


@dataclass(slots=True)
class _Sheet:
    obj: ObjectRow
    index: int
    guid: str
    total: Decimal = Decimal(0)

    @property
    def label(self) -> str:
        return f"{self.obj.code} - {self.obj.name}"


@dataclass(slots=True)
class _Totals:
    """Totals of an object and its sections, which stand above their items and so are counted first."""

    items: list[Decimal] = field(default_factory=list)
    sections: list[Decimal] = field(default_factory=list)
    grand: Decimal = Decimal(0)


def _guid(bill: KrosBill, code: str) -> str:
    """The same bill and object always get the same id: the same rows give the same bytes."""
    return "{" + str(uuid.uuid5(uuid.NAMESPACE_OID, f"{bill.code}/{code}")) + "}"


def _by_object(rows: Iterable[KrosRow]) -> Iterator[tuple[ObjectRow, list[KrosRow]]]:
    obj: ObjectRow | None = None
    content: list[KrosRow] = []
    for row in rows:
        if isinstance(row, ObjectRow):
            if obj is not None:
                yield obj, content
            obj, content = row, []
        elif obj is None:
            raise ValueError("The first row must be an ObjectRow: it opens the sheet the others stand in.")
        else:
            content.append(row)
    if obj is not None:
        yield obj, content


def _sheet_names(sheets: list[_Sheet]) -> list[str]:
    """At most 31 characters, none of those a spreadsheet forbids, each once."""
    names: list[str] = []
    for sheet in sheets:
        name = "".join("-" if char in "[]:*?/\\'" else char for char in sheet.label)[:31].strip()
        if name in names:
            name = f"{name[:25]} ({sheet.index})"
        names.append(name)
    return names


def _count(rows: list[KrosRow]) -> _Totals:
    totals = _Totals()
    open_sections: list[tuple[int, int]] = []  # (level, index into totals.sections)
    for row in rows:
        if isinstance(row, SectionRow):
            while open_sections and open_sections[-1][0] >= row.level:
                open_sections.pop()
            open_sections.append((row.level, len(totals.sections)))
            totals.sections.append(Decimal(0))
        elif isinstance(row, ItemRow):
            total = row.total
            if total is None:
                total = ((row.quantity or 0) * (row.unit_price or Decimal(0))).quantize(_CENT, ROUND_HALF_UP)
            totals.items.append(total)
            totals.grand += total
            for _, index in open_sections:
                totals.sections[index] += total
    return totals


def _write_object(out: TextIO, sheet: _Sheet, rows: list[KrosRow], strings: SharedStrings, bill: KrosBill) -> None:
    totals = _count(rows)
    sheet.total = totals.grand
    s = strings.cell
    _open_sheet(out)
    _write_cover(out, sheet, strings, bill)
    titles = "".join(
        s(f"{chr(67 + i)}{_TITLE_ROW}", title.format(bill.currency), style=1) for i, title in enumerate(_COLUMNS)
    )
    at = _TITLE_ROW + 1
    out.write(f'<row r="{_TITLE_ROW}">{titles}{s(f"N{_TITLE_ROW}", "DPH", style=1)}</row>')
    grand = number(f"J{at}", totals.grand, style=3)
    out.write(f'<row r="{at}">{s(f"C{at}", "Náklady soupisu celkem", style=2)}{grand}{s(f"AU{at}", "-1")}</row>')
    _write_rows(out, rows, totals, strings)
    out.write("</sheetData></worksheet>")


def _write_rows(out: TextIO, rows: list[KrosRow], totals: _Totals, strings: SharedStrings) -> None:
    items, sections = iter(totals.items), iter(totals.sections)
    level, position, counted = 0, _TITLE_ROW + 1, 0
    lines: list[str] = []
    for row in rows:
        position += 1
        if isinstance(row, ItemRow):
            counted += 1
            lines.append(_item(row, position, row.number or str(counted), next(items), level, strings))
        elif isinstance(row, MeasureRow):
            lines.append(_measure(row, position, level, strings))
        elif isinstance(row, SectionRow):
            level = row.level + 1
            total = next(sections)
            lines.append(_section(row, position, total if row.stated_total is None else row.stated_total, strings))
        elif isinstance(row, NoteRow):
            lines.append(_note(row, position, level, strings))
        if len(lines) >= _LINES_AT_ONCE:
            out.write("".join(lines))
            lines.clear()
    out.write("".join(lines))


def _item(row: ItemRow, r: int, label: str, total: Decimal, level: int, strings: SharedStrings) -> str:
    s, place = strings.cell, strings.place
    if row.total is None and row.quantity is not None and row.unit_price is not None:
        sum_cell = f'<c r="J{r}" s="3"><f>ROUND(I{r}*H{r},2)</f><v>{total:f}</v></c>'
    else:
        sum_cell = number(f"J{r}", total, style=3)
    kind = place(row.type)
    return (
        f'<row r="{r}">{s(f"C{r}", label)}<c r="D{r}" t="s"><v>{kind}</v></c>{s(f"E{r}", row.code)}'
        f"{s(f'F{r}', row.description, 4)}{s(f'G{r}', row.unit)}{number(f'H{r}', row.quantity, 5)}"
        f"{number(f'I{r}', row.unit_price, 6)}{sum_cell}{s(f'K{r}', row.price_system)}{s(f'N{r}', row.vat)}"
        f'<c r="AT{r}" t="s"><v>{kind}</v></c><c r="AU{r}" t="s"><v>{place(str(level))}</v></c></row>'
    )


def _section(row: SectionRow, r: int, total: Decimal, strings: SharedStrings) -> str:
    s = strings.cell
    return (
        f'<row r="{r}">{s(f"D{r}", "D", 2)}{s(f"E{r}", row.code, 2)}{s(f"F{r}", row.name, 2)}'
        f"{number(f'J{r}', total, 3)}{s(f'AT{r}', 'D')}{s(f'AU{r}', str(row.level))}</row>"
    )


def _measure(row: MeasureRow, r: int, level: int, strings: SharedStrings) -> str:
    s, place = strings.cell, strings.place
    kind = place("VV")
    return (
        f'<row r="{r}"><c r="D{r}" t="s"><v>{kind}</v></c>{s(f"E{r}", row.figure)}{s(f"F{r}", row.text)}'
        f"{number(f'H{r}', row.value, 5)}"
        f'<c r="AT{r}" t="s"><v>{kind}</v></c><c r="AU{r}" t="s"><v>{place(str(level))}</v></c>'
        f'<c r="AV{r}" t="s"><v>{place(_MEASURE_TYPES[row.kind])}</v></c>'
        f'<c r="AX{r}" t="s"><v>{place("1" if row.is_quantity else "0")}</v></c></row>'
    )


def _note(row: NoteRow, r: int, level: int, strings: SharedStrings) -> str:
    s = strings.cell
    text = f"Poznámka k položce:\n{row.text}"
    return f'<row r="{r}">{s(f"D{r}", "P")}{s(f"F{r}", text, 4)}{s(f"AT{r}", "P")}{s(f"AU{r}", str(level))}</row>'


def _write_cover(out: TextIO, sheet: _Sheet, strings: SharedStrings, bill: KrosBill) -> None:
    s = strings.cell
    date_text = f"{bill.budget_on.day}. {bill.budget_on.month}. {bill.budget_on.year}" if bill.budget_on else ""
    out.write(
        f'<row r="2">{s("AT2", sheet.guid)}</row><row r="4">{s("D4", _COVER, style=2)}</row>'
        f'<row r="6">{s("D6", "Stavba:")}</row><row r="7">{s("E7", bill.title)}</row>'
        f'<row r="8">{s("D8", "Objekt:")}</row><row r="9">{s("E9", sheet.label, style=2)}</row>'
        f'<row r="10">{s("D10", "Místo:")}{s("I10", "Datum:")}{s("J10", date_text)}</row>'
        f'<row r="12">{s("D12", "Cena bez DPH", style=2)}{number("J12", sheet.total, style=3)}</row>'
        f'<row r="16">{s("C16", "SOUPIS PRACÍ", style=2)}</row>'
    )


def _write_recapitulation(
    out: TextIO, sheets: list[_Sheet], total: Decimal, strings: SharedStrings, bill: KrosBill
) -> None:
    s = strings.cell
    stated = total if bill.stated_total is None else bill.stated_total
    date_text = f"{bill.budget_on.day}. {bill.budget_on.month}. {bill.budget_on.year}" if bill.budget_on else ""
    own = _guid(bill, "")
    _open_sheet(out)
    out.write(
        f'<row r="1">{s("A1", "Export Komplet")}{s("BA1", "2.0")}{s("BV1", own)}</row>'
        f'<row r="4">{s("D4", "REKAPITULACE STAVBY", style=2)}</row>'
        f'<row r="5">{s("D5", "Kód:")}{s("F5", bill.code)}</row>'
        f'<row r="6">{s("D6", "Stavba:")}{s("F6", bill.title)}</row>'
        f'<row r="8">{s("D8", "Místo:")}{s("I8", "Datum:")}{s("J8", date_text)}</row>'
        f'<row r="10">{s("D10", "Zadavatel:")}</row><row r="11">{s("E11", bill.client)}</row>'
        f'<row r="13">{s("D13", "Cena bez DPH", style=2)}{number("J13", stated, style=3)}</row>'
        f'<row r="14">{s("D14", "DPH")}{s("F14", "základní")}{number("G14", bill.vat_percent[0] / 100)}</row>'
        f'<row r="15">{s("F15", "snížená")}{number("G15", bill.vat_percent[1] / 100)}</row>'
        f'<row r="17">{s("D17", "Cena s DPH")}{s("G17", bill.currency)}</row>'
        f'<row r="19">{s("C19", "REKAPITULACE OBJEKTŮ STAVBY A SOUPISŮ PRACÍ", style=2)}</row>'
        f'<row r="21">{s("C21", "Kód", style=1)}{s("F21", "Popis", style=1)}'
        f"{s('J21', f'Cena bez DPH [{bill.currency}]', style=1)}{s('N21', 'Typ', style=1)}</row>"
        f'<row r="23">{s("C23", "Náklady z rozpočtů", style=2)}{number("J23", stated, style=3)}{s("BW23", own)}</row>'
    )
    for r, sheet in enumerate(sheets, start=24):
        out.write(
            f'<row r="{r}">{s(f"A{r}", "/")}{s(f"D{r}", sheet.obj.code)}{s(f"F{r}", sheet.obj.name)}'
            f"{number(f'J{r}', sheet.total, style=3)}{s(f'N{r}', 'STA')}"
            f"{s(f'BW{r}', sheet.guid)}{s(f'BX{r}', own)}</row>"
        )
    out.write("</sheetData></worksheet>")


def _open_sheet(out: TextIO) -> None:
    columns = "".join(f'<col min="{a}" max="{b}" width="{width}" customWidth="1"/>' for a, b, width in _WIDTHS)
    first, last = _HELPER_COLUMNS
    out.write(
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<cols>{columns}<col min="{first}" max="{last}" width="10" hidden="1" customWidth="1"/></cols><sheetData>'
    )
