"""Tables as files, written row by row: CSV and xlsx. A row is in memory, not the table."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO
from xml.sax.saxutils import escape

from projects.parsers.writers.spreadsheet_parts import open_part

Value = str | int | float | Decimal | datetime | None
Row = Sequence[Value]
Writer = Callable[[IO[bytes], Sequence[str], Iterable[Row]], None]

MOST_ROWS = 1_048_575  # of a sheet, below its headings
LONGEST_CELL = 32_767
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
# What XML 1.0 can't carry even escaped, and what the format itself would read as the escape of a character.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE_LOOKALIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
# A spreadsheet takes a text that begins so for a formula, also after blanks (OWASP: CSV injection).
_FORMULA = re.compile(r"\s*[=+\-@\t\r\n|%＝＋－＠]")
_PLAIN, _TITLE, _MOMENT, _AMOUNT = range(4)


def write_csv(out: IO[bytes], headings: Sequence[str], rows: Iterable[Row]) -> None:
    """Commas, CRLF, UTF-8 with the mark by which Excel knows it; times in UTC; texts that would be formulas begin
    with an apostrophe."""
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([_plain(value) for value in row] for row in rows)
    text.flush()
    text.detach()


def _plain(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, str):
        value = value.replace("\x00", "")
        return f"'{value}" if _FORMULA.match(value) else value
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def write_xlsx(out: IO[bytes], headings: Sequence[str], rows: Iterable[Row]) -> None:
    """One sheet whose head stays in sight. Texts stand in their cells: a table of texts would have to be kept. At most
    MOST_ROWS rows; what comes after them is left out."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for name, content in _PARTS.items():
            with open_part(archive, name) as part:
                part.write(_HEAD + content)
        with open_part(archive, "xl/worksheets/sheet1.xml") as sheet:
            frozen = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
            sheet.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">{frozen}')
            sheet.write('</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>')
            sheet.write(f'<cols><col min="1" max="{len(headings)}" width="18" customWidth="1"/></cols><sheetData>')
            sheet.write(f"<row>{''.join(_text(heading, _TITLE) for heading in headings)}</row>")
            for _, row in zip(range(MOST_ROWS), rows, strict=False):
                sheet.write(f"<row>{''.join(map(_cell, row))}</row>")
            sheet.write("</sheetData></worksheet>")


def _cell(value: Value) -> str:
    if value is None or value == "":
        return "<c/>"  # cells are told by their place in the row
    if isinstance(value, str):
        return _text(value, _PLAIN)
    if isinstance(value, datetime):
        days = (value - _EPOCH).total_seconds() / 86400
        return f'<c s="{_MOMENT}"><v>{days:.8f}</v></c>'
    if isinstance(value, Decimal):
        return f'<c s="{_AMOUNT}"><v>{value:f}</v></c>'
    return f"<c><v>{value}</v></c>"


def _text(text: str, style: int) -> str:
    told = escape(_ESCAPE_LOOKALIKE.sub("_x005F_", _FORBIDDEN.sub("", text[:LONGEST_CELL])))
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{told}</t></is></c>'


_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" '
    f'Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="Tenders" sheetId="1" r:id="rId1"/></sheets></workbook>',
    # Cell styles by number: plain, heading, moment, amount.
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts count="1">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf/>'
    '<xf fontId="1" applyFont="1"/><xf numFmtId="164" applyNumberFormat="1"/>'
    '<xf numFmtId="4" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
