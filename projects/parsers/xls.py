"""Excel 97-2003 workbooks (.xls) through xlrd, with the face that calamine gives the other kinds.

xlrd, because what a damaged file makes it do is raise: a reader that takes a count from the file as the room to keep
free ends the process.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import xlrd

from projects.parsers.bill import ParseError


class XlsWorkbook:
    """`stream`: the workbook's, out of its file. Raises ParseError("damaged" | "encrypted")."""

    def __init__(self, stream: bytes) -> None:
        try:
            self._book = xlrd.open_workbook(
                file_contents=stream, logfile=io.StringIO(), on_demand=True, ragged_rows=True
            )
            self.sheet_names: list[str] = self._book.sheet_names()
        except Exception as error:  # of whatever class: xlrd leaves much of a file's nonsense to Python
            raise _refusal("the workbook", error) from error

    def get_sheet_by_name(self, name: str) -> XlsSheet:
        try:
            return XlsSheet(self._book, name)
        except Exception as error:
            raise _refusal(f"sheet '{name}'", error) from error

    def release(self, name: str) -> None:
        self._book.unload_sheet(name)


class XlsSheet:
    """Rows from the sheet's first, all as wide as the widest; cells as `Row` has them."""

    start = (0, 0)

    def __init__(self, book: Any, name: str) -> None:
        self._sheet = book.sheet_by_name(name)
        self._days_from: int = book.datemode

    def iter_rows(self) -> Iterator[list[Any]]:
        width = self._sheet.ncols
        for index in range(self._sheet.nrows):
            row = [
                value if kind in _AS_THEY_ARE else self._converted(kind, value)
                for kind, value in zip(self._sheet.row_types(index), self._sheet.row_values(index), strict=True)
            ]
            yield row + [""] * (width - len(row))

    def _converted(self, kind: int, value: Any) -> Any:
        if kind == xlrd.XL_CELL_BOOLEAN:
            return bool(value)
        if kind == xlrd.XL_CELL_ERROR:
            return xlrd.error_text_from_code.get(value, "#N/A")
        try:
            moment: datetime = xlrd.xldate_as_datetime(value, self._days_from)
        except (ValueError, OverflowError, xlrd.XLDateError):
            return value  # a figure that only looks like a date
        is_day = moment.time() == datetime.min.time()
        return date(moment.year, moment.month, moment.day) if is_day else moment


_AS_THEY_ARE = (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_TEXT, xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_BLANK)


def _refusal(what: str, error: Exception) -> ParseError:
    if "encrypted" in str(error).lower():
        return ParseError(
            "The workbook is protected by a password. Save it without one and upload it again.", code="encrypted"
        )
    detail = " ".join(str(error).split())[:160] or type(error).__name__
    return ParseError(
        f"Can't read {what}: the file is damaged ({detail}). Open it in the program that made it, save it as .xlsx, "
        "and upload that.",
        code="damaged",
    )
