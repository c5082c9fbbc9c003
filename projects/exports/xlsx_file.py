"""A version as a workbook of our own layout: the bill, one row a position, whose totals are formulas; and its sums.

Written row by row with texts in their cells: no table of texts, no sheet in memory.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO
from xml.sax.saxutils import escape

from projects.exports import table_rows
from projects.exports.proof import Proof
from projects.exports.source import ExportBill, ExportError, Sums, sums_of
from projects.exports.table_rows import Cell, Rows
from projects.parsers.bill import BillPosition
from projects.parsers.decimals import decimal_from_float
from projects.parsers.numbering import Numbering
from projects.parsers.registry import open_bill
from projects.parsers.sheet_extent import column_letters
from projects.parsers.totals import computed_total
from projects.parsers.writers.spreadsheet_parts import SharedStrings, number, open_part, write_package

SHEET, SUMS = "Bill", "Sums"
MOST_ROWS = 1_000_000
LONGEST = 32_767
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
)
_WIDTHS = (12, 20, 30, 10, 10, 12, 14, 10, 16, 60, 30, 8, 13, 16, 13, 16, 8, 11)
_LETTERS = [column_letters(index) for index in range(len(_WIDTHS))]
_ESCAPED = ("_x", "_x005F_x")
_PLAIN, _TITLE, _BOLD, _MONEY, _WRAPPED, _QUANTITY, _PRICE = range(7)
_STYLES = {table_rows.QUANTITY: _QUANTITY, table_rows.PRICE: _PRICE, table_rows.TOTAL: _MONEY}


def write_xlsx(path: Path, bill: ExportBill) -> dict[str, Any]:
    """What was written, verified by reading it."""
    if bill.count > MOST_ROWS:
        raise ExportError(f"A sheet holds {MOST_ROWS:,} rows. Export csv instead.", code="too_large")
    sums = sums_of(bill)
    proof, rows, cut = Proof(), Rows(bill, Numbering([])), [0, 0]  # texts cut, figures rounded
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        with open_part(archive, "xl/worksheets/sheet1.xml") as out:
            _write_bill(out, bill, rows, proof, sums, cut)
        with open_part(archive, "xl/worksheets/sheet2.xml") as out:
            _write_sums(out, bill, sums)
        write_package(archive, [SHEET, SUMS], SharedStrings())
    bill.report(bill.count, bill.count, "Reading the file again")
    if not proof.count:
        raise ExportError("This version has no positions that a table could hold.", code="no_positions")
    again = open_bill(path, mapping=table_rows.mapping(sheet=SHEET, header_row=0))
    read = proof.check(again, table_rows.read)
    return {"positions": read, "notes": rows.notes, "total": str(sums.whole), "cut": cut[0],
            "fifteen_digits": cut[1], "read_back": read}  # fmt: skip


def _write_bill(out: TextIO, bill: ExportBill, rows: Rows, proof: Proof, sums: Sums, cut: list[int]) -> None:
    out.write(
        f'{_HEAD}<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" '
        'state="frozen"/></sheetView></sheetViews>'
    )
    columns = "".join(
        f'<col min="{i}" max="{i}" width="{width}" customWidth="1"/>' for i, width in enumerate(_WIDTHS, 1)
    )
    titles = "".join(_cell(i, 1, heading, _TITLE, cut) for i, heading in enumerate(table_rows.headings(bill)))
    out.write(f'<cols>{columns}</cols><sheetData><row r="1">{titles}</row>')
    at = 1
    for position in bill.told("Writing"):
        at += 1
        row = [_fitting(cell, cut) for cell in rows.row(position)]
        out.write(f'<row r="{at}">{"".join(_cells(row, at, bill, position))}</row>')
        if rows.is_position(row):
            proof.expect((str(row[0]), str(row[3])), table_rows.written(row), None)
        else:
            rows.notes += 1
    if at > 1:
        _write_total(out, at, sums)
    out.write(f'</sheetData><autoFilter ref="A1:{_LETTERS[-1]}{at}"/></worksheet>')


def _fitting(cell: Cell, cut: list[int]) -> Cell:
    if isinstance(cell, str):
        cut[0] += len(cell) > LONGEST
        return cell[:LONGEST].strip()
    if cell is None:
        return None
    held = decimal_from_float(float(cell))
    cut[1] += held != cell
    return held


def _cells(row: list[Cell], at: int, bill: ExportBill, position: BillPosition) -> Iterator[str]:
    for column, value in enumerate(row):
        if value is None or value == "":
            continue
        if isinstance(value, str):
            yield _cell(column, at, value, _WRAPPED if column == 9 else _PLAIN, [0])
        elif column == table_rows.TOTAL and value == computed_total(position, bill.rounding):
            yield _formula(f"{_LETTERS[column]}{at}", _product(at, bill), value)
        else:
            yield number(f"{_LETTERS[column]}{at}", value, _STYLES.get(column, _PLAIN))


def _product(at: int, bill: ExportBill) -> str:
    """Rounded as the bill is: 0.01 is two digits. A step that is no power of ten has no digits to round to."""
    quantity, price = _LETTERS[table_rows.QUANTITY], _LETTERS[table_rows.PRICE]
    step = bill.rounding.total.normalize()
    if step.as_tuple().digits == (1,):
        return f"ROUND({quantity}{at}*{price}{at},{-step.adjusted()})"
    return f"ROUND({quantity}{at}*{price}{at}/{step:f},0)*{step:f}"


def _formula(reference: str, text: str, value: Decimal, style: int = _MONEY) -> str:
    return f'<c r="{reference}" s="{style}"><f>{escape(text)}</f><v>{value:f}</v></c>'


def _cell(column: int, at: int, text: str, style: int, cut: list[int]) -> str:
    styled = f' s="{style}"' if style else ""
    told = escape(text.replace(*_ESCAPED))
    return f'<c r="{_LETTERS[column]}{at}"{styled} t="inlineStr"><is><t xml:space="preserve">{told}</t></is></c>'


def _write_total(out: TextIO, last: int, sums: Sums) -> None:
    """Of what counts, by the column that says so."""
    total, counted = _LETTERS[table_rows.TOTAL], _LETTERS[table_rows.COUNTED]
    text = f'SUMIF({counted}2:{counted}{last},"yes",{total}2:{total}{last})'
    label = _cell(9, last + 1, "Total of what counts", _BOLD, [0])
    out.write(f'<row r="{last + 1}">{label}{_formula(f"{total}{last + 1}", text, sums.whole)}</row>')


def _write_sums(out: TextIO, bill: ExportBill, sums: Sums) -> None:
    columns = "".join(f'<col min="{i}" max="{i}" width="{width}" customWidth="1"/>' for i, width in ((1, 80), (2, 20)))
    out.write(f"{_HEAD}<cols>{columns}</cols><sheetData>")
    lines: list[tuple[str, Decimal | None, int]] = [
        (bill.title, None, _BOLD),
        (f"Version {bill.version}, {bill.made_on.isoformat()}, {bill.currency}".rstrip(", "), None, _PLAIN),
        ("Whole", sums.whole, _BOLD),
    ]
    parts: dict[str, list[tuple[str, Decimal | None, int]]] = {code: [] for code in sums.objects}
    for (code, path), part in sums.sections.items():
        parts[code].append(("    " * len(path) + path[-1], part, _PLAIN))
    for code, amount in sums.objects.items():
        lines += [(code or "–", amount, _BOLD), *parts[code]]
    for at, (text, value, style) in enumerate(lines, start=1):
        figure = "" if value is None else number(f"B{at}", value, _MONEY)
        out.write(f'<row r="{at}">{_cell(0, at, text[:LONGEST], style, [0])}{figure}</row>')
    out.write("</sheetData></worksheet>")
