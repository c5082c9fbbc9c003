"""The parts of an xlsx package, written as text: strings, cells, styles, relations. No more than our writers need."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# What XML 1.0 can't carry even escaped; a carriage return would come back as a line feed.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
# A text that looks like the format's own escape of a character has its underscore escaped: "_x0041_" stays itself.
_ESCAPE_LOOKALIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_TIMESTAMP = (2026, 1, 1, 0, 0, 0)  # fixed, so that the same rows give the same bytes


class SharedStrings:
    """The workbook's table of texts: each text once, cells hold its place."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        """The text's place in the table, for cells written by hand."""
        return self._places.setdefault(text, len(self._places))

    def cell(self, reference: str, text: str, style: int = 0) -> str:
        """A text cell; nothing for an empty text."""
        if not text:
            return ""
        place = self._places.setdefault(text, len(self._places))
        if style:
            return f'<c r="{reference}" s="{style}" t="s"><v>{place}</v></c>'
        return f'<c r="{reference}" t="s"><v>{place}</v></c>'

    def write(self, out: TextIO) -> None:
        out.write(f'{_HEAD}<sst xmlns="{_MAIN}" uniqueCount="{len(self._places)}">')
        for text in self._places:
            out.write(f'<si><t xml:space="preserve">{_content(text)}</t></si>')
        out.write("</sst>")


def _content(text: str) -> str:
    return escape(_ESCAPE_LOOKALIKE.sub("_x005F_", _FORBIDDEN.sub("", text)))


def number(reference: str, value: Decimal | None, style: int = 0) -> str:
    """A number cell; nothing for None."""
    if value is None:
        return ""
    return f'<c r="{reference}" s="{style}"><v>{value:f}</v></c>'


@contextmanager
def open_part(archive: zipfile.ZipFile, name: str) -> Iterator[TextIO]:
    """A text stream into a part of the package."""
    info = zipfile.ZipInfo(name, _TIMESTAMP)
    info.compress_type = zipfile.ZIP_DEFLATED
    # zip64 from the start: a part's size is not known before it is written.
    with archive.open(info, "w", force_zip64=True) as raw:
        out = io.TextIOWrapper(raw, encoding="utf-8", newline="", write_through=False)
        yield out
        out.flush()
        out.detach()


def write_package(archive: zipfile.ZipFile, sheet_names: list[str], strings: SharedStrings) -> None:
    """Everything but the sheets: strings, styles, workbook, relations, content types."""
    with open_part(archive, "xl/sharedStrings.xml") as out:
        strings.write(out)
    numbers = range(1, len(sheet_names) + 1)
    sheets = "".join(
        f'<sheet name={quoteattr(_FORBIDDEN.sub("", name))} sheetId="{i}" r:id="rId{i}"/>'
        for i, name in zip(numbers, sheet_names, strict=True)
    )
    relations = "".join(
        f'<Relationship Id="rId{i}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in numbers
    )
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{_TYPES}.worksheet+xml"/>' for i in numbers
    )
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{sheets}</sheets></workbook>',
        "xl/styles.xml": _styles(),
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{relations}'
        f'<Relationship Id="rIdStyles" Type="{_RELATIONS}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rIdStrings" Type="{_RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPES}.sharedStrings+xml"/></Types>',
    }
    for name, content in parts.items():
        with open_part(archive, name) as out:
            out.write(_HEAD + content)


def _styles() -> str:
    """Cell styles by number: 0 plain, 1 column title, 2 bold, 3 money, 4 wrapped, 5 quantity, 6 unit price."""
    formats = (
        '<xf fontId="0" fillId="0" borderId="0"/>',
        '<xf fontId="1" fillId="2" borderId="0" applyFont="1" applyFill="1"/>',
        '<xf fontId="1" fillId="0" borderId="0" applyFont="1"/>',
        '<xf numFmtId="4" fontId="0" fillId="0" borderId="0" applyNumberFormat="1"/>',
        '<xf fontId="0" fillId="0" borderId="0" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>',
        '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" applyNumberFormat="1"/>',
        '<xf numFmtId="4" fontId="0" fillId="3" borderId="0" applyNumberFormat="1" applyFill="1"/>',
    )
    fonts = '<font><sz val="10"/><name val="Arial"/></font><font><b/><sz val="10"/><name val="Arial"/></font>'
    solid = '<fill><patternFill patternType="solid"><fgColor rgb="{}"/></patternFill></fill>'
    fills = (
        '<fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
        f"{solid.format('FFD2D2D2')}{solid.format('FFFFFFCC')}"
    )
    return (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="#,##0.000"/></numFmts>'
        f'<fonts count="2">{fonts}</fonts><fills count="4">{fills}</fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        f'<cellXfs count="{len(formats)}">{"".join(formats)}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
