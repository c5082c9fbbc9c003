"""What a workbook holds besides its rows: hidden rows and sheets, errors, constants where formulas were expected.

Read from the sheets' XML, because the reader of cells gives results only. Sheets are gone through as a stream, a batch
of rows at a time; of each kind of finding at most `LIMIT` are kept, and `is_complete` says whether there were more.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lxml import etree

from projects.parsers.archive import check_directory, open_archive
from projects.parsers.bill import ParseError
from projects.parsers.table_words import meaning_of

LIMIT = 200
HEADER_ROWS = 400  # titles are looked for so far down
_TITLE_LENGTH = 60
_HEADER_FIELDS = 3  # so many columns with titles that leave no doubt make a row the titles of a bill
_BILL = {"description", "quantity"}  # of them, where the row heads positions
_SUBTITLES = 2  # rows below, that may carry further titles
_FORMULA_SHARE = 0.8  # of a column's figures: then a constant stands out
_FORMULAS_NEEDED = 3
_BATCH = 256
_PARSER: dict[str, Any] = {
    "resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False,
    "remove_comments": True, "remove_pis": True,
}  # fmt: skip


@dataclass(frozen=True)
class SheetFacts:
    """Places are named as people know them: "Sheet!12" a row, "Sheet!H12" a cell."""

    hidden_sheets: tuple[str, ...] = ()  # that hold a figure
    hidden_rows: tuple[str, ...] = ()  # that hold a figure, below a bill's titles; where no sheet has such: anywhere
    errors: tuple[tuple[str, str], ...] = ()  # (cell, "#REF!")
    constants_among_formulas: tuple[str, ...] = ()  # in columns of prices and totals
    is_complete: bool = True  # False: more than `LIMIT` of a kind, or cells that name no place


def facts_of(path: Path) -> SheetFacts:
    """Raises ParseError("damaged" | "unsupported_dialect" | "archive_bomb" | "encrypted" | "xml_forbidden")."""
    archive = open_archive(path)
    with archive:
        check_directory(archive)
        if "xl/workbook.xml" not in archive.namelist():
            raise ParseError(
                "Formulas and hidden rows are looked for in xlsx workbooks only. Save the file as .xlsx to have it "
                "looked through.",
                code="unsupported_dialect",
            )
        found = _Found()
        try:
            titles = _titles(archive)
            for name, part, is_hidden in _sheets(archive):
                _Sheet(name, is_hidden, titles, found).look_through(archive, part)
        except (etree.XMLSyntaxError, zipfile.BadZipFile, zlib.error, OSError, LookupError, ValueError,
                RuntimeError, NotImplementedError, EOFError) as error:  # fmt: skip
            raise ParseError(
                f"The workbook's sheets can't be looked through: {' '.join(str(error).split())[:160]}. Open it in the "
                "program that made it, save it again as .xlsx, and upload that.",
                code="damaged",
            ) from error
    return found.as_facts()


class _Found:
    """What is found, up to `LIMIT` of each kind."""

    def __init__(self) -> None:
        self.hidden_sheets: list[str] = []
        self.hidden_rows: list[str] = []
        self.hidden_elsewhere: list[str] = []  # outside of what is known for a bill: programs hide unused tax rates
        self.has_bill = False
        self.errors: list[tuple[str, str]] = []
        self.constants: list[str] = []
        self.is_complete = True

    def keep(self, kind: list[Any], item: Any) -> None:
        if len(kind) < LIMIT:
            kind.append(item)
        else:
            self.is_complete = False

    def as_facts(self) -> SheetFacts:
        rows = self.hidden_rows if self.has_bill else self.hidden_elsewhere
        is_complete = self.is_complete and len(rows) <= LIMIT
        return SheetFacts(
            tuple(self.hidden_sheets), tuple(rows[:LIMIT]), tuple(self.errors), tuple(self.constants), is_complete
        )


def _sheets(archive: zipfile.ZipFile) -> Iterator[tuple[str, str, bool]]:
    """(name, part, whether it is hidden) of each worksheet, in the order of the workbook."""
    parts = {node.get("Id"): node for node in _tree(archive, "xl/_rels/workbook.xml.rels").iterfind("{*}Relationship")}
    for sheet in _tree(archive, "xl/workbook.xml").iterfind("{*}sheets/{*}sheet"):
        reference = next((value for key, value in sheet.attrib.items() if str(key).endswith("}id")), None)
        node = parts[reference]
        if str(node.get("Type")).endswith("/worksheet"):
            part = posixpath.normpath(posixpath.join("/xl", str(node.get("Target")))).lstrip("/")
            yield str(sheet.get("name")), part, sheet.get("state", "visible") != "visible"


def _tree(archive: zipfile.ZipFile, part: str) -> etree._Element:
    with archive.open(part) as stream:
        root = etree.parse(stream, etree.XMLParser(**_PARSER)).getroot()
    _refuse_doctype(root)
    return root


def _titles(archive: zipfile.ZipFile) -> dict[str, str]:
    """The shared texts that may head a column: place in the table of texts → what the column is."""
    if "xl/sharedStrings.xml" not in archive.namelist():
        return {}
    titles: dict[str, str] = {}
    with archive.open("xl/sharedStrings.xml") as stream:
        for place, item in enumerate(_elements(stream, "si")):
            if field := _field(item):
                titles[str(place)] = field
            _drop(item)
    return titles


def _field(element: etree._Element) -> str:
    """What a column with this text as its title is; "" where the text leaves a doubt."""
    text = "".join(str(node.text or "") for node in element.iter("{*}t"))
    if not text or len(text) > _TITLE_LENGTH:
        return ""
    field, confidence = meaning_of(text)
    return field if confidence == 1 else ""


def _elements(stream: IO[bytes], name: str) -> Iterator[etree._Element]:
    context = etree.iterparse(stream, events=("end",), tag=f"{{*}}{name}", **_PARSER)
    is_first = True
    for _, element in context:
        if is_first:
            _refuse_doctype(element)
            is_first = False
        yield element


def _refuse_doctype(element: etree._Element) -> None:
    if element.getroottree().docinfo.doctype:
        raise ParseError(
            "A sheet of the workbook has a document type declaration, which no spreadsheet program writes. Save the "
            "workbook again as .xlsx.",
            code="xml_forbidden",
        )


def _drop(element: etree._Element) -> None:
    """Frees an element that was read, and those before it: the last one stays, emptied, as the parser's foothold."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        del parent[:-1]


