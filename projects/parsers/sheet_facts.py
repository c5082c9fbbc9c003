"""What a workbook holds besides its rows: hidden rows and sheets, errors, constants where formulas were expected.

Read from the sheets' XML, because the reader of cells gives results only. Sheets are gone through as a stream; of each
kind of finding at most `LIMIT` are kept, and `is_complete` says whether there were more.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lxml import etree

from projects.parsers.archive import check_directory, open_archive
from projects.parsers.bill import ParseError
from projects.parsers.compound import SIGNATURE
from projects.parsers.sheet_scan import Scan
from projects.parsers.table_words import meaning_of

LIMIT = 200
HEADER_ROWS = 400  # titles are looked for so far down
_TITLE_LENGTH = 60
_HEADER_FIELDS = 3  # so many columns with titles that leave no doubt make a row the titles of a bill
_BILL = {"description", "quantity"}  # of them, where the row heads positions
_SUBTITLES = 2  # rows below, that may carry further titles
_DIGIT = re.compile(r"\d")
_FORMULA_SHARE = 0.8  # of a column's figures: then a constant stands out
_FORMULAS_NEEDED = 3
_HEAD = 1 << 20
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
    with path.open("rb") as file:
        if file.read(len(SIGNATURE)) == SIGNATURE:
            raise _only_xlsx()
    archive = open_archive(path)
    with archive:
        check_directory(archive)
        if "xl/workbook.xml" not in archive.namelist():
            raise _only_xlsx()
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


def _only_xlsx() -> ParseError:
    return ParseError(
        "Formulas and hidden rows are looked for in xlsx workbooks only. Save the file as .xlsx to have it looked "
        "through.",
        code="unsupported_dialect",
    )


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
    parts = {
        str(node.get("Id")): node for node in _tree(archive, "xl/_rels/workbook.xml.rels").iterfind("{*}Relationship")
    }
    for sheet in _tree(archive, "xl/workbook.xml").iterfind("{*}sheets/{*}sheet"):
        reference = next((str(value) for key, value in sheet.attrib.items() if str(key).endswith("}id")), "")
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
            if field := _field("".join(str(node.text or "") for node in item.iter("{*}t"))):
                titles[str(place)] = field
            _drop(item)
    return titles


def _field(text: str) -> str:
    """What a column with this text as its title is; "" where the text leaves a doubt."""
    if not text or len(text) > _TITLE_LENGTH or _DIGIT.search(text):  # codes and most descriptions have digits
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
    docinfo: Any = element.getroottree().docinfo
    if docinfo.doctype:
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
    """The figures below a title, in rows of one kind."""

    def __init__(self) -> None:
        self.formulas = 0
        self.constants = 0
        self.kept: list[str] = []  # cells of the first constants

    def add(self, formulas: int, constants: list[str]) -> None:
        self.formulas += formulas
        self.constants += len(constants)
        self.kept += constants[: LIMIT + 1 - len(self.kept)]

    @property
    def is_calculated(self) -> bool:
        return self.formulas >= max(_FORMULAS_NEEDED, _FORMULA_SHARE * (self.formulas + self.constants))


_Cells = list[tuple[bytes, bytes]]  # (column, row)


class _Columns:
    """Columns of prices and totals below a row of titles. Positions and sums are told apart by the quantity: programs
    that calculate the one write the other as a figure."""

    def __init__(self, sheet: str, header_row: int, scan: Scan) -> None:
        self.header_row = header_row
        self._sheet, self._scan = sheet, scan
        self._priced: set[str] = set()
        self._quantity: set[str] = set()
        self._columns: dict[tuple[str, bool], _Column] = {}
        self._patterns: tuple[re.Pattern[bytes], re.Pattern[bytes]] | None = None

    def add_titles(self, fields: dict[str, str]) -> None:
        self._priced |= {letters for letters, field in fields.items() if field in ("unit_price", "total")}
        self._quantity |= {letters for letters, field in fields.items() if field == "quantity"}
        names = frozenset(self._priced | self._quantity)
        self._patterns = self._scan.in_columns(names) if names else None

    def count(self, rows: bytes) -> None:
        """Of whole rows. Lists of all cells at once: one after the other took three times as long."""
        if self._patterns is None:
            return
        formulas, constants = (self._below(pattern.findall(rows)) for pattern in self._patterns)
        quantity = {name.encode() for name in self._quantity}
        measured = {row for cells in (formulas, constants) for name, row in cells if name in quantity}
        for letters in self._priced:
            name = letters.encode()
            of_formulas = [row in measured for found, row in formulas if found == name]
            of_constants = [row for found, row in constants if found == name]
            for has_quantity in (True, False):
                column = self._columns.setdefault((letters, has_quantity), _Column())
                column.add(
                    of_formulas.count(has_quantity),
                    [
                        f"{self._sheet}!{letters}{row.decode()}"
                        for row in of_constants
                        if (row in measured) is has_quantity
                    ],
                )

    def _below(self, cells: _Cells) -> _Cells:
        """Without those above the titles, which are in the first rows only."""
        if cells and int(cells[0][1]) <= self.header_row:
            return [cell for cell in cells if int(cell[1]) > self.header_row]
        return cells

    def constants(self) -> Iterator[str]:
        for column in self._columns.values():
            if column.is_calculated:
                yield from column.kept


class _Sheet:
    def __init__(self, name: str, is_hidden: bool, titles: dict[str, str], found: _Found) -> None:
        self._name, self._is_hidden, self._titles, self._found = name, is_hidden, titles, found
        self._columns: _Columns | None = None
        self._searching = True  # for titles
        self._bill_from = 0  # the row of a bill's titles
        self._has_figure = False

    def look_through(self, archive: zipfile.ZipFile, part: str) -> None:
        with archive.open(part) as stream:
            head = stream.read(_HEAD)
            scan = Scan(head)
            for rows in scan.pieces(head, stream):
                self._look_at(scan, rows)
        self._settle()
        if self._is_hidden and self._has_figure:
            self._found.keep(self._found.hidden_sheets, self._name)

    def _look_at(self, scan: Scan, rows: bytes) -> None:
        found, name = self._found, self._name
        found.is_complete = found.is_complete and scan.is_plain(rows)
        for cell, error in scan.errors(rows):
            found.keep(found.errors, (f"{name}!{cell}", error))
        if self._searching:
            self._find_titles(scan, rows)
        if self._columns is not None:
            self._columns.count(rows)
        if self._is_hidden:
            self._has_figure = self._has_figure or scan.has_figure(rows)
            return
        for number in scan.hidden_rows(rows):
            is_bill = 0 < self._bill_from < number
            kept = found.hidden_rows if is_bill else found.hidden_elsewhere
            if len(kept) <= LIMIT:
                kept.append(f"{name}!{number}")

    def _find_titles(self, scan: Scan, rows: bytes) -> None:
        fields: dict[int, dict[str, str]] = {}  # row → column → what it is
        for cell, is_place, text in scan.texts(rows):
            letters, row = _split(cell)
            if row > HEADER_ROWS:
                self._searching = False
                break
            if field := self._titles.get(text, "") if is_place else _field(text):
                fields.setdefault(row, {})[letters] = field
        for row, columns in sorted(fields.items()):
            if len(set(columns.values())) >= _HEADER_FIELDS:
                self._settle()
                self._columns = _Columns(self._name, row, scan)
                if _BILL.issubset(columns.values()):
                    self._bill_from = self._bill_from or row
                    self._found.has_bill = True
            elif self._columns is None or row > self._columns.header_row + _SUBTITLES:
                continue
            self._columns.add_titles(columns)

    def _settle(self) -> None:
        """The columns end here: their constants stand out, or they don't."""
        if self._columns is not None:
            for cell in self._columns.constants():
                self._found.keep(self._found.constants, cell)
        self._columns = None


def _split(reference: str) -> tuple[str, int]:
    """ "H15" → ("H", 15)."""
    letters = reference.rstrip("0123456789")
    return letters, int(reference[len(letters) :])
