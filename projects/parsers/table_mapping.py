"""Which column of a plain table is what: a proposal from titles and content, and the mapping a person confirms."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from projects.parsers.bill import ParseError
from projects.parsers.decimals import decimal_from_text
from projects.parsers.filehead import FileHead
from projects.parsers.sheet_extent import MAX_COLUMNS, column_letters
from projects.parsers.table_rows import TableFormat, read_format, sample_rows, table_sheets
from projects.parsers.table_words import FIELDS, meaning_of
from projects.parsers.workbook import Row, text_of

HEADER_SEARCH = 60
SAMPLE = 12
_FIGURES = ("quantity", "unit_price", "total", "vat_rate")
_SURE = 0.9
_LAST_HEADER_ROW = 1_048_575
_NO_DELIMITERS = ("\r", "\n", '"', "\x00")
_ENCODINGS = {"utf-8", "utf-8-sig", "utf-16", "cp1250", "cp1252", "cp852", "iso-8859-1", "iso-8859-2", "ascii"}
_WANTED = (
    "description (Popis, Název, Bezeichnung), unit (MJ, Einheit), quantity (Množství, Menge) and unit price or total "
)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where a plain table keeps what. `columns`: field name → 0-based column. Confirmed by a person, kept as JSON."""

    columns: dict[str, int]
    sheet: str = ""  # "" for csv
    header_row: int = 0  # 0-based; the positions begin below; -1: the table has no titles
    delimiter: str = ""  # csv only
    encoding: str = ""  # csv only
    decimal_mark: str = ""  # "," | "." | "" (let each figure decide)
    currency: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Mapping:
        """Raises ParseError("bad_mapping") for what is no mapping."""
        try:
            data = json.loads(text)
            mapping = cls(
                columns={str(name): int(column) for name, column in data["columns"].items()},
                sheet=str(data.get("sheet", "")),
                header_row=int(data.get("header_row", 0)),
                delimiter=str(data.get("delimiter", "")),
                encoding=str(data.get("encoding", "")),
                decimal_mark=str(data.get("decimal_mark", "")),
                currency=str(data.get("currency", "")),
            )
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise ParseError(f"The mapping can't be read: {error}.", code="bad_mapping") from error
        mapping.check()
        return mapping

    def check(self) -> None:
        """Raises ParseError("bad_mapping") for unknown fields, columns used twice, or no description."""
        unknown = sorted(set(self.columns) - set(FIELDS))
        if unknown:
            raise ParseError(f"Unknown fields in the mapping: {', '.join(unknown)}. Known: {', '.join(FIELDS)}.",
                             code="bad_mapping")  # fmt: skip
        if "description" not in self.columns:
            raise ParseError("The mapping does not say which column holds the description.", code="bad_mapping")
        if len(set(self.columns.values())) != len(self.columns) or min(self.columns.values()) < 0:
            raise ParseError("The mapping uses a column twice, or one that does not exist.", code="bad_mapping")
        if self.decimal_mark not in ("", ",", ".") or len(self.delimiter) > 1 or self.delimiter in _NO_DELIMITERS:
            raise ParseError("The decimal mark is ',' or '.', the delimiter one character.", code="bad_mapping")
        self._check_place()

    def _check_place(self) -> None:
        """It is stored and handed to Python's own readers, whose codecs are more than encodings of text."""
        if max(self.columns.values()) >= MAX_COLUMNS or not -1 <= self.header_row <= _LAST_HEADER_ROW:
            raise ParseError("The mapping names a row or column that no table has.", code="bad_mapping")
        if self.encoding and self.encoding.lower().replace("_", "-") not in _ENCODINGS:
            raise ParseError(f"The encoding is none of {', '.join(sorted(_ENCODINGS))}.", code="bad_mapping")
        if len(self.sheet) > 255 or not re.fullmatch("[^\x00\ud800-\udfff]*", self.sheet):
            raise ParseError("The mapping's sheet is no name of a sheet.", code="bad_mapping")
        if not re.fullmatch("([A-Z]{3})?", self.currency):
            raise ParseError("A currency has three capital letters, such as CZK or EUR.", code="bad_mapping")


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    column: int  # 0-based
    letter: str
    title: str
    field: str  # "" : not needed
    confidence: float  # 0-1


@dataclass(frozen=True, slots=True)
class MappingProposal:
    """What to show a person before a plain table is read. `mapping` can be confirmed as it stands or changed."""

    mapping: Mapping
    columns: tuple[ColumnGuess, ...]
    sheets: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]  # the first rows below the titles
    is_certain: bool  # description, unit, quantity and price or total are headed beyond doubt
    reasons: tuple[str, ...] = field(default=())


def propose_mapping(path: Path, filename: str = "") -> MappingProposal:
    """Looks at every sheet's first rows for the best header row. Raises ParseError for files that are no table."""
    head = FileHead(path, filename)
    try:
        return propose(head)
    finally:
        head.close()