class _Column:
    """The figures below a title."""

    def __init__(self) -> None:
        self.formulas = 0
        self.constants = 0
        self.kept: list[str] = []  # cells of the first constants

    def add_constant(self, cell: str) -> None:
        self.constants += 1
        if len(self.kept) <= LIMIT:
            self.kept.append(cell)

    @property
    def is_calculated(self) -> bool:
        return self.formulas >= max(_FORMULAS_NEEDED, _FORMULA_SHARE * (self.formulas + self.constants))


_IS_FIGURE = "*[local-name()='v'] and (not(@t) or @t='n')"
_HAS_FORMULA = "*[local-name()='f']"


def _xpath(expression: str) -> etree.XPath:
    return etree.XPath(expression, smart_strings=False)


_HIDDEN = _xpath(f"*[(@hidden='1' or @hidden='true' or @ht='0') and *[{_IS_FIGURE}]]")
_ERRORS = _xpath("*/*[@t='e']")
_TEXTS = _xpath("*/*[@t='s' or @t='inlineStr' or @t='str']")
_FORMULAS = _xpath(f"*/*[{_HAS_FORMULA}]/@r")
_FIGURES = _xpath(f"*/*[{_IS_FIGURE} and not({_HAS_FORMULA})]/@r")
_ANY_FIGURE = _xpath(f"boolean(*/*[{_IS_FIGURE}])")
_NAMELESS = _xpath("boolean(*[not(@r)] | */*[not(@r)])")
_DIGITS = "0123456789"


