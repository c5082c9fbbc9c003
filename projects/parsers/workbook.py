"""Spreadsheets, through calamine (xlsx, ods) or xlrd (xls): sheets as lazily read rows, cells as text or Decimal,
every failure a ParseError.

Formulas are never evaluated: a cell is the result that the file holds for it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, TypeVar

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from projects.parsers.archive import check_directory, check_parts, open_archive
from projects.parsers.bill import ParseError
from projects.parsers.decimals import decimal_from_float, decimal_from_text
from projects.parsers.ods import refuse_repeats
from projects.parsers.sheet_extent import MAX_CELLS, OddlyWritten, column_letters, too_far
from projects.parsers.xls import XlsSheet, XlsWorkbook

Row = list[Any]  # str, float, bool, date, datetime, time, timedelta; "" where the cell is empty

T = TypeVar("T")


class Workbook:
    """An opened workbook. A sheet is parsed when it is first asked for, and let go of by `release`.

    `xls`: the stream of an older one, in which its sheets are."""

    def __init__(self, path: Path, *, xls: bytes | None = None) -> None:
        self.path = path
        self._sheets: dict[str, CalamineSheet | XlsSheet] = {}
        self._book: CalamineWorkbook | XlsWorkbook = XlsWorkbook(xls) if xls is not None else _opened(path)
        self.sheet_names: list[str] = list(self._book.sheet_names)

    def sheet(self, name: str) -> Sheet:
        if name not in self._sheets:
            self._sheets[name] = _guarded(lambda: self._book.get_sheet_by_name(name), f"sheet '{name}'")
        return Sheet(name, self._sheets[name])

    def release(self, name: str) -> None:
        """Frees the sheet's memory: a large workbook stands in memory one sheet at a time."""
        self._sheets.pop(name, None)
        if isinstance(self._book, XlsWorkbook):
            self._book.release(name)


class Sheet:
    """Rows from the first of the sheet; the first cell of a row is in column `first_column` (0: A)."""

    def __init__(self, name: str, sheet: CalamineSheet | XlsSheet) -> None:
        self.name = name
        self._sheet = sheet
        self._letters: dict[int, str] = {}
        self.first_column: int = sheet.start[1] if sheet.start else 0

    def rows(self) -> Iterator[Row]:
        """Raises ParseError("damaged") where a row can't be read."""
        try:
            yield from self._sheet.iter_rows()
        except BaseException as error:
            raise _as_parse_error(error, f"sheet '{self.name}'") from error

    def cell(self, row_index: int, column_index: int) -> str:
        """The cell's name ("H15") from 0-based places in `rows`."""
        letters = self._letters.get(column_index)
        if letters is None:
            letters = self._letters[column_index] = column_letters(self.first_column + column_index)
        return f"{letters}{row_index + 1}"


def _opened(path: Path) -> CalamineWorkbook:
    told = path.stat()
    _measure(path, (told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns))
    return _guarded(lambda: CalamineWorkbook.from_path(str(path)), "the workbook")


@lru_cache(maxsize=8)
def _measure(path: Path, identity: tuple[int, ...]) -> None:
    """Once for a file as it is: recognising it opens it as well as reading it. A refusal is not remembered."""
    with open_archive(path) as archive:
        check_directory(archive)
        check_parts(path, archive)
        if {"content.xml", "mimetype"} <= set(archive.namelist()):
            refuse_repeats(archive)
    with path.open("rb") as file:
        refuse_far_cells(file)


def refuse_far_cells(file: IO[bytes]) -> None:
    """Raises ParseError("too_large" | "damaged")."""
    try:
        cell = too_far(file)
    except OddlyWritten as error:
        raise _damaged("a sheet", error) from error
    if cell:
        raise ParseError(
            f"The cell {cell} lies so far out that the sheet would have more than {MAX_CELLS:,} cells. Delete what is "
            "in it (or the columns and rows before it), save the workbook, and upload it again.",
            code="too_large",
        )


def _guarded(read: Callable[[], T], what: str) -> T:
    try:
        return read()
    except BaseException as error:
        raise _as_parse_error(error, what) from error


def _as_parse_error(error: BaseException, what: str) -> BaseException:
    """The ParseError for what a damaged file makes the reader raise; anything else as it is."""
    if isinstance(error, PasswordError):
        return ParseError(
            "The workbook is protected by a password. Save it without one and upload it again.", code="encrypted"
        )
    # A panic in the reader arrives as pyo3's PanicException, which is no Exception.
    is_panic = type(error).__name__ == "PanicException"
    if is_panic or isinstance(error, (CalamineError, OSError, ValueError, OverflowError, MemoryError)):
        return _damaged(what, error)
    return error


def _damaged(what: str, error: BaseException) -> ParseError:
    detail = " ".join(str(error).split())[:160]
    return ParseError(
        f"Can't read {what}: the file is damaged ({detail}). Open it in the program that made it, save it again as "
        ".xlsx, and upload that.",
        code="damaged",
    )


def text_of(value: Any) -> str:
    """A cell as stripped text: 12.0 → "12", dates as ISO, line ends as line feeds."""
    if type(value) is str:
        return value.replace("\r\n", "\n").strip() if "\r" in value else value.strip()
    if type(value) is float:
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(decimal_from_float(value), "f")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def figure_of(value: Any, mark: str = "") -> Decimal | None:
    """A cell as a figure; None for an empty one. Raises ValueError for text that is none."""
    if type(value) is float:
        return decimal_from_float(value)
    if type(value) is str:
        return decimal_from_text(value, mark) if value else None
    if type(value) is int:
        return Decimal(value)
    raise ValueError(f"{value!r} is not a figure")