def propose(head: FileHead) -> MappingProposal:
    layout = read_format(head)
    best: tuple[float, str, int, list[Row]] | None = None
    sheets = table_sheets(head)
    for sheet in sheets or [""]:
        rows = sample_rows(head, layout, sheet, HEADER_SEARCH + SAMPLE)
        for index in range(min(len(rows), HEADER_SEARCH)):
            score = _header_score(rows[index])
            if score > 0 and (best is None or score > best[0]):
                best = (score, sheet, index, rows)
    if best is None:
        return _without_header(head, layout, sheets)
    _, sheet, index, rows = best
    below = rows[index + 1 : index + 1 + SAMPLE]
    guesses = _guess_columns(rows[index], below, layout)
    columns = {guess.field: guess.column for guess in guesses if guess.field}
    mapping = Mapping(
        columns=columns,
        sheet=sheet,
        header_row=index,
        delimiter=layout.delimiter,
        encoding=layout.encoding,
        decimal_mark=layout.decimal_mark,
        currency=_currency(rows[index]),
    )
    sure = {guess.field for guess in guesses if guess.confidence >= _SURE}
    certain = {"description", "unit", "quantity"} <= sure and bool(sure & {"unit_price", "total"})
    place = f"sheet '{sheet}', " if sheet else ""
    return MappingProposal(mapping, guesses, tuple(sheets), _sample(below), certain,
                           (f"Titles found in {place}row {index + 1}: {', '.join(sorted(columns))}.",))  # fmt: skip


def _without_header(head: FileHead, layout: TableFormat, sheets: list[str]) -> MappingProposal:
    sheet = sheets[0] if sheets else ""
    rows = sample_rows(head, layout, sheet, SAMPLE)
    width = max((len(row) for row in rows), default=0)
    columns = tuple(ColumnGuess(i, column_letters(i), "", "", 0.0) for i in range(width))
    mapping = Mapping(columns={}, sheet=sheet, header_row=-1, delimiter=layout.delimiter, encoding=layout.encoding,
                      decimal_mark=layout.decimal_mark)  # fmt: skip
    reason = f"No row of titles in the first {HEADER_SEARCH} rows: looked for {_WANTED}in {width} columns."
    return MappingProposal(mapping, columns, tuple(sheets), _sample(rows), False, (reason,))


def _header_score(row: Row) -> float:
    """The sum of what the row's titles mean, each field once; a row of titles has a description and two others."""
    found: dict[str, float] = {}
    for cell in row[:256]:
        if type(cell) is str and cell:
            name, confidence = meaning_of(cell)
            if name:
                found[name] = max(found.get(name, 0.0), confidence)
    if "description" not in found or len(found) < 3 or not found.keys() & set(_FIGURES):
        return 0.0
    return sum(found.values())


def _guess_columns(titles: Row, below: list[Row], layout: TableFormat) -> tuple[ColumnGuess, ...]:
    """Each field goes to its best column; a column of figures must hold figures, whatever its title says."""
    ranked: list[tuple[float, int, str]] = []
    for column, cell in enumerate(titles[:256]):
        name, confidence = meaning_of(text_of(cell)) if cell != "" else ("", 0.0)
        if name:
            ranked.append((confidence * _fits(name, column, below, layout), -column, name))
    given: dict[int, tuple[str, float]] = {}
    for confidence, column, name in sorted(ranked, reverse=True):
        if confidence > 0 and name not in (field for field, _ in given.values()):
            given.setdefault(-column, (name, confidence))
    return tuple(
        ColumnGuess(column, column_letters(column), text_of(cell), *given.get(column, ("", 0.0)))
        for column, cell in enumerate(titles[:256])
    )


def _fits(name: str, column: int, below: list[Row], layout: TableFormat) -> float:
    """How many of the column's filled cells are what the field needs; 1 where there are none to judge by."""
    cells = [row[column] for row in below if column < len(row) and row[column] != ""]
    if not cells or name not in (*_FIGURES, "description"):
        return 1.0
    good: Callable[[object], bool] = _is_figure(layout.decimal_mark) if name in _FIGURES else _is_text
    share = sum(1 for cell in cells if good(cell)) / len(cells)
    return 1.0 if share >= 0.75 else share / 2


def _is_figure(mark: str) -> Callable[[object], bool]:
    def check(cell: object) -> bool:
        if isinstance(cell, float):
            return True
        try:
            return isinstance(cell, str) and decimal_from_text(cell.rstrip("%"), mark) is not None
        except ValueError:
            return False

    return check


def _is_text(cell: object) -> bool:
    return isinstance(cell, str)


def _currency(titles: Row) -> str:
    text = " ".join(cell for cell in titles if type(cell) is str).upper()
    found = {code for code, words in (("CZK", ("CZK", "KČ")), ("EUR", ("EUR", "€"))) if any(w in text for w in words)}
    return found.pop() if len(found) == 1 else ""


def _sample(rows: list[Row]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(text_of(cell)[:120] for cell in row[:256]) for row in rows[:SAMPLE])


def refuse_unmapped(proposal: MappingProposal) -> None:
    """Raises ParseError("mapping_needed") unless the proposal is certain."""
    if proposal.is_certain:
        return
    known = ", ".join(f"{guess.field} ({guess.title})" for guess in proposal.columns if guess.field)
    seen = f"Recognised so far: {known}. " if known else f"{' '.join(proposal.reasons)} "
    raise ParseError(
        f"The table can be read only once someone has said which column is what. {seen}Needed are clear titles for "
        f"{_WANTED.strip()}. Open the file's mapping, check the columns and confirm them.",
        code="mapping_needed",
    )