class _Sheet:
    def __init__(self, name: str, is_hidden: bool, titles: dict[str, str], found: _Found) -> None:
        self._name, self._is_hidden, self._titles, self._found = name, is_hidden, titles, found
        self._columns: dict[str, _Column] = {}
        self._header_row = 0
        self._rows = 0
        self._bill_from = 0  # the row of a bill's titles
        self._has_figure = False

    def look_through(self, archive: zipfile.ZipFile, part: str) -> None:
        with archive.open(part) as stream:
            count = 0
            row: etree._Element | None = None
            for row in _elements(stream, "row"):
                count += 1
                if count == _BATCH:
                    self._look_at(row)
                    count = 0
            if count and row is not None:
                self._look_at(row)
        self._settle()
        if self._is_hidden and self._has_figure:
            self._found.keep(self._found.hidden_sheets, self._name)

    def _look_at(self, last: etree._Element) -> None:
        """Takes in the rows up to the one just read, and frees them."""
        rows = last.getparent()
        if rows is None:
            return
        found, name = self._found, self._name
        self._has_figure = self._has_figure or bool(_ANY_FIGURE(rows))
        if self._rows and len(rows):  # the emptied last row of the batch before
            del rows[0]
        if _NAMELESS(rows):
            found.is_complete = False
        for cell in _ERRORS(rows):
            found.keep(found.errors, (f"{name}!{cell.get('r', '')}", str(cell.findtext("{*}v") or "")))
        if self._rows < HEADER_ROWS:
            self._find_titles(rows)
        if self._columns:
            self._count(rows)
        if not self._is_hidden:
            self._note_hidden(rows)
        self._rows += len(rows)
        _drop(last)

    def _find_titles(self, rows: etree._Element) -> None:
        fields: dict[int, dict[str, str]] = {}  # row → column → what it is
        for cell in _TEXTS(rows):
            field = self._titles.get(cell.findtext("{*}v") or "", "") if cell.get("t") == "s" else _field(cell)
            letters, row = _split(cell.get("r", ""))
            if field and row:
                fields.setdefault(row, {})[letters] = field
        for row, columns in sorted(fields.items()):
            if len(set(columns.values())) >= _HEADER_FIELDS:
                self._settle()
                self._header_row = row
                if set(columns.values()) >= _BILL:
                    self._bill_from = self._bill_from or row
                    self._found.has_bill = True
            elif not self._header_row or row > self._header_row + _SUBTITLES:
                continue
            for letters, field in columns.items():
                if field in ("unit_price", "total"):
                    self._columns[letters] = _Column()

    def _note_hidden(self, rows: etree._Element) -> None:
        for row in _HIDDEN(rows):
            number = row.get("r", "")
            is_bill = 0 < self._bill_from < _split(number)[1]
            kept = self._found.hidden_rows if is_bill else self._found.hidden_elsewhere
            if len(kept) <= LIMIT:
                kept.append(f"{self._name}!{number}")

    def _count(self, rows: etree._Element) -> None:
        for reference in _FORMULAS(rows):
            letters, row = _split(reference)
            if letters in self._columns and row > self._header_row:
                self._columns[letters].formulas += 1
        for reference in _FIGURES(rows):
            letters, row = _split(reference)
            if letters in self._columns and row > self._header_row:
                self._columns[letters].add_constant(f"{self._name}!{reference}")

    def _settle(self) -> None:
        """The columns end here: their constants stand out, or they don't."""
        for column in self._columns.values():
            if column.is_calculated:
                for cell in column.kept:
                    self._found.keep(self._found.constants, cell)
        self._columns = {}


def _split(reference: str) -> tuple[str, int]:
    """ "H15" → ("H", 15)."""
    letters = reference.rstrip(_DIGITS)
    row = reference[len(letters) :]
    return letters, int(row) if row and len(row) < 8 else 0
